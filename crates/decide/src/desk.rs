//! Where decisions are made: a proposal's candidates are ranked, the best are heard, the best of those is
//! kept if the whole mix gets better by enough, and everything is written down.

use crate::bands::hundredths;
use crate::chain;
use crate::cost::{Cost, GUARD, Spent, TERMS, Targets, mix_lufs};
use crate::guard::Guard;
use crate::leverage::leverage;
use crate::predict::predict;
use crate::run::{DecideError, Event, PredictorScore, Request};
use crate::song::{ExcerptKind, Song};
use crate::trial::{Heard, Trial, TrialError};
use std::collections::BTreeMap;
use std::ops::ControlFlow;
use topdown_session::{
    Author, Candidate, Edit, Evidence, Finding, MoveId, MoveState, ProcessorId, Record, Session,
    Stage, StripId,
};

/// Candidates of one proposal that go on trial.
const HEARD_AT_ONCE: usize = 3;
/// A candidate that the predictor does not expect to lower the cost by this much is not heard.
const WORTH_HEARING: f64 = -0.001;
/// Mean and deepest gain reduction of the bus over the loudest excerpt.
const BUS_REDUCTION_LIMITS_DB: (f64, f64) = (4.0, 6.0);

/// Something to do, with its alternatives.
pub(crate) struct Proposal {
    pub(crate) stage: Stage,
    pub(crate) strip: StripId,
    /// What the proposal is about, for progress.
    pub(crate) about: String,
    /// Plain words: what was heard, and what that asks for.
    pub(crate) reason: String,
    pub(crate) heard: Vec<Finding>,
    /// Within which bounds the candidates were sought.
    pub(crate) bounds: String,
    /// The change of the cost from which on a candidate is kept: a fall for a remedy, a rise that may be
    /// suffered for what gives the mix its character.
    pub(crate) keep_from: f64,
    pub(crate) choices: Vec<Choice>,
}

/// One candidate.
pub(crate) struct Choice {
    pub(crate) title: String,
    pub(crate) edits: Vec<Edit>,
    /// The session with the edits made, as heard, where finding the candidate took hearing it.
    pub(crate) heard: Option<(Session, Heard)>,
}

/// The state of a run.
pub(crate) struct Desk<'a> {
    pub(crate) song: &'a Song,
    trial: &'a dyn Trial,
    progress: &'a mut dyn FnMut(&Event) -> ControlFlow<()>,
    pub(crate) session: Session,
    /// All records, those of earlier runs first.
    pub(crate) journal: Vec<Record>,
    /// How many records are from earlier runs.
    pub(crate) earlier: usize,
    /// The session as it sounds now, and its cost.
    pub(crate) heard: Heard,
    pub(crate) cost: Cost,
    pub(crate) targets: Targets,
    /// Most dB that a single move after levels may do (1 where the incoming balance is kept).
    pub(crate) reach_db: f64,
    pub(crate) score: PredictorScore,
    pub(crate) trials: usize,
    pub(crate) warnings: Vec<String>,
}

/// A candidate on its way through [`Desk::decide`].
struct Tried {
    index: usize,
    session: Session,
    heard: Option<Heard>,
    predicted: f64,
    cost: Option<Cost>,
    spent: Spent,
}

impl<'a> Desk<'a> {
    pub(crate) fn new(
        request: &Request<'a>,
        trial: &'a dyn Trial,
        progress: &'a mut dyn FnMut(&Event) -> ControlFlow<()>,
        targets: Targets,
    ) -> Self {
        Self {
            song: request.song,
            trial,
            progress,
            session: request.session.clone(),
            journal: request.journal.to_vec(),
            earlier: request.journal.len(),
            heard: Heard { excerpts: Vec::new(), drive_lufs: BTreeMap::new() },
            cost: Cost::default(),
            targets,
            reach_db: f64::INFINITY,
            score: PredictorScore::default(),
            trials: 0,
            warnings: Vec::new(),
        }
    }

    pub(crate) fn say(&mut self, event: &Event) -> Result<(), DecideError> {
        match (self.progress)(event) {
            ControlFlow::Continue(()) => Ok(()),
            ControlFlow::Break(()) => Err(DecideError::Cancelled),
        }
    }

    /// Hears sessions.
    pub(crate) fn hear(&mut self, sessions: &[&Session]) -> Result<Vec<Heard>, DecideError> {
        if sessions.is_empty() {
            return Ok(Vec::new());
        }
        self.trials += sessions.len();
        let heard = self.trial.hear(sessions)?;
        if heard.len() == sessions.len() {
            return Ok(heard);
        }
        let counts = format!("{} answers for {} sessions", heard.len(), sessions.len());
        Err(TrialError::Render(counts).into())
    }

    /// Hears the session as it stands and works out its cost.
    pub(crate) fn listen(&mut self) -> Result<(), DecideError> {
        let session = self.session.clone();
        if let Some(heard) = self.hear(&[&session])?.pop() {
            self.heard = heard;
        }
        self.cost = self.cost_of(&session, &self.heard, self.spent());
        Ok(())
    }

    pub(crate) fn cost_of(&self, session: &Session, heard: &Heard, spent: Spent) -> Cost {
        Cost::of(session, heard, &self.targets, spent)
    }

    /// What the mixer's moves after levels have spent.
    pub(crate) fn spent(&self) -> Spent {
        spent_by(&self.session, &self.journal)
    }

    pub(crate) fn guard(&self) -> Guard {
        Guard::of(&self.session, &self.journal)
    }

    pub(crate) fn next_id(&self, stage: Stage) -> MoveId {
        self.session.next_move_id(stage, &self.journal)
    }

    /// Index of the excerpt at which bus gain reduction is read.
    pub(crate) fn loudest(&self) -> usize {
        let kinds = &self.song.excerpts;
        kinds.iter().position(|excerpt| excerpt.kind == ExcerptKind::Loudest).unwrap_or(0)
    }

    /// The session with edits made, rounded to what is saved; `None` if they do not fit or may not be made.
    pub(crate) fn with(&self, edits: &mut [Edit]) -> Option<Session> {
        let guard = self.guard();
        let mut session = self.session.clone();
        for edit in edits {
            *edit = edit.clone().rounded(&session);
            if !guard.allows(edit) {
                return None;
            }
            session.apply(edit).ok()?;
        }
        Some(session)
    }

    /// Takes in a move that is not weighed by the cost (prep, levels, re-solving); false if it does not fit.
    pub(crate) fn adopt(&mut self, mut record: Record) -> Result<bool, DecideError> {
        let Some(_) = self.with(&mut record.edits) else { return Ok(false) };
        self.write(record, None)
    }

    fn write(&mut self, record: Record, delta: Option<f64>) -> Result<bool, DecideError> {
        if let Err(error) = self.session.adopt(&record) {
            self.warnings.push(format!("{} could not be made: {error}", record.title));
            return Ok(false);
        }
        let kept = record.state == MoveState::Kept;
        let event =
            Event::Decided { id: record.id.clone(), title: record.title.clone(), kept, delta };
        self.journal.push(record);
        self.say(&event)?;
        Ok(kept)
    }

    /// Decides a proposal; true when one of its candidates was kept.
    pub(crate) fn decide(&mut self, mut proposal: Proposal) -> Result<bool, DecideError> {
        let mut tried = self.rank(&mut proposal);
        if tried.is_empty() {
            return Ok(false);
        }
        self.say(&Event::Trying {
            stage: proposal.stage,
            title: proposal.about.clone(),
            trials: self.trials,
        })?;
        self.try_out(&mut tried)?;
        self.keep_score(&tried);
        let order = |t: &Tried| {
            let cost = t.cost.as_ref().map_or(f64::INFINITY, |c| (c.total() * 1e4).round());
            (cost, t.spent.squared_db, t.index)
        };
        tried.sort_by(|a, b| order(a).partial_cmp(&order(b)).unwrap_or(std::cmp::Ordering::Equal));
        let verdicts: Vec<String> =
            tried.iter().map(|t| self.verdict(t, proposal.keep_from)).collect();
        let best = verdicts.iter().position(String::is_empty);
        let first = best.unwrap_or(0);
        let candidates = candidates(&proposal, &tried, &verdicts, (first, self.cost.total()));
        let Some(winner) = tried.into_iter().nth(first) else { return Ok(false) };
        self.conclude(proposal, winner, candidates, best.is_some())
    }

    /// Candidates that may be made, with the predictor's guess, best guess first.
    fn rank(&self, proposal: &mut Proposal) -> Vec<Tried> {
        let now = self.cost.total();
        let before = self.spent();
        let mut tried = Vec::new();
        for (index, choice) in proposal.choices.iter_mut().enumerate() {
            let made = choice.heard.take();
            let Some(session) = self.with(&mut choice.edits) else { continue };
            let spent = chain::spent(&choice.edits);
            let guess = predict(&self.heard, &self.session, &session);
            let predicted = self.cost_of(&session, &guess, before + spent).total() - now;
            let heard = made.map(|(_, heard)| heard);
            tried.push(Tried { index, session, heard, predicted, cost: None, spent });
        }
        let key = |t: &Tried| ((t.predicted * 1e4).round(), t.spent.squared_db, t.index);
        tried.sort_by(|a, b| key(a).partial_cmp(&key(b)).unwrap_or(std::cmp::Ordering::Equal));
        tried
    }

    /// Hears the most promising candidates.
    fn try_out(&mut self, tried: &mut [Tried]) -> Result<(), DecideError> {
        let wanted: Vec<usize> = (0..tried.len())
            .filter(|i| tried[*i].heard.is_none() && tried[*i].predicted <= WORTH_HEARING)
            .take(HEARD_AT_ONCE)
            .collect();
        let sessions: Vec<&Session> = wanted.iter().map(|i| &tried[*i].session).collect();
        let heard = self.hear(&sessions)?;
        for (index, heard) in wanted.into_iter().zip(heard) {
            tried[index].heard = Some(heard);
        }
        let before = self.spent();
        for one in tried.iter_mut() {
            if let Some(heard) = &one.heard {
                one.cost = Some(self.cost_of(&one.session, heard, before + one.spent));
            }
        }
        Ok(())
    }

    fn keep_score(&mut self, tried: &[Tried]) {
        let now = self.cost.total();
        let heard: Vec<(f64, f64)> = tried
            .iter()
            .filter_map(|t| Some((t.predicted, t.cost.as_ref()?.total() - now)))
            .collect();
        for (i, (guess, measured)) in heard.iter().enumerate() {
            self.score.heard += 1;
            self.score.sign_right += usize::from((*guess < 0.0) == (*measured < 0.0));
            for (other_guess, other) in heard.iter().skip(i + 1) {
                self.score.pairs += 1;
                self.score.right += usize::from((guess < other_guess) == (measured < other));
            }
        }
    }

    /// Why a candidate is not taken; empty if it may be.
    fn verdict(&self, tried: &Tried, keep_from: f64) -> String {
        let (Some(cost), Some(heard)) = (&tried.cost, &tried.heard) else {
            return "not heard: the predictor expects too little of it".to_owned();
        };
        let delta = cost.total() - self.cost.total();
        let (term, rise) = cost.worst_rise(&self.cost);
        if delta > keep_from {
            format!("the whole mix gains too little: the cost changes by {delta:+.3}")
        } else if rise > GUARD {
            format!("{term} gets worse by {rise:.3}")
        } else {
            self.limit(&tried.session, heard).unwrap_or_default()
        }
    }

    /// The hard limit that a candidate breaks, if it does.
    fn limit(&self, session: &Session, heard: &Heard) -> Option<String> {
        let bus = session.bus()?;
        let excerpt = heard.excerpts.get(self.loudest())?;
        let on_bus = excerpt.gain_reduction.iter().filter(|((strip, _), _)| *strip == bus.id);
        let (mean, deepest) = BUS_REDUCTION_LIMITS_DB;
        for (_, reduction) in on_bus {
            if reduction.mean_db > mean || reduction.max_db > deepest {
                return Some(format!(
                    "the bus would be reduced by {:.1} dB on average and {:.1} dB at most; {mean} and {deepest} are the limits",
                    reduction.mean_db, reduction.max_db
                ));
            }
        }
        let loss =
            |heard: &Heard| heard.excerpts.iter().map(|e| e.mix.mono_loss_db).fold(0.0, f64::max);
        let (was, is) = (loss(&self.heard), loss(heard));
        (is > 3.0 && is > was + 0.5).then(|| format!("folding to mono would cost {is:.1} dB"))
    }

    fn conclude(
        &mut self,
        mut proposal: Proposal,
        winner: Tried,
        candidates: Vec<Candidate>,
        kept: bool,
    ) -> Result<bool, DecideError> {
        let choice = proposal.choices.swap_remove(winner.index);
        let delta = winner.cost.as_ref().map(|cost| cost.total() - self.cost.total());
        let mut evidence = Evidence {
            heard: proposal.heard,
            candidates,
            bounds: proposal.bounds,
            confidence: confidence(delta),
            ..Evidence::default()
        };
        if let Some(cost) = &winner.cost {
            evidence.cost_before = self.cost.by_name();
            evidence.cost_after = cost.by_name();
        }
        if let (true, Some(heard)) = (kept, &winner.heard) {
            evidence.leverage = leverage((&self.session, &self.heard), (&winner.session, heard));
        }
        let outcome = match &winner.cost {
            Some(cost) => effect(&self.cost, cost),
            None => "No candidate was worth hearing.".to_owned(),
        };
        let verdict = match evidence.candidates.first() {
            Some(first) if !kept && winner.cost.is_some() => {
                format!(" Left out: {}.", first.verdict)
            }
            _ => String::new(),
        };
        let state = if kept { MoveState::Kept } else { MoveState::Rejected };
        let record = Record {
            id: self.next_id(proposal.stage),
            stage: proposal.stage,
            author: Author::Topdown,
            state,
            title: choice.title,
            reason: format!("{} {outcome}{verdict}", proposal.reason),
            strip: Some(proposal.strip),
            edits: choice.edits,
            evidence,
        };
        let kept = self.write(record, delta)?;
        if let (true, Some(heard), Some(cost)) = (kept, winner.heard, winner.cost) {
            self.heard = heard;
            self.cost = cost;
        }
        Ok(kept)
    }

    /// Gain reduction of a processor in one excerpt.
    pub(crate) fn reduction(
        heard: &Heard,
        excerpt: usize,
        at: &(StripId, ProcessorId),
    ) -> Option<f64> {
        heard.excerpts.get(excerpt)?.gain_reduction.get(at).map(|gr| hundredths(gr.mean_db))
    }

    /// Loudness of the mix as it stands.
    pub(crate) fn mix_lufs(&self) -> f64 {
        mix_lufs(&self.heard)
    }
}

/// What the mixer's moves after levels have spent, in a session.
pub(crate) fn spent_by(session: &Session, journal: &[Record]) -> Spent {
    let by_id: BTreeMap<&MoveId, &Record> = journal.iter().map(|r| (&r.id, r)).collect();
    let weighed = [Stage::Bus, Stage::Groups, Stage::Tracks];
    let mut sum = Spent::default();
    for one in session.moves.iter().filter(|m| m.counts() && weighed.contains(&m.stage)) {
        if let Some(record) = by_id.get(&one.id) {
            let share = one.amount_percent / 100.0;
            let spent = chain::spent(&record.edits);
            sum = sum + Spent { squared_db: spent.squared_db * share * share, ..spent };
        }
    }
    sum
}

/// A gain of 0.01 is even odds that somebody else would make the move, too.
const EVEN_ODDS_DELTA: f64 = 0.01;

fn confidence(delta: Option<f64>) -> f64 {
    let gain = delta.map_or(0.0, |delta| (-delta).max(0.0));
    hundredths(gain / (gain + EVEN_ODDS_DELTA))
}

fn candidates(
    proposal: &Proposal,
    tried: &[Tried],
    verdicts: &[String],
    (first, now): (usize, f64),
) -> Vec<Candidate> {
    let change = |t: &Tried| t.cost.as_ref().map(|cost| cost.total() - now);
    let of = |(tried, verdict): (&Tried, &String)| Candidate {
        title: proposal.choices.get(tried.index).map_or_else(String::new, |c| c.title.clone()),
        predicted: tried.predicted,
        measured: change(tried),
        verdict: verdict.clone(),
    };
    let mut all: Vec<Candidate> = tried.iter().zip(verdicts).map(of).collect();
    if first < all.len() {
        let winner = all.remove(first);
        all.insert(0, winner);
    }
    for other in all.iter_mut().skip(1).filter(|c| c.verdict.is_empty()) {
        "good, but not the best".clone_into(&mut other.verdict);
    }
    all
}

/// Changes of a feed's audibility from this on are told.
const TOLD_AUDIBILITY: f64 = 0.01;

/// What a move does to the whole, in words.
pub(crate) fn effect(before: &Cost, after: &Cost) -> String {
    let mut parts: Vec<(&str, f64)> = TERMS
        .iter()
        .zip(after.terms.iter().zip(before.terms))
        .map(|((name, _), (after, before))| (*name, after - before))
        .filter(|(_, change)| change.abs() >= 0.001)
        .collect();
    parts.sort_by(|a, b| b.1.abs().partial_cmp(&a.1.abs()).unwrap_or(std::cmp::Ordering::Equal));
    let words: Vec<String> =
        parts.iter().take(3).map(|(name, change)| format!("{name} {change:+.3}")).collect();
    let heard: Vec<String> = after
        .audibility
        .iter()
        .filter_map(|(feed, is)| Some((feed, *before.audibility.get(feed)?, *is)))
        .filter(|(_, was, is)| (is - was).abs() >= TOLD_AUDIBILITY)
        .map(|(feed, was, is)| format!("{feed} from {was:.2} to {is:.2}"))
        .collect();
    let heard = if heard.is_empty() {
        String::new()
    } else {
        format!(" Audibility: {}.", heard.join(", "))
    };
    let list = if words.is_empty() { String::new() } else { format!(" ({})", words.join(", ")) };
    format!(
        "Heard through the bus, the cost of the whole mix goes from {:.3} to {:.3}{list}.{heard}",
        before.total(),
        after.total()
    )
}
