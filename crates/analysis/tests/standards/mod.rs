//! The test signals of EBU Tech 3341 v4 and 3342 v4, made as the documents describe them, and their expected
//! readings. Used by the tests and by the example that prints the acceptance table.
#![allow(dead_code, unreachable_pub, reason = "each user takes its own part")]

use topdown_analysis::loudness::{Loudness, LoudnessMeter};
use topdown_analysis::true_peak::{PeakFilter, TruePeakMeter};
use topdown_dsp::math;
use topdown_units::{SampleRate, db_to_gain, gain_to_db};

/// The rates at which a meter must pass.
pub const RATES_HZ: [u32; 4] = [44_100, 48_000, 88_200, 96_000];

/// One expected reading and what was read.
#[derive(Debug)]
pub struct Reading {
    pub case: String,
    pub measured: f64,
    pub expected: f64,
    pub below: f64,
    pub above: f64,
}

impl Reading {
    pub fn error(&self) -> f64 {
        self.measured - self.expected
    }

    pub fn passes(&self) -> bool {
        self.error() >= -self.below && self.error() <= self.above
    }
}

fn reading(case: &str, measured: f64, expected: f64, tolerance: f64) -> Reading {
    Reading { case: case.into(), measured, expected, below: tolerance, above: tolerance }
}

pub fn rate(hz: u32) -> SampleRate {
    SampleRate::new(hz).expect("a rate in range")
}

/// A 1 kHz tone through levels (seconds, dBFS peak), minus infinity for silence; its phase runs on.
pub fn tone(rate: SampleRate, levels: &[(f64, f64)]) -> Vec<f32> {
    let mut out = Vec::new();
    for &(seconds, dbfs) in levels {
        let gain = db_to_gain(dbfs);
        let frames = (seconds * rate.hz()).round() as usize;
        let start = out.len();
        let at = |i: usize| math::sin(math::TAU * 1_000.0 * ((start + i) as f64 / rate.hz()));
        out.extend((0..frames).map(|i| (gain * at(i)) as f32));
    }
    out
}

/// The tone on both sides of a stereo pair.
pub fn stereo_loudness(rate: SampleRate, levels: &[(f64, f64)]) -> Loudness {
    let tone = tone(rate, levels);
    let mut meter = LoudnessMeter::new(rate, 2);
    meter.push(&[&tone, &tone]);
    meter.finish()
}

fn repeated(pattern: &[(f64, f64)], times: usize) -> Vec<(f64, f64)> {
    pattern.iter().copied().cycle().take(pattern.len() * times).collect()
}

/// 3341, tests 1 to 6 and 9 to 14 (7 and 8 exist as programmes only).
pub fn loudness_3341(rate: SampleRate) -> Vec<Reading> {
    let mut all = integrated_cases(rate);
    all.push(surround_case(rate));
    all.extend(constant_cases(rate));
    all.extend(single_burst_cases(rate));
    all.extend(rising_burst_cases(rate));
    all
}

const SILENCE: f64 = f64::NEG_INFINITY;

fn integrated_cases(rate: SampleRate) -> Vec<Reading> {
    let mut all = Vec::new();
    for (case, level) in [("3341-1", -23.0), ("3341-2", -33.0)] {
        let summary = stereo_loudness(rate, &[(20.0, level)]).summary();
        for measured in
            [summary.integrated_lufs, summary.max_momentary_lufs, summary.max_short_term_lufs]
        {
            all.push(reading(case, measured, level, 0.1));
        }
    }
    let cases: [(&str, &[(f64, f64)]); 3] = [
        ("3341-3", &[(10.0, -36.0), (60.0, -23.0), (10.0, -36.0)]),
        ("3341-4", &[(10.0, -72.0), (10.0, -36.0), (60.0, -23.0), (10.0, -36.0), (10.0, -72.0)]),
        ("3341-5", &[(20.0, -26.0), (20.1, -20.0), (20.0, -26.0)]),
    ];
    for (case, levels) in cases {
        let measured = stereo_loudness(rate, levels).whole().integrated_lufs();
        all.push(reading(case, measured, -23.0, 0.1));
    }
    all
}

fn surround_case(rate: SampleRate) -> Reading {
    let planes = [-28.0, -28.0, -24.0, -30.0, -30.0].map(|level| tone(rate, &[(20.0, level)]));
    let mut meter = LoudnessMeter::with_weights(rate, &[1.0, 1.0, 1.0, 1.41, 1.41]);
    meter.push(&planes.each_ref().map(Vec::as_slice));
    reading("3341-6", meter.finish().whole().integrated_lufs(), -23.0, 0.1)
}

fn constant_cases(rate: SampleRate) -> Vec<Reading> {
    let nine = stereo_loudness(rate, &repeated(&[(1.34, -20.0), (1.66, -30.0)], 5));
    let twelve = stereo_loudness(rate, &repeated(&[(0.18, -20.0), (0.22, -30.0)], 25));
    let short_term = nine.whole().short_term_lufs();
    let momentary: Vec<f64> = twelve.whole().momentary_lufs().into_iter().skip(60).collect();
    let extremes = |case: &str, values: &[f64]| {
        let low = values.iter().copied().fold(f64::INFINITY, f64::min);
        let high = values.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        [reading(case, low, -23.0, 0.1), reading(case, high, -23.0, 0.1)]
    };
    [extremes("3341-9", &short_term), extremes("3341-12", &momentary)]
        .into_iter()
        .flatten()
        .collect()
}

fn single_burst_cases(rate: SampleRate) -> Vec<Reading> {
    let mut all = Vec::new();
    for i in 0..20 {
        let i = f64::from(i);
        let ten = stereo_loudness(rate, &[(i * 0.15, SILENCE), (3.0, -23.0), (1.0, SILENCE)]);
        all.push(reading("3341-10", ten.whole().max_short_term_lufs(), -23.0, 0.1));
        let thirteen = stereo_loudness(rate, &[(i * 0.02, SILENCE), (0.4, -23.0), (1.0, SILENCE)]);
        all.push(reading("3341-13", thirteen.whole().max_momentary_lufs(), -23.0, 0.1));
    }
    all
}

/// All bursts in one file, each a dB louder than the one before: the running maximum follows them.
fn rising_burst_cases(rate: SampleRate) -> Vec<Reading> {
    let file = |lead_s: f64, burst_s: f64| {
        let burst = |i: u32| {
            let lead = f64::from(i) * lead_s;
            let tail = burst_s - lead;
            [(lead, SILENCE), (burst_s, -38.0 + f64::from(i)), (tail.max(0.0), SILENCE)]
        };
        stereo_loudness(rate, &(0..20).flat_map(burst).collect::<Vec<_>>())
    };
    let (eleven, fourteen) = (file(0.15, 3.0), file(0.02, 0.4));
    let mut all = Vec::new();
    for i in 0..20 {
        let expected = -38.0 + i as f64;
        let short_term = eleven.over(0..(i + 1) * 600).max_short_term_lufs();
        all.push(reading("3341-11", short_term, expected, 0.1));
        let momentary = fourteen.over(0..(i + 1) * 80).max_momentary_lufs();
        all.push(reading("3341-14", momentary, expected, 0.1));
    }
    all
}

/// 3342, tests 1 to 4, at a tenth of the document's tolerance.
pub fn range_3342(rate: SampleRate) -> Vec<Reading> {
    let cases: [(&str, &[f64], f64); 4] = [
        ("3342-1", &[-20.0, -30.0], 10.0),
        ("3342-2", &[-20.0, -15.0], 5.0),
        ("3342-3", &[-40.0, -20.0], 20.0),
        ("3342-4", &[-50.0, -35.0, -20.0, -35.0, -50.0], 15.0),
    ];
    let measure = |levels: &[f64]| {
        let levels: Vec<(f64, f64)> = levels.iter().map(|&level| (20.0, level)).collect();
        stereo_loudness(rate, &levels).summary().range_lu
    };
    cases.iter().map(|(case, levels, lu)| reading(case, measure(levels), *lu, 0.1)).collect()
}

pub fn true_peak_dbtp(rate: SampleRate, filter: PeakFilter, signal: &[f32]) -> f64 {
    let mut meter = TruePeakMeter::new(rate, 1, filter);
    meter.push(&[signal]);
    meter.finish().dbtp
}

/// A signal of 3341 tests 15 to 23, the sample peak its official file has, and the true peak expected.
pub struct PeakCase {
    pub case: &'static str,
    pub signal: Vec<f32>,
    pub sample_peak_dbfs: f64,
    pub expected_dbtp: f64,
}

pub fn true_peak_3341(rate: SampleRate) -> Vec<PeakCase> {
    let steady = [
        ("3341-15", 4.0, 0.5, 0.0, -6.0, -6.0),
        ("3341-16", 4.0, 0.5, 45.0, -9.01, -6.0),
        ("3341-17", 6.0, 0.5, 60.0, -7.25, -6.0),
        ("3341-18", 8.0, 0.5, 67.5, -6.69, -6.0),
        ("3341-19", 4.0, 1.41, 45.0, 0.0, 3.0),
    ];
    let mut all: Vec<PeakCase> = steady
        .into_iter()
        .map(|(case, divisor, amplitude, degrees, sample_peak_dbfs, expected_dbtp)| PeakCase {
            case,
            signal: faded_sine(rate, divisor, amplitude, degrees),
            sample_peak_dbfs,
            expected_dbtp,
        })
        .collect();
    let oversampled = burst_at_four_times(rate);
    let offsets = [("3341-20", -0.13), ("3341-21", -0.46), ("3341-22", -2.51), ("3341-23", -0.46)];
    for (offset, (case, sample_peak_dbfs)) in offsets.into_iter().enumerate() {
        let signal = oversampled.iter().skip(offset).step_by(4).copied().collect();
        all.push(PeakCase { case, signal, sample_peak_dbfs, expected_dbtp: 0.0 });
    }
    all
}

/// Half a second at fs / divisor, 10 ms faded in and out.
fn faded_sine(rate: SampleRate, divisor: f64, amplitude: f64, degrees: f64) -> Vec<f32> {
    let frames = rate.get() as usize / 2;
    let fade = (rate.hz() * 0.01).round();
    let at = |i: usize| {
        let edge = (i.min(frames - 1 - i) as f64 / fade).min(1.0);
        let phase = math::TAU * i as f64 / divisor + degrees.to_radians();
        (edge * amplitude * math::sin(phase)) as f32
    };
    (0..frames).map(at).collect()
}

/// fs/6 at 0.5 with one period of fs/4 at 1.0 in its middle, at 4 fs, low-passed for the way down.
fn burst_at_four_times(rate: SampleRate) -> Vec<f32> {
    let periods = rate.get() as usize / 24;
    let mut wave: Vec<f64> = Vec::new();
    for period in 0..periods {
        let (length, amplitude) = if period == periods / 2 { (16, 1.0) } else { (24, 0.5) };
        let at = |i: usize| amplitude * math::sin(math::TAU * i as f64 / length as f64);
        wave.extend((0..length).map(at));
    }
    let fade = rate.hz() * 0.04;
    let frames = wave.len();
    for (i, x) in wave.iter_mut().enumerate() {
        *x *= (i.min(frames - 1 - i) as f64 / fade).min(1.0);
    }
    low_passed(&wave)
}

/// To a quarter of the rate's half, by a windowed sinc of 257 taps.
fn low_passed(wave: &[f64]) -> Vec<f32> {
    const HALF: isize = 128;
    let tap = |k: isize| {
        let t = k as f64 / 4.0;
        let sinc = if k == 0 { 1.0 } else { math::sin(math::PI * t) / (math::PI * t) };
        let hann = 0.5 + 0.5 * math::cos(math::PI * k as f64 / (HALF + 1) as f64);
        sinc * hann / 4.0
    };
    let taps: Vec<f64> = (-HALF..=HALF).map(tap).collect();
    (0..wave.len() as isize)
        .map(|n| {
            let products = taps.iter().zip(n - HALF..).map(|(tap, i)| {
                usize::try_from(i).ok().and_then(|i| wave.get(i)).map_or(0.0, |x| tap * x)
            });
            products.sum::<f64>() as f32
        })
        .collect()
}

/// Lowest and highest error of the long filter on sines of 0 dBFS from 997 Hz to 0.45 fs, phases all round.
/// The simple fractions of the rate are the hard ones: they meet the same few points in every period.
pub fn phase_sweep(rate: SampleRate) -> (f64, f64) {
    const PHASES: u32 = 37;
    let evenly =
        (0..=40).map(|i| 997.0 / rate.hz() + f64::from(i) / 40.0 * (0.45 - 997.0 / rate.hz()));
    let fractions =
        [1.0 / 8.0, 1.0 / 6.0, 1.0 / 5.0, 1.0 / 4.0, 1.0 / 3.0, 3.0 / 8.0, 0.4, 3.0 / 7.0, 0.45];
    let mut errors = (f64::INFINITY, f64::NEG_INFINITY);
    for share in evenly.chain(fractions) {
        for phase in 0..PHASES {
            let start = math::TAU * f64::from(phase) / f64::from(PHASES);
            let at = |i: usize| math::sin(start + math::TAU * share * i as f64);
            // the ends are faded, or the sudden start would overshoot
            let edge = |i: usize| (i.min(2_999 - i) as f64 / 600.0).min(1.0);
            let signal: Vec<f32> = (0..3_000).map(|i| (edge(i) * at(i)) as f32).collect();
            let error = true_peak_dbtp(rate, PeakFilter::Long, &signal);
            errors = (errors.0.min(error), errors.1.max(error));
        }
    }
    errors
}

pub fn sample_peak_dbfs(signal: &[f32]) -> f64 {
    gain_to_db(f64::from(signal.iter().fold(0.0f32, |peak, x| peak.max(x.abs()))))
}
