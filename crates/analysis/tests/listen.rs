//! Levels, dynamics and the listeners.

use proptest::prelude::*;
use topdown_analysis::levels::LevelMeter;
use topdown_analysis::{MixListener, MixMeasurements, TrackListener, TrackMeasurements};
use topdown_dsp::math;
use topdown_units::{SampleRate, db_to_gain};

const RATE: SampleRate = SampleRate::STUDIO;

fn sine(seconds: f64, hz: f64, amplitude: f64) -> Vec<f32> {
    let at = |i: usize| amplitude * math::sin(math::TAU * hz * i as f64 / RATE.hz());
    (0..(seconds * RATE.hz()) as usize).map(|i| at(i) as f32).collect()
}

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

fn track(planes: &[&[f32]]) -> TrackMeasurements {
    let mut listener = TrackListener::new(RATE, planes.len());
    listener.push(planes);
    listener.finish()
}

fn mix(planes: &[&[f32]]) -> MixMeasurements {
    let mut listener = MixListener::new(RATE, planes.len());
    listener.push(planes);
    listener.finish()
}

#[test]
fn a_sine_has_the_levels_that_it_must_have() {
    let sound = track(&[&sine(12.0, 1_000.0, 0.5)]).sound;
    assert!((sound.levels.sample_peak_dbfs + 6.02).abs() < 0.01, "{:?}", sound.levels);
    assert!((sound.levels.rms_dbfs + 9.03).abs() < 0.01);
    assert!((sound.dynamics.crest_db.unwrap() - 3.01).abs() < 0.01);
    assert!(sound.dynamics.dr_db.unwrap().abs() < 0.01, "TT: a sine has DR 0");
    // -6.02 dBTP less (-6.02 - 3.01) LUFS for one channel
    assert!((sound.dynamics.plr_lu.unwrap() - 3.01).abs() < 0.03);
    assert!((sound.dynamics.psr_min_lu.unwrap() - 3.01).abs() < 0.03);
    assert!((sound.duration_s - 12.0).abs() < 1e-9);
}

#[test]
fn dc_is_read_for_each_channel() {
    let left: Vec<f32> = sine(1.0, 100.0, 0.1).iter().map(|x| x + 0.02).collect();
    let right = sine(1.0, 100.0, 0.1);
    let dc = mix(&[&left, &right]).levels.dc;
    assert!((dc[0] - 0.02).abs() < 1e-4 && dc[1].abs() < 1e-4, "{dc:?}");
}

#[test]
fn runs_at_full_scale_are_clipping_and_single_peaks_are_not() {
    let mut sound = vec![0.1f32; 96_000];
    sound[1_000] = 1.0;
    sound[2_000..2_002].fill(-1.0);
    sound[48_000..48_005].fill(1.0);
    sound[48_100..48_104].fill(-0.999_97);
    sound[95_990..].fill(1.0);
    let levels = track(&[&sound]).sound.levels;
    assert_eq!((levels.clipped_runs, levels.clipped_samples), (3, 19));
    let starts: Vec<f64> = levels.clipped_spans.iter().map(|span| span.start_s).collect();
    assert_eq!(starts.len(), 2, "runs 2 ms apart are one span: {starts:?}");
    assert!((starts[0] - 1.0).abs() < 1e-6 && (starts[1] - 95_990.0 / 48e3).abs() < 1e-6);
}

#[test]
fn the_loud_part_alone_decides_the_lowest_psr() {
    // squashed and loud for 10 s, then very quiet and squashed more, then peaky
    let mut sound = sine(10.0, 1_000.0, 0.4);
    sound.extend(sine(10.0, 1_000.0, 0.01));
    let mut peaky = sine(10.0, 1_000.0, 0.3);
    peaky.iter_mut().step_by(12_000).for_each(|x| *x = 0.95);
    sound.extend(peaky);
    let dynamics = mix(&[&sound, &sound]).dynamics;
    // stereo: S is 3 LU above that of one channel, so a sine has a PSR of 0
    assert!(dynamics.psr_min_lu.unwrap().abs() < 0.1, "{dynamics:?}");
    assert!(dynamics.psr_min_at_s.unwrap() <= 7.0, "{dynamics:?}");
}

#[test]
fn dr_takes_the_second_highest_peak_over_the_loudest_fifth() {
    let mut sound = sine(30.0, 1_000.0, 0.1);
    sound[10] = 1.0;
    sound[200_000] = 0.5;
    let dr = track(&[&sound]).sound.dynamics.dr_db.unwrap();
    assert!((dr - 13.98).abs() < 0.02, "0.5 over 0.1: {dr}");
}

#[test]
fn digital_silence_is_counted_and_a_silent_track_reads_as_silence() {
    let mut sound = sine(1.0, 1_000.0, 0.5);
    sound.extend(vec![0.0; 144_000]);
    assert!((track(&[&sound]).sound.levels.silent_share - 0.75).abs() < 0.001);
    let silent = track(&[&vec![0.0; 96_000], &vec![0.0; 96_000]]);
    assert_eq!(silent.sound.summary.integrated_lufs, f64::NEG_INFINITY);
    assert_eq!(silent.sound.dynamics.plr_lu, None);
    assert_eq!(silent.sound.stereo.as_ref().unwrap().whole, None);
    assert!(silent.active_spans.is_empty());
    let json = serde_json::to_string(&silent).unwrap();
    let back: TrackMeasurements = serde_json::from_str(&json).unwrap();
    assert_eq!(back, silent);
}

#[test]
fn broken_samples_are_counted_and_the_rest_is_heard() {
    let clean = noise(96_000, 4);
    let mut broken = clean.clone();
    broken[500] = f32::NAN;
    broken[600] = f32::INFINITY;
    broken[700] = -3e30;
    let read = mix(&[&broken, &clean]);
    assert_eq!(read.broken_samples, 3);
    let json = serde_json::to_string(&read).unwrap();
    assert!(!json.contains("NaN") && !json.contains("inf"));
    broken[700] = 0.0;
    let read = mix(&[&broken, &clean]);
    let whole = mix(&[&clean, &clean]);
    let off = read.summary.integrated_lufs - whole.summary.integrated_lufs;
    assert!(off.abs() < 0.01, "{off}");
}

#[test]
fn lowest_correlation_finds_the_three_seconds_that_turn_over() {
    let left = noise(48_000 * 12, 6);
    let mut right = left.clone();
    right[48_000 * 3..48_000 * 6].iter_mut().for_each(|x| *x = -*x);
    let stereo = mix(&[&left, &right]).stereo.unwrap();
    assert!((stereo.lowest_correlation.unwrap() + 1.0).abs() < 1e-6, "{stereo:?}");
    assert!((stereo.whole.unwrap().correlation - 0.5).abs() < 0.02, "{stereo:?}");
}

#[test]
fn a_trial_reads_what_the_full_listener_reads() {
    let (left, right) = (noise(480_000, 11), noise(480_000, 12));
    // white noise is the worst case; a one-pole at 4 kHz makes it fall off as music does
    let fall_off = |noise: &[f32]| {
        let low = noise.iter().scan(0.0f32, |y, x| {
            *y += 0.4 * (x - *y);
            Some(*y)
        });
        low.collect::<Vec<f32>>()
    };
    for (left, right, tolerance_db) in
        [(fall_off(&left), fall_off(&right), 0.15), (left.clone(), right.clone(), 1.0)]
    {
        let full = mix(&[&left, &right]);
        let mut trial = MixListener::trial(RATE, 2);
        trial.push(&[&left, &right]);
        let trial = trial.finish();
        assert_eq!((trial.summary, &trial.spectrum), (full.summary, &full.spectrum));
        let off = trial.true_peak.dbtp - full.true_peak.dbtp;
        assert!(off.abs() < tolerance_db, "{off} dB");
    }
}

#[test]
fn too_few_planes_and_no_frames_are_no_reason_to_fail() {
    let mut listener = MixListener::new(RATE, 2);
    listener.push(&[&[0.5; 100]]);
    listener.push(&[]);
    listener.push(&[&[], &[]]);
    assert_eq!(listener.finish().duration_s, 0.0);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(8))]

    #[test]
    fn however_the_blocks_are_cut_every_figure_is_the_same(
        cuts in prop::collection::vec(1usize..9_000, 1..30),
        hz in prop::sample::select(vec![8_000u32, 11_025, 44_100, 48_000, 96_000]),
    ) {
        let rate = SampleRate::new(hz).unwrap();
        let frames = hz as usize * 4;
        let (left, right) = (noise(frames, 1), noise(frames, 2));
        let mut whole = MixListener::new(rate, 2);
        whole.push(&[&left, &right]);
        let mut cut_up = MixListener::new(rate, 2);
        let mut start = 0;
        for cut in cuts.iter().copied().chain([frames]) {
            let end = (start + cut).min(frames);
            cut_up.push(&[&left[start..end], &right[start..end]]);
            start = end;
        }
        prop_assert_eq!(whole.finish(), cut_up.finish());
    }

    #[test]
    fn a_gain_moves_every_level_by_just_that_gain(gain_db in -40.0f64..20.0) {
        let plain: Vec<f32> = noise(RATE.get() as usize * 5, 3).iter().map(|x| x * 0.1).collect();
        let gain = db_to_gain(gain_db) as f32;
        let louder: Vec<f32> = plain.iter().map(|x| x * gain).collect();
        let (quiet, loud) = (mix(&[&plain, &plain]), mix(&[&louder, &louder]));
        let moved = [
            loud.summary.integrated_lufs - quiet.summary.integrated_lufs,
            loud.true_peak.dbtp - quiet.true_peak.dbtp,
            loud.itu_dbtp - quiet.itu_dbtp,
            loud.levels.rms_dbfs - quiet.levels.rms_dbfs,
            loud.spectrum.thirds_db()[17] - quiet.spectrum.thirds_db()[17],
        ];
        for moved in moved {
            prop_assert!((moved - gain_db).abs() < 0.01, "{} for {}", moved, gain_db);
        }
    }
}

#[test]
fn the_level_meter_has_blocks_of_three_seconds_and_no_incomplete_one() {
    let mut meter = LevelMeter::new(RATE, 1);
    meter.push(&[&sine(8.0, 50.0, 0.5)]);
    let (_, blocks) = meter.finish();
    assert_eq!(blocks.len(), 2);
    assert!((blocks[1].channels[0].mean_square - 0.125).abs() < 1e-4);
}
