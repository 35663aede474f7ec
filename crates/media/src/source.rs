//! What a session plays: one part of a file, as one or two planes at the session's rate.

use crate::cache::Cache;
use crate::channels::{ChannelVerdict, Part, PartReader};
use crate::converted::Converted;
use crate::error::MediaError;
use crate::file::{AudioFile, Body, open};
use crate::hash::ContentHash;
use crate::info::{Info, Note};
use crate::reader::Reader;
use crate::resampled;
use std::collections::BTreeMap;
use std::path::Path;
use topdown_units::SampleRate;

/// One track's worth of a file at the session's rate. Cheap to keep: it holds no file handle and no samples.
#[derive(Clone, Debug)]
pub struct Source {
    file: AudioFile,
    part: Part,
    rate: SampleRate,
    frames: u64,
    /// Where the frames are when not in place.
    cached: Option<Converted>,
    verdict: ChannelVerdict,
    hash: ContentHash,
    notes: Vec<Note>,
}

impl Source {
    /// Opens the only track of a file; what is compressed or has another rate is converted into the cache. Stereo
    /// that is mono in truth becomes one plane, and a note says so.
    ///
    /// # Errors
    /// When the file cannot be decoded, or makes several tracks (then see [`Source::open_all`]).
    pub fn open(
        path: impl AsRef<Path>,
        rate: SampleRate,
        cache: &Cache,
    ) -> Result<Self, MediaError> {
        let file = open(path)?;
        match Part::of(file.info()).as_slice() {
            [part] => Self::settled(file, *part, rate, cache),
            _ => Err(MediaError::ManyParts {
                path: file.path().to_owned(),
                channels: file.info().channels,
            }),
        }
    }

    /// Opens every track that a file makes: one, or one a channel for a file of many without a surround layout.
    ///
    /// # Errors
    /// When the file cannot be decoded.
    pub fn open_all(
        path: impl AsRef<Path>,
        rate: SampleRate,
        cache: &Cache,
    ) -> Result<Vec<Self>, MediaError> {
        let file = open(path)?;
        Part::of(file.info())
            .into_iter()
            .map(|part| Self::settled(file.clone(), part, rate, cache))
            .collect()
    }

    /// Opens the part of a file that a session names, without judging the channels anew.
    ///
    /// # Errors
    /// When the file has no such part or cannot be decoded.
    pub fn open_part(
        path: impl AsRef<Path>,
        part: Part,
        rate: SampleRate,
        cache: &Cache,
    ) -> Result<Self, MediaError> {
        Self::build(open(path)?, part, rate, cache)
    }

    /// Opens a part and makes mono of what is mono.
    fn settled(
        file: AudioFile,
        part: Part,
        rate: SampleRate,
        cache: &Cache,
    ) -> Result<Self, MediaError> {
        let mut source = Self::build(file, part, rate, cache)?;
        let mut reader = source.reader();
        source.verdict = ChannelVerdict::of(reader.as_mut())?;
        let cleaned = reader.cleaned();
        let (side, text) = match source.verdict {
            ChannelVerdict::DualMono => (0, "its two sides are equal: used as mono"),
            ChannelVerdict::LeftOnly => (0, "only its left side holds sound: used as mono"),
            ChannelVerdict::RightOnly => (1, "only its right side holds sound: used as mono"),
            ChannelVerdict::Silent => {
                source.notes.push(Note::warning("is silent from start to end"));
                if cleaned > 0 {
                    source.notes.push(resampled::cleaned_note(cleaned));
                }
                return Ok(source);
            }
            ChannelVerdict::Mono | ChannelVerdict::Stereo => return Ok(source),
        };
        source.notes.push(Note::info(text));
        if part == Part::All {
            source.part = Part::Channel(side);
        }
        Ok(source)
    }

    fn build(
        file: AudioFile,
        part: Part,
        rate: SampleRate,
        cache: &Cache,
    ) -> Result<Self, MediaError> {
        let info = file.info();
        if !part.fits(info) {
            return Err(MediaError::NoSuchPart {
                path: file.path().to_owned(),
                part: part.to_string(),
                channels: info.channels,
            });
        }
        let hash = cache.hash(file.path(), file.stamp)?;
        let mut notes = file.notes().to_vec();
        let decoded = match file.body {
            Body::Pcm(_) => None,
            Body::Coded(_) => Some(Converted::new(&file, info.rate, cache)?),
        };
        if let Some(decoded) = &decoded {
            notes.extend(decoded.notes().iter().cloned());
        }
        let cached =
            if info.rate == rate { decoded } else { Some(Converted::new(&file, rate, cache)?) };
        if info.rate != rate {
            notes.push(Note::info(format!("converted from {} to {rate}", info.rate)));
            if let Some(converted) = &cached {
                notes.extend(converted.notes().iter().cloned());
            }
        }
        if part == Part::Fold {
            notes.push(Note::info(format!("its {} channels are folded to stereo", info.channels)));
        }
        let frames = match (&cached, file.body) {
            (Some(cached), _) => cached.frames(),
            (None, Body::Pcm(layout)) => layout.frames,
            (None, Body::Coded(_)) => 0,
        };
        let verdict =
            if info.channels == 1 { ChannelVerdict::Mono } else { ChannelVerdict::Stereo };
        Ok(Self { file, part, rate, frames, cached, verdict, hash, notes })
    }

    /// A new reader at the session's rate; open as many as there are threads.
    #[must_use]
    pub fn reader(&self) -> Box<dyn Reader> {
        let whole: Box<dyn Reader> = match (&self.cached, self.file.body) {
            (Some(cached), _) => Box::new(cached.reader()),
            (None, Body::Pcm(layout)) => {
                Box::new(crate::pcm::PcmReader::new(self.file.path(), layout, self.file.stamp))
            }
            (None, Body::Coded(_)) => Box::new(Nothing),
        };
        if self.part == Part::All {
            whole
        } else {
            Box::new(PartReader::new(whole, self.part, self.file.info()))
        }
    }

    /// The file.
    #[must_use]
    pub fn path(&self) -> &Path {
        self.file.path()
    }

    /// The header of the file, at its own rate.
    #[must_use]
    pub fn info(&self) -> &Info {
        self.file.info()
    }

    /// Which part of the file this is: what a session stores to open the same again.
    #[must_use]
    pub fn part(&self) -> Part {
        self.part
    }

    /// Planes of the reader: 1 or 2.
    #[must_use]
    pub fn channels(&self) -> usize {
        match self.part {
            Part::All => usize::from(self.file.info().channels),
            Part::Channel(_) => 1,
            Part::Fold => 2,
        }
    }

    /// Frames at the session's rate, exactly.
    #[must_use]
    pub fn frames(&self) -> u64 {
        self.frames
    }

    /// The session's rate.
    #[must_use]
    pub fn rate(&self) -> SampleRate {
        self.rate
    }

    /// Where the recorder's clock puts the first frame, in frames of the session's rate, when the file says.
    /// Tracks that started at different times line up by the differences.
    #[must_use]
    pub fn time_reference(&self) -> Option<u64> {
        let own = self.file.info().time_reference?;
        let (to, from) = (u128::from(self.rate.get()), u128::from(self.file.info().rate.get()));
        u64::try_from((u128::from(own) * to + from / 2) / from).ok()
    }

    /// What the channels of the file have in common.
    #[must_use]
    pub fn verdict(&self) -> ChannelVerdict {
        self.verdict
    }

    /// The hash of the file's bytes.
    #[must_use]
    pub fn hash(&self) -> ContentHash {
        self.hash
    }

    /// What a person should know about this track, warnings among it.
    #[must_use]
    pub fn notes(&self) -> &[Note] {
        &self.notes
    }
}

/// The reader of no frames at all.
struct Nothing;

impl Reader for Nothing {
    fn channels(&self) -> usize {
        0
    }

    fn frames(&self) -> u64 {
        0
    }

    fn read(&mut self, _at_frame: u64, _out: &mut [&mut [f32]]) -> Result<usize, MediaError> {
        Ok(0)
    }

    fn cleaned(&self) -> u64 {
        0
    }
}

/// The rate that most of the material has, by its length in seconds; of equals the higher. `None` for nothing.
#[must_use]
pub fn common_rate<'a>(files: impl IntoIterator<Item = &'a Info>) -> Option<SampleRate> {
    let mut seconds: BTreeMap<SampleRate, f64> = BTreeMap::new();
    for info in files {
        // A file of unknown length counts as a song.
        *seconds.entry(info.rate).or_default() +=
            info.frames.map_or(180.0, |n| n as f64 / info.rate.hz());
    }
    seconds.into_iter().max_by(|a, b| a.1.total_cmp(&b.1).then(a.0.cmp(&b.0))).map(|(rate, _)| rate)
}
