//! The document: what is saved, rendered and exported. Plain data; nothing here computes sound.

use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use topdown_units::SampleRate;

macro_rules! id {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[derive(schemars::JsonSchema)]
        #[serde(transparent)]
        pub struct $name(pub String);

        impl $name {
            /// The id as text.
            #[must_use]
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl From<&str> for $name {
            fn from(text: &str) -> Self {
                Self(text.to_owned())
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(&self.0)
            }
        }
    };
}

id!(
    /// A strip, by a short readable name that never changes: `bus`, `drums`, `kick-in`.
    StripId
);
id!(
    /// A processor within its strip: `eq`, `compressor`, `eq-2`.
    ProcessorId
);
id!(
    /// A source file of the session.
    FileId
);
id!(
    /// A move: its stage and a number, `bus-03`.
    MoveId
);

/// One song's document.
#[derive(Clone, Debug, PartialEq)]
pub struct Session {
    /// What the song is called.
    pub name: String,
    /// Frames per second of everything counted in session frames.
    pub sample_rate: SampleRate,
    /// What the mixer was asked for.
    pub settings: MixSettings,
    /// The recordings that clips play from.
    pub files: BTreeMap<FileId, SourceFile>,
    /// Every strip, in session order: sums are made in this order. Exactly one is the mix bus.
    pub strips: Vec<Strip>,
    /// Sections, tempo, song range.
    pub markers: Vec<Marker>,
    /// Every decision in order; its edits and evidence are in the journal.
    pub moves: Vec<Move>,
    /// How the mix leaves the house, by name.
    pub prints: BTreeMap<String, Print>,
}

/// What the mixer was asked for; a re-run starts from it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct MixSettings {
    /// In which order the stages work.
    pub strategy: Strategy,
    /// Groups mixed bottom-up under the hybrid strategy.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub bottom_up: Vec<StripId>,
    /// The last stage that may decide: `bus`, `groups` or `tracks`.
    pub depth: Stage,
    /// Where the levels come from.
    pub levels: Levels,
    /// Name of the genre profile, or `auto`.
    pub profile: String,
}

impl Default for MixSettings {
    fn default() -> Self {
        Self {
            strategy: Strategy::TopDown,
            bottom_up: Vec::new(),
            depth: Stage::Tracks,
            levels: Levels::Auto,
            profile: "auto".to_owned(),
        }
    }
}

/// The order in which the same proposers work.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Strategy {
    /// Bus, groups, tracks.
    TopDown,
    /// Tracks, groups, bus.
    BottomUp,
    /// Named groups bottom-up, the rest top-down.
    Hybrid,
}

/// Where the levels come from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Levels {
    /// The incoming balance is the target.
    Keep,
    /// The priors by role are the target.
    Find,
    /// The program chooses one of the two and says why.
    Auto,
}

/// A recording on disk.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SourceFile {
    /// Relative to the session's folder, with `/` between names.
    pub path: String,
    /// Hash of the whole file's bytes (BLAKE3, hexadecimal).
    pub hash: String,
    /// The file's own rate.
    pub sample_rate_hz: u32,
    /// The file's own channel count.
    pub channels: u16,
    /// Length in frames of the file's own rate.
    pub frames: u64,
}

/// What the bus, groups, returns and tracks have in common.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Strip {
    /// Stable id.
    pub id: StripId,
    /// What kind of strip this is.
    pub kind: StripKind,
    /// What a person reads.
    pub name: String,
    /// What it is in the song, as a role's id; empty for the bus and returns.
    pub role: String,
    /// How sure the role is, 0 to 1; 1 when a person said so.
    pub role_confidence: f64,
    /// 1 or 2.
    pub channels: usize,
    /// The strip that sums this one; `None` for the mix bus.
    pub output: Option<StripId>,
    /// What a track plays; empty for other kinds.
    pub clips: Vec<Clip>,
    /// The processors, in order.
    pub chain: Vec<ProcessorNode>,
    /// -144 (closed) to +12 dB.
    pub fader_db: Value,
    /// -1 (left) to +1 (right); balance on a stereo strip.
    pub pan: Value,
    /// Side level as a factor: 0 is mono, 1 unchanged, 2 the most. Stereo strips only.
    pub width: Value,
    /// Cuts the strip and its sends; a muted group its members' sends too.
    pub mute: bool,
    /// Heard alone, in place.
    pub solo: bool,
    /// Keeps sounding when others are soloed (returns, by default).
    pub solo_safe: bool,
    /// Feeds to returns.
    pub sends: Vec<Send>,
    /// The mixer may not change anything here.
    pub locked: bool,
    /// Why this track is left out of the mix (full mix, click, duplicate); `None` plays it.
    pub excluded: Option<String>,
    /// Solved for inputs that have changed since.
    pub stale: bool,
}

/// The four kinds of strip.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum StripKind {
    /// The strip on top; its output is the mix.
    Bus,
    /// Sums tracks or groups.
    Group,
    /// Fed by sends.
    Return,
    /// Plays clips.
    Track,
}

/// A span of a file, placed on the timeline.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Clip {
    /// What it plays.
    pub file: FileId,
    /// `None` plays the file as mono or stereo, folded to stereo if it has more channels; else one channel of it, counted from 0.
    pub channel: Option<u16>,
    /// First session frame at which it sounds.
    pub at_frame: u64,
    /// First frame of the file that it plays, counted at the session's rate.
    pub from_frame: u64,
    /// Length in session frames.
    pub frames: u64,
    /// Level of the clip, before the chain.
    pub gain_db: f64,
    /// Fades at both ends.
    pub fades: Fades,
}

/// Equal-gain (raised cosine) fades of a clip, in session frames.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Fades {
    /// From the clip's start.
    pub in_frames: u64,
    /// To the clip's end.
    pub out_frames: u64,
}

/// A processor in a chain, as the document holds it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ProcessorNode {
    /// Id within the strip.
    pub id: ProcessorId,
    /// Kind, as in the registry; an unknown one is bypassed and kept as it is.
    pub kind: String,
    /// Latency-matched bypass.
    pub bypass: bool,
    /// The strip it listens to, where the kind takes a key.
    pub key: Option<StripId>,
    /// Values by parameter id; what is absent is at its default.
    pub values: BTreeMap<String, Value>,
    /// Entries that no parameter of a known kind explains (unknown kinds), as TOML text to write back.
    pub unknown: BTreeMap<String, String>,
}

/// A parameter's value: constant, or automation.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Value {
    /// The same throughout.
    Constant(f64),
    /// Points in session frames, ascending, linear in the parameter's own scale between them.
    Automation(Vec<Point>),
}

/// One point of automation.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Point {
    /// Session frame.
    pub frame: u64,
    /// Plain value.
    pub value: f64,
}

/// A feed from a strip to a return.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Send {
    /// The return.
    pub to: StripId,
    /// Level in dB.
    pub level_db: Value,
    /// Before or after fader and pan.
    pub tap: Tap,
}

/// Where a send is taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Tap {
    /// After the chain, before fader and pan.
    Pre,
    /// After fader and pan.
    Post,
}

/// Something on the timeline: guessed by hearing, corrected like a role, kept on a re-run.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Marker {
    /// What it marks.
    pub kind: MarkerKind,
    /// Where it starts, in session frames.
    pub frame: u64,
    /// Where it ends; `None` until the next marker of its kind.
    pub end_frame: Option<u64>,
    /// Name of the section.
    pub name: String,
    /// Beats per minute, for tempo markers.
    pub bpm: Option<f64>,
    /// How sure, 0 to 1; 1 when a person said so.
    pub confidence: f64,
}

/// What a marker marks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum MarkerKind {
    /// Verse, chorus, ...
    Section,
    /// From here on this tempo.
    Tempo,
    /// What a print covers.
    Song,
}

/// The stages of a run, in top-down order. `Person` holds what hands did.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, schemars::JsonSchema,
)]
#[serde(rename_all = "lowercase")]
pub enum Stage {
    /// Files, roles, groups, repairs.
    Prep,
    /// Balance.
    Levels,
    /// The mix bus.
    Bus,
    /// The groups.
    Groups,
    /// Single tracks.
    Tracks,
    /// Pruning and re-solving.
    Recheck,
    /// A person's own change.
    Person,
}

/// Who made a move.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Author {
    /// The mixer.
    Topdown,
    /// A person, by hand, text or console.
    Person,
}

/// What became of a move.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum MoveState {
    /// In force.
    Kept,
    /// Tried, and not better (or pruned by the recheck).
    Rejected,
    /// Another move has taken its place.
    Superseded,
}

/// One decision, as the document holds it; its edits and evidence are in the journal.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Move {
    /// Stable id.
    pub id: MoveId,
    /// When in a run it was made.
    pub stage: Stage,
    /// Who made it.
    pub author: Author,
    /// What became of it.
    pub state: MoveState,
    /// A person may switch a kept move off.
    pub on: bool,
    /// 0 to 100.
    pub amount_percent: f64,
    /// The mixer may not change or drop it.
    pub locked: bool,
    /// Made through inputs that have changed since.
    pub stale: bool,
    /// One line: what it does.
    pub title: String,
}

/// How the mix leaves the house: solved once, then printed without measuring.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Print {
    /// `pre-master`, `streaming`, or a loudness in LUFS.
    pub target: String,
    /// Integrated loudness aimed at.
    pub target_lufs: f64,
    /// True-peak ceiling.
    pub ceiling_dbtp: f64,
    /// Solved gain after the bus.
    pub gain_db: f64,
    /// Whether the two-pass limiter follows the gain.
    pub limiter: bool,
    /// Gain after the limiter that brings the last peaks under the ceiling.
    #[serde(default)]
    pub trim_db: f64,
}

impl Session {
    /// A session with nothing but a mix bus.
    #[must_use]
    pub fn empty(name: &str, sample_rate: SampleRate) -> Self {
        Self {
            name: name.to_owned(),
            sample_rate,
            settings: MixSettings::default(),
            files: BTreeMap::new(),
            strips: vec![Strip::new(StripId::from("bus"), StripKind::Bus, "Mix bus", 2)],
            markers: Vec::new(),
            moves: Vec::new(),
            prints: BTreeMap::new(),
        }
    }

    /// The strip with this id.
    #[must_use]
    pub fn strip(&self, id: &StripId) -> Option<&Strip> {
        self.strips.iter().find(|strip| strip.id == *id)
    }

    /// The strip with this id, to change. Sessions are changed by [`crate::Edit`]s.
    pub(crate) fn strip_mut(&mut self, id: &StripId) -> Option<&mut Strip> {
        self.strips.iter_mut().find(|strip| strip.id == *id)
    }

    /// The mix bus; every valid session has one.
    #[must_use]
    pub fn bus(&self) -> Option<&Strip> {
        self.strips.iter().find(|strip| strip.kind == StripKind::Bus)
    }

    /// Strips of one kind, in session order.
    pub fn of_kind(&self, kind: StripKind) -> impl Iterator<Item = &Strip> {
        self.strips.iter().filter(move |strip| strip.kind == kind)
    }

    /// The strips that `id` sums, in session order.
    pub fn members<'a>(&'a self, id: &'a StripId) -> impl Iterator<Item = &'a Strip> {
        self.strips.iter().filter(move |strip| strip.output.as_ref() == Some(id))
    }

    /// One frame past the last frame of the last clip that plays.
    #[must_use]
    pub fn end_frame(&self) -> u64 {
        let playing = self.strips.iter().filter(|strip| strip.excluded.is_none());
        let clips = playing.flat_map(|strip| &strip.clips);
        clips.map(|clip| clip.at_frame.saturating_add(clip.frames)).max().unwrap_or(0)
    }
}

impl Strip {
    /// A neutral strip: fader at 0 dB, centre, empty chain, into the bus.
    #[must_use]
    pub fn new(id: StripId, kind: StripKind, name: &str, channels: usize) -> Self {
        Self {
            id,
            kind,
            name: name.to_owned(),
            role: String::new(),
            role_confidence: 0.0,
            channels,
            output: (kind != StripKind::Bus).then(|| StripId::from("bus")),
            clips: Vec::new(),
            chain: Vec::new(),
            fader_db: Value::Constant(0.0),
            pan: Value::Constant(0.0),
            width: Value::Constant(1.0),
            mute: false,
            solo: false,
            solo_safe: kind == StripKind::Return,
            sends: Vec::new(),
            locked: false,
            excluded: None,
            stale: false,
        }
    }

    /// The processor with this id.
    #[must_use]
    pub fn processor(&self, id: &ProcessorId) -> Option<&ProcessorNode> {
        self.chain.iter().find(|processor| processor.id == *id)
    }
}

impl ProcessorNode {
    /// A processor with every parameter at its default.
    #[must_use]
    pub fn new(id: &str, kind: &str) -> Self {
        Self {
            id: ProcessorId::from(id),
            kind: kind.to_owned(),
            bypass: false,
            key: None,
            values: BTreeMap::new(),
            unknown: BTreeMap::new(),
        }
    }

    /// The same processor with one value set.
    #[must_use]
    pub fn with(mut self, param: &str, value: f64) -> Self {
        self.values.insert(param.to_owned(), Value::Constant(value));
        self
    }
}

impl Value {
    /// The value where nothing moves: the constant, or the first point's.
    #[must_use]
    pub fn resting(&self) -> f64 {
        match self {
            Self::Constant(value) => *value,
            Self::Automation(points) => points.first().map_or(0.0, |point| point.value),
        }
    }
}
