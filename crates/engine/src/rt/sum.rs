//! Sums what feeds a strip: in session order, in `f64`, rounded once to `f32`.
//!
//! The sum starts at plus zero, so leaving a silent feed out gives the same bytes as adding its zeros.

use super::delay::Delay;
use super::fader::Level;
use super::strip::{Outputs, Tapped};
use crate::control::plan::{Feed, StripPlan};
use std::ops::Range;
use topdown_dsp::{Buffer, Status};
use topdown_session::Tap;

/// Frames that are summed at a time: accumulators stay in the nearest cache.
const CHUNK: usize = 256;

/// One feed of a strip, or the key of a processor.
pub(crate) struct FeedRunner {
    from: usize,
    tap: Tap,
    pub(crate) level: Level,
    delay: Option<Delay>,
}

impl FeedRunner {
    /// `channels` is what the strip it comes from hands out at the tap. Allocates.
    pub(crate) fn new(feed: &Feed, channels: usize, hand_frames: usize) -> Self {
        let delay = (feed.delay_frames > 0).then(|| Delay::new(channels, feed.delay_frames));
        let level = Level::new(&feed.level_db, feed.open, hand_frames);
        Self { from: feed.from, tap: feed.tap, level, delay }
    }

    pub(crate) fn source<'a>(&self, outputs: &'a impl Outputs) -> Option<Tapped<'a>> {
        outputs.output(self.from)?.tap(self.tap)
    }

    /// Adds a chunk of the feed to the accumulators. Returns whether there was anything to add.
    fn add(
        &mut self,
        source: &Tapped<'_>,
        range: Range<usize>,
        frame: i64,
        sums: &mut [[f64; CHUNK]],
    ) -> Status {
        let frames = range.len();
        let constant = self.level.constant();
        let mut gains = [0.0; CHUNK];
        if constant.is_none() {
            self.level.fill(frame, &mut gains[..frames]);
        }
        let mut status = source.status;
        if let Some(delay) = &mut self.delay {
            if delay.is_idle(status) {
                return Status::Silent;
            }
            status = delay.note(frames, status);
        } else if status == Status::Silent {
            return Status::Silent;
        }
        let mut scratch = [0.0; CHUNK];
        for channel in 0..source.buffer.channels() {
            let mut samples = &source.buffer.channel(channel)[range.clone()];
            if let Some(delay) = &mut self.delay {
                scratch[..frames].copy_from_slice(samples);
                delay.channel(channel, &mut scratch[..frames]);
                samples = &scratch[..frames];
            }
            let gains = constant.ok_or(&gains[..frames]);
            spread(samples, channel, source.buffer.channels(), gains, sums);
        }
        if let Some(delay) = &mut self.delay {
            delay.advance(frames);
        }
        if constant == Some(0.0) { Status::Silent } else { status }
    }
}

/// Adds one channel of a source to the channels that hear it: mono reaches both sides, and a mono strip
/// hears the mean of left and right.
fn spread(
    samples: &[f32],
    channel: usize,
    channels: usize,
    gains: Result<f64, &[f64]>,
    sums: &mut [[f64; CHUNK]],
) {
    match (channels, sums) {
        (1, sums) => sums.iter_mut().for_each(|sum| accumulate(samples, 1.0, gains, sum)),
        (_, [sum]) => accumulate(samples, 0.5, gains, sum),
        (_, sums) => {
            if let Some(sum) = sums.get_mut(channel) {
                accumulate(samples, 1.0, gains, sum);
            }
        }
    }
}

fn accumulate(samples: &[f32], share: f64, gains: Result<f64, &[f64]>, sum: &mut [f64; CHUNK]) {
    match gains.map(|gain| gain * share) {
        Ok(0.0) => {}
        Ok(1.0) => {
            for (sum, x) in sum.iter_mut().zip(samples) {
                *sum += f64::from(*x);
            }
        }
        Ok(gain) => {
            for (sum, x) in sum.iter_mut().zip(samples) {
                *sum += f64::from(*x) * gain;
            }
        }
        Err(gains) => {
            for ((sum, x), gain) in sum.iter_mut().zip(samples).zip(gains) {
                *sum += f64::from(*x) * gain * share;
            }
        }
    }
}

/// Everything that feeds a strip.
pub(crate) struct Summer {
    pub(crate) feeds: Vec<FeedRunner>,
}

impl Summer {
    pub(crate) fn new(plan: &StripPlan, channels_of: &dyn Fn(&Feed) -> usize, hand: usize) -> Self {
        let feeds = plan.feeds.iter().map(|feed| FeedRunner::new(feed, channels_of(feed), hand));
        Self { feeds: feeds.collect() }
    }

    /// Writes the sum of `frames` frames to `target`; `frame` is the session frame of the first one.
    pub(crate) fn sum(
        &mut self,
        frame: i64,
        frames: usize,
        outputs: &impl Outputs,
        target: &mut Buffer,
    ) -> Status {
        let mut status = Status::Silent;
        for start in (0..frames).step_by(CHUNK) {
            let range = start..frames.min(start + CHUNK);
            let frame = frame.saturating_add_unsigned(start as u64);
            if self.chunk(frame, range, outputs, target) == Status::Filled {
                status = Status::Filled;
            }
        }
        status
    }

    fn chunk(
        &mut self,
        frame: i64,
        range: Range<usize>,
        outputs: &impl Outputs,
        target: &mut Buffer,
    ) -> Status {
        let mut sums = [[0.0; CHUNK]; topdown_dsp::buffer::MAX_CHANNELS];
        let sums = &mut sums[..target.channels()];
        let mut status = Status::Silent;
        for feed in &mut self.feeds {
            let Some(source) = feed.source(outputs) else { continue };
            if feed.add(&source, range.clone(), frame, sums) == Status::Filled {
                status = Status::Filled;
            }
        }
        for (channel, sum) in sums.iter().enumerate() {
            let target = &mut target.channel_mut(channel)[range.clone()];
            for (target, sum) in target.iter_mut().zip(sum) {
                *target = *sum as f32;
            }
        }
        status
    }
}

/// The key of a processor, aligned with what it processes.
pub(crate) struct KeyRunner {
    feed: FeedRunner,
    aligned: Buffer,
}

impl KeyRunner {
    /// A key that is always silent has no feed; its buffer stays zero. Allocates.
    pub(crate) fn new(feed: FeedRunner, channels: usize, max_frames: usize) -> Self {
        Self { feed, aligned: Buffer::new(channels, max_frames) }
    }

    pub(crate) fn set_open(&mut self, open: bool) {
        self.feed.level.set_open(open);
    }

    /// The key's sound for a block.
    pub(crate) fn listen(&mut self, frame: i64, frames: usize, outputs: &impl Outputs) -> &Buffer {
        let aligned = &mut self.aligned;
        let Some(source) = self.feed.source(outputs) else {
            aligned.clear();
            return aligned;
        };
        let channels = aligned.channels();
        for start in (0..frames).step_by(CHUNK) {
            let range = start..frames.min(start + CHUNK);
            let mut sums = [[0.0; CHUNK]; topdown_dsp::buffer::MAX_CHANNELS];
            let frame = frame.saturating_add_unsigned(start as u64);
            self.feed.add(&source, range.clone(), frame, &mut sums[..channels]);
            for (channel, sum) in sums[..channels].iter().enumerate() {
                let target = &mut aligned.channel_mut(channel)[range.clone()];
                for (target, sum) in target.iter_mut().zip(sum) {
                    *target = *sum as f32;
                }
            }
        }
        aligned
    }
}
