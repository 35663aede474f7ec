//! Trim, pan and the movement of parameters.

use topdown_dsp::{Buffer, Io, ProcessSpec, Settings, Status, TrimSettings, math, pan};
use topdown_testkit::acceptance::Row;
use topdown_testkit::{meters, null, signals};
use topdown_units::SampleRate;

const RATE: SampleRate = SampleRate::STUDIO;

fn build(settings: &TrimSettings) -> Box<dyn topdown_dsp::Processor> {
    settings.build(&ProcessSpec { sample_rate: RATE, channels: 1, max_frames: 48_000 })
}

/// A 1 kHz sine through a trim that moves by 20 dB half way: energy above 3 kHz.
fn smoothing(ramp_frames: usize) -> f64 {
    let mut trim = build(&TrimSettings { gain_db: -20.0, ..TrimSettings::default() });
    let mut tone = signals::sine(1000.0, RATE.hz(), 48_000, 0.9, 0.0);
    signals::fade(&mut tone, 4800);
    let mut sound = Buffer::from_planes(&[&tone]);
    trim.process(&mut Io::new(&mut sound, None, 0..24_000, Status::Filled));
    trim.set(0, 0.0, ramp_frames);
    trim.process(&mut Io::new(&mut sound, None, 24_000..48_000, Status::Filled));
    meters::energy_above_db(sound.channel(0), RATE.hz(), 1500.0, 3000.0)
}

fn delay_error() -> Row {
    let mut worst = 0.0f64;
    for delay_frames in [0.25, 0.5, 7.31, 100.9] {
        for hz in [100.0, 1000.0, 10_000.0, 20_000.0] {
            let tone = signals::sine(hz, RATE.hz(), 24_000, 0.5, 0.0);
            let mut trim = build(&TrimSettings { delay_frames, ..TrimSettings::default() });
            let mut sound = Buffer::from_planes(&[&tone]);
            trim.process(&mut Io::new(&mut sound, None, 0..24_000, Status::Filled));
            let cycles = hz / RATE.hz();
            let whole = trim.latency_frames() + delay_frames as usize;
            let out = &sound.channel(0)[4800 + whole..24_000];
            let (_, before) = meters::tone(&tone[4800..24_000 - whole], cycles);
            let (_, after) = meters::tone(out, cycles);
            let turn = (before - after).rem_euclid(math::TAU);
            let measured = turn / (math::TAU * cycles);
            let error = (measured - delay_frames.fract()).abs();
            worst = worst.max(error.min((error - 1.0 / cycles).abs()));
        }
    }
    Row::new("trim", "sub-sample delay error, 100 Hz to 20 kHz at 48 kHz", 0.01, worst, "frames")
}

fn exact() -> Row {
    let noise = signals::white(5, 4800, 1.0);
    let mut sound = Buffer::from_planes(&[&noise]);
    build(&TrimSettings::default()).process(&mut Io::new(
        &mut sound,
        None,
        0..4800,
        Status::Filled,
    ));
    Row::exact(
        "trim",
        "neutral trim changes nothing",
        null::different_samples(sound.channel(0), &noise),
    )
}

fn pan_power() -> Row {
    let power = |step: i32| {
        let (left, right) = pan::pan_gains(f64::from(step) / 500.0);
        (10.0 * math::log10((left * left + right * right) / 2.0)).abs()
    };
    let worst = (-500..=500).map(power).fold(0.0, f64::max);
    Row::new("pan", "L² + R² over the arc", 0.001, worst, "dB")
}

/// Every promise of the small ones, measured.
pub(crate) fn rows() -> Vec<Row> {
    vec![
        exact(),
        delay_error(),
        pan_power(),
        Row::new(
            "smoothing",
            "20 dB by hand on a 1 kHz sine, energy above 3 kHz",
            -90.0,
            smoothing(0),
            "dB",
        ),
        Row::new(
            "smoothing",
            "20 dB automated in 50 ms, energy above 3 kHz",
            -90.0,
            smoothing(2400),
            "dB",
        ),
    ]
}
