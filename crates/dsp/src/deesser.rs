//! De-esser: turns the top down while it is too much of the whole.
//!
//! **Formula.** Above `frequency_hz` a state-variable high-pass (A. Simper, 2013; two in series, 24 dB per octave)
//! hears the sibilance. Its power and the whole power, both channels together and each over 5 ms, make the ratio
//! ρ in dB, at most 0; a floor of −80 dBFS under the whole lets hiss between words alone. Wanted reduction:
//! `clamp(ρ − threshold, 0, range)`, smoothed like the compressor's (release, then attack, both 63 %). The top is
//! turned down by a high shelf of that many dB centred half an octave lower, a state-variable filter whose gain may move
//! at every frame: above, all of the reduction, below, none, and no bump between.
//!
//! A ratio does not know the level: a whisper is treated like a shout. With no reduction no bit changes. At most
//! 6 dB: more lisps. Both channels get one gain. No latency; the tail is silent at once but for the filter.

use crate::clean::{clean, is_silent};
use crate::fast_math::{DB_PER_OCTAVE, exp2, log2};
use crate::math;
use crate::param::{ParamSpec, Unit};
use crate::process::{Io, ProcessSpec, Processor, Settings, Status};
use crate::smooth::{Ramp, hand_frames};

/// Settings of the de-esser.
#[derive(Clone, Debug, PartialEq)]
pub struct DeesserSettings {
    /// Where the sibilance begins, Hz.
    pub frequency_hz: f64,
    /// Ratio of sibilance to the whole that is too much, dB.
    pub threshold_db: f64,
    /// The most that the top is turned down, dB.
    pub range_db: f64,
    /// Attack, 63 %, ms.
    pub attack_ms: f64,
    /// Release, 63 %, ms.
    pub release_ms: f64,
}

impl Default for DeesserSettings {
    fn default() -> Self {
        let defaults: Vec<f64> = Self::PARAMS.iter().map(|param| param.default).collect();
        Self::from_plain(&defaults)
    }
}

const FREQUENCY: usize = 0;
const THRESHOLD: usize = 1;
const RANGE: usize = 2;
const ATTACK: usize = 3;
const RELEASE: usize = 4;
/// Centre of the shelf re the frequency: half an octave lower, so that the reduction is there where it is heard.
const SHELF: f64 = std::f64::consts::FRAC_1_SQRT_2;
/// Time of both powers.
const POWER_SECONDS: f64 = 0.005;
/// What the whole power is taken to be at least, −80 dBFS.
const FLOOR_POWER: f64 = 1e-8;
/// Reductions below this are none.
const NO_REDUCTION_DB: f64 = 1e-7;
/// Memory below this is forgotten.
const FLOOR: f64 = 1e-15;

impl Settings for DeesserSettings {
    const ID: &'static str = "deesser";
    const LABEL: &'static str = "De-esser";
    #[rustfmt::skip]
    const PARAMS: &'static [ParamSpec] = &[
        ParamSpec::number("frequency_hz", "Frequency", Unit::Hz, (2000.0, 12_000.0), 5500.0,
            "Where the sibilance begins").log(),
        ParamSpec::number("threshold_db", "Threshold", Unit::Db, (-30.0, 0.0), -10.0,
            "Level of the sibilance re the whole voice that is too much"),
        ParamSpec::number("range_db", "Range", Unit::Db, (0.0, 6.0), 4.0,
            "The most that the top is turned down").scaled(),
        ParamSpec::number("attack_ms", "Attack", Unit::Ms, (0.1, 50.0), 1.0,
            "Time to 63 % of a new reduction").log(),
        ParamSpec::number("release_ms", "Release", Unit::Ms, (5.0, 500.0), 60.0,
            "Time to 63 % of the way back").log(),
    ];

    fn from_plain(values: &[f64]) -> Self {
        let at = |index: usize| values.get(index).copied().unwrap_or(Self::PARAMS[index].default);
        Self {
            frequency_hz: at(FREQUENCY),
            threshold_db: at(THRESHOLD),
            range_db: at(RANGE),
            attack_ms: at(ATTACK),
            release_ms: at(RELEASE),
        }
    }

    fn to_plain(&self) -> Vec<f64> {
        vec![self.frequency_hz, self.threshold_db, self.range_db, self.attack_ms, self.release_ms]
    }

    fn build(&self, spec: &ProcessSpec) -> Box<dyn Processor> {
        Box::new(Deesser::new(self, spec))
    }
}

/// States of one channel: two high-passes of the detector, one shelf.
type States = [[f64; 2]; 3];

struct Deesser {
    rate_hz: f64,
    hand_frames: usize,
    values: [f64; 5],
    log_hz: Ramp,
    threshold_db: Ramp,
    range_db: Ramp,
    /// tan(πf/fs).
    g: f64,
    keep: f64,
    attack: f64,
    release: f64,
    states: [States; 2],
    /// Sibilance and whole.
    powers: [f64; 2],
    held_db: f64,
    reduction_db: f64,
    quiet: usize,
    deepest_db: f32,
    fresh: bool,
    cleaned: u64,
}

fn pole(seconds: f64, rate_hz: f64) -> f64 {
    math::exp(-1.0 / (seconds * rate_hz))
}

impl Deesser {
    fn new(settings: &DeesserSettings, spec: &ProcessSpec) -> Self {
        let mut values = [0.0; 5];
        values.copy_from_slice(&settings.to_plain());
        let rate_hz = spec.sample_rate.hz();
        let mut deesser = Self {
            rate_hz,
            hand_frames: hand_frames(spec.sample_rate),
            values,
            log_hz: Ramp::new(math::ln(settings.frequency_hz)),
            threshold_db: Ramp::new(settings.threshold_db),
            range_db: Ramp::new(settings.range_db),
            g: 0.0,
            keep: pole(POWER_SECONDS, rate_hz),
            attack: 0.0,
            release: 0.0,
            states: [[[0.0; 2]; 3]; 2],
            powers: [0.0; 2],
            held_db: 0.0,
            reduction_db: 0.0,
            quiet: usize::MAX,
            deepest_db: 0.0,
            fresh: true,
            cleaned: 0,
        };
        deesser.set_times();
        deesser.g = deesser.design();
        deesser
    }

    fn set_times(&mut self) {
        self.attack = pole(self.values[ATTACK] / 1e3, self.rate_hz);
        self.release = pole(self.values[RELEASE] / 1e3, self.rate_hz);
    }

    fn design(&self) -> f64 {
        let hz = math::exp(self.log_hz.value()).min(0.45 * self.rate_hz);
        math::tan(math::PI * hz / self.rate_hz)
    }

    /// Hears one frame; the reduction for it in dB.
    #[inline(always)]
    fn listen(&mut self, frame: [f64; 2]) -> f64 {
        if self.log_hz.is_moving() {
            self.log_hz.advance(1);
            self.g = self.design();
        }
        let a1 = 1.0 / (1.0 + self.g * (self.g + math::SQRT_2));
        let (mut top, mut whole) = (0.0, 0.0);
        for (x, [first, second, _]) in frame.into_iter().zip(&mut self.states) {
            let once = high_pass(first, x, self.g, a1);
            let twice = high_pass(second, once, self.g, a1);
            top += twice * twice;
            whole += x * x;
        }
        for (power, now) in self.powers.iter_mut().zip([top, whole]) {
            *power = now + self.keep * (*power - now);
            *power = if *power < FLOOR * FLOOR { 0.0 } else { *power };
        }
        let ratio = (self.powers[0] / (self.powers[1] + FLOOR_POWER)).max(1e-10);
        let ratio_db = 0.5 * f64::from(DB_PER_OCTAVE * log2(ratio as f32));
        let (threshold_db, range_db) = (self.threshold_db.next_frame(), self.range_db.next_frame());
        let wanted = (ratio_db - threshold_db).clamp(0.0, range_db);
        self.held_db = wanted.max(wanted + self.release * (self.held_db - wanted));
        self.reduction_db = self.held_db + self.attack * (self.reduction_db - self.held_db);
        if self.held_db < NO_REDUCTION_DB && self.reduction_db < NO_REDUCTION_DB {
            (self.held_db, self.reduction_db) = (0.0, 0.0);
        }
        self.reduction_db
    }

    /// Forgets memory too faint to matter.
    fn rest(&mut self) {
        for state in self.states.iter_mut().flatten().flatten() {
            *state = if state.abs() < FLOOR { 0.0 } else { *state };
        }
    }
}

#[inline(always)]
fn high_pass(state: &mut [f64; 2], x: f64, g: f64, a1: f64) -> f64 {
    let (v1, v2) = step(state, x, g, a1);
    x - math::SQRT_2 * v1 - v2
}

/// Band and low of one frame.
#[inline(always)]
fn step(state: &mut [f64; 2], x: f64, g: f64, a1: f64) -> (f64, f64) {
    let v3 = x - state[1];
    let v1 = a1 * (state[0] + g * v3);
    let v2 = state[1] + g * v1;
    *state = [2.0 * v1 - state[0], 2.0 * v2 - state[1]];
    (v1, v2)
}

/// High shelf of −`reduction_db` at tan(πf/fs) = `g`, of one frame; `root` is 10^(−reduction/40).
#[inline(always)]
fn shelve(state: &mut [f64; 2], x: f64, g: f64, root: f64) -> f64 {
    let (g, k) = (g * root.sqrt(), math::SQRT_2);
    let (v1, v2) = step(state, x, g, 1.0 / (1.0 + g * (g + k)));
    root * root * x + k * (1.0 - root) * root * v1 + (1.0 - root * root) * v2
}

impl Processor for Deesser {
    fn latency_frames(&self) -> usize {
        0
    }

    fn tail_frames(&self) -> usize {
        // The shelf's memory falls by 300 dB: 35 of its time constants, the shelf at its lowest.
        (35.0 * self.rate_hz * math::SQRT_2 / (math::TAU * SHELF * 2000.0 / math::SQRT_2)) as usize
            + 64
    }

    fn set(&mut self, param: usize, value: f64, ramp_frames: usize) {
        let Some(stored) = self.values.get_mut(param) else { return };
        *stored = value;
        let hand = if self.fresh { 0 } else { self.hand_frames };
        match param {
            FREQUENCY => {
                self.log_hz.go(math::ln(value), ramp_frames, hand);
                self.g = self.design();
            }
            THRESHOLD => self.threshold_db.go(value, ramp_frames, hand),
            RANGE => self.range_db.go(value, ramp_frames, hand),
            _ => self.set_times(),
        }
    }

    fn process(&mut self, io: &mut Io<'_>) -> Status {
        let frames = io.frames();
        self.fresh &= frames == 0;
        let (left, mut right) = io.split_mut();
        self.cleaned += clean(left) + right.as_deref_mut().map_or(0, clean);
        for n in 0..frames {
            let frame =
                [f64::from(left[n]), right.as_deref().map_or(0.0, |right| f64::from(right[n]))];
            let reduction_db = self.listen(frame) as f32;
            self.deepest_db = self.deepest_db.min(-reduction_db);
            let root = f64::from(exp2(reduction_db * (-0.5 / DB_PER_OCTAVE)));
            let shelved =
                [0, 1].map(|c| shelve(&mut self.states[c][2], frame[c], SHELF * self.g, root));
            let sound = frame.iter().any(|x| *x != 0.0);
            self.quiet = if sound { 0 } else { self.quiet.saturating_add(1) };
            if self.quiet >= 64 {
                self.rest();
            }
            if root < 1.0 {
                left[n] = shelved[0] as f32;
                if let Some(right) = right.as_deref_mut() {
                    right[n] = shelved[1] as f32;
                }
            }
        }
        let silent = is_silent(left) && right.is_none_or(|right| is_silent(right));
        if silent { Status::Silent } else { Status::Filled }
    }

    fn reset(&mut self) {
        for ramp in [&mut self.log_hz, &mut self.threshold_db, &mut self.range_db] {
            ramp.settle();
        }
        self.set_times();
        self.g = self.design();
        self.states = [[[0.0; 2]; 3]; 2];
        (self.powers, self.held_db, self.reduction_db) = ([0.0; 2], 0.0, 0.0);
        (self.quiet, self.deepest_db) = (usize::MAX, 0.0);
        (self.fresh, self.cleaned) = (true, 0);
    }

    fn take_gain_reduction_db(&mut self) -> Option<f32> {
        Some(std::mem::take(&mut self.deepest_db))
    }

    fn cleaned_samples(&self) -> u64 {
        self.cleaned
    }
}
