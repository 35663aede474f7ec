//! Peaks between the samples, for the limiter.
//!
//! A detector reads each gap between two samples at 7 points (8 times oversampling) with a windowed sinc of
//! 192 taps (Kaiser, β = 10) and fits a parabola through the highest points. That costs 1300 products per
//! gap, so two cheaper looks come first:
//! 1. The long filter cannot read more than [`PeakReader::long_bound`] times the largest sample it sees (the sum of
//!    its taps' sizes): quiet neighbourhoods need no filter at all.
//! 2. A short filter (4 times, 24 taps) reads every other gap; only where it comes within [`MARGIN`] of the
//!    ceiling is the long one asked.

use crate::fir::{dot, fractional_taps};

/// Frames before and after a gap that the long filter sees.
pub const HALF: usize = 96;
const LONG_PHASES: usize = 8;
const LONG_BETA: f64 = 10.0;
const SHORT_HALF: usize = 12;
const SHORT_PHASES: usize = 4;
const SHORT_BETA: f64 = 2.5;
/// The short filter may read this factor too little (1 dB).
pub const MARGIN: f32 = 0.891_250_9;

/// Reads gaps of one channel.
#[derive(Clone, Debug)]
pub struct PeakReader {
    long: Vec<Vec<f64>>,
    short: [[f32; 2 * SHORT_HALF]; SHORT_PHASES - 1],
    /// The most that the long filter can make of samples of size one.
    pub long_bound: f32,
}

impl Default for PeakReader {
    fn default() -> Self {
        Self::new()
    }
}

impl PeakReader {
    /// Designs both filters. Allocates.
    #[must_use]
    pub fn new() -> Self {
        let long: Vec<Vec<f64>> = (1..LONG_PHASES)
            .map(|p| fractional_taps(HALF, p as f64 / LONG_PHASES as f64, LONG_BETA))
            .collect();
        let mut short = [[0.0; 2 * SHORT_HALF]; SHORT_PHASES - 1];
        for (phase, taps) in short.iter_mut().enumerate() {
            let fraction = (phase + 1) as f64 / SHORT_PHASES as f64;
            for (tap, exact) in
                taps.iter_mut().zip(fractional_taps(SHORT_HALF, fraction, SHORT_BETA))
            {
                *tap = exact as f32;
            }
        }
        let size = |taps: &Vec<f64>| taps.iter().map(|tap| tap.abs()).sum::<f64>();
        let long_bound = long.iter().map(size).fold(1.0, f64::max) as f32;
        Self { long, short, long_bound }
    }

    /// Short readings: `peaks[i]` becomes at least the reading of the gap after sample `HALF − 1 + i` of `x`.
    ///
    /// `x` holds `peaks.len() + 2·HALF − 1` samples or more.
    pub fn read_short(&self, x: &[f32], peaks: &mut [f32]) {
        const LANES: usize = 16;
        let x = &x[HALF - SHORT_HALF..];
        for (block, peaks) in peaks.chunks_mut(LANES).enumerate() {
            let x = &x[block * LANES..];
            for taps in &self.short {
                let mut sums = [0.0f32; LANES];
                let lanes = peaks.len();
                for (k, tap) in taps.iter().enumerate() {
                    let shifted = &x[k..k + lanes];
                    if let Ok(shifted) = <&[f32; LANES]>::try_from(shifted) {
                        for lane in 0..LANES {
                            sums[lane] += tap * shifted[lane];
                        }
                    } else {
                        sums.iter_mut().zip(shifted).for_each(|(sum, x)| *sum += tap * x);
                    }
                }
                for (peak, sum) in peaks.iter_mut().zip(sums) {
                    let size = sum.abs();
                    *peak = if size > *peak { size } else { *peak };
                }
            }
        }
    }

    /// The long reading of the gap after sample `HALF − 1` of `x`, which holds `2·HALF` samples.
    #[must_use]
    pub fn read_long(&self, x: &[f32]) -> f32 {
        let mut points = [0.0f64; LONG_PHASES + 1];
        (points[0], points[LONG_PHASES]) = (f64::from(x[HALF - 1]), f64::from(x[HALF]));
        for (point, taps) in points[1..LONG_PHASES].iter_mut().zip(&self.long) {
            *point = dot(taps, x);
        }
        let mut peak = points.iter().fold(0.0, |peak: f64, point| peak.max(point.abs()));
        for three in points.windows(3) {
            let [a, b, c] = [three[0].abs(), three[1].abs(), three[2].abs()];
            if b >= a && b >= c && a + c < 2.0 * b {
                peak = peak.max(b + (a - c) * (a - c) / (8.0 * (2.0 * b - a - c)));
            }
        }
        peak as f32
    }
}
