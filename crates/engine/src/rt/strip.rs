//! One strip's realtime half: sum, chain, fader, taps. Every driver runs sound through this and nothing else.

use super::chain::{Link, Listening};
use super::fader::{Fader, Knob};
use super::sum::{FeedRunner, KeyRunner, Summer};
use crate::control::diff::Target;
use crate::control::plan::{Feed, Key, Plan, ProcessorPlan};
use topdown_dsp::{Buffer, ProcessSpec, Status, clean, smooth};
use topdown_session::Tap;

/// Some frames of the stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Span {
    /// First stream frame.
    pub start: u64,
    /// How many.
    pub frames: usize,
}

/// What a track plays during a block: its clips, summed and faded.
#[derive(Clone, Debug)]
pub struct ClipBlock {
    /// The sound, with the strip's channels.
    pub buffer: Buffer,
    /// Whether there is any.
    pub status: Status,
}

/// What a strip hands out for a block.
#[derive(Clone, Debug)]
pub struct StripOutput {
    pre: Option<Slot>,
    post: Slot,
}

/// A buffer that is all zeros when it is silent, without being written again and again.
#[derive(Clone, Debug)]
struct Slot {
    buffer: Buffer,
    status: Status,
}

impl Slot {
    fn new(channels: usize, frames: usize) -> Self {
        Self { buffer: Buffer::new(channels, frames), status: Status::Silent }
    }

    fn silence(&mut self) {
        if self.status == Status::Filled {
            self.buffer.clear();
            self.status = Status::Silent;
        }
    }
}

/// A place where a strip is listened to.
#[derive(Clone, Copy, Debug)]
pub struct Tapped<'a> {
    /// The sound.
    pub buffer: &'a Buffer,
    /// Whether there is any; a silent buffer is zero from end to end.
    pub status: Status,
}

impl StripOutput {
    /// Room for what strip `at` of `plan` hands out in a block. Allocates.
    #[must_use]
    pub fn new(plan: &Plan, at: usize, max_frames: usize) -> Self {
        let strip = &plan.strips[at];
        Self {
            pre: strip.pre_tap.then(|| Slot::new(strip.channels, max_frames)),
            post: Slot::new(strip.post_channels, max_frames),
        }
    }

    /// The sound at a tap; `None` where nobody asked for it when the plan was made.
    #[must_use]
    pub fn tap(&self, tap: Tap) -> Option<Tapped<'_>> {
        let slot = match tap {
            Tap::Pre => self.pre.as_ref()?,
            Tap::Post => &self.post,
        };
        Some(Tapped { buffer: &slot.buffer, status: slot.status })
    }

    /// The strip's output, after fader and pan.
    #[must_use]
    pub fn post(&self) -> Tapped<'_> {
        Tapped { buffer: &self.post.buffer, status: self.post.status }
    }
}

/// The outputs of the strips that have run already.
pub trait Outputs {
    /// What strip number `strip` of the plan has handed out for the present block.
    fn output(&self, strip: usize) -> Option<&StripOutput>;
}

/// The end of a strip: fader, pan and taps.
pub(crate) struct OutputStage {
    fader: Fader,
    latency_frames: i64,
    /// Samples that were not finite.
    cleaned: u64,
}

impl OutputStage {
    pub(crate) fn new(plan: &Plan, at: usize) -> Self {
        let strip = &plan.strips[at];
        let values = [&strip.fader_db, &strip.pan, &strip.width];
        let fader = Fader::new(values, strip.channels, smooth::hand_frames(plan.sample_rate));
        Self { fader, latency_frames: strip.latency_frames as i64, cleaned: 0 }
    }

    /// Hands out what the chain made of a block.
    pub(crate) fn run(&mut self, span: Span, made: Tapped<'_>, out: &mut StripOutput) {
        if made.status == Status::Silent {
            // What a glide would have done meanwhile cannot be heard, but it has to be over then.
            self.fader.pass(span.frames);
            out.post.silence();
            if let Some(pre) = &mut out.pre {
                pre.silence();
            }
            return;
        }
        if let Some(pre) = &mut out.pre {
            pre.status = Status::Filled;
            for channel in 0..made.buffer.channels() {
                let pre = &mut pre.buffer.channel_mut(channel)[..span.frames];
                pre.copy_from_slice(&made.buffer.channel(channel)[..span.frames]);
                self.cleaned += clean::clean(pre);
            }
        }
        let frame = span.start as i64 - self.latency_frames;
        let post = &mut out.post;
        post.status = Status::Filled;
        self.fader.apply(frame, span.frames, made.buffer, &mut post.buffer);
        for channel in 0..post.buffer.channels() {
            self.cleaned += clean::clean(&mut post.buffer.channel_mut(channel)[..span.frames]);
        }
    }
}

/// One strip, running.
pub struct StripRunner {
    summer: Summer,
    chain: Vec<Link>,
    stage: OutputStage,
    work: Buffer,
    latency_in_frames: i64,
    /// Session frame at the fader of the next block.
    fader_frame: i64,
}

impl std::fmt::Debug for StripRunner {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "StripRunner({} processors)", self.chain.len())
    }
}

impl StripRunner {
    /// Strip `at` of `plan`, from stream frame `start` on, for blocks of at most `max_frames`. Allocates
    /// all that it will ever need.
    #[must_use]
    pub fn new(plan: &Plan, at: usize, start: u64, max_frames: usize) -> Self {
        let strip = &plan.strips[at];
        let spec =
            ProcessSpec { sample_rate: plan.sample_rate, channels: strip.channels, max_frames };
        let hand = smooth::hand_frames(plan.sample_rate);
        let channels_of = |feed: &Feed| {
            let from = &plan.strips[feed.from];
            if feed.tap == Tap::Pre { from.channels } else { from.post_channels }
        };
        let key = |processor: &ProcessorPlan| match &processor.key {
            Key::Own => Listening::Own,
            Key::Silent => Listening::Silent(Buffer::new(1, max_frames)),
            Key::From(feed) => {
                let channels = channels_of(feed);
                let feed = FeedRunner::new(feed, channels, hand);
                Listening::Key(Box::new(KeyRunner::new(feed, channels, max_frames)))
            }
        };
        Self {
            summer: Summer::new(strip, &channels_of, hand),
            chain: strip
                .chain
                .iter()
                .map(|processor| Link::new(processor, &spec, start, key(processor)))
                .collect(),
            stage: OutputStage::new(plan, at),
            work: Buffer::new(strip.channels, max_frames),
            latency_in_frames: strip.latency_in_frames as i64,
            fader_frame: start as i64 - strip.latency_frames as i64,
        }
    }

    /// Runs a block: what feeds the strip (or its clips), through chain and fader, into `out`.
    ///
    /// # Realtime safety
    /// Does not allocate, lock, log, read a clock or panic, whatever the samples are.
    pub fn run(
        &mut self,
        span: Span,
        clips: Option<&ClipBlock>,
        outputs: &impl Outputs,
        out: &mut StripOutput,
    ) {
        let status = self.run_chain(span, clips, outputs);
        self.fader_frame = (span.start + span.frames as u64) as i64 - self.stage.latency_frames;
        self.stage.run(span, Tapped { buffer: &self.work, status }, out);
    }

    /// Runs a block up to the fader; what the chain has made is in [`Self::made`].
    pub(crate) fn run_chain(
        &mut self,
        span: Span,
        clips: Option<&ClipBlock>,
        outputs: &impl Outputs,
    ) -> Status {
        let mut status = self.input(span, clips, outputs);
        for link in &mut self.chain {
            status = link.process(span, outputs, &mut self.work, status);
        }
        status
    }

    /// What the chain has made of the last block.
    pub(crate) const fn made(&self) -> &Buffer {
        &self.work
    }

    fn input(&mut self, span: Span, clips: Option<&ClipBlock>, outputs: &impl Outputs) -> Status {
        let Some(clips) = clips else {
            let frame = span.start as i64 - self.latency_in_frames;
            return self.summer.sum(frame, span.frames, outputs, &mut self.work);
        };
        for channel in 0..self.work.channels() {
            let work = &mut self.work.channel_mut(channel)[..span.frames];
            match clips.status {
                Status::Filled => {
                    work.copy_from_slice(&clips.buffer.channel(channel)[..span.frames]);
                }
                Status::Silent => work.fill(0.0),
            }
        }
        clips.status
    }

    /// Aims a value at something new, click-free.
    ///
    /// # Realtime safety
    /// As [`Self::run`].
    pub fn set(&mut self, target: Target, value: f64) {
        match target {
            Target::Fader => self.stage.fader.set(Knob::Fader, value, self.fader_frame),
            Target::Pan => self.stage.fader.set(Knob::Pan, value, self.fader_frame),
            Target::Width => self.stage.fader.set(Knob::Width, value, self.fader_frame),
            Target::Feed(feed) => {
                let frame = self.fader_frame;
                if let Some(feed) = self.summer.feeds.get_mut(feed) {
                    feed.level.set_db(value, frame);
                }
            }
            Target::FeedOpen(feed) => {
                if let Some(feed) = self.summer.feeds.get_mut(feed) {
                    feed.level.set_open(value > 0.0);
                }
            }
            Target::KeyOpen(processor) => {
                if let Some(link) = self.chain.get_mut(processor) {
                    link.set_key_open(value > 0.0);
                }
            }
            Target::Param { processor, param } => {
                if let Some(link) = self.chain.get_mut(processor) {
                    link.set(param, value);
                }
            }
        }
    }

    /// The deepest gain reduction of each processor since the last call, in dB at or below 0; `None`
    /// for a processor that has no such thing.
    ///
    /// # Realtime safety
    /// As [`Self::run`].
    pub fn take_gain_reductions(&mut self, mut with: impl FnMut(usize, Option<f32>)) {
        for (at, link) in self.chain.iter_mut().enumerate() {
            with(at, link.take_gain_reduction_db());
        }
    }

    /// Samples that were not finite and were replaced by silence, here and in the processors.
    #[must_use]
    pub fn cleaned_samples(&self) -> u64 {
        self.stage.cleaned + self.chain.iter().map(Link::cleaned_samples).sum::<u64>()
    }
}
