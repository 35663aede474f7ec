//! Seeded signals, independent meters, the null test and the allocation guard, for tests only.
//!
//! Nothing here is shared with the code it judges: the meters are slow, plain and written from the formulas,
//! and this crate depends on no other of the workspace.
#![deny(unsafe_code)]

pub mod acceptance;
pub mod alloc;
pub mod analogue;
pub mod meters;
pub mod null;
pub mod plot;
pub mod signals;
