//! Why a use case ended without its result, and what to do about it.

use std::path::{Path, PathBuf};
use topdown_decide::DecideError;
use topdown_media::{MediaError, Shown};

/// Every way in which a use case can fail. Each message names the file or the thing, and the reason.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum AppError {
    /// Somebody asked to stop.
    #[error("stopped")]
    Cancelled,
    /// A file of sound.
    #[error(transparent)]
    Media(#[from] MediaError),
    /// Several files at once: all of them are named.
    #[error("{}", .0.join("\n"))]
    Files(Vec<String>),
    /// A session that cannot be opened, changed or saved.
    #[error("{0}")]
    Session(String),
    /// Something on disk that is no sound and no session.
    #[error("{}: {reason}", Shown(.path))]
    Disk {
        /// Where.
        path: PathBuf,
        /// Why not.
        reason: String,
    },
    /// There is nothing to work on.
    #[error("{}: no audio files here", Shown(.0))]
    NoAudio(PathBuf),
    /// The output is one of the inputs.
    #[error("{}: this is one of the tracks; it will not be written over", Shown(.0))]
    OutputIsInput(PathBuf),
    /// A name that the session does not have.
    #[error("{what} `{name}` is not in this session (it has: {known})")]
    Unknown {
        /// What kind of thing.
        what: &'static str,
        /// As asked for.
        name: String,
        /// What there is.
        known: String,
    },
    /// A request that makes no sense.
    #[error("{0}")]
    Request(String),
    /// Rendering failed.
    #[error("{0}")]
    Render(String),
    /// Deciding failed.
    #[error(transparent)]
    Decide(DecideError),
}

impl AppError {
    /// Something on disk, with the system's reason.
    pub(crate) fn disk(path: &Path) -> impl FnOnce(std::io::Error) -> Self + '_ {
        move |error| Self::Disk { path: path.to_owned(), reason: error.to_string() }
    }

    /// Whether the work ended because somebody asked for it.
    #[must_use]
    pub fn is_cancelled(&self) -> bool {
        matches!(self, Self::Cancelled)
    }

    /// What to do about it, where that can be said.
    #[must_use]
    pub fn help(&self) -> Option<String> {
        Some(match self {
            Self::NoAudio(_) => {
                "put the tracks of one song into a folder (WAV, AIFF, FLAC, MP3, M4A, Ogg, Opus, CAF) and name it"
            }
            Self::OutputIsInput(_) => "choose another name for the print with -o",
            Self::Files(_) => "repair these files or take them out of the folder; nothing was written",
            Self::Disk { .. } => "look whether the place exists, has room, and may be written to",
            _ => return None,
        }
        .to_owned())
    }
}

impl From<DecideError> for AppError {
    fn from(error: DecideError) -> Self {
        match error {
            DecideError::Cancelled => Self::Cancelled,
            other => Self::Decide(other),
        }
    }
}
