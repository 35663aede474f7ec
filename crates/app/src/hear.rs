//! Hearing each recording once, on all cores, with bounded memory.

use crate::error::AppError;
use crate::library::Library;
use crate::progress::Context;
use crate::threads;
use std::sync::atomic::{AtomicU64, Ordering};
use topdown_analysis::{TrackListener, TrackMeasurements};

/// Frames read at a time.
const BLOCK: usize = 1 << 15;

/// What was heard, one entry a recording, in the library's order.
pub(crate) fn hear(
    library: &Library,
    context: &Context<'_>,
) -> Result<Vec<TrackMeasurements>, AppError> {
    let total: u64 = library.recordings.iter().map(|r| r.source.frames()).sum();
    context.progress.phase("Hearing the tracks", Some(total));
    let done = AtomicU64::new(0);
    threads::map(context.threads, library.recordings.len(), |index| {
        hear_one(library, index, &|frames| {
            context.progress.advance(done.fetch_add(frames, Ordering::Relaxed) + frames);
            context.progress.cancelled()
        })
    })
}

/// Hears one recording; `stop` is told the frames heard and says whether to stop.
fn hear_one(
    library: &Library,
    index: usize,
    stop: &dyn Fn(u64) -> bool,
) -> Result<TrackMeasurements, AppError> {
    let source = &library.recordings[index].source;
    let mut reader = source.reader();
    let channels = source.channels();
    let mut listener = TrackListener::new(library.rate, channels);
    let mut planes = vec![vec![0.0f32; BLOCK]; channels];
    let mut at = 0u64;
    while at < source.frames() {
        let mut out: Vec<&mut [f32]> = planes.iter_mut().map(Vec::as_mut_slice).collect();
        let read = reader.read(at, &mut out)?;
        if read == 0 {
            break;
        }
        let heard: Vec<&[f32]> = planes.iter().map(|plane| &plane[..read]).collect();
        listener.push(&heard);
        at += read as u64;
        if stop(read as u64) {
            return Err(AppError::Cancelled);
        }
    }
    let mut heard = listener.finish();
    heard.sound.broken_samples += reader.cleaned();
    // What changes from frame to frame is needed of the mix, not of hundreds of tracks at once.
    heard.sound.erb.energy = Vec::new();
    Ok(heard)
}
