//! The use cases: mix, render, check, explain, steer, compare; and the demo song.
//!
//! Owns files, threads, progress and cancellation. Plain data goes in and comes out; what is printed, and
//! how, is the command line's affair. Each command has one module of its name.
#![forbid(unsafe_code)]

mod balance;
pub mod check;
pub mod compare;
pub mod demo;
mod demo_run;
mod describe;
mod error;
pub mod explain;
mod facts;
mod hear;
mod library;
pub mod mix;
mod print;
mod progress;
mod project;
pub mod render;
mod rerun;
mod spool;
pub mod steer;
mod threads;
mod trial;

pub use demo_run::run as run_demo;
pub use error::AppError;
pub use progress::{Context, Progress};
/// Facts, text and page.
pub use topdown_report as report;
/// The document's types, for those who ask in its words.
pub use topdown_session as model;
