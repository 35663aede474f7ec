//! AIFF, and AIFF-C (`fl32`) for floats.

use super::quantise::Quantiser;
use super::{Depth, Encoder, Loudness, Spec, Written};
use crate::atomic::AtomicFile;
use crate::error::MediaError;
use std::io::{BufWriter, Seek as _, SeekFrom, Write as _};
use std::path::{Path, PathBuf};

pub(super) struct Aiff {
    path: PathBuf,
    out: BufWriter<AtomicFile>,
    spec: Spec,
    quantiser: Quantiser,
    integers: Vec<i32>,
    bytes: Vec<u8>,
    written: Written,
}

impl Aiff {
    pub(super) fn create(path: &Path, spec: &Spec) -> Result<Self, MediaError> {
        let mut out = BufWriter::with_capacity(1 << 18, AtomicFile::create(path)?);
        out.write_all(&header(spec, 0)).map_err(MediaError::io(path, "write it"))?;
        let quantiser = Quantiser::new(spec);
        Ok(Self {
            path: path.to_owned(),
            out,
            spec: spec.clone(),
            quantiser,
            integers: Vec::new(),
            bytes: Vec::new(),
            written: Written::default(),
        })
    }
}

/// The sizes have 32 bits; some room is left for the header.
const MAX_BYTES: u64 = u32::MAX as u64 - (1 << 20);

impl Encoder for Aiff {
    fn write(&mut self, planes: &[&[f32]]) -> Result<(), MediaError> {
        self.quantiser.bytes(planes, true, &mut self.integers, &mut self.bytes);
        self.written.frames += planes.first().map_or(0, |p| p.len()) as u64;
        if self.written.frames * u64::from(self.spec.channels) * self.spec.depth.bytes() as u64
            > MAX_BYTES
        {
            return Err(MediaError::CannotWrite {
                path: self.path.clone(),
                reason: "AIFF holds at most 4 GB; choose WAV".to_owned(),
            });
        }
        self.out.write_all(&self.bytes).map_err(MediaError::io(&self.path, "write it"))
    }

    fn finish(mut self: Box<Self>, _loudness: Option<Loudness>) -> Result<Written, MediaError> {
        self.written.clipped = self.quantiser.clipped;
        let header = header(&self.spec, self.written.frames);
        let odd =
            !(self.written.frames * u64::from(self.spec.channels) * self.spec.depth.bytes() as u64)
                .is_multiple_of(2);
        let mut end = || {
            self.out.write_all(if odd { &[0] } else { &[] })?;
            self.out.seek(SeekFrom::Start(0))?;
            self.out.write_all(&header)?;
            self.out.flush()
        };
        end().map_err(MediaError::io(&self.path, "write it"))?;
        self.out
            .into_inner()
            .map_err(|e| MediaError::io(&self.path, "write it")(e.into_error()))?
            .commit()?;
        Ok(self.written)
    }
}

fn header(spec: &Spec, frames: u64) -> Vec<u8> {
    let float = spec.depth == Depth::Float32;
    let data = frames * u64::from(spec.channels) * spec.depth.bytes() as u64;
    let mut chunks = Vec::new();
    if float {
        chunk(&mut chunks, *b"FVER", &0xa280_5140u32.to_be_bytes());
    }
    let mut comm = Vec::new();
    comm.extend(spec.channels.to_be_bytes());
    comm.extend((frames as u32).to_be_bytes());
    comm.extend(spec.depth.bits().to_be_bytes());
    comm.extend(extended(spec.rate.get()));
    if float {
        comm.extend(b"fl32\0\0");
    }
    chunk(&mut chunks, *b"COMM", &comm);
    for (id, text) in
        [(b"NAME", &spec.tags.title), (b"AUTH", &spec.tags.artist), (b"ANNO", &spec.tags.comment)]
    {
        if let Some(text) = text {
            chunk(&mut chunks, *id, text.as_bytes());
        }
    }
    let tag = super::id3::tag(&spec.tags);
    if !tag.is_empty() {
        chunk(&mut chunks, *b"ID3 ", &tag);
    }
    let form = 4 + chunks.len() as u64 + 16 + data + (data & 1);
    let mut out = b"FORM".to_vec();
    out.extend((form as u32).to_be_bytes());
    out.extend(if float { b"AIFC" } else { b"AIFF" });
    out.extend(chunks);
    out.extend(b"SSND");
    out.extend((data as u32 + 8).to_be_bytes());
    out.extend([0; 8]);
    out
}

fn chunk(out: &mut Vec<u8>, id: [u8; 4], body: &[u8]) {
    out.extend(id);
    out.extend((body.len() as u32).to_be_bytes());
    out.extend(body);
    if body.len() & 1 == 1 {
        out.push(0);
    }
}

/// A whole number as an IEEE 754 extended number.
fn extended(x: u32) -> [u8; 10] {
    let zeros = x.max(1).leading_zeros();
    let exponent = 16383 + 31 - zeros;
    let mantissa = u64::from(x) << (32 + zeros);
    let mut out = [0; 10];
    let (head, tail) = out.split_at_mut(2);
    head.copy_from_slice(&(exponent as u16).to_be_bytes());
    tail.copy_from_slice(&mantissa.to_be_bytes());
    out
}

#[cfg(test)]
mod tests {
    #[test]
    fn rates_survive_the_way_to_eighty_bits_and_back() {
        for hz in [8_000, 11_025, 44_056, 44_100, 48_000, 96_000, 384_000] {
            assert_eq!(crate::container::aiff::extended(super::extended(hz)), f64::from(hz));
        }
    }
}
