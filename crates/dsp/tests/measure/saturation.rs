//! What the saturation adds to tones: harmonics, aliases, DC.

use realfft::RealFftPlanner;
use topdown_dsp::saturation::{Colour, SaturationSettings};
use topdown_dsp::{Buffer, Io, ProcessSpec, Settings, Status};
use topdown_testkit::acceptance::Row;
use topdown_testkit::meters::{db, tone};
use topdown_testkit::{null, signals};
use topdown_units::SampleRate;

const RATE: SampleRate = SampleRate::CD;
const SECOND: usize = 44_100;
pub(crate) const CURVES: [(&str, Colour); 3] =
    [("tape", Colour::Tape), ("desk", Colour::Desk), ("tube", Colour::Tube)];

/// What the saturation makes of `input`, and its latency.
pub(crate) fn process(settings: &SaturationSettings, input: &[f32]) -> (Vec<f32>, usize) {
    let spec = ProcessSpec { sample_rate: RATE, channels: 1, max_frames: input.len() };
    let mut sound = Buffer::from_planes(&[input]);
    let mut saturation = settings.build(&spec);
    saturation.process(&mut Io::new(&mut sound, None, 0..input.len(), Status::Filled));
    (sound.channel(0).to_vec(), saturation.latency_frames())
}

pub(crate) fn driven(curve: Colour, drive_db: f64) -> SaturationSettings {
    SaturationSettings { curve, drive_db, ..SaturationSettings::default() }
}

/// Amplitude of every whole Hz of a tone of full scale after the curve, in its third second.
pub(crate) fn spectrum(settings: &SaturationSettings, hz: usize, peak: f64) -> Vec<f64> {
    let input = signals::sine(hz as f64, RATE.hz(), 3 * SECOND, peak, 0.3);
    let (out, _) = process(settings, &input);
    let mut time: Vec<f64> = out[2 * SECOND..].iter().map(|x| f64::from(*x)).collect();
    let fft = RealFftPlanner::new().plan_fft_forward(SECOND);
    let mut bins = fft.make_output_vec();
    fft.process(&mut time, &mut bins).expect("lengths fit");
    bins.iter().map(|bin| 2.0 * bin.norm() / SECOND as f64).collect()
}

/// What is below 20 kHz and no harmonic, relative to the harmonics.
pub(crate) fn aliases_db(settings: &SaturationSettings, hz: usize) -> f64 {
    let spectrum = spectrum(settings, hz, 1.0);
    let (mut wanted, mut aliased) = (0.0, 0.0);
    // From 20 Hz on: DC has a row of its own.
    for (bin, amplitude) in spectrum.iter().enumerate().take(20_001).skip(20) {
        let sum = if bin % hz == 0 { &mut wanted } else { &mut aliased };
        *sum += amplitude * amplitude;
    }
    0.5 * db(aliased / wanted)
}

fn aliasing() -> Vec<Row> {
    let row = |(name, curve): (&str, Colour), drive_db: f64, hz: usize, limit: f64| {
        let test = format!("{name}: aliases of {hz} Hz at full scale, +{drive_db} dB, 44.1 kHz");
        Row::new("saturation", test, limit, aliases_db(&driven(curve, drive_db), hz), "dB")
    };
    CURVES.map(|curve| row(curve, 12.0, 5000, -100.0)).into_iter().collect()
}

fn slope() -> Row {
    let mut worst = 0.0f64;
    for (_, curve) in CURVES {
        for drive_db in [-12.0, 0.0, 6.0, 12.0] {
            for hz in [100.0, 1000.0, 10_000.0] {
                let input = signals::sine(hz, RATE.hz(), SECOND, 1e-4, 0.0);
                let (out, _) = process(&driven(curve, drive_db), &input);
                let level = |x: &[f32]| tone(&x[SECOND / 2..], hz / RATE.hz()).0;
                worst = worst.max(db(level(&out) / level(&input)).abs());
            }
        }
    }
    Row::new(
        "saturation",
        "gain of quiet tones (slope at 0), all curves and drives",
        0.01,
        worst,
        "dB",
    )
}

fn dc() -> Row {
    let level = |curve| db(spectrum(&driven(curve, 12.0), 1000, 1.0)[0] / 2.0);
    let worst = CURVES.map(|(_, curve)| level(curve)).into_iter().fold(f64::NEG_INFINITY, f64::max);
    Row::new("saturation", "DC of a 1 kHz tone at full scale, +12 dB", -90.0, worst, "dBFS")
}

fn dry_is_aligned() -> Vec<Row> {
    let drums = signals::drums(3, RATE.hz(), SECOND, 0.9);
    let dry = SaturationSettings { mix_percent: 0.0, ..driven(Colour::Tube, 12.0) };
    let (out, latency) = process(&dry, &drums);
    let differ = null::different_samples(&out[latency..], &drums[..SECOND - latency]);
    // A low tone so quiet that the curve is a line: half and half must be the tone, not a comb of two.
    let quiet = signals::sine(9000.0, RATE.hz(), SECOND, 1e-4, 0.0);
    let half = SaturationSettings { mix_percent: 50.0, ..driven(Colour::Tape, 0.0) };
    let (out, latency) = process(&half, &quiet);
    let left =
        null::residual_db(&out[SECOND / 2..], &quiet[SECOND / 2 - latency..SECOND - latency]);
    vec![
        Row::exact("saturation", "mix 0 is the delayed input", differ),
        Row::new(
            "saturation",
            "half wet, quiet 9 kHz, against the delayed input",
            -90.0,
            left,
            "dB",
        ),
    ]
}

/// Level of a harmonic in dB below a tone of −18 dBFS peak.
fn harmonic_db(curve: Colour, order: usize) -> f64 {
    let spectrum = spectrum(&driven(curve, 0.0), 440, 0.125_892_5);
    db(spectrum[440 * order] / spectrum[440])
}

fn harmonics() -> Vec<Row> {
    let odd = harmonic_db(Colour::Tape, 2).max(-200.0);
    // By the series of the curve at 0: tanh(b)·a/2 of the second harmonic.
    let second = 0.5 * db(topdown_dsp::math::tanh(0.3)) * 2.0 + db(0.125_892_5 / 2.0);
    let tube = (harmonic_db(Colour::Tube, 2) - second).abs();
    vec![
        Row::new("saturation", "tape: second harmonic at −18 dBFS", -110.0, odd, "dB"),
        Row::new(
            "saturation",
            "tube: second harmonic at −18 dBFS against its series",
            0.2,
            tube,
            "dB",
        ),
    ]
}

/// Every promise of the saturation, measured.
pub(crate) fn rows() -> Vec<Row> {
    let mut rows = aliasing();
    rows.extend([slope(), dc()]);
    rows.extend(dry_is_aligned());
    rows.extend(harmonics());
    rows
}
