//! Writes the features of sounds as CSV, for training the table of roles: the same code measures for
//! training and for use. Reads raw interleaved `f32` little-endian files listed one a line on standard
//! input as `label<TAB>channels<TAB>rate_hz<TAB>path`.
//!
//! `cargo run --release -p topdown-analysis --example dump_features < LIST > FEATURES.csv`
#![allow(clippy::print_stdout, clippy::print_stderr, clippy::unwrap_used)]

use std::io::BufRead;
use topdown_analysis::roles::features;
use topdown_units::SampleRate;

fn line_of(row: &str) -> Option<String> {
    let mut cells = row.split('\t');
    let label = cells.next()?;
    let channels: usize = cells.next()?.parse().ok()?;
    let rate = SampleRate::new(cells.next()?.parse().ok()?)?;
    let path = cells.next()?;
    let bytes = std::fs::read(path).ok()?;
    let samples: Vec<f32> =
        bytes.chunks_exact(4).map(|b| f32::from_le_bytes([b[0], b[1], b[2], b[3]])).collect();
    let plane = |c: usize| samples.iter().skip(c).step_by(channels).copied().collect::<Vec<f32>>();
    let planes: Vec<Vec<f32>> = (0..channels).map(plane).collect();
    let slices: Vec<&[f32]> = planes.iter().map(Vec::as_slice).collect();
    let values = features::features(&slices, rate)?;
    let text: Vec<String> = values.iter().map(|v| format!("{v:.5}")).collect();
    Some(format!("{label},{path},{}", text.join(",")))
}

fn main() {
    println!("label,path,{}", features::names().join(","));
    for row in std::io::stdin().lock().lines() {
        let row = row.unwrap();
        match line_of(&row) {
            Some(line) => println!("{line}"),
            None => eprintln!("left out: {row}"),
        }
    }
}
