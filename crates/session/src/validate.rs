//! Whether a session holds together: everything that strips, clips, sends and keys say about each other.
//! All problems are found, not the first one.

use crate::model::{
    Clip, FileId, Marker, MarkerKind, Move, Print, ProcessorNode, Session, SourceFile, Strip,
    StripId, StripKind, Value,
};
use crate::spec::{CLIP_GAIN, FADER, PAN, SEND_LEVEL, WIDTH, check_value};
use std::collections::{BTreeMap, BTreeSet};
use topdown_dsp::{Kind, ParamSpec};

/// Something wrong with a session, and where.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// Line in `session.toml`, counted from 1, if the session came from a file.
    pub line: Option<usize>,
    /// Where in the document: `kick/eq/band_1.gain_db`.
    pub path: String,
    /// What is wrong and what is allowed.
    pub message: String,
}

impl std::fmt::Display for Problem {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        if let Some(line) = self.line {
            write!(f, "line {line}: ")?;
        }
        if self.path.is_empty() {
            f.write_str(&self.message)
        } else {
            write!(f, "{}: {}", self.path, self.message)
        }
    }
}

/// Most strips of a session.
pub const MAX_STRIPS: usize = 4096;
/// Most processors of a chain.
pub const MAX_CHAIN: usize = 64;
/// Most sends of a strip.
pub const MAX_SENDS: usize = 64;
/// Most clips of a track, files, markers and moves of a session.
pub const MAX_LIST: usize = 65_536;
/// No position or length lies past this frame (23 years at 384 kHz).
pub const MAX_FRAME: u64 = 1 << 48;
/// Longest id in characters.
pub const MAX_ID: usize = 64;

/// Everything that is wrong with a session; empty if it can be rendered.
#[must_use]
pub fn validate(session: &Session) -> Vec<Problem> {
    let mut check = Check { session, problems: Vec::new() };
    check.count("strips", "", session.strips.len(), MAX_STRIPS);
    check.count("files", "files", session.files.len(), MAX_LIST);
    check.count("markers", "markers", session.markers.len(), MAX_LIST);
    check.count("moves", "moves", session.moves.len(), MAX_LIST);
    check.buses();
    session.files.iter().for_each(|(id, file)| check.file(id, file));
    session.markers.iter().enumerate().for_each(|(index, marker)| check.marker(index, marker));
    let mut ids = BTreeSet::new();
    for strip in &session.strips {
        if !ids.insert(&strip.id) {
            check.say(strip.id.as_str(), "there is another strip with this id");
        }
        check.strip(strip);
    }
    check.cycles();
    session.prints.iter().for_each(|(name, print)| check.print(name, print));
    let mut ids = BTreeSet::new();
    for the_move in &session.moves {
        if !ids.insert(&the_move.id) {
            check.say(&format!("move:{}", the_move.id), "there is another move with this id");
        }
        check.the_move(the_move);
    }
    check.problems
}

struct Check<'a> {
    session: &'a Session,
    problems: Vec<Problem>,
}

impl<'a> Check<'a> {
    fn say(&mut self, path: &str, message: impl Into<String>) {
        let message = message.into();
        self.problems.push(Problem { line: None, path: path.to_owned(), message });
    }

    fn count(&mut self, what: &str, path: &str, count: usize, most: usize) {
        if count > most {
            self.say(path, format!("{count} {what}: at most {most} are allowed"));
        }
    }

    fn id(&mut self, path: &str, id: &str) {
        let fits = |c: char| c.is_alphanumeric() || "-_.".contains(c);
        if id.is_empty() || id.chars().count() > MAX_ID || !id.chars().all(fits) {
            let allowed = format!("1 to {MAX_ID} letters, digits, `-`, `_` or `.`");
            self.say(path, format!("`{}` cannot be an id: {allowed}", id.escape_debug()));
        }
    }

    fn number(&mut self, path: &str, value: f64, range: (f64, f64)) {
        if !(range.0..=range.1).contains(&value) {
            let message =
                format!("{value} is not allowed: a number from {} to {}", range.0, range.1);
            self.say(path, message);
        }
    }

    fn value(&mut self, path: &str, spec: &ParamSpec, value: &Value) {
        if let Err(fault) = check_value(spec, value) {
            self.say(path, fault.to_string());
        }
    }

    fn frame(&mut self, path: &str, frame: u64) {
        if frame > MAX_FRAME {
            self.say(path, format!("frame {frame} is past the last one allowed, {MAX_FRAME}"));
        }
    }

    fn buses(&mut self) {
        let session = self.session;
        let mut buses = session.of_kind(StripKind::Bus);
        if buses.next().is_none() {
            self.say("", "there is no mix bus: one strip must be of kind \"bus\"");
        }
        for extra in buses {
            self.say(extra.id.as_str(), "this is a second mix bus: exactly one is allowed");
        }
    }

    fn file(&mut self, id: &FileId, file: &SourceFile) {
        let path = format!("file:{id}");
        self.id(&path, id.as_str());
        if file.path.is_empty() || file.path.contains('\0') {
            self.say(&format!("{path}/path"), "this is not the path of a file");
        }
        let hexadecimal = |c: char| c.is_ascii_digit() || ('a'..='f').contains(&c);
        if file.hash.is_empty() || file.hash.len() > 128 || !file.hash.chars().all(hexadecimal) {
            self.say(&format!("{path}/hash"), "a hash is written in hexadecimal, 0-9 and a-f");
        }
        if file.sample_rate_hz == 0 {
            self.say(&format!("{path}/sample_rate_hz"), "a sample rate is above 0 Hz");
        }
        if file.channels == 0 {
            self.say(&format!("{path}/channels"), "a file has at least 1 channel");
        }
        self.frame(&format!("{path}/frames"), file.frames);
    }

    fn marker(&mut self, index: usize, marker: &Marker) {
        let path = format!("marker[{index}]");
        self.frame(&path, marker.frame);
        if let Some(end) = marker.end_frame {
            self.frame(&path, end);
            if end <= marker.frame {
                self.say(
                    &path,
                    format!("ends at frame {end}, not after its start {}", marker.frame),
                );
            }
        }
        self.number(&format!("{path}/confidence"), marker.confidence, (0.0, 1.0));
        match (marker.kind, marker.bpm) {
            (_, Some(bpm)) => self.number(&format!("{path}/bpm"), bpm, (1.0, 1000.0)),
            (MarkerKind::Tempo, None) => self.say(&path, "a tempo marker needs `bpm`"),
            (_, None) => {}
        }
    }

    fn strip(&mut self, strip: &'a Strip) {
        let id = strip.id.as_str();
        self.id(id, id);
        if !(1..=2).contains(&strip.channels) {
            let message = format!("{} channels: 1 or 2 are allowed", strip.channels);
            self.say(&format!("{id}/channels"), message);
        }
        self.output(strip);
        self.value(&format!("{id}/fader_db"), &FADER, &strip.fader_db);
        self.value(&format!("{id}/pan"), &PAN, &strip.pan);
        self.value(&format!("{id}/width"), &WIDTH, &strip.width);
        self.number(&format!("{id}/role_confidence"), strip.role_confidence, (0.0, 1.0));
        self.sends(strip);
        self.count("clips", &format!("{id}/clips"), strip.clips.len(), MAX_LIST);
        if strip.kind != StripKind::Track && !strip.clips.is_empty() {
            self.say(&format!("{id}/clips"), "only tracks have clips");
        }
        for (index, clip) in strip.clips.iter().enumerate() {
            self.clip(&format!("{id}/clip[{index}]"), clip);
        }
        self.count("processors", id, strip.chain.len(), MAX_CHAIN);
        let mut ids = BTreeSet::new();
        for node in &strip.chain {
            let path = format!("{id}/{}", node.id);
            if !ids.insert(&node.id) {
                self.say(&path, "there is another processor with this id in the chain");
            }
            self.processor(&path, node);
        }
    }

    fn output(&mut self, strip: &Strip) {
        let path = format!("{}/output", strip.id);
        match (&strip.output, strip.kind) {
            (Some(_), StripKind::Bus) => self.say(&path, "the mix bus has no output"),
            (None, StripKind::Bus) => {}
            (None, _) => {
                self.say(&path, "`output` is missing: the group or bus that sums this strip");
            }
            (Some(to), _) => match self.session.strip(to).map(|to| to.kind) {
                Some(StripKind::Bus | StripKind::Group) => {}
                Some(_) => self.say(&path, format!("`{to}` is neither a group nor the bus")),
                None => self.say(&path, format!("there is no strip `{to}`")),
            },
        }
    }

    fn sends(&mut self, strip: &Strip) {
        let id = &strip.id;
        self.count("sends", &format!("{id}/sends"), strip.sends.len(), MAX_SENDS);
        if strip.kind == StripKind::Bus && !strip.sends.is_empty() {
            self.say(&format!("{id}/sends"), "the mix bus has no sends");
        }
        let mut targets = BTreeSet::new();
        for send in &strip.sends {
            let path = format!("{id}/send:{}", send.to);
            if !targets.insert(&send.to) {
                self.say(&path, "there is another send to this return");
            }
            match self.session.strip(&send.to).map(|to| to.kind) {
                Some(StripKind::Return) => {}
                Some(_) => self.say(&path, format!("`{}` is not a return", send.to)),
                None => self.say(&path, format!("there is no strip `{}`", send.to)),
            }
            self.value(&format!("{path}/level_db"), &SEND_LEVEL, &send.level_db);
        }
    }

    fn clip(&mut self, path: &str, clip: &Clip) {
        self.value(&format!("{path}/gain_db"), &CLIP_GAIN, &Value::Constant(clip.gain_db));
        self.frame(path, clip.at_frame);
        if clip.frames == 0 {
            self.say(&format!("{path}/frames"), "a clip is at least 1 frame long");
        }
        if clip.fades.in_frames.saturating_add(clip.fades.out_frames) > clip.frames {
            let Clip { fades, frames, .. } = clip;
            let (fade_in, fade_out) = (fades.in_frames, fades.out_frames);
            let message =
                format!("fades of {fade_in} and {fade_out} frames do not fit into {frames}");
            self.say(path, message);
        }
        let Some(file) = self.session.files.get(&clip.file) else {
            return self.say(&format!("{path}/file"), format!("there is no file `{}`", clip.file));
        };
        match clip.channel {
            Some(channel) if channel >= file.channels => {
                let message = format!(
                    "file `{}` has channels 0 to {}",
                    clip.file,
                    file.channels.saturating_sub(1)
                );
                self.say(&format!("{path}/channel"), message);
            }
            _ => {}
        }
        let length = file.frames_at(self.session.sample_rate.get());
        if clip.from_frame.saturating_add(clip.frames) > length {
            let end = clip.from_frame.saturating_add(clip.frames);
            let message =
                format!("plays to frame {end} of file `{}`, which has {length}", clip.file);
            self.say(path, message);
        }
    }

    fn processor(&mut self, path: &str, node: &ProcessorNode) {
        self.id(path, node.id.as_str());
        let kind = Kind::by_id(&node.kind);
        if let Some(key) = &node.key {
            let path = format!("{path}/key");
            if self.session.strip(key).is_none() {
                self.say(&path, format!("there is no strip `{key}`"));
            }
            if kind.is_some_and(|kind| !kind.takes_key) {
                self.say(&path, format!("a processor of kind \"{}\" takes no key", node.kind));
            }
        }
        for (param, value) in &node.values {
            if let Some((_, spec)) = kind.and_then(|kind| kind.param(param)) {
                self.value(&format!("{path}/{param}"), spec, value);
            }
        }
    }

    /// Outputs, sends and keys must not lead back to where they come from.
    fn cycles(&mut self) {
        let mut feeds: BTreeMap<&StripId, BTreeSet<&StripId>> = BTreeMap::new();
        for strip in &self.session.strips {
            let sends = strip.sends.iter().map(|send| &send.to);
            feeds.entry(&strip.id).or_default().extend(strip.output.iter().chain(sends));
            for key in strip.chain.iter().filter_map(|node| node.key.as_ref()) {
                feeds.entry(key).or_default().insert(&strip.id);
            }
        }
        if let Some(cycle) = find_cycle(&feeds) {
            let way: Vec<&str> = cycle.iter().map(|id| id.as_str()).collect();
            let path = way.first().copied().unwrap_or_default();
            let message = format!("outputs, sends and keys go in a circle: {}", way.join(" -> "));
            self.say(path, message);
        }
    }

    fn print(&mut self, name: &str, print: &Print) {
        let path = format!("print:{name}");
        self.id(&path, name);
        self.number(&format!("{path}/target_lufs"), print.target_lufs, (-70.0, 0.0));
        self.number(&format!("{path}/ceiling_dbtp"), print.ceiling_dbtp, (-60.0, 0.0));
        self.number(&format!("{path}/gain_db"), print.gain_db, (-144.0, 144.0));
        self.number(&format!("{path}/trim_db"), print.trim_db, (-144.0, 144.0));
    }

    fn the_move(&mut self, the_move: &Move) {
        let path = format!("move:{}", the_move.id);
        self.id(&path, the_move.id.as_str());
        self.number(&format!("{path}/amount_percent"), the_move.amount_percent, (0.0, 100.0));
    }
}

impl SourceFile {
    /// Length in frames of another rate, rounded up.
    #[must_use]
    pub fn frames_at(&self, rate_hz: u32) -> u64 {
        let own = u128::from(self.sample_rate_hz.max(1));
        let frames = (u128::from(self.frames) * u128::from(rate_hz)).div_ceil(own);
        u64::try_from(frames).unwrap_or(u64::MAX)
    }
}

/// The first circle in a graph, as the nodes on it with the first one again at the end.
fn find_cycle<'a>(
    feeds: &BTreeMap<&'a StripId, BTreeSet<&'a StripId>>,
) -> Option<Vec<&'a StripId>> {
    let mut done: BTreeSet<&StripId> = BTreeSet::new();
    for start in feeds.keys() {
        // Depth first without recursion: the way here, and what is left to visit at each step of it.
        let mut way = vec![*start];
        let mut left = vec![targets(feeds, start)];
        while let Some(rest) = left.last_mut() {
            match rest.pop() {
                Some(next) if done.contains(next) => {}
                Some(next) => {
                    if let Some(place) = way.iter().position(|id| *id == next) {
                        let mut cycle = way.split_off(place);
                        cycle.push(next);
                        return Some(cycle);
                    }
                    way.push(next);
                    left.push(targets(feeds, next));
                }
                None => {
                    left.pop();
                    done.extend(way.pop());
                }
            }
        }
    }
    None
}

fn targets<'a>(
    feeds: &BTreeMap<&'a StripId, BTreeSet<&'a StripId>>,
    id: &StripId,
) -> Vec<&'a StripId> {
    feeds.get(id).map(|to| to.iter().rev().copied().collect()).unwrap_or_default()
}
