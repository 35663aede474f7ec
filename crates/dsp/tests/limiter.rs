//! The limiter at its worst.

#[path = "measure/limiter.rs"]
mod limiter;

use topdown_dsp::limiter_print::{limit_print, true_peak};
use topdown_dsp::{Buffer, LimiterSettings};
use topdown_testkit::acceptance::assert_all;
use topdown_testkit::{meters, null, signals};
use topdown_units::SampleRate;

#[test]
fn nothing_gets_over_the_ceiling_and_nothing_below_it_changes() {
    assert_all(&limiter::rows());
}

#[test]
fn a_hundred_decibels_too_much_stay_below_the_ceiling() {
    let mut noise = signals::white(1, 20_000, 100_000.0);
    signals::fade(&mut noise, 1000);
    let settings = LimiterSettings { lookahead_ms: 1.3, ..LimiterSettings::default() };
    let (out, _) = limiter::process(&settings, SampleRate::CD, &noise);
    assert!(meters::db(meters::sample_peak(&out)) <= -1.0);
}

#[test]
fn a_print_below_the_ceiling_keeps_every_bit_and_its_place() {
    let drums = signals::drums(3, 44_100.0, 30_001, 0.6);
    let mut print = Buffer::from_planes(&[&drums, &drums]);
    let report = limit_print(&mut print, &LimiterSettings::default(), SampleRate::CD);
    assert_eq!(null::different_samples(print.channel(1), &drums), 0);
    assert_eq!((report.deepest_db, report.trim_db), (0.0, 0.0));
    let meter = meters::db(meters::true_peak(&drums));
    assert!((report.true_peak_dbtp - meter).abs() < 0.02, "{} {meter}", report.true_peak_dbtp);
    assert!((meters::db(true_peak(&print)) - meter).abs() < 0.02);
}
