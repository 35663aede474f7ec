//! Low cut and high cut of an echo: 12 dB per octave each, Butterworth, free to move at every frame.
//!
//! State-variable filters (A. Simper, 2013), g = tan(πf/fs), k = √2, with state in `f64`. Neither gain is above
//! one at any frequency, so that they may stand in a feedback loop. Corners move in the logarithm.

use crate::math;
use crate::smooth::Ramp;

/// Memory below this is forgotten.
const FLOOR: f64 = 1e-18;

/// The two filters of one or two channels.
#[derive(Clone, Debug)]
pub struct Cuts {
    rate_hz: f64,
    log_low: Ramp,
    log_high: Ramp,
    coefficients: [[f64; 3]; 2],
    /// Of each channel: low cut, high cut.
    states: [[[f64; 2]; 2]; 2],
}

impl Cuts {
    /// Lets through what is between `low_hz` and `high_hz`.
    #[must_use]
    pub fn new(rate_hz: f64, low_hz: f64, high_hz: f64) -> Self {
        let mut cuts = Self {
            rate_hz,
            log_low: Ramp::new(math::ln(low_hz)),
            log_high: Ramp::new(math::ln(high_hz)),
            coefficients: [[0.0; 3]; 2],
            states: [[[0.0; 2]; 2]; 2],
        };
        cuts.design();
        cuts
    }

    /// Moves the low cut.
    pub fn set_low(&mut self, hz: f64, ramp_frames: usize, hand_frames: usize) {
        self.log_low.go(math::ln(hz), ramp_frames, hand_frames);
        self.design();
    }

    /// Moves the high cut.
    pub fn set_high(&mut self, hz: f64, ramp_frames: usize, hand_frames: usize) {
        self.log_high.go(math::ln(hz), ramp_frames, hand_frames);
        self.design();
    }

    fn is_moving(&self) -> bool {
        self.log_low.is_moving() || self.log_high.is_moving()
    }

    fn design(&mut self) {
        for (coefficients, log_hz) in
            self.coefficients.iter_mut().zip([&self.log_low, &self.log_high])
        {
            let hz = math::exp(log_hz.value()).min(0.45 * self.rate_hz);
            let g = math::tan(math::PI * hz / self.rate_hz);
            let a1 = 1.0 / (1.0 + g * (g + math::SQRT_2));
            *coefficients = [a1, g * a1, g * g * a1];
        }
    }

    /// Filters the channels in place, `frames` of each.
    pub fn process<const N: usize>(&mut self, channels: &mut [[f32; N]], frames: usize) {
        let moving = self.is_moving();
        for n in 0..frames {
            if moving {
                self.log_low.advance(1);
                self.log_high.advance(1);
                self.design();
            }
            for (channel, states) in channels.iter_mut().zip(&mut self.states) {
                let x = f64::from(channel[n]);
                let (band, low) = step(&mut states[0], x, &self.coefficients[0]);
                let x = x - math::SQRT_2 * band - low;
                channel[n] = step(&mut states[1], x, &self.coefficients[1]).1 as f32;
            }
        }
    }

    /// Passes `frames` frames of silence with silent memory.
    pub fn advance(&mut self, frames: usize) {
        if self.is_moving() {
            self.log_low.advance(frames);
            self.log_high.advance(frames);
            self.design();
        }
    }

    /// Forgets memory too faint to matter.
    pub fn rest(&mut self) {
        for state in self.states.iter_mut().flatten().flatten() {
            if state.abs() < FLOOR {
                *state = 0.0;
            }
        }
    }

    /// Forgets all sound.
    pub fn clear(&mut self) {
        self.states = [[[0.0; 2]; 2]; 2];
    }

    /// As newly built.
    pub fn reset(&mut self) {
        self.log_low.settle();
        self.log_high.settle();
        self.clear();
        self.design();
    }
}

/// Band-pass (times 1/k) and low-pass of one frame.
#[inline(always)]
fn step(state: &mut [f64; 2], x: f64, [a1, a2, a3]: &[f64; 3]) -> (f64, f64) {
    let v3 = x - state[1];
    let v1 = a1 * state[0] + a2 * v3;
    let v2 = state[1] + a2 * state[0] + a3 * v3;
    *state = [2.0 * v1 - state[0], 2.0 * v2 - state[1]];
    (v1, v2)
}
