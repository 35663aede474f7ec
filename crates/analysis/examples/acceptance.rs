//! The meters' rows of `docs/dsp/acceptance.md`: `cargo run -p topdown-analysis --example acceptance`.
//!
//! Each figure is the worst of all cases and rates, read now from the signals of the tests.
#![allow(clippy::print_stdout, reason = "an example for people")]

#[path = "../tests/standards/mod.rs"]
mod standards;

use standards::{RATES_HZ, Reading, rate, true_peak_dbtp};
use topdown_analysis::loudness::LoudnessMeter;
use topdown_analysis::true_peak::PeakFilter;
use topdown_units::{SampleRate, db_to_gain};

/// The reading that is furthest from what was expected.
fn worst(readings: impl Iterator<Item = Reading>) -> f64 {
    readings.map(|r| r.error()).max_by(|a, b| a.abs().total_cmp(&b.abs())).unwrap_or(0.0)
}

fn gain_linearity() -> f64 {
    let read = |level: f64| {
        let tone = standards::tone(SampleRate::STUDIO, &[(3.0, level)]);
        let mut meter = LoudnessMeter::new(SampleRate::STUDIO, 1);
        meter.push(&[&tone]);
        meter.finish().whole().mean_lufs()
    };
    let zero = read(0.0);
    let errors = (-60..=20).map(|db| read(f64::from(db)) - zero - f64::from(db));
    errors.max_by(|a, b| a.abs().total_cmp(&b.abs())).unwrap_or(0.0)
}

fn alignment() -> f64 {
    let tone = |level: f64| standards::stereo_loudness(SampleRate::STUDIO, &[(5.0, level)]);
    tone(-18.0).whole().integrated_lufs() + 18.0
}

fn peak_range(filter: PeakFilter, rates: &[u32]) -> (f64, f64) {
    let cases = rates.iter().flat_map(|&hz| {
        let cases = standards::true_peak_3341(rate(hz)).into_iter();
        cases.map(move |case| true_peak_dbtp(rate(hz), filter, &case.signal) - case.expected_dbtp)
    });
    cases.fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), e| (low.min(e), high.max(e)))
}

fn quarter_tone() -> f64 {
    let edge = |i: usize| (i.min(47_999 - i) as f64 / 480.0).min(1.0);
    let at =
        |i: usize| edge(i) * if i % 4 < 2 { db_to_gain(-3.010_3) } else { -db_to_gain(-3.010_3) };
    let signal: Vec<f32> = (0..48_000).map(|i| at(i) as f32).collect();
    true_peak_dbtp(SampleRate::STUDIO, PeakFilter::Long, &signal)
}

fn row(block: &str, test: &str, tolerance: &str, measured: &str, passes: bool) {
    let verdict = if passes { "pass" } else { "FAIL" };
    println!("| {block} | {test} | {tolerance} | {measured} | {verdict} |");
}

fn main() {
    println!("| block | test | tolerance | measured | |\n|---|---|---|---|---|");
    let loudness = worst(RATES_HZ.iter().flat_map(|&hz| standards::loudness_3341(rate(hz))));
    let cases = "EBU 3341 1-6, 9-14 at 44.1/48/88.2/96 kHz";
    row("loudness meter", cases, "±0.1 LU", &format!("{loudness:+.3} LU"), loudness.abs() <= 0.1);
    let error = alignment();
    row(
        "loudness meter",
        "1 kHz stereo at -18 dBFS reads -18 LUFS",
        "±0.1 LU",
        &format!("{error:+.3} LU"),
        error.abs() <= 0.1,
    );
    let error = gain_linearity();
    row(
        "loudness meter",
        "gain linearity, -60 to +20 dB",
        "±0.01 LU",
        &format!("{error:+.5} LU"),
        error.abs() <= 0.01,
    );
    let range = worst(RATES_HZ.iter().flat_map(|&hz| standards::range_3342(rate(hz))));
    row(
        "LRA",
        "EBU 3342 1-4 at 44.1/48/88.2/96 kHz",
        "±0.1 LU",
        &format!("{range:+.3} LU"),
        range.abs() <= 0.1,
    );
    for (filter, name) in
        [(PeakFilter::Long, "long"), (PeakFilter::Short, "short"), (PeakFilter::Itu, "ITU")]
    {
        let (low, high) = peak_range(filter, &RATES_HZ);
        let test = format!("EBU 3341 15-23 at 44.1/48/88.2/96 kHz, {name} filter");
        let passes = low >= -0.4 && high <= 0.2;
        row("true peak", &test, "+0.2/-0.4 dB", &format!("{high:+.3}/{low:+.3} dB"), passes);
    }
    for hz in [44_100, 48_000] {
        let (low, high) = standards::phase_sweep(rate(hz));
        let test = format!("phase sweep 997 Hz to 0.45 fs, {hz} Hz, long filter");
        let passes = low >= -0.15 && high <= 0.05;
        row("true peak", &test, "+0.05/-0.15 dB", &format!("{high:+.3}/{low:+.3} dB"), passes);
    }
    let error = quarter_tone();
    row(
        "true peak",
        "0 dBFS at fs/4, 45°",
        "+0.05/-0.15 dB",
        &format!("{error:+.3} dB"),
        (-0.15..=0.05).contains(&error),
    );
}
