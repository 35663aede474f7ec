//! What a dynamics processor listens to: a high-pass, both channels linked, peak or RMS.
//!
//! The level of a frame is the louder channel's amplitude (so that both channels get one gain and the image
//! stays), or the root of its mean square over 10 ms. The high-pass is a state-variable filter of second
//! order, Butterworth, 12 dB per octave (A. Simper, 2013): it may move at every frame. Switching the
//! high-pass or the kind of level is a cross-fade.

use crate::math;
use crate::smooth::Ramp;

/// Time of the mean square.
pub const RMS_SECONDS: f64 = 0.01;
/// Memory below this is forgotten.
const FLOOR: f64 = 1e-12;

/// Listens to one or two channels.
#[derive(Clone, Debug)]
pub struct Sidechain {
    rate_hz: f64,
    log_corner: Ramp,
    /// 0 hears everything, 1 the high-passed sound.
    high_passed: Ramp,
    filters: [HighPass; 2],
    /// 0 is peak, 1 is RMS.
    rms: Ramp,
    mean_square: f64,
    keep: f64,
    coefficients: [f64; 4],
}

/// The lowest corner; what is below is as good as off.
const LOWEST_HZ: f64 = 10.0;

impl Sidechain {
    /// Listens above `corner_hz` (0 is off) to the peak or the RMS level.
    #[must_use]
    pub fn new(rate_hz: f64, corner_hz: f64, rms: bool) -> Self {
        let mut sidechain = Self {
            rate_hz,
            log_corner: Ramp::new(math::ln(corner_hz.max(LOWEST_HZ))),
            high_passed: Ramp::new(f64::from(u8::from(corner_hz > 0.0))),
            filters: [HighPass::default(); 2],
            rms: Ramp::new(f64::from(u8::from(rms))),
            mean_square: 0.0,
            keep: math::exp(-1.0 / (RMS_SECONDS * rate_hz)),
            coefficients: [0.0; 4],
        };
        sidechain.coefficients = sidechain.design();
        sidechain
    }

    /// Moves the corner; 0 switches the high-pass off.
    pub fn set_high_pass(&mut self, corner_hz: f64, ramp_frames: usize, hand_frames: usize) {
        if corner_hz > 0.0 {
            let log_corner = math::ln(corner_hz.max(LOWEST_HZ));
            self.log_corner.go(log_corner, ramp_frames, hand_frames);
        }
        self.high_passed.go(f64::from(u8::from(corner_hz > 0.0)), 0, hand_frames);
        self.coefficients = self.design();
    }

    /// Fades to the RMS level, or back to the peak.
    pub fn set_rms(&mut self, rms: bool, hand_frames: usize) {
        self.rms.go(f64::from(u8::from(rms)), 0, hand_frames);
    }

    /// Forgets memory too faint to matter, so that no tail gets into denormal numbers.
    pub fn rest(&mut self) {
        for state in self.filters.iter_mut().flat_map(|filter| &mut filter.state) {
            if state.abs() < FLOOR {
                *state = 0.0;
            }
        }
        if self.mean_square < FLOOR * FLOOR {
            self.mean_square = 0.0;
        }
    }

    /// As newly built.
    pub fn reset(&mut self) {
        self.log_corner.settle();
        self.high_passed.settle();
        self.rms.settle();
        self.filters = [HighPass::default(); 2];
        self.mean_square = 0.0;
        self.coefficients = self.design();
    }

    /// Writes the level of every frame, as an amplitude. What is not finite counts as silence.
    pub fn levels(&mut self, left: &[f32], right: Option<&[f32]>, levels: &mut [f32]) {
        if self.high_passed.value() > 0.0 || self.high_passed.is_moving() {
            self.high_passed_levels(left, right, levels);
        } else {
            for (level, x) in levels.iter_mut().zip(left) {
                *level = finite(x.abs());
            }
            for (level, x) in levels.iter_mut().zip(right.unwrap_or_default()) {
                let x = finite(x.abs());
                *level = if x > *level { x } else { *level };
            }
        }
        if self.rms.value() > 0.0 || self.rms.is_moving() {
            self.take_root_mean_square(levels);
        }
    }

    fn high_passed_levels(&mut self, left: &[f32], right: Option<&[f32]>, levels: &mut [f32]) {
        let moving = self.high_passed.is_moving() || self.log_corner.is_moving();
        for (n, level) in levels.iter_mut().enumerate() {
            if moving {
                self.log_corner.advance(1);
                self.high_passed.advance(1);
                self.coefficients = self.design();
            }
            let share = self.high_passed.value();
            *level = 0.0;
            for (filter, channel) in self.filters.iter_mut().zip([Some(left), right]) {
                let Some(channel) = channel else { continue };
                let x = f64::from(finite(channel[n].abs()).copysign(channel[n]));
                let heard = x + share * (filter.step(x, &self.coefficients) - x);
                *level = level.max(heard.abs() as f32);
            }
        }
    }

    fn take_root_mean_square(&mut self, levels: &mut [f32]) {
        for level in levels {
            let power = f64::from(*level) * f64::from(*level);
            self.mean_square = power + self.keep * (self.mean_square - power);
            let share = self.rms.next_frame() as f32;
            *level += share * (self.mean_square.sqrt() as f32 - *level);
        }
    }

    fn design(&self) -> [f64; 4] {
        let corner_hz = math::exp(self.log_corner.value()).min(0.45 * self.rate_hz);
        let (g, k) = (math::tan(math::PI * corner_hz / self.rate_hz), math::SQRT_2);
        let a1 = 1.0 / (1.0 + g * (g + k));
        [a1, g * a1, g * g * a1, k]
    }
}

#[inline(always)]
fn finite(x: f32) -> f32 {
    if x < f32::INFINITY { x } else { 0.0 }
}

#[derive(Clone, Copy, Debug, Default)]
struct HighPass {
    state: [f64; 2],
}

impl HighPass {
    #[inline(always)]
    fn step(&mut self, x: f64, [a1, a2, a3, k]: &[f64; 4]) -> f64 {
        let v3 = x - self.state[1];
        let v1 = a1 * self.state[0] + a2 * v3;
        let v2 = self.state[1] + a2 * self.state[0] + a3 * v3;
        self.state = [2.0 * v1 - self.state[0], 2.0 * v2 - self.state[1]];
        x - k * v1 - v2
    }
}
