//! Writes the files that fuzzing starts from: `fuzz_seeds FOLDER` makes `FOLDER/{wav,aiff,tags}`.
//!
//! A seed is what its target in `fuzz/` takes: one byte that chooses a start, then what follows that start. WAV,
//! AIFF and texts come from this crate's own writers, what it does not write is spelled out here.
#![allow(
    clippy::unwrap_used,
    clippy::print_stderr,
    reason = "a tool that stops at the first surprise"
)]

use std::path::Path;
use topdown_media::Tags;
use topdown_media::write::{Bext, Depth, Format, Spec, Writer};
use topdown_units::SampleRate;

const DEPTHS: [Depth; 3] = [Depth::Int16, Depth::Int24, Depth::Float32];

fn main() {
    let Some(folder) = std::env::args_os().nth(1) else {
        eprintln!("usage: fuzz_seeds FOLDER");
        std::process::exit(2);
    };
    let folder = Path::new(&folder);
    for target in ["wav", "aiff", "tags"] {
        std::fs::create_dir_all(folder.join(target)).unwrap();
    }
    let put = |target: &str, name: &str, kind: u8, rest: &[u8]| {
        std::fs::write(folder.join(target).join(name), [&[kind], rest].concat()).unwrap();
    };
    for (i, depth) in DEPTHS.into_iter().enumerate() {
        for channels in [1, 2, 6] {
            let name = format!("{i}-{channels}");
            let wav = written(Format::Wav, depth, channels);
            put("wav", &format!("riff-{name}"), 0, &wav[12..]);
            let aiff = written(Format::Aiff, depth, channels);
            put("aiff", &name, u8::from(depth == Depth::Float32), &aiff[12..]);
        }
    }
    let wave =
        [b"fmt \x10\0\0\0\x01\0\x01\0\x80\xbb\0\0\0\x77\x01\0\x02\0\x10\0", &DATA[..]].concat();
    for (kind, name) in [(1, "rf64"), (2, "bw64")] {
        put("wav", name, kind, &[&DS64[..], &wave].concat());
    }
    put("wav", "rifx", 3, RIFX);
    put("wav", "w64", 4, &w64());
    put("wav", "au", 5, AU);
    put("wav", "caf", 6, CAF);

    let wav = written(Format::Wav, Depth::Int16, 2);
    put("tags", "info", 0, &body_of(&wav, *b"LIST")[4..]);
    put("tags", "id3", 1, &written(Format::Mp3 { kbps: 32 }, Depth::Int16, 1)[3..400]);
    put("tags", "bext", 2, body_of(&wav, *b"bext"));
    put("tags", "ixml", 3, b"<NAME>Kick &amp; Sub</NAME></TRACK><TRACK><NAME>Sn</NAME></TRACK>");
}

/// A short file of ours with all texts, as bytes.
fn written(format: Format, depth: Depth, channels: u16) -> Vec<u8> {
    let text = |s: &str| Some(s.to_owned());
    let mut spec = Spec::new(format, SampleRate::STUDIO, channels);
    spec.depth = depth;
    spec.tags = Tags {
        title: text("Prüfung"),
        artist: text("Die A"),
        album: text("Alb"),
        date: text("2026"),
        genre: text("Dub"),
        comment: text("zu laut?"),
        track_names: (0..channels).map(|c| format!("Mic {c}")).collect(),
        ..Tags::default()
    };
    spec.bext = (format == Format::Wav).then(|| Bext { time_reference: 48_000, ..Bext::default() });
    let path = std::env::temp_dir().join(format!("topdown-seed-{}", std::process::id()));
    let planes = vec![vec![0.25f32; 8]; usize::from(channels)];
    let views: Vec<&[f32]> = planes.iter().map(Vec::as_slice).collect();
    let mut writer = Writer::create(&path, &spec).unwrap();
    writer.write(&views).unwrap();
    writer.finish().unwrap();
    let bytes = std::fs::read(&path).unwrap();
    std::fs::remove_file(&path).unwrap();
    bytes
}

/// The body of a chunk of a WAV.
fn body_of(wav: &[u8], id: [u8; 4]) -> &[u8] {
    let mut rest = &wav[12..];
    loop {
        let size = u32::from_le_bytes(*rest[4..].first_chunk().unwrap()) as usize;
        if rest[..4] == id {
            return &rest[8..8 + size];
        }
        rest = &rest[8 + size + (size & 1)..];
    }
}

const DATA: [u8; 16] = *b"data\x08\0\0\0\0\x20\0\x40\0\x60\0\x80";
/// Sizes in 64 bits (RIFF, data, frames), then an empty table.
const DS64: [u8; 36] =
    *b"ds64\x1c\0\0\0\x50\0\0\0\0\0\0\0\x08\0\0\0\0\0\0\0\x04\0\0\0\0\0\0\0\0\0\0\0";
const RIFX: &[u8] =
    b"fmt \0\0\0\x10\0\x01\0\x01\0\0\xbb\x80\0\x01\x77\0\0\x02\0\x10data\0\0\0\x08\x20\0\x40\0\x60\0\x80\0";
/// Offset, size, coding (16 bit), rate, channels, samples.
const AU: &[u8] = b"\0\0\0\x18\0\0\0\x08\0\0\0\x03\0\0\xbb\x80\0\0\0\x01\x20\0\x40\0\x60\0\x80\0";
/// 48 kHz as a double, linear PCM of 16 bit, one channel; then an edit count and samples.
const CAF: &[u8] = b"desc\0\0\0\0\0\0\0\x20\x40\xe7\x70\0\0\0\0\0lpcm\0\0\0\0\0\0\0\x02\0\0\0\x01\0\0\0\x01\0\0\0\x10\
    data\0\0\0\0\0\0\0\x0c\0\0\0\0\x20\0\x40\0\x60\0\x80\0";

/// What follows the first 16 bytes of a Wave64: its size, its type, its chunks, each named by 16 bytes.
fn w64() -> Vec<u8> {
    let chunk = |id: &[u8; 4], body: &[u8]| {
        let size = (24 + body.len() as u64).to_le_bytes();
        let mut bytes = [&guid(id), &size[..], body].concat();
        bytes.resize(bytes.len().next_multiple_of(8), 0);
        bytes
    };
    let fmt = b"\x01\0\x01\0\x80\xbb\0\0\0\x77\x01\0\x02\0\x10\0";
    let chunks = [chunk(b"fmt ", fmt), chunk(b"data", &DATA[8..])].concat();
    let size = (40 + chunks.len() as u64).to_le_bytes();
    [&size[..], &guid(b"wave"), &chunks].concat()
}

fn guid(id: &[u8; 4]) -> Vec<u8> {
    [&id[..], b"\xf3\xac\xd3\x11\x8c\xd1\0\xc0\x4f\x8e\xdb\x8a"].concat()
}
