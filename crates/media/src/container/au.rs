//! Sun and NeXT AU: a header of six big-endian words.

use super::{Claim, Header, Walk, integers, note_empty, usable};
use crate::error::MediaError;
use crate::info::{Container, Encoding, Info, Tags};
use crate::pcm::{Layout, Sample};
use std::fs::File;
use std::path::Path;

/// Reads the header of an AU file.
pub(crate) fn read(file: &mut File, path: &Path, len: u64) -> Result<Header, MediaError> {
    let mut walk = Walk::new(file, path, len, "AU");
    walk.seek(4)?;
    let head = walk.bytes::<20>()?.ok_or_else(|| walk.damaged("its header is cut off"))?;
    let mut words = head.as_chunks::<4>().0.iter().map(|w| u32::from_be_bytes(*w));
    let mut word = || words.next().unwrap_or_default();
    let (offset, size, coding, rate, channels) =
        (u64::from(word()), word(), word(), word(), word());
    let (sample, encoding) = match coding {
        1 => (Sample::MuLaw, Encoding::MuLaw),
        2..=5 => integers(8 * (coding as u16 - 1), coding as u8 - 1, true),
        6 => (Sample::F32 { big: true }, Encoding::Float(32)),
        7 => (Sample::F64 { big: true }, Encoding::Float(64)),
        27 => (Sample::ALaw, Encoding::ALaw),
        other => return Err(MediaError::unsupported(path, format!("AU with coding {other}"))),
    };
    if offset < 24 || offset > len {
        return Err(
            walk.damaged(format!("its sound is said to start at byte {offset}, outside the file"))
        );
    }
    let rate = walk.rate(f64::from(rate))?;
    let channels = walk.channels(channels)?;
    let mut notes = Vec::new();
    let claim = Claim { offset, bytes: (size != u32::MAX).then_some(u64::from(size)) };
    let mut layout = Layout { offset, frames: 0, channels, sample };
    layout.frames = usable(&claim, len, layout.frame_bytes() as u64, rate, &mut notes);
    note_empty(layout.frames, &mut notes);
    let info = Info {
        container: Container::Au,
        encoding,
        rate,
        channels,
        frames: Some(layout.frames),
        mask: None,
        time_reference: None,
        tags: Tags::default(),
    };
    Ok(Header { info, layout, notes })
}
