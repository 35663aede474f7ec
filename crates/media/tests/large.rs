//! A 4.3 GB RF64 streams in little memory. A process of its own, because memory is counted per process.
//!
//! Its landmarks are read by every run of the tests, all of it by `cargo xtask withstand`.
#![allow(clippy::unwrap_used, clippy::print_stderr, reason = "a test stops at the first surprise")]

use std::fs::File;
use std::io::Write as _;
use std::path::Path;
use topdown_media::{Cache, Container, open};

/// The most memory this process ever had, in MB, where the system tells.
fn peak_mb() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find(|l| l.starts_with("VmHWM:"))?;
    line.split_whitespace().nth(1)?.parse::<u64>().ok().map(|kb| kb / 1024)
}

/// A sparse RF64 of silence whose last frame is (0.5, -0.5), and its frames.
fn long_file(path: &Path) -> u64 {
    let frames = 4_300_000_002u64 / 6;
    let data = frames * 6;
    let mut head = b"RF64\xff\xff\xff\xffWAVEds64\x1c\0\0\0".to_vec();
    for n in [data + 72, data, frames] {
        head.extend(n.to_le_bytes());
    }
    head.extend([0; 4]);
    head.extend(
        b"fmt \x10\0\0\0\x01\0\x02\0\x80\xbb\0\0\0\x65\x04\0\x06\0\x18\0data\xff\xff\xff\xff",
    );
    let mut file = File::create(path).unwrap();
    file.write_all(&head).unwrap();
    file.set_len(head.len() as u64 + data - 6).unwrap();
    let mut file = File::options().append(true).open(path).unwrap();
    file.write_all(&[0, 0, 0x40, 0, 0, 0xc0]).unwrap();
    frames
}

/// Reads a block at each of `places`, and holds it to what [`long_file`] wrote.
fn read_at(places: impl Iterator<Item = u64>, dir: &Path, frames: u64) {
    let audio = open(dir.join("long.wav")).unwrap();
    assert_eq!((audio.info().container, audio.info().frames), (Container::Rf64, Some(frames)));
    let mut reader = audio.reader(&Cache::new(dir.join("cache"), 0)).unwrap();
    let (mut left, mut right) = (vec![9f32; BLOCK], vec![9f32; BLOCK]);
    let mut seen = 0;
    for at in places {
        let got = reader.read(at, &mut [&mut left, &mut right]).unwrap();
        assert_eq!(got as u64, (frames - at).min(BLOCK as u64));
        let end = at + got as u64 == frames;
        let silent = got - usize::from(end);
        assert!(left[..silent].iter().chain(&right[..silent]).all(|x| *x == 0.0));
        if end {
            assert_eq!((left[silent], right[silent]), (0.5, -0.5));
            seen += 1;
        }
    }
    assert_eq!(seen, 1, "the last frame was read");
    assert_eq!(reader.read(frames, &mut [&mut left, &mut right]).unwrap(), 0);
    if let Some(mb) = peak_mb() {
        eprintln!("{mb} MB");
        assert!(mb < 150, "{mb} MB");
    }
}

const BLOCK: usize = 1 << 16;

#[test]
fn a_file_beyond_four_gigabytes_is_read_to_its_last_frame_in_little_memory() {
    let dir = tempfile::tempdir().unwrap();
    let frames = long_file(&dir.path().join("long.wav"));
    // Some of the start, then far seeks, then everything behind 4 GB.
    let behind = (680_000_000..frames).step_by(BLOCK);
    read_at((0..200).map(|i| i << 16).chain([1 << 28, 1 << 29]).chain(behind), dir.path(), frames);
}

#[test]
#[ignore = "takes a while; `cargo xtask withstand` runs it"]
fn every_frame_of_a_file_of_four_gigabytes_is_read_in_little_memory() {
    let dir = tempfile::tempdir().unwrap();
    let frames = long_file(&dir.path().join("long.wav"));
    read_at((0..frames).step_by(BLOCK), dir.path(), frames);
}
