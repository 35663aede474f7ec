//! Where a track's sound comes from: files behind [`Sources`], clips placed, levelled and faded.
//!
//! Reading happens outside the realtime half: in a track's own task offline, in the prefetch thread live.
//! Samples that are not finite are replaced here, at the door.

use crate::control::plan::{ClipPlan, StripPlan};
use crate::rt::ClipBlock;
use std::ops::Range;
use std::sync::{Mutex, PoisonError};
use topdown_dsp::{Status, clean, math};
use topdown_session::{Clip, FileId};
use topdown_units::db_to_gain;

/// A file, opened to be read at any place, at the session's rate.
pub trait ClipSource: Send {
    /// Fills the planes with frames from `at_frame` (of the file, at the session's rate) on. There is one
    /// plane for a mono file or a single channel, else there are two. Returns how many frames there
    /// were; fewer than asked for only at the end of the file.
    ///
    /// # Errors
    /// When the file cannot be read or decoded there.
    fn read(&mut self, at_frame: u64, out: &mut [&mut [f32]]) -> Result<usize, FeedError>;
}

/// Opens the files of a session.
pub trait Sources: Send + Sync {
    /// Opens a file, or one channel of it.
    ///
    /// # Errors
    /// When the file is missing, unreadable or not what the session says.
    fn open(&self, file: &FileId, channel: Option<u16>) -> Result<Box<dyn ClipSource>, FeedError>;
}

/// Why a file could not be read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{file}: {reason}")]
pub struct FeedError {
    /// Which file, as a person knows it.
    pub file: String,
    /// What is wrong, in plain words.
    pub reason: String,
}

/// Most files kept open while nobody reads them.
const IDLE_FILES: usize = 128;

type FileKey = (FileId, Option<u16>);

/// Open files between two reads, so that a session of any size needs a bounded number of them.
#[derive(Default)]
pub(crate) struct IdleFiles(Mutex<Vec<(FileKey, Box<dyn ClipSource>)>>);

impl IdleFiles {
    fn take(&self, key: &FileKey) -> Option<Box<dyn ClipSource>> {
        let mut idle = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let at = idle.iter().position(|(found, _)| found == key)?;
        Some(idle.swap_remove(at).1)
    }

    // When it is full, what comes back is closed: tracks take turns, so the file just read is the one
    // whose turn is farthest away.
    fn give_back(&self, key: FileKey, source: Box<dyn ClipSource>) {
        let mut idle = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if idle.len() < IDLE_FILES {
            idle.push((key, source));
        }
    }
}

/// Reads files, opening them when they are needed.
#[derive(Clone, Copy)]
pub(crate) struct Reader<'a> {
    pub(crate) sources: &'a dyn Sources,
    pub(crate) idle: &'a IdleFiles,
}

impl Reader<'_> {
    fn read(
        &self,
        clip: &ClipPlan,
        at_frame: u64,
        last: bool,
        out: &mut [&mut [f32]],
    ) -> Result<usize, FeedError> {
        let key = (clip.clip.file.clone(), clip.clip.channel);
        let mut source = match self.idle.take(&key) {
            Some(source) => source,
            None => self.sources.open(&key.0, key.1)?,
        };
        let read = source.read(at_frame, out)?;
        if !last {
            self.idle.give_back(key, source);
        }
        Ok(read)
    }
}

/// Plays the clips of one track.
#[derive(Debug)]
pub(crate) struct ClipPlayer {
    clips: Vec<ClipPlan>,
    planes: [Vec<f32>; 2],
    /// One a channel of the track.
    sums: Vec<Vec<f64>>,
    /// Samples that were not finite.
    pub(crate) cleaned: u64,
    /// Frames that a clip promised and its file did not have.
    pub(crate) missing_frames: u64,
}

impl ClipPlayer {
    pub(crate) fn new(plan: &StripPlan, max_frames: usize) -> Self {
        Self {
            clips: plan.clips.clone(),
            planes: [vec![0.0; max_frames], vec![0.0; max_frames]],
            sums: vec![vec![0.0; max_frames]; plan.channels],
            cleaned: 0,
            missing_frames: 0,
        }
    }

    /// Writes what the clips play from session frame `start` on; there is nothing before frame 0.
    pub(crate) fn play(
        &mut self,
        reader: Reader<'_>,
        start: i64,
        frames: usize,
        out: &mut ClipBlock,
    ) -> Result<(), FeedError> {
        let was = out.status;
        out.status = Status::Silent;
        let end = u64::try_from(start + frames as i64).unwrap_or(0);
        for at in 0..self.clips.len() {
            let clip = &self.clips[at].clip;
            let from = clip.at_frame.max(u64::try_from(start).unwrap_or(0));
            let to = clip.at_frame.saturating_add(clip.frames).min(end);
            if from >= to {
                continue;
            }
            if out.status == Status::Silent {
                out.status = Status::Filled;
                for sum in &mut self.sums {
                    sum[..frames].fill(0.0);
                }
            }
            self.add(reader, at, from..to, (from as i64 - start) as usize)?;
        }
        match (out.status, was) {
            (Status::Filled, _) => {
                for (channel, sum) in self.sums.iter().enumerate() {
                    let out = &mut out.buffer.channel_mut(channel)[..frames];
                    for (out, sum) in out.iter_mut().zip(sum) {
                        *out = *sum as f32;
                    }
                }
            }
            (Status::Silent, Status::Filled) => out.buffer.clear(),
            (Status::Silent, Status::Silent) => {}
        }
        Ok(())
    }

    fn add(
        &mut self,
        reader: Reader<'_>,
        at: usize,
        range: Range<u64>,
        offset: usize,
    ) -> Result<(), FeedError> {
        let clip = &self.clips[at];
        let frames = (range.end - range.start) as usize;
        let into = range.start - clip.clip.at_frame;
        let last = into + frames as u64 >= clip.clip.frames;
        let from_frame = clip.clip.from_frame.saturating_add(into);
        let mut planes = self.planes.each_mut().map(|plane| &mut plane[..frames]);
        let planes = &mut planes[..clip.channels];
        let read = reader.read(clip, from_frame, last, planes)?.min(frames);
        self.missing_frames += (frames - read) as u64;
        for plane in planes.iter_mut() {
            self.cleaned += clean::clean(&mut plane[..read]);
        }
        // As everywhere: mono reaches both sides, and mono hears the mean of left and right.
        match (&*planes, &mut self.sums[..]) {
            ([one], sums) => {
                for sum in sums {
                    accumulate(&clip.clip, into, 1.0, &one[..read], &mut sum[offset..]);
                }
            }
            (planes, [sum]) => {
                for plane in planes {
                    accumulate(&clip.clip, into, 0.5, &plane[..read], &mut sum[offset..]);
                }
            }
            (planes, sums) => {
                for (plane, sum) in planes.iter().zip(sums) {
                    accumulate(&clip.clip, into, 1.0, &plane[..read], &mut sum[offset..]);
                }
            }
        }
        Ok(())
    }
}

fn accumulate(clip: &Clip, into: u64, share: f64, samples: &[f32], sums: &mut [f64]) {
    let gain = db_to_gain(clip.gain_db) * share;
    let fades = clip.fades;
    let end = into + samples.len() as u64;
    let fading = into < fades.in_frames || end > clip.frames.saturating_sub(fades.out_frames);
    if !fading {
        for (sum, x) in sums.iter_mut().zip(samples) {
            *sum += f64::from(*x) * gain;
        }
        return;
    }
    for ((sum, x), frame) in sums.iter_mut().zip(samples).zip(into..) {
        let left = clip.frames.saturating_sub(frame + 1);
        let fade = fade(frame, fades.in_frames) * fade(left, fades.out_frames);
        *sum += f64::from(*x) * (gain * fade);
    }
}

/// Raised cosine from 0 to 1 over `length` frames, read in the middle of each; two of them, one in and
/// one out, add up to 1.
fn fade(frame: u64, length: u64) -> f64 {
    if frame >= length {
        return 1.0;
    }
    0.5 - 0.5 * math::cos(math::PI * ((frame as f64 + 0.5) / length as f64))
}
