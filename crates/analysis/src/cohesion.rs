//! Does it hang together? Proxies for what engineers call glue; our own, to be compared, never quoted alone.
//!
//! - [`modulation_coherence`]: do the groups breathe together? Mean correlation of their levels (dB, K-weighted,
//!   10 ms) in the range of 1 to 8 Hz, a difference of two running means, over all pairs while both play. A bus
//!   compressor raises it; by more than 0.15 it pumps.
//! - [`reduction_share`]: is one group alone driving the bus compressor? Its share of the energy, weighted with the
//!   gain reduction of that moment. Above 0.6 for the kick: filter the side-chain.
//! - [`level_variance_ratio`]: is the sum steadier than its groups? Variance of the short-term loudness of the sum
//!   over the mean variance of the groups. Below 1: they complete one another.

use crate::loudness::{HOPS_PER_SECOND, Loudness, lufs};

/// Levels below this do not count: the group rests.
const REST_LUFS: f64 = -60.0;
/// A running mean of this many hops passes up to about 8 Hz, and one of that many up to about 1 Hz.
const FAST_HOPS: usize = HOPS_PER_SECOND / 16;
const SLOW_HOPS: usize = HOPS_PER_SECOND / 2;

/// Mean correlation of the groups' level changes between 1 and 8 Hz, -1 to 1; `None` if no two play together.
#[must_use]
pub fn modulation_coherence(groups: &[&Loudness]) -> Option<f64> {
    let envelopes: Vec<Vec<Option<f64>>> = groups.iter().map(|group| modulation(group)).collect();
    let mut sum = 0.0;
    let mut pairs = 0u32;
    for (i, one) in envelopes.iter().enumerate() {
        for other in &envelopes[i + 1..] {
            if let Some(correlation) = correlation(one, other) {
                sum += correlation;
                pairs += 1;
            }
        }
    }
    (pairs > 0).then(|| sum / f64::from(pairs))
}

/// Level changes of 1 to 8 Hz in dB, hop by hop; `None` in rests.
fn modulation(group: &Loudness) -> Vec<Option<f64>> {
    let level: Vec<f64> =
        group.hop_energy.iter().map(|&e| lufs(f64::from(e)).max(REST_LUFS)).collect();
    let (fast, slow) = (running_mean(&level, FAST_HOPS), running_mean(&level, SLOW_HOPS));
    let changes = fast.iter().zip(&slow).zip(&slow);
    changes.map(|((fast, slow), level)| (*level > REST_LUFS).then_some(fast - slow)).collect()
}

/// Mean over `reach` hops on either side, fewer at the ends.
fn running_mean(values: &[f64], reach: usize) -> Vec<f64> {
    let mut sums = vec![0.0; values.len() + 1];
    for (i, value) in values.iter().enumerate() {
        sums[i + 1] = sums[i] + value;
    }
    let mean = |i: usize| {
        let (start, end) = (i.saturating_sub(reach), (i + reach + 1).min(values.len()));
        (sums[end] - sums[start]) / (end - start) as f64
    };
    (0..values.len()).map(mean).collect()
}

fn correlation(one: &[Option<f64>], other: &[Option<f64>]) -> Option<f64> {
    const FEWEST_HOPS: f64 = 2.0 * HOPS_PER_SECOND as f64;
    let (mut n, mut sums, mut squares, mut product) = (0.0, (0.0, 0.0), (0.0, 0.0), 0.0);
    for (a, b) in one.iter().zip(other).filter_map(|(a, b)| Some(((*a)?, (*b)?))) {
        n += 1.0;
        sums = (sums.0 + a, sums.1 + b);
        squares = (squares.0 + a * a, squares.1 + b * b);
        product += a * b;
    }
    let variance = (squares.0 - sums.0 * sums.0 / n) * (squares.1 - sums.1 * sums.1 / n);
    let covariance = product - sums.0 * sums.1 / n;
    (n >= FEWEST_HOPS && variance > 1e-9).then(|| covariance / variance.sqrt())
}

/// Share of the bus' gain reduction that falls on moments of this part, 0 to 1; `None` without reduction.
/// `reduction_db` holds one value, 0 or positive, for each hop of 10 ms.
#[must_use]
pub fn reduction_share(part: &Loudness, whole: &Loudness, reduction_db: &[f32]) -> Option<f64> {
    let (mut share, mut all) = (0.0, 0.0);
    let energies = part.hop_energy.iter().zip(&whole.hop_energy);
    for ((&part, &whole), &reduction) in energies.zip(reduction_db) {
        if whole > 0.0 {
            share += f64::from(reduction) * f64::from(part / whole).min(1.0);
            all += f64::from(reduction);
        }
    }
    (all > 0.0).then(|| share / all)
}

/// Variance of the sum's short-term loudness over the mean of the groups' own; `None` if no group varies.
#[must_use]
pub fn level_variance_ratio(sum: &Loudness, groups: &[&Loudness]) -> Option<f64> {
    let variances: Vec<f64> = groups.iter().filter_map(|group| variance_lu2(group)).collect();
    let mean = variances.iter().sum::<f64>() / variances.len() as f64;
    (mean > 0.0).then_some(())?;
    Some(variance_lu2(sum)? / mean)
}

fn variance_lu2(sound: &Loudness) -> Option<f64> {
    let levels = sound.whole().short_term_lufs();
    let levels: Vec<f64> = levels.into_iter().filter(|&level| level > REST_LUFS).collect();
    let n = levels.len() as f64;
    let mean = levels.iter().sum::<f64>() / n;
    (n >= 2.0).then(|| levels.iter().map(|level| (level - mean) * (level - mean)).sum::<f64>() / n)
}

#[cfg(test)]
mod tests {
    use super::*;
    use topdown_dsp::math;
    use topdown_units::db_to_power;

    /// A level that swings by 6 dB at `hz`.
    fn swinging(hz: f64, phase: f64) -> Loudness {
        let level = |hop: usize| {
            -20.0 + 3.0 * math::sin(math::TAU * hz * hop as f64 / HOPS_PER_SECOND as f64 + phase)
        };
        Loudness { hop_energy: (0..2_000).map(|hop| db_to_power(level(hop)) as f32).collect() }
    }

    #[test]
    fn groups_that_swing_together_cohere_and_against_each_other_do_not() {
        let (one, same, against) =
            (swinging(3.0, 0.0), swinging(3.0, 0.0), swinging(3.0, math::PI));
        assert!(modulation_coherence(&[&one, &same]).unwrap() > 0.99);
        assert!(modulation_coherence(&[&one, &against]).unwrap() < -0.99);
        let unrelated = modulation_coherence(&[&one, &swinging(4.7, 0.0)]).unwrap();
        assert!(unrelated.abs() < 0.05, "{unrelated}");
        let silent = Loudness { hop_energy: vec![0.0; 2_000] };
        assert_eq!(modulation_coherence(&[&one, &silent]), None);
    }

    #[test]
    fn the_kick_that_drives_the_compressor_has_the_share() {
        let beat = |on: f32, off: f32| Loudness {
            hop_energy: (0..1_000).map(|hop| if hop % 50 < 10 { on } else { off }).collect(),
        };
        let (kick, whole) = (beat(0.09, 0.0), beat(0.1, 0.01));
        let on_kicks: Vec<f32> = (0..1_000).map(|h| if h % 50 < 10 { 4.0 } else { 0.0 }).collect();
        assert!((reduction_share(&kick, &whole, &on_kicks).unwrap() - 0.9).abs() < 1e-6);
        let steady = reduction_share(&kick, &whole, &[2.0; 1_000]).unwrap();
        assert!((steady - 0.18).abs() < 1e-6, "{steady}");
        assert_eq!(reduction_share(&kick, &whole, &[0.0; 1_000]), None);
    }

    #[test]
    fn groups_that_alternate_make_a_steady_sum() {
        let block = |odd: bool| Loudness {
            hop_energy: (0..4_000)
                .map(|h| if (h / 500 % 2 == 1) == odd { 0.1 } else { 0.01 })
                .collect(),
        };
        let (one, other) = (block(false), block(true));
        let sum = Loudness { hop_energy: vec![0.11; 4_000] };
        assert!(level_variance_ratio(&sum, &[&one, &other]).unwrap() < 1e-6);
        assert!((level_variance_ratio(&one, &[&one, &one]).unwrap() - 1.0).abs() < 1e-9);
    }
}
