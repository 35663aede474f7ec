//! Any bytes behind the start of an AIFF or AIFF-C file.
#![no_main]

use libfuzzer_sys::fuzz_target;

#[path = "common.rs"]
mod common;

fuzz_target!(|data: &[u8]| {
    let Some((kind, rest)) = data.split_first() else { return };
    let start: &[u8] = if kind & 1 == 0 { b"FORM\0\0\0\0AIFF" } else { b"FORM\0\0\0\0AIFC" };
    common::read(&[start, rest].concat());
});
