//! Ducker: turns down by a fixed range while a key is loud.
//!
//! **Formula.** [`Opening`](crate::opening::Opening) decides on the key's louder channel: it ducks at the
//! threshold and comes back after the key has stayed 3 dB below it for the hold time. The gain is −range·s dB,
//! s = p²(3 − 2p), p going from 0 to 1 in the attack time and back in the release time: both are the whole way.
//! Without a key, and while the key is quiet, no bit changes.
//!
//! **Threshold.** `threshold_rel_db` is relative to the key's drive (`drive_lufs`); with a drive of 0 it is plain
//! dBFS. Both channels get one gain. No latency, no tail.

use crate::clean::{clean, is_silent};
use crate::fast_math::{DB_PER_OCTAVE, exp2};
use crate::opening::Opening;
use crate::param::{ParamSpec, Unit};
use crate::process::{Io, ProcessSpec, Processor, Settings, Status};
use crate::ring::PIECE;
use crate::sidechain::Sidechain;
use crate::smooth::{Ramp, hand_frames};

/// Settings of the ducker.
#[derive(Clone, Debug, PartialEq)]
pub struct DuckerSettings {
    /// Threshold in dB relative to the drive.
    pub threshold_rel_db: f64,
    /// Loudness of the key that the threshold was solved for, LUFS; 0 makes the threshold plain dBFS.
    pub drive_lufs: f64,
    /// How far it turns down, dB.
    pub range_db: f64,
    /// From open to ducked, ms.
    pub attack_ms: f64,
    /// How long the key has to be quiet before it comes back, ms.
    pub hold_ms: f64,
    /// From ducked to open, ms.
    pub release_ms: f64,
}

impl Default for DuckerSettings {
    fn default() -> Self {
        let defaults: Vec<f64> = Self::PARAMS.iter().map(|param| param.default).collect();
        Self::from_plain(&defaults)
    }
}

const THRESHOLD: usize = 0;
const DRIVE: usize = 1;
const RANGE: usize = 2;
const ATTACK: usize = 3;
const HOLD: usize = 4;
const RELEASE: usize = 5;
const HYSTERESIS_DB: f64 = 3.0;

impl Settings for DuckerSettings {
    const ID: &'static str = "ducker";
    const LABEL: &'static str = "Ducker";
    const TAKES_KEY: bool = true;
    #[rustfmt::skip]
    const PARAMS: &'static [ParamSpec] = &[
        ParamSpec::number("threshold_rel_db", "Threshold", Unit::Db, (-80.0, 40.0), -30.0,
            "Level of the key that ducks, relative to the drive"),
        ParamSpec::number("drive_lufs", "Drive", Unit::Lufs, (-80.0, 20.0), 0.0,
            "Loudness of the key that the threshold was solved for; 0: the threshold is plain dBFS"),
        ParamSpec::number("range_db", "Range", Unit::Db, (0.0, 40.0), 4.0,
            "How far it turns down").scaled(),
        ParamSpec::number("attack_ms", "Attack", Unit::Ms, (1.0, 500.0), 40.0,
            "From open to ducked").log(),
        ParamSpec::number("hold_ms", "Hold", Unit::Ms, (10.0, 2000.0), 150.0,
            "How long the key has to be quiet before it comes back").log(),
        ParamSpec::number("release_ms", "Release", Unit::Ms, (10.0, 5000.0), 400.0,
            "From ducked to open").log(),
    ];

    fn from_plain(values: &[f64]) -> Self {
        let at = |index: usize| values.get(index).copied().unwrap_or(Self::PARAMS[index].default);
        Self {
            threshold_rel_db: at(THRESHOLD),
            drive_lufs: at(DRIVE),
            range_db: at(RANGE),
            attack_ms: at(ATTACK),
            hold_ms: at(HOLD),
            release_ms: at(RELEASE),
        }
    }

    fn to_plain(&self) -> Vec<f64> {
        vec![
            self.threshold_rel_db,
            self.drive_lufs,
            self.range_db,
            self.attack_ms,
            self.hold_ms,
            self.release_ms,
        ]
    }

    fn build(&self, spec: &ProcessSpec) -> Box<dyn Processor> {
        Box::new(Ducker::new(self, spec))
    }
}

struct Ducker {
    hand_frames: usize,
    values: [f64; 6],
    sidechain: Sidechain,
    opening: Opening,
    range_db: Ramp,
    deepest_db: f32,
    fresh: bool,
    cleaned: u64,
}

impl Ducker {
    fn new(settings: &DuckerSettings, spec: &ProcessSpec) -> Self {
        let mut values = [0.0; 6];
        values.copy_from_slice(&settings.to_plain());
        let rate_hz = spec.sample_rate.hz();
        let threshold_db = settings.drive_lufs + settings.threshold_rel_db;
        let mut ducker = Self {
            hand_frames: hand_frames(spec.sample_rate),
            values,
            sidechain: Sidechain::new(rate_hz, 0.0, false),
            opening: Opening::new(rate_hz, threshold_db, HYSTERESIS_DB),
            range_db: Ramp::new(settings.range_db),
            deepest_db: 0.0,
            fresh: true,
            cleaned: 0,
        };
        ducker.set_times();
        ducker
    }

    fn set_times(&mut self) {
        self.opening.set_times(self.values[ATTACK], self.values[HOLD], self.values[RELEASE]);
    }
}

impl Processor for Ducker {
    fn latency_frames(&self) -> usize {
        0
    }

    fn tail_frames(&self) -> usize {
        0
    }

    fn set(&mut self, param: usize, value: f64, ramp_frames: usize) {
        let Some(stored) = self.values.get_mut(param) else { return };
        *stored = value;
        let hand = if self.fresh { 0 } else { self.hand_frames };
        match param {
            THRESHOLD | DRIVE => {
                let threshold_db = self.values[THRESHOLD] + self.values[DRIVE];
                self.opening.set_threshold(threshold_db, ramp_frames, hand);
            }
            RANGE => self.range_db.go(value, ramp_frames, hand),
            _ => self.set_times(),
        }
    }

    fn process(&mut self, io: &mut Io<'_>) -> Status {
        let frames = io.frames();
        self.fresh &= frames == 0;
        let (left, mut right, key_left, key_right) = io.with_key();
        self.cleaned += clean(left) + right.as_deref_mut().map_or(0, clean);
        let mut widths = [0.0; PIECE];
        for start in (0..frames).step_by(PIECE) {
            let range = start..frames.min(start + PIECE);
            let widths = &mut widths[..range.len()];
            widths.fill(0.0);
            if let Some(key) = key_left {
                let key_right = key_right.map(|right| &right[range.clone()]);
                self.sidechain.levels(&key[range.clone()], key_right, widths);
            }
            let open = self.opening.widths(widths, 0.0);
            for width in widths.iter_mut() {
                let reduction_db = self.range_db.next_frame() as f32 * *width;
                self.deepest_db = self.deepest_db.min(-reduction_db);
                *width = exp2(-reduction_db / DB_PER_OCTAVE);
            }
            for samples in [Some(&mut *left), right.as_deref_mut()].into_iter().flatten() {
                if !open {
                    let pairs = samples[range.clone()].iter_mut().zip(&*widths);
                    pairs.for_each(|(x, gain)| *x *= gain);
                }
            }
        }
        let silent = is_silent(left) && right.is_none_or(|right| is_silent(right));
        if silent { Status::Silent } else { Status::Filled }
    }

    fn reset(&mut self) {
        self.range_db.settle();
        self.opening.reset();
        self.set_times();
        self.sidechain.reset();
        (self.deepest_db, self.fresh, self.cleaned) = (0.0, true, 0);
    }

    fn take_gain_reduction_db(&mut self) -> Option<f32> {
        Some(std::mem::take(&mut self.deepest_db))
    }

    fn cleaned_samples(&self) -> u64 {
        self.cleaned
    }
}
