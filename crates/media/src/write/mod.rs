//! Sound into files. Streaming, atomic, and the same bytes for the same sound.
//!
//! A [`Writer`] takes blocks of planes and puts the file in its place when it is finished; dropped before, it
//! leaves what was there before. WAV becomes RF64 by itself when it outgrows 4 GB. Integers are dithered.
//! MP3 and Opus have only a few rates: other rates are converted on the way.

mod aiff;
mod flac;
mod id3;
mod mp3;
mod opus;
mod quantise;
mod riff;

use crate::error::MediaError;
use crate::info::Tags;
use std::path::{Path, PathBuf};
use topdown_dsp::dither::Shaping;
use topdown_dsp::resample::{Design, Resampler};
use topdown_units::SampleRate;

/// The kind of file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// WAV; RF64 when it outgrows 4 GB.
    Wav,
    /// AIFF; AIFF-C for floats.
    Aiff,
    /// FLAC, 16 or 24 bit.
    Flac,
    /// MP3 of a constant rate in kbit/s, 32 to 320.
    Mp3 {
        /// Bits per second / 1000.
        kbps: u32,
    },
    /// Ogg Opus of a mean rate in kbit/s, 6 to 510.
    Opus {
        /// Bits per second / 1000.
        kbps: u32,
    },
}

impl Format {
    /// The format a file name asks for, at its usual rate: MP3 at 320 kbit/s, Opus at 192.
    #[must_use]
    pub fn from_path(path: &Path) -> Option<Self> {
        match path.extension()?.to_str()?.to_ascii_lowercase().as_str() {
            "wav" | "wave" | "rf64" => Some(Self::Wav),
            "aif" | "aiff" | "aifc" => Some(Self::Aiff),
            "flac" => Some(Self::Flac),
            "mp3" => Some(Self::Mp3 { kbps: 320 }),
            "opus" => Some(Self::Opus { kbps: 192 }),
            _ => None,
        }
    }
}

/// How samples are stored in WAV, AIFF and FLAC.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Depth {
    /// 16-bit integers.
    Int16,
    /// 24-bit integers.
    Int24,
    /// 32-bit floats (not in FLAC).
    Float32,
}

impl Depth {
    /// Bits of a sample.
    #[must_use]
    pub const fn bits(self) -> u16 {
        match self {
            Self::Int16 => 16,
            Self::Int24 => 24,
            Self::Float32 => 32,
        }
    }

    pub(crate) const fn bytes(self) -> usize {
        self.bits() as usize / 8
    }
}

/// What is done on the way to integers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Dithering {
    /// Round to the nearest: for sound that already has that depth.
    Off,
    /// Triangular dither; `Shaping::Shaped` is for 16 bit at 44.1 and 48 kHz and is flat elsewhere.
    Triangular {
        /// Where its noise goes.
        shaping: Shaping,
        /// Same seed, same bytes.
        seed: u64,
    },
}

/// Everything about a file that is to be written.
#[derive(Clone, Debug, PartialEq)]
pub struct Spec {
    /// The kind of file.
    pub format: Format,
    /// The samples in WAV, AIFF and FLAC.
    pub depth: Depth,
    /// Frames per second of the sound that will be given.
    pub rate: SampleRate,
    /// Channels, 1 to 8 (MP3 and Opus: 1 or 2).
    pub channels: u16,
    /// On the way to integers.
    pub dithering: Dithering,
    /// Texts for the file.
    pub tags: Tags,
    /// The Broadcast WAVE chunk, for WAV.
    pub bext: Option<Bext>,
}

impl Spec {
    /// A plain file of a format: 24 bit, dithered, no texts.
    #[must_use]
    pub fn new(format: Format, rate: SampleRate, channels: u16) -> Self {
        let dithering = Dithering::Triangular { shaping: Shaping::Flat, seed: 0 };
        Self {
            format,
            depth: Depth::Int24,
            rate,
            channels,
            dithering,
            tags: Tags::default(),
            bext: None,
        }
    }
}

/// The Broadcast WAVE chunk (EBU Tech 3285, version 2).
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Bext {
    /// What it is, up to 256 bytes.
    pub description: String,
    /// Who made it, up to 32 bytes.
    pub originator: String,
    /// Date as yyyy-mm-dd.
    pub date: String,
    /// Time as hh:mm:ss.
    pub time: String,
    /// First frame since midnight.
    pub time_reference: u64,
    /// What was measured; may be set when the file is finished.
    pub loudness: Option<Loudness>,
}

/// Loudness of a file for its `bext` chunk.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Loudness {
    /// Integrated, in LUFS.
    pub integrated_lufs: f64,
    /// Range, in LU.
    pub range_lu: f64,
    /// Maximum true peak, in dBTP.
    pub true_peak_dbtp: f64,
    /// Maximum momentary loudness, in LUFS.
    pub momentary_lufs: f64,
    /// Maximum short-term loudness, in LUFS.
    pub short_term_lufs: f64,
}

/// What was written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Written {
    /// Frames at the file's rate.
    pub frames: u64,
    /// Samples that were beyond full scale and were cut to it (integers only).
    pub clipped: u64,
}

/// One kind of file on its way.
trait Encoder: Send {
    fn write(&mut self, planes: &[&[f32]]) -> Result<(), MediaError>;
    fn finish(self: Box<Self>, loudness: Option<Loudness>) -> Result<Written, MediaError>;
}

/// A file that is being written.
pub struct Writer {
    encoder: Box<dyn Encoder>,
    path: PathBuf,
    channels: usize,
    resamplers: Vec<Resampler>,
    converted: Vec<Vec<f32>>,
    loudness: Option<Loudness>,
}

impl Writer {
    /// Starts a file.
    ///
    /// # Errors
    /// When the format cannot hold what is asked, or nothing can be written there.
    pub fn create(path: impl AsRef<Path>, spec: &Spec) -> Result<Self, MediaError> {
        let path = path.as_ref();
        let refuse = |reason: String| MediaError::CannotWrite { path: path.to_owned(), reason };
        let most =
            if matches!(spec.format, Format::Mp3 { .. } | Format::Opus { .. }) { 2 } else { 8 };
        if !(1..=most).contains(&spec.channels) {
            return Err(refuse(format!(
                "this format holds 1 to {most} channels, not {}; choose WAV",
                spec.channels
            )));
        }
        let rate = file_rate(spec.format, spec.rate);
        let encoder: Box<dyn Encoder> = match spec.format {
            Format::Wav => Box::new(riff::Wav::create(path, spec)?),
            Format::Aiff => Box::new(aiff::Aiff::create(path, spec)?),
            Format::Flac => Box::new(flac::Flac::create(path, spec)?),
            Format::Mp3 { kbps } => Box::new(mp3::Mp3::create(path, spec, rate, kbps)?),
            Format::Opus { kbps } => Box::new(opus::Opus::create(path, spec, kbps)?),
        };
        let channels = usize::from(spec.channels);
        let resamplers = if rate == spec.rate {
            Vec::new()
        } else {
            vec![Design::new(spec.rate, rate); channels].iter().map(Resampler::new).collect()
        };
        Ok(Self {
            encoder,
            path: path.to_owned(),
            channels,
            resamplers,
            converted: vec![Vec::new(); channels],
            loudness: None,
        })
    }

    /// Adds a block: one plane per channel, all of one length.
    ///
    /// # Errors
    /// When the planes do not fit the file, or the system cannot write.
    pub fn write(&mut self, planes: &[&[f32]]) -> Result<(), MediaError> {
        let len = planes.first().map_or(0, |p| p.len());
        if planes.len() != self.channels || planes.iter().any(|p| p.len() != len) {
            let reason = format!(
                "a block of {} planes was given for {} channels, or planes of several lengths",
                planes.len(),
                self.channels
            );
            return Err(MediaError::CannotWrite { path: self.path.clone(), reason });
        }
        if self.resamplers.is_empty() {
            return self.encoder.write(planes);
        }
        for ((resampler, plane), out) in
            self.resamplers.iter_mut().zip(planes).zip(&mut self.converted)
        {
            out.clear();
            resampler.process(plane, out);
        }
        self.encode_converted()
    }

    fn encode_converted(&mut self) -> Result<(), MediaError> {
        let views: Vec<&[f32]> = self.converted.iter().map(Vec::as_slice).collect();
        self.encoder.write(&views)
    }

    /// Sets the loudness for the `bext` chunk, once it has been measured.
    pub fn set_loudness(&mut self, loudness: Loudness) {
        self.loudness = Some(loudness);
    }

    /// Completes the file and puts it in its place.
    ///
    /// # Errors
    /// When the system cannot write; what was at the target before is then untouched.
    pub fn finish(mut self) -> Result<Written, MediaError> {
        if !self.resamplers.is_empty() {
            for (resampler, out) in self.resamplers.iter_mut().zip(&mut self.converted) {
                out.clear();
                resampler.finish(out);
            }
            self.encode_converted()?;
        }
        self.encoder.finish(self.loudness)
    }
}

/// The rate a file of this format has for sound of `rate`.
#[must_use]
pub fn file_rate(format: Format, rate: SampleRate) -> SampleRate {
    const MP3: [u32; 9] = [8_000, 11_025, 12_000, 16_000, 22_050, 24_000, 32_000, 44_100, 48_000];
    match format {
        Format::Opus { .. } => SampleRate::STUDIO,
        Format::Mp3 { .. } if MP3.contains(&rate.get()) => rate,
        Format::Mp3 { .. } if rate.get().is_multiple_of(44_100) => SampleRate::CD,
        Format::Mp3 { .. } => SampleRate::STUDIO,
        _ => rate,
    }
}

/// Frames by samples for encoders that want them so.
fn interleave(planes: &[&[f32]], out: &mut Vec<f32>) {
    let len = planes.first().map_or(0, |p| p.len());
    out.clear();
    out.resize(len * planes.len(), 0.0);
    for (c, plane) in planes.iter().enumerate() {
        for (slot, x) in out.iter_mut().skip(c).step_by(planes.len().max(1)).zip(*plane) {
            *slot = *x;
        }
    }
}
