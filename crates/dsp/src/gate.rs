//! Gate: turns down what is below a threshold, by a fixed range.
//!
//! **Formula.** [`Opening`](crate::opening::Opening) decides on the louder channel's amplitude (or the key's):
//! it opens at the threshold, closes after the level has stayed below threshold − hysteresis for the hold time.
//! The gain is −range·(1 − s) dB, s = p²(3 − 2p), p going from 0 to 1 in the attack time and back in the release
//! time: both are the whole way. Open, the gain is exactly one.
//!
//! **Threshold.** `threshold_rel_db` is relative to the drive the setting was made for (`drive_lufs`); with a
//! drive of 0 it is plain dBFS. **Look-ahead** delays the sound, not the decision, so that the gate is open when
//! a hit arrives; it is the latency. Both channels get one gain. Ranges stop at 60 dB: a real drum between two
//! hits is not digital silence.

use crate::clean::clean;
use crate::fast_math::{DB_PER_OCTAVE, exp2};
use crate::opening::Opening;
use crate::param::{ParamSpec, Unit};
use crate::process::{Io, ProcessSpec, Processor, Settings, Status};
use crate::reverb::quiet_after;
use crate::ring::{PIECE, Ring};
use crate::sidechain::Sidechain;
use crate::smooth::{Ramp, hand_frames};

/// Settings of the gate.
#[derive(Clone, Debug, PartialEq)]
pub struct GateSettings {
    /// Threshold in dB relative to the drive.
    pub threshold_rel_db: f64,
    /// Loudness that the threshold was solved for, LUFS; 0 makes the threshold plain dBFS.
    pub drive_lufs: f64,
    /// How far below the threshold it closes, dB.
    pub hysteresis_db: f64,
    /// How long the level has to be below before it closes, ms.
    pub hold_ms: f64,
    /// How far the closed gate turns down, dB.
    pub range_db: f64,
    /// From closed to open, ms.
    pub attack_ms: f64,
    /// From open to closed, ms.
    pub release_ms: f64,
    /// How long before the sound the gate opens, ms.
    pub lookahead_ms: f64,
}

impl Default for GateSettings {
    fn default() -> Self {
        let defaults: Vec<f64> = Self::PARAMS.iter().map(|param| param.default).collect();
        Self::from_plain(&defaults)
    }
}

const THRESHOLD: usize = 0;
const DRIVE: usize = 1;
const HYSTERESIS: usize = 2;
const HOLD: usize = 3;
const RANGE: usize = 4;
const ATTACK: usize = 5;
const RELEASE: usize = 6;
const LOOKAHEAD: usize = 7;

impl Settings for GateSettings {
    const ID: &'static str = "gate";
    const LABEL: &'static str = "Gate";
    const TAKES_KEY: bool = true;
    #[rustfmt::skip]
    const PARAMS: &'static [ParamSpec] = &[
        ParamSpec::number("threshold_rel_db", "Threshold", Unit::Db, (-80.0, 40.0), -40.0,
            "Level that opens the gate, relative to the drive"),
        ParamSpec::number("drive_lufs", "Drive", Unit::Lufs, (-80.0, 20.0), 0.0,
            "Loudness at the input that the threshold was solved for; 0: the threshold is plain dBFS"),
        ParamSpec::number("hysteresis_db", "Hysteresis", Unit::Db, (0.0, 20.0), 6.0,
            "How far below the threshold the gate closes"),
        ParamSpec::number("hold_ms", "Hold", Unit::Ms, (10.0, 1000.0), 40.0,
            "How long the level has to be below before the gate closes").log(),
        ParamSpec::number("range_db", "Range", Unit::Db, (0.0, 60.0), 20.0,
            "How far the closed gate turns down").scaled(),
        ParamSpec::number("attack_ms", "Attack", Unit::Ms, (0.1, 100.0), 1.0,
            "From closed to open").log(),
        ParamSpec::number("release_ms", "Release", Unit::Ms, (5.0, 2000.0), 120.0,
            "From open to closed").log(),
        ParamSpec::number("lookahead_ms", "Look-ahead", Unit::Ms, (0.0, 10.0), 2.0,
            "How long before the sound the gate opens; this is the latency").rebuilding(),
    ];

    fn from_plain(values: &[f64]) -> Self {
        let at = |index: usize| values.get(index).copied().unwrap_or(Self::PARAMS[index].default);
        Self {
            threshold_rel_db: at(THRESHOLD),
            drive_lufs: at(DRIVE),
            hysteresis_db: at(HYSTERESIS),
            hold_ms: at(HOLD),
            range_db: at(RANGE),
            attack_ms: at(ATTACK),
            release_ms: at(RELEASE),
            lookahead_ms: at(LOOKAHEAD),
        }
    }

    fn to_plain(&self) -> Vec<f64> {
        vec![
            self.threshold_rel_db,
            self.drive_lufs,
            self.hysteresis_db,
            self.hold_ms,
            self.range_db,
            self.attack_ms,
            self.release_ms,
            self.lookahead_ms,
        ]
    }

    fn build(&self, spec: &ProcessSpec) -> Box<dyn Processor> {
        Box::new(Gate::new(self, spec))
    }
}

struct Gate {
    hand_frames: usize,
    values: [f64; 8],
    sidechain: Sidechain,
    opening: Opening,
    range_db: Ramp,
    latency: usize,
    lines: Vec<Ring>,
    quiet: usize,
    deepest_db: f32,
    fresh: bool,
    cleaned: u64,
}

impl Gate {
    fn new(settings: &GateSettings, spec: &ProcessSpec) -> Self {
        let mut values = [0.0; 8];
        values.copy_from_slice(&settings.to_plain());
        let rate_hz = spec.sample_rate.hz();
        let latency = (settings.lookahead_ms * rate_hz / 1e3).round() as usize;
        let threshold_db = settings.drive_lufs + settings.threshold_rel_db;
        let mut gate = Self {
            hand_frames: hand_frames(spec.sample_rate),
            values,
            sidechain: Sidechain::new(rate_hz, 0.0, false),
            opening: Opening::new(rate_hz, threshold_db, settings.hysteresis_db),
            range_db: Ramp::new(settings.range_db),
            latency,
            lines: (0..spec.channels).map(|_| Ring::new(latency)).collect(),
            quiet: usize::MAX,
            deepest_db: 0.0,
            fresh: true,
            cleaned: 0,
        };
        gate.set_times();
        gate
    }

    fn set_times(&mut self) {
        self.opening.set_times(self.values[ATTACK], self.values[HOLD], self.values[RELEASE]);
    }

    fn delay(&mut self, channel: usize, samples: &mut [f32]) {
        if self.latency > 0 {
            self.lines[channel].write(samples);
            self.lines[channel].after(self.latency, samples);
        }
    }

    /// Widths to gains, in place.
    fn gains(&mut self, widths: &mut [f32]) {
        for width in widths {
            let reduction_db = self.range_db.next_frame() as f32 * (1.0 - *width);
            self.deepest_db = self.deepest_db.min(-reduction_db);
            *width = exp2(-reduction_db / DB_PER_OCTAVE);
        }
    }
}

impl Processor for Gate {
    fn latency_frames(&self) -> usize {
        self.latency
    }

    fn tail_frames(&self) -> usize {
        self.latency
    }

    fn set(&mut self, param: usize, value: f64, ramp_frames: usize) {
        if param == LOOKAHEAD {
            return;
        }
        let Some(stored) = self.values.get_mut(param) else { return };
        *stored = value;
        let hand = if self.fresh { 0 } else { self.hand_frames };
        match param {
            THRESHOLD | DRIVE => {
                let threshold_db = self.values[THRESHOLD] + self.values[DRIVE];
                self.opening.set_threshold(threshold_db, ramp_frames, hand);
            }
            HYSTERESIS => self.opening.set_hysteresis(value, ramp_frames, hand),
            RANGE => self.range_db.go(value, ramp_frames, hand),
            _ => self.set_times(),
        }
    }

    fn process(&mut self, io: &mut Io<'_>) -> Status {
        let frames = io.frames();
        self.fresh &= frames == 0;
        let (left, mut right, key_left, key_right) = io.with_key();
        self.cleaned += clean(left) + right.as_deref_mut().map_or(0, clean);
        let before = self.quiet;
        self.quiet = quiet_after(before, left, right.as_deref());
        let silent = self.quiet >= frames && before >= self.latency;
        let mut widths = [0.0; PIECE];
        for start in (0..frames).step_by(PIECE) {
            let end = frames.min(start + PIECE);
            let widths = &mut widths[..end - start];
            let heard_left = key_left.unwrap_or(left);
            let heard_right = if key_left.is_some() { key_right } else { right.as_deref() };
            let heard_right = heard_right.map(|right| &right[start..end]);
            self.sidechain.levels(&heard_left[start..end], heard_right, widths);
            let open = self.opening.widths(widths, 1.0);
            self.gains(widths);
            let both = [Some(&mut *left), right.as_deref_mut()];
            for (channel, samples) in both.into_iter().flatten().enumerate() {
                let samples = &mut samples[start..end];
                self.delay(channel, samples);
                if !open {
                    samples.iter_mut().zip(&*widths).for_each(|(x, gain)| *x *= gain);
                }
            }
        }
        if silent { Status::Silent } else { Status::Filled }
    }

    fn reset(&mut self) {
        self.range_db.settle();
        self.opening.reset();
        self.set_times();
        self.sidechain.reset();
        self.lines.iter_mut().for_each(Ring::clear);
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
