//! Promises of the use cases, kept on a small song: from a folder of tracks to a print, and everything that a
//! person may do in between.
#![allow(clippy::unwrap_used, clippy::panic, missing_docs, reason = "tests")]

mod hand;
mod place;
mod rerun;
mod run;
mod song;
mod steer;
mod trouble;
