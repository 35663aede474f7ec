//! State-variable filter: the second-order filter that may move at every frame.
//!
//! **Formula** (A. Simper, *Linear trapezoidal integrated SVF*, 2013). With g = tan(πf/fs) and damping k = 1/Q:
//! `a₁ = 1/(1 + g(g + k)), a₂ = g·a₁, a₃ = g·a₂`, and per frame `v₃ = x − s₂, v₁ = a₁s₁ + a₂v₃,
//! v₂ = s₂ + a₂s₁ + a₃v₃, s₁ ← 2v₁ − s₁, s₂ ← 2v₂ − s₂, y = m₀x + m₁v₁ + m₂v₂`. v₁ is the band-pass, v₂ the low-pass.
//! The memory is that of two integrators, so a change of coefficients makes no jump and no burst.
//!
//! It equals the bilinear biquad and is cramped like one near half the sample rate: for filters that stand still,
//! [`crate::eq_design`] follows the analogue prototypes better. Frequencies are held to 0.49 of the rate; Q from
//! 0.1 up. No latency. Two channels (or any two signals that share a filter) run side by side.

use crate::math;

/// Two signals in one filter: left and right, or mid and side.
pub type Pair = [f64; 2];

/// Memory below this is forgotten by [`Svf::rest`] (−240 dBFS).
pub(crate) const FLOOR: f64 = 1e-12;
const MAX_SHARE: f64 = 0.49;

/// tan(πf/fs) of a frequency.
#[must_use]
pub fn warped(hz: f64, rate_hz: f64) -> f64 {
    math::tan(math::PI * (hz / rate_hz).min(MAX_SHARE))
}

/// What the filter does.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct SvfShape {
    a: [f64; 3],
    m: [f64; 3],
}

impl SvfShape {
    #[inline(always)]
    fn new(g: f64, k: f64, m: [f64; 3]) -> Self {
        let a1 = 1.0 / (1.0 + g * (g + k));
        let a2 = g * a1;
        Self { a: [a1, a2, g * a2], m }
    }

    /// Low-pass of 12 dB per octave; `g` is [`warped`].
    #[must_use]
    pub fn low_pass(g: f64, q: f64) -> Self {
        Self::new(g, 1.0 / q, [0.0, 0.0, 1.0])
    }

    /// High-pass of 12 dB per octave.
    #[must_use]
    pub fn high_pass(g: f64, q: f64) -> Self {
        Self::new(g, 1.0 / q, [1.0, -1.0 / q, -1.0])
    }

    /// Band-pass, 0 dB at its centre.
    #[must_use]
    pub fn band_pass(g: f64, q: f64) -> Self {
        Self::new(g, 1.0 / q, [0.0, 1.0 / q, 0.0])
    }

    /// All-pass of second order.
    #[must_use]
    pub fn all_pass(g: f64, q: f64) -> Self {
        Self::new(g, 1.0 / q, [1.0, -2.0 / q, 0.0])
    }

    /// Bell; `root` is the square root of its gain as an amplitude, 10^(dB/40).
    #[must_use]
    #[inline(always)]
    pub fn bell(g: f64, q: f64, root: f64) -> Self {
        let k = 1.0 / (q * root);
        Self::new(g, k, [1.0, k * (root * root - 1.0), 0.0])
    }

    /// Shelf below the frequency; `root` as for the bell.
    #[must_use]
    pub fn low_shelf(g: f64, q: f64, root: f64) -> Self {
        let k = 1.0 / q;
        Self::new(g / root.sqrt(), k, [1.0, k * (root - 1.0), root * root - 1.0])
    }

    /// Shelf above the frequency; `root` as for the bell.
    #[must_use]
    pub fn high_shelf(g: f64, q: f64, root: f64) -> Self {
        let k = 1.0 / q;
        let m = [root * root, k * (1.0 - root) * root, 1.0 - root * root];
        Self::new(g * root.sqrt(), k, m)
    }
}

/// The memory of one filter.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Svf {
    s1: Pair,
    s2: Pair,
}

impl Svf {
    /// One frame.
    #[inline(always)]
    pub fn step(&mut self, x: Pair, shape: &SvfShape) -> Pair {
        let (v1, v2) = self.band_and_low(x, shape);
        let [m0, m1, m2] = shape.m;
        std::array::from_fn(|lane| m0 * x[lane] + m1 * v1[lane] + m2 * v2[lane])
    }

    /// One frame of a filter with [`SvfShape::low_pass`]: low-passed and high-passed at once.
    #[inline(always)]
    pub fn split(&mut self, x: Pair, shape: &SvfShape, q: f64) -> (Pair, Pair) {
        let (v1, v2) = self.band_and_low(x, shape);
        (v2, std::array::from_fn(|lane| x[lane] - v1[lane] / q - v2[lane]))
    }

    #[inline(always)]
    fn band_and_low(&mut self, x: Pair, shape: &SvfShape) -> (Pair, Pair) {
        let [a1, a2, a3] = shape.a;
        let (mut v1, mut v2) = ([0.0; 2], [0.0; 2]);
        for lane in 0..2 {
            let v3 = x[lane] - self.s2[lane];
            v1[lane] = a1 * self.s1[lane] + a2 * v3;
            v2[lane] = self.s2[lane] + a2 * self.s1[lane] + a3 * v3;
            self.s1[lane] = 2.0 * v1[lane] - self.s1[lane];
            self.s2[lane] = 2.0 * v2[lane] - self.s2[lane];
        }
        (v1, v2)
    }

    /// Forgets memory too faint to matter.
    pub fn rest(&mut self) {
        for state in self.s1.iter_mut().chain(&mut self.s2) {
            if state.abs() < FLOOR {
                *state = 0.0;
            }
        }
    }

    /// Whether nothing is in memory.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

/// Frames from +60 dBFS down to the floor of a filter with poles of quality `q` at `hz`, generously.
pub(crate) fn decay_frames(hz: f64, q: f64, rate_hz: f64) -> f64 {
    let seconds = (2.0 * q).max(1.0 / q) / (math::TAU * hz);
    1.1 * -math::ln(FLOOR * 1e-3) * seconds * rate_hz + 2048.0
}
