//! The offline driver: renders a range of the song as fast as the machine can, with bounded memory.
//!
//! Every strip runs block after block; which strip runs when is decided by [`crate::schedule`], so that
//! threads share the work and the bytes do not depend on how many there are. Reading and decoding a track's
//! clips is part of the track's task. The mix comes out without the engine's latency: the first
//! frame handed to the sink is the first frame of the range.

use crate::control::plan::Plan;
use crate::feed::{ClipPlayer, FeedError, IdleFiles, Reader, Sources};
use crate::rt::strip::Span;
use crate::rt::{ClipBlock, Outputs, StripOutput, StripRunner};
use crate::schedule::{DEPTH, Schedule, Task};
use crate::sink::Sink;
use std::ops::Range;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError, RwLock, RwLockReadGuard};
use topdown_dsp::{Buffer, Status};
use topdown_session::StripId;

/// Frames of a block where memory allows: long enough that handing out tasks costs nothing.
const BLOCK_FRAMES: usize = 8192;
/// Shortest block that is chosen to save memory.
const BLOCK_FRAMES_MIN: usize = 512;
/// What all blocks together may take, about.
const BLOCK_BYTES: usize = 64 << 20;
/// What a strip needs for a frame, about: `DEPTH` outputs, the block at work, clips and their sums.
const BYTES_PER_FRAME: usize = 80;

/// What to render, and how.
#[derive(Clone, Debug)]
pub struct RenderOptions<'a> {
    /// Session frames to hand out.
    pub range: Range<u64>,
    /// Whether the range is where it ends.
    pub end: End,
    /// Frames before the range that run, unheard, so that processors know what came before.
    pub run_in_frames: u64,
    /// How many threads work, 1 or more; the caller's is one of them. Has no influence on the bytes.
    pub threads: usize,
    /// Frames of a block; `None` chooses. Has no influence on the bytes.
    pub block_frames: Option<usize>,
    /// Set to true from anywhere, ends the render.
    pub cancel: Option<&'a AtomicBool>,
}

impl RenderOptions<'_> {
    /// The whole song with its tail, on one thread.
    #[must_use]
    pub const fn whole(plan: &Plan) -> Self {
        Self {
            range: 0..plan.end_frame,
            end: End::Tail,
            run_in_frames: 0,
            threads: 1,
            block_frames: None,
            cancel: None,
        }
    }
}

/// Where a render ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    /// With the range.
    Range,
    /// When what rings after the range has fallen below -90 dBFS for a second, or 10 s after the range.
    Tail,
}

/// What happened on the way.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RenderReport {
    /// Frames handed to the sink.
    pub frames: u64,
    /// Strips where samples that were not finite became silence, and how many.
    pub cleaned: Vec<(StripId, u64)>,
    /// Tracks whose files ended before their clips, and how many frames were missing.
    pub missing_frames: Vec<(StripId, u64)>,
}

/// Why a render ended early.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum RenderError<E> {
    /// A file could not be read.
    #[error(transparent)]
    Feed(#[from] FeedError),
    /// The sink refused a block.
    #[error("the result could not be written")]
    Sink(E),
    /// Somebody wanted it so.
    #[error("cancelled")]
    Cancelled,
}

/// Renders `options.range` of a plan. The sink gets planes of equal length, block after block: those of the
/// mix, then those of each tap in order (see [`crate::StripPlan::post_channels`] for how many each has).
/// `progress` gets the frames done and the frames of the range.
///
/// # Errors
/// A file that cannot be read, what the sink says, or that it was cancelled. The sink has then got a
/// part of the mix.
pub fn render<E: Send>(
    plan: &Plan,
    sources: &dyn Sources,
    options: &RenderOptions<'_>,
    progress: impl FnMut(u64, u64) + Send,
    sink: impl FnMut(&[&[f32]]) -> Result<(), E> + Send,
) -> Result<RenderReport, RenderError<E>> {
    let block_frames = options.block_frames.unwrap_or_else(|| block_frames(plan)).max(1);
    let start = options.range.start.saturating_sub(options.run_in_frames);
    let lead = options.range.start - start + plan.latency_frames() as u64;
    let sink = Sink::new(plan, options, block_frames, lead, progress, sink);
    let blocks = (lead + sink.most_frames()).div_ceil(block_frames as u64);
    let schedule = Schedule::new(plan, blocks);
    let idle = IdleFiles::default();
    let driver = Driver {
        listens_to: (0..plan.strips.len()).map(|at| schedule.listens_to(at).to_vec()).collect(),
        nodes: (0..plan.strips.len())
            .map(|at| Mutex::new(Node::new(plan, at, start, block_frames)))
            .collect(),
        outputs: (0..plan.strips.len()).map(|at| room(plan, at, block_frames)).collect(),
        reader: Reader { sources, idle: &idle },
        state: Mutex::new(State { schedule, error: None }),
        wake: Condvar::new(),
        sink: Mutex::new(sink),
        start,
        block_frames,
        cancel: options.cancel,
    };
    std::thread::scope(|scope| {
        for _ in 1..options.threads {
            scope.spawn(|| driver.work());
        }
        driver.work();
    });
    driver.report(plan)
}

fn block_frames(plan: &Plan) -> usize {
    let mut frames = BLOCK_FRAMES;
    while frames > BLOCK_FRAMES_MIN && plan.strips.len() * BYTES_PER_FRAME * frames > BLOCK_BYTES {
        frames /= 2;
    }
    frames
}

fn room(plan: &Plan, at: usize, block_frames: usize) -> [RwLock<StripOutput>; DEPTH] {
    std::array::from_fn(|_| RwLock::new(StripOutput::new(plan, at, block_frames)))
}

/// A strip and what it plays.
struct Node {
    runner: StripRunner,
    clips: Option<(ClipPlayer, ClipBlock)>,
    latency_in_frames: i64,
}

impl Node {
    fn new(plan: &Plan, at: usize, start: u64, block_frames: usize) -> Self {
        let strip = &plan.strips[at];
        let clips = (!strip.clips.is_empty()).then(|| {
            let buffer = Buffer::new(strip.channels, block_frames);
            let block = ClipBlock { buffer, status: Status::Silent };
            (ClipPlayer::new(strip, block_frames), block)
        });
        let runner = StripRunner::new(plan, at, start, block_frames);
        Self { runner, clips, latency_in_frames: strip.latency_in_frames as i64 }
    }
}

/// What the threads share and change.
struct State<E> {
    schedule: Schedule,
    error: Option<RenderError<E>>,
}

struct Driver<'a, E, P, F> {
    listens_to: Vec<Vec<usize>>,
    nodes: Vec<Mutex<Node>>,
    outputs: Vec<[RwLock<StripOutput>; DEPTH]>,
    reader: Reader<'a>,
    state: Mutex<State<E>>,
    wake: Condvar,
    sink: Mutex<Sink<P, F>>,
    start: u64,
    block_frames: usize,
    cancel: Option<&'a AtomicBool>,
}

/// The outputs that a strip listens to, held for one task. The schedule sees to it that nobody writes
/// to them meanwhile, so that none of these locks ever waits.
struct Held<'a>(Vec<(usize, RwLockReadGuard<'a, StripOutput>)>);

impl Outputs for Held<'_> {
    fn output(&self, strip: usize) -> Option<&StripOutput> {
        let at = self.0.binary_search_by_key(&strip, |(at, _)| *at).ok()?;
        self.0.get(at).map(|(_, output)| &**output)
    }
}

/// Ends the render when a thread unwinds, so that the others do not wait for it for ever.
struct StopOnPanic<'a, E>(&'a Mutex<State<E>>, &'a Condvar);

impl<E> Drop for StopOnPanic<'_, E> {
    fn drop(&mut self) {
        if std::thread::panicking() {
            lock(self.0).schedule.stop();
            self.1.notify_all();
        }
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl<E, P, F> Driver<'_, E, P, F>
where
    P: FnMut(u64, u64),
    F: FnMut(&[&[f32]]) -> Result<(), E>,
{
    fn work(&self) {
        let _guard = StopOnPanic(&self.state, &self.wake);
        let mut state = lock(&self.state);
        while !state.schedule.is_over() {
            let Some(task) = state.schedule.take() else {
                state = self.wake.wait(state).unwrap_or_else(PoisonError::into_inner);
                continue;
            };
            drop(state);
            let result = self.run(task);
            state = lock(&self.state);
            state.schedule.finish(task);
            match result {
                Ok(true) => {}
                Ok(false) => state.schedule.stop(),
                Err(error) => {
                    state.schedule.stop();
                    state.error.get_or_insert(error);
                }
            }
            self.wake.notify_all();
        }
    }

    /// Runs a task; false says that the render is over.
    fn run(&self, task: Task) -> Result<bool, RenderError<E>> {
        if self.cancel.is_some_and(|cancel| cancel.load(Ordering::Relaxed)) {
            return Err(RenderError::Cancelled);
        }
        match self.nodes.get(task.node) {
            Some(node) => {
                self.run_strip(task, &mut lock(node))?;
                Ok(true)
            }
            None => {
                let slot = (task.block % DEPTH as u64) as usize;
                let output = |strip: usize| read(&self.outputs[strip][slot]);
                lock(&self.sink).block(output).map_err(RenderError::Sink)
            }
        }
    }

    fn run_strip(&self, task: Task, node: &mut Node) -> Result<(), FeedError> {
        let frames = self.block_frames;
        let span = Span { start: self.start + task.block * frames as u64, frames };
        let slot = (task.block % DEPTH as u64) as usize;
        let held = self.listens_to[task.node].iter();
        let held = Held(held.map(|&from| (from, read(&self.outputs[from][slot]))).collect());
        let mut clips = None;
        if let Some((player, block)) = &mut node.clips {
            let start = span.start as i64 - node.latency_in_frames;
            player.play(self.reader, start, frames, block)?;
            clips = Some(&*block);
        }
        let out = &self.outputs[task.node][slot];
        let mut out = out.write().unwrap_or_else(PoisonError::into_inner);
        node.runner.run(span, clips, &held, &mut out);
        Ok(())
    }

    fn report(self, plan: &Plan) -> Result<RenderReport, RenderError<E>> {
        let state = self.state.into_inner().unwrap_or_else(PoisonError::into_inner);
        if let Some(error) = state.error {
            return Err(error);
        }
        let sink = self.sink.into_inner().unwrap_or_else(PoisonError::into_inner);
        let mut report = RenderReport { frames: sink.frames(), ..RenderReport::default() };
        for (node, strip) in self.nodes.into_iter().zip(&plan.strips) {
            let node = node.into_inner().unwrap_or_else(PoisonError::into_inner);
            let (cleaned, missing) =
                node.clips.map_or((0, 0), |(player, _)| (player.cleaned, player.missing_frames));
            let cleaned = cleaned + node.runner.cleaned_samples();
            if cleaned > 0 {
                report.cleaned.push((strip.id.clone(), cleaned));
            }
            if missing > 0 {
                report.missing_frames.push((strip.id.clone(), missing));
            }
        }
        Ok(report)
    }
}

fn read(output: &RwLock<StripOutput>) -> RwLockReadGuard<'_, StripOutput> {
    output.read().unwrap_or_else(PoisonError::into_inner)
}
