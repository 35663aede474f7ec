//! How sound gets from a source to a microphone: distance, direction, and the room's answer.
//!
//! The direct way is physics in three numbers: level falls with 1/distance, the delay is
//! distance / 343 m/s rounded to a frame (7 mm at 48 kHz), and a cardioid hears (1 + cos θ)/2 and less
//! treble from behind. The room is a feedback delay network of eight lines with a Householder matrix
//! (J.-M. Jot's design): lossless mixing, then per line a gain for the decay and a one-pole for the air.

use super::synth::{Biquad, Shape, smoothing};
use topdown_dsp::math;

const SOUND_M_PER_S: f64 = 343.0;
/// Levels are given as heard from here.
const REFERENCE_M: f64 = 0.1;
/// No membrane is nearer to all of a source than this.
const NEAREST_M: f64 = 0.07;
/// What a real cardioid still hears from its dead side.
const REAR_LEAK: f64 = 0.1;

/// A point in metres: right, towards the audience, up, from the middle of the kit's floor.
pub(super) type Point = [f64; 3];

/// A cardioid at `at`, looking at `aim`.
#[derive(Debug, Clone, Copy)]
pub(super) struct Mic {
    pub(super) at: Point,
    pub(super) aim: Point,
}

/// The direct way from a source to a microphone.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Path {
    pub(super) gain: f64,
    pub(super) delay_s: f64,
    /// Where the treble ends, in Hz.
    pub(super) treble_hz: f64,
}

fn towards(from: Point, to: Point) -> (Point, f64) {
    let way = [to[0] - from[0], to[1] - from[1], to[2] - from[2]];
    let length = way.iter().map(|x| x * x).sum::<f64>().sqrt();
    (way, length)
}

impl Mic {
    pub(super) fn path(&self, source: Point) -> Path {
        let (axis, axis_m) = towards(self.at, self.aim);
        let (way, distance_m) = towards(self.at, source);
        let dot: f64 = axis.iter().zip(way).map(|(a, b)| a * b).sum();
        let facing = dot / (axis_m * distance_m).max(1e-9);
        let cardioid = f64::midpoint(1.0, facing);
        Path {
            gain: (REAR_LEAK + (1.0 - REAR_LEAK) * cardioid) * REFERENCE_M
                / distance_m.max(NEAREST_M),
            delay_s: distance_m / SOUND_M_PER_S,
            treble_hz: 5_000.0 + 13_000.0 * cardioid,
        }
    }
}

const LINES: usize = 8;
/// Prime lengths, in frames at 48 kHz: 21 to 58 ms.
const LINE_FRAMES: [f64; LINES] = [1031.0, 1327.0, 1523.0, 1871.0, 2053.0, 2311.0, 2539.0, 2803.0];

/// A room's reverberation, as two microphones hear it.
pub(super) struct Reverb {
    lines: [Vec<f32>; LINES],
    places: [usize; LINES],
    gains: [f32; LINES],
    damped: [f32; LINES],
    damping: f32,
    low_cut: [Biquad; 2],
}

impl Reverb {
    /// `t60_s` at low frequencies; above `damp_hz` it shortens. `size` scales the lines.
    pub(super) fn new(t60_s: f64, damp_hz: f64, size: f64, rate: f64) -> Self {
        let frames = LINE_FRAMES.map(|frames| (frames * size * rate / 48_000.0) as usize + 1);
        Self {
            lines: frames.map(|frames| vec![0.0; frames]),
            places: [0; LINES],
            gains: frames
                .map(|frames| math::pow(10.0, -3.0 * frames as f64 / (rate * t60_s)) as f32),
            damped: [0.0; LINES],
            damping: smoothing(1.0 / (math::TAU * damp_hz), rate) as f32,
            low_cut: [Biquad::new(Shape::HighPass { hz: 90.0, q: 0.7 }, rate); 2],
        }
    }

    /// Adds the answer to `input` to `left` and `right`, times `gain`.
    pub(super) fn add(&mut self, input: &[f32], left: &mut [f32], right: &mut [f32], gain: f32) {
        for ((&x, left), right) in input.iter().zip(left).zip(right) {
            let mut taps = [0.0f32; LINES];
            for (line, tap) in taps.iter_mut().enumerate() {
                let out = self.lines[line][self.places[line]];
                self.damped[line] += self.damping * (out - self.damped[line]);
                *tap = self.damped[line] * self.gains[line];
            }
            // Householder: every line gets its own tap less a quarter of the sum of all.
            let shared = taps.iter().sum::<f32>() * (2.0 / LINES as f32);
            for (line, tap) in taps.iter().enumerate() {
                let place = &mut self.places[line];
                self.lines[line][*place] = tap - shared + x;
                *place += 1;
                if *place == self.lines[line].len() {
                    *place = 0;
                }
            }
            let wet = [
                taps[0] - taps[2] + taps[4] - taps[6] + 0.5 * taps[1],
                taps[1] - taps[3] + taps[5] - taps[7] + 0.5 * taps[0],
            ];
            *left += gain * self.low_cut[0].tick(f64::from(wet[0])) as f32;
            *right += gain * self.low_cut[1].tick(f64::from(wet[1])) as f32;
        }
    }
}
