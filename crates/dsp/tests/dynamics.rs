//! The compressor against its formulas.

#[path = "measure/compressor.rs"]
mod compressor;

use topdown_dsp::compressor::CompressorSettings;
use topdown_testkit::acceptance::assert_all;
use topdown_testkit::signals;

#[test]
fn the_compressor_keeps_its_curve_its_times_and_the_image() {
    assert_all(&compressor::rows());
}

#[test]
fn auto_release_is_quick_after_a_hit_and_slow_on_a_steady_tone() {
    let auto =
        CompressorSettings { auto_release: true, ..compressor::plain(-30.0, 4.0, 0.0, 1.0, 800.0) };
    let fixed = CompressorSettings { auto_release: false, ..auto.clone() };
    // The gain that a quiet marker on the right shows: how far it is back 250 ms after the sound ends.
    let recovered = |settings: &CompressorSettings, left: &[f32]| {
        let marker = vec![1e-4f32; 48_000];
        let right = &compressor::process(settings, &[left, &marker])[1];
        f64::from(right[36_000]) / 1e-4
    };
    let mut hit = vec![0.0f32; 48_000];
    hit[23_900..24_000].copy_from_slice(&signals::kick(48_000.0, 100, 1.0));
    let mut tone = signals::sine(500.0, 48_000.0, 48_000, 1.0, 0.0);
    tone[24_000..].fill(0.0);
    assert!(recovered(&auto, &hit) > 0.9, "{}", recovered(&auto, &hit));
    assert!(recovered(&fixed, &hit) < 0.6, "{}", recovered(&fixed, &hit));
    assert!(recovered(&auto, &tone) < 0.7, "{}", recovered(&auto, &tone));
}
