//! Renders the reference workload and says where the time goes.
//!
//! ```text
//! cargo run --release -p topdown-engine --example bench_session -- FOLDER [SECONDS]
//! ```
//!
//! The folder is made if it is not there: 24 tracks of seeded noise bursts, 48 kHz, 24 bit, half mono, half
//! stereo. A track has an EQ of four bands, a compressor and a fader; a group (there are five) an EQ of two
//! bands and a compressor; the bus an EQ of two bands, a compressor and a limiter; kinds that this build
//! does not know are left out and named. Each variant is the median of seven interleaved runs.
#![allow(clippy::print_stdout, clippy::unwrap_used, missing_docs)]

use std::fs::File;
use std::io::{BufReader, BufWriter, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};
use topdown_dsp::Kind;
use topdown_engine::{
    ClipSource, CompileOptions, End, FeedError, RenderOptions, Sources, compile, render,
};
use topdown_session::{
    Clip, Fades, FileId, ProcessorNode, Session, SourceFile, Strip, StripKind, Value,
};
use topdown_units::SampleRate;

const TRACKS: usize = 24;
const GROUPS: usize = 5;
const RUNS: usize = 7;
const HEADER: u64 = 44;

fn main() {
    let mut args = std::env::args_os().skip(1);
    let folder = PathBuf::from(args.next().expect("usage: bench_session FOLDER [SECONDS]"));
    let seconds = args.next().map_or(180, |text| text.to_str().unwrap().parse().unwrap());
    let frames = seconds * 48_000;
    std::fs::create_dir_all(&folder).unwrap();
    for track in 0..TRACKS {
        make_wav(&path(&folder, track), track, frames);
    }
    let sources = Folder(folder);
    let full = session(frames, &["eq", "compressor", "limiter"]);
    let variants = [
        ("1 thread, decode, sum and faders", session(frames, &[]), 1),
        ("1 thread, with EQ", session(frames, &["eq"]), 1),
        ("1 thread, with EQ and compressors", session(frames, &["eq", "compressor"]), 1),
        ("1 thread, everything", full.clone(), 1),
        ("2 threads, decode, sum and faders", session(frames, &[]), 2),
        ("2 threads, everything", full, 2),
    ];
    let mut times = vec![Vec::new(); variants.len()];
    for _ in 0..RUNS {
        for (times, (_, session, threads)) in times.iter_mut().zip(&variants) {
            times.push(run(session, &sources, *threads));
        }
    }
    for (times, (name, ..)) in times.iter_mut().zip(&variants) {
        times.sort();
        let median = times[RUNS / 2];
        let real_time = seconds as f64 / median.as_secs_f64();
        println!("{name:36} {:7.3} s  {real_time:6.0} x real time", median.as_secs_f64());
    }
    println!("missing kinds: {:?}", missing());
}

fn missing() -> Vec<&'static str> {
    ["eq", "compressor", "limiter"].into_iter().filter(|id| Kind::by_id(id).is_none()).collect()
}

fn run(session: &Session, sources: &Folder, threads: usize) -> Duration {
    let start = Instant::now();
    let plan = compile(session, &CompileOptions::default()).unwrap();
    let options = RenderOptions { threads, end: End::Range, ..RenderOptions::whole(&plan) };
    // 24-bit bytes, as a print would have them, kept nowhere.
    let mut bytes = Vec::new();
    let mut check = 0_u64;
    let sink = |planes: &[&[f32]]| {
        bytes.clear();
        for frame in 0..planes[0].len() {
            for plane in planes {
                let value = (plane[frame].clamp(-1.0, 1.0) * 8_388_607.0) as i32;
                bytes.extend_from_slice(&value.to_le_bytes()[..3]);
            }
        }
        check = check.wrapping_add(bytes.iter().map(|byte| u64::from(*byte)).sum::<u64>());
        Ok::<(), ()>(())
    };
    let report = render(&plan, sources, &options, |_, _| {}, sink).unwrap();
    assert!(report.frames > 0 && check > 0);
    start.elapsed()
}

fn session(frames: u64, kinds: &[&str]) -> Session {
    let mut session = Session::empty("reference workload", SampleRate::STUDIO);
    let chain = |bands: usize, kinds: &[&str]| -> Vec<ProcessorNode> {
        let known = kinds.iter().filter_map(|id| Kind::by_id(id));
        known.map(|kind| node(kind, bands)).collect()
    };
    let of = |wanted: &[&'static str]| -> Vec<&str> {
        wanted.iter().copied().filter(|id| kinds.contains(id)).collect()
    };
    session.strips[0].chain = chain(2, &of(&["eq", "compressor", "limiter"]));
    for group in 0..GROUPS {
        let id = format!("group-{group}");
        let mut strip = Strip::new(id.as_str().into(), StripKind::Group, &id, 2);
        strip.chain = chain(2, &of(&["eq", "compressor"]));
        session.strips.push(strip);
    }
    for track in 0..TRACKS {
        let id = format!("track-{track:02}");
        let channels = 1 + track % 2;
        let mut strip = Strip::new(id.as_str().into(), StripKind::Track, &id, channels);
        strip.output = Some(format!("group-{}", track % GROUPS).as_str().into());
        strip.chain = chain(4, &of(&["eq", "compressor"]));
        strip.fader_db = Value::Constant(-12.0 - track as f64 / 8.0);
        let file = FileId(id.clone());
        strip.clips.push(Clip {
            file: file.clone(),
            channel: None,
            at_frame: 0,
            from_frame: 0,
            frames,
            gain_db: 0.0,
            fades: Fades::default(),
        });
        let source = SourceFile {
            path: format!("{id}.wav"),
            hash: id,
            sample_rate_hz: 48_000,
            channels: channels as u16,
            frames,
        };
        session.files.insert(file, source);
        session.strips.push(strip);
    }
    session
}

/// A processor with so many EQ bands at work and the rest at its defaults.
fn node(kind: &Kind, bands: usize) -> ProcessorNode {
    let mut node = ProcessorNode::new(kind.id, kind.id);
    for band in 1..=bands {
        let on = format!("band_{band}.on");
        if kind.param(&on).is_some() {
            node = node.with(&on, 1.0);
        }
        let gain = format!("band_{band}.gain_db");
        if kind.param(&gain).is_some() {
            node = node.with(&gain, if band % 2 == 0 { 2.0 } else { -3.0 });
        }
    }
    if kind.param("threshold_rel_db").is_some() {
        node = node.with("threshold_rel_db", -24.0);
    }
    node
}

fn path(folder: &Path, track: usize) -> PathBuf {
    folder.join(format!("track-{track:02}.wav"))
}

fn make_wav(path: &Path, track: usize, frames: u64) {
    let channels = 1 + (track % 2) as u64;
    let bytes = frames * channels * 3;
    if std::fs::metadata(path).is_ok_and(|data| data.len() == HEADER + bytes) {
        return;
    }
    let mut file = BufWriter::new(File::create(path).unwrap());
    file.write_all(b"RIFF").unwrap();
    file.write_all(&(36 + bytes as u32).to_le_bytes()).unwrap();
    file.write_all(b"WAVEfmt \x10\0\0\0\x01\0").unwrap();
    file.write_all(&(channels as u16).to_le_bytes()).unwrap();
    file.write_all(&48_000_u32.to_le_bytes()).unwrap();
    file.write_all(&(48_000 * channels as u32 * 3).to_le_bytes()).unwrap();
    file.write_all(&(channels as u16 * 3).to_le_bytes()).unwrap();
    file.write_all(&24_u16.to_le_bytes()).unwrap();
    file.write_all(b"data").unwrap();
    file.write_all(&(bytes as u32).to_le_bytes()).unwrap();
    let mut state = track as u64 * 77 + 1;
    for frame in 0..frames {
        // Bursts twice a second, so that compressors have work.
        let decay = 24_000 - frame % 24_000;
        for _ in 0..channels {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            let value = (state >> 40) as i64 - (1 << 23);
            let value = (value * decay as i64 / 24_000 / 2) as i32;
            file.write_all(&value.to_le_bytes()[..3]).unwrap();
        }
    }
    file.flush().unwrap();
}

struct Folder(PathBuf);

impl Sources for Folder {
    fn open(&self, file: &FileId, _: Option<u16>) -> Result<Box<dyn ClipSource>, FeedError> {
        let path = self.0.join(format!("{file}.wav"));
        let error = |error: std::io::Error| FeedError {
            file: path.display().to_string(),
            reason: error.to_string(),
        };
        let file = File::open(&path).map_err(error)?;
        let reader = BufReader::with_capacity(1 << 16, file);
        Ok(Box::new(Wav { reader, at: None, bytes: Vec::new(), path }))
    }
}

struct Wav {
    reader: BufReader<File>,
    at: Option<u64>,
    bytes: Vec<u8>,
    path: PathBuf,
}

impl ClipSource for Wav {
    fn read(&mut self, at_frame: u64, out: &mut [&mut [f32]]) -> Result<usize, FeedError> {
        let error = |error: std::io::Error| FeedError {
            file: self.path.display().to_string(),
            reason: error.to_string(),
        };
        let channels = out.len();
        let frames = out[0].len();
        if self.at != Some(at_frame) {
            let place = HEADER + at_frame * channels as u64 * 3;
            self.reader.seek(SeekFrom::Start(place)).map_err(error)?;
        }
        self.bytes.resize(frames * channels * 3, 0);
        self.reader.read_exact(&mut self.bytes).map_err(error)?;
        self.at = Some(at_frame + frames as u64);
        for (channel, plane) in out.iter_mut().enumerate() {
            let samples = self.bytes.chunks_exact(3).skip(channel).step_by(channels);
            for (out, b) in plane.iter_mut().zip(samples) {
                let value = i32::from_le_bytes([0, b[0], b[1], b[2]]);
                *out = value as f32 * (1.0 / 2_147_483_648.0);
            }
        }
        Ok(frames)
    }
}
