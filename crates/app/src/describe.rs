//! From recordings and what was heard of them to the [`Song`] that a run decides about.

use crate::library::{Library, Recording};
use topdown_analysis::TrackMeasurements;
use topdown_analysis::pairs;
use topdown_analysis::roles::name::{Guess, guess_all};
use topdown_analysis::roles::{Role, linking};
use topdown_analysis::sections::{TrackEnergies, excerpts};
use topdown_decide::{
    Excerpt, ExcerptKind, Link, LinkKind, RoughBalance, Song, SongTrack, TrackSound,
};
use topdown_session::Session;

/// Hops of the loudness meter in a second.
const HOPS_PER_SECOND: u64 = 100;

/// What the song is. Roles that a person set in `known` are as they say.
pub(crate) fn describe(
    name: &str,
    library: &Library,
    heard: &[TrackMeasurements],
    known: Option<&Session>,
    ignore_names: bool,
    rough: Option<RoughBalance>,
) -> Song {
    let guesses = guesses(library, ignore_names);
    let tracks: Vec<SongTrack> = library
        .recordings
        .iter()
        .zip(&guesses)
        .zip(heard)
        .map(|((recording, guess), heard)| track(library, recording, guess, heard, known))
        .collect();
    let frames: Vec<u64> = tracks.iter().map(|track| track.frames).collect();
    let excerpts = excerpts_of(library, &tracks, heard);
    let links = linking::link(&guesses, &frames)
        .into_iter()
        .filter_map(|found| link(library, found, excerpts.first()))
        .collect();
    Song {
        name: name.to_owned(),
        sample_rate: library.rate,
        excerpts,
        tracks,
        links,
        markers: Vec::new(),
        rough,
    }
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
    recording: &Recording,
    guess: &Guess,
    heard: &TrackMeasurements,
    known: Option<&Session>,
) -> SongTrack {
    let source = library.files.get(&recording.file).cloned();
    let (role, confidence, reason) = role(recording, guess, known);
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

/// Role, confidence and reason: what a person said in the session stands, else the name speaks.
fn role(recording: &Recording, guess: &Guess, known: Option<&Session>) -> (String, f64, String) {
    let said = known.into_iter().flat_map(|session| &session.strips).find(|strip| {
        strip.clips.iter().any(|c| c.file == recording.file && c.channel == recording.channel())
    });
    if let Some(strip) = said.filter(|strip| strip.role_confidence >= 1.0) {
        return (strip.role.clone(), 1.0, "a person said so".to_owned());
    }
    let reason = if guess.matched.is_empty() {
        "its name says nothing".to_owned()
    } else {
        format!("its name says \"{}\"", guess.matched.join(" "))
    };
    (guess.role.id().to_owned(), guess.confidence, reason)
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
    let channels = recording.source.channels();
    let mut planes = vec![vec![0.0f32; frames]; channels];
    let mut reader = recording.source.reader();
    let mut done = 0;
    while done < frames {
        let mut out: Vec<&mut [f32]> = planes.iter_mut().map(|plane| &mut plane[done..]).collect();
        match reader.read(from + done as u64, &mut out) {
            Ok(0) | Err(_) => break,
            Ok(read) => done += read,
        }
    }
    let mut sum = planes.pop()?;
    for plane in &planes {
        sum.iter_mut().zip(plane).for_each(|(sum, x)| *sum += x);
    }
    (done > 0).then_some(sum)
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
