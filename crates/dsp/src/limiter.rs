//! True-peak limiter with look-ahead.
//!
//! **Promise.** No sample above the ceiling, and nothing between the samples by more than 0.05 dB. What stays
//! below the ceiling comes out delayed and otherwise bit for bit.
//!
//! **Form.** Frame n needs the gain `g[n] = c/p[n]` where the peak `p[n]` of both gaps beside it (the louder
//! channel, [`crate::true_peak`]) is above the ceiling c, and 1 elsewhere. With r = 1 − g:
//! 1. release: `r ← max(r, α·r₋₁)`, α = e^(−1/τfs), so a reduction fades in τ = `release_ms` to 37 %;
//! 2. hold: the maximum of the last 2N − 1 frames;
//! 3. smooth: two moving averages of N frames. Their support is as long as the hold, so every value they
//!    average contains the r of the frame 2N − 2 ago: the gain is never above what that frame needs;
//! 4. the sound waits 2N − 2 frames (`lookahead_ms`) plus the detector's 96.
//!
//! Moving averages of `f64` would drift and never come back to exactly one. r is therefore kept as a whole
//! number of 2⁻³²nds, rounded up: sums are exact, and after the release the gain is exactly 1.
//!
//! Where a reduction is needed at all it aims [`AIM_DB`] below the ceiling: the gain moves between the
//! samples too, and lets the sound between them overshoot by that little.

use crate::clean::{clean, is_silent};
use crate::math;
use crate::param::{ParamSpec, Unit};
use crate::process::{Io, ProcessSpec, Processor, Settings, Status};
use crate::smooth::{GainRamp, Ramp, hand_frames};
use crate::true_peak::{HALF, MARGIN, PeakReader};
use topdown_units::{SampleRate, db_to_gain, gain_to_db};

/// How far below the ceiling a reduction aims.
pub const AIM_DB: f64 = 0.04;
/// Reductions below this are none: −140 dB of change.
const NO_REDUCTION: f64 = 1e-7;
/// Frames worked on at once.
const PIECE: usize = 128;
/// One, in fixed point.
const ONE: f64 = 4_294_967_296.0;

/// Settings of the limiter.
#[derive(Clone, Debug, PartialEq)]
pub struct LimiterSettings {
    /// Gain before limiting in dB.
    pub input_gain_db: f64,
    /// Highest true peak in dBTP.
    pub ceiling_dbtp: f64,
    /// Time in which a reduction fades to 37 %, ms.
    pub release_ms: f64,
    /// How early the gain starts to move, ms. Part of the latency.
    pub lookahead_ms: f64,
}

impl Default for LimiterSettings {
    fn default() -> Self {
        Self { input_gain_db: 0.0, ceiling_dbtp: -1.0, release_ms: 100.0, lookahead_ms: 3.0 }
    }
}

const INPUT_GAIN: usize = 0;
const CEILING: usize = 1;
const RELEASE: usize = 2;

impl Settings for LimiterSettings {
    const ID: &'static str = "limiter";
    const LABEL: &'static str = "Limiter";
    #[rustfmt::skip]
    const PARAMS: &'static [ParamSpec] = &[
        ParamSpec::number("input_gain_db", "Input gain", Unit::Db, (-24.0, 24.0), 0.0,
            "Gain before limiting").scaled(),
        ParamSpec::number("ceiling_dbtp", "Ceiling", Unit::Db, (-20.0, 0.0), -1.0,
            "Highest peak, between the samples too"),
        ParamSpec::number("release_ms", "Release", Unit::Ms, (5.0, 2000.0), 100.0,
            "Time in which a reduction fades to 37 %").log(),
        ParamSpec::number("lookahead_ms", "Look-ahead", Unit::Ms, (0.5, 20.0), 3.0,
            "How early the gain starts to move").rebuilding(),
    ];

    fn from_plain(values: &[f64]) -> Self {
        let at = |index: usize| values.get(index).copied().unwrap_or(Self::PARAMS[index].default);
        Self {
            input_gain_db: at(INPUT_GAIN),
            ceiling_dbtp: at(CEILING),
            release_ms: at(RELEASE),
            lookahead_ms: at(3),
        }
    }

    fn to_plain(&self) -> Vec<f64> {
        vec![self.input_gain_db, self.ceiling_dbtp, self.release_ms, self.lookahead_ms]
    }

    fn build(&self, spec: &ProcessSpec) -> Box<dyn Processor> {
        Box::new(Limiter::new(self, spec))
    }
}

/// Step 1 to 3: reductions in, smoothed gains out, 2N − 2 frames later.
#[derive(Clone, Debug)]
struct Envelope {
    keep: f64,
    released: f64,
    /// (frame, reduction) with falling reductions: the first is the maximum of the hold.
    hold: std::collections::VecDeque<(u64, u64)>,
    hold_frames: u64,
    frame: u64,
    boxes: [MovingSum; 2],
}

#[derive(Clone, Debug)]
struct MovingSum {
    ring: Vec<u64>,
    position: usize,
    sum: u64,
}

impl MovingSum {
    fn push(&mut self, value: u64) -> u64 {
        let oldest = std::mem::replace(&mut self.ring[self.position], value);
        self.sum = self.sum + value - oldest;
        self.position = if self.position + 1 == self.ring.len() { 0 } else { self.position + 1 };
        self.sum
    }
}

impl Envelope {
    fn new(half: usize) -> Self {
        let sum = MovingSum { ring: vec![0; half], position: 0, sum: 0 };
        let hold_frames = 2 * half as u64 - 1;
        Self {
            keep: 0.0,
            released: 0.0,
            hold: std::collections::VecDeque::with_capacity(hold_frames as usize + 1),
            hold_frames,
            frame: 0,
            boxes: [sum.clone(), sum],
        }
    }

    /// Nothing is held and nothing is on its way out.
    fn is_idle(&self) -> bool {
        self.released == 0.0 && self.boxes.iter().all(|sum| sum.sum == 0) && self.held() == 0
    }

    fn held(&self) -> u64 {
        self.hold.front().map_or(0, |(_, reduction)| *reduction)
    }

    /// The reduction that is smoothed out of the past, with `needed` as the newest one.
    fn step(&mut self, needed: f64) -> f64 {
        let released = self.keep * self.released;
        self.released = if released > needed { released } else { needed };
        if self.released < NO_REDUCTION {
            self.released = 0.0;
        }
        let fixed = (self.released * ONE).ceil() as u64;
        while self.hold.back().is_some_and(|(_, smaller)| *smaller <= fixed) {
            self.hold.pop_back();
        }
        self.hold.push_back((self.frame, fixed));
        if self.hold.front().is_some_and(|(frame, _)| frame + self.hold_frames <= self.frame) {
            self.hold.pop_front();
        }
        self.frame += 1;
        let held = self.held();
        let [first, second] = &mut self.boxes;
        let sum = second.push(first.push(held));
        let count = first.ring.len() as f64;
        sum as f64 / (count * count * ONE)
    }

    fn reset(&mut self) {
        self.hold.clear();
        (self.released, self.frame) = (0.0, 0);
        for sum in &mut self.boxes {
            sum.ring.fill(0);
            (sum.position, sum.sum) = (0, 0);
        }
    }
}

/// The last inputs of one channel and the present piece behind them.
#[derive(Clone, Debug)]
struct Line {
    samples: Vec<f32>,
}

struct Limiter {
    rate: SampleRate,
    hand_frames: usize,
    input_gain: GainRamp,
    ceiling_db: Ramp,
    reader: PeakReader,
    lines: Vec<Line>,
    /// Samples of the past in a line.
    past: usize,
    latency: usize,
    /// The reading of the gap before the next frame.
    last_gap: f32,
    envelope: Envelope,
    /// Frames until only silence is inside.
    sounding: usize,
    deepest: f64,
    fresh: bool,
    cleaned: u64,
}

impl Limiter {
    fn new(settings: &LimiterSettings, spec: &ProcessSpec) -> Self {
        let lookahead = settings.lookahead_ms / 1e3 * spec.sample_rate.hz();
        let half = (lookahead / 2.0).round().max(1.0) as usize + 1;
        let latency = HALF + 2 * half - 2;
        let past = latency.max(2 * HALF);
        let mut limiter = Self {
            rate: spec.sample_rate,
            hand_frames: hand_frames(spec.sample_rate),
            input_gain: GainRamp::new(settings.input_gain_db),
            ceiling_db: Ramp::new(settings.ceiling_dbtp),
            reader: PeakReader::new(),
            lines: vec![Line { samples: vec![0.0; past + PIECE] }; spec.channels],
            past,
            latency,
            last_gap: 0.0,
            envelope: Envelope::new(half),
            sounding: 0,
            deepest: 0.0,
            fresh: true,
            cleaned: 0,
        };
        limiter.set_release(settings.release_ms);
        limiter
    }

    fn set_release(&mut self, release_ms: f64) {
        self.envelope.keep = math::exp(-1.0 / (release_ms / 1e3 * self.rate.hz()));
    }

    /// Takes in `samples` behind the past of every line.
    fn take_in(&mut self, left: &[f32], right: Option<&[f32]>) {
        let frames = left.len();
        let channels = std::iter::once(left).chain(right);
        for (line, samples) in self.lines.iter_mut().zip(channels) {
            line.samples[self.past..self.past + frames].copy_from_slice(samples);
        }
        let moving = self.input_gain.is_moving();
        let gain = self.input_gain.value() as f32;
        if !moving && gain == 1.0 {
            return;
        }
        for n in self.past..self.past + frames {
            let gain = if moving { self.input_gain.next_frame() as f32 } else { gain };
            self.lines.iter_mut().for_each(|line| line.samples[n] *= gain);
        }
    }

    /// The peak of the gap behind each of the `frames` frames that are 96 old; zero where it is certainly
    /// below `ceiling`.
    fn read_gaps(&self, gaps: &mut [f32], ceiling: f32) {
        let frames = gaps.len();
        gaps.fill(0.0);
        for line in &self.lines {
            // The gap behind frame t − 96 is seen from t − 191 to t.
            let seen = &line.samples[self.past + 1 - 2 * HALF..self.past + frames];
            let loudest = seen.iter().fold(0.0, |a: f32, b| if b.abs() > a { b.abs() } else { a });
            if loudest * self.reader.long_bound < ceiling {
                continue;
            }
            let mut short = [0.0f32; PIECE];
            let short = &mut short[..frames];
            for (reading, pair) in short.iter_mut().zip(seen[HALF - 1..].windows(2)) {
                *reading = pair[0].abs().max(pair[1].abs());
            }
            self.reader.read_short(seen, short);
            for (n, (gap, reading)) in gaps.iter_mut().zip(short.iter()).enumerate() {
                if *reading >= MARGIN * ceiling {
                    let long = self.reader.read_long(&seen[n..n + 2 * HALF]);
                    *gap = gap.max(long);
                }
            }
        }
    }

    /// Peaks of gaps to gains, in place. Whether any gain differs from one.
    fn gains(&mut self, gaps: &mut [f32]) -> bool {
        let (start, frames) = (self.past - HALF, gaps.len());
        let moving = self.ceiling_db.is_moving();
        let mut ceiling = db_to_gain(self.ceiling_db.value());
        let aim = db_to_gain(-AIM_DB);
        if !moving && self.envelope.is_idle() && self.last_gap == 0.0 {
            let silent = gaps.iter().all(|gap| *gap == 0.0);
            if silent {
                return false;
            }
        }
        for (n, gap) in gaps.iter_mut().enumerate().take(frames) {
            if moving {
                ceiling = db_to_gain(self.ceiling_db.next_frame());
            }
            let mut peak = std::mem::replace(&mut self.last_gap, *gap).max(*gap);
            for line in &self.lines {
                peak = peak.max(line.samples[start + n].abs());
            }
            let peak = f64::from(peak);
            let needed = if peak > ceiling { 1.0 - aim * ceiling / peak } else { 0.0 };
            let reduction = self.envelope.step(needed);
            self.deepest = self.deepest.max(reduction);
            *gap = (1.0 - reduction) as f32;
        }
        true
    }

    fn process_piece(&mut self, left: &mut [f32], right: Option<&mut [f32]>) {
        let frames = left.len();
        self.take_in(left, right.as_deref());
        let mut gaps = [0.0f32; PIECE];
        let gaps = &mut gaps[..frames];
        self.read_gaps(gaps, db_to_gain(self.ceiling_db.lowest()) as f32);
        let limits = self.gains(gaps);
        let channels = std::iter::once(&mut *left).chain(right);
        for (line, samples) in self.lines.iter_mut().zip(channels) {
            let delayed = &line.samples[self.past - self.latency..][..frames];
            samples.copy_from_slice(delayed);
            if limits {
                samples.iter_mut().zip(gaps.iter()).for_each(|(x, gain)| *x *= gain);
            }
            line.samples.copy_within(frames..frames + self.past, 0);
        }
    }
}

impl Processor for Limiter {
    fn latency_frames(&self) -> usize {
        self.latency
    }

    fn tail_frames(&self) -> usize {
        self.latency
    }

    fn set(&mut self, param: usize, value: f64, ramp_frames: usize) {
        let hand = if self.fresh { 0 } else { self.hand_frames };
        match param {
            INPUT_GAIN => self.input_gain.go(value, ramp_frames, hand),
            CEILING => self.ceiling_db.go(value, ramp_frames, hand),
            RELEASE => self.set_release(value),
            _ => {}
        }
    }

    fn process(&mut self, io: &mut Io<'_>) -> Status {
        let frames = io.frames();
        self.fresh &= frames == 0;
        let input = io.input;
        let (left, mut right) = io.split_mut();
        self.cleaned += clean(left) + right.as_deref_mut().map_or(0, clean);
        let silent =
            input == Status::Silent || (is_silent(left) && right.as_deref().is_none_or(is_silent));
        if !silent {
            self.sounding = frames + self.past;
        }
        let silent = self.sounding == 0;
        self.sounding = self.sounding.saturating_sub(frames);
        for (piece, left) in left.chunks_mut(PIECE).enumerate() {
            let range = piece * PIECE..piece * PIECE + left.len();
            self.process_piece(left, right.as_deref_mut().map(|right| &mut right[range]));
        }
        if silent { Status::Silent } else { Status::Filled }
    }

    fn reset(&mut self) {
        self.input_gain.settle();
        self.ceiling_db.settle();
        self.lines.iter_mut().for_each(|line| line.samples.fill(0.0));
        self.envelope.reset();
        (self.last_gap, self.sounding, self.deepest) = (0.0, 0, 0.0);
        (self.fresh, self.cleaned) = (true, 0);
    }

    fn take_gain_reduction_db(&mut self) -> Option<f32> {
        let deepest = std::mem::take(&mut self.deepest);
        Some(if deepest > 0.0 { gain_to_db(1.0 - deepest) as f32 } else { 0.0 })
    }

    fn cleaned_samples(&self) -> u64 {
        self.cleaned
    }
}
