//! FLAC: symphonia up to 24 bit, with its checksum; the FLAC crate for 25 to 32 bit, where symphonia's result is
//! wrong.

use super::foreign::{FLAC, WRONG_CHECKSUM};
use super::{Decoder, Opened, Sink};
use crate::error::MediaError;
use crate::info::{Encoding, Info, Note};
use flac_codec::decode::{FlacSampleReader, Verified, verify};
use std::fs::File;
use std::io::BufReader;
use std::path::Path;

/// Native FLAC.
pub(super) struct Flac;

/// Samples fetched at once.
const BLOCK: usize = 1 << 14;

impl Decoder for Flac {
    fn open(&self, path: &Path) -> Result<Opened, MediaError> {
        FLAC.open(path)
    }

    fn decode(
        &self,
        path: &Path,
        info: &Info,
        sink: &mut Sink<'_>,
    ) -> Result<Vec<Note>, MediaError> {
        match info.encoding {
            Encoding::Flac(bits @ 25..=32) => deep(path, info, bits, sink),
            _ => FLAC.decode(path, info, sink),
        }
    }
}

fn deep(path: &Path, info: &Info, bits: u16, sink: &mut Sink<'_>) -> Result<Vec<Note>, MediaError> {
    let damaged = |e: flac_codec::Error| MediaError::damaged(path, "FLAC", e.to_string());
    let file = File::open(path).map_err(MediaError::io(path, "open it"))?;
    let mut reader = FlacSampleReader::new(BufReader::new(file)).map_err(damaged)?;
    let channels = usize::from(info.channels);
    let scale = 1.0 / (1u64 << (bits - 1)) as f32;
    let mut samples = vec![0i32; BLOCK * channels];
    let mut planes = vec![Vec::new(); channels];
    let (mut held, mut given) = (0, 0u64);
    loop {
        let room = samples.get_mut(held..).unwrap_or_default();
        let got = match reader.read(room) {
            Ok(got) => got,
            Err(e) if given == 0 => return Err(damaged(e)),
            Err(e) => {
                return Ok(vec![Note::warning(format!(
                    "damaged ({e}); what comes before is used"
                ))]);
            }
        };
        let total = held + got;
        let whole = total - total % channels;
        for (c, plane) in planes.iter_mut().enumerate() {
            plane.clear();
            plane.extend(
                samples.iter().take(whole).skip(c).step_by(channels).map(|x| *x as f32 * scale),
            );
        }
        samples.copy_within(whole..total, 0);
        held = total - whole;
        given += whole as u64;
        if whole > 0 {
            sink(&planes)?;
        }
        if got == 0 {
            return Ok(checksum_note(path).into_iter().collect());
        }
    }
}

/// A warning when the sound does not match the checksum in the file. Decodes a second time, which the few files
/// of this depth can afford; a file without a checksum passes.
fn checksum_note(path: &Path) -> Option<Note> {
    match verify(path) {
        Ok(Verified::MD5Match | Verified::NoMD5) => None,
        Ok(Verified::MD5Mismatch) | Err(_) => Some(Note::warning(WRONG_CHECKSUM)),
    }
}
