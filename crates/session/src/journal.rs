//! The journal: the evidence of all moves in order, rejected ones too. One line of JSON a record.

use crate::edit::Edit;
use crate::model::{Author, MoveId, MoveState, Stage, StripId};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// What a move did and why, written once when it was decided; what became of it later is in the document.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Record {
    /// The move.
    pub id: MoveId,
    /// When in a run.
    pub stage: Stage,
    /// Who.
    pub author: Author,
    /// Kept or rejected when it was decided.
    pub state: MoveState,
    /// One line: what it does.
    pub title: String,
    /// Plain words with numbers and times: why.
    pub reason: String,
    /// The strip it works on; empty for the session as a whole.
    pub strip: Option<StripId>,
    /// What it changes.
    pub edits: Vec<Edit>,
    /// What was measured.
    pub evidence: Evidence,
}

/// What was measured for a move. Everything a stage does not measure stays empty.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Evidence {
    /// What was heard, where and when.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub heard: Vec<Finding>,
    /// The alternatives that were tried, best first; the first one is the move itself.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub candidates: Vec<Candidate>,
    /// Cost of the whole mix before, by term (weighted), with the sum as `total`.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub cost_before: BTreeMap<String, f64>,
    /// Cost of the whole mix after, likewise.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub cost_after: BTreeMap<String, f64>,
    /// Tracks whose audibility the move raised by at least 0.1 LU, and by how much.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub leverage: Vec<(StripId, f64)>,
    /// Bounds inside which the move was sought, in words.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub bounds: String,
    /// How sure the mixer is, 0 to 1.
    pub confidence: f64,
}

/// One thing heard.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Finding {
    /// In plain words.
    pub text: String,
    /// On which strip.
    pub strip: Option<StripId>,
    /// How much, in `unit`.
    pub value: f64,
    /// Unit of `value`.
    pub unit: String,
    /// When, in session frames.
    pub span_frames: Option<(u64, u64)>,
    /// Where in the spectrum.
    pub band_hz: Option<(f64, f64)>,
}

/// One alternative that was tried.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Candidate {
    /// What it would do.
    pub title: String,
    /// Change of the cost that the predictor expected.
    pub predicted: f64,
    /// Change of the cost as heard through the bus; `None` if it was not tried.
    pub measured: Option<f64>,
    /// Why it was not taken; empty for the one that was.
    pub verdict: String,
}
