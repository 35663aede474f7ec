//! One audio file: what it is, what its header says, and readers of its frames.

use crate::cache::Cache;
use crate::codec;
use crate::container::{Header, aiff, au, caf, riff, w64};
use crate::converted::Converted;
use crate::error::MediaError;
use crate::info::{Info, Note};
use crate::pcm::{Layout, PcmReader, Stamp};
use crate::reader::Reader;
use crate::sniff::{Kind, sniff};
use std::fs::File;
use std::path::{Path, PathBuf};

/// A kind of compressed file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Coded {
    Flac,
    OggFlac,
    Vorbis,
    Opus,
    Mpeg,
    Adts,
    Mp4,
    Caf,
}

impl Coded {
    /// The name for messages.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Flac => "FLAC",
            Self::OggFlac => "Ogg FLAC",
            Self::Vorbis => "Ogg Vorbis",
            Self::Opus => "Opus",
            Self::Mpeg => "MP3",
            Self::Adts => "AAC",
            Self::Mp4 => "M4A",
            Self::Caf => "CAF",
        }
    }
}

/// How the frames are got at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Body {
    /// Plain samples, read in place.
    Pcm(Layout),
    /// Compressed, decoded once into the cache.
    Coded(Coded),
}

/// An audio file whose header has been read and checked. Holds no file handle.
#[derive(Clone, Debug)]
pub struct AudioFile {
    path: PathBuf,
    info: Info,
    notes: Vec<Note>,
    pub(crate) body: Body,
    pub(crate) stamp: Stamp,
}

/// Looks at a file: its kind by its content, then its header. Nothing is decoded.
///
/// # Errors
/// When it is not a regular file, cannot be read, is no audio, or claims to be audio and its header is broken.
pub fn open(path: impl AsRef<Path>) -> Result<AudioFile, MediaError> {
    let path = path.as_ref();
    regular(path)?;
    let mut file = File::open(path).map_err(MediaError::io(path, "open it"))?;
    let stamp = Stamp::of(&file, path)?;
    let kind = sniff(&mut file).map_err(MediaError::io(path, "read it"))?;
    let file = &mut file;
    let pcm = |header: Header| (header.info, header.notes, Body::Pcm(header.layout));
    let coded = |kind| codec::open(path, kind).map(|o| (o.info, o.notes, Body::Coded(kind)));
    let (info, notes, body) = match kind {
        Kind::Riff(start) => pcm(riff::read(file, path, stamp.len, start)?),
        Kind::W64 => pcm(w64::read(file, path, stamp.len)?),
        Kind::Aiff => pcm(aiff::read(file, path, stamp.len)?),
        Kind::Au => pcm(au::read(file, path, stamp.len)?),
        Kind::Caf => match caf::read(file, path, stamp.len)? {
            Some(header) => pcm(header),
            None => coded(Coded::Caf)?,
        },
        Kind::Flac => coded(Coded::Flac)?,
        Kind::Mp4 => coded(Coded::Mp4)?,
        Kind::Mpeg => coded(Coded::Mpeg)?,
        Kind::Adts => coded(Coded::Adts)?,
        Kind::Ogg => coded(codec::ogg_kind(path)?)?,
        Kind::Other(what) => {
            return Err(MediaError::NotAudio { path: path.to_owned(), what: what.to_owned() });
        }
    };
    Ok(AudioFile { path: path.to_owned(), info, notes, body, stamp })
}

/// Opening a pipe would wait for ever, and a device never ends.
fn regular(path: &Path) -> Result<(), MediaError> {
    let meta = std::fs::metadata(path).map_err(MediaError::io(path, "open it"))?;
    let what = if meta.is_dir() { "a folder" } else { "a pipe, a socket or a device" };
    if meta.is_file() { Ok(()) } else { Err(MediaError::NotAFile { path: path.to_owned(), what }) }
}

impl AudioFile {
    /// Where it is.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// What its header says, checked.
    #[must_use]
    pub fn info(&self) -> &Info {
        &self.info
    }

    /// What a person should know about it so far. Decoding may find more.
    #[must_use]
    pub fn notes(&self) -> &[Note] {
        &self.notes
    }

    /// True when the frames are read in place, without the cache.
    #[must_use]
    pub fn is_pcm(&self) -> bool {
        matches!(self.body, Body::Pcm(_))
    }

    /// A reader of all channels at the file's own rate. A compressed file is decoded into the cache first,
    /// unless it is there already.
    ///
    /// # Errors
    /// When the file cannot be decoded, changed since it was opened, or the cache cannot be written.
    pub fn reader(&self, cache: &Cache) -> Result<Box<dyn Reader>, MediaError> {
        match self.body {
            Body::Pcm(layout) => Ok(Box::new(PcmReader::new(&self.path, layout, self.stamp))),
            Body::Coded(_) => Ok(Box::new(Converted::new(self, self.info.rate, cache)?.reader())),
        }
    }

    /// An error when the file is no longer the one that was opened.
    pub(crate) fn unchanged(&self) -> Result<(), MediaError> {
        let file = File::open(&self.path).map_err(MediaError::io(&self.path, "open it"))?;
        if Stamp::of(&file, &self.path)? == self.stamp {
            Ok(())
        } else {
            Err(MediaError::Changed { path: self.path.clone() })
        }
    }
}
