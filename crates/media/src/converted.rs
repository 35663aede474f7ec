//! A file's sound in the cache: decoded, or converted to another rate, or both.
//!
//! The cache may be deleted at any time, also while it is read. A reader that finds its entry gone makes it
//! again from the recording, once, and reads on: entries are a function of the recording's bytes, so what comes
//! after is what would have come. A second loss is an error, or a full disk would be filled for ever.

use crate::cache::{Cache, Cached};
use crate::codec;
use crate::error::MediaError;
use crate::file::{AudioFile, Body};
use crate::info::Note;
use crate::pcm::PcmReader;
use crate::reader::Reader;
use crate::resampled;
use std::io::ErrorKind;
use topdown_units::SampleRate;

/// An entry of the cache, and all it takes to make it again. Holds no file handle.
#[derive(Clone, Debug)]
pub(crate) struct Converted {
    file: AudioFile,
    rate: SampleRate,
    cache: Cache,
    entry: Cached,
}

impl Converted {
    /// The sound of `file` at `rate`, made unless it is there.
    pub(crate) fn new(
        file: &AudioFile,
        rate: SampleRate,
        cache: &Cache,
    ) -> Result<Self, MediaError> {
        let entry = entry(file, rate, cache)?;
        Ok(Self { file: file.clone(), rate, cache: cache.clone(), entry })
    }

    /// What was found while it was made.
    pub(crate) fn notes(&self) -> &[Note] {
        &self.entry.notes
    }

    /// Frames.
    pub(crate) fn frames(&self) -> u64 {
        self.entry.frames()
    }

    /// A reader of its frames.
    pub(crate) fn reader(&self) -> ConvertedReader {
        ConvertedReader { inner: self.entry.reader(), of: self.clone(), made_again: false }
    }
}

fn entry(file: &AudioFile, rate: SampleRate, cache: &Cache) -> Result<Cached, MediaError> {
    let (path, info) = (file.path(), file.info());
    let hash = cache.hash(path, file.stamp)?;
    let (name, kind) = match file.body {
        Body::Coded(kind) if info.rate == rate => (format!("{hash}-decoded"), Some(kind)),
        Body::Coded(_) | Body::Pcm(_) => (format!("{hash}-{}", rate.get()), None),
    };
    cache.get_or_make(path, &name, rate, usize::from(info.channels), &mut |sink| {
        let notes = match kind {
            Some(kind) => codec::decode(path, kind, info, sink)?.0,
            None => resampled::convert(file.reader(cache)?.as_mut(), info.rate, rate, sink)?,
        };
        // What was read must be what was hashed, or the entry would lie about it from now on.
        file.unchanged()?;
        Ok(notes)
    })
}

/// Reads an entry, and makes it again when it is gone.
pub(crate) struct ConvertedReader {
    of: Converted,
    inner: PcmReader,
    made_again: bool,
}

impl ConvertedReader {
    fn lost(&self, error: &MediaError) -> bool {
        let gone = match error {
            MediaError::Changed { .. } => true,
            MediaError::Io { source, .. } => source.kind() == ErrorKind::NotFound,
            _ => false,
        };
        gone && !self.made_again && error.path() == self.of.entry.path()
    }
}

impl Reader for ConvertedReader {
    fn channels(&self) -> usize {
        self.inner.channels()
    }

    fn frames(&self) -> u64 {
        self.inner.frames()
    }

    fn read(&mut self, at_frame: u64, out: &mut [&mut [f32]]) -> Result<usize, MediaError> {
        match self.inner.read(at_frame, out) {
            Err(error) if self.lost(&error) => {
                self.made_again = true;
                self.of.entry = entry(&self.of.file, self.of.rate, &self.of.cache)?;
                self.inner = self.of.entry.reader();
                self.inner.read(at_frame, out)
            }
            result => result,
        }
    }

    fn cleaned(&self) -> u64 {
        self.inner.cleaned()
    }

    fn close(&mut self) {
        self.inner.close();
    }
}
