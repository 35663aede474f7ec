//! Targets by genre: readable files with their sources, embedded; and the choice among them.

use crate::roles::Class;
use crate::run::DecideError;
use crate::song::Song;
use serde::Deserialize;
use std::collections::BTreeMap;
use topdown_analysis::{THIRDS, third_centre_hz};
use topdown_dsp::math;

/// The profiles that come with the program, as TOML text, by name.
pub const BUILT_IN: &[(&str, &str)] = &[
    ("pop", include_str!("../profiles/pop.toml")),
    ("rock", include_str!("../profiles/rock.toml")),
    ("metal", include_str!("../profiles/metal.toml")),
    ("hip-hop", include_str!("../profiles/hip-hop.toml")),
    ("electronic", include_str!("../profiles/electronic.toml")),
    ("jazz-folk", include_str!("../profiles/jazz-folk.toml")),
    ("neutral", include_str!("../profiles/neutral.toml")),
];

/// Targets of one genre.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Profile {
    /// Short name.
    pub name: String,
    /// One line.
    pub about: String,
    /// Loudness of each class of roles re the whole mix.
    pub balance: BTreeMap<Class, Prior>,
    /// The tone corridor.
    pub tone: Tone,
    /// The dynamics of a mix before mastering.
    pub dynamics: DynamicsTarget,
    /// The mix-bus compressor.
    pub glue: Glue,
}

/// Where a role usually lies, and how much engineers differ.
#[derive(Clone, Copy, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Prior {
    /// Re the whole mix.
    pub lu: f64,
    /// Tolerance.
    pub sigma_lu: f64,
}

/// What the genre changes in the corridor's centre.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Tone {
    /// (from Hz, to Hz, dB).
    pub offsets: Vec<(f64, f64, f64)>,
}

/// Dynamics of a mix before mastering.
#[derive(Clone, Copy, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DynamicsTarget {
    /// Peak-to-loudness ratio, lowest and highest.
    pub plr_lu: (f64, f64),
    /// Lowest peak-to-short-term ratio.
    pub min_psr_lu: f64,
}

/// Settings of the mix-bus compressor.
#[derive(Clone, Copy, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Glue {
    /// Mean gain reduction over the loudest excerpt.
    pub gain_reduction_db: f64,
    /// n in n:1.
    pub ratio: f64,
    /// Attack.
    pub attack_ms: f64,
    /// High-pass in front of the detector.
    pub sidechain_hpf_hz: f64,
}

impl Profile {
    /// Reads a profile from TOML.
    ///
    /// # Errors
    /// [`DecideError::Profile`] when the text is no profile.
    pub fn parse(name: &str, text: &str) -> Result<Self, DecideError> {
        let fault = |reason: String| DecideError::Profile { name: name.to_owned(), reason };
        toml::from_str(text).map_err(|error| fault(error.message().to_owned()))
    }

    /// A profile that comes with the program.
    ///
    /// # Errors
    /// [`DecideError::Profile`] when there is none of this name.
    pub fn built_in(name: &str) -> Result<Self, DecideError> {
        match BUILT_IN.iter().find(|(known, _)| *known == name) {
            Some((_, text)) => Self::parse(name, text),
            None => {
                let names: Vec<&str> = BUILT_IN.iter().map(|(name, _)| *name).collect();
                let reason = format!("there is none of that name; there are {}", names.join(", "));
                Err(DecideError::Profile { name: name.to_owned(), reason })
            }
        }
    }

    /// The profile that settings ask for (`auto` chooses), and why.
    ///
    /// # Errors
    /// As [`Self::built_in`].
    pub fn wanted(name: &str, song: &Song) -> Result<(Self, String), DecideError> {
        if name == "auto" {
            let (name, why) = choose(song);
            return Ok((Self::built_in(name)?, why));
        }
        Ok((Self::built_in(name)?, "asked for".to_owned()))
    }

    /// Centre of the tone corridor in dB for a third of an octave, relative to 1 kHz.
    #[must_use]
    pub fn tone_db(&self, third: usize) -> f64 {
        let hz = third_centre_hz(third);
        let inside = |&&(from, to, _): &&(f64, f64, f64)| (from..to).contains(&hz);
        mean_tone_db(hz) + self.tone.offsets.iter().filter(inside).map(|o| o.2).sum::<f64>()
    }
}

/// Mean spectrum of 12,345 popular tracks (Elowsson & Friberg 2017) as levels of thirds of an octave re
/// 1 kHz: the power density per Hz of the paper's fit plus 10 log10 f for the width of the band.
fn mean_tone_db(hz: f64) -> f64 {
    let density = |hz: f64| {
        let x = 1.0 + 60.0 * math::log2(hz / 30.0);
        if hz >= 94.0 {
            -0.000_183 * x * x + 0.021_3 * x - 16.735
        } else {
            -0.000_907 * x * x + 0.256 * x - 32.942
        }
    };
    density(hz) - density(1_000.0) + 10.0 * math::log10(hz / 1_000.0)
}

/// Half the width of the corridor around [`Profile::tone_db`]: songs differ least from 150 Hz to 4 kHz.
#[must_use]
pub fn tone_half_width_db(third: usize) -> f64 {
    match third_centre_hz(third) {
        hz if hz < 60.0 => 8.0,
        hz if hz < 150.0 => 5.0,
        hz if hz < 4_100.0 => 3.0,
        hz if hz < 8_100.0 => 5.0,
        _ => 7.0,
    }
}

/// Thirds of an octave that the corridor judges: 40 Hz to 16 kHz.
pub const JUDGED_THIRDS: std::ops::Range<usize> = 3..THIRDS - 1;

/// Share of tracks from which instruments make a genre.
const MANY: f64 = 0.4;
const SOME: f64 = 0.2;

/// The profile that a song's instruments suggest, and why. Wrong is worse than neutral: what is not clear
/// stays `neutral`.
fn choose(song: &Song) -> (&'static str, String) {
    let roles: Vec<&str> =
        song.tracks.iter().filter(|t| t.exclude.is_none()).map(|t| t.role.as_str()).collect();
    let known = roles.iter().filter(|role| **role != "other").count().max(1) as f64;
    let has = |names: &[&str]| roles.iter().any(|role| names.contains(role));
    let share =
        |names: &[&str]| roles.iter().filter(|role| names.contains(role)).count() as f64 / known;
    let kit = has(&["snare", "drum kit", "overhead", "tom", "kick"]);
    let electric = share(&["electric guitar"]);
    let machines = share(&["synth", "pad", "loop", "sub bass", "fx"]);
    let acoustic = share(&["acoustic guitar", "strings", "brass", "woodwind", "harp", "piano"]);
    let percent = |share: f64| format!("{:.0} %", share * 100.0);
    if known < 2.0 || known < 0.5 * roles.len() as f64 {
        ("neutral", "too few of the tracks are known to tell a genre".to_owned())
    } else if machines >= MANY {
        (
            "electronic",
            format!("{} of the known tracks are synthesisers, loops or effects", percent(machines)),
        )
    } else if acoustic >= MANY && electric == 0.0 && !has(&["loop", "synth"]) {
        ("jazz-folk", format!("{} of the known tracks are acoustic instruments", percent(acoustic)))
    } else if kit && electric > 0.0 && machines < SOME {
        ("rock", "a drum kit and electric guitars, hardly a machine".to_owned())
    } else if kit && has(&["lead vocal", "vocal"]) {
        ("pop", "a voice and drums, no sign of another genre".to_owned())
    } else {
        ("neutral", "nothing among the tracks speaks clearly for a genre".to_owned())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_built_in_profile_reads_and_has_a_prior_for_every_class() {
        for (name, _) in BUILT_IN {
            let profile = Profile::built_in(name).unwrap();
            assert_eq!(profile.name, *name);
            for class in Class::ALL {
                assert!(profile.balance.contains_key(class), "{name} lacks {class:?}");
            }
            assert!(profile.dynamics.plr_lu.0 < profile.dynamics.plr_lu.1);
        }
        assert!(Profile::built_in("polka").is_err());
    }

    #[test]
    fn the_mean_spectrum_is_the_published_table() {
        for (third, level_db) in
            [(2, -19.4), (5, -4.9), (8, 1.3), (11, 2.2), (23, -7.4), (26, -13.1)]
        {
            let got = mean_tone_db(third_centre_hz(third));
            assert!((got - level_db).abs() < 0.3, "third {third}: {got:.2}, table {level_db}");
        }
    }
}
