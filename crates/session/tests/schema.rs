//! `docs/session.schema.json`, the JSON Schema of `session.toml`, for editors and other programs. It is made
//! here, from types that must agree with the reader, and from the registry of processors:
//! `UPDATE_DOCS=1 cargo test -p topdown-session --test schema` writes it anew.
#![allow(clippy::unwrap_used, clippy::panic, reason = "helpers of tests")]
#![allow(dead_code, reason = "the types are there for their schema")]

mod common;

use common::{example, session};
use proptest::prelude::*;
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Map, Value as Json, json};
use std::collections::BTreeMap;
use topdown_dsp::{KINDS, ParamKind, ParamSpec};
use topdown_session::file::{JournalHead, VERSION};
use topdown_session::spec::{CLIP_GAIN, FADER, PAN, SEND_LEVEL, WIDTH};
use topdown_session::{
    Author, MarkerKind, MixSettings, MoveState, Print, SourceFile, Stage, StripKind, Tap, load,
    save,
};

/// A Topdown session: one song's document.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct SessionFile {
    /// Version of this format.
    version: u64,
    /// What the song is called.
    name: String,
    /// Frames per second of everything counted in session frames.
    #[schemars(range(min = 8000, max = 384_000))]
    sample_rate_hz: u32,
    /// Sections, tempo, song range.
    #[serde(default)]
    markers: Vec<MarkerRow>,
    /// What the mixer was asked for.
    #[serde(default)]
    settings: MixSettings,
    /// The recordings, by id.
    #[serde(default)]
    files: BTreeMap<String, SourceFile>,
    /// Every strip, in session order. Exactly one is the mix bus.
    strip: Vec<StripRow>,
    /// How the mix leaves the house, by name.
    #[serde(default)]
    print: BTreeMap<String, Print>,
    /// The moves, and how far the journal belongs to this document.
    #[serde(default)]
    journal: JournalTable,
}

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct MarkerRow {
    kind: MarkerKind,
    /// Where it starts, in session frames.
    frame: u64,
    /// Where it ends; without it, at the next marker of its kind.
    end_frame: Option<u64>,
    #[serde(default)]
    name: String,
    /// Beats per minute; needed for tempo markers.
    #[schemars(range(min = 1, max = 1000))]
    bpm: Option<f64>,
    /// How sure, 0 to 1.
    #[schemars(range(min = 0, max = 1))]
    confidence: Option<f64>,
}

/// A constant, or points of automation: [[frame, value], ...].
#[derive(Deserialize, JsonSchema)]
#[serde(untagged)]
enum ValueRow {
    Constant(f64),
    Automation(Vec<(u64, f64)>),
}

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct StripRow {
    /// A short name that never changes: letters, digits, -, _ or a dot.
    id: String,
    kind: StripKind,
    /// What a person reads; the id if it is not there.
    name: Option<String>,
    /// What it is in the song.
    #[serde(default)]
    role: String,
    #[schemars(range(min = 0, max = 1))]
    role_confidence: Option<f64>,
    /// 1 or 2; 2 if it is not there.
    #[schemars(range(min = 1, max = 2))]
    channels: Option<u16>,
    /// The group or bus that sums this strip; for all but the bus.
    output: Option<String>,
    #[schemars(schema_with = "fader")]
    fader_db: Option<ValueRow>,
    #[schemars(schema_with = "pan")]
    pan: Option<ValueRow>,
    #[schemars(schema_with = "width")]
    width: Option<ValueRow>,
    #[serde(default)]
    mute: bool,
    #[serde(default)]
    solo: bool,
    /// Keeps sounding when others are soloed; true for returns if it is not there.
    solo_safe: Option<bool>,
    /// The mixer may not change anything here.
    #[serde(default)]
    locked: bool,
    /// Solved for inputs that have changed since.
    #[serde(default)]
    stale: bool,
    /// Why this track is left out of the mix.
    excluded: Option<String>,
    #[serde(default)]
    sends: Vec<SendRow>,
    #[serde(default)]
    clips: Vec<ClipRow>,
    /// The processors, in order.
    #[serde(default)]
    #[schemars(schema_with = "chain")]
    chain: Vec<ProcessorRow>,
}

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct SendRow {
    /// The return.
    to: String,
    #[schemars(schema_with = "send_level")]
    level_db: ValueRow,
    /// Before or after fader and pan; post if it is not there.
    tap: Option<Tap>,
}

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct ClipRow {
    /// Id of the file.
    file: String,
    /// One channel of the file, counted from 0; without it the file as mono or stereo.
    channel: Option<u16>,
    /// First session frame at which it sounds.
    at_frame: u64,
    /// First frame of the file, counted at the session's rate.
    #[serde(default)]
    from_frame: u64,
    /// Length in session frames.
    frames: u64,
    #[serde(default)]
    fade_in_frames: u64,
    #[serde(default)]
    fade_out_frames: u64,
    #[serde(default)]
    #[schemars(schema_with = "clip_gain")]
    gain_db: f64,
}

#[derive(Deserialize)]
struct ProcessorRow {
    id: String,
    kind: String,
    #[serde(default)]
    bypass: bool,
    key: Option<String>,
    #[serde(flatten)]
    parameters: BTreeMap<String, Json>,
}

#[derive(Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct JournalTable {
    journal_head: Option<Head>,
    /// Every decision in order; their edits and evidence are in journal.jsonl.
    #[serde(default)]
    moves: Vec<MoveRow>,
}

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Head {
    /// Number of this document in history/.
    commit: u64,
    /// Length of the journal that belongs to it.
    bytes: u64,
    /// Hash of these bytes (BLAKE3).
    hash: String,
}

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct MoveRow {
    id: String,
    stage: Stage,
    author: Option<Author>,
    state: Option<MoveState>,
    on: Option<bool>,
    #[schemars(range(min = 0, max = 100))]
    amount_percent: Option<f64>,
    #[serde(default)]
    locked: bool,
    #[serde(default)]
    stale: bool,
    #[serde(default)]
    title: String,
}

fn parameter(spec: &ParamSpec) -> Json {
    let (min, max) = spec.range();
    let number = json!({ "type": "number", "minimum": min, "maximum": max });
    let frame = json!({ "type": "integer", "minimum": 0 });
    let point =
        json!({ "type": "array", "prefixItems": [frame, number], "minItems": 2, "maxItems": 2 });
    let mut schema = match spec.kind {
        ParamKind::Number { .. } => {
            let points = json!({ "type": "array", "items": point, "minItems": 1 });
            json!({ "anyOf": [number, points], "default": spec.default })
        }
        ParamKind::Choice(names) => {
            let as_written =
                |name: &&str| name.parse::<u32>().map_or_else(|_| json!(name), |n| json!(n));
            let names: Vec<Json> = names.iter().map(as_written).collect();
            json!({ "enum": names, "default": names.get(spec.default as usize) })
        }
        ParamKind::Switch => json!({ "type": "boolean", "default": spec.default != 0.0 }),
    };
    schema["description"] = json!(spec.doc);
    schema
}

fn schema_of(spec: &ParamSpec) -> schemars::Schema {
    parameter(spec).try_into().unwrap()
}

fn fader(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
    schema_of(&FADER)
}

fn pan(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
    schema_of(&PAN)
}

fn width(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
    schema_of(&WIDTH)
}

fn send_level(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
    schema_of(&SEND_LEVEL)
}

fn clip_gain(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
    let (min, max) = CLIP_GAIN.range();
    json!({ "type": "number", "minimum": min, "maximum": max, "default": 0 }).try_into().unwrap()
}

/// Any processor; of a kind that this build knows, with its parameters.
fn chain(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
    let of_kinds: Vec<Json> = KINDS
        .iter()
        .map(|kind| {
            let mut properties: BTreeMap<&str, Json> = BTreeMap::new();
            for spec in kind.params {
                match spec.id.split_once('.') {
                    None => drop(properties.insert(spec.id, parameter(spec))),
                    Some((group, param)) => {
                        let empty = || json!({ "type": "object", "properties": Map::new() });
                        let group = properties.entry(group).or_insert_with(empty);
                        group["properties"][param] = parameter(spec);
                    }
                }
            }
            let is_kind = json!({ "properties": { "kind": { "const": kind.id } } });
            json!({ "if": is_kind, "then": { "title": kind.label, "properties": properties } })
        })
        .collect();
    let schema = json!({
        "type": "array",
        "items": {
            "type": "object",
            "required": ["id", "kind"],
            "properties": {
                "id": { "type": "string", "description": "Id within the strip." },
                "kind": { "type": "string", "description": "Which processor; an unknown one is bypassed and kept." },
                "bypass": { "type": "boolean", "default": false },
                "key": { "type": "string", "description": "The strip it listens to." },
            },
            "allOf": of_kinds,
        },
    });
    schema.try_into().unwrap()
}

#[test]
fn the_schema_in_docs_is_the_schema_of_this_build() {
    let mut schema = schemars::schema_for!(SessionFile).to_value();
    schema["properties"]["version"]["const"] = json!(VERSION);
    let text = serde_json::to_string_pretty(&schema).unwrap() + "\n";
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/session.schema.json");
    if std::env::var_os("UPDATE_DOCS").is_some() {
        std::fs::write(path, &text).unwrap();
    }
    let there = std::fs::read_to_string(path).unwrap_or_default();
    let hint = "docs/session.schema.json is stale: UPDATE_DOCS=1 cargo test -p topdown-session --test schema";
    assert!(there == text, "{hint}");
}

#[test]
fn the_example_in_docs_is_a_session_of_this_build() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/session.md");
    let page = std::fs::read_to_string(path).unwrap();
    let (before, rest) = page.split_once("```toml\n").unwrap();
    let (shown, after) = rest.split_once("```").unwrap();
    let (session, _) = example();
    let head = JournalHead { commit: 2, bytes: 7312, hash: "5d".repeat(32) };
    let text = save(&session, Some(&head));
    if std::env::var_os("UPDATE_DOCS").is_some() {
        std::fs::write(path, format!("{before}```toml\n{text}```{after}")).unwrap();
    } else {
        assert!(
            shown == text,
            "docs/session.md is stale: UPDATE_DOCS=1 cargo test -p topdown-session --test schema"
        );
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(100))]

    #[test]
    fn the_types_of_the_schema_take_every_session(session in session()) {
        let text = save(&session, None);
        if let Err(error) = toml::from_str::<SessionFile>(&text) {
            prop_assert!(false, "{error}\n{text}");
        }
    }
}

#[test]
fn the_reader_and_the_schema_know_the_same_keys() {
    let text = save(&example().0, Some(&JournalHead { commit: 1, bytes: 0, hash: "00".into() }));
    assert!(toml::from_str::<SessionFile>(&text).is_ok());
    let keys = [
        ("name = \"Song\"", "colour = 1\nname = \"Song\""),
        ("profile =", "colour = 1\nprofile ="),
        ("kind = \"bus\"", "kind = \"bus\"\ncolour = 1"),
        ("to = \"plate\"", "to = \"plate\", colour = 1"),
        ("file = \"kick\"", "file = \"kick\", colour = 1"),
        ("kind = \"tempo\"", "kind = \"tempo\", colour = 1"),
        ("limiter =", "colour = 1\nlimiter ="),
        ("commit = 1", "commit = 1, colour = 1"),
        ("stage = \"prep\"", "stage = \"prep\", colour = 1"),
    ];
    for (from, to) in keys {
        let other = text.replacen(from, to, 1);
        assert_ne!(other, text);
        assert!(load(&other).is_err() && toml::from_str::<SessionFile>(&other).is_err(), "{to}");
    }
}
