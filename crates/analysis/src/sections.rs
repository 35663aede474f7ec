//! The shape of a song: its excerpts, its beat and its sections, from what was measured of its tracks.
//!
//! Pure functions of energies over time; no sound is read here. [`excerpts`] picks what trials listen to,
//! [`tempo`] finds the beat, [`novelty`] the borders of sections.

pub mod excerpts;

pub use excerpts::{Excerpt, ExcerptKind};

use crate::TimeSpan;

/// One track's loudness over time.
#[derive(Clone, Copy, Debug)]
pub struct TrackEnergies<'a> {
    /// K-weighted mean square of each hop.
    pub hop_energy: &'a [f32],
    /// Where its first hop lies in the song, in hops.
    pub start_hop: usize,
    /// Whether it leads the song.
    pub is_lead: bool,
}

/// Half a second: short against a bar, long against a note.
const SLOT_S: f64 = 0.5;
/// Mean square of -70 LUFS, the absolute gate of BS.1770.
const GATE_ENERGY: f64 = 1.2e-7;

/// Tracks in slots of half a second.
struct Slots {
    slot_s: f64,
    /// `tracks[t][slot]`: mean energy.
    tracks: Vec<Vec<f64>>,
    total: Vec<f64>,
    is_lead: Vec<bool>,
}

impl Slots {
    fn new(tracks: &[TrackEnergies<'_>], hop_s: f64) -> Self {
        let sound = hop_s > 0.0 && hop_s <= SLOT_S;
        let hops = if sound { (SLOT_S / hop_s).round() as usize } else { 1 };
        let end = |t: &TrackEnergies<'_>| t.start_hop.saturating_add(t.hop_energy.len());
        let len = if sound { tracks.iter().map(end).max().unwrap_or(0).div_ceil(hops) } else { 0 };
        let slotted: Vec<Vec<f64>> = tracks.iter().map(|t| slots_of(t, hops, len)).collect();
        let total = (0..len).map(|slot| slotted.iter().map(|t| t[slot]).sum()).collect();
        Self {
            slot_s: hops as f64 * hop_s,
            tracks: slotted,
            total,
            is_lead: tracks.iter().map(|t| t.is_lead).collect(),
        }
    }

    fn span(&self, first: usize, last: usize) -> TimeSpan {
        TimeSpan { start_s: first as f64 * self.slot_s, end_s: last as f64 * self.slot_s }
    }

    /// First slot and one past the last that are within `range_db` of the loudest; `None` if silent.
    fn song_range(&self, range_db: f64) -> Option<(usize, usize)> {
        let loudest = self.total.iter().copied().fold(0.0, f64::max);
        let least = (loudest * topdown_units::db_to_power(-range_db)).max(GATE_ENERGY);
        let first = self.total.iter().position(|&e| e >= least)?;
        let last = self.total.iter().rposition(|&e| e >= least)?;
        Some((first, last + 1))
    }

    /// For each track, whether it plays in each slot.
    fn active(&self, range_db: f64) -> Vec<Vec<bool>> {
        let factor = topdown_units::db_to_power(-range_db);
        let plays = |track: &Vec<f64>| {
            let sounding: Vec<f64> = track.iter().copied().filter(|&e| e > GATE_ENERGY).collect();
            let least = (percentile(sounding, 0.95) * factor).max(GATE_ENERGY);
            track.iter().map(|&e| e >= least).collect()
        };
        self.tracks.iter().map(plays).collect()
    }
}

/// A mean square that can be added up, whatever was measured.
fn sane(energy: f32) -> f64 {
    if energy.is_finite() { f64::from(energy).max(0.0) } else { 0.0 }
}

fn slots_of(track: &TrackEnergies<'_>, hops: usize, len: usize) -> Vec<f64> {
    let mut slots = vec![0.0; len];
    for (i, &energy) in track.hop_energy.iter().enumerate() {
        if let Some(slot) = slots.get_mut((track.start_hop + i) / hops) {
            *slot += sane(energy) / hops as f64;
        }
    }
    slots
}

/// The value that the share `p` of the values does not exceed; 0 if there are none.
fn percentile(mut values: Vec<f64>, p: f64) -> f64 {
    values.sort_by(f64::total_cmp);
    let at = (values.len().saturating_sub(1) as f64 * p).round() as usize;
    values.get(at).copied().unwrap_or(0.0)
}
