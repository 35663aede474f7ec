//! What a person writes into `session.toml` is rendered as written, told as theirs, and kept.

use crate::place::{Place, strip};
use crate::song::{FRAMES, PAD_HZ, RATE, track};
use topdown_app::explain::explain;
use topdown_app::model::{Author, Session, Stage};
use topdown_session::Value;
use topdown_testkit::{analogue, meters, null};

const FADER_DB: f64 = -7.25;
const MOVED_BY: usize = 11_025;
const RIDE: [(u64, f64); 3] = [(0, -3.0), (132_300, -3.0), (176_400, 1.5)];
const BELL: (f64, f64, f64) = (1_000.0, 6.0, 1.0);

/// A fader changed, a clip moved, a ride added, an EQ typed.
fn edited(place: &Place) {
    place.edit(|text| {
        let text = in_strip(&text, "Kick", |block| set(block, "fader_db", &FADER_DB.to_string()));
        let text = in_strip(&text, "Snare", |block| {
            block.replace("at_frame = 0,", &format!("at_frame = {MOVED_BY},"))
        });
        let text = in_strip(&text, "Lead Vocal", |block| {
            let points: Vec<String> = RIDE.iter().map(|(at, db)| format!("[{at}, {db}]")).collect();
            set(block, "fader_db", &format!("[{}]", points.join(", ")))
        });
        in_strip(&text, "Synth Pad", |block| {
            let (hz, db, q) = BELL;
            format!(
                "{}\n\n[[strip.chain]]\nid = \"mine\"\nkind = \"eq\"\n\
                 band_1 = {{ on = true, freq_hz = {hz}, gain_db = {db}, q = {q} }}\n",
                block.trim_end()
            )
        })
    });
}

/// Changes the text of one strip, which ends where the next table begins that is not its own.
fn in_strip(text: &str, name: &str, change: impl FnOnce(&str) -> String) -> String {
    let named = text.find(&format!("name = \"{name}\"")).unwrap();
    let start = text[..named].rfind("[[strip]]").unwrap();
    let ends = ["\n[[strip]]", "\n[print", "\n[journal"].map(|end| text[named..].find(end));
    let end = named + ends.into_iter().flatten().min().unwrap();
    format!("{}{}{}", &text[..start], change(&text[start..end]), &text[end..])
}

/// Sets a key of the strip itself, not of its processors.
fn set(block: &str, key: &str, value: &str) -> String {
    let mut lines: Vec<String> = block
        .lines()
        .filter(|line| !line.starts_with(&format!("{key} = ")))
        .map(str::to_owned)
        .collect();
    let at = lines.iter().position(|line| line.starts_with("name = ")).unwrap() + 1;
    lines.insert(at, format!("{key} = {value}"));
    lines.join("\n")
}

fn gain(db: f64) -> f64 {
    libm::pow(10.0, db / 20.0)
}

/// What a stem should be, from the recording and a gain for each frame; against what it is.
fn assert_nulls(place: &Place, name: &str, expected: impl Fn(usize, &[f32]) -> f64) {
    assert!(place.strip(name).chain.is_empty(), "{name}: nothing but fader and clip is judged");
    let recording = track(name);
    let stem = &place.stem(name)[0][..FRAMES];
    let expected: Vec<f32> = (0..FRAMES).map(|n| expected(n, &recording) as f32).collect();
    let left = null::residual_db(stem, &expected);
    assert!(left < -120.0, "{name}: {left} dB is left");
}

#[test]
fn a_fader_changed_by_hand_is_rendered_as_written() {
    let place = Place::mixed();
    edited(&place);
    assert_nulls(&place, "Kick", |n, recording| f64::from(recording[n]) * gain(FADER_DB));
}

#[test]
fn a_clip_moved_by_hand_plays_where_it_was_put() {
    let place = Place::mixed();
    let fader_db = place.strip("Snare").fader_db.resting();
    edited(&place);
    assert_nulls(&place, "Snare", |n, recording| {
        n.checked_sub(MOVED_BY).map_or(0.0, |from| f64::from(recording[from]) * gain(fader_db))
    });
}

#[test]
fn a_ride_typed_as_points_is_a_straight_line_in_db_from_point_to_point() {
    let place = Place::mixed();
    edited(&place);
    let db = |n: usize| {
        let (from, to) = (RIDE[1], RIDE[2]);
        let share = (n as f64 - from.0 as f64) / (to.0 - from.0) as f64;
        from.1 + share.clamp(0.0, 1.0) * (to.1 - from.1)
    };
    assert_nulls(&place, "Lead Vocal", |n, recording| f64::from(recording[n]) * gain(db(n)));
}

#[test]
fn an_eq_typed_by_hand_has_the_response_of_the_bell_that_it_names() {
    let place = Place::mixed();
    assert!(place.strip("Synth Pad").chain.iter().all(|node| node.kind == "eq"), "linear");
    let level = |stem: &[f32], hz: f64| {
        let steady = &stem[RATE as usize..2 * RATE as usize];
        meters::db(meters::tone(steady, hz / f64::from(RATE)).0)
    };
    let before = place.stem("Synth Pad").remove(0);
    edited(&place);
    let after = place.stem("Synth Pad").remove(0);
    for hz in PAD_HZ {
        let change = level(&after, hz) - level(&before, hz);
        let expected = analogue::bell_db(hz / BELL.0, BELL.2, BELL.1);
        assert!((change - expected).abs() < 0.1, "{hz} Hz: {change:.2} dB, {expected:.2} expected");
    }
}

fn assert_as_written(session: &Session) {
    assert_eq!(strip(session, "Kick").fader_db, Value::Constant(FADER_DB));
    assert_eq!(strip(session, "Snare").clips[0].at_frame, MOVED_BY as u64);
    let Value::Automation(points) = &strip(session, "Lead Vocal").fader_db else {
        panic!("no ride")
    };
    let points: Vec<(u64, f64)> = points.iter().map(|point| (point.frame, point.value)).collect();
    assert_eq!(points, RIDE);
    let mine =
        strip(session, "Synth Pad").chain.iter().find(|node| node.id.as_str() == "mine").unwrap();
    assert_eq!(mine.values.get("band_1.gain_db"), Some(&Value::Constant(BELL.1)));
}

#[test]
fn explain_tells_what_was_done_by_hand_as_a_move_of_the_person() {
    let place = Place::mixed();
    edited(&place);
    let moves = explain(&place.session(), None, false).unwrap();
    let theirs: Vec<_> = moves.iter().filter(|m| m.author == Author::Person).collect();
    assert_eq!(theirs.len(), 1, "one visit to the editor is one move");
    assert_eq!(theirs[0].stage, Stage::Person);
    assert!(theirs[0].locked);
    for name in
        ["Fader of Kick", "Clips of Snare", "Fader of Lead Vocal rides on 3 points", "on Synth Pad"]
    {
        assert!(theirs[0].reason.contains(name), "{name}: {}", theirs[0].reason);
    }
}

#[test]
fn a_second_mix_keeps_what_was_done_by_hand() {
    let place = Place::mixed();
    edited(&place);
    place.again();
    let session = place.opened();
    assert_as_written(&session);
    let person = session.moves.iter().filter(|m| m.author == Author::Person).count();
    assert_eq!(person, 1, "and takes none of its own work for a person's");
    assert_nulls(&place, "Kick", |n, recording| f64::from(recording[n]) * gain(FADER_DB));
}

#[test]
fn what_was_typed_stays_when_the_mix_is_continued_with_nothing_changed() {
    let place = Place::mixed();
    let (before, print) = (place.opened(), std::fs::read(place.print()).unwrap());
    place.again();
    assert_eq!(place.opened(), before);
    assert!(std::fs::read(place.print()).unwrap() == print);
}
