//! The contract between settings, processors and the engine.
//!
//! *Settings* are plain, comparable data: what a session stores, compares and edits. A *processor* is
//! running state. The only way to a processor is [`Settings::build`]; starting, reloading and undoing all
//! use it. From then on nothing in a processor allocates, locks, logs, reads a clock or fails, and the
//! conformance suite holds every kind in the registry to that.

use crate::buffer::Buffer;
use crate::param::ParamSpec;
use topdown_units::SampleRate;

/// What a processor is built for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ProcessSpec {
    /// Frames per second of the session.
    pub sample_rate: SampleRate,
    /// Channels of the strip, 1 or 2.
    pub channels: usize,
    /// The most frames that one call of `process` gets.
    pub max_frames: usize,
}

/// Whether a buffer holds sound.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Status {
    /// Every frame was written.
    Filled,
    /// Every frame is exactly zero.
    Silent,
}

/// The sound of one call: frames `start..end` of `audio`, processed in place.
#[derive(Debug)]
pub struct Io<'a> {
    audio: &'a mut Buffer,
    key: Option<&'a Buffer>,
    start: usize,
    end: usize,
    /// What the input is; `Silent` promises that every frame of it is exactly zero.
    pub input: Status,
}

impl<'a> Io<'a> {
    /// Frames `start..end` of `audio`, with the same frames of `key` to listen to.
    ///
    /// # Panics
    /// In debug builds, when the range does not fit the buffers.
    pub fn new(
        audio: &'a mut Buffer,
        key: Option<&'a Buffer>,
        range: std::ops::Range<usize>,
        input: Status,
    ) -> Self {
        debug_assert!(range.start <= range.end && range.end <= audio.capacity());
        debug_assert!(key.is_none_or(|key| range.end <= key.capacity()));
        Self { audio, key, start: range.start, end: range.end, input }
    }

    /// Frames in this call.
    #[must_use]
    pub const fn frames(&self) -> usize {
        self.end - self.start
    }

    /// Channels of the audio, 1 or 2.
    #[must_use]
    pub const fn channels(&self) -> usize {
        self.audio.channels()
    }

    /// One channel, to read.
    #[must_use]
    pub fn channel(&self, channel: usize) -> &[f32] {
        &self.audio.channel(channel)[self.start..self.end]
    }

    /// One channel, to process in place.
    pub fn channel_mut(&mut self, channel: usize) -> &mut [f32] {
        &mut self.audio.channel_mut(channel)[self.start..self.end]
    }

    /// The left channel, and the right one if this is stereo, to process in place.
    pub fn split_mut(&mut self) -> (&mut [f32], Option<&mut [f32]>) {
        let (start, end) = (self.start, self.end);
        let (left, right) = self.audio.split_mut();
        (&mut left[start..end], right.map(|right| &mut right[start..end]))
    }

    /// The audio to process in place together with the key to listen to, as (left, right, key left,
    /// key right). The key's channels are `None` without a key; a mono key has no right one.
    #[expect(clippy::type_complexity, reason = "four slices with one lifetime need no name")]
    pub fn with_key(
        &mut self,
    ) -> (&mut [f32], Option<&mut [f32]>, Option<&'a [f32]>, Option<&'a [f32]>) {
        let (start, end) = (self.start, self.end);
        let key_left = self.key.map(|key| &key.channel(0)[start..end]);
        let key_right =
            self.key.filter(|key| key.channels() == 2).map(|key| &key.channel(1)[start..end]);
        let (left, right) = self.audio.split_mut();
        (&mut left[start..end], right.map(|right| &mut right[start..end]), key_left, key_right)
    }

    /// Whether a key is connected.
    #[must_use]
    pub const fn has_key(&self) -> bool {
        self.key.is_some()
    }
}

/// The realtime half of a processor.
///
/// # Realtime safety
/// No method of this trait allocates, locks, logs, reads a clock or panics, whatever the samples are.
pub trait Processor: Send {
    /// Delay from input to output in frames; constant for the life of the processor.
    fn latency_frames(&self) -> usize;

    /// Frames after the last non-zero input until the output is exactly zero for good.
    fn tail_frames(&self) -> usize;

    /// Aims parameter `param` (index into [`Settings::PARAMS`]) at a validated plain value.
    ///
    /// With `ramp_frames` above zero the value moves there in a straight line on the parameter's own
    /// curve (automation: exact at the end of the ramp). With zero the processor chooses its own
    /// click-free way (a hand on a knob). A parameter that [`ParamSpec::rebuilds`] is left alone.
    /// Before the first frame after building or `reset` there is no sound that could click: a hand's move
    /// is there at once, as if built with that value.
    fn set(&mut self, param: usize, value: f64, ramp_frames: usize);

    /// Processes every frame of `io` in place, or says that the result is exactly silent (it still has
    /// to be written). The bytes do not depend on how the frames are cut into calls.
    fn process(&mut self, io: &mut Io<'_>) -> Status;

    /// From here on equal to a processor newly built with the values that were last set.
    fn reset(&mut self);

    /// The deepest gain reduction since the last call, in dB at or below 0; `None` where there is no such thing.
    fn take_gain_reduction_db(&mut self) -> Option<f32> {
        None
    }

    /// Samples that were not finite and were replaced since the processor was built.
    fn cleaned_samples(&self) -> u64 {
        0
    }
}

/// The plain half of a processor: what a session stores.
pub trait Settings: Clone + PartialEq + std::fmt::Debug + Default {
    /// Stable id of the kind, snake case: `eq`, `compressor`.
    const ID: &'static str;
    /// What a person reads.
    const LABEL: &'static str;
    /// Whether the processor can listen to another strip.
    const TAKES_KEY: bool = false;
    /// The parameters, in the order of files and pages.
    const PARAMS: &'static [ParamSpec];

    /// Settings from one plain value a parameter, in the order of [`Self::PARAMS`].
    fn from_plain(values: &[f64]) -> Self;

    /// The plain values, in the order of [`Self::PARAMS`].
    fn to_plain(&self) -> Vec<f64>;

    /// The running processor for these settings. Allocates what it will ever need.
    fn build(&self, spec: &ProcessSpec) -> Box<dyn Processor>;
}
