//! Windowed-sinc kernels between the samples: for sub-sample delay and for true peaks.
//!
//! `h[k] = sinc(k − c)·w(k − c)` with the Kaiser window `w(t) = I₀(β√(1−(t/H)²))/I₀(β)`, half length H,
//! scaled to a sum of exactly one, so that a constant passes unchanged.

use crate::math;

/// Modified Bessel function of the first kind, order zero, by its series.
#[must_use]
pub fn bessel_i0(x: f64) -> f64 {
    let quarter = x * x / 4.0;
    let (mut term, mut sum, mut n) = (1.0, 1.0, 1.0);
    while term > sum * 1e-17 {
        term *= quarter / (n * n);
        sum += term;
        n += 1.0;
    }
    sum
}

/// Taps `0..2·half` that read a signal `fraction` (0 to 1) of a frame after tap `half − 1`. Allocates.
#[must_use]
pub fn fractional_taps(half: usize, fraction: f64, beta: f64) -> Vec<f64> {
    let centre = half as f64 - 1.0 + fraction;
    let raw = (0..2 * half).map(|k| {
        let t = k as f64 - centre;
        let inside = 1.0 - (t / half as f64) * (t / half as f64);
        let window = if inside > 0.0 { bessel_i0(beta * inside.sqrt()) } else { 1.0 };
        let sinc = if t == 0.0 { 1.0 } else { math::sin(math::PI * t) / (math::PI * t) };
        sinc * window
    });
    let taps: Vec<f64> = raw.collect();
    let sum: f64 = taps.iter().sum();
    taps.iter().map(|tap| tap / sum).collect()
}

/// `Σ taps[k]·x[k]` in four sums of `f64`, always in the same order.
#[must_use]
#[inline]
pub fn dot(taps: &[f64], x: &[f32]) -> f64 {
    let mut sums = [0.0f64; 4];
    for (taps, x) in taps.chunks_exact(4).zip(x.chunks_exact(4)) {
        for lane in 0..4 {
            sums[lane] += taps[lane] * f64::from(x[lane]);
        }
    }
    (sums[0] + sums[2]) + (sums[1] + sums[3])
}
