//! Crossover: two to five bands whose sum is an all-pass.
//!
//! **Promise.** Added up again, the bands are the input through second-order all-passes at the corners: flat within
//! 0.001 dB, and equal to those all-passes down to −120 dB.
//!
//! **Form** (S. Linkwitz, R. Riley, JAES 24(1), 1976). Each corner splits what is left into a low-pass and a high-pass
//! of 24 dB per octave, two Butterworth sections each, whose sum is `(s² − √2s + 1)/(s² + √2s + 1)`. The bands
//! below have not gone through that phase, so they go through the same all-pass; without it a three-way split
//! is off by up to 3.6 dB. Sections are state-variable filters: corners may move at every frame.
//!
//! Corners rise from band to band. No latency.

use crate::math;
use crate::smooth::Ramp;
use crate::svf::{Pair, Svf, SvfShape, decay_frames, warped};

/// The most bands.
pub const MOST_BANDS: usize = 5;
const Q: f64 = std::f64::consts::FRAC_1_SQRT_2;

/// Splits two signals (left and right, or mid and side) into bands.
#[derive(Clone, Debug)]
pub struct Crossover {
    rate_hz: f64,
    corners: Vec<Corner>,
}

impl Crossover {
    /// Bands between rising `corners_hz`, at most four of them. Allocates.
    #[must_use]
    pub fn new(rate_hz: f64, corners_hz: &[f64]) -> Self {
        let corners = corners_hz.iter().take(MOST_BANDS - 1);
        let corners = corners.map(|hz| Corner::new(*hz, rate_hz)).collect();
        Self { rate_hz, corners }
    }

    /// How many bands, one more than corners.
    #[must_use]
    pub const fn bands(&self) -> usize {
        self.corners.len() + 1
    }

    /// Moves a corner, counted from the lowest.
    pub fn set_corner(&mut self, index: usize, hz: f64, ramp_frames: usize, hand_frames: usize) {
        let Some(corner) = self.corners.get_mut(index) else { return };
        corner.log_hz.go(math::ln(hz), ramp_frames, hand_frames);
        corner.design(self.rate_hz);
    }

    /// One frame into the first [`Self::bands`] entries of `bands`, lowest first.
    #[inline]
    pub fn split(&mut self, frame: Pair, bands: &mut [Pair; MOST_BANDS]) {
        let mut rest = frame;
        for (index, corner) in self.corners.iter_mut().enumerate() {
            if corner.log_hz.is_moving() {
                corner.log_hz.advance(1);
                corner.design(self.rate_hz);
            }
            for (band, pass) in bands[..index].iter_mut().zip(&mut corner.passes) {
                *band = pass.step(*band, &corner.all_pass);
            }
            let (low, high) = corner.first.split(rest, &corner.low_pass, Q);
            bands[index] = corner.low.step(low, &corner.low_pass);
            rest = corner.high.split(high, &corner.low_pass, Q).1;
        }
        bands[self.corners.len()] = rest;
    }

    /// Frames until the memory of the loudest sound is gone, if [`Self::rest`] is called now and then.
    #[must_use]
    pub fn tail_frames(&self) -> usize {
        let decay =
            |corner: &Corner| decay_frames(math::exp(corner.log_hz.lowest()), Q, self.rate_hz);
        // Each corner is three sections in a row at most: two of its own, or an all-pass.
        self.corners.iter().map(|corner| 3.0 * decay(corner)).sum::<f64>() as usize
    }

    /// Forgets memory too faint to matter.
    pub fn rest(&mut self) {
        self.corners.iter_mut().flat_map(Corner::sections).for_each(Svf::rest);
    }

    /// Whether nothing is in memory.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        let own = |corner: &Corner| [corner.first, corner.low, corner.high];
        let all = self.corners.iter().flat_map(|c| own(c).into_iter().chain(c.passes));
        all.into_iter().all(|section| section.is_empty())
    }

    /// As newly built, with the corners last set.
    pub fn reset(&mut self) {
        for corner in &mut self.corners {
            corner.log_hz.settle();
            corner.design(self.rate_hz);
            corner.sections().for_each(|section| *section = Svf::default());
        }
    }
}

/// One corner: three sections for its own split, an all-pass for each band below.
#[derive(Clone, Debug)]
struct Corner {
    log_hz: Ramp,
    low_pass: SvfShape,
    all_pass: SvfShape,
    first: Svf,
    low: Svf,
    high: Svf,
    passes: [Svf; MOST_BANDS - 2],
}

impl Corner {
    fn new(hz: f64, rate_hz: f64) -> Self {
        let g = warped(hz, rate_hz);
        let (first, low, high, passes) = Default::default();
        let (low_pass, all_pass) = (SvfShape::low_pass(g, Q), SvfShape::all_pass(g, Q));
        Self { log_hz: Ramp::new(math::ln(hz)), low_pass, all_pass, first, low, high, passes }
    }

    fn design(&mut self, rate_hz: f64) {
        let g = warped(math::exp(self.log_hz.value()), rate_hz);
        (self.low_pass, self.all_pass) = (SvfShape::low_pass(g, Q), SvfShape::all_pass(g, Q));
    }

    fn sections(&mut self) -> impl Iterator<Item = &mut Svf> {
        [&mut self.first, &mut self.low, &mut self.high].into_iter().chain(&mut self.passes)
    }
}
