//! Mid/side: levels of what both channels share and of what they do not.
//!
//! `M = (L + R)/2, S = (L − R)/2` and back `L = M + S, R = M − S`, in `f64`: there and back is the input to the last
//! bit of an `f32`. On a mono strip everything is mid. Both gains at 0 dB change no bit; they move without clicks
//! ([`crate::smooth`]). No latency.

use crate::clean::{clean, is_silent};
use crate::param::{ParamSpec, Unit};
use crate::process::{Io, ProcessSpec, Processor, Settings, Status};
use crate::smooth::{GainRamp, hand_frames};
use crate::svf::Pair;

/// Left and right to mid and side.
#[must_use]
#[inline(always)]
pub fn encode([left, right]: Pair) -> Pair {
    [0.5 * (left + right), 0.5 * (left - right)]
}

/// Mid and side to left and right.
#[must_use]
#[inline(always)]
pub fn decode([mid, side]: Pair) -> Pair {
    [mid + side, mid - side]
}

/// Settings of the mid/side levels.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct MidSideSettings {
    /// Gain of the mid in dB.
    pub mid_gain_db: f64,
    /// Gain of the side in dB.
    pub side_gain_db: f64,
}

impl Settings for MidSideSettings {
    const ID: &'static str = "mid_side";
    const LABEL: &'static str = "Mid/side";
    #[rustfmt::skip]
    const PARAMS: &'static [ParamSpec] = &[
        ParamSpec::number("mid_gain_db", "Mid", Unit::Db, (-24.0, 12.0), 0.0,
            "Gain of what both channels share").scaled(),
        ParamSpec::number("side_gain_db", "Side", Unit::Db, (-24.0, 12.0), 0.0,
            "Gain of what they do not share").scaled(),
    ];

    fn from_plain(values: &[f64]) -> Self {
        let at = |index: usize| values.get(index).copied().unwrap_or(Self::PARAMS[index].default);
        Self { mid_gain_db: at(0), side_gain_db: at(1) }
    }

    fn to_plain(&self) -> Vec<f64> {
        vec![self.mid_gain_db, self.side_gain_db]
    }

    fn build(&self, spec: &ProcessSpec) -> Box<dyn Processor> {
        Box::new(MidSide {
            gains: [self.mid_gain_db, self.side_gain_db].map(GainRamp::new),
            hand_frames: hand_frames(spec.sample_rate),
            fresh: true,
            cleaned: 0,
        })
    }
}

struct MidSide {
    gains: [GainRamp; 2],
    hand_frames: usize,
    fresh: bool,
    cleaned: u64,
}

impl MidSide {
    fn is_neutral(&self) -> bool {
        self.gains.iter().all(|gain| !gain.is_moving() && gain.value() == 1.0)
    }

    fn next_gains(&mut self) -> Pair {
        [self.gains[0].next_frame(), self.gains[1].next_frame()]
    }
}

impl Processor for MidSide {
    fn latency_frames(&self) -> usize {
        0
    }

    fn tail_frames(&self) -> usize {
        0
    }

    fn set(&mut self, param: usize, value: f64, ramp_frames: usize) {
        let hand = if self.fresh { 0 } else { self.hand_frames };
        if let Some(gain) = self.gains.get_mut(param) {
            gain.go(value, ramp_frames, hand);
        }
    }

    fn process(&mut self, io: &mut Io<'_>) -> Status {
        self.fresh &= io.frames() == 0;
        let (left, mut right) = io.split_mut();
        self.cleaned += clean(left) + right.as_deref_mut().map_or(0, clean);
        for n in 0..left.len() {
            if self.is_neutral() {
                break;
            }
            let [mid_gain, side_gain] = self.next_gains();
            let Some(right) = right.as_deref_mut() else {
                left[n] = (f64::from(left[n]) * mid_gain) as f32;
                continue;
            };
            let [mid, side] = encode([left[n], right[n]].map(f64::from));
            let [l, r] = decode([mid * mid_gain, side * side_gain]);
            (left[n], right[n]) = (l as f32, r as f32);
        }
        let silent = is_silent(left) && right.is_none_or(|right| is_silent(right));
        if silent { Status::Silent } else { Status::Filled }
    }

    fn reset(&mut self) {
        self.gains.iter_mut().for_each(GainRamp::settle);
        (self.fresh, self.cleaned) = (true, 0);
    }

    fn cleaned_samples(&self) -> u64 {
        self.cleaned
    }
}
