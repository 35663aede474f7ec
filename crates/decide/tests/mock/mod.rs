//! A model in place of the engine: sources are band energies over time, strips add in power, equalisers act
//! by their response, compressors by their static curve on each frame's level. Linear enough to reason
//! about, independent of the predictor's code.
#![allow(dead_code, reason = "each test binary uses a part of it")]

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use topdown_analysis::spectrum::ErbEnergies;
use topdown_analysis::{ERB_BANDS, THIRDS, cam_of_hz, erb_centre_hz, third_centre_hz};
use topdown_decide::{
    Excerpt, ExcerptKind, GainReduction, Heard, HeardExcerpt, MixHeard, Song, SongTrack,
    StripHeard, TrackSound, Trial, TrialError,
};
use topdown_dsp::compressor::{CompressorSettings, static_gain_db};
use topdown_dsp::eq::{EqSettings, response_db};
use topdown_dsp::{Settings, math};
use topdown_session::{FileId, ProcessorNode, Session, SourceFile, Strip, StripId};
use topdown_units::{SampleRate, db_to_power, power_to_db};

pub(crate) const FRAMES: usize = 60;
const FRAME_S: f64 = 0.085;
/// Peaks of a frame over its mean.
const CREST_DB: f64 = 12.0;

/// One source: its spectrum and how it moves.
#[derive(Clone, Debug)]
pub(crate) struct Source {
    pub(crate) name: &'static str,
    pub(crate) role: &'static str,
    pub(crate) level_db: f64,
    /// Centre and width (in Cam) of its spectrum.
    pub(crate) centre_hz: f64,
    pub(crate) width_cam: f64,
    /// Plays one frame in so many; 1 is always.
    pub(crate) every: usize,
    /// Slow swing of its level, ± dB.
    pub(crate) swing_db: f64,
}

impl Source {
    fn energies(&self, excerpt: usize) -> ErbEnergies {
        let mut energy = Vec::with_capacity(FRAMES * ERB_BANDS);
        for frame in 0..FRAMES {
            let rest = if frame % self.every == 0 { 0.0 } else { -30.0 };
            let swing = self.swing_db * math::sin(frame as f64 / 9.0 + self.centre_hz);
            // The second excerpt is a quieter part.
            let part = if excerpt == 0 { 0.0 } else { -3.0 };
            for band in 0..ERB_BANDS {
                let away = cam_of_hz(erb_centre_hz(band)) - cam_of_hz(self.centre_hz);
                let shape = -6.0 * (away / self.width_cam) * (away / self.width_cam);
                let db = (self.level_db + shape + rest + swing + part).max(-110.0);
                energy.push(db_to_power(db) as f32);
            }
        }
        ErbEnergies { frame_s: FRAME_S, energy }
    }
}

/// A song of sources, and the trial that hears it.
pub(crate) struct Model {
    pub(crate) sources: Vec<Source>,
    energies: Vec<[ErbEnergies; 2]>,
    pub(crate) heard: AtomicUsize,
}

impl Model {
    pub(crate) fn new(sources: Vec<Source>) -> Self {
        let energies = sources.iter().map(|s| [s.energies(0), s.energies(1)]).collect();
        Self { sources, energies, heard: AtomicUsize::new(0) }
    }

    pub(crate) fn song(&self) -> Song {
        let rate = SampleRate::STUDIO;
        let span = (0.085 * FRAMES as f64 * rate.hz()) as u64;
        let track = |(index, source): (usize, &Source)| SongTrack {
            file: FileId(format!("file-{index}")),
            source: SourceFile {
                path: format!("../{}.wav", source.name),
                hash: format!("{index:064}"),
                sample_rate_hz: rate.get(),
                channels: 1,
                frames: 2 * span,
            },
            channel: None,
            name: source.name.to_owned(),
            at_frame: 0,
            frames: 2 * span,
            channels: 1,
            role: source.role.to_owned(),
            role_confidence: 0.9,
            role_reason: "its name says so".to_owned(),
            exclude: None,
            sound: TrackSound {
                loudness_lufs: source.level_db + 10.0,
                peak_dbfs: source.level_db + 20.0,
                active_share: 1.0,
                dc_offset: 0.0,
                clipped_runs: 0,
                broken_samples: 0,
                third_power: thirds(&source.energies(0)),
            },
        };
        Song {
            name: "Model".to_owned(),
            sample_rate: rate,
            tracks: self.sources.iter().enumerate().map(track).collect(),
            links: Vec::new(),
            markers: Vec::new(),
            excerpts: vec![
                Excerpt { kind: ExcerptKind::Loudest, span_frames: (0, span) },
                Excerpt { kind: ExcerptKind::Typical, span_frames: (span, 2 * span) },
            ],
            rough: None,
        }
    }

    fn hear_one(&self, session: &Session) -> Heard {
        self.heard.fetch_add(1, Ordering::Relaxed);
        let mut drives: BTreeMap<_, Vec<f64>> = BTreeMap::new();
        let excerpts = (0..2)
            .map(|excerpt| {
                let mut strips = BTreeMap::new();
                let mut gain_reduction = BTreeMap::new();
                let bus = session.bus().expect("a session has a bus");
                let mut tap = Tap {
                    model: self,
                    session,
                    excerpt,
                    strips: &mut strips,
                    gain_reduction: &mut gain_reduction,
                    drives: &mut drives,
                };
                let out = tap.strip(bus);
                HeardExcerpt { mix: mix(&out), strips, gain_reduction }
            })
            .collect();
        let drive = |(at, levels): ((StripId, topdown_session::ProcessorId), Vec<f64>)| {
            let mean = levels.iter().map(|l| db_to_power(*l)).sum::<f64>() / levels.len() as f64;
            (at, power_to_db(mean))
        };
        Heard { excerpts, drive_lufs: drives.into_iter().map(drive).collect() }
    }
}

impl Trial for Model {
    fn hear(&self, candidates: &[&Session]) -> Result<Vec<Heard>, TrialError> {
        Ok(candidates.iter().map(|session| self.hear_one(session)).collect())
    }
}

struct Tap<'a> {
    model: &'a Model,
    session: &'a Session,
    excerpt: usize,
    strips: &'a mut BTreeMap<StripId, StripHeard>,
    gain_reduction: &'a mut BTreeMap<(StripId, topdown_session::ProcessorId), GainReduction>,
    drives: &'a mut BTreeMap<(StripId, topdown_session::ProcessorId), Vec<f64>>,
}

impl Tap<'_> {
    fn strip(&mut self, strip: &Strip) -> ErbEnergies {
        let mut sound = ErbEnergies { frame_s: FRAME_S, energy: vec![0.0; FRAMES * ERB_BANDS] };
        for clip in &strip.clips {
            let index = clip.file.as_str().trim_start_matches("file-").parse::<usize>();
            let source = index.ok().and_then(|index| self.model.energies.get(index));
            add(&mut sound, &source.expect("clips play sources")[self.excerpt]);
        }
        let members: Vec<Strip> = self.session.members(&strip.id).cloned().collect();
        for member in members.iter().filter(|m| m.excluded.is_none() && !m.mute) {
            let out = self.strip(member);
            add(&mut sound, &out);
        }
        let input = Arc::new(sound.clone());
        for node in strip.chain.iter().filter(|node| !node.bypass) {
            self.process(&strip.id, node, &mut sound);
        }
        let fader = db_to_power(strip.fader_db.resting()) as f32;
        sound.energy.iter_mut().for_each(|e| *e *= fader);
        let heard = StripHeard { input, output: Arc::new(sound.clone()) };
        self.strips.insert(strip.id.clone(), heard);
        sound
    }

    fn process(&mut self, strip: &StripId, node: &ProcessorNode, sound: &mut ErbEnergies) {
        match node.kind.as_str() {
            "eq" => {
                let eq: EqSettings = settings(node);
                let gains: Vec<f32> = (0..ERB_BANDS)
                    .map(|b| {
                        db_to_power(response_db(&eq, SampleRate::STUDIO, erb_centre_hz(b))) as f32
                    })
                    .collect();
                for frame in sound.energy.chunks_exact_mut(ERB_BANDS) {
                    frame.iter_mut().zip(&gains).for_each(|(e, gain)| *e *= gain);
                }
            }
            "compressor" => {
                let compressor: CompressorSettings = settings(node);
                let mut reductions = Vec::new();
                let mut powers = Vec::new();
                for frame in sound.energy.chunks_exact_mut(ERB_BANDS) {
                    let power: f64 = frame.iter().map(|e| f64::from(*e)).sum();
                    powers.push(power);
                    let gain = static_gain_db(&compressor, power_to_db(power) + CREST_DB);
                    reductions.push(-gain);
                    let gain = db_to_power(gain + compressor.makeup_db) as f32;
                    frame.iter_mut().for_each(|e| *e *= gain);
                }
                let n = reductions.len() as f64;
                let reduction = GainReduction {
                    mean_db: reductions.iter().sum::<f64>() / n,
                    max_db: reductions.iter().copied().fold(0.0, f64::max),
                    share: reductions.iter().filter(|r| **r > 0.5).count() as f64 / n,
                };
                let at = (strip.clone(), node.id.clone());
                self.gain_reduction.insert(at.clone(), reduction);
                let mean = powers.iter().sum::<f64>() / n;
                self.drives.entry(at).or_default().push(power_to_db(mean));
            }
            _ => {}
        }
    }
}

fn settings<S: Settings>(node: &ProcessorNode) -> S {
    let value = |id: &str| node.value(id).map_or(0.0, |value| value.resting());
    S::from_plain(&S::PARAMS.iter().map(|spec| value(spec.id)).collect::<Vec<f64>>())
}

fn add(sum: &mut ErbEnergies, part: &ErbEnergies) {
    sum.energy.iter_mut().zip(&part.energy).for_each(|(sum, e)| *sum += e);
}

fn thirds(energies: &ErbEnergies) -> Vec<f64> {
    let mut thirds = vec![1e-12; THIRDS];
    for (third, power) in thirds.iter_mut().enumerate() {
        let cam = cam_of_hz(third_centre_hz(third));
        let near = |band: &usize| (cam_of_hz(erb_centre_hz(*band)) - cam).abs();
        let band = (0..ERB_BANDS)
            .min_by(|a, b| near(a).partial_cmp(&near(b)).expect("finite"))
            .expect("there are bands");
        // A third is so many ERB bands wide.
        let width = third_centre_hz(third) * 0.23 / (24.7 + 0.108 * third_centre_hz(third));
        let mean =
            energies.frames().map(|frame| f64::from(frame[band])).sum::<f64>() / FRAMES as f64;
        *power += mean * width;
    }
    thirds
}

fn mix(out: &ErbEnergies) -> MixHeard {
    let powers: Vec<f64> =
        out.frames().map(|frame| frame.iter().map(|e| f64::from(*e)).sum()).collect();
    let mean = powers.iter().sum::<f64>() / powers.len() as f64;
    let peak = powers.iter().copied().fold(0.0, f64::max);
    MixHeard {
        loudness_lufs: power_to_db(mean),
        true_peak_dbtp: power_to_db(peak) + CREST_DB,
        min_psr_lu: Some(CREST_DB),
        third_power: thirds(out),
        side_to_mid_db: [Some(-20.0), Some(-10.0), Some(-8.0)],
        imbalance_db: 0.0,
        mono_loss_db: 0.5,
    }
}

/// A small band; levels as a careless session leaves them.
pub(crate) fn band() -> Vec<Source> {
    let source = |name, role, level_db, centre_hz, width_cam, every, swing_db| Source {
        name,
        role,
        level_db,
        centre_hz,
        width_cam,
        every,
        swing_db,
    };
    vec![
        source("Kick", "kick", -27.0, 70.0, 2.5, 4, 0.0),
        source("Snare", "snare", -38.0, 900.0, 9.0, 8, 0.0),
        source("Overhead", "overhead", -44.0, 6_000.0, 8.0, 1, 1.0),
        source("Bass", "bass", -34.0, 90.0, 3.0, 1, 2.0),
        source("Guitar L", "electric guitar", -36.0, 700.0, 6.0, 1, 1.0),
        source("Guitar R", "electric guitar", -37.0, 900.0, 6.0, 1, 1.0),
        source("Vox", "lead vocal", -46.0, 1_200.0, 6.0, 1, 7.0),
    ]
}
