//! The binary `topdown`.
#![forbid(unsafe_code)]

fn main() {}
