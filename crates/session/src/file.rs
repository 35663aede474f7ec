//! `session.toml` as text to a session, and back. Reading finds all problems, each with its line, what is
//! wrong and what is allowed. What this build does not know of processors is kept as it is, with a warning;
//! anything else it does not know is a problem, so that a slip of the pen is never lost.

use crate::format::{AUTHORS, LEVELS, MARKER_KINDS, STATES, STRATEGIES, STRIP_KINDS, TAPS};
use crate::model::{
    Author, Clip, Fades, FileId, Marker, MixSettings, Move, MoveId, MoveState, Print, ProcessorId,
    ProcessorNode, Send, Session, SourceFile, Stage, Strip, StripId, StripKind, Tap, Value,
};
use crate::reader::{Entry, Fields, Read, Reader, text_of, what};
use crate::spec::{allowed, check_value};
use crate::validate::{Problem, validate};
use toml::de::{DeTable, DeValue};
use topdown_dsp::{Kind, ParamKind, ParamSpec};
use topdown_units::SampleRate;

pub use crate::format::{VERSION, save};

/// Largest `session.toml` that is read.
pub const MAX_BYTES: usize = 256 << 20;

/// Where a document stands: its place in the history, and how far the journal reaches that belongs to it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct JournalHead {
    /// Number of the document in `history/`.
    pub commit: u64,
    /// Length of the journal in bytes.
    pub bytes: u64,
    /// Hash of these bytes (BLAKE3, hexadecimal).
    pub hash: String,
}

/// What a `session.toml` holds.
#[derive(Clone, Debug, PartialEq)]
pub struct Loaded {
    /// The session; it is valid.
    pub session: Session,
    /// The journal that belongs to it.
    pub journal_head: Option<JournalHead>,
    /// What was kept without being understood.
    pub warnings: Vec<Problem>,
}

/// All that is wrong with a `session.toml`, in the order of its lines.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{}", .0.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n"))]
pub struct LoadError(pub Vec<Problem>);

/// Reads a `session.toml`.
///
/// # Errors
/// Everything that is wrong with it: TOML, versions, keys, values, and what does not hold together.
pub fn load(text: &str) -> Result<Loaded, LoadError> {
    let mut reader = Reader::new(text);
    if text.len() > MAX_BYTES {
        reader.say(1, "", format!("the file is larger than {} MiB", MAX_BYTES >> 20));
        return Err(LoadError(reader.problems));
    }
    let Some(table) = reader.parse() else { return Err(LoadError(reader.problems)) };
    let table = table.get_ref();
    if !version_fits(table, &mut reader) {
        return Err(LoadError(reader.problems));
    }
    let document = read_document(Fields::new(table, "", 1), &mut reader);
    if let Some((session, journal_head)) = document {
        for mut problem in validate(&session) {
            problem.line = reader.line_of(&problem.path);
            // Ranges are checked where they are read, too.
            let said = |p: &Problem| p.path == problem.path && p.line == problem.line;
            if !reader.problems.iter().any(said) {
                reader.problems.push(problem);
            }
        }
        if reader.problems.is_empty() {
            return Ok(Loaded { session, journal_head, warnings: reader.warnings });
        }
    }
    reader.problems.sort_by_key(|problem| problem.line);
    Err(LoadError(reader.problems))
}

/// A newer version is refused before anything else is looked at. A file of an older one would be brought
/// up to date here, table to table; version 1 is the first.
fn version_fits<'a>(table: &DeTable<'a>, reader: &mut Reader<'a>) -> bool {
    let mut fields = Fields::new(table, "", 1);
    match fields.need::<u64>("version", reader) {
        Some(VERSION) => true,
        Some(version) => {
            let line = reader.line_of("version").unwrap_or(1);
            let message = if version > VERSION {
                format!(
                    "this session was written by a newer Topdown (format {version}); this one reads up \
                     to format {VERSION}: use the newer one"
                )
            } else {
                format!("there is no format {version}: {VERSION} is allowed")
            };
            reader.say(line, "version", message);
            false
        }
        None => false,
    }
}

fn read_document<'a>(
    mut top: Fields<'_, 'a>,
    reader: &mut Reader<'a>,
) -> Option<(Session, Option<JournalHead>)> {
    let _ = top.take("version", reader);
    let name: Option<String> = top.need("name", reader);
    let rate: Option<u32> = top.need("sample_rate_hz", reader);
    let sample_rate = rate.and_then(|hz| {
        let rate = SampleRate::new(hz);
        if rate.is_none() {
            let (min, max) = (SampleRate::MIN_HZ, SampleRate::MAX_HZ);
            let line = reader.line_of("sample_rate_hz").unwrap_or(1);
            let message = format!("{hz} is not allowed: a whole number from {min} to {max}");
            reader.say(line, "sample_rate_hz", message);
        }
        rate
    });
    let mut session =
        Session::empty(&name.unwrap_or_default(), sample_rate.unwrap_or(SampleRate::CD));
    session.strips.clear();
    for (index, entry) in top.list("markers", reader).iter().enumerate() {
        session.markers.extend(read_marker(entry, index, reader));
    }
    if let Some(fields) = subtable(&mut top, "settings", reader) {
        session.settings = read_settings(fields, reader);
    }
    if let Some(fields) = subtable(&mut top, "files", reader) {
        for (id, line, entry) in fields.rest(reader) {
            let path = format!("file:{id}");
            reader.place(&path, line);
            if let Some(file) = read_file(entry, &path, reader) {
                session.files.insert(FileId::from(id), file);
            }
        }
    }
    for (index, entry) in top.list("strip", reader).iter().enumerate() {
        session.strips.extend(read_strip(entry, index, reader));
    }
    if let Some(fields) = subtable(&mut top, "print", reader) {
        for (name, line, entry) in fields.rest(reader) {
            let path = format!("print:{name}");
            reader.place(&path, line);
            if let Some(print) = read_print(entry, &path, reader) {
                session.prints.insert(name.to_owned(), print);
            }
        }
    }
    let mut head = None;
    if let Some(mut fields) = subtable(&mut top, "journal", reader) {
        head = subtable(&mut fields, "journal_head", reader).and_then(|f| read_head(f, reader));
        for (index, entry) in fields.list("moves", reader).iter().enumerate() {
            session.moves.extend(read_move(entry, index, reader));
        }
        fields.finish(reader);
    }
    top.finish(reader);
    sample_rate.map(|_| (session, head))
}

fn subtable<'t, 'a>(
    fields: &mut Fields<'t, 'a>,
    key: &'static str,
    reader: &mut Reader<'a>,
) -> Option<Fields<'t, 'a>> {
    let entry = fields.take(key, reader)?;
    let path = fields.at(key);
    Fields::of(entry, &path, reader)
}

fn read_head<'a>(mut fields: Fields<'_, 'a>, reader: &mut Reader<'a>) -> Option<JournalHead> {
    let commit = fields.need("commit", reader);
    let (bytes, hash) = (fields.need("bytes", reader), fields.need("hash", reader));
    fields.finish(reader);
    Some(JournalHead { commit: commit?, bytes: bytes?, hash: hash? })
}

fn read_marker<'a>(entry: &Entry<'a>, index: usize, reader: &mut Reader<'a>) -> Option<Marker> {
    let path = format!("marker[{index}]");
    let mut fields = Fields::of(entry, &path, reader)?;
    reader.place(&path, fields.line);
    let kind = needed_name(&mut fields, "kind", MARKER_KINDS, reader);
    let frame = fields.need("frame", reader);
    let marker = Marker {
        kind: kind.unwrap_or(crate::model::MarkerKind::Section),
        frame: frame.unwrap_or(0),
        end_frame: fields.get("end_frame", reader),
        name: fields.get("name", reader).unwrap_or_default(),
        bpm: fields.get("bpm", reader),
        confidence: fields.get("confidence", reader).unwrap_or(1.0),
    };
    fields.finish(reader);
    kind.and(frame).map(|_| marker)
}

fn needed_name<'a, T: Copy>(
    fields: &mut Fields<'_, 'a>,
    key: &'static str,
    names: &[(&str, T)],
    reader: &mut Reader<'a>,
) -> Option<T> {
    let before = reader.problems.len();
    let found = fields.name(key, names, reader);
    if found.is_none() && reader.problems.len() == before {
        let names: Vec<&str> = names.iter().map(|(name, _)| *name).collect();
        let message = format!("`{key}` is missing: one of \"{}\" is needed", names.join("\", \""));
        let path = fields.path.clone();
        reader.say(fields.line, &path, message);
    }
    found
}

const STAGES: &[(&str, Stage)] = &[
    ("prep", Stage::Prep),
    ("levels", Stage::Levels),
    ("bus", Stage::Bus),
    ("groups", Stage::Groups),
    ("tracks", Stage::Tracks),
    ("recheck", Stage::Recheck),
    ("person", Stage::Person),
];
const DEPTHS: &[(&str, Stage)] =
    &[("bus", Stage::Bus), ("groups", Stage::Groups), ("tracks", Stage::Tracks)];

fn read_settings<'a>(mut fields: Fields<'_, 'a>, reader: &mut Reader<'a>) -> MixSettings {
    let default = MixSettings::default();
    let mut bottom_up = Vec::new();
    for entry in fields.list("bottom_up", reader) {
        match entry.get_ref().as_str() {
            Some(id) => bottom_up.push(StripId::from(id)),
            None => {
                let line = reader.line(entry.span().start);
                let message = format!("this is {}: the id of a group is allowed", what(entry));
                reader.say(line, "settings/bottom_up", message);
            }
        }
    }
    let settings = MixSettings {
        strategy: fields.name("strategy", STRATEGIES, reader).unwrap_or(default.strategy),
        bottom_up,
        depth: fields.name("depth", DEPTHS, reader).unwrap_or(default.depth),
        levels: fields.name("levels", LEVELS, reader).unwrap_or(default.levels),
        profile: fields.get("profile", reader).unwrap_or(default.profile),
    };
    fields.finish(reader);
    settings
}

fn read_file<'a>(entry: &Entry<'a>, path: &str, reader: &mut Reader<'a>) -> Option<SourceFile> {
    let mut fields = Fields::of(entry, path, reader)?;
    let (path, hash) = (fields.need("path", reader), fields.need("hash", reader));
    let sample_rate_hz = fields.need("sample_rate_hz", reader);
    let (channels, frames) = (fields.need("channels", reader), fields.need("frames", reader));
    fields.finish(reader);
    Some(SourceFile {
        path: path?,
        hash: hash?,
        sample_rate_hz: sample_rate_hz?,
        channels: channels?,
        frames: frames?,
    })
}

fn read_strip<'a>(entry: &Entry<'a>, index: usize, reader: &mut Reader<'a>) -> Option<Strip> {
    let mut fields = Fields::of(entry, &format!("strip[{index}]"), reader)?;
    let id: Option<String> = fields.need("id", reader);
    if let Some(id) = &id {
        fields.path.clone_from(id);
        let line = reader.line_of(&format!("strip[{index}]/id")).unwrap_or(fields.line);
        fields.line = line;
        reader.place(id, line);
    }
    let kind = needed_name(&mut fields, "kind", STRIP_KINDS, reader);
    let id = StripId(id.unwrap_or_else(|| fields.path.clone()));
    let name: String = fields.get("name", reader).unwrap_or_else(|| id.to_string());
    let mut strip = Strip::new(id, kind.unwrap_or(StripKind::Track), &name, 2);
    if let Some(channels) = fields.get::<u16>("channels", reader) {
        strip.channels = usize::from(channels);
    }
    strip.role = fields.get("role", reader).unwrap_or_default();
    strip.role_confidence = fields.get("role_confidence", reader).unwrap_or(0.0);
    strip.output = fields.get::<String>("output", reader).map(StripId);
    for (key, value) in
        [("fader_db", &mut strip.fader_db), ("pan", &mut strip.pan), ("width", &mut strip.width)]
    {
        if let Some(read) = fields.get::<Value>(key, reader) {
            *value = read;
        }
    }
    for (key, switch) in [
        ("mute", &mut strip.mute),
        ("solo", &mut strip.solo),
        ("solo_safe", &mut strip.solo_safe),
        ("locked", &mut strip.locked),
        ("stale", &mut strip.stale),
    ] {
        *switch = fields.get(key, reader).unwrap_or(*switch);
    }
    strip.excluded = fields.get("excluded", reader);
    for entry in fields.list("sends", reader) {
        strip.sends.extend(read_send(entry, &fields.path, reader));
    }
    for (index, entry) in fields.list("clips", reader).iter().enumerate() {
        strip.clips.extend(read_clip(entry, &fields.at(&format!("clip[{index}]")), reader));
    }
    for (index, entry) in fields.list("chain", reader).iter().enumerate() {
        strip.chain.extend(read_processor(entry, (&fields.path, index), reader));
    }
    fields.finish(reader);
    Some(strip)
}

fn read_send<'a>(entry: &Entry<'a>, strip: &str, reader: &mut Reader<'a>) -> Option<Send> {
    let mut fields = Fields::of(entry, &format!("{strip}/sends"), reader)?;
    let to: String = fields.need("to", reader)?;
    fields.path = format!("{strip}/send:{to}");
    reader.place(&fields.path, fields.line);
    let level_db = fields.need("level_db", reader);
    let tap = fields.name("tap", TAPS, reader).unwrap_or(Tap::Post);
    fields.finish(reader);
    level_db.map(|level_db| Send { to: StripId(to), level_db, tap })
}

fn read_clip<'a>(entry: &Entry<'a>, path: &str, reader: &mut Reader<'a>) -> Option<Clip> {
    let mut fields = Fields::of(entry, path, reader)?;
    reader.place(path, fields.line);
    let file: Option<String> = fields.need("file", reader);
    let frames = fields.need("frames", reader);
    let fades = Fades {
        in_frames: fields.get("fade_in_frames", reader).unwrap_or(0),
        out_frames: fields.get("fade_out_frames", reader).unwrap_or(0),
    };
    let (channel, at_frame) = (fields.get("channel", reader), fields.need("at_frame", reader));
    let from_frame = fields.get("from_frame", reader).unwrap_or(0);
    let gain_db = fields.get("gain_db", reader).unwrap_or(0.0);
    fields.finish(reader);
    let (file, at_frame, frames) = (FileId(file?), at_frame?, frames?);
    Some(Clip { file, channel, at_frame, from_frame, frames, gain_db, fades })
}

fn read_processor<'a>(
    entry: &Entry<'a>,
    (strip, index): (&str, usize),
    reader: &mut Reader<'a>,
) -> Option<ProcessorNode> {
    let mut fields = Fields::of(entry, &format!("{strip}/chain[{index}]"), reader)?;
    let id: Option<String> = fields.need("id", reader);
    if let Some(id) = &id {
        let line = reader.line_of(&fields.at("id")).unwrap_or(fields.line);
        fields.path = format!("{strip}/{id}");
        fields.line = line;
        reader.place(&fields.path, line);
    }
    let kind: Option<String> = fields.need("kind", reader);
    let mut node = ProcessorNode::new("", &kind.clone().unwrap_or_default());
    node.bypass = fields.get("bypass", reader).unwrap_or(false);
    node.key = fields.get::<String>("key", reader).map(StripId);
    let known = Kind::by_id(&node.kind);
    if let (None, Some(kind)) = (known, &kind) {
        let message =
            format!("kind \"{kind}\" is not known to this Topdown: bypassed, kept as it is");
        let (line, path) = (fields.line, fields.path.clone());
        reader.warn(line, &path, message);
    }
    for (key, line, entry) in fields.rest(reader) {
        let path = fields.at(key);
        reader.place(&path, line);
        read_entry(&mut node, known, (key, entry), (&path, line), reader);
    }
    node.id = ProcessorId(id?);
    kind.map(|_| node.canonical())
}

/// One entry of a processor: a parameter, a group of parameters, or something unknown that is kept.
fn read_entry<'a>(
    node: &mut ProcessorNode,
    kind: Option<&'static Kind>,
    (key, entry): (&str, &Entry<'a>),
    (path, line): (&str, usize),
    reader: &mut Reader<'a>,
) {
    if key.contains('.') {
        return reader.say(line, path, "a parameter's name cannot have a dot inside quotes");
    }
    let keep = |node: &mut ProcessorNode, id: String, entry: &Entry<'a>| {
        node.unknown.insert(id, text_of(entry.get_ref()));
    };
    let Some(kind) = kind else { return keep(node, key.to_owned(), entry) };
    if let Some((_, spec)) = kind.param(key) {
        let value = read_parameter(spec, entry, path, reader);
        node.values.extend(value.map(|value| (key.to_owned(), value)));
        return;
    }
    let prefix = format!("{key}.");
    let group = kind.params.iter().any(|spec| spec.id.starts_with(&prefix));
    let Some(table) = entry.get_ref().as_table().filter(|_| group) else {
        if group {
            return reader.say(line, path, format!("this is {}: a table is allowed", what(entry)));
        }
        reader.warn(
            line,
            path,
            format!("a processor of kind \"{}\" has no such parameter: kept as it is", kind.id),
        );
        return keep(node, key.to_owned(), entry);
    };
    for (param, line, entry) in Fields::new(table, path, line).rest(reader) {
        let (id, path) = (format!("{key}.{param}"), format!("{path}.{param}"));
        reader.place(&path, line);
        match kind.param(&id) {
            Some((_, spec)) => {
                let value = read_parameter(spec, entry, &path, reader);
                node.values.extend(value.map(|value| (id, value)));
            }
            None if param.contains('.') => {
                reader.say(line, &path, "a parameter's name cannot have a dot inside quotes");
            }
            None => {
                reader.warn(
                    line,
                    &path,
                    format!(
                        "a processor of kind \"{}\" has no such parameter: kept as it is",
                        kind.id
                    ),
                );
                keep(node, id, entry);
            }
        }
    }
}

fn read_parameter<'a>(
    spec: &ParamSpec,
    entry: &Entry<'a>,
    path: &str,
    reader: &mut Reader<'a>,
) -> Option<Value> {
    let value = entry.get_ref();
    let read = match spec.kind {
        ParamKind::Number { .. } => Value::read(value),
        ParamKind::Switch => bool::read(value).map(|on| Value::Constant(f64::from(u8::from(on)))),
        ParamKind::Choice(names) => {
            let said = match value {
                DeValue::Integer(number) => Some(number.as_str()),
                _ => value.as_str(),
            };
            let index = said.and_then(|said| names.iter().position(|name| *name == said));
            index.map(|index| Value::Constant(index as f64))
        }
    };
    let line = reader.line(entry.span().start);
    match &read {
        None => {
            let said =
                value.as_str().map_or_else(|| what(entry).to_owned(), |text| format!("\"{text}\""));
            reader.say(line, path, format!("this is {said}: {} is allowed", allowed(spec)));
        }
        Some(value) => {
            if let Err(fault) = check_value(spec, value) {
                reader.say(line, path, fault.to_string());
            }
        }
    }
    read
}

fn read_print<'a>(entry: &Entry<'a>, path: &str, reader: &mut Reader<'a>) -> Option<Print> {
    let mut fields = Fields::of(entry, path, reader)?;
    let (target, target_lufs) = (fields.need("target", reader), fields.need("target_lufs", reader));
    let (ceiling, gain) = (fields.need("ceiling_dbtp", reader), fields.need("gain_db", reader));
    let limiter = fields.get("limiter", reader).unwrap_or(false);
    let trim_db = fields.get("trim_db", reader).unwrap_or(0.0);
    fields.finish(reader);
    let (target, target_lufs) = (target?, target_lufs?);
    Some(Print { target, target_lufs, ceiling_dbtp: ceiling?, gain_db: gain?, limiter, trim_db })
}

fn read_move<'a>(entry: &Entry<'a>, index: usize, reader: &mut Reader<'a>) -> Option<Move> {
    let mut fields = Fields::of(entry, &format!("move[{index}]"), reader)?;
    let id: Option<String> = fields.need("id", reader);
    if let Some(id) = &id {
        fields.path = format!("move:{id}");
        reader.place(&fields.path, fields.line);
    }
    let stage = needed_name(&mut fields, "stage", STAGES, reader);
    let author = fields.name("author", AUTHORS, reader).unwrap_or(Author::Topdown);
    let state = fields.name("state", STATES, reader).unwrap_or(MoveState::Kept);
    let the_move = Move {
        id: MoveId(id.clone().unwrap_or_default()),
        stage: stage.unwrap_or(Stage::Person),
        author,
        state,
        on: fields.get("on", reader).unwrap_or(true),
        amount_percent: fields.get("amount_percent", reader).unwrap_or(100.0),
        locked: fields.get("locked", reader).unwrap_or(false),
        stale: fields.get("stale", reader).unwrap_or(false),
        title: fields.get("title", reader).unwrap_or_default(),
    };
    fields.finish(reader);
    id.and(stage).map(|_| the_move)
}
