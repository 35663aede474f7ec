//! Full mixes among the tracks: a track that is about the sum of the others.
//!
//! Powers of sources that have nothing to do with each other add. So each track's powers over time and band
//! are explained as a sum of the others' with gains that cannot be negative (least squares by coordinate descent). A track is a mix if the
//! others explain most of it, many of them take part, and none does it alone. A group's bounce is explained by
//! few and stays a track.

use serde::{Deserialize, Serialize};

/// A track that sounds like the sum of others.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct FullMix {
    /// Index of the track.
    pub track: usize,
    /// Share of its powers that the others explain, 0 to 1.
    pub explained: f64,
    /// Indices of the tracks that take part.
    pub parts: Vec<usize>,
}

/// Least share of a mix that its parts must explain.
const EXPLAINED: f64 = 0.7;
/// Least share of the other tracks that must be in it.
const TAKING_PART: f64 = 0.5;
const FEWEST_PARTS: usize = 3;
/// A part gives at least this share of the mix's power.
const PART_SHARE: f64 = 0.003;
/// The strongest part gives at most this share.
const STRONGEST_SHARE: f64 = 0.9;
const ROUNDS: usize = 60;

/// Finds full mixes. `powers[t]` are one track's mean powers, frame after frame with the same bands in each
/// (half-second means of ERB or third-octave bands do); all tracks from the start of the song. Missing ends
/// count as silence.
#[must_use]
pub fn full_mixes(powers: &[&[f32]]) -> Vec<FullMix> {
    let len = powers.iter().map(|p| p.len()).max().unwrap_or(0);
    let tracks: Vec<Vec<f64>> = powers.iter().map(|p| padded(p, len)).collect();
    let mut found: Vec<FullMix> = Vec::new();
    for candidate in 0..tracks.len() {
        let others: Vec<usize> = (0..tracks.len()).filter(|&t| t != candidate).collect();
        if let Some(mix) = as_mix(&tracks, candidate, &others) {
            found.push(mix);
        }
    }
    found
}

fn padded(powers: &[f32], len: usize) -> Vec<f64> {
    let sane = |&p: &f32| if p.is_finite() { f64::from(p).max(0.0) } else { 0.0 };
    let mut out: Vec<f64> = powers.iter().map(sane).collect();
    out.resize(len, 0.0);
    out
}

fn as_mix(tracks: &[Vec<f64>], candidate: usize, others: &[usize]) -> Option<FullMix> {
    let target = &tracks[candidate];
    let total: f64 = target.iter().sum();
    let sounding: Vec<usize> =
        others.iter().copied().filter(|&t| tracks[t].iter().sum::<f64>() > 1e-6 * total).collect();
    if sounding.len() < FEWEST_PARTS || total <= 0.0 {
        return None;
    }
    let gains = fit(tracks, target, &sounding);
    let model: Vec<f64> = (0..target.len())
        .map(|i| sounding.iter().zip(&gains).map(|(&t, g)| g * tracks[t][i]).sum())
        .collect();
    let missed: f64 = target.iter().zip(&model).map(|(a, b)| (a - b).abs()).sum();
    let explained = (1.0 - missed / total).max(0.0);
    let share = |i: usize| gains[i] * tracks[sounding[i]].iter().sum::<f64>() / total;
    let parts: Vec<usize> =
        (0..sounding.len()).filter(|&i| share(i) > PART_SHARE).map(|i| sounding[i]).collect();
    let strongest = (0..sounding.len()).map(share).fold(0.0, f64::max);
    let is_mix = explained >= EXPLAINED
        && parts.len() >= FEWEST_PARTS
        && parts.len() as f64 >= TAKING_PART * sounding.len() as f64
        && strongest <= STRONGEST_SHARE;
    is_mix.then_some(FullMix { track: candidate, explained, parts })
}

/// Gains of the parts, none negative, by coordinate descent on the squared error.
fn fit(tracks: &[Vec<f64>], target: &[f64], parts: &[usize]) -> Vec<f64> {
    let dot = |a: &[f64], b: &[f64]| a.iter().zip(b).map(|(x, y)| x * y).sum::<f64>();
    let gram: Vec<Vec<f64>> = parts
        .iter()
        .map(|&a| parts.iter().map(|&b| dot(&tracks[a], &tracks[b])).collect())
        .collect();
    let goal: Vec<f64> = parts.iter().map(|&p| dot(&tracks[p], target)).collect();
    let mut gains = vec![0.0; parts.len()];
    for _ in 0..ROUNDS {
        for k in 0..parts.len() {
            if gram[k][k] > 0.0 {
                let rest: f64 = (0..parts.len()).map(|j| gram[k][j] * gains[j]).sum();
                gains[k] = (gains[k] + (goal[k] - rest) / gram[k][k]).max(0.0);
            }
        }
    }
    gains
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Tracks with their own bands and their own times.
    fn track(seed: usize) -> Vec<f32> {
        let mut out = vec![0.0; 100 * 20];
        for frame in 0..100 {
            for band in 0..20 {
                let plays = (frame / 7 + seed).is_multiple_of(2) || seed == 1;
                let near = (band as f32 - 3.0 * seed as f32).abs();
                let wobble = 1.0 + 0.5 * (((frame * 13 + band * 7 + seed * 31) % 17) as f32 / 17.0);
                out[frame * 20 + band] = if plays {
                    wobble * topdown_units::db_to_power(-10.0 * f64::from(near)) as f32
                } else {
                    1e-7
                };
            }
        }
        out
    }

    fn sum(parts: &[(&[f32], f32)]) -> Vec<f32> {
        (0..parts[0].0.len()).map(|i| parts.iter().map(|(p, g)| g * p[i]).sum()).collect()
    }

    #[test]
    fn a_print_of_the_song_is_found_and_nothing_else() {
        let t: Vec<Vec<f32>> = (1..=6).map(track).collect();
        let parts: Vec<(&[f32], f32)> =
            t.iter().zip([1.0, 0.3, 0.6, 0.2, 0.9, 0.5]).map(|(p, g)| (p.as_slice(), g)).collect();
        let mut mix = sum(&parts);
        for (i, m) in mix.iter_mut().enumerate() {
            *m *= 0.85 + 0.3 * ((i * 37 % 11) as f32 / 11.0);
        }
        let mut all: Vec<&[f32]> = t.iter().map(Vec::as_slice).collect();
        all.insert(2, &mix);
        let found = full_mixes(&all);
        assert_eq!(found.iter().map(|m| m.track).collect::<Vec<_>>(), [2]);
        assert_eq!(found[0].parts.len(), 6);
        all.remove(2);
        assert!(full_mixes(&all).is_empty());
    }

    #[test]
    fn the_bounce_of_a_small_group_stays_a_track() {
        let t: Vec<Vec<f32>> = (1..=6).map(track).collect();
        let bounce = sum(&[(&t[0], 1.0), (&t[3], 1.0)]);
        let mut all: Vec<&[f32]> = t.iter().map(Vec::as_slice).collect();
        all.push(&bounce);
        assert!(full_mixes(&all).is_empty());
    }

    #[test]
    fn silence_and_broken_powers_are_no_mix() {
        assert!(full_mixes(&[]).is_empty());
        let bad = [f32::NAN, f32::INFINITY, -1.0, 0.0];
        assert!(full_mixes(&[&bad, &bad, &bad, &[], &[0.0; 9]]).is_empty());
    }
}
