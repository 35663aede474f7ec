//! Partial loudness after Moore, Glasberg and Baer (1997): how loud a sound is beside another, in sone.
//!
//! "A model for the prediction of thresholds, loudness, and partial loudness", J. Audio Eng. Soc. 45(4), with
//! the constants of ANSI S3.4-2007. Per Cam, from the excitation E_s of the sound and E_n of the rest, both
//! relative to a tone of 0 dB SPL at 1 kHz, with E_thrn = K E_n + E_thrq:
//!
//! - heard (E_s >= E_thrn): N' = C \[((E_s + E_n) G + A)^a - A^a\]
//!   \- C \[((E_n + E_thrn) G + A)^a - (E_thrq G + A)^a\] (E_thrn / E_s)^0.3;
//! - below: N' = C (2 E_s / (E_s + E_thrn))^1.5 \[(E_thrq G + A)^a - A^a\]
//!   \[((E_s + E_n) G + A)^a - (E_n G + A)^a\] / \[((E_n + E_thrn) G + A)^a - (E_n G + A)^a\].
//!
//! C = 0.046871. E_thrq is 3.73 dB from 500 Hz up and rises below; G = E_thrq(500 Hz) / E_thrq; A and a follow G;
//! K is -3 dB from 1 kHz up and rises below. The tables are read from the standard and the paper's figures to the
//! digits shown, between their points straight in log frequency.
//!
//! Absolute level matters: -23 LUFS is taken as 73 dB SPL (EBU Tech 3343, reference listening level). Outer and
//! middle ear: ANSI S3.4-2007, diffuse field. Frames of the ERB energies count each for itself, never a mean of
//! many. Not valid above 100 dB per band. For reports only: it is 0 once the sound is buried.

use crate::spectrum::ErbEnergies;
use crate::{ERB_BANDS, bands, erb_centre_hz, masking};
use topdown_dsp::math;
use topdown_units::db_to_power;

/// Sound pressure level of 0 LUFS.
const SPL_AT_0_LUFS_DB: f64 = 73.0 + 23.0;
const C: f64 = 0.046_871;

/// Hz, and threshold in quiet as excitation in dB.
const THRESHOLD_DB: [(f64, f64); 11] = [
    (50.0, 28.18),
    (63.0, 23.90),
    (80.0, 19.20),
    (100.0, 15.68),
    (125.0, 12.67),
    (160.0, 10.09),
    (200.0, 8.08),
    (250.0, 6.30),
    (315.0, 5.30),
    (400.0, 4.50),
    (500.0, 3.73),
];
/// Hz, and signal-to-noise ratio at threshold in dB.
const K_DB: [(f64, f64); 14] = [
    (50.0, 13.5),
    (63.0, 10.0),
    (80.0, 7.1),
    (100.0, 4.9),
    (125.0, 3.1),
    (160.0, 1.5),
    (200.0, 0.4),
    (250.0, -0.5),
    (315.0, -1.3),
    (400.0, -1.9),
    (500.0, -2.3),
    (630.0, -2.7),
    (800.0, -2.9),
    (1_000.0, -3.0),
];
/// G in dB, exponent a, A.
const COMPRESSION: [(f64, f64, f64); 6] = [
    (-25.0, 0.267, 9.00),
    (-20.0, 0.250, 7.72),
    (-15.0, 0.237, 6.77),
    (-10.0, 0.222, 5.92),
    (-5.0, 0.211, 5.25),
    (0.0, 0.2, 4.720_96),
];
/// Hz, and what outer and middle ear let through, in dB.
const EAR_DB: [(f64, f64); 26] = [
    (50.0, -18.5),
    (63.0, -15.9),
    (80.0, -14.1),
    (100.0, -12.4),
    (125.0, -10.9),
    (160.0, -9.3),
    (200.0, -7.9),
    (250.0, -6.9),
    (315.0, -5.2),
    (400.0, -3.2),
    (500.0, -2.1),
    (630.0, -1.1),
    (800.0, 0.3),
    (1_000.0, 1.2),
    (1_250.0, 0.8),
    (1_600.0, 1.1),
    (2_000.0, 1.7),
    (2_500.0, 4.5),
    (3_150.0, 7.4),
    (4_000.0, 6.1),
    (5_000.0, 3.8),
    (6_300.0, -1.5),
    (8_000.0, -3.7),
    (10_000.0, -5.1),
    (12_500.0, -11.0),
    (16_000.0, -30.3),
];

/// Straight between points, level beyond them.
fn between(points: &[(f64, f64)], x: f64, scale: fn(f64) -> f64) -> f64 {
    let after = points.partition_point(|point| point.0 <= x);
    match (after.checked_sub(1).and_then(|i| points.get(i)), points.get(after)) {
        (Some(low), Some(high)) => {
            let share = (scale(x) - scale(low.0)) / (scale(high.0) - scale(low.0));
            low.1 + share * (high.1 - low.1)
        }
        (Some(only), None) | (None, Some(only)) => only.1,
        (None, None) => 0.0,
    }
}

/// The constants of one band.
#[derive(Clone, Copy, Debug)]
struct Band {
    threshold: f64,
    gain: f64,
    exponent: f64,
    offset: f64,
    masking: f64,
}

impl Band {
    fn at(hz: f64) -> Self {
        let threshold_db = between(&THRESHOLD_DB, hz, math::log10);
        let gain_db = THRESHOLD_DB[THRESHOLD_DB.len() - 1].1 - threshold_db;
        Self {
            threshold: db_to_power(threshold_db),
            gain: db_to_power(gain_db),
            exponent: between(&COMPRESSION.map(|(g, exponent, _)| (g, exponent)), gain_db, |g| g),
            offset: between(&COMPRESSION.map(|(g, _, offset)| (g, offset)), gain_db, |g| g),
            masking: db_to_power(between(&K_DB, hz, math::log10)),
        }
    }

    fn compressed(&self, excitation: f64) -> f64 {
        math::pow(excitation * self.gain + self.offset, self.exponent)
    }

    /// N' of a sound beside the rest, in sone per Cam.
    fn specific_loudness(&self, sound: f64, rest: f64) -> f64 {
        if sound <= 0.0 {
            return 0.0;
        }
        let masked_threshold = self.masking * rest + self.threshold;
        let (all, noise) = (self.compressed(sound + rest), self.compressed(rest));
        let (nothing, quiet) = (self.compressed(0.0), self.compressed(self.threshold));
        let noise_and_threshold = self.compressed(rest + masked_threshold);
        let loudness = if sound >= masked_threshold {
            let lost = math::pow(masked_threshold / sound, 0.3);
            all - nothing - (noise_and_threshold - quiet) * lost
        } else {
            let fade = math::pow(2.0 * sound / (sound + masked_threshold), 1.5);
            fade * (quiet - nothing) * (all - noise) / (noise_and_threshold - noise)
        };
        C * loudness.max(0.0)
    }
}

/// Loudness of a part in the whole, in sone, frame by frame. `total` holds the part too.
#[must_use]
pub fn partial_loudness_sone(part: &ErbEnergies, total: &ErbEnergies) -> Vec<f64> {
    let bands: [Band; ERB_BANDS] = std::array::from_fn(|band| Band::at(erb_centre_hz(band)));
    let ear: [f64; ERB_BANDS] = std::array::from_fn(|band| {
        db_to_power(SPL_AT_0_LUFS_DB + between(&EAR_DB, erb_centre_hz(band), math::log10))
    });
    let (part, total) = (masking::excitation(part), masking::excitation(total));
    let frame = |(part, total): (&[f32], &[f32])| {
        let bands = bands.iter().zip(&ear).zip(part.iter().zip(total));
        let sones = bands.map(|((band, ear), (&part, &total))| {
            let (part, total) = (ear * f64::from(part), ear * f64::from(total));
            band.specific_loudness(part, (total - part).max(0.0))
        });
        sones.sum::<f64>() * bands::CAM_STEP
    };
    part.frames().zip(total.frames()).map(frame).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Loudness beside noise of 60 dB over loudness alone.
    fn share(hz: f64, snr_db: f64) -> f64 {
        let (band, noise) = (Band::at(hz), db_to_power(60.0));
        let sound = noise * db_to_power(snr_db);
        band.specific_loudness(sound, noise) / band.specific_loudness(sound, 0.0)
    }

    #[test]
    fn the_share_that_noise_leaves_is_that_of_the_published_model() {
        let snrs_db = [10.0, 6.0, 3.0, 0.0, -3.0];
        let quoted = [
            (1_000.0, [0.75, 0.62, 0.47, 0.28, 0.01]),
            (6_000.0, [0.75, 0.62, 0.47, 0.28, 0.01]),
            (100.0, [0.44, 0.09, 0.0, 0.0, 0.0]),
        ];
        for (hz, shares) in quoted {
            for (snr_db, expected) in snrs_db.into_iter().zip(shares) {
                // the bass tables are read from figures, and the slope is steep there: 0.05
                let off = share(hz, snr_db) - expected;
                assert!(off.abs() < if hz < 500.0 { 0.05 } else { 0.006 }, "{hz} {snr_db}: {off}");
            }
        }
    }

    #[test]
    fn loudness_is_continuous_where_the_sound_meets_its_threshold() {
        for hz in [60.0, 200.0, 1_000.0, 8_000.0] {
            let (band, noise) = (Band::at(hz), db_to_power(50.0));
            let threshold = band.masking * noise + band.threshold;
            let below = band.specific_loudness(threshold * 0.999_999, noise);
            let above = band.specific_loudness(threshold * 1.000_001, noise);
            assert!((above / below - 1.0).abs() < 0.01, "{hz} Hz: {below} {above}");
        }
    }

    #[test]
    fn a_tone_of_1_khz_at_40_db_is_about_one_sone_and_ten_db_double_it() {
        // a tone's band holds all its energy; 40 dB SPL is -56 dB of full scale here
        let tone = |spl_db: f64| {
            let band = (0..ERB_BANDS).min_by(|&a, &b| {
                let off = |band: usize| (erb_centre_hz(band) - 1_000.0).abs();
                off(a).total_cmp(&off(b))
            });
            let mut energy = vec![0.0; ERB_BANDS];
            energy[band.unwrap()] = db_to_power(spl_db - SPL_AT_0_LUFS_DB) as f32;
            let tone = ErbEnergies { frame_s: 0.085, energy };
            partial_loudness_sone(&tone, &tone)[0]
        };
        // the standard means a frontal field and filters that widen with level: half to twice is what a coarse
        // pattern of 40 bands can promise
        assert!((0.5..2.0).contains(&tone(40.0)), "{}", tone(40.0));
        let doubling = tone(60.0) / tone(50.0);
        assert!((1.5..2.2).contains(&doubling), "{doubling}");
    }
}
