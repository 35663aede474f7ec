//! Texts inside files, read with caps: RIFF INFO, ID3v2, Broadcast WAVE `bext` and iXML.
//!
//! Tags are never worth an error: what cannot be read is left out.

use crate::info::Tags;

/// Longer texts are cut.
const MAX_TEXT: usize = 4096;
/// More fields than this are not looked at.
const MAX_FIELDS: usize = 1024;

/// A text of any provenance: UTF-8 when it is valid, Latin-1 else; cut at NUL, trimmed; `None` when empty.
pub(crate) fn text(bytes: &[u8]) -> Option<String> {
    let end = bytes.iter().position(|b| *b == 0).unwrap_or(bytes.len()).min(MAX_TEXT);
    let bytes = bytes.get(..end).unwrap_or_default();
    let text = match std::str::from_utf8(bytes) {
        Ok(text) => text.to_owned(),
        // Cut inside a character: keep what is whole; anything else is an old single-byte set.
        Err(e) if e.error_len().is_none() => {
            String::from_utf8_lossy(bytes.get(..e.valid_up_to()).unwrap_or_default()).into_owned()
        }
        Err(_) => bytes.iter().map(|b| char::from(*b)).collect(),
    };
    let text = text.trim();
    (!text.is_empty()).then(|| text.to_owned())
}

/// The texts of a `LIST` chunk of type `INFO` (its body, type included).
pub(crate) fn riff_info(body: &[u8]) -> Tags {
    let mut tags = Tags::default();
    let Some((b"INFO", mut rest)) = body.split_first_chunk::<4>() else { return tags };
    for _ in 0..MAX_FIELDS {
        let Some((id, after)) = rest.split_first_chunk::<4>() else { break };
        let Some((size, after)) = after.split_first_chunk::<4>() else { break };
        let size = (u32::from_le_bytes(*size) as usize).min(after.len());
        let value = text(after.get(..size).unwrap_or_default());
        match id {
            b"INAM" => tags.title = value,
            b"IART" => tags.artist = value,
            b"IPRD" => tags.album = value,
            b"ICRD" => tags.date = value,
            b"IGNR" => tags.genre = value,
            b"ICMT" => tags.comment = value,
            b"ISFT" => tags.originator = value,
            _ => {}
        }
        rest = after.get(size + (size & 1)..).unwrap_or_default();
    }
    tags
}

/// The texts and the time reference (frames since midnight) of a `bext` chunk.
pub(crate) fn bext(body: &[u8]) -> (Tags, Option<u64>) {
    let field = |at: usize, len: usize| body.get(at..(at + len).min(body.len())).and_then(text);
    let tags = Tags {
        description: field(0, 256),
        originator: field(256, 32),
        date: field(320, 10),
        ..Tags::default()
    };
    let time =
        body.get(338..346).and_then(|b| b.first_chunk::<8>()).map(|b| u64::from_le_bytes(*b));
    // A recorder counts from midnight; more than a few days at 384 kHz is not a time.
    (tags, time.filter(|t| *t < 1 << 40))
}

/// The track names of an iXML document, in the order of their channels. Not an XML reader: it looks for
/// `<NAME>` inside `<TRACK>`, so there is nothing to expand or to fetch.
pub(crate) fn ixml(body: &[u8]) -> Vec<String> {
    let xml = String::from_utf8_lossy(body);
    let mut names = Vec::new();
    for track in xml.split("<TRACK>").skip(1).take(MAX_FIELDS) {
        let track = track.split("</TRACK>").next().unwrap_or_default();
        let name = track
            .split_once("<NAME>")
            .and_then(|(_, rest)| rest.split_once("</NAME>"))
            .map_or("", |(name, _)| name);
        let name = name
            .replace("&lt;", "<")
            .replace("&gt;", ">")
            .replace("&quot;", "\"")
            .replace("&apos;", "'")
            .replace("&amp;", "&");
        names.push(text(name.as_bytes()).unwrap_or_default());
    }
    names
}

/// The texts of an ID3v2 tag (2.2 to 2.4) at the start of `bytes`.
pub(crate) fn id3(bytes: &[u8]) -> Tags {
    let mut tags = Tags::default();
    let Some((b"ID3", [version @ 2..=4, _, flags, _, _, _, _])) =
        bytes.first_chunk::<3>().zip(bytes.get(3..10).and_then(|b| b.first_chunk::<7>()))
    else {
        return tags;
    };
    if flags & 0xc0 != 0 && !(*version == 3 && flags & 0xc0 == 0x40) {
        // Unsynchronised tags and extended headers of 2.2/2.4 are rare; the name of the file does without them.
        return tags;
    }
    let Some(mut rest) = bytes.get(10..) else { return tags };
    if flags & 0x40 != 0 {
        let Some(size) = rest.first_chunk::<4>() else { return tags };
        rest =
            rest.get((u32::from_be_bytes(*size) as usize).saturating_add(4)..).unwrap_or_default();
    }
    for _ in 0..MAX_FIELDS {
        let Some((id, size, body)) = id3_frame(*version, rest) else { break };
        let Some(value) = body.get(..size) else { break };
        match id {
            b"TIT2" | b"TT2" => tags.title = id3_text(value),
            b"TPE1" | b"TP1" => tags.artist = id3_text(value),
            b"TALB" | b"TAL" => tags.album = id3_text(value),
            b"TDRC" | b"TYER" | b"TYE" => tags.date = id3_text(value),
            b"TCON" | b"TCO" => tags.genre = id3_text(value),
            b"COMM" | b"COM" => tags.comment = id3_comment(value),
            b"TSSE" | b"TENC" => tags.originator = id3_text(value),
            _ => {}
        }
        rest = body.get(size..).unwrap_or_default();
    }
    tags
}

/// Id, size and what follows the header of the frame at the start of `b`.
fn id3_frame(version: u8, b: &[u8]) -> Option<(&[u8], usize, &[u8])> {
    if *b.first()? == 0 {
        return None;
    }
    if version == 2 {
        let size = b.get(3..6)?.iter().fold(0usize, |s, x| s << 8 | usize::from(*x));
        return Some((b.get(..3)?, size, b.get(6..)?));
    }
    let size = b.get(4..8)?;
    let size = if version == 4 {
        size.iter().fold(0usize, |s, x| s << 7 | usize::from(x & 0x7f))
    } else {
        size.iter().fold(0usize, |s, x| s << 8 | usize::from(*x))
    };
    Some((b.get(..4)?, size, b.get(10..)?))
}

fn id3_text(value: &[u8]) -> Option<String> {
    let (encoding, bytes) = value.split_first()?;
    match encoding {
        1 | 2 => utf16(bytes, *encoding == 2),
        0 => text(
            &bytes
                .iter()
                .take(MAX_TEXT)
                .take_while(|b| **b != 0)
                .map(|b| char::from(*b))
                .collect::<String>()
                .into_bytes(),
        ),
        _ => text(bytes),
    }
}

fn id3_comment(value: &[u8]) -> Option<String> {
    let (encoding, bytes) = (value.first()?, value.get(4..)?);
    let wide = matches!(encoding, 1 | 2);
    let end = if wide {
        bytes.chunks_exact(2).position(|u| u == [0, 0]).map(|i| i * 2 + 2)
    } else {
        bytes.iter().position(|b| *b == 0).map(|i| i + 1)
    };
    let body = bytes.get(end?..)?;
    id3_text(&[std::slice::from_ref(encoding), body].concat())
}

fn utf16(bytes: &[u8], big: bool) -> Option<String> {
    let (big, bytes) = match bytes {
        [0xff, 0xfe, rest @ ..] => (false, rest),
        [0xfe, 0xff, rest @ ..] => (true, rest),
        _ => (big, bytes),
    };
    let units = bytes
        .as_chunks::<2>()
        .0
        .iter()
        .map(|u| if big { u16::from_be_bytes(*u) } else { u16::from_le_bytes(*u) });
    let text: String = char::decode_utf16(units.take(MAX_TEXT).take_while(|u| *u != 0))
        .map(|c| c.unwrap_or('\u{fffd}'))
        .collect();
    let text = text.trim();
    (!text.is_empty()).then(|| text.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_come_out_whatever_set_they_are_written_in() {
        assert_eq!(text("Kick \u{e9}\0\0junk".as_bytes()).as_deref(), Some("Kick \u{e9}"));
        assert_eq!(text(b"Gr\xfcn").as_deref(), Some("Gr\u{fc}n"));
        assert_eq!(text(b"  \0"), None);
        assert_eq!(id3_text(b"\x01\xff\xfeK\0i\0").as_deref(), Some("Ki"));
        assert_eq!(id3_text(b"\x02\0K\0i").as_deref(), Some("Ki"));
        assert_eq!(id3_text(b"\0Gr\xfcn\0").as_deref(), Some("Gr\u{fc}n"));
    }

    #[test]
    fn names_of_tracks_come_out_of_ixml_in_order() {
        let xml = b"<BWFXML><TRACK_LIST><TRACK><NAME>Kick &amp; Sub</NAME></TRACK><TRACK></TRACK><TRACK><NAME>Sn</NAME></TRACK></TRACK_LIST></BWFXML>";
        assert_eq!(ixml(xml), ["Kick & Sub", "", "Sn"]);
    }

    #[test]
    fn a_tag_that_lies_about_its_sizes_is_left_out() {
        assert_eq!(riff_info(b"INFOINAM\xff\xff\xff\xffab").title.as_deref(), Some("ab"));
        assert!(id3(b"ID3\x03\0\0\0\0\0\x20TIT2\x7f\xff\xff\xff\0\0\0ab").is_empty());
        assert_eq!(bext(&[0; 100]), (Tags::default(), None));
    }
}
