//! The plan: what a session comes to when it is rendered. Plain data, comparable, shared by all drivers.
//!
//! Two clocks meet here. *Stream frames* count what runs through the engine, *session frames* what the
//! session counts. At a point with a latency of `l` frames, stream frame `t` carries session frame `t - l`.
//! A strip's latency follows from what is upstream of it alone, so that a trial can keep its sound while
//! anything downstream changes.

use topdown_dsp::Kind;
use topdown_session::{Clip, ProcessorId, StripId, StripKind, Tap, Value};
use topdown_units::SampleRate;

/// A session, ready to run.
#[derive(Clone, Debug, PartialEq)]
pub struct Plan {
    /// Frames per second.
    pub sample_rate: SampleRate,
    /// What runs, each strip after everything that it listens to.
    pub strips: Vec<StripPlan>,
    /// Index of the mix bus.
    pub output: usize,
    /// Indices of the strips whose outputs are handed out beside the mix, in the order asked for.
    pub taps: Vec<usize>,
    /// One session frame past the last clip.
    pub end_frame: u64,
    /// What a person should know.
    pub warnings: Vec<Warning>,
}

/// One strip, ready to run.
#[derive(Clone, Debug, PartialEq)]
pub struct StripPlan {
    /// Which strip of the session.
    pub id: StripId,
    /// What kind it is.
    pub kind: StripKind,
    /// Channels of its chain, 1 or 2.
    pub channels: usize,
    /// Channels after pan, 1 or 2: a mono strip that stays in the centre stays mono.
    pub post_channels: usize,
    /// What a track plays.
    pub clips: Vec<ClipPlan>,
    /// What it sums, in session order.
    pub feeds: Vec<Feed>,
    /// Its processors, in order; those of unknown kinds are left out.
    pub chain: Vec<ProcessorPlan>,
    /// Fader in dB.
    pub fader_db: Value,
    /// Pan or balance.
    pub pan: Value,
    /// Side level as a factor.
    pub width: Value,
    /// Whether somebody listens before the fader.
    pub pre_tap: bool,
    /// Latency where the chain begins, the same for all feeds.
    pub latency_in_frames: usize,
    /// Latency of the outputs.
    pub latency_frames: usize,
}

/// A clip and how many channels it is read with.
#[derive(Clone, Debug, PartialEq)]
pub struct ClipPlan {
    /// What plays where.
    pub clip: Clip,
    /// Planes to read: 1 for a mono file or a single channel, else 2.
    pub channels: usize,
}

/// A connection from one strip to another.
#[derive(Clone, Debug, PartialEq)]
pub struct Feed {
    /// Index of the strip that it comes from.
    pub from: usize,
    /// Where it is taken.
    pub tap: Tap,
    /// Level in dB; 0 for the way of the fader.
    pub level_db: Value,
    /// Delay that aligns it with what it meets.
    pub delay_frames: usize,
    /// Closed by mute or solo (only where the plan keeps what is not heard).
    pub open: bool,
}

/// A processor of a chain.
#[derive(Clone, Debug, PartialEq)]
pub struct ProcessorPlan {
    /// Which processor of the strip.
    pub id: ProcessorId,
    /// What kind it is.
    pub kind: KindRef,
    /// A value a parameter, in the order of the kind's table, all of them acceptable to it.
    pub values: Vec<Value>,
    /// Replaced by a delay of the same latency.
    pub bypass: bool,
    /// What it listens to.
    pub key: Key,
    /// Latency where its input is.
    pub latency_in_frames: usize,
    /// Its own latency.
    pub latency_frames: usize,
}

/// What a processor listens to.
#[derive(Clone, Debug, PartialEq)]
pub enum Key {
    /// What it processes.
    Own,
    /// A strip that makes no sound.
    Silent,
    /// Another strip, after its chain and before its fader: a fader ride there does not change how deep
    /// the keyed processor works.
    From(Feed),
}

/// A kind of processor, compared by its id.
#[derive(Clone, Copy, Debug)]
pub struct KindRef(pub &'static Kind);

impl PartialEq for KindRef {
    fn eq(&self, other: &Self) -> bool {
        self.0.id == other.0.id
    }
}

/// What was rendered otherwise than the session says, and where.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Warning {
    /// A kind that this build does not know.
    #[error("{strip}/{processor}: this build does not know `{kind}`; it is bypassed")]
    UnknownKind {
        /// Whose chain.
        strip: StripId,
        /// Which processor.
        processor: ProcessorId,
        /// The kind as the session writes it.
        kind: String,
    },
    /// A parameter that the kind does not have.
    #[error("{strip}/{processor}: no parameter `{param}`; it is ignored")]
    UnknownParam {
        /// Whose chain.
        strip: StripId,
        /// Which processor.
        processor: ProcessorId,
        /// The parameter as the session writes it.
        param: String,
    },
    /// A value outside what the parameter takes.
    #[error("{strip}/{what}: a value out of range was replaced by the nearest allowed one")]
    Value {
        /// Which strip.
        strip: StripId,
        /// Which value.
        what: String,
    },
    /// A key that is not used: the kind takes none, or the strip that it names is left out.
    #[error("{strip}/{processor}: the key from `{key}` is not heard: {why}")]
    Key {
        /// Whose chain.
        strip: StripId,
        /// Which processor.
        processor: ProcessorId,
        /// The strip that the key comes from.
        key: StripId,
        /// Why.
        why: &'static str,
    },
    /// A file with more channels than a strip has.
    #[error("{strip}: a clip plays only the first two channels of `{file}`")]
    Channels {
        /// Which track.
        strip: StripId,
        /// Which file.
        file: String,
    },
}

impl Plan {
    /// The mix bus.
    #[must_use]
    pub fn bus(&self) -> &StripPlan {
        &self.strips[self.output]
    }

    /// Latency of the mix in frames.
    #[must_use]
    pub fn latency_frames(&self) -> usize {
        self.bus().latency_frames
    }

    /// Index of a strip that runs.
    #[must_use]
    pub fn index(&self, id: &StripId) -> Option<usize> {
        self.strips.iter().position(|strip| strip.id == *id)
    }
}

impl StripPlan {
    /// The connections of its keys.
    pub fn keys(&self) -> impl Iterator<Item = &Feed> {
        self.chain.iter().filter_map(|processor| match &processor.key {
            Key::From(feed) => Some(feed),
            Key::Own | Key::Silent => None,
        })
    }

    /// Every strip that it listens to, each once, ascending.
    #[must_use]
    pub fn listens_to(&self) -> Vec<usize> {
        let mut from: Vec<_> = self.feeds.iter().chain(self.keys()).map(|feed| feed.from).collect();
        from.sort_unstable();
        from.dedup();
        from
    }
}
