//! Loudness out of band energies: what trials hear of a strip, and what the predictor can move about.
//!
//! The K weighting of ITU-R BS.1770-5 is taken at the centres of the ERB bands (magnitude of its two analogue
//! prototypes), and the gate works on sliding means of [`BLOCK_FRAMES`] frames, about 400 ms. Against the
//! meter that reads samples this is good to a few tenths of a LU, and it is used for differences only.

use std::sync::LazyLock;
use topdown_analysis::{ERB_BANDS, erb_centre_hz, spectrum::ErbEnergies};
use topdown_units::{db_to_gain, db_to_power, power_to_db};

/// Frames (64 to 93 ms each) of a gating block.
const BLOCK_FRAMES: usize = 5;
/// BS.1770-5: -0.691 dB makes a 997 Hz sine read its level.
const K_OFFSET_DB: f64 = -0.691;
/// BS.1770-5: blocks below this do not count.
const ABSOLUTE_GATE_LUFS: f64 = -70.0;
/// BS.1770-5: nor do blocks this far below the mean of the others.
const RELATIVE_GATE_LU: f64 = -10.0;

/// K weighting at the centre of each ERB band, as a power factor.
static K_WEIGHTS: LazyLock<[f64; ERB_BANDS]> =
    LazyLock::new(|| std::array::from_fn(|band| k_weight(erb_centre_hz(band))));

/// |high shelf|² |high-pass|² of BS.1770's stages, from their analogue parameters.
fn k_weight(hz: f64) -> f64 {
    // f0, gain and Q that give the standard's coefficients at 48 kHz under the bilinear transform.
    let (f0, gain_db, q) = (1_681.974_450_955_533, 3.999_843_853_973_347, 0.707_175_236_955_419_6);
    let (vh, w) = (db_to_gain(gain_db), hz / f0);
    let vb = db_to_gain(gain_db * 0.499_666_774_154_541_6);
    let below = (1.0 - w * w).powi(2) + (w / q).powi(2);
    let shelf = ((1.0 - vh * w * w).powi(2) + (vb * w / q).powi(2)) / below;
    let (f1, q1) = (38.135_470_876_024_44, 0.500_327_037_323_877_3);
    let v = hz / f1;
    let pass = v.powi(4) / ((1.0 - v * v).powi(2) + (v / q1).powi(2));
    shelf * pass
}

/// K-weighted power of each frame.
pub(crate) fn frame_powers(energies: &ErbEnergies) -> Vec<f64> {
    let weighted =
        |frame: &[f32]| frame.iter().zip(K_WEIGHTS.iter()).map(|(&e, k)| f64::from(e) * k).sum();
    energies.frames().map(weighted).collect()
}

/// Loudness of a K-weighted power.
pub(crate) fn lufs(power: f64) -> f64 {
    power_to_db(power) + K_OFFSET_DB
}

/// Sliding means over [`BLOCK_FRAMES`] frames, one for each frame from which a whole block starts.
pub(crate) fn blocks(powers: &[f64]) -> Vec<f64> {
    if powers.len() < BLOCK_FRAMES {
        let mean = powers.iter().sum::<f64>() / powers.len().max(1) as f64;
        return if powers.is_empty() { Vec::new() } else { vec![mean] };
    }
    let mean = |block: &[f64]| block.iter().sum::<f64>() / BLOCK_FRAMES as f64;
    powers.windows(BLOCK_FRAMES).map(mean).collect()
}

/// Mean power of the blocks that pass BS.1770's two gates; 0 when none does.
pub(crate) fn gated(blocks: &[f64]) -> f64 {
    let above = |gate: f64| {
        let (sum, count) = blocks
            .iter()
            .filter(|&&block| block > gate)
            .fold((0.0, 0usize), |(sum, count), block| (sum + block, count + 1));
        if count == 0 { 0.0 } else { sum / count as f64 }
    };
    let absolute = db_to_power(ABSOLUTE_GATE_LUFS - K_OFFSET_DB);
    let first = above(absolute);
    if first == 0.0 { 0.0 } else { above(absolute.max(first * db_to_power(RELATIVE_GATE_LU))) }
}

/// Integrated loudness over spans heard apart, in LUFS; minus infinity for silence.
pub(crate) fn integrated_lufs<'a>(spans: impl IntoIterator<Item = &'a ErbEnergies>) -> f64 {
    let all: Vec<f64> = spans.into_iter().flat_map(|span| blocks(&frame_powers(span))).collect();
    lufs(gated(&all))
}

/// To 0.01: decisions compare rounded figures, so that the last bits of a sum never decide.
pub(crate) fn hundredths(value: f64) -> f64 {
    (value * 100.0).round() / 100.0
}

#[cfg(test)]
mod tests {
    use super::*;

    fn steady(band: usize, power: f32, frames: usize) -> ErbEnergies {
        let mut energy = vec![0.0; ERB_BANDS * frames];
        energy.iter_mut().skip(band).step_by(ERB_BANDS).for_each(|e| *e = power);
        ErbEnergies { frame_s: 0.085, energy }
    }

    #[test]
    fn the_weighting_is_flat_at_1_khz_lifts_the_highs_by_4_db_and_drops_the_sub() {
        let at = |hz: f64| power_to_db(k_weight(hz));
        assert!((at(997.0) - 0.69).abs() < 0.1, "{}", at(997.0));
        assert!((at(10_000.0) - 4.0).abs() < 0.15, "{}", at(10_000.0));
        assert!((at(38.0) + 6.0).abs() < 0.5, "{}", at(38.0));
    }

    #[test]
    fn rests_do_not_lower_the_integrated_loudness() {
        let (sound, rest) = (steady(15, 0.1, 40), steady(15, 1e-9, 40));
        let alone = integrated_lufs([&sound]);
        assert!((integrated_lufs([&sound, &rest]) - alone).abs() < 0.01);
        assert!((integrated_lufs([&steady(15, 0.01, 40)]) - alone + 10.0).abs() < 0.01);
        assert_eq!(integrated_lufs([]), f64::NEG_INFINITY);
    }
}
