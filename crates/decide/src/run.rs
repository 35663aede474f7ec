//! A run: the stages in order, from a session as it stands to a session with its decisions.

use crate::desk::Desk;
use crate::profile::Profile;
use crate::song::Song;
use crate::trial::{Trial, TrialError};
use crate::{bus, groups, levels, prep, recheck, tracks};
use std::collections::BTreeMap;
use std::ops::ControlFlow;
use topdown_session::{
    Author, Levels, MixSettings, MoveId, MoveState, Record, Session, Stage, Strategy, StripId,
};

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
    let settings = request.session.settings.clone();
    let (profile, why) = Profile::wanted(&settings.profile, request.song)?;
    let name = profile.name.clone();
    let targets = levels::targets(request.session, profile.clone());
    let mut desk = Desk::new(&request, trial, progress, targets);
    desk.say(&Event::Stage(Stage::Prep))?;
    let new = prep::prep(&mut desk)?;
    if prep::heard_until(request.song) == 0 {
        return Ok(of_silence(desk, (name, why)));
    }
    desk.targets = levels::targets(&desk.session, profile);
    desk.say(&Event::Stage(Stage::Levels))?;
    let levels = levels::levels(&mut desk, &new)?;
    let cost_before = desk.cost.by_name();
    if changed(&request, &new) {
        recheck::resolve(&mut desk)?;
        stages(&mut desk, &settings)?;
        desk.say(&Event::Stage(Stage::Recheck))?;
        recheck::resolve(&mut desk)?;
        recheck::prune(&mut desk)?;
        recheck::resolve(&mut desk)?;
    }
    let records = desk.journal.split_off(desk.earlier);
    Ok(Outcome {
        session: desk.session,
        records,
        cost_before,
        cost_after: desk.cost.by_name(),
        levels,
        profile: (name, why),
        predictor: desk.score,
        trials: desk.trials,
        warnings: desk.warnings,
    })
}

/// The outcome for a song in which nothing is heard: its tracks are taken in, and that is all.
fn of_silence(mut desk: Desk<'_>, profile: (String, String)) -> Outcome {
    let why = "all tracks are silent, and so is the mix".to_owned();
    desk.warnings.push(why.clone());
    Outcome {
        records: desk.journal.split_off(desk.earlier),
        session: desk.session,
        cost_before: BTreeMap::new(),
        cost_after: BTreeMap::new(),
        levels: LevelsChosen { levels: Levels::Keep, why },
        profile,
        predictor: desk.score,
        trials: desk.trials,
        warnings: desk.warnings,
    }
}

/// The cost of a session as it stands, by term, against the priors of its profile: to compare sessions,
/// strategies and baselines. Contrast is not judged, since there is no balance to hold it against.
///
/// # Errors
/// As [`run`].
pub fn score(
    request: Request<'_>,
    trial: &dyn Trial,
) -> Result<BTreeMap<String, f64>, DecideError> {
    let (profile, _) = Profile::wanted(&request.session.settings.profile, request.song)?;
    let targets = levels::targets(request.session, profile);
    let mut carry_on = |_: &Event| ControlFlow::Continue(());
    let mut desk = Desk::new(&request, trial, &mut carry_on, targets);
    desk.listen()?;
    Ok(desk.cost.by_name())
}

/// Whether there is anything to decide: a new song, a new track, or a person's move since the last run.
fn changed(request: &Request<'_>, new: &[StripId]) -> bool {
    let last_ours = request.session.moves.iter().rposition(|m| m.author == Author::Topdown);
    let by_hand = request.session.moves.iter().rposition(|m| m.author == Author::Person);
    let steered = request
        .session
        .moves
        .iter()
        .any(|m| m.state == MoveState::Kept && (!m.on || m.amount_percent < 100.0));
    let stale = request.session.strips.iter().any(|strip| strip.stale);
    !new.is_empty() || by_hand > last_ours || steered || stale
}

/// The weighed stages in the strategy's order, down to the depth that was asked for.
fn stages(desk: &mut Desk<'_>, settings: &MixSettings) -> Result<(), DecideError> {
    let wants = |stage: Stage| stage <= settings.depth;
    let named: &[StripId] = match settings.strategy {
        Strategy::Hybrid => &settings.bottom_up,
        Strategy::TopDown | Strategy::BottomUp => &[],
    };
    let bottom_up = match settings.strategy {
        Strategy::TopDown => None,
        Strategy::BottomUp => Some(named),
        Strategy::Hybrid => (!named.is_empty()).then_some(named),
    };
    if let Some(named) = bottom_up {
        if wants(Stage::Tracks) {
            desk.say(&Event::Stage(Stage::Tracks))?;
            tracks::tracks(desk, Some(named))?;
        }
        if wants(Stage::Groups) {
            desk.say(&Event::Stage(Stage::Groups))?;
            groups::groups(desk, (!named.is_empty()).then_some(named))?;
        }
    }
    desk.say(&Event::Stage(Stage::Bus))?;
    bus::bus(desk)?;
    if settings.strategy == Strategy::BottomUp {
        return Ok(());
    }
    if wants(Stage::Groups) {
        desk.say(&Event::Stage(Stage::Groups))?;
        groups::groups(desk, None)?;
    }
    if wants(Stage::Tracks) {
        desk.say(&Event::Stage(Stage::Tracks))?;
        tracks::tracks(desk, None)?;
    }
    Ok(())
}
