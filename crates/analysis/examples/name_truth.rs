//! How often file names alone give the right role and group, on a folder of songs with a `truth.csv`
//! (columns: song, file, role, group, name_says_so). Drums and Percussion count as one, Keys and Synths
//! count as one.
//!
//! `cargo run --release -p topdown-analysis --example name_truth -- SONGS`
#![allow(clippy::print_stdout, clippy::unwrap_used)]

use std::collections::BTreeMap;
use topdown_analysis::roles::{Group, name};

fn broad(group: &str) -> &str {
    match group {
        "Percussion" => "Drums",
        "Synths" => "Keys",
        other => other,
    }
}

fn main() {
    let folder = std::env::args_os().nth(1).map(std::path::PathBuf::from);
    let Some(folder) = folder else {
        println!("usage: name_truth SONGS");
        return;
    };
    let text = std::fs::read_to_string(folder.join("truth.csv")).unwrap();
    let mut songs: BTreeMap<&str, Vec<Vec<&str>>> = BTreeMap::new();
    for line in text.lines().skip(1) {
        let row: Vec<&str> = line.split(',').collect();
        songs.entry(row[0]).or_default().push(row);
    }
    let (mut said, mut group_right, mut role_right, mut left_out) = (0, 0, 0, 0);
    for rows in songs.values() {
        let all: Vec<Vec<&str>> =
            rows.iter().map(|r| vec![r[1].rsplit_once('.').map_or(r[1], |x| x.0)]).collect();
        for (row, guess) in rows.iter().zip(name::guess_all(&all)) {
            left_out += u32::from(guess.exclude.is_some());
            if row[4] != "yes" {
                if guess.group != Group::Other {
                    println!(
                        "unasked  {}/{}: {} {:.2}",
                        row[0],
                        row[1],
                        guess.role.id(),
                        guess.confidence
                    );
                }
                continue;
            }
            said += 1;
            let right = broad(guess.group.id()) == broad(row[3]) && guess.exclude.is_none();
            group_right += u32::from(right);
            role_right += u32::from(guess.role.id() == row[2]);
            if guess.role.id() != row[2] {
                let mark = if right { "role" } else { "GROUP" };
                println!(
                    "{mark:8} {}/{}: {} instead of {}",
                    row[0],
                    row[1],
                    guess.role.id(),
                    row[2]
                );
            }
        }
    }
    println!(
        "names that say so: {said}; group right {group_right}, role right {role_right}; left out {left_out}"
    );
}
