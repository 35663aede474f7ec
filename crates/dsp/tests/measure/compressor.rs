//! What the compressor does, beside the formulas that it promises.

use topdown_dsp::compressor::{CompressorSettings, Detector};
use topdown_dsp::{Buffer, Io, ProcessSpec, Settings, Status, math};
use topdown_testkit::acceptance::Row;
use topdown_testkit::meters::{self, db};
use topdown_testkit::{null, signals};
use topdown_units::SampleRate;

const RATE: SampleRate = SampleRate::STUDIO;

/// A compressor with plain dBFS threshold.
pub(crate) fn plain(
    threshold: f64,
    ratio: f64,
    knee: f64,
    attack: f64,
    release: f64,
) -> CompressorSettings {
    CompressorSettings {
        threshold_rel_db: threshold,
        ratio,
        knee_db: knee,
        attack_ms: attack,
        release_ms: release,
        ..CompressorSettings::default()
    }
}

/// What the compressor makes of one or two channels.
pub(crate) fn process(settings: &CompressorSettings, planes: &[&[f32]]) -> Vec<Vec<f32>> {
    let frames = planes[0].len();
    let spec = ProcessSpec { sample_rate: RATE, channels: planes.len(), max_frames: frames };
    let mut sound = Buffer::from_planes(planes);
    let mut compressor = settings.build(&spec);
    compressor.process(&mut Io::new(&mut sound, None, 0..frames, Status::Filled));
    sound.planes().map(<[f32]>::to_vec).collect()
}

fn amplitude(level_db: f64) -> f32 {
    math::pow(10.0, level_db / 20.0) as f32
}

/// The curve of the paper in its own words: output level of a steady input level.
pub(crate) fn curve_db(level: f64, threshold: f64, ratio: f64, knee: f64) -> f64 {
    let over = level - threshold;
    if 2.0 * over < -knee {
        level
    } else if 2.0 * over.abs() <= knee {
        level + (1.0 / ratio - 1.0) * (over + knee / 2.0) * (over + knee / 2.0) / (2.0 * knee)
    } else {
        threshold + over / ratio
    }
}

fn static_curve() -> Row {
    let mut worst = 0.0f64;
    for threshold in [-40.0, -20.0, -6.0] {
        for ratio in [1.5, 2.0, 4.0, 20.0, 100.0] {
            for knee in [0.0, 6.0, 18.0] {
                for level in (-60..=6).step_by(3).map(f64::from) {
                    let input = vec![amplitude(level); 2400];
                    let settings = plain(threshold, ratio, knee, 1.0, 5.0);
                    let out = process(&settings, &[&input]).remove(0);
                    let measured = db(f64::from(out[2399]) / f64::from(input[0])) + level;
                    worst = worst.max((measured - curve_db(level, threshold, ratio, knee)).abs());
                }
            }
        }
    }
    Row::new(
        "compressor",
        "static curve, 3 thresholds × 5 ratios × 3 knees × 23 levels",
        0.001,
        worst,
        "dB",
    )
}

/// Frames of each level of [`step_response`].
pub(crate) const STEP_FRAMES: usize = 48_000;

/// Gain in dB over time when the level steps by 30 dB up after a second, and down again after two.
pub(crate) fn step_response(settings: &CompressorSettings) -> Vec<f64> {
    let half = STEP_FRAMES;
    let level = |n: usize| amplitude(if (half..2 * half).contains(&n) { 0.0 } else { -30.0 });
    let input: Vec<f32> = (0..4 * half).map(level).collect();
    let out = process(settings, &[&input]).remove(0);
    out.iter().zip(&input).map(|(y, x)| db(f64::from(*y) / f64::from(*x))).collect()
}

fn times() -> Vec<Row> {
    let half = STEP_FRAMES;
    let (mut attack_error, mut release_error) = (0.0f64, 0.0f64);
    for (attack_ms, release_ms) in [(1.0, 50.0), (10.0, 100.0), (30.0, 400.0)] {
        let gain = step_response(&plain(-30.0, 4.0, 0.0, attack_ms, release_ms));
        let full = gain[2 * half - 1];
        let within = |part: &[f64], reached: &dyn Fn(f64) -> bool| {
            let frames = part.iter().position(|g| reached(*g)).unwrap_or(part.len());
            (frames + 1) as f64 / RATE.hz() * 1e3
        };
        let most = 1.0 - math::exp(-1.0);
        let attack = within(&gain[half..], &|g| g <= full * most);
        let release = within(&gain[2 * half..], &|g| g >= full * (1.0 - most));
        attack_error = attack_error.max((attack / attack_ms - 1.0).abs() * 100.0);
        release_error = release_error.max((release / (attack_ms + release_ms) - 1.0).abs() * 100.0);
    }
    vec![
        Row::new(
            "compressor",
            "attack to 63 % against attack_ms, 1 to 30 ms",
            2.0,
            attack_error,
            "%",
        ),
        Row::new(
            "compressor",
            "release to 63 % against attack_ms + release_ms",
            2.0,
            release_error,
            "%",
        ),
    ]
}

fn distortion() -> Row {
    let tone = signals::sine(100.0, RATE.hz(), 96_000, 1.0, 0.0);
    let settings = plain(-20.0, 4.0, 0.0, 10.0, 100.0);
    let out = process(&settings, &[&tone]).remove(0);
    let thd = meters::thd(&out[48_000..], 100.0 / RATE.hz());
    Row::new("compressor", "THD of 100 Hz at 15 dB of reduction, 10/100 ms", 0.1, thd * 100.0, "%")
}

fn exact() -> Vec<Row> {
    let drums = signals::drums(1, RATE.hz(), 48_000, 1.0);
    let out = process(&plain(-40.0, 1.0, 6.0, 1.0, 50.0), &[&drums]).remove(0);
    let ratio_one = null::different_samples(&out, &drums);
    let dry = CompressorSettings { mix_percent: 0.0, ..plain(-40.0, 8.0, 6.0, 1.0, 50.0) };
    let mix_zero = null::different_samples(&process(&dry, &[&drums]).remove(0), &drums);
    let none = CompressorSettings { amount_percent: 0.0, ..plain(-40.0, 8.0, 6.0, 1.0, 50.0) };
    let amount_zero = null::different_samples(&process(&none, &[&drums]).remove(0), &drums);
    let below = process(&plain(6.0, 8.0, 6.0, 1.0, 50.0), &[&drums]).remove(0);
    let below = null::different_samples(&below, &drums);
    vec![
        Row::exact("compressor", "ratio 1 changes nothing", ratio_one),
        Row::exact("compressor", "mix 0 and amount 0 change nothing", mix_zero + amount_zero),
        Row::exact("compressor", "below the knee nothing changes", below),
    ]
}

/// A hit on the left must turn both channels down alike.
fn image() -> Row {
    let left = signals::drums(2, RATE.hz(), 24_000, 1.0);
    let right = signals::sine(440.0, RATE.hz(), 24_000, 0.1, 0.5);
    let settings = plain(-25.0, 6.0, 3.0, 2.0, 60.0);
    let out = process(&settings, &[&left, &right]);
    let pairs = (0..24_000).filter(|&n| left[n].abs() > 0.01 && right[n].abs() > 0.01);
    let shift = |n: usize| {
        let gain = |out: &[f32], x: &[f32]| db(f64::from(out[n]) / f64::from(x[n]));
        (gain(&out[0], &left) - gain(&out[1], &right)).abs()
    };
    let worst = pairs.map(shift).fold(0.0, f64::max);
    // Both are multiplied by one f32 gain; what is left is the rounding of the products.
    Row::new("compressor", "image shift of a hard-panned hit (rounding of f32)", 2e-6, worst, "dB")
}

fn scaling() -> Vec<Row> {
    let input = vec![1.0f32; 4800];
    let steady = |settings: &CompressorSettings| {
        db(f64::from(*process(settings, &[&input]).remove(0).last().unwrap_or(&0.0)))
    };
    let whole = plain(-20.0, 4.0, 0.0, 1.0, 5.0);
    let half = CompressorSettings { amount_percent: 50.0, ..whole.clone() };
    let driven = CompressorSettings { threshold_rel_db: 3.0, drive_lufs: -23.0, ..whole.clone() };
    let amount = (steady(&half) - 0.5 * steady(&whole)).abs();
    let drive = (steady(&driven) - steady(&whole)).abs();
    vec![
        Row::new("compressor", "amount 50 % gives half the reduction in dB", 0.001, amount, "dB"),
        Row::new("compressor", "threshold is drive plus relative threshold", 0.0, drive, "dB"),
    ]
}

fn detectors() -> Vec<Row> {
    let tone = signals::sine(1000.0, RATE.hz(), 96_000, 1.0, 0.0);
    let rms = CompressorSettings { detector: Detector::Rms, ..plain(-20.0, 4.0, 0.0, 10.0, 200.0) };
    let out = process(&rms, &[&tone]).remove(0);
    let gain = db(meters::tone(&out[48_000..], 1000.0 / RATE.hz()).0);
    let rms_error = (gain - 0.75 * (-20.0 + 3.0103)).abs();
    let low = signals::sine(40.0, RATE.hz(), 96_000, 1.0, 0.0);
    let filtered =
        CompressorSettings { sidechain_hpf_hz: 160.0, ..plain(-34.0, 100.0, 0.0, 10.0, 500.0) };
    let out = process(&filtered, &[&low]).remove(0);
    // Two octaves below the corner a Butterworth filter of second order passes this much.
    let expected = -10.0 * math::log10(1.0 + 256.0);
    let reduction = -db(meters::tone(&out[48_000..], 40.0 / RATE.hz()).0);
    let hpf_error = (reduction - 0.99 * (expected + 34.0)).abs();
    vec![
        Row::new("compressor", "RMS detector on a sine: 3.01 dB below peak", 0.1, rms_error, "dB"),
        Row::new(
            "compressor",
            "side-chain high-pass two octaves above a tone hears 24.1 dB less of it",
            0.1,
            hpf_error,
            "dB",
        ),
    ]
}

/// Every promise of the compressor, measured.
pub(crate) fn rows() -> Vec<Row> {
    let mut rows = vec![static_curve()];
    rows.extend(times());
    rows.push(distortion());
    rows.extend(exact());
    rows.push(image());
    rows.extend(scaling());
    rows.extend(detectors());
    rows
}
