//! Edits: every change to a session is data with its old and its new side, so it can be undone.

use crate::model::{
    Clip, FileId, Marker, ProcessorId, ProcessorNode, Send, SourceFile, Strip, StripId, Value,
};
use crate::spec::{self, ValueFault};
use serde::{Deserialize, Serialize};
use std::fmt;
use std::str::FromStr;

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

/// Edits that belong together: applied whole or not at all (see [`crate::Session::commit`]).
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Transaction {
    /// In the order in which they are made.
    pub edits: Vec<Edit>,
}

/// Why an edit cannot be made. The session is as it was before.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[expect(missing_docs, reason = "the messages say what the fields are")]
pub enum EditError {
    #[error("there is no strip `{0}`")]
    NoStrip(StripId),
    #[error("strip `{0}` has no processor `{1}`")]
    NoProcessor(StripId, ProcessorId),
    #[error("there is no value `{0}`")]
    NoValue(ParamPath),
    #[error("there is already a strip `{0}`")]
    StripExists(StripId),
    #[error("strip `{0}` already has a processor `{1}`")]
    ProcessorExists(StripId, ProcessorId),
    #[error("place {index} is past the end: there are {len}")]
    Place { index: usize, len: usize },
    #[error("`{at}`: {fault}")]
    Value { at: ParamPath, fault: ValueFault },
    #[error("strip `{0}` is not a track and cannot have clips")]
    NotATrack(StripId),
    #[error("{0} is not what this edit starts from: it has been changed since")]
    Changed(String),
    #[error("strip `{0}` has {1} channels: 1 or 2 are allowed")]
    Channels(StripId, usize),
    #[error("strip `{strip}`: role confidence {value} is not a number from 0 to 1")]
    Confidence { strip: StripId, value: f64 },
}

/// Text that is not the path of a value.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "`{0}` is not the path of a value: STRIP/fader_db, STRIP/pan, STRIP/width, \
     STRIP/send:RETURN/level_db or STRIP/PROCESSOR/PARAMETER"
)]
pub struct PathError(pub String);

impl ParamPath {
    /// The strip that holds the value.
    #[must_use]
    pub fn strip(&self) -> &StripId {
        match self {
            Self::Fader(strip) | Self::Pan(strip) | Self::Width(strip) => strip,
            Self::Send(strip, _) | Self::Processor(strip, _, _) => strip,
        }
    }
}

impl fmt::Display for ParamPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Fader(strip) => write!(f, "{strip}/fader_db"),
            Self::Pan(strip) => write!(f, "{strip}/pan"),
            Self::Width(strip) => write!(f, "{strip}/width"),
            Self::Send(strip, to) => write!(f, "{strip}/send:{to}/level_db"),
            Self::Processor(strip, processor, param) => write!(f, "{strip}/{processor}/{param}"),
        }
    }
}

impl FromStr for ParamPath {
    type Err = PathError;

    fn from_str(text: &str) -> Result<Self, PathError> {
        let parts: Vec<&str> = text.split('/').collect();
        let error = || PathError(text.to_owned());
        if parts.iter().any(|part| part.is_empty()) {
            return Err(error());
        }
        match parts[..] {
            [strip, "fader_db"] => Ok(Self::Fader(strip.into())),
            [strip, "pan"] => Ok(Self::Pan(strip.into())),
            [strip, "width"] => Ok(Self::Width(strip.into())),
            [strip, middle, param] => match (middle.strip_prefix("send:"), param) {
                (Some(""), _) => Err(error()),
                (Some(to), "level_db") => Ok(Self::Send(strip.into(), to.into())),
                (Some(_), _) => Err(error()),
                (None, _) => Ok(Self::Processor(strip.into(), middle.into(), param.to_owned())),
            },
            _ => Err(error()),
        }
    }
}

impl Facts {
    /// The facts of a strip.
    #[must_use]
    pub fn of(strip: &Strip) -> Self {
        Self {
            name: strip.name.clone(),
            role: strip.role.clone(),
            role_confidence: strip.role_confidence,
            output: strip.output.clone(),
            mute: strip.mute,
            excluded: strip.excluded.clone(),
        }
    }
}

impl Transaction {
    /// What takes all edits back, in reverse order.
    #[must_use]
    pub fn inverse(&self) -> Self {
        Self { edits: self.edits.iter().rev().map(Edit::inverse).collect() }
    }
}

impl Edit {
    /// The edit that takes this one back.
    #[must_use]
    pub fn inverse(&self) -> Self {
        match self.clone() {
            Self::Set { at, old, new } => Self::Set { at, old: new, new: old },
            Self::InsertProcessor { strip, index, processor } => {
                Self::RemoveProcessor { strip, index, processor }
            }
            Self::RemoveProcessor { strip, index, processor } => {
                Self::InsertProcessor { strip, index, processor }
            }
            Self::SetProcessor { strip, processor, old, new } => {
                Self::SetProcessor { strip, processor, old: new, new: old }
            }
            Self::InsertStrip { index, strip } => Self::RemoveStrip { index, strip },
            Self::RemoveStrip { index, strip } => Self::InsertStrip { index, strip },
            Self::SetFacts { strip, old, new } => Self::SetFacts { strip, old: new, new: old },
            Self::SetSends { strip, old, new } => Self::SetSends { strip, old: new, new: old },
            Self::SetClips { strip, old, new } => Self::SetClips { strip, old: new, new: old },
            Self::SetFile { file, old, new } => Self::SetFile { file, old: new, new: old },
            Self::SetMarkers { old, new } => Self::SetMarkers { old: new, new: old },
        }
    }

    /// The same edit with its new side rounded to digits that mean something ([`spec::round_number`]).
    /// Proposers round before a trial, so that what is heard is what is saved.
    #[must_use]
    pub fn rounded(mut self, session: &crate::Session) -> Self {
        match &mut self {
            Self::Set { at, new: Some(new), .. } => {
                if let Some(spec) = session.spec(at) {
                    *new = spec::round_value(spec, new);
                }
            }
            Self::InsertProcessor { processor, .. } => *processor = processor.clone().rounded(),
            Self::InsertStrip { strip, .. } => round_strip(strip),
            Self::SetSends { new, .. } => round_sends(new),
            Self::SetClips { new, .. } => round_clips(new),
            Self::SetFacts { new, .. } => round_confidence(&mut new.role_confidence),
            _ => {}
        }
        self
    }
}

impl ProcessorNode {
    /// The same processor with every value rounded to digits that mean something.
    #[must_use]
    pub fn rounded(mut self) -> Self {
        let kind = topdown_dsp::Kind::by_id(&self.kind);
        for (param, value) in &mut self.values {
            if let Some((_, spec)) = kind.and_then(|kind| kind.param(param)) {
                *value = spec::round_value(spec, value);
            }
        }
        self
    }
}

fn round_strip(strip: &mut Strip) {
    strip.fader_db = spec::round_value(&spec::FADER, &strip.fader_db);
    strip.pan = spec::round_value(&spec::PAN, &strip.pan);
    strip.width = spec::round_value(&spec::WIDTH, &strip.width);
    strip.chain = strip.chain.drain(..).map(ProcessorNode::rounded).collect();
    round_confidence(&mut strip.role_confidence);
    round_sends(&mut strip.sends);
    round_clips(&mut strip.clips);
}

fn round_sends(sends: &mut [Send]) {
    for send in sends {
        send.level_db = spec::round_value(&spec::SEND_LEVEL, &send.level_db);
    }
}

fn round_clips(clips: &mut [Clip]) {
    for clip in clips {
        clip.gain_db = spec::round_number(&spec::CLIP_GAIN, clip.gain_db);
    }
}

fn round_confidence(confidence: &mut f64) {
    *confidence = (*confidence * 1000.0).round() / 1000.0;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_reads_back_as_it_was_written() {
        let (drums, plate) = (StripId::from("drums"), StripId::from("plate"));
        for path in [
            ParamPath::Fader(drums.clone()),
            ParamPath::Pan(drums.clone()),
            ParamPath::Width(drums.clone()),
            ParamPath::Send(drums.clone(), plate),
            ParamPath::Processor(drums, "eq".into(), "band_2.gain_db".to_owned()),
        ] {
            assert_eq!(path.to_string().parse(), Ok(path));
        }
    }

    #[test]
    fn text_that_is_no_path_is_refused_with_the_forms_that_are() {
        for text in
            ["", "/", "drums", "drums/level", "drums//pan", "a/send:/level_db", "a/send:b/pan"]
        {
            let error = text.parse::<ParamPath>().unwrap_err().to_string();
            assert!(error.contains("STRIP/fader_db"), "{text}: {error}");
        }
    }
}
