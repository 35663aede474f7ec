//! AIFF and AIFF-C: big-endian chunks, the rate as an 80-bit float, and a handful of "compressions" that are
//! plain PCM in another byte order.

use super::{Claim, Header, Walk, integers, note_empty, usable};
use crate::error::MediaError;
use crate::info::{Container, Encoding, Info, Note, Tags};
use crate::pcm::{Layout, Sample};
use crate::tags;
use std::fs::File;
use std::path::Path;

/// Reads the header of an AIFF or AIFF-C file.
pub(crate) fn read(file: &mut File, path: &Path, len: u64) -> Result<Header, MediaError> {
    let mut walk = Walk::new(file, path, len, "AIFF");
    walk.seek(8)?;
    let aifc = walk.bytes::<4>()? == Some(*b"AIFC");
    let (mut comm, mut sound, mut tags, mut notes) = (None, None, Tags::default(), Vec::new());
    while let Some([a, b, c, d, s0, s1, s2, s3]) = walk.bytes::<8>()? {
        let size = u64::from(u32::from_be_bytes([s0, s1, s2, s3]));
        let body = walk.at;
        match &[a, b, c, d] {
            b"COMM" if comm.is_none() => comm = Some(walk.body(size.min(64))?),
            b"SSND" if sound.is_none() => sound = Some(ssnd(&mut walk, size)?),
            b"NAME" => tags.title = tags::text(&walk.body(size)?),
            b"AUTH" => tags.artist = tags::text(&walk.body(size)?),
            b"ANNO" => tags.comment = tags::text(&walk.body(size)?),
            b"ID3 " | b"id3 " => tags.fill_from(tags::id3(&walk.body(size)?)),
            _ => {}
        }
        let next = body + size + (size & 1);
        if next >= len {
            break;
        }
        walk.seek(next)?;
    }
    let comm = comm.ok_or_else(|| {
        walk.damaged("it has no COMM chunk, so nothing says what the samples are")
    })?;
    let comm = Comm::parse(&walk, &comm, aifc)?;
    let claim = match sound {
        Some(claim) => claim,
        None if comm.frames == 0 => Claim { offset: len, bytes: Some(0) },
        None => return Err(walk.damaged("it has no SSND chunk, so there is no sound in it")),
    };
    let rate = walk.rate(comm.rate_hz)?;
    let channels = walk.channels(u32::from(comm.channels))?;
    let mut layout = Layout { offset: claim.offset, frames: 0, channels, sample: comm.sample };
    let frame_bytes = layout.frame_bytes() as u64;
    // The frame count and the chunk's size can both lie: the smaller holds, and each is told when it is short.
    let counted = u64::from(comm.frames) * frame_bytes;
    let chunk = claim.bytes.unwrap_or(u64::MAX);
    if counted < chunk && chunk - counted >= frame_bytes && claim.offset + counted < len {
        notes.push(Note::info(format!("the header counts {} frames, fewer than its sound chunk holds; the header's count is used", comm.frames)));
    }
    let claim = Claim { offset: claim.offset, bytes: Some(counted) };
    let bound = claim.offset.saturating_add(chunk).min(len);
    layout.frames = usable(&claim, bound, frame_bytes, rate, &mut notes);
    note_empty(layout.frames, &mut notes);
    let info = Info {
        container: if aifc { Container::Aifc } else { Container::Aiff },
        encoding: comm.encoding,
        rate,
        channels,
        frames: Some(layout.frames),
        mask: None,
        time_reference: None,
        tags,
    };
    Ok(Header { info, layout, notes })
}

/// The sound chunk: offset and block size come before the samples.
fn ssnd(walk: &mut Walk<'_>, size: u64) -> Result<Claim, MediaError> {
    let Some([a, b, c, d, ..]) = walk.bytes::<8>()? else {
        return Err(walk.damaged("its sound chunk is cut off"));
    };
    let skip = u64::from(u32::from_be_bytes([a, b, c, d]));
    let offset = walk.at + skip;
    if offset > walk.len {
        return Err(walk.damaged(format!(
            "its sound is said to start {skip} bytes further on, behind the end of the file"
        )));
    }
    Ok(Claim { offset, bytes: Some(size.saturating_sub(8 + skip)) })
}

/// The COMM chunk, checked.
struct Comm {
    channels: u16,
    frames: u32,
    rate_hz: f64,
    sample: Sample,
    encoding: Encoding,
}

impl Comm {
    fn parse(walk: &Walk<'_>, body: &[u8], aifc: bool) -> Result<Self, MediaError> {
        let short = || walk.damaged("its COMM chunk is too short");
        let (main, rest) = body.split_first_chunk::<18>().ok_or_else(short)?;
        let [c0, c1, f0, f1, f2, f3, b0, b1, rate @ ..] = main;
        let bits = u16::from_be_bytes([*b0, *b1]);
        let compression = if aifc { *rest.first_chunk::<4>().ok_or_else(short)? } else { *b"NONE" };
        let (sample, encoding) =
            sample_of(&compression, bits).ok_or_else(|| match &compression {
                b"NONE" | b"twos" | b"sowt" => {
                    walk.damaged(format!("its header says {bits} bits a sample; 1 to 64 are read"))
                }
                other => MediaError::unsupported(
                    walk.path,
                    format!("AIFF-C with the codec \"{}\"", other.escape_ascii()),
                ),
            })?;
        Ok(Self {
            channels: u16::from_be_bytes([*c0, *c1]),
            frames: u32::from_be_bytes([*f0, *f1, *f2, *f3]),
            rate_hz: extended(*rate),
            sample,
            encoding,
        })
    }
}

/// The samples of a compression type; `None` when it is not plain PCM or the bits are none.
fn sample_of(compression: &[u8; 4], bits: u16) -> Option<(Sample, Encoding)> {
    let bytes = || (1..=64).contains(&bits).then(|| bits.div_ceil(8) as u8);
    match compression {
        b"NONE" | b"twos" | b"in24" | b"in32" => Some(integers(bits, bytes()?, true)),
        b"sowt" | b"42ni" | b"23ni" => Some(integers(bits, bytes()?, false)),
        b"raw " => Some((Sample::U8, Encoding::Int(8))),
        b"fl32" | b"FL32" => Some((Sample::F32 { big: true }, Encoding::Float(32))),
        b"fl64" | b"FL64" => Some((Sample::F64 { big: true }, Encoding::Float(64))),
        b"alaw" | b"ALAW" => Some((Sample::ALaw, Encoding::ALaw)),
        b"ulaw" | b"ULAW" => Some((Sample::MuLaw, Encoding::MuLaw)),
        _ => None,
    }
}

/// An IEEE 754 extended number: sign, 15 bits of exponent, 64 bits of mantissa with its leading one.
pub(crate) fn extended(b: [u8; 10]) -> f64 {
    let [e0, e1, m @ ..] = b;
    let exponent = i32::from(u16::from_be_bytes([e0 & 0x7f, e1])) - 16383;
    let mantissa = u64::from_be_bytes(m);
    let value = match exponent {
        // Beyond any rate; also infinity and NaN.
        64.. => f64::INFINITY,
        0..=63 => {
            let whole = mantissa >> (63 - exponent);
            let part = if exponent == 63 { 0 } else { mantissa << (exponent + 1) };
            whole as f64 + part as f64 / 18_446_744_073_709_551_616.0
        }
        _ => 0.0,
    };
    if e0 & 0x80 != 0 { -value } else { value }
}

#[cfg(test)]
mod tests {
    use super::extended;

    #[test]
    fn eighty_bit_rates_are_read_exactly() {
        assert_eq!(extended([0x40, 0x0e, 0xac, 0x44, 0, 0, 0, 0, 0, 0]), 44_100.0);
        assert_eq!(extended([0x40, 0x0e, 0xbb, 0x80, 0, 0, 0, 0, 0, 0]), 48_000.0);
        assert_eq!(extended([0x40, 0x0e, 0xac, 0x44, 0x80, 0, 0, 0, 0, 0]), 44_100.5);
        assert_eq!(extended([0; 10]), 0.0);
        assert_eq!(extended([0x7f, 0xff, 0xc0, 0, 0, 0, 0, 0, 0, 0]), f64::INFINITY);
    }
}
