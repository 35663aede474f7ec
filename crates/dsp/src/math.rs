//! Transcendental functions that give the same bits on every machine.
//!
//! std's versions come from the platform's C library and differ between systems, so they are banned
//! outside `units` and this module (`clippy.toml`). These go through the `libm` crate, a port of musl.

pub use std::f64::consts::{PI, SQRT_2, TAU};

macro_rules! same_everywhere {
    ($($(#[$doc:meta])* $name:ident => $imp:ident),+ $(,)?) => {
        $($(#[$doc])*
        #[must_use]
        #[inline]
        pub fn $name(x: f64) -> f64 {
            libm::$imp(x)
        })+
    };
}

same_everywhere! {
    /// Sine of an angle in radians.
    sin => sin,
    /// Cosine of an angle in radians.
    cos => cos,
    /// Tangent of an angle in radians.
    tan => tan,
    /// Arc tangent, in radians.
    atan => atan,
    /// Hyperbolic tangent.
    tanh => tanh,
    /// Hyperbolic cosine.
    cosh => cosh,
    /// Hyperbolic sine.
    sinh => sinh,
    /// e to the power of x.
    exp => exp,
    /// 2 to the power of x.
    exp2 => exp2,
    /// Natural logarithm.
    ln => log,
    /// Logarithm to the base 10.
    log10 => log10,
    /// Logarithm to the base 2.
    log2 => log2,
}

/// `x` to the power of `y`.
#[must_use]
#[inline]
pub fn pow(x: f64, y: f64) -> f64 {
    libm::pow(x, y)
}

/// The angle of the vector (x, y), in radians.
#[must_use]
#[inline]
pub fn atan2(y: f64, x: f64) -> f64 {
    libm::atan2(y, x)
}
