//! One pass through all meters: a source track, or the mix at the output of a bus.
//!
//! A listener repairs what is not sound (NaN and infinity become silence, anything beyond +120 dBFS is cut there,
//! both are counted), hands it to the meters, and gives plain measurements.

use crate::dynamics::{self, Dynamics};
use crate::levels::{LevelMeter, Levels};
use crate::loudness::{Loudness, LoudnessMeter, LoudnessSummary};
use crate::spectrum::{ErbEnergies, Spectrum, SpectrumMeter, SpectrumReading};
use crate::stereo::Stereo;
use crate::true_peak::{PeakFilter, TruePeak, TruePeakMeter};
use crate::{TimeSpan, db_or_null};
use serde::{Deserialize, Serialize};
use topdown_units::SampleRate;

/// No sound is louder than this magnitude (+120 dBFS): beyond, squares would leave the range of `f32`.
const LOUDEST: f32 = 1e6;

/// The meters that every listener has.
struct Meters {
    rate: SampleRate,
    channels: usize,
    frames: u64,
    broken_samples: u64,
    repaired: Vec<Vec<f32>>,
    loudness: LoudnessMeter,
    peak: TruePeakMeter,
    itu_peak: Option<TruePeakMeter>,
    levels: LevelMeter,
    spectrum: SpectrumMeter,
}

impl Meters {
    fn new(rate: SampleRate, channels: usize, peak: PeakFilter) -> Self {
        let channels = channels.clamp(1, 2);
        let long = peak == PeakFilter::Long;
        Self {
            rate,
            channels,
            frames: 0,
            broken_samples: 0,
            repaired: vec![Vec::new(); channels],
            loudness: LoudnessMeter::new(rate, channels),
            peak: TruePeakMeter::new(rate, channels, peak),
            itu_peak: long.then(|| TruePeakMeter::new(rate, channels, PeakFilter::Itu)),
            levels: LevelMeter::new(rate, channels),
            spectrum: if long {
                SpectrumMeter::with_octave_crest(rate, channels)
            } else {
                SpectrumMeter::new(rate, channels)
            },
        }
    }

    fn push(&mut self, planes: &[&[f32]]) {
        let planes = &planes[..planes.len().min(self.channels)];
        if planes.len() < self.channels {
            return;
        }
        let broken: usize = planes.iter().map(|plane| broken_samples(plane)).sum();
        if broken == 0 {
            return self.hear(planes);
        }
        self.broken_samples += broken as u64;
        let mut repaired = std::mem::take(&mut self.repaired);
        for (repaired, plane) in repaired.iter_mut().zip(planes) {
            repaired.clear();
            repaired.extend(plane.iter().map(|&x| repair(x)));
        }
        self.hear(&repaired.iter().map(Vec::as_slice).collect::<Vec<_>>());
        self.repaired = repaired;
    }

    fn hear(&mut self, planes: &[&[f32]]) {
        self.frames += planes.iter().map(|plane| plane.len()).min().unwrap_or(0) as u64;
        self.loudness.push(planes);
        self.peak.push(planes);
        if let Some(peak) = &mut self.itu_peak {
            peak.push(planes);
        }
        self.levels.push(planes);
        self.spectrum.push(planes);
    }

    fn finish(self) -> MixMeasurements {
        let loudness = self.loudness.finish();
        let true_peak = self.peak.finish();
        let (levels, blocks) = self.levels.finish();
        let SpectrumReading { spectrum, erb, octave_crest_db } = self.spectrum.finish();
        let summary = loudness.summary();
        let psr = dynamics::psr_min(&true_peak.slot_peak, &loudness);
        MixMeasurements {
            rate_hz: self.rate.get(),
            channels: self.channels,
            duration_s: self.frames as f64 / self.rate.hz(),
            broken_samples: self.broken_samples,
            dynamics: Dynamics {
                crest_db: dynamics::difference(levels.sample_peak_dbfs, levels.rms_dbfs),
                crest_by_octave_db: octave_crest_db,
                plr_lu: dynamics::difference(true_peak.dbtp, summary.integrated_lufs),
                psr_min_lu: psr.map(|psr| psr.0),
                psr_min_at_s: psr.map(|psr| psr.1),
                dr_db: dynamics::dr_db(&blocks),
            },
            stereo: Stereo::read(&spectrum, &blocks),
            itu_dbtp: self.itu_peak.map_or(f64::NEG_INFINITY, |peak| peak.finish().dbtp),
            summary,
            loudness,
            true_peak,
            levels,
            spectrum,
            erb,
        }
    }
}

fn is_sound(x: f32) -> bool {
    x.abs() <= LOUDEST
}

/// Samples that are not finite or beyond all measure.
fn broken_samples(plane: &[f32]) -> usize {
    // almost always none: the whole plane is asked first, without counting
    if plane.iter().fold(true, |all, &x| all & is_sound(x)) {
        return 0;
    }
    plane.iter().filter(|&&x| !is_sound(x)).count()
}

fn repair(x: f32) -> f32 {
    if x.is_finite() { x.clamp(-LOUDEST, LOUDEST) } else { 0.0 }
}

/// Hears the mix at the output of a bus or group, with one or two channels.
pub struct MixListener(Meters);

impl MixListener {
    /// With the long true-peak filter and the ITU reading beside it: for prints and reports.
    #[must_use]
    pub fn new(rate: SampleRate, channels: usize) -> Self {
        Self(Meters::new(rate, channels, PeakFilter::Long))
    }

    /// For trials, which are heard hundreds of times: with a short true-peak filter, without the ITU reading and
    /// without the crest factor by octave. The rest is the same.
    #[must_use]
    pub fn trial(rate: SampleRate, channels: usize) -> Self {
        Self(Meters::new(rate, channels, PeakFilter::Short))
    }

    /// Hears equally long planes, one a channel, of any length.
    pub fn push(&mut self, planes: &[&[f32]]) {
        self.0.push(planes);
    }

    /// What was heard.
    #[must_use]
    pub fn finish(self) -> MixMeasurements {
        self.0.finish()
    }
}

/// Hears one source track, with one or two channels.
pub struct TrackListener(Meters);

impl TrackListener {
    /// A listener for a track of 1 or 2 channels.
    #[must_use]
    pub fn new(rate: SampleRate, channels: usize) -> Self {
        Self(Meters::new(rate, channels, PeakFilter::Long))
    }

    /// Hears equally long planes, one a channel, of any length.
    pub fn push(&mut self, planes: &[&[f32]]) {
        self.0.push(planes);
    }

    /// What was heard.
    #[must_use]
    pub fn finish(self) -> TrackMeasurements {
        let sound = self.0.finish();
        TrackMeasurements { active_spans: sound.loudness.active_spans(), sound }
    }
}

/// What the mix sounds like: the whole of it in figures, and its energies over time.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct MixMeasurements {
    /// Frames per second.
    pub rate_hz: u32,
    /// 1 or 2.
    pub channels: usize,
    /// Length in seconds.
    pub duration_s: f64,
    /// Samples that were NaN, infinite or beyond +120 dBFS, and were not heard as such.
    pub broken_samples: u64,
    /// Loudness of the whole.
    pub summary: LoudnessSummary,
    /// Loudness over time: ask it for any span.
    pub loudness: Loudness,
    /// True peak by this listener's filter.
    pub true_peak: TruePeak,
    /// True peak by the filter printed in BS.1770-5; minus infinity if it was not read.
    #[serde(with = "db_or_null")]
    pub itu_dbtp: f64,
    /// Plain levels.
    pub levels: Levels,
    /// Crest, PLR, PSR, DR.
    pub dynamics: Dynamics,
    /// Powers by third of an octave.
    pub spectrum: Spectrum,
    /// Energies in the ear's bands over time.
    pub erb: ErbEnergies,
    /// The stereo picture; `None` for mono.
    pub stereo: Option<Stereo>,
}

/// What a source track sounds like.
///
/// A mono track is one channel here; [`crate::loudness::MONO_AT_CENTRE_LU`] says what it gains in a stereo mix.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct TrackMeasurements {
    /// The same figures as of a mix.
    pub sound: MixMeasurements,
    /// Where the track plays (see [`Loudness::active_spans`]).
    pub active_spans: Vec<TimeSpan>,
}
