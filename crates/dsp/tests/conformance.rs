//! What every processor of the registry promises, whatever it does to the sound.

use std::ops::Range;
use topdown_dsp::{
    Buffer, Curve, Io, KINDS, Kind, ParamKind, ProcessSpec, Processor, Status, math,
};
use topdown_testkit::alloc::{CountingAllocator, allocations_in};
use topdown_testkit::signals::{Random, fade, sine, white};
use topdown_testkit::{meters, null};
use topdown_units::SampleRate;

#[global_allocator]
static COUNTER: CountingAllocator = CountingAllocator;

const RATE: SampleRate = SampleRate::STUDIO;
const MAX_FRAMES: usize = 4096;

fn spec(channels: usize) -> ProcessSpec {
    ProcessSpec { sample_rate: RATE, channels, max_frames: MAX_FRAMES }
}

/// A value `share` (0 to 1) of the way through a parameter's range, on its own curve.
fn value_at(kind: &Kind, param: usize, share: f64) -> f64 {
    let spec = &kind.params[param];
    let (min, max) = spec.range();
    match (spec.kind, spec.curve) {
        (ParamKind::Number { .. }, Curve::Log) => {
            (min * math::pow(max / min, share)).clamp(min, max)
        }
        (ParamKind::Number { .. }, Curve::Linear) => min + share * (max - min),
        _ => (share * (max + 1.0)).floor().min(max),
    }
}

/// The defaults, then settings all over the ranges; the same ones every time.
fn cases(kind: &Kind, count: usize) -> Vec<Vec<f64>> {
    let mut random = Random::new(0x7090);
    let mut anywhere = || {
        let params = 0..kind.params.len();
        params.map(|param| value_at(kind, param, random.unit())).collect()
    };
    std::iter::once(kind.defaults()).chain((1..count).map(|_| anywhere())).collect()
}

/// Noise for each channel, different ones.
fn noise(channels: usize, frames: usize, peak: f64) -> Buffer {
    let planes: Vec<Vec<f32>> = (0..channels).map(|c| white(11 + c as u64, frames, peak)).collect();
    buffer(&planes)
}

fn buffer(planes: &[Vec<f32>]) -> Buffer {
    Buffer::from_planes(&planes.iter().map(Vec::as_slice).collect::<Vec<_>>())
}

/// Processes `range` of `sound` in blocks of at most `block`.
fn run(processor: &mut dyn Processor, sound: &mut Buffer, range: Range<usize>, block: usize) {
    run_keyed(processor, sound, None, range, block);
}

fn run_keyed(
    processor: &mut dyn Processor,
    sound: &mut Buffer,
    key: Option<&Buffer>,
    range: Range<usize>,
    block: usize,
) {
    let mut start = range.start;
    while start < range.end {
        let end = range.end.min(start + block);
        processor.process(&mut Io::new(sound, key, start..end, Status::Filled));
        start = end;
    }
}

fn differences(a: &Buffer, b: &Buffer) -> usize {
    a.planes().zip(b.planes()).map(|(a, b)| null::different_samples(a, b)).sum()
}

fn live_params(kind: &Kind) -> impl Iterator<Item = usize> + '_ {
    (0..kind.params.len()).filter(|&param| !kind.params[param].rebuilds)
}

#[test]
fn every_kind_names_itself_and_its_parameters_once_and_accepts_its_defaults() {
    for (n, kind) in KINDS.iter().enumerate() {
        assert!(KINDS[..n].iter().all(|other| other.id != kind.id), "{} twice", kind.id);
        for (p, param) in kind.params.iter().enumerate() {
            assert!(kind.params[..p].iter().all(|other| other.id != param.id), "{}", param.id);
            assert!(param.accepts(param.default), "{} {}", kind.id, param.id);
            assert!(param.id.matches('.').count() <= 1, "{} {}", kind.id, param.id);
            let (min, max) = param.range();
            assert!(min < max, "{} {}", kind.id, param.id);
            assert!(param.curve == Curve::Linear || min > 0.0, "{} {}", kind.id, param.id);
        }
    }
}

/// Kinds whose default output is not the input but something later: no direct sound to time.
const NO_DIRECT_SOUND: &[&str] = &["reverb", "delay"];

#[test]
fn the_reported_latency_is_the_measured_one() {
    for kind in KINDS.iter().filter(|kind| !NO_DIRECT_SOUND.contains(&kind.id)) {
        for channels in [1, 2] {
            let mut processor = kind.build(&kind.defaults(), &spec(channels));
            let latency = processor.latency_frames();
            let (frames, longest) = (8192, latency + 256);
            let input = noise(channels, frames + longest, 0.05);
            let mut output = input.clone();
            run(processor.as_mut(), &mut output, 0..frames + longest, MAX_FRAMES);
            let (x, y) = (input.channel(0), output.channel(0));
            let alike = |lag: usize| {
                let pairs = x[..frames].iter().zip(&y[lag..]);
                pairs.map(|(x, y)| f64::from(x * y)).sum::<f64>().abs()
            };
            let measured = (0..longest).max_by(|a, b| alike(*a).total_cmp(&alike(*b))).unwrap();
            assert_eq!(measured, latency, "{} with {channels} channels", kind.id);
        }
    }
}

/// A stream with moves in it: by hand and by automation, at frames that no block size knows.
fn run_with_moves(kind: &Kind, values: &[f64], channels: usize, block: usize) -> Buffer {
    let mut processor = kind.build(values, &spec(channels));
    let mut sound = noise(channels, 6000, 0.7);
    // Silence in the middle: what goes to sleep there must wake at the same frame too.
    for plane in sound.planes_mut() {
        plane[3000..4400].fill(0.0);
    }
    let key = kind.takes_key.then(|| noise(3 - channels, 6000, 0.9));
    let mut random = Random::new(5);
    let mut start = 0;
    for (n, end) in [701, 705, 1333, 2501, 4555, 4560, 6000].into_iter().enumerate() {
        // A key comes and goes with the session's routing.
        let key = key.as_ref().filter(|_| n % 3 != 2);
        run_keyed(processor.as_mut(), &mut sound, key, start..end, block);
        for param in live_params(kind) {
            if random.unit() < 0.3 {
                let ramp_frames = if n % 2 == 0 { 0 } else { 37 * n };
                processor.set(param, value_at(kind, param, random.unit()), ramp_frames);
            }
        }
        start = end;
    }
    sound
}

#[test]
fn any_block_size_gives_the_same_bytes_with_moves_on_the_way() {
    for kind in KINDS {
        for values in cases(kind, 4) {
            for channels in [1, 2] {
                let whole = run_with_moves(kind, &values, channels, MAX_FRAMES);
                for block in [1, 7, 64, 333] {
                    let cut = run_with_moves(kind, &values, channels, block);
                    let differ = differences(&cut, &whole);
                    assert_eq!(differ, 0, "{} in blocks of {block}: {values:?}", kind.id);
                }
            }
        }
    }
}

#[test]
fn reset_is_like_new_with_the_values_last_set() {
    for kind in KINDS {
        for values in cases(kind, 4) {
            let mut last = values.clone();
            let mut used = kind.build(&values, &spec(2));
            let mut sound = noise(2, 3000, 0.9);
            run(used.as_mut(), &mut sound, 0..1500, 512);
            for param in live_params(kind) {
                last[param] = value_at(kind, param, 0.6);
                used.set(param, last[param], 100 * (param % 2));
            }
            run(used.as_mut(), &mut sound, 1500..1550, 512);
            used.reset();
            let mut new = kind.build(&last, &spec(2));
            let (mut from_used, mut from_new) = (noise(2, 3000, 0.5), noise(2, 3000, 0.5));
            run(used.as_mut(), &mut from_used, 0..3000, 512);
            run(new.as_mut(), &mut from_new, 0..3000, 512);
            assert_eq!(differences(&from_used, &from_new), 0, "{}: {last:?}", kind.id);
        }
    }
}

#[test]
fn a_hand_before_the_first_frame_is_like_building_with_that_value() {
    for kind in KINDS {
        let values = cases(kind, 2).remove(1);
        let mut aimed = kind.defaults();
        let mut set = kind.build(&aimed, &spec(2));
        for param in live_params(kind) {
            aimed[param] = values[param];
            set.set(param, values[param], 0);
        }
        let mut built = kind.build(&aimed, &spec(2));
        let (mut from_set, mut from_built) = (noise(2, 2000, 0.5), noise(2, 2000, 0.5));
        run(set.as_mut(), &mut from_set, 0..2000, 512);
        run(built.as_mut(), &mut from_built, 0..2000, 512);
        assert_eq!(differences(&from_set, &from_built), 0, "{}: {aimed:?}", kind.id);
    }
}

#[test]
fn after_the_tail_silence_in_is_exact_silence_out() {
    for kind in KINDS {
        for values in cases(kind, 6) {
            for channels in [1, 2] {
                let mut processor = kind.build(&values, &spec(channels));
                let mut sound = noise(channels, MAX_FRAMES, 1.0);
                run(processor.as_mut(), &mut sound, 0..MAX_FRAMES, 512);
                let mut left = processor.tail_frames();
                while left > 0 {
                    let frames = left.min(MAX_FRAMES);
                    sound.clear();
                    run(processor.as_mut(), &mut sound, 0..frames, 1024);
                    left -= frames;
                }
                sound.clear();
                run(processor.as_mut(), &mut sound, 0..MAX_FRAMES, 512);
                let silent = sound.planes().flatten().all(|x| *x == 0.0);
                assert!(silent, "{} with {channels} channels: {values:?}", kind.id);
            }
        }
    }
}

#[test]
fn a_silent_output_is_called_silent_only_when_it_is() {
    for kind in KINDS {
        for values in cases(kind, 4) {
            let mut processor = kind.build(&values, &spec(2));
            let mut sound = noise(2, 1000, 1.0);
            run(processor.as_mut(), &mut sound, 0..1000, 333);
            let mut block = Buffer::new(2, 256);
            for _ in 0..400 {
                block.clear();
                let io = &mut Io::new(&mut block, None, 0..256, Status::Silent);
                if processor.process(io) == Status::Silent {
                    assert!(block.planes().flatten().all(|x| *x == 0.0), "{}", kind.id);
                }
            }
        }
    }
}

#[test]
fn what_is_not_finite_does_not_stay_in_and_is_counted() {
    for kind in KINDS {
        for values in cases(kind, 4) {
            for channels in [1, 2] {
                let mut processor = kind.build(&values, &spec(channels));
                let mut sound = noise(channels, 6000, 0.5);
                for (n, bad) in [f32::NAN, f32::INFINITY, f32::NEG_INFINITY].into_iter().enumerate()
                {
                    sound.planes_mut().for_each(|plane| plane[100 + 977 * n] = bad);
                }
                run(processor.as_mut(), &mut sound, 0..6000, 333);
                assert!(sound.planes().flatten().all(|x| x.is_finite()), "{}", kind.id);
                assert_eq!(processor.cleaned_samples(), 3 * channels as u64, "{}", kind.id);
            }
        }
    }
}

#[test]
fn a_bad_key_counts_as_a_silent_one() {
    for kind in KINDS.iter().filter(|kind| kind.takes_key) {
        for values in cases(kind, 4) {
            let heard = |bad: [f32; 3]| {
                let mut key = noise(2, 4000, 1.0);
                for (n, bad) in bad.into_iter().enumerate() {
                    key.planes_mut().for_each(|plane| plane[100 + 500 * n..][..3].fill(bad));
                }
                let mut sound = noise(2, 4000, 0.5);
                let mut processor = kind.build(&values, &spec(2));
                run_keyed(processor.as_mut(), &mut sound, Some(&key), 0..4000, 512);
                sound
            };
            let bad = heard([f32::NAN, f32::INFINITY, f32::NEG_INFINITY]);
            assert_eq!(differences(&bad, &heard([0.0; 3])), 0, "{}: {values:?}", kind.id);
        }
    }
}

/// The fastest of a few runs over `sound`, from the present state, in seconds.
fn seconds(processor: &mut dyn Processor, source: &Buffer, repeats: usize) -> f64 {
    let mut work = source.clone();
    let time = |_| {
        work.clone_from(source);
        let start = std::time::Instant::now();
        run(processor, &mut work, 0..source.capacity(), 512);
        start.elapsed().as_secs_f64()
    };
    (0..repeats).map(time).fold(f64::INFINITY, f64::min)
}

#[test]
fn a_tail_into_denormal_numbers_costs_little_more_than_sound() {
    // Denormal arithmetic is slower by ten and more; the bound leaves room for a busy machine.
    const BOUND: f64 = 2.5;
    for kind in KINDS {
        for values in cases(kind, 3) {
            let mut processor = kind.build(&values, &spec(2));
            let sound = noise(2, MAX_FRAMES, 0.5);
            let busy = seconds(processor.as_mut(), &sound, 8);
            let faint = noise(2, MAX_FRAMES, 1e-39);
            let tail = seconds(processor.as_mut(), &faint, 8);
            // Long enough that what decays unwatched has come down to the smallest numbers.
            let silence = Buffer::new(2, MAX_FRAMES);
            seconds(processor.as_mut(), &sound, 1);
            seconds(processor.as_mut(), &silence, 24);
            let silent = seconds(processor.as_mut(), &silence, 8);
            let worst = tail.max(silent) / busy;
            assert!(worst < BOUND, "{}: {worst:.1} times the cost of sound: {values:?}", kind.id);
        }
    }
}

/// Energy above 3 kHz of what a 1 kHz sine becomes: before, while and after `set`, relative to all energy.
fn click_db(kind: &Kind, values: &[f64], param: usize, value: f64, ramp_frames: usize) -> [f64; 3] {
    const CHANGE: usize = 24_000;
    let mut processor = kind.build(values, &spec(1));
    let mut tone = sine(1000.0, RATE.hz(), 72_000, 0.25, 0.0);
    fade(&mut tone, 4800);
    let mut sound = buffer(&[tone]);
    run(processor.as_mut(), &mut sound, 0..CHANGE, 1024);
    processor.set(param, value, ramp_frames);
    run(processor.as_mut(), &mut sound, CHANGE..72_000, 1024);
    let at = CHANGE + processor.latency_frames();
    let heard = |range: Range<usize>| {
        let part = &sound.channel(0)[range];
        if meters::rms(part) < 1e-6 {
            return f64::NEG_INFINITY;
        }
        meters::energy_above_db(part, RATE.hz(), 1500.0, 3000.0)
    };
    [heard(at - 9000..at - 1000), heard(at - 1000..at + 9000), heard(at + 38_000..at + 46_000)]
}

/// Moves of every live parameter: (param, value), a tenth of the range of a number, every other choice.
fn moves(kind: &Kind, values: &[f64]) -> Vec<(usize, f64)> {
    let moved = |param: usize| -> Vec<(usize, f64)> {
        let spec = &kind.params[param];
        let (min, max) = spec.range();
        let now = values[param];
        match (spec.kind, spec.curve) {
            (ParamKind::Number { .. }, Curve::Log) => {
                let step = math::pow(max / min, 0.1);
                vec![(param, if now * step <= max { now * step } else { now / step })]
            }
            (ParamKind::Number { .. }, Curve::Linear) => {
                let step = 0.1 * (max - min);
                vec![(param, if now + step <= max { now + step } else { now - step })]
            }
            _ => (0..=max as usize).map(|n| (param, n as f64)).filter(|m| m.1 != now).collect(),
        }
    };
    live_params(kind).flat_map(moved).collect()
}

#[test]
fn no_move_of_a_parameter_clicks() {
    // The limit of the acceptance table, or what the processor does to a steady sine anyway.
    const LIMIT_DB: f64 = -90.0;
    let mut clicks = Vec::new();
    for kind in KINDS {
        let middle = (0..kind.params.len()).map(|param| value_at(kind, param, 0.55)).collect();
        for values in [kind.defaults(), middle] {
            for (param, value) in moves(kind, &values) {
                for ramp_frames in [0, 2400] {
                    let [before, change, after] =
                        click_db(kind, &values, param, value, ramp_frames);
                    if change > LIMIT_DB.max(before.max(after) + 3.0) {
                        let id = kind.params[param].id;
                        clicks.push(format!(
                            "{} {id} {} -> {value} in {ramp_frames}: {change:.1} dB (steady {before:.1}, {after:.1})",
                            kind.id, values[param]
                        ));
                    }
                }
            }
        }
    }
    assert!(clicks.is_empty(), "\n{}", clicks.join("\n"));
}

#[test]
fn nothing_on_the_audio_path_takes_or_gives_back_memory() {
    for kind in KINDS {
        for values in cases(kind, 4) {
            let mut processor = kind.build(&values, &spec(2));
            let mut sound = noise(2, MAX_FRAMES, 2.0);
            let key = noise(2, MAX_FRAMES, 1.0);
            let touched = allocations_in(|| {
                for (n, param) in live_params(kind).enumerate() {
                    let io = &mut Io::new(&mut sound, Some(&key), 0..777, Status::Filled);
                    processor.process(io);
                    processor.set(param, value_at(kind, param, 0.4), 50 * (n % 3));
                    processor.process(&mut Io::new(&mut sound, None, 0..1, Status::Filled));
                    processor.take_gain_reduction_db();
                }
                processor.process(&mut Io::new(&mut sound, None, 0..MAX_FRAMES, Status::Filled));
                processor.reset();
            });
            assert_eq!(touched, 0, "{}: {values:?}", kind.id);
        }
    }
}
