//! The mix engineer: proposes moves, tries them through the bus, keeps what helps.
//!
//! Pure: no file, no clock, no engine. [`run`] takes a session as it stands and what is known of the
//! [`song`], hears candidates through the trait [`trial::Trial`], and gives back the session with its new
//! moves and one [`topdown_session::Record`] for each, rejected ones too.
#![forbid(unsafe_code)]

mod bands;
mod bus;
mod chain;
mod cost;
mod desk;
mod groups;
mod guard;
mod levels;
mod leverage;
mod picture;
mod predict;
mod prep;
pub mod profile;
mod propose;
mod recheck;
pub mod roles;
mod run;
mod solve;
pub mod song;
mod tracks;
pub mod trial;

pub use run::{DecideError, Event, LevelsChosen, Outcome, PredictorScore, Request, run, score};
pub use song::{Excerpt, ExcerptKind, Link, LinkKind, RoughBalance, Song, SongTrack, TrackSound};
pub use trial::{GainReduction, Heard, HeardExcerpt, MixHeard, StripHeard, Trial, TrialError};
