//! Any bytes as the text chunks of a sound WAV: INFO, ID3, bext, iXML.
#![no_main]

use libfuzzer_sys::fuzz_target;

#[path = "common.rs"]
mod common;

fuzz_target!(|data: &[u8]| {
    let Some((kind, rest)) = data.split_first() else { return };
    let (id, start): (&[u8; 4], &[u8]) = match kind % 4 {
        0 => (b"LIST", b"INFO"),
        1 => (b"id3 ", b"ID3"),
        2 => (b"bext", b""),
        _ => (b"iXML", b"<BWFXML><TRACK_LIST><TRACK>"),
    };
    let body = [start, rest].concat();
    let mut file = b"RIFF\0\0\0\0WAVEfmt \x10\0\0\0\x01\0\x01\0\x80\xbb\0\0\0\x77\x01\0\x02\0\x10\0".to_vec();
    file.extend(id);
    file.extend((body.len() as u32).to_le_bytes());
    file.extend(&body);
    file.extend(std::iter::repeat_n(0, body.len() & 1));
    file.extend(b"data\x04\0\0\0\0\0\0\0");
    common::read(&file);
});
