//! What a track sounds like, as a few dozen numbers that do not depend on its level.
//!
//! Promise: finite numbers for any sound; equal for a sound and its copy at another level (down to where
//! `f32` ends); the same code measures for training and for use.
//!
//! Only the loudest [`LONGEST_S`] seconds are heard, in stretches of 5 s in their order. Two clocks run over
//! the mono sum: energies of 5 ms for onsets, attacks and decays, and Hann frames of about 93 ms (4096 at
//! 44.1 kHz), hop a quarter, for spectrum and pitch. Frames more than 40 dB below the loudest tenth do not
//! count. Spectra are read in 28 bands evenly spaced on the ERB-number scale, 50 Hz to 15 kHz, in dB relative
//! to the frame; their cosine transform gives cepstra. Pitch is the highest peak of the autocorrelation
//! (inverse transform of the power spectrum, corrected for the window) between 40 Hz and 1 kHz.
//!
//! Source of the choice: hand features that suffice to tell a dozen instruments apart (long-term spectrum,
//! centroid, flatness, crest, onset rate, attack, pitchedness, vibrato, sibilance).

use crate::bands::cam_of_hz;
use realfft::num_complex::Complex;
use realfft::{ComplexToReal, RealFftPlanner, RealToComplex};
use std::sync::Arc;
use topdown_dsp::math;
use topdown_units::{SampleRate, power_to_db};

/// Longest sound that is listened to, in seconds.
pub const LONGEST_S: f64 = 60.0;
const STRETCH_S: f64 = 5.0;
const FRAME_S: f64 = 4096.0 / 44_100.0;
const FAST_S: f64 = 0.005;
const BANDS: usize = 28;
const BAND_RANGE_HZ: (f64, f64) = (50.0, 15_000.0);
const CEPSTRA: usize = 13;
const OCTAVES_HZ: [f64; 10] =
    [31.5, 63.0, 125.0, 250.0, 500.0, 1000.0, 2000.0, 4000.0, 8000.0, 16_000.0];
const PITCH_RANGE_HZ: (f64, f64) = (40.0, 1000.0);
/// A frame has a pitch if the normalised autocorrelation reaches this.
const PITCHED: f64 = 0.6;
/// No band is read lower than this below its frame.
const FLOOR_DB: f64 = -60.0;
/// Frames further below the loud ones are pauses.
const PAUSE_DB: f64 = -40.0;
/// Borders between classes of a frame's centroid.
const CENTROID_BORDERS_HZ: [f64; 5] = [150.0, 400.0, 1000.0, 2500.0, 6000.0];

/// Name of each feature, in the order of [`features`].
#[must_use]
pub fn names() -> Vec<String> {
    let numbered = |name: &str, n: usize| (0..n).map(|i| format!("{name}_{i}")).collect::<Vec<_>>();
    let mut all: Vec<String> = OCTAVES_HZ.iter().map(|hz| format!("octave_{hz}_hz_db")).collect();
    all.extend(numbered("cepstrum_mean", CEPSTRA));
    all.extend(numbered("cepstrum_deviation", CEPSTRA));
    all.extend(numbered("centroid_share", CENTROID_BORDERS_HZ.len() + 1));
    let rest = "centroid_cam centroid_deviation_cam spread_cam rolloff_cam flatness_db \
        flatness_deviation_db flux peaks crest_db envelope_deviation_db active_share onsets_per_s \
        attack_ms decay_db_per_s onset_strength_db modulation_4_8_hz sustain_share pitched_share \
        pitch_strength pitch_low_octave pitch_mid_octave pitch_high_octave pitch_drift_cents \
        pitch_steady_share pitch_jump_share sibilance_share low_share";
    all.extend(rest.split_whitespace().map(str::to_owned));
    all
}

/// Features of a sound (planes of equal length, mono or stereo); `None` if there is too little to hear.
#[must_use]
pub fn features(planes: &[&[f32]], rate: SampleRate) -> Option<Vec<f64>> {
    let mono = loudest_stretches(&mono_sum(planes), rate);
    let fast = fast_energies(&mono, rate);
    let loud = loud_level(&fast, 0.9);
    if mono.len() < rate.hz() as usize / 4 || loud <= 1e-12 {
        return None;
    }
    let frames = Spectra::new(rate).read(&mono);
    let loud_frame = loud_level(&frames.iter().map(|f| f.power).collect::<Vec<_>>(), 0.9);
    let least = loud_frame * topdown_units::db_to_power(PAUSE_DB);
    let active: Vec<&Frame> = frames.iter().filter(|f| f.power > least && f.power > 0.0).collect();
    if active.is_empty() {
        return None;
    }
    let mut out = octave_levels(&active);
    out.extend(cepstra(&active));
    out.extend(centroid_shares(&active));
    out.extend(shape(&active));
    out.extend(envelope(&fast, active.len() as f64 / frames.len() as f64));
    out.extend(pitch(&active));
    let share = |class: fn(&Frame) -> bool| {
        active.iter().filter(|f| class(f)).count() as f64 / active.len() as f64
    };
    out.push(share(|f| f.centroid_hz > 4500.0 && f.pitch_strength < PITCHED));
    out.push(share(|f| f.centroid_hz < 200.0));
    out.iter().all(|x| x.is_finite()).then_some(out)
}

fn mono_sum(planes: &[&[f32]]) -> Vec<f32> {
    let clean = |x: f32| if x.is_finite() { x.clamp(-1e6, 1e6) } else { 0.0 };
    let (Some(left), right) = (planes.first(), planes.get(1)) else { return Vec::new() };
    let Some(right) = right else { return left.iter().map(|&x| clean(x)).collect() };
    let sum: Vec<f32> =
        left.iter().zip(*right).map(|(&l, &r)| 0.5 * (clean(l) + clean(r))).collect();
    let energy = |x: &[f32]| x.iter().map(|&v| f64::from(clean(v)).powi(2)).sum::<f64>();
    // Out of phase, the sum says nothing about the sound.
    if energy(&sum) < 0.05 * (energy(left) + energy(right)) {
        return left.iter().map(|&x| clean(x)).collect();
    }
    sum
}

fn loudest_stretches(mono: &[f32], rate: SampleRate) -> Vec<f32> {
    let stretch = (STRETCH_S * rate.hz()) as usize;
    let count = (LONGEST_S / STRETCH_S) as usize;
    if mono.len() <= stretch * count {
        return mono.to_vec();
    }
    let mut ranked: Vec<(f64, usize)> = mono
        .chunks(stretch)
        .enumerate()
        .map(|(i, c)| (c.iter().map(|&x| f64::from(x).powi(2)).sum::<f64>(), i))
        .collect();
    ranked.sort_by(|a, b| b.0.total_cmp(&a.0).then(a.1.cmp(&b.1)));
    let mut chosen: Vec<usize> = ranked.iter().take(count).map(|r| r.1).collect();
    chosen.sort_unstable();
    chosen.iter().filter_map(|&i| mono.chunks(stretch).nth(i)).flatten().copied().collect()
}

fn fast_energies(mono: &[f32], rate: SampleRate) -> Vec<f64> {
    let hop = (FAST_S * rate.hz()).round().max(1.0) as usize;
    let mean = |c: &[f32]| c.iter().map(|&x| f64::from(x).powi(2)).sum::<f64>() / c.len() as f64;
    mono.chunks(hop).map(mean).collect()
}

fn percentile(values: &[f64], p: f64) -> f64 {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    let at = (sorted.len().saturating_sub(1) as f64 * p).round() as usize;
    sorted.get(at).copied().unwrap_or(0.0)
}

/// Percentile of what sounds at all: a crash that is hit twice in a song is loud, not silent.
fn loud_level(powers: &[f64], p: f64) -> f64 {
    let least = 1e-9 * powers.iter().copied().fold(0.0, f64::max);
    percentile(&powers.iter().copied().filter(|&x| x > least).collect::<Vec<_>>(), p)
}

fn mean_and_deviation(values: impl Iterator<Item = f64> + Clone) -> (f64, f64) {
    let n = values.clone().count().max(1) as f64;
    let mean = values.clone().sum::<f64>() / n;
    let variance = values.map(|x| (x - mean) * (x - mean)).sum::<f64>() / n;
    (mean, variance.sqrt())
}

/// What is kept of one frame.
struct Frame {
    power: f64,
    octaves: [f64; OCTAVES_HZ.len()],
    /// dB relative to the frame.
    bands_db: [f64; BANDS],
    centroid_hz: f64,
    spread_cam: f64,
    rolloff_hz: f64,
    flatness_db: f64,
    flux: f64,
    peaks: f64,
    pitch_hz: f64,
    pitch_strength: f64,
}

struct Spectra {
    rate_hz: f64,
    window: Vec<f32>,
    forward: Arc<dyn RealToComplex<f32>>,
    backward: Arc<dyn ComplexToReal<f32>>,
    /// Autocorrelation of the window, normalised.
    window_lags: Vec<f32>,
    /// Band of each bin.
    band: Vec<Option<usize>>,
    octave: Vec<Option<usize>>,
}

impl Spectra {
    fn new(rate: SampleRate) -> Self {
        let rate_hz = rate.hz();
        let length = math::exp2(math::log2(FRAME_S * rate_hz).round()) as usize;
        let hann = |i: usize| 0.5 - 0.5 * math::cos(math::TAU * i as f64 / length as f64);
        let mut planner = RealFftPlanner::new();
        let (low, high) = (cam_of_hz(BAND_RANGE_HZ.0), cam_of_hz(BAND_RANGE_HZ.1));
        let hz = |bin: usize| bin as f64 * rate_hz / length as f64;
        let band = |bin: usize| {
            let place = (cam_of_hz(hz(bin)) - low) / (high - low) * BANDS as f64;
            (place >= 0.0 && place < BANDS as f64).then_some(place as usize)
        };
        let octave = |bin: usize| {
            OCTAVES_HZ.iter().position(|&c| {
                let ratio = hz(bin) / c;
                (std::f64::consts::FRAC_1_SQRT_2..std::f64::consts::SQRT_2).contains(&ratio)
            })
        };
        let mut new = Self {
            rate_hz,
            window: (0..length).map(|i| hann(i) as f32).collect(),
            forward: planner.plan_fft_forward(length),
            backward: planner.plan_fft_inverse(length),
            window_lags: Vec::new(),
            band: (0..=length / 2).map(band).collect(),
            octave: (0..=length / 2).map(octave).collect(),
        };
        let mut bins = new.forward.make_output_vec();
        let mut block = new.window.clone();
        let _ = new.forward.process(&mut block, &mut bins);
        new.window_lags = new.autocorrelation(&bins);
        new
    }

    fn read(&self, mono: &[f32]) -> Vec<Frame> {
        let length = self.window.len();
        let mut bins = self.forward.make_output_vec();
        let mut block = vec![0.0; length];
        let mut before = vec![0.0; bins.len()];
        let mut frames = Vec::new();
        let hop = length / 4;
        let starts = (0..=mono.len().saturating_sub(length)).step_by(hop);
        for start in starts {
            let part = mono.get(start..).unwrap_or_default();
            block.fill(0.0);
            for ((b, &x), w) in block.iter_mut().zip(part).zip(&self.window) {
                *b = x * w;
            }
            let _ = self.forward.process(&mut block, &mut bins);
            frames.push(self.frame(&bins, &mut before));
        }
        frames
    }

    /// Normalised to 1 at lag 0; zeros for silence.
    fn autocorrelation(&self, bins: &[Complex<f32>]) -> Vec<f32> {
        let mut powers: Vec<Complex<f32>> =
            bins.iter().map(|b| Complex::new(b.norm_sqr(), 0.0)).collect();
        let mut lags = self.backward.make_output_vec();
        let _ = self.backward.process(&mut powers, &mut lags);
        let first = lags.first().copied().unwrap_or(0.0);
        let scale = if first > 0.0 { 1.0 / first } else { 0.0 };
        lags.iter().map(|l| l * scale).collect()
    }

    fn frame(&self, bins: &[Complex<f32>], before: &mut [f64]) -> Frame {
        let power: Vec<f64> = bins.iter().map(|b| f64::from(b.norm_sqr())).collect();
        let total: f64 = power.iter().sum();
        let bin_hz = self.rate_hz / self.window.len() as f64;
        let mut bands = [0.0; BANDS];
        let mut octaves = [0.0; OCTAVES_HZ.len()];
        for (i, &p) in power.iter().enumerate() {
            if let Some(b) = self.band[i] {
                bands[b] += p;
            }
            if let Some(o) = self.octave[i] {
                octaves[o] += p;
            }
        }
        let safe = total.max(f64::MIN_POSITIVE);
        let bands_db = bands.map(|b| power_to_db(b / safe).max(FLOOR_DB));
        let hz = |i: usize| i as f64 * bin_hz;
        let centroid_hz = power.iter().enumerate().map(|(i, p)| hz(i) * p).sum::<f64>() / safe;
        let (pitch_hz, pitch_strength) = self.pitch(bins);
        let magnitude: Vec<f64> = power.iter().map(|p| p.sqrt()).collect();
        let rise: f64 = magnitude.iter().zip(before.iter()).map(|(m, b)| (m - b).max(0.0)).sum();
        let sum: f64 = magnitude.iter().sum();
        let flux = if sum > 0.0 { rise / sum } else { 0.0 };
        before.copy_from_slice(&magnitude);
        Frame {
            power: total,
            octaves,
            spread_cam: spread_cam(&bands, safe, centroid_hz),
            bands_db,
            centroid_hz,
            rolloff_hz: hz(rolloff(&power, 0.85 * total)),
            flatness_db: flatness_db(&bands),
            flux,
            peaks: peaks(&magnitude),
            pitch_hz,
            pitch_strength,
        }
    }

    fn pitch(&self, bins: &[Complex<f32>]) -> (f64, f64) {
        let lags = self.autocorrelation(bins);
        let at = |hz: f64| (self.rate_hz / hz) as usize;
        let (shortest, longest) = (at(PITCH_RANGE_HZ.1), at(PITCH_RANGE_HZ.0).min(lags.len() / 2));
        let corrected = |i: usize| f64::from(lags[i]) / f64::from(self.window_lags[i]).max(0.05);
        let mut best = (0usize, 0.0f64);
        // The peak at lag 0 has to be left before another one counts.
        let Some(left) = (1..longest).find(|&i| lags[i] <= 0.3) else { return (0.0, 0.0) };
        for i in shortest.max(left)..longest.saturating_sub(1) {
            let value = corrected(i);
            // A later peak must be clearly higher: multiples of the period are nearly as high.
            if value > best.1 + 0.02 && value >= corrected(i - 1) && value >= corrected(i + 1) {
                best = (i, value);
            }
        }
        if best.0 == 0 {
            return (0.0, 0.0);
        }
        let (a, b, c) = (corrected(best.0 - 1), best.1, corrected(best.0 + 1));
        let curve = a - 2.0 * b + c;
        let shift = if curve < 0.0 { (0.5 * (a - c) / curve).clamp(-0.5, 0.5) } else { 0.0 };
        (self.rate_hz / (best.0 as f64 + shift), best.1.clamp(0.0, 1.0))
    }
}

fn spread_cam(bands: &[f64; BANDS], total: f64, centroid_hz: f64) -> f64 {
    let (low, high) = (cam_of_hz(BAND_RANGE_HZ.0), cam_of_hz(BAND_RANGE_HZ.1));
    let step = (high - low) / BANDS as f64;
    let centre = cam_of_hz(centroid_hz);
    let square = |b: usize| (low + step * (b as f64 + 0.5) - centre).powi(2);
    (bands.iter().enumerate().map(|(b, p)| square(b) * p).sum::<f64>() / total).sqrt()
}

fn rolloff(power: &[f64], target: f64) -> usize {
    let mut sum = 0.0;
    power
        .iter()
        .position(|p| {
            sum += p;
            sum >= target
        })
        .unwrap_or(0)
}

/// Geometric over arithmetic mean of the bands.
fn flatness_db(bands: &[f64; BANDS]) -> f64 {
    let mean = bands.iter().sum::<f64>() / BANDS as f64;
    if mean <= 0.0 {
        return FLOOR_DB;
    }
    let logs = bands.iter().map(|b| power_to_db(b / mean).max(FLOOR_DB)).sum::<f64>();
    logs / BANDS as f64
}

/// Spectral peaks within 30 dB of the highest.
fn peaks(magnitude: &[f64]) -> f64 {
    let least = magnitude.iter().copied().fold(0.0, f64::max) * 0.0316;
    let is_peak =
        |w: &[f64]| w[2] > least && w[2] > w[1] && w[2] > w[3] && w[1] > w[0] && w[3] > w[4];
    magnitude.windows(5).filter(|w| is_peak(w)).count() as f64
}

fn octave_levels(active: &[&Frame]) -> Vec<f64> {
    let mut sums = [0.0; OCTAVES_HZ.len()];
    for frame in active {
        for (sum, octave) in sums.iter_mut().zip(&frame.octaves) {
            *sum += octave;
        }
    }
    let total: f64 = sums.iter().sum::<f64>().max(f64::MIN_POSITIVE);
    sums.iter().map(|s| power_to_db(s / total).max(FLOOR_DB)).collect()
}

fn cepstra(active: &[&Frame]) -> Vec<f64> {
    let basis = |k: usize, b: usize| {
        math::cos(math::PI * k as f64 * (b as f64 + 0.5) / BANDS as f64) * (2.0 / BANDS as f64)
    };
    let table: Vec<Vec<f64>> =
        (1..=CEPSTRA).map(|k| (0..BANDS).map(|b| basis(k, b)).collect()).collect();
    let each = |row: &Vec<f64>| {
        let values: Vec<f64> = active
            .iter()
            .map(|f| row.iter().zip(&f.bands_db).map(|(t, b)| t * b).sum::<f64>())
            .collect();
        mean_and_deviation(values.iter().copied())
    };
    let pairs: Vec<(f64, f64)> = table.iter().map(each).collect();
    pairs.iter().map(|p| p.0).chain(pairs.iter().map(|p| p.1)).collect()
}

fn centroid_shares(active: &[&Frame]) -> Vec<f64> {
    let mut shares = [0.0; CENTROID_BORDERS_HZ.len() + 1];
    for frame in active {
        let class = CENTROID_BORDERS_HZ.iter().filter(|&&b| frame.centroid_hz >= b).count();
        shares[class] += 1.0 / active.len() as f64;
    }
    shares.to_vec()
}

fn shape(active: &[&Frame]) -> Vec<f64> {
    let centroid = mean_and_deviation(active.iter().map(|f| cam_of_hz(f.centroid_hz)));
    let flatness = mean_and_deviation(active.iter().map(|f| f.flatness_db));
    let mean = |pick: fn(&Frame) -> f64| mean_and_deviation(active.iter().map(|f| pick(f))).0;
    vec![
        centroid.0,
        centroid.1,
        mean(|f| f.spread_cam),
        mean(|f| cam_of_hz(f.rolloff_hz)),
        flatness.0,
        flatness.1,
        mean(|f| f.flux),
        math::ln(1.0 + mean(|f| f.peaks)),
    ]
}

/// Onsets, attacks, decays and slow modulation, from energies of 5 ms.
fn envelope(fast: &[f64], active_share: f64) -> Vec<f64> {
    let loud = loud_level(fast, 0.95).max(f64::MIN_POSITIVE);
    let mean = fast.iter().sum::<f64>() / fast.len().max(1) as f64;
    let peak = fast.iter().copied().fold(0.0, f64::max);
    let db: Vec<f64> = fast.iter().map(|e| power_to_db(e / loud).max(FLOOR_DB)).collect();
    let sounding: Vec<f64> = db.iter().copied().filter(|&d| d > PAUSE_DB).collect();
    let deviation = mean_and_deviation(sounding.iter().copied()).1;
    let onsets = onsets(&db);
    let seconds = fast.len() as f64 * FAST_S;
    let attacks: Vec<f64> = onsets.iter().map(|o| o.attack_hops as f64 * FAST_S * 1000.0).collect();
    let decays: Vec<f64> = onsets.iter().map(|o| o.decay_db_per_s).collect();
    let rises: Vec<f64> = onsets.iter().map(|o| o.rise_db).collect();
    let sustained = db.iter().filter(|&&d| d > -12.0).count() as f64 / sounding.len().max(1) as f64;
    vec![
        power_to_db(peak / mean.max(f64::MIN_POSITIVE)),
        deviation,
        active_share,
        math::ln(0.1 + onsets.len() as f64 / seconds.max(FAST_S)),
        percentile(&attacks, 0.5),
        math::ln(1.0 + percentile(&decays, 0.5).max(0.0)),
        percentile(&rises, 0.5),
        modulation(&db),
        sustained,
    ]
}

struct Onset {
    rise_db: f64,
    attack_hops: usize,
    decay_db_per_s: f64,
}

/// Rises of at least 8 dB within 60 ms to a local maximum.
fn onsets(db: &[f64]) -> Vec<Onset> {
    const BACK: usize = 12;
    const AHEAD: usize = 30;
    let mut found = Vec::new();
    let mut next = 0;
    for i in 1..db.len() {
        if i < next || db[i] < -30.0 {
            continue;
        }
        let ahead = &db[i..(i + 6).min(db.len())];
        if ahead.iter().any(|&d| d > db[i]) || db[i] <= db[i - 1] {
            continue;
        }
        let from = i.saturating_sub(BACK);
        let (low_at, low) =
            (from..i).map(|j| (j, db[j])).fold((i, db[i]), |a, b| if b.1 < a.1 { b } else { a });
        if db[i] - low < 8.0 {
            continue;
        }
        let start = (low_at..i).find(|&j| db[j] > low + 0.1 * (db[i] - low)).unwrap_or(low_at);
        let end = (i + AHEAD).min(db.len() - 1);
        let fall = (db[i] - db[end]).max(0.0);
        found.push(Onset {
            rise_db: db[i] - low,
            attack_hops: i - start,
            decay_db_per_s: fall / ((end - i).max(1) as f64 * FAST_S),
        });
        next = i + BACK;
    }
    found
}

/// Share of the envelope's fluctuation that lies between 4 and 8 Hz, by two one-pole band limits.
fn modulation(db: &[f64]) -> f64 {
    let pole = |hz: f64| 1.0 - math::exp(-math::TAU * hz * FAST_S);
    let (a1, a4, a8) = (pole(1.0), pole(4.0), pole(8.0));
    let start = db.first().copied().unwrap_or(0.0);
    let (mut s1, mut s4, mut s8) = (start, start, start);
    let (mut band, mut all) = (0.0, 1e-9);
    for &d in db {
        s1 += a1 * (d - s1);
        s4 += a4 * (d - s4);
        s8 += a8 * (d - s8);
        band += (s8 - s4) * (s8 - s4);
        all += (d - s1) * (d - s1);
    }
    band / all
}

fn pitch(active: &[&Frame]) -> Vec<f64> {
    let pitched: Vec<&&Frame> = active.iter().filter(|f| f.pitch_strength >= PITCHED).collect();
    let octaves: Vec<f64> = pitched.iter().map(|f| math::log2(f.pitch_hz / 55.0)).collect();
    // An octave below any pitch stands for "none".
    let at = |p: f64| if octaves.is_empty() { -1.0 } else { percentile(&octaves, p) };
    let steps: Vec<f64> = active
        .windows(2)
        .filter(|w| w.iter().all(|f| f.pitch_strength >= PITCHED))
        .map(|w| (1200.0 * math::log2(w[1].pitch_hz / w[0].pitch_hz)).abs())
        .collect();
    let within: Vec<f64> = steps.iter().copied().filter(|&s| s < 80.0).collect();
    let share = |n: usize| n as f64 / steps.len().max(1) as f64;
    vec![
        pitched.len() as f64 / active.len() as f64,
        mean_and_deviation(active.iter().map(|f| f.pitch_strength)).0,
        at(0.1),
        at(0.5),
        at(0.9),
        mean_and_deviation(within.iter().copied()).0,
        share(steps.iter().filter(|&&s| s < 5.0).count()),
        share(steps.iter().filter(|&&s| s > 80.0).count()),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tone(hz: f64, seconds: f64, gain: f64) -> Vec<f32> {
        let n = (seconds * 44_100.0) as usize;
        (0..n).map(|i| (gain * math::sin(math::TAU * hz * i as f64 / 44_100.0)) as f32).collect()
    }

    fn named(values: &[f64], name: &str) -> f64 {
        values[names().iter().position(|n| n == name).unwrap()]
    }

    #[test]
    fn every_feature_has_a_name_and_level_does_not_matter() {
        let loud = features(&[&tone(220.0, 3.0, 0.5)], SampleRate::CD).unwrap();
        let soft = features(&[&tone(220.0, 3.0, 0.001)], SampleRate::CD).unwrap();
        assert_eq!(loud.len(), names().len());
        for ((a, b), name) in loud.iter().zip(&soft).zip(names()) {
            assert!((a - b).abs() < 0.05 * (1.0 + a.abs()), "{name}: {a} {b}");
        }
    }

    #[test]
    fn a_tone_has_its_pitch_and_noise_has_none() {
        let f = features(&[&tone(220.0, 3.0, 0.5)], SampleRate::CD).unwrap();
        assert!((named(&f, "pitch_mid_octave") - 2.0).abs() < 0.01);
        assert!(named(&f, "pitched_share") > 0.99);
        assert!(named(&f, "octave_250_hz_db") > -0.5);
        let mut state = 1u32;
        let noise: Vec<f32> = (0..132_300)
            .map(|_| {
                state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                (f64::from(state) / f64::from(u32::MAX) - 0.5) as f32
            })
            .collect();
        let f = features(&[&noise], SampleRate::CD).unwrap();
        assert!(named(&f, "pitched_share") < 0.05);
        assert!(named(&f, "flatness_db") > -5.0);
    }

    #[test]
    fn hits_are_counted() {
        let mut clicks = vec![0.0f32; 44_100 * 4];
        for hit in 0..8 {
            for i in 0..4000 {
                clicks[hit * 22_050 + 100 + i] =
                    (math::exp(-(i as f64) / 800.0) * math::sin(i as f64 * 0.05)) as f32;
            }
        }
        let f = features(&[&clicks], SampleRate::CD).unwrap();
        let per_s = math::exp(named(&f, "onsets_per_s")) - 0.1;
        assert!((per_s - 2.0).abs() < 0.3, "{per_s}");
        assert!(named(&f, "attack_ms") < 20.0);
    }

    #[test]
    fn broken_or_silent_sound_gives_nothing_or_finite_numbers() {
        assert!(features(&[], SampleRate::CD).is_none());
        assert!(features(&[&[]], SampleRate::CD).is_none());
        assert!(features(&[&[0.0; 50_000]], SampleRate::CD).is_none());
        let mut bad = tone(100.0, 1.0, 0.5);
        bad[5] = f32::NAN;
        bad[6] = f32::INFINITY;
        assert!(features(&[&bad], SampleRate::CD).is_some());
        let dc = vec![0.5f32; 50_000];
        let _ = features(&[&dc, &dc], SampleRate::CD);
    }
}
