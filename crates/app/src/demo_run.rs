//! `demo`: writes the demo song's tracks, mixes them, and says where everything is.

use crate::demo::{FAULTS, FILE_NAMES, song};
use crate::error::AppError;
use crate::mix::{MixRequest, mix};
use crate::progress::Context;
use crate::threads;
use std::fmt::Write;
use std::path::Path;
use topdown_media::write::{Depth, Format, Spec, Writer};
use topdown_report::facts::Facts;
use topdown_units::SampleRate;

/// Makes the demo song under `folder` and mixes it: tracks in `tracks/`, the faults that were built in
/// listed in `faults.txt`, print `demo.wav`, session and report in `demo.topdown/`.
///
/// # Errors
/// When something cannot be written, by name.
pub fn run(folder: &Path, context: &Context<'_>) -> Result<Facts, AppError> {
    let tracks = folder.join("tracks");
    std::fs::create_dir_all(&tracks).map_err(AppError::disk(&tracks))?;
    context.progress.phase("Playing the demo song", Some(FILE_NAMES.len() as u64));
    let song = song();
    threads::map(context.threads, FILE_NAMES.len(), |index| {
        if context.progress.cancelled() {
            return Err(AppError::Cancelled);
        }
        let Some(track) = song.render(index) else { return Ok(()) };
        let rate = SampleRate::new(track.rate_hz).unwrap_or(SampleRate::STUDIO);
        let channels = u16::try_from(track.planes.len()).unwrap_or(1);
        let mut spec = Spec::new(Format::Wav, rate, channels);
        spec.depth = if track.bits == 16 { Depth::Int16 } else { Depth::Int24 };
        let mut writer = Writer::create(tracks.join(track.file_name), &spec)?;
        let planes: Vec<&[f32]> = track.planes.iter().map(Vec::as_slice).collect();
        writer.write(&planes)?;
        writer.finish()?;
        context.progress.advance(index as u64 + 1);
        Ok(())
    })?;
    let list = folder.join("faults.txt");
    std::fs::write(&list, faults()).map_err(AppError::disk(&list))?;
    let output = Some(folder.join("demo.wav"));
    mix(&MixRequest { output, ..MixRequest::new(vec![tracks]) }, context)
}

/// The faults that were built in, for people who want to hear them.
fn faults() -> String {
    let mut text = "Built into the demo song, to be found and dealt with:\n\n".to_owned();
    for fault in FAULTS {
        let (from, to) = fault.span_s;
        let _ = writeln!(
            text,
            "{}: {} ({from:.0} to {to:.0} s)\n  {}",
            fault.file, fault.what, fault.noticed
        );
    }
    text
}
