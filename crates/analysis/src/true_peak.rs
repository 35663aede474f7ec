//! True peak: how high the sound goes between the samples.
//!
//! Promise: +0.05/-0.15 dB for any sine from 997 Hz to 0.45 fs at any phase (the long filter, 44.1 kHz up).
//!
//! Between the samples x\[n\] the sound is y(n + p/P) = sum over k of h_p\[k\] x\[n + k\], with P phases of a
//! windowed sinc. Three filters:
//!
//! - [`PeakFilter::Long`]: 64 taps a phase, Kaiser (beta 9), 8 phases up to 60 kHz, 4 up to 120, 2 above. A
//!   sine between two points reads at worst 20 log10 cos(pi f / (P fs)) low: 0.136 dB at 0.45 fs (BS.1770-5).
//! - [`PeakFilter::Short`]: 24 taps a phase, Kaiser (beta 7), 4 phases: for trials.
//! - [`PeakFilter::Itu`]: the 48-tap filter of BS.1770-5, Annex 2. Its phases differ by up to 0.4 dB, and on
//!   noise it reads 0.1 to 0.8 dB above a long filter; kept because delivery checks use it.
//!
//! Most of the sound needs no filter. With m the highest |x| that an output's middle taps touch, and M the
//! highest that all its taps touch, |y| <= near m + far M, near and far being the largest sums of |h| over the
//! middle and the other taps of any phase (triangle inequality). A group of 16 frames whose bound does not
//! exceed the peak already found is skipped; the result is the same to the bit.
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
/// Taps on either side of an output that count as its middle.
const NEAR: usize = 4;
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

/// The phases of a filter, and what it can make of a given sample peak at most.
#[derive(Clone, Debug)]
struct Interpolator {
    phases: Vec<Vec<f32>>,
    taps: usize,
    near: f32,
    far: f32,
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
        let taps = phases.first().map_or(0, Vec::len);
        let middle = taps / 2 - NEAR..taps / 2 + NEAR;
        let near = |h: &Vec<f32>| h[middle.clone()].iter().map(|tap| tap.abs()).sum::<f32>();
        let all = |h: &Vec<f32>| h.iter().map(|tap| tap.abs()).sum::<f32>();
        Self {
            near: phases.iter().map(near).fold(0.0, f32::max),
            far: phases.iter().map(|h| all(h) - near(h)).fold(0.0, f32::max),
            phases,
            taps,
            keeps_samples,
        }
    }

    /// Samples before the one that an output follows.
    fn before(&self) -> usize {
        self.taps / 2 - 1
    }

    /// Samples that the outputs of one group touch.
    fn span(&self) -> usize {
        GROUP + self.taps - 1
    }

    /// Highest point of a group, or `floor` if nothing in it can be higher.
    fn peak(&self, x: &[f32], floor: f32) -> f32 {
        let sample_peak = if self.keeps_samples {
            peak_of(&x[self.before()..self.before() + GROUP])
        } else {
            0.0
        };
        let floor = floor.max(sample_peak);
        let whole = peak_of(x);
        if (self.near + self.far) * whole * BOUND_SLACK <= floor {
            return floor;
        }
        let middle = peak_of(&x[self.taps / 2 - NEAR..self.taps / 2 + NEAR + GROUP - 1]);
        if (self.near * middle + self.far * whole) * BOUND_SLACK <= floor {
            return floor;
        }
        self.phases.iter().map(|h| filtered_peak(h, x)).fold(floor, f32::max)
    }
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
fn peak_of(x: &[f32]) -> f32 {
    let (lanes, rest) = x.as_chunks::<8>();
    let mut peaks = [0.0f32; 8];
    for lane in lanes {
        for (peak, x) in peaks.iter_mut().zip(lane) {
            *peak = if x.abs() > *peak { x.abs() } else { *peak };
        }
    }
    let rest = rest.iter().fold(0.0f32, |peak, x| peak.max(x.abs()));
    peaks.iter().fold(rest, |a, &b| a.max(b))
}

fn long_ratio(rate: SampleRate) -> usize {
    match rate.get() {
        0..=60_000 => 8,
        60_001..=120_000 => 4,
        _ => 2,
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

/// Reads true peaks with one filter.
#[derive(Clone, Debug)]
pub struct TruePeakMeter {
    rate: SampleRate,
    filter: Interpolator,
    /// Per channel: the samples that the next group needs, and those that wait for their group.
    waiting: Vec<Vec<f32>>,
    groups: u64,
    frames: u64,
    slot_peak: Vec<f32>,
}

impl TruePeakMeter {
    /// A meter for `channels` channels.
    #[must_use]
    pub fn new(rate: SampleRate, channels: usize, filter: PeakFilter) -> Self {
        let filter = Interpolator::new(filter, rate);
        let waiting = vec![vec![0.0; filter.before()]; channels];
        Self { rate, filter, waiting, groups: 0, frames: 0, slot_peak: Vec::new() }
    }

    /// Hears equally long planes, one a channel.
    pub fn push(&mut self, planes: &[&[f32]]) {
        let frames = planes.iter().map(|plane| plane.len()).min().unwrap_or(0);
        for (waiting, plane) in self.waiting.iter_mut().zip(planes) {
            waiting.extend_from_slice(&plane[..frames]);
        }
        self.frames += frames as u64;
        self.filter_groups();
    }

    fn filter_groups(&mut self) {
        let ready = self.waiting.iter().map(Vec::len).min().unwrap_or(0);
        let count = (ready + 1).saturating_sub(self.filter.taps) / GROUP;
        for group in 0..count {
            let first_frame = (self.groups + group as u64) * GROUP as u64;
            let slot =
                (first_frame * SLOTS_PER_SECOND as u64 / u64::from(self.rate.get())) as usize;
            if self.slot_peak.len() <= slot {
                self.slot_peak.resize(slot + 1, 0.0);
            }
            let start = group * GROUP;
            for waiting in &self.waiting {
                let peak = self
                    .filter
                    .peak(&waiting[start..start + self.filter.span()], self.slot_peak[slot]);
                self.slot_peak[slot] = if peak.is_finite() { peak } else { self.slot_peak[slot] };
            }
        }
        self.groups += count as u64;
        for waiting in &mut self.waiting {
            waiting.drain(..count * GROUP);
        }
    }

    /// What was heard; the filter's tail is let out.
    #[must_use]
    pub fn finish(mut self) -> TruePeak {
        let slots = (self.frames * SLOTS_PER_SECOND as u64).div_ceil(u64::from(self.rate.get()));
        let tail = self.filter.taps + GROUP;
        for waiting in &mut self.waiting {
            waiting.resize(waiting.len() + tail, 0.0);
        }
        self.filter_groups();
        // the tail rings at most one group into the slot after the last
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
