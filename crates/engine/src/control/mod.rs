//! The side that may take its time: compiles a session to a plan and says what changed between two plans.

pub mod compile;
pub mod diff;
pub mod plan;
mod routing;
