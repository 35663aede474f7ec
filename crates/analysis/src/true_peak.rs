//! True peak: how high the sound goes between the samples.
//!
//! Promise: +0.05/-0.15 dB for any sine from 997 Hz to 0.45 fs at any phase (the long filter, 44.1 to 96 kHz).
//!
//! Between the samples x\[n\] the sound is y(n + p/P) = sum over k of h_p\[k\] x\[n + k\], with P phases of a
//! windowed sinc. Three filters:
//!
//! - [`PeakFilter::Long`]: 64 taps a phase, Kaiser (beta 9), 8 phases up to 120 kHz, 4 above. A
//!   sine between two points reads at worst 20 log10 cos(pi f / (P fs)) low: 0.136 dB at 0.45 fs (BS.1770-5).
//! - [`PeakFilter::Short`]: 24 taps a phase, Kaiser (beta 7), 4 phases: for trials. Within 0.15 dB of the long
//!   one on sound that falls off as music does; up to 0.8 dB below it on white noise.
//! - [`PeakFilter::Itu`]: the 48-tap filter of BS.1770-5, Annex 2. Its phases differ by up to 0.4 dB, and on
//!   noise it reads 0.1 to 0.8 dB above a long filter; kept because delivery checks use it.
//!
//! Most of the sound needs no filter. Split h = s (1 - u, u) + g into a straight line between x\[n\] and
//! x\[n + 1\] (s the sum of h, any u from 0 to 1) and a rest g whose sum is 0. Summed by parts the rest sees only
//! differences of neighbours, so with m the highest |x| of the two, d the highest |difference| in reach, M the
//! highest |x| in reach:
//!
//! |y| <= s m + d * sum |G|, G the running sum of g; and |y| <= M * sum |h|.
//!
//! A group of 16 frames whose bound does not exceed the peak already found is skipped: the result is the same to
//! the bit. Music, strongest in the bass, has small differences, so the first bound skips nearly all of it.
//!
//! Peaks are kept for slots of 0.5 s, for PSR. Arithmetic in `f32` (error below 1e-5 of the reading).
//! Latency: half the filter; `finish` lets the tail out. Samples that are not finite are not heard.

use crate::db_or_null;
use serde::{Deserialize, Serialize};
use topdown_dsp::math;
use topdown_units::{SampleRate, gain_to_db};

/// Slots of kept peaks per second.
pub const SLOTS_PER_SECOND: usize = 2;
/// Frames that are filtered or skipped together.
const GROUP: usize = 16;
/// Room for rounding in the bound.
const BOUND_SLACK: f32 = 1.000_1;

/// Which interpolation filter reads the peaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PeakFilter {
    /// The exact one, for reports and prints.
    Long,
    /// The quick one, for trials.
    Short,
    /// The one printed in BS.1770-5.
    Itu,
}

const ITU_PHASES: [[f32; 12]; 2] = [
    [
        0.001_708_984_4,
        0.010_986_328,
        -0.019_653_32,
        0.033_203_125,
        -0.059_448_242,
        0.137_329_1,
        0.972_167_97,
        -0.102_294_92,
        0.047_607_422,
        -0.026_611_328,
        0.014_892_578,
        -0.008_300_781,
    ],
    [
        -0.029_174_805,
        0.029_296_875,
        -0.051_757_813,
        0.089_111_33,
        -0.166_503_9,
        0.465_087_9,
        0.779_785_16,
        -0.200_317_38,
        0.101_562_5,
        -0.058_227_54,
        0.033_081_055,
        -0.018_920_898,
    ],
];

/// The phases of a filter, and the bounds on what it can make of sound.
#[derive(Clone, Debug)]
struct Interpolator {
    phases: Vec<Vec<f32>>,
    taps: usize,
    /// Highest sum of a phase, of its |h|, and of the |G| of the module's text.
    sum: f32,
    magnitude: f32,
    rest: f32,
    /// Whether the samples themselves are among the points.
    keeps_samples: bool,
}

impl Interpolator {
    fn new(filter: PeakFilter, rate: SampleRate) -> Self {
        match filter {
            PeakFilter::Long => Self::kaiser(long_ratio(rate), 64, 9.0),
            PeakFilter::Short => Self::kaiser(4, 24, 7.0),
            PeakFilter::Itu => Self::from_phases(itu_phases(), false),
        }
    }

    /// Windowed-sinc phases between the samples, each with gain 1 at 0 Hz.
    fn kaiser(ratio: usize, taps: usize, beta: f64) -> Self {
        let half = taps as f64 / 2.0;
        let phase = |p: usize| {
            let offset = |k: usize| k as f64 - (half - 1.0) - p as f64 / ratio as f64;
            let window = |t: f64| bessel_i0(beta * (1.0 - (t / half) * (t / half)).max(0.0).sqrt());
            let h: Vec<f64> = (0..taps).map(offset).map(|t| sinc(t) * window(t)).collect();
            let sum: f64 = h.iter().sum();
            h.iter().map(|tap| (tap / sum) as f32).collect()
        };
        Self::from_phases((1..ratio).map(phase).collect(), true)
    }

    fn from_phases(phases: Vec<Vec<f32>>, keeps_samples: bool) -> Self {
        let highest = |of: fn(&[f32]) -> f32| phases.iter().map(|h| of(h)).fold(0.0, f32::max);
        Self {
            sum: highest(|h| h.iter().sum::<f32>().abs()),
            magnitude: highest(|h| h.iter().map(|tap| tap.abs()).sum()),
            rest: highest(smallest_rest),
            taps: phases.first().map_or(0, Vec::len),
            phases,
            keeps_samples,
        }
    }

    /// Samples before the one that an output follows.
    fn before(&self) -> usize {
        self.taps / 2 - 1
    }

    /// Groups that the outputs of one group reach back, and forth.
    fn reach(&self) -> usize {
        (self.taps / 2).div_ceil(GROUP)
    }

    /// Highest point of a group whose samples are bounded as told, or `floor` if nothing is higher. `x` holds
    /// the samples that the group reaches.
    fn peak(&self, x: &[f32], bound: Bound, floor: f32) -> f32 {
        let by_line = self.sum * bound.near + self.rest * bound.difference;
        let by_peak = self.magnitude * bound.far;
        if by_line.min(by_peak) * BOUND_SLACK <= floor {
            return floor;
        }
        self.phases.iter().map(|h| filtered_peak(h, x)).fold(floor, f32::max)
    }
}

/// What is known of the samples that a group reaches.
#[derive(Clone, Copy)]
struct Bound {
    near: f32,
    far: f32,
    difference: f32,
}

/// The sum of |G| for the straight line that leaves the smallest.
fn smallest_rest(h: &[f32]) -> f32 {
    let sum: f64 = h.iter().map(|&tap| f64::from(tap)).sum();
    let rest = |u: f64| {
        let line = |k: usize| match k + 1 {
            k if k == h.len() / 2 => sum * (1.0 - u),
            k if k == h.len() / 2 + 1 => sum * u,
            _ => 0.0,
        };
        let steps = h.iter().enumerate().scan(0.0, |running, (k, &tap)| {
            *running += f64::from(tap) - line(k);
            Some(running.abs())
        });
        steps.sum::<f64>()
    };
    (0..=32).map(|u| rest(f64::from(u) / 32.0)).fold(f64::INFINITY, f64::min) as f32
}

/// Highest |y| of one phase over a group. The outputs are lanes.
fn filtered_peak(h: &[f32], x: &[f32]) -> f32 {
    let mut y = [0.0f32; GROUP];
    for (tap, window) in h.iter().zip(x.windows(GROUP)) {
        for (y, x) in y.iter_mut().zip(window) {
            *y += tap * x;
        }
    }
    peak_of(&y)
}

/// Highest magnitude; what is not a number does not count.
fn peak_of(x: &[f32; GROUP]) -> f32 {
    let mut peaks = [0.0f32; 4];
    for lane in x.as_chunks::<4>().0 {
        for (peak, x) in peaks.iter_mut().zip(lane) {
            *peak = if x.abs() > *peak { x.abs() } else { *peak };
        }
    }
    peaks.iter().fold(0.0, |a, &b| a.max(b))
}

fn long_ratio(rate: SampleRate) -> usize {
    match rate.get() {
        0..=120_000 => 8,
        _ => 4,
    }
}

fn itu_phases() -> Vec<Vec<f32>> {
    let forward = ITU_PHASES.iter().map(|h| h.to_vec());
    let mirrored = ITU_PHASES.iter().rev().map(|h| h.iter().rev().copied().collect());
    forward.chain(mirrored).collect()
}

fn sinc(t: f64) -> f64 {
    if t == 0.0 { 1.0 } else { math::sin(math::PI * t) / (math::PI * t) }
}

/// Modified Bessel function of the first kind, order 0, by its power series.
fn bessel_i0(x: f64) -> f64 {
    let quarter = x * x / 4.0;
    let mut term = 1.0;
    let mut sum = 1.0;
    for k in 1..64 {
        term *= quarter / f64::from(k * k);
        sum += term;
    }
    sum
}

/// Sound of one channel that waits for its group, after what the group reaches back to.
#[derive(Clone, Debug)]
struct Waiting {
    samples: Vec<f32>,
    /// Highest magnitude and highest step to the next sample, group by group.
    peaks: Vec<f32>,
    steps: Vec<f32>,
}

impl Waiting {
    fn measure(&mut self) {
        let done = self.peaks.len() * GROUP;
        // a group is known with the sample that follows it
        let new = self.samples.get(done..).unwrap_or(&[]);
        for (group, next) in
            new.as_chunks::<GROUP>().0.iter().zip(new.iter().skip(GROUP).step_by(GROUP))
        {
            let mut steps = [0.0f32; GROUP];
            for i in 0..GROUP - 1 {
                steps[i] = group[i + 1] - group[i];
            }
            steps[GROUP - 1] = next - group[GROUP - 1];
            self.peaks.push(peak_of(group));
            self.steps.push(peak_of(&steps));
        }
    }

    fn forget(&mut self, groups: usize) {
        self.samples.drain(..groups * GROUP);
        self.peaks.drain(..groups);
        self.steps.drain(..groups);
    }

    fn bound(&self, group: usize, reach: usize) -> Bound {
        let max = |values: &[f32]| values.iter().fold(0.0f32, |a, &b| a.max(b));
        let all = group - reach..group + reach + 1;
        let next = self.samples[(group + 1) * GROUP].abs();
        Bound {
            near: self.peaks[group].max(next),
            far: max(&self.peaks[all.clone()]),
            difference: max(&self.steps[all]),
        }
    }
}

/// Reads true peaks with one filter.
#[derive(Clone, Debug)]
pub struct TruePeakMeter {
    rate: SampleRate,
    filter: Interpolator,
    waiting: Vec<Waiting>,
    groups: u64,
    frames: u64,
    slot_peak: Vec<f32>,
}

impl TruePeakMeter {
    /// A meter for `channels` channels.
    #[must_use]
    pub fn new(rate: SampleRate, channels: usize, filter: PeakFilter) -> Self {
        let filter = Interpolator::new(filter, rate);
        // one group of silence is read ahead of the sound: the filter rings before a sudden start
        let samples = vec![0.0; (filter.reach() + 1) * GROUP];
        let waiting = vec![Waiting { samples, peaks: Vec::new(), steps: Vec::new() }; channels];
        Self { rate, filter, waiting, groups: 0, frames: 0, slot_peak: Vec::new() }
    }

    /// Hears equally long planes, one a channel.
    pub fn push(&mut self, planes: &[&[f32]]) {
        let frames = planes.iter().map(|plane| plane.len()).min().unwrap_or(0);
        for (waiting, plane) in self.waiting.iter_mut().zip(planes) {
            waiting.samples.extend_from_slice(&plane[..frames]);
        }
        self.frames += frames as u64;
        self.filter_groups();
    }

    /// Reads every group whose reach is known by now.
    fn filter_groups(&mut self) {
        self.waiting.iter_mut().for_each(Waiting::measure);
        let reach = self.filter.reach();
        let known = self.waiting.first().map_or(0, |waiting| waiting.peaks.len());
        let count = known.saturating_sub(2 * reach);
        for group in 0..count {
            let first_frame = (self.groups + group as u64).saturating_sub(1) * GROUP as u64;
            let slot =
                (first_frame * SLOTS_PER_SECOND as u64 / u64::from(self.rate.get())) as usize;
            if self.slot_peak.len() <= slot {
                self.slot_peak.resize(slot + 1, 0.0);
            }
            for waiting in &self.waiting {
                let peak = self.read(waiting, group + reach, self.slot_peak[slot]);
                if peak.is_finite() {
                    self.slot_peak[slot] = peak;
                }
            }
        }
        self.groups += count as u64;
        self.waiting.iter_mut().for_each(|waiting| waiting.forget(count));
    }

    fn read(&self, waiting: &Waiting, group: usize, floor: f32) -> f32 {
        let bound = waiting.bound(group, self.filter.reach());
        let samples = if self.filter.keeps_samples { waiting.peaks[group] } else { 0.0 };
        let start = group * GROUP - self.filter.before();
        let reached = &waiting.samples[start..start + GROUP + self.filter.taps - 1];
        self.filter.peak(reached, bound, floor.max(samples))
    }

    /// What was heard; the filter's tail is let out.
    #[must_use]
    pub fn finish(mut self) -> TruePeak {
        let slots = (self.frames * SLOTS_PER_SECOND as u64).div_ceil(u64::from(self.rate.get()));
        let tail = (2 * self.filter.reach() + 2) * GROUP;
        for waiting in &mut self.waiting {
            waiting.samples.resize(waiting.samples.len() + tail, 0.0);
        }
        self.filter_groups();
        // what rings on after the end belongs to the last slot
        let beyond = self.slot_peak.iter().skip(slots as usize).copied().fold(0.0, f32::max);
        self.slot_peak.truncate(slots as usize);
        if let Some(last) = self.slot_peak.last_mut() {
            *last = last.max(beyond);
        }
        let peak = self.slot_peak.iter().copied().fold(0.0, f32::max);
        TruePeak { dbtp: gain_to_db(f64::from(peak)), slot_peak: self.slot_peak }
    }
}

/// What a true-peak meter read.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct TruePeak {
    /// The highest of all channels.
    #[serde(with = "db_or_null")]
    pub dbtp: f64,
    /// Highest magnitude in each slot of half a second, of all channels; 1.0 is full scale.
    pub slot_peak: Vec<f32>,
}
