//! Width and mid/side: what they keep and what they take away.

use topdown_dsp::mid_side::{MidSideSettings, decode, encode};
use topdown_dsp::width::WidthSettings;
use topdown_dsp::{Buffer, Io, ProcessSpec, Settings, Status, math};
use topdown_testkit::acceptance::Row;
use topdown_testkit::meters::{self, db, tone};
use topdown_testkit::{null, signals};
use topdown_units::SampleRate;

const RATE: SampleRate = SampleRate::STUDIO;
const FRAMES: usize = 48_000;

fn process(settings: &impl Settings, left: &[f32], right: &[f32]) -> [Vec<f32>; 2] {
    moved(settings, left, right, &[])
}

/// The same with parameters moved by hand half way.
fn moved(
    settings: &impl Settings,
    left: &[f32],
    right: &[f32],
    moves: &[(usize, f64)],
) -> [Vec<f32>; 2] {
    let (frames, half) = (left.len(), left.len() / 2);
    let spec = ProcessSpec { sample_rate: RATE, channels: 2, max_frames: frames };
    let mut sound = Buffer::from_planes(&[left, right]);
    let mut processor = settings.build(&spec);
    processor.process(&mut Io::new(&mut sound, None, 0..half, Status::Filled));
    moves.iter().for_each(|(param, value)| processor.set(*param, *value, 0));
    processor.process(&mut Io::new(&mut sound, None, half..frames, Status::Filled));
    [sound.channel(0).to_vec(), sound.channel(1).to_vec()]
}

fn there_and_back() -> Row {
    let (left, right) = (signals::white(1, FRAMES, 0.9), signals::white(2, FRAMES, 0.01));
    let pairs = left.iter().zip(&right).map(|(l, r)| [f64::from(*l), f64::from(*r)]);
    let back: Vec<[f64; 2]> = pairs.map(|pair| decode(encode(pair))).collect();
    let side = |lane: usize| back.iter().map(|pair| pair[lane] as f32).collect::<Vec<f32>>();
    let worst = null::residual_db(&side(0), &left).max(null::residual_db(&side(1), &right));
    // Minus infinity, where nothing is left, is no figure for a table.
    Row::new("mid/side", "encoded and decoded against the input", -150.0, worst.max(-400.0), "dB")
}

fn exact() -> Row {
    let (left, right) = (signals::white(3, FRAMES, 0.9), signals::drums(4, RATE.hz(), FRAMES, 0.9));
    let differ = |[l, r]: [Vec<f32>; 2]| {
        null::different_samples(&l, &left) + null::different_samples(&r, &right)
    };
    let width = differ(process(&WidthSettings::default(), &left, &right));
    let mid_side = differ(process(&MidSideSettings::default(), &left, &right));
    Row::exact("width, mid/side", "width 1 and gains of 0 dB change nothing", width + mid_side)
}

fn side_only(hz: f64) -> [Vec<f32>; 2] {
    let left = signals::sine(hz, RATE.hz(), FRAMES, 0.25, 0.0);
    let right = left.iter().map(|x| -x).collect();
    [left, right]
}

/// Level of a tone in the side after a mono bass, relative to before.
pub(crate) fn side_db(mono_below_hz: f64, hz: f64) -> f64 {
    let settings = WidthSettings { mono_below_hz, ..WidthSettings::default() };
    let [left, right] = side_only(hz);
    let out = process(&settings, &left, &right);
    let level = |x: &[f32]| tone(&x[FRAMES / 2..], hz / RATE.hz()).0;
    db(level(&out[0]) / level(&left))
}

fn mono_bass() -> Vec<Row> {
    let settings = WidthSettings { mono_below_hz: 120.0, ..WidthSettings::default() };
    let mut worst = 0.0f64;
    for hz in [30.0, 60.0, 120.0, 240.0, 1000.0] {
        let ratio = math::pow(hz / 120.0, 4.0);
        worst = worst.max((side_db(120.0, hz) - db(ratio / (1.0 + ratio))).abs());
    }
    let left = signals::sine(1000.0, RATE.hz(), FRAMES, 0.5, 0.0);
    let [l, r] = process(&settings, &left, &vec![0.0; FRAMES]);
    let leak = db(meters::rms(&r[FRAMES / 2..]) / meters::rms(&l[FRAMES / 2..]));
    vec![
        Row::new(
            "width",
            "side of tones 30 Hz to 1 kHz, mono below 120 Hz, against the formula",
            0.05,
            worst,
            "dB",
        ),
        Row::new(
            "width",
            "hard left at 1 kHz with a mono bass: what leaks to the right",
            -70.0,
            leak,
            "dB",
        ),
    ]
}

fn clicks() -> Row {
    let [mut left, mut right] = side_only(1000.0);
    signals::fade(&mut left, 4800);
    signals::fade(&mut right, 4800);
    let heard = |settings: &WidthSettings, moves: &[(usize, f64)]| {
        let [out, _] = moved(settings, &left, &right, moves);
        meters::energy_above_db(&out, RATE.hz(), 1500.0, 3000.0)
    };
    let narrow = WidthSettings { width: 0.2, ..WidthSettings::default() };
    let bass = WidthSettings { mono_below_hz: 80.0, ..WidthSettings::default() };
    let all = [
        heard(&narrow, &[(0, 2.0)]),
        heard(&WidthSettings::default(), &[(1, 300.0)]),
        heard(&bass, &[(1, 400.0)]),
        heard(&bass, &[(1, 0.0)]),
    ];
    let worst = all.into_iter().fold(f64::NEG_INFINITY, f64::max);
    Row::new("width", "moves by hand on a 1 kHz side, energy above 3 kHz", -90.0, worst, "dB")
}

fn gains() -> Row {
    let (mid, side) = (signals::sine(500.0, RATE.hz(), FRAMES, 0.3, 0.0), side_only(2000.0));
    let mix = |side: &[f32]| mid.iter().zip(side).map(|(m, s)| m + s).collect::<Vec<f32>>();
    let settings = MidSideSettings { mid_gain_db: -3.0, side_gain_db: 4.0 };
    let [out, _] = process(&settings, &mix(&side[0]), &mix(&side[1]));
    let gain = |hz: f64, peak: f64| db(tone(&out, hz / RATE.hz()).0 / peak);
    let worst = (gain(500.0, 0.3) + 3.0).abs().max((gain(2000.0, 0.25) - 4.0).abs());
    Row::new("mid/side", "mid −3 dB and side +4 dB at once", 0.001, worst, "dB")
}

/// Every promise of width and mid/side, measured.
pub(crate) fn rows() -> Vec<Row> {
    let mut rows = vec![there_and_back(), exact(), gains()];
    rows.extend(mono_bass());
    rows.push(clicks());
    rows
}
