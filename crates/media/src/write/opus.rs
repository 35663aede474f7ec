//! Ogg Opus at 48 kHz in packets of 20 ms, with the encoder's delay and the end declared, so that it decodes to
//! the very length that went in.

use super::{Encoder, Loudness, Spec, Written, interleave};
use crate::atomic::AtomicFile;
use crate::error::MediaError;
use crate::info::Tags;
use opus_pure::{Application, MAX_PACKET_BYTES, OggOpusWriter, OpusEncoder, OpusHead, OpusTags};
use std::io::BufWriter;
use std::path::{Path, PathBuf};

/// Frames of a packet.
const PACKET: usize = 960;

pub(super) struct Opus {
    path: PathBuf,
    encoder: OpusEncoder,
    ogg: OggOpusWriter<BufWriter<AtomicFile>>,
    channels: usize,
    pre_skip: u64,
    interleaved: Vec<f32>,
    /// Samples that do not fill a packet yet.
    pending: Vec<f32>,
    packet: Vec<u8>,
    written: Written,
}

/// The texts of a file as Vorbis comments.
pub(super) fn comments(tags: &Tags) -> Vec<(&'static str, &str)> {
    let fields = [
        ("TITLE", &tags.title),
        ("ARTIST", &tags.artist),
        ("ALBUM", &tags.album),
        ("DATE", &tags.date),
        ("GENRE", &tags.genre),
        ("COMMENT", &tags.comment),
        ("DESCRIPTION", &tags.description),
        ("ENCODER", &tags.originator),
    ];
    fields.into_iter().filter_map(|(key, value)| value.as_deref().map(|v| (key, v))).collect()
}

fn failed(path: &Path) -> impl Fn(opus_pure::Error) -> MediaError + '_ {
    |error| match error {
        opus_pure::Error::Io(e) => MediaError::io(path, "write it")(e),
        other => MediaError::CannotWrite {
            path: path.to_owned(),
            reason: format!("Opus: {other}; choose WAV or FLAC"),
        },
    }
}

impl Opus {
    pub(super) fn create(path: &Path, spec: &Spec, kbps: u32) -> Result<Self, MediaError> {
        if !(6..=510).contains(&kbps) {
            return Err(MediaError::CannotWrite {
                path: path.to_owned(),
                reason: format!("Opus has no rate of {kbps} kbit/s; choose 6 to 510"),
            });
        }
        let channels = usize::from(spec.channels);
        let mut encoder =
            OpusEncoder::new(48_000, channels, Application::Audio).map_err(failed(path))?;
        encoder.bitrate_bps = kbps.cast_signed() * 1000;
        let head = OpusHead::for_encoder(&encoder, spec.rate.get());
        let mut tags = OpusTags::new();
        for (key, value) in comments(&spec.tags) {
            tags.push(key, value).map_err(failed(path))?;
        }
        let pre_skip = u64::from(head.pre_skip);
        let out = BufWriter::with_capacity(1 << 18, AtomicFile::create(path)?);
        let ogg = OggOpusWriter::with_tags(out, head, tags).map_err(failed(path))?;
        let packet = vec![0; MAX_PACKET_BYTES];
        Ok(Self {
            path: path.to_owned(),
            encoder,
            ogg,
            channels,
            pre_skip,
            interleaved: Vec::new(),
            pending: Vec::new(),
            packet,
            written: Written::default(),
        })
    }

    /// Encodes the packets that are full. `end` is the last granule position when the stream ends here.
    fn drain(&mut self, end: Option<u64>) -> Result<(), MediaError> {
        let size = PACKET * self.channels;
        let pending = std::mem::take(&mut self.pending);
        let blocks = pending.chunks_exact(size);
        self.pending = blocks.remainder().to_vec();
        let count = blocks.len();
        for (i, block) in blocks.enumerate() {
            let n =
                self.encoder.encode(block, PACKET, &mut self.packet).map_err(failed(&self.path))?;
            let packet = self.packet.get(..n).unwrap_or_default();
            let result = match end {
                Some(end) if i + 1 == count => {
                    let duration = end.saturating_sub(self.ogg.granule().cast_unsigned());
                    self.ogg.write_packet_with_duration(packet, duration as u32)
                }
                _ => self.ogg.write_packet(packet),
            };
            result.map_err(failed(&self.path))?;
        }
        Ok(())
    }
}

impl Encoder for Opus {
    fn write(&mut self, planes: &[&[f32]]) -> Result<(), MediaError> {
        interleave(planes, &mut self.interleaved);
        self.written.frames += planes.first().map_or(0, |p| p.len()) as u64;
        self.pending.extend_from_slice(&self.interleaved);
        // One packet is held back: the last one of a stream declares its end.
        if self.pending.len() > 2 * PACKET * self.channels {
            let keep = self.pending.len() % (PACKET * self.channels) + PACKET * self.channels;
            let held = self.pending.split_off(self.pending.len() - keep);
            self.drain(None)?;
            self.pending = held;
        }
        Ok(())
    }

    fn finish(mut self: Box<Self>, _loudness: Option<Loudness>) -> Result<Written, MediaError> {
        let end = self.pre_skip + self.written.frames;
        // Enough silence for the delay to come out, to a whole packet.
        let missing =
            end.saturating_sub(self.ogg.granule().cast_unsigned()) as usize * self.channels;
        let len = missing.max(self.pending.len()).next_multiple_of(PACKET * self.channels);
        self.pending.resize(len, 0.0);
        self.drain(Some(end))?;
        let path = self.path;
        let out = self.ogg.finish().map_err(failed(&path))?;
        out.into_inner()
            .map_err(|e| MediaError::io(&path, "write it")(e.into_error()))?
            .commit()?;
        Ok(self.written)
    }
}
