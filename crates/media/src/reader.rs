//! The one way sound comes out of this crate: planes of `f32` from any frame on.

use crate::error::MediaError;

/// Random access to the frames of a file or source. Reading on where the last read ended is the fast way.
pub trait Reader: Send {
    /// Planes that [`read`](Self::read) fills.
    fn channels(&self) -> usize;

    /// Frames there are.
    fn frames(&self) -> u64;

    /// Fills the planes of `out` with frames from `at_frame` on and returns how many there were: fewer than
    /// asked only at the end, 0 behind it. The shortest plane limits the count; planes beyond
    /// [`channels`](Self::channels) are left alone. Samples are full scale at ±1 and always finite.
    ///
    /// # Errors
    /// When the file cannot be read, or changed since it was opened.
    fn read(&mut self, at_frame: u64, out: &mut [&mut [f32]]) -> Result<usize, MediaError>;

    /// Samples read so far that were not finite, or beyond ±[`LIMIT`], and came out as 0.
    fn cleaned(&self) -> u64;

    /// Gives the file handle back. The next read opens the file again.
    fn close(&mut self) {}
}

/// Samples beyond this (+180 dB over full scale) are no sound; their squares would leave the range of `f32`.
pub const LIMIT: f32 = 1e9;

/// Replaces what is not finite or beyond [`LIMIT`] by 0 and returns how many samples that were.
pub(crate) fn clean(plane: &mut [f32]) -> u64 {
    let good = |x: &f32| x.abs() <= LIMIT;
    // A counting pass first: it vectorises, and nearly every block is clean.
    let bad = plane.iter().filter(|x| !good(x)).count();
    if bad > 0 {
        for x in plane.iter_mut().filter(|x| !good(x)) {
            *x = 0.0;
        }
    }
    bad as u64
}

/// The number of frames that all planes of `out` can take.
pub(crate) fn room(out: &[&mut [f32]]) -> usize {
    out.iter().map(|plane| plane.len()).min().unwrap_or(0)
}
