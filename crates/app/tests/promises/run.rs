//! From a folder to a print.

use crate::place::{Place, files, samples, strip};
use crate::song::{FRAMES, RATE};
use std::collections::BTreeSet;
use std::fs;
use topdown_session::{Edit, MoveState, ProcessorId, Stage, StripId, refold};
use topdown_testkit::meters;

#[test]
fn a_mix_writes_a_print_a_session_and_a_report() {
    let place = Place::mixed();
    for file in [
        "mix.wav",
        "mix.topdown/session.toml",
        "mix.topdown/journal.jsonl",
        "mix.topdown/report.html",
    ] {
        assert!(fs::metadata(place.path(file)).unwrap().len() > 1_000, "{file}");
    }
    let left_over = files(&place.session());
    assert!(!left_over.iter().any(|f| f.contains("spool") || f.ends_with(".tmp")), "{left_over:?}");
}

#[test]
fn a_print_has_the_songs_rate_and_length_and_stays_under_the_ceiling() {
    let place = Place::mixed();
    let spec = hound::WavReader::open(place.print()).unwrap().spec();
    assert_eq!((spec.sample_rate, spec.channels, spec.bits_per_sample), (RATE, 2, 24));
    let print = samples(&place.print());
    let tail = print[0].len() - FRAMES;
    assert!(tail < RATE as usize / 2, "{tail} frames after the last recording ends");
    for channel in &print {
        assert!(channel.iter().all(|x| x.is_finite()));
        let peak = meters::db(meters::true_peak(channel));
        assert!((-40.0..=-1.0).contains(&peak), "{peak} dBTP");
    }
}

#[test]
fn the_print_is_as_loud_as_the_report_says() {
    let place = Place::new();
    let facts = place.again();
    let print = samples(&place.print());
    let lufs = meters::integrated_lufs(&[&print[0], &print[1]], f64::from(RATE));
    assert!(
        (lufs - facts.print.integrated_lufs).abs() < 0.05,
        "{lufs} and {}",
        facts.print.integrated_lufs
    );
    let on_target = (lufs + 18.0).abs() <= 0.5;
    assert!(on_target || facts.print.shortfall.is_some(), "{lufs} LUFS and nothing said");
}

#[test]
fn a_session_renders_to_the_bytes_of_its_print() {
    let place = Place::mixed();
    assert!(place.rendered() == fs::read(place.print()).unwrap());
}

#[test]
fn the_same_song_gives_the_same_bytes_whatever_the_folder_and_the_number_of_threads() {
    let (two, one) = (Place::mixed(), Place::new());
    one.mix(1, &()).unwrap();
    assert!(fs::read(one.print()).unwrap() == fs::read(two.print()).unwrap(), "print");
    assert_eq!(one.document(), two.document());
    let journal =
        |place: &Place| fs::read_to_string(place.session().join("journal.jsonl")).unwrap();
    assert_eq!(journal(&one), journal(&two));
}

#[test]
fn the_journal_goes_from_prep_through_levels_and_bus_to_the_groups() {
    let journal = Place::mixed().journal();
    let mut stages: Vec<Stage> = journal.iter().map(|record| record.stage).collect();
    assert!(stages.is_sorted(), "{stages:?}");
    stages.dedup();
    assert!(
        stages.starts_with(&[Stage::Prep, Stage::Levels, Stage::Bus, Stage::Groups]),
        "{stages:?}"
    );
}

#[test]
fn every_processor_belongs_to_a_move_and_every_move_in_force_is_in_the_session() {
    let place = Place::mixed();
    let (session, journal) = (place.opened(), place.journal());
    let there: BTreeSet<(StripId, ProcessorId)> = session
        .strips
        .iter()
        .flat_map(|strip| strip.chain.iter().map(|node| (strip.id.clone(), node.id.clone())))
        .collect();
    let in_force = |id: &_| session.moves.iter().any(|m| m.id == *id && m.counts());
    let made: BTreeSet<(StripId, ProcessorId)> = journal
        .iter()
        .filter(|record| record.state == MoveState::Kept && in_force(&record.id))
        .flat_map(|record| &record.edits)
        .filter_map(|edit| match edit {
            Edit::InsertProcessor { strip, processor, .. } => {
                Some((strip.clone(), processor.id.clone()))
            }
            _ => None,
        })
        .collect();
    assert!(!there.is_empty(), "the song gives the mixer something to do");
    assert_eq!(there, made);
    assert_eq!(
        refold(&session, &journal).session,
        session,
        "the document is the fold of its moves"
    );
}

#[test]
fn every_track_is_in_its_group_and_every_recording_is_played() {
    let session = Place::mixed().opened();
    for (name, group) in [("Kick", "drums"), ("Hihat", "drums"), ("Lead Vocal", "vocals")] {
        assert_eq!(strip(&session, name).output, Some(group.into()), "{name}");
    }
    for name in crate::song::NAMES {
        let strip = strip(&session, name);
        assert_eq!((strip.clips.len(), &strip.excluded), (1, &None), "{name}");
    }
}
