//! Multiband compressor: three bands, a compressor in each.
//!
//! **Form.** A Linkwitz–Riley split with correct phase ([`crate::crossover`]), one [`crate::compressor`] a band, and the
//! sum. Where nothing compresses the sum is an all-pass: flat within 0.001 dB, with the phase of the two
//! corners (it is not the input bit for bit, so a parallel mix with the dry sound would comb; there is none).
//!
//! Every band has the compressor's own threshold (relative to the drive of the whole input), ratio, times and makeup,
//! a peak detector that hears its band, and a knee that all share. `amount_percent` scales the reduction of all
//! bands in dB; a makeup of 0 dB and an amount of 0 leave the all-pass. No latency.

use crate::buffer::Buffer;
use crate::clean::{clean, is_silent};
use crate::compressor::{self, CompressorSettings};
use crate::crossover::{Crossover, MOST_BANDS};
use crate::param::{ParamSpec, Unit};
use crate::process::{Io, ProcessSpec, Processor, Settings, Status};
use crate::smooth::hand_frames;

/// Bands of the compressor.
pub const BANDS: usize = 3;

/// One band's compression.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct BandCompression {
    /// Threshold in dB relative to the drive.
    pub threshold_rel_db: f64,
    /// Ratio n:1, from 1.
    pub ratio: f64,
    /// Attack, 63 %, ms.
    pub attack_ms: f64,
    /// Release, 63 %, ms.
    pub release_ms: f64,
    /// Gain after compression in dB.
    pub makeup_db: f64,
}

/// Settings of the multiband compressor.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct MultibandSettings {
    /// Corner between low and middle in Hz.
    pub low_hz: f64,
    /// Corner between middle and high in Hz.
    pub high_hz: f64,
    /// Loudness that the thresholds were solved for, LUFS; 0 makes them plain dBFS.
    pub drive_lufs: f64,
    /// Width of every knee in dB.
    pub knee_db: f64,
    /// Share of the gain reduction in percent, in dB.
    pub amount_percent: f64,
    /// Low, middle, high.
    pub bands: [BandCompression; BANDS],
}

impl Default for MultibandSettings {
    fn default() -> Self {
        let defaults: Vec<f64> = Self::PARAMS.iter().map(|param| param.default).collect();
        Self::from_plain(&defaults)
    }
}

const LOW: usize = 0;
const HIGH: usize = 1;
const DRIVE: usize = 2;
const KNEE: usize = 3;
const AMOUNT: usize = 4;
const FIRST: usize = 5;
/// The compressor's parameters that every band has, in the order of ours.
const OWN: [usize; 5] = [
    compressor::THRESHOLD,
    compressor::RATIO,
    compressor::ATTACK,
    compressor::RELEASE,
    compressor::MAKEUP,
];

macro_rules! params {
    ($(($id:literal, $label:literal, $attack:literal, $release:literal)),*) => { &[
        ParamSpec::number("low_hz", "Low corner", Unit::Hz, (40.0, 1000.0), 120.0,
            "Between low and middle").log(),
        ParamSpec::number("high_hz", "High corner", Unit::Hz, (1000.0, 16_000.0), 2500.0,
            "Between middle and high").log(),
        ParamSpec::number("drive_lufs", "Drive", Unit::Lufs, (-80.0, 20.0), 0.0,
            "Loudness at the input that the thresholds were solved for; 0: they are plain dBFS"),
        ParamSpec::number("knee_db", "Knee", Unit::Db, (0.0, 30.0), 6.0,
            "Width of the way from no compression to the full ratio"),
        ParamSpec::number("amount_percent", "Amount", Unit::Percent, (0.0, 100.0), 100.0,
            "Share of the gain reduction, in dB").scaled(),
        $(
            ParamSpec::number(concat!($id, ".threshold_rel_db"), concat!($label, " threshold"),
                Unit::Db, (-80.0, 40.0), 0.0,
                "Level in the band where compression starts, relative to the drive"),
            ParamSpec::number(concat!($id, ".ratio"), concat!($label, " ratio"), Unit::Ratio,
                (1.0, 100.0), 2.0, "dB more in the band for one dB more of it").log(),
            ParamSpec::number(concat!($id, ".attack_ms"), concat!($label, " attack"), Unit::Ms,
                (0.05, 500.0), $attack, "Time to 63 % of a new reduction").log(),
            ParamSpec::number(concat!($id, ".release_ms"), concat!($label, " release"), Unit::Ms,
                (5.0, 5000.0), $release, "Time to 63 % of the way back").log(),
            ParamSpec::number(concat!($id, ".makeup_db"), concat!($label, " makeup"), Unit::Db,
                (-24.0, 24.0), 0.0, "Gain of the band after compression").scaled(),
        )*
    ] };
}

impl Settings for MultibandSettings {
    const ID: &'static str = "multiband";
    const LABEL: &'static str = "Multiband compressor";
    const PARAMS: &'static [ParamSpec] = params!(
        ("low", "Low", 30.0, 200.0),
        ("mid", "Middle", 15.0, 150.0),
        ("high", "High", 5.0, 100.0)
    );

    fn from_plain(values: &[f64]) -> Self {
        let at = |index: usize| values.get(index).copied().unwrap_or(Self::PARAMS[index].default);
        let band = |first: usize| BandCompression {
            threshold_rel_db: at(first),
            ratio: at(first + 1),
            attack_ms: at(first + 2),
            release_ms: at(first + 3),
            makeup_db: at(first + 4),
        };
        Self {
            low_hz: at(LOW),
            high_hz: at(HIGH),
            drive_lufs: at(DRIVE),
            knee_db: at(KNEE),
            amount_percent: at(AMOUNT),
            bands: std::array::from_fn(|n| band(FIRST + n * OWN.len())),
        }
    }

    fn to_plain(&self) -> Vec<f64> {
        let shared =
            [self.low_hz, self.high_hz, self.drive_lufs, self.knee_db, self.amount_percent];
        let plain = |b: &BandCompression| {
            [b.threshold_rel_db, b.ratio, b.attack_ms, b.release_ms, b.makeup_db]
        };
        shared.into_iter().chain(self.bands.iter().flat_map(plain)).collect()
    }

    fn build(&self, spec: &ProcessSpec) -> Box<dyn Processor> {
        Box::new(Multiband::new(self, spec))
    }
}

impl MultibandSettings {
    fn compressor(&self, band: usize) -> CompressorSettings {
        let own = self.bands[band];
        CompressorSettings {
            threshold_rel_db: own.threshold_rel_db,
            drive_lufs: self.drive_lufs,
            ratio: own.ratio,
            knee_db: self.knee_db,
            attack_ms: own.attack_ms,
            release_ms: own.release_ms,
            makeup_db: own.makeup_db,
            amount_percent: self.amount_percent,
            ..CompressorSettings::default()
        }
    }
}

/// Frames worked on at once, and the grid of slow decisions, counted from the start.
const PIECE: usize = 64;

struct Band {
    sound: Buffer,
    compressor: Box<dyn Processor>,
}

struct Multiband {
    hand_frames: usize,
    crossover: Crossover,
    bands: [Band; BANDS],
    position: usize,
    fresh: bool,
    cleaned: u64,
}

impl Multiband {
    fn new(settings: &MultibandSettings, spec: &ProcessSpec) -> Self {
        let piece = ProcessSpec { max_frames: PIECE, ..*spec };
        let band = |n| Band {
            sound: Buffer::new(spec.channels, PIECE),
            compressor: settings.compressor(n).build(&piece),
        };
        let corners_hz = [settings.low_hz, settings.high_hz];
        Self {
            hand_frames: hand_frames(spec.sample_rate),
            crossover: Crossover::new(spec.sample_rate.hz(), &corners_hz),
            bands: std::array::from_fn(band),
            position: 0,
            fresh: true,
            cleaned: 0,
        }
    }

    fn split(&mut self, left: &[f32], right: Option<&[f32]>) {
        let mut parts = [[0.0; 2]; MOST_BANDS];
        for n in 0..left.len() {
            let x = [left[n], right.map_or(0.0, |right| right[n])].map(f64::from);
            self.crossover.split(x, &mut parts);
            for (band, part) in self.bands.iter_mut().zip(parts) {
                let planes = band.sound.planes_mut();
                planes.zip(part).for_each(|(plane, part)| plane[n] = part as f32);
            }
        }
    }

    /// One piece within the grid.
    fn run(&mut self, left: &mut [f32], right: Option<&mut [f32]>) {
        let frames = left.len();
        self.split(left, right.as_deref());
        for band in &mut self.bands {
            let io = &mut Io::new(&mut band.sound, None, 0..frames, Status::Filled);
            band.compressor.process(io);
        }
        for (channel, out) in std::iter::once(left).chain(right).enumerate() {
            let [low, mid, high] = self.bands.each_ref().map(|band| band.sound.channel(channel));
            for (n, y) in out.iter_mut().enumerate() {
                *y = (f64::from(low[n]) + f64::from(mid[n]) + f64::from(high[n])) as f32;
            }
        }
        self.position += frames;
        if self.position == PIECE {
            self.position = 0;
            self.crossover.rest();
        }
    }
}

impl Processor for Multiband {
    fn latency_frames(&self) -> usize {
        0
    }

    fn tail_frames(&self) -> usize {
        self.crossover.tail_frames() + 2 * PIECE
    }

    fn set(&mut self, param: usize, value: f64, ramp_frames: usize) {
        let hand = if self.fresh { 0 } else { self.hand_frames };
        let shared = match param {
            LOW | HIGH => return self.crossover.set_corner(param, value, ramp_frames, hand),
            DRIVE => compressor::DRIVE,
            KNEE => compressor::KNEE,
            AMOUNT => compressor::AMOUNT,
            _ => {
                let own = param - FIRST;
                if let Some(band) = self.bands.get_mut(own / OWN.len()) {
                    band.compressor.set(OWN[own % OWN.len()], value, ramp_frames);
                }
                return;
            }
        };
        for band in &mut self.bands {
            band.compressor.set(shared, value, ramp_frames);
        }
    }

    fn process(&mut self, io: &mut Io<'_>) -> Status {
        let frames = io.frames();
        self.fresh &= frames == 0;
        let (left, mut right) = io.split_mut();
        self.cleaned += clean(left) + right.as_deref_mut().map_or(0, clean);
        let silent_in = is_silent(left) && right.as_deref().is_none_or(is_silent);
        let silent = silent_in && self.crossover.is_empty();
        let mut start = 0;
        while start < frames {
            let end = frames.min(start + PIECE - self.position);
            let piece = right.as_deref_mut().map(|right| &mut right[start..end]);
            self.run(&mut left[start..end], piece);
            start = end;
        }
        if silent { Status::Silent } else { Status::Filled }
    }

    fn reset(&mut self) {
        self.crossover.reset();
        self.bands.iter_mut().for_each(|band| band.compressor.reset());
        self.position = 0;
        (self.fresh, self.cleaned) = (true, 0);
    }

    fn take_gain_reduction_db(&mut self) -> Option<f32> {
        let deepest = self.bands.iter_mut().filter_map(|b| b.compressor.take_gain_reduction_db());
        Some(deepest.fold(0.0, f32::min))
    }

    fn cleaned_samples(&self) -> u64 {
        self.cleaned
    }
}
