//! The live driver keeps its promises: the same samples as offline, no allocation, no click, no lost deck.
#![allow(missing_docs, clippy::unwrap_used, clippy::single_range_in_vec_init)]

mod common;

use common::{Memory, SECOND, Song, difference_dbfs, id, kinds, noise};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use topdown_engine::{Change, Live, Renderer};
use topdown_session::{ProcessorNode, Send, StripKind, Tap, Value};
use topdown_testkit::alloc::{CountingAllocator, allocations_in};

#[global_allocator]
static COUNTER: CountingAllocator = CountingAllocator;

const BLOCK: usize = 256;

/// ```text
/// a (eq, comp) ─┬ group (late) ─┬ bus (comp, limiter)
/// b (stereo) ───┘   └ send ─ room (ring)
/// c (comp, key a) ──────────────┘
/// ```
fn song() -> Song {
    let mut song = Song::new();
    let comp = || ProcessorNode::new("comp", "compressor").with("threshold_rel_db", -20.0);
    song.session.strips[0].chain = vec![comp(), ProcessorNode::new("limiter", "limiter")];
    let group = song.strip("group", StripKind::Group, 2);
    group.chain.push(ProcessorNode::new("late", "late").with("frames", 333.0));
    let level_db = Value::Constant(-9.0);
    group.sends = vec![Send { to: id("room"), level_db, tap: Tap::Post }];
    song.strip("room", StripKind::Return, 2).chain = vec![ProcessorNode::new("ring", "ring")];
    let eq = ProcessorNode::new("eq", "eq").with("band_1.on", 1.0).with("band_1.gain_db", 6.0);
    song.noise_track("a", "group", 1, 2 * SECOND).chain = vec![eq, comp()];
    song.track("b", "group", vec![noise(2, 2 * SECOND), noise(3, 2 * SECOND)]);
    let c = song.noise_track("c", "bus", 4, 2 * SECOND);
    c.chain = vec![ProcessorNode { key: Some(id("a")), ..comp() }];
    c.pan = Value::Constant(0.3);
    song
}

fn start(song: &Song) -> (Live, Renderer) {
    let Memory { files, open } = &song.sources;
    let sources = Arc::new(Memory { files: files.clone(), open: open.clone() });
    Live::new(&song.session, sources, BLOCK, kinds).unwrap()
}

/// Renders, waiting for the prefetch thread as a driver with a clock would not have to.
fn pull(renderer: &mut Renderer, frames: usize) -> (Vec<f32>, u64) {
    let mut left = vec![0.0; frames];
    let mut right = vec![0.0; frames];
    let mut allocations = 0;
    for (left, right) in left.chunks_mut(BLOCK).zip(right.chunks_mut(BLOCK)) {
        while renderer.ready_frames() < 2 * BLOCK {
            std::thread::yield_now();
        }
        allocations += allocations_in(|| renderer.render(left, right));
    }
    (left, allocations)
}

/// Takes the messages and lets the fade of the play button pass, paused at frame 0 until then.
fn play(live: &mut Live, renderer: &mut Renderer) {
    renderer.render(&mut [0.0; 8], &mut [0.0; 8]);
    live.play(true).unwrap();
}

#[test]
fn live_plays_the_samples_that_offline_renders_and_allocates_nothing() {
    let song = song();
    let offline = song.render();
    let (mut live, mut renderer) = start(&song);
    play(&mut live, &mut renderer);
    let (mix, allocations) = pull(&mut renderer, 2 * SECOND);
    assert_eq!(allocations, 0);
    assert_eq!(live.missing_frames(), 0);
    let fade = SECOND / 50;
    for (frame, (a, b)) in mix.iter().zip(&offline[0]).enumerate().skip(fade) {
        assert_eq!(a.to_bits(), b.to_bits(), "frame {frame}");
    }
    assert!(mix[..fade].iter().zip(&offline[0]).any(|(a, b)| a != b), "play fades in");
    assert_eq!(live.session_frame(), 2 * SECOND as u64);
}

#[test]
fn every_change_while_playing_is_free_of_allocation_and_its_deck_comes_back() {
    let mut song = song();
    let (mut live, mut renderer) = start(&song);
    play(&mut live, &mut renderer);
    assert_eq!(pull(&mut renderer, 9000).1, 0);
    song.get("a").fader_db = Value::Constant(-6.0);
    song.get("a").mute = true;
    song.get("group").sends[0].level_db = Value::Constant(-3.0);
    song.get("b").width = Value::Constant(0.5);
    song.get("c").solo = true;
    let change = live.update(&song.session).unwrap();
    // `a` closes its way, what it keys stays as it is; solo closes the group and its send.
    assert!(matches!(change, Change::Values(sets) if sets.len() >= 6));
    assert_eq!(pull(&mut renderer, 5000).1, 0);
    song.get("group").chain.push(ProcessorNode::new("eq", "eq"));
    assert_eq!(live.update(&song.session), Ok(Change::Structure));
    assert_eq!(live.update(&song.session), Ok(Change::None));
    assert_eq!(pull(&mut renderer, 20_000).1, 0);
    live.seek(1000).unwrap();
    assert_eq!(live.session_frame(), 1000);
    assert_eq!(pull(&mut renderer, 5000).1, 0);
    assert_eq!(live.session_frame(), 6000);
    live.play(false).unwrap();
    assert_eq!(pull(&mut renderer, 5000).1, 0);
    let frame = live.session_frame();
    let (silence, _) = pull(&mut renderer, 1000);
    assert!(silence.iter().all(|x| *x == 0.0));
    assert_eq!(live.session_frame(), frame);
    assert_eq!((live.missing_frames(), live.take_error()), (0, None));
}

/// The energy above what a slow signal can have: second differences.
fn roughness(samples: &[f32]) -> f32 {
    let steps = samples.windows(3).map(|x| (x[0] - 2.0 * x[1] + x[2]).abs());
    steps.fold(0.0, f32::max)
}

#[test]
fn no_change_clicks() {
    let mut song = Song::new();
    let sine = (0..4 * SECOND).map(|n| {
        topdown_dsp::math::sin(std::f64::consts::TAU * 100.0 * n as f64 / 48_000.0) as f32 * 0.5
    });
    let sine: Vec<f32> = sine.collect();
    let smooth = roughness(&sine);
    song.track("a", "bus", vec![sine]);
    let (mut live, mut renderer) = start(&song);
    play(&mut live, &mut renderer);
    let mut heard = vec![pull(&mut renderer, 4000).0];
    let mut step = |song: &Song, frames: usize| {
        live.update(&song.session).unwrap();
        heard.push(pull(&mut renderer, frames).0);
    };
    song.get("a").fader_db = Value::Constant(-20.0);
    step(&song, 3000);
    song.get("a").fader_db = Value::Constant(0.0);
    step(&song, 3000);
    song.get("a").pan = Value::Constant(-1.0);
    step(&song, 3000);
    song.get("a").mute = true;
    step(&song, 3000);
    song.get("a").mute = false;
    step(&song, 3000);
    song.get("a").chain.push(ProcessorNode::new("late", "late").with("frames", 480.0));
    step(&song, 20_000);
    live.seek(100).unwrap();
    heard.push(pull(&mut renderer, 3000).0);
    let heard = heard.concat();
    assert!(heard.iter().any(|x| x.abs() > 0.6));
    assert!(heard.windows(200).any(|x| x.iter().all(|x| *x == 0.0)), "muted");
    // Hard left is 3 dB more; the fades themselves may add a little.
    assert!(roughness(&heard) < 2.0 * smooth, "{} for {smooth}", roughness(&heard));
    // A knob turned back halfway bends the gain as a straight ramp does; a step would be 5000 times this.
    live.seek(0).unwrap();
    pull(&mut renderer, 4000);
    let mut heard = Vec::new();
    for db in [-20.0, 0.0, -20.0, 0.0] {
        song.get("a").fader_db = Value::Constant(db);
        live.update(&song.session).unwrap();
        heard.extend(pull(&mut renderer, 2 * BLOCK).0);
    }
    assert!(roughness(&heard) < 15.0 * smooth, "{} for {smooth}", roughness(&heard));
}

#[test]
fn a_change_of_structure_goes_on_where_the_music_is() {
    let mut song = song();
    let (mut live, mut renderer) = start(&song);
    play(&mut live, &mut renderer);
    pull(&mut renderer, 20_000);
    // Neutral, but another structure: after the crossfade nothing may have changed.
    song.get("b").chain.push(ProcessorNode::new("late", "late").with("frames", 1000.0));
    live.update(&song.session).unwrap();
    let (mix, _) = pull(&mut renderer, 40_000);
    let offline = song.render();
    let tail = 30_000..40_000;
    let expected = &offline[0][20_000 + tail.start..20_000 + tail.end];
    assert!(difference_dbfs(&mix[tail], expected) < -60.0);
    assert_eq!(live.session_frame(), 60_000);
}

#[test]
fn meters_read_what_is_played_and_only_for_subscribers() {
    let mut song = Song::new();
    song.track("a", "bus", vec![vec![0.5; SECOND]]).fader_db = Value::Constant(-20.0);
    song.get("a").chain =
        vec![ProcessorNode::new("comp", "compressor").with("threshold_rel_db", -40.0)];
    let (mut live, mut renderer) = start(&song);
    let meter = live.meter(&id("a")).unwrap().clone();
    let bus = live.meter(&id("bus")).unwrap().clone();
    meter.subscribe(true);
    play(&mut live, &mut renderer);
    pull(&mut renderer, SECOND / 2);
    meter.take();
    pull(&mut renderer, SECOND / 4);
    let reading = meter.take();
    let depth = reading.gain_reduction_db[0];
    assert!(depth < -10.0, "{depth}");
    let expected = 0.05 * topdown_units::db_to_gain(f64::from(depth)) as f32;
    assert!((reading.peak[0] / expected - 1.0).abs() < 0.01, "{reading:?} {expected}");
    assert!((reading.mean_square[1].sqrt() / expected - 1.0).abs() < 0.01);
    assert_eq!(bus.take().peak, [0.0; 2]);
}

#[test]
fn a_file_that_vanishes_is_told_and_the_rest_plays_on() {
    let song = song();
    let (mut live, mut renderer) = start(&song);
    play(&mut live, &mut renderer);
    pull(&mut renderer, 2000);
    song.sources.open.gone.store(true, Ordering::SeqCst);
    let (mix, _) = pull(&mut renderer, 2 * SECOND);
    assert!(mix[..SECOND / 2].iter().any(|x| x.abs() > 0.1));
    assert_eq!(live.take_error().map(|error| error.reason), Some("is gone".to_owned()));
}
