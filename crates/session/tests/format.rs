//! Promises of `session.toml`: exact, stable, readable; all problems with their lines; no input panics.
#![allow(clippy::unwrap_used, clippy::panic, reason = "helpers of tests")]

mod common;

use common::{example, session};
use proptest::prelude::*;
use topdown_session::file::JournalHead;
use topdown_session::{Move, MoveState, Problem, Session, Value, load, save};

fn head() -> JournalHead {
    JournalHead { commit: 7, bytes: 1234, hash: "ab".repeat(32) }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn a_session_reads_back_as_it_was_written(session in session(), amount in 0.0..=100.0f64) {
        let mut session = session;
        let (other, _) = example();
        session.moves = other.moves;
        session.moves[1].amount_percent = amount;
        session.moves[2] = Move { on: false, locked: true, stale: true, ..session.moves[2].clone() };
        session.moves[3].state = MoveState::Superseded;
        session.prints = other.prints;
        let text = save(&session, Some(&head()));
        let loaded = load(&text).map_err(|error| TestCaseError::fail(format!("{error}\n{text}")))?;
        prop_assert_eq!(&loaded.session, &session);
        prop_assert_eq!(loaded.journal_head, Some(head()));
        prop_assert_eq!(save(&loaded.session, Some(&head())), text);
    }

    #[test]
    fn every_number_reads_back_exactly(bits in any::<u64>()) {
        let number = f64::from_bits(bits);
        let (mut session, _) = example();
        session.strips[0].fader_db = Value::Constant(number.clamp(-144.0, 12.0));
        prop_assume!(!number.is_nan());
        let loaded = load(&save(&session, None)).unwrap();
        prop_assert_eq!(loaded.session, session);
    }

    #[test]
    fn no_flipped_byte_makes_it_panic(place in any::<prop::sample::Index>(), byte in any::<u8>()) {
        let mut bytes = save(&example().0, Some(&head())).into_bytes();
        let place = place.index(bytes.len());
        bytes[place] = byte;
        if let Ok(text) = String::from_utf8(bytes)
            && let Err(error) = load(&text)
        {
            prop_assert!(!error.0.is_empty());
        }
    }

    #[test]
    fn no_text_makes_it_panic(text in r#"(version = 1\n)?([a-z_."=\[\]{} 0-9\n-]{0,60})"#) {
        let _ = load(&text);
    }
}

#[test]
fn no_truncation_makes_it_panic_or_pass_for_the_whole() {
    let (session, _) = example();
    let text = save(&session, Some(&head()));
    for end in (0..text.trim_end().len()).filter(|end| text.is_char_boundary(*end)) {
        if let Ok(loaded) = load(&text[..end]) {
            assert_ne!(loaded.session, session, "cut at {end}");
        }
    }
}

#[test]
fn a_session_of_a_mix_reads_well() {
    insta::assert_snapshot!("session_toml", save(&example().0, Some(&head())));
}

#[test]
fn no_parameter_has_the_name_of_a_key_of_its_processor() {
    for kind in topdown_dsp::KINDS {
        for spec in kind.params {
            let group = spec.id.split('.').next().unwrap();
            assert!(!["id", "kind", "bypass", "key"].contains(&group), "{}/{}", kind.id, spec.id);
            assert!(spec.id.matches('.').count() <= 1, "{}/{}", kind.id, spec.id);
        }
    }
}

/// The example with one text replaced, and what loading it says of the line of `mark`.
fn problem_at(from: &str, to: &str, mark: &str) -> String {
    let text = save(&example().0, Some(&head()));
    assert!(text.contains(from), "{from} is not in\n{text}");
    let broken = text.replacen(from, to, 1);
    let error = load(&broken).expect_err(to);
    let marked = |problem: &&Problem| {
        let line = problem.line.and_then(|line| broken.lines().nth(line - 1));
        line.is_some_and(|line| line.contains(mark))
    };
    let found = error.0.iter().find(marked);
    found.unwrap_or_else(|| panic!("nothing at {mark} in:\n{error}\n{broken}")).to_string()
}

#[track_caller]
fn refused(from: &str, to: &str, mark: &str, says: &str) {
    let message = problem_at(from, to, mark);
    assert!(message.contains(says), "{message}");
}

#[test]
fn every_problem_of_a_file_has_its_line_and_says_what_is_allowed() {
    for (from, to, mark, says) in [
        // Text and keys.
        ("channels = 2", "channels 2", "channels 2", "this is not TOML"),
        ("version = 1", "version = 2", "version = 2", "newer Topdown (format 2)"),
        ("version = 1", "version = 0", "version = 0", "1 is allowed"),
        ("version = 1", "", "# A Topdown", "`version` is missing"),
        ("name = \"Song\"", "name = 3", "name = 3", "text in quotes is allowed"),
        (
            "sample_rate_hz = 48000\nm",
            "sample_rate_hz = 4\nm",
            "sample_rate_hz = 4",
            "8000 to 384000",
        ),
        ("profile = \"auto\"", "profil = \"auto\"", "profil =", "`profil` is not known here"),
        (
            "\"top-down\"",
            "\"sideways\"",
            "sideways",
            "one of \"top-down\", \"bottom-up\", \"hybrid\"",
        ),
        (
            "depth = \"tracks\"",
            "depth = \"prep\"",
            "depth =",
            "one of \"bus\", \"groups\", \"tracks\"",
        ),
        ("fader_db = -3.5", "fader_dB = -3.5", "fader_dB", "`fader_dB` is not known here"),
        // Values.
        ("fader_db = -3.5", "fader_db = 13", "= 13", "a number from -144 to 12 (dB)"),
        ("fader_db = -3.5", "fader_db = nan", "nan", "a number from -144 to 12 (dB)"),
        ("fader_db = -3.5", "fader_db = \"loud\"", "loud", "a number, or automation"),
        ("[960000, 0]", "[960000]", "[960000]", "a number, or automation"),
        ("[960000, 0]", "[0, 0]", "[0, 0], [0, 0]", "must ascend"),
        ("gain_db = 1.5", "gain_db = 99", "= 99", "a number from -24 to 24 (dB)"),
        ("invert = true", "invert = 1", "invert = 1", "true or false is allowed"),
        ("invert = true", "bypass = 1", "bypass = 1", "true or false is allowed"),
        ("shape = \"", "shape = \"un", "shape = \"un", "one of \""),
        ("role_confidence = 0.95", "role_confidence = 2", "role_confidence = 2", "0 to 1"),
        // Strips and how they hang together.
        ("kind = \"bus\"", "kind = \"group\"", "id = \"bus\"", "`output` is missing"),
        ("kind = \"group\"", "kind = \"bus\"", "id = \"drums\"", "second mix bus"),
        ("kind = \"group\"", "kind = \"gruop\"", "gruop", "one of \"bus\", \"group\""),
        ("kind = \"group\"\n", "", "id = \"drums\"", "`kind` is missing"),
        ("id = \"vocals\"", "id = \"drums\"", "id = \"drums\"", "another strip with this id"),
        ("id = \"vocals\"", "id = \"vo/cals\"", "vo/cals", "cannot be an id"),
        ("channels = 2", "channels = 3", "channels = 3", "1 or 2 are allowed"),
        ("output = \"drums\"", "output = \"drumz\"", "drumz", "there is no strip `drumz`"),
        (
            "output = \"drums\"",
            "output = \"vox\"",
            "output = \"vox\"",
            "neither a group nor the bus",
        ),
        ("output = \"drums\"\n", "", "id = \"kick\"", "`output` is missing"),
        (
            "output = \"bus\"",
            "output = \"drums\"",
            "id = \"drums\"",
            "go in a circle: drums -> drums",
        ),
        ("key = \"vox\"", "key = \"nobody\"", "nobody", "there is no strip `nobody`"),
        ("key = \"vox\"", "key = \"bus\"", "id = \"bus\"", "go in a circle"),
        ("invert = true", "key = \"vox\"", "key = \"vox\"", "takes no key"),
        ("to = \"plate\"", "to = \"drums\"", "to = \"drums\"", "`drums` is not a return"),
        ("to = \"plate\"", "to = \"hall\"", "hall", "there is no strip `hall`"),
        ("level_db = -14", "level_db = -150", "-150", "a number from -144 to 12 (dB)"),
        (
            "level_db = -14",
            "level_db = -14, tap = \"in\"",
            "tap = \"in\"",
            "one of \"pre\", \"post\"",
        ),
        ("id = \"glue\"", "id = \"eq\"", "id = \"eq\"", "another processor with this id"),
        // Clips and files.
        ("file = \"kick\", at", "file = \"kik\", at", "kik", "there is no file `kik`"),
        (
            "file = \"kick\", at",
            "file = \"kick\", channel = 1, at",
            "channel = 1",
            "channels 0 to 0",
        ),
        (
            "at_frame = 0, frames = 2400000",
            "at_frame = 0, frames = 0",
            "frames = 0,",
            "at least 1 frame",
        ),
        (
            "at_frame = 0, frames",
            "at_frame = 0, from_frame = 1, frames",
            "from_frame = 1",
            "plays to frame 2400001",
        ),
        ("fade_out_frames = 480", "fade_out_frames = 2400001", "2400001", "do not fit"),
        ("at_frame = 0, ", "at_frame = -1, ", "at_frame = -1", "a whole number from 0"),
        ("channels = 1, frames", "channels = 0, frames", "channels = 0", "at least 1 channel"),
        ("hash = \"", "hash = \"X", "hash = \"X", "hexadecimal"),
        ("path = \"", "file = \"", "file = \"../", "`path` is missing"),
        // Markers, prints, moves.
        ("bpm = 118", "bpm = 0", "bpm = 0", "1 to 1000"),
        ("bpm = 118, ", "", "kind = \"tempo\"", "needs `bpm`"),
        ("frame = 976000", "frame = 976000, end_frame = 5", "end_frame = 5", "not after its start"),
        ("ceiling_dbtp = -1", "ceiling_dbtp = 1", "ceiling_dbtp = 1", "-60 to 0"),
        ("id = \"bus-02\"", "id = \"bus-01\"", "id = \"bus-01\"", "another move with this id"),
        ("stage = \"levels\"", "stage = \"level\"", "\"level\"", "one of \"prep\""),
        ("state = \"kept\"", "state = \"kept\", amount_percent = 101", "= 101", "0 to 100"),
    ] {
        refused(from, to, mark, says);
    }
}

#[test]
fn a_file_without_a_bus_is_refused() {
    let error = load("version = 1\nname = \"x\"\nsample_rate_hz = 48000\n").unwrap_err();
    assert!(error.to_string().contains("there is no mix bus"), "{error}");
}

#[test]
fn all_problems_of_a_file_are_found_at_once() {
    let text = save(&example().0, None)
        .replace("fader_db = -3.5", "fader_db = 99")
        .replace("output = \"vocals\"", "output = \"nowhere\"")
        .replace("profile =", "colour =");
    let error = load(&text).unwrap_err();
    let lines: Vec<_> = error.0.iter().map(|problem| problem.line).collect();
    assert_eq!(lines.len(), 3, "{error}");
    assert!(lines.is_sorted() && lines.iter().all(Option::is_some), "{error}");
}

#[test]
fn a_newer_file_is_refused_by_its_version_alone() {
    let error = load("version = 2\nquantum = true\n").unwrap_err();
    assert_eq!(error.0.len(), 1);
    assert!(
        error.to_string().contains("line 1: version: this session was written by a newer Topdown")
    );
}

#[test]
fn what_this_build_does_not_know_of_processors_is_kept_with_a_warning() {
    let extra = "invert = true\nsparkle = [1, { a = \"b\" }]\n\n[[strip.chain]]\nid = \"verb\"\n\
                 kind = \"future-verb\"\nsize_m = 0x10\nearly = { level_db = -3.0, on = true }\n";
    let text = save(&example().0, Some(&head())).replacen("invert = true\n", extra, 1);
    let text = text.replacen("q = 0.7", "q = 0.7, colour = \"warm\"", 1);
    let loaded = load(&text).unwrap();
    let said: Vec<String> = loaded.warnings.iter().map(ToString::to_string).collect();
    assert_eq!(said.len(), 3, "{said:?}");
    assert!(said.iter().any(|said| said.contains("future-verb")), "{said:?}");
    let written = save(&loaded.session, Some(&head()));
    for kept in [
        "sparkle = [1, { a = \"b\" }]",
        "size_m = 16",
        "early = { level_db = -3.0, on = true }",
        "colour = \"warm\"",
    ] {
        assert!(written.contains(kept), "{kept} is not in\n{written}");
    }
    assert_eq!(load(&written).unwrap().session, loaded.session);
}

#[test]
fn a_default_typed_by_hand_is_the_same_as_none() {
    let text = save(&example().0, None);
    let typed = text.replacen("invert = true", "invert = true\ngain_db = 0.0", 1);
    assert_eq!(load(&typed).unwrap().session, load(&text).unwrap().session);
}

#[test]
fn what_a_person_typed_is_not_rounded() {
    let text = save(&example().0, None).replacen("fader_db = -3.5", "fader_db = -3.123456789", 1);
    let session: Session = load(&text).unwrap().session;
    assert_eq!(session.strips[1].fader_db, Value::Constant(-3.123_456_789));
}
