//! Test signals; the same seed gives the same samples everywhere.

use std::f64::consts::TAU;

/// SplitMix64 (Steele, Lea, Flood, 2014): small, fast, good enough for noise.
#[derive(Clone, Debug)]
pub struct Random(u64);

impl Random {
    /// A stream of numbers of its own for each seed.
    #[must_use]
    pub const fn new(seed: u64) -> Self {
        Self(seed)
    }

    /// 64 random bits.
    pub fn bits(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// Uniform in −1 to 1.
    pub fn bipolar(&mut self) -> f64 {
        (self.bits() >> 11) as f64 / (1u64 << 52) as f64 - 1.0
    }

    /// Uniform in 0 to 1.
    pub fn unit(&mut self) -> f64 {
        (self.bits() >> 11) as f64 / (1u64 << 53) as f64
    }
}

/// White noise, uniform, of peak `peak`.
#[must_use]
pub fn white(seed: u64, frames: usize, peak: f64) -> Vec<f32> {
    let mut random = Random::new(seed);
    (0..frames).map(|_| (peak * random.bipolar()) as f32).collect()
}

/// Pink noise, −3 dB per octave within half a dB from 20 Hz to 20 kHz at 44.1 kHz (P. Kellet's sum of
/// first-order filters), of peak `peak`.
#[must_use]
pub fn pink(seed: u64, frames: usize, peak: f64) -> Vec<f32> {
    const POLES: [(f64, f64); 6] = [
        (0.99886, 0.055_517_9),
        (0.99332, 0.075_075_9),
        (0.96900, 0.153_852_0),
        (0.86650, 0.310_485_6),
        (0.55000, 0.532_952_2),
        (-0.7616, -0.016_898_0),
    ];
    let mut random = Random::new(seed);
    let (mut states, mut last) = ([0.0; 6], 0.0);
    let raw = (0..frames).map(|_| {
        let white = random.bipolar();
        let mut sum = last + 0.5362 * white;
        for (state, (pole, gain)) in states.iter_mut().zip(POLES) {
            *state = pole * *state + gain * white;
            sum += *state;
        }
        last = 0.115_926 * white;
        sum
    });
    scaled(&raw.collect::<Vec<f64>>(), peak)
}

fn scaled(raw: &[f64], peak: f64) -> Vec<f32> {
    let loudest = raw.iter().fold(0.0, |a: f64, b| a.max(b.abs()));
    let gain = if loudest > 0.0 { peak / loudest } else { 0.0 };
    raw.iter().map(|x| (x * gain) as f32).collect()
}

/// A sine of `hz` at `rate` with amplitude `peak`, starting at `phase` radians.
#[must_use]
pub fn sine(hz: f64, rate: f64, frames: usize, peak: f64, phase: f64) -> Vec<f32> {
    let step = TAU * hz / rate;
    (0..frames).map(|n| (peak * libm::sin(step * n as f64 + phase)) as f32).collect()
}

/// Fades the first and the last `fade` frames by half a cosine.
pub fn fade(signal: &mut [f32], fade: usize) {
    let frames = signal.len();
    for n in 0..fade.min(frames) {
        let gain = 0.5 - 0.5 * libm::cos(std::f64::consts::PI * (n as f64 + 0.5) / fade as f64);
        signal[n] = (f64::from(signal[n]) * gain) as f32;
        signal[frames - 1 - n] = (f64::from(signal[frames - 1 - n]) * gain) as f32;
    }
}

/// A sine that rises from `from_hz` to `to_hz`, equal time per octave.
#[must_use]
pub fn sweep(from_hz: f64, to_hz: f64, rate: f64, frames: usize, peak: f64) -> Vec<f32> {
    let octaves = libm::log(to_hz / from_hz);
    let scale = TAU * from_hz * frames as f64 / (rate * octaves);
    (0..frames)
        .map(|n| {
            let grown = libm::expm1(octaves * n as f64 / frames as f64);
            (peak * libm::sin(scale * grown)) as f32
        })
        .collect()
}

/// A square wave by its samples (not band-limited).
#[must_use]
pub fn square(hz: f64, rate: f64, frames: usize, peak: f64) -> Vec<f32> {
    let sign = |n: usize| if (hz * n as f64 / rate).fract() < 0.5 { peak } else { -peak };
    (0..frames).map(|n| sign(n) as f32).collect()
}

/// A kick: a decaying sine that falls from 180 to 50 Hz, with a click.
#[must_use]
pub fn kick(rate: f64, frames: usize, peak: f64) -> Vec<f32> {
    let mut phase = 0.0;
    let raw = (0..frames).map(|n| {
        let t = n as f64 / rate;
        phase += TAU * (50.0 + 130.0 * libm::exp(-t / 0.03)) / rate;
        libm::sin(phase) * libm::exp(-t / 0.12) + 0.4 * libm::exp(-t / 0.001)
    });
    scaled(&raw.collect::<Vec<f64>>(), peak)
}

/// Kick, snare and hat in eighths at 120 beats per minute, of peak `peak`.
#[must_use]
pub fn drums(seed: u64, rate: f64, frames: usize, peak: f64) -> Vec<f32> {
    let mut random = Random::new(seed);
    let mut raw = vec![0.0; frames];
    let eighth = (rate * 0.25) as usize;
    let low = kick(rate, eighth * 2, 1.0);
    for (beat, start) in (0..frames).step_by(eighth.max(1)).enumerate() {
        let level = 0.7 + 0.3 * random.unit();
        for n in 0..(eighth * 2).min(frames - start) {
            let t = n as f64 / rate;
            let hit = match beat % 4 {
                0 => f64::from(low[n]),
                2 => {
                    let skin = libm::sin(TAU * 190.0 * t) * libm::exp(-t / 0.06);
                    0.5 * skin + 0.7 * random.bipolar() * libm::exp(-t / 0.05)
                }
                _ => 0.0,
            };
            let hat = 0.25 * random.bipolar() * libm::exp(-t / 0.015);
            raw[start + n] += level * (hit + hat);
        }
    }
    scaled(&raw, peak)
}

/// The signals that a true-peak limiter finds hardest, by name, each of `frames` frames and with peaks above
/// full scale by several dB.
#[must_use]
pub fn hostile(rate: f64, frames: usize) -> Vec<(&'static str, Vec<f32>)> {
    let clipped = pink(3, frames, 8.0).iter().map(|x| x.clamp(-1.4, 1.4)).collect();
    let mut kick_and_sine = sine(0.45 * rate, rate, frames, 0.891_25, 0.3);
    let beat = (rate * 0.25) as usize;
    let hit = kick(rate, beat, 1.0);
    for (n, x) in kick_and_sine.iter_mut().enumerate() {
        *x += hit[n % beat];
    }
    vec![
        ("drums", drums(1, rate, frames, 2.0)),
        ("pink noise", pink(2, frames, 2.0)),
        ("clipped noise", clipped),
        ("white noise", white(4, frames, 2.0)),
        ("square 997 Hz", square(997.0, rate, frames, 1.5)),
        ("sweep", sweep(20.0, 0.49 * rate, rate, frames, 1.8)),
        ("tone at fs/4", sine(rate / 4.0, rate, frames, 2.0, std::f64::consts::FRAC_PI_4)),
        ("kick and tone at 0.45 fs", kick_and_sine),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn noise_is_the_same_for_a_seed_and_different_for_another() {
        assert_eq!(white(1, 100, 1.0), white(1, 100, 1.0));
        assert_ne!(white(1, 100, 1.0), white(2, 100, 1.0));
        let mean: f64 = white(9, 100_000, 1.0).iter().map(|x| f64::from(*x)).sum::<f64>() / 1e5;
        assert!(mean.abs() < 0.01, "{mean}");
    }

    #[test]
    fn signals_have_the_peak_they_were_asked_for() {
        for signal in [pink(1, 50_000, 0.5), drums(1, 48_000.0, 50_000, 0.5)] {
            let peak = signal.iter().fold(0.0f32, |a, b| a.max(b.abs()));
            assert!((peak - 0.5).abs() < 1e-6, "{peak}");
        }
    }
}
