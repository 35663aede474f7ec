//! The binary `topdown`: arguments in, calls of the use cases, text and exit codes out.
//!
//! Results go to standard output, everything else to standard error. Exit 0: the output is new and whole.
//! Any other end: what was there before is untouched, and the message names the file and the reason.
#![forbid(unsafe_code)]

mod args;
mod commands;
mod output;
mod watch;

use clap::Parser;
use std::process::ExitCode;
use tracing_subscriber::EnvFilter;

/// Stopped by Ctrl-C or SIGTERM, as shells count it.
const EXIT_STOPPED: u8 = 130;

fn main() -> ExitCode {
    let filter = EnvFilter::try_from_env("TOPDOWN_LOG")
        .unwrap_or_else(|_| EnvFilter::new("off,topdown=warn"));
    tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr)
        .without_time()
        .init();
    let cli = args::Cli::parse();
    match commands::run(&cli) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) if error.is_stop() => {
            output::complain("stopped; nothing was changed");
            ExitCode::from(EXIT_STOPPED)
        }
        Err(error) => {
            output::report(error);
            ExitCode::FAILURE
        }
    }
}
