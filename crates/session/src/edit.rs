//! Edits: every change to a session is data with its old and its new side, so it can be undone.

use crate::model::{
    Clip, FileId, Marker, ProcessorId, ProcessorNode, Send, SourceFile, Strip, StripId, Value,
};
use serde::{Deserialize, Serialize};

/// Where a value lives. As text (files, command line): `drums/fader_db`, `drums/eq/band_2.gain_db`,
/// `lead-vocal/send:plate/level_db`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ParamPath {
    /// A strip's fader, in dB.
    Fader(StripId),
    /// A strip's pan or balance.
    Pan(StripId),
    /// A strip's width.
    Width(StripId),
    /// The level of the send from the first strip to the second.
    Send(StripId, StripId),
    /// A parameter of a processor in a strip's chain.
    Processor(StripId, ProcessorId, String),
}

/// One change, with what was before and what is after.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", tag = "edit")]
#[expect(clippy::large_enum_variant, reason = "edits are few and short-lived")]
pub enum Edit {
    /// A value; `None` is "not written: the default".
    Set {
        /// Where.
        at: ParamPath,
        /// Before.
        old: Option<Value>,
        /// After.
        new: Option<Value>,
    },
    /// A processor comes into a chain at `index`.
    InsertProcessor {
        /// Whose chain.
        strip: StripId,
        /// Its place from then on.
        index: usize,
        /// The processor as it comes.
        processor: ProcessorNode,
    },
    /// A processor leaves a chain.
    RemoveProcessor {
        /// Whose chain.
        strip: StripId,
        /// Its place until then.
        index: usize,
        /// The processor as it was.
        processor: ProcessorNode,
    },
    /// A processor's switches: bypass and key.
    SetProcessor {
        /// Whose chain.
        strip: StripId,
        /// Which processor.
        processor: ProcessorId,
        /// Bypass and key before.
        old: (bool, Option<StripId>),
        /// Bypass and key after.
        new: (bool, Option<StripId>),
    },
    /// A strip comes in at `index` of the session order.
    InsertStrip {
        /// Its place from then on.
        index: usize,
        /// The strip as it comes.
        strip: Strip,
    },
    /// A strip leaves.
    RemoveStrip {
        /// Its place until then.
        index: usize,
        /// The strip as it was.
        strip: Strip,
    },
    /// A strip's plain facts: everything but clips, chain, sends and values, which have edits of their own.
    SetFacts {
        /// Which strip.
        strip: StripId,
        /// Before.
        old: Facts,
        /// After.
        new: Facts,
    },
    /// All sends of a strip.
    SetSends {
        /// Which strip.
        strip: StripId,
        /// Before.
        old: Vec<Send>,
        /// After.
        new: Vec<Send>,
    },
    /// All clips of a track.
    SetClips {
        /// Which track.
        strip: StripId,
        /// Before.
        old: Vec<Clip>,
        /// After.
        new: Vec<Clip>,
    },
    /// A source file comes in, changes or leaves.
    SetFile {
        /// Which file.
        file: FileId,
        /// Before; `None` if it was not there.
        old: Option<SourceFile>,
        /// After; `None` if it leaves.
        new: Option<SourceFile>,
    },
    /// All markers.
    SetMarkers {
        /// Before.
        old: Vec<Marker>,
        /// After.
        new: Vec<Marker>,
    },
}

/// A strip's plain facts: what is on or off, or a name, and therefore not scaled by an amount.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Facts {
    /// What a person reads.
    pub name: String,
    /// The role's id.
    pub role: String,
    /// How sure the role is.
    pub role_confidence: f64,
    /// The strip that sums this one.
    pub output: Option<StripId>,
    /// Muted.
    pub mute: bool,
    /// Why the track is left out.
    pub excluded: Option<String>,
}
