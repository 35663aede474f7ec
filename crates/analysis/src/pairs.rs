//! How two tracks of one source agree: polarity and delay, comb filtering, duplicates.
//!
//! Promise: for a source heard twice, the delay within a tenth of a frame and the polarity, if the two agree
//! over at least an octave; no claim where they do not.
//!
//! Cross-spectra are averaged over Hann frames of about 85 ms, half overlapped (Welch). Their magnitude-squared
//! coherence g(f) = |S12|^2 / (S11 S22), less the bias 1/n of n frames, says where the two hear the same. The
//! generalised cross-correlation (Knapp and Carter 1976) weights each bin by g / (1 - g) over its magnitude, so
//! that only common sound counts, whatever its level; its highest magnitude within +-10 ms, interpolated four
//! times by zero padding and then by a parabola, is the delay, its sign the polarity. A narrow common band
//! makes peaks of both signs; how far the best one stands above the best one of the other sign is the trust.
//!
//! Pure functions of excerpts: feed the loudest 5 to 20 s of both, from the same place.

mod mixes;

pub use mixes::{FullMix, full_mixes};

use realfft::RealFftPlanner;
use realfft::num_complex::Complex;
use serde::{Deserialize, Serialize};
use topdown_dsp::math;
use topdown_units::{SampleRate, power_to_db};

/// Furthest delay looked for, in milliseconds: 3.4 m of air.
pub const FURTHEST_MS: f64 = 10.0;
const FRAME_AT_48K: f64 = 4096.0;
const OVERSAMPLING: usize = 4;
const LOWEST_HZ: f64 = 30.0;
const HIGHEST_HZ: f64 = 12_000.0;
/// Weights stop growing at this coherence.
const HIGHEST_COHERENCE: f64 = 0.95;
/// A band agrees from this coherence on.
const COHERENT: f64 = 0.4;
/// Below this share of common sound two tracks are two sources.
const ONE_SOURCE: f64 = 0.25;
const FEWEST_FRAMES: usize = 8;
/// Residual of the better-fitting copy below which two tracks are the same audio.
const DUPLICATE_DB: f64 = -60.0;
const OCTAVES_HZ: [f64; 9] = [62.5, 125.0, 250.0, 500.0, 1000.0, 2000.0, 4000.0, 8000.0, 16_000.0];

/// How two tracks agree in one octave.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct BandAgreement {
    /// Centre of the octave.
    pub centre_hz: f64,
    /// Share of common sound, 0 to 1, weighted by power.
    pub coherence: f64,
    /// Correlation of the two as they are, -1 to 1.
    pub correlation: f64,
    /// Correlation once the second is moved by the delay and, if so found, inverted.
    pub aligned_correlation: f64,
}

/// How two tracks agree.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Agreement {
    /// Whether they hear the same source at all.
    pub one_source: bool,
    /// Share of common sound over all bins, 0 to 1, weighted by power.
    pub coherence: f64,
    /// How much later the second arrives, in frames; negative if it arrives first.
    pub delay_frames: f64,
    /// Whether the second has the opposite polarity once moved.
    pub inverted: bool,
    /// Trust in delay and polarity, 0 to 1: how far the best peak stands above its best rival.
    pub confidence: f64,
    /// Correlation as they are.
    pub correlation: f64,
    /// Correlation once moved and, if so found, inverted.
    pub aligned_correlation: f64,
    /// What the sum of both at equal loudness loses against fully agreeing tracks, in dB, 0 or more.
    pub sum_loss_db: f64,
    /// By octave, where both sound.
    pub bands: Vec<BandAgreement>,
}

impl Agreement {
    /// Whether inverting the second (without moving it) makes the sum of both stronger in most of what
    /// they share: the simple remedy for a reversed microphone.
    #[must_use]
    pub fn flip_helps(&self) -> bool {
        self.one_source && self.correlation < -0.1
    }

    /// Octaves in which the two hear the same but cancel: what a sum in mono loses.
    #[must_use]
    pub fn cancelling_bands(&self) -> Vec<BandAgreement> {
        let cancels = |b: &&BandAgreement| b.coherence > COHERENT && b.correlation < -0.3;
        self.bands.iter().filter(cancels).copied().collect()
    }
}

/// Compares two excerpts of the same place. `None` if they are too short or silent.
#[must_use]
pub fn compare(first: &[f32], second: &[f32], rate: SampleRate) -> Option<Agreement> {
    let spectra = CrossSpectra::of(first, second, rate)?;
    let coherence = spectra.coherence();
    let peak = spectra.delay(&coherence);
    let turn = if peak.value < 0.0 { -1.0 } else { 1.0 };
    let whole = spectra.band(LOWEST_HZ, rate.hz() / 2.0, &coherence, peak.at_frames, turn)?;
    let bands = OCTAVES_HZ
        .iter()
        .filter_map(|&hz| {
            let half = std::f64::consts::SQRT_2;
            let band = spectra.band(hz / half, hz * half, &coherence, peak.at_frames, turn)?;
            Some(BandAgreement { centre_hz: hz, ..band })
        })
        .collect();
    Some(Agreement {
        one_source: whole.coherence >= ONE_SOURCE,
        coherence: whole.coherence,
        delay_frames: peak.at_frames,
        inverted: peak.value < 0.0,
        confidence: peak.trust * (whole.coherence / COHERENT).min(1.0),
        correlation: whole.correlation,
        aligned_correlation: whole.aligned_correlation,
        sum_loss_db: -power_to_db(((1.0 + whole.correlation) / 2.0).max(1e-6)),
        bands,
    })
}

struct CrossSpectra {
    rate_hz: f64,
    length: usize,
    frames: usize,
    first: Vec<f64>,
    second: Vec<f64>,
    cross: Vec<Complex<f64>>,
}

struct Peak {
    at_frames: f64,
    value: f64,
    trust: f64,
}

impl CrossSpectra {
    fn of(first: &[f32], second: &[f32], rate: SampleRate) -> Option<Self> {
        let length = math::exp2(math::log2(FRAME_AT_48K * rate.hz() / 48_000.0).round()) as usize;
        let n = first.len().min(second.len());
        let hann = |i: usize| 0.5 - 0.5 * math::cos(math::TAU * i as f64 / length as f64);
        let window: Vec<f64> = (0..length).map(hann).collect();
        let fft = RealFftPlanner::<f64>::new().plan_fft_forward(length);
        let (mut a, mut b) = (fft.make_output_vec(), fft.make_output_vec());
        let bins = a.len();
        let mut block = vec![0.0; length];
        let mut all = Self {
            rate_hz: rate.hz(),
            length,
            frames: 0,
            first: vec![0.0; bins],
            second: vec![0.0; bins],
            cross: vec![Complex::new(0.0, 0.0); bins],
        };
        let mut start = 0;
        while start + length <= n {
            for (sound, out) in [(first, &mut a), (second, &mut b)] {
                let part = sound.get(start..start + length)?;
                for ((x, &s), w) in block.iter_mut().zip(part).zip(&window) {
                    *x = if s.is_finite() { f64::from(s) * w } else { 0.0 };
                }
                fft.process(&mut block, out).ok()?;
            }
            for i in 0..bins {
                all.first[i] += a[i].norm_sqr();
                all.second[i] += b[i].norm_sqr();
                all.cross[i] += a[i].conj() * b[i];
            }
            all.frames += 1;
            start += length / 2;
        }
        let sounds = |p: &[f64]| p.iter().sum::<f64>() > 1e-9;
        (all.frames >= FEWEST_FRAMES && sounds(&all.first) && sounds(&all.second)).then_some(all)
    }

    fn hz(&self, bin: usize) -> f64 {
        bin as f64 * self.rate_hz / self.length as f64
    }

    /// Magnitude-squared coherence of each bin, less the bias of few frames.
    fn coherence(&self) -> Vec<f64> {
        // Half-overlapped Hann frames count for about 0.75 independent ones each.
        let bias = 1.0 / (0.75 * self.frames as f64);
        let one = |i: usize| {
            let power = self.first[i] * self.second[i];
            let raw = if power > 0.0 { self.cross[i].norm_sqr() / power } else { 0.0 };
            ((raw - bias) / (1.0 - bias)).clamp(0.0, 1.0)
        };
        (0..self.cross.len()).map(one).collect()
    }

    fn delay(&self, coherence: &[f64]) -> Peak {
        let long = self.length * OVERSAMPLING;
        let fft = RealFftPlanner::<f64>::new().plan_fft_inverse(long);
        let mut bins = fft.make_input_vec();
        let loudest = self.cross.iter().map(|c| c.norm()).fold(0.0, f64::max);
        for (i, (&c, &g)) in self.cross.iter().zip(coherence).enumerate() {
            let hears = (LOWEST_HZ..=HIGHEST_HZ).contains(&self.hz(i)) && c.norm() > 1e-8 * loudest;
            if hears && i > 0 {
                let g = g.min(HIGHEST_COHERENCE);
                // Per octave alike: treble has more bins, not more to say.
                bins[i] = c * (g / (1.0 - g) / c.norm() / (i as f64).sqrt());
            }
        }
        let mut lags = fft.make_output_vec();
        let _ = fft.process(&mut bins, &mut lags);
        self.peak(&lags)
    }

    fn peak(&self, lags: &[f64]) -> Peak {
        let reach = (FURTHEST_MS * 1e-3 * self.rate_hz * OVERSAMPLING as f64) as i64;
        let at = |lag: i64| lags[lag.rem_euclid(lags.len() as i64) as usize];
        let mut best = (0i64, 0.0f64);
        for step in 0..=2 * reach {
            // From the middle outwards, so that of equals the shorter delay wins.
            let lag = if step % 2 == 0 { step / 2 } else { -(step + 1) / 2 };
            if at(lag).abs() > best.1.abs() * (1.0 + 1e-9) {
                best = (lag, at(lag));
            }
        }
        let sign = best.1.signum();
        let rival = (-reach..=reach).map(|lag| -sign * at(lag)).fold(0.0, f64::max);
        let (a, b, c) = (sign * at(best.0 - 1), sign * best.1, sign * at(best.0 + 1));
        let curve = a - 2.0 * b + c;
        let shift = if curve < 0.0 { (0.5 * (a - c) / curve).clamp(-0.5, 0.5) } else { 0.0 };
        let trust = if best.1 == 0.0 { 0.0 } else { 1.0 - rival / best.1.abs() };
        Peak {
            at_frames: (best.0 as f64 + shift) / OVERSAMPLING as f64,
            value: best.1,
            trust: trust.clamp(0.0, 1.0),
        }
    }

    /// Agreement between two frequencies; `None` if nothing sounds there in one of them.
    fn band(&self, low: f64, high: f64, g: &[f64], delay: f64, turn: f64) -> Option<BandAgreement> {
        let (mut p1, mut p2, mut as_is, mut aligned) = (0.0, 0.0, 0.0, 0.0);
        let (mut weight, mut common) = (0.0, 0.0);
        for (i, &g) in g.iter().enumerate().skip(1) {
            if self.hz(i) < low || self.hz(i) >= high {
                continue;
            }
            let angle = math::TAU * i as f64 * delay / self.length as f64;
            let moved = self.cross[i] * Complex::new(math::cos(angle), math::sin(angle));
            p1 += self.first[i];
            p2 += self.second[i];
            as_is += self.cross[i].re;
            aligned += turn * moved.re;
            let level = (self.first[i] * self.second[i]).sqrt();
            weight += level;
            common += level * g;
        }
        let least = 1e-7;
        let total: (f64, f64) = (self.first.iter().sum(), self.second.iter().sum());
        if p1 <= least * total.0 || p2 <= least * total.1 || weight <= 0.0 {
            return None;
        }
        let norm = (p1 * p2).sqrt();
        Some(BandAgreement {
            centre_hz: (low * high).sqrt(),
            coherence: common / weight,
            correlation: (as_is / norm).clamp(-1.0, 1.0),
            aligned_correlation: (aligned / norm).clamp(-1.0, 1.0),
        })
    }
}

/// Two tracks that are the same audio up to a gain.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Duplicate {
    /// Gain that makes the first the second, in dB.
    pub gain_db: f64,
    /// Whether the second is inverted.
    pub inverted: bool,
    /// What is left of the second after the first was subtracted at that gain, in dB of the second.
    pub residual_db: f64,
}

/// Whether two excerpts of the same place are the same audio (residual below -60 dB). The left and right
/// plane of a file: whether it is mono in a stereo file.
#[must_use]
pub fn duplicate(first: &[f32], second: &[f32]) -> Option<Duplicate> {
    let (mut aa, mut ab, mut bb) = (0.0, 0.0, 0.0);
    for (&a, &b) in first.iter().zip(second) {
        let (a, b) = (f64::from(a), f64::from(b));
        if a.is_finite() && b.is_finite() {
            aa += a * a;
            ab += a * b;
            bb += b * b;
        }
    }
    if aa <= 0.0 || bb <= 0.0 {
        return None;
    }
    let gain = ab / aa;
    let residual =
        first.iter().zip(second).map(|(&a, &b)| (f64::from(b) - gain * f64::from(a)).powi(2));
    let residual_db = power_to_db(residual.filter(|r| r.is_finite()).sum::<f64>() / bb);
    (residual_db < DUPLICATE_DB).then(|| Duplicate {
        gain_db: topdown_units::gain_to_db(gain.abs()),
        inverted: gain < 0.0,
        residual_db: residual_db.max(-200.0),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn noise(seed: u64, n: usize) -> Vec<f64> {
        let mut state = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
        (0..n)
            .map(|_| {
                state ^= state << 13;
                state ^= state >> 7;
                state ^= state << 17;
                state as f64 / u64::MAX as f64 - 0.5
            })
            .collect()
    }

    /// A one-pole low-pass, for sources that are not white.
    fn dull(x: &[f64], pole: f64) -> Vec<f64> {
        let mut state = 0.0;
        x.iter()
            .map(|v| {
                state += (1.0 - pole) * (v - state);
                state
            })
            .collect()
    }

    /// Moves by a fraction of a frame with a long windowed sinc.
    fn moved(x: &[f64], by: f64) -> Vec<f32> {
        let reach = 24i64;
        (0..x.len() as i64)
            .map(|n| {
                let whole = by.floor() as i64;
                let sum: f64 = (-reach..=reach)
                    .map(|k| {
                        let t = k as f64 - (by - whole as f64);
                        let sinc = if t.abs() < 1e-12 {
                            1.0
                        } else {
                            math::sin(math::PI * t) / (math::PI * t)
                        };
                        let w = 0.5 + 0.5 * math::cos(math::PI * t / (reach as f64 + 1.0));
                        x.get((n - whole - k) as usize).copied().unwrap_or(0.0) * sinc * w
                    })
                    .sum();
                sum as f32
            })
            .collect()
    }

    fn single(x: &[f64]) -> Vec<f32> {
        x.iter().map(|&v| v as f32).collect()
    }

    #[test]
    fn delay_and_polarity_of_a_planted_pair_are_found() {
        for (seed, by, turn, pole) in [
            (1, 0.0, 1.0, 0.0),
            (2, 37.4, 1.0, 0.9),
            (3, -120.3, -1.0, 0.0),
            (4, 411.7, -1.0, 0.98),
            (5, 3.5, -1.0, 0.5),
        ] {
            let source = dull(&noise(seed, 72_000), pole);
            let other = noise(seed + 100, 72_000);
            let first: Vec<f64> = source.clone();
            let mut second = moved(&source, by);
            for (s, o) in second.iter_mut().zip(&other) {
                *s = (f64::from(*s) * turn * 0.5 + 0.01 * o) as f32;
            }
            let got = compare(&single(&first), &second, SampleRate::STUDIO).unwrap();
            assert!(got.one_source, "{by}: {got:?}");
            assert!((got.delay_frames - by).abs() < 0.1, "{by}: {}", got.delay_frames);
            assert_eq!(got.inverted, turn < 0.0, "{by}");
            assert!(got.confidence > 0.4, "{by}: {}", got.confidence);
            assert!(got.aligned_correlation > 0.8, "{by}: {}", got.aligned_correlation);
        }
    }

    #[test]
    fn two_sources_make_no_claim() {
        let (a, b) = (single(&noise(1, 96_000)), single(&noise(2, 96_000)));
        let got = compare(&a, &b, SampleRate::STUDIO).unwrap();
        assert!(!got.one_source, "{}", got.coherence);
        assert!(got.confidence < 0.1, "{}", got.confidence);
        assert!(!got.flip_helps());
    }

    #[test]
    fn agreement_is_told_by_band() {
        // Common below 300 Hz and inverted there, separate above.
        let source = dull(&dull(&noise(9, 192_000), 0.99), 0.99);
        let (a, b) = (noise(10, 192_000), noise(11, 192_000));
        let first: Vec<f32> = source.iter().zip(&a).map(|(s, n)| (s + 0.02 * n) as f32).collect();
        let second: Vec<f32> = source.iter().zip(&b).map(|(s, n)| (0.02 * n - s) as f32).collect();
        let got = compare(&first, &second, SampleRate::STUDIO).unwrap();
        let at = |hz: f64| got.bands.iter().find(|b| b.centre_hz == hz).unwrap();
        assert!(at(62.5).coherence > 0.9 && at(62.5).correlation < -0.9, "{got:?}");
        assert!(at(8000.0).coherence < 0.1, "{got:?}");
        assert!(got.flip_helps() && got.inverted && got.sum_loss_db > 6.0);
        assert!(got.cancelling_bands().iter().any(|b| b.centre_hz == 62.5));
    }

    #[test]
    fn the_same_audio_is_known_at_any_gain_and_other_audio_is_not() {
        let a = single(&noise(1, 48_000));
        let half: Vec<f32> = a.iter().map(|x| -0.5 * x).collect();
        let got = duplicate(&a, &half).unwrap();
        assert!(got.inverted && (got.gain_db + 6.02).abs() < 0.01 && got.residual_db < -100.0);
        let mut near = a.clone();
        for (n, o) in near.iter_mut().zip(noise(2, 48_000)) {
            *n += 0.01 * o as f32;
        }
        assert!(
            duplicate(&a, &near).is_none(),
            "a stereo file with 40 dB less side is still stereo"
        );
        assert!(duplicate(&a, &[0.0; 48_000]).is_none());
    }

    #[test]
    fn broken_short_and_silent_sound_is_no_pair() {
        assert!(compare(&[], &[], SampleRate::CD).is_none());
        assert!(compare(&[0.0; 96_000], &[0.0; 96_000], SampleRate::CD).is_none());
        let mut bad = single(&noise(3, 96_000));
        bad[7] = f32::NAN;
        bad[9] = f32::INFINITY;
        let got = compare(&bad, &bad, SampleRate::STUDIO).unwrap();
        assert!(got.correlation > 0.99 && got.delay_frames.abs() < 0.1);
    }
}
