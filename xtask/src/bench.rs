//! Speed, measured against peers in the same run.

use clap::Subcommand;

#[derive(Subcommand)]
pub(crate) enum What {
    /// The reference session: 24 tracks of 180 s against decode-and-sum
    Session,
}

pub(crate) fn run(what: &What) -> Result<(), String> {
    match what {
        What::Session => Err("not yet".into()),
    }
}
