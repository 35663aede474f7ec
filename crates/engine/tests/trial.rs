//! The trial driver keeps its promises: it sounds like the whole, and costs only what is downstream.
#![allow(missing_docs, clippy::unwrap_used, clippy::single_range_in_vec_init)]

mod common;

use common::{Memory, SECOND, Song, difference_dbfs, id, kinds, noise};
use std::sync::Arc;
use topdown_engine::{End, RenderOptions, Tap, TrialEngine};
use topdown_session::{ProcessorNode, Send, Session, StripKind, Value};

/// Four tracks in two groups with a return, EQ and compressors everywhere, a keyed one, a limiter on the bus.
/// ```text
/// kick ─┬ drums (comp) ──┬ bus (comp, limiter)
/// snare ┘   └ send ─ room┤
/// bass (comp, key kick) ─┤
/// keys ───── chords ─────┘
/// ```
fn song(seconds: usize) -> Song {
    let mut song = Song::new();
    let comp = || ProcessorNode::new("comp", "compressor").with("threshold_rel_db", -18.0);
    let eq = || {
        let eq = ProcessorNode::new("eq", "eq").with("band_1.on", 1.0);
        eq.with("band_1.gain_db", 4.0).with("band_1.freq_hz", 80.0)
    };
    let bus = &mut song.session.strips[0];
    bus.chain = vec![comp().with("release_ms", 300.0), ProcessorNode::new("limiter", "limiter")];
    let drums = song.strip("drums", StripKind::Group, 2);
    drums.chain = vec![eq(), comp()];
    let level_db = Value::Constant(-9.0);
    drums.sends = vec![Send { to: id("room"), level_db, tap: topdown_session::Tap::Post }];
    song.strip("room", StripKind::Return, 2).chain = vec![ProcessorNode::new("ring", "ring")];
    song.strip("chords", StripKind::Group, 2);
    for (at, (track, output)) in
        [("kick", "drums"), ("snare", "drums"), ("bass", "bus"), ("keys", "chords")]
            .iter()
            .enumerate()
    {
        // Bursts of noise, so that detectors have something to follow.
        let mut samples = noise(at as u64 + 1, seconds * SECOND);
        for (frame, x) in samples.iter_mut().enumerate() {
            *x *= 1.0 - ((frame + at * 7000) % 24_000) as f32 / 24_000.0;
        }
        song.track(track, output, vec![samples]).chain = vec![eq(), comp()];
    }
    song.get("bass").chain[1].key = Some(id("kick"));
    song
}

fn engine(song: &mut Song, budget: usize) -> TrialEngine {
    let sources = std::mem::take(&mut song.sources);
    let Memory { files, open } = &sources;
    song.sources = Memory { files: files.clone(), open: open.clone() };
    TrialEngine::with_kinds(Arc::new(sources), budget, kinds)
}

const MANY: usize = 1 << 30;

fn power_db(samples: &[f32]) -> f64 {
    let power = samples.iter().map(|x| f64::from(x * x)).sum::<f64>() / samples.len() as f64;
    topdown_units::power_to_db(power)
}

/// Band energies by a plain discrete Fourier transform of windows, in octaves.
fn bands_db(samples: &[f32]) -> Vec<f64> {
    const WINDOW: usize = 1024;
    let mut bands = [0.0_f64; 9];
    for window in samples.chunks_exact(WINDOW).step_by(8) {
        for bin in 1..WINDOW / 2 {
            let mut sum = (0.0, 0.0);
            for (n, x) in window.iter().enumerate() {
                let phase = std::f64::consts::TAU * ((bin * n) % WINDOW) as f64 / WINDOW as f64;
                let (sin, cos) = (topdown_dsp::math::sin(phase), topdown_dsp::math::cos(phase));
                sum = (sum.0 + f64::from(*x) * cos, sum.1 + f64::from(*x) * sin);
            }
            bands[bin.ilog2() as usize] += sum.0 * sum.0 + sum.1 * sum.1;
        }
    }
    bands.iter().map(|band| topdown_units::power_to_db(*band)).collect()
}

#[test]
fn an_excerpt_sounds_like_that_part_of_the_whole() {
    let mut song = song(8);
    let engine = engine(&mut song, MANY);
    let plan = song.plan();
    let whole =
        song.render_with(&plan, &RenderOptions { end: End::Range, ..RenderOptions::whole(&plan) });
    let span = 5 * SECOND as u64..6 * SECOND as u64;
    let trial = engine.render(&song.session, std::slice::from_ref(&span), &[]).unwrap();
    let excerpt = trial.output[0].audio();
    let part = &whole[0][span.start as usize..span.end as usize];
    assert_eq!(excerpt[0].len(), part.len());
    for (band, (a, b)) in bands_db(&excerpt[0]).iter().zip(bands_db(part)).enumerate() {
        assert!((a - b).abs() < 0.05, "octave {band}: {a} for {b}");
    }
    assert!(difference_dbfs(&excerpt[0], part) < -50.0);
    // From the very start there is nothing to run in: the same samples.
    let trial = engine.render(&song.session, &[0..48_000], &[]).unwrap();
    assert_eq!(trial.output[0].audio()[0], whole[0][..48_000]);
}

#[test]
fn a_change_renders_what_is_downstream_of_it_and_nothing_else() {
    let mut song = song(4);
    let engine = engine(&mut song, MANY);
    let spans = [0..48_000, 96_000..144_000];
    let cost = |session: &Session| {
        let before = engine.strips_rendered();
        engine.render(session, &spans, &[]).unwrap();
        (engine.strips_rendered() - before) / spans.len() as u64
    };
    assert_eq!(cost(&song.session), 8, "everything");
    assert_eq!(cost(&song.session), 0, "nothing");
    song.get("keys").chain[0].values.insert("band_1.gain_db".into(), Value::Constant(1.0));
    assert_eq!(cost(&song.session), 3, "the track, its group, the bus");
    song.get("keys").fader_db = Value::Constant(-3.0);
    assert_eq!(cost(&song.session), 2, "a fader does not run its own chain again");
    song.get("drums").fader_db = Value::Constant(-3.0);
    assert_eq!(cost(&song.session), 2, "the return and the bus");
    song.get("kick").clips[0].gain_db = -1.0;
    assert_eq!(cost(&song.session), 5, "the track, its group, the return, whom it keys, the bus");
    song.session.strips[0].chain[0].values.insert("ratio".into(), Value::Constant(4.0));
    assert_eq!(cost(&song.session), 1, "the bus");
    song.session.strips[0].chain[1].values.insert("lookahead_ms".into(), Value::Constant(5.0));
    assert_eq!(cost(&song.session), 1, "a change of latency leaves what is upstream");
    song.get("keys").name = "Rhodes".to_owned();
    assert_eq!(cost(&song.session), 0, "a name makes no sound");
    song.session.files.get_mut(&"snare".into()).unwrap().hash = "another".to_owned();
    assert_eq!(cost(&song.session), 4, "another file");
}

#[test]
fn what_comes_from_the_cache_is_what_would_be_rendered() {
    let mut song = song(3);
    let warm = engine(&mut song, MANY);
    let span = 96_000..120_000;
    let render = |engine: &TrialEngine, session: &Session| {
        engine.render(session, std::slice::from_ref(&span), &[id("drums")]).unwrap()
    };
    let first = render(&warm, &song.session);
    song.get("snare").pan = Value::Constant(0.5);
    song.get("drums").fader_db = Value::Constant(-2.0);
    let second = render(&warm, &song.session);
    let cold = render(&engine(&mut song, MANY), &song.session);
    assert_eq!(second.output[0].audio(), cold.output[0].audio());
    assert_eq!(second.output[0].key, cold.output[0].key);
    assert_eq!(second.taps[0][0].audio(), cold.taps[0][0].audio());
    assert_ne!(first.output[0].key, second.output[0].key);
    assert_ne!(first.output[0].audio(), second.output[0].audio());
}

#[test]
fn the_cache_stays_within_its_budget_and_still_answers() {
    let mut song = song(3);
    let budget = 1 << 20;
    let small = engine(&mut song, budget);
    let large = engine(&mut song, MANY);
    for ratio in [2.0, 3.0, 4.0] {
        song.get("drums").chain[1].values.insert("ratio".into(), Value::Constant(ratio));
        let render = |engine: &TrialEngine| {
            engine.render(&song.session, &[0..48_000, 96_000..110_000], &[]).unwrap()
        };
        let (a, b) = (render(&small), render(&large));
        assert!(small.kept_bytes() <= budget, "{}", small.kept_bytes());
        assert_eq!(a.output[1].audio(), b.output[1].audio());
    }
    assert!(large.kept_bytes() > budget);
}

#[test]
fn candidates_on_two_threads_share_what_they_have_in_common() {
    let mut song = song(3);
    let engine = engine(&mut song, MANY);
    let candidates: Vec<_> = [2.0, 3.0, 4.0, 5.0]
        .iter()
        .map(|ratio| {
            song.session.strips[0].chain[0].values.insert("ratio".into(), Value::Constant(*ratio));
            song.session.clone()
        })
        .collect();
    std::thread::scope(|scope| {
        for half in candidates.chunks(2) {
            let engine = &engine;
            scope.spawn(move || {
                for session in half {
                    let spans = [96_000..120_000];
                    engine.render(session, &spans, &[]).unwrap();
                }
            });
        }
    });
    assert_eq!(engine.strips_rendered(), 7 + 4);
}

#[test]
fn gain_reduction_is_told_over_time() {
    let mut song = Song::new();
    let mut samples = vec![0.01; 4 * SECOND];
    samples[3 * SECOND..].fill(0.9);
    let track = song.track("a", "bus", vec![samples]);
    let comp = ProcessorNode::new("comp", "compressor").with("threshold_rel_db", -20.0);
    track.chain = vec![ProcessorNode::new("eq", "eq"), comp.with("ratio", 4.0)];
    let engine = engine(&mut song, MANY);
    let start = 3 * SECOND as u64;
    let spans = [start - 4800..start + 4800, start + 24_000..start + 33_600];
    let trial = engine.render(&song.session, &spans, &[id("a")]).unwrap();
    let reductions: Vec<_> = trial.taps[0].iter().map(Tap::gain_reductions).collect();
    assert_eq!(reductions[0].len(), 1, "the EQ has none");
    let trace = &reductions[0][0].trace_db;
    assert_eq!(trace.len(), 20);
    assert!(trace[..9].iter().all(|db| *db > -0.1), "{trace:?}");
    assert!(trace[19] < -9.0, "{trace:?}");
    // 0.9 is 19.1 dB over; at 4:1 three quarters of that are taken off.
    let settled = &reductions[1][0];
    assert!((settled.mean_db() + 14.3).abs() < 0.5, "{}", settled.mean_db());
    assert!(settled.deepest_db() <= settled.mean_db());
    assert!(power_db(&trial.output[1].audio()[0]) < -14.0);
}

#[test]
fn excerpts_before_the_start_and_past_the_end_are_silence_there() {
    let mut song = song(1);
    let engine = engine(&mut song, MANY);
    song.session.strips.retain(|strip| strip.kind != StripKind::Return);
    song.get("drums").sends.clear();
    let far = 90 * SECOND as u64..91 * SECOND as u64;
    let trial = engine.render(&song.session, &[far, 10..10], &[]).unwrap();
    let audio = trial.output[0].audio();
    assert_eq!(audio[0].len(), SECOND);
    assert!(audio[0].iter().all(|x| x.abs() < 1e-6));
    assert!(trial.output[1].audio()[0].is_empty());
}
