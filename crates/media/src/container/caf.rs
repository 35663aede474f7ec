//! Apple's Core Audio Format: the uncompressed kind is read in place, the others are decoded elsewhere.

use super::{Claim, Header, Walk, integers, note_empty, usable};
use crate::error::MediaError;
use crate::info::{Container, Encoding, Info, Tags};
use crate::pcm::{Layout, Sample};
use std::fs::File;
use std::path::Path;

/// Reads the header of a CAF file; `None` when its sound is compressed.
pub(crate) fn read(file: &mut File, path: &Path, len: u64) -> Result<Option<Header>, MediaError> {
    let mut walk = Walk::new(file, path, len, "CAF");
    walk.seek(8)?;
    let (mut desc, mut data) = (None, None);
    while let Some([a, b, c, d, size @ ..]) = walk.bytes::<12>()? {
        let size = i64::from_be_bytes(size);
        let body = walk.at;
        match &[a, b, c, d] {
            b"desc" => desc = walk.bytes::<32>()?,
            // Four bytes of edit count come before the samples; a size of -1 means "to the end".
            b"data" if data.is_none() => {
                data = Some(Claim {
                    offset: body + 4,
                    bytes: u64::try_from(size).ok().map(|s| s.saturating_sub(4)),
                });
            }
            _ => {}
        }
        let Some(next) =
            u64::try_from(size).ok().and_then(|s| body.checked_add(s)).filter(|n| *n < len)
        else {
            break;
        };
        walk.seek(next)?;
    }
    let desc = desc.ok_or_else(|| {
        walk.damaged("it has no desc chunk, so nothing says what the samples are")
    })?;
    let [r0, r1, r2, r3, r4, r5, r6, r7, id @ ..] = desc;
    let words = id.as_chunks::<4>().0;
    let word = |i: usize| words.get(i).map_or(0, |w| u32::from_be_bytes(*w));
    if words.first() != Some(b"lpcm") {
        return Ok(None);
    }
    let (flags, packet_bytes, channels, bits) = (word(1), word(2), word(4), word(5));
    let rate = walk.rate(f64::from_be_bytes([r0, r1, r2, r3, r4, r5, r6, r7]))?;
    let channels = walk.channels(channels)?;
    let (sample, encoding) = sample_of(flags, packet_bytes, channels, bits).ok_or_else(|| {
        walk.damaged(format!(
            "its header says {bits} bits a sample in {packet_bytes} bytes a frame"
        ))
    })?;
    let claim =
        data.ok_or_else(|| walk.damaged("it has no data chunk, so there is no sound in it"))?;
    let mut notes = Vec::new();
    let mut layout = Layout { offset: claim.offset, frames: 0, channels, sample };
    layout.frames = usable(&claim, len, layout.frame_bytes() as u64, rate, &mut notes);
    note_empty(layout.frames, &mut notes);
    let info = Info {
        container: Container::Caf,
        encoding,
        rate,
        channels,
        frames: Some(layout.frames),
        mask: None,
        time_reference: None,
        tags: Tags::default(),
    };
    Ok(Some(Header { info, layout, notes }))
}

fn sample_of(
    flags: u32,
    packet_bytes: u32,
    channels: u16,
    bits: u32,
) -> Option<(Sample, Encoding)> {
    let (float, big) = (flags & 1 != 0, flags & 2 == 0);
    let bytes = packet_bytes / u32::from(channels);
    match (float, bits) {
        (true, 32) if bytes == 4 => Some((Sample::F32 { big }, Encoding::Float(32))),
        (true, 64) if bytes == 8 => Some((Sample::F64 { big }, Encoding::Float(64))),
        (false, 1..=64) if (bits.div_ceil(8)..=8).contains(&bytes) => {
            Some(integers(bits as u16, bytes as u8, big))
        }
        _ => None,
    }
}
