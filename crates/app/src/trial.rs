//! Trials by the real engine: the only ears that deciding has.
//!
//! Each excerpt of a candidate is rendered through the whole mix with a tap on every strip. What has been
//! rendered is kept by the engine; what has been measured is kept here under the same keys, so a candidate
//! costs only what lies downstream of its change. Candidates and excerpts are shared out over threads; the
//! answers come in order and do not depend on how many there are.

use crate::library::{Library, shown_name};
use crate::threads;
use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use topdown_analysis::loudness::{LoudnessMeter, energy_of_lufs, lufs};
use topdown_analysis::spectrum::{ErbEnergies, SpectrumMeter, StereoPowers};
use topdown_analysis::stereo::StereoBand;
use topdown_analysis::{MixListener, MixMeasurements, third_centre_hz};
use topdown_decide::{
    GainReduction, Heard, HeardExcerpt, MixHeard, Song, StripHeard, Trial, TrialError,
};
use topdown_dsp::{Buffer, Io, Kind, ProcessSpec, Status};
use topdown_engine::trial::{AudioKey, Tap, TrialEngine};
use topdown_engine::{ClipSource, FeedError, Sources};
use topdown_media::{Reader, Source};
use topdown_session::{FileId, ProcessorId, ProcessorNode, Session, Strip, StripId, StripKind};
use topdown_units::SampleRate;

/// Rendered sound that is kept: a long song's excerpts of some hundred strips.
const KEPT_BYTES: usize = 256 << 20;
/// Reductions of less are none when time is counted.
const REDUCES_FROM_DB: f32 = 0.5;
/// Regions of side to mid: up to 120 Hz, 200 Hz to 4 kHz, above.
const REGIONS_HZ: [(f64, f64); 3] = [(0.0, 120.0), (200.0, 4_000.0), (4_000.0, f64::INFINITY)];
/// Frames that a processor in front of a threshold runs at a time.
const BLOCK: usize = 4096;

/// The engine as deciding hears it.
pub(crate) struct EngineTrial {
    engine: TrialEngine,
    rate: SampleRate,
    spans: Vec<Range<u64>>,
    threads: usize,
    kept: Mutex<Kept>,
}

/// What has been measured, by what it was measured on.
#[derive(Default)]
struct Kept {
    outputs: BTreeMap<AudioKey, Arc<ErbEnergies>>,
    inputs: BTreeMap<Vec<AudioKey>, Arc<ErbEnergies>>,
    mixes: BTreeMap<AudioKey, (MixHeard, Arc<ErbEnergies>)>,
    /// Gated energy of the input of a processor, with the settings of what lies before it.
    drives: BTreeMap<(Vec<AudioKey>, String), f64>,
}

/// What one excerpt gives.
struct Part {
    excerpt: HeardExcerpt,
    /// K-weighted energy at the input of each level-dependent processor.
    drive_energy: BTreeMap<(StripId, ProcessorId), f64>,
}

impl EngineTrial {
    /// Ears for a song, with the recordings that it was described from.
    pub(crate) fn new(library: &Library, song: &Song, threads: usize) -> Self {
        let open = |recording: &crate::library::Recording| {
            ((recording.file.clone(), recording.channel()), recording.source.clone())
        };
        let sources = Arc::new(Opened(library.recordings.iter().map(open).collect()));
        Self {
            engine: TrialEngine::new(sources, KEPT_BYTES),
            rate: library.rate,
            spans: song.excerpts.iter().map(|e| e.span_frames.0..e.span_frames.1).collect(),
            threads: threads.max(1),
            kept: Mutex::default(),
        }
    }

    fn kept(&self) -> MutexGuard<'_, Kept> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn hear_excerpt(&self, session: &Session, span: &Range<u64>) -> Result<Part, TrialError> {
        let playing = playing(session);
        let ids: Vec<StripId> = playing.iter().map(|strip| strip.id.clone()).collect();
        let render = self.engine.render(session, std::slice::from_ref(span), &ids);
        let audio = render.map_err(|error| TrialError::Render(error.to_string()))?;
        let taps: BTreeMap<&StripId, &Tap> = ids
            .iter()
            .zip(&audio.taps)
            .filter_map(|(id, taps)| Some((id, taps.first()?)))
            .collect();
        let output = audio.output.first();
        let output = output.ok_or_else(|| TrialError::Render("no output".to_owned()))?;
        let (mix, mix_energies) = self.mix(output);
        let mut part = Part {
            excerpt: HeardExcerpt { mix, strips: BTreeMap::new(), gain_reduction: BTreeMap::new() },
            drive_energy: BTreeMap::new(),
        };
        for strip in &playing {
            let Some(tap) = taps.get(&strip.id) else { continue };
            let is_bus = strip.kind == StripKind::Bus;
            let energies = if is_bus { Arc::clone(&mix_energies) } else { self.output(tap) };
            let members: Vec<&Tap> = session
                .members(&strip.id)
                .filter_map(|member| taps.get(&member.id).copied())
                .collect();
            // What a return or a track gets before its chain is not tapped: its gain reads as none.
            let sums = matches!(strip.kind, StripKind::Bus | StripKind::Group);
            let input = if sums { self.input(&members) } else { Arc::clone(&energies) };
            self.dynamics(strip, tap, if sums { &members } else { &[] }, &mut part);
            part.excerpt.strips.insert(strip.id.clone(), StripHeard { input, output: energies });
        }
        Ok(part)
    }

    fn mix(&self, tap: &Tap) -> (MixHeard, Arc<ErbEnergies>) {
        if let Some(known) = self.kept().mixes.get(&tap.key) {
            return known.clone();
        }
        let planes = both_sides(tap.audio());
        let mut listener = MixListener::trial(self.rate, 2);
        listener.push(&[&planes[0], &planes[1]]);
        let heard = listener.finish();
        let made = (mix_heard(&heard), Arc::new(heard.erb));
        self.kept().mixes.insert(tap.key, made.clone());
        made
    }

    fn output(&self, tap: &Tap) -> Arc<ErbEnergies> {
        if let Some(known) = self.kept().outputs.get(&tap.key) {
            return Arc::clone(known);
        }
        let energies = self.energies(&both_sides(tap.audio()));
        self.kept().outputs.insert(tap.key, Arc::clone(&energies));
        energies
    }

    /// The sum of what a strip sums, in session order.
    fn input(&self, members: &[&Tap]) -> Arc<ErbEnergies> {
        let key: Vec<AudioKey> = members.iter().map(|tap| tap.key).collect();
        if let Some(known) = self.kept().inputs.get(&key) {
            return Arc::clone(known);
        }
        let energies = self.energies(&sum(members));
        self.kept().inputs.insert(key, Arc::clone(&energies));
        energies
    }

    fn energies(&self, planes: &[Vec<f32>; 2]) -> Arc<ErbEnergies> {
        let mut meter = SpectrumMeter::new(self.rate, 2);
        meter.push(&[&planes[0], &planes[1]]);
        Arc::new(meter.finish().erb)
    }

    /// Gain reduction and drive of a strip's level-dependent processors.
    fn dynamics(&self, strip: &Strip, tap: &Tap, members: &[&Tap], part: &mut Part) {
        for trace in tap.gain_reductions() {
            let count = trace.trace_db.len().max(1) as f64;
            let reducing = trace.trace_db.iter().filter(|db| **db < -REDUCES_FROM_DB).count();
            let reduction = GainReduction {
                mean_db: -trace.mean_db(),
                max_db: -trace.deepest_db(),
                share: reducing as f64 / count,
            };
            part.excerpt.gain_reduction.insert((strip.id.clone(), trace.processor), reduction);
        }
        for (place, node) in strip.chain.iter().enumerate() {
            if node.spec("drive_lufs").is_some() && !node.bypass {
                let before = strip.chain.get(..place).unwrap_or(&[]);
                let energy = self.drive(strip, tap, members, before);
                part.drive_energy.insert((strip.id.clone(), node.id.clone()), energy);
            }
        }
    }

    /// K-weighted gated energy behind `before`, the processors in front of a threshold.
    fn drive(&self, strip: &Strip, tap: &Tap, members: &[&Tap], before: &[ProcessorNode]) -> f64 {
        let inputs: Vec<AudioKey> = if members.is_empty() {
            vec![tap.key]
        } else {
            members.iter().map(|member| member.key).collect()
        };
        let key = (inputs, format!("{before:?}"));
        if let Some(known) = self.kept().drives.get(&key) {
            return *known;
        }
        let mut planes = if members.is_empty() { both_sides(tap.audio()) } else { sum(members) };
        let before = if members.is_empty() { &[] } else { before };
        for node in before.iter().filter(|node| !node.bypass) {
            self.process(node, strip.channels, &mut planes);
        }
        let mut meter = LoudnessMeter::new(self.rate, 2);
        meter.push(&[&planes[0], &planes[1]]);
        let energy = energy_of_lufs(meter.finish().whole().integrated_lufs());
        self.kept().drives.insert(key, energy);
        energy
    }

    /// Runs one processor over planes, with its resting values.
    fn process(&self, node: &ProcessorNode, channels: usize, planes: &mut [Vec<f32>; 2]) {
        let Some(kind) = Kind::by_id(&node.kind) else { return };
        let value = |id: &str| node.value(id).map_or(0.0, |value| value.resting());
        let values: Vec<f64> = kind.params.iter().map(|spec| value(spec.id)).collect();
        let channels = channels.clamp(1, 2);
        let spec = ProcessSpec { sample_rate: self.rate, channels, max_frames: BLOCK };
        let mut processor = kind.build(&values, &spec);
        let mut buffer = Buffer::new(channels, BLOCK);
        let frames = planes[0].len();
        for at in (0..frames).step_by(BLOCK) {
            let run = BLOCK.min(frames - at);
            for (channel, plane) in planes.iter().enumerate().take(channels) {
                buffer.channel_mut(channel)[..run].copy_from_slice(&plane[at..at + run]);
            }
            processor.process(&mut Io::new(&mut buffer, None, 0..run, Status::Filled));
            for (channel, plane) in planes.iter_mut().enumerate() {
                let from = buffer.channel(channel.min(channels - 1));
                plane[at..at + run].copy_from_slice(&from[..run]);
            }
        }
    }
}

impl Trial for EngineTrial {
    fn hear(&self, candidates: &[&Session]) -> Result<Vec<Heard>, TrialError> {
        let spans = self.spans.len();
        let parts = threads::map(self.threads, candidates.len() * spans, |index| {
            self.hear_excerpt(candidates[index / spans], &self.spans[index % spans])
        })?;
        let mut parts = parts.into_iter();
        Ok(candidates.iter().map(|_| heard(parts.by_ref().take(spans))).collect())
    }
}

fn heard(parts: impl Iterator<Item = Part>) -> Heard {
    let mut excerpts = Vec::new();
    let mut energies: BTreeMap<(StripId, ProcessorId), (f64, usize)> = BTreeMap::new();
    for part in parts {
        excerpts.push(part.excerpt);
        // An excerpt in which nothing plays says nothing about the drive.
        for (at, energy) in part.drive_energy.into_iter().filter(|(_, energy)| *energy > 0.0) {
            let sum = energies.entry(at).or_default();
            *sum = (sum.0 + energy, sum.1 + 1);
        }
    }
    let drive = |(at, (sum, count)): (_, (f64, usize))| (at, lufs(sum / count as f64));
    Heard { excerpts, drive_lufs: energies.into_iter().map(drive).collect() }
}

/// Strips that are heard: those whose way to the bus is open.
fn playing(session: &Session) -> Vec<&Strip> {
    let open = |strip: &Strip| {
        let mut at = Some(strip);
        // Validation refuses cycles; the count is for a session that was not validated.
        for _ in 0..=session.strips.len() {
            match at {
                Some(strip) if strip.mute || strip.excluded.is_some() => return false,
                Some(strip) => at = strip.output.as_ref().and_then(|id| session.strip(id)),
                None => return true,
            }
        }
        false
    };
    session.strips.iter().filter(|strip| open(strip)).collect()
}

/// A mono strip plays on both sides.
fn both_sides(mut planes: Vec<Vec<f32>>) -> [Vec<f32>; 2] {
    let right = if planes.len() > 1 { planes.pop() } else { None };
    let left = planes.pop().unwrap_or_default();
    let right = right.unwrap_or_else(|| left.clone());
    [left, right]
}

fn sum(members: &[&Tap]) -> [Vec<f32>; 2] {
    let mut sum = [Vec::new(), Vec::new()];
    for member in members {
        for (sum, plane) in sum.iter_mut().zip(both_sides(member.audio())) {
            sum.resize(sum.len().max(plane.len()), 0.0);
            sum.iter_mut().zip(&plane).for_each(|(sum, x)| *sum += x);
        }
    }
    sum
}

fn mix_heard(heard: &MixMeasurements) -> MixHeard {
    let whole = heard.stereo.as_ref().and_then(|stereo| stereo.whole);
    let region = |(from, to): (f64, f64)| {
        let StereoPowers { left, right, cross } = heard.spectrum.stereo.as_ref()?;
        let inside = |powers: &[f64]| {
            let bands = powers.iter().enumerate();
            bands.filter(|(t, _)| (from..to).contains(&third_centre_hz(*t))).map(|(_, p)| p).sum()
        };
        let band = StereoBand::from_powers(inside(left), inside(right), inside(cross))?;
        Some(band.side_over_mid_db)
    };
    MixHeard {
        loudness_lufs: heard.summary.integrated_lufs,
        true_peak_dbtp: heard.true_peak.dbtp,
        min_psr_lu: heard.dynamics.psr_min_lu,
        third_power: heard.spectrum.power.clone(),
        side_to_mid_db: REGIONS_HZ.map(region),
        imbalance_db: whole.map_or(0.0, |band| -band.imbalance_db),
        mono_loss_db: whole.map_or(0.0, |band| band.mono_loss_db),
    }
}

/// The recordings of a song, to be read by whoever renders.
#[derive(Debug)]
struct Opened(BTreeMap<(FileId, Option<u16>), Source>);

impl Sources for Opened {
    fn open(&self, file: &FileId, channel: Option<u16>) -> Result<Box<dyn ClipSource>, FeedError> {
        let source = self.0.get(&(file.clone(), channel)).ok_or_else(|| FeedError {
            file: file.to_string(),
            reason: "is in the session, but not among the recordings that were opened".to_owned(),
        })?;
        Ok(Box::new(Feed { name: shown_name(source.path()), reader: source.reader() }))
    }
}

struct Feed {
    name: String,
    reader: Box<dyn Reader>,
}

impl ClipSource for Feed {
    fn read(&mut self, at_frame: u64, out: &mut [&mut [f32]]) -> Result<usize, FeedError> {
        self.reader
            .read(at_frame, out)
            .map_err(|error| FeedError { file: self.name.clone(), reason: error.to_string() })
    }
}
