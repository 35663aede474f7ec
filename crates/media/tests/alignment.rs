//! A burst at a known moment stands at that moment, whatever the rate and format of its file.
#![allow(clippy::unwrap_used, clippy::print_stdout, reason = "a test stops at the first surprise")]

use topdown_dsp::math::{TAU, cos, exp, sin};
use topdown_media::write::{Depth, Dithering, Format, Spec, Writer};
use topdown_media::{Cache, Source};
use topdown_units::SampleRate;

/// Moment of the burst, in seconds: on no sample of any rate.
const MOMENT: f64 = 0.250_003_7;
/// Centre frequency of the burst; its spectrum ends below 4 kHz, so that 8 kHz files hold it.
const HZ: f64 = 1_500.0;
const WIDTH_SECONDS: f64 = 0.002;

/// The burst at a time relative to its moment.
fn burst(t: f64) -> f64 {
    0.5 * exp(-(t / WIDTH_SECONDS).powi(2)) * cos(TAU * HZ * t)
}

fn clip(rate: SampleRate) -> Vec<f32> {
    (0..rate.get() as usize / 2).map(|i| burst(i as f64 / rate.hz() - MOMENT) as f32).collect()
}

/// How late the burst is, in frames: the phase of its carrier and, to the nearest cycle, its envelope.
fn lateness(y: &[f32], rate: SampleRate) -> f64 {
    let (mut re, mut im, mut centre, mut power) = (0.0, 0.0, 0.0, 0.0);
    for (i, v) in y.iter().enumerate() {
        let t = i as f64 / rate.hz() - MOMENT;
        let v = f64::from(*v);
        let w = exp(-(t / (4.0 * WIDTH_SECONDS)).powi(2));
        re += w * v * cos(TAU * HZ * t);
        im += w * v * sin(TAU * HZ * t);
        centre += w * v * v * t;
        power += w * v * v;
    }
    let cycle = 1.0 / HZ;
    let phase = topdown_dsp::math::atan2(im, re) / TAU * cycle;
    let coarse = centre / power;
    (phase + ((coarse - phase) / cycle).round() * cycle) * rate.hz()
}

#[test]
fn a_burst_lines_up_from_every_rate_and_every_format() {
    let dir = tempfile::tempdir().unwrap();
    let cache = Cache::new(dir.path().join("cache"), 1 << 30);
    let session = SampleRate::STUDIO;
    let rates = [
        8_000, 11_025, 16_000, 22_050, 32_000, 44_056, 44_100, 47_952, 48_000, 88_200, 96_000,
        176_400, 192_000, 384_000,
    ];
    let formats = [
        (Format::Wav, "wav", Depth::Float32, 0.01),
        (Format::Wav, "wav", Depth::Int16, 0.01),
        (Format::Aiff, "aif", Depth::Int24, 0.01),
        (Format::Flac, "flac", Depth::Int24, 0.01),
        (Format::Mp3 { kbps: 320 }, "mp3", Depth::Int24, 1.0),
        (Format::Opus { kbps: 256 }, "opus", Depth::Int24, 1.0),
    ];
    let mut worst = [0f64; 2];
    for (hz, (format, extension, depth, tolerance)) in
        rates.iter().flat_map(|hz| formats.map(|f| (*hz, f)))
    {
        let path = dir.path().join(format!("{hz}-{}.{extension}", depth.bits()));
        let mut spec = Spec::new(format, SampleRate::new(hz).unwrap(), 1);
        (spec.depth, spec.dithering) = (depth, Dithering::Off);
        let mut writer = Writer::create(&path, &spec).unwrap();
        writer.write(&[&clip(spec.rate)]).unwrap();
        writer.finish().unwrap();
        let source = Source::open(&path, session, &cache).unwrap();
        let mut plane = vec![0f32; source.frames() as usize];
        source.reader().read(0, &mut [&mut plane]).unwrap();
        let late = lateness(&plane, session);
        assert!(late.abs() < tolerance, "{hz} Hz {format:?} {depth:?}: {late:.4} frames late");
        let kind = usize::from(tolerance == 1.0);
        worst[kind] = worst[kind].max(late.abs());
        let expected = (hz as usize / 2) as f64 / f64::from(hz) * session.hz();
        assert!(
            (plane.len() as f64 - expected).abs() <= 1.0,
            "{hz} Hz {format:?}: {} frames",
            plane.len()
        );
    }
    println!("worst: lossless {:.6} frames, lossy {:.4} frames", worst[0], worst[1]);
}
