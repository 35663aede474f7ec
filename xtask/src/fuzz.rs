//! The fuzz targets of `fuzz/`, each for a while: libFuzzer on the stable compiler, which needs no more than the
//! instrumentation flags that LLVM has anyway. No sanitizer: the readers hold no `unsafe`, so what there is to
//! find are panics, overflows (checks are on), hangs and memory, and libFuzzer watches all four.

use crate::run::{root, run};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Instant;

const TARGETS: &[&str] = &["wav", "aiff", "tags"];

/// What libFuzzer needs to see which branches and comparisons an input reaches.
const COVERAGE: &str = "--cfg fuzzing -Cpasses=sancov-module \
    -Cllvm-args=-sanitizer-coverage-level=4 \
    -Cllvm-args=-sanitizer-coverage-inline-8bit-counters \
    -Cllvm-args=-sanitizer-coverage-pc-table \
    -Cllvm-args=-sanitizer-coverage-trace-compares";

/// Builds the targets and the seeds, and runs each target; an error for a find.
pub(crate) fn fuzz(seconds: u32) -> Result<(), String> {
    let started = Instant::now();
    let home = crate::run::target().join("fuzz");
    let seeds = home.join("seeds");
    let text = seeds.to_string_lossy().into_owned();
    run(
        "cargo",
        &["run", "--quiet", "-p", "topdown-media", "--example", "fuzz_seeds", "--", &text],
    )?;
    let programs = build(&home)?;
    println!("  built in {:.0} s", started.elapsed().as_secs_f64());
    let mut finds = Vec::new();
    for target in TARGETS {
        if let Err(find) = run_target(&programs.join(target), target, &home, &seeds, seconds) {
            finds.push(find);
        }
    }
    println!("  fuzzing took {:.0} s", started.elapsed().as_secs_f64());
    if finds.is_empty() { Ok(()) } else { Err(finds.join("\n")) }
}

/// Builds with coverage, and returns the folder of the programs. Naming the target keeps the flags away from
/// build scripts and macros.
fn build(home: &Path) -> Result<PathBuf, String> {
    let host = host()?;
    println!("$ cargo build --manifest-path fuzz/Cargo.toml --release");
    let status = Command::new("cargo")
        .args([
            "build",
            "--quiet",
            "--release",
            "--manifest-path",
            "fuzz/Cargo.toml",
            "--target",
            &host,
        ])
        .arg("--target-dir")
        .arg(home)
        .env("RUSTFLAGS", COVERAGE)
        .current_dir(root())
        .status()
        .map_err(|error| format!("cargo: {error}"))?;
    let programs = home.join(host).join("release");
    if status.success() { Ok(programs) } else { Err("the fuzz targets do not build".to_owned()) }
}

/// The platform that the compiler builds for by itself.
fn host() -> Result<String, String> {
    let out = Command::new("rustc").arg("-vV").output().map_err(|e| format!("rustc: {e}"))?;
    let text = String::from_utf8_lossy(&out.stdout).into_owned();
    let line = text.lines().find_map(|line| line.strip_prefix("host: "));
    line.map(str::to_owned).ok_or_else(|| "rustc does not say its host".to_owned())
}

fn run_target(
    program: &Path,
    target: &str,
    home: &Path,
    seeds: &Path,
    seconds: u32,
) -> Result<(), String> {
    let (corpus, finds) = (home.join("corpus").join(target), home.join("finds"));
    for folder in [&corpus, &finds] {
        std::fs::create_dir_all(folder).map_err(|e| format!("{}: {e}", folder.display()))?;
    }
    let out = Command::new(program)
        .args([&corpus, &seeds.join(target)])
        .args([&format!("-max_total_time={seconds}"), "-max_len=8192", "-timeout=5"])
        .args(["-rss_limit_mb=512", "-print_final_stats=1", "-verbosity=0"])
        .arg(format!("-artifact_prefix={}/{target}-", finds.display()))
        .output()
        .map_err(|error| format!("{}: {error}", program.display()))?;
    let said = String::from_utf8_lossy(&out.stderr);
    let figure = |name: &str| {
        let line = said.lines().find_map(|line| line.strip_prefix(name));
        line.map_or("?", str::trim).to_owned()
    };
    let tried = figure("stat::number_of_executed_units:");
    let memory = figure("stat::peak_rss_mb:");
    if out.status.success() {
        println!("  {target}: {tried} inputs in {seconds} s, {memory} MB, no find");
        Ok(())
    } else {
        Err(format!("fuzz target {target}: a find, kept in {}\n{said}", finds.display()))
    }
}
