//! What a file says about itself.

use std::fmt;
use topdown_units::SampleRate;

/// The wrapping of the samples.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[non_exhaustive]
pub enum Container {
    /// RIFF/WAVE.
    Wav,
    /// Big-endian RIFF/WAVE.
    Rifx,
    /// EBU RF64: WAVE with 64-bit sizes.
    Rf64,
    /// ITU BW64, RF64's successor.
    Bw64,
    /// Sony Wave64.
    W64,
    /// Apple AIFF.
    Aiff,
    /// Apple AIFF-C.
    Aifc,
    /// Sun/NeXT AU.
    Au,
    /// Apple Core Audio Format.
    Caf,
    /// Native FLAC.
    Flac,
    /// Ogg.
    Ogg,
    /// MPEG-4 (M4A, MP4, MOV).
    Mp4,
    /// A bare MPEG audio stream (MP3).
    Mpeg,
    /// A bare AAC stream (ADTS).
    Adts,
}

impl Container {
    /// The name a person knows it by.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Wav => "WAV",
            Self::Rifx => "RIFX",
            Self::Rf64 => "RF64",
            Self::Bw64 => "BW64",
            Self::W64 => "W64",
            Self::Aiff => "AIFF",
            Self::Aifc => "AIFF-C",
            Self::Au => "AU",
            Self::Caf => "CAF",
            Self::Flac => "FLAC",
            Self::Ogg => "Ogg",
            Self::Mp4 => "M4A",
            Self::Mpeg => "MP3",
            Self::Adts => "AAC (ADTS)",
        }
    }
}

/// How the samples are coded.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[non_exhaustive]
pub enum Encoding {
    /// Linear PCM, integers of this many significant bits.
    Int(u16),
    /// Linear PCM, IEEE floats of 32 or 64 bits.
    Float(u16),
    /// G.711 A-law.
    ALaw,
    /// G.711 mu-law.
    MuLaw,
    /// FLAC, with its bits.
    Flac(u16),
    /// Apple Lossless, with its bits.
    Alac(u16),
    /// MPEG-1/2 layer III.
    Mp3,
    /// Vorbis.
    Vorbis,
    /// Opus.
    Opus,
    /// AAC, low complexity.
    Aac,
}

impl Encoding {
    /// True when decoding gives the very samples that were encoded.
    #[must_use]
    pub const fn is_lossless(self) -> bool {
        matches!(self, Self::Int(_) | Self::Float(_) | Self::Flac(_) | Self::Alac(_))
    }
}

impl fmt::Display for Encoding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Int(bits) => write!(f, "{bits} bit"),
            Self::Float(bits) => write!(f, "{bits} bit float"),
            Self::ALaw => f.write_str("A-law"),
            Self::MuLaw => f.write_str("mu-law"),
            Self::Flac(bits) => write!(f, "FLAC {bits} bit"),
            Self::Alac(bits) => write!(f, "ALAC {bits} bit"),
            Self::Mp3 => f.write_str("MP3"),
            Self::Vorbis => f.write_str("Vorbis"),
            Self::Opus => f.write_str("Opus"),
            Self::Aac => f.write_str("AAC"),
        }
    }
}

/// The header of a file, checked.
#[derive(Clone, Debug, PartialEq)]
pub struct Info {
    /// The wrapping.
    pub container: Container,
    /// The coding of the samples.
    pub encoding: Encoding,
    /// Frames per second (48 kHz for Opus, which always decodes to that).
    pub rate: SampleRate,
    /// Channels, from 1 to [`Info::MAX_CHANNELS`].
    pub channels: u16,
    /// Usable frames. Exact for PCM; for compressed files the header's word, or `None` when it has none.
    pub frames: Option<u64>,
    /// Speaker positions by the bits of WAVE_FORMAT_EXTENSIBLE, when the file declares them.
    pub mask: Option<u32>,
    /// Start of the file on the recorder's time line, in frames since midnight (Broadcast WAVE).
    pub time_reference: Option<u64>,
    /// Names and texts embedded in the file.
    pub tags: Tags,
}

impl Info {
    /// More channels than this are taken for a broken header.
    pub const MAX_CHANNELS: u16 = 256;
}

/// Texts embedded in a file. Empty text counts as absent.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Tags {
    /// Title.
    pub title: Option<String>,
    /// Artist.
    pub artist: Option<String>,
    /// Album.
    pub album: Option<String>,
    /// Date or year, as written.
    pub date: Option<String>,
    /// Genre.
    pub genre: Option<String>,
    /// Comment.
    pub comment: Option<String>,
    /// Broadcast WAVE description.
    pub description: Option<String>,
    /// Broadcast WAVE originator, or the encoding software.
    pub originator: Option<String>,
    /// Names of the channels, in their order (iXML).
    pub track_names: Vec<String>,
}

impl Tags {
    /// True when nothing is known.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// Takes from `other` what is missing here.
    pub(crate) fn fill_from(&mut self, other: Self) {
        fn take(into: &mut Option<String>, from: Option<String>) {
            if into.is_none() {
                *into = from;
            }
        }
        take(&mut self.title, other.title);
        take(&mut self.artist, other.artist);
        take(&mut self.album, other.album);
        take(&mut self.date, other.date);
        take(&mut self.genre, other.genre);
        take(&mut self.comment, other.comment);
        take(&mut self.description, other.description);
        take(&mut self.originator, other.originator);
        if self.track_names.is_empty() {
            self.track_names = other.track_names;
        }
    }
}

/// How much a [`Note`] matters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Severity {
    /// Good to know; nothing is missing.
    Info,
    /// Something is missing, damaged or was replaced: the person must be told, with the file's name.
    Warning,
}

/// One sentence about a file that was used. It does not repeat the file's name.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Note {
    /// How much it matters.
    pub severity: Severity,
    /// The sentence.
    pub text: String,
}

impl Note {
    /// A note that must be shown.
    #[must_use]
    pub fn warning(text: impl Into<String>) -> Self {
        Self { severity: Severity::Warning, text: text.into() }
    }

    /// A note that is good to know.
    #[must_use]
    pub fn info(text: impl Into<String>) -> Self {
        Self { severity: Severity::Info, text: text.into() }
    }
}

impl fmt::Display for Note {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}
