//! The bands that spectra are read in: thirds of an octave, octaves, and the ear's own (ERB).
//!
//! Thirds and octaves are the base-10 ones of IEC 61260-1: centres 1000 * 10^(n/10), edges 10^(1/20) away.
//! The ERB-number scale is Glasberg and Moore's (1990): Cam = 21.366 log10(1 + 0.004368 f).

use topdown_dsp::math;

/// Thirds of an octave, 20 Hz to 20 kHz.
pub const THIRDS: usize = 31;
/// Octaves, 31.5 Hz to 16 kHz; octave `o` holds the thirds `3 o + 1` to `3 o + 3`.
pub const OCTAVES: usize = 10;
/// ERB bands, their centres evenly from 2 to 38 Cam (55 Hz to 13.5 kHz).
pub const ERB_BANDS: usize = 40;

const LOWEST_CAM: f64 = 2.0;
const HIGHEST_CAM: f64 = 38.0;
/// Width of an ERB band, so that they meet.
pub(crate) const CAM_STEP: f64 = (HIGHEST_CAM - LOWEST_CAM) / (ERB_BANDS - 1) as f64;

/// Exact centre of a third of an octave: 0 is 20 Hz (19.95), 17 is 1 kHz, 30 is 20 kHz (19 953).
#[must_use]
pub fn third_centre_hz(third: usize) -> f64 {
    1_000.0 * math::pow(10.0, (third as f64 - 17.0) / 10.0)
}

/// Exact centre of an octave: 0 is 31.5 Hz, 5 is 1 kHz, 9 is 16 kHz.
#[must_use]
pub fn octave_centre_hz(octave: usize) -> f64 {
    third_centre_hz(3 * octave + 2)
}

pub(crate) fn third_edges_hz(third: usize) -> (f64, f64) {
    let half = math::pow(10.0, 1.0 / 20.0);
    (third_centre_hz(third) / half, third_centre_hz(third) * half)
}

pub(crate) fn octave_edges_hz(octave: usize) -> (f64, f64) {
    (third_edges_hz(3 * octave + 1).0, third_edges_hz(3 * octave + 3).1)
}

/// ERB-number of a frequency.
#[must_use]
pub fn cam_of_hz(hz: f64) -> f64 {
    21.366 * math::log10(1.0 + 0.004_368 * hz)
}

/// Frequency of an ERB-number.
#[must_use]
pub fn hz_of_cam(cam: f64) -> f64 {
    (math::pow(10.0, cam / 21.366) - 1.0) / 0.004_368
}

pub(crate) fn erb_centre_cam(band: usize) -> f64 {
    LOWEST_CAM + CAM_STEP * band as f64
}

/// Centre of an ERB band.
#[must_use]
pub fn erb_centre_hz(band: usize) -> f64 {
    hz_of_cam(erb_centre_cam(band))
}

pub(crate) fn erb_edges_hz(band: usize) -> (f64, f64) {
    let cam = erb_centre_cam(band);
    (hz_of_cam(cam - CAM_STEP / 2.0), hz_of_cam(cam + CAM_STEP / 2.0))
}

/// A band as bins of an FFT: the bins it covers, the outer two in part.
#[derive(Clone, Debug)]
pub(crate) struct BinRange {
    first: usize,
    last: usize,
    first_share: f64,
    last_share: f64,
}

impl BinRange {
    /// Bin k stands for (k - 1/2, k + 1/2) times `bin_hz`; what lies beyond the last bin is not covered.
    pub(crate) fn new((low_hz, high_hz): (f64, f64), bin_hz: f64, bins: usize) -> Option<Self> {
        let (low, high) = (low_hz / bin_hz + 0.5, (high_hz / bin_hz + 0.5).min(bins as f64));
        if low >= high {
            return None;
        }
        let first = low as usize;
        let last = ((high.ceil() as usize).max(1) - 1).min(bins - 1);
        if first == last {
            return Some(Self { first, last, first_share: high - low, last_share: 0.0 });
        }
        let first_share = (first + 1) as f64 - low;
        Some(Self { first, last, first_share, last_share: high - last as f64 })
    }

    /// Power in the band.
    pub(crate) fn sum<T: Copy + Into<f64>>(&self, power: &[T]) -> f64 {
        let inner = power.get(self.first + 1..self.last).unwrap_or(&[]);
        let (lanes, rest) = inner.as_chunks::<4>();
        let mut sums = [0.0f64; 4];
        for lane in lanes {
            for (sum, &p) in sums.iter_mut().zip(lane) {
                *sum += p.into();
            }
        }
        let inner = rest.iter().fold(sums.iter().sum::<f64>(), |sum, &p| sum + p.into());
        let at = |bin: usize| power.get(bin).map_or(0.0, |&p| p.into());
        inner + at(self.first) * self.first_share + at(self.last) * self.last_share
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_ear_scale_goes_there_and_back_and_knows_1_khz() {
        for band in 0..ERB_BANDS {
            let hz = erb_centre_hz(band);
            assert!((hz_of_cam(cam_of_hz(hz)) - hz).abs() < 1e-6);
        }
        assert!((cam_of_hz(1_000.0) - 15.593).abs() < 0.001);
        assert!((erb_centre_hz(0) - 55.0).abs() < 1.0);
        assert!((erb_centre_hz(39) - 13_521.0).abs() < 5.0);
    }

    #[test]
    fn neighbouring_bands_share_out_every_bin_exactly_once() {
        let flat = vec![1.0f64; 2_049];
        let bin_hz = 48_000.0 / 4_096.0;
        let bands = (0..ERB_BANDS).filter_map(|b| BinRange::new(erb_edges_hz(b), bin_hz, 2_049));
        let sum: f64 = bands.map(|band| band.sum(&flat)).sum();
        let width = (erb_edges_hz(39).1 - erb_edges_hz(0).0) / bin_hz;
        assert!((sum - width).abs() < 1e-9, "{sum} bins of {width}");
        assert!(BinRange::new((30_000.0, 31_000.0), bin_hz, 2_049).is_none());
    }
}
