//! The realtime half: nothing here allocates, locks, logs, reads a clock or fails once it is built.

mod chain;
mod curve;
pub(crate) mod deck;
pub(crate) mod delay;
mod fader;
pub mod meter;
pub mod renderer;
pub mod strip;
mod sum;

pub use strip::{ClipBlock, Outputs, StripOutput, StripRunner};
