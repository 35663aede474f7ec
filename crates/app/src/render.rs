//! `render`: prints a session as it stands. Nothing is measured or decided.

use crate::error::AppError;
use crate::library::{Library, slug};
use crate::print::{MAIN, PrintChain};
use crate::progress::Context;
use crate::project::Project;
use serde::Serialize;
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use topdown_analysis::{MixListener, MixMeasurements};
use topdown_dsp::Kind;
use topdown_engine::{
    CompileOptions, End, Plan, RenderError, RenderOptions, RenderReport, compile,
};
use topdown_media::write::{self, Depth, Spec, Writer};
use topdown_report::text::minutes;
use topdown_session::{Print, Session, StripId, StripKind};

/// A range starts with this much of the song before it, unheard, so that compressors and tails are as there.
const RUN_IN_S: f64 = 5.0;
/// Fade at both ends of a range.
const RANGE_FADE_S: f64 = 0.01;

/// File formats of prints.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// WAV, RF64 by itself over 4 GB.
    Wav,
    /// AIFF.
    Aiff,
    /// FLAC.
    Flac,
    /// MP3.
    Mp3,
    /// Opus.
    Opus,
}

/// Which stems.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stems {
    /// Every strip that feeds the bus.
    Groups,
    /// Every track.
    Tracks,
}

/// What to print, and where.
#[derive(Clone, Debug)]
pub struct RenderRequest {
    /// The session's folder.
    pub session: PathBuf,
    /// The print; stems lie beside it with their names added.
    pub output: PathBuf,
    /// `None`: by the ending of `output`.
    pub format: Option<Format>,
    /// 16, 24 or 32 (float); `None`: 24.
    pub bits: Option<u16>,
    /// Stems instead of the mix.
    pub stems: Option<Stems>,
    /// Ids or names of strips that are left out.
    pub without: Vec<String>,
    /// From and to, in seconds.
    pub range_s: Option<(f64, f64)>,
}

/// What was printed.
#[derive(Clone, Debug, Serialize)]
pub struct Rendered {
    /// The files.
    pub files: Vec<String>,
    /// Length.
    pub duration_s: f64,
    /// What a person should know.
    pub warnings: Vec<String>,
}

impl Rendered {
    /// What a person reads.
    #[must_use]
    pub fn text(&self) -> String {
        let mut text = String::new();
        for file in &self.files {
            text.push_str(&format!("{file} ({})\n", minutes(self.duration_s)));
        }
        for warning in &self.warnings {
            text.push_str(&format!("! {warning}\n"));
        }
        text
    }
}

/// Prints a session.
///
/// # Errors
/// What cannot be opened, rendered or written, by name; nothing is then left at the output.
pub fn render(request: &RenderRequest, context: &Context<'_>) -> Result<Rendered, AppError> {
    let project = Project::open(&request.session)?;
    let mut session = project.session.clone();
    for name in &request.without {
        leave_out(&mut session, name)?;
    }
    let library = Library::of_session(&session, &request.session, context)?;
    refuse_input(&library, &request.output)?;
    let spec = spec(request, &session)?;
    let range = range(request, &session)?;
    let print = session.prints.get(MAIN).cloned();
    let mut warnings = library.warnings.clone();
    warnings.extend(stale(&session));
    let job = Job { session: &session, library: &library, spec, print, range, context };
    let (files, frames, report) = match request.stems {
        None => job.mix(&request.output)?,
        Some(stems) => job.stems(&request.output, stems)?,
    };
    warnings.extend(report);
    let files = files.iter().map(|path| path.display().to_string()).collect();
    Ok(Rendered { files, duration_s: frames as f64 / session.sample_rate.hz(), warnings })
}

/// One print or one set of stems.
struct Job<'a> {
    session: &'a Session,
    library: &'a Library,
    spec: Spec,
    print: Option<Print>,
    range: Option<Range<u64>>,
    context: &'a Context<'a>,
}

type Printed = (Vec<PathBuf>, u64, Vec<String>);

impl Job<'_> {
    fn mix(&self, output: &Path) -> Result<Printed, AppError> {
        let plan = plan(self.session, &[])?;
        let mut writer = Writer::create(output, &self.spec)?;
        let neutral = Print {
            target: String::new(),
            target_lufs: 0.0,
            ceiling_dbtp: 0.0,
            gain_db: 0.0,
            limiter: false,
            trim_db: 0.0,
        };
        let print = self.print.as_ref().unwrap_or(&neutral);
        let mut chain = PrintChain::new(print, self.session.sample_rate)?;
        let mut fades = self.fades();
        let mut put = |planes: &[&[f32]]| -> Result<(), AppError> {
            match &mut fades {
                Some(fades) => fades.apply(planes, &mut |planes| Ok(writer.write(planes)?)),
                None => Ok(writer.write(planes)?),
            }
        };
        let report =
            run(&plan, self.library, self.range.clone(), self.context, "Printing", |planes| {
                chain.push(planes, &mut put)
            })?;
        chain.finish(&mut put)?;
        let written = writer.finish()?;
        let mut warnings = render_warnings(self.session, &plan, &report);
        if written.clipped > 0 {
            warnings
                .push(format!("{} samples were over full scale and are clipped", written.clipped));
        }
        Ok((vec![output.to_owned()], report.frames, warnings))
    }

    /// Each strip's output before the bus, without the print's gain, one file a strip. Their sum is the input
    /// of the bus chain.
    fn stems(&self, output: &Path, which: Stems) -> Result<Printed, AppError> {
        let bus = self.session.bus().map(|bus| bus.id.clone());
        let wanted = |kind: StripKind, out: Option<&StripId>| match which {
            Stems::Groups => kind != StripKind::Bus && out == bus.as_ref(),
            Stems::Tracks => kind == StripKind::Track || kind == StripKind::Return,
        };
        let ids: Vec<StripId> = self
            .session
            .strips
            .iter()
            .filter(|s| s.excluded.is_none() && wanted(s.kind, s.output.as_ref()))
            .map(|strip| strip.id.clone())
            .collect();
        let plan = plan(self.session, &ids)?;
        let taps: Vec<(StripId, usize)> = plan
            .taps
            .iter()
            .map(|at| (plan.strips[*at].id.clone(), plan.strips[*at].post_channels))
            .collect();
        let paths: Vec<PathBuf> = taps.iter().map(|(id, _)| stem_path(output, id)).collect();
        let mut writers = Vec::new();
        for ((_, channels), path) in taps.iter().zip(&paths) {
            refuse_input(self.library, path)?;
            let channels = u16::try_from(*channels).unwrap_or(2);
            writers.push(Writer::create(path, &Spec { channels, ..self.spec.clone() })?);
        }
        let report = run(
            &plan,
            self.library,
            self.range.clone(),
            self.context,
            "Printing stems",
            |planes| {
                let mut at = plan.bus().post_channels;
                for ((_, channels), writer) in taps.iter().zip(&mut writers) {
                    writer.write(&planes[at..at + channels])?;
                    at += channels;
                }
                Ok(())
            },
        )?;
        for writer in writers {
            writer.finish()?;
        }
        Ok((paths, report.frames, render_warnings(self.session, &plan, &report)))
    }

    fn fades(&self) -> Option<RangeFades> {
        let range = self.range.clone()?;
        let fade = (RANGE_FADE_S * self.session.sample_rate.hz()) as u64;
        let frames = range.end - range.start;
        Some(RangeFades {
            frames,
            fade: fade.min(frames / 2).max(1),
            at: 0,
            planes: Default::default(),
        })
    }
}

/// Takes planes of sound.
type Sink<'a> = dyn FnMut(&[&[f32]]) -> Result<(), AppError> + 'a;

/// Straight fades at both ends of a part of the song.
struct RangeFades {
    frames: u64,
    fade: u64,
    at: u64,
    planes: [Vec<f32>; 2],
}

impl RangeFades {
    fn apply(&mut self, planes: &[&[f32]], sink: &mut Sink<'_>) -> Result<(), AppError> {
        let length = planes.first().map_or(0, |plane| plane.len());
        for (faded, plane) in self.planes.iter_mut().zip(planes) {
            faded.clear();
            let frames = (self.at..).take(length);
            faded.extend(plane.iter().zip(frames).map(|(x, frame)| {
                let from_end = self.frames.saturating_sub(frame + 1);
                let gain = (frame.min(from_end) as f32 + 0.5) / self.fade as f32;
                x * gain.min(1.0)
            }));
        }
        self.at += length as u64;
        let [left, right] = &self.planes;
        if planes.len() == 2 { sink(&[left, right]) } else { sink(&[left]) }
    }
}

/// Compiles a session for the kinds of this build.
pub(crate) fn plan(session: &Session, taps: &[StripId]) -> Result<Plan, AppError> {
    let options = CompileOptions { taps, ..CompileOptions::default() };
    debug_assert!(Kind::by_id("eq").is_some());
    compile(session, &options).map_err(|error| AppError::Render(error.to_string()))
}

/// Renders the whole song with its tail, or a part of it, into `sink`.
pub(crate) fn run(
    plan: &Plan,
    library: &Library,
    range: Option<Range<u64>>,
    context: &Context<'_>,
    phase: &str,
    mut sink: impl FnMut(&[&[f32]]) -> Result<(), AppError> + Send,
) -> Result<RenderReport, AppError> {
    let cancel = AtomicBool::new(false);
    let mut options = RenderOptions::whole(plan);
    options.threads = context.threads;
    options.cancel = Some(&cancel);
    if let Some(range) = range {
        options.run_in_frames = (RUN_IN_S * library.rate.hz()) as u64;
        options.end = End::Range;
        options.range = range;
    }
    context.progress.phase(phase, Some(options.range.end - options.range.start));
    let progress = |done: u64, _total: u64| {
        context.progress.advance(done);
        if context.progress.cancelled() {
            cancel.store(true, Ordering::Relaxed);
        }
    };
    topdown_engine::render(plan, library, &options, progress, &mut sink).map_err(
        |error| match error {
            RenderError::Cancelled => AppError::Cancelled,
            RenderError::Sink(error) => error,
            RenderError::Feed(error) => AppError::Render(error.to_string()),
        },
    )
}

/// What a session sounds like at the bus output, before any print gain; with what a person should know.
pub(crate) fn sound_of(
    session: &Session,
    session_dir: &Path,
    context: &Context<'_>,
) -> Result<(MixMeasurements, Vec<String>), AppError> {
    let library = Library::of_session(session, session_dir, context)?;
    let plan = plan(session, &[])?;
    let mut listener = MixListener::new(session.sample_rate, plan.bus().post_channels);
    let report = run(&plan, &library, None, context, "Listening", |planes| {
        listener.push(planes);
        Ok(())
    })?;
    let mut warnings = library.warnings.clone();
    warnings.extend(stale(session));
    warnings.extend(render_warnings(session, &plan, &report));
    Ok((listener.finish(), warnings))
}

/// What happened on the way, by the names a person knows.
pub(crate) fn render_warnings(
    session: &Session,
    plan: &Plan,
    report: &RenderReport,
) -> Vec<String> {
    let name = |id: &StripId| session.strip(id).map_or(id.to_string(), |strip| strip.name.clone());
    let mut warnings: Vec<String> = plan.warnings.iter().map(ToString::to_string).collect();
    for (id, samples) in &report.cleaned {
        warnings
            .push(format!("{}: {samples} samples were no numbers and play as silence", name(id)));
    }
    for (id, frames) in &report.missing_frames {
        warnings.push(format!("{}: its file ends {frames} frames before its clip does", name(id)));
    }
    warnings
}

/// Strips solved for inputs that have changed since.
pub(crate) fn stale(session: &Session) -> Option<String> {
    let names: Vec<&str> = session
        .strips
        .iter()
        .filter(|strip| strip.stale)
        .map(|strip| strip.name.as_str())
        .collect();
    (!names.is_empty()).then(|| {
        format!(
            "{}: solved for inputs that have changed since; run `topdown mix` again",
            names.join(", ")
        )
    })
}

/// The output must not be one of the recordings, also not through a link.
pub(crate) fn refuse_input(library: &Library, output: &Path) -> Result<(), AppError> {
    let Ok(output_real) = std::fs::canonicalize(output) else { return Ok(()) };
    let same = |path: &Path| {
        std::fs::canonicalize(path).is_ok_and(|input| input == output_real)
            || same_file(path, output)
    };
    if library.recordings.iter().any(|recording| same(recording.source.path())) {
        return Err(AppError::OutputIsInput(output.to_owned()));
    }
    Ok(())
}

/// Whether two names lead to one file by a hard link, where the system can tell.
#[cfg(unix)]
fn same_file(a: &Path, b: &Path) -> bool {
    use std::os::unix::fs::MetadataExt;
    match (std::fs::metadata(a), std::fs::metadata(b)) {
        (Ok(a), Ok(b)) => a.dev() == b.dev() && a.ino() == b.ino(),
        _ => false,
    }
}

#[cfg(not(unix))]
fn same_file(_a: &Path, _b: &Path) -> bool {
    false
}

/// Leaves out a strip by id, name or, for groups, the word for its members.
fn leave_out(session: &mut Session, name: &str) -> Result<(), AppError> {
    let wanted = slug(name);
    let hit = |strip: &topdown_session::Strip| {
        strip.kind != StripKind::Bus && (strip.id.as_str() == wanted || slug(&strip.name) == wanted)
    };
    if !session.strips.iter().any(hit) {
        let known =
            session.strips.iter().map(|strip| strip.id.as_str()).collect::<Vec<_>>().join(", ");
        return Err(AppError::Unknown { what: "strip", name: name.to_owned(), known });
    }
    session.strips.iter_mut().filter(|strip| hit(strip)).for_each(|strip| strip.mute = true);
    Ok(())
}

fn spec(request: &RenderRequest, session: &Session) -> Result<Spec, AppError> {
    let by_name = write::Format::from_path(&request.output);
    let format = match request.format {
        Some(Format::Wav) => write::Format::Wav,
        Some(Format::Aiff) => write::Format::Aiff,
        Some(Format::Flac) => write::Format::Flac,
        Some(Format::Mp3) => write::Format::Mp3 { kbps: 320 },
        Some(Format::Opus) => write::Format::Opus { kbps: 192 },
        None => by_name.unwrap_or(write::Format::Wav),
    };
    let mut spec = Spec::new(format, session.sample_rate, 2);
    spec.depth = match request.bits {
        None | Some(24) => Depth::Int24,
        Some(16) => Depth::Int16,
        Some(32) => Depth::Float32,
        Some(other) => {
            return Err(AppError::Request(format!("--bits {other}: 16, 24 or 32 (float)")));
        }
    };
    spec.tags.title = Some(session.name.clone());
    Ok(spec)
}

fn range(request: &RenderRequest, session: &Session) -> Result<Option<Range<u64>>, AppError> {
    let Some((from, to)) = request.range_s else { return Ok(None) };
    let rate = session.sample_rate.hz();
    let end = session.end_frame();
    let range = (from * rate).round() as u64..((to * rate).round() as u64).min(end);
    if range.start >= range.end {
        let length = minutes(end as f64 / rate);
        return Err(AppError::Request(format!("--range: the song is only {length} long")));
    }
    Ok(Some(range))
}

fn stem_path(output: &Path, id: &StripId) -> PathBuf {
    let stem = crate::library::stem(output);
    let ending = output.extension().map_or("wav".into(), |e| e.to_string_lossy().into_owned());
    output.with_file_name(format!("{stem} {id}.{ending}"))
}
