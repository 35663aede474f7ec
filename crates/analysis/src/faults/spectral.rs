//! Faults seen in the spectrum: hum, noise, sibilance, plosives, missing lows.
//!
//! Hann frames of about 85 ms, half overlapped, read in thirds of an octave; hum in frames eight times as
//! long. At most [`LONGEST_S`] are heard, in stretches of 3 s spread evenly, so that cost stays bounded.

use super::{Fault, FaultKind, confidence};
use crate::TimeSpan;
use crate::bands::{THIRDS, third_centre_hz, third_edges_hz};
use crate::roles::{Group, Role};
use crate::span::join_closer_than;
use realfft::RealFftPlanner;
use topdown_dsp::math;
use topdown_units::{SampleRate, power_to_db};

const LONGEST_S: f64 = 90.0;
const STRETCH_S: f64 = 3.0;
const FRAME_AT_48K: f64 = 4096.0;
/// Frames further below the loud ones do not count as playing.
const PLAYING_DB: f64 = -25.0;
const FEWEST_FRAMES: usize = 40;

/// Hum: this many of the first harmonics stand out this far in the quiet fifth of all frames.
const HUM_HARMONICS: usize = 6;
const HUM_FEWEST: usize = 3;
const HUM_PROMINENCE_DB: f64 = 12.0;
const HUM_LEAST_DB: f64 = -75.0;
/// Noise: a steady, broad floor less than this below the loud parts.
const NOISE_DB: f64 = -48.0;
const NOISE_STEADY_DB: f64 = 4.0;
const NOISE_UNEVEN_DB: f64 = 9.0;
/// Sharp s: louder than the vowels less this.
const SIBILANCE_DB: f64 = -6.0;
/// A blast: below 90 Hz this much above the voice.
const PLOSIVE_DB: f64 = 6.0;
const PLOSIVE_LONGEST: usize = 4;
const LOWS_MISSING_DB: f64 = -16.0;

pub(super) fn find(plane: &[f32], rate: SampleRate, role: Role) -> Vec<Fault> {
    let Some(sound) = Sound::of(plane, rate) else { return Vec::new() };
    [
        hum(plane, rate),
        sound.noise(role),
        sound.missing_lows(role),
        sound.sibilance(role),
        sound.plosives(role),
    ]
    .into_iter()
    .flatten()
    .collect()
}

struct Sound {
    /// Start of each frame and its length, in seconds.
    starts_s: Vec<f64>,
    frame_s: f64,
    /// Powers of each frame in thirds.
    thirds: Vec<[f64; THIRDS]>,
    power: Vec<f64>,
    loud: f64,
}

impl Sound {
    fn of(plane: &[f32], rate: SampleRate) -> Option<Self> {
        let length = math::exp2(math::log2(FRAME_AT_48K * rate.hz() / 48_000.0).round()) as usize;
        let starts = starts(plane.len(), rate, length);
        let bin_hz = rate.hz() / length as f64;
        let (mut thirds, mut power) = (Vec::new(), Vec::new());
        each_frame(plane, &starts, length, |bins| {
            thirds.push(std::array::from_fn(|t| {
                let (low, high) = third_edges_hz(t);
                let bin = |hz: f64| ((hz / bin_hz).round() as usize).min(bins.len());
                bins[bin(low)..bin(high).max(bin(low) + 1).min(bins.len())].iter().sum()
            }));
            power.push(bins.iter().skip(1).sum());
        });
        let loud = percentile(&power, 0.9);
        if power.len() < FEWEST_FRAMES || loud <= 1e-9 {
            return None;
        }
        Some(Self {
            starts_s: starts.iter().map(|&s| s as f64 / rate.hz()).collect(),
            frame_s: length as f64 / rate.hz(),
            thirds,
            power,
            loud,
        })
    }

    fn plays(&self, frame: usize) -> bool {
        self.power[frame] > self.loud * topdown_units::db_to_power(PLAYING_DB)
    }

    fn between(&self, frame: usize, low_hz: f64, high_hz: f64) -> f64 {
        (0..THIRDS)
            .filter(|&t| (low_hz..high_hz).contains(&third_centre_hz(t)))
            .map(|t| self.thirds[frame][t])
            .sum()
    }

    fn spans(&self, frames: &[usize]) -> Vec<TimeSpan> {
        let span = |&f: &usize| TimeSpan {
            start_s: self.starts_s[f],
            end_s: self.starts_s[f] + self.frame_s,
        };
        join_closer_than(&frames.iter().map(span).collect::<Vec<_>>(), 0.2)
    }

    fn noise(&self, role: Role) -> Option<Fault> {
        if matches!(
            role,
            Role::Fx | Role::Pad | Role::HiHat | Role::Cymbals | Role::Overhead | Role::Room
        ) {
            return None;
        }
        let level = |p: f64| power_to_db(percentile(&self.power, p) / self.loud + 1e-12);
        let (low, higher) = (level(0.02), level(0.08));
        let quiet = topdown_units::db_to_power(higher + 1.0) * self.loud;
        let frames: Vec<usize> =
            (0..self.power.len()).filter(|&f| self.power[f] <= quiet).collect();
        let profile: Vec<f64> = (11..27)
            .map(|t| power_to_db(frames.iter().map(|&f| self.thirds[f][t]).sum::<f64>() + 1e-15))
            .collect();
        // what is left of a straight line is unevenness
        let uneven = line_residual(&profile);
        let is_noise = low > NOISE_DB
            && higher - low < NOISE_STEADY_DB
            && uneven < NOISE_UNEVEN_DB
            && low < -12.0;
        let no_notes = self.quiet_peaks(quiet) < 9.0;
        (is_noise && no_notes)
            .then(|| Fault::everywhere(FaultKind::NoiseFloor, confidence(low, NOISE_DB, 12.0), low))
    }

    /// How far thirds of the quiet frames stick out of their neighbours, in dB.
    fn quiet_peaks(&self, quiet: f64) -> f64 {
        let frames: Vec<usize> =
            (0..self.power.len()).filter(|&f| self.power[f] <= quiet).collect();
        let db =
            |t: usize| power_to_db(frames.iter().map(|&f| self.thirds[f][t]).sum::<f64>() + 1e-15);
        (8..27).map(|t| db(t) - 0.5 * (db(t - 1) + db(t + 1))).fold(0.0, f64::max)
    }

    fn missing_lows(&self, role: Role) -> Option<Fault> {
        if !matches!(role, Role::Kick | Role::Bass | Role::SubBass | Role::DrumKit) {
            return None;
        }
        let sum = |low: f64, high: f64| {
            (0..self.power.len()).map(|f| self.between(f, low, high)).sum::<f64>()
        };
        let share_db = power_to_db(sum(20.0, 130.0) / sum(20.0, 20_000.0).max(1e-12)).max(-100.0);
        (share_db < LOWS_MISSING_DB).then(|| {
            let sure = confidence(LOWS_MISSING_DB - share_db, 0.0, 10.0);
            Fault::everywhere(FaultKind::MissingLows, sure, share_db)
        })
    }

    fn sibilance(&self, role: Role) -> Option<Fault> {
        if role.group() != Group::Vocals || role == Role::Choir {
            return None;
        }
        let sharp = |f: usize| self.between(f, 4500.0, 12_000.0);
        let voiced = |f: usize| self.between(f, 150.0, 4000.0);
        let vowels: Vec<f64> = (0..self.power.len())
            .filter(|&f| voiced(f) > 4.0 * sharp(f) && self.plays(f))
            .map(voiced)
            .collect();
        let vowel = percentile(&vowels, 0.75);
        let limit = vowel * topdown_units::db_to_power(SIBILANCE_DB);
        let frames: Vec<usize> =
            (0..self.power.len()).filter(|&f| sharp(f) > limit && sharp(f) > voiced(f)).collect();
        let levels: Vec<f64> = frames.iter().map(|&f| power_to_db(sharp(f) / vowel)).collect();
        (frames.len() >= 3 && vowels.len() >= 20).then(|| Fault {
            hz: Some(7000.0),
            spans: self.spans(&frames),
            ..Fault::everywhere(
                FaultKind::Sibilance,
                confidence(frames.len() as f64, 3.0, 20.0),
                percentile(&levels, 0.9),
            )
        })
    }

    fn plosives(&self, role: Role) -> Option<Fault> {
        if role.group() != Group::Vocals || role == Role::Choir {
            return None;
        }
        let blast = |f: usize| {
            let low = self.between(f, 18.0, 90.0);
            low > topdown_units::db_to_power(PLOSIVE_DB) * self.between(f, 140.0, 4000.0)
                && low > 0.1 * self.loud
        };
        let mut found: Vec<usize> = Vec::new();
        let (mut count, mut run) = (0, Vec::new());
        for f in 0..=self.power.len() {
            if f < self.power.len() && blast(f) {
                run.push(f);
            } else if !run.is_empty() {
                if run.len() <= PLOSIVE_LONGEST {
                    count += 1;
                    found.append(&mut run);
                }
                run.clear();
            }
        }
        (count > 0).then(|| Fault {
            spans: self.spans(&found),
            ..Fault::everywhere(
                FaultKind::Plosives,
                confidence(f64::from(count), 0.0, 4.0),
                f64::from(count),
            )
        })
    }
}

fn starts(len: usize, rate: SampleRate, frame: usize) -> Vec<usize> {
    let hop = frame / 2;
    let all = len.saturating_sub(frame) / hop.max(1) + usize::from(len >= frame);
    let most = (LONGEST_S * rate.hz() / hop as f64) as usize;
    let stretch = (STRETCH_S * rate.hz() / hop as f64).max(1.0) as usize;
    let every = all.div_ceil(most.max(1)).max(1);
    (0..all).filter(|i| (i / stretch).is_multiple_of(every)).map(|i| i * hop).collect()
}

fn each_frame(plane: &[f32], starts: &[usize], length: usize, mut see: impl FnMut(&[f64])) {
    let fft = RealFftPlanner::<f32>::new().plan_fft_forward(length);
    let hann = |i: usize| 0.5 - 0.5 * math::cos(math::TAU * i as f64 / length as f64);
    let window: Vec<f32> = (0..length).map(|i| hann(i) as f32).collect();
    let (mut block, mut bins) = (fft.make_input_vec(), fft.make_output_vec());
    for &start in starts {
        let Some(part) = plane.get(start..start + length) else { continue };
        for ((b, x), w) in block.iter_mut().zip(part).zip(&window) {
            *b = x * w;
        }
        if fft.process(&mut block, &mut bins).is_ok() {
            let powers: Vec<f64> = bins.iter().map(|b| f64::from(b.norm_sqr())).collect();
            see(&powers);
        }
    }
}

fn percentile(values: &[f64], p: f64) -> f64 {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    let at = (sorted.len().saturating_sub(1) as f64 * p).round() as usize;
    sorted.get(at).copied().unwrap_or(0.0)
}

/// Greatest distance of the values from their regression line.
fn line_residual(values: &[f64]) -> f64 {
    let n = values.len().max(1) as f64;
    let (mx, my) = ((n - 1.0) / 2.0, values.iter().sum::<f64>() / n);
    let (mut sxy, mut sxx) = (0.0, 1e-9);
    for (i, v) in values.iter().enumerate() {
        sxy += (i as f64 - mx) * (v - my);
        sxx += (i as f64 - mx).powi(2);
    }
    let at = |i: usize| my + sxy / sxx * (i as f64 - mx);
    values.iter().enumerate().map(|(i, v)| (v - at(i)).abs()).fold(0.0, f64::max)
}

/// Mains hum: lines at 50 or 60 Hz and harmonics that are always there.
fn hum(plane: &[f32], rate: SampleRate) -> Option<Fault> {
    let length = math::exp2(math::log2(8.0 * FRAME_AT_48K * rate.hz() / 48_000.0).round()) as usize;
    let bin_hz = rate.hz() / length as f64;
    let mut frames: Vec<Vec<f64>> = Vec::new();
    let keep = (420.0 / bin_hz) as usize;
    let mut power = Vec::new();
    each_frame(plane, &starts(plane.len(), rate, length), length, |bins| {
        frames.push(bins.iter().take(keep).copied().collect());
        power.push(bins.iter().skip(1).sum::<f64>());
    });
    if frames.len() < 8 {
        return None;
    }
    let loud = percentile(&power, 0.9);
    let quiet = |bin: usize| percentile(&frames.iter().map(|f| f[bin]).collect::<Vec<_>>(), 0.2);
    let floor: Vec<f64> = (0..keep).map(quiet).collect();
    [50.0, 60.0]
        .into_iter()
        .filter_map(|hz| hum_at(&floor, hz, bin_hz, loud))
        .max_by(|a, b| a.confidence.total_cmp(&b.confidence))
}

fn hum_at(floor: &[f64], hz: f64, bin_hz: f64, loud: f64) -> Option<Fault> {
    let (mut lines, mut power) = (Vec::new(), 0.0);
    for harmonic in 1..=HUM_HARMONICS {
        let centre = (hz * harmonic as f64 / bin_hz).round() as usize;
        let around = |from: usize, to: usize| {
            (from..=to)
                .filter_map(|d| {
                    Some([*floor.get(centre.checked_sub(d)?)?, *floor.get(centre + d)?])
                })
                .flatten()
        };
        let line = around(0, 1).fold(0.0, f64::max);
        let beside = percentile(&around(5, 12).collect::<Vec<_>>(), 0.5).max(1e-15);
        let above_db = power_to_db(line / beside);
        if above_db > HUM_PROMINENCE_DB {
            lines.push((harmonic, above_db));
            power += 1.5 * line;
        }
    }
    let level_db = power_to_db(power / loud.max(1e-12)).max(-200.0);
    let low = lines.iter().any(|l| l.0 <= 2);
    (lines.len() >= HUM_FEWEST && low && level_db > HUM_LEAST_DB).then(|| Fault {
        hz: Some(hz),
        ..Fault::everywhere(
            FaultKind::Hum,
            confidence(lines.len() as f64, HUM_FEWEST as f64, 3.0),
            level_db,
        )
    })
}
