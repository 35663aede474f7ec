//! The journal and the measurements, for people and for machines: terminal text, JSON, and one HTML page.
//!
//! Data flows one way: `app` gathers [`Facts`] (all measured on the print itself), and [`text`], [`html`]
//! and serde show the same facts. Nothing here measures or decides.
#![forbid(unsafe_code)]

pub mod facts;
pub mod html;
mod plot;
pub mod text;

pub use facts::Facts;
