//! The offline driver keeps its promises: bytes, alignment, mute and solo, ends, memory.
#![allow(missing_docs, clippy::unwrap_used, clippy::single_range_in_vec_init)]

mod common;

use common::{SECOND, Song, difference_dbfs, id, kinds, noise};
use std::sync::atomic::{AtomicBool, Ordering};
use topdown_engine::{
    CompileError, CompileOptions, End, RenderError, RenderOptions, Warning, compile, render,
};
use topdown_session::{Point, ProcessorNode, Send, StripKind, Tap, Value};

const BLOCKS: [usize; 5] = [1, 7, 64, 333, 4096];

/// ```text
/// a ─┐
/// b ─┴ inner ─┐
/// c (stereo) ─┴ outer ─┐
/// d ───────────────────┴ bus
/// ```
fn tree() -> Song {
    let mut song = Song::new();
    song.strip("outer", StripKind::Group, 2);
    song.strip("inner", StripKind::Group, 2).output = Some(id("outer"));
    song.noise_track("a", "inner", 1, 3000);
    song.noise_track("b", "inner", 2, 2500);
    song.track("c", "outer", vec![noise(3, 2800), noise(4, 2800)]);
    song.noise_track("d", "bus", 5, 1000);
    song
}

#[test]
fn a_neutral_session_renders_the_sum_of_its_tree_bit_for_bit() {
    let song = tree();
    let mix = song.render();
    let tracks: Vec<_> =
        [(1, 3000), (2, 2500), (3, 2800), (4, 2800), (5, 1000)].map(|(s, n)| noise(s, n)).into();
    let at = |seed: usize, frame: usize| tracks[seed - 1].get(frame).copied().unwrap_or(0.0);
    let sum = |a: f32, b: f32| (f64::from(a) + f64::from(b)) as f32;
    for (frame, (left, right)) in mix[0].iter().zip(&mix[1]).enumerate() {
        let inner = sum(at(1, frame), at(2, frame));
        for (seed, found) in [(3, left), (4, right)] {
            // In session order: the group `inner` stands before the track `c`, `outer` before `d`.
            let outer = sum(inner, at(seed, frame));
            let expected = sum(outer, at(5, frame));
            assert_eq!(found.to_bits(), expected.to_bits(), "frame {frame}");
        }
    }
    assert_eq!(mix[0].len(), 3000);
}

/// Everything at once: groups, a late processor, automation, a key, a return before and after the fader.
/// ```text
/// a (amp automated) ─┬ group (late) ──┬ bus (late)
/// b (minus, key a) ──┘   └ send pre ─ room ┤
/// c (fader, pan, width automated) ── send post ┘
/// ```
fn busy() -> Song {
    let mut song = Song::new();
    song.session.strips[0].chain.push(ProcessorNode::new("late", "late").with("frames", 37.0));
    let group = song.strip("group", StripKind::Group, 2);
    group.chain.push(ProcessorNode::new("late", "late").with("frames", 501.0));
    group.sends.push(Send { to: id("room"), level_db: Value::Constant(-6.0), tap: Tap::Pre });
    song.strip("room", StripKind::Return, 2).chain.push(ProcessorNode::new("late", "late"));
    let a = song.noise_track("a", "group", 1, 9000);
    let points = |list: &[(u64, f64)]| {
        Value::Automation(list.iter().map(|&(frame, value)| Point { frame, value }).collect())
    };
    let mut amp = ProcessorNode::new("amp", "amp");
    amp.values
        .insert("factor".into(), points(&[(100, 1.0), (1111, 0.2), (1111, 2.0), (4000, 0.5)]));
    a.chain.push(amp);
    let b = song.noise_track("b", "group", 2, 8000);
    b.chain.push(ProcessorNode { key: Some(id("a")), ..ProcessorNode::new("minus", "minus") });
    b.clips[0].at_frame = 77;
    b.clips[0].fades.in_frames = 500;
    b.clips[0].fades.out_frames = 600;
    let c = song.track("c", "bus", vec![noise(3, 7000), noise(4, 7000)]);
    c.fader_db = points(&[(0, -144.0), (1000, 0.0), (3000, -12.0)]);
    c.pan = points(&[(500, -1.0), (2500, 1.0)]);
    c.width = points(&[(10, 1.0), (20, 0.3), (5000, 2.0)]);
    let level_db = points(&[(0, -20.0), (6000, 0.0)]);
    c.sends.push(Send { to: id("room"), level_db, tap: Tap::Post });
    song
}

#[test]
fn the_bytes_depend_neither_on_the_block_size_nor_on_the_number_of_threads() {
    let song = busy();
    let plan = song.plan();
    assert_eq!(plan.warnings, []);
    let whole = RenderOptions { end: End::Range, ..RenderOptions::whole(&plan) };
    let expected = song.render_with(&plan, &whole);
    assert!(expected[0].iter().any(|x| x.abs() > 0.1));
    for block_frames in BLOCKS {
        for threads in [1, 2, 4] {
            let options =
                RenderOptions { threads, block_frames: Some(block_frames), ..whole.clone() };
            let mix = song.render_with(&plan, &options);
            let bits = |planes: &[Vec<f32>]| -> Vec<Vec<u32>> {
                planes.iter().map(|p| p.iter().map(|x| x.to_bits()).collect()).collect()
            };
            assert_eq!(bits(&mix), bits(&expected), "{block_frames} frames, {threads} threads");
        }
    }
}

/// ```text
/// a ──────────────────────┐
/// -a ─ late 512, bypassed ┴ bus
/// ```
#[test]
fn a_dry_path_beside_a_latent_bypassed_one_nulls() {
    let mut song = Song::new();
    song.noise_track("a", "bus", 1, 5000);
    let inverted = noise(1, 5000).iter().map(|x| -x).collect();
    let wet = song.track("wet", "bus", vec![inverted]);
    let node = ProcessorNode::new("late", "late").with("frames", 512.0);
    wet.chain.push(ProcessorNode { bypass: true, ..node });
    let plan = song.plan();
    assert_eq!(plan.latency_frames(), 512);
    let mix = song.render();
    assert!(difference_dbfs(&mix[0], &vec![0.0; 5000]) < -120.0);
    song.get("wet").chain[0].bypass = false;
    assert!(difference_dbfs(&song.render()[0], &vec![0.0; 5000]) < -120.0);
    // Without compensation nothing would null: the test can fail.
    song.get("wet").clips[0].at_frame = 1;
    assert!(difference_dbfs(&song.render()[0], &vec![0.0; 5001]) > -20.0);
}

#[test]
fn the_mix_comes_out_without_the_engines_latency() {
    let mut song = Song::new();
    song.noise_track("a", "bus", 1, 5000);
    let dry = song.render();
    song.session.strips[0].chain.push(ProcessorNode::new("late", "late").with("frames", 999.0));
    assert_eq!(song.render(), dry);
}

/// ```text
/// a ─ late 300 ┬──────────── (muted by its fader)
///              └ key ┐
/// b (the same) ─ late 20 ─ minus ─ bus
/// ```
#[test]
fn a_key_is_aligned_with_what_it_keys() {
    let mut song = Song::new();
    let a = song.noise_track("a", "bus", 1, 5000);
    a.fader_db = Value::Constant(-144.0);
    a.chain.push(ProcessorNode::new("late", "late").with("frames", 300.0));
    let b = song.noise_track("b", "bus", 1, 5000);
    b.chain.push(ProcessorNode::new("late", "late").with("frames", 20.0));
    b.chain.push(ProcessorNode { key: Some(id("a")), ..ProcessorNode::new("minus", "minus") });
    assert_eq!(song.plan().latency_frames(), 300);
    assert!(difference_dbfs(&song.render()[0], &vec![0.0; 5000]) < -120.0);
    // The other way round the key has to wait.
    song.get("a").chain[0].values.clear();
    song.get("b").chain[0] = ProcessorNode::new("late", "late").with("frames", 700.0);
    assert!(difference_dbfs(&song.render()[0], &vec![0.0; 5000]) < -120.0);
    song.get("a").clips[0].at_frame = 1;
    assert!(difference_dbfs(&song.render()[0], &vec![0.0; 5001]) > -20.0);
    // A muted strip keys with silence, not with what is being processed.
    song.get("a").mute = true;
    assert_eq!(difference_dbfs(&song.render()[0][..5000], &noise(1, 5000)), f64::NEG_INFINITY);
}

/// Tracks of constants, so that the mix says who is in it.
/// ```text
/// a 1 ─┬ group ───────┐
/// b 2 ─┘   └ send ─┐  │
/// c 4 ─ send ──────┴ room ×16 ┴ bus
/// ```
fn constants() -> Song {
    let mut song = Song::new();
    song.strip("group", StripKind::Group, 2).sends = vec![send("room")];
    let amp = ProcessorNode::new("amp", "amp").with("factor", 8.0);
    song.strip("room", StripKind::Return, 2).chain.push(amp);
    song.track("a", "group", vec![vec![1.0; 64]]);
    song.track("b", "group", vec![vec![2.0; 64]]);
    song.track("c", "bus", vec![vec![4.0; 64]]).sends = vec![send("room")];
    song
}

fn send(to: &str) -> Send {
    Send { to: id(to), level_db: Value::Constant(0.0), tap: Tap::Post }
}

fn level(song: &Song) -> f32 {
    let mix = song.render();
    assert!(mix[0].iter().all(|x| *x == mix[0][0]));
    mix[0][0]
}

#[test]
fn mute_cuts_sends_and_a_muted_group_its_members_sends() {
    let mut song = constants();
    assert_eq!(level(&song), 7.0 + 8.0 * 7.0);
    song.get("c").mute = true;
    assert_eq!(level(&song), 3.0 + 8.0 * 3.0);
    song.get("c").mute = false;
    song.get("group").mute = true;
    assert_eq!(level(&song), 4.0 + 8.0 * 4.0);
    song.get("a").sends = vec![Send { tap: Tap::Pre, ..send("room") }];
    assert_eq!(level(&song), 4.0 + 8.0 * 4.0, "a member's send is cut with its group");
    song.get("group").mute = false;
    assert_eq!(level(&song), 7.0 + 8.0 * 8.0);
    song.get("room").mute = true;
    assert_eq!(level(&song), 7.0);
    song.session.strips[0].mute = true;
    assert_eq!(level(&song), 0.0);
}

#[test]
fn solo_is_in_place_and_keeps_the_returns_that_the_soloed_strip_feeds() {
    let mut song = constants();
    song.get("c").solo = true;
    assert_eq!(level(&song), 4.0 + 8.0 * 4.0);
    song.get("room").solo_safe = false;
    assert_eq!(level(&song), 4.0, "a return that is not safe is not heard");
    song.get("room").solo_safe = true;
    song.get("c").solo = false;
    song.get("a").solo = true;
    assert_eq!(level(&song), 1.0 + 8.0 * 1.0, "through its group and the group's send");
    song.get("a").solo = false;
    song.get("group").solo = true;
    assert_eq!(level(&song), 3.0 + 8.0 * 3.0, "with all its members");
    song.get("b").mute = true;
    assert_eq!(level(&song), 1.0 + 8.0 * 1.0, "mute wins over solo");
    song.get("b").mute = false;
    song.get("group").solo = false;
    song.get("room").solo = true;
    assert_eq!(level(&song), 8.0 * 7.0, "a soloed return is heard with all that feeds it");
    let ignoring = CompileOptions { kinds: &kinds, solo: false, ..Default::default() };
    let plan = compile(&song.session, &ignoring).unwrap();
    let options = RenderOptions { end: End::Range, ..RenderOptions::whole(&plan) };
    assert_eq!(song.render_with(&plan, &options)[0][0], 7.0 + 8.0 * 7.0);
}

#[test]
fn excluded_tracks_are_neither_rendered_nor_opened() {
    let mut song = constants();
    song.get("b").excluded = Some("click".to_owned());
    song.sources.files.remove(&"b".into());
    assert_eq!(level(&song), 5.0 + 8.0 * 5.0);
    assert_eq!(song.plan().index(&id("b")), None);
}

#[test]
fn circles_are_refused_by_name() {
    let mut song = constants();
    song.get("room").sends = vec![send("group")];
    let error = compile(&song.session, &CompileOptions::default()).unwrap_err();
    // The bus waits for them too.
    assert!(matches!(&error, CompileError::Cycle(strips) if strips.contains(&id("group"))));
    let mut song = constants();
    song.get("a")
        .chain
        .push(ProcessorNode { key: Some(id("a")), ..ProcessorNode::new("m", "minus") });
    let error = compile(&song.session, &CompileOptions { kinds: &kinds, ..Default::default() });
    assert!(matches!(error, Err(CompileError::Cycle(_))));
}

#[test]
fn unknown_kinds_are_bypassed_with_a_warning() {
    let mut song = constants();
    let dry = level(&song);
    song.get("a").chain.push(ProcessorNode::new("exciter", "exciter-9000"));
    assert_eq!(level(&song), dry);
    let warnings = song.plan().warnings;
    assert!(matches!(&warnings[..], [Warning::UnknownKind { kind, .. }] if kind == "exciter-9000"));
}

#[test]
fn values_out_of_range_are_brought_back_with_a_warning() {
    let mut song = constants();
    song.get("a").pan = Value::Constant(f64::NAN);
    song.get("b").fader_db = Value::Constant(f64::INFINITY);
    song.get("c").width = Value::Automation(Vec::new());
    let plan = song.plan();
    assert_eq!(plan.warnings.len(), 3);
    assert_eq!(plan.strips[plan.index(&id("a")).unwrap()].pan, Value::Constant(0.0));
}

#[test]
fn an_automated_fader_is_exact_at_every_sample() {
    let mut song = Song::new();
    let points = vec![Point { frame: 100, value: -40.0 }, Point { frame: 900, value: 0.0 }];
    song.track("a", "bus", vec![vec![1.0; 1000]]).fader_db = Value::Automation(points);
    // A latent processor before the fader: automation stays with the music.
    song.get("a").chain.push(ProcessorNode::new("late", "late").with("frames", 123.0));
    let mix = song.render();
    for (frame, x) in mix[0].iter().enumerate() {
        let share = ((frame as f64 - 100.0) / 800.0).clamp(0.0, 1.0);
        let expected = topdown_units::db_to_gain(-40.0 + 40.0 * share);
        assert!((f64::from(*x) - expected).abs() < 1e-6, "frame {frame}: {x} for {expected}");
    }
}

#[test]
fn an_automated_parameter_follows_the_line_through_its_points() {
    let mut song = Song::new();
    let a = song.track("a", "bus", vec![vec![1.0; 2000]]);
    let list = [(100, 1.0), (777, -2.0), (1500, 4.0), (1500, 0.0)];
    let points = list.map(|(frame, value)| Point { frame, value }).to_vec();
    let mut amp = ProcessorNode::new("amp", "amp");
    amp.values.insert("factor".into(), Value::Automation(points));
    a.chain.push(ProcessorNode::new("late", "late").with("frames", 55.0));
    a.chain.push(amp);
    let mix = song.render();
    for (frame, x) in mix[0].iter().enumerate() {
        // A ramp's first frame is already on its way: its value is the one at the frame's end.
        let at = frame as f64 + 1.0;
        let expected = match at {
            at if at <= 100.0 => 1.0,
            at if at <= 777.0 => 1.0 - 3.0 * (at - 100.0) / 677.0,
            at if at <= 1500.0 => -2.0 + 6.0 * (at - 777.0) / 723.0,
            at if at >= 1532.0 => 0.0,
            _ => continue,
        };
        assert!((f64::from(*x) - expected).abs() < 1e-5, "frame {frame}: {x} for {expected}");
    }
}

#[test]
fn pan_balance_and_width_are_what_they_say() {
    let mut song = Song::new();
    song.track("a", "bus", vec![vec![1.0; 8]]).pan = Value::Constant(-1.0);
    let mix = song.render();
    assert!((mix[0][0] - std::f32::consts::SQRT_2).abs() < 1e-6 && mix[1][0] == 0.0);
    let mut song = Song::new();
    song.track("a", "bus", vec![vec![1.0; 8], vec![0.5; 8]]).pan = Value::Constant(1.0);
    assert_eq!([song.render()[0][0], song.render()[1][0]], [0.0, 0.5]);
    song.get("a").pan = Value::Constant(0.0);
    song.get("a").width = Value::Constant(0.0);
    assert_eq!([song.render()[0][0], song.render()[1][0]], [0.75, 0.75]);
}

#[test]
fn clips_play_where_they_stand_with_gain_and_fades_that_add_up() {
    let mut song = Song::new();
    let ramp: Vec<f32> = (0..1000).map(|n| n as f32).collect();
    let strip = song.track("a", "bus", vec![ramp]);
    strip.clips[0].at_frame = 300;
    strip.clips[0].from_frame = 40;
    strip.clips[0].frames = 200;
    strip.clips[0].gain_db = 20.0;
    let mix = song.render();
    assert_eq!(mix[0].len(), 500);
    assert_eq!([mix[0][299], mix[0][300], mix[0][499]], [0.0, 400.0, 2390.0]);
    // Two clips of a constant, faded over each other, are the constant.
    let mut song = Song::new();
    let strip = song.track("a", "bus", vec![vec![1.0; 1000]]);
    strip.clips[0].frames = 600;
    strip.clips[0].fades.out_frames = 100;
    let mut second = strip.clips[0].clone();
    (second.at_frame, second.fades.in_frames, second.fades.out_frames) = (500, 100, 0);
    strip.clips.push(second);
    assert!(difference_dbfs(&song.render()[0], &vec![1.0; 1100]) < -120.0);
}

#[test]
fn the_tail_rings_out_and_nothing_follows_it() {
    let mut song = Song::new();
    let plan = song.plan();
    assert_eq!(song.render_with(&plan, &RenderOptions::whole(&plan)), Vec::<Vec<f32>>::new());
    song.track("a", "bus", vec![vec![0.5; 100]]);
    let neutral = song.plan();
    assert_eq!(song.render_with(&neutral, &RenderOptions::whole(&neutral))[0].len(), 100);
    song.get("a").chain.push(ProcessorNode::new("ring", "ring"));
    let plan = song.plan();
    // -6 dBFS and 20 dB less each half second: the fourth echo, at -86 dBFS, is the last above -90.
    for block_frames in [64, 1000, 8192] {
        let block_frames = Some(block_frames);
        let options = RenderOptions { block_frames, ..RenderOptions::whole(&plan) };
        assert_eq!(song.render_with(&plan, &options)[0].len(), 2 * SECOND + 100);
    }
}

#[test]
fn a_range_is_that_part_of_the_whole() {
    let song = busy();
    let plan = song.plan();
    let whole = song.render();
    let range = 4000..7000;
    let options = RenderOptions {
        range: range.clone(),
        run_in_frames: 2000,
        end: End::Range,
        ..RenderOptions::whole(&plan)
    };
    let part = song.render_with(&plan, &options);
    assert!(difference_dbfs(&part[0], &whole[0][4000..7000]) < -120.0);
}

#[test]
fn taps_come_in_the_same_pass_and_aligned_with_the_mix() {
    let mut song = busy();
    song.get("group").sends.clear();
    song.get("c").mute = true;
    let taps = [id("group"), id("a")];
    let options = CompileOptions { kinds: &kinds, taps: &taps, ..Default::default() };
    let plan = compile(&song.session, &options).unwrap();
    let planes = song.render_with(
        &plan,
        &RenderOptions { end: End::Range, threads: 2, ..RenderOptions::whole(&plan) },
    );
    assert_eq!(planes.len(), 2 + 2 + 1);
    assert!(difference_dbfs(&planes[0], &planes[2]) < -120.0);
}

#[test]
fn what_is_not_finite_becomes_silence_and_is_counted() {
    let mut song = Song::new();
    let mut samples = noise(1, 1000);
    (samples[10], samples[20]) = (f32::NAN, f32::INFINITY);
    song.track("a", "bus", vec![samples]);
    let plan = song.plan();
    let mut peak = 0.0_f32;
    let report = render(
        &plan,
        &song.sources,
        &RenderOptions::whole(&plan),
        |_, _| {},
        |planes: &[&[f32]]| {
            peak = planes[0].iter().fold(peak, |peak, x| peak.max(x.abs()));
            if planes[0].iter().all(|x| x.is_finite()) { Ok(()) } else { Err("not finite") }
        },
    );
    assert_eq!(report.unwrap().cleaned, [(id("a"), 2)]);
    assert!(peak > 0.4);
}

#[test]
fn a_missing_file_a_short_file_a_full_disk_and_a_cancel_end_as_they_should() {
    let mut song = Song::new();
    song.noise_track("a", "bus", 1, 1000).clips[0].frames = 1500;
    song.noise_track("b", "bus", 2, 1000);
    let plan = song.plan();
    let cancel = AtomicBool::new(false);
    let options =
        RenderOptions { cancel: Some(&cancel), threads: 2, ..RenderOptions::whole(&plan) };
    let fine = |_: &[&[f32]]| Ok::<_, &str>(());
    let report = render(&plan, &song.sources, &options, |_, _| {}, fine).unwrap();
    assert_eq!(report.missing_frames, [(id("a"), 500)]);
    let full = |_: &[&[f32]]| Err("disk full");
    let result = render(&plan, &song.sources, &options, |_, _| {}, full);
    assert_eq!(result, Err(RenderError::Sink("disk full")));
    cancel.store(true, Ordering::Relaxed);
    let result = render(&plan, &song.sources, &options, |_, _| {}, fine);
    assert_eq!(result, Err(RenderError::Cancelled));
    cancel.store(false, Ordering::Relaxed);
    song.sources.files.remove(&"b".into());
    let result = render(&plan, &song.sources, &options, |_, _| {}, fine);
    assert!(matches!(result, Err(RenderError::Feed(error)) if error.file == "b"));
}

#[test]
fn five_hundred_tracks_do_not_keep_five_hundred_files_open() {
    let mut song = Song::new();
    for track in 0..500 {
        song.noise_track(&format!("t{track}"), "bus", track, 2000);
    }
    let plan = song.plan();
    let options = RenderOptions {
        threads: 2,
        block_frames: Some(512),
        end: End::Range,
        ..RenderOptions::whole(&plan)
    };
    let mix = song.render_with(&plan, &options);
    assert_eq!(mix[0].len(), 2000);
    let most = song.sources.open.most.load(Ordering::SeqCst);
    assert!((2..=130).contains(&most), "{most} files open at once");
}
