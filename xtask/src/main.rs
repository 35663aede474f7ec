//! Every chore has one name: `cargo xtask check | test | songs | withstand | fuzz | gen | bench`.
#![forbid(unsafe_code)]
#![allow(clippy::print_stdout, clippy::print_stderr, reason = "chores talk to the terminal")]

mod bench;
mod browser;
mod fuzz;
mod house;
mod run;
mod songs;
mod withstand;

use clap::{Parser, Subcommand};
use std::process::ExitCode;

#[derive(Parser)]
#[command(name = "cargo xtask", about = "The project's chores")]
struct Cli {
    #[command(subcommand)]
    chore: Chore,
}

#[derive(Subcommand)]
enum Chore {
    /// Formatting, lints, direction of dependencies, licences, generated files
    Check,
    /// Everything that has to pass: check, all tests, pages in Chromium, and the songs if they are there
    Test {
        /// Skip, loudly, what needs a Chromium
        #[arg(long)]
        no_browser: bool,
    },
    /// What must hold on real songs (../shared/songs or --dir); skipped, loudly, without the folder
    Songs {
        /// The folder of songs
        #[arg(long)]
        dir: Option<std::path::PathBuf>,
        /// Only songs whose name contains this
        #[arg(long)]
        only: Option<String>,
        /// Try this binary instead of building one
        #[arg(long)]
        binary: Option<std::path::PathBuf>,
    },
    /// Bad inputs through the release binary, a file of 4.3 GB, a minute of fuzzing for each reader
    Withstand {
        /// The script that makes bad inputs (default ../shared/tools/make_bad_inputs.py); skipped, loudly,
        /// without it
        #[arg(long)]
        script: Option<std::path::PathBuf>,
    },
    /// Fuzzes the readers of our own; fails on a find
    Fuzz {
        /// For each target
        #[arg(long, default_value_t = 20)]
        seconds: u32,
    },
    /// Writes the generated files: schema, tables and plots in docs
    Gen,
    /// Measures speed, peers in the same run
    Bench {
        #[command(subcommand)]
        what: bench::What,
    },
}

fn main() -> ExitCode {
    let result = match Cli::parse().chore {
        Chore::Check => house::check(),
        Chore::Test { no_browser } => test(no_browser),
        Chore::Songs { dir, only, binary } => songs::run(dir.as_deref(), only.as_deref(), binary),
        Chore::Withstand { script } => withstand::withstand(script.as_deref()),
        Chore::Fuzz { seconds } => fuzz::fuzz(seconds),
        Chore::Gen => run::generate(),
        Chore::Bench { what } => bench::run_bench(&what),
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(message) => {
            eprintln!("xtask: {message}");
            ExitCode::FAILURE
        }
    }
}

fn test(no_browser: bool) -> Result<(), String> {
    house::check()?;
    run::tests()?;
    browser::pages(no_browser)?;
    println!("all of `cargo xtask test` passed");
    Ok(())
}
