//! Damaged files of every format: seeded byte flips and cuts. Nothing panics, nothing hangs, nothing grows
//! beyond what the file can hold, and every error names its file.
#![allow(clippy::unwrap_used, clippy::print_stderr, reason = "a test stops at the first surprise")]

use std::path::Path;
use topdown_media::write::{Bext, Depth, Format, Spec, Writer};
use topdown_media::{Cache, Source, Tags, open};
use topdown_units::SampleRate;

const FRAMES: usize = 3_000;

fn tags() -> Tags {
    let text = |s: &str| Some(s.to_owned());
    Tags {
        title: text("T"),
        artist: text("A"),
        comment: text("C"),
        track_names: vec!["L".into(), "R".into()],
        ..Tags::default()
    }
}

fn make(path: &Path, format: Format, depth: Depth) -> Vec<u8> {
    let mut spec = Spec::new(format, SampleRate::STUDIO, 2);
    spec.depth = depth;
    spec.tags = tags();
    spec.bext = Some(Bext { description: "D".into(), ..Bext::default() });
    let plane: Vec<f32> = (0..FRAMES).map(|i| (i % 100) as f32 / 200.0 - 0.25).collect();
    let mut writer = Writer::create(path, &spec).unwrap();
    writer.write(&[&plane, &plane]).unwrap();
    writer.finish().unwrap();
    std::fs::read(path).unwrap()
}

struct Random(u64);

impl Random {
    fn below(&mut self, n: usize) -> usize {
        self.0 =
            self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) as usize % n.max(1)
    }
}

fn damage(bytes: &mut Vec<u8>, round: usize, random: &mut Random) {
    if round % 4 == 3 {
        bytes.truncate(random.below(bytes.len()));
    }
    for _ in 0..=round % 7 {
        // Half of the rounds aim at the header.
        let reach = if round.is_multiple_of(2) { bytes.len() } else { bytes.len().min(256) };
        let (at, bit) = (random.below(reach), random.below(8));
        let value = random.below(4);
        if let Some(b) = bytes.get_mut(at) {
            *b = [0, 255, 127, *b ^ 1 << bit][value];
        }
    }
}

#[test]
fn damaged_files_end_in_an_error_that_names_them_or_in_a_bounded_sound() {
    let dir = tempfile::tempdir().unwrap();
    let cache = Cache::new(dir.path().join("cache"), 1 << 20);
    let kinds = [
        ("a.wav", Format::Wav, Depth::Int24, 300),
        ("b.wav", Format::Wav, Depth::Float32, 300),
        ("c.aiff", Format::Aiff, Depth::Int16, 300),
        ("d.aiff", Format::Aiff, Depth::Float32, 300),
        ("e.flac", Format::Flac, Depth::Int16, 150),
        ("f.mp3", Format::Mp3 { kbps: 128 }, Depth::Int16, 100),
        ("g.opus", Format::Opus { kbps: 96 }, Depth::Int16, 100),
    ];
    let mut random = Random(1);
    let (mut opened, mut refused) = (0, 0);
    for (name, format, depth, rounds) in kinds {
        let path = dir.path().join(name);
        let whole = make(&path, format, depth);
        for round in 0..rounds {
            let mut bytes = whole.clone();
            damage(&mut bytes, round, &mut random);
            std::fs::write(&path, &bytes).unwrap();
            let result = open(&path).and_then(|file| {
                // Same rate as the file: what is tried is reading, not resampling.
                Source::open_all(&path, file.info().rate, &cache)
            });
            match result {
                Ok(sources) => {
                    opened += 1;
                    let frames = sources.first().map_or(0, Source::frames);
                    assert!(
                        frames <= 8 * bytes.len() as u64 * 100,
                        "{name}, round {round}: {frames} frames of {} bytes",
                        bytes.len()
                    );
                    let mut plane = vec![0f32; 4_096];
                    let mut other = plane.clone();
                    let mut reader = sources[0].reader();
                    let got = reader
                        .read(frames.saturating_sub(100), &mut [&mut plane, &mut other])
                        .unwrap();
                    assert!(got as u64 <= frames && plane.iter().all(|x| x.is_finite()));
                }
                Err(error) => {
                    refused += 1;
                    assert!(error.to_string().contains(name), "{error}");
                }
            }
        }
    }
    // The rounds must do both, or they try nothing.
    assert!(opened > 300 && refused > 100, "{opened} opened, {refused} refused");
}
