//! WAV and its relatives: RIFF, RIFX (big-endian), RF64 and BW64 (64-bit sizes in `ds64`).
//!
//! Lenient where the sound is beyond doubt and strict where it is not. The RIFF size is ignored (writers get
//! it wrong); a data chunk that is longer than the file is used as far as it goes; sizes of 0 or 0xffffffff
//! (a pipe, a recorder that lost power) mean "to the end of the file".

use super::{Claim, Header, Walk, integers, note_empty, usable};
use crate::error::MediaError;
use crate::info::{Container, Encoding, Info, Note, Tags};
use crate::pcm::{Layout, Sample};
use crate::tags;
use std::fs::File;
use std::path::Path;

/// The `fmt ` chunk, checked.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Format {
    pub sample: Sample,
    pub encoding: Encoding,
    pub channels: u16,
    pub rate_hz: u32,
    pub mask: Option<u32>,
    pub notes: Vec<Note>,
}

/// Reads the header of a WAV that starts at byte `start`.
pub(crate) fn read(
    file: &mut File,
    path: &Path,
    len: u64,
    start: u64,
) -> Result<Header, MediaError> {
    let mut walk = Walk::new(file, path, len, "WAV");
    walk.seek(start)?;
    let container = match walk.bytes::<12>()? {
        Some([b'R', b'I', b'F', b'F', ..]) => Container::Wav,
        Some([b'R', b'I', b'F', b'X', ..]) => Container::Rifx,
        Some([b'R', b'F', ..]) => Container::Rf64,
        _ => Container::Bw64,
    };
    let chunks = Chunks::walk(&mut walk, container == Container::Rifx)?;
    chunks.header(&mut walk, container)
}

/// What the walk over the chunks found.
#[derive(Default)]
struct Chunks {
    big: bool,
    fmt: Option<Vec<u8>>,
    data: Option<Claim>,
    ds64_data: Option<u64>,
    time_reference: Option<u64>,
    tags: Tags,
    notes: Vec<Note>,
}

impl Chunks {
    fn walk(walk: &mut Walk<'_>, big: bool) -> Result<Self, MediaError> {
        let mut found = Self { big, ..Self::default() };
        while let Some([a, b, c, d, s0, s1, s2, s3]) = walk.bytes::<8>()? {
            let id = [a, b, c, d];
            let size = u64::from(if big {
                u32::from_be_bytes([s0, s1, s2, s3])
            } else {
                u32::from_le_bytes([s0, s1, s2, s3])
            });
            if !id.iter().all(|c| (0x20..0x7f).contains(c)) {
                break;
            }
            let body = walk.at;
            let size = found.chunk(walk, id, size)?;
            if !next(walk, body, size)? {
                break;
            }
        }
        Ok(found)
    }

    /// Takes one chunk in and returns its true size.
    fn chunk(&mut self, walk: &mut Walk<'_>, id: [u8; 4], size: u64) -> Result<u64, MediaError> {
        match &id {
            b"ds64" => {
                let body = walk.body(size.min(28))?;
                self.ds64_data = body
                    .get(8..16)
                    .and_then(|b| b.first_chunk::<8>())
                    .map(|b| u64::from_le_bytes(*b));
            }
            b"fmt " if self.fmt.is_none() => self.fmt = Some(walk.body(size.min(64))?),
            b"data" => return self.data_chunk(walk, size),
            b"bext" => {
                let (tags, time) = tags::bext(&walk.body(size)?);
                self.tags.fill_from(tags);
                self.time_reference = time;
            }
            b"LIST" => self.tags.fill_from(tags::riff_info(&walk.body(size)?)),
            b"id3 " | b"ID3 " => self.tags.fill_from(tags::id3(&walk.body(size)?)),
            b"iXML" => self.tags.track_names = tags::ixml(&walk.body(size)?),
            _ => {}
        }
        Ok(size)
    }

    fn data_chunk(&mut self, walk: &mut Walk<'_>, size: u64) -> Result<u64, MediaError> {
        const UNKNOWN: u64 = 0xffff_ffff;
        let offset = walk.at;
        let there = walk.left();
        if self.data.is_some() {
            self.notes.push(Note::warning("has more than one data chunk; only the first is used"));
            return Ok(size);
        }
        let bytes = match (size, self.ds64_data) {
            (UNKNOWN, Some(bytes)) => Some(bytes),
            (UNKNOWN, None) => None,
            (0, _) if there >= 8 && !plausible(walk, offset)? => {
                self.notes.push(Note::warning(format!("the header counts no sound, but {there} bytes follow and are used: the recorder did not close the file")));
                None
            }
            (size, _) if there >= size + (1 << 32) - (1 << 20) => {
                // The size field has 32 bits and wrapped: the sound goes on to the last multiple that fits.
                self.notes.push(Note::warning("longer than 4 GB, which a WAV header cannot count; used to the end of the file"));
                Some(size + ((there - size) >> 32 << 32).max(1 << 32).min(there - size))
            }
            (size, _) => Some(size),
        };
        self.data = Some(Claim { offset, bytes });
        Ok(bytes.unwrap_or(there))
    }

    fn header(mut self, walk: &mut Walk<'_>, container: Container) -> Result<Header, MediaError> {
        let fmt = self.fmt.take().ok_or_else(|| {
            walk.damaged("it has no fmt chunk, so nothing says what the samples are")
        })?;
        let mut format = parse_fmt(&fmt, self.big).map_err(|problem| problem.error(walk))?;
        let claim = self
            .data
            .take()
            .ok_or_else(|| walk.damaged("it has no data chunk, so there is no sound in it"))?;
        let rate = walk.rate(f64::from(format.rate_hz))?;
        let channels = walk.channels(u32::from(format.channels))?;
        if (format.sample, format.encoding)
            == (Sample::Int { bytes: 4, big: false }, Encoding::Int(24))
            && low_aligned(walk, claim.offset)?
        {
            format.sample = Sample::I24In32Low;
        }
        self.notes.append(&mut format.notes);
        let mut layout =
            Layout { offset: claim.offset, frames: 0, channels, sample: format.sample };
        layout.frames =
            usable(&claim, walk.len, layout.frame_bytes() as u64, rate, &mut self.notes);
        note_empty(layout.frames, &mut self.notes);
        let info = Info {
            container,
            encoding: format.encoding,
            rate,
            channels,
            frames: Some(layout.frames),
            mask: format.mask,
            time_reference: self.time_reference,
            tags: self.tags,
        };
        Ok(Header { info, layout, notes: self.notes })
    }
}

/// Goes behind a chunk; false at the end of the file. Some writers forget the pad byte of odd chunks: what
/// looks like a chunk decides.
fn next(walk: &mut Walk<'_>, body: u64, size: u64) -> Result<bool, MediaError> {
    let Some(end) = body.checked_add(size).filter(|end| *end < walk.len) else { return Ok(false) };
    let padded = size & 1 == 0 || plausible(walk, end + 1)? || !plausible(walk, end)?;
    walk.seek(end + if padded { size & 1 } else { 0 })?;
    Ok(true)
}

/// True when a chunk could start at this byte.
fn plausible(walk: &mut Walk<'_>, at: u64) -> Result<bool, MediaError> {
    let back = walk.at;
    walk.seek(at)?;
    let head = walk.bytes::<8>()?;
    walk.seek(back)?;
    Ok(head.is_some_and(|[a, b, c, d, ..]| {
        [a, b, c, d].iter().all(|c| c.is_ascii_alphanumeric() || *c == b' ' || *c == b'_')
    }))
}

/// 24 bits in four bytes without the extensible tag can lie at either end: sound in the top byte that is not
/// the sign of the byte below says "top".
fn low_aligned(walk: &mut Walk<'_>, offset: u64) -> Result<bool, MediaError> {
    walk.seek(offset)?;
    let bytes = walk.body(1 << 16)?;
    let samples = bytes.as_chunks::<4>().0;
    let low = |s: &[u8; 4]| s[3] == if s[2] & 0x80 != 0 { 0xff } else { 0 };
    Ok(samples.iter().all(low) && samples.iter().any(|s| s[0] != 0))
}

/// What is wrong with a `fmt ` chunk.
#[derive(Debug, PartialEq)]
pub(crate) enum FmtProblem {
    Damaged(String),
    Unsupported(&'static str),
}

impl FmtProblem {
    /// The error that names the file.
    pub(crate) fn error(self, walk: &Walk<'_>) -> MediaError {
        match self {
            Self::Damaged(reason) => walk.damaged(reason),
            Self::Unsupported(what) => MediaError::unsupported(walk.path, what),
        }
    }
}

const TAG_EXTENSIBLE: u16 = 0xfffe;
/// The last 14 bytes of the GUIDs that carry a format tag in their first two.
const GUID_TAIL: [u8; 14] = [0, 0, 0, 0, 0x10, 0, 0x80, 0, 0, 0xaa, 0, 0x38, 0x9b, 0x71];
/// The same for ambisonic B-format files.
const GUID_TAIL_AMBISONIC: [u8; 14] =
    [0, 0, 0x21, 7, 0xd3, 0x11, 0x86, 0x44, 0xc8, 0xc1, 0xca, 0, 0, 0];

/// Reads a `fmt ` chunk.
pub(crate) fn parse_fmt(body: &[u8], big: bool) -> Result<Format, FmtProblem> {
    let damaged = |reason: &str| FmtProblem::Damaged(reason.to_owned());
    let (main, ext) =
        body.split_first_chunk::<16>().ok_or_else(|| damaged("its fmt chunk is too short"))?;
    let u16_at = |b: &[u8], at: usize| {
        b.get(at..)
            .and_then(|b| b.first_chunk::<2>())
            .map(|b| if big { u16::from_be_bytes(*b) } else { u16::from_le_bytes(*b) })
    };
    let u32_at = |b: &[u8], at: usize| {
        b.get(at..)
            .and_then(|b| b.first_chunk::<4>())
            .map(|b| if big { u32::from_be_bytes(*b) } else { u32::from_le_bytes(*b) })
    };
    let short = || damaged("its fmt chunk is too short");
    let mut tag = u16_at(main, 0).ok_or_else(short)?;
    let channels = u16_at(main, 2).ok_or_else(short)?;
    let rate_hz = u32_at(main, 4).ok_or_else(short)?;
    let align = u16_at(main, 12).ok_or_else(short)?;
    let bits = u16_at(main, 14).ok_or_else(short)?;
    if channels == 0 {
        return Err(damaged("its header says 0 channels"));
    }
    let (mut valid, mut mask, mut notes) = (bits, None, Vec::new());
    if tag == TAG_EXTENSIBLE {
        let guid = ext.get(8..24).ok_or_else(short)?;
        if guid.get(2..) != Some(&GUID_TAIL[..]) && guid.get(2..) != Some(&GUID_TAIL_AMBISONIC[..])
        {
            return Err(FmtProblem::Unsupported("a WAV with a codec of unknown GUID"));
        }
        tag = u16_at(guid, 0).ok_or_else(short)?;
        valid = u16_at(ext, 2).ok_or_else(short)?;
        mask = u32_at(ext, 4).filter(|m| m.count_ones() == u32::from(channels));
        if valid > bits {
            notes.push(Note::info(format!(
                "the header says {valid} valid bits in {bits}; all {bits} are used"
            )));
        }
        if valid == 0 || valid > bits {
            valid = bits;
        }
    }
    let (sample, encoding) = sample_of(tag, bits, valid, align, channels, big, &mut notes)?;
    Ok(Format { sample, encoding, channels, rate_hz, mask, notes })
}

/// The sample format of a format tag.
fn sample_of(
    tag: u16,
    bits: u16,
    valid: u16,
    align: u16,
    channels: u16,
    big: bool,
    notes: &mut Vec<Note>,
) -> Result<(Sample, Encoding), FmtProblem> {
    let plain = bits.div_ceil(8);
    let mut check_align = |bytes: u16| {
        if align != bytes.saturating_mul(channels) {
            notes.push(Note::warning(format!("the header says {align} bytes a frame, {channels} channels of {bits} bits take {}; the latter is used", u32::from(bytes) * u32::from(channels))));
        }
    };
    match (tag, bits) {
        (1, 8..=64) => {
            let declared = align / channels;
            let bytes = if align.is_multiple_of(channels) && (plain..=8).contains(&declared) {
                declared
            } else {
                plain
            };
            check_align(bytes);
            if bytes == 1 {
                Ok((Sample::U8, Encoding::Int(valid)))
            } else {
                Ok(integers(valid, bytes as u8, big))
            }
        }
        (3, 32) => Ok((Sample::F32 { big }, Encoding::Float(32))).inspect(|_| check_align(4)),
        (3, 64) => Ok((Sample::F64 { big }, Encoding::Float(64))).inspect(|_| check_align(8)),
        (6, 8) => Ok((Sample::ALaw, Encoding::ALaw)).inspect(|_| check_align(1)),
        (7, 8) => Ok((Sample::MuLaw, Encoding::MuLaw)).inspect(|_| check_align(1)),
        (1 | 3 | 6 | 7, _) => Err(FmtProblem::Damaged(format!(
            "its header says {bits} bits a sample, which this coding does not have"
        ))),
        (2 | 0x11, _) => Err(FmtProblem::Unsupported("ADPCM in a WAV")),
        (0x55, _) => Err(FmtProblem::Unsupported("MP3 in a WAV")),
        (0x31, _) => Err(FmtProblem::Unsupported("GSM in a WAV")),
        (0xff | 0x1600..=0x1610, _) => Err(FmtProblem::Unsupported("AAC in a WAV")),
        _ => Err(FmtProblem::Unsupported("a WAV with an unknown codec")),
    }
}
