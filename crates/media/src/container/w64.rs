//! Sony Wave64: chunks with GUIDs for names, 64-bit sizes that include their own 24-byte header, 8-byte steps.

use super::{Claim, Header, Walk, note_empty, usable};
use crate::container::riff::parse_fmt;
use crate::error::MediaError;
use crate::info::{Container, Info};
use crate::pcm::Layout;
use std::fs::File;
use std::path::Path;

/// Reads the header of a Wave64 file.
pub(crate) fn read(file: &mut File, path: &Path, len: u64) -> Result<Header, MediaError> {
    let mut walk = Walk::new(file, path, len, "W64");
    walk.seek(40)?;
    let (mut fmt, mut data, mut fact) = (None, None, None);
    while let Some(guid) = walk.bytes::<16>()? {
        let Some(size) = walk.bytes::<8>()?.map(u64::from_le_bytes) else { break };
        let body = walk.at;
        let size = size.saturating_sub(24);
        match guid.first_chunk::<4>() {
            Some(b"fmt ") => fmt = Some(walk.body(size.min(64))?),
            Some(b"fact") => fact = walk.bytes::<8>()?.map(u64::from_le_bytes),
            Some(b"data") if data.is_none() => {
                data = Some(Claim {
                    offset: body,
                    bytes: (size > 0 && size < 1 << 62).then_some(size),
                });
            }
            _ => {}
        }
        let Some(next) =
            size.checked_next_multiple_of(8).and_then(|s| body.checked_add(s)).filter(|n| *n < len)
        else {
            break;
        };
        walk.seek(next)?;
    }
    let fmt = fmt
        .ok_or_else(|| walk.damaged("it has no fmt chunk, so nothing says what the samples are"))?;
    let format = parse_fmt(&fmt, false).map_err(|problem| problem.error(&walk))?;
    let claim =
        data.ok_or_else(|| walk.damaged("it has no data chunk, so there is no sound in it"))?;
    let rate = walk.rate(f64::from(format.rate_hz))?;
    let channels = walk.channels(u32::from(format.channels))?;
    let mut notes = format.notes;
    let mut layout = Layout { offset: claim.offset, frames: 0, channels, sample: format.sample };
    layout.frames = usable(&claim, len, layout.frame_bytes() as u64, rate, &mut notes);
    // Some writers count the padding to eight bytes as sound; their fact chunk knows better.
    let padding = |n: u64| (layout.frames - n).saturating_mul(layout.frame_bytes() as u64) < 8;
    if let Some(frames) = fact.filter(|n| *n < layout.frames && padding(*n)) {
        layout.frames = frames;
    }
    note_empty(layout.frames, &mut notes);
    let info = Info {
        container: Container::W64,
        encoding: format.encoding,
        rate,
        channels,
        frames: Some(layout.frames),
        mask: format.mask,
        time_reference: None,
        tags: crate::info::Tags::default(),
    };
    Ok(Header { info, layout, notes })
}
