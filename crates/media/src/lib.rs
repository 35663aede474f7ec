//! Audio files in and out.
//!
//! Three layers, each usable alone:
//!
//! * [`open`] looks at one file: what it is, how long, what its header says, what is wrong with it. Nothing
//!   is decoded yet, so it is cheap.
//! * [`Source`] is what a session plays: the same file as one or two planes of `f32` at the session's rate.
//!   PCM at that rate is read in place with plain file reads; what is compressed or has another rate is
//!   converted once into the [`Cache`] and read from there.
//! * [`write`] puts sound into files, and every file either appears whole or not at all.
//!
//! [`scan`] finds the audio in folders, and tells the files that lie about apart from those that claim to be
//! audio and are not.
//!
//! The rule for everything that is read: a file that claims to be audio and cannot be decoded is an error
//! that names it; one that is usable in part is used as far as it goes, with a [`Note`] that says so.
#![forbid(unsafe_code)]

pub mod atomic;
pub mod cache;
pub mod channels;
mod codec;
mod container;
mod converted;
mod error;
mod file;
mod hash;
mod info;
mod pcm;
mod reader;
mod resampled;
pub mod scan;
mod sniff;
mod source;
mod tags;
pub mod write;

pub use cache::Cache;
pub use channels::{ChannelVerdict, Part};
pub use error::{MediaError, Shown};
pub use file::{AudioFile, open};
pub use hash::{ContentHash, content_hash};
pub use info::{Container, Encoding, Info, Note, Severity, Tags};
pub use reader::{LIMIT, Reader};
pub use source::{Source, common_rate};
