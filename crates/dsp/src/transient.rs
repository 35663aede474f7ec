//! Transient shaper: more or less of the beginnings, more or less of what follows.
//!
//! **Formula.** The level L in dB is that of the loudest sample of both channels in the last 12.5 ms (half a wave
//! of 40 Hz, so that a steady tone has a steady level). Three followers in dB: *fast* rises in 1 ms and falls in
//! 20 ms (63 %), *slow* rises in 20 ms and falls with the fast one, *long* rises with the fast one and falls in
//! 500 ms. Beginnings are what fast is above slow, sustain is what long is above fast:
//! `gain = attack·min((fast − slow)/12, 1) + sustain·min((long − fast)/12, 1)` dB, smoothed over 1.5 ms. Slow is
//! never more than 18 dB behind, so a beginning after silence is as short as one after sound.
//!
//! Differences of levels do not know the level. A steady tone keeps its gain, both amounts at 0 change no bit.
//! Both channels get one gain. No latency, no tail.

use crate::clean::{clean, is_silent};
use crate::fast_math::{DB_PER_OCTAVE, exp2, log2};
use crate::math;
use crate::param::{ParamSpec, Unit};
use crate::process::{Io, ProcessSpec, Processor, Settings, Status};
use crate::smooth::{Ramp, hand_frames};

/// Settings of the transient shaper.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct TransientSettings {
    /// Gain of the beginnings, dB.
    pub attack_db: f64,
    /// Gain of what follows, dB.
    pub sustain_db: f64,
}

const ATTACK: usize = 0;
const SUSTAIN: usize = 1;
const HOLD_SECONDS: f64 = 0.0125;
const FAST_UP_SECONDS: f64 = 0.001;
const FAST_DOWN_SECONDS: f64 = 0.02;
const SLOW_UP_SECONDS: f64 = 0.02;
const LONG_DOWN_SECONDS: f64 = 0.5;
const SMOOTH_SECONDS: f64 = 0.0015;
/// A difference of levels that gets the whole gain.
const FULL_DB: f32 = 12.0;
const FURTHEST_DB: f32 = 18.0;
const LOWEST_DB: f32 = -100.0;

impl Settings for TransientSettings {
    const ID: &'static str = "transient";
    const LABEL: &'static str = "Transient shaper";
    #[rustfmt::skip]
    const PARAMS: &'static [ParamSpec] = &[
        ParamSpec::number("attack_db", "Attack", Unit::Db, (-9.0, 9.0), 0.0,
            "Gain of the beginnings").scaled(),
        ParamSpec::number("sustain_db", "Sustain", Unit::Db, (-9.0, 9.0), 0.0,
            "Gain of what follows them").scaled(),
    ];

    fn from_plain(values: &[f64]) -> Self {
        let at = |index: usize| values.get(index).copied().unwrap_or(Self::PARAMS[index].default);
        Self { attack_db: at(ATTACK), sustain_db: at(SUSTAIN) }
    }

    fn to_plain(&self) -> Vec<f64> {
        vec![self.attack_db, self.sustain_db]
    }

    fn build(&self, spec: &ProcessSpec) -> Box<dyn Processor> {
        Box::new(Transient::new(self, spec))
    }
}

/// The largest of the last values, in constant time: two runs of maxima meet at the border of a piece
/// (M. van Herk, 1992).
#[derive(Clone, Debug)]
struct Highest {
    /// The piece that is being written; after its end, maxima from each place to its end.
    past: Vec<f32>,
    now: Vec<f32>,
    at: usize,
    prefix: f32,
}

impl Highest {
    fn new(frames: usize) -> Self {
        Self { past: vec![0.0; frames], now: vec![0.0; frames], at: 0, prefix: 0.0 }
    }

    #[inline(always)]
    fn push(&mut self, x: f32) -> f32 {
        self.now[self.at] = x;
        self.prefix = self.prefix.max(x);
        self.at += 1;
        let highest = self.past.get(self.at).map_or(self.prefix, |past| past.max(self.prefix));
        if self.at == self.now.len() {
            let mut suffix = 0.0f32;
            for (past, now) in self.past.iter_mut().zip(&self.now).rev() {
                suffix = suffix.max(*now);
                *past = suffix;
            }
            (self.at, self.prefix) = (0, 0.0);
        }
        highest
    }

    fn clear(&mut self) {
        self.past.fill(0.0);
        (self.at, self.prefix) = (0, 0.0);
    }
}

struct Transient {
    hand_frames: usize,
    attack_db: Ramp,
    sustain_db: Ramp,
    highest: Highest,
    /// One-pole coefficients: fast up, fast down, slow up, long down, gain.
    poles: [f32; 5],
    /// Fast, slow, long, in dB.
    levels: [f32; 3],
    gain_db: f32,
    deepest_db: f32,
    fresh: bool,
    cleaned: u64,
}

impl Transient {
    fn new(settings: &TransientSettings, spec: &ProcessSpec) -> Self {
        let rate_hz = spec.sample_rate.hz();
        let times = [
            FAST_UP_SECONDS,
            FAST_DOWN_SECONDS,
            SLOW_UP_SECONDS,
            LONG_DOWN_SECONDS,
            SMOOTH_SECONDS,
        ];
        Self {
            hand_frames: hand_frames(spec.sample_rate),
            attack_db: Ramp::new(settings.attack_db),
            sustain_db: Ramp::new(settings.sustain_db),
            highest: Highest::new((HOLD_SECONDS * rate_hz) as usize),
            poles: times.map(|seconds| math::exp(-1.0 / (seconds * rate_hz)) as f32),
            levels: [LOWEST_DB; 3],
            gain_db: 0.0,
            deepest_db: 0.0,
            fresh: true,
            cleaned: 0,
        }
    }

    /// The gain in dB for a frame whose loudest sample is `amplitude`.
    #[inline(always)]
    fn follow(&mut self, amplitude: f32) -> f32 {
        let level = DB_PER_OCTAVE * log2(self.highest.push(amplitude).max(1e-5));
        let [fast_up, fast_down, slow_up, long_down, smooth] = self.poles;
        let [fast, slow, long] = self.levels;
        let fast = toward(fast, level, if level > fast { fast_up } else { fast_down });
        let slow = toward(slow, fast, if fast > slow { slow_up } else { 0.0 });
        let slow = slow.max(fast - FURTHEST_DB);
        let long = toward(long, fast, if fast > long { 0.0 } else { long_down });
        self.levels = [fast, slow, long];
        let share = |db: f32| (db / FULL_DB).min(1.0);
        let attack = self.attack_db.next_frame() as f32 * share(fast - slow);
        let wanted = attack + self.sustain_db.next_frame() as f32 * share(long - fast);
        self.gain_db = toward(self.gain_db, wanted, smooth);
        // Nothing audible, and no denormal numbers.
        self.gain_db = if self.gain_db.abs() < 1e-7 { 0.0 } else { self.gain_db };
        self.gain_db
    }
}

#[inline(always)]
fn toward(from: f32, to: f32, keep: f32) -> f32 {
    to + keep * (from - to)
}

/// −600 dBFS. Faint samples are told apart on integers: even comparing denormal numbers is slow.
const FAINT: u32 = 0x0da2_4260;

#[inline(always)]
fn amplitude(x: f32) -> f32 {
    let bits = x.to_bits() & 0x7fff_ffff;
    f32::from_bits(if bits > FAINT { bits } else { 0 })
}

/// A product; what is as good as silence stays as it is.
#[inline(always)]
fn times(x: f32, gain: f32) -> f32 {
    if x.to_bits() & 0x7fff_ffff > FAINT { x * gain } else { x }
}

impl Processor for Transient {
    fn latency_frames(&self) -> usize {
        0
    }

    fn tail_frames(&self) -> usize {
        0
    }

    fn set(&mut self, param: usize, value: f64, ramp_frames: usize) {
        let hand = if self.fresh { 0 } else { self.hand_frames };
        match param {
            ATTACK => self.attack_db.go(value, ramp_frames, hand),
            SUSTAIN => self.sustain_db.go(value, ramp_frames, hand),
            _ => {}
        }
    }

    fn process(&mut self, io: &mut Io<'_>) -> Status {
        let frames = io.frames();
        self.fresh &= frames == 0;
        let (left, mut right) = io.split_mut();
        self.cleaned += clean(left) + right.as_deref_mut().map_or(0, clean);
        for n in 0..frames {
            let other = right.as_deref().map_or(0.0, |right| amplitude(right[n]));
            let gain_db = self.follow(amplitude(left[n]).max(other));
            self.deepest_db = self.deepest_db.min(gain_db);
            let gain = exp2(gain_db / DB_PER_OCTAVE);
            left[n] = times(left[n], gain);
            if let Some(right) = right.as_deref_mut() {
                right[n] = times(right[n], gain);
            }
        }
        let silent = is_silent(left) && right.is_none_or(|right| is_silent(right));
        if silent { Status::Silent } else { Status::Filled }
    }

    fn reset(&mut self) {
        self.attack_db.settle();
        self.sustain_db.settle();
        self.highest.clear();
        (self.levels, self.gain_db, self.deepest_db) = ([LOWEST_DB; 3], 0.0, 0.0);
        (self.fresh, self.cleaned) = (true, 0);
    }

    fn take_gain_reduction_db(&mut self) -> Option<f32> {
        Some(std::mem::take(&mut self.deepest_db))
    }

    fn cleaned_samples(&self) -> u64 {
        self.cleaned
    }
}

#[cfg(test)]
mod tests {
    use super::Highest;

    #[test]
    fn the_highest_of_the_last_values_is_found() {
        let values: Vec<f32> = (0u32..500).map(|n| (n * 7919 % 101) as f32).collect();
        let mut highest = Highest::new(13);
        for (n, value) in values.iter().enumerate() {
            let expected = values[n.saturating_sub(12)..=n].iter().fold(0.0f32, |a, b| a.max(*b));
            assert_eq!(highest.push(*value), expected, "{n}");
        }
    }
}
