//! Draws the plots of saturation, dynamic equaliser, multiband and width from the running processors.
//!
//! `cargo run --release -p topdown-dsp --example plots_bands -- docs/dsp/plots`

#[path = "../tests/measure/bands.rs"]
#[allow(dead_code, reason = "only what is drawn is used here")]
mod bands;
#[path = "../tests/measure/saturation.rs"]
#[allow(dead_code, reason = "only what is drawn is used here")]
mod saturation;
#[path = "../tests/measure/width.rs"]
#[allow(dead_code, reason = "only what is drawn is used here")]
mod width;

use std::path::{Path, PathBuf};
use std::{fs, io};
use topdown_dsp::crossover::{Crossover, MOST_BANDS};
use topdown_dsp::math;
use topdown_dsp::saturation::SaturationSettings;
use topdown_testkit::meters::db;
use topdown_testkit::plot::{Axis, Plot, Style};
use topdown_testkit::signals;

const HZ: Axis = Axis {
    label: "Hz, at 48 kHz",
    min: 20.0,
    max: 20_000.0,
    ticks: &[20.0, 50.0, 100.0, 200.0, 500.0, 1000.0, 2000.0, 5000.0, 10_000.0, 20_000.0],
    log: true,
};

fn frequencies(steps: u32) -> impl Iterator<Item = f64> + Clone {
    (0..=steps).map(move |n| 20.0 * math::pow(1000.0, f64::from(n) / f64::from(steps)))
}

/// Output against input over one rise of a slow tone; the DC block has shifted the curve of the tube.
fn curves() -> Plot {
    let axis = |label| Axis { label, min: -1.5, max: 1.5, ticks: &[-1.0, 0.0, 1.0], log: false };
    let mut plot = Plot::new("Curves, a 200 Hz tone at drive 0 dB", axis("input"), axis("output"));
    for (colour, (name, curve)) in saturation::CURVES.into_iter().enumerate() {
        let frames = 44_100;
        let input = signals::sine(200.0, 44_100.0, frames, 1.5, 0.0);
        let (out, latency) = saturation::process(&saturation::driven(curve, 0.0), &input);
        // One rise from trough to crest, late enough for everything to be steady.
        let rise = (40_000..frames).skip_while(|&n| input[n] > input[n - 1]);
        let rise =
            rise.skip_while(|&n| input[n] < input[n - 1]).take_while(|&n| input[n] > input[n - 1]);
        let shift = frames - latency;
        let at = rise.filter(|n| *n < shift);
        let points = at.map(|n| (f64::from(input[n]), f64::from(out[n + latency])));
        plot.line(Some(name), colour, Style::Full, points.collect::<Vec<_>>());
    }
    plot.line(Some("straight"), 6, Style::Dashed, [(-1.5, -1.5), (1.5, 1.5)]);
    plot
}

fn harmonics() -> Plot {
    let x = Axis {
        label: "harmonic of a 440 Hz tone at −6 dBFS, drive +6 dB",
        min: 1.0,
        max: 10.0,
        ticks: &[1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0, 8.0, 9.0, 10.0],
        log: false,
    };
    let y = Axis {
        label: "dB below the tone",
        min: -110.0,
        max: 0.0,
        ticks: &[-100.0, -80.0, -60.0, -40.0, -20.0, 0.0],
        log: false,
    };
    let mut plot = Plot::new("Harmonics", x, y);
    for (colour, (name, curve)) in saturation::CURVES.into_iter().enumerate() {
        let spectrum = saturation::spectrum(&saturation::driven(curve, 6.0), 440, 0.5);
        let level = |n: usize| (n as f64, db(spectrum[440 * n] / spectrum[440]));
        plot.line(Some(name), colour, Style::Dots, (1..=10).map(level).filter(|p| p.1 > -110.0));
    }
    plot
}

fn aliases() -> Plot {
    let x = Axis {
        label: "drive, dB; a 5 kHz tone at full scale, 44.1 kHz",
        min: 0.0,
        max: 24.0,
        ticks: &[0.0, 6.0, 12.0, 18.0, 24.0],
        log: false,
    };
    let y = Axis {
        label: "below 20 kHz and no harmonic, dB",
        min: -150.0,
        max: -20.0,
        ticks: &[-140.0, -120.0, -100.0, -80.0, -60.0, -40.0, -20.0],
        log: false,
    };
    let mut plot = Plot::new("Aliases", x, y);
    for (colour, (name, curve)) in saturation::CURVES.into_iter().enumerate() {
        let at = |drive_db: f64| {
            let settings = SaturationSettings { drive_db, ..saturation::driven(curve, 0.0) };
            (drive_db, saturation::aliases_db(&settings, 5000))
        };
        plot.line(Some(name), colour, Style::Full, (0..=12).map(|n| at(2.0 * f64::from(n))));
    }
    plot.line(Some("promised at 12 dB"), 6, Style::Dashed, [(0.0, -100.0), (12.0, -100.0)]);
    plot
}

fn splits() -> Plot {
    let y = Axis {
        label: "dB",
        min: -48.0,
        max: 6.0,
        ticks: &[-48.0, -36.0, -24.0, -12.0, -6.0, 0.0],
        log: false,
    };
    let mut plot = Plot::new("Three bands and their sum", HZ, y);
    let mut crossover = Crossover::new(48_000.0, &[120.0, 2500.0]);
    let mut responses = vec![vec![0.0f64; 16_384]; 4];
    let mut input = vec![0.0; 16_384];
    input[0] = 1.0;
    for (n, x) in input.into_iter().enumerate() {
        let mut parts = [[0.0; 2]; MOST_BANDS];
        crossover.split([x, 0.0], &mut parts);
        let sum = parts[..3].iter().map(|part| part[0]).sum();
        let heard = parts[..3].iter().map(|part| part[0]).chain([sum]);
        responses.iter_mut().zip(heard).for_each(|(response, y)| response[n] = y);
    }
    for (colour, name) in ["low", "middle", "high", "sum"].into_iter().enumerate() {
        let response = &responses[colour];
        let points = frequencies(300).map(|hz| (hz, bands::level_at(response, hz)));
        plot.line(Some(name), colour, Style::Full, points.filter(|p| p.1 > -48.0));
    }
    plot
}

fn dynamic_curve() -> Plot {
    let x = Axis {
        label: "level of a 1 kHz tone, dBFS",
        min: -60.0,
        max: 0.0,
        ticks: &[-60.0, -50.0, -40.0, -30.0, -20.0, -10.0, 0.0],
        log: false,
    };
    let y = Axis {
        label: "gain of the bell, dB",
        min: -13.0,
        max: 13.0,
        ticks: &[-12.0, -6.0, 0.0, 6.0, 12.0],
        log: false,
    };
    let mut plot = Plot::new("Dynamic bell at 1 kHz, threshold −40 dBFS", x, y);
    let cases = [(-6.0, 2.0), (-12.0, 4.0), (6.0, 2.0), (12.0, 4.0)];
    for (colour, (range_db, ratio)) in cases.into_iter().enumerate() {
        let settings = bands::dynamic(1000.0, range_db, -40.0, ratio);
        let levels = (-60..=0).step_by(4).map(f64::from);
        let measured = levels.map(|level| (level, bands::steady_gain_db(&settings, 1000.0, level)));
        let name = format!("{range_db:+} dB, {ratio}:1");
        plot.line(Some(&name), colour, Style::Dots, measured);
        let formula = (-120..=0).map(|half| {
            let level = f64::from(half) / 2.0;
            let wanted = (1.0 - 1.0 / ratio) * (level + 40.0).max(0.0);
            (level, wanted.min(f64::abs(range_db)).copysign(range_db))
        });
        plot.line((colour == 3).then_some("formula"), 6, Style::Dashed, formula);
    }
    plot
}

fn mono_bass() -> Plot {
    let y = Axis {
        label: "side, dB",
        min: -48.0,
        max: 3.0,
        ticks: &[-48.0, -36.0, -24.0, -12.0, -6.0, 0.0],
        log: false,
    };
    let mut plot = Plot::new("Side with a mono bass", HZ, y);
    for (colour, corner_hz) in [60.0, 120.0, 250.0].into_iter().enumerate() {
        let points = frequencies(40).map(|hz| (hz, width::side_db(corner_hz, hz)));
        let name = format!("below {corner_hz} Hz");
        plot.line(Some(&name), colour, Style::Full, points.filter(|p| p.1 > -48.0));
    }
    plot
}

fn main() -> io::Result<()> {
    let folder =
        std::env::args_os().nth(1).map_or_else(|| PathBuf::from("docs/dsp/plots"), PathBuf::from);
    fs::create_dir_all(&folder)?;
    let save = |name: &str, plot: &Plot| {
        fs::write(Path::new(&folder).join(format!("{name}.svg")), plot.svg())
    };
    save("saturation_curves", &curves())?;
    save("saturation_harmonics", &harmonics())?;
    save("saturation_aliases", &aliases())?;
    save("multiband_split", &splits())?;
    save("dynamic_eq_curve", &dynamic_curve())?;
    save("width_mono_bass", &mono_bass())
}
