//! A stretch of time in a file or song.

use serde::{Deserialize, Serialize};

/// From `start_s` up to `end_s`, in seconds from the first frame that was heard.
#[derive(Clone, Copy, Debug, PartialEq, PartialOrd, Serialize, Deserialize)]
pub struct TimeSpan {
    /// Where it starts, in seconds.
    pub start_s: f64,
    /// Where it ends, in seconds.
    pub end_s: f64,
}

impl TimeSpan {
    /// How long it lasts, in seconds; never negative.
    #[must_use]
    pub fn length_s(&self) -> f64 {
        (self.end_s - self.start_s).max(0.0)
    }
}

/// Joins spans, sorted by start, that lie closer together than `gap_s`.
pub(crate) fn join_closer_than(spans: &[TimeSpan], gap_s: f64) -> Vec<TimeSpan> {
    let mut joined: Vec<TimeSpan> = Vec::new();
    for span in spans {
        match joined.last_mut() {
            Some(last) if span.start_s - last.end_s < gap_s => {
                last.end_s = last.end_s.max(span.end_s);
            }
            _ => joined.push(*span),
        }
    }
    joined
}
