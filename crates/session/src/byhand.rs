//! What a person did in the file: values that no move explains become a move of the person.

use crate::diff::{describe, diff};
use crate::edit::Edit;
use crate::journal::{Evidence, Record};
use crate::model::{Author, Move, MoveState, Session, Stage, StripId};
use crate::moves::{refold, settle};
use std::collections::BTreeSet;

/// Most changes that a reason lists one by one.
const LISTED: usize = 40;

/// What no move of the session explains, as edits on the fold of its moves.
#[must_use]
pub fn unexplained(session: &Session, records: &[Record]) -> Vec<Edit> {
    diff(&refold(session, records).session, session)
}

/// Lists what no move explains as one new move of the person, locked against the mixer, and gives its
/// record for the journal; `None` if everything is explained. Afterwards the session is the fold of its
/// moves.
pub fn explain_by_hand(session: &mut Session, records: &[Record]) -> Option<Record> {
    let edits = unexplained(session, records);
    explain(session, records, edits)
}

/// [`explain_by_hand`] for a file in which moves were switched as well as values changed: `before` is the
/// document that was edited. The moves are folded as they are now, and what the person changed against
/// `before` goes on top.
pub fn explain_against(
    session: &mut Session,
    before: &Session,
    records: &[Record],
) -> Option<Record> {
    let switches = |session: &Session| -> Vec<_> {
        session.moves.iter().map(|m| (m.id.clone(), m.state, m.on, m.amount_percent)).collect()
    };
    if switches(before) == switches(session) {
        return explain_by_hand(session, records);
    }
    let edits = diff(before, session);
    *session = refold(session, records).session;
    let record = explain(session, records, edits)?;
    let known = [records, std::slice::from_ref(&record)].concat();
    *session = refold(session, &known).session;
    Some(record)
}

fn explain(session: &mut Session, records: &[Record], edits: Vec<Edit>) -> Option<Record> {
    let first = edits.first()?;
    let title = match edits.len() {
        1 => describe(first, session),
        2 => format!("{} and 1 more change", describe(first, session)),
        count => format!("{} and {} more changes", describe(first, session), count - 1),
    };
    let mut all: Vec<String> = edits.iter().take(LISTED).map(|e| describe(e, session)).collect();
    if edits.len() > LISTED {
        all.push(format!("and {} more", edits.len() - LISTED));
    }
    let record = Record {
        id: session.next_move_id(Stage::Person, records),
        stage: Stage::Person,
        author: Author::Person,
        state: MoveState::Kept,
        title,
        reason: format!("Changed by hand: {}.", all.join("; ")),
        strip: only_strip(&edits),
        edits,
        evidence: Evidence { confidence: 1.0, ..Evidence::default() },
    };
    session.moves.push(Move { locked: true, ..Move::of(&record) });
    settle(&session.base(), &session.moves, records, vec![record]).pop()
}

/// The strip that an edit works on; `None` for files and markers.
#[must_use]
pub fn strip_of(edit: &Edit) -> Option<&StripId> {
    match edit {
        Edit::Set { at, .. } => Some(at.strip()),
        Edit::InsertProcessor { strip, .. }
        | Edit::RemoveProcessor { strip, .. }
        | Edit::SetProcessor { strip, .. }
        | Edit::SetFacts { strip, .. }
        | Edit::SetSends { strip, .. }
        | Edit::SetClips { strip, .. } => Some(strip),
        Edit::InsertStrip { strip, .. } | Edit::RemoveStrip { strip, .. } => Some(&strip.id),
        Edit::SetFile { .. } | Edit::SetMarkers { .. } => None,
    }
}

fn only_strip(edits: &[Edit]) -> Option<StripId> {
    let strips: BTreeSet<Option<&StripId>> = edits.iter().map(strip_of).collect();
    match strips.into_iter().collect::<Vec<_>>()[..] {
        [strip] => strip.cloned(),
        _ => None,
    }
}
