//! Sound that lies in the cache: it may vanish and comes back, and it is what the recording holds.
#![allow(clippy::unwrap_used, reason = "a test stops at the first surprise")]

use flac_codec::encode::{FlacSampleWriter, Options};
use std::path::{Path, PathBuf};
use topdown_media::write::{Format, Spec, Writer};
use topdown_media::{Cache, Reader, Severity, Source};
use topdown_units::SampleRate;

const FRAMES: usize = 30_000;

fn ramp() -> Vec<f32> {
    (0..FRAMES).map(|i| (i % 1_000) as f32 / 1_000.0 - 0.5).collect()
}

/// A FLAC of 44.1 kHz, one channel.
fn recording(folder: &Path) -> PathBuf {
    let path = folder.join("kick.flac");
    let mut writer = Writer::create(&path, &Spec::new(Format::Flac, SampleRate::CD, 1)).unwrap();
    writer.write(&[&ramp()]).unwrap();
    writer.finish().unwrap();
    path
}

fn some(reader: &mut dyn Reader) -> Result<Vec<f32>, String> {
    let mut plane = vec![9f32; 4_000];
    let got = reader.read(20_000, &mut [&mut plane]).map_err(|error| error.to_string())?;
    assert_eq!(got, plane.len());
    Ok(plane)
}

#[test]
fn a_cache_that_is_deleted_while_it_is_read_is_made_again_once() {
    for rate in [SampleRate::CD, SampleRate::STUDIO] {
        let dir = tempfile::tempdir().unwrap();
        let folder = dir.path().join("cache");
        let source =
            Source::open(recording(dir.path()), rate, &Cache::new(&folder, 1 << 30)).unwrap();
        let (mut early, mut late) = (source.reader(), source.reader());
        let before = some(early.as_mut()).unwrap();

        std::fs::remove_dir_all(&folder).unwrap();
        early.close();
        assert_eq!(some(early.as_mut()).unwrap(), before, "{rate}: a reader that was at work");
        assert_eq!(some(late.as_mut()).unwrap(), before, "{rate}: one that had not begun");

        // Cut instead of deleted, while it is open: one that was healed gives up and says what is gone.
        for entry in std::fs::read_dir(&folder).unwrap() {
            let file = std::fs::File::options().write(true).open(entry.unwrap().path()).unwrap();
            file.set_len(100).unwrap();
        }
        assert!(some(early.as_mut()).unwrap_err().contains("changed"));
        assert_eq!(some(source.reader().as_mut()).unwrap(), before, "{rate}: a new one");
    }
}

#[test]
fn a_recording_that_was_replaced_is_never_taken_for_the_one_that_was_opened() {
    let dir = tempfile::tempdir().unwrap();
    let folder = dir.path().join("cache");
    let path = recording(dir.path());
    let source = Source::open(&path, SampleRate::CD, &Cache::new(&folder, 1 << 30)).unwrap();
    std::fs::remove_dir_all(&folder).unwrap();
    let mut writer = Writer::create(&path, &Spec::new(Format::Flac, SampleRate::CD, 1)).unwrap();
    writer.write(&[&vec![0.25; FRAMES]]).unwrap();
    writer.finish().unwrap();
    let error = some(source.reader().as_mut()).unwrap_err();
    assert!(error.contains("kick.flac") && error.contains("changed"), "{error}");
    assert_eq!(std::fs::read_dir(&folder).unwrap().count(), 0, "nothing false was kept");
}

#[test]
fn a_deep_flac_whose_sound_does_not_match_its_checksum_says_so() {
    let dir = tempfile::tempdir().unwrap();
    let cache = Cache::new(dir.path().join("cache"), 1 << 30);
    let path = dir.path().join("deep.flac");
    let samples: Vec<i32> = (0..FRAMES as i32).map(|i| i.wrapping_mul(1_640_531_527)).collect();
    let file = std::fs::File::create(&path).unwrap();
    let mut writer = FlacSampleWriter::new(file, Options::default(), 48_000, 32, 1, None).unwrap();
    writer.write(&samples).unwrap();
    writer.finalize().unwrap();

    let warnings = |path: &Path| {
        let source = Source::open(path, SampleRate::STUDIO, &cache).unwrap();
        let mut notes = source.notes().to_vec();
        notes.retain(|note| note.severity == Severity::Warning);
        (source, notes)
    };
    let (source, notes) = warnings(&path);
    assert!(notes.is_empty(), "{notes:?}");
    let mut plane = vec![0f32; FRAMES];
    source.reader().read(0, &mut [&mut plane]).unwrap();
    assert!(plane.iter().zip(&samples).all(|(x, n)| *x == (f64::from(*n) / 2f64.powi(31)) as f32));

    // The checksum is the last 16 bytes of the first block: "fLaC", its header of 4, 18 bytes of facts.
    let mut bytes = std::fs::read(&path).unwrap();
    bytes[4 + 4 + 18] ^= 1;
    std::fs::write(&path, bytes).unwrap();
    let (_, notes) = warnings(&path);
    assert!(notes.iter().any(|note| note.text.contains("checksum")), "{notes:?}");
}
