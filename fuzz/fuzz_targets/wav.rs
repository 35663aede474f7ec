//! Any bytes behind the start of a WAV, RF64, BW64, RIFX, W64, AU or CAF file.
#![no_main]

use libfuzzer_sys::fuzz_target;

#[path = "common.rs"]
mod common;

fuzz_target!(|data: &[u8]| {
    let Some((kind, rest)) = data.split_first() else { return };
    let start: &[u8] = match kind % 7 {
        0 => b"RIFF\0\0\0\0WAVE",
        1 => b"RF64\xff\xff\xff\xffWAVE",
        2 => b"BW64\xff\xff\xff\xffWAVE",
        3 => b"RIFX\0\0\0\0WAVE",
        4 => b"riff\x2e\x91\xcf\x11\xa5\xd6\x28\xdb\x04\xc1\0\0",
        5 => b".snd",
        _ => b"caff\0\x01\0\0",
    };
    common::read(&[start, rest].concat());
});
