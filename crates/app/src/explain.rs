//! `explain`: the journal of a session, or one move.

use crate::error::AppError;
use crate::facts;
use crate::project::Project;
use std::path::Path;
use topdown_report::facts::MoveFact;
use topdown_session::MoveState;

/// The moves of a session in order: one by its id, else those in force, else all.
///
/// # Errors
/// When the session cannot be read or has no such move.
pub fn explain(session: &Path, id: Option<&str>, all: bool) -> Result<Vec<MoveFact>, AppError> {
    let project = Project::open(session)?;
    let mut moves = facts::moves(&project.session, project.journal());
    match id {
        Some(id) => {
            let known = moves.iter().map(|m| m.id.as_str()).collect::<Vec<_>>().join(", ");
            moves.retain(|m| m.id == id);
            if moves.is_empty() {
                return Err(AppError::Unknown { what: "move", name: id.to_owned(), known });
            }
        }
        None => moves.retain(|m| all || m.state == MoveState::Kept),
    }
    Ok(moves)
}
