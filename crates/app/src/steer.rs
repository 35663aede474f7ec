//! A person's hand on a session: moves off, on, less; strips locked; the last change taken back.

use crate::error::AppError;
use crate::project::Project;
use serde::Serialize;
use std::path::Path;
use topdown_session::{MoveChange, MoveId, StripId, set_move as change_move};

/// What to do to a move.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Action {
    /// Out of the mix.
    Off,
    /// Back in.
    On,
    /// How much of it, 0 to 100 %.
    Amount(f64),
    /// Whether the mixer must leave it.
    Lock(bool),
}

/// What was done.
#[derive(Clone, Debug, Serialize)]
pub struct Steered {
    /// In words.
    pub text: String,
    /// What could not be done as it was written, in words.
    pub notes: Vec<String>,
}

/// Steers one move; everything that follows from it is worked out again.
///
/// # Errors
/// When there is no such move, or the session cannot be saved; it is then as it was.
pub fn set_move(session: &Path, id: &str, action: &Action) -> Result<Steered, AppError> {
    let mut project = Project::open_to_write(session)?;
    let id = MoveId(id.to_owned());
    if !project.session.moves.iter().any(|m| m.id == id) {
        let known = project.session.moves.iter().map(|m| m.id.as_str()).collect::<Vec<_>>();
        return Err(AppError::Unknown { what: "move", name: id.0, known: known.join(", ") });
    }
    let (change, done) = match *action {
        Action::Off => (MoveChange::Off, "off".to_owned()),
        Action::On => (MoveChange::On, "on".to_owned()),
        Action::Amount(percent) => (MoveChange::Amount(percent), format!("at {percent} %")),
        Action::Lock(true) => (MoveChange::Lock(true), "locked".to_owned()),
        Action::Lock(false) => (MoveChange::Lock(false), "unlocked".to_owned()),
    };
    let mut session = project.session.clone();
    let notes = change_move(&mut session, project.journal(), &id, change)
        .map_err(|error| AppError::Session(error.to_string()))?;
    let title =
        session.moves.iter().find(|m| m.id == id).map_or(String::new(), |m| m.title.clone());
    let notes = notes.iter().map(|note| format!("{}: {}", note.id, note.text)).collect();
    project.commit(session, Vec::new(), &format!("{id} {done}"))?;
    Ok(Steered { text: format!("{id} is {done}: {title}"), notes })
}

/// Locks or unlocks a strip.
///
/// # Errors
/// When there is no such strip, or the session cannot be saved.
pub fn lock(session: &Path, strip: &str, locked: bool) -> Result<Steered, AppError> {
    let mut project = Project::open_to_write(session)?;
    let mut changed = project.session.clone();
    let id = StripId(strip.to_owned());
    let Some(found) = changed.strips.iter_mut().find(|strip| strip.id == id) else {
        let known = changed.strips.iter().map(|strip| strip.id.as_str()).collect::<Vec<_>>();
        return Err(AppError::Unknown { what: "strip", name: id.0, known: known.join(", ") });
    };
    found.locked = locked;
    let word = if locked { "locked: the mixer leaves it alone" } else { "unlocked" };
    let text = format!("{} is {word}", found.name);
    project.commit(changed, Vec::new(), if locked { "lock" } else { "unlock" })?;
    Ok(Steered { text, notes: Vec::new() })
}

/// Takes back the last change.
///
/// # Errors
/// When there is nothing to take back, or the session cannot be saved.
pub fn undo(session: &Path) -> Result<Steered, AppError> {
    let mut project = Project::open_to_write(session)?;
    project.undo()?;
    let kept = project.session.moves.len();
    Ok(Steered { text: format!("taken back; the session has {kept} moves now"), notes: Vec::new() })
}
