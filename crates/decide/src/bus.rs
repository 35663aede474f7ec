//! The mix bus, first and with everything playing: broad tone towards the corridor, then glue.

use crate::chain::Band;
use crate::cost::{CHARACTER_DELTA, tone_excess_db};
use crate::desk::{Desk, Proposal};
use crate::profile::JUDGED_THIRDS;
use crate::propose::{self, CompressorPlan, EqPlan, finding, has, has_driven};
use crate::run::DecideError;
use topdown_analysis::third_centre_hz;
use topdown_session::{Stage, StripId};

/// Gains of bus bands: nobody moves a mix bus by more than 2 dB.
const GAINS_DB: [f64; 4] = [-2.0, -1.0, 1.0, 2.0];
/// Shelves and broad bells that a bus equaliser is made of.
const LOW_SHELVES_HZ: [f64; 2] = [90.0, 180.0];
const BELLS_HZ: [f64; 4] = [250.0, 600.0, 1_500.0, 3_200.0];
const HIGH_SHELVES_HZ: [f64; 2] = [5_000.0, 10_000.0];
const BELL_Q: f64 = 0.6;
const MOST_BANDS: usize = 3;

/// Attacks beside the profile's: for dense material, and to rein in peaks.
const PEAK_ATTACKS_MS: [f64; 2] = [10.0, 3.0];

/// Decides the mix bus.
pub(crate) fn bus(desk: &mut Desk<'_>) -> Result<(), DecideError> {
    let Some(id) = desk.session.bus().map(|bus| bus.id.clone()) else { return Ok(()) };
    tone(desk, &id)?;
    glue(desk, &id)
}

fn tone(desk: &mut Desk<'_>, id: &StripId) -> Result<(), DecideError> {
    if has(&desk.session, id, "eq") {
        return Ok(());
    }
    let carries = desk.targets.carries;
    let excess = |third: usize| {
        desk.cost.tone_db.get(third).map_or(0.0, |e| tone_excess_db(third, *e, carries))
    };
    let worst = JUDGED_THIRDS.fold((0, 0.0f64), |worst, third| {
        if excess(third).abs() > worst.1.abs() { (third, excess(third)) } else { worst }
    });
    if worst.1 == 0.0 {
        return Ok(());
    }
    let hz = third_centre_hz(worst.0);
    let side = if worst.1 > 0.0 { "above" } else { "below" };
    let text = format!(
        "The mix leaves the range of usual spectra most at {hz:.0} Hz, by {:.1} dB {side} it.",
        worst.1.abs()
    );
    let band = (hz / 1.122, hz * 1.122);
    let heard = vec![finding(desk, id, text.clone(), (worst.1, "dB"), None, Some(band))];
    let mut bands = Vec::new();
    for gain in GAINS_DB {
        bands.extend(LOW_SHELVES_HZ.map(|hz| Band::low_shelf(hz, gain)));
        bands.extend(BELLS_HZ.map(|hz| Band::bell(hz, gain, BELL_Q)));
        bands.extend(HIGH_SHELVES_HZ.map(|hz| Band::high_shelf(hz, gain)));
    }
    let plan = EqPlan { bands: &bands, most: MOST_BANDS, index: 0 };
    match propose::eq(desk, Stage::Bus, id, &plan, text, heard) {
        Some(proposal) => desk.decide(proposal).map(drop),
        None => Ok(()),
    }
}

fn glue(desk: &mut Desk<'_>, id: &StripId) -> Result<(), DecideError> {
    if has_driven(&desk.session, id) {
        return Ok(());
    }
    let profile = &desk.targets.profile;
    let (glue, (low, high)) = (profile.glue, profile.dynamics.plr_lu);
    let Some(plr) = desk.cost.plr_lu else { return Ok(()) };
    let text = format!(
        "Peaks stand {plr:.1} LU above the loudness of the mix; {low:.1} to {high:.1} is usual before mastering ({}). A compressor over everything was tried at the reduction that holds a mix together. It gives the mix its character, and what follows is decided through it: it stays as long as the whole does not suffer.",
        profile.name
    );
    let loudest = desk.loudest();
    let heard = vec![finding(desk, id, text.clone(), (plr, "LU"), Some(loudest), None)];
    let plan = |share: f64, attack_ms: f64| CompressorPlan {
        reduction_db: glue.gain_reduction_db * share,
        ratio: glue.ratio,
        attack_ms,
        release_ms: None,
        sidechain_hpf_hz: glue.sidechain_hpf_hz,
    };
    // A slow attack lets transients through and evens what lies under them; measured on real songs it
    // raises the peak-to-loudness ratio. A faster one takes hold of the peaks.
    let [fast_ms, fastest_ms] = PEAK_ATTACKS_MS;
    let plans = [
        plan(1.0, glue.attack_ms),
        plan(0.5, glue.attack_ms),
        plan(1.0, fast_ms),
        plan(1.0, fastest_ms),
        plan(0.5, fast_ms),
        plan(0.5, fastest_ms),
    ];
    match propose::compressor(desk, Stage::Bus, id, &plans, text, heard)? {
        // Where a finished balance is kept, it has its character already.
        Some(proposal) if desk.reach_db.is_finite() => desk.decide(proposal).map(drop),
        Some(proposal) => {
            desk.decide(Proposal { keep_from: CHARACTER_DELTA, ..proposal }).map(drop)
        }
        None => Ok(()),
    }
}
