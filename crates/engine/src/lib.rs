//! The engine: compiles a session to a plan and renders it, offline and live.
//!
//! [`control::compile`] turns a session into a [`control::plan::Plan`]: strips in the order in which they
//! can run, every path delayed so that all arrive together. [`rt::StripRunner`] runs one strip and is the
//! only thing that makes sound. Three drivers use it:
//!
//! - [`offline`] renders a range of the song on all cores, with bounded memory;
//! - [`trial`] renders excerpts and keeps what it has rendered, so that a candidate costs only what
//!   is downstream of it;
//! - [`live`] plays, a block at a time, with prefetched clips and changes that never click.
//!
//! All three give the same samples. Where sound comes from is told by [`feed::Sources`].
#![forbid(unsafe_code)]

pub mod control;
pub mod feed;
pub mod live;
pub mod offline;
mod prefetch;
pub mod rt;
mod schedule;
mod sink;
pub mod trial;

pub use control::compile::{CompileError, CompileOptions, compile};
pub use control::diff::{Change, SetValue, Target, diff};
pub use control::plan::{Plan, StripPlan, Warning};
pub use feed::{ClipSource, FeedError, Sources};
pub use live::{Live, LiveError};
pub use offline::{End, RenderError, RenderOptions, RenderReport, render};
pub use rt::meter::{MeterSlot, Reading};
pub use rt::renderer::Renderer;
pub use trial::{AudioKey, Tap, TrialAudio, TrialEngine, TrialError};
