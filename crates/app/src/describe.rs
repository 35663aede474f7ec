//! From recordings and what was heard of them to the [`Song`] that a run decides about.

use crate::error::AppError;
use crate::library::{Library, Recording};
use crate::progress::Context;
use crate::threads;
use topdown_analysis::TrackMeasurements;
use topdown_analysis::pairs;
use topdown_analysis::roles::name::{Guess, guess_all};
use topdown_analysis::roles::{Role, features, linking, sound};
use topdown_analysis::sections::{TrackEnergies, excerpts};
use topdown_decide::{
    Excerpt, ExcerptKind, Link, LinkKind, RoughBalance, Song, SongTrack, TrackSound,
};
use topdown_session::Session;

/// Hops of the loudness meter in a second.
const HOPS_PER_SECOND: u64 = 100;
/// A name that says this much needs no second opinion: sounds are told less surely than that.
const NAME_SPEAKS_FROM: f64 = 0.6;
/// Most that is listened to when a sound is to be told.
const JUDGED_S: u64 = 90;

/// What the song is. Roles that a person set in `known` are as they say.
pub(crate) fn describe(
    name: &str,
    library: &Library,
    heard: &[TrackMeasurements],
    known: Option<&Session>,
    ignore_names: bool,
    rough: Option<RoughBalance>,
    context: &Context<'_>,
) -> Result<Song, AppError> {
    let guesses = guesses(library, ignore_names);
    context.progress.phase("Telling the tracks apart", Some(guesses.len() as u64));
    let tracks: Vec<SongTrack> = threads::map(context.threads, guesses.len(), |index| {
        if context.progress.cancelled() {
            return Err(AppError::Cancelled);
        }
        let track = track(library, index, &guesses[index], &heard[index], known);
        context.progress.advance(index as u64 + 1);
        Ok(track)
    })?;
    let frames: Vec<u64> = tracks.iter().map(|track| track.frames).collect();
    let excerpts = excerpts_of(library, &tracks, heard);
    let links = linking::link(&guesses, &frames)
        .into_iter()
        .filter_map(|found| link(library, found, excerpts.first()))
        .collect();
    Ok(Song {
        name: name.to_owned(),
        sample_rate: library.rate,
        excerpts,
        tracks,
        links,
        markers: Vec::new(),
        rough,
    })
}

/// What the names say; nothing, if they are to be ignored.
fn guesses(library: &Library, ignore_names: bool) -> Vec<Guess> {
    let unnamed = ["track"];
    let named: Vec<Vec<&str>> = library
        .recordings
        .iter()
        .map(|recording| {
            if ignore_names {
                unnamed.to_vec()
            } else {
                recording.components.iter().map(String::as_str).collect()
            }
        })
        .collect();
    guess_all(&named)
}

fn track(
    library: &Library,
    index: usize,
    guess: &Guess,
    heard: &TrackMeasurements,
    known: Option<&Session>,
) -> SongTrack {
    let recording = &library.recordings[index];
    let source = library.files.get(&recording.file).cloned();
    let (role, confidence, reason) = role(recording, guess, heard, known);
    SongTrack {
        file: recording.file.clone(),
        source: source.unwrap_or_else(|| topdown_session::SourceFile {
            path: String::new(),
            hash: String::new(),
            sample_rate_hz: library.rate.get(),
            channels: 1,
            frames: 0,
        }),
        channel: recording.channel(),
        name: recording.name.clone(),
        at_frame: recording.at_frame,
        frames: recording.source.frames(),
        channels: recording.source.channels(),
        role,
        role_confidence: confidence,
        role_reason: reason,
        exclude: guess.exclude.map(|why| format!("its name says it is a {}", why.id())),
        sound: TrackSound::from(heard),
    }
}

/// Role, confidence and reason: what a person said in the session stands; a name that says something
/// certain speaks next; else name and sound together.
fn role(
    recording: &Recording,
    guess: &Guess,
    heard: &TrackMeasurements,
    known: Option<&Session>,
) -> (String, f64, String) {
    let said = known.into_iter().flat_map(|session| &session.strips).find(|strip| {
        strip.clips.iter().any(|c| c.file == recording.file && c.channel == recording.channel())
    });
    if let Some(strip) = said.filter(|strip| strip.role_confidence >= 1.0) {
        return (strip.role.clone(), 1.0, "a person said so".to_owned());
    }
    let named = if guess.matched.is_empty() {
        "its name says nothing".to_owned()
    } else {
        format!("its name says \"{}\"", guess.matched.join(" "))
    };
    if guess.confidence >= NAME_SPEAKS_FROM {
        return (guess.role.id().to_owned(), guess.confidence, named);
    }
    let features = loudest_part(recording, heard).and_then(|planes| {
        let planes: Vec<&[f32]> = planes.iter().map(Vec::as_slice).collect();
        features::features(&planes, recording.source.rate())
    });
    let fused = sound::fuse(guess, features.as_deref());
    let reason = if features.is_some() { format!("{named}; judged by its sound") } else { named };
    (fused.role.id().to_owned(), fused.confidence, reason)
}

/// The part of a recording that its sound is judged by: the most energetic stretch of bounded length.
fn loudest_part(recording: &Recording, heard: &TrackMeasurements) -> Option<Vec<Vec<f32>>> {
    let hops = &heard.sound.loudness.hop_energy;
    let length = (JUDGED_S * HOPS_PER_SECOND) as usize;
    let rate = u64::from(recording.source.rate().get());
    let mut best = (0, 0.0f64);
    let mut sum = 0.0;
    for (at, energy) in hops.iter().enumerate() {
        sum += f64::from(*energy);
        if at >= length {
            sum -= f64::from(hops[at - length]);
        }
        if sum > best.1 {
            best = ((at + 1).saturating_sub(length), sum);
        }
    }
    let from = best.0 as u64 * rate / HOPS_PER_SECOND;
    read(recording, from, (JUDGED_S * rate) as usize)
}

/// A link by name, with what the ear says of it: whether two microphones hear one source, how much later
/// the second one does, and whether against the first.
fn link(library: &Library, link: linking::Link, loudest: Option<&Excerpt>) -> Option<Link> {
    let kind = match link.kind {
        linking::LinkKind::StereoPair => LinkKind::StereoPair,
        linking::LinkKind::MultiMic | linking::LinkKind::DiAmp => LinkKind::MultiMic,
        linking::LinkKind::Double => LinkKind::Double,
        linking::LinkKind::Take => return None,
    };
    let (first, second) = (link.first, link.second);
    let unheard =
        Link { first, second, kind, correlation: None, lag_frames: None, span_frames: None };
    let Some(span) = loudest.map(|excerpt| excerpt.span_frames) else { return Some(unheard) };
    let heard =
        |index: usize| -> Option<Vec<f32>> { excerpt_of(library.recordings.get(index)?, span) };
    let agreement =
        heard(first).zip(heard(second)).and_then(|(a, b)| pairs::compare(&a, &b, library.rate));
    let Some(agreement) = agreement.filter(|agreement| agreement.one_source) else {
        return Some(unheard);
    };
    let turned = if agreement.inverted { -1.0 } else { 1.0 };
    Some(Link {
        correlation: Some(turned * agreement.aligned_correlation.abs()),
        lag_frames: Some(agreement.delay_frames),
        span_frames: Some(span),
        ..unheard
    })
}

/// A recording over a span of the song, its channels added up; `None` where it does not play.
fn excerpt_of(recording: &Recording, span: (u64, u64)) -> Option<Vec<f32>> {
    let from = span.0.saturating_sub(recording.at_frame);
    let frames = usize::try_from(span.1.saturating_sub(span.0)).ok()?;
    let mut planes = read(recording, from, frames)?;
    let mut sum = planes.pop()?;
    sum.resize(frames, 0.0);
    for plane in &planes {
        sum.iter_mut().zip(plane).for_each(|(sum, x)| *sum += x);
    }
    Some(sum)
}

/// Up to `frames` of a recording from `from` on; `None` if there are none.
fn read(recording: &Recording, from: u64, frames: usize) -> Option<Vec<Vec<f32>>> {
    let left = usize::try_from(recording.source.frames().saturating_sub(from)).unwrap_or(frames);
    let frames = frames.min(left);
    let mut planes = vec![vec![0.0f32; frames]; recording.source.channels()];
    let mut reader = recording.source.reader();
    let mut done = 0;
    while done < frames {
        let mut out: Vec<&mut [f32]> = planes.iter_mut().map(|plane| &mut plane[done..]).collect();
        match reader.read(from + done as u64, &mut out) {
            Ok(0) | Err(_) => break,
            Ok(read) => done += read,
        }
    }
    planes.iter_mut().for_each(|plane| plane.truncate(done));
    (done > 0).then_some(planes)
}

fn excerpts_of(
    library: &Library,
    tracks: &[SongTrack],
    heard: &[TrackMeasurements],
) -> Vec<Excerpt> {
    let rate = u64::from(library.rate.get());
    let playing = tracks.iter().zip(heard).filter(|(track, _)| track.exclude.is_none());
    let energies: Vec<TrackEnergies<'_>> = playing
        .map(|(track, heard)| TrackEnergies {
            hop_energy: &heard.sound.loudness.hop_energy,
            start_hop: (track.at_frame * HOPS_PER_SECOND / rate) as usize,
            is_lead: Role::from_id(&track.role) == Some(Role::LeadVocal),
        })
        .collect();
    let picked = excerpts::pick(&energies, 1.0 / HOPS_PER_SECOND as f64);
    let end = tracks.iter().map(|track| track.at_frame + track.frames).max().unwrap_or(0);
    let frame = |seconds: f64| ((seconds * rate as f64).round().max(0.0) as u64).min(end);
    picked
        .iter()
        .map(|excerpt| Excerpt {
            kind: match excerpt.kinds.first() {
                Some(excerpts::ExcerptKind::Typical) => ExcerptKind::Typical,
                Some(excerpts::ExcerptKind::Densest) => ExcerptKind::Densest,
                Some(excerpts::ExcerptKind::QuietLead) => ExcerptKind::QuietLead,
                Some(excerpts::ExcerptKind::Loudest) | None => ExcerptKind::Loudest,
            },
            span_frames: (frame(excerpt.span.start_s), frame(excerpt.span.end_s)),
        })
        .filter(|excerpt| excerpt.span_frames.0 < excerpt.span_frames.1)
        .collect()
}
