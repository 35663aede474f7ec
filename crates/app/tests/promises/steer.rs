//! Moves off, on and by halves; undo; locks.

use crate::place::{Place, the_move};
use topdown_app::AppError;
use topdown_app::explain::explain;
use topdown_app::steer::{Action, lock, set_move, undo};
use topdown_session::{Edit, MoveId, ParamPath, ProcessorNode, Record, StripId, Value};

/// The move in force that put an EQ with gains somewhere.
fn an_eq(place: &Place) -> (MoveId, StripId, ProcessorNode) {
    let session = place.opened();
    let counts = |record: &&Record| session.moves.iter().any(|m| m.id == record.id && m.counts());
    let journal = place.journal();
    let found = journal.iter().filter(counts).find_map(|record| {
        record.edits.iter().find_map(|edit| match edit {
            Edit::InsertProcessor { strip, processor, .. } if !bells(processor).is_empty() => {
                Some((record.id.clone(), strip.clone(), processor.clone()))
            }
            _ => None,
        })
    });
    found.expect("the song asks for an EQ somewhere")
}

fn bells(node: &ProcessorNode) -> Vec<(String, f64)> {
    let gains = node.values.iter().filter(|(name, _)| name.ends_with("gain_db"));
    gains
        .map(|(name, value)| (name.clone(), value.resting()))
        .filter(|(_, db)| *db != 0.0)
        .collect()
}

/// The changes of faders that a move in force of stage levels made.
fn faders(place: &Place) -> (MoveId, Vec<(StripId, f64)>) {
    let session = place.opened();
    let journal = place.journal();
    let changes = |record: &Record| -> Vec<(StripId, f64)> {
        let change = |edit: &Edit| match edit {
            Edit::Set { at: ParamPath::Fader(strip), old, new } => {
                let db = |value: &Option<Value>| value.as_ref().map_or(0.0, Value::resting);
                Some((strip.clone(), db(new) - db(old)))
            }
            _ => None,
        };
        record.edits.iter().filter_map(change).collect()
    };
    let found = journal.iter().find(|record| {
        let kept = session.moves.iter().any(|m| m.id == record.id && m.counts());
        kept && changes(record).iter().any(|(_, db)| db.abs() > 1.0)
    });
    let record = found.expect("the levels are off, so a fader moved");
    (record.id.clone(), changes(record))
}

fn act(place: &Place, id: &MoveId, action: Action) {
    set_move(&place.session(), id.as_str(), &action).unwrap();
}

fn fader(place: &Place, id: &StripId) -> f64 {
    place.opened().strip(id).unwrap().fader_db.resting()
}

#[test]
fn an_eq_at_60_percent_has_60_percent_of_its_gains_and_all_of_its_frequencies() {
    let place = Place::mixed();
    let (id, strip, node) = an_eq(&place);
    act(&place, &id, Action::Amount(60.0));
    let session = place.opened();
    let now = session.strip(&strip).unwrap().processor(&node.id).unwrap();
    for (name, db) in bells(&node) {
        let is = now.values.get(&name).map_or(0.0, Value::resting);
        assert!((is - 0.6 * db).abs() < 0.006, "{name}: {is} dB of {db}");
    }
    let rest = |node: &ProcessorNode| -> Vec<_> {
        let node = node.clone().canonical();
        let rest = node.values.into_iter().filter(|(name, _)| !name.ends_with("gain_db"));
        rest.collect()
    };
    assert_eq!(rest(now), rest(&node));
}

#[test]
fn a_fader_move_at_60_percent_is_60_percent_of_its_db() {
    let place = Place::mixed();
    let (id, changes) = faders(&place);
    let before: Vec<f64> = changes.iter().map(|(strip, _)| fader(&place, strip)).collect();
    act(&place, &id, Action::Amount(60.0));
    for ((strip, change), before) in changes.iter().zip(before) {
        let (is, expected) = (fader(&place, strip), before - 0.4 * change);
        assert!((is - expected).abs() < 0.006, "{strip}: {is} dB, {expected} expected");
    }
}

#[test]
fn a_move_that_is_off_is_gone_from_session_and_sound_and_on_brings_it_back() {
    let place = Place::mixed();
    let (before, sound) = (place.opened(), place.rendered());
    let (eq, strip, node) = an_eq(&place);
    let (levels, changes) = faders(&place);
    act(&place, &eq, Action::Off);
    assert!(place.opened().strip(&strip).unwrap().processor(&node.id).is_none());
    assert!(place.rendered() != sound);
    act(&place, &levels, Action::Off);
    for (id, change) in &changes {
        let was = before.strip(id).unwrap().fader_db.resting();
        assert!((fader(&place, id) - (was - change)).abs() < 0.006, "{id}");
    }
    act(&place, &eq, Action::On);
    act(&place, &levels, Action::On);
    assert_eq!(place.opened(), before);
    assert!(place.rendered() == sound);
}

#[test]
fn undo_takes_back_one_change_after_the_other() {
    let place = Place::mixed();
    let before = place.opened();
    let (id, ..) = an_eq(&place);
    act(&place, &id, Action::Amount(60.0));
    let at_60 = place.opened();
    act(&place, &id, Action::Off);
    undo(&place.session()).unwrap();
    assert_eq!(place.opened(), at_60);
    undo(&place.session()).unwrap();
    assert_eq!(place.opened(), before);
    undo(&place.session()).expect_err("nothing is before the first mix");
    assert_eq!(place.opened(), before);
}

#[test]
fn undo_takes_back_what_was_done_by_hand() {
    let place = Place::mixed();
    let before = place.opened();
    place.edit(|text| text.replacen("name = \"Kick\"", "name = \"Kick\"\nmute = true", 1));
    assert!(place.strip("Kick").mute);
    undo(&place.session()).unwrap();
    assert_eq!(place.opened(), before);
}

#[test]
fn a_second_mix_leaves_off_what_a_person_switched_off() {
    let place = Place::mixed();
    let (id, strip, node) = an_eq(&place);
    act(&place, &id, Action::Off);
    place.again();
    let session = place.opened();
    assert!(!the_move(&session, id.as_str()).on);
    let same =
        session.strip(&strip).unwrap().chain.iter().find(|other| bells(other) == bells(&node));
    assert_eq!(same, None, "nor is it made once more under another name");
}

#[test]
fn the_mixer_leaves_a_locked_strip_alone() {
    let place = Place::mixed();
    for strip in ["bus", "drums", "vocals"] {
        lock(&place.session(), strip, true).unwrap();
    }
    let before = place.opened();
    // Six dB more of the drums give it reason to work.
    let db = before.strip(&"drums".into()).unwrap().fader_db.resting();
    let fader =
        |db: f64| format!("name = \"Drums\"\nchannels = 2\noutput = \"bus\"\nfader_db = {db}");
    place.edit(|text| text.replacen(&fader(db), &fader(db + 6.0), 1));
    place.again();
    let after = place.opened();
    for id in ["bus", "drums", "vocals"] {
        let (mut was, mut is) =
            (before.strip(&id.into()).unwrap().clone(), after.strip(&id.into()).unwrap().clone());
        assert!(is.locked);
        if id == "drums" {
            assert!((is.fader_db.resting() - (db + 6.0)).abs() < 1e-9, "the person's fader");
        }
        was.fader_db = Value::Constant(0.0);
        is.fader_db = Value::Constant(0.0);
        assert_eq!(is, was, "{id}");
    }
}

#[test]
fn an_unknown_move_or_strip_is_refused_with_the_names_that_there_are() {
    let place = Place::mixed();
    let before = place.document();
    let refused = [
        set_move(&place.session(), "bus-77", &Action::Off).unwrap_err(),
        lock(&place.session(), "kazoo", true).unwrap_err(),
        explain(&place.session(), Some("bus-77"), false).unwrap_err(),
    ];
    for (error, known) in refused.iter().zip(["prep-01", "drums", "prep-01"]) {
        assert!(matches!(error, AppError::Unknown { .. }));
        assert!(error.to_string().contains(known), "{error}");
    }
    assert_eq!(place.document(), before);
}
