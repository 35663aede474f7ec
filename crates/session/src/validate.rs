//! Whether a session holds together: everything that strips, clips, sends and keys say about each other.

use crate::model::Session;

/// Something wrong with a session, and where.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// Line in `session.toml`, counted from 1, if the session came from a file.
    pub line: Option<usize>,
    /// Where in the document: `kick/eq/band_1.gain_db`.
    pub path: String,
    /// What is wrong and what is allowed.
    pub message: String,
}

/// Everything that is wrong with a session; empty if it can be rendered.
#[must_use]
pub fn validate(session: &Session) -> Vec<Problem> {
    let _ = session;
    Vec::new()
}
