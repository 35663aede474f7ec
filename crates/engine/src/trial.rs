//! The trial driver: renders excerpts through the whole mix, again and again with small changes.
//!
//! Strips are rendered one after the other, each over a whole excerpt, and what a strip's chain has made is
//! kept under a key that stands for everything that went into it: settings, clips and their files' hashes,
//! the keys of what it listens to, the excerpt. A change therefore costs the strips downstream of it and
//! no other, however many tracks there are. Fader, pan and width come after what is kept: moving them does
//! not run the chain again. What is kept is not yet aligned with anything: a strip's latency depends on
//! what is upstream of it alone, so a longer look-ahead elsewhere leaves it valid.
//!
//! An excerpt starts early, so that filters, detectors and tails have settled where it is listened to: by
//! [`RUN_IN_SECONDS`] or five times the longest release, and that part is never handed out. It ends late,
//! so that look-ahead sees what comes. Solo is not obeyed: a trial judges the mix.

mod cache;
mod key;

use crate::control::compile::{CompileError, CompileOptions, compile};
use crate::control::plan::{Plan, StripPlan};
use crate::feed::{ClipPlayer, FeedError, IdleFiles, Reader, Sources};
use crate::rt::strip::{OutputStage, Span, Tapped};
use crate::rt::{ClipBlock, Outputs, StripOutput, StripRunner};
use cache::{Cache, Kept};
use key::Keys;
use std::ops::Range;
use std::sync::Arc;
use topdown_dsp::{Buffer, Kind, Status};
use topdown_session::{ProcessorId, Session, StripId, Value};

pub use key::AudioKey;

/// Shortest run-in, in seconds.
pub const RUN_IN_SECONDS: f64 = 2.0;
/// Run-in of a processor with a release, in releases.
const RUN_IN_RELEASES: f64 = 5.0;
/// Excerpts end late by a multiple of this, the next one above the mix's latency, so that a change of
/// latency mostly leaves the kept sound valid.
const RUN_OUT_SECONDS: f64 = 0.25;
/// Time between two values of a gain reduction trace; also the block that trials run in.
pub const TRACE_SECONDS: f64 = 0.01;

/// Renders excerpts of sessions and remembers what it has rendered. Shared by threads.
pub struct TrialEngine {
    sources: Arc<dyn Sources>,
    idle: IdleFiles,
    cache: Cache,
    kinds: fn(&str) -> Option<&'static Kind>,
}

impl std::fmt::Debug for TrialEngine {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("TrialEngine").field("kept_bytes", &self.kept_bytes()).finish()
    }
}

/// Why an excerpt could not be rendered.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TrialError {
    /// The session cannot be rendered.
    #[error(transparent)]
    Compile(#[from] CompileError),
    /// A file could not be read.
    #[error(transparent)]
    Feed(#[from] FeedError),
}

/// What a trial sounds like: for each excerpt in order.
#[derive(Clone, Debug)]
pub struct TrialAudio {
    /// The mix bus.
    pub output: Vec<Tap>,
    /// The strips that were asked for, in that order, each with all excerpts.
    pub taps: Vec<Vec<Tap>>,
}

/// The output of a strip over an excerpt.
#[derive(Clone, Debug)]
pub struct Tap {
    /// Stands for the sound: equal keys, equal samples. What was measured on it may be kept under it.
    pub key: AudioKey,
    plan: Arc<Plan>,
    strip: usize,
    window: Window,
    kept: Arc<Kept>,
}

/// An excerpt with its run-in and run-out, in stream frames.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Window {
    start: u64,
    end: u64,
    /// Session frames to hand out.
    from: u64,
    to: u64,
}

impl TrialEngine {
    /// An engine that keeps about `budget_bytes` of sound.
    #[must_use]
    pub fn new(sources: Arc<dyn Sources>, budget_bytes: usize) -> Self {
        Self::with_kinds(sources, budget_bytes, Kind::by_id)
    }

    /// The same with other kinds of processors.
    #[must_use]
    pub fn with_kinds(
        sources: Arc<dyn Sources>,
        budget_bytes: usize,
        kinds: fn(&str) -> Option<&'static Kind>,
    ) -> Self {
        Self { sources, idle: IdleFiles::default(), cache: Cache::new(budget_bytes), kinds }
    }

    /// Bytes of sound that are kept at the moment.
    #[must_use]
    pub fn kept_bytes(&self) -> usize {
        self.cache.bytes()
    }

    /// How many strips have been rendered over an excerpt so far; what came from the cache does not count.
    #[must_use]
    pub fn strips_rendered(&self) -> u64 {
        self.cache.made()
    }

    /// Renders excerpts (session frames) of a session to the mix bus and to `taps`.
    ///
    /// # Errors
    /// A session that cannot be rendered, a tap that does not exist, a file that cannot be read.
    pub fn render(
        &self,
        session: &Session,
        spans: &[Range<u64>],
        taps: &[StripId],
    ) -> Result<TrialAudio, TrialError> {
        let options = CompileOptions { kinds: &self.kinds, taps, solo: false, live: false };
        let plan = Arc::new(compile(session, &options)?);
        let mut audio = TrialAudio { output: Vec::new(), taps: vec![Vec::new(); taps.len()] };
        for span in spans {
            let window = window(&plan, span);
            let keys = Keys::new(&plan, session, window);
            let excerpt = Excerpt { engine: self, plan: &plan, keys: &keys, window };
            audio.output.push(excerpt.tap(plan.output)?);
            for (tap, &strip) in audio.taps.iter_mut().zip(&plan.taps) {
                tap.push(excerpt.tap(strip)?);
            }
        }
        Ok(audio)
    }
}

fn window(plan: &Plan, span: &Range<u64>) -> Window {
    let rate = plan.sample_rate.hz();
    let run_in = (longest_release(plan) * RUN_IN_RELEASES).max(RUN_IN_SECONDS).ceil() * rate;
    let step = (RUN_OUT_SECONDS * rate) as u64;
    let run_out = (plan.latency_frames() as u64).div_ceil(step).max(1) * step;
    Window {
        start: span.start.saturating_sub(run_in as u64),
        end: span.end.saturating_add(run_out),
        from: span.start,
        to: span.end.max(span.start),
    }
}

/// The longest release in seconds, by the names of parameters.
fn longest_release(plan: &Plan) -> f64 {
    let chains = plan.strips.iter().flat_map(|strip| &strip.chain);
    let releases = chains.flat_map(|processor| {
        let params = processor.kind.0.params.iter().zip(&processor.values);
        params.filter(|(spec, _)| spec.id.ends_with("release_ms")).map(|(_, value)| match value {
            Value::Constant(value) => *value,
            Value::Automation(points) => points.iter().map(|p| p.value).fold(0.0, f64::max),
        })
    });
    releases.fold(0.0, f64::max) / 1000.0
}

/// One excerpt of one session.
struct Excerpt<'a> {
    engine: &'a TrialEngine,
    plan: &'a Arc<Plan>,
    keys: &'a Keys,
    window: Window,
}

impl Excerpt<'_> {
    fn tap(&self, strip: usize) -> Result<Tap, TrialError> {
        let kept = self.kept(strip)?;
        let (key, plan) = (self.keys.tap(strip, self.window), self.plan.clone());
        Ok(Tap { key, plan, strip, window: self.window, kept })
    }

    /// What the chain of a strip makes, from the cache or rendered now. While this renders, another thread
    /// that wants the same waits; nobody can wait in a circle, because a strip only waits for what is
    /// upstream of it.
    fn kept(&self, strip: usize) -> Result<Arc<Kept>, FeedError> {
        self.engine.cache.get_or_make(self.keys.chain[strip], || self.make(strip))
    }

    fn make(&self, at: usize) -> Result<Kept, FeedError> {
        let strip = &self.plan.strips[at];
        let block = block_frames(self.plan);
        let mut replays = Vec::new();
        for from in strip.listens_to() {
            let kept = self.kept(from)?;
            replays.push((from, Replay::new(self.plan, from, kept, self.window, block)));
        }
        let mut inputs = Replays(replays);
        let mut clips = Clips::new(strip, block);
        let mut runner = StripRunner::new(self.plan, at, self.window.start, block);
        let reader = Reader { sources: &*self.engine.sources, idle: &self.engine.idle };
        let mut kept = Kept::new(strip.channels, strip.chain.len());
        let total = self.window.end - self.window.start;
        for offset in (0..total).step_by(block) {
            let frames = (block as u64).min(total - offset) as usize;
            let span = Span { start: self.window.start + offset, frames };
            inputs.0.iter_mut().for_each(|(_, replay)| replay.run(span));
            let clips = clips.play(reader, strip, span)?;
            let status = runner.run_chain(span, clips, &inputs);
            kept.push(frames, Tapped { buffer: runner.made(), status });
            runner.take_gain_reductions(|processor, db| kept.push_reduction(processor, db));
        }
        Ok(kept)
    }
}

fn block_frames(plan: &Plan) -> usize {
    (TRACE_SECONDS * plan.sample_rate.hz()) as usize
}

/// The clips of a track, if it has any.
struct Clips(Option<(ClipPlayer, ClipBlock)>);

impl Clips {
    fn new(strip: &StripPlan, block: usize) -> Self {
        Self((!strip.clips.is_empty()).then(|| {
            let buffer = Buffer::new(strip.channels, block);
            (ClipPlayer::new(strip, block), ClipBlock { buffer, status: Status::Silent })
        }))
    }

    fn play(
        &mut self,
        reader: Reader<'_>,
        strip: &StripPlan,
        span: Span,
    ) -> Result<Option<&ClipBlock>, FeedError> {
        let Some((player, block)) = &mut self.0 else { return Ok(None) };
        let start = span.start as i64 - strip.latency_in_frames as i64;
        player.play(reader, start, span.frames, block)?;
        Ok(Some(block))
    }
}

/// A strip that has been rendered before, handed out again through its fader.
struct Replay {
    kept: Arc<Kept>,
    window: Window,
    made: Buffer,
    stage: OutputStage,
    output: StripOutput,
}

impl Replay {
    fn new(plan: &Plan, at: usize, kept: Arc<Kept>, window: Window, block: usize) -> Self {
        Self {
            kept,
            window,
            made: Buffer::new(plan.strips[at].channels, block),
            stage: OutputStage::new(plan, at),
            output: StripOutput::new(plan, at, block),
        }
    }

    fn run(&mut self, span: Span) {
        let start = (span.start - self.window.start) as usize;
        let mut status = Status::Silent;
        for (channel, plane) in self.kept.planes().enumerate() {
            let made = &mut self.made.channel_mut(channel)[..span.frames];
            made.copy_from_slice(&plane[start..start + span.frames]);
            status = Status::Filled;
        }
        self.stage.run(span, Tapped { buffer: &self.made, status }, &mut self.output);
    }
}

struct Replays(Vec<(usize, Replay)>);

impl Outputs for Replays {
    fn output(&self, strip: usize) -> Option<&StripOutput> {
        let at = self.0.binary_search_by_key(&strip, |(at, _)| *at).ok()?;
        self.0.get(at).map(|(_, replay)| &replay.output)
    }
}

impl Tap {
    /// Which strip.
    #[must_use]
    pub fn strip(&self) -> &StripId {
        &self.plan.strips[self.strip].id
    }

    /// The samples of the excerpt, a plane a channel, after fader and pan.
    #[must_use]
    pub fn audio(&self) -> Vec<Vec<f32>> {
        let strip = &self.plan.strips[self.strip];
        let block = block_frames(&self.plan);
        let mut replay = Replay::new(&self.plan, self.strip, self.kept.clone(), self.window, block);
        let frames = (self.window.to - self.window.from) as usize;
        let mut audio = vec![Vec::with_capacity(frames); strip.post_channels];
        let first = self.window.from + strip.latency_frames as u64;
        for offset in (0..frames).step_by(block) {
            let run = block.min(frames - offset);
            replay.run(Span { start: first + offset as u64, frames: run });
            for (audio, plane) in audio.iter_mut().zip(replay.output.post().buffer.planes()) {
                audio.extend_from_slice(&plane[..run]);
            }
        }
        audio
    }

    /// Gain reduction of each processor that has one, over the excerpt: a value in dB at or below 0 every
    /// [`TRACE_SECONDS`], the deepest of that time.
    #[must_use]
    pub fn gain_reductions(&self) -> Vec<GainReduction> {
        let strip = &self.plan.strips[self.strip];
        let block = block_frames(&self.plan) as u64;
        let values = (self.window.to - self.window.from).div_ceil(block) as usize;
        let traces = strip.chain.iter().zip(self.kept.reductions());
        let traces = traces.filter(|(_, trace)| !trace.is_empty()).map(|(processor, trace)| {
            let latency = processor.latency_in_frames + processor.latency_frames;
            let first = (self.window.from - self.window.start + latency as u64) / block;
            let trace = trace.iter().skip(first as usize).take(values).copied().collect();
            GainReduction { processor: processor.id.clone(), trace_db: trace }
        });
        traces.collect()
    }
}

/// How deep a processor worked during an excerpt.
#[derive(Clone, Debug, PartialEq)]
pub struct GainReduction {
    /// Which processor of the strip.
    pub processor: ProcessorId,
    /// dB at or below 0, one value every [`TRACE_SECONDS`].
    pub trace_db: Vec<f32>,
}

impl GainReduction {
    /// Mean over the excerpt in dB; 0 for an empty one.
    #[must_use]
    pub fn mean_db(&self) -> f64 {
        let sum: f64 = self.trace_db.iter().map(|db| f64::from(*db)).sum();
        sum / self.trace_db.len().max(1) as f64
    }

    /// The deepest value in dB.
    #[must_use]
    pub fn deepest_db(&self) -> f64 {
        f64::from(self.trace_db.iter().copied().fold(0.0, f32::min))
    }
}
