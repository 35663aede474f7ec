//! The use cases: open, mix, trial, render, check, undo; the demo song
#![forbid(unsafe_code)]
