//! Units of sound as types, and the only place where decibels and factors meet.
//!
//! A value that crosses the border of a crate carries its unit in its type; inside, in its name.
//! Everything here is plain `f64` (counts are integers) behind a newtype, and costs nothing.
#![forbid(unsafe_code)]
#![allow(clippy::disallowed_methods, reason = "the one place that turns decibels into factors")]

use std::fmt;

/// The level below which a fader is shown, saved and treated as closed.
pub const FADER_FLOOR_DB: f64 = -144.0;

macro_rules! quantity {
    ($(#[$doc:meta])* $name:ident, $unit:literal, $digits:literal) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, Default, PartialEq, PartialOrd)]
        pub struct $name(pub f64);

        impl $name {
            /// The bare number, in this type's unit.
            #[must_use]
            pub const fn get(self) -> f64 {
                self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, concat!("{:.", $digits, "} ", $unit), self.0)
            }
        }
    };
}

quantity!(
    /// A ratio of amplitudes on the decibel scale; 0 dB is "unchanged", minus infinity is silence.
    Db, "dB", 1
);
quantity!(
    /// A frequency.
    Hz, "Hz", 0
);
quantity!(
    /// A time.
    Seconds, "s", 3
);
quantity!(
    /// Loudness on the absolute scale of ITU-R BS.1770-5; silence is minus infinity.
    Lufs, "LUFS", 1
);
quantity!(
    /// True-peak level relative to full scale, read between the samples.
    Dbtp, "dBTP", 1
);

/// An amplitude factor: 1.0 is "unchanged", 0.0 is silence.
#[derive(Clone, Copy, Debug, PartialEq, PartialOrd)]
pub struct Gain(pub f64);

impl Gain {
    /// "Unchanged".
    pub const UNITY: Self = Self(1.0);
    /// Silence.
    pub const SILENCE: Self = Self(0.0);

    /// The factor.
    #[must_use]
    pub const fn get(self) -> f64 {
        self.0
    }

    /// This factor in decibels; zero and anything below it give minus infinity.
    #[must_use]
    pub fn db(self) -> Db {
        Db(gain_to_db(self.0))
    }
}

impl Db {
    /// Minus infinity: silence.
    pub const SILENCE: Self = Self(f64::NEG_INFINITY);

    /// This level as a factor; exactly 1.0 for 0 dB.
    #[must_use]
    pub fn gain(self) -> Gain {
        Gain(db_to_gain(self.0))
    }
}

/// Amplitude factor of a level in dB: `10^(db/20)`, exactly 1 at 0 dB, 0 at minus infinity.
#[must_use]
pub fn db_to_gain(db: f64) -> f64 {
    if db == 0.0 { 1.0 } else { 10f64.powf(db / 20.0) }
}

/// Level in dB of an amplitude factor: `20 log10(gain)`; minus infinity at and below 0.
#[must_use]
pub fn gain_to_db(gain: f64) -> f64 {
    if gain > 0.0 { 20.0 * gain.log10() } else { f64::NEG_INFINITY }
}

/// Power factor of a level in dB: `10^(db/10)`.
#[must_use]
pub fn db_to_power(db: f64) -> f64 {
    10f64.powf(db / 10.0)
}

/// Level in dB of a power: `10 log10(power)`; minus infinity at and below 0.
#[must_use]
pub fn power_to_db(power: f64) -> f64 {
    if power > 0.0 { 10.0 * power.log10() } else { f64::NEG_INFINITY }
}

/// A count of frames; one frame is one sample of each channel (never a video frame).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Frames(pub u64);

impl Frames {
    /// The count.
    #[must_use]
    pub const fn get(self) -> u64 {
        self.0
    }

    /// How long this many frames take at `rate`.
    #[must_use]
    pub fn at(self, rate: SampleRate) -> Seconds {
        Seconds(self.0 as f64 / f64::from(rate.get()))
    }
}

impl Seconds {
    /// The nearest count of frames at `rate`; times before zero give zero.
    #[must_use]
    pub fn frames(self, rate: SampleRate) -> Frames {
        Frames((self.0 * f64::from(rate.get())).round().max(0.0) as u64)
    }
}

/// Frames per second, inside the range that Topdown accepts (8 to 384 kHz).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SampleRate(u32);

impl SampleRate {
    /// The lowest accepted rate in Hz.
    pub const MIN_HZ: u32 = 8_000;
    /// The highest accepted rate in Hz.
    pub const MAX_HZ: u32 = 384_000;
    /// 44.1 kHz.
    pub const CD: Self = Self(44_100);
    /// 48 kHz.
    pub const STUDIO: Self = Self(48_000);

    /// A rate, or `None` outside [`Self::MIN_HZ`] to [`Self::MAX_HZ`].
    #[must_use]
    pub const fn new(hz: u32) -> Option<Self> {
        if hz >= Self::MIN_HZ && hz <= Self::MAX_HZ { Some(Self(hz)) } else { None }
    }

    /// Frames per second.
    #[must_use]
    pub const fn get(self) -> u32 {
        self.0
    }

    /// Frames per second as `f64`.
    #[must_use]
    pub fn hz(self) -> f64 {
        f64::from(self.0)
    }
}

impl fmt::Display for SampleRate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} Hz", self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn unity_is_exact_and_silence_is_minus_infinity() {
        assert_eq!(Db(0.0).gain(), Gain::UNITY);
        assert_eq!(Db::SILENCE.gain(), Gain::SILENCE);
        assert_eq!(Gain::SILENCE.db(), Db::SILENCE);
        assert_eq!(gain_to_db(-1.0), f64::NEG_INFINITY);
    }

    #[test]
    fn rates_outside_the_range_are_refused() {
        assert!(SampleRate::new(7_999).is_none());
        assert!(SampleRate::new(384_001).is_none());
        assert_eq!(SampleRate::new(44_100), Some(SampleRate::CD));
    }

    proptest! {
        #[test]
        fn decibels_survive_the_way_there_and_back(db in -140.0f64..60.0) {
            prop_assert!((gain_to_db(db_to_gain(db)) - db).abs() < 1e-9);
            prop_assert!((power_to_db(db_to_power(db)) - db).abs() < 1e-9);
        }

        #[test]
        fn frames_survive_the_way_there_and_back(frames in 0u64..1 << 40) {
            let rate = SampleRate::STUDIO;
            prop_assert_eq!(Frames(frames).at(rate).frames(rate), Frames(frames));
        }
    }
}
