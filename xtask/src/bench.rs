//! Speed, measured against peers in the same run: whole processes, files in the page cache, runs interleaved.

use crate::run::{root, run, topdown};
use clap::Subcommand;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Instant;

#[derive(Subcommand)]
pub(crate) enum What {
    /// The reference session (24 tracks of 180 s) against decoding and summing it
    Session {
        /// Length of the tracks
        #[arg(long, default_value_t = 180)]
        seconds: u32,
        /// Tracks
        #[arg(long, default_value_t = 24)]
        tracks: u32,
        /// Interleaved runs
        #[arg(long, default_value_t = 7)]
        runs: usize,
        /// Fail if rendering takes longer than this many times decoding and summing
        #[arg(long)]
        at_most: Option<f64>,
    },
}

pub(crate) fn run_bench(what: &What) -> Result<(), String> {
    match what {
        What::Session { seconds, tracks, runs, at_most } => {
            session(*seconds, *tracks, *runs, *at_most)
        }
    }
}

/// One program that does the workload.
struct Peer {
    name: &'static str,
    line: Vec<String>,
    times_s: Vec<f64>,
}

fn session(seconds: u32, tracks: u32, runs: usize, at_most: Option<f64>) -> Result<(), String> {
    let folder = root().join("target").join("bench").join(format!("{tracks}x{seconds}"));
    let text = |path: &Path| path.to_string_lossy().into_owned();
    let (length, count) = (seconds.to_string(), tracks.to_string());
    run(
        "cargo",
        &[
            "run",
            "--quiet",
            "--release",
            "-p",
            "topdown-app",
            "--example",
            "bench_workload",
            "--",
            &text(&folder),
            &length,
            &count,
        ],
    )?;
    let binary = text(&topdown()?);
    let home = text(&folder.join("reference.topdown"));
    let render = |threads: &str| {
        let out = text(&folder.join("topdown.wav"));
        ["", "render", home.as_str(), "-o", out.as_str(), "--quiet", "--threads", threads]
            .iter()
            .map(|part| if part.is_empty() { binary.clone() } else { (*part).to_owned() })
            .collect::<Vec<_>>()
    };
    let floor = vec![
        "python3".to_owned(),
        text(&root().join("benches/peers/decode_and_sum.py")),
        text(&folder.join("tracks")),
        text(&folder.join("floor.wav")),
    ];
    let mut peers = [
        Peer { name: "decode and sum (numpy, libsndfile)", line: floor, times_s: Vec::new() },
        Peer { name: "topdown render, 2 threads", line: render("2"), times_s: Vec::new() },
        Peer { name: "topdown render, 1 thread", line: render("1"), times_s: Vec::new() },
    ];
    for _ in 0..runs.max(1) {
        for peer in &mut peers {
            peer.times_s.push(timed(&peer.line)?);
        }
    }
    table(&mut peers, at_most)
}

fn timed(line: &[String]) -> Result<f64, String> {
    let started = Instant::now();
    let status = Command::new(&line[0])
        .args(&line[1..])
        .stdout(Stdio::null())
        .status()
        .map_err(|error| format!("{}: {error}", line[0]))?;
    if status.success() {
        Ok(started.elapsed().as_secs_f64())
    } else {
        Err(format!("{} failed", line.join(" ")))
    }
}

fn table(peers: &mut [Peer], at_most: Option<f64>) -> Result<(), String> {
    for peer in peers.iter_mut() {
        peer.times_s.sort_by(f64::total_cmp);
    }
    let median = |peer: &Peer| peer.times_s[peer.times_s.len() / 2];
    let floor = median(&peers[0]);
    println!("| what | median, s | times the floor |\n|---|---|---|");
    for peer in peers.iter() {
        println!("| {} | {:.2} | {:.2} |", peer.name, median(peer), median(peer) / floor);
    }
    let ratio = median(&peers[1]) / floor;
    match at_most {
        Some(limit) if ratio > limit => {
            Err(format!("{ratio:.2} times the floor, at most {limit} is allowed"))
        }
        _ => Ok(()),
    }
}
