//! Promises of the fold: off, amount, order, and what a person did by hand.
#![allow(clippy::unwrap_used, clippy::panic, reason = "helpers of tests")]

mod common;

use common::{empty, folded, record, session};
use proptest::prelude::*;
use topdown_session::byhand::unexplained;
use topdown_session::moves::settle;
use topdown_session::{
    Author, Edit, Facts, Move, MoveChange, MoveError, MoveState, ParamPath, Point, ProcessorNode,
    Record, Send, Session, Stage, Strip, StripKind, Tap, Value, diff, explain_by_hand, refold,
    replay, set_move,
};

fn db(value: f64) -> Option<Value> {
    Some(Value::Constant(value))
}

fn fader(strip: &str, old: f64, new: f64) -> Edit {
    Edit::Set { at: ParamPath::Fader(strip.into()), old: db(old), new: db(new) }
}

fn insert(strip: &str, index: usize, node: ProcessorNode) -> Edit {
    Edit::InsertProcessor { strip: strip.into(), index, processor: node }
}

fn at(session: &Session, path: &str) -> f64 {
    session.get(&path.parse().unwrap()).unwrap().resting()
}

fn chain(session: &Session, strip: &str) -> Vec<String> {
    session.strip(&strip.into()).unwrap().chain.iter().map(|node| node.id.to_string()).collect()
}

/// Prep brings in a group and a track, levels set the fader of the group.
fn song() -> Vec<Record> {
    let drums = Strip::new("drums".into(), StripKind::Group, "Drums", 2);
    let mut kick = Strip::new("kick".into(), StripKind::Track, "Kick", 2);
    kick.output = Some("drums".into());
    let plate = Strip::new("plate".into(), StripKind::Return, "Plate", 2);
    let strips = [drums, kick, plate].into_iter().enumerate();
    let strips =
        strips.map(|(place, strip)| Edit::InsertStrip { index: place + 1, strip }).collect();
    vec![
        record("prep-01", Stage::Prep, strips),
        record("levels-01", Stage::Levels, vec![fader("drums", 0.0, -4.0)]),
    ]
}

fn person(id: &str, edits: Vec<Edit>) -> Record {
    record(id, Stage::Person, edits)
}

#[test]
fn an_amount_takes_its_part_of_a_change_in_db() {
    let records = song();
    let mut session = folded(&records);
    let notes = set_move(&mut session, &records, &"levels-01".into(), MoveChange::Amount(25.0));
    assert_eq!(notes, Ok(vec![]));
    assert_eq!(at(&session, "drums/fader_db"), -1.0);
    set_move(&mut session, &records, &"levels-01".into(), MoveChange::Amount(100.0)).unwrap();
    assert_eq!(session, folded(&records));
}

#[test]
fn a_move_is_taken_out_from_under_a_later_one() {
    let mut records = song();
    records.push(record("groups-01", Stage::Groups, vec![fader("drums", -4.0, -3.0)]));
    let mut session = folded(&records);
    assert_eq!(at(&session, "drums/fader_db"), -3.0);
    set_move(&mut session, &records, &"levels-01".into(), MoveChange::Off).unwrap();
    assert_eq!(at(&session, "drums/fader_db"), 1.0);
    set_move(&mut session, &records, &"levels-01".into(), MoveChange::On).unwrap();
    assert_eq!(session, folded(&records));
}

#[test]
fn what_a_person_set_ends_the_chain() {
    let mut records = song();
    records.push(person("person-01", vec![fader("drums", -4.0, -2.0)]));
    let mut session = folded(&records);
    for change in [MoveChange::Off, MoveChange::On, MoveChange::Amount(10.0)] {
        set_move(&mut session, &records, &"levels-01".into(), change).unwrap();
        assert_eq!(at(&session, "drums/fader_db"), -2.0);
    }
    set_move(&mut session, &records, &"person-01".into(), MoveChange::Off).unwrap();
    assert_eq!(at(&session, "drums/fader_db"), -0.4);
}

#[test]
fn an_amount_scales_a_new_processor_from_its_defaults_and_leaves_switches_alone() {
    let mut records = song();
    let trim = ProcessorNode::new("trim", "trim").with("gain_db", -6.0).with("invert", 1.0);
    records.push(record("tracks-01", Stage::Tracks, vec![insert("kick", 0, trim)]));
    let mut session = folded(&records);
    set_move(&mut session, &records, &"tracks-01".into(), MoveChange::Amount(50.0)).unwrap();
    assert_eq!(at(&session, "kick/trim/gain_db"), -3.0);
    assert_eq!(at(&session, "kick/trim/invert"), 1.0);
    set_move(&mut session, &records, &"tracks-01".into(), MoveChange::Amount(0.0)).unwrap();
    assert_eq!(chain(&session, "kick"), [""; 0]);
}

#[test]
fn half_of_a_new_compressor_is_half_of_its_gain_reduction_and_makeup() {
    let mut records = song();
    let glue = ProcessorNode::new("glue", "compressor").with("makeup_db", 2.0).with("ratio", 4.0);
    records.push(record("bus-01", Stage::Bus, vec![insert("bus", 0, glue)]));
    let mut session = folded(&records);
    assert_eq!(at(&session, "bus/glue/amount_percent"), 100.0);
    set_move(&mut session, &records, &"bus-01".into(), MoveChange::Amount(50.0)).unwrap();
    assert_eq!(at(&session, "bus/glue/amount_percent"), 50.0);
    assert_eq!(at(&session, "bus/glue/mix_percent"), 100.0);
    assert_eq!(at(&session, "bus/glue/makeup_db"), 1.0);
    assert_eq!(at(&session, "bus/glue/ratio"), 4.0);
}

#[test]
fn an_amount_scales_a_ride_point_by_point() {
    let mut records = song();
    let point = |frame, value| Point { frame, value };
    let ride = Value::Automation(vec![point(0, -4.0), point(100, 0.0)]);
    let at = ParamPath::Fader("drums".into());
    let edit = Edit::Set { at: at.clone(), old: db(-4.0), new: Some(ride) };
    records.push(record("tracks-01", Stage::Tracks, vec![edit]));
    let mut session = folded(&records);
    set_move(&mut session, &records, &"tracks-01".into(), MoveChange::Amount(50.0)).unwrap();
    let half = Value::Automation(vec![point(0, -4.0), point(100, -2.0)]);
    assert_eq!(session.get(&at), Some(half));
    set_move(&mut session, &records, &"levels-01".into(), MoveChange::Off).unwrap();
    let raised = Value::Automation(vec![point(0, 0.0), point(100, 2.0)]);
    assert_eq!(session.get(&at), Some(raised));
}

#[test]
fn a_new_send_at_half_comes_6_db_lower() {
    let mut records = song();
    let send = Send { to: "plate".into(), level_db: Value::Constant(-10.0), tap: Tap::Post };
    let edit = Edit::SetSends { strip: "kick".into(), old: vec![], new: vec![send] };
    records.push(record("tracks-01", Stage::Tracks, vec![edit]));
    let mut session = folded(&records);
    set_move(&mut session, &records, &"tracks-01".into(), MoveChange::Amount(50.0)).unwrap();
    assert_eq!(at(&session, "kick/send:plate/level_db"), -16.02);
    set_move(&mut session, &records, &"tracks-01".into(), MoveChange::Off).unwrap();
    assert_eq!(session.strip(&"kick".into()).unwrap().sends, []);
}

#[test]
fn facts_that_an_edit_does_not_change_stay_as_other_moves_have_them() {
    let mut records = song();
    let kick = Facts::of(folded(&records).strip(&"kick".into()).unwrap());
    let role = Facts { role: "kick".to_owned(), role_confidence: 0.9, ..kick.clone() };
    let muted = Facts { mute: true, ..role.clone() };
    let facts = |old: &Facts, new: &Facts| {
        vec![Edit::SetFacts { strip: "kick".into(), old: old.clone(), new: new.clone() }]
    };
    records.push(record("prep-02", Stage::Prep, facts(&kick, &role)));
    records.push(record("prep-03", Stage::Prep, facts(&role, &muted)));
    let mut session = folded(&records);
    set_move(&mut session, &records, &"prep-02".into(), MoveChange::Off).unwrap();
    let strip = session.strip(&"kick".into()).unwrap();
    assert_eq!((strip.role.as_str(), strip.mute), ("", true));
}

#[test]
fn edits_on_what_a_switched_off_move_brought_are_skipped_and_said() {
    let mut records = song();
    let trim = ProcessorNode::new("trim", "trim").with("gain_db", -6.0);
    records.push(record("tracks-01", Stage::Tracks, vec![insert("kick", 0, trim)]));
    let gain = "kick/trim/gain_db".parse().unwrap();
    let edit = Edit::Set { at: gain, old: db(-6.0), new: db(-5.0) };
    records.push(record("tracks-02", Stage::Tracks, vec![edit]));
    let mut session = folded(&records);
    let notes = set_move(&mut session, &records, &"tracks-01".into(), MoveChange::Off).unwrap();
    assert_eq!(notes.len(), 1);
    assert_eq!(notes[0].id.as_str(), "tracks-02");
    assert!(notes[0].text.contains("kick/trim"), "{}", notes[0].text);
    let notes = set_move(&mut session, &records, &"tracks-01".into(), MoveChange::On).unwrap();
    assert_eq!(notes, []);
    assert_eq!(session, folded(&records));
}

#[test]
fn processors_keep_their_order_when_the_one_before_them_goes_and_comes() {
    let mut records = song();
    let trim = |id: &str| ProcessorNode::new(id, "trim").with("gain_db", 1.0);
    for (id, node, place) in [("bus-01", "a", 0), ("bus-02", "c", 1), ("bus-03", "b", 1)] {
        records.push(record(id, Stage::Bus, vec![insert("bus", place, trim(node))]));
    }
    let mut session = folded(&records);
    assert_eq!(chain(&session, "bus"), ["a", "b", "c"]);
    set_move(&mut session, &records, &"bus-01".into(), MoveChange::Off).unwrap();
    assert_eq!(chain(&session, "bus"), ["b", "c"]);
    // A person adds one at the end, counting what is there.
    session.apply(&insert("bus", 2, trim("d"))).unwrap();
    records.push(explain_by_hand(&mut session, &records).unwrap());
    assert_eq!(unexplained(&session, &records), []);
    set_move(&mut session, &records, &"bus-01".into(), MoveChange::On).unwrap();
    assert_eq!(chain(&session, "bus"), ["a", "b", "c", "d"]);
}

#[test]
fn a_new_record_counts_its_places_among_switched_off_processors_too() {
    let mut records = song();
    let trim = |id: &str| ProcessorNode::new(id, "trim").with("gain_db", 1.0);
    for (id, node, place) in [("bus-01", "a", 0), ("bus-02", "b", 1)] {
        records.push(record(id, Stage::Bus, vec![insert("bus", place, trim(node))]));
    }
    let mut session = folded(&records);
    set_move(&mut session, &records, &"bus-01".into(), MoveChange::Off).unwrap();
    let new = record("bus-03", Stage::Bus, vec![insert("bus", 1, trim("c"))]);
    session.adopt(&new).unwrap();
    assert_ne!(
        refold(&session, &[&records[..], std::slice::from_ref(&new)].concat()).session,
        session
    );
    records.extend(settle(&session.base(), &session.moves, &records, vec![new]));
    assert_eq!(refold(&session, &records).session, session);
}

#[test]
fn a_move_that_others_cannot_do_without_stays_on() {
    let records = song();
    let mut more = records.clone();
    let bass = Strip::new("bass".into(), StripKind::Track, "Bass", 2);
    let mut bass = Edit::InsertStrip { index: 4, strip: bass };
    if let Edit::InsertStrip { strip, .. } = &mut bass {
        strip.output = Some("drums".into());
    }
    more.push(record("prep-02", Stage::Prep, vec![bass]));
    let mut session = folded(&more);
    let before = session.clone();
    let error = set_move(&mut session, &more, &"prep-01".into(), MoveChange::Off).unwrap_err();
    assert!(matches!(error, MoveError::Breaks(_)), "{error}");
    assert!(error.to_string().contains("drums"), "{error}");
    assert_eq!(session, before);
}

#[test]
fn a_move_that_is_not_in_the_mix_cannot_be_steered_and_the_message_says_why() {
    let mut records = song();
    let mut rejected = record("bus-01", Stage::Bus, vec![fader("drums", -4.0, 12.0)]);
    rejected.state = MoveState::Rejected;
    records.push(rejected);
    let mut session = folded(&records);
    assert_eq!(at(&session, "drums/fader_db"), -4.0);
    let mut say = |id: &str, change| {
        set_move(&mut session, &records, &id.into(), change).unwrap_err().to_string()
    };
    assert!(say("bus-01", MoveChange::On).contains("rejected"));
    assert!(say("bus-99", MoveChange::On).contains("no move `bus-99`"));
    assert!(say("levels-01", MoveChange::Amount(101.0)).contains("0 to 100 %"));
    records.retain(|record| record.id.as_str() != "levels-01");
    let error = set_move(&mut session, &records, &"prep-01".into(), MoveChange::On).unwrap_err();
    assert_eq!(error, MoveError::NoRecord("levels-01".into()));
}

#[test]
fn steering_a_move_keeps_solo_lock_and_stale() {
    let records = song();
    let mut session = folded(&records);
    session.strips[1].locked = true;
    session.strips[1].solo = true;
    session.strips[2].stale = true;
    set_move(&mut session, &records, &"levels-01".into(), MoveChange::Off).unwrap();
    assert!(session.strips[1].locked && session.strips[1].solo && session.strips[2].stale);
}

#[test]
fn a_fader_moved_by_hand_becomes_a_move_that_says_so() {
    let records = song();
    let mut session = folded(&records);
    assert_eq!(explain_by_hand(&mut session, &records), None);
    session.apply(&fader("drums", -4.0, -1.5)).unwrap();
    let record = explain_by_hand(&mut session, &records).unwrap();
    assert_eq!(record.title, "Fader of Drums from -4.0 to -1.5 dB");
    assert_eq!((record.author, record.stage), (Author::Person, Stage::Person));
    assert_eq!(record.id.as_str(), "person-01");
    assert_eq!(record.strip, Some("drums".into()));
    assert_eq!(session.moves.last().map(|m| (m.id.as_str(), m.locked)), Some(("person-01", true)));
    let records = [records, vec![record]].concat();
    assert_eq!(explain_by_hand(&mut session, &records), None);
}

#[test]
fn a_fold_without_the_record_of_a_move_says_so() {
    let records = song();
    let session = folded(&records);
    let replay = replay(&empty(), &records[..1], &session.moves);
    assert_eq!(replay.notes.len(), 1);
    assert!(replay.notes[0].text.contains("no record"));
}

#[test]
fn ids_of_moves_are_never_used_twice() {
    let records = song();
    let mut session = folded(&records);
    session.moves.retain(|m| m.id.as_str() != "levels-01");
    assert_eq!(session.next_move_id(Stage::Levels, &records).as_str(), "levels-02");
    assert_eq!(session.next_move_id(Stage::Bus, &records).as_str(), "bus-01");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(100))]

    #[test]
    fn a_session_is_the_fold_of_its_moves(a in session(), b in session(), c in session()) {
        let records = [
            record("prep-01", Stage::Prep, diff(&empty(), &a)),
            record("bus-01", Stage::Bus, diff(&a, &b)),
            record("bus-02", Stage::Bus, diff(&b, &c)),
        ];
        let mut whole = folded(&records);
        prop_assert_eq!(refold(&whole, &records).session, whole.clone());
        whole.moves.truncate(0);
        prop_assert_eq!(whole, c);
    }

    #[test]
    fn whatever_is_done_by_hand_is_explained_by_one_move(
        a in session(), b in session(), c in session(), on in any::<bool>(), amount in 0.0..100.0f64,
    ) {
        let records = vec![
            record("prep-01", Stage::Prep, diff(&empty(), &a)),
            record("bus-01", Stage::Bus, diff(&a, &b)),
        ];
        let mut session = folded(&records);
        session.moves[1].on = on;
        session.moves[1].amount_percent = amount;
        // The file says c, whatever the moves say.
        let mut session = Session { moves: session.moves, ..c.clone() };
        let expected = c.strips;
        if let Some(record) = explain_by_hand(&mut session, &records) {
            prop_assert!(session.moves.len() == 3);
            let records = [records, vec![record]].concat();
            prop_assert_eq!(unexplained(&session, &records), vec![]);
            prop_assert_eq!(refold(&session, &records).session, session.clone());
        }
        prop_assert_eq!(session.strips, expected);
    }

    #[test]
    fn switching_off_and_on_again_changes_nothing(a in session(), b in session(), c in session()) {
        let records = [
            record("prep-01", Stage::Prep, diff(&empty(), &a)),
            record("bus-01", Stage::Bus, diff(&a, &b)),
            record("bus-02", Stage::Bus, diff(&b, &c)),
        ];
        let whole = folded(&records);
        let mut session = whole.clone();
        if set_move(&mut session, &records, &"bus-01".into(), MoveChange::Off).is_ok() {
            set_move(&mut session, &records, &"bus-01".into(), MoveChange::On).unwrap();
        }
        prop_assert_eq!(session, whole);
    }
}

#[test]
fn a_move_counts_when_kept_on_and_above_zero() {
    let mut the_move = Move::of(&song()[0]);
    assert!(the_move.counts());
    the_move.amount_percent = 0.0;
    assert!(!the_move.counts());
}
