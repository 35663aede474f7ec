//! `mix`: a folder of tracks becomes a session, a print and a report.

use crate::balance;
use crate::describe;
use crate::error::AppError;
use crate::facts::{self, Gathered, PrintWords};
use crate::hear;
use crate::library::{self, Library};
pub use crate::print::Loudness;
use crate::print::{self, MAIN, PrintChain, Solved};
use crate::progress::Context;
use crate::project::Project;
use crate::render::refuse_input;
use crate::rerun;
use crate::spool::{Spool, SpoolWriter};
use crate::trial::EngineTrial;
use std::collections::BTreeMap;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use topdown_analysis::{MixListener, MixMeasurements, THIRDS, TrackMeasurements};
use topdown_decide::profile::{self, Profile};
use topdown_decide::{Event, ExcerptKind, Outcome, Request, Song, Trial};
use topdown_media::write::{Format, Spec, Writer};
use topdown_report::facts::{Facts, GroupFact, Places};
use topdown_session::{Levels, Record, Session, Stage, Strategy, StripId, StripKind};

/// What to mix, and how. What is `None` stays as the session has it.
#[derive(Clone, Debug)]
pub struct MixRequest {
    /// Folders or files.
    pub inputs: Vec<PathBuf>,
    /// The print; `None`: inside the session.
    pub output: Option<PathBuf>,
    /// In which order to work.
    pub strategy: Option<Strategy>,
    /// Groups to mix bottom-up under the hybrid strategy.
    pub bottom_up: Vec<String>,
    /// The last stage that may decide.
    pub depth: Option<Stage>,
    /// Where the levels come from.
    pub levels: Option<Levels>,
    /// Genre profile.
    pub profile: Option<String>,
    /// A rough mix whose levels are the target.
    pub rough: Option<PathBuf>,
    /// How loud the print shall be.
    pub loudness: Loudness,
    /// Do not read roles from file names.
    pub ignore_names: bool,
    /// Start over, even if there is a session.
    pub fresh: bool,
}

impl MixRequest {
    /// A folder, with nothing asked for.
    #[must_use]
    pub fn new(inputs: Vec<PathBuf>) -> Self {
        Self {
            inputs,
            output: None,
            strategy: None,
            bottom_up: Vec::new(),
            depth: None,
            levels: None,
            profile: None,
            rough: None,
            loudness: Loudness::PreMaster,
            ignore_names: false,
            fresh: false,
        }
    }
}

/// Where a run puts things.
#[derive(Clone, Debug)]
struct Targets {
    name: String,
    session: PathBuf,
    print: PathBuf,
    report: PathBuf,
}

impl Targets {
    fn of(request: &MixRequest) -> Result<Self, AppError> {
        let first = request.inputs.first().ok_or_else(|| AppError::NoAudio(PathBuf::new()))?;
        let absolute = std::path::absolute(first).map_err(AppError::disk(first))?;
        let folder = if absolute.is_dir() {
            absolute.clone()
        } else {
            absolute.parent().map_or_else(|| absolute.clone(), Path::to_path_buf)
        };
        let name = song_name(&folder);
        let session = match &request.output {
            Some(output) => output.with_extension("topdown"),
            None => append(&folder, ".topdown"),
        };
        let print = match &request.output {
            Some(output) => output.clone(),
            None => session.join("prints").join(format!("{}.wav", file_safe(&name))),
        };
        let report = session.join("report.html");
        Ok(Self { name, session, print, report })
    }
}

/// Folders that say nothing about the song that is in them.
const PLAIN_FOLDERS: &[&str] =
    &["stems", "tracks", "audio", "audio files", "multitrack", "multitracks", "wav", "raw", "in"];

fn song_name(folder: &Path) -> String {
    let named = |path: &Path| library::shown_name(path);
    let own = named(folder);
    if PLAIN_FOLDERS.contains(&own.to_lowercase().as_str())
        && let Some(parent) = folder.parent().map(named).filter(|name| !name.is_empty())
    {
        return parent;
    }
    if own.is_empty() { "mix".to_owned() } else { own }
}

fn file_safe(name: &str) -> String {
    name.replace(['/', '\\', ':', '\0'], "-")
}

fn append(path: &Path, ending: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(ending);
    PathBuf::from(name)
}

/// Mixes.
///
/// # Errors
/// By name, whatever cannot be read, decided or written. What was there before is then untouched.
pub fn mix(request: &MixRequest, context: &Context<'_>) -> Result<Facts, AppError> {
    let targets = Targets::of(request)?;
    let mut project = Project::open_or_create(&targets.session, &targets.name, request.fresh)?;
    let result = run(request, &targets, &mut project, context);
    if result.is_err() {
        project.abandon();
    }
    result
}

fn run(
    request: &MixRequest,
    targets: &Targets,
    project: &mut Project,
    context: &Context<'_>,
) -> Result<Facts, AppError> {
    let known = project.known().cloned();
    let last = known.as_ref().map(|session| (session, project.journal()));
    let library = Library::scan(&request.inputs, &targets.session, last, context)?;
    refuse_input(&library, &targets.print)?;
    let heard = hear::hear(&library, context)?;
    let song = describe::describe(
        &known.as_ref().map_or_else(|| targets.name.clone(), |session| session.name.clone()),
        &library,
        &heard,
        known.as_ref(),
        request.ignore_names,
        None,
        context,
    )?;
    let mut session = settled(request, known, &song, &library);
    let mut journal = project.journal().to_vec();
    let (changes, notes) = rerun::take_in(&mut session, &journal, &library)?;
    journal.extend(changes.clone());
    let trial = EngineTrial::new(&library, &song, context.threads);
    let mut outcome = decide(&session, &journal, &song, &trial, context)?;
    outcome.records.splice(0..0, changes);
    outcome.warnings.splice(0..0, notes);
    // All of it was heard again and solved for what it hears now. Moves made for other sound keep the mark.
    outcome.session.strips.iter_mut().for_each(|strip| strip.stale = false);
    let glue_db = glue(&outcome.session, &song, &trial)?;
    drop(trial);
    let run = Run { request, targets, library: &library, song: &song, heard: &heard, glue_db };
    run.finish(project, outcome, context)
}

/// The session that the run starts from, with what was asked for.
fn settled(
    request: &MixRequest,
    known: Option<Session>,
    song: &Song,
    library: &Library,
) -> Session {
    let mut session = known.unwrap_or_else(|| Session::empty(&song.name, library.rate));
    let settings = &mut session.settings;
    if let Some(strategy) = request.strategy {
        settings.strategy = strategy;
    }
    if let Some(depth) = request.depth {
        settings.depth = depth;
    }
    if let Some(levels) = request.levels {
        settings.levels = levels;
    }
    if let Some(profile) = &request.profile {
        settings.profile.clone_from(profile);
    }
    if !request.bottom_up.is_empty() {
        settings.bottom_up =
            request.bottom_up.iter().map(|name| StripId(library::slug(name))).collect();
    }
    session
}

fn decide(
    session: &Session,
    journal: &[Record],
    song: &Song,
    trial: &EngineTrial,
    context: &Context<'_>,
) -> Result<Outcome, AppError> {
    context.progress.phase("Deciding", None);
    let mut progress = |event: &Event| {
        match event {
            Event::Stage(stage) => context.progress.phase(stage_words(*stage), None),
            Event::Decided { title, kept: true, delta, .. } => {
                let effect = delta.map_or(String::new(), |delta| format!(" ({delta:+.3})"));
                context.progress.say(&format!("  {title}{effect}"));
            }
            Event::Trying { .. } | Event::Decided { .. } => {}
        }
        if context.progress.cancelled() {
            ControlFlow::Break(())
        } else {
            ControlFlow::Continue(())
        }
    };
    let request = Request { session, journal, song };
    Ok(topdown_decide::run(request, trial, &mut progress)?)
}

fn stage_words(stage: Stage) -> &'static str {
    match stage {
        Stage::Prep => "Preparing",
        Stage::Levels => "Finding levels",
        Stage::Bus => "Deciding the mix bus",
        Stage::Groups => "Deciding the groups",
        Stage::Tracks => "Deciding tracks",
        Stage::Recheck => "Checking again",
        Stage::Person => "By hand",
    }
}

/// How hard the compressor of the mix bus works in the loudest excerpt, in dB of mean reduction.
fn glue(session: &Session, song: &Song, trial: &EngineTrial) -> Result<Option<f64>, AppError> {
    let Some(bus) = session.bus() else { return Ok(None) };
    let compressor = bus.chain.iter().find(|p| p.kind == "compressor" && !p.bypass);
    let loudest = song.excerpts.iter().position(|e| e.kind == ExcerptKind::Loudest);
    let (Some(compressor), Some(loudest)) = (compressor, loudest) else { return Ok(None) };
    let heard = trial.hear(&[session]).map_err(|error| AppError::Render(error.to_string()))?;
    let at = (bus.id.clone(), compressor.id.clone());
    let excerpt = heard.first().and_then(|heard| heard.excerpts.get(loudest));
    Ok(excerpt.and_then(|excerpt| excerpt.gain_reduction.get(&at)).map(|gr| gr.mean_db))
}

/// A run whose decisions are made.
struct Run<'a> {
    request: &'a MixRequest,
    targets: &'a Targets,
    library: &'a Library,
    song: &'a Song,
    heard: &'a [TrackMeasurements],
    glue_db: Option<f64>,
}

impl Run<'_> {
    /// Renders, solves the print, writes print, session and report.
    fn finish(
        &self,
        project: &mut Project,
        outcome: Outcome,
        context: &Context<'_>,
    ) -> Result<Facts, AppError> {
        let (library, targets) = (self.library, self.targets);
        let mut session = outcome.session.clone();
        let plain = balance::plain_sum(&session);
        let phase = "Listening to the plain sum";
        let before = balance::hear(&plain, library, context, phase, |_| Ok(()))?;
        let mut spool = SpoolWriter::create(&targets.session.join("cache"))?;
        let after =
            balance::hear(&session, library, context, "Rendering", |planes| spool.push(planes))?;
        let mut spool = spool.finish()?;
        let solved = print::solve(self.request.loudness, &after.mix, &mut spool, library.rate)?;
        session.prints.insert(MAIN.to_owned(), solved.print.clone());
        let (writer, measured) = write_print(&mut spool, &solved, targets, &session, context)?;

        let facts = self.facts(&session, project, &outcome, (&before, &after), &solved, &measured);
        let page = topdown_report::html::page(&facts);
        project.commit(session, outcome.records, "mix")?;
        writer.finish()?;
        project.write_beside(&targets.report, page.as_bytes())?;
        Ok(facts)
    }

    fn facts(
        &self,
        session: &Session,
        project: &Project,
        outcome: &Outcome,
        (before, after): (&balance::Heard, &balance::Heard),
        solved: &Solved,
        measured: &MixMeasurements,
    ) -> Facts {
        let mut warnings = project.warnings.clone();
        for more in [&self.library.warnings, &outcome.warnings, &after.warnings] {
            warnings
                .extend(more.iter().filter(|w| !warnings.contains(w)).cloned().collect::<Vec<_>>());
        }
        let mut journal = project.journal().to_vec();
        journal.extend(outcome.records.iter().cloned());
        facts::gather(Gathered {
            session,
            journal: &journal,
            before: &before.mix,
            after: measured,
            track_loudness: track_loudness(session, self.song, self.heard),
            groups: groups(session, &before.parts_lu, &after.parts_lu),
            corridor: corridor(&outcome.profile.0),
            levels: format!("Levels {}.", outcome.levels.why),
            profile: format!("Target: {} ({}).", outcome.profile.0, outcome.profile.1),
            cost_before: outcome.cost_before.clone(),
            cost_after: outcome.cost_after.clone(),
            bus_glue_db: self.glue_db,
            bus_gain_reduction: Vec::new(),
            print: PrintWords {
                target: solved.print.target.clone(),
                target_lufs: solved.print.target_lufs,
                ceiling_dbtp: solved.print.ceiling_dbtp,
                gain_db: solved.print.gain_db,
                limiting_db: solved.limiting_db,
                shortfall: solved.shortfall.clone(),
            },
            places: places(self.targets),
            warnings,
        })
    }
}

/// Everything of the print but its last rename, and what it measures.
fn write_print(
    spool: &mut Spool,
    solved: &Solved,
    targets: &Targets,
    session: &Session,
    context: &Context<'_>,
) -> Result<(Writer, MixMeasurements), AppError> {
    if let Some(folder) =
        targets.print.parent().filter(|folder| folder.starts_with(&targets.session))
    {
        std::fs::create_dir_all(folder).map_err(AppError::disk(folder))?;
    }
    let rate = session.sample_rate;
    let format = Format::from_path(&targets.print).unwrap_or(Format::Wav);
    let mut spec = Spec::new(format, rate, 2);
    spec.tags.title = Some(session.name.clone());
    let mut writer = Writer::create(&targets.print, &spec)?;
    let mut listener = MixListener::new(rate, 2);
    let mut chain = PrintChain::new(&solved.print, rate)?;
    context.progress.phase("Printing", Some(spool.frames()));
    let mut done = 0;
    let mut put = |planes: &[&[f32]]| -> Result<(), AppError> {
        listener.push(planes);
        done += planes.first().map_or(0, |plane| plane.len()) as u64;
        context.progress.advance(done);
        if context.progress.cancelled() {
            return Err(AppError::Cancelled);
        }
        Ok(writer.write(planes)?)
    };
    spool.read(|planes| chain.push(planes, &mut put))?;
    chain.finish(&mut put)?;
    Ok((writer, listener.finish()))
}

fn places(targets: &Targets) -> Places {
    Places {
        print: targets.print.display().to_string(),
        session: targets.session.display().to_string(),
        report: targets.report.display().to_string(),
    }
}

/// Loudness of each track's recording, by the strip that plays it.
fn track_loudness(
    session: &Session,
    song: &Song,
    heard: &[TrackMeasurements],
) -> BTreeMap<StripId, f64> {
    let loudness_of = |clip: &topdown_session::Clip| {
        let at =
            song.tracks.iter().position(|t| t.file == clip.file && t.channel == clip.channel)?;
        heard.get(at).map(|track| track.sound.summary.integrated_lufs)
    };
    session
        .of_kind(StripKind::Track)
        .filter_map(|strip| Some((strip.id.clone(), strip.clips.first().and_then(loudness_of)?)))
        .collect()
}

/// Lower and upper edge of the profile's tonal corridor in each third of an octave, relative to the whole.
fn corridor(profile: &str) -> Vec<(f64, f64)> {
    let Ok(profile) = Profile::built_in(profile) else { return Vec::new() };
    let tone: Vec<f64> = (0..THIRDS).map(|third| profile.tone_db(third)).collect();
    let whole =
        topdown_units::power_to_db(tone.iter().map(|db| topdown_units::db_to_power(*db)).sum());
    tone.iter()
        .enumerate()
        .map(|(third, db)| {
            let half = profile::tone_half_width_db(third);
            (db - whole - half, db - whole + half)
        })
        .collect()
}

fn groups(
    session: &Session,
    before: &[(StripId, f64)],
    after: &[(StripId, f64)],
) -> Vec<GroupFact> {
    let of = |parts: &[(StripId, f64)], id: &StripId| {
        parts.iter().find(|(part, _)| part == id).map(|(_, lu)| *lu)
    };
    let ids = after.iter().map(|(id, _)| id);
    ids.filter_map(|id| session.strip(id))
        .filter(|strip| strip.kind == StripKind::Group)
        .map(|strip| GroupFact {
            name: strip.name.clone(),
            before_lu: of(before, &strip.id),
            after_lu: of(after, &strip.id),
            target_lu: None,
            tolerance_lu: 0.0,
        })
        .collect()
}
