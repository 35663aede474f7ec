//! Promises of edits and differences, on sessions by chance.
#![allow(clippy::unwrap_used, clippy::panic, reason = "helpers of tests")]

mod common;

use common::{empty, session};
use proptest::prelude::*;
use topdown_session::{Edit, EditError, ParamPath, Transaction, Value, diff};

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn a_difference_applied_to_the_first_session_is_the_second(a in session(), b in session()) {
        let mut changed = a.clone();
        changed.commit(&Transaction { edits: diff(&a, &b) }).unwrap();
        prop_assert_eq!(changed, b);
    }

    #[test]
    fn a_session_differs_from_itself_by_nothing(a in session()) {
        prop_assert_eq!(diff(&a, &a), vec![]);
    }

    #[test]
    fn every_edit_is_taken_back_by_its_inverse(a in session(), b in session()) {
        let edits = Transaction { edits: diff(&a, &b) };
        let mut walking = a.clone();
        for edit in &edits.edits {
            let before = walking.clone();
            walking.apply(edit).unwrap();
            let mut back = walking.clone();
            back.apply(&edit.inverse()).unwrap();
            prop_assert_eq!(back, before);
        }
        walking.commit(&edits.inverse()).unwrap();
        prop_assert_eq!(walking, a);
    }

    #[test]
    fn a_transaction_that_fails_anywhere_changes_nothing(a in session(), b in session()) {
        let mut edits = diff(&a, &b);
        let nowhere = ParamPath::Fader("nowhere".into());
        edits.push(Edit::Set { at: nowhere, old: None, new: Some(Value::Constant(-3.0)) });
        let mut tried = a.clone();
        let error = tried.commit(&Transaction { edits: edits.clone() }).unwrap_err();
        prop_assert_eq!(error.index, edits.len() - 1);
        prop_assert_eq!(tried, a);
    }

    #[test]
    fn an_edit_survives_the_journal(a in session(), b in session()) {
        for edit in diff(&a, &b) {
            let line = serde_json::to_string(&edit).unwrap();
            prop_assert!(!line.contains('\n'));
            prop_assert_eq!(serde_json::from_str::<Edit>(&line).unwrap(), edit);
        }
    }
}

fn fader(old: f64, new: f64) -> Edit {
    let (old, new) = (Some(Value::Constant(old)), Some(Value::Constant(new)));
    Edit::Set { at: ParamPath::Fader("bus".into()), old, new }
}

#[test]
fn a_value_out_of_range_is_refused_not_clamped() {
    let mut session = empty();
    for wrong in [12.01, -144.5, f64::NAN, f64::INFINITY, f64::NEG_INFINITY] {
        let error = session.apply(&fader(0.0, wrong)).unwrap_err();
        assert!(error.to_string().contains("a number from -144 to 12 (dB)"), "{error}");
        assert_eq!(session, empty());
    }
}

#[test]
fn an_edit_that_starts_from_something_else_is_refused() {
    let mut session = empty();
    session.apply(&fader(0.0, -3.0)).unwrap();
    assert_eq!(session.apply(&fader(0.0, -6.0)), Err(EditError::Changed("`bus/fader_db`".into())));
    assert_eq!(session.get(&ParamPath::Fader("bus".into())), Some(Value::Constant(-3.0)));
}

#[test]
fn setting_a_value_rounds_it_to_what_means_something() {
    let session = empty();
    let edit = session.set_to(ParamPath::Fader("bus".into()), Some(Value::Constant(-3.456_789)));
    assert_eq!(edit, Ok(fader(0.0, -3.46)));
}

#[test]
fn automation_must_ascend() {
    let points = |frames: [u64; 2]| {
        let point = |frame| topdown_session::Point { frame, value: -1.0 };
        Value::Automation(frames.map(point).to_vec())
    };
    let at = ParamPath::Fader("bus".into());
    assert!(empty().set_to(at.clone(), Some(points([10, 20]))).is_ok());
    for wrong in [[20, 10], [10, 10]] {
        let error = empty().set_to(at.clone(), Some(points(wrong))).unwrap_err();
        assert!(error.to_string().contains("must ascend"), "{error}");
    }
}
