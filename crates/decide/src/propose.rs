//! Proposers that work on any strip: level, equaliser, compressor. Pure functions of session and
//! measurements; top-down and bottom-up call the same ones on other strips in another order.

use crate::bands::{self, frame_powers};
use crate::chain::{Band, eq_node, free_id, is_driven, start_threshold_db};
use crate::cost::{ACCEPT_DELTA, Cost};
use crate::desk::{Choice, Desk, Proposal};
use crate::predict::predict;
use crate::run::DecideError;
use crate::solve::{Aim, solve};
use topdown_session::{
    Edit, Finding, ParamPath, ProcessorId, ProcessorNode, Session, Stage, StripId, Value,
};

/// A compressor to propose.
#[derive(Clone, Copy, Debug)]
pub(crate) struct CompressorPlan {
    pub(crate) reduction_db: f64,
    pub(crate) ratio: f64,
    pub(crate) attack_ms: f64,
    /// `None` is the automatic release.
    pub(crate) release_ms: Option<f64>,
    pub(crate) sidechain_hpf_hz: f64,
}

const KNEE_DB: f64 = 6.0;

/// Fader candidates.
pub(crate) fn level(
    desk: &Desk<'_>,
    stage: Stage,
    id: &StripId,
    steps_db: &[f64],
    reason: String,
    heard: Vec<Finding>,
) -> Option<Proposal> {
    let strip = desk.session.strip(id)?;
    let Value::Constant(now) = strip.fader_db else { return None };
    let choice = |step: &f64| {
        let to = Some(Value::Constant(now + step));
        let edit = desk.session.set_to(ParamPath::Fader(id.clone()), to).ok()?;
        Some(Choice {
            title: format!("{} {step:+.1} dB", strip.name),
            edits: vec![edit],
            heard: None,
        })
    };
    let allowed = steps_db.iter().filter(|step| step.abs() <= desk.reach_db);
    Some(Proposal {
        stage,
        strip: id.clone(),
        about: format!("level of {}", strip.name),
        reason,
        heard,
        bounds: format!("{:.1} dB at most", steps_db.iter().fold(0.0f64, |m, s| m.max(s.abs()))),
        keep_from: ACCEPT_DELTA,
        choices: allowed.filter_map(choice).collect(),
    })
}

/// What an equaliser may be made of.
pub(crate) struct EqPlan<'a> {
    /// Candidate bands; gains within the stage's bounds.
    pub(crate) bands: &'a [Band],
    /// At most so many at once.
    pub(crate) most: usize,
    /// Where in the chain it comes.
    pub(crate) index: usize,
}

/// Equaliser candidates: the bands that the predictor likes best, one after the other.
pub(crate) fn eq(
    desk: &Desk<'_>,
    stage: Stage,
    id: &StripId,
    plan: &EqPlan<'_>,
    reason: String,
    heard: Vec<Finding>,
) -> Option<Proposal> {
    let strip = desk.session.strip(id)?;
    let name = free_id(strip, "eq");
    let insert = |bands: &[Band]| Edit::InsertProcessor {
        strip: id.clone(),
        index: plan.index.min(strip.chain.len()),
        processor: eq_node(&name, bands),
    };
    let (mut taken, mut choices): (Vec<Band>, Vec<Choice>) = (Vec::new(), Vec::new());
    let mut best = f64::INFINITY;
    for _ in 0..plan.most {
        let mut next: Option<(f64, Band)> = None;
        let free =
            |band: &&Band| taken.iter().all(|t| t.shape != band.shape || t.freq_hz != band.freq_hz);
        for band in plan.bands.iter().filter(free).filter(|b| b.gain_db.abs() <= desk.reach_db) {
            let mut bands = taken.clone();
            bands.push(*band);
            let Some(cost) = guess(desk, vec![insert(&bands)]) else { continue };
            if next.is_none_or(|(least, _)| cost < least) {
                next = Some((cost, *band));
            }
        }
        let Some((cost, band)) = next.filter(|(cost, _)| *cost < best) else { break };
        best = cost;
        taken.push(band);
        let words: Vec<String> = taken.iter().map(Band::words).collect();
        let title = format!("{}: {}", strip.name, words.join(", "));
        choices.push(Choice { title, edits: vec![insert(&taken)], heard: None });
    }
    let most = plan.bands.iter().fold(0.0f64, |most, band| most.max(band.gain_db.abs()));
    Some(Proposal {
        stage,
        strip: id.clone(),
        about: format!("tone of {}", strip.name),
        reason,
        heard,
        bounds: format!("{most:.1} dB and {} bands at most", plan.most),
        keep_from: ACCEPT_DELTA,
        choices,
    })
}

/// Cost that the predictor expects of the session with these edits made.
fn guess(desk: &Desk<'_>, mut edits: Vec<Edit>) -> Option<f64> {
    let session = desk.with(&mut edits)?;
    let heard = predict(&desk.heard, &desk.session, &session);
    let spent = desk.spent() + crate::chain::spent(&edits);
    Some(Cost::of(&session, &heard, &desk.targets, spent).total())
}

/// Compressor candidates, each with its threshold solved by hearing it.
pub(crate) fn compressor(
    desk: &mut Desk<'_>,
    stage: Stage,
    id: &StripId,
    plans: &[CompressorPlan],
    reason: String,
    heard: Vec<Finding>,
) -> Result<Option<Proposal>, DecideError> {
    let Some(strip) = desk.session.strip(id) else { return Ok(None) };
    let (name, end) = (strip.name.clone(), strip.chain.len());
    let node_id = free_id(strip, "compressor");
    let is_bus = desk.session.bus().is_some_and(|bus| bus.id == *id);
    let excerpt = if is_bus { desk.loudest() } else { loudest_for(desk, id) };
    let frames = input_frames(desk, id, excerpt);
    let plans: Vec<CompressorPlan> =
        plans.iter().copied().filter(|plan| plan.reduction_db <= desk.reach_db).collect();
    let aims = plans.iter().map(|plan| {
        let (plan, strip, node_id) = (*plan, id.clone(), node_id.clone());
        Aim {
            at: (id.clone(), ProcessorId::from(node_id.as_str())),
            excerpt,
            target_db: plan.reduction_db,
            ratio: plan.ratio,
            start_db: start_threshold_db(&frames, plan.ratio, KNEE_DB, plan.reduction_db),
            edits: Box::new(move |threshold, drive| {
                let processor = compressor_node(&node_id, &plan, threshold, drive);
                vec![Edit::InsertProcessor { strip: strip.clone(), index: end, processor }]
            }),
        }
    });
    let aims: Vec<Aim> = aims.collect();
    let solved = solve(desk, aims)?;
    let choices = plans.iter().zip(solved).filter_map(|(plan, solved)| {
        let solved = solved?;
        let title = format!(
            "{name}: compressor {:.1}:1, attack {:.0} ms, {:.1} dB less on average where it is loudest",
            plan.ratio, plan.attack_ms, solved.reduction_db
        );
        Some(Choice { title, edits: solved.edits, heard: Some((solved.session, solved.heard)) })
    });
    let choices: Vec<Choice> = choices.collect();
    let most = plans.iter().fold(0.0f64, |most, plan| most.max(plan.reduction_db));
    Ok(Some(Proposal {
        stage,
        strip: id.clone(),
        about: format!("dynamics of {name}"),
        reason,
        heard,
        bounds: format!("{most:.1} dB of mean reduction at most"),
        keep_from: ACCEPT_DELTA,
        choices,
    }))
}

fn compressor_node(id: &str, plan: &CompressorPlan, threshold: f64, drive: f64) -> ProcessorNode {
    let node = ProcessorNode::new(id, "compressor")
        .with("threshold_rel_db", threshold)
        .with("drive_lufs", drive)
        .with("ratio", plan.ratio)
        .with("knee_db", KNEE_DB)
        .with("attack_ms", plan.attack_ms)
        .with("sidechain_hpf_hz", plan.sidechain_hpf_hz)
        // As much back as is taken where the strip is loudest; the size of the move, and what it aims at.
        .with("makeup_db", plan.reduction_db);
    match plan.release_ms {
        Some(release_ms) => node.with("release_ms", release_ms),
        None => node.with("auto_release", 1.0),
    }
}

/// The excerpt in which a strip is loudest.
pub(crate) fn loudest_for(desk: &Desk<'_>, id: &StripId) -> usize {
    let level = |index: usize| {
        let heard = desk.heard.excerpts.get(index).and_then(|e| e.strips.get(id));
        heard.map_or(f64::NEG_INFINITY, |heard| {
            bands::hundredths(bands::integrated_lufs([&*heard.input]))
        })
    };
    let louder = |best: usize, index: usize| if level(index) > level(best) { index } else { best };
    (0..desk.heard.excerpts.len()).fold(0, louder)
}

fn input_frames(desk: &Desk<'_>, id: &StripId, excerpt: usize) -> Vec<f64> {
    let heard = desk.heard.excerpts.get(excerpt).and_then(|e| e.strips.get(id));
    heard.map_or_else(Vec::new, |heard| frame_powers(&heard.input))
}

/// Whether a strip has a processor of this kind already.
pub(crate) fn has(session: &Session, id: &StripId, kind: &str) -> bool {
    session.strip(id).is_some_and(|s| s.chain.iter().any(|node| node.kind == kind))
}

/// Whether a strip has a compressor of any kind.
pub(crate) fn has_driven(session: &Session, id: &StripId) -> bool {
    session.strip(id).is_some_and(|s| s.chain.iter().any(is_driven))
}

/// A finding on a strip in one excerpt.
pub(crate) fn finding(
    desk: &Desk<'_>,
    strip: &StripId,
    text: String,
    (value, unit): (f64, &str),
    excerpt: Option<usize>,
    band_hz: Option<(f64, f64)>,
) -> Finding {
    let span_frames =
        excerpt.and_then(|index| desk.song.excerpts.get(index)).map(|e| e.span_frames);
    Finding { text, strip: Some(strip.clone()), value, unit: unit.to_owned(), span_frames, band_hz }
}
