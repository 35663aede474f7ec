//! FLAC, 16 or 24 bit, with Vorbis comments, seek table and checksum.

use super::quantise::Quantiser;
use super::{Depth, Encoder, Loudness, Spec, Written};
use crate::atomic::AtomicFile;
use crate::error::MediaError;
use flac_codec::encode::{FlacSampleWriter, Options};
use std::io::{self, BufWriter, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

/// The encoder keeps its output to itself, so the file is shared with it.
#[derive(Clone)]
struct Shared(Arc<Mutex<BufWriter<AtomicFile>>>);

impl Shared {
    fn with<T>(&self, f: impl FnOnce(&mut BufWriter<AtomicFile>) -> T) -> T {
        f(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Write for Shared {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.with(|out| out.write(bytes))
    }

    fn flush(&mut self) -> io::Result<()> {
        self.with(Write::flush)
    }
}

impl Seek for Shared {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        self.with(|out| out.seek(to))
    }
}

pub(super) struct Flac {
    path: PathBuf,
    out: Shared,
    encoder: FlacSampleWriter<Shared>,
    quantiser: Quantiser,
    integers: Vec<i32>,
    written: Written,
}

fn failed(path: &Path) -> impl Fn(flac_codec::Error) -> MediaError + '_ {
    |error| match error {
        flac_codec::Error::Io(e) => MediaError::io(path, "write it")(e),
        flac_codec::Error::NoSamples => MediaError::CannotWrite {
            path: path.to_owned(),
            reason: "there is no sound to write, and FLAC cannot be empty".to_owned(),
        },
        other => MediaError::CannotWrite {
            path: path.to_owned(),
            reason: format!("FLAC: {other}; choose WAV"),
        },
    }
}

impl Flac {
    pub(super) fn create(path: &Path, spec: &Spec) -> Result<Self, MediaError> {
        if spec.depth == Depth::Float32 {
            return Err(MediaError::CannotWrite {
                path: path.to_owned(),
                reason: "FLAC holds no floats; choose 24 bit, or WAV".to_owned(),
            });
        }
        let out = Shared(Arc::new(Mutex::new(BufWriter::with_capacity(
            1 << 18,
            AtomicFile::create(path)?,
        ))));
        let mut options = Options::default().seektable_seconds(10);
        for (key, value) in super::opus::comments(&spec.tags) {
            options = options.tag(key, value);
        }
        let bits = u32::from(spec.depth.bits());
        let channels = spec.channels as u8;
        let encoder =
            FlacSampleWriter::new(out.clone(), options, spec.rate.get(), bits, channels, None)
                .map_err(failed(path))?;
        Ok(Self {
            path: path.to_owned(),
            out,
            encoder,
            quantiser: Quantiser::new(spec),
            integers: Vec::new(),
            written: Written::default(),
        })
    }
}

impl Encoder for Flac {
    fn write(&mut self, planes: &[&[f32]]) -> Result<(), MediaError> {
        self.quantiser.integers(planes, &mut self.integers);
        self.written.frames += planes.first().map_or(0, |p| p.len()) as u64;
        self.encoder.write(&self.integers).map_err(failed(&self.path))
    }

    fn finish(mut self: Box<Self>, _loudness: Option<Loudness>) -> Result<Written, MediaError> {
        self.written.clipped = self.quantiser.clipped;
        self.encoder.finalize().map_err(failed(&self.path))?;
        let io = |e| MediaError::io(&self.path, "write it")(e);
        let gone = || io(io::Error::other("the encoder still holds the file"));
        let out = Arc::into_inner(self.out.0)
            .ok_or_else(gone)?
            .into_inner()
            .unwrap_or_else(PoisonError::into_inner);
        out.into_inner().map_err(|e| io(e.into_error()))?.commit()?;
        Ok(self.written)
    }
}
