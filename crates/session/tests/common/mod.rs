//! Sessions by chance, all of them valid, and small helpers that several tests share.
#![allow(dead_code, unreachable_pub, missing_docs)]

use proptest::collection::{btree_map, vec};
use proptest::prelude::*;
use std::collections::BTreeMap;
use topdown_dsp::{KINDS, Kind, ParamKind, ParamSpec};
use topdown_session::spec::{CLIP_GAIN, FADER, PAN, SEND_LEVEL, WIDTH, round_number};
use topdown_session::{
    Author, Clip, Edit, Evidence, Fades, Marker, MarkerKind, MoveState, ParamPath, Point, Print,
    ProcessorNode, Record, Send, Session, SourceFile, Stage, Strip, StripId, StripKind, Tap, Value,
    diff, explain_by_hand,
};
use topdown_units::SampleRate;

pub fn empty() -> Session {
    Session::empty("Song", SampleRate::STUDIO)
}

pub fn record(id: &str, stage: Stage, edits: Vec<Edit>) -> Record {
    let author = if stage == Stage::Person { Author::Person } else { Author::Topdown };
    Record {
        id: id.into(),
        stage,
        author,
        state: MoveState::Kept,
        title: format!("Move {id}"),
        reason: "Because.".to_owned(),
        strip: None,
        edits,
        evidence: Evidence::default(),
    }
}

/// A session of these moves, all kept, on and whole.
pub fn folded(records: &[Record]) -> Session {
    let mut session = empty();
    for record in records {
        session.adopt(record).unwrap();
    }
    session
}

pub fn number(spec: &'static ParamSpec) -> BoxedStrategy<f64> {
    let (min, max) = spec.range();
    match spec.kind {
        ParamKind::Number { .. } => {
            (0.0..=1.0f64).prop_map(move |x| round_number(spec, min + x * (max - min))).boxed()
        }
        _ => (0..=max as u32).prop_map(f64::from).boxed(),
    }
}

pub fn value(spec: &'static ParamSpec) -> BoxedStrategy<Value> {
    let constant = number(spec).prop_map(Value::Constant);
    if !matches!(spec.kind, ParamKind::Number { .. }) {
        return constant.boxed();
    }
    let points = btree_map(0u64..100_000, number(spec), 1..4).prop_map(|points| {
        let point = |(frame, value)| Point { frame, value };
        Value::Automation(points.into_iter().map(point).collect())
    });
    prop_oneof![3 => constant, 1 => points].boxed()
}

fn node(place: usize) -> BoxedStrategy<ProcessorNode> {
    let known = (0..KINDS.len().max(1)).prop_flat_map(move |which| {
        let Some(kind) = KINDS.get(which) else {
            return Just(ProcessorNode::new(&format!("p{place}"), "unheard-of")).boxed();
        };
        values(kind)
            .prop_map(move |values| {
                let mut node = ProcessorNode::new(&format!("p{place}"), kind.id);
                node.values = values;
                node.canonical()
            })
            .boxed()
    });
    let unknown = (0u32..3).prop_map(move |setting| {
        let mut node = ProcessorNode::new(&format!("p{place}"), "unheard-of");
        node.unknown.insert("depth".to_owned(), setting.to_string());
        node.unknown.insert("mode".to_owned(), "{ a = \"x\", b = [1, 2.5] }".to_owned());
        node
    });
    (prop_oneof![4 => known, 1 => unknown], any::<bool>())
        .prop_map(|(mut node, bypass)| {
            node.bypass = bypass;
            node
        })
        .boxed()
}

fn values(kind: &'static Kind) -> BoxedStrategy<BTreeMap<String, Value>> {
    let few = proptest::sample::subsequence(
        (0..kind.params.len()).collect::<Vec<_>>(),
        0..=kind.params.len().min(5),
    );
    few.prop_flat_map(move |which| {
        let values: Vec<_> = which
            .into_iter()
            .map(|index| {
                let spec = &kind.params[index];
                value(spec).prop_map(move |value| (spec.id.to_owned(), value))
            })
            .collect();
        values.prop_map(|list| list.into_iter().collect())
    })
    .boxed()
}

fn clip() -> impl Strategy<Value = Clip> {
    let fades = (0u64..50, 0u64..50);
    (proptest::option::of(0u16..2), 0u64..1000, 0u64..500, number(&CLIP_GAIN), fades).prop_map(
        |(channel, at_frame, from_frame, gain_db, (in_frames, out_frames))| Clip {
            file: "take".into(),
            channel,
            at_frame,
            from_frame,
            frames: 200,
            gain_db,
            fades: Fades { in_frames, out_frames },
        },
    )
}

#[derive(Clone, Debug)]
struct Body {
    chain: Vec<ProcessorNode>,
    fader_db: Value,
    pan: Value,
    width: Value,
    mute: bool,
    clips: Vec<Clip>,
    send: Option<(Value, Tap)>,
    name: String,
    role: (String, f64),
    excluded: Option<String>,
}

fn body() -> impl Strategy<Value = Body> {
    let ids: Vec<usize> = (0..4).collect();
    let chain = proptest::sample::subsequence(ids, 0..=3)
        .prop_shuffle()
        .prop_flat_map(|ids| ids.into_iter().map(node).collect::<Vec<_>>());
    let tap = prop_oneof![Just(Tap::Pre), Just(Tap::Post)];
    let role = ("(kick|snare|)", 0u32..=1000).prop_map(|(role, c)| (role, f64::from(c) / 1000.0));
    let words = (r#"[A-Za-z0-9 "'\\é\t=#\[\]]{1,12}"#, role, proptest::option::of("[a-z ]{1,9}"));
    let send = proptest::option::of((value(&SEND_LEVEL), tap));
    let levels = (value(&FADER), value(&PAN), value(&WIDTH), any::<bool>());
    (chain, levels, vec(clip(), 0..3), send, words).prop_map(
        |(chain, (fader_db, pan, width, mute), clips, send, (name, role, excluded))| Body {
            chain,
            fader_db,
            pan,
            width,
            mute,
            clips,
            send,
            name,
            role,
            excluded,
        },
    )
}

fn strip(id: &str, body: Body) -> Strip {
    let kind = match id {
        "bus" => StripKind::Bus,
        "drums" | "band" => StripKind::Group,
        "plate" => StripKind::Return,
        _ => StripKind::Track,
    };
    let mut strip = Strip::new(id.into(), kind, &body.name, if id == "vox" { 1 } else { 2 });
    strip.chain = body.chain;
    strip.fader_db = body.fader_db;
    strip.pan = body.pan;
    if strip.channels == 2 {
        strip.width = body.width;
    }
    strip.mute = body.mute;
    (strip.role, strip.role_confidence) = body.role;
    if kind == StripKind::Track {
        strip.clips = body.clips;
        strip.excluded = body.excluded;
    }
    if kind == StripKind::Track || kind == StripKind::Group {
        strip.sends = body
            .send
            .into_iter()
            .map(|(level_db, tap)| Send { to: "plate".into(), level_db, tap })
            .collect();
    }
    strip
}

/// A valid session of some of eight strips in any order, with chains of some of four processors.
pub fn session() -> impl Strategy<Value = Session> {
    let ids = vec!["bus", "drums", "band", "plate", "kick", "snare", "vox", "bass"];
    let some = proptest::sample::subsequence(ids, 0..=8).prop_shuffle();
    (some, vec(body(), 8), vec(marker(), 0..3), "[0-9a-f]{8}").prop_map(
        |(mut ids, bodies, markers, hash)| {
            if !ids.contains(&"bus") {
                ids.push("bus");
            }
            let mut session = empty();
            session.strips = ids.iter().zip(bodies).map(|(id, body)| strip(id, body)).collect();
            let here: Vec<StripId> = session.strips.iter().map(|s| s.id.clone()).collect();
            for strip in &mut session.strips {
                strip.sends.retain(|send| here.contains(&send.to));
                if strip.kind == StripKind::Track && here.contains(&"drums".into()) {
                    strip.output = Some("drums".into());
                }
            }
            session.markers = markers;
            let file = SourceFile {
                path: "../Song/take 1.wav".to_owned(),
                hash,
                sample_rate_hz: 48_000,
                channels: 2,
                frames: 1000,
            };
            session.files.insert("take".into(), file);
            session
        },
    )
}

fn marker() -> impl Strategy<Value = Marker> {
    let kind =
        prop_oneof![Just(MarkerKind::Section), Just(MarkerKind::Tempo), Just(MarkerKind::Song)];
    (kind, 0u64..500, proptest::option::of(500u64..900), "[A-Za-z ]{0,8}", 30u32..300).prop_map(
        |(kind, frame, end_frame, name, bpm)| Marker {
            kind,
            frame,
            end_frame,
            name,
            bpm: (kind == MarkerKind::Tempo).then(|| f64::from(bpm)),
            confidence: 0.5,
        },
    )
}

/// A small song as a mix leaves it: what docs/session.md shows and explains.
pub fn example() -> (Session, Vec<Record>) {
    let mut records = vec![record("prep-01", Stage::Prep, import())];
    records[0].title = "3 files become 3 tracks in 2 groups".to_owned();
    let fader = |strip: &str, new: f64| Edit::Set {
        at: ParamPath::Fader(strip.into()),
        old: Some(Value::Constant(0.0)),
        new: Some(Value::Constant(new)),
    };
    let insert = |strip: &str, index, node| Edit::InsertProcessor {
        strip: strip.into(),
        index,
        processor: node,
    };
    let trim = ProcessorNode::new("trim", "trim").with("invert", 1.0);
    let eq = ProcessorNode::new("eq", "eq")
        .with("band_1.on", 1.0)
        .with("band_1.shape", 1.0)
        .with("band_1.freq_hz", 90.0)
        .with("band_1.gain_db", 1.5)
        .with("band_2.on", 1.0)
        .with("band_2.freq_hz", 3150.0)
        .with("band_2.gain_db", -1.2)
        .with("band_2.q", 0.7);
    let mut duck = ProcessorNode::new("duck", "compressor").with("ratio", 2.0);
    duck.key = Some("vox".into());
    let mut glue = ProcessorNode::new("glue", "compressor");
    for (param, value) in [("threshold_rel_db", -4.5), ("drive_lufs", -16.2), ("ratio", 2.0)] {
        glue.values.insert(param.to_owned(), Value::Constant(value));
    }
    let send = Send { to: "plate".into(), level_db: Value::Constant(-14.0), tap: Tap::Post };
    let sends = Edit::SetSends { strip: "vox".into(), old: vec![], new: vec![send] };
    let more = [
        (
            "prep-02",
            Stage::Prep,
            "Snare bottom turned over: it cancelled the top",
            insert("snare-bottom", 0, trim),
        ),
        ("levels-01", Stage::Levels, "Drums 3.5 dB down", fader("drums", -3.5)),
        ("bus-01", Stage::Bus, "Broad tone of the whole mix", insert("bus", 0, eq)),
        (
            "bus-02",
            Stage::Bus,
            "Glue: 2 dB of gain reduction in the loudest chorus",
            insert("bus", 1, glue),
        ),
        (
            "groups-01",
            Stage::Groups,
            "Drums step back when the voice sings",
            insert("drums", 0, duck),
        ),
        ("tracks-01", Stage::Tracks, "Some room for the lead vocal", sends),
    ];
    for (id, stage, title, edit) in more {
        records.push(record(id, stage, vec![edit]));
        records.last_mut().unwrap().title = title.to_owned();
    }
    let mut rejected = record("groups-02", Stage::Groups, vec![fader("vox", 1.0)]);
    rejected.title = "Lead vocal 1 dB up: no gain in clarity".to_owned();
    rejected.state = MoveState::Rejected;
    records.insert(6, rejected);
    let mut session = folded(&records);
    let point = |frame, value| Point { frame, value };
    let ride = vec![point(0, 0.0), point(960_000, 0.0), point(1_008_000, 1.5)];
    let at = ParamPath::Fader("vox".into());
    session.apply(&session.set_to(at, Some(Value::Automation(ride))).unwrap()).unwrap();
    records.extend(explain_by_hand(&mut session, &records));
    let print = Print {
        target: "pre-master".to_owned(),
        target_lufs: -18.0,
        ceiling_dbtp: -1.0,
        gain_db: -3.42,
        limiter: false,
        trim_db: 0.0,
    };
    session.prints.insert("pre-master".to_owned(), print);
    (session, records)
}

fn import() -> Vec<Edit> {
    let mut to = empty();
    let strip = |id: &str, kind, name: &str, channels, output: &str| {
        let mut strip = Strip::new(id.into(), kind, name, channels);
        strip.output = Some(output.into());
        strip
    };
    to.strips.push(strip("drums", StripKind::Group, "Drums", 2, "bus"));
    to.strips.push(strip("vocals", StripKind::Group, "Vocals", 2, "bus"));
    to.strips.push(strip("plate", StripKind::Return, "Plate", 2, "bus"));
    for (id, name, role, group) in [
        ("kick", "Kick", "kick", "drums"),
        ("snare-bottom", "Snare Bottom", "snare-bottom", "drums"),
        ("vox", "Lead Vox", "lead-vocal", "vocals"),
    ] {
        let file = SourceFile {
            path: format!("../Song/{name}.wav"),
            hash: blake3::hash(id.as_bytes()).to_hex().to_string(),
            sample_rate_hz: 48_000,
            channels: 1,
            frames: 2_400_000,
        };
        to.files.insert(id.into(), file);
        let mut track = strip(id, StripKind::Track, name, 1, group);
        (track.role, track.role_confidence) = (role.to_owned(), 0.95);
        track.clips.push(Clip {
            file: id.into(),
            channel: None,
            at_frame: 0,
            from_frame: 0,
            frames: 2_400_000,
            gain_db: 0.0,
            fades: Fades { in_frames: 0, out_frames: 480 },
        });
        to.strips.push(track);
    }
    for (kind, frame, name, bpm) in [
        (MarkerKind::Tempo, 0, "", Some(118.0)),
        (MarkerKind::Section, 0, "Verse 1", None),
        (MarkerKind::Section, 976_000, "Chorus 1", None),
    ] {
        let name = name.to_owned();
        to.markers.push(Marker { kind, frame, end_frame: None, name, bpm, confidence: 0.8 });
    }
    diff(&empty(), &to)
}
