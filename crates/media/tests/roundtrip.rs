//! What is written comes back: every format, depth and channel count, by our own readers.
#![allow(clippy::unwrap_used, clippy::print_stderr, reason = "a test stops at the first surprise")]

use std::path::Path;
use topdown_media::write::{Bext, Depth, Dithering, Format, Loudness, Spec, Writer};
use topdown_media::{Cache, Part, Source, Tags, open};
use topdown_units::SampleRate;

fn rate(hz: u32) -> SampleRate {
    SampleRate::new(hz).unwrap()
}

/// A tone and a little noise that differ per channel, within ±0.5.
fn sound(frames: usize, channels: u16, rate: SampleRate) -> Vec<Vec<f32>> {
    let mut seed = 1u32;
    (0..channels)
        .map(|c| {
            (0..frames)
                .map(|i| {
                    seed = seed.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                    let noise = f64::from(seed >> 8) / f64::from(1 << 24) - 0.5;
                    let tone = topdown_dsp::math::sin(
                        std::f64::consts::TAU * (300.0 + 200.0 * f64::from(c)) * i as f64
                            / rate.hz(),
                    );
                    (0.4 * tone + 0.05 * noise) as f32
                })
                .collect()
        })
        .collect()
}

fn write(path: &Path, spec: &Spec, planes: &[Vec<f32>]) {
    let mut writer = Writer::create(path, spec).unwrap();
    let frames = planes[0].len();
    let mut at = 0;
    // Blocks of uneven length, as a renderer may give them.
    for block in [1usize, 7, 960, 1152, 4096].iter().cycle() {
        if at >= frames {
            break;
        }
        let end = (at + block).min(frames);
        let views: Vec<&[f32]> = planes.iter().map(|p| &p[at..end]).collect();
        writer.write(&views).unwrap();
        at = end;
    }
    let written = writer.finish().unwrap();
    assert_eq!(written.clipped, 0);
}

fn read(path: &Path, cache: &Cache) -> Vec<Vec<f32>> {
    let file = open(path).unwrap();
    assert!(file.notes().is_empty(), "{path:?}: {:?}", file.notes());
    let mut reader = file.reader(cache).unwrap();
    let mut planes = vec![vec![0f32; reader.frames() as usize]; reader.channels()];
    let mut views: Vec<&mut [f32]> = planes.iter_mut().map(|p| &mut p[..]).collect();
    let frames = reader.read(0, &mut views).unwrap();
    assert_eq!(frames as u64, reader.frames());
    planes
}

fn worst(a: &[Vec<f32>], b: &[Vec<f32>]) -> f32 {
    assert_eq!(a.len(), b.len(), "channels");
    a.iter()
        .zip(b)
        .map(|(a, b)| {
            assert_eq!(a.len(), b.len(), "frames");
            a.iter().zip(b).map(|(x, y)| (x - y).abs()).fold(0.0, f32::max)
        })
        .fold(0.0, f32::max)
}

#[test]
fn lossless_formats_give_back_every_sample_to_half_a_step() {
    let dir = tempfile::tempdir().unwrap();
    let cache = Cache::new(dir.path().join("cache"), 1 << 30);
    for (format, name) in
        [(Format::Wav, "a.wav"), (Format::Aiff, "a.aif"), (Format::Flac, "a.flac")]
    {
        for depth in [Depth::Int16, Depth::Int24, Depth::Float32] {
            for channels in [1u16, 2, 5] {
                for frames in [0usize, 1, 9_973] {
                    if format == Format::Flac && (depth == Depth::Float32 || frames == 0) {
                        continue;
                    }
                    let path = dir.path().join(name);
                    let mut spec = Spec::new(format, rate(44_100), channels);
                    (spec.depth, spec.dithering) = (depth, Dithering::Off);
                    let planes = sound(frames, channels, spec.rate);
                    write(&path, &spec, &planes);
                    let file = open(&path).unwrap();
                    assert_eq!((file.info().channels, file.info().rate), (channels, spec.rate));
                    if frames == 0 {
                        continue;
                    }
                    let tolerance = match depth {
                        Depth::Int16 => 0.5001 / 32768.0,
                        Depth::Int24 => 0.501 / 8_388_608.0,
                        Depth::Float32 => 0.0,
                    };
                    let error = worst(&planes, &read(&path, &cache));
                    assert!(
                        error <= tolerance,
                        "{format:?} {depth:?} {channels} channels, {frames} frames: {error:e}"
                    );
                }
            }
        }
    }
}

#[test]
fn lossy_formats_give_back_the_exact_length_in_the_right_place() {
    let dir = tempfile::tempdir().unwrap();
    let cache = Cache::new(dir.path().join("cache"), 1 << 30);
    for channels in [1u16, 2] {
        for frames in [1usize, 959, 960, 1_152, 48_000, 50_001] {
            for (format, name, tolerance) in [
                (Format::Mp3 { kbps: 320 }, "a.mp3", 0.1),
                (Format::Opus { kbps: 192 }, "a.opus", 0.12),
            ] {
                let path = dir.path().join(name);
                let spec = Spec::new(format, rate(48_000), channels);
                let planes = sound(frames, channels, spec.rate);
                write(&path, &spec, &planes);
                let back = read(&path, &cache);
                assert_eq!(back[0].len(), frames, "{format:?}, {channels} channels");
                if frames >= 48_000 {
                    let error = worst(&planes, &back);
                    assert!(
                        error < tolerance,
                        "{format:?}, {channels} channels, {frames} frames: {error}"
                    );
                }
            }
        }
    }
}

#[test]
fn rates_that_a_lossy_format_lacks_are_converted() {
    let dir = tempfile::tempdir().unwrap();
    let cache = Cache::new(dir.path().join("cache"), 1 << 30);
    for (format, name, from, to) in [
        (Format::Opus { kbps: 128 }, "a.opus", 44_100, 48_000),
        (Format::Mp3 { kbps: 192 }, "a.mp3", 96_000, 48_000),
        (Format::Mp3 { kbps: 192 }, "b.mp3", 88_200, 44_100),
    ] {
        let path = dir.path().join(name);
        let spec = Spec::new(format, rate(from), 2);
        write(&path, &spec, &sound(from as usize, 2, spec.rate));
        let info = open(&path).unwrap().info().clone();
        assert_eq!(info.rate, rate(to));
        assert_eq!(read(&path, &cache)[0].len(), to as usize);
    }
}

#[test]
fn texts_survive_in_every_format() {
    let dir = tempfile::tempdir().unwrap();
    let text = |s: &str| Some(s.to_owned());
    let tags = Tags {
        title: text("Prüfung 試"),
        artist: text("Die A & B"),
        album: text("Alb"),
        date: text("2026"),
        genre: text("Dub"),
        comment: text("loud <b>"),
        ..Tags::default()
    };
    for (format, name) in [
        (Format::Wav, "a.wav"),
        (Format::Aiff, "a.aif"),
        (Format::Flac, "a.flac"),
        (Format::Mp3 { kbps: 128 }, "a.mp3"),
        (Format::Opus { kbps: 96 }, "a.opus"),
    ] {
        let path = dir.path().join(name);
        let mut spec = Spec::new(format, rate(48_000), 2);
        spec.tags = tags.clone();
        write(&path, &spec, &sound(4_800, 2, spec.rate));
        let mut found = open(&path).unwrap().info().tags.clone();
        found.originator = None;
        assert_eq!(found, tags, "{format:?}");
    }
}

#[test]
fn broadcast_wave_carries_time_loudness_and_track_names() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("a.wav");
    let mut spec = Spec::new(Format::Wav, rate(48_000), 2);
    spec.tags.track_names = vec!["Left & more".to_owned(), "Right".to_owned()];
    spec.bext = Some(Bext {
        description: "A take".to_owned(),
        originator: "Topdown".to_owned(),
        time_reference: 172_800_000,
        ..Bext::default()
    });
    let mut writer = Writer::create(&path, &spec).unwrap();
    let planes = sound(100, 2, spec.rate);
    writer.write(&[&planes[0], &planes[1]]).unwrap();
    writer.set_loudness(Loudness {
        integrated_lufs: -18.25,
        range_lu: 6.5,
        true_peak_dbtp: -1.0,
        momentary_lufs: -12.0,
        short_term_lufs: -14.0,
    });
    writer.finish().unwrap();
    let info = open(&path).unwrap().info().clone();
    assert_eq!(info.time_reference, Some(172_800_000));
    assert_eq!(info.tags.description.as_deref(), Some("A take"));
    assert_eq!(info.tags.track_names, ["Left & more", "Right"]);
    let bytes = std::fs::read(&path).unwrap();
    let bext = bytes.windows(4).position(|w| w == b"bext").unwrap() + 8;
    assert_eq!(bytes[bext + 346..bext + 348], 2u16.to_le_bytes());
    assert_eq!(bytes[bext + 412..bext + 414], (-1825i16).to_le_bytes());
}

#[test]
fn the_session_hears_one_rate_and_mono_where_it_is_mono() {
    let dir = tempfile::tempdir().unwrap();
    let cache = Cache::new(dir.path().join("cache"), 1 << 30);
    let path = dir.path().join("a.wav");
    let mut spec = Spec::new(Format::Wav, rate(44_100), 2);
    spec.dithering = Dithering::Off;
    let one = sound(44_100, 1, spec.rate).remove(0);
    let silent = vec![0.0; one.len()];
    for (left, right, part) in [
        (&one, &one, Part::Channel(0)),
        (&one, &silent, Part::Channel(0)),
        (&silent, &one, Part::Channel(1)),
    ] {
        write(&path, &spec, &[left.clone(), right.clone()]);
        let source = Source::open(&path, rate(48_000), &cache).unwrap();
        assert_eq!((source.part(), source.channels(), source.frames()), (part, 1, 48_000));
        assert!(
            source.notes().iter().any(|n| n.text.contains("used as mono")),
            "{:?}",
            source.notes()
        );
        let again = Source::open_part(&path, part, rate(48_000), &cache).unwrap();
        assert_eq!(again.channels(), 1);
    }
    let two = sound(4_410, 2, spec.rate);
    write(&path, &spec, &two);
    let source = Source::open(&path, rate(44_100), &cache).unwrap();
    assert_eq!((source.part(), source.channels(), source.frames()), (Part::All, 2, 4_410));
}

#[test]
fn many_channels_are_tracks_unless_a_surround_layout_is_declared() {
    let dir = tempfile::tempdir().unwrap();
    let cache = Cache::new(dir.path().join("cache"), 1 << 30);
    let path = dir.path().join("a.wav");
    let mut spec = Spec::new(Format::Wav, rate(48_000), 6);
    (spec.depth, spec.dithering) = (Depth::Float32, Dithering::Off);
    let planes = sound(500, 6, spec.rate);
    write(&path, &spec, &planes);
    assert!(Source::open(&path, spec.rate, &cache).is_err());
    let parts = Source::open_all(&path, spec.rate, &cache).unwrap();
    assert_eq!(parts.len(), 6);
    let mut plane = vec![0f32; 500];
    parts[3].reader().read(0, &mut [&mut plane]).unwrap();
    assert_eq!(plane, planes[3]);

    // Declare 5.1 in the extensible header: left, right, centre, LFE, both surrounds.
    let mut bytes = std::fs::read(&path).unwrap();
    let fmt = bytes.windows(4).position(|w| w == b"fmt ").unwrap() + 8;
    bytes[fmt + 20..fmt + 24].copy_from_slice(&0x3fu32.to_le_bytes());
    std::fs::write(&path, bytes).unwrap();
    let folded = Source::open(&path, spec.rate, &cache).unwrap();
    assert_eq!((folded.part(), folded.channels()), (Part::Fold, 2));
    let (mut left, mut right) = (vec![0f32; 500], vec![0f32; 500]);
    folded.reader().read(0, &mut [&mut left, &mut right]).unwrap();
    let half = std::f32::consts::FRAC_1_SQRT_2;
    for i in 0..500 {
        let expected = planes[0][i] + half * planes[2][i] + half * planes[4][i];
        assert!((left[i] - expected).abs() < 1e-6);
    }
}

#[test]
fn the_cache_may_be_deleted_and_stays_within_its_budget() {
    let dir = tempfile::tempdir().unwrap();
    let folder = dir.path().join("cache");
    let path = |i: usize| dir.path().join(format!("{i}.flac"));
    let planes = sound(20_000, 1, rate(48_000));
    for i in 0..4 {
        let mut spec = Spec::new(Format::Flac, rate(48_000), 1);
        spec.tags.title = Some(i.to_string());
        write(&path(i), &spec, &planes);
    }
    // Each song by its own process: nothing of the others is in use.
    for i in 0..4 {
        let cache = Cache::new(&folder, 200_000);
        let source = Source::open(path(i), rate(48_000), &cache).unwrap();
        assert_eq!(source.frames(), 20_000);
    }
    let total: u64 =
        std::fs::read_dir(&folder).unwrap().map(|e| e.unwrap().metadata().unwrap().len()).sum();
    assert!(total <= 200_000, "{total}");
    std::fs::remove_dir_all(&folder).unwrap();
    let cache = Cache::new(&folder, 1 << 30);
    assert_eq!(Source::open(path(0), rate(48_000), &cache).unwrap().frames(), 20_000);
}

#[test]
fn a_file_that_changes_while_it_is_read_is_an_error_that_names_it() {
    let dir = tempfile::tempdir().unwrap();
    let cache = Cache::new(dir.path().join("cache"), 1 << 30);
    let path = dir.path().join("kick.wav");
    let spec = Spec::new(Format::Wav, rate(48_000), 1);
    write(&path, &spec, &sound(48_000, 1, spec.rate));
    let mut reader = open(&path).unwrap().reader(&cache).unwrap();
    let mut plane = vec![0f32; 1_000];
    assert_eq!(reader.read(0, &mut [&mut plane]).unwrap(), 1_000);
    std::fs::File::options().write(true).open(&path).unwrap().set_len(5_000).unwrap();
    let error = reader.read(40_000, &mut [&mut plane]).unwrap_err().to_string();
    assert!(error.contains("kick.wav") && error.contains("changed"), "{error}");
    reader.close();
    assert!(reader.read(0, &mut [&mut plane]).is_err());
    std::fs::remove_file(&path).unwrap();
    assert!(reader.read(0, &mut [&mut plane]).unwrap_err().to_string().contains("kick.wav"));
}
