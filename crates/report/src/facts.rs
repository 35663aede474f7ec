//! What a report says, as plain data. This is also what `--json` prints.

use serde::Serialize;
use std::collections::BTreeMap;
use topdown_session::{Author, MoveState, Stage};

/// Everything a report of a mix says.
#[derive(Clone, Debug, Serialize)]
pub struct Facts {
    /// What the song is called.
    pub song: String,
    /// Rate of session and print.
    pub sample_rate_hz: u32,
    /// Length of the print.
    pub duration_s: f64,
    /// Where things are, as paths relative to nothing: as the person gave them.
    pub places: Places,
    /// What each track is.
    pub tracks: Vec<TrackFact>,
    /// How the groups sit in the mix.
    pub groups: Vec<GroupFact>,
    /// Which levels were aimed at, and why.
    pub levels: String,
    /// Which profile was aimed at, and why.
    pub profile: String,
    /// Every move in order, rejected ones too.
    pub moves: Vec<MoveFact>,
    /// Cost of the plain sum by term, with `total`; empty if nothing was decided in this run.
    pub cost_before: BTreeMap<String, f64>,
    /// Cost of the mix by term, likewise.
    pub cost_after: BTreeMap<String, f64>,
    /// The print, as measured.
    pub print: PrintFact,
    /// 1/3-octave levels at matched loudness, against the corridor.
    pub spectrum: Vec<BandFact>,
    /// Short-term loudness over time.
    pub loudness: Vec<LoudnessPoint>,
    /// Mean gain reduction of the mix bus's compressor over the loudest ten seconds, as a positive number;
    /// `None` without one.
    pub bus_glue_db: Option<f64>,
    /// Gain reduction of the mix bus over time.
    pub bus_gain_reduction: Vec<TimePoint>,
    /// Sections of the song.
    pub sections: Vec<SectionFact>,
    /// What a person should know.
    pub warnings: Vec<String>,
}

/// Where the results are.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Places {
    /// The print.
    pub print: String,
    /// The session folder.
    pub session: String,
    /// This report as a page.
    pub report: String,
}

/// What a track is taken for.
#[derive(Clone, Debug, Serialize)]
pub struct TrackFact {
    /// Id of its strip.
    pub strip: String,
    /// What a person reads.
    pub name: String,
    /// Its role's id.
    pub role: String,
    /// How sure, 0 to 1.
    pub confidence: f64,
    /// The group that sums it; empty if it feeds the bus.
    pub group: String,
    /// Integrated loudness of the recording; `None` if it is silent.
    pub loudness_lufs: Option<f64>,
    /// Its fader.
    pub fader_db: f64,
    /// Its pan, -1 to +1.
    pub pan: f64,
    /// Whether it has a processor, or a fader or pan changed after stage levels.
    pub touched: bool,
    /// Why it is left out, if it is.
    pub left_out: Option<String>,
}

/// How a group sits in the mix.
#[derive(Clone, Debug, Serialize)]
pub struct GroupFact {
    /// What a person reads.
    pub name: String,
    /// Loudness relative to the whole in the plain sum.
    pub before_lu: Option<f64>,
    /// Loudness relative to the whole in the mix.
    pub after_lu: Option<f64>,
    /// What was aimed at, if anything.
    pub target_lu: Option<f64>,
    /// How far from the target nobody minds.
    pub tolerance_lu: f64,
}

/// One move.
#[derive(Clone, Debug, Serialize)]
pub struct MoveFact {
    /// Its id.
    pub id: String,
    /// When in the run.
    pub stage: Stage,
    /// Who made it.
    pub author: Author,
    /// What became of it.
    pub state: MoveState,
    /// Whether it is switched on.
    pub on: bool,
    /// 0 to 100.
    pub amount_percent: f64,
    /// Protected from the mixer.
    pub locked: bool,
    /// Made through inputs that have changed since.
    pub stale: bool,
    /// What it does, one line.
    pub title: String,
    /// Why, in plain words.
    pub reason: String,
    /// Change of the cost of the whole mix, below zero is better; `None` if it was not tried.
    pub cost_change: Option<f64>,
    /// Change by term, the largest first.
    pub terms: Vec<(String, f64)>,
    /// Tracks made more audible, with how much, in LU.
    pub leverage: Vec<(String, f64)>,
}

/// The print as measured.
#[derive(Clone, Debug, Serialize)]
pub struct PrintFact {
    /// What was asked for, in words.
    pub target: String,
    /// Integrated loudness asked for.
    pub target_lufs: f64,
    /// Integrated loudness reached.
    pub integrated_lufs: f64,
    /// Loudness range; `None` for songs under a minute, where it means little.
    pub range_lu: Option<f64>,
    /// Highest true peak.
    pub true_peak_dbtp: f64,
    /// The ceiling.
    pub ceiling_dbtp: f64,
    /// Peak to loudness.
    pub plr_lu: f64,
    /// Lowest peak to short-term loudness.
    pub psr_min_lu: Option<f64>,
    /// Stereo correlation, -1 to +1.
    pub correlation: f64,
    /// What is lost when both channels are added.
    pub mono_loss_db: f64,
    /// Gain from the mix bus to the print.
    pub gain_db: f64,
    /// Most gain reduction of the print limiter; `None` without one.
    pub limiting_db: Option<f64>,
    /// Why the target was not reached, if it was not.
    pub shortfall: Option<String>,
}

/// One 1/3-octave band, levels relative to the whole.
#[derive(Clone, Debug, Serialize)]
pub struct BandFact {
    /// Centre.
    pub hz: f64,
    /// Plain sum.
    pub before_db: f64,
    /// Mix.
    pub after_db: f64,
    /// Lower edge of the corridor.
    pub low_db: f64,
    /// Upper edge of the corridor.
    pub high_db: f64,
}

/// Short-term loudness at a time.
#[derive(Clone, Debug, Serialize)]
pub struct LoudnessPoint {
    /// When.
    pub time_s: f64,
    /// Plain sum, brought to the mix's integrated loudness.
    pub before_lufs: Option<f64>,
    /// The print.
    pub after_lufs: Option<f64>,
}

/// A value at a time.
#[derive(Clone, Debug, Serialize)]
pub struct TimePoint {
    /// When.
    pub time_s: f64,
    /// How much.
    pub value: f64,
}

/// A section of the song.
#[derive(Clone, Debug, Serialize)]
pub struct SectionFact {
    /// Its name.
    pub name: String,
    /// Its start.
    pub from_s: f64,
    /// Its end.
    pub to_s: f64,
}

impl Facts {
    /// Moves of one stage that are in force or a person's.
    pub fn kept(&self, stage: Stage) -> impl Iterator<Item = &MoveFact> {
        self.moves.iter().filter(move |m| m.stage == stage && m.state == MoveState::Kept)
    }

    /// How many moves were tried and not kept.
    #[must_use]
    pub fn rejected(&self) -> usize {
        self.moves.iter().filter(|m| m.state == MoveState::Rejected).count()
    }
}
