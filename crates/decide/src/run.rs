//! A run: the stages in order, from a session as it stands to a session with its decisions.

use crate::song::Song;
use crate::trial::{Trial, TrialError};
use std::collections::BTreeMap;
use std::ops::ControlFlow;
use topdown_session::{Levels, MoveId, Record, Session, Stage};

/// What a run works on.
#[derive(Clone, Copy)]
pub struct Request<'a> {
    /// The session so far: [`Session::empty`] for a new song. `settings` in it say what is wanted
    /// (strategy, depth, levels, profile).
    pub session: &'a Session,
    /// The evidence of the moves so far, in order; empty for a new song.
    pub journal: &'a [Record],
    /// What is known of the song.
    pub song: &'a Song,
}

/// What a run decided.
#[derive(Clone, Debug)]
pub struct Outcome {
    /// The session with all moves of the run in force.
    pub session: Session,
    /// The evidence of this run's moves, in the order in which they were decided.
    pub records: Vec<Record>,
    /// Cost of the whole mix after levels, by term (weighted), with the sum as `total`.
    pub cost_before: BTreeMap<String, f64>,
    /// Cost of the whole mix at the end, likewise.
    pub cost_after: BTreeMap<String, f64>,
    /// Where the levels came from.
    pub levels: LevelsChosen,
    /// The genre profile that gave the targets, by name, and why.
    pub profile: (String, String),
    /// How often the predictor was right.
    pub predictor: PredictorScore,
    /// Sessions heard.
    pub trials: usize,
    /// What a person should know, in plain words.
    pub warnings: Vec<String>,
}

/// Where the levels came from.
#[derive(Clone, Debug, PartialEq)]
pub struct LevelsChosen {
    /// Never [`Levels::Auto`].
    pub levels: Levels,
    /// In plain words, with the numbers that decided.
    pub why: String,
}

/// How often the predictor's ranking was right.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct PredictorScore {
    /// Pairs of candidates of one proposal that were both heard.
    pub pairs: usize,
    /// Pairs of which the one that was predicted better was better.
    pub right: usize,
    /// Candidates heard.
    pub heard: usize,
    /// Candidates of which the sign of the change was predicted right.
    pub sign_right: usize,
}

/// What happens during a run; the callback may stop it.
#[derive(Clone, Debug, PartialEq)]
pub enum Event {
    /// A stage begins.
    Stage(Stage),
    /// Candidates of one idea go on trial.
    Trying {
        /// In which stage.
        stage: Stage,
        /// What is tried.
        title: String,
        /// Sessions heard so far.
        trials: usize,
    },
    /// A move was decided.
    Decided {
        /// Which.
        id: MoveId,
        /// One line: what it does.
        title: String,
        /// Kept, or rejected.
        kept: bool,
        /// Change of the whole mix's cost; `None` where it is not heard (prep).
        delta: Option<f64>,
    },
}

/// Why a run ended without an outcome.
#[derive(Debug, thiserror::Error)]
pub enum DecideError {
    /// The callback said so.
    #[error("stopped")]
    Cancelled,
    /// No track is left to mix.
    #[error("there is nothing to mix: {0}")]
    NothingToMix(String),
    /// A profile's name that nobody knows, or a profile that does not parse.
    #[error("profile {name:?}: {reason}")]
    Profile {
        /// As asked for.
        name: String,
        /// Why it cannot be used.
        reason: String,
    },
    /// The session could not be heard.
    #[error(transparent)]
    Trial(TrialError),
}

impl From<TrialError> for DecideError {
    fn from(error: TrialError) -> Self {
        match error {
            TrialError::Cancelled => Self::Cancelled,
            other @ TrialError::Render(_) => Self::Trial(other),
        }
    }
}

/// Decides the mix: prep, levels, bus, groups, tracks, recheck, in the order of the session's strategy.
///
/// # Errors
/// [`DecideError`]; the session that came in is untouched.
pub fn run(
    request: Request<'_>,
    trial: &dyn Trial,
    progress: &mut dyn FnMut(&Event) -> ControlFlow<()>,
) -> Result<Outcome, DecideError> {
    let _ = (trial, progress);
    Err(DecideError::NothingToMix(request.song.name.clone()))
}
