//! What the limiter leaves above its ceiling, read by a meter that shares nothing with its detector.

use topdown_dsp::limiter_print::limit_print;
use topdown_dsp::{Buffer, Io, LimiterSettings, ProcessSpec, Settings, Status, math};
use topdown_testkit::acceptance::Row;
use topdown_testkit::meters::{self, db};
use topdown_testkit::{null, signals};
use topdown_units::SampleRate;

/// What the limiter makes of `input`, and its latency.
pub(crate) fn process(
    settings: &LimiterSettings,
    rate: SampleRate,
    input: &[f32],
) -> (Vec<f32>, usize) {
    let spec = ProcessSpec { sample_rate: rate, channels: 1, max_frames: input.len() };
    let mut sound = Buffer::from_planes(&[input]);
    let mut limiter = settings.build(&spec);
    limiter.process(&mut Io::new(&mut sound, None, 0..input.len(), Status::Filled));
    (sound.channel(0).to_vec(), limiter.latency_frames())
}

/// Every hostile signal at every rate: (signal, rate, sample peak, true peak, true peak of a print), dB over
/// the ceiling.
pub(crate) fn over_the_ceiling() -> Vec<(&'static str, u32, f64, f64, f64)> {
    let settings = LimiterSettings::default();
    let mut found = Vec::new();
    for rate in [44_100, 48_000, 96_000].into_iter().filter_map(SampleRate::new) {
        for (name, mut signal) in signals::hostile(rate.hz(), rate.get() as usize / 2) {
            signals::fade(&mut signal, 256);
            // Room for the latency: a signal cut off in the middle would have a peak of its own.
            signal.extend([0.0; 1024]);
            let (out, _) = process(&settings, rate, &signal);
            let mut print = Buffer::from_planes(&[&signal]);
            limit_print(&mut print, &settings, rate);
            let over = |amplitude: f64| db(amplitude) - settings.ceiling_dbtp;
            found.push((
                name,
                rate.get(),
                over(meters::sample_peak(&out)),
                over(meters::true_peak(&out)),
                over(meters::true_peak(print.channel(0))),
            ));
        }
    }
    found
}

fn never_over() -> Vec<Row> {
    let found = over_the_ceiling();
    let worst = |of: fn(&(&'static str, u32, f64, f64, f64)) -> f64| {
        found.iter().map(of).fold(f64::NEG_INFINITY, f64::max)
    };
    let signals = "8 hostile signals at 44.1/48/96 kHz";
    vec![
        Row::new(
            "limiter",
            format!("sample peak over the ceiling, {signals}"),
            0.0,
            worst(|f| f.2),
            "dB",
        ),
        Row::new(
            "limiter",
            format!("true peak over the ceiling, {signals}"),
            0.05,
            worst(|f| f.3),
            "dB",
        ),
        Row::new(
            "limiter",
            format!("true peak over the ceiling in prints, {signals}"),
            0.02,
            worst(|f| f.4),
            "dB",
        ),
    ]
}

fn below_is_exact() -> Row {
    let rate = SampleRate::CD;
    let drums = signals::drums(7, rate.hz(), 44_100, 0.7);
    let (out, latency) = process(&LimiterSettings::default(), rate, &drums);
    let differ = null::different_samples(&out[latency..], &drums[..drums.len() - latency]);
    Row::exact("limiter", "below the ceiling the output is the delayed input", differ)
}

fn distortion() -> Row {
    let rate = SampleRate::STUDIO;
    let tone = signals::sine(1000.0, rate.hz(), 96_000, math::pow(10.0, 5.0 / 20.0), 0.0);
    let (out, _) = process(&LimiterSettings::default(), rate, &tone);
    let thd = meters::thd(&out[48_000..], 1000.0 / rate.hz());
    Row::new("limiter", "THD of 1 kHz 6 dB over the ceiling", 0.1, thd * 100.0, "%")
}

fn release() -> Row {
    let rate = SampleRate::STUDIO;
    let mut worst = 0.0f64;
    for release_ms in [50.0, 100.0, 400.0] {
        let settings = LimiterSettings { release_ms, ..LimiterSettings::default() };
        // A loud stretch, then a steady level that shows the gain.
        let loud = 24_000;
        let input: Vec<f32> = (0..144_000).map(|n| if n < loud { 1.8 } else { 0.5 }).collect();
        let (out, latency) = process(&settings, rate, &input);
        let reduction = |n: usize| 1.0 - f64::from(out[n + latency]) / 0.5;
        // The hold lasts as long as the look-ahead; time from where the fall begins.
        let start = loud + 480;
        let from = reduction(start);
        let fallen = (start..140_000).find(|&n| reduction(n) <= from * math::exp(-1.0));
        let ms = fallen.map_or(f64::INFINITY, |n| (n - start) as f64 / rate.hz() * 1e3);
        worst = worst.max((ms / release_ms - 1.0).abs() * 100.0);
    }
    Row::new("limiter", "release to 37 % against release_ms, 50 to 400 ms", 5.0, worst, "%")
}

/// Every promise of the limiter, measured.
pub(crate) fn rows() -> Vec<Row> {
    let mut rows = never_over();
    rows.extend([below_is_exact(), distortion(), release()]);
    rows
}
