//! What a track is in the song.
//!
//! A [`Role`] is what a track does (kick, bass, lead vocal); a [`Group`] is the family it is mixed with.
//! Two witnesses speak about it, the file's name ([`name`]) and its sound; [`linking`] finds the files
//! that belong together: stereo pairs, several microphones on one source, doubles and takes.
//! A track that nothing is known about stays [`Role::Other`]: a wrong guess costs more than none.

use serde::{Deserialize, Serialize};

pub mod features;
pub mod linking;
pub mod name;
pub mod sound;
mod words;

macro_rules! roles {
    ($($(#[$doc:meta])* $role:ident $id:literal $group:ident $priority:literal $single:tt $pair:tt;)+) => {
        /// What a track does in the song.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
        pub enum Role {
            $($(#[$doc])* #[serde(rename = $id)] $role,)+
        }

        impl Role {
            /// Every role, in the order of the type.
            pub const ALL: &'static [Role] = &[$(Role::$role,)+];

            /// The stable name used in files and reports.
            #[must_use]
            pub fn id(self) -> &'static str {
                match self { $(Role::$role => $id,)+ }
            }

            /// The family this role is mixed with.
            #[must_use]
            pub fn group(self) -> Group {
                match self { $(Role::$role => Group::$group,)+ }
            }

            /// Rank of importance in a mix of songs: 0 is the lead, larger gives way first.
            #[must_use]
            pub fn priority(self) -> u8 {
                match self { $(Role::$role => $priority,)+ }
            }

            /// Where this role conventionally sits between the loudspeakers.
            #[must_use]
            pub fn pan(self) -> PanConvention {
                match self {
                    $(Role::$role => PanConvention { single_pct: $single, pair_pct: $pair },)+
                }
            }
        }
    };
}

/// How far from the centre a role conventionally sits, in percent of full left or right, as a range.
/// The lows and the lead in the centre; conventions of practice, not findings (no study ranks them).
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct PanConvention {
    /// One mono track on its own: to one side by this much; `(0, 0)` is the centre.
    pub single_pct: (f64, f64),
    /// Two or more of its kind (a double, a pair, a row of toms): spread to both sides by this much.
    pub pair_pct: (f64, f64),
}

// Columns: role, id, group, priority, pan alone, pan as a pair.
roles! {
    /// The singer the song is about, doubles included.
    LeadVocal "lead vocal" Vocals 0 (0.0, 0.0) (0.0, 15.0);
    /// A voice that may be lead or backing.
    Vocal "vocal" Vocals 1 (0.0, 20.0) (30.0, 80.0);
    /// Backing vocals, harmonies, ad libs.
    BackingVocal "backing vocal" Vocals 6 (20.0, 50.0) (50.0, 100.0);
    /// Many voices.
    Choir "choir" Vocals 9 (0.0, 20.0) (70.0, 100.0);
    /// Kick drum, any microphone.
    Kick "kick" Drums 2 (0.0, 0.0) (0.0, 0.0);
    /// Snare drum, any microphone.
    Snare "snare" Drums 2 (0.0, 0.0) (0.0, 15.0);
    /// Hand claps and finger snaps.
    Clap "clap" Drums 7 (0.0, 20.0) (30.0, 70.0);
    /// Hi-hat.
    HiHat "hi-hat" Drums 8 (20.0, 40.0) (20.0, 60.0);
    /// Close cymbals: ride, crash, splash, china.
    Cymbals "cymbals" Drums 10 (30.0, 60.0) (60.0, 100.0);
    /// Microphones above the kit.
    Overhead "overhead" Drums 5 (0.0, 0.0) (80.0, 100.0);
    /// Distant microphones of the drums.
    Room "room" Drums 11 (0.0, 0.0) (80.0, 100.0);
    /// Toms.
    Tom "tom" Drums 8 (20.0, 50.0) (30.0, 60.0);
    /// A whole kit on one track or pair.
    DrumKit "drum kit" Drums 2 (0.0, 0.0) (80.0, 100.0);
    /// A beat or drum loop.
    Loop "loop" Drums 6 (0.0, 0.0) (70.0, 100.0);
    /// Percussion, unpitched or timpani.
    Percussion "percussion" Percussion 10 (40.0, 70.0) (40.0, 80.0);
    /// Bass guitar, upright or synthesised bass line.
    Bass "bass" Bass 3 (0.0, 0.0) (0.0, 0.0);
    /// A sub layer: little above the fundamental.
    SubBass "sub bass" Bass 4 (0.0, 0.0) (0.0, 0.0);
    /// Electric guitar.
    ElectricGuitar "electric guitar" Guitars 4 (30.0, 60.0) (80.0, 100.0);
    /// Acoustic guitar and other plucked folk instruments.
    AcousticGuitar "acoustic guitar" Guitars 5 (30.0, 60.0) (70.0, 100.0);
    /// Acoustic piano.
    Piano "piano" Keys 5 (30.0, 60.0) (60.0, 100.0);
    /// Electric piano.
    ElectricPiano "electric piano" Keys 6 (30.0, 60.0) (60.0, 100.0);
    /// Organ.
    Organ "organ" Keys 7 (30.0, 60.0) (60.0, 100.0);
    /// Other or unspecified keyboards, mallets, accordion.
    Keys "keys" Keys 7 (30.0, 60.0) (60.0, 100.0);
    /// Synthesiser that plays notes: lead, arpeggio, pluck, stab.
    Synth "synth" Synths 6 (20.0, 60.0) (60.0, 100.0);
    /// Synthesiser that holds chords.
    Pad "pad" Synths 10 (0.0, 30.0) (70.0, 100.0);
    /// Bowed strings, alone or many.
    Strings "strings" Strings 8 (20.0, 50.0) (60.0, 100.0);
    /// Harp.
    Harp "harp" Strings 9 (30.0, 60.0) (60.0, 100.0);
    /// A whole orchestra on one track.
    Orchestral "orchestral" Strings 8 (0.0, 0.0) (70.0, 100.0);
    /// Brass, alone or as a section.
    Brass "brass" Brass 7 (20.0, 50.0) (50.0, 100.0);
    /// Woodwinds and saxophones; mixed with the horns.
    Woodwind "woodwind" Brass 7 (20.0, 50.0) (50.0, 100.0);
    /// Effects, risers, textures, returns.
    Fx "fx" FX 12 (0.0, 30.0) (70.0, 100.0);
    /// Nobody knows.
    Other "other" Other 11 (0.0, 0.0) (70.0, 100.0);
}

impl Role {
    /// The role with this id, if there is one.
    #[must_use]
    pub fn from_id(id: &str) -> Option<Role> {
        Role::ALL.iter().copied().find(|r| r.id() == id)
    }
}

/// The families tracks are mixed in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Group {
    /// The kit and beats.
    Drums,
    /// Percussion beside the kit.
    Percussion,
    /// Everything that carries the bass line.
    Bass,
    /// Electric and acoustic guitars.
    Guitars,
    /// Pianos, organs, mallets.
    Keys,
    /// Synthesisers and pads.
    Synths,
    /// Strings, harp, orchestra.
    Strings,
    /// Brass and woodwinds.
    Brass,
    /// All voices.
    Vocals,
    /// Effects.
    FX,
    /// Unknown: routed straight to the mix bus.
    Other,
}

impl Group {
    /// Every group, in the order groups are shown and visited.
    pub const ALL: &'static [Group] = &[
        Group::Drums,
        Group::Percussion,
        Group::Bass,
        Group::Guitars,
        Group::Keys,
        Group::Synths,
        Group::Strings,
        Group::Brass,
        Group::Vocals,
        Group::FX,
        Group::Other,
    ];

    /// The stable name used in files and reports.
    #[must_use]
    pub fn id(self) -> &'static str {
        match self {
            Group::Drums => "Drums",
            Group::Percussion => "Percussion",
            Group::Bass => "Bass",
            Group::Guitars => "Guitars",
            Group::Keys => "Keys",
            Group::Synths => "Synths",
            Group::Strings => "Strings",
            Group::Brass => "Brass",
            Group::Vocals => "Vocals",
            Group::FX => "FX",
            Group::Other => "Other",
        }
    }

    /// The group with this id, if there is one.
    #[must_use]
    pub fn from_id(id: &str) -> Option<Group> {
        Group::ALL.iter().copied().find(|g| g.id() == id)
    }
}

/// Why a file is no track of the song. Such files are left out, and the report says so.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Exclude {
    /// A mix, master, print, bounce or reference of the whole song.
    #[serde(rename = "full mix")]
    FullMix,
    /// A metronome.
    #[serde(rename = "click")]
    Click,
    /// A guide or scratch performance, replaced later.
    #[serde(rename = "guide")]
    Guide,
    /// Somebody counting in.
    #[serde(rename = "count")]
    Count,
    /// The talkback microphone.
    #[serde(rename = "talkback")]
    Talkback,
}

impl Exclude {
    /// The stable name used in files and reports.
    #[must_use]
    pub fn id(self) -> &'static str {
        match self {
            Exclude::FullMix => "full mix",
            Exclude::Click => "click",
            Exclude::Guide => "guide",
            Exclude::Count => "count",
            Exclude::Talkback => "talkback",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_role_is_found_again_by_its_id() {
        for &role in Role::ALL {
            assert_eq!(Role::from_id(role.id()), Some(role));
            let text = serde_json::to_string(&role).unwrap();
            assert_eq!(text, format!("\"{}\"", role.id()));
        }
        for &group in Group::ALL {
            assert_eq!(Group::from_id(group.id()), Some(group));
        }
        assert_eq!(Role::from_id("triangle wave"), None);
    }

    #[test]
    fn the_lead_comes_first_and_the_lows_sit_in_the_centre() {
        let first = Role::ALL.iter().min_by_key(|r| r.priority()).unwrap();
        assert_eq!(*first, Role::LeadVocal);
        for role in [Role::Kick, Role::Bass, Role::SubBass] {
            assert_eq!(role.pan().pair_pct, (0.0, 0.0), "{}", role.id());
        }
    }
}
