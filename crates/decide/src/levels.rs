//! Levels: the balance, by faders and pans only.
//!
//! **find** takes the priors of the profile, renormalised over what the song has, with their σ as dead band:
//! what lies inside stays as it came, what lies outside goes to the prior. Closed form on band energies
//! (unrelated sources add in power), then checked by hearing it. **keep** takes the incoming balance as the
//! target. A **rough** mix's fitted faders are taken as they are. **auto** chooses between keep and find.

use crate::bands::{self, hundredths};
use crate::cost::{Targets, contrast_lu, mix_lufs};
use crate::desk::Desk;
use crate::picture::{Picture, feeds};
use crate::prep::{plain, strip_of};
use crate::profile::{Prior, Profile};
use crate::roles::{Class, FREE_WANDER_LU, group_dynamics, group_of};
use crate::run::{DecideError, LevelsChosen};
use crate::song::{LinkKind, SongTrack};
use crate::trial::Heard;
use std::collections::BTreeMap;
use topdown_analysis::roles::Role;
use topdown_session::{Edit, Levels, ParamPath, Session, Stage, Strip, StripId, StripKind, Value};
use topdown_units::{db_to_power, power_to_db};

/// Loudness of the sum at which the bus is driven: peaks of a raw mix then lie about 3 to 6 dB below full
/// scale, where practice wants them.
const DRIVE_LUFS: f64 = -20.0;
/// Level and tolerance of what nobody knows: that of an instrument that is neither lead nor effect.
const UNKNOWN: Prior = Prior { lu: -12.0, sigma_lu: 6.0 };
/// Tolerance around a balance that is kept: what comes in is meant.
const KEPT_SIGMA_LU: f64 = 1.0;
/// Priors are bounds for a kept balance: beyond this many σ somebody should look.
const KEEP_BOUND_SIGMAS: f64 = 3.0;
/// Most dB of a single move on a balance that is kept.
pub(crate) const KEEP_REACH_DB: f64 = 1.0;
/// Highest fader.
const FADER_TOP_DB: f64 = 12.0;
/// Changes smaller than this are not worth a fader move.
const LEAST_DB: f64 = 0.1;

/// Sets the levels of a new song, or of new tracks in a session that has its levels; fixes the targets.
pub(crate) fn levels(desk: &mut Desk<'_>, new: &[StripId]) -> Result<LevelsChosen, DecideError> {
    desk.listen()?;
    let settled = desk.session.moves.iter().any(|m| m.stage == Stage::Levels && m.counts());
    let (chosen, reach) = if settled {
        settle_new(desk, new)?
    } else if let Some(rough) = desk.song.rough.clone() {
        follow_rough(desk, &rough)?
    } else {
        let chosen = choose(desk);
        match chosen.levels {
            Levels::Keep => keep(desk, &chosen)?,
            _ => find(desk)?,
        }
        let reach = if chosen.levels == Levels::Keep { KEEP_REACH_DB } else { f64::INFINITY };
        (chosen, reach)
    };
    desk.reach_db = reach;
    fix_targets(desk, chosen.levels);
    desk.listen()?;
    Ok(chosen)
}

/// Why the incoming balance looks meant, or not.
fn choose(desk: &Desk<'_>) -> LevelsChosen {
    let wanted = desk.session.settings.levels;
    if wanted != Levels::Auto {
        return LevelsChosen { levels: wanted, why: "asked for".to_owned() };
    }
    // A balance that somebody made lies near the priors, sums to a usable level, and its tracks were not
    // brought to one peak each. Thresholds are ours.
    const MEANT_ERROR: f64 = 1.0;
    const MEANT_PEAK_DBTP: f64 = 3.0;
    const NORMALISED_SPREAD_DB: f64 = 2.0;
    let targets = prior_targets(&desk.session, &desk.targets.profile);
    let picture = Picture::of(&desk.session, &desk.heard);
    let mix = picture.total_lufs();
    let errors: Vec<f64> = targets
        .iter()
        .map(|(id, prior)| (picture.feed_lufs(id) - mix - prior.lu).abs() / prior.sigma_lu)
        .filter(|error| error.is_finite())
        .collect();
    let error = hundredths(errors.iter().sum::<f64>() / errors.len().max(1) as f64);
    let peak =
        desk.heard.excerpts.iter().map(|e| e.mix.true_peak_dbtp).fold(f64::NEG_INFINITY, f64::max);
    let peaks: Vec<f64> = desk
        .song
        .tracks
        .iter()
        .filter(|t| t.exclude.is_none() && !t.sound.is_silent())
        .map(|t| t.sound.peak_dbfs)
        .collect();
    let highest = peaks.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    let lowest = peaks.iter().copied().fold(f64::INFINITY, f64::min);
    let spread = if peaks.len() > 1 { highest - lowest } else { f64::INFINITY };
    let facts = format!(
        "as they come, the groups lie {error:.1} tolerances from where they usually do (up to {MEANT_ERROR} speaks for a balance that is meant), the sum peaks at {peak:.1} dBTP (up to {MEANT_PEAK_DBTP:+}), and the tracks' peaks differ by {spread:.1} dB (less than {NORMALISED_SPREAD_DB} speaks for tracks brought to full level one by one)"
    );
    let meant = error <= MEANT_ERROR && peak <= MEANT_PEAK_DBTP && spread >= NORMALISED_SPREAD_DB;
    if meant {
        LevelsChosen { levels: Levels::Keep, why: format!("kept: {facts}") }
    } else {
        LevelsChosen { levels: Levels::Find, why: format!("found anew: {facts}") }
    }
}

fn keep(desk: &mut Desk<'_>, chosen: &LevelsChosen) -> Result<(), DecideError> {
    let picture = Picture::of(&desk.session, &desk.heard);
    let mix = picture.total_lufs();
    for (id, prior) in prior_targets(&desk.session, &desk.targets.profile) {
        let off = hundredths(picture.feed_lufs(&id) - mix - prior.lu);
        if off.is_finite() && off.abs() > KEEP_BOUND_SIGMAS * prior.sigma_lu {
            desk.warnings.push(format!(
                "{id} lies {off:+.1} LU from where it usually does; the levels are kept all the same"
            ));
        }
    }
    let reason = format!("The incoming balance is the target. Levels {}.", chosen.why);
    let title = "The levels stay as they come".to_owned();
    let record = plain(desk, Stage::Levels, title, reason, None, Vec::new());
    desk.adopt(record).map(drop)
}

fn find(desk: &mut Desk<'_>) -> Result<(), DecideError> {
    pan(desk)?;
    desk.listen()?;
    let mut plan = Plan::of(desk);
    // The closed form takes sources as unrelated and gates as additive; what is left after hearing the
    // result is taken out once, feeds only.
    let mut trial = desk.session.clone();
    for edit in plan.edits(&desk.session).into_iter().flat_map(|(_, edits, _)| edits) {
        let fits = trial.apply(&edit.rounded(&trial));
        debug_assert!(fits.is_ok(), "a fader that is there can be set");
    }
    if let Some(heard) = desk.hear(&[&trial])?.pop() {
        plan.correct(&trial, &heard);
    }
    write(desk, &plan)?;
    desk.listen()
}

/// Where every fader should go.
struct Plan {
    /// Change of each track's fader.
    tracks: BTreeMap<StripId, f64>,
    /// Change of each feed's fader.
    feeds: BTreeMap<StripId, f64>,
    /// Feeds that were outside their tolerance, where they were and where they should be, re the mix.
    moved: BTreeMap<StripId, (f64, Prior)>,
    /// Feeds inside it.
    left: BTreeMap<StripId, (f64, Prior)>,
}

impl Plan {
    fn of(desk: &Desk<'_>) -> Self {
        let session = &desk.session;
        let profile = &desk.targets.profile;
        let mut tracks = BTreeMap::new();
        let mut feed_levels = BTreeMap::new();
        let mut lifts: BTreeMap<StripId, f64> = BTreeMap::new();
        for feed in feeds(session) {
            let members: Vec<&Strip> = members(session, &feed);
            let levels = within(desk, &members, profile);
            let power: f64 =
                levels.iter().map(|(_, level, change)| db_to_power(level + change)).sum();
            feed_levels.insert(feed.clone(), power_to_db(power));
            if members.iter().any(|m| m.id != feed) {
                let lift = lift(session, &levels);
                lifts.insert(feed, lift);
                tracks.extend(levels.into_iter().map(|(id, _, change)| (id, change - lift)));
            }
        }
        let targets = prior_targets(session, profile);
        let mut plan = Self { tracks, ..between(&feed_levels, &targets) };
        for (feed, lift) in lifts {
            plan.feeds.entry(feed).and_modify(|change| *change += lift);
        }
        plan
    }

    /// Takes in what hearing the result says is still missing.
    fn correct(&mut self, session: &Session, heard: &Heard) {
        let picture = Picture::of(session, heard);
        let (mix, drive) = (picture.total_lufs(), DRIVE_LUFS - mix_lufs(heard));
        for (id, change) in &mut self.feeds {
            let level = picture.feed_lufs(id) - mix;
            let off = self.moved.get(id).map_or(0.0, |(_, prior)| prior.lu - level);
            if (off + drive).is_finite() {
                *change += off + drive;
            }
        }
    }

    /// The fader edits of each feed, and what its members do in words.
    fn edits(&self, session: &Session) -> Vec<(StripId, Vec<Edit>, Vec<String>)> {
        let feeds = self.feeds.iter();
        feeds
            .filter_map(|(feed, change)| {
                let now = session.strip(feed)?.fader_db.resting();
                // What the group's fader cannot reach, its tracks take.
                let to = (now + change).min(FADER_TOP_DB);
                let spill = now + change - to;
                let mut edits: Vec<Edit> = set_fader(session, feed, to).into_iter().collect();
                let mut words = Vec::new();
                for member in members(session, feed).iter().filter(|m| m.id != *feed) {
                    let own = self.tracks.get(&member.id).copied().unwrap_or(0.0);
                    let db = hundredths(own + spill);
                    if db.abs() >= LEAST_DB {
                        let to = (member.fader_db.resting() + db).min(FADER_TOP_DB);
                        edits.extend(set_fader(session, &member.id, to));
                        words.push(format!("{} {db:+.1} dB", member.name));
                    }
                }
                Some((feed.clone(), edits, words))
            })
            .collect()
    }
}

/// How far the members' faders would have to go above 0 dB. The group takes that on: a track recorded 25 dB too
/// low is out of its own fader's reach, and levels inside a group are about what is loudest in it.
fn lift(session: &Session, levels: &[(StripId, f64, f64)]) -> f64 {
    let fader = |id: &StripId| session.strip(id).map_or(0.0, |strip| strip.fader_db.resting());
    levels.iter().map(|(id, _, change)| fader(id) + change).fold(0.0, f64::max)
}

/// The tracks of a feed: its members, or itself.
fn members<'s>(session: &'s Session, feed: &'s StripId) -> Vec<&'s Strip> {
    let plays = |strip: &&Strip| strip.kind == StripKind::Track && strip.excluded.is_none();
    match session.strip(feed) {
        Some(strip) if strip.kind == StripKind::Track => vec![strip],
        _ => session.members(feed).filter(plays).collect(),
    }
}

/// Members of one group among themselves: (track, its level, change of its fader). Tracks of one class
/// share its prior; several microphones on one source among them.
fn within(desk: &Desk<'_>, members: &[&Strip], profile: &Profile) -> Vec<(StripId, f64, f64)> {
    let level = |strip: &Strip| {
        let heard = desk.heard.excerpts.iter().filter_map(|e| e.strips.get(&strip.id));
        bands::integrated_lufs(heard.map(|heard| &*heard.output))
    };
    let count = |class: Class| members.iter().filter(|m| Class::of(&m.role) == Some(class)).count();
    let audible: Vec<(&&Strip, f64, Prior)> = members
        .iter()
        .map(|strip| {
            let class = Class::of(&strip.role);
            let prior = class.and_then(|c| profile.balance.get(&c)).copied().unwrap_or(UNKNOWN);
            let share = power_to_db(class.map_or(1, count).max(1) as f64);
            (strip, level(strip), Prior { lu: prior.lu - share, ..prior })
        })
        .filter(|(_, level, _)| level.is_finite())
        .collect();
    let wanted = power_to_db(audible.iter().map(|(_, _, prior)| db_to_power(prior.lu)).sum());
    let mut changes = vec![0.0; audible.len()];
    let mut outside: Option<Vec<bool>> = None;
    for _ in 0..SETTLE_ROUNDS {
        let powers =
            audible.iter().zip(&changes).map(|((_, level, _), change)| db_to_power(level + change));
        let sum = power_to_db(powers.sum());
        let errors: Vec<f64> = audible
            .iter()
            .zip(&changes)
            .map(|((_, level, prior), change)| level + change - sum - (prior.lu - wanted))
            .collect();
        let outside = outside.get_or_insert_with(|| {
            audible.iter().zip(&errors).map(|((_, _, p), e)| e.abs() > p.sigma_lu).collect()
        });
        for ((change, error), moves) in changes.iter_mut().zip(&errors).zip(outside.iter()) {
            if *moves {
                *change -= error;
            }
        }
    }
    audible
        .iter()
        .zip(changes)
        .map(|((s, level, _), change)| (s.id.clone(), *level, change))
        .collect()
}

/// Rounds in which shifting some settles what the others are relative to.
const SETTLE_ROUNDS: usize = 12;

/// Feeds among each other, and all of them to the drive.
fn between(levels: &BTreeMap<StripId, f64>, targets: &BTreeMap<StripId, Prior>) -> Plan {
    let mut changes: BTreeMap<StripId, f64> = levels.keys().map(|id| (id.clone(), 0.0)).collect();
    let sum_of = |changes: &BTreeMap<StripId, f64>| {
        let power = |(id, level): (&StripId, &f64)| {
            db_to_power(level + changes.get(id).copied().unwrap_or(0.0))
        };
        power_to_db(levels.iter().filter(|(_, level)| level.is_finite()).map(power).sum())
    };
    let start = sum_of(&changes);
    let (mut moved, mut left) = (BTreeMap::new(), BTreeMap::new());
    for (id, level) in levels.iter().filter(|(_, level)| level.is_finite()) {
        let Some(prior) = targets.get(id) else { continue };
        let at = hundredths(level - start);
        let outside = (at - prior.lu).abs() > prior.sigma_lu;
        if outside { &mut moved } else { &mut left }.insert(id.clone(), (at, *prior));
    }
    for _ in 0..SETTLE_ROUNDS {
        let sum = sum_of(&changes);
        for (id, (_, prior)) in &moved {
            if let (Some(change), Some(level)) = (changes.get_mut(id), levels.get(id)) {
                *change = sum + prior.lu - level;
            }
        }
    }
    let drive = DRIVE_LUFS - sum_of(&changes);
    let drive = if drive.is_finite() { drive } else { 0.0 };
    changes.values_mut().for_each(|change| *change += drive);
    Plan { tracks: BTreeMap::new(), feeds: changes, moved, left }
}

/// Writes a plan as moves, one a feed.
fn write(desk: &mut Desk<'_>, plan: &Plan) -> Result<(), DecideError> {
    for (feed, edits, words) in plan.edits(&desk.session) {
        let name = desk.session.strip(&feed).map_or_else(|| feed.to_string(), |s| s.name.clone());
        let change = plan.feeds.get(&feed).copied().unwrap_or(0.0);
        let mut title = format!("{name} {change:+.1} dB");
        if !words.is_empty() {
            title = format!("{title}; inside it {}", words.join(", "));
        }
        let reason = reason(&name, &feed, plan);
        let record = plain(desk, Stage::Levels, title, reason, Some(feed), edits);
        desk.adopt(record)?;
    }
    Ok(())
}

fn reason(name: &str, feed: &StripId, plan: &Plan) -> String {
    let drive = format!("All faders move together so that the bus is driven at {DRIVE_LUFS} LUFS.");
    match (plan.moved.get(feed), plan.left.get(feed)) {
        (Some((at, prior)), _) => format!(
            "{name} came at {at:+.1} LU re the mix; among these tracks it usually lies at {:+.1} ±{:.1}. {drive}",
            prior.lu, prior.sigma_lu
        ),
        (None, Some((at, prior))) => format!(
            "{name} came at {at:+.1} LU re the mix, inside the usual {:+.1} ±{:.1}: its place is left as it is. {drive}",
            prior.lu, prior.sigma_lu
        ),
        (None, None) => drive,
    }
}

fn set_fader(session: &Session, id: &StripId, to_db: f64) -> Option<Edit> {
    let to_db = to_db.clamp(topdown_units::FADER_FLOOR_DB, FADER_TOP_DB);
    session.set_to(ParamPath::Fader(id.clone()), Some(Value::Constant(to_db))).ok()
}

/// The prior of every feed, renormalised over the feeds there are: together they make 0 LU.
pub(crate) fn prior_targets(session: &Session, profile: &Profile) -> BTreeMap<StripId, Prior> {
    let mut targets = BTreeMap::new();
    for feed in feeds(session) {
        if session.strip(&feed).is_some_and(|strip| strip.kind == StripKind::Return) {
            continue;
        }
        let classes: Vec<Class> =
            members(session, &feed).iter().filter_map(|m| Class::of(&m.role)).collect();
        targets.insert(feed, prior_of(&classes, profile));
    }
    let sum = power_to_db(targets.values().map(|prior| db_to_power(prior.lu)).sum());
    targets.values_mut().for_each(|prior| prior.lu = hundredths(prior.lu - sum));
    targets
}

/// The prior of a group with these classes in it. A kit is one thing; elsewhere classes add in power.
fn prior_of(classes: &[Class], profile: &Profile) -> Prior {
    let prior = |class: Class| profile.balance.get(&class).copied().unwrap_or(UNKNOWN);
    let mut present: Vec<Class> = classes.to_vec();
    present.sort_unstable();
    present.dedup();
    let kit = [Class::Kick, Class::Snare, Class::Cymbals];
    if present.contains(&Class::Drums) || kit.iter().filter(|c| present.contains(c)).count() > 1 {
        return prior(Class::Drums);
    }
    let Some(strongest) = present.iter().copied().max_by(|a, b| {
        prior(*a).lu.partial_cmp(&prior(*b).lu).unwrap_or(std::cmp::Ordering::Equal)
    }) else {
        return UNKNOWN;
    };
    let lu = power_to_db(present.iter().map(|class| db_to_power(prior(*class).lu)).sum());
    Prior { lu, sigma_lu: prior(strongest).sigma_lu }
}

/// Targets that hold from here on.
fn fix_targets(desk: &mut Desk<'_>, levels: Levels) {
    let session = desk.session.clone();
    let mut balance = prior_targets(&session, &desk.targets.profile);
    if levels == Levels::Keep {
        let picture = Picture::of(&session, &desk.heard);
        let mix = picture.total_lufs();
        for (id, prior) in &mut balance {
            let lu = hundredths(picture.feed_lufs(id) - mix);
            if lu.is_finite() {
                *prior = Prior { lu, sigma_lu: KEPT_SIGMA_LU };
            }
        }
    }
    let contrast_lu = contrast_lu(&desk.heard);
    let mut targets = targets(&session, desk.targets.profile.clone());
    if levels == Levels::Keep {
        // Whoever balanced it heard how far the groups wander and how clear they are.
        let picture = Picture::of(&session, &desk.heard);
        for (id, steady) in &mut targets.steady_lu {
            *steady = steady.max(picture.wander_lu(id).map_or(0.0, hundredths));
        }
        for (id, (least, _)) in &mut targets.audibility {
            *least = least.min(picture.audibility(id).unwrap_or(*least));
        }
    }
    desk.targets = Targets { balance, contrast_lu, ..targets };
}

/// Least audibility and weight by class: lead, drums, bass, anything else. Start values, a little below what
/// two songs with a balance by a person show (voices 0.77 and 0.84, drums 0.69 and 0.86, synthesisers 0.80
/// and 0.70, percussion 0.47); two songs are not a calibration.
const LEAD_AUDIBILITY: (f64, f64) = (0.70, 3.0);
const DRUMS_AUDIBILITY: (f64, f64) = (0.60, 2.0);
const BASS_AUDIBILITY: (f64, f64) = (0.60, 2.0);
const OTHER_AUDIBILITY: (f64, f64) = (0.45, 1.0);

/// Targets of a session by its roles; the contrast is open until levels are set.
pub(crate) fn targets(session: &Session, profile: Profile) -> Targets {
    let mut audibility = BTreeMap::new();
    let mut steady_lu = BTreeMap::new();
    let mut carries = crate::cost::Carries::default();
    for feed in feeds(session) {
        let members = members(session, &feed);
        let classes: Vec<Class> = members.iter().filter_map(|m| Class::of(&m.role)).collect();
        let any = |wanted: &[Class]| classes.iter().any(|class| wanted.contains(class));
        carries.lows |= any(&[Class::Kick, Class::Drums, Class::Bass]);
        carries.air |= any(&[Class::Drums, Class::Cymbals, Class::Snare, Class::Lead]);
        let wanted = if any(&[Class::Lead]) {
            LEAD_AUDIBILITY
        } else if any(&[Class::Drums, Class::Kick, Class::Snare]) {
            DRUMS_AUDIBILITY
        } else if any(&[Class::Bass]) {
            BASS_AUDIBILITY
        } else {
            OTHER_AUDIBILITY
        };
        if !any(&[Class::Fx]) {
            audibility.insert(feed.clone(), wanted);
        }
        let group = members.first().and_then(|m| group_of(&m.role));
        let steady = group.and_then(group_dynamics).map_or(FREE_WANDER_LU, |d| d.steady_lu);
        steady_lu.insert(feed, steady);
    }
    let balance = prior_targets(session, &profile);
    Targets { profile, balance, audibility, steady_lu, contrast_lu: Vec::new(), carries }
}

fn follow_rough(
    desk: &mut Desk<'_>,
    rough: &crate::song::RoughBalance,
) -> Result<(LevelsChosen, f64), DecideError> {
    let mut edits = Vec::new();
    for (track, fader) in desk.song.tracks.iter().zip(&rough.fader_db) {
        if let (Some(id), Some(db)) = (strip_of(desk, track), fader) {
            edits.extend(set_fader(&desk.session, &id, *db));
        }
    }
    let why = format!(
        "the faders of {} (its band powers explained to {:.0} %)",
        rough.name,
        rough.explained * 100.0
    );
    let title = format!("Levels of {}", rough.name);
    let record = plain(desk, Stage::Levels, title, format!("Levels follow {why}."), None, edits);
    desk.adopt(record)?;
    desk.listen()?;
    Ok((LevelsChosen { levels: Levels::Keep, why }, f64::INFINITY))
}

/// New tracks in a session that has its levels: each to its class's prior among the rest.
fn settle_new(desk: &mut Desk<'_>, new: &[StripId]) -> Result<(LevelsChosen, f64), DecideError> {
    let kept = desk.session.moves.iter().any(|m| {
        m.stage == Stage::Levels && m.counts() && m.title == "The levels stay as they come"
    });
    let levels = if kept { Levels::Keep } else { Levels::Find };
    let why = "the session has its levels".to_owned();
    let mix = desk.mix_lufs();
    for id in new.iter().filter(|_| !kept) {
        let Some(strip) = desk.session.strip(id).filter(|s| s.excluded.is_none()) else { continue };
        let heard = desk.heard.excerpts.iter().filter_map(|e| e.strips.get(id));
        let level = bands::integrated_lufs(heard.map(|heard| &*heard.output));
        let class = Class::of(&strip.role);
        let prior =
            class.and_then(|c| desk.targets.profile.balance.get(&c)).copied().unwrap_or(UNKNOWN);
        let off = hundredths(mix + prior.lu - level);
        if !level.is_finite() || off.abs() <= prior.sigma_lu {
            continue;
        }
        let title = format!("{} {off:+.1} dB", strip.name);
        let reason = format!(
            "{} is new; it came at {:+.1} LU re the mix, where {:+.1} ±{:.1} is usual.",
            strip.name,
            level - mix,
            prior.lu,
            prior.sigma_lu
        );
        let edits =
            set_fader(&desk.session, id, strip.fader_db.resting() + off).into_iter().collect();
        let record = plain(desk, Stage::Levels, title, reason, Some(id.clone()), edits);
        desk.adopt(record)?;
    }
    if !new.is_empty() {
        desk.listen()?;
    }
    Ok((LevelsChosen { levels, why }, if kept { KEEP_REACH_DB } else { f64::INFINITY }))
}

/// Mono tracks to where their roles conventionally sit. Microphones on one source stay together; a single
/// track goes to the side that has less so far.
fn pan(desk: &mut Desk<'_>) -> Result<(), DecideError> {
    let mut lean = 0.0;
    let (mut edits, mut words) = (Vec::new(), Vec::new());
    for role in Role::ALL {
        let tracks: Vec<(StripId, &SongTrack)> = desk
            .song
            .tracks
            .iter()
            .enumerate()
            .filter(|(index, t)| t.role == role.id() && may_pan(desk, *index, t))
            .filter_map(|(_, t)| Some((strip_of(desk, t)?, t)))
            .collect();
        let convention = role.pan();
        for (place, (id, track)) in places(&convention, tracks.len(), lean).into_iter().zip(tracks)
        {
            let place = hundredths(place);
            let power =
                if track.sound.is_silent() { 0.0 } else { db_to_power(track.sound.loudness_lufs) };
            lean += place * power.sqrt();
            if place == 0.0 {
                continue;
            }
            let at = ParamPath::Pan(id);
            if let Ok(edit) = desk.session.set_to(at, Some(Value::Constant(place))) {
                let side = if place < 0.0 { "left" } else { "right" };
                words.push(format!("{} {:.0} % {side}", track.name, place.abs() * 100.0));
                edits.push(edit);
            }
        }
    }
    if edits.is_empty() {
        return Ok(());
    }
    let title = format!("{} tracks to their conventional sides", edits.len());
    let reason = format!(
        "Mono tracks sit where their roles usually do; lead, kick, snare and bass stay in the centre. {}.",
        words.join(", ")
    );
    let record = plain(desk, Stage::Levels, title, reason, None, edits);
    desk.adopt(record).map(drop)
}

fn may_pan(desk: &Desk<'_>, index: usize, track: &SongTrack) -> bool {
    let bound = desk.song.links.iter().any(|link| {
        let inside = link.first == index || link.second == index;
        inside && matches!(link.kind, LinkKind::StereoPair | LinkKind::MultiMic)
    });
    let centred = strip_of(desk, track)
        .and_then(|id| desk.session.strip(&id).cloned())
        .is_some_and(|s| s.pan == Value::Constant(0.0) && s.excluded.is_none());
    track.channels == 1 && !bound && centred
}

/// Places of `count` tracks of one role, -1 to 1.
fn places(
    convention: &topdown_analysis::roles::PanConvention,
    count: usize,
    lean: f64,
) -> Vec<f64> {
    let middle = |(low, high): (f64, f64)| (low + high) / 200.0;
    let away = if lean > 0.0 { -1.0 } else { 1.0 };
    match count {
        0 => Vec::new(),
        1 => vec![away * middle(convention.single_pct)],
        _ => {
            let width = middle(convention.pair_pct);
            let step = 2.0 * width / (count - 1) as f64;
            (0..count).map(|i| away * (step * i as f64 - width)).collect()
        }
    }
}
