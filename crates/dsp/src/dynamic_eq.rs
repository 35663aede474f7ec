//! Dynamic equaliser: two bells that move only while their band is loud.
//!
//! **Formula.** A band-pass at the bell's frequency and Q, 0 dB at its centre, gives the level x in dB (the louder
//! channel's amplitude). Above the threshold T the wanted move is `c = min((1 − 1/R)(x − T), |range|)`, smoothed as in
//! [`crate::compressor`] (decoupled: release, then attack, both times of 63 %), and the bell's gain is −y dB for a
//! negative range and +y dB for a positive one. `range_db` is thus both the direction and the most that can happen;
//! 0 is off. The bell is a state-variable filter ([`crate::svf`]), redesigned at every frame.
//!
//! **Promise.** Below the threshold no bit changes. A steady tone at the centre gets the gain of the formula within
//! 0.1 dB; it never exceeds the range. Both channels get one gain. With a key it listens there. No latency.
//!
//! **Threshold** is relative to the drive it was made for (`drive_lufs`, of the whole input, not the band), as in
//! the compressor. Bells above a sixth of the sample rate are narrower than their analogue prototype.

use crate::clean::{clean, is_silent};
use crate::compressor::reduction_db;
use crate::fast_math::{DB_PER_OCTAVE, exp2, log2};
use crate::math;
use crate::param::{ParamSpec, Unit};
use crate::process::{Io, ProcessSpec, Processor, Settings, Status};
use crate::smooth::{Ramp, hand_frames};
use crate::svf::{Pair, Svf, SvfShape, decay_frames, warped};

/// Bands of one dynamic equaliser.
pub const BANDS: usize = 2;

/// One band.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct DynamicBand {
    /// Centre of bell and detector in Hz.
    pub freq_hz: f64,
    /// Quality of bell and detector.
    pub q: f64,
    /// The most the bell does in dB: negative cuts, positive boosts what is loud; 0 is off.
    pub range_db: f64,
    /// Level in the band where it begins, dB relative to the drive.
    pub threshold_rel_db: f64,
    /// Ratio n:1, from 1.
    pub ratio: f64,
    /// Attack, 63 %, ms.
    pub attack_ms: f64,
    /// Release, 63 %, ms.
    pub release_ms: f64,
}

/// Settings of the dynamic equaliser.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct DynamicEqSettings {
    /// Loudness that the thresholds were solved for, LUFS; 0 makes them plain dBFS.
    pub drive_lufs: f64,
    /// The bands.
    pub bands: [DynamicBand; BANDS],
}

impl Default for DynamicEqSettings {
    fn default() -> Self {
        let defaults: Vec<f64> = Self::PARAMS.iter().map(|param| param.default).collect();
        Self::from_plain(&defaults)
    }
}

const PER_BAND: usize = 7;
const FREQ: usize = 0;
const Q: usize = 1;
const RANGE: usize = 2;
const THRESHOLD: usize = 3;
const RATIO: usize = 4;
const ATTACK: usize = 5;
const RELEASE: usize = 6;
const PARAM_COUNT: usize = 1 + BANDS * PER_BAND;

macro_rules! params {
    ($(($n:literal, $hz:literal)),*) => { &[
        ParamSpec::number("drive_lufs", "Drive", Unit::Lufs, (-80.0, 20.0), 0.0,
            "Loudness at the input that the thresholds were solved for; 0: they are plain dBFS"),
        $(
            ParamSpec::number(concat!("band_", $n, ".freq_hz"), concat!("Band ", $n, " frequency"),
                Unit::Hz, (20.0, 16_000.0), $hz, "Centre of bell and detector").log(),
            ParamSpec::number(concat!("band_", $n, ".q"), concat!("Band ", $n, " Q"),
                Unit::None, (0.3, 8.0), 1.0, "Higher is narrower").log(),
            ParamSpec::number(concat!("band_", $n, ".range_db"), concat!("Band ", $n, " range"),
                Unit::Db, (-12.0, 12.0), 0.0,
                "The most the bell cuts (negative) or boosts what is loud; 0 is off").scaled(),
            ParamSpec::number(concat!("band_", $n, ".threshold_rel_db"),
                concat!("Band ", $n, " threshold"), Unit::Db, (-80.0, 40.0), 0.0,
                "Level in the band where it begins, relative to the drive"),
            ParamSpec::number(concat!("band_", $n, ".ratio"), concat!("Band ", $n, " ratio"),
                Unit::Ratio, (1.0, 100.0), 3.0, "dB more in the band for one dB more of it").log(),
            ParamSpec::number(concat!("band_", $n, ".attack_ms"), concat!("Band ", $n, " attack"),
                Unit::Ms, (0.5, 200.0), 10.0, "Time to 63 % of a new gain").log(),
            ParamSpec::number(concat!("band_", $n, ".release_ms"), concat!("Band ", $n, " release"),
                Unit::Ms, (10.0, 2000.0), 150.0, "Time to 63 % of the way back").log(),
        )*
    ] };
}

impl Settings for DynamicEqSettings {
    const ID: &'static str = "dynamic_eq";
    const LABEL: &'static str = "Dynamic equaliser";
    const TAKES_KEY: bool = true;
    const PARAMS: &'static [ParamSpec] = params!((1, 250.0), (2, 3000.0));

    fn from_plain(values: &[f64]) -> Self {
        let at = |index: usize| values.get(index).copied().unwrap_or(Self::PARAMS[index].default);
        let band = |first: usize| DynamicBand {
            freq_hz: at(first + FREQ),
            q: at(first + Q),
            range_db: at(first + RANGE),
            threshold_rel_db: at(first + THRESHOLD),
            ratio: at(first + RATIO),
            attack_ms: at(first + ATTACK),
            release_ms: at(first + RELEASE),
        };
        Self { drive_lufs: at(0), bands: std::array::from_fn(|n| band(1 + n * PER_BAND)) }
    }

    fn to_plain(&self) -> Vec<f64> {
        let plain = |b: &DynamicBand| {
            [b.freq_hz, b.q, b.range_db, b.threshold_rel_db, b.ratio, b.attack_ms, b.release_ms]
        };
        std::iter::once(self.drive_lufs).chain(self.bands.iter().flat_map(plain)).collect()
    }

    fn build(&self, spec: &ProcessSpec) -> Box<dyn Processor> {
        Box::new(DynamicEq::new(self, spec))
    }
}

/// Frames worked on at once, and the grid of slow decisions, counted from the start.
const PIECE: usize = 64;
/// Moves below this are none: 1e-7 dB is −160 dB of change.
const NO_MOVE_DB: f64 = 1e-7;

/// One-pole coefficient that reaches 63 % after `ms`.
fn pole(ms: f64, rate_hz: f64) -> f64 {
    math::exp(-1.0 / (ms * 1e-3 * rate_hz))
}

struct Band {
    rate_hz: f64,
    log_hz: Ramp,
    log_q: Ramp,
    range_db: Ramp,
    threshold_db: Ramp,
    slope: Ramp,
    attack: f64,
    release: f64,
    /// tan of the frequency, and Q.
    centre: [f64; 2],
    ear: SvfShape,
    detector: Svf,
    bell: Svf,
    /// The decoupled detector's two memories, in dB.
    held_db: f64,
    move_db: f64,
    /// Whether the range is or was not 0 since the last border of the grid.
    active: bool,
}

impl Band {
    fn new(values: &[f64], drive_lufs: f64, rate_hz: f64) -> Self {
        let mut band = Self {
            rate_hz,
            log_hz: Ramp::new(math::ln(values[FREQ])),
            log_q: Ramp::new(math::ln(values[Q])),
            range_db: Ramp::new(values[RANGE]),
            threshold_db: Ramp::new(values[THRESHOLD] + drive_lufs),
            slope: Ramp::new(1.0 - 1.0 / values[RATIO]),
            attack: pole(values[ATTACK], rate_hz),
            release: pole(values[RELEASE], rate_hz),
            centre: [0.0; 2],
            ear: SvfShape::band_pass(1.0, 1.0),
            detector: Svf::default(),
            bell: Svf::default(),
            held_db: 0.0,
            move_db: 0.0,
            active: values[RANGE] != 0.0,
        };
        band.design();
        band
    }

    fn design(&mut self) {
        let q = math::exp(self.log_q.value());
        self.centre = [warped(math::exp(self.log_hz.value()), self.rate_hz), q];
        self.ear = SvfShape::band_pass(self.centre[0], q);
    }

    fn is_moving(&self) -> bool {
        let curve = self.range_db.is_moving() || self.threshold_db.is_moving();
        curve || self.slope.is_moving() || self.log_hz.is_moving() || self.log_q.is_moving()
    }

    fn advance(&mut self) {
        for ramp in [&mut self.range_db, &mut self.threshold_db, &mut self.slope] {
            ramp.advance(1);
        }
        if self.log_hz.is_moving() || self.log_q.is_moving() {
            self.log_hz.advance(1);
            self.log_q.advance(1);
            self.design();
        }
    }

    /// The bell's gain in dB after hearing one more frame.
    #[inline(always)]
    fn gain_db(&mut self, heard: Pair, range: f64) -> f64 {
        let [left, right] = self.detector.step(heard, &self.ear);
        let level = left.abs().max(right.abs()) as f32;
        // −200 dBFS is low enough for any threshold, and a normal number.
        let level = if level > 1e-10 { level } else { 1e-10 };
        let over = DB_PER_OCTAVE * log2(level) - self.threshold_db.value() as f32;
        let wanted = f64::from(reduction_db(over, self.slope.value() as f32, 0.0));
        let wanted = wanted.min(range.abs());
        let released = self.release * self.held_db + (1.0 - self.release) * wanted;
        self.held_db = released.max(wanted);
        self.move_db = self.attack * self.move_db + (1.0 - self.attack) * self.held_db;
        self.move_db.min(range.abs()).copysign(range)
    }

    /// One frame of sound and of what is listened to; the gain of the bell is kept in `deepest`.
    #[inline(always)]
    fn step(&mut self, x: Pair, heard: Pair, deepest: &mut f64) -> Pair {
        let range = self.range_db.value();
        let gain_db = self.gain_db(heard, range);
        *deepest = deepest.min(gain_db);
        let root = exp2((gain_db / (2.0 * f64::from(DB_PER_OCTAVE))) as f32);
        let shape = SvfShape::bell(self.centre[0], self.centre[1], f64::from(root));
        let y = self.bell.step(x, &shape);
        if root == 1.0 { x } else { y }
    }

    /// At the border of the grid.
    fn decide(&mut self) {
        if self.held_db < NO_MOVE_DB && self.move_db < NO_MOVE_DB {
            (self.held_db, self.move_db) = (0.0, 0.0);
        }
        self.detector.rest();
        self.bell.rest();
        self.active = self.range_db.value() != 0.0 || self.range_db.is_moving();
        if !self.active {
            self.forget();
        }
    }

    fn forget(&mut self) {
        (self.detector, self.bell) = (Svf::default(), Svf::default());
        (self.held_db, self.move_db) = (0.0, 0.0);
    }

    /// Whether silence passes it without a trace.
    fn is_empty(&self) -> bool {
        let still = self.held_db == 0.0 && self.move_db == 0.0 && !self.is_moving();
        still && self.detector.is_empty() && self.bell.is_empty()
    }

    fn settle(&mut self) {
        let curve = [&mut self.range_db, &mut self.threshold_db, &mut self.slope];
        curve.into_iter().chain([&mut self.log_hz, &mut self.log_q]).for_each(Ramp::settle);
        self.design();
        self.forget();
        self.active = self.range_db.value() != 0.0;
    }
}

struct DynamicEq {
    hand_frames: usize,
    values: [f64; PARAM_COUNT],
    bands: [Band; BANDS],
    position: usize,
    deepest_db: f64,
    fresh: bool,
    cleaned: u64,
}

impl DynamicEq {
    fn new(settings: &DynamicEqSettings, spec: &ProcessSpec) -> Self {
        let mut values = [0.0; PARAM_COUNT];
        values.copy_from_slice(&settings.to_plain());
        let rate_hz = spec.sample_rate.hz();
        let band = |n: usize| Band::new(&values[1 + n * PER_BAND..], values[0], rate_hz);
        Self {
            hand_frames: hand_frames(spec.sample_rate),
            values,
            bands: std::array::from_fn(band),
            position: 0,
            deepest_db: 0.0,
            fresh: true,
            cleaned: 0,
        }
    }

    /// One piece within the grid.
    fn run(&mut self, left: &mut [f32], mut right: Option<&mut [f32]>, key: Option<[&[f32]; 2]>) {
        if self.bands.iter().any(|band| band.active || band.is_moving()) {
            for n in 0..left.len() {
                let x = [left[n], right.as_deref().map_or(0.0, |right| right[n])].map(f64::from);
                let heard = key.map_or(x, |key| key.map(|side| finite(side[n])));
                let mut y = x;
                for band in &mut self.bands {
                    if band.is_moving() {
                        band.advance();
                    }
                    if band.active {
                        y = band.step(y, heard, &mut self.deepest_db);
                    }
                }
                left[n] = y[0] as f32;
                if let Some(right) = right.as_deref_mut() {
                    right[n] = y[1] as f32;
                }
            }
        }
    }

    fn pass(&mut self, frames: usize) {
        self.position += frames;
        if self.position == PIECE {
            self.position = 0;
            self.bands.iter_mut().for_each(Band::decide);
        }
    }
}

fn finite(x: f32) -> f64 {
    if x.is_finite() { f64::from(x) } else { 0.0 }
}

impl Processor for DynamicEq {
    fn latency_frames(&self) -> usize {
        0
    }

    fn tail_frames(&self) -> usize {
        let decay = |band: &Band| {
            let lowest_hz = math::exp(band.log_hz.lowest());
            // A bell's gain of ±12 dB moves its pole by ±6 dB.
            let q = math::exp(band.log_q.value().max(band.log_q.target()));
            let low_q = math::exp(band.log_q.lowest());
            let decay = |q| decay_frames(lowest_hz, q, band.rate_hz);
            decay(2.0 * q).max(decay(0.5 * low_q))
        };
        self.bands.iter().map(decay).sum::<f64>() as usize + 2 * PIECE
    }

    fn set(&mut self, param: usize, value: f64, ramp_frames: usize) {
        let Some(stored) = self.values.get_mut(param) else { return };
        *stored = value;
        let hand = if self.fresh { 0 } else { self.hand_frames };
        let first = |n: usize| 1 + n * PER_BAND;
        if param == 0 {
            for (n, band) in self.bands.iter_mut().enumerate() {
                let threshold_db = value + self.values[first(n) + THRESHOLD];
                band.threshold_db.go(threshold_db, ramp_frames, hand);
            }
            return;
        }
        let Some(band) = self.bands.get_mut((param - 1) / PER_BAND) else { return };
        match (param - 1) % PER_BAND {
            FREQ => band.log_hz.go(math::ln(value), ramp_frames, hand),
            Q => band.log_q.go(math::ln(value), ramp_frames, hand),
            RANGE => band.range_db.go(value, ramp_frames, hand),
            THRESHOLD => band.threshold_db.go(value + self.values[0], ramp_frames, hand),
            RATIO => band.slope.go(1.0 - 1.0 / value, ramp_frames, hand),
            ATTACK => band.attack = pole(value, band.rate_hz),
            _ => band.release = pole(value, band.rate_hz),
        }
        band.design();
        band.active |= band.range_db.value() != 0.0 || band.range_db.is_moving();
        if self.fresh && !band.is_moving() {
            band.active = band.range_db.value() != 0.0;
        }
    }

    fn process(&mut self, io: &mut Io<'_>) -> Status {
        let frames = io.frames();
        self.fresh &= frames == 0;
        let (left, mut right, key_left, key_right) = io.with_key();
        self.cleaned += clean(left) + right.as_deref_mut().map_or(0, clean);
        let silent_in = is_silent(left) && right.as_deref().is_none_or(is_silent);
        let empty = self.bands.iter().all(|band| band.bell.is_empty());
        let key = key_left.map(|left| [left, key_right.unwrap_or(left)]);
        let silent_key = key.is_none_or(|key| key.iter().all(|side| is_silent(side)));
        let asleep = silent_in && silent_key && self.bands.iter().all(Band::is_empty);
        let mut start = 0;
        while start < frames {
            let end = frames.min(start + PIECE - self.position);
            let piece = right.as_deref_mut().map(|right| &mut right[start..end]);
            let key = key.map(|key| key.map(|side| &side[start..end]));
            if !asleep {
                self.run(&mut left[start..end], piece, key);
            }
            self.pass(end - start);
            start = end;
        }
        if silent_in && empty { Status::Silent } else { Status::Filled }
    }

    fn reset(&mut self) {
        self.bands.iter_mut().for_each(Band::settle);
        (self.position, self.deepest_db) = (0, 0.0);
        (self.fresh, self.cleaned) = (true, 0);
    }

    fn take_gain_reduction_db(&mut self) -> Option<f32> {
        Some(std::mem::take(&mut self.deepest_db) as f32)
    }

    fn cleaned_samples(&self) -> u64 {
        self.cleaned
    }
}
