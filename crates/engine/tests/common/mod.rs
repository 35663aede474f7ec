//! Sessions, sources and processors for the engine's tests: plain enough to be right at a glance.
#![allow(dead_code, unreachable_pub, clippy::unwrap_used, missing_docs)]

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use topdown_dsp::{Io, Kind, ParamSpec, ProcessSpec, Processor, Settings, Status, Unit};
use topdown_engine::{
    ClipSource, CompileOptions, End, FeedError, Plan, RenderOptions, Sources, compile, render,
};
use topdown_session::{Clip, Fades, FileId, Session, SourceFile, Strip, StripId, StripKind};
use topdown_units::SampleRate;

/// Files that are sample lists in memory.
#[derive(Default)]
pub struct Memory {
    pub files: BTreeMap<FileId, Vec<Vec<f32>>>,
    pub open: std::sync::Arc<Open>,
}

/// How many files are open, and how many were at most.
#[derive(Default)]
pub struct Open {
    now: AtomicUsize,
    pub most: AtomicUsize,
    /// From now on every read fails.
    pub gone: AtomicBool,
}

struct Source {
    planes: Vec<Vec<f32>>,
    open: std::sync::Arc<Open>,
}

impl Drop for Source {
    fn drop(&mut self) {
        self.open.now.fetch_sub(1, Ordering::SeqCst);
    }
}

impl ClipSource for Source {
    fn read(&mut self, at: u64, out: &mut [&mut [f32]]) -> Result<usize, FeedError> {
        assert_eq!(out.len(), self.planes.len());
        if self.open.gone.load(Ordering::SeqCst) {
            return Err(FeedError { file: "file".to_owned(), reason: "is gone".to_owned() });
        }
        let at = (at as usize).min(self.planes[0].len());
        let frames = out[0].len().min(self.planes[0].len() - at);
        for (out, plane) in out.iter_mut().zip(&self.planes) {
            out[..frames].copy_from_slice(&plane[at..at + frames]);
        }
        Ok(frames)
    }
}

impl Sources for Memory {
    fn open(&self, file: &FileId, channel: Option<u16>) -> Result<Box<dyn ClipSource>, FeedError> {
        let gone = || FeedError { file: file.to_string(), reason: "is gone".to_owned() };
        let planes = self.files.get(file).ok_or_else(gone)?;
        let planes = match channel {
            Some(channel) => vec![planes[usize::from(channel)].clone()],
            None => planes.clone(),
        };
        let now = self.open.now.fetch_add(1, Ordering::SeqCst) + 1;
        self.open.most.fetch_max(now, Ordering::SeqCst);
        Ok(Box::new(Source { planes, open: self.open.clone() }))
    }
}

/// White noise in -0.5..0.5.
pub fn noise(seed: u64, frames: usize) -> Vec<f32> {
    let mut state = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
    (0..frames)
        .map(|_| {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            ((state >> 40) as f32 / (1 << 24) as f32) - 0.5
        })
        .collect()
}

pub struct Song {
    pub session: Session,
    pub sources: Memory,
}

impl Song {
    pub fn new() -> Self {
        let session = Session::empty("test", SampleRate::STUDIO);
        Self { session, sources: Memory::default() }
    }

    pub fn strip(&mut self, id: &str, kind: StripKind, channels: usize) -> &mut Strip {
        self.session.strips.push(Strip::new(id.into(), kind, id, channels));
        self.session.strips.last_mut().unwrap()
    }

    /// A track that plays these planes from frame 0.
    pub fn track(&mut self, id: &str, output: &str, planes: Vec<Vec<f32>>) -> &mut Strip {
        let frames = planes[0].len() as u64;
        let channels = planes.len();
        let file = SourceFile {
            path: format!("{id}.wav"),
            hash: format!("hash of {id}"),
            sample_rate_hz: 48_000,
            channels: channels as u16,
            frames,
        };
        self.session.files.insert(id.into(), file);
        self.sources.files.insert(id.into(), planes);
        let strip = self.strip(id, StripKind::Track, channels);
        strip.output = Some(output.into());
        strip.clips.push(Clip {
            file: id.into(),
            channel: None,
            at_frame: 0,
            from_frame: 0,
            frames,
            gain_db: 0.0,
            fades: Fades::default(),
        });
        strip
    }

    pub fn noise_track(&mut self, id: &str, output: &str, seed: u64, frames: usize) -> &mut Strip {
        self.track(id, output, vec![noise(seed, frames)])
    }

    pub fn get(&mut self, id: &str) -> &mut Strip {
        self.session.strips.iter_mut().find(|strip| strip.id.as_str() == id).unwrap()
    }

    pub fn plan(&self) -> Plan {
        compile(&self.session, &CompileOptions { kinds: &kinds, ..Default::default() }).unwrap()
    }

    pub fn render(&self) -> Vec<Vec<f32>> {
        let plan = self.plan();
        let options = RenderOptions { end: End::Range, ..RenderOptions::whole(&plan) };
        self.render_with(&plan, &options)
    }

    pub fn render_with(&self, plan: &Plan, options: &RenderOptions<'_>) -> Vec<Vec<f32>> {
        let mut mix: Vec<Vec<f32>> = Vec::new();
        let report = render(
            plan,
            &self.sources,
            options,
            |_, _| {},
            |planes: &[&[f32]]| {
                mix.resize(planes.len(), Vec::new());
                for (mix, plane) in mix.iter_mut().zip(planes) {
                    mix.extend_from_slice(plane);
                }
                Ok::<(), ()>(())
            },
        );
        assert_eq!(report.unwrap().frames as usize, mix.first().map_or(0, Vec::len));
        mix
    }
}

/// A length in frames.
pub const SECOND: usize = 48_000;

/// The highest difference between two signals in dBFS.
pub fn difference_dbfs(a: &[f32], b: &[f32]) -> f64 {
    assert_eq!(a.len(), b.len());
    let peak = a.iter().zip(b).map(|(a, b)| f64::from(a - b).abs()).fold(0.0, f64::max);
    topdown_units::gain_to_db(peak)
}

pub fn kinds(id: &str) -> Option<&'static Kind> {
    static TEST: [Kind; 4] =
        [Kind::of::<Late>(), Kind::of::<Amp>(), Kind::of::<Minus>(), Kind::of::<Ring>()];
    TEST.iter().find(|kind| kind.id == id).or_else(|| Kind::by_id(id))
}

/// Processor that does one thing a sample, with the plain values that it is built from.
macro_rules! test_kind {
    ($name:ident, $id:literal, $key:literal, [$($param:expr),*], $running:ident) => {
        #[derive(Clone, Debug, Default, PartialEq)]
        pub struct $name(Vec<f64>);
        impl Settings for $name {
            const ID: &'static str = $id;
            const LABEL: &'static str = $id;
            const TAKES_KEY: bool = $key;
            const PARAMS: &'static [ParamSpec] = &[$($param),*];
            fn from_plain(values: &[f64]) -> Self {
                Self(values.to_vec())
            }
            fn to_plain(&self) -> Vec<f64> {
                self.0.clone()
            }
            fn build(&self, spec: &ProcessSpec) -> Box<dyn Processor> {
                Box::new($running::new(&self.0, spec))
            }
        }
    };
}

// Delays by its only parameter: latency and nothing else.
test_kind!(
    Late,
    "late",
    false,
    [ParamSpec::number("frames", "Frames", Unit::Frames, (0.0, 9000.0), 100.0, "").rebuilding()],
    LateRunning
);

struct LateRunning {
    lines: Vec<std::collections::VecDeque<f32>>,
    frames: usize,
    reduction: f32,
}

impl LateRunning {
    fn new(values: &[f64], spec: &ProcessSpec) -> Self {
        let frames = values[0] as usize;
        let mut line = std::collections::VecDeque::with_capacity(frames + 1);
        line.resize(frames, 0.0);
        Self { lines: vec![line; spec.channels], frames, reduction: 0.0 }
    }
}

impl Processor for LateRunning {
    fn latency_frames(&self) -> usize {
        self.frames
    }
    fn tail_frames(&self) -> usize {
        self.frames
    }
    fn set(&mut self, _: usize, _: f64, _: usize) {}
    fn process(&mut self, io: &mut Io<'_>) -> Status {
        for channel in 0..io.channels() {
            let line = &mut self.lines[channel];
            for sample in io.channel_mut(channel) {
                line.push_back(*sample);
                *sample = line.pop_front().unwrap_or(0.0);
            }
        }
        Status::Filled
    }
    fn reset(&mut self) {}
    fn take_gain_reduction_db(&mut self) -> Option<f32> {
        Some(self.reduction)
    }
}

// A factor (not in dB) that moves in a straight line.
test_kind!(
    Amp,
    "amp",
    false,
    [ParamSpec::number("factor", "Factor", Unit::None, (-8.0, 8.0), 1.0, "")],
    AmpRunning
);

struct AmpRunning {
    now: f64,
    step: f64,
    left: usize,
    target: f64,
}

impl AmpRunning {
    fn new(values: &[f64], _: &ProcessSpec) -> Self {
        Self { now: values[0], step: 0.0, left: 0, target: values[0] }
    }
}

impl Processor for AmpRunning {
    fn latency_frames(&self) -> usize {
        0
    }
    fn tail_frames(&self) -> usize {
        0
    }
    fn set(&mut self, _: usize, value: f64, frames: usize) {
        let frames = if frames == 0 { 480 } else { frames };
        self.step = (value - self.now) / frames as f64;
        (self.left, self.target) = (frames, value);
    }
    fn process(&mut self, io: &mut Io<'_>) -> Status {
        for frame in 0..io.frames() {
            if self.left > 0 {
                self.left -= 1;
                self.now = self.target - self.step * self.left as f64;
            }
            for channel in 0..io.channels() {
                let sample = &mut io.channel_mut(channel)[frame];
                *sample = (f64::from(*sample) * self.now) as f32;
            }
        }
        Status::Filled
    }
    fn reset(&mut self) {}
}

// Takes the key away from the audio: silence where both are the same and aligned.
test_kind!(Minus, "minus", true, [], MinusRunning);

struct MinusRunning;

impl MinusRunning {
    fn new(_: &[f64], _: &ProcessSpec) -> Self {
        Self
    }
}

impl Processor for MinusRunning {
    fn latency_frames(&self) -> usize {
        0
    }
    fn tail_frames(&self) -> usize {
        0
    }
    fn set(&mut self, _: usize, _: f64, _: usize) {}
    fn process(&mut self, io: &mut Io<'_>) -> Status {
        let (left, right, key_left, key_right) = io.with_key();
        let subtract = |audio: &mut [f32], key: &[f32]| {
            audio.iter_mut().zip(key).for_each(|(audio, key)| *audio -= key);
        };
        match key_left {
            Some(key) => subtract(left, key),
            None => left.fill(9.0),
        }
        if let (Some(right), Some(key)) = (right, key_right.or(key_left)) {
            subtract(right, key);
        }
        Status::Filled
    }
    fn reset(&mut self) {}
}

// A feedback echo: half a second apart, each 20 dB down.
test_kind!(Ring, "ring", false, [], RingRunning);

struct RingRunning(Vec<std::collections::VecDeque<f32>>);

impl RingRunning {
    fn new(_: &[f64], spec: &ProcessSpec) -> Self {
        Self(vec![std::iter::repeat_n(0.0, SECOND / 2).collect(); spec.channels])
    }
}

impl Processor for RingRunning {
    fn latency_frames(&self) -> usize {
        0
    }
    fn tail_frames(&self) -> usize {
        usize::MAX
    }
    fn set(&mut self, _: usize, _: f64, _: usize) {}
    fn process(&mut self, io: &mut Io<'_>) -> Status {
        for channel in 0..io.channels() {
            let line = &mut self.0[channel];
            for sample in io.channel_mut(channel) {
                *sample += 0.1 * line.pop_front().unwrap_or(0.0);
                line.push_back(*sample);
            }
        }
        Status::Filled
    }
    fn reset(&mut self) {}
}

pub fn id(text: &str) -> StripId {
    StripId::from(text)
}
