//! What the oversampler does to tones, images and aliases at 44.1 kHz.

use topdown_dsp::math;
use topdown_dsp::oversample::{Factor, Oversampler};
use topdown_testkit::acceptance::Row;
use topdown_testkit::meters::{db, tone};
use topdown_testkit::{null, signals};

const RATE: f64 = 44_100.0;
const FACTORS: [Factor; 3] = [Factor::X2, Factor::X4, Factor::X8];
const TONES_HZ: [f64; 8] = [20.0, 310.0, 1000.0, 5000.0, 10_000.0, 15_000.0, 18_500.0, 20_000.0];

/// Level of up and down together at `hz`, by the transform of the impulse response.
pub(crate) fn response_db(factor: Factor, hz: f64) -> f64 {
    let mut oversampler = Oversampler::new(factor);
    let mut impulse = vec![0.0; oversampler.memory_frames()];
    impulse[0] = 1.0;
    oversampler.process(&mut impulse, |_| {});
    let w = math::TAU * hz / RATE;
    let sum = |f: fn(f64) -> f64| {
        impulse.iter().enumerate().map(|(n, x)| f64::from(*x) * f(w * n as f64)).sum::<f64>()
    };
    let (re, im) = (sum(math::cos), sum(math::sin));
    0.5 * db(re * re + im * im)
}

fn pass_band() -> Row {
    let steps = (0..=100).map(|n| 20.0 * math::pow(1000.0, f64::from(n) / 100.0));
    let error = |hz: f64| FACTORS.map(|f| response_db(f, hz).abs()).into_iter().fold(0.0, f64::max);
    let worst = steps.map(error).fold(0.0, f64::max);
    Row::new("oversampler", "level error 20 Hz to 20 kHz, 2/4/8 times", 0.01, worst, "dB")
}

/// Frequencies at the higher rate that belong to `hz` but are not it.
fn mirrors(factor: Factor, hz: f64) -> Vec<f64> {
    let top = factor.times() as f64 * RATE / 2.0;
    let near = |k: usize| [k as f64 * RATE - hz, k as f64 * RATE + hz];
    (1..=factor.times() / 2).flat_map(near).filter(|f| *f < top).collect()
}

fn images() -> Row {
    let mut worst = f64::NEG_INFINITY;
    for factor in FACTORS {
        for hz in TONES_HZ {
            let mut sound = signals::sine(hz, RATE, 8192, 0.9, 0.1);
            let mut heard = Vec::new();
            Oversampler::new(factor).process(&mut sound, |high| heard.extend_from_slice(high));
            let times = factor.times() as f64;
            let steady = &heard[200 * factor.times()..];
            let level = |hz: f64| tone(steady, hz / (times * RATE)).0;
            for mirror in mirrors(factor, hz) {
                worst = worst.max(db(level(mirror) / level(hz)));
            }
        }
    }
    Row::new("oversampler", "images of tones up to 20 kHz, 2/4/8 times", -100.0, worst, "dB")
}

fn aliases() -> Row {
    let mut worst = f64::NEG_INFINITY;
    for factor in FACTORS {
        for hz in TONES_HZ {
            for mirror in mirrors(factor, hz) {
                let step = math::TAU * mirror / (factor.times() as f64 * RATE);
                let mut n = 0.0;
                let mut sound = vec![0.0; 8192];
                Oversampler::new(factor).process(&mut sound, |high| {
                    for x in high {
                        *x = (0.9 * math::sin(step * n)) as f32;
                        n += 1.0;
                    }
                });
                worst = worst.max(db(tone(&sound[200..], hz / RATE).0 / 0.9));
            }
        }
    }
    Row::new("oversampler", "aliases that fall below 20 kHz, 2/4/8 times", -100.0, worst, "dB")
}

fn round_trip() -> Row {
    let mut worst = f64::NEG_INFINITY;
    // Tones all over the band, with phases that keep the peak low.
    let mut sound = vec![0.0f32; 22_050];
    for (n, hz) in (0..60).map(|n| (n, 25.0 + 338.0 * f64::from(n))) {
        let tone = signals::sine(hz, RATE, 22_050, 0.02, f64::from(n * n) * 0.7);
        sound.iter_mut().zip(tone).for_each(|(sum, x)| *sum += x);
    }
    for factor in FACTORS {
        let mut oversampler = Oversampler::new(factor);
        let mut out = sound.clone();
        oversampler.process(&mut out, |_| {});
        let latency = oversampler.latency_frames();
        let (start, end) = (oversampler.memory_frames(), sound.len());
        worst = worst.max(null::residual_db(&out[start + latency..], &sound[start..end - latency]));
    }
    Row::new("oversampler", "up and down against the delayed input", -90.0, worst, "dB")
}

/// Every promise of the oversampler, measured.
pub(crate) fn rows() -> Vec<Row> {
    vec![pass_band(), images(), aliases(), round_trip()]
}
