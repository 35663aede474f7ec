//! Draws the plots of the pages in docs/dsp from the running processors.
//!
//! `cargo run --release -p topdown-dsp --example plots -- docs/dsp/plots`

#[path = "../tests/measure/compressor.rs"]
#[allow(dead_code, reason = "only what is drawn is used here")]
mod compressor;
#[path = "../tests/measure/eq.rs"]
#[allow(dead_code, reason = "only what is drawn is used here")]
mod eq;
#[path = "../tests/measure/limiter.rs"]
#[allow(dead_code, reason = "only what is drawn is used here")]
mod limiter;

use std::path::{Path, PathBuf};
use std::{fs, io};
use topdown_dsp::eq::{Band, Shape, response_db};
use topdown_dsp::fir::fractional_taps;
use topdown_dsp::smooth::GainRamp;
use topdown_dsp::{CompressorSettings, LimiterSettings, eq_design, math};
use topdown_testkit::meters::db;
use topdown_testkit::plot::{Axis, Plot, Style};
use topdown_testkit::{analogue, signals};
use topdown_units::SampleRate;

const HZ: Axis = Axis {
    label: "Hz, at 44.1 kHz",
    min: 20.0,
    max: 22_050.0,
    ticks: &[20.0, 50.0, 100.0, 200.0, 500.0, 1000.0, 2000.0, 5000.0, 10_000.0, 20_000.0],
    log: true,
};

fn frequencies() -> impl Iterator<Item = f64> + Clone {
    (0..=600).map(|n| 20.0 * math::pow(1102.0, f64::from(n) / 600.0))
}

/// The usual bilinear bell (R. Bristow-Johnson's formulas), for comparison.
fn bilinear_bell_db(hz: f64, freq_hz: f64, q: f64, gain_db: f64) -> f64 {
    let w = math::TAU * freq_hz / SampleRate::CD.hz();
    let root = math::pow(10.0, gain_db / 40.0);
    let (alpha, cosine) = (math::sin(w) / (2.0 * q), math::cos(w));
    let (top, bottom) = (alpha * root, alpha / root);
    let bell = eq_design::Section {
        gain: (1.0 + top) / (1.0 + bottom),
        b1: -2.0 * cosine / (1.0 + top),
        b2: (1.0 - top) / (1.0 + top),
        a1: -2.0 * cosine / (1.0 + bottom),
        a2: (1.0 - bottom) / (1.0 + bottom),
    };
    10.0 * math::log10(bell.power(math::TAU * hz / SampleRate::CD.hz()))
}

fn bells() -> Plot {
    let y = Axis {
        label: "dB",
        min: -14.0,
        max: 14.0,
        ticks: &[-12.0, -6.0, 0.0, 6.0, 12.0],
        log: false,
    };
    let mut plot = Plot::new("Bells of ±12 dB, Q 1", HZ, y);
    for (colour, freq_hz) in [1000.0, 5000.0, 10_000.0, 16_000.0].into_iter().enumerate() {
        for gain_db in [12.0, -12.0] {
            let settings = eq::with(&[eq::band(Shape::Bell, freq_hz, gain_db, 1.0)]);
            let name = format!("{} kHz", freq_hz / 1000.0);
            let ours = frequencies().map(|hz| (hz, response_db(&settings, SampleRate::CD, hz)));
            plot.line((gain_db > 0.0).then_some(name.as_str()), colour, Style::Full, ours);
            let ideal = frequencies().map(|hz| (hz, analogue::bell_db(hz / freq_hz, 1.0, gain_db)));
            let name = (colour == 3 && gain_db < 0.0).then_some("analogue");
            plot.line(name, 6, Style::Dashed, ideal);
        }
    }
    plot
}

fn bell_errors() -> Plot {
    let y = Axis {
        label: "dB off the analogue bell",
        min: -5.0,
        max: 2.0,
        ticks: &[-4.0, -2.0, -1.0, 0.0, 1.0],
        log: false,
    };
    let x = Axis {
        min: 1000.0,
        max: 20_000.0,
        ticks: &[1000.0, 2000.0, 5000.0, 10_000.0, 20_000.0],
        ..HZ
    };
    let mut plot = Plot::new("Error of a +12 dB bell, Q 1", x, y);
    for (colour, freq_hz) in [5000.0, 10_000.0, 16_000.0].into_iter().enumerate() {
        let settings = eq::with(&[eq::band(Shape::Bell, freq_hz, 12.0, 1.0)]);
        let ideal = move |hz: f64| analogue::bell_db(hz / freq_hz, 1.0, 12.0);
        let name = format!("{} kHz", freq_hz / 1000.0);
        let ours =
            frequencies().map(|hz| (hz, response_db(&settings, SampleRate::CD, hz) - ideal(hz)));
        plot.line(Some(&name), colour, Style::Full, ours);
        let bilinear =
            frequencies().map(|hz| (hz, bilinear_bell_db(hz, freq_hz, 1.0, 12.0) - ideal(hz)));
        plot.line((colour == 2).then_some("bilinear"), 6, Style::Dashed, bilinear);
    }
    plot
}

type Ideal = Box<dyn Fn(f64) -> f64>;

fn shelves_and_passes() -> Plot {
    let y = Axis {
        label: "dB",
        min: -48.0,
        max: 12.0,
        ticks: &[-48.0, -36.0, -24.0, -12.0, 0.0, 6.0, 12.0],
        log: false,
    };
    let mut plot = Plot::new("Shelves, tilt and passes", HZ, y);
    let q = std::f64::consts::FRAC_1_SQRT_2;
    let pass =
        |shape, freq_hz, slope_db_oct| Band { slope_db_oct, ..eq::band(shape, freq_hz, 0.0, q) };
    let lines: [(&str, Band, Ideal); 6] = [
        (
            "low shelf +9",
            eq::band(Shape::LowShelf, 100.0, 9.0, q),
            Box::new(move |hz| analogue::low_shelf_db(hz / 100.0, q, 9.0)),
        ),
        (
            "high shelf +9",
            eq::band(Shape::HighShelf, 8000.0, 9.0, q),
            Box::new(move |hz| analogue::high_shelf_db(hz / 8000.0, q, 9.0)),
        ),
        (
            "tilt +3",
            eq::band(Shape::Tilt, 800.0, 3.0, q),
            Box::new(|hz| analogue::tilt_db(hz / 800.0, 3.0)),
        ),
        (
            "high-pass 24/oct",
            pass(Shape::HighPass, 80.0, 24),
            Box::new(|hz| analogue::butterworth_high_pass_db(hz / 80.0, 4)),
        ),
        (
            "low-pass 12/oct",
            pass(Shape::LowPass, 6000.0, 12),
            Box::new(|hz| analogue::butterworth_low_pass_db(hz / 6000.0, 2)),
        ),
        (
            "low-pass 48/oct",
            pass(Shape::LowPass, 3000.0, 48),
            Box::new(|hz| analogue::butterworth_low_pass_db(hz / 3000.0, 8)),
        ),
    ];
    for (colour, (name, band, ideal)) in lines.iter().enumerate() {
        let settings = eq::with(std::slice::from_ref(band));
        let ours = frequencies().map(|hz| (hz, response_db(&settings, SampleRate::CD, hz)));
        plot.line(Some(name), colour, Style::Full, ours);
        plot.line(
            (colour == 5).then_some("analogue"),
            6,
            Style::Dashed,
            frequencies().map(|hz| (hz, ideal(hz))),
        );
    }
    plot
}

fn curves() -> Plot {
    let axis = |label| Axis {
        label,
        min: -60.0,
        max: 0.0,
        ticks: &[-60.0, -40.0, -20.0, 0.0],
        log: false,
    };
    let mut plot = Plot::new(
        "Static curve, threshold −30 dBFS, knee 12 dB",
        axis("input, dBFS"),
        axis("output, dBFS"),
    );
    for (colour, ratio) in [1.5, 2.0, 4.0, 100.0].into_iter().enumerate() {
        let measured = (-60..=0).step_by(3).map(|level| {
            let level = f64::from(level);
            let input = vec![math::pow(10.0, level / 20.0) as f32; 4800];
            let out =
                compressor::process(&compressor::plain(-30.0, ratio, 12.0, 1.0, 5.0), &[&input])
                    .remove(0);
            (level, db(f64::from(out[4799])))
        });
        plot.line(Some(&format!("{ratio}:1 measured")), colour, Style::Dots, measured);
        let ideal = (-60..=0)
            .map(|l| (f64::from(l), compressor::curve_db(f64::from(l), -30.0, ratio, 12.0)));
        plot.line((colour == 3).then_some("formula"), 6, Style::Dashed, ideal);
    }
    plot
}

fn steps() -> Plot {
    let x = Axis {
        label: "ms after the level rises by 30 dB (it falls at 1000)",
        min: -50.0,
        max: 1600.0,
        ticks: &[0.0, 250.0, 500.0, 750.0, 1000.0, 1250.0, 1500.0],
        log: false,
    };
    let y = Axis {
        label: "gain, dB",
        min: -24.0,
        max: 1.0,
        ticks: &[-22.5, -15.0, -8.3, 0.0],
        log: false,
    };
    let mut plot = Plot::new("Step response, 4:1, threshold −30 dBFS", x, y);
    let times = [(1.0, 50.0), (10.0, 100.0), (30.0, 300.0)];
    let drawn = |settings: &CompressorSettings| {
        let gain = compressor::step_response(settings);
        let ms = move |n: usize| (n as f64 - compressor::STEP_FRAMES as f64) / 48.0;
        gain.into_iter().enumerate().step_by(24).map(move |(n, gain)| (ms(n), gain))
    };
    for (colour, (attack, release)) in times.into_iter().enumerate() {
        let settings = compressor::plain(-30.0, 4.0, 0.0, attack, release);
        plot.line(Some(&format!("{attack} / {release} ms")), colour, Style::Full, drawn(&settings));
    }
    plot
}

fn limited() -> Plot {
    let x = Axis {
        label: "ms",
        min: 0.0,
        max: 600.0,
        ticks: &[0.0, 100.0, 200.0, 300.0, 400.0, 500.0, 600.0],
        log: false,
    };
    let y = Axis {
        label: "gain, dB",
        min: -8.0,
        max: 0.5,
        ticks: &[-8.0, -6.0, -4.0, -2.0, 0.0],
        log: false,
    };
    let mut plot = Plot::new("Gain on drums 6 dB over the ceiling", x, y);
    let rate = SampleRate::STUDIO;
    let input = signals::drums(5, rate.hz(), 38_400, math::pow(10.0, 5.0 / 20.0));
    for (colour, release_ms) in [30.0, 100.0, 400.0].into_iter().enumerate() {
        let settings = LimiterSettings { release_ms, ..LimiterSettings::default() };
        let (out, latency) = limiter::process(&settings, rate, &input);
        let gains = (0..36_000)
            .filter(|&n| input[n].abs() > 0.01)
            .map(|n| (n as f64 / 48.0, db(f64::from(out[n + latency]) / f64::from(input[n]))));
        plot.line(Some(&format!("release {release_ms} ms")), colour, Style::Full, gains);
    }
    plot
}

fn residuals() -> Plot {
    let x = Axis {
        label: "hostile signal, numbered as in the text",
        min: 0.5,
        max: 8.5,
        ticks: &[1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0, 8.0],
        log: false,
    };
    let y = Axis {
        label: "true peak over the ceiling, dB",
        min: -0.25,
        max: 0.1,
        ticks: &[-0.2, -0.1, -0.04, 0.0, 0.05, 0.1],
        log: false,
    };
    let mut plot = Plot::new("What is left over the ceiling, 44.1 / 48 / 96 kHz", x, y);
    let found = limiter::over_the_ceiling();
    for (colour, rate) in [44_100, 48_000, 96_000].into_iter().enumerate() {
        let at_rate = found.iter().filter(|f| f.1 == rate).enumerate();
        let dots = at_rate.map(|(n, f)| (n as f64 + 0.85 + 0.15 * colour as f64, f.3));
        plot.line(Some(&format!("{} kHz", f64::from(rate) / 1000.0)), colour, Style::Dots, dots);
    }
    plot.line(Some("allowed"), 6, Style::Dashed, [(0.5, 0.05), (8.5, 0.05)]);
    plot
}

fn delays() -> Plot {
    let x = Axis {
        label: "Hz, at 48 kHz",
        min: 1000.0,
        max: 24_000.0,
        ticks: &[1000.0, 2000.0, 5000.0, 10_000.0, 20_000.0],
        log: true,
    };
    let y = Axis {
        label: "level error, dB",
        min: -0.1,
        max: 0.02,
        ticks: &[-0.1, -0.05, -0.01, 0.0, 0.01],
        log: false,
    };
    let mut plot = Plot::new("Level of a tone delayed by a part of a frame", x, y);
    for (colour, fraction) in [0.1, 0.25, 0.5].into_iter().enumerate() {
        let taps = fractional_taps(32, 1.0 - fraction, 9.0);
        let level = |hz: f64| {
            let w = math::TAU * hz / 48_000.0;
            let sum = |f: fn(f64) -> f64| {
                taps.iter().enumerate().map(|(k, tap)| tap * f(w * k as f64)).sum::<f64>()
            };
            let (sine, cosine) = (sum(math::sin), sum(math::cos));
            0.5 * db(sine * sine + cosine * cosine)
        };
        let points = (0..=400).map(|n| 1000.0 * math::pow(24.0, f64::from(n) / 400.0));
        plot.line(
            Some(&format!("{fraction} frames")),
            colour,
            Style::Full,
            points.map(|hz| (hz, level(hz))),
        );
    }
    plot
}

fn ramps() -> Plot {
    let x = Axis {
        label: "ms",
        min: 0.0,
        max: 60.0,
        ticks: &[0.0, 10.0, 20.0, 30.0, 40.0, 50.0, 60.0],
        log: false,
    };
    let y = Axis {
        label: "gain, dB",
        min: -21.0,
        max: 1.0,
        ticks: &[-20.0, -15.0, -10.0, -5.0, 0.0],
        log: false,
    };
    let mut plot = Plot::new("From −20 dB to 0 dB", x, y);
    for (colour, (name, ramp_frames)) in
        [("by hand", 0), ("automated, 50 ms", 2400)].into_iter().enumerate()
    {
        let mut gain = GainRamp::new(-20.0);
        gain.go(0.0, ramp_frames, 960);
        let points = (1..2880).map(|n| (f64::from(n) / 48.0, db(gain.next_frame())));
        plot.line(Some(name), colour, Style::Full, points.collect::<Vec<_>>());
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
    save("eq_bells", &bells())?;
    save("eq_bell_errors", &bell_errors())?;
    save("eq_shelves_and_passes", &shelves_and_passes())?;
    save("compressor_curves", &curves())?;
    save("compressor_steps", &steps())?;
    save("limiter_gain", &limited())?;
    save("limiter_residuals", &residuals())?;
    save("trim_delays", &delays())?;
    save("trim_ramps", &ramps())
}
