//! Delay, gate, de-esser, transient shaper and ducker against what they promise.

#[path = "measure/effects.rs"]
mod effects;

use topdown_testkit::acceptance::assert_all;

#[test]
fn the_effects_keep_their_levels_their_times_and_what_they_leave_alone() {
    assert_all(&effects::rows());
}
