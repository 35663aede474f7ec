//! The mixing DSP.
//!
//! Every processor is two types (see [`process`]): *settings*, plain data that a session stores, and the
//! *processor*, running state that only its settings can build. A kind of processor is known by a string
//! id in the [`registry`], with a [`param::ParamSpec`] table that files, help, console and checks read.
//!
//! Sound travels in [`buffer::Buffer`]s: planar `f32`, one or two channels. Recursive filters keep their
//! state in `f64` and put channels and cascaded bands into lanes, so that the compiler vectorises them.
#![forbid(unsafe_code)]

pub mod buffer;
pub mod clean;
pub mod compressor;
pub mod crossover;
pub mod cuts;
pub mod deesser;
pub mod delay_fx;
pub mod dither;
pub mod ducker;
pub mod dynamic_eq;
pub mod eq;
mod eq_band;
pub mod eq_design;
mod eq_run;
pub mod fast_math;
pub mod fir;
pub mod gate;
pub mod lanes;
pub mod limiter;
pub mod limiter_print;
pub mod math;
pub mod mid_side;
pub mod multiband;
pub mod opening;
pub mod oversample;
pub mod pan;
pub mod param;
pub mod process;
pub mod registry;
pub mod resample;
pub mod reverb;
pub mod ring;
pub mod saturation;
pub mod sidechain;
pub mod smooth;
pub mod svf;
pub mod transient;
pub mod trim;
pub mod true_peak;
pub mod width;

pub use buffer::Buffer;
pub use compressor::CompressorSettings;
pub use deesser::DeesserSettings;
pub use delay_fx::DelaySettings;
pub use ducker::DuckerSettings;
pub use dynamic_eq::DynamicEqSettings;
pub use eq::EqSettings;
pub use gate::GateSettings;
pub use limiter::LimiterSettings;
pub use mid_side::MidSideSettings;
pub use multiband::MultibandSettings;
pub use param::{AmountRule, Curve, ParamKind, ParamSpec, Unit};
pub use process::{Io, ProcessSpec, Processor, Settings, Status};
pub use registry::{KINDS, Kind};
pub use reverb::ReverbSettings;
pub use saturation::SaturationSettings;
pub use transient::TransientSettings;
pub use trim::TrimSettings;
pub use width::WidthSettings;
