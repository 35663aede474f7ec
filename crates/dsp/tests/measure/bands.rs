//! State-variable filter, crossover, dynamic equaliser and multiband against formulas of their own.

use topdown_dsp::crossover::{Crossover, MOST_BANDS};
use topdown_dsp::dynamic_eq::{DynamicBand, DynamicEqSettings};
use topdown_dsp::multiband::MultibandSettings;
use topdown_dsp::svf::{Svf, SvfShape, warped};
use topdown_dsp::{Buffer, Io, ProcessSpec, Settings, Status, math};
use topdown_testkit::acceptance::Row;
use topdown_testkit::meters::{db, tone};
use topdown_testkit::{null, signals};
use topdown_units::SampleRate;

const RATE: SampleRate = SampleRate::STUDIO;
const BUTTERWORTH: f64 = std::f64::consts::FRAC_1_SQRT_2;

/// A biquad in direct form: b0 b1 b2 a0 a1 a2.
fn biquad([b0, b1, b2, a0, a1, a2]: [f64; 6], input: &[f64]) -> Vec<f64> {
    let (mut x1, mut x2, mut y1, mut y2) = (0.0, 0.0, 0.0, 0.0);
    let step = |x: &f64| {
        let y = (b0 * x + b1 * x1 + b2 * x2 - a1 * y1 - a2 * y2) / a0;
        (x2, x1, y2, y1) = (x1, *x, y1, y);
        y
    };
    input.iter().map(step).collect()
}

/// The bilinear filters as R. Bristow-Johnson writes them, beside ours.
fn pairs(hz: f64, q: f64, gain_db: f64) -> Vec<([f64; 6], SvfShape)> {
    let w = math::TAU * hz / RATE.hz();
    let (c, alpha) = (math::cos(w), math::sin(w) / (2.0 * q));
    let root = math::pow(10.0, gain_db / 40.0);
    let (g, side) = (warped(hz, RATE.hz()), 2.0 * root.sqrt() * alpha);
    let (up, down) = (root + 1.0, root - 1.0);
    let shelf = |c: f64| {
        [
            root * (up - down * c + side),
            2.0 * root * (down - up * c),
            root * (up - down * c - side),
            up + down * c + side,
            -2.0 * (down + up * c),
            up + down * c - side,
        ]
    };
    // The high shelf is the low one mirrored: cosine and every odd coefficient change sign.
    let mirrored = shelf(-c);
    let high = std::array::from_fn(|n| if n % 3 == 1 { -mirrored[n] } else { mirrored[n] });
    let poles = [1.0 + alpha, -2.0 * c, 1.0 - alpha];
    let with = |b: [f64; 3]| [b[0], b[1], b[2], poles[0], poles[1], poles[2]];
    let bell = [
        1.0 + alpha * root,
        -2.0 * c,
        1.0 - alpha * root,
        1.0 + alpha / root,
        -2.0 * c,
        1.0 - alpha / root,
    ];
    vec![
        (with([(1.0 - c) / 2.0, 1.0 - c, (1.0 - c) / 2.0]), SvfShape::low_pass(g, q)),
        (with([(1.0 + c) / 2.0, -1.0 - c, (1.0 + c) / 2.0]), SvfShape::high_pass(g, q)),
        (with([alpha, 0.0, -alpha]), SvfShape::band_pass(g, q)),
        (with([1.0 - alpha, -2.0 * c, 1.0 + alpha]), SvfShape::all_pass(g, q)),
        (bell, SvfShape::bell(g, q, root)),
        (shelf(c), SvfShape::low_shelf(g, q, root)),
        (high, SvfShape::high_shelf(g, q, root)),
    ]
}

fn equals_biquad() -> Row {
    let mut impulse = vec![0.0; 4096];
    impulse[0] = 1.0;
    let mut worst = 0.0f64;
    for hz in [30.0, 300.0, 3000.0, 12_000.0] {
        for (q, gain_db) in [(0.5, 6.0), (BUTTERWORTH, -12.0), (4.0, 12.0)] {
            for (coefficients, shape) in pairs(hz, q, gain_db) {
                let mut svf = Svf::default();
                let ours = impulse.iter().map(|x| svf.step([*x, 0.0], &shape)[0]);
                let expected = biquad(coefficients, &impulse);
                worst = ours.zip(expected).map(|(a, b)| (a - b).abs()).fold(worst, f64::max);
            }
        }
    }
    Row::new("svf", "impulse responses against biquads, 7 shapes", 1e-12, worst, "")
}

/// The loudest sample above the loudest that any of the filters passed on the way makes standing still.
fn burst() -> Row {
    let loudest = |corner: &dyn Fn(usize) -> f64, x: &[f32]| {
        let mut svf = Svf::default();
        let step = |(n, x): (usize, &f32)| {
            let shape = SvfShape::low_pass(warped(corner(n), RATE.hz()), 2.0);
            svf.step([f64::from(*x), 0.0], &shape)[0].abs()
        };
        x.iter().enumerate().map(step).fold(0.0, f64::max)
    };
    let mut worst = f64::NEG_INFINITY;
    for hz in [700.0, 1500.0, 4000.0] {
        let mut x = signals::sine(hz, RATE.hz(), 9600, 0.5, 0.0);
        signals::fade(&mut x, 2000);
        let corners = (0..=24).map(|n| 1000.0 * math::pow(8.0, f64::from(n) / 24.0));
        let still = corners.map(|corner| loudest(&|_| corner, &x)).fold(0.0, f64::max);
        for sweep in [48.0, 480.0, 4800.0] {
            let moving = |n: usize| {
                let share = (n as f64 - 4800.0) / sweep + 0.5;
                1000.0 * math::pow(8.0, share.clamp(0.0, 1.0))
            };
            worst = worst.max(db(loudest(&moving, &x) / still));
            worst = worst.max(db(loudest(&|n| moving(9600 - n), &x) / still));
        }
    }
    Row::new(
        "svf",
        "1 to 8 kHz in 1, 10, 100 ms: burst over the loudest still filter",
        1.0,
        worst,
        "dB",
    )
}

const CORNERS: [&[f64]; 5] = [
    &[500.0],
    &[200.0, 2000.0],
    &[500.0, 1000.0],
    &[120.0, 900.0, 6000.0],
    &[80.0, 300.0, 1500.0, 7000.0],
];

fn all_passed(corners: &[f64], input: &[f64]) -> Vec<f64> {
    corners
        .iter()
        .fold(input.to_vec(), |sound, hz| biquad(pairs(*hz, BUTTERWORTH, 0.0)[3].0, &sound))
}

/// Level in dB of an impulse response at `hz`.
pub(crate) fn level_at(response: &[f64], hz: f64) -> f64 {
    let w = math::TAU * hz / RATE.hz();
    let sum = |f: fn(f64) -> f64| {
        response.iter().enumerate().map(|(n, x)| x * f(w * n as f64)).sum::<f64>()
    };
    let (re, im) = (sum(math::cos), sum(math::sin));
    0.5 * db(re * re + im * im)
}

fn crossover() -> Vec<Row> {
    let mut impulse = vec![0.0; 24_000];
    impulse[0] = 1.0;
    let noise: Vec<f64> = signals::white(1, 24_000, 0.5).into_iter().map(f64::from).collect();
    let (mut flat, mut residual) = (0.0f64, f64::NEG_INFINITY);
    for corners in CORNERS {
        let sum = |input: &[f64]| -> Vec<f64> {
            let mut crossover = Crossover::new(RATE.hz(), corners);
            let mut bands = [[0.0; 2]; MOST_BANDS];
            let step = |x: &f64| {
                crossover.split([0.0, *x], &mut bands);
                bands[..crossover.bands()].iter().map(|band| band[1]).sum()
            };
            input.iter().map(step).collect()
        };
        let response = sum(&impulse);
        let steps = (0..=60).map(|n| 20.0 * math::pow(1000.0, f64::from(n) / 60.0));
        flat = steps.map(|hz| level_at(&response, hz).abs()).fold(flat, f64::max);
        let (ours, expected) = (sum(&noise), all_passed(corners, &noise));
        let power = |x: f64| x * x;
        let left: f64 = ours.iter().zip(&expected).map(|(a, b)| power(a - b)).sum();
        residual = residual.max(0.5 * db(left / expected.iter().map(|x| power(*x)).sum::<f64>()));
    }
    vec![
        Row::new("crossover", "sum of 2 to 5 bands, level 20 Hz to 20 kHz", 0.001, flat, "dB"),
        Row::new("crossover", "sum of 2 to 5 bands against the all-passes", -120.0, residual, "dB"),
        Row::new("crossover", "24 dB per octave: a band two octaves off", 0.05, slope(), "dB"),
    ]
}

/// How far the band below a corner is from the Linkwitz–Riley formula two octaves above it.
fn slope() -> f64 {
    let mut crossover = Crossover::new(RATE.hz(), &[500.0]);
    let mut bands = [[0.0; 2]; MOST_BANDS];
    let x = signals::sine(2000.0, RATE.hz(), 24_000, 1.0, 0.0);
    let low: Vec<f32> = x
        .iter()
        .map(|x| {
            crossover.split([f64::from(*x), 0.0], &mut bands);
            bands[0][0] as f32
        })
        .collect();
    let ratio = warped(2000.0, RATE.hz()) / warped(500.0, RATE.hz());
    let expected = -db(1.0 + math::pow(ratio, 4.0));
    (db(tone(&low[12_000..], 2000.0 / RATE.hz()).0) - expected).abs()
}

fn process<S: Settings>(settings: &S, input: &[f32], key: Option<&[f32]>) -> Vec<f32> {
    let spec = ProcessSpec { sample_rate: RATE, channels: 1, max_frames: input.len() };
    let (mut sound, key) =
        (Buffer::from_planes(&[input]), key.map(|key| Buffer::from_planes(&[key])));
    let io = &mut Io::new(&mut sound, key.as_ref(), 0..input.len(), Status::Filled);
    settings.build(&spec).process(io);
    sound.channel(0).to_vec()
}

fn amplitude(level_db: f64) -> f64 {
    math::pow(10.0, level_db / 20.0)
}

/// A dynamic equaliser with one band in use, and plain dBFS.
pub(crate) fn dynamic(
    freq_hz: f64,
    range_db: f64,
    threshold: f64,
    ratio: f64,
) -> DynamicEqSettings {
    let mut settings = DynamicEqSettings::default();
    let (attack_ms, release_ms) = (5.0, 500.0);
    let threshold_rel_db = threshold;
    settings.bands[0] =
        DynamicBand { freq_hz, q: 1.0, range_db, threshold_rel_db, ratio, attack_ms, release_ms };
    settings
}

/// Gain of the second half of a steady tone.
pub(crate) fn steady_gain_db(settings: &impl Settings, hz: f64, level_db: f64) -> f64 {
    let x = signals::sine(hz, RATE.hz(), 48_000, amplitude(level_db), 0.0);
    let y = process(settings, &x, None);
    let level = |x: &[f32]| tone(&x[24_000..], hz / RATE.hz()).0;
    db(level(&y) / level(&x))
}

fn dynamic_eq() -> Vec<Row> {
    let (mut curve, mut beyond) = (0.0f64, f64::NEG_INFINITY);
    for hz in [200.0, 1000.0, 5000.0, 12_000.0] {
        for (range_db, ratio) in [(-12.0, 2.0), (-6.0, 4.0), (6.0, 2.0), (12.0, 4.0)] {
            for level_db in [-34.0, -26.0, -18.0, -6.0] {
                let gain = steady_gain_db(&dynamic(hz, range_db, -30.0, ratio), hz, level_db);
                let wanted = (1.0 - 1.0 / ratio) * (level_db + 30.0f64).max(0.0);
                let expected = wanted.min(range_db.abs()).copysign(range_db);
                curve = curve.max((gain - expected).abs());
                beyond = beyond.max(gain.abs() - range_db.abs());
            }
        }
    }
    let drums = signals::drums(6, RATE.hz(), 48_000, 0.9);
    let below = process(&dynamic(1000.0, -12.0, 6.0, 4.0), &drums, None);
    let off = process(&DynamicEqSettings::default(), &drums, None);
    let differ = null::different_samples(&below, &drums) + null::different_samples(&off, &drums);
    let quiet = signals::sine(1000.0, RATE.hz(), 48_000, 0.001, 0.0);
    let loud = signals::sine(1000.0, RATE.hz(), 48_000, 1.0, 0.3);
    let keyed = process(&dynamic(1000.0, -6.0, -30.0, 4.0), &quiet, Some(&loud));
    let level = |x: &[f32]| tone(&x[24_000..], 1000.0 / RATE.hz()).0;
    let key = (db(level(&keyed) / level(&quiet)) + 6.0).abs();
    vec![
        Row::exact("dynamic eq", "below the threshold, and off, nothing changes", differ),
        Row::new("dynamic eq", "steady tones at the centre against the curve", 0.1, curve, "dB"),
        Row::new("dynamic eq", "gain beyond the range", 0.001, beyond, "dB"),
        Row::new("dynamic eq", "a loud key moves a quiet sound by the whole range", 0.1, key, "dB"),
    ]
}

fn multiband() -> Vec<Row> {
    let mut settings = MultibandSettings { low_hz: 500.0, knee_db: 0.0, ..Default::default() };
    for band in &mut settings.bands {
        (band.threshold_rel_db, band.ratio) = (40.0, 4.0);
        (band.attack_ms, band.release_ms) = (5.0, 500.0);
    }
    let noise = signals::white(2, 24_000, 0.5);
    let wide: Vec<f64> = noise.iter().map(|x| f64::from(*x)).collect();
    let expected: Vec<f32> =
        all_passed(&[500.0, 2500.0], &wide).into_iter().map(|x| x as f32).collect();
    let residual = null::residual_db(&process(&settings, &noise, None), &expected);
    settings.bands[0].threshold_rel_db = -30.0;
    let low = (steady_gain_db(&settings, 50.0, -10.0) + 15.0).abs();
    let middle = steady_gain_db(&settings, 2000.0, -10.0).abs();
    vec![
        Row::new("multiband", "without compression against the all-passes", -120.0, residual, "dB"),
        Row::new("multiband", "a low tone 20 dB over in its band at 4:1", 0.1, low, "dB"),
        Row::new("multiband", "a middle tone two octaves above that band", 0.05, middle, "dB"),
    ]
}

/// Every promise of what works in bands, measured.
pub(crate) fn rows() -> Vec<Row> {
    let mut rows = vec![equals_biquad(), burst()];
    rows.extend(crossover());
    rows.extend(dynamic_eq());
    rows.extend(multiband());
    rows
}
