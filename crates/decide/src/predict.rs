//! A cheap guess at what a changed session would sound like, to rank candidates before they are heard.
//!
//! Strips are worked out from the tracks down to the bus: the change of what comes in carries over as
//! energies (unrelated sources add in power), a changed chain acts by the ratio of its model after and
//! before, and on the bus the compressor's static curve runs again. What needs samples (peaks, side,
//! correlation) is taken to stay as it was.

use crate::bands::{self, frame_powers};
use crate::chain::ChainModel;
use crate::picture::ratio;
use crate::trial::{Heard, HeardExcerpt, StripHeard};
use std::sync::Arc;
use topdown_analysis::{
    ERB_BANDS, cam_of_hz, erb_centre_hz, spectrum::ErbEnergies, third_centre_hz,
};
use topdown_session::{Session, Strip, StripId};

/// What `after` would sound like, from `before` as heard.
pub(crate) fn predict(heard: &Heard, before: &Session, after: &Session) -> Heard {
    let excerpts = heard.excerpts.iter().map(|excerpt| {
        let mut next = excerpt.clone();
        if let Some(bus) = after.bus() {
            strip(&bus.id, excerpt, &mut next, before, after);
            mix(&bus.id, excerpt, &mut next);
        }
        next
    });
    Heard { excerpts: excerpts.collect(), drive_lufs: heard.drive_lufs.clone() }
}

/// Works out a strip and everything that feeds it; true when it changes.
fn strip(
    id: &StripId,
    old: &HeardExcerpt,
    next: &mut HeardExcerpt,
    before: &Session,
    after: &Session,
) -> bool {
    let members: Vec<StripId> = after.members(id).map(|member| member.id.clone()).collect();
    let changed: Vec<StripId> =
        members.into_iter().filter(|member| strip(member, old, next, before, after)).collect();
    let (Some(was), Some(is)) = (before.strip(id), after.strip(id)) else { return false };
    let same = was.chain == is.chain && was.fader_db == is.fader_db;
    let Some(heard) = old.strips.get(id).filter(|_| !(same && changed.is_empty())) else {
        return false;
    };
    let input = if changed.is_empty() {
        Arc::clone(&heard.input)
    } else {
        Arc::new(with_members(&heard.input, &changed, old, next))
    };
    let output = Arc::new(output(heard, &input, (was, is), before.sample_rate));
    next.strips.insert(id.clone(), StripHeard { input, output });
    true
}

/// The least that is left of an input when members get quieter, as a share of its power.
const LEAST_LEFT: f32 = 0.01;

fn with_members(
    input: &ErbEnergies,
    changed: &[StripId],
    old: &HeardExcerpt,
    next: &HeardExcerpt,
) -> ErbEnergies {
    let mut sum = input.clone();
    for id in changed {
        let (Some(was), Some(is)) = (old.strips.get(id), next.strips.get(id)) else { continue };
        let pairs = was.output.energy.iter().zip(&is.output.energy);
        sum.energy.iter_mut().zip(pairs).for_each(|(sum, (was, is))| *sum += is - was);
    }
    let floor = input.energy.iter().map(|e| e * LEAST_LEFT);
    sum.energy.iter_mut().zip(floor).for_each(|(sum, floor)| *sum = sum.max(floor));
    sum
}

fn output(
    heard: &StripHeard,
    input: &ErbEnergies,
    (was, is): (&Strip, &Strip),
    rate: topdown_units::SampleRate,
) -> ErbEnergies {
    let (model_was, model_is) = (ChainModel::of(was, rate), ChainModel::of(is, rate));
    let fixed: [f32; ERB_BANDS] =
        std::array::from_fn(|band| (model_is.gain(band) / model_was.gain(band).max(1e-15)) as f32);
    let (powers_was, powers_is) = (frame_powers(&heard.input), frame_powers(input));
    let grown = ratio(input, &heard.input);
    let mut out = ErbEnergies::clone(&heard.output);
    let frames = out.energy.chunks_exact_mut(ERB_BANDS).zip(grown.chunks_exact(ERB_BANDS));
    for ((frame, grown), (was, is)) in frames.zip(powers_was.iter().zip(&powers_is)) {
        let dynamic = (model_is.dynamic_gain(*is) / model_was.dynamic_gain(*was)) as f32;
        for ((e, grown), fixed) in frame.iter_mut().zip(grown).zip(&fixed) {
            *e *= grown * fixed * dynamic;
        }
    }
    out
}

/// The mix's figures that follow from energies.
fn mix(bus: &StripId, old: &HeardExcerpt, next: &mut HeardExcerpt) {
    let (Some(was), Some(is)) = (old.strips.get(bus), next.strips.get(bus)) else { return };
    let (was, is) = (Arc::clone(&was.output), Arc::clone(&is.output));
    let change = bands::integrated_lufs([&*is]) - bands::integrated_lufs([&*was]);
    if change.is_finite() {
        next.mix.loudness_lufs += change;
        next.mix.true_peak_dbtp += change;
    }
    let (was, is) = (band_sums(&was), band_sums(&is));
    for (third, power) in next.mix.third_power.iter_mut().enumerate() {
        let band = nearest_band(third_centre_hz(third));
        if let (Some(was), Some(is)) = (was.get(band), is.get(band))
            && *was > 0.0
        {
            *power *= is / was;
        }
    }
}

fn band_sums(energies: &ErbEnergies) -> [f64; ERB_BANDS] {
    let mut sums = [0.0; ERB_BANDS];
    for frame in energies.frames() {
        sums.iter_mut().zip(frame).for_each(|(sum, e)| *sum += f64::from(*e));
    }
    sums
}

fn nearest_band(hz: f64) -> usize {
    let (low, high) = (cam_of_hz(erb_centre_hz(0)), cam_of_hz(erb_centre_hz(ERB_BANDS - 1)));
    let place = (cam_of_hz(hz) - low) / (high - low) * (ERB_BANDS - 1) as f64;
    (place.round().max(0.0) as usize).min(ERB_BANDS - 1)
}
