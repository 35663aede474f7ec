//! Slow meters, written from the formulas and sharing no code with what they judge.

use std::f64::consts::{PI, TAU};

/// 20 log10 of an amplitude.
#[must_use]
pub fn db(amplitude: f64) -> f64 {
    20.0 * libm::log10(amplitude)
}

/// Root of the mean square.
#[must_use]
pub fn rms(signal: &[f32]) -> f64 {
    let power: f64 = signal.iter().map(|x| f64::from(*x) * f64::from(*x)).sum();
    (power / signal.len().max(1) as f64).sqrt()
}

/// Largest sample.
#[must_use]
pub fn sample_peak(signal: &[f32]) -> f64 {
    signal.iter().fold(0.0, |peak, x| peak.max(f64::from(x.abs())))
}

/// Blackman–Harris window with four terms, side lobes below −92 dB.
fn window(n: usize, frames: usize) -> f64 {
    let x = TAU * (n as f64 + 0.5) / frames as f64;
    0.35875 - 0.48829 * libm::cos(x) + 0.14128 * libm::cos(2.0 * x) - 0.01168 * libm::cos(3.0 * x)
}

/// Amplitude and phase (of a sine, in radians at the first frame) at `cycles_per_frame`, by windowed correlation.
#[must_use]
pub fn tone(signal: &[f32], cycles_per_frame: f64) -> (f64, f64) {
    let (mut re, mut im, mut weight) = (0.0, 0.0, 0.0);
    for (n, x) in signal.iter().enumerate() {
        let (w, angle) = (window(n, signal.len()), TAU * cycles_per_frame * n as f64);
        re += w * f64::from(*x) * libm::sin(angle);
        im += w * f64::from(*x) * libm::cos(angle);
        weight += w;
    }
    (2.0 * libm::hypot(re, im) / weight, libm::atan2(im, re))
}

/// Total harmonic distortion of a tone at `cycles_per_frame`: harmonics below half the rate re the tone.
#[must_use]
pub fn thd(signal: &[f32], cycles_per_frame: f64) -> f64 {
    let harmonics = (2..=20).map(|h| f64::from(h) * cycles_per_frame).filter(|f| *f < 0.49);
    let power: f64 = harmonics.map(|f| tone(signal, f).0).map(|a| a * a).sum();
    power.sqrt() / tone(signal, cycles_per_frame).0
}

fn bessel_i0(x: f64) -> f64 {
    let terms = (1..60).scan(1.0, |term, n| {
        *term *= (x / (2.0 * f64::from(n))) * (x / (2.0 * f64::from(n)));
        Some(*term)
    });
    1.0 + terms.sum::<f64>()
}

fn kaiser(t: f64, beta: f64) -> f64 {
    bessel_i0(beta * (1.0 - t * t).max(0.0).sqrt()) / bessel_i0(beta)
}

fn sinc(t: f64) -> f64 {
    if t.abs() < 1e-12 { 1.0 } else { libm::sin(PI * t) / (PI * t) }
}

/// Energy above `cut_hz` relative to all energy, dB. A linear-phase FIR that falls by 120 dB from `cut_hz`
/// down to `pass_hz`; the first and last frames that it does not fully see are left out.
#[must_use]
pub fn energy_above_db(signal: &[f32], rate: f64, pass_hz: f64, cut_hz: f64) -> f64 {
    let above = high_passed(signal, rate, pass_hz, cut_hz);
    let half = (signal.len() - above.len()) / 2;
    let all = &signal[half..half + above.len()];
    db(rms(&above) / rms(all))
}

/// The part of `signal` above `cut_hz`, 120 dB down at `pass_hz`; shorter by the length of the filter.
#[must_use]
pub fn high_passed(signal: &[f32], rate: f64, pass_hz: f64, cut_hz: f64) -> Vec<f32> {
    let width = (cut_hz - pass_hz) / rate;
    // Kaiser's formula for 120 dB.
    let half = ((120.0 - 7.95) / (2.0 * 14.36 * width)).ceil() as usize;
    let corner = (pass_hz + cut_hz) / rate; // twice the middle, in cycles per frame
    let mut taps: Vec<f64> = (0..=2 * half)
        .map(|k| {
            let t = k as f64 - half as f64;
            -corner * sinc(corner * t) * kaiser(t / (half as f64 + 1.0), 12.3)
        })
        .collect();
    let sum: f64 = taps.iter().sum();
    taps.iter_mut().for_each(|tap| *tap /= -sum);
    taps[half] += 1.0;
    let product =
        |seen: &[f32]| seen.iter().zip(&taps).map(|(x, tap)| f64::from(*x) * tap).sum::<f64>();
    signal.windows(taps.len()).map(|seen| product(seen) as f32).collect()
}

/// True peak as an amplitude: 32 times oversampled with 193 taps a phase.
///
/// Looks only where a sample within 4 frames has at least 0.4 of the highest one.
#[must_use]
pub fn true_peak(signal: &[f32]) -> f64 {
    const HALF: usize = 96;
    const PHASES: usize = 32;
    let phases: Vec<Vec<f64>> = (1..PHASES)
        .map(|phase| {
            let at = (HALF - 1) as f64 + phase as f64 / PHASES as f64;
            let tap = |k: usize| {
                let t = k as f64 - at;
                sinc(t) * kaiser(t / (HALF as f64 + 1.0), 12.0)
            };
            let taps: Vec<f64> = (0..2 * HALF).map(tap).collect();
            let sum: f64 = taps.iter().sum();
            taps.iter().map(|tap| tap / sum).collect()
        })
        .collect();
    let mut peak = sample_peak(signal);
    let floor = 0.4 * peak;
    let mut padded = vec![0.0f32; signal.len() + 2 * HALF];
    padded[HALF..HALF + signal.len()].copy_from_slice(signal);
    for seen in padded.windows(2 * HALF) {
        if sample_peak(&seen[HALF - 4..HALF + 4]) < floor {
            continue;
        }
        for taps in &phases {
            let value: f64 = seen.iter().zip(taps).map(|(x, tap)| f64::from(*x) * tap).sum();
            peak = peak.max(value.abs());
        }
    }
    peak
}

/// Gated loudness of ITU-R BS.1770-5 in LUFS; all channels with weight one. Minus infinity when all is gated.
#[must_use]
pub fn integrated_lufs(channels: &[&[f32]], rate: f64) -> f64 {
    let weighted: Vec<Vec<f64>> =
        channels.iter().map(|channel| k_weighted(channel, rate)).collect();
    let (block, hop) = ((0.4 * rate) as usize, (0.1 * rate) as usize);
    let frames = weighted.iter().map(Vec::len).min().unwrap_or(0);
    let starts = (0..).map(|k| k * hop).take_while(|start| start + block <= frames);
    let power = |start: usize| {
        let of =
            |channel: &Vec<f64>| channel[start..start + block].iter().map(|x| x * x).sum::<f64>();
        weighted.iter().map(of).sum::<f64>() / block as f64
    };
    let powers: Vec<f64> = starts.map(power).collect();
    let loudness = |power: f64| -0.691 + 10.0 * libm::log10(power);
    let mean = |gate: f64| {
        let kept: Vec<f64> = powers.iter().copied().filter(|p| loudness(*p) > gate).collect();
        loudness(kept.iter().sum::<f64>() / kept.len() as f64)
    };
    let ungated = mean(-70.0);
    let gated = mean((ungated - 10.0).max(-70.0));
    if gated.is_nan() { f64::NEG_INFINITY } else { gated }
}

fn k_weighted(channel: &[f32], rate: f64) -> Vec<f64> {
    let quadratic = |f0: f64, q: f64| {
        let k = libm::tan(PI * f0 / rate);
        (k, 1.0 + k / q + k * k, [2.0 * (k * k - 1.0), 1.0 - k / q + k * k])
    };
    let q = 0.707_175_236_955_419_6;
    let (k, a0, a) = quadratic(1_681.974_450_955_533, q);
    let high = libm::pow(10.0, 3.999_843_853_973_347 / 20.0);
    let band = libm::pow(high, 0.499_666_774_154_541_6);
    let shelf = [high + band * k / q + k * k, 2.0 * (k * k - high), high - band * k / q + k * k];
    let once =
        biquad(channel.iter().map(|x| f64::from(*x)), shelf.map(|b| b / a0), a.map(|a| a / a0));
    let (_, a0, a) = quadratic(38.135_470_876_024_44, 0.500_327_037_323_877_3);
    biquad(once.into_iter(), [1.0, -2.0, 1.0], a.map(|a| a / a0))
}

fn biquad(input: impl Iterator<Item = f64>, b: [f64; 3], a: [f64; 2]) -> Vec<f64> {
    let (mut x1, mut x2, mut y1, mut y2) = (0.0, 0.0, 0.0, 0.0);
    input
        .map(|x| {
            let y = b[0] * x + b[1] * x1 + b[2] * x2 - a[0] * y1 - a[1] * y2;
            (x2, x1, y2, y1) = (x1, x, y1, y);
            y
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::signals::{fade, sine, white};

    #[test]
    fn the_alignment_tones_read_what_the_standards_say() {
        for rate in [44_100.0, 48_000.0, 96_000.0] {
            let frames = (rate * 8.0) as usize;
            let tone = sine(997.0, rate, frames, 1.0, 0.0);
            let read = integrated_lufs(&[&tone], rate);
            assert!((read + 3.01).abs() < 0.02, "{read} at {rate} Hz");
            let tone = sine(1000.0, rate, frames, libm::pow(10.0, -23.0 / 20.0), 0.0);
            let read = integrated_lufs(&[&tone, &tone], rate);
            assert!((read + 23.0).abs() < 0.03, "{read} at {rate} Hz");
        }
        assert_eq!(integrated_lufs(&[&[0.0; 48_000]], 48_000.0), f64::NEG_INFINITY);
    }

    #[test]
    fn true_peak_finds_what_lies_between_the_samples() {
        let mut tone = sine(12_000.0, 48_000.0, 4_800, 0.5, PI / 4.0);
        fade(&mut tone, 480);
        assert!((db(true_peak(&tone)) + 6.02).abs() < 0.02, "{}", db(true_peak(&tone)));
    }

    #[test]
    fn tone_and_distortion_are_read_to_a_ten_thousandth() {
        let clean = sine(0.01, 1.0, 20_000, 0.7, 0.4);
        let (amplitude, phase) = tone(&clean, 0.01);
        assert!((amplitude - 0.7).abs() < 1e-5 && (phase - 0.4).abs() < 1e-5);
        assert!(thd(&clean, 0.01) < 1e-5);
        let third = sine(0.03, 1.0, 20_000, 0.007, 0.0);
        let dirty: Vec<f32> = clean.iter().zip(&third).map(|(a, b)| a + b).collect();
        assert!((thd(&dirty, 0.01) - 0.01).abs() < 1e-4);
    }

    #[test]
    fn energy_above_a_cut_is_that_of_the_high_part_only() {
        let low = sine(1_000.0, 48_000.0, 20_000, 1.0, 0.0);
        assert!(energy_above_db(&low, 48_000.0, 1_500.0, 3_000.0) < -115.0);
        let high = sine(5_000.0, 48_000.0, 20_000, 0.001, 0.0);
        let both: Vec<f32> = low.iter().zip(&high).map(|(a, b)| a + b).collect();
        assert!((energy_above_db(&both, 48_000.0, 1_500.0, 3_000.0) + 60.0).abs() < 0.1);
        let noise = white(1, 40_000, 1.0);
        assert!((energy_above_db(&noise, 48_000.0, 11_500.0, 12_500.0) + 3.01).abs() < 0.3);
    }
}
