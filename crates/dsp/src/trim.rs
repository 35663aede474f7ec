//! Trim: gain, polarity and delay of a strip's input.
//!
//! **Promise.** At 0 dB, normal polarity and no delay the samples pass bit for bit. Whole frames of delay
//! are exact. A fraction of a frame is read by a windowed sinc of 64 taps (Kaiser, β = 9): within 0.01
//! frames and 0.01 dB up to 0.45 of the sample rate. Gain and polarity move without clicks (`smooth`).
//!
//! **Delay and latency.** `delay_frames` is wanted and is not compensated. Reading between samples needs
//! 31 frames of the future: a fractional delay reports them as latency, and the engine takes them back.
//! The delay is fixed when the processor is built.

use crate::clean::{clean, is_silent};
use crate::fir::{dot, fractional_taps};
use crate::param::{ParamSpec, Unit};
use crate::process::{Io, ProcessSpec, Processor, Settings, Status};
use crate::smooth::{GainRamp, Ramp, hand_frames};

/// The longest delay in frames (100 ms at 48 kHz).
pub const MAX_DELAY_FRAMES: f64 = 4800.0;
const HALF_TAPS: usize = 32;
const KAISER_BETA: f64 = 9.0;
/// Delays this close to a whole frame are whole.
const WHOLE: f64 = 1e-6;

/// Gain, polarity and delay.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct TrimSettings {
    /// Gain in dB.
    pub gain_db: f64,
    /// Whether the polarity is turned.
    pub invert: bool,
    /// Delay in frames, may be fractional; 0 to [`MAX_DELAY_FRAMES`].
    pub delay_frames: f64,
}

const GAIN: usize = 0;
const INVERT: usize = 1;

impl Settings for TrimSettings {
    const ID: &'static str = "trim";
    const LABEL: &'static str = "Trim";
    const PARAMS: &'static [ParamSpec] = &[
        ParamSpec::number("gain_db", "Gain", Unit::Db, (-60.0, 36.0), 0.0, "Gain of the input")
            .scaled(),
        ParamSpec::switch("invert", "Invert", false, "Turns the polarity"),
        ParamSpec::number(
            "delay_frames",
            "Delay",
            Unit::Frames,
            (0.0, MAX_DELAY_FRAMES),
            0.0,
            "Delay that aligns this track with another, to a hundredth of a frame",
        )
        .rebuilding(),
    ];

    fn from_plain(values: &[f64]) -> Self {
        let at = |index: usize| values.get(index).copied().unwrap_or(Self::PARAMS[index].default);
        Self { gain_db: at(GAIN), invert: at(INVERT) != 0.0, delay_frames: at(2) }
    }

    fn to_plain(&self) -> Vec<f64> {
        vec![self.gain_db, f64::from(u8::from(self.invert)), self.delay_frames]
    }

    fn build(&self, spec: &ProcessSpec) -> Box<dyn Processor> {
        Box::new(Trim::new(self, spec))
    }
}

fn polarity(invert: bool) -> f64 {
    if invert { -1.0 } else { 1.0 }
}

struct Trim {
    gain: GainRamp,
    polarity: Ramp,
    delays: Vec<Delay>,
    latency: usize,
    hand_frames: usize,
    cleaned: u64,
    fresh: bool,
}

impl Trim {
    fn new(settings: &TrimSettings, spec: &ProcessSpec) -> Self {
        let delay = Delay::new(settings.delay_frames.clamp(0.0, MAX_DELAY_FRAMES));
        let latency = if delay.taps.is_empty() { 0 } else { HALF_TAPS - 1 };
        Self {
            gain: GainRamp::new(settings.gain_db),
            polarity: Ramp::new(polarity(settings.invert)),
            delays: vec![delay; spec.channels],
            latency,
            hand_frames: hand_frames(spec.sample_rate),
            cleaned: 0,
            fresh: true,
        }
    }

    fn apply_gain(&mut self, left: &mut [f32], right: Option<&mut [f32]>) {
        let moving = self.gain.is_moving() || self.polarity.is_moving();
        let gain = (self.gain.value() * self.polarity.value()) as f32;
        match (moving, right) {
            (false, _) if gain == 1.0 => {}
            (false, right) => {
                let channels = std::iter::once(left).chain(right);
                channels.flatten().for_each(|x| *x *= gain);
            }
            (true, Some(right)) => {
                for (left, right) in left.iter_mut().zip(right) {
                    let gain = (self.gain.next_frame() * self.polarity.next_frame()) as f32;
                    *left *= gain;
                    *right *= gain;
                }
            }
            (true, None) => left.iter_mut().for_each(|x| {
                *x *= (self.gain.next_frame() * self.polarity.next_frame()) as f32;
            }),
        }
    }
}

impl Processor for Trim {
    fn latency_frames(&self) -> usize {
        self.latency
    }

    fn tail_frames(&self) -> usize {
        self.delays.first().map_or(0, |delay| delay.frames + delay.taps.len())
    }

    fn set(&mut self, param: usize, value: f64, ramp_frames: usize) {
        let hand_frames = if self.fresh { 0 } else { self.hand_frames };
        match param {
            GAIN => self.gain.go(value, ramp_frames, hand_frames),
            INVERT => self.polarity.go(polarity(value != 0.0), 0, hand_frames),
            _ => {}
        }
    }

    fn process(&mut self, io: &mut Io<'_>) -> Status {
        self.fresh &= io.frames() == 0;
        let input = io.input;
        let (left, mut right) = io.split_mut();
        self.cleaned += clean(left) + right.as_deref_mut().map_or(0, clean);
        let channels = std::iter::once(&mut *left).chain(right.as_deref_mut());
        let mut silent = input == Status::Silent;
        for (delay, samples) in self.delays.iter_mut().zip(channels) {
            silent &= delay.process(samples);
        }
        self.apply_gain(left, right);
        if silent { Status::Silent } else { Status::Filled }
    }

    fn reset(&mut self) {
        self.gain.settle();
        self.polarity.settle();
        self.delays.iter_mut().for_each(Delay::reset);
        self.cleaned = 0;
        self.fresh = true;
    }

    fn cleaned_samples(&self) -> u64 {
        self.cleaned
    }
}

/// The delay of one channel: a ring for the whole frames, a kernel for the rest.
#[derive(Clone)]
struct Delay {
    frames: usize,
    taps: Vec<f64>,
    /// The last `frames` inputs, oldest at `position`.
    ring: Vec<f32>,
    position: usize,
    /// The last inputs of the kernel twice over, so that they always lie in one piece.
    window: Vec<f32>,
    newest: usize,
    /// Frames until nothing but zeros is inside.
    sounding: usize,
}

impl Delay {
    fn new(delay_frames: f64) -> Self {
        let rounded = delay_frames.round();
        let (frames, fraction) = if (delay_frames - rounded).abs() < WHOLE {
            (rounded, 0.0)
        } else {
            (delay_frames.floor(), delay_frames.fract())
        };
        // Oldest sample first, and later in time is to the right: a delay of d reads 1 − d after.
        let taps = match fraction {
            0.0 => Vec::new(),
            fraction => fractional_taps(HALF_TAPS, 1.0 - fraction, KAISER_BETA),
        };
        let window = vec![0.0; 2 * taps.len()];
        let frames = frames as usize;
        Self { frames, taps, ring: vec![0.0; frames], position: 0, window, newest: 0, sounding: 0 }
    }

    /// Delays `samples` in place; whether nothing but zeros went in and is inside.
    fn process(&mut self, samples: &mut [f32]) -> bool {
        let inside = self.frames + self.taps.len();
        if !is_silent(samples) {
            self.sounding = samples.len() + inside;
        }
        if self.sounding == 0 {
            return true;
        }
        self.sounding = self.sounding.saturating_sub(samples.len());
        if self.frames > 0 {
            for sample in samples.iter_mut() {
                std::mem::swap(sample, &mut self.ring[self.position]);
                self.position =
                    if self.position + 1 == self.frames { 0 } else { self.position + 1 };
            }
        }
        let taps = self.taps.len();
        if taps > 0 {
            for sample in samples.iter_mut() {
                self.window[self.newest] = *sample;
                self.window[self.newest + taps] = *sample;
                self.newest = if self.newest + 1 == taps { 0 } else { self.newest + 1 };
                *sample = dot(&self.taps, &self.window[self.newest..self.newest + taps]) as f32;
            }
        }
        false
    }

    fn reset(&mut self) {
        self.ring.fill(0.0);
        self.window.fill(0.0);
        (self.position, self.newest, self.sounding) = (0, 0, 0);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Buffer, math};
    use topdown_units::SampleRate;

    fn run(settings: &TrimSettings, input: &[f32]) -> Vec<f32> {
        let spec =
            ProcessSpec { sample_rate: SampleRate::STUDIO, channels: 1, max_frames: input.len() };
        let mut trim = settings.build(&spec);
        let mut buffer = Buffer::from_planes(&[input]);
        trim.process(&mut Io::new(&mut buffer, None, 0..input.len(), Status::Filled));
        buffer.channel(0).to_vec()
    }

    fn sine(cycles_per_frame: f64, frames: usize, delay: f64) -> Vec<f32> {
        (0..frames)
            .map(|n| math::sin(math::TAU * cycles_per_frame * (n as f64 - delay)) as f32)
            .collect()
    }

    #[test]
    fn neutral_trim_changes_no_bit_and_whole_delays_are_exact() {
        let input = sine(0.13, 500, 0.0);
        assert_eq!(run(&TrimSettings::default(), &input), input);
        let delayed = run(&TrimSettings { delay_frames: 37.0, ..Default::default() }, &input);
        assert_eq!(delayed[37..], input[..463]);
        assert!(is_silent(&delayed[..37]));
        let turned = run(&TrimSettings { invert: true, ..Default::default() }, &input);
        assert!(turned.iter().zip(&input).all(|(out, x)| *out == -x));
    }

    #[test]
    fn fractions_of_a_frame_are_read_within_a_thousandth_up_to_0_45_of_the_rate() {
        for delay in [0.5, 3.25, 10.01, 10.99] {
            for frequency in [0.001, 0.1, 0.3, 0.4, 0.45] {
                let settings = TrimSettings { delay_frames: delay, ..Default::default() };
                let out = run(&settings, &sine(frequency, 600, 0.0));
                let expected = sine(frequency, 600, delay + (HALF_TAPS - 1) as f64);
                let worst = (200..600).map(|n| (out[n] - expected[n]).abs()).fold(0.0, f32::max);
                assert!(worst < 1e-3, "delay {delay}, {frequency} of the rate: {worst}");
            }
        }
    }
}
