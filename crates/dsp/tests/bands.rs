//! What works in bands, and between mid and side, against formulas.

#[path = "measure/bands.rs"]
mod bands;
#[path = "measure/width.rs"]
mod width;

use topdown_testkit::acceptance::assert_all;

#[test]
fn moving_filters_crossovers_and_what_is_built_on_them_follow_their_formulas() {
    assert_all(&bands::rows());
}

#[test]
fn width_and_mid_side_keep_what_they_do_not_turn() {
    assert_all(&width::rows());
}
