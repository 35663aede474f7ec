//! The loudness meter against the standards, a second implementation, and its own promises.

mod standards;

use ebur128::{EbuR128, Mode};
use proptest::prelude::*;
use standards::{RATES_HZ, rate, stereo_loudness};
use topdown_analysis::loudness::{Loudness, LoudnessMeter, MONO_AT_CENTRE_LU};
use topdown_units::{SampleRate, db_to_gain};

fn noise(frames: usize, mut seed: u64) -> Vec<f32> {
    (0..frames)
        .map(|_| {
            seed = seed
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1_442_695_040_888_963_407);
            (seed >> 40) as f32 / 8_388_608.0 - 1.0
        })
        .collect()
}

/// Noise whose level wanders, so that gates and range have something to do.
fn programme(rate: SampleRate, seconds: usize, seed: u64) -> Vec<f32> {
    let levels = [0.1, 0.02, 0.3, 0.0003, 0.1, 0.05, 0.0, 0.2];
    let per_level = rate.get() as usize * 3;
    let noise = noise(rate.get() as usize * seconds, seed);
    noise.iter().enumerate().map(|(i, x)| x * levels[i / per_level % levels.len()]).collect()
}

fn loudness(rate: SampleRate, planes: &[&[f32]]) -> Loudness {
    let mut meter = LoudnessMeter::new(rate, planes.len());
    meter.push(planes);
    meter.finish()
}

#[test]
fn every_synthesised_case_of_3341_reads_within_a_tenth_of_a_lu_at_four_rates() {
    for hz in RATES_HZ {
        for reading in standards::loudness_3341(rate(hz)) {
            assert!(reading.passes(), "{hz} Hz: {reading:?}");
        }
    }
}

#[test]
fn every_synthesised_case_of_3342_reads_within_a_tenth_of_a_lu_at_four_rates() {
    for hz in RATES_HZ {
        for reading in standards::range_3342(rate(hz)) {
            assert!(reading.passes(), "{hz} Hz: {reading:?}");
        }
    }
}

#[test]
fn the_alignment_tone_of_the_recommendation_reads_minus_3_01() {
    let tone: Vec<f32> = (0..480_000)
        .map(|i| {
            topdown_dsp::math::sin(topdown_dsp::math::TAU * 997.0 * f64::from(i) / 48e3) as f32
        })
        .collect();
    let silence = vec![0.0; tone.len()];
    let read = loudness(SampleRate::STUDIO, &[&tone, &silence]).whole().integrated_lufs();
    assert!((read + 3.01).abs() < 0.01, "{read}");
}

#[test]
fn a_second_implementation_reads_the_same() {
    for hz in [44_100, 48_000, 96_000] {
        let (left, right) = (programme(rate(hz), 60, 7), programme(rate(hz), 60, 8));
        let ours = loudness(rate(hz), &[&left, &right]).whole().summary();
        let mode = Mode::I | Mode::M;
        let mut oracle = EbuR128::new(2, hz, mode).unwrap();
        let mut momentary = f64::NEG_INFINITY;
        let hop = hz as usize / 100;
        for (l, r) in left.chunks(hop).zip(right.chunks(hop)) {
            oracle.add_frames_planar_f32(&[l, r]).unwrap();
            momentary = momentary.max(oracle.loudness_momentary().unwrap());
        }
        let integrated = oracle.loudness_global().unwrap();
        assert!((ours.integrated_lufs - integrated).abs() < 0.01, "{ours:?}, I {integrated}");
        assert!((ours.max_momentary_lufs - momentary).abs() < 0.01, "{ours:?}, M {momentary}");
    }
}

/// The other implementation reads S every second, we every 100 ms: a slow ramp gives both the same.
#[test]
fn a_second_implementation_reads_the_same_range() {
    let rate = SampleRate::STUDIO;
    let ramp = |i: usize| db_to_gain(-45.0 + i as f64 / 48e3 * 0.3) as f32;
    let sound: Vec<f32> =
        noise(48_000 * 90, 5).iter().enumerate().map(|(i, x)| x * ramp(i)).collect();
    let ours = loudness(rate, &[&sound]).whole().range_lu();
    let mut oracle = EbuR128::new(1, rate.get(), Mode::LRA).unwrap();
    oracle.add_frames_planar_f32(&[&sound]).unwrap();
    let theirs = oracle.loudness_range().unwrap();
    assert!((ours - theirs).abs() < 0.2, "{ours} and {theirs}");
}

#[test]
fn a_span_reads_what_its_sound_alone_reads() {
    let levels = [(4.0, -30.0), (5.0, -20.0), (4.0, -40.0)];
    let whole = stereo_loudness(SampleRate::STUDIO, &levels);
    let read = whole.over(420..880).integrated_lufs();
    assert!((read + 20.0).abs() < 0.02, "{read}");
    assert_eq!(whole.over(5_000..9_000).integrated_lufs(), f64::NEG_INFINITY);
}

#[test]
fn a_mono_track_at_the_centre_gains_three_lu() {
    let tone = standards::tone(SampleRate::STUDIO, &[(5.0, -20.0)]);
    let alone = loudness(SampleRate::STUDIO, &[&tone]).whole().integrated_lufs();
    let centred = loudness(SampleRate::STUDIO, &[&tone, &tone]).whole().integrated_lufs();
    assert!((centred - alone - MONO_AT_CENTRE_LU).abs() < 1e-6);
}

#[test]
fn silence_after_sound_is_silence_and_nan_leaves_no_mark() {
    let mut planes = standards::tone(SampleRate::STUDIO, &[(4.0, 0.0)]);
    planes[100] = f32::NAN;
    planes.resize(48_000 * 20, 0.0);
    let read = loudness(SampleRate::STUDIO, &[&planes]);
    assert_eq!(read.over(1_600..2_000).max_momentary_lufs(), f64::NEG_INFINITY);
    assert!((read.over(100..400).integrated_lufs() + 3.01).abs() < 0.05);
}

#[test]
fn no_sound_and_hardly_any_sound_are_silent_not_errors() {
    for frames in [0, 1, 479, 480, 19_199] {
        let read = loudness(SampleRate::STUDIO, &[&vec![0.5; frames]]).summary();
        assert_eq!(read.integrated_lufs, f64::NEG_INFINITY, "{frames} frames");
        assert_eq!(read.range_lu, 0.0);
    }
    let json = serde_json::to_string(&loudness(SampleRate::STUDIO, &[&[]]).summary()).unwrap();
    let back: topdown_analysis::loudness::LoudnessSummary = serde_json::from_str(&json).unwrap();
    assert_eq!(back.integrated_lufs, f64::NEG_INFINITY);
}

#[test]
fn active_spans_follow_the_playing_and_ignore_bleed() {
    let levels =
        [(5.0, -70.0), (4.0, -20.0), (0.5, -80.0), (4.0, -20.0), (6.0, -70.0), (3.0, -25.0)];
    let spans = stereo_loudness(SampleRate::STUDIO, &levels).active_spans();
    assert_eq!(spans.len(), 2, "{spans:?}");
    for (span, (start_s, end_s)) in spans.iter().zip([(5.0, 13.5), (19.5, 22.5)]) {
        let off = (span.start_s - start_s).abs().max((span.end_s - end_s).abs());
        assert!(off < 0.5, "{spans:?}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn however_the_blocks_are_cut_the_reading_is_the_same(
        cuts in prop::collection::vec(1usize..3_000, 1..40),
        hz in prop::sample::select(vec![8_000u32, 11_025, 22_050, 44_100, 48_000]),
    ) {
        let (left, right) = (noise(40_000, 1), noise(40_000, 2));
        let whole = loudness(rate(hz), &[&left, &right]);
        let mut meter = LoudnessMeter::new(rate(hz), 2);
        let mut start = 0;
        for cut in cuts.iter().copied().chain([40_000]) {
            let end = (start + cut).min(40_000);
            meter.push(&[&left[start..end], &right[start..end]]);
            start = end;
        }
        prop_assert_eq!(whole, meter.finish());
    }

    #[test]
    fn a_gain_moves_the_reading_by_just_that_gain(gain_db in -60.0f64..20.0) {
        let plain: Vec<f32> = noise(96_000, 3).iter().map(|x| x * 0.1).collect();
        let gain = db_to_gain(gain_db) as f32;
        let louder: Vec<f32> = plain.iter().map(|x| x * gain).collect();
        let read = |x: &[f32]| loudness(SampleRate::STUDIO, &[x]).whole().mean_lufs();
        prop_assert!((read(&louder) - read(&plain) - gain_db).abs() < 0.01);
    }
}
