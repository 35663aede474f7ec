//! A plan, running: all its strips in order, one block after the other.

use super::meter::{GAIN_REDUCTIONS, Meter, MeterSlot};
use super::strip::{ClipBlock, Outputs, Span, StripOutput, StripRunner, Tapped};
use crate::control::diff::SetValue;
use crate::control::plan::Plan;
use std::sync::Arc;
use topdown_dsp::{Buffer, Status, clean};

/// Window over which meters take their mean, as a part of a second.
const METER_WINDOWS_PER_SECOND: f64 = 20.0;

/// Sound of a track's clips on its way from the prefetch thread, channels interleaved.
pub(crate) struct ClipStream {
    samples: rtrb::Consumer<f32>,
    channels: usize,
    /// Samples that came too late and have to be skipped.
    owed: usize,
}

impl ClipStream {
    pub(crate) const fn new(samples: rtrb::Consumer<f32>, channels: usize) -> Self {
        Self { samples, channels, owed: 0 }
    }

    /// Frames that have arrived.
    fn frames(&self) -> usize {
        self.samples.slots().saturating_sub(self.owed) / self.channels
    }

    /// Takes a block. Returns how many frames were missing; silence stands in for them.
    fn pull(&mut self, frames: usize, block: &mut ClipBlock) -> usize {
        let late = self.owed.min(self.samples.slots());
        self.skip(late);
        self.owed -= late;
        let here = if self.owed > 0 { 0 } else { self.frames().min(frames) };
        if let Ok(chunk) = self.samples.read_chunk(here * self.channels) {
            let (first, second) = chunk.as_slices();
            for channel in 0..self.channels {
                let samples = first.iter().chain(second).skip(channel).step_by(self.channels);
                let out = &mut block.buffer.channel_mut(channel)[..frames];
                out[here..].fill(0.0);
                for (out, sample) in out.iter_mut().zip(samples) {
                    *out = *sample;
                }
            }
            chunk.commit_all();
        }
        self.owed += (frames - here) * self.channels;
        let planes = (0..self.channels).map(|channel| &block.buffer.channel(channel)[..frames]);
        let silent = planes.into_iter().all(clean::is_silent);
        block.status = if silent { Status::Silent } else { Status::Filled };
        frames - here
    }

    fn skip(&mut self, samples: usize) {
        if let Ok(chunk) = self.samples.read_chunk(samples) {
            chunk.commit_all();
        }
    }
}

/// One strip of a deck.
struct DeckStrip {
    runner: StripRunner,
    clips: Option<ClipBlock>,
    stream: Option<ClipStream>,
    slot: Arc<MeterSlot>,
    meter: Meter,
    /// Where its clips are read, relative to the stream.
    latency_in_frames: usize,
}

/// A plan, running.
pub(crate) struct Deck {
    strips: Vec<DeckStrip>,
    outputs: Vec<StripOutput>,
    output: usize,
    latency_frames: u64,
    /// Stream frame of the next block.
    position: u64,
    max_frames: usize,
}

struct Done<'a>(&'a [StripOutput]);

impl Outputs for Done<'_> {
    fn output(&self, strip: usize) -> Option<&StripOutput> {
        self.0.get(strip)
    }
}

impl Deck {
    /// `plan` from stream frame `start` on, with a meter slot a strip. Allocates.
    pub(crate) fn new(
        plan: &Plan,
        slots: &[Arc<MeterSlot>],
        start: u64,
        max_frames: usize,
    ) -> Self {
        let window = (plan.sample_rate.hz() / METER_WINDOWS_PER_SECOND) as usize;
        let strips = plan.strips.iter().zip(slots).enumerate().map(|(at, (strip, slot))| {
            let buffer = || Buffer::new(strip.channels, max_frames);
            let clips = (!strip.clips.is_empty())
                .then(|| ClipBlock { buffer: buffer(), status: Status::Silent });
            DeckStrip {
                runner: StripRunner::new(plan, at, start, max_frames),
                clips,
                stream: None,
                slot: slot.clone(),
                meter: Meter::new(window),
                latency_in_frames: strip.latency_in_frames,
            }
        });
        Self {
            strips: strips.collect(),
            outputs: (0..plan.strips.len())
                .map(|at| StripOutput::new(plan, at, max_frames))
                .collect(),
            output: plan.output,
            latency_frames: plan.latency_frames() as u64,
            position: start,
            max_frames,
        }
    }

    /// Session frame that the next block begins with at the output.
    pub(crate) const fn session_frame(&self) -> u64 {
        self.position.saturating_sub(self.latency_frames)
    }

    pub(crate) const fn position(&self) -> u64 {
        self.position
    }

    pub(crate) const fn max_frames(&self) -> usize {
        self.max_frames
    }

    pub(crate) fn connect(&mut self, strip: usize, stream: ClipStream) {
        if let Some(strip) = self.strips.get_mut(strip) {
            strip.stream = Some(stream);
        }
    }

    /// Frames that every track has ready.
    pub(crate) fn ready_frames(&self) -> usize {
        let streams = self.strips.iter().filter_map(|strip| strip.stream.as_ref());
        streams.map(ClipStream::frames).min().unwrap_or(usize::MAX)
    }

    /// Runs a block whose clips come out of the streams; returns the mix and how many frames were missing.
    ///
    /// # Realtime safety
    /// Does not allocate, lock, log, read a clock or panic.
    pub(crate) fn run(&mut self, frames: usize) -> (Tapped<'_>, usize) {
        let mut missing = 0;
        for strip in &mut self.strips {
            if let (Some(stream), Some(block)) = (&mut strip.stream, &mut strip.clips) {
                missing = missing.max(stream.pull(frames, block));
            }
        }
        (self.run_strips(frames), missing)
    }

    /// Runs a block, unheard, whose clips `play` writes (strip, session frame, block). May take its time.
    pub(crate) fn warm<E>(
        &mut self,
        frames: usize,
        mut play: impl FnMut(usize, i64, &mut ClipBlock) -> Result<(), E>,
    ) -> Result<(), E> {
        for (at, strip) in self.strips.iter_mut().enumerate() {
            let start = self.position as i64 - strip.latency_in_frames as i64;
            if let Some(block) = &mut strip.clips {
                play(at, start, block)?;
            }
        }
        self.run_strips(frames);
        Ok(())
    }

    fn run_strips(&mut self, frames: usize) -> Tapped<'_> {
        let span = Span { start: self.position, frames };
        for (at, strip) in self.strips.iter_mut().enumerate() {
            let (done, rest) = self.outputs.split_at_mut(at);
            let Some(out) = rest.first_mut() else { break };
            strip.runner.run(span, strip.clips.as_ref(), &Done(done), out);
            if strip.slot.is_subscribed() {
                strip.measure(out, frames);
            }
        }
        self.position += frames as u64;
        self.outputs[self.output].post()
    }

    pub(crate) fn set(&mut self, set: SetValue) {
        if let Some(strip) = self.strips.get_mut(set.strip) {
            strip.runner.set(set.target, set.value);
        }
    }
}

impl DeckStrip {
    fn measure(&mut self, out: &StripOutput, frames: usize) {
        let buffer = out.post().buffer;
        let (left, right) = (buffer.channel(0), buffer.channel(buffer.channels() - 1));
        self.meter.measure(&self.slot, &left[..frames], &right[..frames]);
        let slot = &self.slot;
        self.runner.take_gain_reductions(|processor, db| {
            if let Some(db) = db.filter(|_| processor < GAIN_REDUCTIONS) {
                slot.gain_reduction(processor, db);
            }
        });
    }
}
