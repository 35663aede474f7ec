//! A second mix of a folder whose files have changed: what was decided stays, and every change is named.

use crate::place::{Place, strip};
use crate::song::{FRAMES, track, wav};
use std::fs;
use topdown_app::report::facts::Facts;
use topdown_session::{Session, Stage, Strip};
use topdown_testkit::signals::white;

/// What was decided about a track: all but its clips, and whether it plays.
fn decided(strip: &Strip) -> Strip {
    Strip { clips: Vec::new(), excluded: None, ..strip.clone() }
}

fn assert_decisions_stay(before: &Session, after: &Session, names: &[&str]) {
    for name in names {
        assert_eq!(decided(strip(after, name)), decided(strip(before, name)), "{name}");
    }
}

fn warned(facts: &Facts, words: &[&str]) {
    let found =
        facts.warnings.iter().any(|warning| words.iter().all(|word| warning.contains(word)));
    assert!(found, "{words:?} in {:#?}", facts.warnings);
}

#[test]
fn a_track_that_was_added_joins_its_group_and_the_others_keep_what_they_had() {
    let place = Place::mixed();
    let before = place.opened();
    let tambourine: Vec<f32> = white(5, FRAMES, 0.1);
    wav(&place.track_file("Tambourine"), &tambourine);
    let facts = place.again();
    let after = place.opened();
    assert_eq!(strip(&after, "Tambourine").clips.len(), 1);
    assert_ne!(strip(&after, "Tambourine").output, None);
    warned(&facts, &["Tambourine.wav", "New"]);
    let theirs = |session: &Session, name: &str| {
        let strip = strip(session, name);
        (strip.clips.clone(), strip.role.clone(), strip.output.clone(), strip.excluded.clone())
    };
    for name in crate::song::NAMES {
        assert_eq!(theirs(&after, name), theirs(&before, name), "{name}");
    }
    for old in &before.moves {
        assert!(after.moves.iter().any(|m| m.id == old.id), "{} is still there", old.id);
    }
}

#[test]
fn a_track_whose_file_is_gone_is_left_out_and_named() {
    let place = Place::mixed();
    let before = place.opened();
    fs::remove_file(place.track_file("Hihat")).unwrap();
    let facts = place.again();
    let after = place.opened();
    warned(&facts, &["Hihat.wav", "No longer there"]);
    let hihat = strip(&after, "Hihat");
    assert!(hihat.excluded.is_some(), "and says why");
    let fact = facts.tracks.iter().find(|track| track.name == "Hihat").unwrap();
    assert_eq!(fact.left_out, hihat.excluded);
    assert_decisions_stay(&before, &after, &["Hihat", "Kick", "Lead Vocal"]);
    assert!(place.rendered() == fs::read(place.print()).unwrap());
}

#[test]
fn a_new_take_under_the_old_name_keeps_its_decisions_and_marks_what_was_made_for_the_old_one() {
    let place = Place::mixed();
    let before = place.opened();
    let take: Vec<f32> =
        track("Bass Guitar").iter().map(|x| x * 0.5).take(FRAMES - 4_410).collect();
    wav(&place.track_file("Bass Guitar"), &take);
    let facts = place.again();
    let after = place.opened();
    warned(&facts, &["Bass Guitar.wav", "Other content", "stale"]);
    let bass = strip(&after, "Bass Guitar");
    assert_eq!(bass.clips[0].frames, (FRAMES - 4_410) as u64, "to the end of the new take");
    assert_decisions_stay(&before, &after, &["Bass Guitar", "Kick", "Lead Vocal"]);
    assert!(
        after.moves.iter().any(|m| m.stale && m.stage == Stage::Bus),
        "the bus heard the old take"
    );
    assert!(after.strips.iter().all(|strip| !strip.stale), "and has been heard again");
}

#[test]
fn a_folder_that_moved_is_the_same_song() {
    let place = Place::mixed();
    let before = place.opened();
    fs::create_dir(place.path("Archive")).unwrap();
    fs::rename(place.track_file("Snare"), place.path("Archive/SD take 2.wav")).unwrap();
    fs::rename(place.path("Archive"), place.song().join("Archive")).unwrap();
    let facts = place.again();
    let after = place.opened();
    warned(&facts, &["Snare.wav", "Archive/SD take 2.wav", "same recordings at another place"]);
    assert_eq!(after.strips, before.strips, "nothing but the path is new");
    assert!(after.moves.iter().all(|m| !m.stale));
    let decided = after.moves.len() - before.moves.len();
    assert_eq!(decided, 1, "the move that says so");
    assert!(place.rendered() == fs::read(place.print()).unwrap());
}

#[test]
fn undo_after_a_second_mix_is_the_session_of_the_first() {
    let place = Place::mixed();
    let before = place.opened();
    fs::remove_file(place.track_file("Hihat")).unwrap();
    place.again();
    topdown_app::steer::undo(&place.session()).unwrap();
    assert_eq!(place.opened(), before);
}

#[test]
fn what_changed_since_the_last_mix_is_said_once() {
    let place = Place::mixed();
    wav(
        &place.track_file("Bass Guitar"),
        &track("Bass Guitar").iter().map(|x| x * 0.5).collect::<Vec<_>>(),
    );
    place.again();
    let (settled, print) = (place.opened(), fs::read(place.print()).unwrap());
    let facts = place.again();
    assert!(
        !facts.warnings.iter().any(|warning| warning.contains("Bass Guitar.wav")),
        "{:#?}",
        facts.warnings
    );
    assert_eq!(place.opened(), settled);
    assert!(fs::read(place.print()).unwrap() == print);
}
