//! Writes the reference workload: 24 tracks of 24-bit WAV at 48 kHz, half mono, half stereo, and a session
//! with four EQ bands, a compressor and a fader a track, two bands and a compressor in each of five groups,
//! two bands, a compressor and the true-peak limiter on the bus.
//!
//! ```text
//! cargo run --release -p topdown-app --example bench_workload -- FOLDER [SECONDS] [TRACKS]
//! ```
#![allow(clippy::expect_used, missing_docs, reason = "a tool for the bench")]

use std::path::{Path, PathBuf};
use topdown_media::content_hash;
use topdown_media::write::{Format, Spec, Writer};
use topdown_session::store::Store;
use topdown_session::{
    Clip, Fades, FileId, ProcessorNode, Session, SourceFile, Strip, StripId, StripKind, Value,
    explain_by_hand,
};
use topdown_units::SampleRate;

const GROUPS: usize = 5;
const BLOCK: usize = 1 << 14;

fn main() {
    let mut args = std::env::args_os().skip(1);
    let folder =
        PathBuf::from(args.next().expect("usage: bench_workload FOLDER [SECONDS] [TRACKS]"));
    let mut number = |default: u64| {
        args.next().and_then(|a| a.to_string_lossy().parse().ok()).unwrap_or(default)
    };
    let (seconds, tracks) = (number(180), number(24) as usize);
    let audio = folder.join("tracks");
    std::fs::create_dir_all(&audio).expect("the folder can be made");
    let frames = seconds * 48_000;
    let mut session = session();
    for track in 0..tracks {
        let path = audio.join(format!("track-{track:02}.wav"));
        if !path.exists() {
            write_track(&path, track, frames);
        }
        add_track(&mut session, &path, track, frames);
    }
    let record = explain_by_hand(&mut session, &[]);
    let home = folder.join("reference.topdown");
    let _ = std::fs::remove_dir_all(&home);
    Store::create(&home, &session, record.into_iter().collect()).expect("the session can be saved");
}

fn session() -> Session {
    let mut session = Session::empty("reference workload", SampleRate::STUDIO);
    let limiter = ProcessorNode::new("limiter", "limiter").with("ceiling_dbtp", -1.0);
    session.strips[0].chain = vec![eq(2), compressor(), limiter];
    for group in 0..GROUPS {
        let id = StripId(format!("group-{group}"));
        let mut strip = Strip::new(id.clone(), StripKind::Group, id.as_str(), 2);
        strip.chain = vec![eq(2), compressor()];
        session.strips.push(strip);
    }
    session
}

fn add_track(session: &mut Session, path: &Path, track: usize, frames: u64) {
    let id = format!("track-{track:02}");
    let channels = 1 + track % 2;
    let mut strip = Strip::new(StripId(id.clone()), StripKind::Track, &id, channels);
    strip.output = Some(StripId(format!("group-{}", track % GROUPS)));
    strip.chain = vec![eq(4), compressor()];
    strip.fader_db = Value::Constant(-15.0 - (track % 8) as f64 / 2.0);
    let file = FileId(id.clone());
    let fades = Fades::default();
    let clip = Clip {
        file: file.clone(),
        channel: None,
        at_frame: 0,
        from_frame: 0,
        frames,
        gain_db: 0.0,
        fades,
    };
    strip.clips.push(clip);
    session.files.insert(
        file,
        SourceFile {
            path: format!("../tracks/{id}.wav"),
            hash: content_hash(path).expect("the track can be read").to_string(),
            sample_rate_hz: 48_000,
            channels: channels as u16,
            frames,
        },
    );
    session.strips.push(strip);
}

fn eq(bands: usize) -> ProcessorNode {
    (1..=bands).fold(ProcessorNode::new("eq", "eq"), |node, band| {
        node.with(&format!("band_{band}.on"), 1.0)
            .with(&format!("band_{band}.freq_hz"), 100.0 * 3f64.powi(band as i32))
            .with(&format!("band_{band}.gain_db"), if band % 2 == 0 { 2.0 } else { -3.0 })
    })
}

fn compressor() -> ProcessorNode {
    ProcessorNode::new("compressor", "compressor")
        .with("threshold_rel_db", -24.0)
        .with("ratio", 2.0)
}

/// Seeded noise bursts, two a second, so that compressors have work.
fn write_track(path: &Path, track: usize, frames: u64) {
    let channels = 1 + track % 2;
    let spec = Spec::new(Format::Wav, SampleRate::STUDIO, channels as u16);
    let mut writer = Writer::create(path, &spec).expect("the track can be written");
    let mut state = track as u64 * 77 + 1;
    let mut planes = vec![vec![0.0f32; BLOCK]; channels];
    let mut at = 0u64;
    while at < frames {
        let length = BLOCK.min((frames - at) as usize);
        for index in 0..length {
            let decay = 1.0 - ((at + index as u64) % 24_000) as f32 / 24_000.0;
            for plane in &mut planes {
                state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
                let noise = (state >> 40) as f32 / (1u64 << 23) as f32 - 1.0;
                plane[index] = noise * decay * 0.5;
            }
        }
        let block: Vec<&[f32]> = planes.iter().map(|plane| &plane[..length]).collect();
        writer.write(&block).expect("the track can be written");
        at += length as u64;
    }
    writer.finish().expect("the track can be written");
}
