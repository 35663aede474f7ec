//! A second run on a song: what became of its recordings since the last one.
//!
//! Which recording is which says [`topdown_session::rerun`]. What follows for the session is a move of stage
//! prep like any other, so that it is explained and can be undone; what was solved for other sound is marked
//! stale; and every file concerned is named in a warning.

use crate::error::AppError;
use crate::library::Library;
use std::collections::BTreeMap;
use topdown_session::{
    Author, Evidence, FileId, MoveState, Record, Rerun, Session, SourceFile, Stage, mark_stale,
};

/// Takes what has changed into `session`, which is the last run's. Gives the record of the move, if
/// something in the session follows, and what a person should know.
///
/// # Errors
/// When the changes do not fit the session.
pub(crate) fn take_in(
    session: &mut Session,
    journal: &[Record],
    library: &Library,
) -> Result<(Option<Record>, Vec<String>), AppError> {
    let rerun = &library.rerun;
    if session.files.is_empty() {
        return Ok((None, Vec::new()));
    }
    let notes = notes(session, rerun, &library.files);
    let record = (!rerun.edits.is_empty()).then(|| Record {
        id: session.next_move_id(Stage::Prep, journal),
        stage: Stage::Prep,
        author: Author::Topdown,
        state: MoveState::Kept,
        title: title(rerun),
        reason: notes.join(" "),
        strip: None,
        edits: rerun.edits.clone(),
        evidence: Evidence { confidence: 1.0, ..Evidence::default() },
    });
    if let Some(record) = &record {
        session.adopt(record).map_err(|error| AppError::Session(error.to_string()))?;
    }
    mark_stale(session, rerun);
    Ok((record, notes))
}

fn title(rerun: &Rerun) -> String {
    let counts = [
        (rerun.replaced.len(), "replaced"),
        (rerun.removed.len(), "gone"),
        (rerun.moved.len(), "at another place"),
    ];
    let parts: Vec<String> = counts
        .iter()
        .filter(|(count, _)| *count > 0)
        .map(|(count, what)| format!("{count} {what}"))
        .collect();
    format!("Files since the last run: {}", parts.join(", "))
}

/// One sentence for each way in which files have changed, naming them all.
fn notes(session: &Session, rerun: &Rerun, found: &BTreeMap<FileId, SourceFile>) -> Vec<String> {
    let list = |ids: &[FileId], shown: &dyn Fn(&FileId) -> String| -> Option<String> {
        (!ids.is_empty()).then(|| ids.iter().map(shown).collect::<Vec<_>>().join(", "))
    };
    let old = |id: &FileId| name(path(&session.files, id)).to_owned();
    let new = |id: &FileId| name(path(found, id)).to_owned();
    let both =
        |id: &FileId| format!("{} (now {})", name(path(&session.files, id)), path(found, id));
    let added: Vec<FileId> =
        found.keys().filter(|id| !session.files.contains_key(id)).cloned().collect();
    let stale = match rerun.stale_moves.len() {
        0 => String::new(),
        count => format!("; {count} moves made for the sound before are marked stale"),
    };
    [
        list(&added, &new).map(|files| format!("New since the last run: {files}.")),
        list(&rerun.replaced, &new).map(|files| {
            format!("Other content than at the last run: {files}. What was decided stays{stale}.")
        }),
        list(&rerun.removed, &old)
            .map(|files| format!("No longer there: {files}. Their tracks are left out.")),
        list(&rerun.moved, &both)
            .map(|files| format!("The same recordings at another place: {files}.")),
    ]
    .into_iter()
    .flatten()
    .collect()
}

fn path<'a>(files: &'a BTreeMap<FileId, SourceFile>, id: &'a FileId) -> &'a str {
    files.get(id).map_or(id.as_str(), |file| &file.path)
}

fn name(path: &str) -> &str {
    path.rsplit('/').next().unwrap_or(path)
}
