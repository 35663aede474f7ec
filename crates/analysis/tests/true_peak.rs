//! The true-peak meter against the standard and against its own slow self.

mod standards;

use proptest::prelude::*;
use standards::{RATES_HZ, rate, sample_peak_dbfs, true_peak_dbtp};
use topdown_analysis::true_peak::{PeakFilter, TruePeakMeter};
use topdown_units::SampleRate;

#[test]
fn cases_15_to_23_of_3341_pass_with_every_filter_at_four_rates() {
    for hz in RATES_HZ {
        for case in standards::true_peak_3341(rate(hz)) {
            for filter in [PeakFilter::Long, PeakFilter::Short, PeakFilter::Itu] {
                let error = true_peak_dbtp(rate(hz), filter, &case.signal) - case.expected_dbtp;
                assert!((-0.4..=0.2).contains(&error), "{hz} {} {filter:?}: {error}", case.case);
            }
        }
    }
}

#[test]
fn the_made_signals_have_the_sample_peaks_of_the_official_files() {
    for case in standards::true_peak_3341(SampleRate::STUDIO) {
        let off = sample_peak_dbfs(&case.signal) - case.sample_peak_dbfs;
        assert!(off.abs() < 0.06, "{}: {off} dB off", case.case);
    }
}

#[test]
fn a_sine_of_any_phase_reads_within_0_05_above_and_0_15_below() {
    for hz in [44_100, 48_000, 96_000] {
        let (lowest, highest) = standards::phase_sweep(rate(hz));
        assert!(lowest >= -0.15 && highest <= 0.05, "{hz} Hz: {lowest} to {highest} dB");
    }
}

#[test]
fn a_full_scale_tone_at_a_quarter_of_the_rate_and_45_degrees_reads_3_01() {
    let signal: Vec<f32> = (0..48_000).map(|i| if i % 4 < 2 { 1.0 } else { -1.0 }).collect();
    let middle = |x: &[f32]| -> Vec<f32> {
        let edge = |i: usize| (i.min(x.len() - 1 - i) as f32 / 480.0).min(1.0);
        x.iter().enumerate().map(|(i, x)| x * edge(i)).collect()
    };
    let read = true_peak_dbtp(SampleRate::STUDIO, PeakFilter::Long, &middle(&signal));
    assert!((read - 3.01).abs() < 0.05, "{read}");
}

#[test]
fn a_peak_at_the_very_end_or_start_counts() {
    for at in [0, 999] {
        let mut signal = vec![0.0f32; 1_000];
        signal[at] = 0.5;
        let read = true_peak_dbtp(SampleRate::STUDIO, PeakFilter::Long, &signal);
        assert!((read + 6.02).abs() < 0.01, "{read}");
    }
    assert_eq!(true_peak_dbtp(SampleRate::STUDIO, PeakFilter::Long, &[]), f64::NEG_INFINITY);
}

#[test]
fn a_nan_is_not_heard() {
    let mut signal = vec![0.25f32; 4_800];
    signal[2_000] = f32::NAN;
    signal[3_000] = f32::INFINITY;
    let read = true_peak_dbtp(SampleRate::STUDIO, PeakFilter::Long, &signal);
    assert!(read.is_finite() && read > -12.1, "{read}");
}

/// The same filter applied everywhere, in `f64`, nothing skipped.
fn slow_reading(signal: &[f32]) -> f64 {
    let half = 32isize;
    let bessel = |x: f64| (1..60).rev().fold(1.0, |s, k| 1.0 + s * x * x / 4.0 / f64::from(k * k));
    let mut highest = signal.iter().fold(0.0f64, |peak, x| peak.max(f64::from(x.abs())));
    for phase in 1..8 {
        let tap = |k: isize| {
            let t = k as f64 - f64::from(phase) / 8.0;
            let pi_t = std::f64::consts::PI * t;
            topdown_dsp::math::sin(pi_t) / pi_t * bessel(9.0 * (1.0 - (t / 32.0).powi(2)).sqrt())
        };
        let taps: Vec<f64> = (1 - half..=half).map(tap).collect();
        let sum: f64 = taps.iter().sum();
        for n in -half..signal.len() as isize + half {
            let at = |i: isize| usize::try_from(i).ok().and_then(|i| signal.get(i)).copied();
            let products =
                taps.iter().zip(n + 1 - half..).map(|(h, i)| h * f64::from(at(i).unwrap_or(0.0)));
            highest = highest.max((products.sum::<f64>() / sum).abs());
        }
    }
    topdown_units::gain_to_db(highest)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(32))]

    #[test]
    fn skipping_groups_changes_nothing(
        mut signal in prop::collection::vec(-1.0f32..1.0, 1..1_500),
        loud_at in 0usize..1_500,
    ) {
        let length = signal.len();
        for (i, x) in signal.iter_mut().enumerate() {
            *x *= if i.abs_diff(loud_at % length) < 20 { 1.0 } else { 0.4 };
        }
        let read = true_peak_dbtp(SampleRate::STUDIO, PeakFilter::Long, &signal);
        prop_assert!((read - slow_reading(&signal)).abs() < 1e-4);
    }

    #[test]
    fn however_the_blocks_are_cut_the_reading_is_the_same(
        signal in prop::collection::vec(-1.0f32..1.0, 40_000..60_000),
        cut in 1usize..7_000,
    ) {
        let mut whole = TruePeakMeter::new(SampleRate::CD, 1, PeakFilter::Long);
        whole.push(&[&signal]);
        let mut cut_up = TruePeakMeter::new(SampleRate::CD, 1, PeakFilter::Long);
        signal.chunks(cut).for_each(|chunk| cut_up.push(&[chunk]));
        prop_assert_eq!(whole.finish(), cut_up.finish());
    }
}
