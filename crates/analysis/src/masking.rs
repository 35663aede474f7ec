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
//! **Partial loudness** (Chen, Hu, Glasberg, Moore 2011, "A new method of calculating auditory excitation patterns
//! and loudness for steady sounds"): E_part = max(0, E_k - K (E_tot - E_k)), K_dB = 6.51 e^2 - 1.93,
//! e = Cam(f) / Cam(1 kHz) - 1, at most +4 dB above 6 kHz (ours); loudness is the sum of E_part^0.3 per Cam (the
//! exponent is ours). It is 0 once a part is buried, so a search would get no slope from it: it is for reports.

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

/// Loudness of a part in the whole, frame by frame, in the model's own unit: compare, do not quote.
#[must_use]
pub fn partial_loudness(part: &ErbEnergies, total: &ErbEnergies) -> Vec<f64> {
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
