//! The session: one song's document.
//!
//! [`model`] is the document, [`edit`] the only way to change it, [`moves`] folds it out of its moves. A
//! session on disk is a folder: `session.toml` is the only truth, `journal.jsonl` the evidence of all moves.
#![forbid(unsafe_code)]

pub mod edit;
pub mod journal;
pub mod model;

pub use edit::{Edit, ParamPath};
pub use journal::{Candidate, Evidence, Finding, Record};
pub use model::{
    Author, Clip, Fades, FileId, Levels, Marker, MarkerKind, MixSettings, Move, MoveId, MoveState,
    Point, Print, ProcessorId, ProcessorNode, Send, Session, SourceFile, Stage, Strategy, Strip,
    StripId, StripKind, Tap, Value,
};
