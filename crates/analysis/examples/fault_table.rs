//! Precision and recall of the fault detectors on seeded tracks, as the table of `docs/hearing.md`.
//!
//! `cargo run --release -p topdown-analysis --example fault_table`
#![allow(clippy::print_stdout, clippy::unwrap_used)]

use std::collections::BTreeMap;
use topdown_analysis::faults::{FaultKind, find};
use topdown_analysis::roles::Role;
use topdown_units::SampleRate;

#[path = "../src/faults/planted.rs"]
mod planted;

const ROLES: [&str; 5] = ["lead vocal", "drum kit", "bass", "piano", "electric guitar"];
/// The tests use seeds below 100.
const SEEDS: std::ops::Range<u64> = 100..108;

fn id(kind: FaultKind) -> String {
    serde_json::to_value(kind).unwrap().as_str().unwrap_or_default().to_owned()
}

fn main() {
    // for each kind: planted, found, invented on clean tracks, found beside another planted fault
    let mut rows: BTreeMap<String, [u32; 4]> =
        FaultKind::ALL.iter().map(|&k| (id(k), [0; 4])).collect();
    let mut clean_tracks = 0;
    for role_id in ROLES {
        let role = Role::from_id(role_id).unwrap();
        let hear = |planes: &[Vec<f32>]| {
            let slices: Vec<&[f32]> = planes.iter().map(Vec::as_slice).collect();
            find(&slices, SampleRate::CD, role).iter().map(|f| id(f.kind)).collect::<Vec<_>>()
        };
        for seed in SEEDS {
            let track = planted::clean(role_id, seed);
            clean_tracks += 1;
            for kind in hear(std::slice::from_ref(&track)) {
                rows.get_mut(&kind).unwrap()[2] += 1;
            }
            for kind in planted::plantable(role_id) {
                let found = hear(&planted::plant(kind, &track, seed));
                rows.get_mut(kind).unwrap()[0] += 1;
                for other in found {
                    rows.get_mut(&other).unwrap()[if other == kind { 1 } else { 3 }] += 1;
                }
            }
        }
    }
    println!(
        "| fault | planted | found | recall | on {clean_tracks} clean tracks | precision | beside other faults |"
    );
    println!("|---|---|---|---|---|---|---|");
    for (kind, [planted, found, invented, beside]) in rows {
        let share = |a: u32, b: u32| if b == 0 { 0.0 } else { 100.0 * f64::from(a) / f64::from(b) };
        println!(
            "| {kind} | {planted} | {found} | {:.0} % | {invented} | {:.0} % | {beside} |",
            share(found, planted),
            share(found, found + invented)
        );
    }
}
