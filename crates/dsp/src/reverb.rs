//! Reverb: plate, room and hall from a feedback delay network of sixteen lines.
//!
//! **Promise.** The decay at 100 Hz, 1 kHz and 10 kHz is the one asked for; echoes are as dense as noise within
//! 100 ms on the plate; the tail does not ring; folding to mono loses at most 3 dB; after the tail, exact silence.
//!
//! **Diffusion.** Three stages, each sixteen delays and an orthogonal matrix (Hadamard): an all-pass with sixteen
//! channels, which makes 16³ echoes of one without colouring the whole (after M. Gerzon, 1976, and J.-M. Jot's
//! lossless prototypes). Room and hall hear the first stage's delays directly as early reflections.
//!
//! **Network** (J.-M. Jot, A. Chaigne, AES 90, 1991). Sixteen lines of prime lengths, hence mutually prime, in
//! equal ratios, an all-pass of 0.7 times that at the end of each; an orthogonal matrix (Hadamard) mixes them.
//! They hold one mode for each hertz and second of their summed length: 2.0 s on the plate (a steel plate of
//! 2 m² and 0.5 mm has 1.4 modes a hertz), six times what a decay of 2 s needs by D. Rocchesso and J. O. Smith
//! (1997), 0.15 of the decay. Nothing is modulated: piano tones stay still, and the reverb is linear and
//! time-invariant as a plate is.
//!
//! **Decay.** A delay of d frames, in lines and all-passes alike (so all modes decay alike), loses 60·d/(fs·T(f)) dB a round: a gain and two first-order shelves (300 Hz,
//! 4 kHz) whose zero and pole lie symmetric about the corner, so that their shape in dB hardly changes with
//! depth. The three gains are solved, delay by delay, so that T is exact at 100 Hz, 1 kHz and 10 kHz.
//!
//! **Output.** Left and right tap every line once, at places spread evenly over the lines: what flows by is
//! then stationary from the first frame, so the tail decays in a straight line from its start. The gain makes
//! the return as loud as its send on steady noise, whatever the decay. A little of each side on the other
//! (positive correlation) keeps the fold to mono above −3 dB.
//!
//! **Silence.** After the last sound and a decay of 140 dB at the slowest frequency all memory is cleared.
//! No latency. Valid for decays of 0.2 to 10 s at any rate.

use crate::clean::clean;
use crate::cuts::Cuts;
use crate::math;
use crate::param::{ParamSpec, Unit};
use crate::process::{Io, ProcessSpec, Processor, Settings, Status};
use crate::ring::{PIECE, Ring, Tap};
use crate::smooth::{Ramp, hand_frames};

/// What the sound is in.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Space {
    /// Dense at once, bright, no reflections to be told apart.
    #[default]
    Plate,
    /// Early reflections within 20 ms, short lines.
    Room,
    /// Early reflections within 60 ms, long lines, a slower build-up.
    Hall,
}

/// Settings of the reverb.
#[derive(Clone, Debug, PartialEq)]
pub struct ReverbSettings {
    /// What the sound is in.
    pub space: Space,
    /// Size in percent of the space's own.
    pub size_percent: f64,
    /// Time to −60 dB at 1 kHz, seconds.
    pub decay_s: f64,
    /// Decay at 100 Hz as a multiple of that at 1 kHz.
    pub low_decay: f64,
    /// Decay at 10 kHz as a multiple of that at 1 kHz.
    pub high_decay: f64,
    /// Silence before the reverb, ms.
    pub pre_delay_ms: f64,
    /// Low cut of the return, Hz.
    pub low_cut_hz: f64,
    /// High cut of the return, Hz.
    pub high_cut_hz: f64,
    /// Share of the reverb in percent, the rest is dry.
    pub mix_percent: f64,
}

impl Default for ReverbSettings {
    fn default() -> Self {
        let defaults: Vec<f64> = Self::PARAMS.iter().map(|param| param.default).collect();
        Self::from_plain(&defaults)
    }
}

const SPACE: usize = 0;
const SIZE: usize = 1;
const DECAY: usize = 2;
const LOW_DECAY: usize = 3;
const HIGH_DECAY: usize = 4;
const PRE_DELAY: usize = 5;
const LOW_CUT: usize = 6;
const HIGH_CUT: usize = 7;
const MIX: usize = 8;

impl Settings for ReverbSettings {
    const ID: &'static str = "reverb";
    const LABEL: &'static str = "Reverb";
    #[rustfmt::skip]
    const PARAMS: &'static [ParamSpec] = &[
        ParamSpec::choice("space", "Space", &["plate", "room", "hall"], 0,
            "What the sound is in").rebuilding(),
        ParamSpec::number("size_percent", "Size", Unit::Percent, (50.0, 200.0), 100.0,
            "Lengths of the space's paths, of its own ones").log().rebuilding(),
        ParamSpec::number("decay_s", "Decay", Unit::Seconds, (0.2, 10.0), 1.8,
            "Time to -60 dB at 1 kHz").log(),
        ParamSpec::number("low_decay", "Low decay", Unit::None, (0.5, 2.0), 1.1,
            "Decay at 100 Hz as a multiple of the decay").log(),
        ParamSpec::number("high_decay", "High decay", Unit::None, (0.1, 1.0), 0.5,
            "Decay at 10 kHz as a multiple of the decay").log(),
        ParamSpec::number("pre_delay_ms", "Pre-delay", Unit::Ms, (0.0, MAX_PRE_DELAY_MS), 0.0,
            "Silence before the reverb"),
        ParamSpec::number("low_cut_hz", "Low cut", Unit::Hz, (20.0, 1000.0), 100.0,
            "The reverb has only what is above").log(),
        ParamSpec::number("high_cut_hz", "High cut", Unit::Hz, (1000.0, 20_000.0), 12_000.0,
            "The reverb has only what is below").log(),
        ParamSpec::number("mix_percent", "Mix", Unit::Percent, (0.0, 100.0), 100.0,
            "Share of the reverb, the rest is dry; 100 on a return").scaled(),
    ];

    fn from_plain(values: &[f64]) -> Self {
        let at = |index: usize| values.get(index).copied().unwrap_or(Self::PARAMS[index].default);
        let spaces = [Space::Plate, Space::Room, Space::Hall];
        Self {
            space: spaces.get(at(SPACE) as usize).copied().unwrap_or_default(),
            size_percent: at(SIZE),
            decay_s: at(DECAY),
            low_decay: at(LOW_DECAY),
            high_decay: at(HIGH_DECAY),
            pre_delay_ms: at(PRE_DELAY),
            low_cut_hz: at(LOW_CUT),
            high_cut_hz: at(HIGH_CUT),
            mix_percent: at(MIX),
        }
    }

    fn to_plain(&self) -> Vec<f64> {
        vec![
            f64::from(self.space as u8),
            self.size_percent,
            self.decay_s,
            self.low_decay,
            self.high_decay,
            self.pre_delay_ms,
            self.low_cut_hz,
            self.high_cut_hz,
            self.mix_percent,
        ]
    }

    fn build(&self, spec: &ProcessSpec) -> Box<dyn Processor> {
        Box::new(Reverb::new(self, spec))
    }
}

/// Lines of the network; the matrix needs a power of two.
const LINES: usize = 16;
const STAGES: usize = 3;
const MAX_PRE_DELAY_MS: f64 = 250.0;
/// Decay after which all memory is cleared.
const TAIL_DB: f64 = 140.0;
const LOW_CORNER_HZ: f64 = 300.0;
const HIGH_CORNER_HZ: f64 = 4000.0;
/// Where the decay is exact.
const ANCHORS_HZ: [f64; 3] = [100.0, 1000.0, 10_000.0];
/// Delay of the all-passes, of that of the lines.
const INNER: f64 = 0.7;
/// Coefficient of the all-passes.
const INNER_GAIN: f32 = 0.5;
/// How much of each side is heard on the other.
const CROSS: f32 = 0.2;

type Planes = [[f32; PIECE]; LINES];

impl Space {
    /// Shortest and longest line, ms.
    const fn lines_ms(self) -> (f64, f64) {
        match self {
            Self::Plate => (43.0, 113.0),
            Self::Room => (23.0, 73.0),
            Self::Hall => (61.0, 163.0),
        }
    }

    /// Longest delay of each stage of diffusion, ms.
    const fn diffusion_ms(self) -> [f64; STAGES] {
        match self {
            Self::Plate => [4.3, 7.9, 13.7],
            Self::Room => [17.0, 9.7, 14.3],
            Self::Hall => [57.0, 23.0, 37.0],
        }
    }

    /// Share of the energy that is in the early reflections.
    const fn early(self) -> f64 {
        match self {
            Self::Plate => 0.0,
            Self::Room => 0.25,
            Self::Hall => 0.12,
        }
    }
}

/// Lengths in frames: in equal ratios, each the next prime that is free.
fn prime_lengths((shortest, longest): (f64, f64), size: f64, rate_hz: f64) -> [usize; LINES] {
    let mut lengths = [0; LINES];
    let mut last = PIECE;
    for (n, length) in lengths.iter_mut().enumerate() {
        let ms = shortest * math::pow(longest / shortest, n as f64 / (LINES - 1) as f64);
        let wanted = (size * ms * rate_hz / 1e3) as usize;
        last = next_prime(wanted.max(last + 1));
        *length = last;
    }
    lengths
}

fn next_prime(from: usize) -> usize {
    let is_prime = |n: usize| (2..).take_while(|d| d * d <= n).all(|d| !n.is_multiple_of(d));
    (from..).find(|n| is_prime(*n)).unwrap_or(from)
}

/// Sixteen numbers in 0 to 1, evenly spread, in the order of no line: multiples of the golden ratio.
fn spread(stream: usize, n: usize) -> f64 {
    (((stream * LINES + n + 1) as f64) * 0.618_033_988_749_894_9).fract()
}

/// Entry of a Hadamard matrix, ±1.
fn sign(row: usize, n: usize) -> f32 {
    if (row & n).count_ones().is_multiple_of(2) { 1.0 } else { -1.0 }
}

/// Multiplies by the orthogonal Hadamard matrix, frame by frame.
fn mix_lines(planes: &mut Planes, frames: usize) {
    for half in [1, 2, 4, 8] {
        let scale = if half == 8 { 0.25 } else { 1.0 };
        for pair in planes.chunks_exact_mut(2 * half) {
            let (upper, lower) = pair.split_at_mut(half);
            for (a, b) in upper.iter_mut().zip(lower) {
                for (a, b) in a[..frames].iter_mut().zip(&mut b[..frames]) {
                    (*a, *b) = (scale * (*a + *b), scale * (*a - *b));
                }
            }
        }
    }
}

/// Loss of 60 dB over the three anchors, decays in seconds, in dB per second.
fn losses_db(decay_s: f64, low_decay: f64, high_decay: f64) -> [f64; 3] {
    [60.0 / (decay_s * low_decay), 60.0 / decay_s, 60.0 / (decay_s * high_decay)]
}

/// Shares of the shelves' dB at the anchors, and their inverse: the way from losses at the anchors to
/// (gain, low shelf, high shelf).
#[derive(Clone, Copy, Debug)]
struct Shelves {
    low_k: f64,
    high_k: f64,
    anchors: [f64; 3],
    inverse: [[f64; 3]; 3],
}

impl Shelves {
    fn new(rate_hz: f64) -> Self {
        let k = |hz: f64| math::tan(math::PI * hz.min(0.45 * rate_hz) / rate_hz);
        let (low_k, high_k) = (k(LOW_CORNER_HZ), k(HIGH_CORNER_HZ));
        let anchors = ANCHORS_HZ.map(k);
        let rows = anchors.map(|t| {
            let above = |corner: f64| t * t / (t * t + corner * corner);
            [1.0, 1.0 - above(low_k), above(high_k)]
        });
        Self { low_k, high_k, anchors, inverse: inverse(rows) }
    }

    /// Gain, low shelf and high shelf in dB from dB at the anchors, as far as shelves are in proportion.
    fn solve(&self, wanted: [f64; 3]) -> [f64; 3] {
        self.inverse.map(|row| row.iter().zip(wanted).map(|(a, b)| a * b).sum())
    }

    /// Coefficients of one line: b0, b1, a1 of the low shelf; b0, b1, a1 of the high shelf with the gain.
    fn design(&self, wanted_db: [f64; 3]) -> [f64; 6] {
        let mut gains_db = self.solve(wanted_db);
        let mut line = self.sections(gains_db);
        for _ in 0..4 {
            let mut missing = [0.0; 3];
            for n in 0..3 {
                missing[n] = wanted_db[n] - response_db(&line, self.anchors[n]);
            }
            let correction = self.solve(missing);
            (0..3).for_each(|n| gains_db[n] += correction[n]);
            line = self.sections(gains_db);
        }
        line
    }

    fn sections(&self, [gain_db, low_db, high_db]: [f64; 3]) -> [f64; 6] {
        let root = |db: f64| math::pow(10.0, db / 40.0);
        let (gain, low, high) = (math::pow(10.0, gain_db / 20.0), root(low_db), root(high_db));
        let (zero, pole) = (self.low_k * low, self.low_k / low);
        let [b0, b1, a1] = [1.0 + zero, zero - 1.0, pole - 1.0].map(|c| c / (1.0 + pole));
        let (zero, pole) = (self.high_k / high, self.high_k * high);
        let top = gain * high * high;
        let [c0, c1] = [1.0 + zero, zero - 1.0].map(|c| top * c / (1.0 + pole));
        [b0, b1, a1, c0, c1, (pole - 1.0) / (1.0 + pole)]
    }
}

/// Gain in dB of both shelves at the frequency of t = tan(πf/fs).
fn response_db(line: &[f64; 6], t: f64) -> f64 {
    // z⁻¹ = (1 − jt)/(1 + jt): |b0 + b1 z⁻¹|² ∝ (b0 + b1)² + t²(b0 − b1)².
    let power = |b0: f64, b1: f64| (b0 + b1) * (b0 + b1) + t * t * (b0 - b1) * (b0 - b1);
    let [b0, b1, a1, c0, c1, d1] = *line;
    10.0 * math::log10(power(b0, b1) * power(c0, c1) / (power(1.0, a1) * power(1.0, d1)))
}

fn inverse(m: [[f64; 3]; 3]) -> [[f64; 3]; 3] {
    let minor = |r: usize, c: usize| {
        let (r1, r2, c1, c2) = ((r + 1) % 3, (r + 2) % 3, (c + 1) % 3, (c + 2) % 3);
        m[r1][c1] * m[r2][c2] - m[r1][c2] * m[r2][c1]
    };
    let determinant: f64 = (0..3).map(|c| m[0][c] * minor(0, c)).sum();
    std::array::from_fn(|r| std::array::from_fn(|c| minor(c, r) / determinant))
}

/// Everything that moves with the decay, a number for each line: six coefficients for the line, six for its
/// all-pass, left and right tap gain.
type Coefficients = [[f32; LINES]; COEFFICIENTS];
const COEFFICIENTS: usize = 14;
const TAP_GAINS: usize = 12;

struct Reverb {
    rate_hz: f64,
    hand_frames: usize,
    values: [f64; 9],
    shelves: Shelves,
    lengths: [usize; LINES],
    /// Delays of the all-passes; long ones beside short lines.
    inner: [usize; LINES],
    taps: [[usize; LINES]; 2],
    stages: [[usize; LINES]; STAGES],
    early: f32,
    /// Logarithms of decay, low decay, high decay.
    decay: [Ramp; 3],
    pre_delay: Tap,
    mix: Ramp,
    cuts: Cuts,
    now: Coefficients,
    step: Coefficients,
    inputs: Vec<Ring>,
    diffusers: Vec<Ring>,
    lines: Vec<Ring>,
    inners: Vec<Ring>,
    /// Of the lines, then of their all-passes: low and high shelf.
    shelf_states: [[[f32; LINES]; 2]; 2],
    position: usize,
    /// Frames since the last sound came in.
    quiet: usize,
    /// All memory is silent.
    asleep: bool,
    fresh: bool,
    cleaned: u64,
}

impl Reverb {
    fn new(settings: &ReverbSettings, spec: &ProcessSpec) -> Self {
        let mut values = [0.0; 9];
        values.copy_from_slice(&settings.to_plain());
        let rate_hz = spec.sample_rate.hz();
        let size = settings.size_percent / 100.0;
        let lengths = prime_lengths(settings.space.lines_ms(), size, rate_hz);
        let inner = prime_lengths(settings.space.lines_ms(), INNER * size, rate_hz);
        let place = |stream: usize, n: usize| (spread(stream, n) * lengths[n] as f64) as usize;
        let stages: [[usize; LINES]; STAGES] = std::array::from_fn(|stage| {
            let longest = size * settings.space.diffusion_ms()[stage] * rate_hz / 1e3;
            std::array::from_fn(|n| (longest * spread(stage + 2, n)) as usize)
        });
        let longest_pre_delay = frames_of(MAX_PRE_DELAY_MS, rate_hz);
        let mut reverb = Self {
            rate_hz,
            hand_frames: hand_frames(spec.sample_rate),
            values,
            shelves: Shelves::new(rate_hz),
            lengths,
            inner: std::array::from_fn(|n| inner[LINES - 1 - n]),
            taps: [0, 1].map(|side| std::array::from_fn(|n| place(side, n))),
            stages,
            early: (2.0 * settings.space.early()).sqrt() as f32,
            decay: [DECAY, LOW_DECAY, HIGH_DECAY].map(|n| Ramp::new(math::ln(values[n]))),
            pre_delay: Tap::new(frames_of(settings.pre_delay_ms, rate_hz)),
            mix: Ramp::new(settings.mix_percent / 100.0),
            cuts: Cuts::new(rate_hz, settings.low_cut_hz, settings.high_cut_hz),
            now: [[0.0; LINES]; COEFFICIENTS],
            step: [[0.0; LINES]; COEFFICIENTS],
            inputs: (0..spec.channels).map(|_| Ring::new(longest_pre_delay)).collect(),
            diffusers: stages.iter().flatten().map(|delay| Ring::new(*delay)).collect(),
            lines: lengths.iter().map(|length| Ring::new(*length)).collect(),
            inners: Vec::new(),
            shelf_states: [[[0.0; LINES]; 2]; 2],
            position: 0,
            quiet: 0,
            asleep: true,
            fresh: true,
            cleaned: 0,
        };
        reverb.inners = reverb.inner.iter().map(|length| Ring::new(*length)).collect();
        reverb.now = reverb.design(0);
        reverb
    }

    /// Coefficients for the decay `frames` from now.
    #[expect(clippy::needless_range_loop, reason = "a line indexes several tables")]
    fn design(&self, frames: usize) -> Coefficients {
        let [decay_s, low, high] = [0, 1, 2].map(|n| math::exp(self.decay[n].peek(frames)));
        let losses = losses_db(decay_s, low, high);
        let held = self.lengths.iter().chain(&self.inner).sum::<usize>();
        let mean = held as f64 / LINES as f64;
        // Energy of the tail: the flow 1/mean of a unit impulse, integrated over its decay.
        let energy = self.rate_hz * decay_s / (6.0 * std::f64::consts::LN_10 * mean);
        let early = 0.5 * f64::from(self.early * self.early);
        let level = ((1.0 - early) / energy).sqrt();
        let mut designed = [[0.0; LINES]; COEFFICIENTS];
        for n in 0..LINES {
            let loss = |frames: usize| {
                let seconds = frames as f64 / self.rate_hz;
                self.shelves.design(losses.map(|loss| -loss * seconds))
            };
            let both = loss(self.lengths[n]).into_iter().chain(loss(self.inner[n]));
            for (k, value) in both.enumerate() {
                designed[k][n] = value as f32;
            }
            for (side, row) in [3, 14].into_iter().enumerate() {
                let lost_db = losses[1] * self.taps[side][n] as f64 / self.rate_hz;
                let gain = level * math::pow(10.0, -lost_db / 20.0);
                designed[TAP_GAINS + side][n] = sign(row, n) * gain as f32;
            }
        }
        designed
    }

    fn decay_moves(&self) -> bool {
        self.decay.iter().any(Ramp::is_moving)
    }

    /// Aims the coefficients at the end of this piece of the grid, in a straight line.
    fn aim(&mut self) {
        let frames = PIECE - self.position;
        let target = self.design(frames);
        for (step, (now, target)) in self
            .step
            .iter_mut()
            .flatten()
            .zip(self.now.iter().flatten().zip(target.iter().flatten()))
        {
            *step = (target - now) / frames as f32;
        }
    }

    /// At the border of the grid.
    fn decide(&mut self) {
        if self.decay_moves() {
            self.aim();
        } else if self.step != [[0.0; LINES]; COEFFICIENTS] {
            self.now = self.design(0);
            self.step = [[0.0; LINES]; COEFFICIENTS];
        }
        self.cuts.rest();
        for state in self.shelf_states.iter_mut().flatten().flatten() {
            if state.abs() < 1e-18 {
                *state = 0.0;
            }
        }
        if !self.asleep && self.quiet + PIECE >= self.tail_frames() {
            self.forget();
        }
    }

    fn forget(&mut self) {
        let rings = self.inputs.iter_mut().chain(&mut self.diffusers).chain(&mut self.lines);
        rings.chain(&mut self.inners).for_each(Ring::clear);
        self.shelf_states = [[[0.0; LINES]; 2]; 2];
        self.cuts.clear();
        self.asleep = true;
    }

    /// Passes `frames` frames on the grid.
    fn pass(&mut self, frames: usize) {
        self.decay.iter_mut().for_each(|ramp| ramp.advance(frames));
        self.position += frames;
        if self.position == PIECE {
            self.position = 0;
            self.decide();
        }
    }

    /// Pre-delayed input to sixteen diffused channels; early reflections are added to `out`.
    fn diffuse(
        &mut self,
        inputs: &[[f32; PIECE]; 2],
        out: &mut [[f32; PIECE]; 2],
        frames: usize,
    ) -> Planes {
        let stereo = self.inputs.len() == 2;
        // Two sides bring twice the power of one.
        let gain = if stereo { 0.125 * std::f32::consts::SQRT_2 } else { 0.25 };
        let mut planes = [[0.0; PIECE]; LINES];
        for (n, plane) in planes.iter_mut().enumerate() {
            let (left, right) = (gain * sign(5, n), if stereo { gain * sign(10, n) } else { 0.0 });
            for (x, (l, r)) in plane[..frames].iter_mut().zip(inputs[0].iter().zip(&inputs[1])) {
                *x = left * l + right * r;
            }
        }
        for stage in 0..STAGES {
            for (n, plane) in planes.iter_mut().enumerate() {
                let ring = &mut self.diffusers[stage * LINES + n];
                ring.feed(&plane[..frames]);
                ring.after(self.stages[stage][n], &mut plane[..frames]);
            }
            if stage == 0 && self.early > 0.0 {
                for (n, plane) in planes.iter().enumerate() {
                    let gain = self.early * sign(7, n);
                    for (y, x) in out[n % 2][..frames].iter_mut().zip(plane) {
                        *y += gain * x;
                    }
                }
            }
            for plane in planes.iter_mut().skip(stage % 2).step_by(2 + stage % 2) {
                plane[..frames].iter_mut().for_each(|x| *x = -*x);
            }
            mix_lines(&mut planes, frames);
        }
        planes
    }

    /// The loss of the lines (`part` 0) or of their all-passes (1), in place.
    #[expect(clippy::needless_range_loop, reason = "frames are the outer loop of all lines")]
    fn absorb(&mut self, part: usize, planes: &mut Planes, frames: usize) {
        let [mut low, mut high] = self.shelf_states[part];
        let moving = self.step != [[0.0; LINES]; COEFFICIENTS];
        let (mut c, mut step) = ([[0.0; LINES]; 6], [[0.0; LINES]; 6]);
        c.copy_from_slice(&self.now[6 * part..][..6]);
        step.copy_from_slice(&self.step[6 * part..][..6]);
        for n in 0..frames {
            if moving {
                for (c, step) in c.iter_mut().flatten().zip(step.iter().flatten()) {
                    *c += step;
                }
            }
            for i in 0..LINES {
                let x = planes[i][n];
                let y = c[0][i] * x + low[i];
                low[i] = c[1][i] * x - c[2][i] * y;
                let z = c[3][i] * y + high[i];
                high[i] = c[4][i] * y - c[5][i] * z;
                planes[i][n] = z;
            }
        }
        self.shelf_states[part] = [low, high];
    }

    /// The all-pass at the end of each line, in place: v = x − g·d, y = d + g·v, d being v some time ago.
    fn disperse(&mut self, planes: &mut Planes, frames: usize) {
        let mut delayed = [[0.0; PIECE]; LINES];
        for (n, delayed) in delayed.iter_mut().enumerate() {
            self.inners[n].before(self.inner[n], &mut delayed[..frames]);
        }
        self.absorb(1, &mut delayed, frames);
        for (n, (plane, delayed)) in planes.iter_mut().zip(&mut delayed).enumerate() {
            for (x, d) in plane[..frames].iter_mut().zip(&mut delayed[..frames]) {
                let v = *x - INNER_GAIN * *d;
                (*x, *d) = (*d + INNER_GAIN * v, v);
            }
            self.inners[n].feed(&delayed[..frames]);
        }
    }

    /// One piece: the reverb of `inputs`, in their place.
    fn run(&mut self, inputs: &mut [[f32; PIECE]; 2], frames: usize) {
        for (ring, input) in self.inputs.iter_mut().zip(inputs.iter()) {
            ring.feed(&input[..frames]);
        }
        self.pre_delay.after(&self.inputs, inputs, frames);
        let mut out = [[0.0; PIECE]; 2];
        let fed = self.diffuse(inputs, &mut out, frames);
        let mut planes = [[0.0; PIECE]; LINES];
        for (n, plane) in planes.iter_mut().enumerate() {
            self.lines[n].before(self.lengths[n], &mut plane[..frames]);
        }
        self.absorb(0, &mut planes, frames);
        self.disperse(&mut planes, frames);
        mix_lines(&mut planes, frames);
        for (n, (plane, fed)) in planes.iter_mut().zip(&fed).enumerate() {
            for (x, fed) in plane[..frames].iter_mut().zip(fed) {
                *x += fed;
            }
            self.lines[n].feed(&plane[..frames]);
            for (side, out) in out.iter_mut().enumerate() {
                let gain = (self.now[TAP_GAINS + side][n], self.step[TAP_GAINS + side][n]);
                self.lines[n].add_after(self.taps[side][n], gain, &mut out[..frames]);
            }
        }
        self.move_on(frames);
        if self.inputs.len() == 2 {
            let [left, right] = &mut out;
            let (own, other) =
                (1.0 / (1.0 + CROSS * CROSS).sqrt(), CROSS / (1.0 + CROSS * CROSS).sqrt());
            for (l, r) in left.iter_mut().zip(right) {
                (*l, *r) = (own * *l + other * *r, own * *r + other * *l);
            }
        }
        self.cuts.process(&mut out[..self.inputs.len()], frames);
        *inputs = out;
    }

    /// With silent memory and silent input only the settings go on.
    fn sleep(&mut self, frames: usize) {
        self.mix.advance(frames);
        self.pre_delay.advance(frames);
        self.cuts.advance(frames);
        self.move_on(frames);
    }

    /// Coefficients go on; one frame after the other, so that the sums do not depend on the cut.
    fn move_on(&mut self, frames: usize) {
        if self.step == [[0.0; LINES]; COEFFICIENTS] {
            return;
        }
        for (now, step) in self.now.iter_mut().flatten().zip(self.step.iter().flatten()) {
            (0..frames).for_each(|_| *now += step);
        }
    }
}

fn frames_of(ms: f64, rate_hz: f64) -> usize {
    (ms * rate_hz / 1e3).round() as usize
}

/// Frames since the last one that is not zero, after `quiet` before these.
pub(crate) fn quiet_after(quiet: usize, left: &[f32], right: Option<&[f32]>) -> usize {
    let last = |samples: &[f32]| samples.iter().rposition(|x| *x != 0.0);
    match last(left).max(right.and_then(last)) {
        Some(at) => left.len() - 1 - at,
        None => quiet.saturating_add(left.len()),
    }
}

impl Processor for Reverb {
    fn latency_frames(&self) -> usize {
        0
    }

    fn tail_frames(&self) -> usize {
        let [decay_s, low, high] = [DECAY, LOW_DECAY, HIGH_DECAY].map(|n| self.values[n]);
        let [gain, low, high] = self.shelves.solve(losses_db(decay_s, low, high));
        let slowest = (gain + low.min(0.0) + high.min(0.0)).max(1.0);
        let paths: usize = self.stages.iter().map(|stage| stage.iter().max().unwrap_or(&0)).sum();
        let path = paths + 2 * self.lengths[LINES - 1] + self.pre_delay.longest();
        (TAIL_DB / slowest * self.rate_hz) as usize + path + 2 * PIECE
    }

    fn set(&mut self, param: usize, value: f64, ramp_frames: usize) {
        let live = ReverbSettings::PARAMS.get(param).is_some_and(|param| !param.rebuilds);
        let Some(stored) = self.values.get_mut(param).filter(|_| live) else { return };
        *stored = value;
        let hand = if self.fresh { 0 } else { self.hand_frames };
        match param {
            DECAY | LOW_DECAY | HIGH_DECAY => {
                self.decay[param - DECAY].go(math::ln(value), ramp_frames, hand);
                self.quiet = 0;
                if self.fresh && ramp_frames == 0 { self.now = self.design(0) } else { self.aim() }
            }
            PRE_DELAY => {
                self.pre_delay.go(frames_of(value, self.rate_hz), ramp_frames.max(hand));
                self.quiet = 0;
            }
            LOW_CUT => self.cuts.set_low(value, ramp_frames, hand),
            HIGH_CUT => self.cuts.set_high(value, ramp_frames, hand),
            _ => self.mix.go(value / 100.0, ramp_frames, hand),
        }
    }

    fn process(&mut self, io: &mut Io<'_>) -> Status {
        let frames = io.frames();
        self.fresh &= frames == 0;
        let (left, mut right) = io.split_mut();
        self.cleaned += clean(left) + right.as_deref_mut().map_or(0, clean);
        let (mut start, mut silent) = (0, true);
        while start < frames {
            let count = (frames - start).min(PIECE - self.position);
            let left = &mut left[start..start + count];
            let right = right.as_deref_mut().map(|right| &mut right[start..start + count]);
            self.quiet = quiet_after(self.quiet, left, right.as_deref());
            if self.asleep && self.quiet >= count {
                self.sleep(count);
                left.fill(0.0);
                right.into_iter().for_each(|right| right.fill(0.0));
            } else {
                (self.asleep, silent) = (false, false);
                let mut wet = [[0.0; PIECE]; 2];
                wet[0][..count].copy_from_slice(left);
                if let Some(right) = right.as_deref() {
                    wet[1][..count].copy_from_slice(right);
                }
                self.run(&mut wet, count);
                if let Some(right) = right {
                    blend(right, &wet[1], &mut self.mix.clone());
                }
                blend(left, &wet[0], &mut self.mix);
            }
            self.pass(count);
            start += count;
        }
        if silent { Status::Silent } else { Status::Filled }
    }

    fn reset(&mut self) {
        self.decay.iter_mut().for_each(Ramp::settle);
        self.pre_delay.settle();
        self.mix.settle();
        self.forget();
        self.cuts.reset();
        self.now = self.design(0);
        self.step = [[0.0; LINES]; COEFFICIENTS];
        (self.position, self.quiet) = (0, 0);
        (self.fresh, self.cleaned) = (true, 0);
    }

    fn cleaned_samples(&self) -> u64 {
        self.cleaned
    }
}

/// Dry to wet, in place. The last sum makes every zero a positive one, asleep or awake.
pub(crate) fn blend(dry: &mut [f32], wet: &[f32], mix: &mut Ramp) {
    for (x, wet) in dry.iter_mut().zip(wet) {
        let share = mix.next_frame() as f32;
        *x = (1.0 - share) * *x + share * wet + 0.0;
    }
}
