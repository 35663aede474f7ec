//! MP3 of a constant rate, with the Info tag that lets players cut the encoder's delay.

use super::{Encoder, Loudness, Spec, Written, interleave};
use crate::atomic::AtomicFile;
use crate::error::MediaError;
use rusty_mp3::{Error, Mp3Encoder, Mp3EncoderConfig};
use std::io::{BufWriter, Seek as _, SeekFrom, Write as _};
use std::path::{Path, PathBuf};
use topdown_units::SampleRate;

pub(super) struct Mp3 {
    path: PathBuf,
    out: BufWriter<AtomicFile>,
    encoder: Mp3Encoder,
    rate: SampleRate,
    channels: u16,
    interleaved: Vec<f32>,
    /// Where the first frame, the Info tag, stands.
    start: u64,
    written: Written,
}

impl Mp3 {
    pub(super) fn create(
        path: &Path,
        spec: &Spec,
        rate: SampleRate,
        kbps: u32,
    ) -> Result<Self, MediaError> {
        if !(8..=320).contains(&kbps) {
            return Err(MediaError::CannotWrite {
                path: path.to_owned(),
                reason: format!("MP3 has no rate of {kbps} kbit/s; choose 32 to 320"),
            });
        }
        let mut out = BufWriter::with_capacity(1 << 18, AtomicFile::create(path)?);
        let tag = super::id3::tag(&spec.tags);
        out.write_all(&tag).map_err(MediaError::io(path, "write it"))?;
        let encoder = Mp3Encoder::new(Mp3EncoderConfig { bitrate_kbps: kbps, vbr_quality: None });
        let start = tag.len() as u64;
        Ok(Self {
            path: path.to_owned(),
            out,
            encoder,
            rate,
            channels: spec.channels,
            interleaved: Vec::new(),
            start,
            written: Written::default(),
        })
    }

    fn failed(&self, error: &Error) -> MediaError {
        MediaError::CannotWrite {
            path: self.path.clone(),
            reason: format!("MP3: {error}; choose WAV or FLAC"),
        }
    }

    fn drain(&mut self) -> Result<(), MediaError> {
        loop {
            match self.encoder.next_packet() {
                Ok(packet) => {
                    self.out.write_all(&packet).map_err(MediaError::io(&self.path, "write it"))?;
                }
                Err(Error::Again | Error::Eof) => return Ok(()),
                Err(e) => return Err(self.failed(&e)),
            }
        }
    }
}

impl Encoder for Mp3 {
    fn write(&mut self, planes: &[&[f32]]) -> Result<(), MediaError> {
        interleave(planes, &mut self.interleaved);
        self.written.frames += planes.first().map_or(0, |p| p.len()) as u64;
        self.encoder
            .push_pcm_f32(&self.interleaved, self.channels, self.rate.get())
            .map_err(|e| self.failed(&e))?;
        self.drain()
    }

    fn finish(mut self: Box<Self>, _loudness: Option<Loudness>) -> Result<Written, MediaError> {
        self.encoder.finish();
        self.drain()?;
        let io = MediaError::io(&self.path, "write it");
        let tag = self.encoder.lame_tag_frame().map(<[u8]>::to_vec).unwrap_or_default();
        let mut end = || {
            self.out.seek(SeekFrom::Start(self.start))?;
            self.out.write_all(&tag)?;
            self.out.flush()
        };
        end().map_err(io)?;
        self.out
            .into_inner()
            .map_err(|e| MediaError::io(&self.path, "write it")(e.into_error()))?
            .commit()?;
        Ok(self.written)
    }
}
