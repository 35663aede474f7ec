//! What can go wrong, said so that a person can act on it: the file, the reason, what to do.

use std::fmt::{self, Write as _};
use std::io;
use std::path::{Path, PathBuf};

/// Everything this crate can fail with. Each message names the file, the reason and a way out.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum MediaError {
    /// The operating system refused an operation on a file.
    #[error("{}: cannot {action}: {source}; {}", Shown(.path), advice(.source))]
    Io {
        /// The file or folder.
        path: PathBuf,
        /// What was tried, as a verb phrase ("open it").
        action: &'static str,
        /// The system's answer.
        source: io::Error,
    },
    /// The content is not audio of a kind that is known here.
    #[error("{}: this is {what}, not audio that Topdown reads; take it away or put the audio in its place", Shown(.path))]
    NotAudio {
        /// The file.
        path: PathBuf,
        /// What it looks like.
        what: String,
    },
    /// Audio of a kind that is known but not decoded.
    #[error("{}: {what} is not supported; export the track as WAV or FLAC", Shown(.path))]
    Unsupported {
        /// The file.
        path: PathBuf,
        /// The kind, by its name.
        what: String,
    },
    /// The file claims to be audio and cannot be decoded.
    #[error("{}: damaged {format}: {reason}; export the track again", Shown(.path))]
    Damaged {
        /// The file.
        path: PathBuf,
        /// The format it claims to be.
        format: &'static str,
        /// What is wrong.
        reason: String,
    },
    /// Not a file of bytes: a folder, a pipe, a socket or a device.
    #[error("{}: this is {what}, not a file; take it away or give a file", Shown(.path))]
    NotAFile {
        /// The path.
        path: PathBuf,
        /// What it is.
        what: &'static str,
    },
    /// The file was cut, replaced or changed between two reads.
    #[error("{}: the file changed while it was being read; leave the tracks alone and run again", Shown(.path))]
    Changed {
        /// The file.
        path: PathBuf,
    },
    /// The file makes several tracks and one of them has to be chosen.
    #[error("{}: holds {channels} channels without a surround layout: each is a track of its own, choose one", Shown(.path))]
    ManyParts {
        /// The file.
        path: PathBuf,
        /// Its channels.
        channels: u16,
    },
    /// A part of a file was asked for that it does not have.
    #[error("{}: has no part \"{part}\"; it holds {channels} channels, so give a channel from 1 to {channels}", Shown(.path))]
    NoSuchPart {
        /// The file.
        path: PathBuf,
        /// The part asked for.
        part: String,
        /// The file's channels.
        channels: u16,
    },
    /// A file cannot be written as asked.
    #[error("{}: cannot be written: {reason}", Shown(.path))]
    CannotWrite {
        /// The target.
        path: PathBuf,
        /// Why, and what to do.
        reason: String,
    },
}

impl MediaError {
    /// The file the message is about.
    #[must_use]
    pub fn path(&self) -> &Path {
        match self {
            Self::Io { path, .. }
            | Self::NotAudio { path, .. }
            | Self::Unsupported { path, .. }
            | Self::Damaged { path, .. }
            | Self::NotAFile { path, .. }
            | Self::Changed { path }
            | Self::ManyParts { path, .. }
            | Self::NoSuchPart { path, .. }
            | Self::CannotWrite { path, .. } => path,
        }
    }

    /// Turns an I/O error into one that names the file.
    pub(crate) fn io<'a>(
        path: &'a Path,
        action: &'static str,
    ) -> impl FnOnce(io::Error) -> Self + 'a {
        move |source| Self::Io { path: path.to_owned(), action, source }
    }

    /// A file that claims to be `format` and is not, because of `reason`.
    pub(crate) fn damaged(path: &Path, format: &'static str, reason: impl Into<String>) -> Self {
        Self::Damaged { path: path.to_owned(), format, reason: reason.into() }
    }

    /// A kind of audio that is not decoded here.
    pub(crate) fn unsupported(path: &Path, what: impl Into<String>) -> Self {
        Self::Unsupported { path: path.to_owned(), what: what.into() }
    }
}

/// What to do about an error of the operating system.
fn advice(error: &io::Error) -> &'static str {
    match error.kind() {
        io::ErrorKind::NotFound => "put the file back or correct the path",
        io::ErrorKind::PermissionDenied => "give yourself the right to use it",
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => {
            "free some space and run again"
        }
        io::ErrorKind::IsADirectory => "give a file, not a folder",
        io::ErrorKind::ReadOnlyFilesystem => "choose a folder that can be written",
        _ => "check the disk and run again",
    }
}

/// A path as it may be printed: characters that steer a terminal or reverse the text are escaped.
pub struct Shown<'a>(pub &'a Path);

impl fmt::Display for Shown<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for c in self.0.to_string_lossy().chars() {
            let steers = c.is_control()
                || matches!(c, '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{feff}');
            if steers && c != '\u{200d}' {
                write!(f, "{}", c.escape_unicode())?;
            } else {
                f.write_char(c)?;
            }
        }
        Ok(())
    }
}
