//! How fast the listeners are: `cargo run --release -p topdown-analysis --example bench_listen`.
//!
//! Prints track-seconds heard per second for one mono and one stereo track, and milliseconds for a trial of 30 s.
//! One core, 48 kHz, pink-like noise with a beat (a steady noise would let no true-peak group be skipped).
#![allow(clippy::print_stdout, reason = "an example for people")]

use std::time::Instant;
use topdown_analysis::loudness::LoudnessMeter;
use topdown_analysis::spectrum::SpectrumMeter;
use topdown_analysis::true_peak::{PeakFilter, TruePeakMeter};
use topdown_analysis::{MixListener, TrackListener, levels::LevelMeter};
use topdown_units::SampleRate;

const RATE: SampleRate = SampleRate::STUDIO;
const BLOCK: usize = 1_024;
const ROUNDS: usize = 5;

/// Noise falling with frequency, louder on every beat.
fn song(seconds: usize, mut seed: u64) -> Vec<f32> {
    let mut low = [0.0f32; 3];
    (0..seconds * 48_000)
        .map(|i| {
            seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            let white = (seed >> 40) as f32 / 8_388_608.0 - 1.0;
            low[0] += 0.02 * (white - low[0]);
            low[1] += 0.2 * (white - low[1]);
            low[2] += 0.7 * (white - low[2]);
            let beat = 1.0 - (i % 24_000) as f32 / 24_000.0;
            (low[0] * 2.0 + low[1] * 0.6 + low[2] * 0.2) * (0.25 + 0.5 * beat * beat)
        })
        .collect()
}

/// Shortest time of some rounds, in seconds.
fn time(mut work: impl FnMut()) -> f64 {
    (0..ROUNDS)
        .map(|_| {
            let start = Instant::now();
            work();
            start.elapsed().as_secs_f64()
        })
        .fold(f64::INFINITY, f64::min)
}

fn blocks(planes: &[&[f32]], mut push: impl FnMut(&[&[f32]])) {
    let mut start = 0;
    while start < planes[0].len() {
        let end = (start + BLOCK).min(planes[0].len());
        push(&planes.iter().map(|plane| &plane[start..end]).collect::<Vec<_>>());
        start = end;
    }
}

fn main() {
    let (left, right) = (song(30, 1), song(30, 2));
    let stereo: [&[f32]; 2] = [&left, &right];
    let mono = &stereo[..1];
    let rate_of = |planes: &[&[f32]]| {
        30.0 / time(|| {
            let mut listener = TrackListener::new(RATE, planes.len());
            blocks(planes, |block| listener.push(block));
            std::hint::black_box(listener.finish());
        })
    };
    println!("mono track    {:7.0} track-seconds per second", rate_of(mono));
    println!("stereo track  {:7.0} track-seconds per second", rate_of(&stereo));
    let trial = time(|| {
        let mut listener = MixListener::trial(RATE, 2);
        blocks(&stereo, |block| listener.push(block));
        std::hint::black_box(listener.finish());
    });
    println!("trial of 30 s {:7.1} ms", trial * 1e3);
    stages(&stereo);
}

fn stages(stereo: &[&[f32]]) {
    let loudness = time(|| {
        let mut meter = LoudnessMeter::new(RATE, 2);
        blocks(stereo, |block| meter.push(block));
        std::hint::black_box(meter.finish().summary());
    });
    let spectrum = time(|| {
        let mut meter = SpectrumMeter::new(RATE, 2);
        blocks(stereo, |block| meter.push(block));
        std::hint::black_box(meter.finish());
    });
    let levels = time(|| {
        let mut meter = LevelMeter::new(RATE, 2);
        blocks(stereo, |block| meter.push(block));
        std::hint::black_box(meter.finish());
    });
    println!("  loudness    {:7.1} ms of 30 s stereo", loudness * 1e3);
    println!("  spectrum    {:7.1} ms", spectrum * 1e3);
    println!("  levels      {:7.1} ms", levels * 1e3);
    for filter in [PeakFilter::Long, PeakFilter::Short, PeakFilter::Itu] {
        let peak = time(|| {
            let mut meter = TruePeakMeter::new(RATE, 2, filter);
            blocks(stereo, |block| meter.push(block));
            std::hint::black_box(meter.finish());
        });
        println!("  peak {filter:?}  {:7.1} ms", peak * 1e3);
    }
}
