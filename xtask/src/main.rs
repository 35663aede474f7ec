//! Every chore has one name: `cargo xtask check | test | songs | gen | bench`.
#![forbid(unsafe_code)]
#![allow(clippy::print_stdout, clippy::print_stderr, reason = "chores talk to the terminal")]

mod bench;
mod browser;
mod house;
mod run;
mod songs;

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
        Chore::Songs { dir, only } => songs::run(dir.as_deref(), only.as_deref()),
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
