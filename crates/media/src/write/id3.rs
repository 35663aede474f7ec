//! ID3v2.3, the version every player reads: UTF-16 texts.

use crate::info::Tags;

/// The tag, or nothing when there is no text.
pub(super) fn tag(tags: &Tags) -> Vec<u8> {
    let mut frames = Vec::new();
    let fields = [
        (b"TIT2", &tags.title),
        (b"TPE1", &tags.artist),
        (b"TALB", &tags.album),
        (b"TYER", &tags.date),
        (b"TCON", &tags.genre),
        (b"TSSE", &tags.originator),
    ];
    for (id, text) in fields {
        if let Some(text) = text {
            frame(&mut frames, *id, &[&[1], &utf16(text)[..]].concat());
        }
    }
    if let Some(text) = &tags.comment {
        frame(&mut frames, *b"COMM", &[b"\x01eng\xff\xfe\0\0", &utf16(text)[..]].concat());
    }
    if frames.is_empty() {
        return frames;
    }
    let size = frames.len() as u32;
    let mut out = b"ID3\x03\0\0".to_vec();
    out.extend([size >> 21, size >> 14, size >> 7, size].map(|x| (x & 0x7f) as u8));
    out.extend(frames);
    out
}

fn frame(out: &mut Vec<u8>, id: [u8; 4], body: &[u8]) {
    out.extend(id);
    out.extend((body.len() as u32).to_be_bytes());
    out.extend([0, 0]);
    out.extend(body);
}

fn utf16(text: &str) -> Vec<u8> {
    let mut out = vec![0xff, 0xfe];
    // Longer texts are cut, so that the tag's size stays far below its 28 bits.
    out.extend(text.encode_utf16().take(8192).flat_map(u16::to_le_bytes));
    out
}
