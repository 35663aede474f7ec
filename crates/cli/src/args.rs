//! What can be typed.

use clap::{Args, Parser, Subcommand, ValueEnum};
use std::path::PathBuf;

/// Mixes multitrack recordings from the top down.
///
/// First the mix bus with everything playing, then the groups and how they relate, then only the few
/// tracks that the groups could not fix. Every move is heard through the bus, explained, and reversible.
#[derive(Debug, Parser)]
#[command(name = "topdown", version, arg_required_else_help = true)]
#[command(after_help = "Start with `topdown demo`, then `topdown mix FOLDER`.")]
pub(crate) struct Cli {
    #[command(subcommand)]
    pub(crate) command: Command,

    /// Print results as JSON on standard output
    #[arg(long, global = true)]
    pub(crate) json: bool,

    /// No progress and no hints on standard error
    #[arg(long, short, global = true)]
    pub(crate) quiet: bool,

    /// Worker threads; the result does not depend on it [default: all cores]
    #[arg(long, global = true, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=256))]
    pub(crate) threads: Option<u16>,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Make the demo song, mix it, and say where everything is
    #[command(after_help = "Example:\n  topdown demo -o ~/topdown-demo")]
    Demo {
        /// Folder to write to
        #[arg(short, value_name = "DIR", default_value = "topdown-demo")]
        output: PathBuf,
    },
    /// Mix a folder of tracks
    Mix(MixArgs),
    /// Print a session as it stands; nothing is measured or decided
    #[command(after_help = "Examples:\n  topdown render song.topdown -o song.wav\n  \
        topdown render song.topdown -o stems.wav --stems groups\n  \
        topdown render song.topdown -o karaoke.wav --without vocals\n  \
        topdown render song.topdown -o chorus.wav --range 1:02-1:30")]
    Render(RenderArgs),
    /// Measure a file, a folder or a session, and say what is wrong in plain words
    #[command(
        after_help = "Examples:\n  topdown check mix.wav\n  topdown check ~/songs/blue\n  topdown check song.topdown"
    )]
    Check {
        /// File, folder of tracks, or session
        path: PathBuf,
    },
    /// The journal of a session, or one move with its evidence
    #[command(
        after_help = "Examples:\n  topdown explain song.topdown\n  topdown explain song.topdown bus-02"
    )]
    Explain {
        /// Session folder
        session: PathBuf,
        /// A move's id
        id: Option<String>,
        /// Rejected moves too
        #[arg(long)]
        all: bool,
    },
    /// Steer one move: off, on, amount, lock
    #[command(after_help = "Examples:\n  topdown move song.topdown bus-02 --amount 60\n  \
        topdown move song.topdown groups-04 --off")]
    Move {
        /// Session folder
        session: PathBuf,
        /// The move's id
        id: String,
        #[command(flatten)]
        action: MoveAction,
    },
    /// Lock a strip, so that the mixer leaves it alone
    #[command(
        after_help = "Examples:\n  topdown lock song.topdown vocals\n  topdown lock song.topdown vocals --off"
    )]
    Lock {
        /// Session folder
        session: PathBuf,
        /// The strip's id
        strip: String,
        /// Unlock it
        #[arg(long)]
        off: bool,
    },
    /// Take back the last change to a session
    #[command(after_help = "Example:\n  topdown undo song.topdown")]
    Undo {
        /// Session folder
        session: PathBuf,
    },
    /// Two sessions, strategies or files, loudness-matched, term by term
    #[command(
        after_help = "Examples:\n  topdown compare a.topdown b.topdown\n  topdown compare mix.wav reference.flac"
    )]
    Compare {
        /// First session or file
        a: PathBuf,
        /// Second session or file
        b: PathBuf,
    },
    /// Completions for a shell, on standard output
    Completions {
        /// The shell
        shell: clap_complete::Shell,
    },
    /// Manual pages, written into a folder
    Man {
        /// Folder to write to
        dir: PathBuf,
    },
}

#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  topdown mix ~/songs/blue\n  topdown mix ~/songs/blue -o blue.wav --loudness streaming\n  \
    topdown mix ~/songs/blue --depth groups --levels keep\n\nA second run continues the session: what you changed stays yours."
)]
pub(crate) struct MixArgs {
    /// A folder of tracks, or the files themselves
    #[arg(required = true, value_name = "DIR|FILES")]
    pub(crate) inputs: Vec<PathBuf>,
    /// The print; the session lies beside it [default: DIR.topdown beside DIR, the print inside it]
    #[arg(short, value_name = "OUT.wav")]
    pub(crate) output: Option<PathBuf>,
    /// In which order to work [default: top-down, or what the session says]
    #[arg(long, value_enum)]
    pub(crate) strategy: Option<Strategy>,
    /// With --strategy hybrid: a group to mix bottom-up
    #[arg(long, value_name = "GROUP")]
    pub(crate) bottom_up: Vec<String>,
    /// The last level that may be decided [default: tracks]
    #[arg(long, value_enum)]
    pub(crate) depth: Option<Depth>,
    /// Where the levels come from [default: auto]
    #[arg(long, value_enum)]
    pub(crate) levels: Option<Levels>,
    /// Genre profile: neutral, pop, rock, metal, hip-hop, electronic, jazz-folk, auto
    #[arg(long, value_name = "NAME")]
    pub(crate) profile: Option<String>,
    /// A rough mix whose levels are the target
    #[arg(long, value_name = "FILE")]
    pub(crate) rough: Option<PathBuf>,
    /// pre-master (gain only, -18 LUFS), streaming (-14), or a number in LUFS
    #[arg(long, value_name = "TARGET", allow_hyphen_values = true, default_value = "pre-master")]
    pub(crate) loudness: String,
    /// Do not read roles from file names
    #[arg(long)]
    pub(crate) ignore_names: bool,
    /// Start over, even if there is a session
    #[arg(long)]
    pub(crate) fresh: bool,
}

#[derive(Debug, Args)]
pub(crate) struct RenderArgs {
    /// Session folder
    pub(crate) session: PathBuf,
    /// The print
    #[arg(short, value_name = "OUT.wav")]
    pub(crate) output: PathBuf,
    /// File format [default: by the ending of OUT]
    #[arg(long, value_enum)]
    pub(crate) format: Option<Format>,
    /// Bits of a sample: 16, 24 or 32 (float) [default: 24]
    #[arg(long)]
    pub(crate) bits: Option<u16>,
    /// One file a group or a track, beside OUT, instead of the mix
    #[arg(long, value_enum)]
    pub(crate) stems: Option<Stems>,
    /// Leave out a group or a track (may be given several times)
    #[arg(long, value_name = "STRIP")]
    pub(crate) without: Vec<String>,
    /// Only this part, as FROM-TO in seconds or m:ss
    #[arg(long, value_name = "FROM-TO")]
    pub(crate) range: Option<String>,
}

#[derive(Debug, Args)]
#[group(required = true, multiple = false)]
pub(crate) struct MoveAction {
    /// Switch it off
    #[arg(long)]
    pub(crate) off: bool,
    /// Switch it on again
    #[arg(long)]
    pub(crate) on: bool,
    /// How much of it, 0 to 100 %
    #[arg(long, value_name = "PERCENT")]
    pub(crate) amount: Option<f64>,
    /// Keep the mixer from changing it
    #[arg(long)]
    pub(crate) lock: bool,
    /// Let the mixer change it again
    #[arg(long)]
    pub(crate) unlock: bool,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
pub(crate) enum Strategy {
    /// Bus, groups, tracks
    TopDown,
    /// Tracks, groups, bus
    BottomUp,
    /// Some groups bottom-up, the rest top-down
    Hybrid,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
pub(crate) enum Depth {
    /// The mix bus alone
    Bus,
    /// The mix bus and the groups
    Groups,
    /// Down to the tracks
    Tracks,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
pub(crate) enum Levels {
    /// The balance the tracks came with
    Keep,
    /// A balance found by role
    Find,
    /// One of the two, and the reason is said
    Auto,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
pub(crate) enum Format {
    /// WAV, RF64 by itself over 4 GB
    Wav,
    /// AIFF
    Aiff,
    /// FLAC
    Flac,
    /// MP3
    Mp3,
    /// Opus
    Opus,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
pub(crate) enum Stems {
    /// One a group (or a strip that feeds the bus)
    Groups,
    /// One a track
    Tracks,
}
