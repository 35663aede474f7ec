//! Gathers what a report says: from the document, its journal, and what was measured of plain sum and print.

use std::collections::BTreeMap;
use topdown_analysis::{MixMeasurements, third_centre_hz};
use topdown_report::facts::{
    BandFact, Facts, GroupFact, LoudnessPoint, MoveFact, Places, PrintFact, SectionFact, TimePoint,
    TrackFact,
};
use topdown_session::{
    MarkerKind, Move, MoveState, ParamPath, Record, Session, Stage, Strip, StripId, StripKind,
};

/// Loudness curves have a point every so many hops of 10 ms.
const CURVE_STEP: usize = 25;
/// Hops before the first complete short-term window.
const SHORT_TERM_HOPS: usize = 300;
const HOPS_PER_SECOND: f64 = 100.0;

/// Everything a report is made from.
pub(crate) struct Gathered<'a> {
    pub(crate) session: &'a Session,
    pub(crate) journal: &'a [Record],
    /// The plain sum of the tracks that play.
    pub(crate) before: &'a MixMeasurements,
    /// The print.
    pub(crate) after: &'a MixMeasurements,
    pub(crate) track_loudness: BTreeMap<StripId, f64>,
    pub(crate) groups: Vec<GroupFact>,
    pub(crate) corridor: Vec<(f64, f64)>,
    pub(crate) levels: String,
    pub(crate) profile: String,
    pub(crate) cost_before: BTreeMap<String, f64>,
    pub(crate) cost_after: BTreeMap<String, f64>,
    pub(crate) bus_glue_db: Option<f64>,
    pub(crate) bus_gain_reduction: Vec<TimePoint>,
    pub(crate) print: PrintWords,
    pub(crate) places: Places,
    pub(crate) warnings: Vec<String>,
}

/// What the print was asked for and why it stopped short.
#[derive(Clone, Debug)]
pub(crate) struct PrintWords {
    pub(crate) target: String,
    pub(crate) target_lufs: f64,
    pub(crate) ceiling_dbtp: f64,
    pub(crate) gain_db: f64,
    pub(crate) limiting_db: Option<f64>,
    pub(crate) shortfall: Option<String>,
}

/// The facts of a mix.
pub(crate) fn gather(from: Gathered<'_>) -> Facts {
    let session = from.session;
    Facts {
        song: session.name.clone(),
        sample_rate_hz: session.sample_rate.get(),
        duration_s: from.after.duration_s,
        tracks: tracks(session, from.journal, &from.track_loudness),
        moves: moves(session, from.journal),
        print: print(&from),
        spectrum: spectrum(from.before, from.after, &from.corridor),
        loudness: loudness(from.before, from.after),
        sections: sections(session, from.after.duration_s),
        places: from.places,
        groups: from.groups,
        levels: from.levels,
        profile: from.profile,
        cost_before: from.cost_before,
        cost_after: from.cost_after,
        bus_glue_db: from.bus_glue_db,
        bus_gain_reduction: from.bus_gain_reduction,
        warnings: from.warnings,
    }
}

fn tracks(
    session: &Session,
    journal: &[Record],
    loudness: &BTreeMap<StripId, f64>,
) -> Vec<TrackFact> {
    let late = late_faders(session, journal);
    let group_name = |strip: &Strip| {
        let group = strip.output.as_ref().and_then(|id| session.strip(id));
        group.filter(|g| g.kind == StripKind::Group).map_or(String::new(), |g| g.name.clone())
    };
    session
        .of_kind(StripKind::Track)
        .map(|strip| TrackFact {
            strip: strip.id.to_string(),
            name: strip.name.clone(),
            role: strip.role.clone(),
            confidence: strip.role_confidence,
            group: group_name(strip),
            loudness_lufs: loudness.get(&strip.id).copied().filter(|l| l.is_finite()),
            fader_db: strip.fader_db.resting(),
            pan: strip.pan.resting(),
            touched: !strip.chain.is_empty() || late.contains(&strip.id),
            left_out: strip.excluded.clone(),
        })
        .collect()
}

/// Strips whose fader or pan a kept move changed after stage levels.
fn late_faders(session: &Session, journal: &[Record]) -> Vec<StripId> {
    let kept = |record: &&Record| {
        let of = session.moves.iter().find(|m| m.id == record.id);
        let after_levels = !matches!(record.stage, Stage::Prep | Stage::Levels);
        after_levels && of.is_some_and(|m| m.on && m.state == MoveState::Kept)
    };
    let edits = journal.iter().filter(kept).flat_map(|record| &record.edits);
    edits
        .filter_map(|edit| match edit {
            topdown_session::Edit::Set {
                at: ParamPath::Fader(strip) | ParamPath::Pan(strip),
                ..
            } => Some(strip.clone()),
            _ => None,
        })
        .collect()
}

/// Every move with its evidence, in the document's order.
pub(crate) fn moves(session: &Session, journal: &[Record]) -> Vec<MoveFact> {
    let records: BTreeMap<_, _> = journal.iter().map(|record| (&record.id, record)).collect();
    session.moves.iter().map(|m| move_fact(session, m, records.get(&m.id).copied())).collect()
}

fn move_fact(session: &Session, m: &Move, record: Option<&Record>) -> MoveFact {
    let evidence = record.map(|record| &record.evidence);
    let mut terms: Vec<(String, f64)> = evidence
        .into_iter()
        .flat_map(|e| &e.cost_after)
        .filter(|(name, _)| *name != "total")
        .map(|(name, after)| {
            let before = evidence.and_then(|e| e.cost_before.get(name)).copied().unwrap_or(0.0);
            (name.clone(), after - before)
        })
        .filter(|(_, change)| change.abs() >= 0.000_5)
        .collect();
    terms.sort_by(|a, b| b.1.abs().total_cmp(&a.1.abs()).then_with(|| a.0.cmp(&b.0)));
    let total = |costs: &BTreeMap<String, f64>| costs.get("total").copied();
    MoveFact {
        id: m.id.to_string(),
        stage: m.stage,
        author: m.author,
        state: m.state,
        on: m.on,
        amount_percent: m.amount_percent,
        locked: m.locked,
        stale: m.stale,
        title: m.title.clone(),
        reason: record.map_or(String::new(), |record| record.reason.clone()),
        cost_change: evidence.and_then(|e| Some(total(&e.cost_after)? - total(&e.cost_before)?)),
        terms,
        leverage: evidence.map_or(Vec::new(), |e| {
            let name = |id: &StripId| session.strip(id).map_or(id.to_string(), |s| s.name.clone());
            e.leverage.iter().map(|(id, lu)| (name(id), *lu)).collect()
        }),
    }
}

fn print(from: &Gathered<'_>) -> PrintFact {
    let after = from.after;
    let whole = after.stereo.as_ref().and_then(|stereo| stereo.whole.as_ref());
    PrintFact {
        target: from.print.target.clone(),
        target_lufs: from.print.target_lufs,
        integrated_lufs: after.summary.integrated_lufs,
        range_lu: (after.duration_s >= 60.0).then_some(after.summary.range_lu),
        true_peak_dbtp: after.true_peak.dbtp,
        ceiling_dbtp: from.print.ceiling_dbtp,
        plr_lu: after.dynamics.plr_lu.unwrap_or(0.0),
        psr_min_lu: after.dynamics.psr_min_lu,
        correlation: whole.map_or(1.0, |band| band.correlation),
        mono_loss_db: whole.map_or(0.0, |band| band.mono_loss_db),
        gain_db: from.print.gain_db,
        limiting_db: from.print.limiting_db,
        shortfall: from.print.shortfall.clone(),
    }
}

/// Third-octave levels relative to the whole, so that loudness plays no part.
fn spectrum(
    before: &MixMeasurements,
    after: &MixMeasurements,
    corridor: &[(f64, f64)],
) -> Vec<BandFact> {
    let relative = |of: &MixMeasurements| -> Vec<f64> {
        let total = topdown_units::power_to_db(of.spectrum.total_power());
        of.spectrum.thirds_db().iter().map(|db| db - total).collect()
    };
    let finite = |db: f64| if db.is_finite() { db } else { -120.0 };
    let (before, after) = (relative(before), relative(after));
    corridor
        .iter()
        .enumerate()
        .zip(before.iter().zip(&after))
        .map(|((third, (low, high)), (before, after))| BandFact {
            hz: third_centre_hz(third),
            before_db: finite(*before),
            after_db: finite(*after),
            low_db: *low,
            high_db: *high,
        })
        .collect()
}

fn loudness(before: &MixMeasurements, after: &MixMeasurements) -> Vec<LoudnessPoint> {
    let shift = after.summary.integrated_lufs - before.summary.integrated_lufs;
    let (was, is) =
        (before.loudness.whole().short_term_lufs(), after.loudness.whole().short_term_lufs());
    let heard = |lufs: f64| (lufs.is_finite() && lufs > -70.0).then_some(lufs);
    (0..is.len())
        .step_by(CURVE_STEP)
        .map(|hop| LoudnessPoint {
            time_s: (hop + SHORT_TERM_HOPS) as f64 / HOPS_PER_SECOND,
            before_lufs: was.get(hop).and_then(|lufs| heard(lufs + shift)),
            after_lufs: heard(is[hop]),
        })
        .collect()
}

fn sections(session: &Session, end_s: f64) -> Vec<SectionFact> {
    let rate = session.sample_rate.hz();
    let marks: Vec<_> = session.markers.iter().filter(|m| m.kind == MarkerKind::Section).collect();
    marks
        .iter()
        .enumerate()
        .map(|(index, mark)| {
            let next = marks.get(index + 1).map(|next| next.frame);
            let to = mark.end_frame.or(next).map_or(end_s, |frame| frame as f64 / rate);
            SectionFact { name: mark.name.clone(), from_s: mark.frame as f64 / rate, to_s: to }
        })
        .collect()
}
