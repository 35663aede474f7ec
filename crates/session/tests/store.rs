//! Promises of a session's folder: whole or untouched, whatever happens.
#![allow(clippy::unwrap_used, clippy::panic, reason = "helpers of tests")]

mod common;

use common::{example, record};
use std::fs;
use std::path::Path;
use topdown_session::store::read;
use topdown_session::{
    Author, Edit, MoveChange, Opened, ParamPath, Record, Session, Slot, Stage, Store, StoreError,
    Value, load, set_move,
};

fn db(value: f64) -> Option<Value> {
    Some(Value::Constant(value))
}

fn bus_fader(old: f64, new: f64) -> Edit {
    Edit::Set { at: ParamPath::Fader("bus".into()), old: db(old), new: db(new) }
}

/// The example in a folder, and the folder.
fn stored() -> (tempfile::TempDir, Store) {
    let folder = tempfile::tempdir().unwrap();
    let (session, records) = example();
    let store = Store::create(&folder.path().join("Song.topdown"), &session, records).unwrap();
    (folder, store)
}

fn next(store: &Store, id: &str, edit: Edit) -> (Session, Record) {
    let mut session = store.session().clone();
    let record = record(id, Stage::Bus, vec![edit]);
    session.adopt(&record).unwrap();
    (session, record)
}

fn all_files(folder: &Path) -> Vec<String> {
    let mut files = Vec::new();
    for entry in fs::read_dir(folder).unwrap().map(Result::unwrap) {
        let name = entry.file_name().into_string().unwrap();
        if entry.file_type().unwrap().is_dir() {
            files.extend(all_files(&entry.path()).into_iter().map(|file| format!("{name}/{file}")));
        } else {
            files.push(name);
        }
    }
    files.sort();
    files
}

fn edit_file(store_folder: &Path, from: &str, to: &str) {
    let path = store_folder.join("session.toml");
    let text = fs::read_to_string(&path).unwrap();
    assert!(text.contains(from), "{from} is not in\n{text}");
    fs::write(&path, text.replacen(from, to, 1)).unwrap();
}

fn reopen(store: Store) -> (Store, Opened) {
    let folder = store.folder().to_owned();
    drop(store);
    Store::open(&folder).unwrap()
}

#[test]
fn what_was_committed_is_read_again() {
    let (_folder, mut store) = stored();
    let (session, record) = next(&store, "bus-03", bus_fader(0.0, -1.0));
    store.commit(&session, vec![record.clone()], "mix").unwrap();
    let (store, opened) = reopen(store);
    assert_eq!(opened.session, session);
    assert_eq!(opened.records.last(), Some(&record));
    assert_eq!((opened.by_hand, opened.warnings), (None, vec![]));
    let names: Vec<String> = store.history().unwrap().into_iter().map(|entry| entry.name).collect();
    assert_eq!(names, ["new", "mix"]);
    let files = all_files(store.folder());
    assert_eq!(
        files,
        [
            ".lock",
            "history/000001-000000-new.toml",
            "history/000002-000001-mix.toml",
            "journal.jsonl",
            "session.toml"
        ]
    );
}

#[test]
fn a_second_session_is_not_made_over_the_first() {
    let (_folder, store) = stored();
    let path = store.folder().to_owned();
    let (session, records) = example();
    drop(store);
    let before = fs::read(path.join("session.toml")).unwrap();
    assert!(matches!(Store::create(&path, &session, records), Err(StoreError::Exists(_))));
    assert_eq!(fs::read(path.join("session.toml")).unwrap(), before);
}

#[test]
fn one_writes_at_a_time_and_the_other_is_told_who() {
    let (_folder, store) = stored();
    let error = Store::open(store.folder()).unwrap_err().to_string();
    assert!(error.contains(&format!("process {}", std::process::id())), "{error}");
    assert!(read(store.folder()).is_ok(), "reading needs no lock");
    reopen(store);
}

#[test]
fn undo_and_redo_walk_the_history() {
    let (_folder, mut store) = stored();
    let first = store.session().clone();
    assert!(matches!(store.undo(), Err(StoreError::NoHistory("undo"))));
    let (second, record) = next(&store, "bus-03", bus_fader(0.0, -1.0));
    store.commit(&second, vec![record], "one").unwrap();
    let (third, record) = next(&store, "bus-04", bus_fader(-1.0, -2.0));
    store.commit(&third, vec![record], "two").unwrap();
    assert!(matches!(store.redo(), Err(StoreError::NoHistory("redo"))));
    assert_eq!(store.undo().unwrap(), second);
    let (mut store, opened) = reopen(store);
    assert_eq!(opened.session, second);
    assert_eq!(store.undo().unwrap(), first);
    assert_eq!(store.redo().unwrap(), second);
    assert_eq!(store.redo().unwrap(), third);
    assert_eq!(store.undo().unwrap(), second);
    // A new commit is a new branch; what was undone keeps its record and its document.
    let taken = record_of(&store, "bus-04");
    assert!(matches!(store.commit(&third, vec![taken], "x"), Err(StoreError::UsedId(_))));
    let id = second.next_move_id(Stage::Bus, store.records());
    assert_eq!(id.as_str(), "bus-05");
    let (other, record) = next(&store, id.as_str(), bus_fader(-1.0, 3.0));
    store.commit(&other, vec![record], "three").unwrap();
    assert!(store.redo().is_err());
    assert_eq!(store.undo().unwrap(), second);
    assert_eq!(store.redo().unwrap(), other);
    let (_, opened) = reopen(store);
    assert_eq!((opened.session, opened.by_hand), (other, None));
}

fn record_of(store: &Store, id: &str) -> Record {
    store.records().iter().find(|record| record.id.as_str() == id).unwrap().clone()
}

#[test]
fn a_snapshot_is_taken_back_as_a_new_commit() {
    let (_folder, mut store) = stored();
    let first = store.session().clone();
    assert!(matches!(store.take_snapshot(Slot::B), Err(StoreError::NoSnapshot(Slot::B))));
    store.keep_snapshot(Slot::B).unwrap();
    let (second, record) = next(&store, "bus-03", bus_fader(0.0, -1.0));
    store.commit(&second, vec![record], "one").unwrap();
    assert_eq!(store.take_snapshot(Slot::B).unwrap(), first);
    assert_eq!(store.undo().unwrap(), second);
}

#[test]
fn a_fader_changed_in_the_file_is_a_move_of_the_person() {
    let (_folder, store) = stored();
    edit_file(store.folder(), "fader_db = -3.5", "fader_db = -1.25");
    let seen = read(store.folder()).unwrap();
    let (store, opened) = reopen(store);
    assert_eq!(seen, opened, "reading sees what opening sees");
    let record = opened.by_hand.unwrap();
    assert_eq!(record.title, "Fader of Drums from -3.5 to -1.25 dB");
    assert_eq!(record.author, Author::Person);
    let drums = ParamPath::Fader("drums".into());
    assert_eq!(opened.session.get(&drums), db(-1.25));
    let (mut store, again) = reopen(store);
    assert_eq!((again.session, again.by_hand), (opened.session, None));
    assert_eq!(store.undo().unwrap().get(&drums), db(-3.5));
}

#[test]
fn a_processor_typed_in_the_file_a_moved_clip_and_a_ride_are_explained_too() {
    let (_folder, store) = stored();
    let eq = "invert = true\n\n[[strip.chain]]\nid = \"eq\"\nkind = \"eq\"\nband_3 = { on = true, gain_db = -2 }\n";
    edit_file(store.folder(), "invert = true\n", eq);
    edit_file(store.folder(), "at_frame = 0", "at_frame = 480");
    edit_file(store.folder(), "fader_db = -3.5", "fader_db = [[0, -3.5], [48000, -2]]");
    let (_, opened) = reopen(store);
    let reason = opened.by_hand.unwrap().reason;
    for part in
        ["Equaliser on Snare Bottom", "Clips of Kick changed", "Fader of Drums rides on 2 points"]
    {
        assert!(reason.contains(part), "{reason}");
    }
}

#[test]
fn a_move_switched_off_in_the_file_is_off_and_other_changes_stay() {
    let (_folder, store) = stored();
    let line = "{ id = \"bus-01\", stage = \"bus\", author = \"topdown\", state = \"kept\"";
    edit_file(store.folder(), line, &format!("{line}, on = false"));
    edit_file(store.folder(), "fader_db = -3.5", "fader_db = -2");
    let before = store.session().clone();
    let (_, opened) = reopen(store);
    let bus = opened.session.bus().unwrap();
    assert_eq!(bus.chain.len(), before.bus().unwrap().chain.len() - 1);
    assert_eq!(opened.session.get(&ParamPath::Fader("drums".into())), db(-2.0));
    assert_eq!(opened.by_hand.unwrap().edits.len(), 1);
}

#[test]
fn a_file_changed_meanwhile_is_not_overwritten_but_shown_and_taken_in() {
    let (_folder, mut store) = stored();
    let (session, record) = next(&store, "bus-03", bus_fader(0.0, -1.0));
    edit_file(store.folder(), "fader_db = -3.5", "fader_db = -1.25");
    let on_disk = fs::read(store.folder().join("session.toml")).unwrap();
    let error = store.commit(&session, vec![record.clone()], "mix").unwrap_err();
    let StoreError::Changed { changes, .. } = &error else { panic!("{error}") };
    assert_eq!(changes.edits.len(), 1);
    assert_eq!(fs::read(store.folder().join("session.toml")).unwrap(), on_disk);
    let opened = store.reload().unwrap();
    assert!(opened.by_hand.is_some());
    let (session, record) = next(&store, "bus-03", bus_fader(0.0, -1.0));
    store.commit(&session, vec![record], "mix").unwrap();
    assert_eq!(store.session().get(&ParamPath::Fader("drums".into())), db(-1.25));
}

#[test]
fn a_session_that_failed_to_load_is_never_saved_over() {
    let (_folder, store) = stored();
    let folder = store.folder().to_owned();
    drop(store);
    edit_file(&folder, "fader_db = -3.5", "fader_db = 99");
    let before: Vec<_> =
        all_files(&folder).iter().map(|f| fs::read(folder.join(f)).unwrap()).collect();
    let error = Store::open(&folder).unwrap_err().to_string();
    assert!(error.contains("session.toml") && error.contains("line "), "{error}");
    let (session, records) = example();
    assert!(matches!(Store::create(&folder, &session, records), Err(StoreError::Exists(_))));
    let after: Vec<_> =
        all_files(&folder).iter().map(|f| fs::read(folder.join(f)).unwrap()).collect();
    let but_lock = |files: Vec<Vec<u8>>| files[1..].to_vec();
    assert_eq!(but_lock(before), but_lock(after));
}

#[test]
fn an_invalid_session_is_not_saved() {
    let (_folder, mut store) = stored();
    let before = all_files(store.folder());
    let mut session = store.session().clone();
    session.strips[1].output = Some("nowhere".into());
    let error = store.commit(&session, vec![], "mix").unwrap_err().to_string();
    assert!(error.contains("there is no strip `nowhere`"), "{error}");
    assert_eq!(all_files(store.folder()), before);
}

#[test]
fn a_move_switched_off_survives_the_folder() {
    let (_folder, mut store) = stored();
    let mut session = store.session().clone();
    set_move(&mut session, store.records(), &"bus-01".into(), MoveChange::Off).unwrap();
    store.commit(&session, vec![], "move off").unwrap();
    let (_, opened) = reopen(store);
    assert_eq!((opened.session, opened.by_hand), (session, None));
}

#[test]
fn a_place_counted_without_a_switched_off_processor_is_right_after_reading() {
    let (_folder, mut store) = stored();
    let mut session = store.session().clone();
    set_move(&mut session, store.records(), &"bus-01".into(), MoveChange::Off).unwrap();
    store.commit(&session, vec![], "move off").unwrap();
    let node = topdown_session::ProcessorNode::new("late", "trim").with("gain_db", -1.0);
    let edit = Edit::InsertProcessor { strip: "bus".into(), index: 1, processor: node };
    let (session, record) = next(&store, "bus-03", edit);
    store.commit(&session, vec![record], "mix").unwrap();
    let (_, opened) = reopen(store);
    assert_eq!((opened.session, opened.by_hand), (session, None));
}

// What goes wrong.

/// A commit that cannot succeed leaves what was there, and works once the reason is gone.
#[track_caller]
fn failing_commit_leaves_all(break_it: impl Fn(&Path), mend_it: impl Fn(&Path)) {
    let (_folder, mut store) = stored();
    let folder = store.folder().to_owned();
    let before = fs::read(folder.join("session.toml")).unwrap();
    let (session, record) = next(&store, "bus-03", bus_fader(0.0, -1.0));
    break_it(&folder);
    let error = store.commit(&session, vec![record.clone()], "mix").unwrap_err();
    assert!(matches!(error, StoreError::Io { .. }), "{error}");
    assert_eq!(fs::read(folder.join("session.toml")).unwrap(), before);
    mend_it(&folder);
    let opened = read(&folder).unwrap();
    assert_eq!((opened.session, opened.by_hand), (example().0, None));
    store.commit(&session, vec![record], "mix").unwrap();
    let (store, opened) = reopen(store);
    assert_eq!(opened.session, session);
    assert!(all_files(store.folder()).iter().all(|file| !file.ends_with(".part")));
}

#[test]
fn a_document_that_cannot_be_written_leaves_the_one_before() {
    let part = |folder: &Path| folder.join("session.toml.part");
    failing_commit_leaves_all(
        |folder| fs::create_dir(part(folder)).unwrap(),
        |folder| fs::remove_dir(part(folder)).unwrap(),
    );
}

#[test]
fn a_history_that_cannot_be_written_leaves_the_document_before() {
    let (from, to) = ("history", "history-away");
    failing_commit_leaves_all(
        |folder| {
            fs::rename(folder.join(from), folder.join(to)).unwrap();
            fs::write(folder.join(from), "in the way").unwrap();
        },
        |folder| {
            fs::remove_file(folder.join(from)).unwrap();
            fs::rename(folder.join(to), folder.join(from)).unwrap();
        },
    );
}

#[test]
#[cfg(target_os = "linux")]
fn a_full_disk_leaves_the_document_before() {
    let (journal, away) = ("journal.jsonl", "journal-away");
    failing_commit_leaves_all(
        |folder| {
            fs::rename(folder.join(journal), folder.join(away)).unwrap();
            std::os::unix::fs::symlink("/dev/full", folder.join(journal)).unwrap();
        },
        |folder| {
            fs::remove_file(folder.join(journal)).unwrap();
            fs::rename(folder.join(away), folder.join(journal)).unwrap();
        },
    );
}

#[test]
fn a_crash_before_the_commit_leaves_nothing_behind() {
    let (_folder, store) = stored();
    let before = all_files(store.folder());
    let journal = store.folder().join("journal.jsonl");
    let whole = fs::read(&journal).unwrap();
    // The journal has a line and a half more, and both temporaries are there.
    let line = &whole[..=whole.iter().position(|byte| *byte == b'\n').unwrap()];
    fs::write(&journal, [&whole[..], line, &line[..20]].concat()).unwrap();
    fs::write(store.folder().join("session.toml.part"), "version = ").unwrap();
    fs::write(store.folder().join("history/000002-000001-mix.toml.part"), "version").unwrap();
    let (mut store, opened) = reopen(store);
    assert_eq!((&opened.session, opened.warnings.len()), (&example().0, 0));
    assert_eq!(opened.records, example().1);
    assert_eq!(all_files(store.folder()), before);
    let (session, record) = next(&store, "bus-03", bus_fader(0.0, -1.0));
    store.commit(&session, vec![record.clone()], "mix").unwrap();
    let (_, opened) = reopen(store);
    assert_eq!(opened.records, [example().1, vec![record]].concat());
}

#[test]
fn a_crash_right_after_the_commit_loses_no_history() {
    let (_folder, mut store) = stored();
    let first = store.session().clone();
    let (session, record) = next(&store, "bus-03", bus_fader(0.0, -1.0));
    store.commit(&session, vec![record], "mix").unwrap();
    let entry = store.folder().join("history/000002-000001-mix.toml");
    fs::rename(&entry, entry.with_extension("toml.part")).unwrap();
    let (mut store, opened) = reopen(store);
    assert_eq!((opened.session, opened.by_hand), (session, None));
    assert_eq!(store.undo().unwrap(), first);
}

#[test]
fn a_journal_cut_at_any_byte_loses_no_mix() {
    // A small one: every byte takes a whole reading.
    let temporary = tempfile::tempdir().unwrap();
    let folder = temporary.path().to_owned();
    let down = |id, old, new| record(id, Stage::Bus, vec![bus_fader(old, new)]);
    let records = vec![down("bus-01", 0.0, -1.0), down("bus-02", -1.0, -2.0)];
    let session = common::folded(&records);
    drop(Store::create(&folder, &session, records.clone()).unwrap());
    let journal = folder.join("journal.jsonl");
    let whole = fs::read(&journal).unwrap();
    for end in 0..whole.len() {
        fs::write(&journal, &whole[..end]).unwrap();
        let opened = read(&folder).unwrap();
        assert_eq!(opened.session, session, "cut at {end}");
        assert!(!opened.warnings.is_empty(), "cut at {end}");
        assert!(records.starts_with(&opened.records), "cut at {end}");
    }
    // And a damaged one is set aside by the next commit, with what can be read of it kept.
    fs::write(&journal, &whole[..whole.len() - 9]).unwrap();
    let (mut store, opened) = Store::open(&folder).unwrap();
    assert_eq!(opened.records, records[..1]);
    let (session, record) = next(&store, "bus-03", bus_fader(-2.0, -1.0));
    store.commit(&session, vec![record.clone()], "mix").unwrap();
    assert!(folder.join("journal-damaged.jsonl").exists());
    let (_, after) = reopen(store);
    assert_eq!(after.session, session);
    assert_eq!(after.records, [opened.records, vec![record]].concat());
}

#[test]
fn no_flipped_byte_panics_or_is_saved_over() {
    let (_folder, store) = stored();
    let folder = store.folder().to_owned();
    drop(store);
    for file in ["session.toml", "journal.jsonl"] {
        let path = folder.join(file);
        let whole = fs::read(&path).unwrap();
        for place in (0..whole.len()).step_by(23) {
            let mut bytes = whole.clone();
            bytes[place] ^= 0x15;
            fs::write(&path, &bytes).unwrap();
            match read(&folder) {
                Ok(opened) => assert!(topdown_session::validate(&opened.session).is_empty()),
                Err(error) => assert!(error.to_string().contains(file), "{error}"),
            }
        }
        fs::write(&path, &whole).unwrap();
    }
}

#[test]
fn a_session_typed_by_hand_without_a_journal_opens_as_one_move() {
    let folder = tempfile::tempdir().unwrap();
    let text = "version = 1\nname = \"By hand\"\nsample_rate_hz = 44100\n\n\
                [[strip]]\nid = \"bus\"\nkind = \"bus\"\nname = \"Mix bus\"\nfader_db = -2\n";
    fs::write(folder.path().join("session.toml"), text).unwrap();
    let (store, opened) = Store::open(folder.path()).unwrap();
    assert_eq!(opened.by_hand.unwrap().title, "Fader of Mix bus from 0.0 to -2.0 dB");
    let text = fs::read_to_string(store.folder().join("session.toml")).unwrap();
    assert_eq!(load(&text).unwrap().session, opened.session);
}

#[test]
fn there_is_no_session_where_there_is_none() {
    let folder = tempfile::tempdir().unwrap();
    let error = Store::open(folder.path()).unwrap_err().to_string();
    assert!(error.contains("there is no session here"), "{error}");
    assert_eq!(all_files(folder.path()), [""; 0]);
}
