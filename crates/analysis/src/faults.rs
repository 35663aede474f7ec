//! Faults of one track, with where they are and how sure it is.
//!
//! A detector names a fault only if the sound cannot well be meant: better to miss a mild fault than to invent
//! one. Thresholds are named constants beside each detector, calibrated on planted faults and clean
//! material (the table in `docs/hearing.md` is made by the example `fault_table`). What a role may sound
//! like decides with: a hi-hat has no lows to miss. Hum and noise are heard in the pauses of a track only.
//!
//! [`find`] hears planar sound of any rate from 8 kHz, mono or stereo, at any level.

mod spectral;
mod waveform;

use crate::TimeSpan;
use crate::roles::Role;
use serde::{Deserialize, Serialize};
use topdown_units::SampleRate;

/// What can be wrong with a track.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum FaultKind {
    /// Peaks cut flat. Amount: runs of cut samples.
    Clipping,
    /// Single disturbed samples: clicks, bad edits, digital errors. Amount: how many.
    Clicks,
    /// Mains hum of 50 or 60 Hz with harmonics. Amount: dB relative to the loud parts.
    Hum,
    /// Steady broadband noise. Amount: dB relative to the loud parts.
    NoiseFloor,
    /// A mean that is not zero. Amount: part of full scale.
    DcOffset,
    /// Sharp s sounds. Amount: dB relative to the vowels.
    Sibilance,
    /// Blasts of breath. Amount: how many.
    Plosives,
    /// A channel without sound. Amount: dB relative to the other channel.
    DeadChannel,
    /// Peaks squashed against the body of the sound. Amount: crest factor in dB.
    OverCompression,
    /// A low instrument without lows. Amount: dB of the lows relative to the whole.
    MissingLows,
}

impl FaultKind {
    /// Every kind, in the order of reports.
    pub const ALL: [FaultKind; 10] = [
        Self::Clipping,
        Self::Clicks,
        Self::Hum,
        Self::NoiseFloor,
        Self::DcOffset,
        Self::Sibilance,
        Self::Plosives,
        Self::DeadChannel,
        Self::OverCompression,
        Self::MissingLows,
    ];
}

/// One fault of a track.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Fault {
    /// What is wrong.
    pub kind: FaultKind,
    /// 0 to 1: 0.5 at the threshold of the detector, 1 far beyond it.
    pub confidence: f64,
    /// How much, in the unit that the kind's documentation names.
    pub amount: f64,
    /// The frequency it is about, if it is about one.
    pub hz: Option<f64>,
    /// The channel it is about (0 left, 1 right), if it is about one.
    pub channel: Option<usize>,
    /// Where it is; empty if everywhere.
    pub spans: Vec<TimeSpan>,
}

impl Fault {
    fn everywhere(kind: FaultKind, confidence: f64, amount: f64) -> Self {
        Self { kind, confidence, amount, hz: None, channel: None, spans: Vec::new() }
    }
}

/// Confidence of a measure that just passes `threshold` (0.5) or passes it by `sure` or more (1).
fn confidence(measure: f64, threshold: f64, sure: f64) -> f64 {
    (0.5 + 0.5 * (measure - threshold) / sure).clamp(0.0, 1.0)
}

/// Finds the faults of a track, in the order of [`FaultKind::ALL`]. `role` is what the track is;
/// [`Role::Other`] if unknown, which asks nothing of it that only some roles must fulfil. A silent track has no
/// faults but dead channels.
#[must_use]
pub fn find(planes: &[&[f32]], rate: SampleRate, role: Role) -> Vec<Fault> {
    let clean: Vec<Vec<f32>> =
        planes.iter().map(|p| p.iter().map(|&x| sane(x)).collect()).collect();
    let mut faults: Vec<Fault> = Vec::new();
    for plane in &clean {
        for fault in
            waveform::find(plane, rate, role).into_iter().chain(spectral::find(plane, rate, role))
        {
            keep_worse(&mut faults, fault);
        }
    }
    faults.extend(waveform::dead_channel(&clean));
    faults.sort_by_key(|f| f.kind);
    faults
}

fn sane(x: f32) -> f32 {
    if x.is_finite() { x.clamp(-1e6, 1e6) } else { 0.0 }
}

/// Both channels may have the same fault: it is told once, by the surer channel.
fn keep_worse(faults: &mut Vec<Fault>, fault: Fault) {
    match faults.iter_mut().find(|f| f.kind == fault.kind) {
        Some(known) if known.confidence >= fault.confidence => {}
        Some(known) => *known = fault,
        None => faults.push(fault),
    }
}

#[cfg(test)]
mod tests;
