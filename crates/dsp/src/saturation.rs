//! Saturation: three curves after tape, desk and tube.
//!
//! **Formula.** With drive g, `y = (φ(g·x + b) − φ(b)) / (g·φ'(b))` and `φ(u) = tanh(u + c·u³)`: whatever the drive,
//! the slope at 0 is one, so drive changes how soon the curve bends and not how loud quiet sound is. The bias b
//! makes even harmonics; the cube c takes away from the third harmonic at low levels (all of it at c = ⅓) and
//! makes the bend sharper.
//!
//! | curve | b | c | emphasis | meant |
//! |---|---|---|---|---|
//! | tape | 0 | 0 | 2 | odd harmonics, treble bends first: +6 dB above 3 kHz before the curve, taken back after |
//! | desk | 0.07 | 0.2 | 1 | clean at low level (2nd harmonic −55 dB at −18 dBFS), then quickly full |
//! | tube | 0.3 | 0 | 1 | even harmonics first, rich from low levels on |
//!
//! These are colours, not models of machines: no hysteresis, no head bump, no wow.
//!
//! **Aliasing.** The curve runs at eight times the rate ([`crate::oversample`]). That leaves less below 20 kHz than
//! four times with antiderivative antialiasing (Parker et al., DAFx-16) does, and has no half frame of delay to
//! hide. 5 kHz at +12 dB and 44.1 kHz: below −100 dB (docs/dsp/acceptance.md).
//!
//! **What comes out** is `dry + mix·H(wet − dry)`, dry later by the latency of the oversampler (90 frames) and H a
//! high-pass of first order at 5 Hz: only the DC that the curve makes is blocked, the sound itself keeps its bass
//! and its phase. Mix 0 changes no bit.

use crate::clean::{clean, is_silent};
use crate::fast_math::tanh;
use crate::math;
use crate::oversample::{Factor, Oversampler};
use crate::param::{ParamSpec, Unit};
use crate::process::{Io, ProcessSpec, Processor, Settings, Status};
use crate::smooth::{GainRamp, Ramp, hand_frames};

/// After what the curve is made.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Colour {
    /// Odd harmonics, treble first.
    #[default]
    Tape,
    /// Clean, then quickly full.
    Desk,
    /// Even harmonics.
    Tube,
}

impl Colour {
    const NAMES: &'static [&'static str] = &["tape", "desk", "tube"];

    fn from_index(value: f64) -> Self {
        match value as usize {
            1 => Self::Desk,
            2 => Self::Tube,
            _ => Self::Tape,
        }
    }

    /// Bias, cube and emphasis.
    const fn shape(self) -> [f64; 3] {
        match self {
            Self::Tape => [0.0, 0.0, 2.0],
            Self::Desk => [0.07, 0.2, 1.0],
            Self::Tube => [0.3, 0.0, 1.0],
        }
    }
}

/// Settings of the saturation.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct SaturationSettings {
    /// Which curve.
    pub curve: Colour,
    /// Gain into the curve in dB, taken back after it.
    pub drive_db: f64,
    /// Share of the saturated sound in percent.
    pub mix_percent: f64,
    /// Gain of the output in dB.
    pub output_db: f64,
}

impl Default for SaturationSettings {
    fn default() -> Self {
        let defaults: Vec<f64> = Self::PARAMS.iter().map(|param| param.default).collect();
        Self::from_plain(&defaults)
    }
}

const CURVE: usize = 0;
const DRIVE: usize = 1;
const MIX: usize = 2;
const OUTPUT: usize = 3;

impl Settings for SaturationSettings {
    const ID: &'static str = "saturation";
    const LABEL: &'static str = "Saturation";
    #[rustfmt::skip]
    const PARAMS: &'static [ParamSpec] = &[
        ParamSpec::choice("curve", "Curve", Colour::NAMES, 0, "After what the curve is made"),
        ParamSpec::number("drive_db", "Drive", Unit::Db, (-24.0, 24.0), 0.0,
            "Gain into the curve, taken back after it; at 0 it bends towards full scale").scaled(),
        ParamSpec::number("mix_percent", "Mix", Unit::Percent, (0.0, 100.0), 100.0,
            "Share of the saturated sound, the rest is dry").scaled(),
        ParamSpec::number("output_db", "Output", Unit::Db, (-24.0, 24.0), 0.0,
            "Gain of the output").scaled(),
    ];

    fn from_plain(values: &[f64]) -> Self {
        let at = |index: usize| values.get(index).copied().unwrap_or(Self::PARAMS[index].default);
        Self {
            curve: Colour::from_index(at(CURVE)),
            drive_db: at(DRIVE),
            mix_percent: at(MIX),
            output_db: at(OUTPUT),
        }
    }

    fn to_plain(&self) -> Vec<f64> {
        vec![self.curve as usize as f64, self.drive_db, self.mix_percent, self.output_db]
    }

    fn build(&self, spec: &ProcessSpec) -> Box<dyn Processor> {
        Box::new(Saturation::new(self, spec))
    }
}

/// The curve with its numbers worked out.
#[derive(Clone, Copy, Debug)]
struct Shape {
    drive: f32,
    bias: f32,
    cube: f32,
    /// φ(b), so that silence stays silence to the last bit.
    zero: f32,
    scale: f32,
}

impl Shape {
    fn new(drive: f64, bias: f64, cube: f64) -> Self {
        let inner = math::tanh(bias + cube * bias * bias * bias);
        let slope = (1.0 - inner * inner) * (1.0 + 3.0 * cube * bias * bias);
        let scale = (1.0 / (drive * slope)) as f32;
        let mut shape = Self {
            drive: drive as f32,
            bias: bias as f32,
            cube: cube as f32,
            zero: 0.0,
            scale: 1.0,
        };
        shape.zero = shape.at(0.0);
        Self { scale, ..shape }
    }

    #[inline(always)]
    fn at(&self, x: f32) -> f32 {
        let u = self.drive * x + self.bias;
        (tanh(u + self.cube * u * u * u) - self.zero) * self.scale
    }
}

/// A filter of first order in trapezoidal form: low-pass with this memory.
#[derive(Clone, Copy, Debug, Default)]
struct OnePole(f64);

impl OnePole {
    /// The high-passed `x`; `step` is g/(1+g), g = tan(πf/fs).
    #[inline(always)]
    fn high(&mut self, x: f64, step: f64) -> f64 {
        let moved = (x - self.0) * step;
        let low = self.0 + moved;
        self.0 = low + moved;
        x - low
    }

    /// The inverse of `x + more·high(x)`.
    #[inline(always)]
    fn undo(&mut self, y: f64, step: f64, more: f64) -> f64 {
        let share = more * (1.0 - step);
        let x = (y + share * self.0) / (1.0 + share);
        self.high(x, step);
        x
    }

    fn rest(&mut self) {
        if self.0.abs() < FLOOR {
            self.0 = 0.0;
        }
    }
}

/// Frames worked on at once, and the grid on which faint memory is forgotten.
const PIECE: usize = 64;
/// Memory below this is forgotten (−240 dBFS).
const FLOOR: f64 = 1e-12;
const DC_HZ: f64 = 5.0;
const EMPHASIS_HZ: f64 = 3000.0;
const FACTOR: Factor = Factor::X8;

/// One frame's settings.
#[derive(Clone, Copy)]
struct Frame {
    shape: Shape,
    /// Emphasis less one.
    more: f64,
    mix: f64,
    output: f64,
}

struct Channel {
    oversampler: Oversampler,
    dry: Vec<f32>,
    position: usize,
    before: OnePole,
    after: OnePole,
    dc: OnePole,
}

impl Channel {
    fn new() -> Self {
        let oversampler = Oversampler::new(FACTOR);
        let dry = vec![0.0; oversampler.latency_frames()];
        let (before, after, dc) = Default::default();
        Self { oversampler, dry, position: 0, before, after, dc }
    }

    fn process(&mut self, samples: &mut [f32], frames: &[Frame], steps: Steps) {
        let mut wet = [0.0f32; PIECE];
        let wet = &mut wet[..samples.len()];
        for ((wet, x), frame) in wet.iter_mut().zip(samples.iter()).zip(frames) {
            let x = f64::from(*x);
            *wet = (x + frame.more * self.before.high(x, steps.emphasis)) as f32;
        }
        self.oversampler.process(wet, |high| {
            for (high, frame) in high.chunks_exact_mut(FACTOR.times()).zip(frames) {
                high.iter_mut().for_each(|x| *x = frame.shape.at(*x));
            }
        });
        for ((sample, wet), frame) in samples.iter_mut().zip(wet.iter()).zip(frames) {
            std::mem::swap(sample, &mut self.dry[self.position]);
            self.position = if self.position + 1 == self.dry.len() { 0 } else { self.position + 1 };
            let dry = f64::from(*sample);
            let wet = self.after.undo(f64::from(*wet), steps.emphasis, frame.more);
            let added = self.dc.high(wet - dry, steps.dc);
            *sample = ((dry + frame.mix * added) * frame.output) as f32;
        }
    }

    fn rest(&mut self) {
        for pole in [&mut self.before, &mut self.after, &mut self.dc] {
            pole.rest();
        }
    }

    fn is_empty(&self) -> bool {
        [self.before, self.after, self.dc].iter().all(|pole| pole.0 == 0.0)
    }

    fn reset(&mut self) {
        self.oversampler.reset();
        self.dry.fill(0.0);
        self.position = 0;
        (self.before, self.after, self.dc) = Default::default();
    }
}

/// How far the filters of first order go in a frame.
#[derive(Clone, Copy)]
struct Steps {
    emphasis: f64,
    dc: f64,
}

struct Saturation {
    hand_frames: usize,
    rate_hz: f64,
    steps: Steps,
    drive: GainRamp,
    output: GainRamp,
    mix: Ramp,
    /// Bias, cube, emphasis.
    curve: [Ramp; 3],
    channels: Vec<Channel>,
    position: usize,
    /// Frames until only zeros are in the memories that end by themselves.
    sounding: usize,
    fresh: bool,
    cleaned: u64,
}

/// Of a one-pole at `hz`: g/(1+g).
fn step(hz: f64, rate_hz: f64) -> f64 {
    let g = math::tan(math::PI * hz / rate_hz);
    g / (1.0 + g)
}

impl Saturation {
    fn new(settings: &SaturationSettings, spec: &ProcessSpec) -> Self {
        let rate_hz = spec.sample_rate.hz();
        Self {
            hand_frames: hand_frames(spec.sample_rate),
            rate_hz,
            steps: Steps { emphasis: step(EMPHASIS_HZ, rate_hz), dc: step(DC_HZ, rate_hz) },
            drive: GainRamp::new(settings.drive_db),
            output: GainRamp::new(settings.output_db),
            mix: Ramp::new(settings.mix_percent / 100.0),
            curve: settings.curve.shape().map(Ramp::new),
            channels: (0..spec.channels).map(|_| Channel::new()).collect(),
            position: 0,
            sounding: 0,
            fresh: true,
            cleaned: 0,
        }
    }

    fn is_moving(&self) -> bool {
        let gains = self.drive.is_moving() || self.output.is_moving();
        gains || self.mix.is_moving() || self.curve.iter().any(Ramp::is_moving)
    }

    fn frame(&self) -> Frame {
        let [bias, cube, emphasis] = self.curve.map(|ramp| ramp.value());
        Frame {
            shape: Shape::new(self.drive.value(), bias, cube),
            more: emphasis - 1.0,
            mix: self.mix.value(),
            output: self.output.value(),
        }
    }

    fn frames(&mut self, count: usize) -> [Frame; PIECE] {
        let mut frames = [self.frame(); PIECE];
        if self.is_moving() {
            for frame in &mut frames[..count] {
                self.drive.next_frame();
                self.output.next_frame();
                self.mix.advance(1);
                self.curve.iter_mut().for_each(|ramp| ramp.advance(1));
                *frame = self.frame();
            }
        }
        frames
    }

    /// One piece within the grid; whether it is certainly silent.
    fn run(&mut self, left: &mut [f32], right: Option<&mut [f32]>) -> bool {
        let count = left.len();
        if !is_silent(left) || right.as_deref().is_some_and(|right| !is_silent(right)) {
            let memory = self.channels.first().map_or(0, |c| c.oversampler.memory_frames());
            self.sounding = memory + PIECE;
        }
        let asleep = self.sounding == 0 && self.channels.iter().all(Channel::is_empty);
        let frames = self.frames(count);
        let sides = std::iter::once(left).chain(right);
        for (channel, samples) in self.channels.iter_mut().zip(sides) {
            if asleep {
                samples.fill(0.0);
            } else {
                channel.process(samples, &frames[..count], self.steps);
                // −0 would tell a sleeping processor from a waking one.
                samples.iter_mut().for_each(|x| *x += 0.0);
            }
        }
        self.sounding = self.sounding.saturating_sub(count);
        self.position += count;
        if self.position == PIECE {
            self.position = 0;
            self.channels.iter_mut().for_each(Channel::rest);
        }
        asleep
    }
}

impl Processor for Saturation {
    fn latency_frames(&self) -> usize {
        self.channels.first().map_or(0, |channel| channel.oversampler.latency_frames())
    }

    fn tail_frames(&self) -> usize {
        // The oversampler, then the slowest filter from +60 dBFS down to the floor.
        let decay = -math::ln(FLOOR * 1e-3) / (math::TAU * DC_HZ) * self.rate_hz;
        let memory = self.channels.first().map_or(0, |c| c.oversampler.memory_frames());
        memory + decay.ceil() as usize + 3 * PIECE
    }

    fn set(&mut self, param: usize, value: f64, ramp_frames: usize) {
        let hand = if self.fresh { 0 } else { self.hand_frames };
        match param {
            CURVE => {
                let shape = Colour::from_index(value).shape();
                for (ramp, target) in self.curve.iter_mut().zip(shape) {
                    ramp.go(target, 0, hand);
                }
            }
            DRIVE => self.drive.go(value, ramp_frames, hand),
            MIX => self.mix.go(value / 100.0, ramp_frames, hand),
            OUTPUT => self.output.go(value, ramp_frames, hand),
            _ => {}
        }
    }

    fn process(&mut self, io: &mut Io<'_>) -> Status {
        let frames = io.frames();
        self.fresh &= frames == 0;
        let (left, mut right) = io.split_mut();
        self.cleaned += clean(left) + right.as_deref_mut().map_or(0, clean);
        let (mut start, mut silent) = (0, true);
        while start < frames {
            let end = frames.min(start + PIECE - self.position);
            let piece = right.as_deref_mut().map(|right| &mut right[start..end]);
            silent &= self.run(&mut left[start..end], piece);
            start = end;
        }
        if silent { Status::Silent } else { Status::Filled }
    }

    fn reset(&mut self) {
        self.drive.settle();
        self.output.settle();
        self.mix.settle();
        self.curve.iter_mut().for_each(Ramp::settle);
        self.channels.iter_mut().for_each(Channel::reset);
        (self.position, self.sounding) = (0, 0);
        (self.fresh, self.cleaned) = (true, 0);
    }

    fn cleaned_samples(&self) -> u64 {
        self.cleaned
    }
}
