//! Single tracks: only named faults that the groups could not fix.

use crate::chain::Band;
use crate::desk::Desk;
use crate::groups;
use crate::prep::strip_of;
use crate::propose::{self, EqPlan, finding, has};
use crate::roles::Class;
use crate::run::DecideError;
use crate::song::SongTrack;
use topdown_analysis::{THIRDS, third_centre_hz};
use topdown_session::{Stage, StripId};
use topdown_units::power_to_db;

/// Power below 50 Hz this far under the whole, or nearer, is rumble on a track that has no business there.
const RUMBLE_DB: f64 = -15.0;
const RUMBLE_HZ: f64 = 50.0;
const RUMBLE_PASS_HZ: f64 = 70.0;
/// A third that stands this far above its neighbours (two to four thirds away) sticks out.
const STICKS_OUT_DB: f64 = 7.0;
const BOOM_HZ: (f64, f64) = (110.0, 420.0);
const HARSH_HZ: (f64, f64) = (2_300.0, 6_500.0);
const CUTS_DB: [f64; 3] = [-2.0, -3.5, -5.0];
const CUT_Q: f64 = 1.8;
/// Steps for a lead that is still buried when its group is done.
const LEAD_STEPS_DB: [f64; 3] = [1.0, 2.0, 3.0];

/// Looks for named faults on every track.
pub(crate) fn tracks(
    desk: &mut Desk<'_>,
    bottom_up: Option<&[StripId]>,
) -> Result<(), DecideError> {
    for index in 0..desk.song.tracks.len() {
        let Some(track) = desk.song.tracks.get(index) else { continue };
        let Some(id) = strip_of(desk, track) else { continue };
        let plays = desk.session.strip(&id).is_some_and(|s| s.excluded.is_none() && !s.mute);
        if !plays || track.sound.is_silent() {
            continue;
        }
        let group = desk.session.strip(&id).and_then(|s| s.output.clone());
        if bottom_up
            .is_some_and(|groups| groups.is_empty() || group.is_some_and(|g| groups.contains(&g)))
        {
            groups::strip(desk, Stage::Tracks, &id)?;
        }
        faults(desk, &id, track)?;
        lead(desk, &id, track)?;
    }
    Ok(())
}

fn faults(desk: &mut Desk<'_>, id: &StripId, track: &SongTrack) -> Result<(), DecideError> {
    if has(&desk.session, id, "eq") {
        return Ok(());
    }
    for fault in [rumble(track), boom(track), harshness(track)].into_iter().flatten() {
        let Fault { text, value_db, band_hz, bands } = fault;
        let heard = vec![finding(desk, id, text.clone(), (value_db, "dB"), None, Some(band_hz))];
        let plan = EqPlan { bands: &bands, most: 1, index: 0 };
        if let Some(proposal) = propose::eq(desk, Stage::Tracks, id, &plan, text, heard) {
            desk.decide(proposal)?;
        }
    }
    Ok(())
}

struct Fault {
    text: String,
    value_db: f64,
    band_hz: (f64, f64),
    bands: Vec<Band>,
}

fn rumble(track: &SongTrack) -> Option<Fault> {
    let low = [
        "lead vocal",
        "vocal",
        "backing vocal",
        "choir",
        "snare",
        "clap",
        "hi-hat",
        "cymbals",
        "overhead",
        "percussion",
        "electric guitar",
        "acoustic guitar",
        "brass",
        "woodwind",
    ];
    if !low.contains(&track.role.as_str()) {
        return None;
    }
    let power = &track.sound.third_power;
    let below: f64 = power
        .iter()
        .enumerate()
        .filter(|(t, _)| third_centre_hz(*t) < RUMBLE_HZ)
        .map(|(_, p)| p)
        .sum();
    let value_db = power_to_db(below) - power_to_db(power.iter().sum());
    (value_db > RUMBLE_DB).then(|| Fault {
        text: format!(
            "{} has rumble: what lies below {RUMBLE_HZ:.0} Hz is only {:.0} dB under the whole track.",
            track.name, -value_db
        ),
        value_db,
        band_hz: (20.0, RUMBLE_HZ),
        bands: vec![Band::high_pass(RUMBLE_PASS_HZ)],
    })
}

fn boom(track: &SongTrack) -> Option<Fault> {
    let class = Class::of(&track.role);
    // Their fundamentals stand out there by right.
    if matches!(class, Some(Class::Bass | Class::Kick | Class::Toms | Class::Drums)) {
        return None;
    }
    sticking_out(track, BOOM_HZ, "booms")
}

fn harshness(track: &SongTrack) -> Option<Fault> {
    sticking_out(track, HARSH_HZ, "is harsh")
}

fn sticking_out(track: &SongTrack, (from, to): (f64, f64), what: &str) -> Option<Fault> {
    let level = |third: usize| track.sound.third_power.get(third).map(|p| power_to_db(*p));
    let above = |third: usize| {
        let around = [third.checked_sub(4), third.checked_sub(3), third.checked_sub(2)]
            .into_iter()
            .flatten()
            .chain(third + 2..=third + 4);
        let levels: Vec<f64> = around.filter_map(level).filter(|l| l.is_finite()).collect();
        let mean = levels.iter().sum::<f64>() / levels.len().max(1) as f64;
        level(third).filter(|l| l.is_finite()).map(|l| l - mean)
    };
    let inside = (0..THIRDS).filter(|t| (from..to).contains(&third_centre_hz(*t)));
    let worst = inside
        .filter_map(|t| Some((t, above(t)?)))
        .fold((0, 0.0), |worst, here| if here.1 > worst.1 { here } else { worst });
    let (third, value_db) = worst;
    let hz = third_centre_hz(third);
    (value_db > STICKS_OUT_DB).then(|| Fault {
        text: format!(
            "{} {what}: around {hz:.0} Hz it stands {value_db:.1} dB above its neighbourhood.",
            track.name
        ),
        value_db,
        band_hz: (hz / 1.122, hz * 1.122),
        bands: CUTS_DB.map(|gain| Band::bell(hz, gain, CUT_Q)).to_vec(),
    })
}

/// A lead that its group could not lift out.
fn lead(desk: &mut Desk<'_>, id: &StripId, track: &SongTrack) -> Result<(), DecideError> {
    if Class::of(&track.role) != Some(Class::Lead) {
        return Ok(());
    }
    let Some(group) = desk.session.strip(id).and_then(|s| s.output.clone()) else { return Ok(()) };
    let alone = desk.session.members(&group).count() < 2;
    let heard = desk.cost.audibility.get(&group).zip(desk.targets.audibility.get(&group));
    let Some((index, (least, _))) = heard.filter(|(index, (least, _))| *index < least && !alone)
    else {
        return Ok(());
    };
    let text = format!(
        "{} is still covered: the audibility of its group is {index:.2}, {least:.2} is clear.",
        track.name
    );
    let finding = finding(desk, id, text.clone(), (*index, ""), None, None);
    match propose::level(desk, Stage::Tracks, id, &LEAD_STEPS_DB, text, vec![finding]) {
        Some(proposal) => desk.decide(proposal).map(drop),
        None => Ok(()),
    }
}
