//! The session: one song's document.
//!
//! [`model`] is the document, [`edit`] the only way to change it, [`moves`] folds it out of its moves. A
//! session on disk is a folder: `session.toml` is the only truth, `journal.jsonl` the evidence of all moves.
#![forbid(unsafe_code)]

mod apply;
pub mod byhand;
pub mod diff;
pub mod edit;
pub mod file;
mod fold;
mod format;
pub mod journal;
mod journal_file;
pub mod model;
pub mod moves;
mod reader;
pub mod rerun;
pub mod spec;
pub mod store;
pub mod validate;

pub use apply::TransactionError;
pub use byhand::explain_by_hand;
pub use diff::{describe, diff};
pub use edit::{Edit, EditError, Facts, ParamPath, Transaction};
pub use file::{JournalHead, LoadError, Loaded, load, save};
pub use journal::{Candidate, Evidence, Finding, Record};
pub use model::{
    Author, Clip, Fades, FileId, Levels, Marker, MarkerKind, MixSettings, Move, MoveId, MoveState,
    Point, Print, ProcessorId, ProcessorNode, Send, Session, SourceFile, Stage, Strategy, Strip,
    StripId, StripKind, Tap, Value,
};
pub use moves::{MoveChange, MoveError, Replay, refold, replay, set_move};
pub use rerun::{Rerun, mark_stale, rerun};
pub use store::{Opened, Slot, Store, StoreError};
pub use validate::{Problem, validate};
