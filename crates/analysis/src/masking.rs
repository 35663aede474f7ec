//! Who is heard beside whom: a smooth index for search, and partial loudness for reports.
//!
//! Both compare, frame by frame (64 to 93 ms) and ERB band by band, the energy E_k of one part with the energy
//! E_tot - E_k of all the rest. Never with long-term averages: there the bass reads fully masked.
//!
//! **Audibility index** (after the band audibility of ANSI S3.5, the Speech Intelligibility Index):
//! a_k = sum over b of w_b clip((SNR_b + 15) / 30, 0, 1), with w_b in proportion to E_k^0.3 over the essential
//! bands, those within 15 dB of the part's own strongest band in that frame. Frames in which the part is more
//! than 30 dB below its loudest frame do not count, the others count by their sum of E_k^0.3. Smooth where it matters, so a search can follow it.
//!
//! **Partial loudness**, two published models on excitation patterns (below), for reports. Both fall to 0 once a
//! part is buried, so a search would get no slope from them.
//!
//! - [`partial_loudness`], after Chen, Hu, Glasberg and Moore (2011): E_part = max(0, E_k - K (E_tot - E_k)),
//!   K_dB = 6.51 e^2 - 1.93, e = Cam(f) / Cam(1 kHz) - 1, at most +4 dB above 6 kHz (ours); loudness is the sum of
//!   E_part^0.3 per Cam (the exponent is ours).
//! - [`crate::partial_loudness`], after Moore, Glasberg and Baer (1997): with thresholds and absolute level.
//!
//! Excitation: each band's rounded-exponential filter (1 + pg) e^(-pg), g = |f - fc| / fc, with the slopes of the
//! 2011 model: p = fc / (0.027 fc + 5.44) below, 27.9 above the centre.

use crate::{ERB_BANDS, bands, cam_of_hz, erb_centre_hz, spectrum::ErbEnergies};
use topdown_dsp::math;
use topdown_units::{db_to_power, power_to_db};

/// SNR from which a band counts as heard at all, and from which as heard in full (ANSI S3.5).
const SNR_RANGE_DB: (f64, f64) = (-15.0, 15.0);
/// Bands this close to the strongest of the frame are essential to a part.
const ESSENTIAL_DB: f64 = -15.0;
/// Frames this far below the loudest are rests.
const REST_DB: f64 = -30.0;
/// Loudness grows with energy to this power.
const LOUDNESS_EXPONENT: f64 = 0.3;
const K_LIMIT_ABOVE_HZ: f64 = 6_000.0;
const K_LIMIT_DB: f64 = 4.0;

/// How much of one part is heard in the whole, 0 (buried) to 1 (as if alone).
///
/// `part` and `total` are frames of [`ERB_BANDS`] energies at the same times; `total` holds the part too. `None` if
/// the part is silent. Of two lengths the shorter counts.
#[must_use]
pub fn audibility(part: &ErbEnergies, total: &ErbEnergies) -> Option<f64> {
    let rest_gate = loudest_frame(part) * db_to_power(REST_DB);
    let mut sum = 0.0;
    let mut weight = 0.0;
    for (part, total) in part.frames().zip(total.frames()) {
        let energy: f64 = part.iter().map(|&e| f64::from(e)).sum();
        if energy > 0.0 && energy >= rest_gate {
            let (heard, of) = frame_audibility(part, total);
            sum += heard;
            weight += of;
        }
    }
    (weight > 0.0).then(|| sum / weight)
}

/// The audibility index of every part in the sum of all parts.
#[must_use]
pub fn audibilities(parts: &[ErbEnergies]) -> Vec<Option<f64>> {
    let total = total_of(parts);
    parts.iter().map(|part| audibility(part, &total)).collect()
}

/// Energies of all parts together, as long as the longest.
#[must_use]
pub fn total_of(parts: &[ErbEnergies]) -> ErbEnergies {
    let frames = parts.iter().map(|part| part.energy.len()).max().unwrap_or(0);
    let mut energy = vec![0.0f32; frames];
    for part in parts {
        for (sum, e) in energy.iter_mut().zip(&part.energy) {
            *sum += e;
        }
    }
    ErbEnergies { frame_s: parts.first().map_or(0.0, |part| part.frame_s), energy }
}

fn loudest_frame(part: &ErbEnergies) -> f64 {
    let frame = |energies: &[f32]| energies.iter().map(|&e| f64::from(e)).sum::<f64>();
    part.frames().map(frame).fold(0.0, f64::max)
}

/// Weighted audibility of one frame and the weight it was given.
fn frame_audibility(part: &[f32], total: &[f32]) -> (f64, f64) {
    let strongest = part.iter().copied().fold(0.0f32, f32::max);
    let essential = f64::from(strongest) * db_to_power(ESSENTIAL_DB);
    let (low, high) = SNR_RANGE_DB;
    let mut heard = 0.0;
    let mut weights = 0.0;
    for (&e, &t) in part.iter().zip(total) {
        let (e, t) = (f64::from(e), f64::from(t));
        if e > 0.0 && e >= essential {
            let weight = math::pow(e, LOUDNESS_EXPONENT);
            let rest = (t - e).max(0.0);
            let snr_db = if rest > 0.0 { power_to_db(e / rest) } else { high };
            heard += weight * ((snr_db - low) / (high - low)).clamp(0.0, 1.0);
            weights += weight;
        }
    }
    (heard, weights)
}

/// Masking factor K of each ERB band, as a power ratio.
#[must_use]
pub fn masking_factors() -> [f64; ERB_BANDS] {
    std::array::from_fn(|band| {
        let hz = erb_centre_hz(band);
        let e = cam_of_hz(hz) / cam_of_hz(1_000.0) - 1.0;
        let k_db = 6.51 * e * e - 1.93;
        db_to_power(if hz > K_LIMIT_ABOVE_HZ { k_db.min(K_LIMIT_DB) } else { k_db })
    })
}

/// Excitation of the ear's filters by band energies: a filter hears its neighbours too. Linear, so patterns add.
#[must_use]
pub fn excitation(energies: &ErbEnergies) -> ErbEnergies {
    let weights = filter_weights();
    let mut energy = Vec::with_capacity(energies.energy.len());
    for frame in energies.frames() {
        let filter = |row: &[f64; ERB_BANDS]| {
            row.iter().zip(frame).map(|(weight, &e)| weight * f64::from(e)).sum::<f64>() as f32
        };
        energy.extend(weights.iter().map(filter));
    }
    ErbEnergies { frame_s: energies.frame_s, energy }
}

/// What the filter of each band (rows) lets through from each band.
fn filter_weights() -> [[f64; ERB_BANDS]; ERB_BANDS] {
    const UPPER_SLOPE: f64 = 27.9;
    std::array::from_fn(|filter| {
        let centre_hz = erb_centre_hz(filter);
        let lower_slope = centre_hz / (0.027 * centre_hz + 5.44);
        std::array::from_fn(|band| {
            let off = (erb_centre_hz(band) - centre_hz) / centre_hz;
            let pg = off.abs() * if off < 0.0 { lower_slope } else { UPPER_SLOPE };
            (1.0 + pg) * math::exp(-pg)
        })
    })
}

/// Loudness of a part in the whole, frame by frame, in the model's own unit: compare, do not quote.
#[must_use]
pub fn partial_loudness(part: &ErbEnergies, total: &ErbEnergies) -> Vec<f64> {
    let (part, total) = (excitation(part), excitation(total));
    let k = masking_factors();
    let band = |(k, (&e, &t)): (&f64, (&f32, &f32))| {
        let (e, t) = (f64::from(e), f64::from(t));
        let heard = e - k * (t - e).max(0.0);
        if heard > 0.0 { math::pow(heard, LOUDNESS_EXPONENT) * bands::CAM_STEP } else { 0.0 }
    };
    part.frames()
        .zip(total.frames())
        .map(|(part, total)| k.iter().zip(part.iter().zip(total)).map(band).sum())
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn frames(count: usize, band: impl Fn(usize) -> f64) -> ErbEnergies {
        let one: Vec<f32> = (0..ERB_BANDS).map(|b| band(b) as f32).collect();
        ErbEnergies { frame_s: 0.085, energy: one.repeat(count) }
    }

    #[test]
    fn the_masking_factors_are_those_of_the_model() {
        let k = masking_factors();
        let quoted = [(55.0, 3.0), (238.0, 0.2), (539.0, -1.4), (1_000.0, -1.9), (1_850.0, -1.3)];
        for (hz, k_db) in quoted {
            let nearest = (0..ERB_BANDS).min_by(|&a, &b| {
                (erb_centre_hz(a) - hz).abs().total_cmp(&(erb_centre_hz(b) - hz).abs())
            });
            let ours = power_to_db(k[nearest.unwrap()]);
            assert!((ours - k_db).abs() < 0.25, "{hz} Hz: {ours}");
        }
        assert!((power_to_db(k[ERB_BANDS - 1]) - K_LIMIT_DB).abs() < 1e-9);
    }

    #[test]
    fn audibility_is_1_alone_0_buried_and_a_half_among_equals() {
        let part = frames(10, |_| 1e-4);
        assert_eq!(audibility(&part, &part), Some(1.0));
        let equal = total_of(&[part.clone(), part.clone()]);
        assert!((audibility(&part, &equal).unwrap() - 0.5).abs() < 1e-4);
        let buried = total_of(&[part.clone(), frames(10, |_| 1e-2)]);
        assert_eq!(audibility(&part, &buried), Some(0.0));
        assert_eq!(audibility(&frames(10, |_| 0.0), &buried), None);
    }

    #[test]
    fn audibility_grows_smoothly_with_every_db() {
        let rest = frames(10, |_| 1e-4);
        let at = |db: i32| {
            let part = frames(10, |_| 1e-4 * db_to_power(f64::from(db)));
            audibility(&part, &total_of(&[part.clone(), rest.clone()])).unwrap()
        };
        for db in -14..14 {
            let step = at(db + 1) - at(db);
            assert!((step - 1.0 / 30.0).abs() < 1e-4, "{db} dB: {step}");
        }
    }

    #[test]
    fn only_essential_bands_and_playing_frames_count() {
        let part = frames(10, |b| if b < 10 { 1e-4 } else { 1e-7 });
        let rest = frames(10, |b| if b < 10 { 0.0 } else { 1.0 });
        assert_eq!(audibility(&part, &total_of(&[part.clone(), rest])), Some(1.0));
        let mut pausing = frames(10, |_| 1e-4);
        pausing.energy[..5 * ERB_BANDS].fill(1e-8);
        let total = total_of(&[pausing.clone(), frames(5, |_| 1.0)]);
        assert_eq!(audibility(&pausing, &total), Some(1.0));
    }

    #[test]
    fn partial_loudness_keeps_the_quoted_share_at_1_khz() {
        // excitation patterns of one shape: the ratio is that of the bands, which is the model's own table
        let noise = frames(1, |_| 1e-3);
        let quoted = [(10.0, 0.98), (6.0, 0.95), (3.0, 0.89), (0.0, 0.74), (-3.0, 0.0)];
        let k = masking_factors();
        let at_1_khz = (0..ERB_BANDS)
            .min_by(|&a, &b| {
                let off = |band: usize| (erb_centre_hz(band) - 1_000.0).abs();
                off(a).total_cmp(&off(b))
            })
            .unwrap();
        for (snr_db, share) in quoted {
            let part = 1e-3 * db_to_power(snr_db);
            let heard = (part - k[at_1_khz] * f64::from(noise.energy[0])).max(0.0);
            let ratio = math::pow(heard / part, LOUDNESS_EXPONENT);
            assert!((ratio - share).abs() < 0.01, "{snr_db} dB: {ratio}");
        }
        let part = frames(3, |_| 1e-3);
        let alone = partial_loudness(&part, &part);
        let masked = partial_loudness(&part, &total_of(&[part.clone(), frames(3, |_| 1e-3)]));
        assert!(masked.len() == 3 && masked[0] > 0.0 && masked[0] < alone[0]);
    }

    #[test]
    fn excitation_spreads_from_a_band_and_adds_up() {
        let one = excitation(&frames(1, |b| if b == 20 { 1.0 } else { 0.0 }));
        assert!((one.energy[20] - 1.0).abs() < 1e-6);
        assert!(one.energy[21] > one.energy[22] && one.energy[19] > one.energy[18]);
        assert!(one.energy[26] < 1e-3, "six bands up: {}", one.energy[26]);
    }
}
