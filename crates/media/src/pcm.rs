//! PCM in place: bytes of a file to planes of `f32`, with plain reads (never a memory map: a file that is cut
//! while it is mapped ends the process).
//!
//! Integers become `x / 2^(bits-1)`, so full scale is ±1 and up to 24 bits are exact; 32 and more are rounded
//! once to the nearest `f32`. Every sample format is one small closure over its bytes that the compiler turns
//! into a tight loop per channel count.

use crate::error::MediaError;
use crate::reader::{Reader, clean, room};
use std::fs::File;
use std::io::{ErrorKind, Read as _, Seek as _, SeekFrom};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::SystemTime;

/// How one sample lies in the file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Sample {
    /// Unsigned 8 bit, 128 is silence.
    U8,
    /// Signed integer of 1 to 8 bytes, aligned to the top of its container.
    Int { bytes: u8, big: bool },
    /// 24 bits in the lower three of four little-endian bytes.
    I24In32Low,
    /// IEEE float of 4 bytes.
    F32 { big: bool },
    /// IEEE float of 8 bytes.
    F64 { big: bool },
    /// G.711 A-law.
    ALaw,
    /// G.711 mu-law.
    MuLaw,
}

impl Sample {
    /// Bytes of one sample.
    pub(crate) const fn bytes(self) -> usize {
        match self {
            Self::U8 | Self::ALaw | Self::MuLaw => 1,
            Self::Int { bytes, .. } => bytes as usize,
            Self::I24In32Low | Self::F32 { .. } => 4,
            Self::F64 { .. } => 8,
        }
    }

    /// True when a sample can be NaN or infinite.
    pub(crate) const fn is_float(self) -> bool {
        matches!(self, Self::F32 { .. } | Self::F64 { .. })
    }
}

/// Where the samples of a file lie.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Layout {
    /// Byte of the first frame.
    pub offset: u64,
    /// Frames.
    pub frames: u64,
    /// Interleaved channels.
    pub channels: u16,
    /// The samples.
    pub sample: Sample,
}

impl Layout {
    /// Bytes of one frame.
    pub(crate) fn frame_bytes(&self) -> usize {
        self.sample.bytes() * usize::from(self.channels)
    }
}

/// What tells a file from another one at the same path.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Stamp {
    pub len: u64,
    modified: Option<SystemTime>,
}

impl Stamp {
    /// The stamp of an open file.
    pub(crate) fn of(file: &File, path: &Path) -> Result<Self, MediaError> {
        let meta = file.metadata().map_err(MediaError::io(path, "look at it"))?;
        Ok(Self { len: meta.len(), modified: meta.modified().ok() })
    }

    /// Only the length: for cache entries, whose name already tells their content and whose time of change is
    /// their time of use.
    pub(crate) fn len_only(self) -> Self {
        Self { modified: None, ..self }
    }

    /// True when `now` is still the file that this stamp was taken of.
    fn still(self, now: Self) -> bool {
        self.len == now.len && (self.modified.is_none() || self.modified == now.modified)
    }
}

/// Handles kept open between reads by all readers together; beyond it a reader closes its file after each
/// read. Systems give a process as few as 256 handles, and songs have 500 tracks.
const KEEP_OPEN: usize = 64;
static OPEN: AtomicUsize = AtomicUsize::new(0);

/// A file handle that counts towards [`KEEP_OPEN`].
struct Kept(File);

impl Kept {
    fn new(file: File) -> Self {
        OPEN.fetch_add(1, Ordering::Relaxed);
        Self(file)
    }
}

impl Drop for Kept {
    fn drop(&mut self) {
        OPEN.fetch_sub(1, Ordering::Relaxed);
    }
}

/// Bytes read at once: small enough to stay in the processor's cache until they are converted.
const CHUNK_BYTES: usize = 1 << 16;

/// Reads PCM in place.
pub(crate) struct PcmReader {
    path: PathBuf,
    layout: Layout,
    stamp: Stamp,
    file: Option<Kept>,
    /// Where the file's own position stands, so that reading on needs no seek.
    position: Option<u64>,
    bytes: Vec<u8>,
    cleaned: u64,
}

impl PcmReader {
    /// A reader; the file is opened by the first read.
    pub(crate) fn new(path: &Path, layout: Layout, stamp: Stamp) -> Self {
        Self {
            path: path.to_owned(),
            layout,
            stamp,
            file: None,
            position: None,
            bytes: Vec::new(),
            cleaned: 0,
        }
    }

    fn fill(&mut self, at_byte: u64, count: usize) -> Result<(), MediaError> {
        if self.file.is_none() {
            let file = File::open(&self.path).map_err(MediaError::io(&self.path, "open it"))?;
            if !self.stamp.still(Stamp::of(&file, &self.path)?) {
                return Err(MediaError::Changed { path: self.path.clone() });
            }
            self.file = Some(Kept::new(file));
            self.position = None;
        }
        let Some(Kept(file)) = self.file.as_mut() else { return Ok(()) };
        if self.position != Some(at_byte) {
            file.seek(SeekFrom::Start(at_byte)).map_err(MediaError::io(&self.path, "read it"))?;
        }
        self.position = None;
        self.bytes.resize(count, 0);
        match file.read_exact(&mut self.bytes) {
            Ok(()) => {
                self.position = Some(at_byte + count as u64);
                Ok(())
            }
            Err(e) if e.kind() == ErrorKind::UnexpectedEof => {
                Err(MediaError::Changed { path: self.path.clone() })
            }
            Err(e) => Err(MediaError::io(&self.path, "read it")(e)),
        }
    }
}

impl Reader for PcmReader {
    fn channels(&self) -> usize {
        usize::from(self.layout.channels)
    }

    fn frames(&self) -> u64 {
        self.layout.frames
    }

    fn read(&mut self, at_frame: u64, out: &mut [&mut [f32]]) -> Result<usize, MediaError> {
        let left = self.layout.frames.saturating_sub(at_frame);
        let want = room(out).min(usize::try_from(left).unwrap_or(usize::MAX));
        let frame_bytes = self.layout.frame_bytes().max(1);
        let per_chunk = (CHUNK_BYTES / frame_bytes).max(1);
        let mut done = 0;
        while done < want {
            let frames = per_chunk.min(want - done);
            let at_byte = self.layout.offset + (at_frame + done as u64) * frame_bytes as u64;
            self.fill(at_byte, frames * frame_bytes)?;
            decode(self.layout.sample, &self.bytes, usize::from(self.layout.channels), out, done);
            if self.layout.sample.is_float() {
                let planes = out.iter_mut().take(usize::from(self.layout.channels));
                self.cleaned += planes
                    .filter_map(|plane| plane.get_mut(done..done + frames))
                    .map(clean)
                    .sum::<u64>();
            }
            done += frames;
        }
        if OPEN.load(Ordering::Relaxed) > KEEP_OPEN {
            self.close();
        }
        Ok(done)
    }

    fn cleaned(&self) -> u64 {
        self.cleaned
    }

    fn close(&mut self) {
        self.file = None;
    }
}

/// Converts interleaved bytes into the planes of `out` from frame `at` on.
pub(crate) fn decode(
    sample: Sample,
    bytes: &[u8],
    channels: usize,
    out: &mut [&mut [f32]],
    at: usize,
) {
    const INT: f32 = 1.0 / (1u64 << 31) as f32;
    const LONG: f32 = 1.0 / (1u64 << 63) as f32;
    macro_rules! go {
        ($n:literal, $conv:expr) => {
            planes::<$n>(bytes, channels, out, at, $conv)
        };
    }
    match sample {
        Sample::U8 => go!(1, |[a]| (f32::from(a) - 128.0) / 128.0),
        Sample::Int { bytes: 1, .. } => go!(1, |[a]| f32::from(a as i8) / 128.0),
        Sample::Int { bytes: 2, big: false } => {
            go!(2, |b| f32::from(i16::from_le_bytes(b)) / 32768.0);
        }
        Sample::Int { bytes: 2, big: true } => {
            go!(2, |b| f32::from(i16::from_be_bytes(b)) / 32768.0);
        }
        Sample::Int { bytes: 3, big: false } => {
            go!(3, |[a, b, c]| i32::from_le_bytes([0, a, b, c]) as f32 * INT);
        }
        Sample::Int { bytes: 3, big: true } => {
            go!(3, |[a, b, c]| i32::from_be_bytes([a, b, c, 0]) as f32 * INT);
        }
        Sample::Int { bytes: 4, big: false } => go!(4, |b| i32::from_le_bytes(b) as f32 * INT),
        Sample::Int { bytes: 4, big: true } => go!(4, |b| i32::from_be_bytes(b) as f32 * INT),
        Sample::Int { bytes: 5, big: false } => {
            go!(5, |[a, b, c, d, e]| i64::from_le_bytes([0, 0, 0, a, b, c, d, e]) as f32 * LONG);
        }
        Sample::Int { bytes: 5, big: true } => {
            go!(5, |[a, b, c, d, e]| i64::from_be_bytes([a, b, c, d, e, 0, 0, 0]) as f32 * LONG);
        }
        Sample::Int { bytes: 6, big: false } => {
            go!(6, |[a, b, c, d, e, f]| i64::from_le_bytes([0, 0, a, b, c, d, e, f]) as f32 * LONG);
        }
        Sample::Int { bytes: 6, big: true } => {
            go!(6, |[a, b, c, d, e, f]| i64::from_be_bytes([a, b, c, d, e, f, 0, 0]) as f32 * LONG);
        }
        Sample::Int { bytes: 7, big: false } => {
            go!(7, |[a, b, c, d, e, f, g]| i64::from_le_bytes([0, a, b, c, d, e, f, g]) as f32
                * LONG);
        }
        Sample::Int { bytes: 7, big: true } => {
            go!(7, |[a, b, c, d, e, f, g]| i64::from_be_bytes([a, b, c, d, e, f, g, 0]) as f32
                * LONG);
        }
        Sample::Int { big: false, .. } => go!(8, |b| i64::from_le_bytes(b) as f32 * LONG),
        Sample::Int { big: true, .. } => go!(8, |b| i64::from_be_bytes(b) as f32 * LONG),
        Sample::I24In32Low => go!(4, |[a, b, c, _]| i32::from_le_bytes([0, a, b, c]) as f32 * INT),
        Sample::F32 { big: false } => go!(4, f32::from_le_bytes),
        Sample::F32 { big: true } => go!(4, f32::from_be_bytes),
        Sample::F64 { big: false } => go!(8, |b| f64::from_le_bytes(b) as f32),
        Sample::F64 { big: true } => go!(8, |b| f64::from_be_bytes(b) as f32),
        Sample::ALaw => go!(1, |[a]| a_law(a)),
        Sample::MuLaw => go!(1, |[a]| mu_law(a)),
    }
}

fn planes<const N: usize>(
    bytes: &[u8],
    channels: usize,
    out: &mut [&mut [f32]],
    at: usize,
    conv: impl Fn([u8; N]) -> f32,
) {
    let samples = bytes.as_chunks::<N>().0;
    match (channels, out) {
        (1, [mono, ..]) => {
            for (sample, o) in samples.iter().zip(mono.iter_mut().skip(at)) {
                *o = conv(*sample);
            }
        }
        (2, [left, right, ..]) => {
            let pairs = samples.as_chunks::<2>().0;
            let left = left.get_mut(at..).unwrap_or_default();
            let right = right.get_mut(at..).unwrap_or_default();
            for (([l, r], lo), ro) in pairs.iter().zip(left).zip(right) {
                *lo = conv(*l);
                *ro = conv(*r);
            }
        }
        (_, out) => {
            for (c, plane) in out.iter_mut().take(channels).enumerate() {
                let own = samples.iter().skip(c).step_by(channels.max(1));
                for (sample, o) in own.zip(plane.iter_mut().skip(at)) {
                    *o = conv(*sample);
                }
            }
        }
    }
}

/// ITU-T G.711 A-law: sign, three bits of segment, four of step, every second bit inverted.
fn a_law(byte: u8) -> f32 {
    let a = byte ^ 0x55;
    let step = i32::from(a & 0x0f) * 2 + 1;
    let segment = u32::from((a >> 4) & 7);
    let magnitude = if segment == 0 { step << 3 } else { (step + 32) << (segment + 2) };
    (if a & 0x80 != 0 { magnitude } else { -magnitude }) as f32 / 32768.0
}

/// ITU-T G.711 mu-law: sign, three bits of segment, four of step, all inverted, biased by 33.
fn mu_law(byte: u8) -> f32 {
    let u = !byte;
    let magnitude = (((i32::from(u & 0x0f) * 2 + 33) << ((u >> 4) & 7)) - 33) << 2;
    (if u & 0x80 != 0 { -magnitude } else { magnitude }) as f32 / 32768.0
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mono(sample: Sample, bytes: &[u8]) -> Vec<f32> {
        let mut plane = vec![9.0; bytes.len() / sample.bytes()];
        decode(sample, bytes, 1, &mut [&mut plane], 0);
        plane
    }

    #[test]
    fn full_scale_and_silence_have_their_values_in_every_integer_width() {
        for bytes in 1..=8u8 {
            let mut lowest = vec![0u8; usize::from(bytes)];
            lowest[usize::from(bytes) - 1] = 0x80;
            assert_eq!(
                mono(Sample::Int { bytes, big: false }, &lowest),
                [-1.0],
                "{bytes} bytes little-endian"
            );
            lowest.reverse();
            assert_eq!(
                mono(Sample::Int { bytes, big: true }, &lowest),
                [-1.0],
                "{bytes} bytes big-endian"
            );
            assert_eq!(mono(Sample::Int { bytes, big: true }, &vec![0; usize::from(bytes)]), [0.0]);
        }
        assert_eq!(mono(Sample::U8, &[0, 128, 192]), [-1.0, 0.0, 0.5]);
        assert_eq!(mono(Sample::I24In32Low, &[0, 0, 0x40, 0, 0, 0, 0xc0, 0xff]), [0.5, -0.5]);
    }

    #[test]
    fn companded_samples_have_the_values_of_g_711() {
        // The standard's largest, smallest and zero codes, on a 16-bit scale.
        assert_eq!(mono(Sample::MuLaw, &[0x00, 0x80, 0xff, 0x7f]).map_16(), [-32124, 32124, 0, 0]);
        assert_eq!(mono(Sample::ALaw, &[0x2a, 0xaa, 0x55, 0xd5]).map_16(), [-32256, 32256, -8, 8]);
    }

    trait Map16 {
        fn map_16(&self) -> Vec<i32>;
    }
    impl Map16 for Vec<f32> {
        fn map_16(&self) -> Vec<i32> {
            self.iter().map(|x| (x * 32768.0) as i32).collect()
        }
    }

    #[test]
    fn channels_are_told_apart_for_one_two_and_many() {
        for channels in [1usize, 2, 3, 7] {
            let bytes: Vec<u8> = (0..channels * 5).map(|i| i as u8).collect();
            let mut planes = vec![vec![0f32; 7]; channels];
            let mut refs: Vec<&mut [f32]> = planes.iter_mut().map(|p| &mut p[..]).collect();
            decode(Sample::Int { bytes: 1, big: false }, &bytes, channels, &mut refs, 2);
            for (c, plane) in planes.iter().enumerate() {
                for (i, x) in plane.iter().enumerate() {
                    let expected =
                        if i < 2 { 0.0 } else { ((i - 2) * channels + c) as f32 / 128.0 };
                    assert_eq!(*x, expected, "channel {c} of {channels}, frame {i}");
                }
            }
        }
    }
}
