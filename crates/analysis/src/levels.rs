//! Plain levels: peak, RMS, DC, clipping, digital silence, and blocks of 3 s for DR and correlation.
//!
//! Promise: exact counts and sums of the samples as they are, no weighting, no filter.
//!
//! A clipped run is three or more frames in a row at or above [`CLIP_LEVEL`]: one or two full-scale samples
//! happen in sound that was never cut. Runs closer than 10 ms are shown as one span, at most 64 of them.
//!
//! Latency 0. Any rate. Samples must be finite (the listeners see to it and count the others).

use crate::{TimeSpan, db_or_null, span};
use serde::{Deserialize, Serialize};
use topdown_units::{SampleRate, gain_to_db, power_to_db};

/// Full scale, less one step of 15 bits: 32767/32768 of a 16-bit file counts as full.
pub const CLIP_LEVEL: f32 = 0.999_96;
/// Length of the blocks of [`BlockLevels`].
pub const BLOCK_S: u64 = 3;

const CLIP_RUN: u64 = 3;
const CLIP_SPANS: usize = 64;
const CLIP_JOIN_S: f64 = 0.010;

/// Sums over a stretch of one channel.
#[derive(Clone, Copy, Debug, Default)]
struct Sums {
    sum: f64,
    square: f64,
    peak: f32,
}

impl Sums {
    fn add(&mut self, x: f32) {
        let wide = f64::from(x);
        self.sum += wide;
        self.square += wide * wide;
        self.peak = if x.abs() > self.peak { x.abs() } else { self.peak };
    }

    fn join(&mut self, other: &Self) {
        self.sum += other.sum;
        self.square += other.square;
        self.peak = self.peak.max(other.peak);
    }
}

/// Finds runs of full-scale frames in one channel.
#[derive(Clone, Debug, Default)]
struct ClipFinder {
    run: u64,
    frames: u64,
    runs: u64,
    spans: Vec<TimeSpan>,
}

impl ClipFinder {
    fn push(&mut self, plane: &[f32], start: u64, rate: SampleRate) {
        for (i, x) in plane.iter().enumerate() {
            if x.abs() >= CLIP_LEVEL {
                self.run += 1;
            } else if self.run > 0 {
                self.end_run(start + i as u64, rate);
            }
        }
    }

    fn end_run(&mut self, end: u64, rate: SampleRate) {
        if self.run >= CLIP_RUN {
            self.runs += 1;
            self.frames += self.run;
            let seconds = |frame: u64| frame as f64 / rate.hz();
            let new = TimeSpan { start_s: seconds(end - self.run), end_s: seconds(end) };
            let room = self.spans.len() < CLIP_SPANS;
            match self.spans.last_mut() {
                Some(last) if new.start_s - last.end_s < CLIP_JOIN_S => last.end_s = new.end_s,
                _ if room => self.spans.push(new),
                _ => {}
            }
        }
        self.run = 0;
    }
}

/// Reads plain levels.
#[derive(Clone, Debug)]
pub struct LevelMeter {
    rate: SampleRate,
    whole: Vec<Sums>,
    block: Vec<Sums>,
    cross: f64,
    clips: Vec<ClipFinder>,
    blocks: Vec<BlockLevels>,
    position: u64,
    block_end: u64,
    silent_frames: u64,
}

impl LevelMeter {
    /// A meter for `channels` channels.
    #[must_use]
    pub fn new(rate: SampleRate, channels: usize) -> Self {
        Self {
            rate,
            whole: vec![Sums::default(); channels],
            block: vec![Sums::default(); channels],
            cross: 0.0,
            clips: vec![ClipFinder::default(); channels],
            blocks: Vec::new(),
            position: 0,
            block_end: BLOCK_S * u64::from(rate.get()),
            silent_frames: 0,
        }
    }

    /// Hears equally long planes, one a channel.
    pub fn push(&mut self, planes: &[&[f32]]) {
        let frames = planes.iter().map(|plane| plane.len()).min().unwrap_or(0);
        let mut done = 0;
        while done < frames {
            let take = (frames - done).min((self.block_end - self.position) as usize);
            let part: Vec<&[f32]> = planes.iter().map(|plane| &plane[done..done + take]).collect();
            self.hear(&part, take);
            self.position += take as u64;
            done += take;
            if self.position == self.block_end {
                self.close_block();
            }
        }
    }

    fn hear(&mut self, part: &[&[f32]], frames: usize) {
        match (part, self.block.as_mut_slice()) {
            ([left, right], [l, r]) => {
                // in locals, so that they stay in registers
                let (mut sums, mut cross) = ((*l, *r), self.cross);
                for (&left, &right) in left.iter().zip(*right) {
                    sums.0.add(left);
                    sums.1.add(right);
                    cross += f64::from(left) * f64::from(right);
                }
                (*l, *r) = sums;
                self.cross = cross;
            }
            (part, block) => {
                for (sums, plane) in block.iter_mut().zip(part) {
                    plane.iter().for_each(|&x| sums.add(x));
                }
            }
        }
        self.silent_frames += silent_frames(part, frames);
        for ((clips, plane), sums) in self.clips.iter_mut().zip(part).zip(&self.block) {
            if sums.peak >= CLIP_LEVEL || clips.run > 0 {
                clips.push(plane, self.position, self.rate);
            }
        }
    }

    fn close_block(&mut self) {
        let frames = (BLOCK_S * u64::from(self.rate.get())) as f64;
        let channel =
            |sums: &Sums| BlockLevel { mean_square: sums.square / frames, peak: sums.peak };
        let channels: Vec<BlockLevel> = self.block.iter().map(channel).collect();
        self.blocks.push(BlockLevels { channels, cross: self.cross / frames });
        self.roll_up();
        self.block_end += BLOCK_S * u64::from(self.rate.get());
    }

    fn roll_up(&mut self) {
        for (whole, block) in self.whole.iter_mut().zip(&mut self.block) {
            whole.join(block);
            *block = Sums::default();
        }
        self.cross = 0.0;
    }

    /// What was heard, and the complete blocks of 3 s.
    #[must_use]
    pub fn finish(mut self) -> (Levels, Vec<BlockLevels>) {
        self.roll_up();
        for clips in &mut self.clips {
            clips.end_run(self.position, self.rate);
        }
        let frames = self.position.max(1) as f64;
        let channels = self.whole.len().max(1) as f64;
        let square: f64 = self.whole.iter().map(|sums| sums.square).sum();
        let peak = self.whole.iter().map(|sums| sums.peak).fold(0.0, f32::max);
        let mut spans: Vec<TimeSpan> = self.clips.iter().flat_map(|c| c.spans.clone()).collect();
        spans.sort_by(|a, b| a.start_s.total_cmp(&b.start_s));
        let mut clipped_spans = span::join_closer_than(&spans, CLIP_JOIN_S);
        clipped_spans.truncate(CLIP_SPANS);
        let levels = Levels {
            sample_peak_dbfs: gain_to_db(f64::from(peak)),
            rms_dbfs: power_to_db(square / frames / channels),
            dc: self.whole.iter().map(|sums| sums.sum / frames).collect(),
            clipped_runs: self.clips.iter().map(|clips| clips.runs).sum(),
            clipped_samples: self.clips.iter().map(|clips| clips.frames).sum(),
            clipped_spans,
            silent_share: self.silent_frames as f64 / frames,
        };
        (levels, self.blocks)
    }
}

fn silent_frames(part: &[&[f32]], frames: usize) -> u64 {
    let silent = match part {
        [left, right] => left.iter().zip(*right).filter(|(l, r)| **l == 0.0 && **r == 0.0).count(),
        [mono] => mono.iter().filter(|&&x| x == 0.0).count(),
        _ => (0..frames).filter(|&i| part.iter().all(|plane| plane[i] == 0.0)).count(),
    };
    silent as u64
}

/// Plain levels of a file.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Levels {
    /// Highest sample of any channel.
    #[serde(with = "db_or_null")]
    pub sample_peak_dbfs: f64,
    /// Root mean square over all channels; a full-scale sine reads -3.
    #[serde(with = "db_or_null")]
    pub rms_dbfs: f64,
    /// Mean of each channel; 1.0 is full scale.
    pub dc: Vec<f64>,
    /// Runs of three or more full-scale samples, all channels together.
    pub clipped_runs: u64,
    /// Samples in those runs.
    pub clipped_samples: u64,
    /// Where those runs are, the first 64 of them.
    pub clipped_spans: Vec<TimeSpan>,
    /// Share of frames that are exactly zero in all channels, 0 to 1.
    pub silent_share: f64,
}

/// Levels of one block of 3 s.
#[derive(Clone, Debug, PartialEq)]
pub struct BlockLevels {
    /// Each channel.
    pub channels: Vec<BlockLevel>,
    /// Mean of left times right, if there are two channels.
    pub cross: f64,
}

/// Level of one channel in one block.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct BlockLevel {
    /// Mean square.
    pub mean_square: f64,
    /// Highest magnitude.
    pub peak: f32,
}
