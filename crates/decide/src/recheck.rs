//! Recheck: thresholds solved again where the drive has changed, and pruning.

use crate::bands::hundredths;
use crate::chain::{is_driven, resting};
use crate::cost::{ACCEPT_DELTA, CHARACTER_DELTA};
use crate::desk::{Desk, spent_by};
use crate::prep::plain;
use crate::propose::loudest_for;
use crate::run::DecideError;
use crate::solve::{Aim, TOLERANCE_DB, solve};
use topdown_session::moves::refold;
use topdown_session::{
    Author, Edit, MoveId, MoveState, ParamPath, ProcessorId, Session, Stage, StripId, StripKind,
    Value,
};

/// A drive that moved less is the same.
const SAME_DRIVE_LU: f64 = 0.1;
/// A reduction that moved less is the same.
const SAME_REDUCTION_DB: f64 = 0.25;

/// Solves every compressor again whose drive or reduction has changed: tracks, groups, then the bus, so
/// that what comes later sees what comes before.
pub(crate) fn resolve(desk: &mut Desk<'_>) -> Result<(), DecideError> {
    for kind in [StripKind::Track, StripKind::Group, StripKind::Return, StripKind::Bus] {
        let driven: Vec<(StripId, ProcessorId)> = desk
            .session
            .of_kind(kind)
            .filter(|strip| strip.excluded.is_none() && !strip.mute)
            .flat_map(|strip| {
                let nodes = strip.chain.iter().filter(|node| is_driven(node) && !node.bypass);
                nodes.map(|node| (strip.id.clone(), node.id.clone()))
            })
            .collect();
        for at in driven {
            resolve_one(desk, &at)?;
        }
    }
    Ok(())
}

fn resolve_one(desk: &mut Desk<'_>, at: &(StripId, ProcessorId)) -> Result<(), DecideError> {
    let path = |param: &str| ParamPath::Processor(at.0.clone(), at.1.clone(), param.to_owned());
    let guard = desk.guard();
    let free =
        guard.allows_value(&path("drive_lufs")) && guard.allows_value(&path("threshold_rel_db"));
    let Some(target_db) = target(desk, at).filter(|_| free) else { return Ok(()) };
    let Some(node) = desk.session.strip(&at.0).and_then(|s| s.processor(&at.1)).cloned() else {
        return Ok(());
    };
    let is_bus = desk.session.bus().is_some_and(|bus| bus.id == at.0);
    let excerpt = if is_bus { desk.loudest() } else { loudest_for(desk, &at.0) };
    let Some(&drive) = desk.heard.drive_lufs.get(at) else { return Ok(()) };
    let reduction = Desk::reduction(&desk.heard, excerpt, at).unwrap_or(0.0);
    let (threshold, was) = (resting(&node, "threshold_rel_db"), resting(&node, "drive_lufs"));
    let moved = drive - was;
    if moved.abs() < SAME_DRIVE_LU && (reduction - target_db).abs() < SAME_REDUCTION_DB {
        return Ok(());
    }
    let session = desk.session.clone();
    let paths = (path("threshold_rel_db"), path("drive_lufs"));
    let edits = move |threshold: f64, drive: f64| {
        let set =
            |at: &ParamPath, to: f64| session.set_to(at.clone(), Some(Value::Constant(to))).ok();
        [set(&paths.0, threshold), set(&paths.1, drive)]
            .into_iter()
            .flatten()
            .collect::<Vec<Edit>>()
    };
    let aim = Aim {
        at: at.clone(),
        excerpt,
        target_db,
        ratio: resting(&node, "ratio"),
        // The threshold keeps its distance to the drive: the first guess of a relative threshold.
        start_db: threshold + drive,
        edits: Box::new(edits),
    };
    let Some(solved) = solve(desk, vec![aim])?.pop().flatten() else {
        desk.warnings.push(format!(
            "{}/{} reduces by {reduction:.1} dB where {target_db:.1} was aimed at, and no threshold brings it back",
            at.0, at.1
        ));
        return Ok(());
    };
    let name = desk.session.strip(&at.0).map_or_else(|| at.0.to_string(), |s| s.name.clone());
    let title = format!("{name}: threshold solved again");
    let reason = format!(
        "Its input is {moved:+.1} LU from what the threshold was solved for, and it reduced by {reduction:.1} dB where {target_db:.1} was aimed at. Now it is {:.1} dB.",
        solved.reduction_db
    );
    let record = plain(desk, Stage::Recheck, title, reason, Some(at.0.clone()), solved.edits);
    if desk.adopt(record)? {
        let session = desk.session.clone();
        desk.cost = desk.cost_of(&session, &solved.heard, desk.spent());
        desk.heard = solved.heard;
    }
    Ok(())
}

/// The reduction that a compressor of ours was solved for: the makeup it came with, times its move's amount.
fn target(desk: &Desk<'_>, at: &(StripId, ProcessorId)) -> Option<f64> {
    let mut target = None;
    for one in desk.session.moves.iter().filter(|m| m.counts() && m.author == Author::Topdown) {
        let record = desk.journal.iter().rev().find(|record| record.id == one.id)?;
        for edit in &record.edits {
            if let Edit::InsertProcessor { strip, processor, .. } = edit
                && (strip, &processor.id) == (&at.0, &at.1)
            {
                target = Some(resting(processor, "makeup_db") * one.amount_percent / 100.0);
            }
        }
    }
    target.filter(|db| *db > TOLERANCE_DB)
}

/// Takes each kept move of bus, groups and tracks out in turn; the one that is missed least goes, if the
/// cost does not rise by the threshold without it. Again, until none goes.
pub(crate) fn prune(desk: &mut Desk<'_>) -> Result<(), DecideError> {
    loop {
        let without: Vec<(MoveId, Session)> =
            prunable(desk).into_iter().map(|id| (id.clone(), taken_out(desk, &id))).collect();
        let sessions: Vec<&Session> = without.iter().map(|(_, session)| session).collect();
        let heard = desk.hear(&sessions)?;
        let now = desk.cost.total();
        let mut least: Option<(f64, usize)> = None;
        for (index, ((_, session), heard)) in without.iter().zip(&heard).enumerate() {
            let spent = spent_by(session, &desk.journal);
            let rise = hundredths((desk.cost_of(session, heard, spent).total() - now) * 1e4) / 1e4;
            if rise < worth(desk, &without[index].0)
                && least.is_none_or(|(smallest, _)| rise < smallest)
            {
                least = Some((rise, index));
            }
        }
        let Some((rise, index)) = least else { return Ok(()) };
        let Some(((id, session), heard)) = without.into_iter().zip(heard).nth(index) else {
            return Ok(());
        };
        drop_move(desk, &id, session, rise)?;
        let session = desk.session.clone();
        desk.cost = desk.cost_of(&session, &heard, desk.spent());
        desk.heard = heard;
    }
}

/// The rise without it that keeps a move in the mix.
fn worth(desk: &Desk<'_>, id: &MoveId) -> f64 {
    let bus = desk.session.bus().map(|bus| &bus.id);
    let is_glue = |edit: &Edit| match edit {
        Edit::InsertProcessor { strip, processor, .. } => {
            Some(strip) == bus && processor.kind == "compressor"
        }
        _ => false,
    };
    let record = desk.journal.iter().find(|record| record.id == *id);
    let glues = record.is_some_and(|record| record.edits.iter().any(is_glue));
    if glues && desk.reach_db.is_infinite() { -CHARACTER_DELTA } else { -ACCEPT_DELTA }
}

/// Moves of this run that weigh in the cost and are nobody's but ours.
fn prunable(desk: &Desk<'_>) -> Vec<MoveId> {
    let weighed = [Stage::Bus, Stage::Groups, Stage::Tracks];
    let new = desk.journal.iter().skip(desk.earlier).map(|record| &record.id);
    let new: Vec<&MoveId> = new.collect();
    desk.session
        .moves
        .iter()
        .filter(|m| m.counts() && !m.locked && m.author == Author::Topdown)
        .filter(|m| weighed.contains(&m.stage) && new.contains(&&m.id))
        .map(|m| m.id.clone())
        .collect()
}

fn taken_out(desk: &Desk<'_>, id: &MoveId) -> Session {
    let mut session = desk.session.clone();
    if let Some(one) = session.moves.iter_mut().find(|m| m.id == *id) {
        one.state = MoveState::Rejected;
    }
    refold(&session, &desk.journal).session
}

fn drop_move(
    desk: &mut Desk<'_>,
    id: &MoveId,
    session: Session,
    rise: f64,
) -> Result<(), DecideError> {
    let found = session.moves.iter().find(|m| m.id == *id);
    let what = found.map_or_else(|| id.to_string(), |m| m.title.clone());
    let strip = desk.journal.iter().find(|r| r.id == *id).and_then(|r| r.strip.clone());
    desk.session = session;
    let title = format!("Taken out again: {what}");
    let reason = format!(
        "With everything else in place, the mix without {id} costs {rise:+.4}: less than the {:.3} that a move has to be worth.",
        -ACCEPT_DELTA
    );
    let record = plain(desk, Stage::Recheck, title, reason, strip, Vec::new());
    desk.adopt(record).map(drop)
}
