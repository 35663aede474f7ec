//! The groups and how they relate, each heard through the bus: level, broad tone, dynamics.

use crate::chain::Band;
use crate::desk::Desk;
use crate::picture::feeds;
use crate::propose::{self, CompressorPlan, EqPlan, finding, has, has_driven, loudest_for};
use crate::roles::{group_dynamics, group_of};
use crate::run::DecideError;
use topdown_analysis::roles::{Group, Role};
use topdown_session::{Edit, Finding, MoveState, ParamPath, Session, Stage, StripId, StripKind};

/// Fader candidates for a group: levels were set, so this is fine work.
const STEPS_DB: [f64; 8] = [-3.0, -2.0, -1.0, -0.5, 0.5, 1.0, 2.0, 3.0];
/// Broad cuts that make room, and the few boosts that practice allows a group.
const CUTS_DB: [f64; 2] = [-1.5, -3.0];
const BELLS_HZ: [f64; 7] = [150.0, 250.0, 400.0, 700.0, 1_300.0, 2_500.0, 4_000.0];
const BELL_Q: f64 = 0.9;
const SHELF_GAIN_DB: f64 = 1.5;
const MOST_BANDS: usize = 2;
/// Corner of the high-pass that a group without lows may get.
const HIGH_PASS_HZ: f64 = 80.0;

/// Decides all groups (and what feeds the bus alone), the most important first.
pub(crate) fn groups(desk: &mut Desk<'_>, only: Option<&[StripId]>) -> Result<(), DecideError> {
    for id in by_priority(&desk.session) {
        let is_group = desk.session.strip(&id).is_some_and(|s| s.kind == StripKind::Group);
        if is_group && only.is_none_or(|only| only.contains(&id)) {
            strip(desk, Stage::Groups, &id)?;
        }
    }
    Ok(())
}

/// Level, tone and dynamics of one strip; the same for groups and, bottom-up, for tracks.
pub(crate) fn strip(desk: &mut Desk<'_>, stage: Stage, id: &StripId) -> Result<(), DecideError> {
    level(desk, stage, id)?;
    tone(desk, stage, id)?;
    dynamics(desk, stage, id)
}

/// Feeds of the bus in the order in which they are decided: what gives way last comes first.
pub(crate) fn by_priority(session: &Session) -> Vec<StripId> {
    let rank = |id: &StripId| {
        let roles = session.strip(id).map(|s| s.role.clone());
        let members = session.members(id).map(|m| m.role.clone());
        let ranks = members.chain(roles).filter_map(|role| Some(Role::from_id(&role)?.priority()));
        ranks.min().unwrap_or(u8::MAX)
    };
    let mut ids = feeds(session);
    ids.sort_by_key(|id| rank(id));
    ids
}

/// The family of a strip's members.
pub(crate) fn family(session: &Session, id: &StripId) -> Option<Group> {
    let own = session.strip(id)?.role.clone();
    group_of(&own).or_else(|| session.members(id).find_map(|m| group_of(&m.role)))
}

fn level(desk: &mut Desk<'_>, stage: Stage, id: &StripId) -> Result<(), DecideError> {
    if decided(desk, stage, id) {
        return Ok(());
    }
    let (reason, heard) = place(desk, id);
    match propose::level(desk, stage, id, &STEPS_DB, reason, heard) {
        Some(proposal) => desk.decide(proposal).map(drop),
        None => Ok(()),
    }
}

/// Whether an earlier run's fader move stands.
fn decided(desk: &Desk<'_>, stage: Stage, id: &StripId) -> bool {
    let fader =
        |edit: &Edit| matches!(edit, Edit::Set { at: ParamPath::Fader(strip), .. } if strip == id);
    let earlier = desk.journal.iter().take(desk.earlier);
    earlier
        .filter(|r| r.stage == stage && r.state == MoveState::Kept)
        .any(|r| r.edits.iter().any(fader))
}

/// Where a strip lies, in words and as findings.
fn place(desk: &Desk<'_>, id: &StripId) -> (String, Vec<Finding>) {
    let name = desk.session.strip(id).map_or_else(|| id.to_string(), |s| s.name.clone());
    let excerpt = Some(loudest_for(desk, id));
    let (mut words, mut heard) = (Vec::new(), Vec::new());
    if let (Some(level), Some(target)) =
        (desk.cost.balance_lu.get(id), desk.targets.balance.get(id))
    {
        let text = format!(
            "{name} lies at {level:+.1} LU re the mix ({:+.1} ±{:.1} is aimed at)",
            target.lu, target.sigma_lu
        );
        heard.push(finding(desk, id, text.clone(), (*level, "LU"), excerpt, None));
        words.push(text);
    }
    if let (Some(index), Some((least, _))) =
        (desk.cost.audibility.get(id), desk.targets.audibility.get(id))
    {
        let text = format!(
            "its audibility among the others is {index:.2} (from {least:.2} on it is clear)"
        );
        heard.push(finding(desk, id, text.clone(), (*index, ""), excerpt, None));
        words.push(text);
    }
    let reason =
        if words.is_empty() { format!("{name}.") } else { format!("{}.", words.join("; ")) };
    (reason, heard)
}

fn tone(desk: &mut Desk<'_>, stage: Stage, id: &StripId) -> Result<(), DecideError> {
    if has(&desk.session, id, "eq") {
        return Ok(());
    }
    let low_end = matches!(
        family(&desk.session, id),
        Some(Group::Drums | Group::Bass | Group::Synths | Group::Percussion | Group::FX) | None
    );
    let mut bands = Vec::new();
    for gain in CUTS_DB {
        bands.extend(BELLS_HZ.map(|hz| Band::bell(hz, gain, BELL_Q)));
        bands.push(Band::low_shelf(120.0, gain));
    }
    bands.push(Band::high_shelf(8_000.0, SHELF_GAIN_DB));
    bands.push(Band::high_shelf(8_000.0, -SHELF_GAIN_DB));
    if !low_end {
        bands.push(Band::high_pass(HIGH_PASS_HZ));
    }
    let (place, heard) = place(desk, id);
    let reason = format!(
        "{place} Broad bands were sought in which it covers others or leaves the usual tone."
    );
    let plan = EqPlan { bands: &bands, most: MOST_BANDS, index: 0 };
    match propose::eq(desk, stage, id, &plan, reason, heard) {
        Some(proposal) => desk.decide(proposal).map(drop),
        None => Ok(()),
    }
}

fn dynamics(desk: &mut Desk<'_>, stage: Stage, id: &StripId) -> Result<(), DecideError> {
    let usual = family(&desk.session, id).and_then(group_dynamics);
    let (Some(usual), false) = (usual, has_driven(&desk.session, id)) else { return Ok(()) };
    let name = desk.session.strip(id).map_or_else(|| id.to_string(), |s| s.name.clone());
    let feed = desk.cost.wander_lu.get(id).copied();
    let parent = desk.session.strip(id).and_then(|s| s.output.clone());
    let wander = feed.or_else(|| desk.cost.wander_lu.get(&parent?).copied());
    let Some(wander) = wander.filter(|wander| *wander > usual.steady_lu) else { return Ok(()) };
    let text = format!(
        "Where it plays, the short-term level of {name} wanders by {wander:.1} LU (standard deviation); up to {:.1} holds a place in the mix.",
        usual.steady_lu
    );
    let excerpt = Some(loudest_for(desk, id));
    let heard = vec![finding(desk, id, text.clone(), (wander, "LU"), excerpt, None)];
    let plan = |share: f64| CompressorPlan {
        reduction_db: usual.gain_reduction_db * share,
        ratio: usual.ratio,
        attack_ms: usual.attack_ms,
        release_ms: Some(usual.release_ms),
        sidechain_hpf_hz: 0.0,
    };
    let plans = [plan(1.0), plan(0.5)];
    match propose::compressor(desk, stage, id, &plans, text, heard)? {
        Some(proposal) => desk.decide(proposal).map(drop),
        None => Ok(()),
    }
}
