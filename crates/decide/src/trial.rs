//! The only way to hear: sessions go in, what they sound like at and below the mix bus comes out.
//!
//! A [`Trial`] renders the song's excerpts of each candidate through the real mix and measures them. Every
//! figure is at the candidate's own level; the cost reads only what does not change with it (levels re the
//! mix, ratios, peaks over loudness), so louder never wins. Deciding knows nothing of files, engines or threads behind it; tests put a model in its place.

use std::collections::BTreeMap;
use std::sync::Arc;
use topdown_analysis::spectrum::ErbEnergies;
use topdown_session::{ProcessorId, Session, StripId};

/// Renders and measures candidates.
pub trait Trial: Sync {
    /// Hears every candidate over the song's excerpts; the answers come in the candidates' order and do
    /// not depend on how many are asked for at once or on how many threads work on them.
    ///
    /// # Errors
    /// When a candidate cannot be rendered.
    fn hear(&self, candidates: &[&Session]) -> Result<Vec<Heard>, TrialError>;
}

/// Why a trial failed.
#[derive(Debug, thiserror::Error)]
pub enum TrialError {
    /// Somebody asked to stop.
    #[error("stopped")]
    Cancelled,
    /// The session cannot be rendered.
    #[error("this session cannot be heard: {0}")]
    Render(String),
}

/// What one candidate sounds like.
#[derive(Clone, Debug, PartialEq)]
pub struct Heard {
    /// One entry for each excerpt of the song, in the song's order.
    pub excerpts: Vec<HeardExcerpt>,
    /// K-weighted integrated loudness (LUFS) at the input of each level-dependent processor, over all
    /// excerpts together; the drive that `drive_lufs` is solved for. Silent inputs are absent.
    pub drive_lufs: BTreeMap<(StripId, ProcessorId), f64>,
}

/// What one excerpt of a candidate sounds like, at its own level.
#[derive(Clone, Debug, PartialEq)]
pub struct HeardExcerpt {
    /// The mix at the bus output.
    pub mix: MixHeard,
    /// Every strip that plays, the bus among them; groups, tracks and returns by id.
    pub strips: BTreeMap<StripId, StripHeard>,
    /// Gain reduction of each processor that has one.
    pub gain_reduction: BTreeMap<(StripId, ProcessorId), GainReduction>,
}

/// The mix at the bus output over one excerpt.
#[derive(Clone, Debug, PartialEq)]
pub struct MixHeard {
    /// Integrated loudness.
    pub loudness_lufs: f64,
    /// True peak.
    pub true_peak_dbtp: f64,
    /// Lowest peak-to-short-term ratio (true peak of the 3 s window less its loudness); `None` when shorter.
    pub min_psr_lu: Option<f64>,
    /// Power (linear, both channels summed) in each third of an octave, see [`topdown_analysis::third_centre_hz`].
    pub third_power: Vec<f64>,
    /// Side power over mid power in dB below 120 Hz, 200 Hz to 4 kHz, and above; `None` where nothing plays.
    pub side_to_mid_db: [Option<f64>; 3],
    /// Left minus right, in dB of power.
    pub imbalance_db: f64,
    /// What folding to mono costs: mean channel power over the power of the mid, in dB; 0 for mono.
    pub mono_loss_db: f64,
}

/// A strip within an excerpt: energies over time, both channels together. All strips of an excerpt have
/// the same frames.
#[derive(Clone, Debug, PartialEq)]
pub struct StripHeard {
    /// At the input of the chain. For a track this is its clips.
    pub input: Arc<ErbEnergies>,
    /// After chain, fader and pan: what the next strip sums.
    pub output: Arc<ErbEnergies>,
}

/// What a level-dependent processor did over one excerpt; all values are dB at or above 0.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct GainReduction {
    /// Mean over the excerpt.
    pub mean_db: f64,
    /// The most.
    pub max_db: f64,
    /// Share of the time with more than 0.5 dB, 0 to 1.
    pub share: f64,
}
