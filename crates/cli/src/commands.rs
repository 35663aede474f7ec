//! Each command: arguments to a request, a use case, its result to text.

use crate::args::{
    Cli, Command, Depth, Format, Levels, MixArgs, MoveAction, RenderArgs, Stems, Strategy,
};
use crate::output::{Failure, json, result};
use crate::watch::Watch;
use clap::CommandFactory;
use std::path::{Path, PathBuf};
use topdown_app::{Context, check, compare, explain, mix, render, run_demo, steer};
use topdown_app::{model, report};

pub(crate) fn run(cli: &Cli) -> Result<(), Failure> {
    let watch = Watch::new(cli.quiet || cli.json);
    let mut context = Context::new(&watch);
    if let Some(threads) = cli.threads {
        context.threads = usize::from(threads);
    }
    let done = dispatch(cli, &context);
    watch.done();
    done?.print(cli.json)
}

/// What a command has to say: the same facts as text and as JSON.
struct Said {
    text: String,
    facts: serde_json::Value,
}

impl Said {
    fn new<T: serde::Serialize>(text: String, facts: &T) -> Result<Self, Failure> {
        let facts = serde_json::to_value(facts)
            .map_err(|error| Failure::Here { text: format!("JSON: {error}"), help: None })?;
        Ok(Self { text, facts })
    }

    fn print(&self, as_json: bool) -> Result<(), Failure> {
        if as_json { json(&self.facts) } else { result(&self.text) }
    }
}

fn dispatch(cli: &Cli, context: &Context<'_>) -> Result<Said, Failure> {
    match &cli.command {
        Command::Demo { output } => {
            let facts = run_demo(output, context)?;
            Said::new(report::text::summary(&facts), &facts)
        }
        Command::Mix(args) => {
            let facts = mix::mix(&mix_request(args)?, context)?;
            Said::new(report::text::summary(&facts), &facts)
        }
        Command::Render(args) => {
            let done = render::render(&render_request(args)?, context)?;
            Said::new(done.text(), &done)
        }
        Command::Check { path } => {
            let done = check::check(path, context)?;
            Said::new(done.text(), &done)
        }
        Command::Explain { session, id, all } => {
            let moves = explain::explain(session, id.as_deref(), *all)?;
            Said::new(report::text::journal(&moves, *all || id.is_some()), &moves)
        }
        Command::Move { session, id, action } => {
            let done = steer::set_move(session, id, &wanted(action)?)?;
            Said::new(format!("{}\n", done.text), &done)
        }
        Command::Lock { session, strip, off } => {
            let done = steer::lock(session, strip, !off)?;
            Said::new(format!("{}\n", done.text), &done)
        }
        Command::Undo { session } => {
            let done = steer::undo(session)?;
            Said::new(format!("{}\n", done.text), &done)
        }
        Command::Compare { a, b } => {
            let done = compare::compare(a, b, context)?;
            Said::new(done.text(), &done)
        }
        Command::Completions { shell } => {
            let mut text = Vec::new();
            clap_complete::generate(*shell, &mut Cli::command(), "topdown", &mut text);
            Said::new(String::from_utf8_lossy(&text).into_owned(), &())
        }
        Command::Man { dir } => manual(dir),
    }
}

fn mix_request(args: &MixArgs) -> Result<mix::MixRequest, Failure> {
    if args.rough.is_some() {
        return Err(Failure::here(
            "--rough: rough mixes are not understood yet",
            "leave it out, or use --levels keep for tracks that come with a balance",
        ));
    }
    Ok(mix::MixRequest {
        inputs: args.inputs.clone(),
        output: args.output.clone(),
        strategy: args.strategy.map(|strategy| match strategy {
            Strategy::TopDown => model::Strategy::TopDown,
            Strategy::BottomUp => model::Strategy::BottomUp,
            Strategy::Hybrid => model::Strategy::Hybrid,
        }),
        bottom_up: args.bottom_up.clone(),
        depth: args.depth.map(|depth| match depth {
            Depth::Bus => model::Stage::Bus,
            Depth::Groups => model::Stage::Groups,
            Depth::Tracks => model::Stage::Tracks,
        }),
        levels: args.levels.map(|levels| match levels {
            Levels::Keep => model::Levels::Keep,
            Levels::Find => model::Levels::Find,
            Levels::Auto => model::Levels::Auto,
        }),
        profile: args.profile.clone(),
        rough: args.rough.clone(),
        loudness: loudness(&args.loudness)?,
        ignore_names: args.ignore_names,
        fresh: args.fresh,
    })
}

fn loudness(text: &str) -> Result<mix::Loudness, Failure> {
    match text {
        "pre-master" => Ok(mix::Loudness::PreMaster),
        "streaming" => Ok(mix::Loudness::Streaming),
        number => match number.trim_end_matches("LUFS").trim().parse::<f64>() {
            Ok(lufs) if (-40.0..=-5.0).contains(&lufs) => Ok(mix::Loudness::Lufs(lufs)),
            _ => Err(Failure::here(
                format!("--loudness {text}: not a target"),
                "pre-master, streaming, or a number from -40 to -5 LUFS",
            )),
        },
    }
}

fn render_request(args: &RenderArgs) -> Result<render::RenderRequest, Failure> {
    let format = args.format.map(|format| match format {
        Format::Wav => render::Format::Wav,
        Format::Aiff => render::Format::Aiff,
        Format::Flac => render::Format::Flac,
        Format::Mp3 => render::Format::Mp3,
        Format::Opus => render::Format::Opus,
    });
    Ok(render::RenderRequest {
        session: args.session.clone(),
        output: args.output.clone(),
        format,
        bits: args.bits,
        stems: args.stems.map(|stems| match stems {
            Stems::Groups => render::Stems::Groups,
            Stems::Tracks => render::Stems::Tracks,
        }),
        without: args.without.clone(),
        range_s: args.range.as_deref().map(range).transpose()?,
    })
}

/// `FROM-TO`, each in seconds or as `m:ss`.
fn range(text: &str) -> Result<(f64, f64), Failure> {
    let wrong = || {
        Failure::here(
            format!("--range {text}: not a part of a song"),
            "for example 62-90 or 1:02-1:30.5",
        )
    };
    let (from, to) = text.split_once('-').ok_or_else(wrong)?;
    let (from, to) = (time(from).ok_or_else(wrong)?, time(to).ok_or_else(wrong)?);
    if from < to { Ok((from, to)) } else { Err(wrong()) }
}

fn time(text: &str) -> Option<f64> {
    let seconds = match text.trim().split_once(':') {
        Some((minutes, seconds)) => {
            f64::from(minutes.parse::<u32>().ok()?) * 60.0 + seconds.parse::<f64>().ok()?
        }
        None => text.trim().parse().ok()?,
    };
    (seconds.is_finite() && (0.0..1e6).contains(&seconds)).then_some(seconds)
}

fn wanted(action: &MoveAction) -> Result<steer::Action, Failure> {
    if let Some(percent) = action.amount {
        if !(0.0..=100.0).contains(&percent) {
            return Err(Failure::here(
                format!("--amount {percent}: not an amount"),
                "0 to 100, in percent",
            ));
        }
        return Ok(steer::Action::Amount(percent));
    }
    Ok(match (action.off, action.on, action.lock) {
        (true, ..) => steer::Action::Off,
        (_, true, _) => steer::Action::On,
        (_, _, true) => steer::Action::Lock(true),
        _ => steer::Action::Lock(false),
    })
}

fn manual(dir: &Path) -> Result<Said, Failure> {
    let failed = |error: std::io::Error| {
        Failure::here(
            format!("{}: {error}", dir.display()),
            "choose a folder that can be written to",
        )
    };
    std::fs::create_dir_all(dir).map_err(failed)?;
    clap_mangen::generate_to(Cli::command(), dir).map_err(failed)?;
    let written: PathBuf = dir.join("topdown.1");
    Said::new(format!("manual pages in {}\n", dir.display()), &written.display().to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_seconds_or_minutes_and_seconds() {
        assert_eq!(time("62.5"), Some(62.5));
        assert_eq!(time("1:02.5"), Some(62.5));
        assert_eq!(time("-3"), None);
        assert_eq!(time("x"), None);
        assert_eq!(time("nan"), None);
        assert!(range("90-62").is_err());
        assert!(matches!(range("1:02-1:30"), Ok((62.0, 90.0))));
    }

    #[test]
    fn a_loudness_is_a_name_or_a_sane_number() {
        assert!(matches!(loudness("streaming"), Ok(mix::Loudness::Streaming)));
        assert!(matches!(loudness("-11.5"), Ok(mix::Loudness::Lufs(l)) if l == -11.5));
        assert!(loudness("3").is_err());
        assert!(loudness("loud").is_err());
    }

    #[test]
    fn the_arguments_are_well_formed() {
        Cli::command().debug_assert();
    }
}
