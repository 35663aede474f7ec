//! The whole mix against its targets, as one number: lower is better.
//!
//! J = sum of w_t · term_t, each term a mean of ρ(e) = Huber(max(0, |e| − dead band) / σ), so that what is
//! near enough costs nothing and what is far off costs in proportion. Everything is read at the bus output
//! over all excerpts; nothing in it changes when the whole gets louder.
//!
//! | term | what | dead band / σ |
//! |---|---|---|
//! | balance | loudness of each feed re the mix against its target | σ of the prior / σ |
//! | audibility | index of each feed among the others (`analysis::masking`) | 0 / 0.10 |
//! | tone | thirds of an octave against the corridor | half width / 3 dB |
//! | dynamics | PLR against the genre's range, lowest PSR | range / 2 LU |
//! | space | imbalance, side to mid by region, mono loss | see [`SPACE`] / 3 dB |
//! | cohesion | how far each feed's short-term level wanders | by family / 2 LU |
//! | contrast | loudness between excerpts, not to shrink against the balance after levels | 1 LU / 1 LU |
//! | economy | 0.06 · [Σ (dB/6)² / strips + 0.5 · processors / strips] over moves after levels | – |
//!
//! Sources: weights, dead bands and σ are the project's proposal (no study fixes them); the corridor is
//! Elowsson & Friberg 2017, the priors De Man et al. 2014 and others (see the profiles).

use crate::bands::hundredths;
use crate::picture::Picture;
use crate::profile::{JUDGED_THIRDS, Prior, Profile, tone_half_width_db};
use crate::trial::Heard;
use std::collections::BTreeMap;
use topdown_analysis::{THIRDS, third_centre_hz};
use topdown_session::{Session, StripId};
use topdown_units::power_to_db;

/// Names and weights of the terms; economy carries its weight in its formula.
pub(crate) const TERMS: [(&str, f64); 8] = [
    ("balance", 0.22),
    ("audibility", 0.20),
    ("tone", 0.18),
    ("dynamics", 0.12),
    ("space", 0.10),
    ("cohesion", 0.06),
    ("contrast", 0.06),
    ("economy", 0.06),
];

/// A move is kept when the cost falls by at least this much. Proposed was -0.005 for a cost without tolerances;
/// with the tolerances of the priors a mix lies between 0.02 and 0.19 after levels (measured on nine songs), and
/// economy has already charged for the move, so that a tenth of the smallest cost is enough to tell gain
/// from rounding.
pub(crate) const ACCEPT_DELTA: f64 = -0.002;
/// What the character of the mix bus may cost. The glue compressor is set up as engineers do, at the profile's
/// reduction in the loudest part, because everything after it is decided through it; none of the terms
/// measures what it is there for, so they only say whether it does harm.
pub(crate) const CHARACTER_DELTA: f64 = 0.008;
/// No (weighted) term may rise by more than this.
pub(crate) const GUARD: f64 = 0.02;

const AUDIBILITY_SIGMA: f64 = 0.10;
const TONE_SIGMA_DB: f64 = 3.0;
const DYNAMICS_SIGMA_LU: f64 = 2.0;
const SPACE_SIGMA_DB: f64 = 3.0;
const COHESION_SIGMA_LU: f64 = 2.0;
const CONTRAST_DEAD_LU: f64 = 1.0;
const CONTRAST_SIGMA_LU: f64 = 1.0;
const ECONOMY_DB: f64 = 6.0;
const ECONOMY_PROCESSOR: f64 = 0.5;

/// Limits of space: side to mid (lowest, highest) below 120 Hz, 200 Hz to 4 kHz and above; imbalance; mono
/// loss of the whole. Too narrow is a matter of taste below the first region, so it has no lower limit.
pub(crate) const SPACE: Space = Space {
    side_to_mid_db: [(f64::NEG_INFINITY, -15.0), (-24.0, -4.0), (-24.0, -2.0)],
    imbalance_db: 0.5,
    mono_loss_db: 2.0,
};

/// See [`SPACE`].
#[derive(Clone, Copy, Debug)]
pub(crate) struct Space {
    /// Lowest and highest side to mid by region.
    side_to_mid_db: [(f64, f64); 3],
    /// Most left over right or right over left.
    imbalance_db: f64,
    /// Most that folding to mono may cost.
    mono_loss_db: f64,
}

/// What the mix is measured against; fixed after levels.
#[derive(Clone, Debug)]
pub(crate) struct Targets {
    pub(crate) profile: Profile,
    /// Loudness of each feed re the mix.
    pub(crate) balance: BTreeMap<StripId, Prior>,
    /// Least audibility of each feed, and its weight.
    pub(crate) audibility: BTreeMap<StripId, (f64, f64)>,
    /// How far each feed may wander.
    pub(crate) steady_lu: BTreeMap<StripId, f64>,
    /// Loudness of each excerpt re the first, as after levels.
    pub(crate) contrast_lu: Vec<f64>,
    /// Whether anything in the song carries lows (kick, bass) or air (cymbals, voices): without it, a lack
    /// there is no fault.
    pub(crate) carries: Carries,
}

/// See [`Targets::carries`].
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Carries {
    pub(crate) lows: bool,
    pub(crate) air: bool,
}

/// What moves after levels have spent.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct Spent {
    /// Sum of the squares of the moves' sizes in dB.
    pub(crate) squared_db: f64,
    /// Processors that they brought.
    pub(crate) processors: f64,
}

impl std::ops::Add for Spent {
    type Output = Self;

    fn add(self, other: Self) -> Self {
        Self {
            squared_db: self.squared_db + other.squared_db,
            processors: self.processors + other.processors,
        }
    }
}

/// The cost, and what it was made of.
#[derive(Clone, Debug, Default)]
pub(crate) struct Cost {
    /// Weighted terms, in the order of [`TERMS`].
    pub(crate) terms: [f64; TERMS.len()],
    /// Loudness of each feed re the mix.
    pub(crate) balance_lu: BTreeMap<StripId, f64>,
    /// Audibility of each feed.
    pub(crate) audibility: BTreeMap<StripId, f64>,
    /// Wander of each feed.
    pub(crate) wander_lu: BTreeMap<StripId, f64>,
    /// Thirds of an octave re the corridor's centre, level with it from 200 Hz to 4 kHz.
    pub(crate) tone_db: Vec<f64>,
    /// Peak to loudness.
    pub(crate) plr_lu: Option<f64>,
    /// Loudness of each excerpt re the first.
    pub(crate) contrast_lu: Vec<f64>,
}

impl Cost {
    /// The cost of a session as heard, after its moves have spent `spent`.
    pub(crate) fn of(session: &Session, heard: &Heard, targets: &Targets, spent: Spent) -> Self {
        let picture = Picture::of(session, heard);
        let mut cost = Self::default();
        let raw = [
            cost.balance(&picture, targets),
            cost.audibility(&picture, targets),
            cost.tone(heard, targets),
            cost.dynamics(heard, targets),
            space(heard),
            cost.cohesion(&picture, targets),
            cost.contrast(heard, targets),
            economy(session, spent),
        ];
        for ((term, raw), (_, weight)) in cost.terms.iter_mut().zip(raw).zip(TERMS) {
            *term = to_micro(raw * weight);
        }
        cost
    }

    /// Sum of all terms.
    pub(crate) fn total(&self) -> f64 {
        to_micro(self.terms.iter().sum())
    }

    /// Terms by name, with their sum as `total`.
    pub(crate) fn by_name(&self) -> BTreeMap<String, f64> {
        let terms =
            TERMS.iter().zip(self.terms).map(|((name, _), term)| ((*name).to_owned(), term));
        terms.chain([("total".to_owned(), self.total())]).collect()
    }

    /// The term that rose most against `before`, by how much.
    pub(crate) fn worst_rise(&self, before: &Self) -> (&'static str, f64) {
        let rises = TERMS.iter().zip(self.terms.iter().zip(before.terms));
        rises.map(|((name, _), (after, before))| (*name, after - before)).fold(
            ("balance", f64::NEG_INFINITY),
            |worst, rise| {
                if rise.1 > worst.1 { rise } else { worst }
            },
        )
    }

    fn balance(&mut self, picture: &Picture, targets: &Targets) -> f64 {
        let mix = picture.total_lufs();
        let mut mean = Mean::default();
        for (feed, target) in &targets.balance {
            let level = hundredths(picture.feed_lufs(feed) - mix);
            if level.is_finite() {
                self.balance_lu.insert(feed.clone(), level);
                mean.add(rho(level - target.lu, target.sigma_lu, target.sigma_lu), 1.0);
            }
        }
        mean.get()
    }

    fn audibility(&mut self, picture: &Picture, targets: &Targets) -> f64 {
        let mut mean = Mean::default();
        for (feed, (least, weight)) in &targets.audibility {
            let Some(index) = picture.audibility(feed) else { continue };
            self.audibility.insert(feed.clone(), index);
            mean.add(rho((least - index).max(0.0), 0.0, AUDIBILITY_SIGMA), *weight);
        }
        mean.get()
    }

    fn tone(&mut self, heard: &Heard, targets: &Targets) -> f64 {
        self.tone_db = tone_db(heard, &targets.profile);
        let mut mean = Mean::default();
        for third in JUDGED_THIRDS {
            let Some(&error) = self.tone_db.get(third) else { continue };
            mean.add(rho(tone_excess_db(third, error, targets.carries), 0.0, TONE_SIGMA_DB), 1.0);
        }
        mean.get()
    }

    fn dynamics(&mut self, heard: &Heard, targets: &Targets) -> f64 {
        let wanted = targets.profile.dynamics;
        let mut mean = Mean::default();
        self.plr_lu = plr_lu(heard).map(hundredths);
        if let Some(plr) = self.plr_lu {
            mean.add(rho(outside(plr, wanted.plr_lu), 0.0, DYNAMICS_SIGMA_LU), 2.0);
        }
        let lowest = heard.excerpts.iter().filter_map(|e| e.mix.min_psr_lu).reduce(f64::min);
        if let Some(psr) = lowest {
            mean.add(rho((wanted.min_psr_lu - psr).max(0.0), 0.0, DYNAMICS_SIGMA_LU), 1.0);
        }
        mean.get()
    }

    fn cohesion(&mut self, picture: &Picture, targets: &Targets) -> f64 {
        let mut mean = Mean::default();
        for (feed, steady) in &targets.steady_lu {
            let Some(wander) = picture.wander_lu(feed).map(hundredths) else { continue };
            self.wander_lu.insert(feed.clone(), wander);
            mean.add(rho((wander - steady).max(0.0), 0.0, COHESION_SIGMA_LU), 1.0);
        }
        mean.get()
    }

    fn contrast(&mut self, heard: &Heard, targets: &Targets) -> f64 {
        self.contrast_lu = contrast_lu(heard);
        let mut mean = Mean::default();
        for (now, reference) in self.contrast_lu.iter().zip(&targets.contrast_lu).skip(1) {
            let shrunk = (reference.abs() - now.abs()).max(0.0);
            mean.add(rho(shrunk, CONTRAST_DEAD_LU, CONTRAST_SIGMA_LU), 1.0);
        }
        mean.get()
    }
}

/// Thirds of an octave of all excerpts together, re the corridor's centre, level from 200 Hz to 4 kHz.
pub(crate) fn tone_db(heard: &Heard, profile: &Profile) -> Vec<f64> {
    let power = |third: usize| {
        heard.excerpts.iter().filter_map(|e| e.mix.third_power.get(third)).sum::<f64>()
    };
    let error: Vec<f64> = (0..THIRDS)
        .map(|third| power_to_db(power(third)).max(-140.0) - profile.tone_db(third))
        .collect();
    let middle: Vec<f64> = error
        .iter()
        .enumerate()
        .filter(|(third, _)| (200.0..4_100.0).contains(&third_centre_hz(*third)))
        .map(|(_, e)| *e)
        .collect();
    let level = middle.iter().sum::<f64>() / middle.len().max(1) as f64;
    error.into_iter().map(|e| hundredths(e - level)).collect()
}

/// How far a third lies outside the corridor, with sign.
pub(crate) fn tone_excess_db(third: usize, error_db: f64, carries: Carries) -> f64 {
    let hz = third_centre_hz(third);
    let lacks_nothing = (hz < 110.0 && !carries.lows) || (hz > 7_000.0 && !carries.air);
    if error_db < 0.0 && lacks_nothing {
        return 0.0;
    }
    let excess = (error_db.abs() - tone_half_width_db(third)).max(0.0);
    excess.copysign(error_db)
}

/// Highest true peak over the loudness of all excerpts together.
pub(crate) fn plr_lu(heard: &Heard) -> Option<f64> {
    let peak = heard.excerpts.iter().map(|e| e.mix.true_peak_dbtp).reduce(f64::max)?;
    let loudness = mix_lufs(heard);
    (peak.is_finite() && loudness.is_finite()).then_some(peak - loudness)
}

/// Loudness of all excerpts together.
pub(crate) fn mix_lufs(heard: &Heard) -> f64 {
    let powers = heard.excerpts.iter().map(|e| topdown_units::db_to_power(e.mix.loudness_lufs));
    power_to_db(powers.sum::<f64>() / heard.excerpts.len().max(1) as f64)
}

/// Loudness of each excerpt re the first.
pub(crate) fn contrast_lu(heard: &Heard) -> Vec<f64> {
    let levels: Vec<f64> = heard.excerpts.iter().map(|e| e.mix.loudness_lufs).collect();
    let first = levels.first().copied().unwrap_or(0.0);
    let re = |level: &f64| if level.is_finite() { hundredths(level - first) } else { 0.0 };
    levels.iter().map(re).collect()
}

fn space(heard: &Heard) -> f64 {
    let mut mean = Mean::default();
    for excerpt in &heard.excerpts {
        let mix = &excerpt.mix;
        for (side, range) in mix.side_to_mid_db.iter().zip(SPACE.side_to_mid_db) {
            if let Some(side) = side.map(hundredths) {
                mean.add(rho(outside(side, range), 0.0, SPACE_SIGMA_DB), 1.0);
            }
        }
        let imbalance = hundredths(mix.imbalance_db);
        mean.add(rho(imbalance, SPACE.imbalance_db, SPACE_SIGMA_DB), 1.0);
        mean.add(rho(hundredths(mix.mono_loss_db), SPACE.mono_loss_db, SPACE_SIGMA_DB), 1.0);
    }
    mean.get()
}

fn economy(session: &Session, spent: Spent) -> f64 {
    let strips = session.strips.len().max(1) as f64;
    let size = spent.squared_db / (ECONOMY_DB * ECONOMY_DB);
    (size + ECONOMY_PROCESSOR * spent.processors) / strips
}

/// How far outside a range, with sign.
fn outside(value: f64, (low, high): (f64, f64)) -> f64 {
    if value < low { value - low } else { (value - high).max(0.0) }
}

/// Huber's function of what goes beyond the dead band, in units of σ: quadratic to 1, then straight.
pub(crate) fn rho(error: f64, dead_band: f64, sigma: f64) -> f64 {
    let e = (error.abs() - dead_band).max(0.0) / sigma;
    if e <= 1.0 { e * e / 2.0 } else { e - 0.5 }
}

/// Costs are compared to the millionth.
fn to_micro(value: f64) -> f64 {
    (value * 1e6).round() / 1e6
}

#[derive(Default)]
struct Mean {
    sum: f64,
    weight: f64,
}

impl Mean {
    fn add(&mut self, value: f64, weight: f64) {
        self.sum += value * weight;
        self.weight += weight;
    }

    fn get(&self) -> f64 {
        if self.weight > 0.0 { self.sum / self.weight } else { 0.0 }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn near_enough_costs_nothing_and_far_off_costs_in_proportion() {
        assert_eq!(rho(-2.0, 2.0, 2.0), 0.0);
        assert!((rho(4.0, 2.0, 2.0) - 0.5).abs() < 1e-12);
        assert!((rho(-8.0, 2.0, 2.0) - 2.5).abs() < 1e-12);
        assert_eq!(outside(12.0, (11.0, 15.0)), 0.0);
        assert_eq!(outside(10.0, (11.0, 15.0)), -1.0);
    }

    #[test]
    fn a_lack_of_lows_is_no_fault_where_nothing_carries_them() {
        let nothing = Carries::default();
        assert_eq!(tone_excess_db(4, -20.0, nothing), 0.0);
        assert_eq!(tone_excess_db(4, -20.0, Carries { lows: true, air: true }), -12.0);
        assert!(tone_excess_db(4, 20.0, nothing) > 0.0);
    }
}
