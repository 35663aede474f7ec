//! The one way in which `session.toml` is written: fixed order of keys, defaults left out, one processor a
//! small table with one group of parameters (an EQ's band, say) a line, one clip, file or move a line.
//!
//! Numbers are written in the shortest form that reads back as the same number. That is short because
//! what the mixer decides was rounded when it was decided ([`crate::spec::round_number`]), and it is exact
//! because what a person typed was not.

use crate::file::JournalHead;
use crate::model::{
    Author, Clip, Levels, Marker, MarkerKind, MixSettings, Move, MoveState, Print, ProcessorNode,
    Send, Session, SourceFile, Strategy, Strip, StripKind, Tap, Value,
};
use crate::moves::stage_name;
use std::collections::BTreeMap;
use std::fmt::Write as _;
use topdown_dsp::{Kind, ParamKind, ParamSpec};

/// The version of the file format that this build writes.
pub const VERSION: u64 = 1;

/// A session as the text of its `session.toml`.
#[must_use]
pub fn save(session: &Session, head: Option<&JournalHead>) -> String {
    let mut out = Out(String::new());
    out.line("# A Topdown session. Every key is explained in docs/session.md.");
    out.set("version", &VERSION.to_string());
    out.set("name", &text(&session.name));
    out.set("sample_rate_hz", &session.sample_rate.get().to_string());
    out.list("markers", session.markers.iter().map(marker));
    out.settings(&session.settings);
    out.header("[files]", !session.files.is_empty());
    for (id, file) in &session.files {
        out.set(&key(id.as_str()), &source_file(file));
    }
    for strip in &session.strips {
        out.strip(strip);
    }
    for (name, print) in &session.prints {
        out.print(name, print);
    }
    out.header("[journal]", head.is_some() || !session.moves.is_empty());
    if let Some(JournalHead { commit, bytes, hash }) = head {
        let hash = text(hash);
        out.set(
            "journal_head",
            &format!("{{ commit = {commit}, bytes = {bytes}, hash = {hash} }}"),
        );
    }
    out.list("moves", session.moves.iter().map(move_line));
    out.0
}

struct Out(String);

impl Out {
    fn line(&mut self, line: &str) {
        self.0.push_str(line);
        self.0.push('\n');
    }

    fn header(&mut self, header: &str, needed: bool) {
        if needed {
            self.line("");
            self.line(header);
        }
    }

    fn set(&mut self, key: &str, value: &str) {
        // Writing to a String does not fail.
        let _ = writeln!(self.0, "{key} = {value}");
    }

    fn set_if(&mut self, needed: bool, key: &str, value: &str) {
        if needed {
            self.set(key, value);
        }
    }

    fn list(&mut self, key: &str, items: impl Iterator<Item = String>) {
        let items: Vec<String> = items.map(|item| format!("    {item},\n")).collect();
        self.set_if(!items.is_empty(), key, &format!("[\n{}]", items.concat()));
    }

    fn settings(&mut self, settings: &MixSettings) {
        self.header("[settings]", true);
        self.set("strategy", &text(strategy(settings.strategy)));
        let ids: Vec<String> = settings.bottom_up.iter().map(|id| text(id.as_str())).collect();
        self.set_if(!ids.is_empty(), "bottom_up", &format!("[{}]", ids.join(", ")));
        self.set("depth", &text(stage_name(settings.depth)));
        self.set("levels", &text(levels(settings.levels)));
        self.set("profile", &text(&settings.profile));
    }

    fn strip(&mut self, strip: &Strip) {
        self.header("[[strip]]", true);
        self.set("id", &text(strip.id.as_str()));
        self.set("kind", &text(strip_kind(strip.kind)));
        self.set("name", &text(&strip.name));
        self.set_if(!strip.role.is_empty(), "role", &text(&strip.role));
        let confidence = strip.role_confidence;
        self.set_if(confidence != 0.0, "role_confidence", &number(confidence));
        self.set("channels", &strip.channels.to_string());
        if let Some(output) = &strip.output {
            self.set("output", &text(output.as_str()));
        }
        for (name, value_of, default) in [
            ("fader_db", &strip.fader_db, 0.0),
            ("pan", &strip.pan, 0.0),
            ("width", &strip.width, 1.0),
        ] {
            self.set_if(*value_of != Value::Constant(default), name, &value(value_of));
        }
        let safe = strip.kind == StripKind::Return;
        self.set_if(strip.mute, "mute", "true");
        self.set_if(strip.solo, "solo", "true");
        self.set_if(strip.solo_safe != safe, "solo_safe", &strip.solo_safe.to_string());
        self.set_if(strip.locked, "locked", "true");
        self.set_if(strip.stale, "stale", "true");
        if let Some(why) = &strip.excluded {
            self.set("excluded", &text(why));
        }
        self.list("sends", strip.sends.iter().map(send));
        self.list("clips", strip.clips.iter().map(clip));
        for node in &strip.chain {
            self.processor(node);
        }
    }

    fn processor(&mut self, node: &ProcessorNode) {
        self.header("[[strip.chain]]", true);
        self.set("id", &text(node.id.as_str()));
        self.set("kind", &text(&node.kind));
        self.set_if(node.bypass, "bypass", "true");
        if let Some(strip) = &node.key {
            self.set("key", &text(strip.as_str()));
        }
        for (name, entry) in entries(node) {
            match entry {
                Line::Plain(value) => self.set(&name, &value),
                Line::Group(pairs) => self.set(&name, &inline(&pairs)),
            }
        }
    }

    fn print(&mut self, name: &str, print: &Print) {
        self.header(&format!("[print.{}]", key(name)), true);
        self.set("target", &text(&print.target));
        self.set("target_lufs", &number(print.target_lufs));
        self.set("ceiling_dbtp", &number(print.ceiling_dbtp));
        self.set("gain_db", &number(print.gain_db));
        self.set("limiter", &print.limiter.to_string());
        self.set_if(print.trim_db != 0.0, "trim_db", &number(print.trim_db));
    }
}

enum Line {
    Plain(String),
    Group(Vec<String>),
}

/// The entries of a processor: known parameters in the order of the kind's table, groups together, then
/// what this build does not know.
fn entries(node: &ProcessorNode) -> Vec<(String, Line)> {
    let params = Kind::by_id(&node.kind).map_or(&[][..], |kind| kind.params);
    let known = params.iter().filter_map(|spec| {
        let value = node.values.get(spec.id)?;
        (*value != Value::Constant(spec.default)).then(|| (spec.id, parameter(spec, value)))
    });
    let strangers = node.values.iter().filter(|(id, _)| node.spec(id).is_none());
    let strangers = strangers.map(|(id, value_of)| (id.as_str(), value(value_of)));
    let unknown = node.unknown.iter().map(|(id, text)| (id.as_str(), text.clone()));
    let mut lines: Vec<(String, Line)> = Vec::new();
    let mut groups: BTreeMap<String, usize> = BTreeMap::new();
    for (id, value) in known.chain(strangers).chain(unknown) {
        let Some((group, param)) = id.split_once('.') else {
            lines.push((key(id), Line::Plain(value)));
            continue;
        };
        let pair = format!("{} = {value}", key(param));
        let place = *groups.entry(key(group)).or_insert(lines.len());
        match lines.get_mut(place) {
            Some((_, Line::Group(pairs))) => pairs.push(pair),
            _ => lines.push((key(group), Line::Group(vec![pair]))),
        }
    }
    lines
}

fn parameter(spec: &ParamSpec, value_of: &Value) -> String {
    match (spec.kind, value_of) {
        (ParamKind::Choice(names), Value::Constant(index)) if spec.accepts(*index) => {
            names.get(*index as usize).map_or_else(|| number(*index), |name| choice(name))
        }
        (ParamKind::Switch, Value::Constant(on)) if spec.accepts(*on) => (*on != 0.0).to_string(),
        _ => value(value_of),
    }
}

/// A name among several; one that is a whole number (a slope) is written as one.
pub(crate) fn choice(name: &str) -> String {
    if name.parse::<u32>().is_ok_and(|n| n.to_string() == name) {
        name.to_owned()
    } else {
        text(name)
    }
}

fn source_file(file: &SourceFile) -> String {
    let SourceFile { path, hash, sample_rate_hz, channels, frames } = file;
    inline(&[
        format!("path = {}", text(path)),
        format!("sample_rate_hz = {sample_rate_hz}"),
        format!("channels = {channels}"),
        format!("frames = {frames}"),
        format!("hash = {}", text(hash)),
    ])
}

fn marker(marker: &Marker) -> String {
    let mut pairs = vec![format!("kind = {}", text(marker_kind(marker.kind)))];
    pairs.push(format!("frame = {}", marker.frame));
    pairs.extend(marker.end_frame.map(|end| format!("end_frame = {end}")));
    if !marker.name.is_empty() {
        pairs.push(format!("name = {}", text(&marker.name)));
    }
    pairs.extend(marker.bpm.map(|bpm| format!("bpm = {}", number(bpm))));
    pairs.push(format!("confidence = {}", number(marker.confidence)));
    inline(&pairs)
}

fn send(send: &Send) -> String {
    let mut pairs = vec![format!("to = {}", text(send.to.as_str()))];
    pairs.push(format!("level_db = {}", value(&send.level_db)));
    if send.tap == Tap::Pre {
        pairs.push(format!("tap = {}", text(tap(send.tap))));
    }
    inline(&pairs)
}

fn clip(clip: &Clip) -> String {
    let mut pairs = vec![format!("file = {}", text(clip.file.as_str()))];
    pairs.extend(clip.channel.map(|channel| format!("channel = {channel}")));
    let fades = clip.fades;
    for (name, frames, always) in [
        ("at_frame", clip.at_frame, true),
        ("from_frame", clip.from_frame, false),
        ("frames", clip.frames, true),
        ("fade_in_frames", fades.in_frames, false),
        ("fade_out_frames", fades.out_frames, false),
    ] {
        if always || frames != 0 {
            pairs.push(format!("{name} = {frames}"));
        }
    }
    if clip.gain_db != 0.0 {
        pairs.push(format!("gain_db = {}", number(clip.gain_db)));
    }
    inline(&pairs)
}

fn move_line(the_move: &Move) -> String {
    let mut pairs = vec![
        format!("id = {}", text(the_move.id.as_str())),
        format!("stage = {}", text(stage_name(the_move.stage))),
        format!("author = {}", text(author(the_move.author))),
        format!("state = {}", text(move_state(the_move.state))),
    ];
    for (needed, pair) in [(!the_move.on, "on = false"), (the_move.locked, "locked = true")] {
        pairs.extend(needed.then(|| pair.to_owned()));
    }
    if the_move.amount_percent != 100.0 {
        pairs.push(format!("amount_percent = {}", number(the_move.amount_percent)));
    }
    pairs.extend(the_move.stale.then(|| "stale = true".to_owned()));
    pairs.push(format!("title = {}", text(&the_move.title)));
    inline(&pairs)
}

macro_rules! names {
    ($($list:ident $one:ident $type:ty { $($name:literal => $value:path),+ $(,)? })+) => { $(
        pub(crate) const $list: &[(&str, $type)] = &[$(($name, $value)),+];
        pub(crate) const fn $one(value: $type) -> &'static str {
            match value { $($value => $name),+ }
        }
    )+ };
}

names! {
    STRATEGIES strategy Strategy {
        "top-down" => Strategy::TopDown, "bottom-up" => Strategy::BottomUp, "hybrid" => Strategy::Hybrid,
    }
    LEVELS levels Levels { "keep" => Levels::Keep, "find" => Levels::Find, "auto" => Levels::Auto }
    STRIP_KINDS strip_kind StripKind {
        "bus" => StripKind::Bus, "group" => StripKind::Group,
        "return" => StripKind::Return, "track" => StripKind::Track,
    }
    MARKER_KINDS marker_kind MarkerKind {
        "section" => MarkerKind::Section, "tempo" => MarkerKind::Tempo, "song" => MarkerKind::Song,
    }
    TAPS tap Tap { "pre" => Tap::Pre, "post" => Tap::Post }
    AUTHORS author Author { "topdown" => Author::Topdown, "person" => Author::Person }
    STATES move_state MoveState {
        "kept" => MoveState::Kept, "rejected" => MoveState::Rejected,
        "superseded" => MoveState::Superseded,
    }
}

/// A number in its shortest form that reads back as the same number.
#[must_use]
pub(crate) fn number(value: f64) -> String {
    let value = value + 0.0; // no -0
    let far = value != 0.0 && value.is_finite() && !(1e-6..1e15).contains(&value.abs());
    match value {
        _ if far => format!("{value:e}"),
        _ if value.is_nan() => "nan".to_owned(),
        _ => format!("{value}"), // infinities read as TOML too
    }
}

/// A value: the number, or `[[frame, value], ...]`.
#[must_use]
pub(crate) fn value(value: &Value) -> String {
    match value {
        Value::Constant(value) => number(*value),
        Value::Automation(points) => {
            let points: Vec<String> =
                points.iter().map(|p| format!("[{}, {}]", p.frame, number(p.value))).collect();
            format!("[{}]", points.join(", "))
        }
    }
}

/// Text in quotes.
#[must_use]
pub(crate) fn text(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 2);
    out.push('"');
    for c in text.chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            c if c.is_control() => drop(write!(out, "\\u{:04X}", u32::from(c))),
            c => out.push(c),
        }
    }
    out.push('"');
    out
}

/// A key, in quotes if it needs them.
#[must_use]
pub(crate) fn key(key: &str) -> String {
    let bare = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
    if !key.is_empty() && key.chars().all(bare) { key.to_owned() } else { text(key) }
}

/// An inline table.
#[must_use]
pub(crate) fn inline(pairs: &[String]) -> String {
    if pairs.is_empty() { "{}".to_owned() } else { format!("{{ {} }}", pairs.join(", ")) }
}
