//! Roles as levels and the cost see them: the classes that priors are given for.

use serde::Deserialize;
use topdown_analysis::roles::{Group, Role};

/// A class of roles with a prior of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Class {
    /// Lead voice, doubles included.
    Lead,
    /// Other voices.
    Backing,
    /// A whole kit or beat.
    Drums,
    /// Kick.
    Kick,
    /// Snare and claps.
    Snare,
    /// Hi-hat, cymbals, overheads.
    Cymbals,
    /// Toms, rooms, percussion.
    Toms,
    /// Everything that carries the bass line.
    Bass,
    /// Guitars.
    Guitars,
    /// Keys, synthesisers, pads.
    Keys,
    /// Strings, brass, woodwinds.
    Strings,
    /// Effects.
    Fx,
}

impl Class {
    /// Every class.
    pub const ALL: &'static [Self] = &[
        Self::Lead,
        Self::Backing,
        Self::Drums,
        Self::Kick,
        Self::Snare,
        Self::Cymbals,
        Self::Toms,
        Self::Bass,
        Self::Guitars,
        Self::Keys,
        Self::Strings,
        Self::Fx,
    ];

    /// The class of a role's id; `None` where nobody knows what a track is.
    #[must_use]
    pub fn of(role: &str) -> Option<Self> {
        Some(match Role::from_id(role)? {
            Role::LeadVocal | Role::Vocal => Self::Lead,
            Role::BackingVocal | Role::Choir => Self::Backing,
            Role::DrumKit | Role::Loop => Self::Drums,
            Role::Kick => Self::Kick,
            Role::Snare | Role::Clap => Self::Snare,
            Role::HiHat | Role::Cymbals | Role::Overhead => Self::Cymbals,
            Role::Tom | Role::Room | Role::Percussion => Self::Toms,
            role => match role.group() {
                Group::Bass => Self::Bass,
                Group::Guitars => Self::Guitars,
                Group::Keys | Group::Synths => Self::Keys,
                Group::Strings | Group::Brass => Self::Strings,
                Group::FX => Self::Fx,
                _ => return None,
            },
        })
    }
}

/// The group of a role's id; `None` where the track goes straight to the mix bus.
#[must_use]
pub fn group_of(role: &str) -> Option<Group> {
    let group = Role::from_id(role)?.group();
    (group != Group::Other).then_some(group)
}

/// Id and name of a group's strip.
#[must_use]
pub fn group_strip(group: Group) -> (&'static str, &'static str) {
    match group {
        Group::Drums => ("drums", "Drums"),
        Group::Percussion => ("percussion", "Percussion"),
        Group::Bass => ("bass", "Bass"),
        Group::Guitars => ("guitars", "Guitars"),
        Group::Keys => ("keys", "Keys"),
        Group::Synths => ("synths", "Synths"),
        Group::Strings => ("strings", "Strings"),
        Group::Brass => ("brass", "Brass"),
        Group::Vocals => ("vocals", "Vocals"),
        Group::FX => ("fx", "Effects"),
        Group::Other => ("other", "Other"),
    }
}

/// How many dB of gain reduction a group's compressor aims at, its ratio and its times, as practice has
/// them for the family; `None` for families that are left as they are.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct GroupDynamics {
    /// Mean gain reduction where the group is loudest.
    pub gain_reduction_db: f64,
    /// n in n:1.
    pub ratio: f64,
    /// Attack.
    pub attack_ms: f64,
    /// Release.
    pub release_ms: f64,
    /// How far the family's short-term level may wander (standard deviation) before it asks for a
    /// compressor.
    pub steady_lu: f64,
}

/// Short-term wander that the cost allows a family without dynamics of its own.
pub const FREE_WANDER_LU: f64 = 6.0;

/// See [`GroupDynamics`]. The middle of the ranges that practice names for group buses; the wander is ours.
#[must_use]
pub fn group_dynamics(group: Group) -> Option<GroupDynamics> {
    let of = |gain_reduction_db, ratio, attack_ms, release_ms, steady_lu| {
        Some(GroupDynamics { gain_reduction_db, ratio, attack_ms, release_ms, steady_lu })
    };
    match group {
        Group::Drums => of(2.5, 2.0, 20.0, 120.0, 5.0),
        Group::Bass => of(3.0, 3.0, 20.0, 200.0, 3.0),
        Group::Vocals => of(3.0, 2.5, 10.0, 100.0, 3.5),
        Group::Guitars => of(1.5, 2.0, 20.0, 150.0, 5.0),
        Group::Keys | Group::Synths => of(1.5, 2.0, 20.0, 150.0, 5.0),
        _ => None,
    }
}
