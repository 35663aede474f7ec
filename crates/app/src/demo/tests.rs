use super::*;
use std::sync::OnceLock;

fn shared() -> &'static Song {
    static SONG: OnceLock<Song> = OnceLock::new();
    SONG.get_or_init(song)
}

fn render(file_name: &str) -> DemoTrack {
    let index = FILE_NAMES.iter().position(|name| *name == file_name).unwrap();
    shared().render(index).unwrap()
}

fn correlation(a: &[f32], b: &[f32]) -> f64 {
    let dot = |a: &[f32], b: &[f32]| -> f64 {
        a.iter().zip(b).map(|(a, b)| f64::from(*a) * f64::from(*b)).sum()
    };
    dot(a, b) / (dot(a, a) * dot(b, b)).sqrt()
}

fn mean(plane: &[f32]) -> f64 {
    plane.iter().map(|x| f64::from(*x)).sum::<f64>() / plane.len() as f64
}

/// Power around `hz`, in dB.
fn band_db(plane: &[f32], hz: f64, q: f64, rate: f64) -> f64 {
    let mut band = plane.to_vec();
    let shape = synth::Shape::BandPass { hz, q };
    synth::filter(&mut band, &[shape, shape], rate);
    let power = band.iter().map(|x| f64::from(*x).powi(2)).sum::<f64>() / band.len() as f64;
    topdown_units::power_to_db(power)
}

fn frame(seconds: f64) -> usize {
    (seconds * f64::from(RATE_HZ)) as usize
}

/// The track as it was before the faults, at any level.
fn faultless(file_name: &str) -> Vec<Vec<f32>> {
    let index = FILE_NAMES.iter().position(|name| *name == file_name).unwrap();
    shared().play(index, f64::from(RATE_HZ))
}

#[test]
fn every_track_keeps_its_promised_length_rate_and_level() {
    let song = shared();
    for (index, name) in FILE_NAMES.iter().enumerate() {
        let track = song.render(index).unwrap();
        assert_eq!(track.file_name, *name);
        let is = |wanted: fn(&FaultKind) -> bool| faults_of(name).any(|fault| wanted(&fault.kind));
        let other = is(|kind| matches!(kind, FaultKind::OtherRate { .. }));
        assert_eq!((track.rate_hz, track.bits), if other { (44_100, 16) } else { (48_000, 24) });
        for plane in &track.planes {
            assert_eq!(plane.len(), (LENGTH_S * f64::from(track.rate_hz)) as usize, "{name}");
            assert!(plane.iter().all(|x| x.is_finite()), "{name} is not finite");
        }
        let peak_dbfs = topdown_units::gain_to_db(f64::from(synth::peak(&track.planes)));
        if is(|kind| matches!(kind, FaultKind::Silent)) {
            assert!(track.planes.iter().flatten().all(|x| *x == 0.0), "{name} is not silent");
        } else if is(|kind| matches!(kind, FaultKind::Clipped { .. })) {
            assert!((-0.001..=0.0).contains(&peak_dbfs), "{name}: {peak_dbfs}");
        } else {
            assert!((-24.0..=-3.0).contains(&peak_dbfs), "{name}: {peak_dbfs}");
        }
    }
    assert!(song.render(FILE_NAMES.len()).is_none());
}

#[test]
fn two_renders_are_the_same() {
    let again = song();
    for index in [0, 8, 11, 13, 15, 19] {
        let (first, second) = (shared().render(index), again.render(index));
        assert!(first.is_some() && first == second, "{}", FILE_NAMES[index]);
    }
}

#[test]
fn every_fault_names_a_file_and_a_span_of_the_song() {
    for fault in FAULTS {
        assert!(FILE_NAMES.contains(&fault.file), "{}", fault.file);
        let (from, to) = fault.span_s;
        assert!(0.0 <= from && from < to && to <= LENGTH_S, "{}", fault.file);
        assert!(!fault.what.is_empty() && !fault.noticed.is_empty());
        if matches!(fault.kind, FaultKind::Clipped { .. }) {
            let (begins, ends) = section_s(&SECTIONS[2]);
            assert!((from - begins).abs() < 1e-3 && (to - ends).abs() < 1e-3);
        }
    }
}

#[test]
fn the_snare_microphones_cancel_until_one_is_turned() {
    let (top, bottom) = (render("03 Snare Top.wav"), render("04 Snare Btm.wav"));
    let found = correlation(&top.planes[0], &bottom.planes[0]);
    assert!(found < -0.3, "correlation {found}");
}

#[test]
fn colour_faults_stand_out_of_the_clean_recording() {
    for (name, hz, q, elsewhere_hz, expected_db) in [
        ("08 OH.wav", 3_900.0, 3.0, 800.0, 5.0),
        ("14 Acoustic Gtr.wav", 180.0, 12.0, 1_000.0, 8.0),
    ] {
        let (found, clean) = (render(name), faultless(name));
        let tilt = |plane: &[f32]| {
            let rate = f64::from(RATE_HZ);
            band_db(plane, hz, q, rate) - band_db(plane, elsewhere_hz, q, rate)
        };
        let excess_db = tilt(&found.planes[0]) - tilt(&clean[0]);
        assert!(excess_db > expected_db, "{name}: {excess_db} dB");
    }
}

#[test]
fn the_hum_stands_alone_before_the_bass_enters() {
    let track = render("10 Bass DI.wav");
    let quiet = &track.planes[0][..frame(bar_s(2) - 0.1)];
    let rms = quiet.iter().map(|x| f64::from(*x).powi(2)).sum::<f64>() / quiet.len() as f64;
    let level_dbfs = topdown_units::power_to_db(rms);
    assert!((level_dbfs + 46.0).abs() < 0.2, "{level_dbfs} dBFS");
    let rate = f64::from(RATE_HZ);
    assert!(band_db(quiet, 50.0, 10.0, rate) > band_db(quiet, 75.0, 10.0, rate) + 15.0);
}

#[test]
fn the_converter_s_constant_is_there_and_nowhere_else() {
    assert!((mean(&render("13 Elec Gtr R.wav").planes[0]) - 0.02).abs() < 1e-3);
    assert!(mean(&render("12 Elec Gtr L.wav").planes[0]).abs() < 1e-3);
}

#[test]
fn the_loud_voice_is_cut_off_at_full_scale_in_the_chorus_only() {
    let track = render("21 BV 2.wav");
    let runs =
        |span: &[f32]| span.windows(3).filter(|w| w.iter().all(|x| x.abs() == FULL_SCALE)).count();
    let (from, to) = section_s(&SECTIONS[2]);
    assert!(runs(&track.planes[0][frame(from)..frame(to)]) > 100);
    assert_eq!(runs(&track.planes[0][..frame(from - 1.0)]), 0);
}

#[test]
fn the_shaker_is_one_channel_stored_twice_and_the_overheads_are_not() {
    let shaker = render("17 Shaker.wav");
    assert!(shaker.planes.len() == 2 && shaker.planes[0] == shaker.planes[1]);
    let overheads = render("08 OH.wav");
    assert!(correlation(&overheads.planes[0], &overheads.planes[1]) < 0.98);
}

#[test]
fn level_faults_are_what_separates_the_peaks_from_a_good_balance() {
    for (name, balanced) in FILE_NAMES.iter().zip(BALANCED_PEAK_DBFS) {
        let off_db = -balance_db(name);
        assert!(off_db.abs() <= 12.0, "{name}");
        if *name == "19 Lead Vox.wav" {
            assert!(off_db < -9.0);
            let peak = f64::from(synth::peak(&render(name).planes));
            assert!((topdown_units::gain_to_db(peak) - balanced - off_db).abs() < 0.01);
        }
    }
}

#[test]
fn the_bass_amplifier_speaks_later_than_its_di() {
    let (di, amp) = (faultless("10 Bass DI.wav"), faultless("11 Bass Amp.wav"));
    let first = |plane: &[f32]| {
        let top = synth::peak(&[plane.to_vec()]);
        plane.iter().position(|x| x.abs() > 0.02 * top).unwrap()
    };
    let later_s = (first(&amp[0]) as f64 - first(&di[0]) as f64) / f64::from(RATE_HZ);
    assert!((0.0006..0.004).contains(&later_s), "{later_s} s");
}

#[test]
fn the_overheads_hear_the_snare_after_its_own_microphone() {
    // Alone in bar 6, on its second beat.
    let from = frame(beat_s(21.0) - 0.02);
    let (top, overheads) = (faultless("03 Snare Top.wav"), faultless("08 OH.wav"));
    let loudest = |plane: &[f32]| {
        let span = &plane[from..from + frame(0.05)];
        let top = synth::peak(&[span.to_vec()]);
        span.iter().position(|x| x.abs() > 0.5 * top).unwrap()
    };
    let later_ms = (loudest(&overheads[0]) as f64 - loudest(&top[0]) as f64) / 48.0;
    assert!((1.5..5.0).contains(&later_ms), "{later_ms} ms");
}
