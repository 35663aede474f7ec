//! Prep: the session out of the scanned tracks. Groups from roles, what is no track of the song left out,
//! obvious faults repaired. Nothing here is weighed by the cost, and nothing happens without being said.

use crate::chain::{Band, eq_node, free_id};
use crate::desk::Desk;
use crate::roles::{group_of, group_strip};
use crate::run::DecideError;
use crate::song::{Link, LinkKind, Song, SongTrack};
use topdown_analysis::roles::Group;
use topdown_session::edit::Facts;
use topdown_session::validate::MAX_ID;
use topdown_session::{
    Author, Clip, Edit, Evidence, Fades, Finding, MoveState, ParamPath, ProcessorNode, Record,
    Stage, Strip, StripId, StripKind, Value,
};
use topdown_units::gain_to_db;

/// A mean this far from zero (linear full scale, about -50 dBFS) is a fault of the converter.
const DC_FAULT: f64 = 0.003;
/// The high-pass that takes it out.
const DC_HIGH_PASS_HZ: f64 = 10.0;
/// Two microphones on one source that correlate below this are turned against each other.
const TURNED_BELOW: f64 = -0.4;
/// Beyond this lag (seconds) the sign of a correlation says nothing about polarity.
const POLARITY_LAG_S: f64 = 0.005;
/// Roles less sure than this are pointed out.
const UNSURE_BELOW: f64 = 0.5;

/// Brings every track of the song that the session does not have yet into it; returns their strips.
pub(crate) fn prep(desk: &mut Desk<'_>) -> Result<Vec<StripId>, DecideError> {
    let song = desk.song;
    let new: Vec<usize> =
        (0..song.tracks.len()).filter(|i| strip_of(desk, &song.tracks[*i]).is_none()).collect();
    for group in Group::ALL {
        let members: Vec<usize> = new
            .iter()
            .copied()
            .filter(|i| song.tracks.get(*i).is_some_and(|t| home(t) == *group))
            .collect();
        if !members.is_empty() {
            take_in(desk, *group, &members)?;
        }
    }
    mark(desk)?;
    for index in &new {
        leave_out(desk, *index)?;
    }
    for index in &new {
        repair(desk, *index)?;
    }
    for link in &song.links {
        if new.contains(&link.first) || new.contains(&link.second) {
            join(desk, link)?;
        }
    }
    let plays = |strip: &&Strip| strip.kind == StripKind::Track && strip.excluded.is_none();
    if !desk.session.strips.iter().any(|strip| plays(&strip)) {
        let why = format!("none of {} tracks is part of a song", song.tracks.len());
        return Err(DecideError::NothingToMix(why));
    }
    Ok(new.iter().filter_map(|i| strip_of(desk, song.tracks.get(*i)?)).collect())
}

/// Where the last track ends that is part of the song and can be heard, in session frames; 0 without one.
pub(crate) fn heard_until(song: &Song) -> u64 {
    let heard = song.tracks.iter().filter(|t| t.exclude.is_none() && !t.sound.is_silent());
    heard.map(end_of).max().unwrap_or(0)
}

fn end_of(track: &SongTrack) -> u64 {
    track.at_frame.saturating_add(track.frames)
}

/// The strip that plays a track of the song.
pub(crate) fn strip_of(desk: &Desk<'_>, track: &SongTrack) -> Option<StripId> {
    let plays = |clip: &Clip| clip.file == track.file && clip.channel == track.channel;
    let strips = desk.session.of_kind(StripKind::Track);
    strips.filter(|s| s.clips.iter().any(plays)).map(|s| s.id.clone()).next()
}

/// `Other` stands for "straight to the mix bus".
fn home(track: &SongTrack) -> Group {
    match group_of(&track.role) {
        Some(group) if track.exclude.is_none() => group,
        _ => Group::Other,
    }
}

fn take_in(desk: &mut Desk<'_>, group: Group, members: &[usize]) -> Result<(), DecideError> {
    let (mut edits, mut session) = (Vec::new(), desk.session.clone());
    let mut make = |session: &mut topdown_session::Session, edit: Edit| {
        if session.apply(&edit).is_ok() {
            edits.push(edit);
        }
    };
    let bus = desk.session.bus().map_or_else(|| StripId::from("bus"), |bus| bus.id.clone());
    let (home, title_group) = if group == Group::Other {
        (bus.clone(), "straight to the mix bus".to_owned())
    } else {
        let (id, name) = group_strip(group);
        let strip = Strip { output: Some(bus), ..Strip::new(id.into(), StripKind::Group, name, 2) };
        if session.strip(&strip.id).is_none() {
            let index = session.strips.len();
            make(&mut session, Edit::InsertStrip { index, strip });
        }
        (StripId::from(id), format!("into the group {name}"))
    };
    let mut words = Vec::new();
    for track in members.iter().filter_map(|i| desk.song.tracks.get(*i)) {
        if !session.files.contains_key(&track.file) {
            let new = Some(track.source.clone());
            make(&mut session, Edit::SetFile { file: track.file.clone(), old: None, new });
        }
        let strip = track_strip(&session, track, &home);
        words.push(role_words(track));
        let index = session.strips.len();
        make(&mut session, Edit::InsertStrip { index, strip });
    }
    let count = members.len();
    let title = format!("{count} track{} {title_group}", if count == 1 { "" } else { "s" });
    let strip = (group != Group::Other).then_some(home);
    let record = plain(desk, Stage::Prep, title, words.join(" "), strip, edits);
    desk.adopt(record).map(drop)
}

fn role_words(track: &SongTrack) -> String {
    let unsure = if track.role_confidence < UNSURE_BELOW { ", unsure" } else { "" };
    let sure = track.role_confidence * 100.0;
    let why = if track.role_reason.is_empty() {
        String::new()
    } else {
        format!(": {}", track.role_reason)
    };
    format!("{} is taken for {} ({sure:.0} %{unsure}{why}).", track.name, track.role)
}

fn track_strip(session: &topdown_session::Session, track: &SongTrack, output: &StripId) -> Strip {
    let slug = slug(&track.name);
    let free = |id: &str| session.strip(&id.into()).is_none() && !is_group_id(id);
    let id = if free(&slug) {
        slug
    } else {
        let mut number = 2;
        while !free(&format!("{slug}-{number}")) {
            number += 1;
        }
        format!("{slug}-{number}")
    };
    let clip = Clip {
        file: track.file.clone(),
        channel: track.channel,
        at_frame: track.at_frame,
        from_frame: 0,
        frames: track.frames,
        gain_db: 0.0,
        fades: Fades::default(),
    };
    Strip {
        role: track.role.clone(),
        role_confidence: track.role_confidence.clamp(0.0, 1.0),
        output: Some(output.clone()),
        clips: vec![clip],
        ..Strip::new(id.as_str().into(), StripKind::Track, &track.name, track.channels.clamp(1, 2))
    }
}

fn is_group_id(id: &str) -> bool {
    Group::ALL.iter().any(|group| group_strip(*group).0 == id)
}

/// Lower case, letters and digits, single hyphens: `Kick In` is `kick-in`.
fn slug(name: &str) -> String {
    let mut slug = String::new();
    for c in name.chars().flat_map(char::to_lowercase) {
        if c.is_alphanumeric() {
            slug.push(c);
        } else if !slug.is_empty() && !slug.ends_with('-') {
            slug.push('-');
        }
    }
    // Room for a number behind it.
    let end = slug.char_indices().nth(MAX_ID - 6).map_or(slug.len(), |(at, _)| at);
    let slug = slug.get(..end).unwrap_or_default().trim_end_matches('-');
    if slug.is_empty() { "track".to_owned() } else { slug.to_owned() }
}

fn mark(desk: &mut Desk<'_>) -> Result<(), DecideError> {
    if desk.song.markers.is_empty() || !desk.session.markers.is_empty() {
        return Ok(());
    }
    let new = desk.song.markers.clone();
    let title = format!("{} markers on the timeline", new.len());
    let reason = "Sections, tempo and song range as heard; correct them like a role.".to_owned();
    let edits = vec![Edit::SetMarkers { old: Vec::new(), new }];
    let record = plain(desk, Stage::Prep, title, reason, None, edits);
    desk.adopt(record).map(drop)
}

/// Leaves out what is no track of the song, or silent.
fn leave_out(desk: &mut Desk<'_>, index: usize) -> Result<(), DecideError> {
    let Some(track) = desk.song.tracks.get(index) else { return Ok(()) };
    let twin = desk.song.links.iter().find(|l| l.kind == LinkKind::Duplicate && l.second == index);
    let twin = twin.and_then(|link| desk.song.tracks.get(link.first));
    let why = match (&track.exclude, twin) {
        (Some(why), _) => why.clone(),
        // The song stays as long as its recordings: one that goes on behind all others plays its silence.
        (None, _) if track.sound.is_silent() && end_of(track) <= heard_until(desk.song) => {
            "silent".to_owned()
        }
        (None, Some(twin)) => format!("the same sound as {}", twin.name),
        (None, None) => return Ok(()),
    };
    let Some(strip) = strip_of(desk, track).and_then(|id| desk.session.strip(&id)) else {
        return Ok(());
    };
    let old = Facts::of(strip);
    let id = strip.id.clone();
    let new = Facts { excluded: Some(why.clone()), ..old.clone() };
    let edits = vec![Edit::SetFacts { strip: id.clone(), old, new }];
    let title = format!("{} left out: {why}", track.name);
    let reason = format!(
        "{} is no part of the mix ({why}). Switch this move off to hear it all the same.",
        track.name
    );
    desk.warnings.push(title.clone());
    let record = plain(desk, Stage::Prep, title, reason, Some(id), edits);
    desk.adopt(record).map(drop)
}

/// Repairs what needs no judgement, and says what cannot be repaired.
fn repair(desk: &mut Desk<'_>, index: usize) -> Result<(), DecideError> {
    let Some(track) = desk.song.tracks.get(index) else { return Ok(()) };
    let sound = &track.sound;
    if sound.broken_samples > 0 {
        let file = track.source.path.rsplit('/').next().filter(|name| !name.is_empty());
        let name = file.unwrap_or(&track.name);
        desk.warnings.push(format!(
            "{name}: {} samples are no numbers and play as silence",
            sound.broken_samples
        ));
    }
    if sound.clipped_runs > 0 {
        desk.warnings.push(format!(
            "{} is clipped in {} place{}: the recording is damaged there, a new take would help",
            track.name,
            sound.clipped_runs,
            if sound.clipped_runs == 1 { "" } else { "s" }
        ));
    }
    if sound.dc_offset.abs() < DC_FAULT || sound.is_silent() {
        return Ok(());
    }
    let Some(strip) = strip_of(desk, track).and_then(|id| desk.session.strip(&id)) else {
        return Ok(());
    };
    let id = strip.id.clone();
    let processor = eq_node(&free_id(strip, "eq"), &[Band::high_pass(DC_HIGH_PASS_HZ)]);
    let edits = vec![Edit::InsertProcessor { strip: id.clone(), index: 0, processor }];
    let title = format!("{}: constant offset taken out", track.name);
    let reason = format!(
        "{} does not swing around zero: its mean is {:.1} % of full scale ({:.0} dBFS). A high-pass at {DC_HIGH_PASS_HZ} Hz takes that out and touches nothing one hears.",
        track.name,
        sound.dc_offset * 100.0,
        gain_to_db(sound.dc_offset.abs())
    );
    let record = plain(desk, Stage::Prep, title, reason, Some(id), edits);
    desk.adopt(record).map(drop)
}

/// Pairs: sides to their sides, turned microphones turned back.
fn join(desk: &mut Desk<'_>, link: &Link) -> Result<(), DecideError> {
    let tracks = &desk.song.tracks;
    let (Some(first), Some(second)) = (tracks.get(link.first), tracks.get(link.second)) else {
        return Ok(());
    };
    let ids = strip_of(desk, first).zip(strip_of(desk, second));
    let Some((a, b)) = ids else { return Ok(()) };
    if link.kind == LinkKind::StereoPair && first.channels == 1 && second.channels == 1 {
        let pan = |id: &StripId, to: f64| {
            desk.session.set_to(ParamPath::Pan(id.clone()), Some(Value::Constant(to))).ok()
        };
        let edits = [pan(&a, -1.0), pan(&b, 1.0)].into_iter().flatten().collect();
        let title = format!("{} and {} as left and right", first.name, second.name);
        let reason = "Two files of one stereo recording.".to_owned();
        let record = plain(desk, Stage::Prep, title, reason, Some(a), edits);
        return desk.adopt(record).map(drop);
    }
    let lag_s = link.lag_frames.unwrap_or(0.0).abs() / desk.song.sample_rate.hz();
    let turned = link.correlation.is_some_and(|c| c <= TURNED_BELOW) && lag_s <= POLARITY_LAG_S;
    if link.kind != LinkKind::MultiMic || !turned {
        return Ok(());
    }
    turn(desk, link, &b)
}

fn turn(desk: &mut Desk<'_>, link: &Link, id: &StripId) -> Result<(), DecideError> {
    let tracks = &desk.song.tracks;
    let names = tracks.get(link.first).zip(tracks.get(link.second));
    let Some(((first, second), strip)) = names.zip(desk.session.strip(id)) else { return Ok(()) };
    let correlation = link.correlation.unwrap_or(0.0);
    let processor = ProcessorNode::new(&free_id(strip, "trim"), "trim").with("invert", 1.0);
    let edits = vec![Edit::InsertProcessor { strip: id.clone(), index: 0, processor }];
    let title = format!("{}: polarity turned", second.name);
    let reason = format!(
        "{} and {} hear the same source against each other (correlation {correlation:.2}): together they lose body. One of them is turned.",
        first.name, second.name
    );
    let mut record = plain(desk, Stage::Prep, title, reason, Some(id.clone()), edits);
    record.evidence.heard.push(Finding {
        text: format!("correlation of {} with {}", second.name, first.name),
        strip: Some(id.clone()),
        value: correlation,
        unit: String::new(),
        span_frames: link.span_frames,
        band_hz: None,
    });
    desk.adopt(record).map(drop)
}

/// A kept record that the cost does not weigh.
pub(crate) fn plain(
    desk: &Desk<'_>,
    stage: Stage,
    title: String,
    reason: String,
    strip: Option<StripId>,
    edits: Vec<Edit>,
) -> Record {
    Record {
        id: desk.next_id(stage),
        stage,
        author: Author::Topdown,
        state: MoveState::Kept,
        title,
        reason,
        strip,
        edits,
        evidence: Evidence { confidence: 1.0, ..Evidence::default() },
    }
}

#[cfg(test)]
mod tests {
    use super::slug;

    #[test]
    fn names_become_short_readable_ids() {
        assert_eq!(slug("01_Kick In (57).wav"), "01-kick-in-57-wav");
        assert_eq!(slug("Ünï"), "ünï");
        assert_eq!(slug("***"), "track");
    }
}
