//! Width: more or less side, and a bass that is mono.
//!
//! **Formula.** The side S = (L−R)/2 is multiplied by `width`: 0 is mono, 1 unchanged, 2 twice the side. Above 0 Hz,
//! `mono_below_hz` takes the side through the high-pass of a Linkwitz–Riley crossover (24 dB per octave, −6 dB at the
//! corner) and the mid through that crossover's sum, an all-pass with the very phase of the high-pass: mid and
//! side stay in step, so nothing above the corner moves in the image.
//!
//! Width 1 and 0 Hz change no bit; neither does anything on a mono strip. No latency.

use crate::clean::{clean, is_silent};
use crate::crossover::{Crossover, MOST_BANDS};
use crate::mid_side::{decode, encode};
use crate::param::{ParamSpec, Unit};
use crate::process::{Io, ProcessSpec, Processor, Settings, Status};
use crate::smooth::{Ramp, hand_frames};
use crate::svf::Pair;

/// Settings of the width.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct WidthSettings {
    /// Factor of the side, 0 to 2.
    pub width: f64,
    /// The side is taken away below this, Hz; 0 is off.
    pub mono_below_hz: f64,
}

impl Default for WidthSettings {
    fn default() -> Self {
        Self { width: 1.0, mono_below_hz: 0.0 }
    }
}

const WIDTH: usize = 0;
const MONO_BELOW: usize = 1;
/// The lowest corner; what is asked for below is this.
const LOWEST_HZ: f64 = 20.0;

impl Settings for WidthSettings {
    const ID: &'static str = "width";
    const LABEL: &'static str = "Width";
    #[rustfmt::skip]
    const PARAMS: &'static [ParamSpec] = &[
        ParamSpec::number("width", "Width", Unit::None, (0.0, 2.0), 1.0,
            "Factor of the side: 0 is mono, 1 unchanged").scaled(),
        ParamSpec::number("mono_below_hz", "Mono below", Unit::Hz, (0.0, 500.0), 0.0,
            "Takes the side away below this; 0 is off, the lowest corner is 20 Hz"),
    ];

    fn from_plain(values: &[f64]) -> Self {
        let at = |index: usize| values.get(index).copied().unwrap_or(Self::PARAMS[index].default);
        Self { width: at(WIDTH), mono_below_hz: at(MONO_BELOW) }
    }

    fn to_plain(&self) -> Vec<f64> {
        vec![self.width, self.mono_below_hz]
    }

    fn build(&self, spec: &ProcessSpec) -> Box<dyn Processor> {
        let corner_hz = self.mono_below_hz.max(LOWEST_HZ);
        Box::new(Width {
            width: Ramp::new(self.width),
            share: Ramp::new(on(self.mono_below_hz)),
            crossover: Crossover::new(spec.sample_rate.hz(), &[corner_hz]),
            filtering: self.mono_below_hz > 0.0,
            hand_frames: hand_frames(spec.sample_rate),
            position: 0,
            fresh: true,
            cleaned: 0,
        })
    }
}

fn on(mono_below_hz: f64) -> f64 {
    f64::from(u8::from(mono_below_hz > 0.0))
}

/// Frames between looks at what may rest, counted from the start.
const GRID: usize = 64;

struct Width {
    width: Ramp,
    /// 0 hears the whole side, 1 the high-passed one.
    share: Ramp,
    crossover: Crossover,
    /// Whether the share is or was not 0 since the last border of the grid.
    filtering: bool,
    hand_frames: usize,
    position: usize,
    fresh: bool,
    cleaned: u64,
}

impl Width {
    fn is_moving(&self) -> bool {
        self.width.is_moving() || self.share.is_moving()
    }

    fn step(&mut self, frame: Pair) -> Pair {
        let [mut mid, mut side] = encode(frame);
        let (width, share) = (self.width.next_frame(), self.share.next_frame());
        if self.filtering {
            let mut bands = [[0.0; 2]; MOST_BANDS];
            self.crossover.split([mid, side], &mut bands);
            let [low, high, ..] = bands;
            mid += share * (low[0] + high[0] - mid);
            side += share * (high[1] - side);
        }
        decode([mid, side * width])
    }

    fn run(&mut self, left: &mut [f32], right: &mut [f32]) {
        for (left, right) in left.iter_mut().zip(right) {
            let neutral = !self.is_moving() && self.width.value() == 1.0 && !self.filtering;
            if !neutral {
                let [l, r] = self.step([*left, *right].map(f64::from));
                (*left, *right) = (l as f32, r as f32);
            }
            self.position += 1;
            if self.position == GRID {
                self.position = 0;
                self.decide();
            }
        }
    }

    /// At the border of the grid.
    fn decide(&mut self) {
        self.crossover.rest();
        if self.filtering && self.share.value() == 0.0 && !self.share.is_moving() {
            self.filtering = false;
            self.crossover.reset();
        }
    }
}

impl Processor for Width {
    fn latency_frames(&self) -> usize {
        0
    }

    fn tail_frames(&self) -> usize {
        if self.filtering { self.crossover.tail_frames() + 2 * GRID } else { 0 }
    }

    fn set(&mut self, param: usize, value: f64, ramp_frames: usize) {
        let hand = if self.fresh { 0 } else { self.hand_frames };
        match param {
            WIDTH => self.width.go(value, ramp_frames, hand),
            MONO_BELOW => {
                if value > 0.0 {
                    self.crossover.set_corner(0, value.max(LOWEST_HZ), ramp_frames, hand);
                }
                self.share.go(on(value), 0, hand);
                self.filtering |= value > 0.0;
                self.filtering &= !self.fresh || value > 0.0;
            }
            _ => {}
        }
    }

    fn process(&mut self, io: &mut Io<'_>) -> Status {
        self.fresh &= io.frames() == 0;
        let (left, mut right) = io.split_mut();
        self.cleaned += clean(left) + right.as_deref_mut().map_or(0, clean);
        let Some(right) = right else {
            return if is_silent(left) { Status::Silent } else { Status::Filled };
        };
        let silent = is_silent(left) && is_silent(right) && self.crossover.is_empty();
        self.run(left, right);
        if silent { Status::Silent } else { Status::Filled }
    }

    fn reset(&mut self) {
        self.width.settle();
        self.share.settle();
        self.crossover.reset();
        self.filtering = self.share.value() > 0.0;
        self.position = 0;
        (self.fresh, self.cleaned) = (true, 0);
    }

    fn cleaned_samples(&self) -> u64 {
        self.cleaned
    }
}
