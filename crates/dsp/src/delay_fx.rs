//! Delay: echoes with feedback, straight or from side to side.
//!
//! **Formula.** The line hears `x + feedback·e`, e being the echo: the line's sound `time_ms` ago through a low
//! cut and a high cut (12 dB per octave each), so that every repeat is thinner than the one before. In ping-pong
//! both inputs enter on the left as (L + R)/√2 and each echo returns on the other side. Output: dry and echo by
//! `mix_percent`. Musical time is the caller's: it asks for milliseconds.
//!
//! **Moves.** A new time is a cross-fade along half a cosine from the old place to the new one (20 ms by hand, as
//! long as the ramp by automation): no click and no change of pitch. Everything else moves frame by frame.
//!
//! **Stability.** Neither cut is above 0 dB, feedback is at most 90 %, both routings are orthogonal or less.
//! **Silence.** After as many repeats as take 140 dB all memory is cleared. Time is a whole number of frames. No
//! latency.

use crate::clean::clean;
use crate::cuts::Cuts;
use crate::math;
use crate::param::{ParamSpec, Unit};
use crate::process::{Io, ProcessSpec, Processor, Settings, Status};
use crate::reverb::{blend, quiet_after};
use crate::ring::{PIECE, Ring, Tap};
use crate::smooth::{Ramp, hand_frames};

/// Settings of the delay.
#[derive(Clone, Debug, PartialEq)]
pub struct DelaySettings {
    /// Time from repeat to repeat, ms.
    pub time_ms: f64,
    /// Level of a repeat, in percent of the one before.
    pub feedback_percent: f64,
    /// Whether repeats go from side to side.
    pub ping_pong: bool,
    /// Low cut of each repeat, Hz.
    pub low_cut_hz: f64,
    /// High cut of each repeat, Hz.
    pub high_cut_hz: f64,
    /// Share of the echoes in percent, the rest is dry.
    pub mix_percent: f64,
}

impl Default for DelaySettings {
    fn default() -> Self {
        let defaults: Vec<f64> = Self::PARAMS.iter().map(|param| param.default).collect();
        Self::from_plain(&defaults)
    }
}

const TIME: usize = 0;
const FEEDBACK: usize = 1;
const PING_PONG: usize = 2;
const LOW_CUT: usize = 3;
const HIGH_CUT: usize = 4;
const MIX: usize = 5;
const MAX_MS: f64 = 2000.0;
/// Decay after which all memory is cleared.
const TAIL_DB: f64 = 140.0;

impl Settings for DelaySettings {
    const ID: &'static str = "delay";
    const LABEL: &'static str = "Delay";
    #[rustfmt::skip]
    const PARAMS: &'static [ParamSpec] = &[
        ParamSpec::number("time_ms", "Time", Unit::Ms, (5.0, MAX_MS), 375.0,
            "Time from repeat to repeat").log(),
        ParamSpec::number("feedback_percent", "Feedback", Unit::Percent, (0.0, 90.0), 30.0,
            "Level of a repeat, of the one before"),
        ParamSpec::switch("ping_pong", "Ping-pong", false, "Repeats go from side to side"),
        ParamSpec::number("low_cut_hz", "Low cut", Unit::Hz, (20.0, 1000.0), 150.0,
            "Each repeat has only what is above").log(),
        ParamSpec::number("high_cut_hz", "High cut", Unit::Hz, (1000.0, 20_000.0), 6000.0,
            "Each repeat has only what is below").log(),
        ParamSpec::number("mix_percent", "Mix", Unit::Percent, (0.0, 100.0), 100.0,
            "Share of the echoes, the rest is dry; 100 on a return").scaled(),
    ];

    fn from_plain(values: &[f64]) -> Self {
        let at = |index: usize| values.get(index).copied().unwrap_or(Self::PARAMS[index].default);
        Self {
            time_ms: at(TIME),
            feedback_percent: at(FEEDBACK),
            ping_pong: at(PING_PONG) != 0.0,
            low_cut_hz: at(LOW_CUT),
            high_cut_hz: at(HIGH_CUT),
            mix_percent: at(MIX),
        }
    }

    fn to_plain(&self) -> Vec<f64> {
        vec![
            self.time_ms,
            self.feedback_percent,
            f64::from(u8::from(self.ping_pong)),
            self.low_cut_hz,
            self.high_cut_hz,
            self.mix_percent,
        ]
    }

    fn build(&self, spec: &ProcessSpec) -> Box<dyn Processor> {
        Box::new(Delay::new(self, spec))
    }
}

struct Delay {
    rate_hz: f64,
    hand_frames: usize,
    values: [f64; 6],
    lines: Vec<Ring>,
    tap: Tap,
    feedback: Ramp,
    /// 0 is straight, 1 from side to side.
    cross: Ramp,
    cuts: Cuts,
    mix: Ramp,
    position: usize,
    /// Frames since the last sound came in.
    quiet: usize,
    /// All memory is silent.
    asleep: bool,
    fresh: bool,
    cleaned: u64,
}

impl Delay {
    fn new(settings: &DelaySettings, spec: &ProcessSpec) -> Self {
        let mut values = [0.0; 6];
        values.copy_from_slice(&settings.to_plain());
        let rate_hz = spec.sample_rate.hz();
        let longest = frames_of(MAX_MS, rate_hz);
        Self {
            rate_hz,
            hand_frames: hand_frames(spec.sample_rate),
            values,
            lines: (0..spec.channels).map(|_| Ring::new(longest)).collect(),
            tap: Tap::new(frames_of(settings.time_ms, rate_hz)),
            feedback: Ramp::new(settings.feedback_percent / 100.0),
            cross: Ramp::new(values[PING_PONG]),
            cuts: Cuts::new(rate_hz, settings.low_cut_hz, settings.high_cut_hz),
            mix: Ramp::new(settings.mix_percent / 100.0),
            position: 0,
            quiet: 0,
            asleep: true,
            fresh: true,
            cleaned: 0,
        }
    }

    /// One piece: the echoes of `sound`, in its place.
    fn run(&mut self, sound: &mut [[f32; PIECE]; 2], frames: usize) {
        let channels = self.lines.len();
        let mut echo = [[0.0; PIECE]; 2];
        self.tap.before(&self.lines, &mut echo, frames);
        self.cuts.process(&mut echo[..channels], frames);
        for n in 0..frames {
            let feedback = self.feedback.next_frame() as f32;
            let cross = self.cross.next_frame() as f32;
            let straight = 1.0 - cross;
            let [x, y] = [sound[0][n], sound[1][n]];
            let [l, r] = [echo[0][n], echo[1][n]];
            if channels == 1 {
                sound[0][n] = x + feedback * l;
                continue;
            }
            let both = cross * std::f32::consts::FRAC_1_SQRT_2 * (x + y);
            sound[0][n] = straight * x + both + feedback * (straight * l + cross * r);
            sound[1][n] = straight * y + feedback * (straight * r + cross * l);
        }
        for (line, fed) in self.lines.iter_mut().zip(sound.iter()) {
            line.feed(&fed[..frames]);
        }
        *sound = echo;
    }

    /// With silent memory and silent input only the settings go on.
    fn sleep(&mut self, frames: usize) {
        self.tap.advance(frames);
        self.cuts.advance(frames);
        for ramp in [&mut self.feedback, &mut self.cross, &mut self.mix] {
            ramp.advance(frames);
        }
    }

    /// Passes `frames` frames on the grid.
    fn pass(&mut self, frames: usize) {
        self.position += frames;
        if self.position == PIECE {
            self.position = 0;
            self.cuts.rest();
            if !self.asleep && self.quiet + PIECE >= self.tail_frames() {
                self.forget();
            }
        }
    }

    fn forget(&mut self) {
        self.lines.iter_mut().for_each(Ring::clear);
        self.cuts.clear();
        self.asleep = true;
    }
}

fn frames_of(ms: f64, rate_hz: f64) -> usize {
    (ms * rate_hz / 1e3).round() as usize
}

impl Processor for Delay {
    fn latency_frames(&self) -> usize {
        0
    }

    fn tail_frames(&self) -> usize {
        let feedback = (self.values[FEEDBACK] / 100.0).max(1e-7);
        let repeats = 1.0 + (TAIL_DB / (-20.0 * math::log10(feedback))).ceil();
        // Half a second for the low cut to die away.
        (repeats * self.tap.longest() as f64 + 0.5 * self.rate_hz) as usize + 2 * PIECE
    }

    fn set(&mut self, param: usize, value: f64, ramp_frames: usize) {
        let Some(stored) = self.values.get_mut(param) else { return };
        *stored = value;
        let hand = if self.fresh { 0 } else { self.hand_frames };
        match param {
            TIME => self.tap.go(frames_of(value, self.rate_hz), ramp_frames.max(hand)),
            FEEDBACK => self.feedback.go(value / 100.0, ramp_frames, hand),
            PING_PONG => self.cross.go(value, 0, hand),
            LOW_CUT => self.cuts.set_low(value, ramp_frames, hand),
            HIGH_CUT => self.cuts.set_high(value, ramp_frames, hand),
            _ => self.mix.go(value / 100.0, ramp_frames, hand),
        }
        if param == TIME || param == FEEDBACK {
            self.quiet = 0;
        }
    }

    fn process(&mut self, io: &mut Io<'_>) -> Status {
        let frames = io.frames();
        self.fresh &= frames == 0;
        let (left, mut right) = io.split_mut();
        self.cleaned += clean(left) + right.as_deref_mut().map_or(0, clean);
        let (mut start, mut silent) = (0, true);
        while start < frames {
            let count = (frames - start).min(PIECE - self.position);
            let left = &mut left[start..start + count];
            let right = right.as_deref_mut().map(|right| &mut right[start..start + count]);
            self.quiet = quiet_after(self.quiet, left, right.as_deref());
            if self.asleep && self.quiet >= count {
                self.sleep(count);
                left.fill(0.0);
                right.into_iter().for_each(|right| right.fill(0.0));
            } else {
                (self.asleep, silent) = (false, false);
                let mut wet = [[0.0; PIECE]; 2];
                wet[0][..count].copy_from_slice(left);
                if let Some(right) = right.as_deref() {
                    wet[1][..count].copy_from_slice(right);
                }
                self.run(&mut wet, count);
                if let Some(right) = right {
                    blend(right, &wet[1], &mut self.mix.clone());
                }
                blend(left, &wet[0], &mut self.mix);
            }
            self.pass(count);
            start += count;
        }
        if silent { Status::Silent } else { Status::Filled }
    }

    fn reset(&mut self) {
        for ramp in [&mut self.feedback, &mut self.cross, &mut self.mix] {
            ramp.settle();
        }
        self.tap.settle();
        self.forget();
        self.cuts.reset();
        (self.position, self.quiet) = (0, 0);
        (self.fresh, self.cleaned) = (true, 0);
    }

    fn cleaned_samples(&self) -> u64 {
        self.cleaned
    }
}
