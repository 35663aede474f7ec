//! Logarithm and exponential to the base 2 for the inner loops of dynamics, in `f32` and free of branches.
//!
//! Both split off the exponent by its bits and sum a Taylor series whose remainder bounds the error:
//! - `log2`: mantissa m in [√½, √2), s = (m−1)/(m+1), |s| ≤ 0.1716;
//!   `log2 m = 2/ln2·(s + s³/3 + s⁵/5 + s⁷/7)`, remainder below 5e-8.
//! - `exp2`: fraction f in [−½, ½]; `Σ (f ln2)ⁿ/n!` to n = 6, remainder below 1.3e-7 of the value.
//!
//! - `tanh`: `e/(e + 2)` with `e = exp(2|x|) − 1 = 2ⁿ·p + (2ⁿ − 1)`, p the series of `exp2` to n = 7
//!   without its one, so that small numbers keep their digits; within 4e-7 of the value.
//!
//! With rounding: `log2` within 4e-7 + 2⁻²³·|log2 x| (1e-5 dB over the range of sound), `exp2` within 4e-7
//! of the value. Exact where it matters: `log2(1) = 0`, `exp2(0) = 1`. Basic arithmetic only, so the same
//! bits everywhere, and the compiler puts four frames into one register.

use std::f32::consts::{LN_2, LOG2_E};

const SQRT_HALF_BITS: i32 = 0x3f35_04f3;
/// Adding it to a small `f32` rounds to the nearest whole number and leaves it in the low mantissa bits.
const ROUND: f32 = 12_582_912.0;
const ROUND_BITS: i32 = 0x4b40_0000;

/// Logarithm to the base 2 of a finite, normal, positive number.
#[must_use]
#[inline(always)]
pub fn log2(x: f32) -> f32 {
    let bits = x.to_bits() as i32 - SQRT_HALF_BITS;
    let exponent = (bits >> 23) as f32;
    let mantissa = f32::from_bits(((bits & 0x007f_ffff) + SQRT_HALF_BITS) as u32);
    let s = (mantissa - 1.0) / (mantissa + 1.0);
    let s2 = s * s;
    let series = s * (1.0 + s2 * (1.0 / 3.0 + s2 * (1.0 / 5.0 + s2 * (1.0 / 7.0))));
    exponent + series * (2.0 * LOG2_E)
}

/// 2 to the power of `x`, for −126 ≤ x ≤ 126 (clamped).
#[must_use]
#[inline(always)]
pub fn exp2(x: f32) -> f32 {
    let x = if x > -126.0 { x } else { -126.0 };
    let x = if x < 126.0 { x } else { 126.0 };
    let rounded = x + ROUND;
    let exponent = rounded.to_bits() as i32 - ROUND_BITS;
    let f = (x - (rounded - ROUND)) * LN_2;
    let tail = 1.0 / 24.0 + f * (1.0 / 120.0 + f * (1.0 / 720.0));
    let series = 1.0 + f * (1.0 + f * (0.5 + f * (1.0 / 6.0 + f * tail)));
    series * f32::from_bits(((exponent + 127) << 23) as u32)
}

/// Hyperbolic tangent of any number but NaN.
#[must_use]
#[inline(always)]
pub fn tanh(x: f32) -> f32 {
    // From 10 on it is 1 to the last bit.
    let size = x.abs();
    let size = if size < 10.0 { size } else { 10.0 };
    let octaves = size * (2.0 * LOG2_E);
    let rounded = octaves + ROUND;
    let exponent = rounded.to_bits() as i32 - ROUND_BITS;
    let f = (octaves - (rounded - ROUND)) * LN_2;
    let tail = 1.0 / 24.0 + f * (1.0 / 120.0 + f * (1.0 / 720.0 + f * (1.0 / 5040.0)));
    let series = f * (1.0 + f * (0.5 + f * (1.0 / 6.0 + f * tail)));
    let power = f32::from_bits(((exponent + 127) << 23) as u32);
    let e = power * series + (power - 1.0);
    (e / (e + 2.0)).copysign(x)
}

/// Decibels of one unit of `log2` of an amplitude: 20 log10 2.
pub const DB_PER_OCTAVE: f32 = 6.020_6;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn log2_stays_within_its_bound_over_thirty_octaves() {
        // Every mantissa in steps of 64 ulp through two octaves, then the exponents.
        let near_one = (0x3f00_0000u32..0x4000_0000).step_by(64);
        let exponents = (1..254u32).map(|exponent| (exponent << 23) | 0x2a_aaaa);
        for x in near_one.chain(exponents).map(f32::from_bits) {
            let exact = libm::log2(f64::from(x));
            let error = (f64::from(log2(x)) - exact).abs();
            assert!(error <= 4e-7 + exact.abs() / f64::from(1 << 23), "{x}: {error}");
        }
        assert_eq!(log2(1.0), 0.0);
    }

    #[test]
    fn exp2_stays_within_its_bound_over_forty_octaves() {
        for step in -200_000..200_000 {
            let x = step as f32 * 1e-4;
            let exact = libm::exp2(f64::from(x));
            let error = (f64::from(exp2(x)) / exact - 1.0).abs();
            assert!(error <= 4e-7, "{x}: {error}");
        }
        assert_eq!(exp2(0.0), 1.0);
    }

    #[test]
    fn tanh_stays_within_its_bound_from_the_smallest_numbers_to_the_largest() {
        let fine = (1..200_000).map(|step| step as f32 * 1e-4);
        let small = (0..100).map(|n| libm::exp2f(-0.5 * n as f32));
        for x in fine.chain(small) {
            let exact = libm::tanh(f64::from(x));
            let error = (f64::from(tanh(x)) / exact - 1.0).abs();
            assert!(error <= 4e-7, "{x}: {error}");
            assert_eq!(tanh(-x), -tanh(x));
        }
        assert_eq!((tanh(0.0), tanh(f32::MAX)), (0.0, 1.0));
    }
}
