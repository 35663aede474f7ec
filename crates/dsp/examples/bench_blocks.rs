//! What the processors cost: nanoseconds a frame and a channel-sample, the best of many runs, and the plain
//! form of the equaliser beside the one in lanes, measured in the same run.
//!
//! `cargo run --release -p topdown-dsp --example bench_blocks`

use std::hint::black_box;
use std::io::{self, Write};
use std::time::Instant;
use topdown_dsp::eq::{Band, Shape};
use topdown_dsp::lanes::{Stage, run_mono, run_plain, run_stereo};
use topdown_dsp::{
    Buffer, CompressorSettings, EqSettings, Io, LimiterSettings, ProcessSpec, Settings, Status,
    TrimSettings, eq_design, math,
};
use topdown_testkit::signals;
use topdown_units::SampleRate;

const BLOCK: usize = 1024;
const FRAMES: usize = 64 * BLOCK;
const RUNS: usize = 40;

/// The fastest of many runs of `work`, in nanoseconds a frame.
fn best(mut work: impl FnMut()) -> f64 {
    let time = |_| {
        let start = Instant::now();
        work();
        start.elapsed().as_secs_f64() * 1e9 / FRAMES as f64
    };
    (0..RUNS).map(time).fold(f64::INFINITY, f64::min)
}

/// Music-like sound of one or two channels, peaks at `peak`.
fn music(channels: usize, peak: f64) -> Buffer {
    let planes: Vec<Vec<f32>> = (0..channels as u64)
        .map(|channel| {
            let drums = signals::drums(channel, 48_000.0, FRAMES, 0.6 * peak);
            let pink = signals::pink(channel + 9, FRAMES, 0.4 * peak);
            drums.iter().zip(&pink).map(|(a, b)| a + b).collect()
        })
        .collect();
    Buffer::from_planes(&planes.iter().map(Vec::as_slice).collect::<Vec<_>>())
}

/// Nanoseconds a frame of a processor in blocks, copying the sound in not counted.
fn processor<S: Settings>(settings: &S, sound: &Buffer) -> f64 {
    let channels = sound.channels();
    let spec = ProcessSpec { sample_rate: SampleRate::STUDIO, channels, max_frames: BLOCK };
    let mut processor = settings.build(&spec);
    let mut block = Buffer::new(channels, BLOCK);
    let mut run = |process: bool| {
        for start in (0..FRAMES).step_by(BLOCK) {
            for (to, from) in block.planes_mut().zip(sound.planes()) {
                to.copy_from_slice(&from[start..start + BLOCK]);
            }
            if process {
                processor.process(&mut Io::new(&mut block, None, 0..BLOCK, Status::Filled));
            }
            black_box(&mut block);
        }
    };
    let copying = best(|| run(false));
    best(|| run(true)) - copying
}

fn stages(count: usize) -> Vec<Stage> {
    (0..count).map(|k| Stage::new(eq_design::bell(0.03 + 0.2 * k as f64, 1.2, 3.0))).collect()
}

/// Nanoseconds a frame of a cascade of `count` sections in the form that `run` gives it.
fn cascade(count: usize, mut run: impl FnMut(&mut [Stage], &mut [[f64; 2]], &mut [f64])) -> f64 {
    let noise: Vec<f64> = signals::white(1, 256, 0.5).iter().map(|x| f64::from(*x)).collect();
    let pairs: Vec<[f64; 2]> = noise.iter().map(|x| [*x, -x]).collect();
    let (mut mono, mut stereo, mut stages) = (noise.clone(), pairs.clone(), stages(count));
    best(|| {
        for _ in (0..FRAMES).step_by(256) {
            // The same sound each time, or the bells would raise it without end; 2 KB cost next to nothing.
            mono.copy_from_slice(&noise);
            stereo.copy_from_slice(&pairs);
            run(&mut stages, &mut stereo, &mut mono);
            black_box((&mut stereo, &mut mono));
        }
    })
}

fn plain_stereo(stages: &mut [Stage], frames: &mut [[f64; 2]]) {
    for frame in frames {
        for (channel, x) in frame.iter_mut().enumerate() {
            *x = stages.iter_mut().fold(*x, |x, stage| stage.step(channel, x));
        }
    }
}

fn four_bells() -> EqSettings {
    let mut settings = EqSettings::default();
    for (n, band) in settings.bands.iter_mut().take(4).enumerate() {
        let freq_hz = 100.0 * math::pow(4.0, n as f64);
        *band = Band { on: true, shape: Shape::Bell, freq_hz, gain_db: 3.0, ..*band };
    }
    settings
}

fn main() -> io::Result<()> {
    let mut out = io::stdout().lock();
    writeln!(out, "equaliser kernels, ns per section and channel-sample")?;
    writeln!(out, "  sections  mono lanes  mono plain  stereo lanes  stereo plain")?;
    for count in [1, 2, 4, 8, 16] {
        let each = count as f64;
        writeln!(
            out,
            "  {count:8}  {:10.3}  {:10.3}  {:12.3}  {:12.3}",
            cascade(count, |stages, _, mono| run_mono(stages, mono)) / each,
            cascade(count, |stages, _, mono| run_plain(stages, 0, mono)) / each,
            cascade(count, |stages, stereo, _| run_stereo(stages, stereo)) / each / 2.0,
            cascade(count, |stages, stereo, _| plain_stereo(stages, stereo)) / each / 2.0,
        )?;
    }
    let compressor =
        CompressorSettings { threshold_rel_db: -24.0, ..CompressorSettings::default() };
    let filtered = CompressorSettings { sidechain_hpf_hz: 100.0, ..compressor.clone() };
    let idle = CompressorSettings { threshold_rel_db: 20.0, ..compressor.clone() };
    let limiter = LimiterSettings::default();
    let trim = TrimSettings { gain_db: -3.0, ..TrimSettings::default() };
    writeln!(out, "processors in blocks of {BLOCK}, ns per frame")?;
    for (channels, name) in [(1, "mono"), (2, "stereo")] {
        let loud = music(channels, 0.8);
        let quiet = music(channels, 0.1);
        let hot = music(channels, 1.6);
        let rows = [
            ("trim", processor(&trim, &loud)),
            ("eq, 4 bells", processor(&four_bells(), &loud)),
            ("eq, all off", processor(&EqSettings::default(), &loud)),
            ("compressor, working", processor(&compressor, &loud)),
            ("compressor, working, side-chain high-pass", processor(&filtered, &loud)),
            ("compressor, below threshold", processor(&idle, &loud)),
            ("limiter, -2 dBFS music", processor(&limiter, &loud)),
            ("limiter, -20 dBFS music", processor(&limiter, &quiet)),
            ("limiter, 5 dB over", processor(&limiter, &hot)),
        ];
        for (block, ns) in rows {
            writeln!(out, "  {name:6} {block:42} {ns:8.2}")?;
        }
    }
    Ok(())
}
