//! What a run promises, on a model in place of the engine.

mod mock;

use mock::{Model, band};
use std::ops::ControlFlow;
use std::sync::LazyLock;
use topdown_decide::{DecideError, Event, Outcome, Request, run, score};
use topdown_session::moves::refold;
use topdown_session::{
    Author, Edit, Evidence, Levels, MoveState, ParamPath, Record, Session, Stage, Strategy, Value,
};
use topdown_units::SampleRate;

fn empty() -> Session {
    Session::empty("Model", SampleRate::STUDIO)
}

fn decide(model: &Model, session: &Session, journal: &[Record]) -> Outcome {
    let song = model.song();
    let request = Request { session, journal, song: &song };
    run(request, model, &mut |_| ControlFlow::Continue(())).expect("the model can be mixed")
}

/// The band, decided once for all tests that only look at it.
static DECIDED: LazyLock<(Model, Outcome)> = LazyLock::new(|| {
    let model = Model::new(band());
    let outcome = decide(&model, &empty(), &[]);
    (model, outcome)
});

fn whole(outcome: &Outcome, before: &[Record]) -> Vec<Record> {
    before.iter().chain(&outcome.records).cloned().collect()
}

/// Adds a person's move.
fn by_hand(session: &mut Session, journal: &mut Vec<Record>, edits: Vec<Edit>) {
    let record = Record {
        id: session.next_move_id(Stage::Person, journal),
        stage: Stage::Person,
        author: Author::Person,
        state: MoveState::Kept,
        title: "By hand".to_owned(),
        reason: String::new(),
        strip: None,
        edits,
        evidence: Evidence::default(),
    };
    session.adopt(&record).expect("the edit fits");
    journal.push(record);
}

fn fader(session: &Session, id: &str, by: f64) -> Edit {
    let now = session.strip(&id.into()).expect("the strip is there").fader_db.resting();
    let to = Some(Value::Constant(now + by));
    session.set_to(ParamPath::Fader(id.into()), to).expect("the fader is there")
}

fn bus_reduction(model: &Model, session: &Session) -> Option<f64> {
    use topdown_decide::Trial;
    let heard = model.hear(&[session]).expect("the model hears").remove(0);
    let bus = session.bus()?.id.clone();
    heard.excerpts[0].gain_reduction.iter().find(|((s, _), _)| *s == bus).map(|(_, g)| g.mean_db)
}

#[test]
fn the_journal_goes_from_the_top_down() {
    let outcome = &DECIDED.1;
    let stages: Vec<Stage> = outcome.records.iter().map(|record| record.stage).collect();
    assert!(stages.is_sorted(), "{stages:?}");
    for stage in [Stage::Prep, Stage::Levels, Stage::Bus, Stage::Groups] {
        assert!(stages.contains(&stage), "no move of stage {stage:?} in {stages:?}");
    }
}

#[test]
fn every_kept_move_pays_and_no_term_gets_much_worse() {
    let outcome = &DECIDED.1;
    let weighed: Vec<&Record> = outcome
        .records
        .iter()
        .filter(|r| r.state == MoveState::Kept && !r.evidence.cost_after.is_empty())
        .collect();
    assert!(!weighed.is_empty(), "nothing was found to do on a careless session");
    for record in weighed {
        let (before, after) = (&record.evidence.cost_before, &record.evidence.cost_after);
        // the glue compressor may cost a little; every other move has to pay
        let glue = record.stage == Stage::Bus && record.title.contains("compressor");
        let most = if glue { 0.008 } else { -0.002 };
        assert!(after["total"] - before["total"] <= most + 1e-9, "{}", record.title);
        for (term, cost) in after {
            assert!(cost - before[term] <= 0.02 + 1e-9, "{}: {term}", record.title);
        }
        assert!(record.reason.len() > 20 && !record.evidence.bounds.is_empty());
    }
    assert!(outcome.cost_after["total"] < outcome.cost_before["total"]);
}

#[test]
fn rejected_moves_are_written_down_with_their_numbers() {
    let outcome = &DECIDED.1;
    let mut rejected = outcome.records.iter().filter(|r| r.state == MoveState::Rejected).peekable();
    assert!(rejected.peek().is_some());
    for record in rejected {
        let first = record.evidence.candidates.first().expect("a candidate");
        assert!(!first.verdict.is_empty(), "{}", record.title);
    }
}

#[test]
fn the_session_is_the_fold_of_its_moves_and_every_processor_has_one() {
    let outcome = &DECIDED.1;
    let folded = refold(&outcome.session, &outcome.records);
    assert_eq!(folded.notes, []);
    assert_eq!(folded.session, outcome.session);
}

#[test]
fn the_same_song_gives_the_same_moves() {
    let (a, b) = (&DECIDED.1, decide(&Model::new(band()), &empty(), &[]));
    assert_eq!(a.session, b.session);
    assert_eq!(a.records, b.records);
}

#[test]
fn a_buried_voice_comes_up_and_a_careless_kick_goes_down_to_its_place() {
    let outcome = &DECIDED.1;
    assert_eq!(outcome.levels.levels, Levels::Find, "{}", outcome.levels.why);
    let at = |id: &str| outcome.session.strip(&id.into()).expect("a group").fader_db.resting();
    assert!(at("vocals") > at("drums") + 6.0, "vocals {} drums {}", at("vocals"), at("drums"));
}

#[test]
fn kept_levels_keep_every_fader_and_no_move_exceeds_a_decibel() {
    let mut session = empty();
    session.settings.levels = Levels::Keep;
    let outcome = decide(&Model::new(band()), &session, &[]);
    for record in outcome.records.iter().filter(|r| r.state == MoveState::Kept) {
        for edit in &record.edits {
            if let Edit::Set { at: ParamPath::Fader(_), old, new } = edit {
                let db = |v: &Option<Value>| v.as_ref().map_or(0.0, Value::resting);
                assert!((db(new) - db(old)).abs() <= 1.0 + 1e-9, "{}", record.title);
            }
        }
    }
}

#[test]
fn a_second_run_on_the_result_decides_nothing_more() {
    let (model, first) = &*DECIDED;
    let second = decide(model, &first.session, &first.records);
    assert_eq!(second.records, []);
    assert_eq!(second.session, first.session);
}

#[test]
fn after_pruning_every_kept_move_is_missed() {
    let (model, outcome) = &*DECIDED;
    let song = model.song();
    let cost = |session: &Session| {
        let request = Request { session, journal: &outcome.records, song: &song };
        score(request, model).expect("the model hears")["total"]
    };
    let now = cost(&outcome.session);
    let weighed = [Stage::Bus, Stage::Groups, Stage::Tracks];
    let kept = outcome.session.moves.iter().filter(|m| m.counts() && weighed.contains(&m.stage));
    let kept: Vec<_> = kept.map(|m| m.id.clone()).collect();
    assert!(!kept.is_empty());
    for id in kept {
        let mut without = outcome.session.clone();
        let one = without.moves.iter_mut().find(|m| m.id == id).expect("it is there");
        one.state = MoveState::Rejected;
        let without = refold(&without, &outcome.records).session;
        assert!(cost(&without) > now, "{id} is not missed: {} against {now}", cost(&without));
    }
}

#[test]
fn six_decibels_on_a_group_and_a_rerun_bring_the_bus_reduction_back() {
    let (model, first) = &*DECIDED;
    let target = bus_reduction(model, &first.session).expect("the model's peaks ask for glue");
    for by in [-6.0, 6.0] {
        let (mut session, mut journal) = (first.session.clone(), first.records.clone());
        let edit = fader(&session, "drums", by);
        by_hand(&mut session, &mut journal, vec![edit]);
        let moved = bus_reduction(model, &session).expect("the compressor is there");
        assert!((moved - target).abs() > 0.2, "the test must bite: {moved} against {target}");
        let again = decide(model, &session, &journal);
        let back = bus_reduction(model, &again.session).expect("the compressor is there");
        assert!((back - target).abs() < 0.15, "{by:+} dB: {back} against {target}");
    }
}

#[test]
fn what_a_person_set_stays_and_locked_strips_are_left_alone() {
    let (model, first) = &*DECIDED;
    let (mut session, mut journal) = (first.session.clone(), first.records.clone());
    let edit = fader(&session, "vocals", -9.0);
    by_hand(&mut session, &mut journal, vec![edit]);
    let hand = session.strip(&"vocals".into()).expect("vocals").fader_db.clone();
    let drums = session.strips.iter_mut().find(|s| s.id.as_str() == "drums").expect("drums");
    drums.locked = true;
    let locked = drums.clone();
    let again = decide(model, &session, &journal);
    assert_eq!(again.session.strip(&"vocals".into()).expect("vocals").fader_db, hand);
    assert_eq!(again.session.strip(&"drums".into()), Some(&locked));
    let folded = refold(&again.session, &whole(&again, &journal));
    assert_eq!(folded.session, again.session);
}

#[test]
fn a_new_track_is_taken_into_a_mix_that_stands() {
    let all = band();
    let without: Vec<_> = all.iter().filter(|s| s.name != "Vox").cloned().collect();
    let first = decide(&Model::new(without), &empty(), &[]);
    let model = Model::new(all);
    let again = decide(&model, &first.session, &first.records);
    assert!(again.session.strip(&"vox".into()).is_some());
    for strip in first.session.strips.iter().filter(|s| s.kind == topdown_session::StripKind::Track)
    {
        assert_eq!(again.session.strip(&strip.id).map(|s| &s.clips), Some(&strip.clips));
    }
}

#[test]
fn depth_ends_the_run_where_it_was_asked_to() {
    let mut session = empty();
    session.settings.depth = Stage::Bus;
    let outcome = decide(&Model::new(band()), &session, &[]);
    let deep = |r: &&Record| matches!(r.stage, Stage::Groups | Stage::Tracks);
    assert_eq!(outcome.records.iter().filter(deep).count(), 0);
}

#[test]
fn bottom_up_decides_in_the_other_order() {
    let mut session = empty();
    session.settings.strategy = Strategy::BottomUp;
    let outcome = decide(&Model::new(band()), &session, &[]);
    let first = |stage| outcome.records.iter().position(|r| r.stage == stage);
    assert!(first(Stage::Tracks) < first(Stage::Groups));
    assert!(first(Stage::Groups) < first(Stage::Bus));
}

#[test]
fn a_silent_track_is_left_out_and_said() {
    let model = Model::new(band());
    let mut song = model.song();
    song.tracks[6].sound.loudness_lufs = f64::NEG_INFINITY;
    let (session, journal) = (empty(), Vec::new());
    let request = Request { session: &session, journal: &journal, song: &song };
    let outcome = run(request, &model, &mut |_| ControlFlow::Continue(())).expect("mixed");
    let vox = outcome.session.strip(&"vox".into()).expect("it stays in the session");
    assert_eq!(vox.excluded.as_deref(), Some("silent"));
    assert!(outcome.warnings.iter().any(|w| w.contains("Vox") && w.contains("silent")));
}

#[test]
fn a_silent_track_that_outlasts_the_others_stays_so_that_the_song_keeps_its_length() {
    let model = Model::new(band());
    let mut song = model.song();
    let long = 2 * song.tracks[6].frames;
    song.tracks[6].sound.loudness_lufs = f64::NEG_INFINITY;
    (song.tracks[6].frames, song.tracks[6].source.frames) = (long, long);
    let session = empty();
    let request = Request { session: &session, journal: &[], song: &song };
    let outcome = run(request, &model, &mut |_| ControlFlow::Continue(())).expect("mixed");
    assert_eq!(outcome.session.strip(&"vox".into()).expect("it is there").excluded, None);
    assert_eq!(outcome.session.end_frame(), long);
}

#[test]
fn a_song_of_silence_is_taken_in_as_it_is_and_said_to_be_silent() {
    let model = Model::new(band());
    let mut song = model.song();
    for track in &mut song.tracks {
        track.sound.loudness_lufs = f64::NEG_INFINITY;
    }
    let session = empty();
    let request = Request { session: &session, journal: &[], song: &song };
    let outcome = run(request, &model, &mut |_| ControlFlow::Continue(())).expect("mixed");
    assert!(outcome.warnings.iter().any(|w| w.contains("all tracks are silent")));
    assert_eq!(
        outcome.session.end_frame(),
        song.tracks.iter().map(|t| t.frames).max().unwrap_or(0)
    );
    assert_eq!(outcome.trials, 0);
}

#[test]
fn a_folder_without_a_track_of_the_song_is_refused_with_a_message() {
    let model = Model::new(band());
    let mut song = model.song();
    for track in &mut song.tracks {
        track.exclude = Some("its name says it is a print".to_owned());
    }
    let session = empty();
    let request = Request { session: &session, journal: &[], song: &song };
    let result = run(request, &model, &mut |_| ControlFlow::Continue(()));
    assert!(matches!(result, Err(DecideError::NothingToMix(_))));
}

#[test]
fn the_callback_can_stop_a_run() {
    let model = Model::new(band());
    let (session, song) = (empty(), model.song());
    let request = Request { session: &session, journal: &[], song: &song };
    let mut stop = |event: &Event| match event {
        Event::Stage(Stage::Groups) => ControlFlow::Break(()),
        _ => ControlFlow::Continue(()),
    };
    assert!(matches!(run(request, &model, &mut stop), Err(DecideError::Cancelled)));
}
