//! A change between two plans is classified as the cheapest one that is safe.
#![allow(missing_docs, clippy::unwrap_used, clippy::single_range_in_vec_init)]

mod common;

use common::{Song, id, kinds};
use topdown_engine::{Change, CompileOptions, Plan, SetValue, Target, compile, diff};
use topdown_session::{Point, ProcessorNode, Send, StripKind, Tap, Value};

fn song() -> Song {
    let mut song = Song::new();
    let room = Send { to: id("room"), level_db: Value::Constant(-9.0), tap: Tap::Post };
    song.strip("room", StripKind::Return, 2);
    let a = song.noise_track("a", "bus", 1, 100);
    a.chain = vec![ProcessorNode::new("amp", "amp"), ProcessorNode::new("late", "late")];
    a.sends = vec![room];
    song
}

fn plan(song: &Song) -> Plan {
    let options = CompileOptions { kinds: &kinds, live: true, ..Default::default() };
    compile(&song.session, &options).unwrap()
}

fn change(edit: impl FnOnce(&mut Song)) -> (Change, Plan) {
    let mut song = song();
    let old = plan(&song);
    edit(&mut song);
    (diff(&old, &plan(&song)), old)
}

#[test]
fn a_value_is_a_message() {
    let (found, old) = change(|song| {
        let a = song.get("a");
        a.fader_db = Value::Constant(-3.0);
        a.sends[0].level_db = Value::Constant(-12.0);
        a.chain[0].values.insert("factor".into(), Value::Constant(0.5));
    });
    let at = |strip: &str| old.index(&id(strip)).unwrap();
    let set = |strip, target, value| SetValue { strip: at(strip), target, value };
    let Change::Values(mut sets) = found else { panic!("{found:?}") };
    sets.sort_by_key(|set| set.value as i32);
    assert_eq!(
        sets,
        [
            set("room", Target::Feed(0), -12.0),
            set("a", Target::Fader, -3.0),
            set("a", Target::Param { processor: 0, param: 0 }, 0.5),
        ]
    );
}

#[test]
fn mute_and_solo_close_and_open_ways_without_rebuilding() {
    let (found, _) = change(|song| song.get("a").mute = true);
    let Change::Values(sets) = found else { panic!("{found:?}") };
    let closed = |set: &SetValue| matches!(set.target, Target::FeedOpen(_)) && set.value == 0.0;
    assert_eq!((sets.len(), sets.iter().all(closed)), (2, true));
    let (found, _) = change(|song| song.get("a").solo = true);
    assert_eq!(found, Change::None, "all that there is is heard already");
}

#[test]
fn anything_else_is_a_new_structure() {
    let edits: [fn(&mut Song); 7] = [
        |song| song.get("a").chain[1].bypass = true,
        |song| _ = song.get("a").chain.pop(),
        |song| song.get("a").chain.swap(0, 1),
        |song| song.get("a").clips[0].at_frame = 7,
        |song| song.get("a").sends[0].tap = Tap::Pre,
        |song| _ = song.get("a").chain[1].values.insert("frames".into(), Value::Constant(7.0)),
        |song| {
            song.get("a").fader_db = Value::Automation(vec![Point { frame: 0, value: 0.0 }]);
        },
    ];
    for (at, edit) in edits.into_iter().enumerate() {
        assert_eq!(change(edit).0, Change::Structure, "edit {at}");
    }
    assert_eq!(change(|_| {}).0, Change::None);
    assert_eq!(change(|song| song.get("a").name = "b".to_owned()).0, Change::None);
}
