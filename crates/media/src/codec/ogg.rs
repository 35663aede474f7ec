//! Ogg: which codec is inside, and where the links of a chained file begin and end.
//!
//! A chained file is several streams one after the other (radio recordings, joined takes). Each link is decoded
//! as if it were a file, and they are joined without a gap.

use super::foreign::{Foreign, Span, Trim, VORBIS};
use super::{Decoder, Opened, Sink};
use crate::error::MediaError;
use crate::file::Coded;
use crate::info::{Info, Note};
use std::fs::File;
use std::io::{BufReader, Read as _, Seek as _, SeekFrom};
use std::path::Path;

/// Links beyond this are not looked for.
const MAX_LINKS: usize = 10_000;

/// One stream of a chained file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Link {
    pub start: u64,
    pub len: u64,
    /// The first bytes of the first packet: they name the codec.
    pub head: Vec<u8>,
}

/// Finds the links by walking from page to page; sound is skipped over.
pub(super) fn links(path: &Path) -> Result<Vec<Link>, MediaError> {
    let io = |e| MediaError::io(path, "read it")(e);
    let file = File::open(path).map_err(MediaError::io(path, "open it"))?;
    let len = file.metadata().map_err(io)?.len();
    let mut file = BufReader::new(file);
    let mut links: Vec<Link> = Vec::new();
    let (mut at, mut headers) = (0u64, false);
    while at + 27 <= len && links.len() < MAX_LINKS {
        let mut page = [0u8; 27];
        file.read_exact(&mut page).map_err(io)?;
        let [b'O', b'g', b'g', b'S', 0, flags, .., segments] = page else { break };
        let mut lacing = vec![0u8; usize::from(segments)];
        if at + 27 + lacing.len() as u64 > len {
            break;
        }
        file.read_exact(&mut lacing).map_err(io)?;
        let body: u64 = lacing.iter().map(|n| u64::from(*n)).sum();
        let mut taken = 0;
        // First pages stand together at the start of a link; a first page after others starts the next.
        let first = flags & 2 != 0;
        if first && !headers {
            let mut head =
                vec![0u8; body.min(64).min(len - at - 27 - u64::from(segments)) as usize];
            file.read_exact(&mut head).map_err(io)?;
            taken = head.len() as u64;
            links.push(Link { start: at, len: 0, head });
        }
        headers = first;
        let step = body - taken;
        file.seek_relative(step as i64).map_err(io)?;
        at += 27 + u64::from(segments) + body;
        if at > len {
            break;
        }
    }
    let ends: Vec<u64> = links.iter().skip(1).map(|l| l.start).chain([len]).collect();
    for (link, end) in links.iter_mut().zip(ends) {
        link.len = end - link.start;
    }
    Ok(links)
}

/// Which codec the first link holds.
pub(super) fn kind(path: &Path) -> Result<Coded, MediaError> {
    let links = links(path)?;
    let Some(link) = links.first() else {
        return Err(MediaError::damaged(path, "Ogg", "its first page is broken"));
    };
    match link.head.get(..) {
        Some([1, b'v', b'o', b'r', b'b', b'i', b's', ..]) => Ok(Coded::Vorbis),
        Some([b'O', b'p', b'u', b's', b'H', b'e', b'a', b'd', ..]) => Ok(Coded::Opus),
        Some([0x7f, b'F', b'L', b'A', b'C', ..]) => Ok(Coded::OggFlac),
        Some([b'S', b'p', b'e', b'e', b'x', ..]) => Err(MediaError::unsupported(path, "Speex")),
        Some([0x80, b't', b'h', b'e', b'o', b'r', b'a', ..]) => {
            Err(MediaError::unsupported(path, "Ogg video"))
        }
        _ => Err(MediaError::unsupported(path, "the codec in this Ogg file")),
    }
}

/// Ogg Vorbis of one or many links.
pub(super) struct Chained;

impl Decoder for Chained {
    fn open(&self, path: &Path) -> Result<Opened, MediaError> {
        let links = links(path)?;
        let mut info = stream(&VORBIS, path, links.first())?.info;
        if links.len() > 1 {
            info.frames = None;
        }
        Ok(Opened { info, notes: Vec::new() })
    }

    fn decode(
        &self,
        path: &Path,
        info: &Info,
        sink: &mut Sink<'_>,
    ) -> Result<Vec<Note>, MediaError> {
        let links = links(path)?;
        let mut notes = Vec::new();
        for link in &links {
            let stream = stream(&VORBIS, path, Some(link))?;
            if (stream.info.rate, stream.info.channels) != (info.rate, info.channels) {
                notes.push(Note::warning(
                    "changes its rate or channels on the way; only the part before is used",
                ));
                break;
            }
            notes.extend(VORBIS.run(path, stream, Trim::default(), sink)?);
        }
        Ok(notes)
    }
}

fn stream(
    kind: &Foreign,
    path: &Path,
    link: Option<&Link>,
) -> Result<super::foreign::Stream, MediaError> {
    let Some(link) = link else {
        return Err(MediaError::damaged(path, "Ogg", "its first page is broken"));
    };
    kind.stream(path, Span::new(path, link.start, link.len)?)
}

/// The granule position of the last whole page of a link: its length in the codec's frames.
pub(super) fn last_granule(path: &Path, link: &Link) -> Result<Option<u64>, MediaError> {
    let io = |e| MediaError::io(path, "read it")(e);
    let mut file = File::open(path).map_err(MediaError::io(path, "open it"))?;
    // A page is at most 65,307 bytes.
    let tail = link.len.min(1 << 17);
    file.seek(SeekFrom::Start(link.start + link.len - tail)).map_err(io)?;
    let mut bytes = Vec::new();
    file.take(tail).read_to_end(&mut bytes).map_err(io)?;
    let granules = bytes.windows(14).filter_map(|w| match w {
        [b'O', b'g', b'g', b'S', 0, _, g @ ..] => {
            g.first_chunk::<8>().map(|g| i64::from_le_bytes(*g))
        }
        _ => None,
    });
    Ok(granules.filter_map(|g| u64::try_from(g).ok()).next_back())
}
