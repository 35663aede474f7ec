//! What a file is, by its first bytes. The name is never asked: a FLAC called `.wav` is read as FLAC.

use std::fs::File;
use std::io::{Read as _, Seek as _, SeekFrom};

/// What the content looks like.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// RIFF, RIFX, RF64 or BW64 of form WAVE, at this byte.
    Riff(u64),
    W64,
    Aiff,
    Au,
    Caf,
    /// FLAC, possibly behind an ID3 tag.
    Flac,
    Ogg,
    Mp4,
    /// An MPEG layer III stream, or an ID3 tag that can only belong to one.
    Mpeg,
    Adts,
    /// Nothing that is read here, and what it is instead.
    Other(&'static str),
}

/// Bytes that are looked at.
const HEAD: usize = 1 << 16;

/// Looks at the first bytes and leaves the file at its start.
pub(crate) fn sniff(file: &mut File) -> std::io::Result<Kind> {
    let mut head = Vec::with_capacity(HEAD);
    file.seek(SeekFrom::Start(0))?;
    file.by_ref().take(HEAD as u64).read_to_end(&mut head)?;
    let mut kind = kind_of(&head);
    if let Some(skip) = id3_len(&head) {
        // What stands behind a tag decides; tags may be larger than the head.
        let mut behind = Vec::new();
        file.seek(SeekFrom::Start(skip))?;
        file.by_ref().take(HEAD as u64).read_to_end(&mut behind)?;
        kind = match kind_of(&behind) {
            Kind::Riff(at) => Kind::Riff(skip + at),
            Kind::Other(_) if !behind.is_empty() => Kind::Mpeg,
            Kind::Other(_) => Kind::Other("an ID3 tag with nothing behind it"),
            other => other,
        };
    }
    file.seek(SeekFrom::Start(0))?;
    Ok(kind)
}

/// Bytes an ID3v2 tag at the start takes, header included.
pub(crate) fn id3_len(head: &[u8]) -> Option<u64> {
    let (b"ID3", [_, _, flags, a, b, c, d]) =
        (head.first_chunk::<3>()?, head.get(3..)?.first_chunk::<7>()?)
    else {
        return None;
    };
    let size = [a, b, c, d].iter().fold(0u64, |sum, byte| sum << 7 | u64::from(**byte & 0x7f));
    Some(10 + size + if flags & 0x10 != 0 { 10 } else { 0 })
}

fn kind_of(head: &[u8]) -> Kind {
    let form = head.get(8..12);
    match head {
        [b'R', b'I', b'F', b'F' | b'X', ..]
        | [b'R', b'F', b'6', b'4', ..]
        | [b'B', b'W', b'6', b'4', ..] => match form {
            Some(b"WAVE") => Kind::Riff(0),
            Some(b"AVI ") => Kind::Other("an AVI film"),
            Some(b"WEBP") => Kind::Other("a WebP picture"),
            _ => Kind::Other("a RIFF file of another kind"),
        },
        [b'r', b'i', b'f', b'f', 0x2e, 0x91, ..] => Kind::W64,
        [b'F', b'O', b'R', b'M', ..] => match form {
            Some(b"AIFF" | b"AIFC") => Kind::Aiff,
            _ => Kind::Other("an IFF file of another kind"),
        },
        [b'.', b's', b'n', b'd', ..] => Kind::Au,
        [b'c', b'a', b'f', b'f', ..] => Kind::Caf,
        [b'f', b'L', b'a', b'C', ..] => Kind::Flac,
        [b'O', b'g', b'g', b'S', ..] => Kind::Ogg,
        [_, _, _, _, b'f', b't', b'y', b'p', ..] | [_, _, _, _, b'm', b'o', b'o', b'v', ..] => {
            Kind::Mp4
        }
        [b'P', b'K', 3 | 5 | 7, ..] => Kind::Other("a ZIP archive"),
        [0x1f, 0x8b, ..] => Kind::Other("a gzip archive"),
        [b'7', b'z', 0xbc, 0xaf, ..] => Kind::Other("a 7-Zip archive"),
        [b'R', b'a', b'r', b'!', ..] => Kind::Other("a RAR archive"),
        [0x89, b'P', b'N', b'G', ..] | [0xff, 0xd8, 0xff, ..] | [b'G', b'I', b'F', b'8', ..] => {
            Kind::Other("a picture")
        }
        [b'%', b'P', b'D', b'F', ..] => Kind::Other("a PDF"),
        [0x1a, 0x45, 0xdf, 0xa3, ..] => Kind::Other("a Matroska or WebM file"),
        [b'w', b'v', b'p', b'k', ..] => Kind::Other("a WavPack file"),
        [b'M', b'A', b'C', b' ', ..] => Kind::Other("a Monkey's Audio file"),
        [0x30, 0x26, 0xb2, 0x75, ..] => Kind::Other("a Windows Media file"),
        [0, 5, 0x16, 7, ..] => Kind::Other("the resource fork of a file (AppleDouble)"),
        [] => Kind::Other("an empty file"),
        _ => stream(head),
    }
}

/// Bare streams: two headers in a row that fit together are asked for, one alone is too weak a sign.
fn stream(head: &[u8]) -> Kind {
    for (at, pair) in head.windows(2).enumerate() {
        if !matches!(pair, [0xff, 0xe0..=0xff]) {
            continue;
        }
        let rest = head.get(at..).unwrap_or_default();
        if let Some(len) = mpeg_frame_len(rest)
            && rest.get(len..).and_then(mpeg_frame_len).is_some()
        {
            return Kind::Mpeg;
        }
        if at == 0
            && let Some(len) = adts_frame_len(rest)
            && rest.get(len..).and_then(adts_frame_len).is_some()
        {
            return Kind::Adts;
        }
    }
    let text = !head.is_empty()
        && std::str::from_utf8(head.get(..head.len().min(512)).unwrap_or_default())
            .is_ok_and(|s| !s.contains('\0'));
    Kind::Other(if text { "a text" } else { "a file of unknown kind" })
}

/// Bytes of the layer III frame at the start of `b`.
fn mpeg_frame_len(b: &[u8]) -> Option<usize> {
    const V1: [u32; 15] = [0, 32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320];
    const V2: [u32; 15] = [0, 8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160];
    let [0xff, v, r, _] = b.first_chunk::<4>()? else { return None };
    let (version, layer) = (v >> 3 & 3, v >> 1 & 3);
    if v & 0xe0 != 0xe0 || version == 1 || layer != 1 {
        return None;
    }
    let kbps =
        *(if version == 3 { V1 } else { V2 }).get(usize::from(r >> 4)).filter(|k| **k > 0)?;
    let rate = *[44_100u32, 48_000, 32_000].get(usize::from(r >> 2 & 3))?
        >> [2, 0, 1, 0].get(usize::from(version))?;
    let samples = if version == 3 { 144_000 } else { 72_000 };
    Some((samples * kbps / rate + u32::from(r >> 1 & 1)) as usize)
}

/// Bytes of the ADTS frame at the start of `b`.
fn adts_frame_len(b: &[u8]) -> Option<usize> {
    let [0xff, v, _, c, d, e, _] = b.first_chunk::<7>()? else { return None };
    let len = usize::from(c & 3) << 11 | usize::from(*d) << 3 | usize::from(e >> 5);
    (v & 0xf6 == 0xf0 && len > 7).then_some(len)
}
