//! Equaliser, trim and pan against analogue prototypes and exact promises.

#[path = "measure/basics.rs"]
mod basics;
#[path = "measure/eq.rs"]
mod eq;

use topdown_testkit::acceptance::assert_all;

#[test]
fn the_equaliser_follows_the_analogue_filters_and_cancels_itself() {
    assert_all(&eq::rows());
}

#[test]
fn trim_pan_and_moving_parameters_keep_their_promises() {
    assert_all(&basics::rows());
}
