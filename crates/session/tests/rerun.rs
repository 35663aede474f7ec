//! Promises of a second run: decisions stay with the recording, whatever happened to its file.
#![allow(clippy::unwrap_used, clippy::panic, reason = "helpers of tests")]

mod common;

use common::example;
use topdown_session::{
    FileId, Rerun, Session, SourceFile, Transaction, mark_stale, refold, rerun, validate,
};

fn found(session: &Session) -> Vec<SourceFile> {
    session.files.values().cloned().collect()
}

fn run(change: impl Fn(&mut Vec<SourceFile>)) -> (Session, Rerun) {
    let (mut session, records) = example();
    let mut files = found(&session);
    change(&mut files);
    let result = rerun(&session, &records, &files);
    session.commit(&Transaction { edits: result.edits.clone() }).unwrap();
    mark_stale(&mut session, &result);
    assert_eq!(validate(&session), []);
    (session, result)
}

fn ids(list: &[FileId]) -> Vec<&str> {
    list.iter().map(FileId::as_str).collect()
}

fn stale(session: &Session) -> Vec<&str> {
    let moves = session.moves.iter().filter(|the_move| the_move.stale);
    moves.map(|the_move| the_move.id.as_str()).collect()
}

#[test]
fn nothing_changed_is_nothing_to_do() {
    let (session, result) = run(|_| {});
    assert_eq!(ids(&result.kept), ["kick", "snare-bottom", "vox"]);
    assert_eq!((result.edits, result.stale_moves), (vec![], vec![]));
    assert_eq!(session, example().0);
}

#[test]
fn a_file_in_another_folder_is_the_same_recording_and_nothing_is_stale() {
    let (session, result) = run(|files| files[0].path = "../Elsewhere/BD.wav".to_owned());
    assert_eq!(ids(&result.moved), ["kick"]);
    assert_eq!(session.files[&"kick".into()].path, "../Elsewhere/BD.wav");
    assert_eq!(stale(&session), [""; 0]);
}

#[test]
fn two_files_that_changed_names_are_told_apart_by_their_content() {
    let (session, result) = run(|files| {
        let first = files[0].path.clone();
        files[0].path = std::mem::replace(&mut files[1].path, first);
    });
    assert_eq!(ids(&result.moved), ["kick", "snare-bottom"]);
    assert_eq!(session.files[&"kick".into()].hash, example().0.files[&"kick".into()].hash);
}

#[test]
fn a_new_take_keeps_its_decisions_and_makes_stale_what_was_solved_for_the_old_one() {
    let (session, result) = run(|files| {
        files[0].hash = "00".repeat(32);
        files[0].frames = 2_000_000;
    });
    assert_eq!(ids(&result.replaced), ["kick"]);
    assert_eq!(session.strip(&"kick".into()).unwrap().clips[0].frames, 2_000_000);
    assert_eq!(stale(&session), ["levels-01", "bus-01", "bus-02", "groups-01"]);
    let strips: Vec<&str> =
        session.strips.iter().filter(|strip| strip.stale).map(|strip| strip.id.as_str()).collect();
    assert_eq!(strips, ["bus", "drums", "kick"]);
}

#[test]
fn a_new_take_of_what_others_are_keyed_by_makes_them_stale_too() {
    let (session, _) = run(|files| files[2].hash = "00".repeat(32));
    assert!(session.strip(&"drums".into()).unwrap().stale, "drums duck under the voice");
    assert!(session.strip(&"plate".into()).unwrap().stale, "the voice is sent there");
}

#[test]
fn a_file_at_a_new_place_with_new_content_is_known_by_its_name() {
    let (_, result) = run(|files| {
        files[1].path = "../Song v2/SNARE bottom.wav".to_owned();
        files[1].hash = "00".repeat(32);
    });
    assert_eq!(ids(&result.replaced), ["snare-bottom"]);
}

#[test]
fn a_track_whose_file_is_gone_is_left_out_and_says_why() {
    let (session, result) = run(|files| drop(files.remove(0)));
    assert_eq!(ids(&result.removed), ["kick"]);
    let kick = session.strip(&"kick".into()).unwrap();
    assert!(kick.excluded.as_ref().unwrap().contains("no longer there"));
    assert_eq!(kick.clips, []);
}

#[test]
fn a_new_file_is_for_prep_and_the_bus_is_stale() {
    let (session, result) = run(|files| {
        let mut new = files[0].clone();
        new.path = "../Song/Bass.wav".to_owned();
        new.hash = "11".repeat(32);
        files.insert(0, new);
    });
    assert_eq!(result.added, [0]);
    assert_eq!(result.edits, []);
    assert_eq!(stale(&session), ["bus-01", "bus-02"]);
}

#[test]
fn marking_stale_keeps_the_session_the_fold_of_its_moves() {
    let (mut session, records) = example();
    let mut files = found(&session);
    files[0].path = "other.wav".to_owned();
    let result = rerun(&session, &records, &files);
    let record = common::record("prep-03", topdown_session::Stage::Prep, result.edits.clone());
    session.adopt(&record).unwrap();
    mark_stale(&mut session, &result);
    let records = [records, vec![record]].concat();
    assert_eq!(refold(&session, &records).session, session);
}
