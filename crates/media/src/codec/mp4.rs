//! M4A: AAC-LC and ALAC, with the encoder's delay taken off.
//!
//! The decoder behind it ignores edit lists, so an AAC track would start 1024 or 2112 frames late. The delay
//! and the true length are read here, from iTunes' `iTunSMPB` text or from the edit list (`elst`), and the
//! decoded sound is cut to them.

use super::foreign::{MP4, Span, Trim};
use super::{Decoder, Opened, Sink};
use crate::error::MediaError;
use crate::info::{Encoding, Info, Note};
use std::fs::File;
use std::io::{Read as _, Seek as _, SeekFrom};
use std::path::Path;

/// M4A files.
pub(super) struct Mp4;

/// Sample tables larger than this are no song.
const MAX_MOOV: u64 = 64 << 20;

impl Decoder for Mp4 {
    fn open(&self, path: &Path) -> Result<Opened, MediaError> {
        let movie = Movie::read(path)?;
        movie.refuse_he_aac(path)?;
        let mut info = MP4.stream(path, Span::whole(path)?)?.info;
        let (trim, notes) = movie.trim(&info);
        info.frames = trim.keep.or_else(|| info.frames.map(|n| n.saturating_sub(trim.skip)));
        Ok(Opened { info, notes })
    }

    fn decode(
        &self,
        path: &Path,
        info: &Info,
        sink: &mut Sink<'_>,
    ) -> Result<Vec<Note>, MediaError> {
        let (trim, _) = Movie::read(path)?.trim(info);
        let stream = MP4.stream(path, Span::whole(path)?)?;
        MP4.run(path, stream, trim, sink)
    }
}

/// What the boxes say about the first sound track.
#[derive(Debug, Default, PartialEq)]
struct Movie {
    movie_scale: u32,
    media_scale: u32,
    /// Sum of the sample durations, in units of the media scale.
    media_len: u64,
    /// First edit that plays something: its length in the movie scale, its start in the media scale.
    edit: Option<(u64, u64)>,
    /// The edit list starts with a pause.
    pause: bool,
    /// iTunes' delay, padding and length, in frames.
    itunes: Option<(u64, u64, u64)>,
    /// MPEG-4 audio object type, with what an extension says.
    object_type: u8,
    sound: bool,
}

impl Movie {
    fn read(path: &Path) -> Result<Self, MediaError> {
        let io = |e| MediaError::io(path, "read it")(e);
        let mut file = File::open(path).map_err(MediaError::io(path, "open it"))?;
        let len = file.metadata().map_err(io)?.len();
        let mut at = 0u64;
        // Top-level boxes: each must step on, or the file is broken.
        while at + 8 <= len {
            file.seek(SeekFrom::Start(at)).map_err(io)?;
            let mut head = [0u8; 16];
            let got = (len - at).min(16) as usize;
            file.read_exact(head.get_mut(..got).unwrap_or_default()).map_err(io)?;
            let Some((kind, header, size)) = box_header(&head, len - at) else {
                return Err(MediaError::damaged(path, "M4A", "a box in it has an impossible size"));
            };
            if &kind == b"moov" {
                let mut body = vec![0u8; (size - header).min(MAX_MOOV) as usize];
                file.seek(SeekFrom::Start(at + header)).map_err(io)?;
                file.read_exact(&mut body).map_err(io)?;
                let mut movie = Self::default();
                movie.boxes(&body, 0);
                return Ok(movie);
            }
            at += size;
        }
        Err(MediaError::damaged(
            path,
            "M4A",
            "it has no moov box, so nothing says what the sound is; the recording was not finished",
        ))
    }

    /// Walks the boxes of `body`.
    fn boxes(&mut self, mut body: &[u8], depth: u32) {
        while let Some((kind, header, size)) = box_header(body, body.len() as u64) {
            let inner = body.get(header as usize..size as usize).unwrap_or_default();
            if &kind == b"trak" {
                let mut track = Self::default();
                track.boxes(inner, depth + 1);
                if track.sound && !self.sound {
                    *self = Self { movie_scale: self.movie_scale, itunes: self.itunes, ..track };
                }
            } else if depth < 12 {
                self.take(kind, inner, depth);
            }
            body = body.get(size as usize..).unwrap_or_default();
        }
    }

    fn take(&mut self, kind: [u8; 4], b: &[u8], depth: u32) {
        let u32_at = |at: usize| {
            b.get(at..).and_then(|b| b.first_chunk::<4>()).map_or(0, |b| u32::from_be_bytes(*b))
        };
        let long = b.first() == Some(&1);
        match &kind {
            b"mdia" | b"minf" | b"stbl" | b"edts" | b"udta" | b"ilst" | b"wave" => {
                self.boxes(b, depth + 1);
            }
            b"meta" => self.boxes(b.get(4..).unwrap_or_default(), depth + 1),
            b"stsd" => self.boxes(b.get(8..).unwrap_or_default(), depth + 1),
            // Fixed fields of a sound description come before its boxes.
            b"mp4a" => self.boxes(
                b.get(if b.get(9) == Some(&1) { 44 } else { 28 }..).unwrap_or_default(),
                depth + 1,
            ),
            b"esds" => self.object_type = object_type(b).unwrap_or(0),
            b"mvhd" => self.movie_scale = u32_at(if long { 20 } else { 12 }),
            b"mdhd" => self.media_scale = u32_at(if long { 20 } else { 12 }),
            b"hdlr" => self.sound |= b.get(8..12) == Some(b"soun"),
            b"stts" => {
                let entries = b.get(8..).unwrap_or_default().as_chunks::<8>().0;
                let each =
                    entries.iter().take(u32_at(4) as usize).map(|[a, b, c, d, e, f, g, h]| {
                        u64::from(u32::from_be_bytes([*a, *b, *c, *d]))
                            * u64::from(u32::from_be_bytes([*e, *f, *g, *h]))
                    });
                self.media_len = each.fold(0, u64::saturating_add);
            }
            b"elst" => self.edits(b, long),
            b"----" if b.windows(8).any(|w| w == b"iTunSMPB") => self.itunes = itunes(b),
            _ => {}
        }
    }

    fn edits(&mut self, b: &[u8], long: bool) {
        let step = if long { 20 } else { 12 };
        for entry in b.get(8..).unwrap_or_default().chunks_exact(step).take(1024) {
            let word = |at: usize| {
                entry
                    .get(at..)
                    .and_then(|b| b.first_chunk::<8>())
                    .map_or(0, |b| u64::from_be_bytes(*b))
            };
            let (duration, start) = if long {
                (word(0), word(8).cast_signed())
            } else {
                (word(0) >> 32, i64::from((word(0) as u32).cast_signed()))
            };
            match u64::try_from(start) {
                Ok(start) => {
                    self.edit.get_or_insert((duration, start));
                    break;
                }
                Err(_) => self.pause = true,
            }
        }
    }

    /// What to cut, in frames.
    fn trim(&self, info: &Info) -> (Trim, Vec<Note>) {
        let mut notes = Vec::new();
        if self.pause {
            notes.push(Note::warning(
                "its edit list starts with a pause, which is left out: the sound starts at once",
            ));
        }
        let frames = |units: u64, scale: u32| {
            let exact = u128::from(units) * u128::from(info.rate.get()) / u128::from(scale.max(1));
            u64::try_from(exact).unwrap_or(u64::MAX)
        };
        let total = frames(self.media_len, self.media_scale);
        if let Some((delay, _, length)) = self.itunes.filter(|(delay, _, length)| {
            *length > 0 && delay.saturating_add(*length) <= total.saturating_add(4096)
        }) {
            return (Trim { skip: delay, keep: Some(length) }, notes);
        }
        let Some((duration, start)) = self.edit else {
            let lossy = info.encoding == Encoding::Aac;
            if lossy {
                notes.push(Note::warning(
                    "says nothing about its encoder's delay: the sound may start up to 50 ms late",
                ));
            }
            return (Trim { skip: 0, keep: (total > 0).then_some(total) }, notes);
        };
        let skip = frames(start, self.media_scale);
        let rest = total.saturating_sub(skip);
        // The movie's clock is often as coarse as 1 ms; an edit that ends within a tick of the media's own end
        // means that end.
        let edit = frames(duration, self.movie_scale);
        let tick = frames(1, self.movie_scale) + 1;
        let keep = if duration == 0 || edit + tick >= rest { rest } else { edit };
        (Trim { skip, keep: (total > 0).then_some(keep) }, notes)
    }

    fn refuse_he_aac(&self, path: &Path) -> Result<(), MediaError> {
        match self.object_type {
            5 | 29 => {
                Err(MediaError::unsupported(path, "HE-AAC (AAC with spectral band replication)"))
            }
            42 => Err(MediaError::unsupported(path, "xHE-AAC")),
            _ => Ok(()),
        }
    }
}

/// Kind, bytes of the header, bytes in all; `None` when the size is impossible.
fn box_header(b: &[u8], left: u64) -> Option<([u8; 4], u64, u64)> {
    let size = u64::from(u32::from_be_bytes(*b.first_chunk::<4>()?));
    let kind = *b.get(4..)?.first_chunk::<4>()?;
    let (header, size) = match size {
        0 => (8, left),
        1 => (16, u64::from_be_bytes(*b.get(8..)?.first_chunk::<8>()?)),
        size => (8, size),
    };
    // A last box that is cut off is used as far as it goes.
    (size >= header && left >= header).then_some((kind, header, size.min(left)))
}

/// The audio object type in an `esds` box. SBR can be said three ways; two are in these bytes.
fn object_type(b: &[u8]) -> Option<u8> {
    let mut b = b.get(4..)?;
    loop {
        let (tag, rest) = b.split_first()?;
        let mut len = 0usize;
        let mut after = rest;
        for _ in 0..4 {
            let (byte, next) = after.split_first()?;
            len = len << 7 | usize::from(byte & 0x7f);
            after = next;
            if byte & 0x80 == 0 {
                break;
            }
        }
        b = match tag {
            3 => after.get(3..)?,
            4 => after.get(13..)?,
            5 => return asc_type(after.get(..len.min(after.len()))?),
            _ => after.get(len..)?,
        };
    }
}

/// The object type of an AudioSpecificConfig; 5 when the backward-compatible extension announces SBR.
fn asc_type(config: &[u8]) -> Option<u8> {
    let kind = config.first()? >> 3;
    let bits = config.iter().take(8).fold(0u64, |sum, b| sum << 8 | u64::from(*b))
        << (8 * (8 - config.len().min(8)));
    // Type, rate index and channels take 13 bits, the general config 3; then 0x2b7, type 5, "SBR is there".
    let extension = bits << 16 >> 47;
    Some(if kind == 2 && extension == (0x2b7 << 6 | 5 << 1 | 1) { 5 } else { kind })
}

/// Delay, padding and length from iTunes' line of hexadecimal words.
fn itunes(b: &[u8]) -> Option<(u64, u64, u64)> {
    let text = String::from_utf8_lossy(b);
    let data = text.rsplit("data").next()?;
    let words: Vec<u64> = data
        .split_whitespace()
        .filter_map(|w| {
            u64::from_str_radix(w.trim_matches(|c: char| !c.is_ascii_hexdigit()), 16).ok()
        })
        .collect();
    match words.get(..) {
        Some([_, delay, padding, length, ..]) => Some((*delay, *padding, *length)),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spectral_band_replication_is_found_where_it_is_said() {
        assert_eq!(asc_type(&[0x12, 0x10]), Some(2));
        assert_eq!(asc_type(&[0x2b, 0x92, 0x08, 0x00]), Some(5));
        assert_eq!(asc_type(&[0x13, 0x90, 0x56, 0xe5, 0xa5, 0x48, 0x80]), Some(5));
    }

    #[test]
    fn itunes_text_gives_delay_padding_and_length() {
        let b = b"....mean....com.apple.iTunes....name....iTunSMPB....data........ 00000000 00000840 000001CA 00000000003F31F6 00000000";
        assert_eq!(itunes(b), Some((0x840, 0x1ca, 0x3f_31f6)));
    }

    #[test]
    fn boxes_that_do_not_step_on_are_refused() {
        assert_eq!(box_header(b"\0\0\0\x04free", 100), None);
        assert_eq!(box_header(b"\0\0\0\x08free", 100), Some((*b"free", 8, 8)));
        assert_eq!(box_header(b"\0\0\0\x01mdat\0\0\0\0\0\0\0\x01", 100), None);
    }
}
