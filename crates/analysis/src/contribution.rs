//! What one track or group adds to the mix: the mix against the mix without it, through the bus.
//!
//! The exact answer renders the mix twice, B(x + r) and B(r). The cheap one freezes the bus: the gain g(t) that the
//! bus applied to the whole mix is applied to the part x and to the rest r alike (the common-gain split). It is
//! linear, so parts add up to the mix and their balance at any instant is right; what it cannot tell is how g itself
//! would change. Use it for moves of 1 dB at most; a bus compressor takes up 30 to 65 % of a larger one.
//!
//! All of this works on energies per hop or frame. Energies of different parts add where the parts are unrelated,
//! as tracks mostly are; doubled or delayed copies of one sound need the exact way.

use crate::loudness::{HOPS_PER_SECOND, Loudness};
use crate::spectrum::ErbEnergies;
use crate::{ERB_BANDS, OCTAVES, TimeSpan, dynamics, erb_centre_hz, octave_centre_hz};
use serde::{Deserialize, Serialize};
use topdown_dsp::math;
use topdown_units::{db_to_power, power_to_db};

/// A sound's energies over time, as a listener measured them.
#[derive(Clone, Copy, Debug)]
pub struct Energies<'a> {
    /// K-weighted, every 10 ms.
    pub loudness: &'a Loudness,
    /// By ERB band.
    pub erb: &'a ErbEnergies,
}

/// What a part adds.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Contribution {
    /// Loudness of the whole less that of the rest; `None` if either is silent.
    pub adds_lu: Option<f64>,
    /// What it adds to each octave, in dB; `None` where the whole or the rest is silent, and always for 31.5 Hz,
    /// where no ERB band lies.
    pub adds_by_octave_db: [Option<f64>; OCTAVES],
}

/// Compares the whole with what remains without the part, over a span.
#[must_use]
pub fn contribution(whole: Energies<'_>, rest: Energies<'_>, span: TimeSpan) -> Contribution {
    let lufs = |sound: Energies<'_>| sound.loudness.over_span(span).mean_lufs();
    let (all, without) = (octaves(whole.erb, span), octaves(rest.erb, span));
    Contribution {
        adds_lu: dynamics::difference(lufs(whole), lufs(rest)),
        adds_by_octave_db: std::array::from_fn(|o| {
            dynamics::difference(power_to_db(all[o]), power_to_db(without[o]))
        }),
    }
}

fn octaves(erb: &ErbEnergies, span: TimeSpan) -> [f64; OCTAVES] {
    let frame = |seconds: f64| (seconds / erb.frame_s).round().max(0.0) as usize;
    let (start, end) = (frame(span.start_s), frame(span.end_s));
    let mut sums = [0.0; OCTAVES];
    for energies in erb.frames().take(end).skip(start) {
        for (band, &energy) in energies.iter().enumerate() {
            sums[octave_of(band)] += f64::from(energy);
        }
    }
    sums
}

/// The octave that an ERB band's centre lies in.
fn octave_of(band: usize) -> usize {
    let octave = math::log2(erb_centre_hz(band) / octave_centre_hz(0)).round().max(0.0) as usize;
    octave.min(OCTAVES - 1)
}

/// Loudness after a gain that changes over time, one value in dB for each hop; the last one stays.
#[must_use]
pub fn loudness_with_gain(loudness: &Loudness, gain_db: &[f32]) -> Loudness {
    let gains = gain_at(gain_db);
    let hops = loudness.hop_energy.iter().enumerate();
    Loudness { hop_energy: hops.map(|(hop, e)| (f64::from(*e) * gains(hop)) as f32).collect() }
}

/// Band energies after a gain that changes over time, one value in dB for each hop of 10 ms.
#[must_use]
pub fn erb_with_gain(erb: &ErbEnergies, gain_db: &[f32]) -> ErbEnergies {
    let gains = gain_at(gain_db);
    let hops_per_frame = erb.frame_s * HOPS_PER_SECOND as f64;
    let hop = |frame: usize| (frame as f64 * hops_per_frame).round() as usize;
    let mut energy = Vec::with_capacity(erb.energy.len());
    for (index, frame) in erb.frames().enumerate() {
        let hops = hop(index)..hop(index + 1).max(hop(index) + 1);
        let count = hops.len() as f64;
        let gain = hops.map(&gains).sum::<f64>() / count;
        energy.extend(frame.iter().map(|&e| (f64::from(e) * gain) as f32));
    }
    ErbEnergies { frame_s: erb.frame_s, energy }
}

fn gain_at(gain_db: &[f32]) -> impl Fn(usize) -> f64 {
    move |hop| gain_db.get(hop).or(gain_db.last()).map_or(1.0, |&db| db_to_power(f64::from(db)))
}

/// The whole less a part that is unrelated to the rest; never below zero.
#[must_use]
pub fn rest_of(whole: Energies<'_>, part: Energies<'_>) -> (Loudness, ErbEnergies) {
    let less = |whole: &[f32], part: &[f32]| {
        let part = part.iter().copied().chain(std::iter::repeat(0.0));
        whole.iter().zip(part).map(|(w, p)| (w - p).max(0.0)).collect::<Vec<f32>>()
    };
    let hop_energy = less(&whole.loudness.hop_energy, &part.loudness.hop_energy);
    let energy = less(&whole.erb.energy, &part.erb.energy);
    debug_assert_eq!(energy.len() % ERB_BANDS, 0);
    (Loudness { hop_energy }, ErbEnergies { frame_s: whole.erb.frame_s, energy })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn steady(
        seconds: usize,
        energy: f32,
        bands: std::ops::Range<usize>,
    ) -> (Loudness, ErbEnergies) {
        let frame: Vec<f32> =
            (0..ERB_BANDS).map(|b| if bands.contains(&b) { energy } else { 0.0 }).collect();
        (
            Loudness { hop_energy: vec![energy; seconds * HOPS_PER_SECOND] },
            ErbEnergies { frame_s: 0.1, energy: frame.repeat(seconds * 10) },
        )
    }

    fn energies(sound: &(Loudness, ErbEnergies)) -> Energies<'_> {
        Energies { loudness: &sound.0, erb: &sound.1 }
    }

    #[test]
    fn one_of_two_equals_adds_three_lu_where_it_plays_and_nothing_where_it_does_not() {
        let whole = steady(10, 2e-3, 0..ERB_BANDS);
        let part = steady(5, 1e-3, 18..34);
        let rest = rest_of(energies(&whole), energies(&part));
        let span = |start_s, end_s| TimeSpan { start_s, end_s };
        let first = contribution(energies(&whole), energies(&rest), span(0.0, 5.0));
        assert!((first.adds_lu.unwrap() - 3.01).abs() < 0.01, "{first:?}");
        assert!(first.adds_by_octave_db[1].unwrap().abs() < 0.01);
        assert!((first.adds_by_octave_db[octave_of(25)].unwrap() - 3.01).abs() < 0.01);
        let second = contribution(energies(&whole), energies(&rest), span(5.0, 10.0));
        assert!(second.adds_lu.unwrap().abs() < 1e-6, "{second:?}");
    }

    #[test]
    fn a_common_gain_moves_levels_but_no_balance() {
        let (vocal, band) = (steady(4, 1e-3, 10..30), steady(4, 4e-3, 0..40));
        let gain: Vec<f32> = (0..400).map(|i| -(i % 50) as f32 / 10.0).collect();
        let balance = |gain: &[f32]| {
            let lufs = |l: &Loudness| loudness_with_gain(l, gain).over(100..110).mean_lufs();
            lufs(&vocal.0) - lufs(&band.0)
        };
        assert!((balance(&gain) - balance(&[])).abs() < 1e-5);
        let quieter = erb_with_gain(&vocal.1, &[-6.0]);
        let step_db = power_to_db(f64::from(quieter.energy[15] / vocal.1.energy[15]));
        assert!((step_db + 6.0).abs() < 1e-4, "{step_db}");
    }
}
