//! Readers of our own for uncompressed containers. Each turns a header into a [`Layout`] that can be read in
//! place, or says what is wrong with it. Counts from a file are never believed beyond the bytes that are there.

pub(crate) mod aiff;
pub(crate) mod au;
pub(crate) mod caf;
pub(crate) mod riff;
pub(crate) mod w64;

use crate::error::MediaError;
use crate::info::{Encoding, Info, Note};
use crate::pcm::{Layout, Sample};
use std::fs::File;
use std::io::{BufReader, Read, Seek, SeekFrom};
use std::path::Path;
use topdown_units::SampleRate;

/// What a header says, checked.
pub(crate) struct Header {
    pub info: Info,
    pub layout: Layout,
    pub notes: Vec<Note>,
}

/// A walk over the chunks of a file whose length is known.
pub(crate) struct Walk<'a> {
    pub path: &'a Path,
    pub format: &'static str,
    pub len: u64,
    pub at: u64,
    file: BufReader<&'a mut File>,
}

/// No chunk but the sound is read beyond this.
const MAX_BODY: u64 = 1 << 20;

impl<'a> Walk<'a> {
    pub(crate) fn new(file: &'a mut File, path: &'a Path, len: u64, format: &'static str) -> Self {
        Self { path, format, len, at: u64::MAX, file: BufReader::with_capacity(1 << 13, file) }
    }

    /// Goes to a byte; cheap when it is near.
    pub(crate) fn seek(&mut self, to: u64) -> Result<(), MediaError> {
        if to != self.at {
            let near = self.at != u64::MAX && to.abs_diff(self.at) < 1 << 30;
            let result = if near {
                self.file.seek_relative(to.wrapping_sub(self.at) as i64)
            } else {
                self.file.seek(SeekFrom::Start(to)).map(drop)
            };
            result.map_err(MediaError::io(self.path, "read it"))?;
            self.at = to;
        }
        Ok(())
    }

    /// The next `N` bytes, or `None` when the file ends before.
    pub(crate) fn bytes<const N: usize>(&mut self) -> Result<Option<[u8; N]>, MediaError> {
        if self.left() < N as u64 {
            return Ok(None);
        }
        let mut bytes = [0; N];
        self.file.read_exact(&mut bytes).map_err(MediaError::io(self.path, "read it"))?;
        self.at += N as u64;
        Ok(Some(bytes))
    }

    /// Up to `size` bytes of a chunk's body from here on, as many as there are and as the cap allows.
    pub(crate) fn body(&mut self, size: u64) -> Result<Vec<u8>, MediaError> {
        let size = size.min(self.left()).min(MAX_BODY);
        let mut body = vec![0; usize::try_from(size).unwrap_or(0)];
        self.file.read_exact(&mut body).map_err(MediaError::io(self.path, "read it"))?;
        self.at += size;
        Ok(body)
    }

    /// Bytes from here to the end of the file.
    pub(crate) fn left(&self) -> u64 {
        self.len.saturating_sub(self.at)
    }

    /// The error that the header is wrong.
    pub(crate) fn damaged(&self, reason: impl Into<String>) -> MediaError {
        MediaError::damaged(self.path, self.format, reason)
    }

    /// The rate, when it is one.
    pub(crate) fn rate(&self, hz: f64) -> Result<SampleRate, MediaError> {
        let whole =
            (hz.fract() == 0.0 && (0.0..=f64::from(u32::MAX)).contains(&hz)).then_some(hz as u32);
        whole.and_then(SampleRate::new).ok_or_else(|| {
            self.damaged(format!(
                "its header says {hz} Hz; rates from {} to {} Hz are read",
                SampleRate::MIN_HZ,
                SampleRate::MAX_HZ
            ))
        })
    }

    /// The channel count, when it is one.
    pub(crate) fn channels(&self, channels: u32) -> Result<u16, MediaError> {
        u16::try_from(channels).ok().filter(|c| (1..=Info::MAX_CHANNELS).contains(c)).ok_or_else(
            || {
                self.damaged(format!(
                    "its header says {channels} channels; 1 to {} are read",
                    Info::MAX_CHANNELS
                ))
            },
        )
    }
}

/// A header's claim about the sound, held against the bytes that are there.
pub(crate) struct Claim {
    /// First byte of the sound.
    pub offset: u64,
    /// Bytes the header counts; `None` when it does not know.
    pub bytes: Option<u64>,
}

/// Frames that are there, with a note when the header counts more.
pub(crate) fn usable(
    claim: &Claim,
    len: u64,
    frame_bytes: u64,
    rate: SampleRate,
    notes: &mut Vec<Note>,
) -> u64 {
    let there = len.saturating_sub(claim.offset);
    let frame_bytes = frame_bytes.max(1);
    let seconds = |bytes: u64| (bytes / frame_bytes) as f64 / rate.hz();
    let bytes = match claim.bytes {
        Some(bytes) if bytes > there => {
            notes.push(Note::warning(format!(
                "cut short: the header counts {:.3} s, {:.3} s are there and are used",
                seconds(bytes),
                seconds(there)
            )));
            there
        }
        Some(bytes) => bytes,
        None => there,
    };
    bytes / frame_bytes
}

/// A note when a file holds no sound at all.
pub(crate) fn note_empty(frames: u64, notes: &mut Vec<Note>) {
    if frames == 0 {
        notes.push(Note::warning("holds no sound: it is 0 frames long"));
    }
}

/// The integer format for so many bits in so many bytes.
pub(crate) fn integers(bits: u16, bytes: u8, big: bool) -> (Sample, Encoding) {
    (Sample::Int { bytes, big }, Encoding::Int(bits))
}
