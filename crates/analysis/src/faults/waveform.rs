//! Faults seen in the samples: clipping, clicks, DC, dead channels, over-compression.

use super::{Fault, FaultKind, confidence};
use crate::TimeSpan;
use crate::roles::{Group, Role};
use crate::span::join_closer_than;
use topdown_units::{SampleRate, power_to_db};

/// A clipped run: this many samples of one value ...
const FLAT_SAMPLES: usize = 3;
/// ... no further than this below the highest, ...
const NEAR_PEAK: f32 = 0.97;
/// ... equal within this part of it, ...
const FLAT_WITHIN: f32 = 2e-5;
/// ... entered or left by a step: a smooth crest has none.
const CORNER: f32 = 2e-3;
const FEWEST_RUNS: usize = 4;

/// A click stands out of the third difference around it by this factor, on both sides.
const CLICK_FACTOR: f64 = 40.0;
const CLICK_LEAST: f64 = 0.02;
const CLICK_WINDOW_S: f64 = 0.004;
const CLICK_GUARD: usize = 6;
/// More than this many a second are the sound itself.
const MOST_CLICKS_PER_S: f64 = 5.0;

/// A mean beyond both of these is DC.
const DC_OF_FULL_SCALE: f64 = 0.001;
const DC_OF_RMS: f64 = 0.03;

const DEAD_DB: f64 = -60.0;

/// Median crest factor (dB) of half seconds below which these groups are squashed; tones have 3 dB.
const CREST_DRUMS_DB: f64 = 7.0;
const CREST_VOCALS_DB: f64 = 6.0;
const CREST_WINDOW_S: f64 = 0.5;

const JOIN_S: f64 = 0.25;

pub(super) fn find(plane: &[f32], rate: SampleRate, role: Role) -> Vec<Fault> {
    [clipping(plane, rate), clicks(plane, rate), dc(plane), over_compression(plane, rate, role)]
        .into_iter()
        .flatten()
        .collect()
}

fn peak(plane: &[f32]) -> f32 {
    plane.iter().fold(0.0f32, |m, x| m.max(x.abs()))
}

fn spans(frames: impl Iterator<Item = (usize, usize)>, rate: SampleRate) -> Vec<TimeSpan> {
    let span = |(a, b): (usize, usize)| TimeSpan {
        start_s: a as f64 / rate.hz(),
        end_s: b as f64 / rate.hz(),
    };
    join_closer_than(&frames.map(span).collect::<Vec<_>>(), JOIN_S)
}

fn clipping(plane: &[f32], rate: SampleRate) -> Option<Fault> {
    let peak = peak(plane);
    if peak <= 1e-4 {
        return None;
    }
    let mut runs = Vec::new();
    let mut i = 1;
    while i < plane.len() {
        let value = plane[i];
        if value.abs() < NEAR_PEAK * peak {
            i += 1;
            continue;
        }
        let flat =
            plane[i..].iter().take_while(|x| (**x - value).abs() <= FLAT_WITHIN * peak).count();
        let entered = (plane[i - 1] - value).abs();
        let left = plane.get(i + flat).map_or(0.0, |x| (x - value).abs());
        if flat >= FLAT_SAMPLES && entered.max(left) > CORNER * peak {
            runs.push((i, i + flat));
        }
        i += flat.max(1);
    }
    if runs.len() < FEWEST_RUNS {
        return None;
    }
    let sure = confidence(runs.len() as f64, FEWEST_RUNS as f64, 20.0);
    let spans = spans(runs.iter().copied(), rate);
    Some(Fault { spans, ..Fault::everywhere(FaultKind::Clipping, sure, runs.len() as f64) })
}

fn clicks(plane: &[f32], rate: SampleRate) -> Option<Fault> {
    let peak = f64::from(peak(plane));
    let third: Vec<f64> = plane
        .windows(4)
        .map(|w| {
            (f64::from(w[3]) - 3.0 * f64::from(w[2]) + 3.0 * f64::from(w[1]) - f64::from(w[0]))
                .abs()
        })
        .collect();
    let window = (CLICK_WINDOW_S * rate.hz()) as usize;
    let mut sums = vec![0.0; third.len() + 1];
    for (i, t) in third.iter().enumerate() {
        sums[i + 1] = sums[i] + t * t;
    }
    let rms =
        |from: usize, to: usize| ((sums[to] - sums[from]).max(0.0) / (to - from) as f64).sqrt();
    let mut found = Vec::new();
    let mut i = window + CLICK_GUARD;
    while i + window + CLICK_GUARD < third.len() {
        if third[i] > CLICK_LEAST * peak {
            let before = rms(i - CLICK_GUARD - window, i - CLICK_GUARD);
            let after = rms(i + CLICK_GUARD, i + CLICK_GUARD + window);
            if third[i] > CLICK_FACTOR * before.max(after) {
                found.push((i, i + 4));
                i += window;
            }
        }
        i += 1;
    }
    let seconds = plane.len() as f64 / rate.hz();
    if found.is_empty() || found.len() as f64 > MOST_CLICKS_PER_S * seconds.max(1.0) {
        return None;
    }
    let spans = spans(found.iter().copied(), rate);
    let sure = confidence(found.len() as f64, 0.0, 6.0);
    Some(Fault { spans, ..Fault::everywhere(FaultKind::Clicks, sure, found.len() as f64) })
}

fn mean_and_rms(plane: &[f32]) -> (f64, f64) {
    let n = plane.len().max(1) as f64;
    let mean = plane.iter().map(|&x| f64::from(x)).sum::<f64>() / n;
    let square = plane.iter().map(|&x| f64::from(x).powi(2)).sum::<f64>() / n;
    (mean, square.sqrt())
}

fn dc(plane: &[f32]) -> Option<Fault> {
    let (mean, rms) = mean_and_rms(plane);
    let size = mean.abs();
    let is_dc = size > DC_OF_FULL_SCALE && size > DC_OF_RMS * rms;
    is_dc.then(|| {
        let sure = confidence(size / DC_OF_FULL_SCALE, 1.0, 5.0);
        Fault::everywhere(FaultKind::DcOffset, sure, mean)
    })
}

/// A channel of a stereo track that is silent while the other plays.
pub(super) fn dead_channel(planes: &[Vec<f32>]) -> Option<Fault> {
    let [left, right] = planes else { return None };
    let level = |p: &[f32]| {
        let (mean, rms) = mean_and_rms(p);
        // DC alone is no sound
        (rms * rms - mean * mean).max(0.0)
    };
    let (l, r) = (level(left), level(right));
    if l.max(r) <= 1e-12 {
        return None;
    }
    let db = power_to_db(l.min(r) / l.max(r)).max(-200.0);
    (db < DEAD_DB).then(|| Fault {
        channel: Some(usize::from(r < l)),
        ..Fault::everywhere(FaultKind::DeadChannel, confidence(-db, -DEAD_DB, 20.0), db)
    })
}

fn over_compression(plane: &[f32], rate: SampleRate, role: Role) -> Option<Fault> {
    let least_db = match role.group() {
        Group::Vocals if role != Role::Choir => CREST_VOCALS_DB,
        Group::Drums if !matches!(role, Role::Cymbals | Role::HiHat | Role::Room) => CREST_DRUMS_DB,
        _ => return None,
    };
    let (_, rms) = mean_and_rms(plane);
    let window = (CREST_WINDOW_S * rate.hz()) as usize;
    let mut crests: Vec<f64> = plane
        .chunks_exact(window.max(1))
        .filter_map(|c| {
            let (_, here) = mean_and_rms(c);
            let crest = power_to_db((f64::from(peak(c)) / here.max(1e-12)).powi(2));
            (here > 0.5 * rms && here > 1e-5).then_some(crest)
        })
        .collect();
    crests.sort_by(f64::total_cmp);
    let median = *crests.get(crests.len() / 2)?;
    (crests.len() >= 4 && median < least_db).then(|| {
        Fault::everywhere(
            FaultKind::OverCompression,
            confidence(least_db - median, 0.0, 3.0),
            median,
        )
    })
}
