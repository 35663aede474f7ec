//! The reverb against what it promises of decay, density, tone and silence.

#[path = "measure/reverb.rs"]
mod reverb;

use topdown_testkit::acceptance::assert_all;

#[test]
fn the_reverb_decays_as_asked_and_sounds_like_noise_that_fades() {
    assert_all(&reverb::rows());
}
