//! The kinds of processors that this build knows, by their string ids.

use crate::compressor::CompressorSettings;
use crate::deesser::DeesserSettings;
use crate::delay_fx::DelaySettings;
use crate::ducker::DuckerSettings;
use crate::dynamic_eq::DynamicEqSettings;
use crate::eq::EqSettings;
use crate::gate::GateSettings;
use crate::limiter::LimiterSettings;
use crate::mid_side::MidSideSettings;
use crate::multiband::MultibandSettings;
use crate::param::ParamSpec;
use crate::process::{ProcessSpec, Processor, Settings};
use crate::reverb::ReverbSettings;
use crate::saturation::SaturationSettings;
use crate::transient::TransientSettings;
use crate::trim::TrimSettings;
use crate::width::WidthSettings;

/// One kind of processor.
#[derive(Clone, Copy)]
pub struct Kind {
    /// Stable id, as sessions write it.
    pub id: &'static str,
    /// What a person reads.
    pub label: &'static str,
    /// Whether it can listen to another strip.
    pub takes_key: bool,
    /// Its parameters.
    pub params: &'static [ParamSpec],
    build: fn(&[f64], &ProcessSpec) -> Box<dyn Processor>,
}

impl std::fmt::Debug for Kind {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("Kind").field(&self.id).finish()
    }
}

impl Kind {
    /// The kind that these settings describe.
    #[must_use]
    pub const fn of<S: Settings>() -> Self {
        Self {
            id: S::ID,
            label: S::LABEL,
            takes_key: S::TAKES_KEY,
            params: S::PARAMS,
            build: |values, spec| S::from_plain(values).build(spec),
        }
    }

    /// The kind with this id, if this build knows it.
    #[must_use]
    pub fn by_id(id: &str) -> Option<&'static Self> {
        KINDS.iter().find(|kind| kind.id == id)
    }

    /// Index and spec of a parameter.
    #[must_use]
    pub fn param(&self, id: &str) -> Option<(usize, &'static ParamSpec)> {
        self.params.iter().enumerate().find(|(_, spec)| spec.id == id)
    }

    /// The default of every parameter, in the order of `params`.
    #[must_use]
    pub fn defaults(&self) -> Vec<f64> {
        self.params.iter().map(|spec| spec.default).collect()
    }

    /// A running processor for plain values in the order of `params`.
    #[must_use]
    pub fn build(&self, values: &[f64], spec: &ProcessSpec) -> Box<dyn Processor> {
        (self.build)(values, spec)
    }
}

/// Every kind that this build knows.
#[rustfmt::skip]
pub const KINDS: &[Kind] = &[
    Kind::of::<TrimSettings>(),
    Kind::of::<EqSettings>(),
    Kind::of::<CompressorSettings>(),
    Kind::of::<LimiterSettings>(),
    Kind::of::<SaturationSettings>(),
    Kind::of::<DynamicEqSettings>(),
    Kind::of::<MultibandSettings>(),
    Kind::of::<MidSideSettings>(),
    Kind::of::<WidthSettings>(),
    Kind::of::<ReverbSettings>(),
    Kind::of::<DelaySettings>(),
    Kind::of::<GateSettings>(),
    Kind::of::<DeesserSettings>(),
    Kind::of::<TransientSettings>(),
    Kind::of::<DuckerSettings>(),
];
