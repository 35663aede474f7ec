//! A 4.3 GB RF64 streams in little memory. A process of its own, because memory is counted per process.
#![allow(clippy::unwrap_used, clippy::print_stderr, reason = "a test stops at the first surprise")]

use std::fs::File;
use std::io::Write as _;
use topdown_media::{Cache, Container, open};

/// The most memory this process ever had, in MB, where the system tells.
fn peak_mb() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find(|l| l.starts_with("VmHWM:"))?;
    line.split_whitespace().nth(1)?.parse::<u64>().ok().map(|kb| kb / 1024)
}

#[test]
fn a_file_beyond_four_gigabytes_is_read_to_its_last_frame_in_little_memory() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("long.wav");
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
    let mut file = File::create(&path).unwrap();
    file.write_all(&head).unwrap();
    // Sparse: only the last frame is on the disk.
    file.set_len(head.len() as u64 + data - 6).unwrap();
    let mut file = File::options().append(true).open(&path).unwrap();
    file.write_all(&[0, 0, 0x40, 0, 0, 0xc0]).unwrap();

    let audio = open(&path).unwrap();
    assert_eq!((audio.info().container, audio.info().frames), (Container::Rf64, Some(frames)));
    let mut reader = audio.reader(&Cache::new(dir.path().join("cache"), 0)).unwrap();
    let (mut left, mut right) = (vec![9f32; 1 << 16], vec![9f32; 1 << 16]);
    // Some of the start, then far seeks, then everything behind 4 GB.
    for at in (0..200)
        .map(|i| i << 16)
        .chain([1 << 28, 1 << 29])
        .chain((680_000_000..frames).step_by(1 << 16))
    {
        let got = reader.read(at, &mut [&mut left, &mut right]).unwrap();
        assert_eq!(got as u64, (frames - at).min(1 << 16));
        if at + (got as u64) < frames {
            assert!(left.iter().chain(&right).all(|x| *x == 0.0));
        } else {
            assert_eq!((left[got - 1], right[got - 1]), (0.5, -0.5));
        }
    }
    assert_eq!(reader.read(frames, &mut [&mut left, &mut right]).unwrap(), 0);
    if let Some(mb) = peak_mb() {
        assert!(mb < 150, "{mb} MB");
    }
}
