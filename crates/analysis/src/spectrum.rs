//! Powers by band: thirds of an octave over all of the sound, ERB bands over time.
//!
//! Promise: the powers of all bands and of what lies outside them add up to the power of the sound; a sine in
//! the middle of a band reads its power there within 0.1 dB, 25 Hz to 20 kHz; pink noise reads flat.
//!
//! Short-time Fourier transform, window the square root of a Hann window, hops of half a frame: the squared
//! windows of neighbouring frames add up to one, so each sample counts once (Parseval, exactly). A frame lasts
//! about 85 ms (4096 frames at 48 kHz). That is too short below 280 Hz, where a third of an octave is but two
//! bins wide, so the sound is also decimated to about 6 kHz, by a box filter applied four times (aliases of the
//! bass more than 100 dB down; its droop divided out by bin), and heard in frames of 4096 there (0.7 s).
//!
//! Per band three sums are kept, L^2, R^2 and Re(L R*): mid, side, correlation, balance and the loss in mono all
//! follow (see [`crate::stereo`]).
//!
//! FFTs in `f32` (error -130 dB of the loudest bin), sums over frames in `f64`. Latency: `finish` lets the last
//! frames out. Rates 8 to 384 kHz; bands above half the rate read zero.

use crate::bands::{self, BinRange, ERB_BANDS, OCTAVES, THIRDS};
use crate::dynamics;
use crate::octave_peaks::OctavePeaks;
use realfft::{RealFftPlanner, RealToComplex, num_complex::Complex};
use serde::{Deserialize, Serialize};
use std::sync::Arc;
use topdown_dsp::math;
use topdown_units::{SampleRate, power_to_db};

/// Frames of the FFT at 48 kHz; other rates get the power of two that lasts about as long.
const FRAME_AT_48K: f64 = 4_096.0;
/// The bass is decimated by frame length / this: by 8 at 48 kHz.
const FRAME_PER_DECIMATION: usize = 512;
const BASS_FRAME: usize = 4_096;
/// Thirds below this one (315 Hz) are read from the decimated sound.
const FIRST_UPPER_THIRD: usize = 12;
/// Octaves below this one (500 Hz) have their peaks read from the decimated sound.
const FIRST_UPPER_OCTAVE: usize = 4;
/// FFT frames that make one ERB frame: together about 85 ms apart.
const ERB_AVERAGE: usize = 2;

/// Sums over frames of the powers of each bin.
#[derive(Clone, Debug)]
struct BinPowers {
    left: Vec<f64>,
    right: Vec<f64>,
    cross: Vec<f64>,
}

/// Overlapping frames of one or two channels, transformed and summed up.
struct Stft {
    fft: Arc<dyn RealToComplex<f32>>,
    window: Vec<f32>,
    frames: Vec<Vec<f32>>,
    fill: usize,
    heard: u64,
    windowed: Vec<f32>,
    scratch: Vec<Complex<f32>>,
    bins: Vec<Vec<Complex<f32>>>,
    sums: BinPowers,
}

impl Stft {
    fn new(length: usize, channels: usize) -> Self {
        let fft = RealFftPlanner::<f32>::new().plan_fft_forward(length);
        let bins = length / 2 + 1;
        let root_hann = |i: usize| math::sin(math::PI * (i as f64 + 0.5) / length as f64) as f32;
        let stereo = if channels > 1 { bins } else { 0 };
        Self {
            window: (0..length).map(root_hann).collect(),
            frames: vec![vec![0.0; length]; channels],
            // the first frame starts half a frame before the sound, so that its start counts in full
            fill: length / 2,
            heard: 0,
            windowed: vec![0.0; length],
            scratch: fft.make_scratch_vec(),
            bins: vec![fft.make_output_vec(); channels],
            sums: BinPowers {
                left: vec![0.0; bins],
                right: vec![0.0; stereo],
                cross: vec![0.0; stereo],
            },
            fft,
        }
    }

    fn length(&self) -> usize {
        self.window.len()
    }

    /// Takes from the planes what the current frame lacks; true when the frame is complete.
    fn fill(&mut self, planes: &[&[f32]], from: usize) -> (usize, bool) {
        let length = self.length();
        let frames = planes.iter().map(|plane| plane.len()).min().unwrap_or(0);
        let take = (frames - from).min(length - self.fill);
        for (frame, plane) in self.frames.iter_mut().zip(planes) {
            frame[self.fill..self.fill + take].copy_from_slice(&plane[from..from + take]);
        }
        self.fill += take;
        self.heard += take as u64;
        (take, self.fill == length)
    }

    /// Transforms the complete frame, adds its powers, and keeps its second half for the next.
    fn transform(&mut self) {
        let length = self.length();
        for (frame, bins) in self.frames.iter_mut().zip(&mut self.bins) {
            for ((out, x), w) in self.windowed.iter_mut().zip(&*frame).zip(&self.window) {
                *out = x * w;
            }
            // fails only for wrong lengths, and these are made for each other in `new`
            let _ = self.fft.process_with_scratch(&mut self.windowed, bins, &mut self.scratch);
            frame.copy_within(length / 2.., 0);
        }
        self.fill = length / 2;
        self.add_powers();
    }

    fn add_powers(&mut self) {
        let BinPowers { left, right, cross } = &mut self.sums;
        if let [l, r] = self.bins.as_slice() {
            for (((l, r), (left, right)), cross) in
                l.iter().zip(r).zip(left.iter_mut().zip(right)).zip(cross)
            {
                *left += f64::from(l.norm_sqr());
                *right += f64::from(r.norm_sqr());
                *cross += f64::from(l.re * r.re + l.im * r.im);
            }
        } else if let [mono] = self.bins.as_slice() {
            for (left, bin) in left.iter_mut().zip(mono) {
                *left += f64::from(bin.norm_sqr());
            }
        }
    }

    /// Completes the last frames with silence, handing each to `each`.
    fn finish(&mut self, mut each: impl FnMut(&mut Self)) {
        let half = self.length() / 2;
        let flushes = if self.heard == 0 { 0 } else { 1 + usize::from(self.fill > half) };
        for _ in 0..flushes {
            let fill = self.fill;
            self.frames.iter_mut().for_each(|frame| frame[fill..].fill(0.0));
            self.transform();
            each(self);
        }
    }

    /// What turns a sum of |X|^2 over bins and frames into a mean square: one-sided, over all frames heard.
    fn scale(&self) -> f64 {
        2.0 / self.length() as f64 / self.heard.max(1) as f64
    }
}

/// Lowers the rate for the bass: a box of D frames, four times over, every D-th output.
struct Decimator {
    factor: usize,
    taps: Vec<f32>,
    waiting: Vec<Vec<f32>>,
    out: Vec<Vec<f32>>,
}

impl Decimator {
    fn new(factor: usize, channels: usize) -> Self {
        let mut taps = vec![1.0f64];
        for _ in 0..4 {
            let mut next = vec![0.0; taps.len() + factor - 1];
            for (i, tap) in taps.iter().enumerate() {
                next[i..i + factor].iter_mut().for_each(|t| *t += tap / factor as f64);
            }
            taps = next;
        }
        let taps: Vec<f32> = taps.into_iter().map(|tap| tap as f32).collect();
        let waiting = vec![vec![0.0; taps.len() - 1]; channels];
        Self { factor, taps, waiting, out: vec![Vec::new(); channels] }
    }

    /// Power gain at a frequency, relative to the decimated rate.
    fn power_gain(&self, normalised: f64) -> f64 {
        let x = math::PI * normalised;
        if x == 0.0 {
            return 1.0;
        }
        let d = self.factor as f64;
        math::pow(math::sin(x) / (d * math::sin(x / d)), 8.0)
    }

    fn push(&mut self, planes: &[&[f32]]) {
        for ((waiting, plane), out) in self.waiting.iter_mut().zip(planes).zip(&mut self.out) {
            waiting.extend_from_slice(plane);
            let count = (waiting.len() + 1).saturating_sub(self.taps.len()) / self.factor;
            out.clear();
            out.extend((0..count).map(|i| dot(&self.taps, &waiting[i * self.factor..])));
            waiting.drain(..count * self.factor);
        }
    }

    fn out(&self) -> Vec<&[f32]> {
        self.out.iter().map(Vec::as_slice).collect()
    }
}

fn dot(taps: &[f32], x: &[f32]) -> f32 {
    let x = &x[..taps.len()];
    let ((taps, rest), (x, x_rest)) = (taps.as_chunks::<8>(), x.as_chunks::<8>());
    let mut sums = [0.0f32; 8];
    for (taps, x) in taps.iter().zip(x) {
        for ((sum, tap), x) in sums.iter_mut().zip(taps).zip(x) {
            *sum += tap * x;
        }
    }
    let tail: f32 = rest.iter().zip(x_rest).map(|(tap, x)| tap * x).sum();
    sums.iter().sum::<f32>() + tail
}

/// Reads the spectrum of one or two channels.
pub struct SpectrumMeter {
    rate: SampleRate,
    full: Stft,
    decimator: Decimator,
    bass: Stft,
    erb: ErbWriter,
    /// Of the full sound and of the bass.
    peaks: Option<(OctavePeaks, OctavePeaks)>,
}

/// What a spectrum meter read.
#[derive(Clone, Debug, PartialEq)]
pub struct SpectrumReading {
    /// Powers by third of an octave, over all of the sound.
    pub spectrum: Spectrum,
    /// Energies by ERB band, over time.
    pub erb: ErbEnergies,
    /// Peak of each octave's envelope over its RMS, if asked for; `None` in it where there is nothing.
    pub octave_crest_db: Option<[Option<f64>; OCTAVES]>,
}

impl SpectrumMeter {
    /// A meter for 1 or 2 channels; more are not heard.
    #[must_use]
    pub fn new(rate: SampleRate, channels: usize) -> Self {
        let channels = channels.clamp(1, 2);
        let length = frame_length(rate);
        let factor = length / FRAME_PER_DECIMATION;
        Self {
            rate,
            full: Stft::new(length, channels),
            decimator: Decimator::new(factor, channels),
            bass: Stft::new(BASS_FRAME, channels),
            erb: ErbWriter::new(rate, length),
            peaks: None,
        }
    }

    /// A meter that also reads the crest factor by octave, at about twice the cost.
    #[must_use]
    pub fn with_octave_crest(rate: SampleRate, channels: usize) -> Self {
        let mut meter = Self::new(rate, channels);
        let (full, bass) = (&meter.full.window, &meter.bass.window);
        meter.peaks = Some((
            OctavePeaks::new(FIRST_UPPER_OCTAVE..OCTAVES, full, meter.full_bin_hz()),
            OctavePeaks::new(0..FIRST_UPPER_OCTAVE, bass, meter.bass_bin_hz()),
        ));
        meter
    }

    fn full_bin_hz(&self) -> f64 {
        self.rate.hz() / self.full.length() as f64
    }

    fn bass_bin_hz(&self) -> f64 {
        self.rate.hz() / (self.decimator.factor * self.bass.length()) as f64
    }

    /// Hears equally long planes, one a channel. Samples must be finite.
    pub fn push(&mut self, planes: &[&[f32]]) {
        let frames = planes.iter().map(|plane| plane.len()).min().unwrap_or(0);
        let mut done = 0;
        while done < frames {
            let (taken, complete) = self.full.fill(planes, done);
            done += taken;
            if complete {
                self.full.transform();
                self.erb.add(&self.full.bins);
                if let Some((peaks, _)) = &mut self.peaks {
                    peaks.add(&self.full.bins);
                }
            }
        }
        self.decimator.push(planes);
        let planes = self.decimator.out();
        let mut done = 0;
        while done < planes.first().map_or(0, |plane| plane.len()) {
            let (taken, complete) = self.bass.fill(&planes, done);
            done += taken;
            if complete {
                self.bass.transform();
                if let Some((_, peaks)) = &mut self.peaks {
                    peaks.add(&self.bass.bins);
                }
            }
        }
    }

    /// What was heard.
    #[must_use]
    pub fn finish(mut self) -> SpectrumReading {
        let (erb, mut peaks) = (&mut self.erb, self.peaks.take());
        self.full.finish(|full| {
            erb.add(&full.bins);
            peaks.iter_mut().for_each(|(peaks, _)| peaks.add(&full.bins));
        });
        self.bass.finish(|bass| peaks.iter_mut().for_each(|(_, peaks)| peaks.add(&bass.bins)));
        let channels = self.full.frames.len();
        let sums = |pick: fn(&BinPowers) -> &[f64]| self.thirds(pick);
        let left = sums(|sums| &sums.left);
        let spectrum = if channels == 1 {
            Spectrum { power: left.to_vec(), stereo: None }
        } else {
            let (right, cross) = (sums(|sums| &sums.right), sums(|sums| &sums.cross));
            let power = left.iter().zip(&right).map(|(l, r)| l + r).collect();
            let [left, right, cross] = [left, right, cross].map(|band| band.to_vec());
            Spectrum { power, stereo: Some(StereoPowers { left, right, cross }) }
        };
        let octave_crest_db = peaks.map(|peaks| octave_crest_db(&spectrum, channels, &peaks));
        SpectrumReading { spectrum, erb: self.erb.finish(), octave_crest_db }
    }

    fn thirds(&self, pick: fn(&BinPowers) -> &[f64]) -> [f64; THIRDS] {
        let (full_hz, bass_hz) = (self.full_bin_hz(), self.bass_bin_hz());
        let bass: Vec<f64> = pick(&self.bass.sums)
            .iter()
            .enumerate()
            .map(|(k, p)| p / self.decimator.power_gain(k as f64 / self.bass.length() as f64))
            .collect();
        let full = pick(&self.full.sums);
        std::array::from_fn(|third| {
            let edges = bands::third_edges_hz(third);
            let (bins, bin_hz, scale) = if third < FIRST_UPPER_THIRD {
                (bass.as_slice(), bass_hz, self.bass.scale())
            } else {
                (full, full_hz, self.full.scale())
            };
            BinRange::new(edges, bin_hz, bins.len()).map_or(0.0, |band| band.sum(bins) * scale)
        })
    }
}

/// Peak over RMS (mean of the channels) of each octave; what is 60 dB below the strongest is but leakage.
fn octave_crest_db(
    spectrum: &Spectrum,
    channels: usize,
    (full, bass): &(OctavePeaks, OctavePeaks),
) -> [Option<f64>; OCTAVES] {
    const DEPTH_DB: f64 = 60.0;
    let power = spectrum.octave_power();
    let floor_db = power_to_db(power.iter().copied().fold(0.0, f64::max)) - DEPTH_DB;
    std::array::from_fn(|octave| {
        let peaks = if octave < FIRST_UPPER_OCTAVE { bass } else { full };
        let peak_db = power_to_db(f64::from(peaks.peak_square[octave]));
        let rms_db = power_to_db(power[octave] / channels as f64);
        dynamics::difference(peak_db, rms_db).filter(|_| power_to_db(power[octave]) > floor_db)
    })
}

fn frame_length(rate: SampleRate) -> usize {
    let octaves = math::log2(rate.hz() / 48_000.0).round();
    math::exp2(octaves + math::log2(FRAME_AT_48K)).round() as usize
}

/// Powers in thirds of an octave, as mean squares (a full-scale sine has 0.5).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Spectrum {
    /// Sum over channels, for each of the [`THIRDS`].
    pub power: Vec<f64>,
    /// Both sides apart, if there are two.
    pub stereo: Option<StereoPowers>,
}

/// What two channels do in each third of an octave.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct StereoPowers {
    /// Mean square of the left channel.
    pub left: Vec<f64>,
    /// Mean square of the right channel.
    pub right: Vec<f64>,
    /// Mean of left times right.
    pub cross: Vec<f64>,
}

impl Spectrum {
    /// Level of each third of an octave in dB, all channels together; minus infinity where there is nothing.
    #[must_use]
    pub fn thirds_db(&self) -> Vec<f64> {
        self.power.iter().map(|&p| power_to_db(p)).collect()
    }

    /// Power of each of the [`OCTAVES`].
    #[must_use]
    pub fn octave_power(&self) -> [f64; OCTAVES] {
        octaves_of(&self.power)
    }

    /// Power of all bands together.
    #[must_use]
    pub fn total_power(&self) -> f64 {
        self.power.iter().sum()
    }

    /// Slope of the power density (per Hz) in dB per octave: straight line of least squares through the thirds
    /// from 100 Hz to 10 kHz that are within 80 dB of the strongest. White noise 0, pink -3, records about
    /// -4.5. `None` with fewer than six such bands.
    #[must_use]
    pub fn tilt_db_per_octave(&self) -> Option<f64> {
        const BANDS: std::ops::RangeInclusive<usize> = 7..=27;
        const DEPTH_DB: f64 = 80.0;
        const FEWEST: usize = 6;
        let strongest = self.power.iter().copied().fold(0.0, f64::max);
        let floor = power_to_db(strongest) - DEPTH_DB;
        let point = |third: usize| {
            let level_db = power_to_db(*self.power.get(third)?);
            let hz = bands::third_centre_hz(third);
            (level_db > floor).then(|| (math::log2(hz), level_db - power_to_db(hz)))
        };
        let points: Vec<(f64, f64)> = BANDS.filter_map(point).collect();
        (points.len() >= FEWEST).then(|| slope(&points))
    }
}

/// Sums of three thirds each.
pub(crate) fn octaves_of(thirds: &[f64]) -> [f64; OCTAVES] {
    std::array::from_fn(|o| thirds.get(3 * o + 1..3 * o + 4).map_or(0.0, |t| t.iter().sum()))
}

fn slope(points: &[(f64, f64)]) -> f64 {
    let n = points.len() as f64;
    let mean_x = points.iter().map(|p| p.0).sum::<f64>() / n;
    let mean_y = points.iter().map(|p| p.1).sum::<f64>() / n;
    let xy: f64 = points.iter().map(|(x, y)| (x - mean_x) * (y - mean_y)).sum();
    let xx: f64 = points.iter().map(|(x, _)| (x - mean_x) * (x - mean_x)).sum();
    xy / xx
}

/// Energy in the ear's bands over time, all channels together.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ErbEnergies {
    /// Time from one frame to the next, in seconds (64 to 93 ms, by rate).
    pub frame_s: f64,
    /// Mean squares: frame after frame, [`ERB_BANDS`] each.
    pub energy: Vec<f32>,
}

impl ErbEnergies {
    /// The frames in order, [`ERB_BANDS`] mean squares each.
    pub fn frames(&self) -> impl ExactSizeIterator<Item = &[f32]> {
        self.energy.chunks_exact(ERB_BANDS)
    }
}

/// Averages FFT frames into ERB frames.
struct ErbWriter {
    bands: Vec<Option<BinRange>>,
    power: Vec<f32>,
    pending: [f64; ERB_BANDS],
    count: usize,
    scale: f64,
    out: ErbEnergies,
}

impl ErbWriter {
    fn new(rate: SampleRate, length: usize) -> Self {
        let bins = length / 2 + 1;
        let bin_hz = rate.hz() / length as f64;
        let band = |b: usize| BinRange::new(bands::erb_edges_hz(b), bin_hz, bins);
        let hop = length / 2;
        Self {
            bands: (0..ERB_BANDS).map(band).collect(),
            power: vec![0.0; bins],
            pending: [0.0; ERB_BANDS],
            count: 0,
            // a frame stands for the hop at its middle, because the squared windows add up to one
            scale: 2.0 / length as f64 / (ERB_AVERAGE * hop) as f64,
            out: ErbEnergies {
                frame_s: (ERB_AVERAGE * hop) as f64 / rate.hz(),
                energy: Vec::new(),
            },
        }
    }

    fn add(&mut self, channels: &[Vec<Complex<f32>>]) {
        self.power.fill(0.0);
        for bins in channels {
            for (power, bin) in self.power.iter_mut().zip(bins) {
                *power += bin.norm_sqr();
            }
        }
        for (pending, band) in self.pending.iter_mut().zip(&self.bands) {
            *pending += band.as_ref().map_or(0.0, |band| band.sum(&self.power));
        }
        self.count += 1;
        if self.count == ERB_AVERAGE {
            self.write();
        }
    }

    fn write(&mut self) {
        let scale = self.scale;
        self.out.energy.extend(self.pending.iter().map(|e| (e * scale) as f32));
        self.pending = [0.0; ERB_BANDS];
        self.count = 0;
    }

    fn finish(mut self) -> ErbEnergies {
        if self.count > 0 {
            self.write();
        }
        self.out
    }
}
