//! What can be heard, as plain measurements: values, units and time spans, nothing else.
//!
//! The way through this crate: a *meter* takes planar `f32` blocks of any size (`new`, `push`, `finish`) and
//! gives a *reading*, plain data that serialises. The [`listen`] module feeds one pass of a track or of the
//! mix through all meters. Everything after that ([`masking`], [`stereo`], ...) is a pure function of readings.
//!
//! | module | what it reads |
//! |---|---|
//! | [`loudness`] | ITU-R BS.1770-5 and EBU Tech 3341/3342, in hops of 10 ms, of any span |
//! | [`true_peak`] | peaks between the samples |
//! | [`spectrum`] | third-octave powers, mid/side by band, ERB-band energies over time |
//! | [`levels`] | peak, RMS, DC, clipping, silence |
//! | [`dynamics`] | crest, PLR, PSR, DR |
//! | [`stereo`] | correlation, width and mono loss, whole and by octave |
//! | [`masking`], [`partial_loudness`] | who is heard beside whom |
//! | [`contribution`] | what a track or group adds to the whole |
//! | [`cohesion`], [`corridor`] | does it hang together, is its tone that of records |
//! | [`faults`] | what is wrong with a track, and where |
//! | [`pairs`] | how two tracks agree: polarity, delay, duplicates; full mixes |
//! | [`roles`] | what a track is, from its name and its sound; which files belong together |
//! | [`sections`] | excerpts, beat and sections of a song |
//!
//! Levels in dB are `f64` with the unit in the name. Silence is minus infinity, and `null` in JSON.
//! All sums are `f64` in one fixed order: the same sound gives the same bytes however it is cut into blocks.
#![forbid(unsafe_code)]

mod bands;
pub mod cohesion;
pub mod contribution;
pub mod corridor;
mod db_or_null;
pub mod dynamics;
pub mod faults;
mod k_weighting;
pub mod levels;
pub mod listen;
pub mod loudness;
pub mod masking;
mod octave_peaks;
pub mod pairs;
pub mod partial_loudness;
pub mod roles;
pub mod sections;
mod span;
pub mod spectrum;
pub mod stereo;
pub mod true_peak;

pub use bands::{
    ERB_BANDS, OCTAVES, THIRDS, cam_of_hz, erb_centre_hz, hz_of_cam, octave_centre_hz,
    third_centre_hz,
};
pub use listen::{MixListener, MixMeasurements, TrackListener, TrackMeasurements};
pub use span::TimeSpan;
