//! Everything that goes through symphonia: FLAC, MP3, AAC, ALAC, Vorbis, and the containers it takes apart.
//!
//! Its gapless trimming stays on (MP3 and Vorbis carry their delay in the stream); MPEG-4 edit lists are not
//! applied there and are ours (see `mp4`). FLAC is verified against its own checksum, because damaged frames
//! are otherwise dropped in silence.

use super::{Decoder, Opened, Sink};
use crate::error::MediaError;
use crate::info::{Container, Encoding, Info, Note, Tags};
use std::fs::File;
use std::io::{Read, Seek, SeekFrom};
use std::path::Path;
use symphonia::core::audio::Channels;
use symphonia::core::codecs::audio::well_known::{
    CODEC_ID_AAC, CODEC_ID_ALAC, CODEC_ID_FLAC, CODEC_ID_MP3, CODEC_ID_OPUS, CODEC_ID_VORBIS,
};
use symphonia::core::codecs::audio::{AudioCodecParameters, AudioDecoder, AudioDecoderOptions};
use symphonia::core::common::Limit;
use symphonia::core::errors::Error;
use symphonia::core::formats::probe::Hint;
use symphonia::core::formats::{FormatOptions, FormatReader, TrackType};
use symphonia::core::io::{MediaSource, MediaSourceStream};
use symphonia::core::meta::{MetadataOptions, StandardTag};
use topdown_units::SampleRate;

/// A file that symphonia takes apart and decodes.
pub(super) struct Foreign {
    container: Container,
    /// The extension that leads its probe to the right reader.
    hint: &'static str,
    format: &'static str,
}

pub(super) static FLAC: Foreign =
    Foreign { container: Container::Flac, hint: "flac", format: "FLAC" };
pub(super) static MP3: Foreign = Foreign { container: Container::Mpeg, hint: "mp3", format: "MP3" };
pub(super) static ADTS: Foreign =
    Foreign { container: Container::Adts, hint: "aac", format: "AAC" };
pub(super) static CAF: Foreign = Foreign { container: Container::Caf, hint: "caf", format: "CAF" };
pub(super) static OGG_FLAC: Foreign =
    Foreign { container: Container::Ogg, hint: "oga", format: "Ogg FLAC" };
pub(super) static VORBIS: Foreign =
    Foreign { container: Container::Ogg, hint: "ogg", format: "Ogg Vorbis" };
pub(super) static MP4: Foreign = Foreign { container: Container::Mp4, hint: "m4a", format: "M4A" };

/// A part of a file as if it were the whole, for the links of a chained stream.
pub(super) struct Span {
    file: File,
    start: u64,
    len: u64,
    at: u64,
}

impl Span {
    /// Bytes `start..start + len` of a file.
    pub(super) fn new(path: &Path, start: u64, len: u64) -> Result<Self, MediaError> {
        let mut file = File::open(path).map_err(MediaError::io(path, "open it"))?;
        file.seek(SeekFrom::Start(start)).map_err(MediaError::io(path, "read it"))?;
        Ok(Self { file, start, len, at: 0 })
    }

    /// A whole file.
    pub(super) fn whole(path: &Path) -> Result<Self, MediaError> {
        let len = std::fs::metadata(path).map_err(MediaError::io(path, "look at it"))?.len();
        Self::new(path, 0, len)
    }
}

impl Read for Span {
    fn read(&mut self, buf: &mut [u8]) -> std::io::Result<usize> {
        let left =
            usize::try_from(self.len - self.at.min(self.len)).unwrap_or(usize::MAX).min(buf.len());
        let n = self.file.read(buf.get_mut(..left).unwrap_or_default())?;
        self.at += n as u64;
        Ok(n)
    }
}

impl Seek for Span {
    fn seek(&mut self, to: SeekFrom) -> std::io::Result<u64> {
        let at = match to {
            SeekFrom::Start(at) => Some(at),
            SeekFrom::End(by) => self.len.checked_add_signed(by),
            SeekFrom::Current(by) => self.at.checked_add_signed(by),
        };
        let at = at.ok_or(std::io::ErrorKind::InvalidInput)?;
        let absolute = self.start.checked_add(at).ok_or(std::io::ErrorKind::InvalidInput)?;
        self.file.seek(SeekFrom::Start(absolute))?;
        self.at = at;
        Ok(at)
    }
}

impl MediaSource for Span {
    fn is_seekable(&self) -> bool {
        true
    }

    fn byte_len(&self) -> Option<u64> {
        Some(self.len)
    }
}

/// An opened stream.
pub(super) struct Stream {
    pub format: Box<dyn FormatReader>,
    pub track: u32,
    pub params: AudioCodecParameters,
    pub info: Info,
}

/// Texts and pictures larger than this are left out.
const MAX_TAG_BYTES: usize = 1 << 20;

impl Foreign {
    /// Opens a part of a file.
    pub(super) fn stream(&self, path: &Path, span: Span) -> Result<Stream, MediaError> {
        let mut hint = Hint::new();
        hint.with_extension(self.hint);
        let source = MediaSourceStream::new(Box::new(span), Default::default());
        let limits = MetadataOptions::default()
            .limit_tag_bytes(Limit::Maximum(MAX_TAG_BYTES))
            .limit_visual_bytes(Limit::Maximum(MAX_TAG_BYTES));
        let mut format = symphonia::default::get_probe()
            .probe(&hint, source, FormatOptions::default(), limits)
            .map_err(|e| self.error(path, &e))?;
        let tags = tags_of(format.as_mut());
        let track = format
            .default_track(TrackType::Audio)
            .ok_or_else(|| MediaError::damaged(path, self.format, "there is no sound in it"))?;
        let (id, frames) = (track.id, track.num_frames);
        let Some(params) = track.codec_params.as_ref().and_then(|p| p.audio()).cloned() else {
            return Err(MediaError::damaged(path, self.format, "there is no sound in it"));
        };
        let encoding = encoding_of(path, &params)?;
        let rate = params.sample_rate.unwrap_or(0);
        let rate = SampleRate::new(rate).ok_or_else(|| {
            MediaError::damaged(
                path,
                self.format,
                format!(
                    "its header says {rate} Hz; rates from {} to {} Hz are read",
                    SampleRate::MIN_HZ,
                    SampleRate::MAX_HZ
                ),
            )
        })?;
        let channels = params.channels.as_ref().map_or(0, Channels::count);
        let channels =
            u16::try_from(channels).ok().filter(|c| (1..=Info::MAX_CHANNELS).contains(c));
        let channels = channels.ok_or_else(|| {
            MediaError::damaged(
                path,
                self.format,
                "its header does not say how many channels it has",
            )
        })?;
        let mask = match &params.channels {
            Some(Channels::Positioned(positions)) => {
                u32::try_from(positions.bits()).ok().filter(|_| channels > 2)
            }
            _ => None,
        };
        let info = Info {
            container: self.container,
            encoding,
            rate,
            channels,
            frames: frames.filter(|n| *n > 0),
            mask,
            time_reference: None,
            tags,
        };
        Ok(Stream { format, track: id, params, info })
    }

    /// What symphonia says, with the file's name.
    fn error(&self, path: &Path, error: &Error) -> MediaError {
        match error {
            Error::IoError(e) if e.kind() == std::io::ErrorKind::UnexpectedEof => {
                MediaError::damaged(path, self.format, "it ends inside its header")
            }
            Error::IoError(e) => {
                MediaError::Io { path: path.to_owned(), action: "read it", source: e.kind().into() }
            }
            Error::Unsupported(what) => {
                MediaError::unsupported(path, format!("this kind of {} ({what})", self.format))
            }
            other => MediaError::damaged(path, self.format, other.to_string()),
        }
    }

    /// Decodes a stream to its end. `trim` drops frames at the start and bounds the rest.
    pub(super) fn run(
        &self,
        path: &Path,
        mut stream: Stream,
        trim: Trim,
        sink: &mut Sink<'_>,
    ) -> Result<Vec<Note>, MediaError> {
        let options = AudioDecoderOptions::default().verify(true);
        let mut decoder = symphonia::default::get_codecs()
            .make_audio_decoder(&stream.params, &options)
            .map_err(|e| self.error(path, &e))?;
        let mut pump = Pump {
            planes: Vec::new(),
            trim,
            spec: (stream.info.rate.get(), usize::from(stream.info.channels)),
            damaged: 0,
            given: 0,
        };
        let mut notes = Vec::new();
        loop {
            let packet = match stream.format.next_packet() {
                Ok(Some(packet)) if packet.track_id == stream.track => packet,
                Ok(Some(_)) => continue,
                Ok(None) => break,
                Err(Error::IoError(e)) if e.kind() == std::io::ErrorKind::UnexpectedEof => {
                    // The container promised more; whether frames are missing, their count will tell.
                    if stream.info.frames.is_none() {
                        notes.push(Note::warning(
                            "cut short: the end of the file is missing; what is there is used",
                        ));
                    }
                    break;
                }
                Err(Error::ResetRequired) => {
                    notes.push(Note::warning(
                        "changes its format on the way; only the part before is used",
                    ));
                    break;
                }
                Err(Error::IoError(e)) => return Err(MediaError::io(path, "read it")(e)),
                Err(_) => {
                    pump.damaged += 1;
                    break;
                }
            };
            if !pump.packet(path, decoder.as_mut(), &packet, self, sink)? {
                notes.push(Note::warning(
                    "changes its rate or channels on the way; only the part before is used",
                ));
                break;
            }
        }
        let verified = decoder.finalize().verify_ok;
        pump.notes(verified, stream.info.rate, &mut notes);
        if pump.given == 0 && pump.damaged > 0 {
            return Err(MediaError::damaged(path, self.format, "nothing in it can be decoded"));
        }
        Ok(notes)
    }
}

/// What is cut from a decoded stream.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Trim {
    /// Frames dropped at the start.
    pub skip: u64,
    /// Frames kept at most.
    pub keep: Option<u64>,
}

struct Pump {
    planes: Vec<Vec<f32>>,
    trim: Trim,
    spec: (u32, usize),
    damaged: u64,
    given: u64,
}

/// The sound is there, but not the sound that went in.
pub(super) const WRONG_CHECKSUM: &str =
    "damaged: the decoded sound does not match the checksum in the file; it is used as it is";

/// So many packets in a row that cannot be decoded are a file that is something else.
const GIVE_UP: u64 = 10_000;

impl Pump {
    /// Decodes one packet; false when rate or channels changed.
    fn packet(
        &mut self,
        path: &Path,
        decoder: &mut dyn AudioDecoder,
        packet: &symphonia::core::packet::Packet,
        kind: &Foreign,
        sink: &mut Sink<'_>,
    ) -> Result<bool, MediaError> {
        let audio = match decoder.decode(packet) {
            Ok(audio) => audio,
            Err(Error::IoError(_) | Error::DecodeError(_)) => {
                self.damaged += 1;
                if self.damaged > GIVE_UP {
                    return Err(MediaError::damaged(
                        path,
                        kind.format,
                        "nothing in it can be decoded",
                    ));
                }
                return Ok(true);
            }
            Err(e) => return Err(kind.error(path, &e)),
        };
        if (audio.spec().rate(), audio.num_planes()) != self.spec {
            return Ok(false);
        }
        audio.copy_to_vecs_planar(&mut self.planes);
        let frames = self.planes.first().map_or(0, Vec::len);
        let from = usize::try_from(self.trim.skip).unwrap_or(usize::MAX).min(frames);
        self.trim.skip -= from as u64;
        let keep = self
            .trim
            .keep
            .map_or(usize::MAX, |k| usize::try_from(k).unwrap_or(usize::MAX))
            .min(frames - from);
        if let Some(k) = self.trim.keep.as_mut() {
            *k -= keep as u64;
        }
        for plane in &mut self.planes {
            plane.truncate(from + keep);
            plane.drain(..from);
            crate::reader::clean(plane);
        }
        self.given += keep as u64;
        if keep > 0 {
            sink(&self.planes)?;
        }
        Ok(true)
    }

    fn notes(&self, verified: Option<bool>, rate: SampleRate, notes: &mut Vec<Note>) {
        if self.damaged > 0 {
            let (n, seconds) = (self.damaged, self.given as f64 / rate.hz());
            notes.push(Note::warning(format!("damaged: {n} packets cannot be decoded; {seconds:.3} s are used and what follows a gap is early")));
        } else if verified == Some(false) {
            notes.push(Note::warning(WRONG_CHECKSUM));
        }
    }
}

impl Decoder for Foreign {
    fn open(&self, path: &Path) -> Result<Opened, MediaError> {
        let stream = self.stream(path, Span::whole(path)?)?;
        Ok(Opened { info: stream.info, notes: Vec::new() })
    }

    fn decode(
        &self,
        path: &Path,
        _info: &Info,
        sink: &mut Sink<'_>,
    ) -> Result<Vec<Note>, MediaError> {
        let stream = self.stream(path, Span::whole(path)?)?;
        self.run(path, stream, Trim::default(), sink)
    }
}

/// Our name for the codec, or the error that names it.
fn encoding_of(path: &Path, params: &AudioCodecParameters) -> Result<Encoding, MediaError> {
    let bits = params
        .bits_per_sample
        .or(params.bits_per_coded_sample)
        .and_then(|b| u16::try_from(b).ok())
        .unwrap_or(0);
    match params.codec {
        CODEC_ID_FLAC => Ok(Encoding::Flac(bits)),
        CODEC_ID_ALAC => Ok(Encoding::Alac(bits)),
        CODEC_ID_MP3 => Ok(Encoding::Mp3),
        CODEC_ID_AAC => Ok(Encoding::Aac),
        CODEC_ID_VORBIS => Ok(Encoding::Vorbis),
        CODEC_ID_OPUS => Err(MediaError::unsupported(path, "Opus outside an Ogg file")),
        _ => symphonia::default::get_codecs()
            .get_audio_decoder(params.codec)
            .map(|_| Encoding::Int(bits))
            .ok_or_else(|| MediaError::unsupported(path, "its codec")),
    }
}

fn tags_of(format: &mut dyn FormatReader) -> Tags {
    let mut tags = Tags::default();
    let mut metadata = format.metadata();
    let Some(revision) = metadata.skip_to_latest() else { return tags };
    let all = revision
        .media
        .tags
        .iter()
        .chain(revision.per_track.iter().flat_map(|t| t.metadata.tags.iter()));
    for tag in all.filter_map(|tag| tag.std.as_ref()) {
        let (field, value) = match tag {
            StandardTag::TrackTitle(v) => (&mut tags.title, v),
            StandardTag::Artist(v) => (&mut tags.artist, v),
            StandardTag::Album(v) => (&mut tags.album, v),
            StandardTag::Genre(v) => (&mut tags.genre, v),
            StandardTag::Comment(v) => (&mut tags.comment, v),
            StandardTag::Description(v) => (&mut tags.description, v),
            StandardTag::ReleaseDate(v) | StandardTag::RecordingDate(v) => (&mut tags.date, v),
            StandardTag::Encoder(v) => (&mut tags.originator, v),
            _ => continue,
        };
        if field.is_none() {
            *field = crate::tags::text(value.as_bytes());
        }
    }
    tags
}
