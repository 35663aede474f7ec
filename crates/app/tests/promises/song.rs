//! A small song: seven tracks, 12 s at 44.1 kHz, the same samples every time. It has what a mix has to deal
//! with: levels that are off, boomy guitar, a voice that is buried.

use std::f64::consts::TAU;
use std::path::Path;
use topdown_testkit::signals::{Random, kick, white};

/// Frames per second.
pub(crate) const RATE: u32 = 44_100;
/// Length of every track.
pub(crate) const FRAMES: usize = 12 * RATE as usize;
/// The tones of the track `Synth Pad`, in Hz, of equal level.
pub(crate) const PAD_HZ: [f64; 3] = [250.0, 1_000.0, 4_000.0];

const BEAT: usize = RATE as usize / 2;

/// Names of the tracks.
pub(crate) const NAMES: [&str; 7] =
    ["Kick", "Snare", "Hihat", "Bass Guitar", "Rhythm Guitar", "Synth Pad", "Lead Vocal"];

/// Writes the whole song into a folder.
pub(crate) fn write(folder: &Path) {
    std::fs::create_dir_all(folder).unwrap();
    for name in NAMES {
        wav(&folder.join(format!("{name}.wav")), &track(name));
    }
}

/// The samples of one track as its file holds them.
pub(crate) fn track(name: &str) -> Vec<f32> {
    let rate = f64::from(RATE);
    let mut out = vec![0.0; FRAMES];
    match name {
        "Kick" => hits(&mut out, 1, 0, &kick(rate, BEAT, 0.8)),
        "Snare" => hits(&mut out, 2, 1, &burst(11, 0.09, 0.45)),
        "Hihat" => {
            hits(&mut out, 1, 0, &burst(12, 0.02, 0.2));
            out = out.windows(2).map(|x| x[1] - x[0]).chain([0.0]).collect();
        }
        "Bass Guitar" => notes(&mut out, &[55.0, 55.0, 73.4, 49.0], 5, 0.5),
        "Rhythm Guitar" => {
            for (root, level) in [(110.0, 0.25), (165.0, 0.2), (220.0, 0.12)] {
                notes(&mut out, &[root, root, root * 1.335, root * 0.89], 14, level);
            }
        }
        "Synth Pad" => {
            for hz in PAD_HZ {
                for (n, x) in out.iter_mut().enumerate() {
                    *x += (0.03 * libm::sin(TAU * hz * n as f64 / rate)) as f32;
                }
            }
        }
        _ => voice(&mut out),
    }
    out.iter().map(|x| (x * 8_388_608.0).round() / 8_388_608.0).collect()
}

/// A 24-bit mono WAV file.
pub(crate) fn wav(path: &Path, samples: &[f32]) {
    let spec = hound::WavSpec {
        channels: 1,
        sample_rate: RATE,
        bits_per_sample: 24,
        sample_format: hound::SampleFormat::Int,
    };
    let mut writer = hound::WavWriter::create(path, spec).unwrap();
    for x in samples {
        writer.write_sample((f64::from(*x) * 8_388_608.0).round() as i32).unwrap();
    }
    writer.finalize().unwrap();
}

fn hits(out: &mut [f32], every: usize, from: usize, hit: &[f32]) {
    for start in (from * BEAT..out.len()).step_by(every * BEAT) {
        out[start..].iter_mut().zip(hit).for_each(|(out, x)| *out += x);
    }
}

fn burst(seed: u64, decay_s: f64, peak: f64) -> Vec<f32> {
    let noise = white(seed, BEAT, peak);
    let fall = |n: usize| libm::exp(-(n as f64) / (decay_s * f64::from(RATE))) as f32;
    noise.iter().enumerate().map(|(n, x)| x * fall(n)).collect()
}

/// A note a bar, with harmonics that fall with their number.
fn notes(out: &mut [f32], hz: &[f64], harmonics: u32, level: f64) {
    let rate = f64::from(RATE);
    for (n, x) in out.iter_mut().enumerate() {
        let within = n % (4 * BEAT);
        let tone = TAU * hz[(n / (4 * BEAT)) % hz.len()] / rate;
        let fall = libm::exp(-(within as f64) / (1.2 * rate)) * (within as f64 / 200.0).min(1.0);
        let sum: f64 = (1..=harmonics)
            .map(|h| libm::sin(tone * f64::from(h) * within as f64) / f64::from(h))
            .sum();
        *x += (level * fall * sum) as f32;
    }
}

/// Phrases of two seconds with breaths between, a vibrato, and three formants.
fn voice(out: &mut [f32]) {
    let rate = f64::from(RATE);
    let mut random = Random::new(7);
    let mut phase = 0.0;
    for (n, x) in out.iter_mut().enumerate() {
        let t = n as f64 / rate;
        phase += (220.0 + 4.0 * libm::sin(TAU * 5.5 * t)) / rate;
        let phrase = libm::sin(std::f64::consts::PI * (t % 3.0) / 2.2).max(0.0);
        let tone: f64 = (1..30)
            .map(|h| {
                let hz = 220.0 * f64::from(h);
                let formant = |at: f64, width: f64| 1.0 / (1.0 + ((hz - at) / width).powi(2));
                let level = formant(650.0, 120.0)
                    + 0.5 * formant(1_080.0, 150.0)
                    + 0.2 * formant(2_650.0, 250.0);
                level * libm::sin(TAU * f64::from(h) * phase)
            })
            .sum();
        *x = (0.05 * phrase * (tone + 0.05 * random.bipolar())) as f32;
    }
}
