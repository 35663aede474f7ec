//! The tonal corridor: where the long-term spectrum of a finished mix usually lies.
//!
//! Centre: the mean of 12 345 popular recordings (Elowsson and Friberg 2017, "Long-term average spectrum in popular
//! music and its relation to the level of the percussion", AES 142, paper 9762), power density per Hz in dB with
//! x = 1 + 60 log2(f / 30):
//!
//! - f >= 94 Hz: y = -0.000183 x^2 + 0.0213 x - 16.735;
//! - below: y = -0.000907 x^2 + 0.256 x - 32.942.
//!
//! It steepens with frequency: a straight line of -4.5 dB per octave is not what records do. Half-widths and the
//! offsets by genre are ours, from the spread that the paper reports (smallest from 200 Hz to 1 kHz, up to 10 dB in
//! the bass) and from what it finds with more percussion: more below 100 Hz and above 4 kHz, the same mids.
//!
//! A corridor is for the mix, never for a track.

use crate::{THIRDS, spectrum::Spectrum, third_centre_hz};
use serde::{Deserialize, Serialize};
use topdown_dsp::math;
use topdown_units::power_to_db;

/// Which records the mix wants to sit among.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum TonalProfile {
    /// Pop.
    Pop,
    /// Electronic dance music.
    Edm,
    /// Hip-hop.
    HipHop,
    /// Rock; also the centre curve as published.
    Rock,
    /// Jazz and folk.
    JazzFolk,
    /// Classical and film.
    Classical,
}

/// Lowest and highest third that is judged: 31.5 Hz and 16 kHz.
const JUDGED: std::ops::RangeInclusive<usize> = 2..=29;
/// Thirds that fix the level: 160 Hz to 4 kHz, where records differ least.
const ANCHOR: std::ops::RangeInclusive<usize> = 9..=23;
/// A band further off than this is as good as empty.
const FURTHEST_DB: f64 = 40.0;

/// Half-width of the corridor up to a frequency.
const HALF_WIDTHS: [(f64, f64); 5] =
    [(60.0, 8.0), (150.0, 5.0), (4_100.0, 3.0), (8_200.0, 5.0), (f64::INFINITY, 7.0)];

/// Offsets of a genre: low edge and high edge in Hz, dB.
type Offset = (f64, f64, f64);

impl TonalProfile {
    /// All profiles.
    pub const ALL: [Self; 6] =
        [Self::Pop, Self::Edm, Self::HipHop, Self::Rock, Self::JazzFolk, Self::Classical];

    const fn offsets(self) -> &'static [Offset] {
        match self {
            Self::Pop => &[(28.0, 71.0, 4.0), (8_900.0, 22_400.0, 2.0)],
            Self::Edm => &[(28.0, 71.0, 8.0), (8_900.0, 22_400.0, 4.0)],
            Self::HipHop => &[(28.0, 71.0, 6.0), (8_900.0, 22_400.0, 3.0)],
            Self::Rock => &[],
            Self::JazzFolk => &[(28.0, 141.0, -3.0), (224.0, 891.0, 2.0)],
            Self::Classical => &[(28.0, 141.0, -3.0), (7_100.0, 22_400.0, -4.0)],
        }
    }

    /// Centre of the corridor in a third of an octave, as its level relative to that at 1 kHz.
    #[must_use]
    pub fn centre_db(self, third: usize) -> f64 {
        let hz = third_centre_hz(third);
        let offset = |&(low, high, db): &Offset| if hz >= low && hz < high { db } else { 0.0 };
        let genre: f64 = self.offsets().iter().map(offset).sum();
        // a third's width grows with its centre
        density_db(hz) - density_db(1_000.0) + power_to_db(hz / 1_000.0) + genre
    }
}

/// Half of the corridor's width in a third of an octave.
#[must_use]
pub fn half_width_db(third: usize) -> f64 {
    let hz = third_centre_hz(third);
    HALF_WIDTHS.iter().find(|(up_to, _)| hz < *up_to).map_or(0.0, |(_, db)| *db)
}

/// Mean power density of popular recordings, in dB per Hz on the paper's own scale.
fn density_db(hz: f64) -> f64 {
    let x = 1.0 + 60.0 * math::log2(hz / 30.0);
    if hz >= 94.0 {
        -0.000_183 * x * x + 0.0213 * x - 16.735
    } else {
        -0.000_907 * x * x + 0.256 * x - 32.942
    }
}

/// How a spectrum lies in a corridor.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Violation {
    /// Distance from the centre for each third, after the levels from 160 Hz to 4 kHz were made equal on average.
    pub deviation_db: Vec<f64>,
    /// What of it lies outside the corridor: positive is too much, negative too little, 0 inside.
    pub excess_db: Vec<f64>,
    /// Root mean square of the excess from 31.5 Hz to 16 kHz.
    pub rms_db: f64,
}

/// Holds a mix against a profile's corridor; `None` for silence.
#[must_use]
pub fn violation(spectrum: &Spectrum, profile: TonalProfile) -> Option<Violation> {
    let raw: Vec<f64> =
        spectrum.thirds_db().iter().enumerate().map(|(t, db)| db - profile.centre_db(t)).collect();
    let anchors: Vec<f64> = ANCHOR
        .filter_map(|third| raw.get(third).copied())
        .filter(|deviation| deviation.is_finite())
        .collect();
    (!anchors.is_empty()).then_some(())?;
    let level = anchors.iter().sum::<f64>() / anchors.len() as f64;
    let deviation_db: Vec<f64> =
        raw.iter().map(|db| (db - level).clamp(-FURTHEST_DB, FURTHEST_DB)).collect();
    let outside = |(third, deviation): (usize, &f64)| {
        let half = half_width_db(third);
        if JUDGED.contains(&third) { deviation - deviation.clamp(-half, half) } else { 0.0 }
    };
    let excess_db: Vec<f64> = deviation_db.iter().enumerate().map(outside).collect();
    let square: f64 = excess_db.iter().map(|db| db * db).sum();
    let rms_db = (square / JUDGED.count() as f64).sqrt();
    debug_assert_eq!(excess_db.len(), THIRDS);
    Some(Violation { deviation_db, excess_db, rms_db })
}

#[cfg(test)]
mod tests {
    use super::*;
    use topdown_units::db_to_power;

    fn spectrum(level_db: impl Fn(usize) -> f64) -> Spectrum {
        Spectrum { power: (0..THIRDS).map(|t| db_to_power(level_db(t))).collect(), stereo: None }
    }

    #[test]
    fn the_curve_has_the_published_densities() {
        let quoted = [
            (31.5, -4.4),
            (63.0, 7.1),
            (125.0, 10.3),
            (250.0, 8.2),
            (500.0, 4.8),
            (2_000.0, -6.1),
            (4_000.0, -13.5),
            (8_000.0, -22.2),
            (16_000.0, -32.2),
        ];
        for (hz, db) in quoted {
            let ours = density_db(hz) - density_db(1_000.0);
            assert!((ours - db).abs() < 0.1, "{hz} Hz: {ours}");
        }
        assert!((TonalProfile::Rock.centre_db(23) + 7.4).abs() < 0.15, "third at 4 kHz");
    }

    #[test]
    fn the_centre_at_any_level_is_inside_every_corridor() {
        for profile in TonalProfile::ALL {
            let mix = spectrum(|third| profile.centre_db(third) - 31.0);
            let found = violation(&mix, profile).unwrap();
            assert_eq!(found.rms_db, 0.0, "{profile:?}");
        }
        assert_eq!(violation(&spectrum(|_| f64::NEG_INFINITY), TonalProfile::Pop), None);
    }

    #[test]
    fn what_sticks_out_is_found_where_it_is_and_by_how_much() {
        let boomy = |third: usize| if third == 7 { 9.0 } else { 0.0 };
        let mix = spectrum(|third| TonalProfile::Rock.centre_db(third) + boomy(third));
        let found = violation(&mix, TonalProfile::Rock).unwrap();
        assert!((found.excess_db[7] - 4.0).abs() < 1e-9, "{found:?}");
        assert!(found.excess_db.iter().enumerate().all(|(t, db)| t == 7 || *db == 0.0));
        let dull = spectrum(|t| TonalProfile::Rock.centre_db(t) - if t > 24 { 12.0 } else { 0.0 });
        assert!(violation(&dull, TonalProfile::Rock).unwrap().excess_db[27] < -4.9);
    }
}
