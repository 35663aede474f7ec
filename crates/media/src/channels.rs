//! From the channels of a file to the one or two planes of a track.
//!
//! Mono and stereo stay. More channels are folded to stereo only when the file declares a surround layout;
//! without one they are separate tracks (a recorder's poly file). Stereo whose sides are equal, or of which one
//! side is silent, is mono and is said to be.

use crate::error::MediaError;
use crate::info::Info;
use crate::reader::{Reader, room};
use std::fmt;
use std::str::FromStr;

/// What of a file makes one track. Written as `all`, `fold`, or a channel from 1 on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Part {
    /// All of a mono or stereo file.
    All,
    /// One channel, counted from 0, as mono.
    Channel(u16),
    /// All channels of a surround layout, folded to stereo.
    Fold,
}

impl fmt::Display for Part {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::All => f.write_str("all"),
            Self::Fold => f.write_str("fold"),
            Self::Channel(c) => write!(f, "{}", u32::from(*c) + 1),
        }
    }
}

impl FromStr for Part {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text {
            "all" => Ok(Self::All),
            "fold" => Ok(Self::Fold),
            number => number
                .parse::<u16>()
                .ok()
                .and_then(|n| n.checked_sub(1))
                .map(Self::Channel)
                .ok_or("a part of a file is \"all\", \"fold\" or a channel from 1 on"),
        }
    }
}

impl Part {
    /// The tracks that a file makes.
    #[must_use]
    pub fn of(info: &Info) -> Vec<Self> {
        match info.channels {
            0..=2 => vec![Self::All],
            _ if fold_gains(info).is_some() => vec![Self::Fold],
            channels => (0..channels).map(Self::Channel).collect(),
        }
    }

    /// True when the file has this part.
    #[must_use]
    pub fn fits(self, info: &Info) -> bool {
        match self {
            Self::All => info.channels <= 2,
            Self::Channel(c) => c < info.channels,
            Self::Fold => fold_gains(info).is_some(),
        }
    }
}

/// 1 / sqrt 2: -3 dB.
const HALF_POWER: f32 = std::f32::consts::FRAC_1_SQRT_2;

/// Left and right gain of each channel by ITU-R BS.775: centre and surrounds at -3 dB, rear centre at -3 dB to
/// both sides (half its power each after -3 dB), LFE left out. `None` without a declared surround layout.
pub(crate) fn fold_gains(info: &Info) -> Option<Vec<(f32, f32)>> {
    const SPEAKERS: [(f32, f32); 18] = [
        (1.0, 0.0),               // front left
        (0.0, 1.0),               // front right
        (HALF_POWER, HALF_POWER), // front centre
        (0.0, 0.0),               // LFE
        (HALF_POWER, 0.0),        // back left
        (0.0, HALF_POWER),        // back right
        (1.0, 0.0),               // front left of centre
        (0.0, 1.0),               // front right of centre
        (0.5, 0.5),               // back centre
        (HALF_POWER, 0.0),        // side left
        (0.0, HALF_POWER),        // side right
        (0.5, 0.5),               // top centre
        (HALF_POWER, 0.0),        // top front left
        (0.5, 0.5),               // top front centre
        (0.0, HALF_POWER),        // top front right
        (HALF_POWER, 0.0),        // top back left
        (0.5, 0.5),               // top back centre
        (0.0, HALF_POWER),        // top back right
    ];
    let mask = info.mask.filter(|_| info.channels > 2)?;
    let front = mask & 3 == 3;
    let known = mask >> SPEAKERS.len() == 0 && mask.count_ones() == u32::from(info.channels);
    let gains =
        SPEAKERS.iter().enumerate().filter(|(bit, _)| mask >> bit & 1 == 1).map(|(_, gain)| *gain);
    (front && known).then(|| gains.collect())
}

/// What the two sides of a stereo file have in common.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ChannelVerdict {
    /// One channel.
    Mono,
    /// Two channels that differ.
    Stereo,
    /// Two equal channels.
    DualMono,
    /// Only the left channel holds sound.
    LeftOnly,
    /// Only the right channel holds sound.
    RightOnly,
    /// No sound at all.
    Silent,
}

/// Sides that differ by less than this are equal: half a step of 16 bit, so that dither and lossy coding of a
/// mono file do not make it stereo.
const EQUAL: f32 = 1.6e-5;

impl ChannelVerdict {
    /// Reads as much of `reader` as it takes to know: stereo shows within a block, mono needs the whole file.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub fn of(reader: &mut dyn Reader) -> Result<Self, MediaError> {
        const BLOCK: usize = 1 << 15;
        let stereo = reader.channels() == 2;
        let (mut left, mut right) = (vec![0f32; BLOCK], vec![0f32; BLOCK]);
        let (mut l_peak, mut r_peak, mut difference, mut at) = (0f32, 0f32, 0f32, 0u64);
        while at < reader.frames() {
            let frames = if stereo {
                reader.read(at, &mut [&mut left, &mut right])?
            } else {
                reader.read(at, &mut [&mut left])?
            };
            if frames == 0 {
                break;
            }
            at += frames as u64;
            for (l, r) in left.iter().zip(&right).take(frames) {
                l_peak = l_peak.max(l.abs());
                r_peak = r_peak.max(r.abs());
                difference = difference.max((l - r).abs());
            }
            if !stereo && l_peak > EQUAL {
                return Ok(Self::Mono);
            }
            if stereo && difference > EQUAL && l_peak > EQUAL && r_peak > EQUAL {
                return Ok(Self::Stereo);
            }
        }
        Ok(match (l_peak > EQUAL, r_peak > EQUAL) {
            (false, false) => Self::Silent,
            _ if !stereo => Self::Mono,
            (true, false) => Self::LeftOnly,
            (false, true) => Self::RightOnly,
            _ => Self::DualMono,
        })
    }
}

/// A reader of one part of another reader's channels.
pub(crate) struct PartReader {
    inner: Box<dyn Reader>,
    part: Part,
    gains: Vec<(f32, f32)>,
    scratch: Vec<Vec<f32>>,
}

impl PartReader {
    /// The part of `inner`, whose channels are those of `info`.
    pub(crate) fn new(inner: Box<dyn Reader>, part: Part, info: &Info) -> Self {
        let gains =
            if part == Part::Fold { fold_gains(info).unwrap_or_default() } else { Vec::new() };
        let scratch =
            if part == Part::All { Vec::new() } else { vec![Vec::new(); inner.channels()] };
        Self { inner, part, gains, scratch }
    }
}

/// Frames that pass through the scratch planes at once.
const BLOCK: usize = 1 << 13;

impl Reader for PartReader {
    fn channels(&self) -> usize {
        match self.part {
            Part::All => self.inner.channels(),
            Part::Channel(_) => 1,
            Part::Fold => 2,
        }
    }

    fn frames(&self) -> u64 {
        self.inner.frames()
    }

    fn read(&mut self, at_frame: u64, out: &mut [&mut [f32]]) -> Result<usize, MediaError> {
        if self.part == Part::All {
            return self.inner.read(at_frame, out);
        }
        let want = room(out);
        let mut done = 0;
        while done < want {
            let block = BLOCK.min(want - done);
            for plane in &mut self.scratch {
                plane.resize(block, 0.0);
            }
            let mut views: Vec<&mut [f32]> =
                self.scratch.iter_mut().map(Vec::as_mut_slice).collect();
            let frames = self.inner.read(at_frame + done as u64, &mut views)?;
            for (side, plane) in out.iter_mut().take(2).enumerate() {
                let Some(plane) = plane.get_mut(done..done + frames) else { continue };
                match self.part {
                    Part::Channel(c) if side == 0 => {
                        plane
                            .iter_mut()
                            .zip(self.scratch.get(usize::from(c)).into_iter().flatten())
                            .for_each(|(o, x)| *o = *x);
                    }
                    Part::Fold => {
                        plane.fill(0.0);
                        for (channel, (l, r)) in self.scratch.iter().zip(&self.gains) {
                            let gain = if side == 0 { *l } else { *r };
                            plane.iter_mut().zip(channel).for_each(|(o, x)| *o += gain * x);
                        }
                    }
                    _ => {}
                }
            }
            done += frames;
            if frames < block {
                break;
            }
        }
        Ok(done)
    }

    fn cleaned(&self) -> u64 {
        self.inner.cleaned()
    }

    fn close(&mut self) {
        self.inner.close();
    }
}
