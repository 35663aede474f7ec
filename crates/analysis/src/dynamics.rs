//! How much the sound moves: crest factor, PLR, PSR and DR.
//!
//! - crest = sample peak less RMS, dB; a sine has 3.0. By octave: of its envelope.
//! - PLR = true peak less integrated loudness, LU.
//! - PSR = true peak of 3 s less their short-term loudness S, LU; the lowest over the loud part of the song
//!   (S within 6 LU of its maximum), every half second. Below 8 sounds over-limited in most genres.
//! - DR after the TT meter, v1.3: per channel, blocks of 3 s; RMS with a sine at 0 dB (mean square doubled);
//!   the second highest block peak over the RMS of the loudest fifth of the blocks; mean over channels.

use crate::{OCTAVES, levels::BlockLevels, loudness::Loudness, true_peak::SLOTS_PER_SECOND};
use serde::{Deserialize, Serialize};
use topdown_units::{gain_to_db, power_to_db};

/// PSR is read where S is this close to its maximum.
pub const LOUD_PART_LU: f64 = 6.0;

const PSR_SLOTS: usize = 3 * SLOTS_PER_SECOND;
const HOPS_PER_SLOT: usize = crate::loudness::HOPS_PER_SECOND / SLOTS_PER_SECOND;
const DR_LOUDEST: f64 = 0.2;

/// The dynamics of a file. `None` where the sound is silent or too short to say.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Dynamics {
    /// Sample peak over RMS.
    pub crest_db: Option<f64>,
    /// Peak of each octave's envelope over its RMS; `None` as a whole if it was not read (trials).
    pub crest_by_octave_db: Option<[Option<f64>; OCTAVES]>,
    /// True peak over integrated loudness.
    pub plr_lu: Option<f64>,
    /// Lowest PSR of the loud part.
    pub psr_min_lu: Option<f64>,
    /// Where the 3 s with the lowest PSR start.
    pub psr_min_at_s: Option<f64>,
    /// DR of the TT meter.
    pub dr_db: Option<f64>,
}

/// A difference of two levels, if both are more than silence.
pub(crate) fn difference(upper: f64, lower: f64) -> Option<f64> {
    (upper.is_finite() && lower.is_finite()).then_some(upper - lower)
}

/// The lowest PSR of the loud part and where it is, in seconds. `slot_peak` as in
/// [`crate::true_peak::TruePeak`].
#[must_use]
pub fn psr_min(slot_peak: &[f32], loudness: &Loudness) -> Option<(f64, f64)> {
    let short_term = loudness.whole().short_term_lufs();
    let loudest = short_term.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    let psr = |slot: usize, peaks: &[f32]| {
        let s = *short_term.get(slot * HOPS_PER_SLOT)?;
        let peak = peaks.iter().copied().fold(0.0, f32::max);
        let psr = difference(gain_to_db(f64::from(peak)), s)?;
        (s >= loudest - LOUD_PART_LU).then_some((psr, slot as f64 / SLOTS_PER_SECOND as f64))
    };
    let windows = slot_peak.windows(PSR_SLOTS).enumerate();
    windows.filter_map(|(slot, peaks)| psr(slot, peaks)).min_by(|a, b| a.0.total_cmp(&b.0))
}

/// DR of the TT meter; `None` for less than two blocks or silence.
#[must_use]
pub fn dr_db(blocks: &[BlockLevels]) -> Option<f64> {
    let channels = blocks.first()?.channels.len();
    let readings: Vec<f64> = (0..channels).filter_map(|c| channel_dr_db(blocks, c)).collect();
    (!readings.is_empty()).then(|| readings.iter().sum::<f64>() / readings.len() as f64)
}

fn channel_dr_db(blocks: &[BlockLevels], channel: usize) -> Option<f64> {
    let levels: Vec<_> = blocks.iter().filter_map(|b| b.channels.get(channel)).collect();
    let mut squares: Vec<f64> = levels.iter().map(|level| 2.0 * level.mean_square).collect();
    squares.sort_by(|a, b| b.total_cmp(a));
    let loudest = ((squares.len() as f64 * DR_LOUDEST) as usize).max(1);
    let rms_db = power_to_db(squares.iter().take(loudest).sum::<f64>() / loudest as f64);
    let mut peaks: Vec<f32> = levels.iter().map(|level| level.peak).collect();
    peaks.sort_by(|a, b| b.total_cmp(a));
    difference(gain_to_db(f64::from(*peaks.get(1)?)), rms_db)
}
