//! The end of the offline way: takes the latency off, aligns taps with the mix, and knows when to stop.

use crate::control::plan::Plan;
use crate::offline::{End, RenderOptions};
use crate::rt::StripOutput;
use crate::rt::delay::Delay;
use std::ops::{Deref, Range};
use topdown_dsp::Buffer;
use topdown_units::db_to_gain;

/// What rings on is over when it stays below this level ...
const TAIL_FLOOR_DBFS: f64 = -90.0;
/// ... for so long: longer than the gap between two echoes.
const TAIL_QUIET_SECONDS: f64 = 1.0;
/// A tail longer than this is cut.
const TAIL_MOST_SECONDS: f64 = 10.0;

/// A strip that is handed out, delayed to the latency of the mix.
struct Lane {
    strip: usize,
    delay: Delay,
    buffer: Buffer,
}

/// Takes blocks of the stream and gives the sink what belongs to the range.
pub(crate) struct Sink<P, F> {
    lanes: Vec<Lane>,
    block_frames: usize,
    /// Frames of the stream still to drop: run-in and latency.
    lead: u64,
    range_frames: u64,
    done: u64,
    tail: Option<Tail>,
    progress: P,
    sink: F,
}

/// What comes after the range.
struct Tail {
    floor: f32,
    quiet_frames: usize,
    frames_left: u64,
    /// Frames since the last loud one, not yet handed out.
    held: Vec<Vec<f32>>,
}

impl<P, F> Sink<P, F> {
    pub(crate) fn new(
        plan: &Plan,
        options: &RenderOptions<'_>,
        block_frames: usize,
        lead: u64,
        progress: P,
        sink: F,
    ) -> Self {
        let lane = |&strip: &usize| {
            let channels = plan.strips[strip].post_channels;
            let behind = plan.latency_frames() - plan.strips[strip].latency_frames;
            let buffer = Buffer::new(channels, block_frames);
            Lane { strip, delay: Delay::new(channels, behind), buffer }
        };
        let lanes: Vec<_> = std::iter::once(&plan.output).chain(&plan.taps).map(lane).collect();
        let rate = plan.sample_rate.hz();
        let planes = lanes.iter().map(|lane| lane.buffer.channels()).sum();
        let tail = (options.end == End::Tail).then(|| Tail {
            floor: db_to_gain(TAIL_FLOOR_DBFS) as f32,
            quiet_frames: (TAIL_QUIET_SECONDS * rate) as usize,
            frames_left: (TAIL_MOST_SECONDS * rate) as u64,
            held: vec![Vec::new(); planes],
        });
        let range_frames = options.range.end.saturating_sub(options.range.start);
        Self { lanes, block_frames, lead, range_frames, done: 0, tail, progress, sink }
    }

    /// The most frames that can be handed out.
    pub(crate) fn most_frames(&self) -> u64 {
        self.range_frames + self.tail.as_ref().map_or(0, |tail| tail.frames_left)
    }

    /// Frames handed out.
    pub(crate) const fn frames(&self) -> u64 {
        self.done
    }
}

impl<E, P, F> Sink<P, F>
where
    P: FnMut(u64, u64),
    F: FnMut(&[&[f32]]) -> Result<(), E>,
{
    /// Takes the next block of every strip; false when it has all that it wants.
    pub(crate) fn block<'a, O>(&mut self, outputs: impl Fn(usize) -> O) -> Result<bool, E>
    where
        O: Deref<Target = StripOutput> + 'a,
    {
        let frames = self.block_frames;
        for lane in &mut self.lanes {
            let output = outputs(lane.strip);
            for channel in 0..lane.buffer.channels() {
                let samples = lane.buffer.channel_mut(channel);
                samples.copy_from_slice(output.post().buffer.channel(channel));
                lane.delay.channel(channel, samples);
            }
            lane.delay.advance(frames);
        }
        let skip = self.lead.min(frames as u64) as usize;
        self.lead -= skip as u64;
        let inside = self.range_frames.saturating_sub(self.done).min((frames - skip) as u64);
        let inside = skip..skip + inside as usize;
        if !inside.is_empty() {
            self.hand_out(inside.clone())?;
            (self.progress)(self.done.min(self.range_frames), self.range_frames);
        }
        if self.done < self.range_frames {
            return Ok(true);
        }
        match self.tail.take() {
            None => Ok(false),
            Some(mut tail) => {
                let more = self.ring_out(&mut tail, inside.end..frames)?;
                self.tail = Some(tail);
                Ok(more)
            }
        }
    }

    fn hand_out(&mut self, range: Range<usize>) -> Result<(), E> {
        let planes = self.lanes.iter().flat_map(|lane| lane.buffer.planes());
        let planes: Vec<_> = planes.map(|plane| &plane[range.clone()]).collect();
        self.done += range.len() as u64;
        (self.sink)(&planes)
    }

    /// Hands out everything up to the last loud frame and keeps the rest back.
    fn ring_out(&mut self, tail: &mut Tail, range: Range<usize>) -> Result<bool, E> {
        let mut loud_end = range.start;
        let mut quiet = tail.held.first().map_or(0, Vec::len);
        let mut over = false;
        for frame in range.clone() {
            if quiet >= tail.quiet_frames || tail.frames_left == 0 {
                over = true;
                break;
            }
            tail.frames_left -= 1;
            quiet += 1;
            let mut mix = self.lanes.iter().take(1).flat_map(|lane| lane.buffer.planes());
            if mix.any(|plane| plane[frame].abs() >= tail.floor) {
                quiet = 0;
                loud_end = frame + 1;
            }
        }
        if loud_end > range.start {
            let held: Vec<_> = tail.held.iter().map(|plane| &plane[..]).collect();
            let held_frames = held.first().map_or(0, |plane| plane.len());
            if held_frames > 0 {
                self.done += held_frames as u64;
                (self.sink)(&held)?;
            }
            tail.held.iter_mut().for_each(Vec::clear);
            self.hand_out(range.start..loud_end)?;
        }
        let planes = self.lanes.iter().flat_map(|lane| lane.buffer.planes());
        for (held, plane) in tail.held.iter_mut().zip(planes) {
            held.extend_from_slice(&plane[loud_end..range.end]);
        }
        Ok(!over)
    }
}
