//! The stereo picture, from powers L^2, R^2 and the cross power L R, whole and by octave.
//!
//! - correlation = LR / sqrt(L^2 R^2), -1 to 1;
//! - side over mid = (L^2 + R^2 - 2 LR) / (L^2 + R^2 + 2 LR), in dB;
//! - loss in mono = 2 (L^2 + R^2) / (L^2 + R^2 + 2 LR), in dB: 0 for a centred source, 3.0 for two unrelated
//!   sides or a source on one side, without limit for a side turned over (shown as 60 at most);
//! - imbalance = R^2 / L^2 in dB, positive to the right.

use crate::spectrum::{Spectrum, StereoPowers, octaves_of};
use crate::{OCTAVES, levels::BlockLevels};
use serde::{Deserialize, Serialize};
use topdown_units::power_to_db;

/// No ratio is read further than this from 0 dB.
pub const WIDEST_DB: f64 = 60.0;
/// Blocks of 3 s quieter than this (dBFS, mean square of both sides) say nothing about correlation.
const QUIETEST_DBFS: f64 = -60.0;

/// The picture of one band, or of the whole.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct StereoBand {
    /// Correlation of the sides.
    pub correlation: f64,
    /// Side over mid, -60 to 60.
    pub side_over_mid_db: f64,
    /// What summing to mono loses, 0 to 60.
    pub mono_loss_db: f64,
    /// Right over left, -60 to 60.
    pub imbalance_db: f64,
}

impl StereoBand {
    /// From powers; `None` for silence.
    #[must_use]
    pub fn from_powers(left: f64, right: f64, cross: f64) -> Option<Self> {
        let sum = left + right;
        if sum <= 0.0 {
            return None;
        }
        // by Cauchy and Schwarz; rounding may break it by a hair
        let bound = (left * right).sqrt();
        let cross = cross.clamp(-bound, bound);
        let ratio_db = |over: f64, under: f64| {
            (power_to_db(over) - power_to_db(under)).clamp(-WIDEST_DB, WIDEST_DB)
        };
        Some(Self {
            correlation: if bound > 0.0 { cross / bound } else { 0.0 },
            side_over_mid_db: ratio_db(sum - 2.0 * cross, sum + 2.0 * cross),
            mono_loss_db: ratio_db(2.0 * sum, sum + 2.0 * cross).max(0.0),
            imbalance_db: ratio_db(right, left),
        })
    }
}

/// The stereo picture of a file with two channels.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Stereo {
    /// All bands together, 18 Hz to 22 kHz.
    pub whole: Option<StereoBand>,
    /// Each octave, 31.5 Hz to 16 kHz; `None` where there is nothing.
    pub by_octave: [Option<StereoBand>; OCTAVES],
    /// Lowest correlation of any 3 s above -60 dBFS.
    pub lowest_correlation: Option<f64>,
}

impl Stereo {
    /// The picture that a spectrum and blocks of 3 s give; `None` for mono.
    #[must_use]
    pub fn read(spectrum: &Spectrum, blocks: &[BlockLevels]) -> Option<Self> {
        let StereoPowers { left, right, cross } = spectrum.stereo.as_ref()?;
        let sum = |powers: &[f64]| powers.iter().sum::<f64>();
        let (l, r, x) = (octaves_of(left), octaves_of(right), octaves_of(cross));
        Some(Self {
            whole: StereoBand::from_powers(sum(left), sum(right), sum(cross)),
            by_octave: std::array::from_fn(|o| StereoBand::from_powers(l[o], r[o], x[o])),
            lowest_correlation: blocks.iter().filter_map(correlation).reduce(f64::min),
        })
    }
}

fn correlation(block: &BlockLevels) -> Option<f64> {
    let [left, right] = block.channels.as_slice() else { return None };
    let sum = left.mean_square + right.mean_square;
    let audible = power_to_db(sum) > QUIETEST_DBFS;
    let band = StereoBand::from_powers(left.mean_square, right.mean_square, block.cross);
    band.filter(|_| audible).map(|band| band.correlation)
}
