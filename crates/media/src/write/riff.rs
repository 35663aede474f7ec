//! WAV and RF64.
//!
//! All texts and chunks stand before the sound, so the header has the same length from start to end and is
//! written a second time when the sizes are known. Its first chunk is 28 bytes of JUNK; beyond 4 GB it becomes
//! the `ds64` chunk that makes the file RF64 (EBU Tech 3306).

use super::quantise::Quantiser;
use super::{Bext, Depth, Encoder, Loudness, Spec, Written};
use crate::atomic::AtomicFile;
use crate::error::MediaError;
use crate::info::Tags;
use std::io::{BufWriter, Seek as _, SeekFrom, Write as _};
use std::path::{Path, PathBuf};

pub(super) struct Wav {
    path: PathBuf,
    out: BufWriter<AtomicFile>,
    spec: Spec,
    quantiser: Quantiser,
    integers: Vec<i32>,
    bytes: Vec<u8>,
    written: Written,
}

impl Wav {
    pub(super) fn create(path: &Path, spec: &Spec) -> Result<Self, MediaError> {
        let mut out = BufWriter::with_capacity(1 << 18, AtomicFile::create(path)?);
        out.write_all(&header(spec, 0, None)).map_err(MediaError::io(path, "write it"))?;
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

impl Encoder for Wav {
    fn write(&mut self, planes: &[&[f32]]) -> Result<(), MediaError> {
        self.quantiser.bytes(planes, false, &mut self.integers, &mut self.bytes);
        self.written.frames += planes.first().map_or(0, |p| p.len()) as u64;
        self.out.write_all(&self.bytes).map_err(MediaError::io(&self.path, "write it"))
    }

    fn finish(mut self: Box<Self>, loudness: Option<Loudness>) -> Result<Written, MediaError> {
        self.written.clipped = self.quantiser.clipped;
        let frames = self.written.frames;
        let header = header(&self.spec, frames, loudness);
        let odd = !(frames * u64::from(self.spec.channels) * self.spec.depth.bytes() as u64)
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

/// Everything before the samples.
fn header(spec: &Spec, frames: u64, loudness: Option<Loudness>) -> Vec<u8> {
    let data = frames * u64::from(spec.channels) * spec.depth.bytes() as u64;
    let mut chunks = Vec::new();
    if let Some(bext) = &spec.bext {
        chunk(&mut chunks, *b"bext", &bext_body(bext, loudness.or(bext.loudness)));
    }
    chunk(&mut chunks, *b"fmt ", &fmt_body(spec));
    if spec.depth == Depth::Float32 {
        chunk(&mut chunks, *b"fact", &(frames.min(u64::from(u32::MAX)) as u32).to_le_bytes());
    }
    let info = info_body(&spec.tags);
    if info.len() > 4 {
        chunk(&mut chunks, *b"LIST", &info);
    }
    if !spec.tags.track_names.is_empty() {
        chunk(&mut chunks, *b"iXML", ixml_body(spec).as_bytes());
    }
    // Form type, the 28 bytes with their header, the chunks, the data chunk's header, the data with its pad.
    let riff = 4 + 36 + chunks.len() as u64 + 8 + data + (data & 1);
    let large = riff > u64::from(u32::MAX) || data >= u64::from(u32::MAX);
    let short = |n: u64| if large { u32::MAX } else { n as u32 }.to_le_bytes();
    let mut out = if large { b"RF64".to_vec() } else { b"RIFF".to_vec() };
    out.extend(short(riff));
    out.extend(b"WAVE");
    let mut sizes = Vec::new();
    if large {
        sizes.extend(riff.to_le_bytes());
        sizes.extend(data.to_le_bytes());
        sizes.extend(frames.to_le_bytes());
    }
    sizes.resize(28, 0);
    chunk(&mut out, if large { *b"ds64" } else { *b"JUNK" }, &sizes);
    out.extend(chunks);
    out.extend(b"data");
    out.extend(short(data));
    out
}

fn chunk(out: &mut Vec<u8>, id: [u8; 4], body: &[u8]) {
    out.extend(id);
    out.extend((body.len() as u32).to_le_bytes());
    out.extend(body);
    if body.len() & 1 == 1 {
        out.push(0);
    }
}

/// Plain for mono and stereo 16 bit, extensible else, as the format's author asks for more than 16 bits or two
/// channels; floats of one or two channels keep the plain tag, which every program reads.
fn fmt_body(spec: &Spec) -> Vec<u8> {
    let float = spec.depth == Depth::Float32;
    let extensible = spec.channels > 2 || spec.depth == Depth::Int24;
    let tag: u16 = if float { 3 } else { 1 };
    let align = spec.channels * spec.depth.bytes() as u16;
    let mut b = Vec::new();
    b.extend((if extensible { 0xfffe } else { tag }).to_le_bytes());
    b.extend(spec.channels.to_le_bytes());
    b.extend(spec.rate.get().to_le_bytes());
    b.extend((spec.rate.get() * u32::from(align)).to_le_bytes());
    b.extend(align.to_le_bytes());
    b.extend(spec.depth.bits().to_le_bytes());
    if extensible {
        let mask: u32 = match spec.channels {
            1 => 4,
            2 => 3,
            _ => 0,
        };
        b.extend(22u16.to_le_bytes());
        b.extend(spec.depth.bits().to_le_bytes());
        b.extend(mask.to_le_bytes());
        b.extend(tag.to_le_bytes());
        b.extend([0, 0, 0, 0, 0x10, 0, 0x80, 0, 0, 0xaa, 0, 0x38, 0x9b, 0x71]);
    } else if float {
        b.extend([0, 0]);
    }
    b
}

/// EBU Tech 3285 version 2: texts of fixed length, then the loudness in hundredths.
fn bext_body(bext: &Bext, loudness: Option<Loudness>) -> Vec<u8> {
    let mut b = Vec::with_capacity(604);
    let mut field = |text: &str, len: usize| {
        let end = b.len() + len;
        let mut cut = text.len().min(len);
        while !text.is_char_boundary(cut) {
            cut -= 1;
        }
        b.extend(text.as_bytes().iter().take(cut));
        b.resize(end, 0);
    };
    field(&bext.description, 256);
    field(&bext.originator, 32);
    field("", 32);
    field(&bext.date, 10);
    field(&bext.time, 8);
    b.extend(bext.time_reference.to_le_bytes());
    b.extend((if loudness.is_some() { 2u16 } else { 1 }).to_le_bytes());
    b.resize(b.len() + 64, 0);
    let hundredths = |x: f64| (x * 100.0).round().clamp(-32_000.0, 32_000.0) as i16;
    if let Some(l) = loudness {
        for x in
            [l.integrated_lufs, l.range_lu, l.true_peak_dbtp, l.momentary_lufs, l.short_term_lufs]
        {
            b.extend(hundredths(x).to_le_bytes());
        }
    }
    b.resize(602, 0);
    b
}

fn info_body(tags: &Tags) -> Vec<u8> {
    let mut b = b"INFO".to_vec();
    let fields = [
        (b"INAM", &tags.title),
        (b"IART", &tags.artist),
        (b"IPRD", &tags.album),
        (b"ICRD", &tags.date),
        (b"IGNR", &tags.genre),
        (b"ICMT", &tags.comment),
        (b"ISFT", &tags.originator),
    ];
    for (id, text) in fields {
        if let Some(text) = text {
            let mut z = text.as_bytes().to_vec();
            z.push(0);
            chunk(&mut b, *id, &z);
        }
    }
    b
}

fn ixml_body(spec: &Spec) -> String {
    let names = &spec.tags.track_names;
    let mut xml = format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<BWFXML><IXML_VERSION>1.61</IXML_VERSION><TRACK_LIST><TRACK_COUNT>{}</TRACK_COUNT>",
        names.len()
    );
    for (i, name) in names.iter().enumerate() {
        let name = name.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;");
        let n = i + 1;
        xml.push_str(&format!("<TRACK><CHANNEL_INDEX>{n}</CHANNEL_INDEX><INTERLEAVE_INDEX>{n}</INTERLEAVE_INDEX><NAME>{name}</NAME></TRACK>"));
    }
    xml.push_str("</TRACK_LIST></BWFXML>");
    xml
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::write::Format;
    use topdown_units::SampleRate;

    #[test]
    fn a_header_beyond_four_gigabytes_is_rf64_of_the_same_length() {
        let spec = Spec::new(Format::Wav, SampleRate::STUDIO, 2);
        let (small, large) = (header(&spec, 1_000, None), header(&spec, 1_000_000_000, None));
        assert_eq!(small.len(), large.len());
        assert_eq!(&small[..4], b"RIFF");
        assert_eq!((&large[..4], &large[12..16]), (&b"RF64"[..], &b"ds64"[..]));
        assert_eq!(large[28..36], 6_000_000_000u64.to_le_bytes());
        assert_eq!(large[36..44], 1_000_000_000u64.to_le_bytes());
    }
}
