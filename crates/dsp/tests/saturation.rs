//! Oversampler and saturation: what they add and what they keep.

#[path = "measure/oversample.rs"]
mod oversample;
#[path = "measure/saturation.rs"]
mod saturation;

use topdown_testkit::acceptance::assert_all;

#[test]
fn the_oversampler_is_flat_and_keeps_images_and_aliases_out() {
    assert_all(&oversample::rows());
}

#[test]
fn saturation_bends_without_aliases_dc_or_change_of_level() {
    assert_all(&saturation::rows());
}
