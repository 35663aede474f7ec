//! The document as the fold of its moves.
//!
//! Everything in a session is there because a move put it there: importing tracks is itself a move of
//! stage prep. So the strips, values, files and markers of a document are the fold of the edits of its
//! moves, in order, over the empty session, and switching a move off or scaling it means folding again.
//!
//! - A move counts when it is kept, on, and its amount is above 0 %.
//! - The mixer's `Set` is a change: `current + amount * (new - old)` on the parameter's own scale (dB, or
//!   the logarithm of a frequency), automation point by point. What an amount leaves alone
//!   ([`topdown_dsp::AmountRule::Fixed`]) is set as it is. So an earlier move can be taken out from under a later one.
//! - A person's `Set` is absolute: `current + amount * (new - current)`. It ends the chain of what moved
//!   that value before.
//! - A processor comes with its scaled parameters at their part of the way from doing nothing: gains from
//!   their defaults, `amount_percent` (or `mix_percent`, if there is no such) from 0.
//! - A new send comes `20 log10(amount)` dB lower; the level of one that was there moves in dB.
//! - Facts, clips, strips, files, markers, bypass, key are on or off. Of facts, bypass and key only what an
//!   edit changes is changed.
//! - A processor or strip of a move that is off still holds its place in the order, so what came later
//!   stands where it stood. An edit on something that is not there is skipped and noted.

use crate::fold::Fold;
use crate::journal::Record;
use crate::model::{Move, MoveId, MoveState, Session, Stage};
use crate::validate::{Problem, validate};
use std::collections::{BTreeMap, BTreeSet};

/// What came out of a fold.
#[derive(Clone, Debug, PartialEq)]
pub struct Replay {
    /// The session.
    pub session: Session,
    /// What could not be done as it was written.
    pub notes: Vec<Note>,
}

/// Something that a fold could not do as it was written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Note {
    /// The move.
    pub id: MoveId,
    /// What, in plain words.
    pub text: String,
}

/// What a person may do to a move.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum MoveChange {
    /// Takes it out of the mix.
    Off,
    /// Puts it back in.
    On,
    /// How much of it, 0 to 100 %.
    Amount(f64),
    /// Whether the mixer must leave it as it is.
    Lock(bool),
}

/// Why a move cannot be changed. The session is as it was before.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum MoveError {
    /// No such move.
    #[error("there is no move `{0}` in this session")]
    NoMove(MoveId),
    /// Its edits are not in the journal.
    #[error("the journal has no record of move `{0}`, so it cannot be worked out again")]
    NoRecord(MoveId),
    /// It was never in the mix.
    #[error("move `{id}` is {state}, not kept: it has nothing in the mix to change")]
    NotKept {
        /// The move.
        id: MoveId,
        /// What became of it.
        state: &'static str,
    },
    /// Not a percentage.
    #[error("an amount is a number from 0 to 100 %, not {0}")]
    Amount(f64),
    /// Other moves cannot do without it.
    #[error("the session would not hold together: {}", .0.iter().map(|p| format!("{}: {}", p.path, p.message)).collect::<Vec<_>>().join("; "))]
    Breaks(Vec<Problem>),
}

impl Session {
    /// The same song without any move: name, rate, settings, prints, and an empty mix bus.
    #[must_use]
    pub fn base(&self) -> Self {
        Self {
            settings: self.settings.clone(),
            prints: self.prints.clone(),
            ..Self::empty(&self.name, self.sample_rate)
        }
    }

    /// Takes in a decided move: a kept one's edits are applied (all or none), and the move is listed.
    ///
    /// # Errors
    /// The first edit that does not fit; the session is then unchanged.
    pub fn adopt(&mut self, record: &Record) -> Result<(), crate::TransactionError> {
        if record.state == MoveState::Kept {
            self.commit(&crate::Transaction { edits: record.edits.clone() })?;
        }
        self.moves.push(Move::of(record));
        Ok(())
    }

    /// An id for the next move of a stage, used neither in the session nor in its journal.
    #[must_use]
    pub fn next_move_id(&self, stage: Stage, journal: &[Record]) -> MoveId {
        let prefix = format!("{}-", stage_name(stage));
        let used = self.moves.iter().map(|m| &m.id).chain(journal.iter().map(|record| &record.id));
        let number = |id: &MoveId| id.as_str().strip_prefix(&prefix)?.parse::<u32>().ok();
        let last = used.filter_map(number).max().unwrap_or(0);
        MoveId(format!("{prefix}{:02}", last.saturating_add(1)))
    }
}

/// A stage as ids and files write it.
#[must_use]
pub const fn stage_name(stage: Stage) -> &'static str {
    match stage {
        Stage::Prep => "prep",
        Stage::Levels => "levels",
        Stage::Bus => "bus",
        Stage::Groups => "groups",
        Stage::Tracks => "tracks",
        Stage::Recheck => "recheck",
        Stage::Person => "person",
    }
}

impl Move {
    /// The move of a record: on, at 100 %, neither locked nor stale.
    #[must_use]
    pub fn of(record: &Record) -> Self {
        Self {
            id: record.id.clone(),
            stage: record.stage,
            author: record.author,
            state: record.state,
            on: true,
            amount_percent: 100.0,
            locked: false,
            stale: false,
            title: record.title.clone(),
        }
    }

    /// Whether the move is in the mix.
    #[must_use]
    pub fn counts(&self) -> bool {
        self.state == MoveState::Kept && self.on && self.amount_percent > 0.0
    }
}

/// Folds moves over a base (see [`Session::base`]). The records may be in any order; of two with one id
/// the last counts. What is no part of the mix (solo, lock, stale) is as the records have it: see
/// [`refold`] to keep it.
#[must_use]
pub fn replay(base: &Session, records: &[Record], moves: &[Move]) -> Replay {
    let by_id: BTreeMap<&MoveId, &Record> = records.iter().map(|r| (&r.id, r)).collect();
    let mut fold = Fold::new(base);
    for the_move in moves {
        match by_id.get(&the_move.id) {
            Some(record) => fold.take(the_move, record),
            None if the_move.counts() => {
                let text = "the journal has no record of this move".to_owned();
                fold.notes.push(Note { id: the_move.id.clone(), text });
            }
            None => {}
        }
    }
    fold.finish(moves)
}

/// Folds a session's moves again, keeping what no move says: solo, lock and stale of strips, and what this
/// build does not know of processors.
#[must_use]
pub fn refold(session: &Session, records: &[Record]) -> Replay {
    let mut replay = replay(&session.base(), records, &session.moves);
    carry_over(session, &mut replay.session);
    replay
}

/// Changes what becomes of a move and works the document out again. All or nothing.
///
/// # Errors
/// No such move, nothing of it in the mix, or a session that would not hold together without it.
pub fn set_move(
    session: &mut Session,
    records: &[Record],
    id: &MoveId,
    change: MoveChange,
) -> Result<Vec<Note>, MoveError> {
    let mut changed = session.clone();
    let found = changed.moves.iter_mut().find(|m| m.id == *id);
    let the_move = found.ok_or_else(|| MoveError::NoMove(id.clone()))?;
    match change {
        MoveChange::Lock(locked) => {
            the_move.locked = locked;
            *session = changed;
            return Ok(Vec::new());
        }
        MoveChange::On => the_move.on = true,
        MoveChange::Off => the_move.on = false,
        MoveChange::Amount(percent) if (0.0..=100.0).contains(&percent) => {
            the_move.amount_percent = percent;
        }
        MoveChange::Amount(percent) => return Err(MoveError::Amount(percent)),
    }
    let state = match the_move.state {
        MoveState::Kept => None,
        MoveState::Rejected => Some("rejected"),
        MoveState::Superseded => Some("superseded"),
    };
    if let Some(state) = state {
        return Err(MoveError::NotKept { id: id.clone(), state });
    }
    let known: BTreeSet<&MoveId> = records.iter().map(|record| &record.id).collect();
    if let Some(lost) = changed.moves.iter().find(|m| m.counts() && !known.contains(&m.id)) {
        return Err(MoveError::NoRecord(lost.id.clone()));
    }
    let replay = refold(&changed, records);
    let problems = validate(&replay.session);
    if !problems.is_empty() {
        return Err(MoveError::Breaks(problems));
    }
    *session = replay.session;
    Ok(replay.notes)
}

/// Makes new records ready for the journal. A proposer and a person count places among what is there; the
/// journal counts what switched-off moves would put there too, so that a place stays right when they come
/// back. `moves` are all moves of the session, `records` those already in the journal.
#[must_use]
pub fn settle(
    base: &Session,
    moves: &[Move],
    records: &[Record],
    mut new: Vec<Record>,
) -> Vec<Record> {
    let mut fold = Fold::new(base);
    for the_move in moves {
        if let Some(record) = new.iter_mut().find(|record| record.id == the_move.id) {
            fold.place(the_move, record);
        } else if let Some(record) = records.iter().rfind(|record| record.id == the_move.id) {
            fold.take(the_move, record);
        }
    }
    new
}

/// Puts into `to` what no move explains of the strips and processors that both have.
pub(crate) fn carry_over(from: &Session, to: &mut Session) {
    for strip in &mut to.strips {
        let Some(source) = from.strip(&strip.id) else { continue };
        strip.take_work_state(source);
        for node in &mut strip.chain {
            let Some(known) = source.processor(&node.id) else { continue };
            if known.kind == node.kind {
                node.unknown.clone_from(&known.unknown);
            }
        }
    }
}
