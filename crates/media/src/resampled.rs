//! A source at another rate: converted once into the cache.

use crate::codec::Sink;
use crate::error::MediaError;
use crate::info::Note;
use crate::reader::Reader;
use topdown_dsp::resample::{Design, Resampler};
use topdown_units::SampleRate;

/// Frames read at a time.
const BLOCK: usize = 1 << 15;

/// Reads `input` from start to end, converts it from one rate to another and gives blocks of planes to `sink`.
pub(crate) fn convert(
    input: &mut dyn Reader,
    from: SampleRate,
    to: SampleRate,
    sink: &mut Sink<'_>,
) -> Result<Vec<Note>, MediaError> {
    let channels = input.channels();
    let design = Design::new(from, to);
    let mut resamplers: Vec<Resampler> = (0..channels).map(|_| Resampler::new(&design)).collect();
    let mut planes = vec![vec![0f32; BLOCK]; channels];
    let mut output = vec![Vec::new(); channels];
    let mut at = 0u64;
    while at < input.frames() {
        let mut views: Vec<&mut [f32]> = planes.iter_mut().map(Vec::as_mut_slice).collect();
        let frames = input.read(at, &mut views)?;
        if frames == 0 {
            break;
        }
        at += frames as u64;
        for ((resampler, plane), out) in resamplers.iter_mut().zip(&planes).zip(&mut output) {
            out.clear();
            resampler.process(plane.get(..frames).unwrap_or_default(), out);
        }
        sink(&output)?;
    }
    for (resampler, out) in resamplers.iter_mut().zip(&mut output) {
        out.clear();
        resampler.finish(out);
    }
    sink(&output)?;
    let cleaned = input.cleaned();
    Ok(if cleaned > 0 { vec![cleaned_note(cleaned)] } else { Vec::new() })
}

/// The warning for samples that were no numbers.
pub(crate) fn cleaned_note(cleaned: u64) -> Note {
    Note::warning(format!(
        "{cleaned} samples were not finite numbers, or beyond all levels, and are silence now"
    ))
}
