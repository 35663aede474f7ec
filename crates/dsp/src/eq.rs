//! Equaliser: eight bands of bell, shelves, passes, tilt and notch.
//!
//! **Promise.** Follows the analogue prototypes up to 20 kHz at 44.1 kHz: bells within 1.0 dB (0.1 dB up to
//! 1 kHz), shelves within 0.8 dB, low-passes within 1.8 dB (measured: docs/dsp/eq.md). A boost and the same
//! cut cancel below −140 dB. A band at 0 dB, and an equaliser with all bands off, change no bit. No latency.
//!
//! **Form.** Sections of second order with the matched coefficients of [`crate::eq_design`], memory in
//! `f64`, run side by side by [`crate::lanes`]. Passes of 6 to 48 dB per octave are Butterworth cascades;
//! `q` scales the section with the highest Q and 0.7071 is Butterworth itself.
//!
//! **Movement** without clicks is in `eq_band`, the running of the cascade in `eq_run`.

use crate::eq_design::{self as design, Section};
use crate::eq_run::Eq;
use crate::math;
use crate::param::{ParamSpec, Unit};
use crate::process::{ProcessSpec, Processor, Settings};
use topdown_units::SampleRate;

/// Bands of one equaliser.
pub const BANDS: usize = 8;
/// Sections of one band at the steepest slope.
pub(crate) const SLOTS: usize = 4;
/// The highest frequency of a band as a share of the sample rate.
const MAX_SHARE: f64 = 0.49;

/// What a band does.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Shape {
    /// Boost or cut around a frequency.
    #[default]
    Bell,
    /// Boost or cut below a frequency.
    LowShelf,
    /// Boost or cut above a frequency.
    HighShelf,
    /// Takes away what is below a frequency.
    HighPass,
    /// Takes away what is above a frequency.
    LowPass,
    /// Brighter or darker around a frequency.
    Tilt,
    /// Takes one frequency out.
    Notch,
}

impl Shape {
    /// Every shape, in the order of the parameter's names.
    pub const ALL: [Self; 7] = [
        Self::Bell,
        Self::LowShelf,
        Self::HighShelf,
        Self::HighPass,
        Self::LowPass,
        Self::Tilt,
        Self::Notch,
    ];
    const NAMES: &'static [&'static str] =
        &["bell", "low_shelf", "high_shelf", "high_pass", "low_pass", "tilt", "notch"];

    pub(crate) fn from_index(value: f64) -> Self {
        Self::ALL.get(value as usize).copied().unwrap_or_default()
    }

    const fn has_gain(self) -> bool {
        matches!(self, Self::Bell | Self::LowShelf | Self::HighShelf | Self::Tilt)
    }
}

/// Slopes of the passes in dB per octave.
pub const SLOPES_DB_OCT: [usize; 6] = [6, 12, 18, 24, 36, 48];
const SLOPE_NAMES: &[&str] = &["6", "12", "18", "24", "36", "48"];

/// One band.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Band {
    /// Whether it does anything.
    pub on: bool,
    /// What it does.
    pub shape: Shape,
    /// Centre or corner in Hz.
    pub freq_hz: f64,
    /// Boost or cut in dB, of bell, shelves and tilt.
    pub gain_db: f64,
    /// Quality of bell, shelves, notch and passes from 12 dB per octave on.
    pub q: f64,
    /// Slope of the passes in dB per octave, one of [`SLOPES_DB_OCT`].
    pub slope_db_oct: usize,
}

/// Eight bands and an output gain.
#[derive(Clone, Debug, PartialEq)]
pub struct EqSettings {
    /// The bands, first to last.
    pub bands: [Band; BANDS],
    /// Gain of the output in dB.
    pub gain_db: f64,
}

const BUTTERWORTH_Q: f64 = std::f64::consts::FRAC_1_SQRT_2;
const DEFAULT_HZ: [f64; BANDS] = [40.0, 100.0, 250.0, 630.0, 1600.0, 4000.0, 8000.0, 12_000.0];

impl Default for EqSettings {
    fn default() -> Self {
        let band = |freq_hz| Band {
            on: false,
            shape: Shape::Bell,
            freq_hz,
            gain_db: 0.0,
            q: BUTTERWORTH_Q,
            slope_db_oct: 12,
        };
        Self { bands: DEFAULT_HZ.map(band), gain_db: 0.0 }
    }
}

pub(crate) const PER_BAND: usize = 6;
pub(crate) const GAIN: usize = BANDS * PER_BAND;

macro_rules! eq_params {
    ($($n:literal),*) => { &[
        $(
            ParamSpec::switch(concat!("band_", $n, ".on"), concat!("Band ", $n),
                false, "Whether the band does anything"),
            ParamSpec::choice(concat!("band_", $n, ".shape"), concat!("Band ", $n, " shape"),
                Shape::NAMES, 0, "What the band does"),
            ParamSpec::number(concat!("band_", $n, ".freq_hz"), concat!("Band ", $n, " frequency"),
                Unit::Hz, (10.0, 24_000.0), DEFAULT_HZ[$n - 1], "Centre or corner").log(),
            ParamSpec::number(concat!("band_", $n, ".gain_db"), concat!("Band ", $n, " gain"),
                Unit::Db, (-24.0, 24.0), 0.0, "Boost or cut of bell, shelf and tilt").scaled(),
            ParamSpec::number(concat!("band_", $n, ".q"), concat!("Band ", $n, " Q"),
                Unit::None, (0.1, 24.0), BUTTERWORTH_Q, "Higher is narrower").log(),
            ParamSpec::choice(concat!("band_", $n, ".slope_db_oct"), concat!("Band ", $n, " slope"),
                SLOPE_NAMES, 1, "Slope of high-pass and low-pass in dB per octave"),
        )*
        ParamSpec::number("gain_db", "Gain", Unit::Db, (-24.0, 24.0), 0.0, "Gain of the output")
            .scaled(),
    ] };
}

impl Settings for EqSettings {
    const ID: &'static str = "eq";
    const LABEL: &'static str = "Equaliser";
    const PARAMS: &'static [ParamSpec] = eq_params!(1, 2, 3, 4, 5, 6, 7, 8);

    fn from_plain(values: &[f64]) -> Self {
        let at = |index: usize| values.get(index).copied().unwrap_or(Self::PARAMS[index].default);
        let band = |first: usize| Band {
            on: at(first) != 0.0,
            shape: Shape::from_index(at(first + 1)),
            freq_hz: at(first + 2),
            gain_db: at(first + 3),
            q: at(first + 4),
            slope_db_oct: slope_from_index(at(first + 5)),
        };
        Self { bands: std::array::from_fn(|n| band(n * PER_BAND)), gain_db: at(GAIN) }
    }

    fn to_plain(&self) -> Vec<f64> {
        let band = |band: &Band| {
            let slope = SLOPES_DB_OCT.iter().position(|slope| *slope == band.slope_db_oct);
            [
                f64::from(u8::from(band.on)),
                band.shape as usize as f64,
                band.freq_hz,
                band.gain_db,
                band.q,
                slope.unwrap_or(1) as f64,
            ]
        };
        self.bands.iter().flat_map(band).chain([self.gain_db]).collect()
    }

    fn build(&self, spec: &ProcessSpec) -> Box<dyn Processor> {
        Box::new(Eq::new(self, spec))
    }
}

pub(crate) fn slope_from_index(value: f64) -> usize {
    SLOPES_DB_OCT.get(value as usize).copied().unwrap_or(12)
}

impl Band {
    /// The band's sections at `rate`; slots beyond its order change nothing.
    pub(crate) fn design(&self, rate: SampleRate) -> [Section; SLOTS] {
        let w = math::TAU * (self.freq_hz / rate.hz()).min(MAX_SHARE);
        let one = match self.shape {
            Shape::Bell => design::bell(w, self.q, self.gain_db),
            Shape::LowShelf => design::low_shelf(w, self.q, self.gain_db),
            Shape::HighShelf => design::high_shelf(w, self.q, self.gain_db),
            Shape::Tilt => design::tilt(w, self.gain_db),
            Shape::Notch => design::notch(w, self.q),
            Shape::HighPass => {
                return self.pass(w, design::high_pass_first_order, design::high_pass);
            }
            Shape::LowPass => return self.pass(w, design::low_pass_first_order, design::low_pass),
        };
        [one, Section::IDENTITY, Section::IDENTITY, Section::IDENTITY]
    }

    fn pass(
        &self,
        w: f64,
        first: impl Fn(f64) -> Section,
        second: impl Fn(f64, f64) -> Section,
    ) -> [Section; SLOTS] {
        let order = self.slope_db_oct / 6;
        let mut sections = [Section::IDENTITY; SLOTS];
        for (index, section) in sections.iter_mut().take(order / 2).enumerate() {
            // Index 0 is the pole pair nearest to the imaginary axis, the one that rings.
            let q = design::butterworth_q(order, index);
            let scale = if index == 0 { self.q / BUTTERWORTH_Q } else { 1.0 };
            *section = second(w, q * scale);
        }
        if order % 2 == 1 {
            sections[order / 2] = first(w);
        }
        sections
    }

    fn changes_something(&self) -> bool {
        self.on && (!self.shape.has_gain() || self.gain_db != 0.0)
    }
}

/// The response of `settings` at `hz` in dB, as the processor has it at `rate`.
#[must_use]
pub fn response_db(settings: &EqSettings, rate: SampleRate, hz: f64) -> f64 {
    let w = math::TAU * hz / rate.hz();
    let bands = settings.bands.iter().filter(|band| band.changes_something());
    let power = |band: &Band| band.design(rate).iter().map(|section| section.power(w)).product();
    bands.map(|band| 10.0 * math::log10(power(band))).sum::<f64>() + settings.gain_db
}
