//! Peaks by octave, for the crest factor by octave, out of the frames that the spectrum has transformed anyway.
//!
//! The bins of one octave, moved down to 0 Hz and transformed back, are the octave's complex envelope under the
//! frame's window; divided by the window its magnitude is the envelope. Only the middle half of each frame is
//! read, where the window is above 0.7; at hops of half a frame these halves meet. Envelope over RMS: a sine reads
//! 3.0 dB, as a plain crest factor does. Edges are as steep as the frame allows; at least two points a bin.

use crate::OCTAVES;
use crate::bands::octave_edges_hz;
use realfft::num_complex::Complex;
use rustfft::{Fft, FftPlanner};
use std::ops::Range;
use std::sync::Arc;

struct Octave {
    index: usize,
    bins: Range<usize>,
    inverse: Arc<dyn Fft<f32>>,
    envelope: Vec<Complex<f32>>,
    scratch: Vec<Complex<f32>>,
    /// What turns |envelope|^2 into that of the sound, for the middle half of the frame.
    scale: Vec<f32>,
}

impl Octave {
    fn new(index: usize, window: &[f32], bin_hz: f64) -> Option<Self> {
        let (low_hz, high_hz) = octave_edges_hz(index);
        let last_bin = window.len() / 2;
        let first = (low_hz / bin_hz).ceil() as usize;
        let end = ((high_hz / bin_hz) as usize + 1).min(last_bin);
        (first < end).then_some(())?;
        let points = (2 * (end - first)).next_power_of_two().max(8);
        let inverse = FftPlanner::new().plan_fft_inverse(points);
        let scale = |point: usize| {
            let weight = window[point * window.len() / points] * window.len() as f32 / 2.0;
            1.0 / (weight * weight)
        };
        Some(Self {
            index,
            bins: first..end,
            envelope: vec![Complex::default(); points],
            scratch: vec![Complex::default(); inverse.get_inplace_scratch_len()],
            scale: (points / 4..points * 3 / 4).map(scale).collect(),
            inverse,
        })
    }

    /// Highest squared envelope of a frame.
    fn peak(&mut self, bins: &[Complex<f32>]) -> f32 {
        let Some(bins) = bins.get(self.bins.clone()) else { return 0.0 };
        let (head, rest) = self.envelope.split_at_mut(bins.len());
        head.copy_from_slice(bins);
        rest.fill(Complex::default());
        self.inverse.process_with_scratch(&mut self.envelope, &mut self.scratch);
        let middle = self.envelope.iter().skip(self.envelope.len() / 4);
        middle.zip(&self.scale).fold(0.0, |peak, (x, scale)| {
            let square = x.norm_sqr() * scale;
            if square > peak { square } else { peak }
        })
    }
}

/// Follows the peaks of some octaves.
pub(crate) struct OctavePeaks {
    octaves: Vec<Octave>,
    pub(crate) peak_square: [f32; OCTAVES],
}

impl OctavePeaks {
    /// For frames under `window`, whose bins are `bin_hz` apart.
    pub(crate) fn new(octaves: Range<usize>, window: &[f32], bin_hz: f64) -> Self {
        let octaves = octaves.filter_map(|index| Octave::new(index, window, bin_hz)).collect();
        Self { octaves, peak_square: [0.0; OCTAVES] }
    }

    pub(crate) fn add(&mut self, channels: &[Vec<Complex<f32>>]) {
        for octave in &mut self.octaves {
            for bins in channels {
                let peak = octave.peak(bins);
                let highest = &mut self.peak_square[octave.index];
                *highest = highest.max(peak);
            }
        }
    }
}
