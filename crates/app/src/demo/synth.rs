//! The building blocks of the demo's instruments: noise, sines, filters, saturation, ringing modes.
//!
//! Filters are the second-order sections of R. Bristow-Johnson's cookbook in transposed direct form II
//! with `f64` state. Inner loops hold recurrences and table look-ups only; sines and exponentials are
//! taken once per filter, note or control tick.

use std::sync::OnceLock;

use topdown_dsp::math;
use topdown_units::db_to_gain;

/// A seeded xorshift64* generator: the demo's only source of chance, the same on every machine.
#[derive(Debug, Clone)]
pub(super) struct Rng(u64);

impl Rng {
    pub(super) fn new(seed: u64) -> Self {
        // Neighbouring seeds must not start alike, and the state must never be zero.
        let mut rng = Self(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) ^ 0x2545_f491_4f6c_dd1d | 1);
        for _ in 0..4 {
            rng.next_u64();
        }
        rng
    }

    fn next_u64(&mut self) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        self.0.wrapping_mul(0x2545_f491_4f6c_dd1d)
    }

    /// Uniform in [0, 1).
    pub(super) fn unit(&mut self) -> f64 {
        (self.next_u64() >> 11) as f64 / (1u64 << 53) as f64
    }

    /// Uniform in [-1, 1).
    pub(super) fn white(&mut self) -> f64 {
        2.0 * self.unit() - 1.0
    }

    /// Bell-shaped around zero with a standard deviation of one: the sum of twelve uniform numbers.
    pub(super) fn bell(&mut self) -> f64 {
        (0..12).map(|_| self.unit()).sum::<f64>() - 6.0
    }
}

const TABLE: usize = 4096;

/// One period of a sine with a guard point, for oscillators (error below -110 dB of full scale).
pub(super) struct SineTable(Vec<f32>);

impl SineTable {
    pub(super) fn shared() -> &'static Self {
        static TABLE_ONCE: OnceLock<SineTable> = OnceLock::new();
        TABLE_ONCE.get_or_init(|| {
            let step = math::TAU / TABLE as f64;
            Self((0..=TABLE).map(|i| math::sin(i as f64 * step) as f32).collect())
        })
    }

    /// Sine of `cycles` turns, for any finite number of them.
    #[inline]
    pub(super) fn at(&self, cycles: f64) -> f32 {
        let place = (cycles - cycles.floor()) * TABLE as f64;
        let index = (place as usize).min(TABLE - 1);
        let fraction = (place - index as f64) as f32;
        self.0[index] + fraction * (self.0[index + 1] - self.0[index])
    }
}

/// A second-order section.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Biquad {
    b: [f64; 3],
    a: [f64; 2],
    state: [f64; 2],
}

/// The shapes of a [`Biquad`].
#[derive(Debug, Clone, Copy)]
pub(super) enum Shape {
    LowPass {
        hz: f64,
        q: f64,
    },
    HighPass {
        hz: f64,
        q: f64,
    },
    /// Unity gain at the centre.
    BandPass {
        hz: f64,
        q: f64,
    },
    Peak {
        hz: f64,
        q: f64,
        db: f64,
    },
    LowShelf {
        hz: f64,
        db: f64,
    },
    HighShelf {
        hz: f64,
        db: f64,
    },
}

impl Biquad {
    pub(super) fn new(shape: Shape, rate: f64) -> Self {
        let (hz, q, db) = match shape {
            Shape::LowPass { hz, q } | Shape::HighPass { hz, q } | Shape::BandPass { hz, q } => {
                (hz, q, 0.0)
            }
            Shape::Peak { hz, q, db } => (hz, q, db),
            Shape::LowShelf { hz, db } | Shape::HighShelf { hz, db } => {
                (hz, std::f64::consts::FRAC_1_SQRT_2, db)
            }
        };
        let w = math::TAU * hz.clamp(1.0, 0.49 * rate) / rate;
        let (sin, cos) = (math::sin(w), math::cos(w));
        let alpha = sin / (2.0 * q);
        let a = db_to_gain(db / 2.0);
        let root = 2.0 * a.sqrt() * alpha;
        let (b, den) = match shape {
            Shape::LowPass { .. } => {
                let k = (1.0 - cos) / 2.0;
                ([k, 2.0 * k, k], [1.0 + alpha, -2.0 * cos, 1.0 - alpha])
            }
            Shape::HighPass { .. } => {
                let k = f64::midpoint(1.0, cos);
                ([k, -2.0 * k, k], [1.0 + alpha, -2.0 * cos, 1.0 - alpha])
            }
            Shape::BandPass { .. } => {
                ([alpha, 0.0, -alpha], [1.0 + alpha, -2.0 * cos, 1.0 - alpha])
            }
            Shape::Peak { .. } => (
                [1.0 + alpha * a, -2.0 * cos, 1.0 - alpha * a],
                [1.0 + alpha / a, -2.0 * cos, 1.0 - alpha / a],
            ),
            Shape::LowShelf { .. } => (
                [
                    a * ((a + 1.0) - (a - 1.0) * cos + root),
                    2.0 * a * ((a - 1.0) - (a + 1.0) * cos),
                    a * ((a + 1.0) - (a - 1.0) * cos - root),
                ],
                [
                    (a + 1.0) + (a - 1.0) * cos + root,
                    -2.0 * ((a - 1.0) + (a + 1.0) * cos),
                    (a + 1.0) + (a - 1.0) * cos - root,
                ],
            ),
            Shape::HighShelf { .. } => (
                [
                    a * ((a + 1.0) + (a - 1.0) * cos + root),
                    -2.0 * a * ((a - 1.0) + (a + 1.0) * cos),
                    a * ((a + 1.0) + (a - 1.0) * cos - root),
                ],
                [
                    (a + 1.0) - (a - 1.0) * cos + root,
                    2.0 * ((a - 1.0) - (a + 1.0) * cos),
                    (a + 1.0) - (a - 1.0) * cos - root,
                ],
            ),
        };
        Self {
            b: [b[0] / den[0], b[1] / den[0], b[2] / den[0]],
            a: [den[1] / den[0], den[2] / den[0]],
            state: [0.0; 2],
        }
    }

    #[inline]
    pub(super) fn tick(&mut self, x: f64) -> f64 {
        let y = self.b[0] * x + self.state[0];
        self.state[0] = self.b[1] * x - self.a[0] * y + self.state[1];
        self.state[1] = self.b[2] * x - self.a[1] * y;
        y
    }

    /// Takes the coefficients of `shape`, keeping the state: for slowly moving filters.
    pub(super) fn retune(&mut self, shape: Shape, rate: f64) {
        let state = self.state;
        *self = Self { state, ..Self::new(shape, rate) };
    }
}

/// Runs `plane` through the sections of `shapes`, one after another.
pub(super) fn filter(plane: &mut [f32], shapes: &[Shape], rate: f64) {
    for &shape in shapes {
        let mut section = Biquad::new(shape, rate);
        for sample in plane.iter_mut() {
            *sample = section.tick(f64::from(*sample)) as f32;
        }
    }
}

/// The curve x/√(1+x²) with first-order antiderivative anti-aliasing.
///
/// Its antiderivative is √(1+x²), so the mean of the curve between two samples a and b is
/// (a+b) / (√(1+a²) + √(1+b²)): no logarithm, no division by a vanishing difference. Delay: half a sample.
#[derive(Debug, Clone, Copy)]
struct Saturator {
    last: f64,
    last_root: f64,
}

impl Saturator {
    fn resting_at(bias: f64) -> Self {
        Self { last: bias, last_root: (1.0 + bias * bias).sqrt() }
    }

    #[inline]
    fn tick(&mut self, x: f64) -> f64 {
        let root = (1.0 + x * x).sqrt();
        let y = (x + self.last) / (root + self.last_root);
        (self.last, self.last_root) = (x, root);
        y
    }
}

/// Saturates `plane` after `drive_db` of gain, with `bias` (0 = odd harmonics only) before the curve.
pub(super) fn saturate(plane: &mut [f32], drive_db: f64, bias: f64) {
    let drive = db_to_gain(drive_db);
    let rest = bias / (1.0 + bias * bias).sqrt();
    let mut curve = Saturator::resting_at(bias);
    for sample in plane.iter_mut() {
        *sample = (curve.tick(f64::from(*sample) * drive + bias) - rest) as f32;
    }
}

/// A decaying sine: one mode of a struck body.
#[derive(Debug, Clone, Copy)]
pub(super) struct Mode {
    pub(super) hz: f64,
    /// Time to fall by 60 dB, in seconds.
    pub(super) t60_s: f64,
    pub(super) amp: f64,
}

const LANES: usize = 8;

/// Adds the sum of `modes`, struck at frame 0, to `out`. Modes above 0.45 of the rate stay silent.
///
/// A mode is the two-term recurrence y\[n\] = 2r·cos(w)·y\[n-1\] - r²·y\[n-2\]; eight run side by side.
pub(super) fn ring(out: &mut [f32], modes: &[Mode], rate: f64) {
    for group in modes.chunks(LANES) {
        let (mut c1, mut c2) = ([0.0; LANES], [0.0; LANES]);
        let (mut y1, mut y2) = ([0.0; LANES], [0.0; LANES]);
        for (lane, mode) in group.iter().enumerate().filter(|(_, mode)| mode.hz < 0.45 * rate) {
            let w = math::TAU * mode.hz / rate;
            let r = decay(mode.t60_s, rate);
            c1[lane] = 2.0 * r * math::cos(w);
            c2[lane] = -r * r;
            // As if the frame before the first had been sin(-w)/r.
            y2[lane] = -mode.amp * math::sin(w) / r;
        }
        for sample in out.iter_mut() {
            let mut sum = 0.0;
            for lane in 0..LANES {
                let y = c1[lane] * y1[lane] + c2[lane] * y2[lane];
                y2[lane] = y1[lane];
                y1[lane] = y;
                sum += y;
            }
            *sample += sum as f32;
        }
    }
}

/// The factor per frame that falls by 60 dB in `t60_s` seconds.
pub(super) fn decay(t60_s: f64, rate: f64) -> f64 {
    math::exp(-6.907_755 / (t60_s.max(1e-4) * rate))
}

/// The factor per frame of a one-pole smoother with the time constant `tau_s`.
pub(super) fn smoothing(tau_s: f64, rate: f64) -> f64 {
    1.0 - math::exp(-1.0 / (tau_s.max(1e-5) * rate))
}

/// A burst of noise through `shapes`, falling by 60 dB in `t60_s`, added to `out`.
pub(super) fn noise_burst(
    out: &mut [f32],
    rng: &mut Rng,
    (amp, t60_s): (f64, f64),
    shapes: &[Shape],
    rate: f64,
) {
    let frames = out.len().min((t60_s * 1.4 * rate) as usize);
    let fall = decay(t60_s, rate);
    let mut level = amp;
    let mut burst = vec![0.0f32; frames];
    for sample in &mut burst {
        *sample = (rng.white() * level) as f32;
        level *= fall;
    }
    filter(&mut burst, shapes, rate);
    for (sample, noise) in out.iter_mut().zip(&burst) {
        *sample += noise;
    }
}

/// Frequency of a MIDI key (69 = A4 = 440 Hz), fractions allowed.
pub(super) fn key_hz(key: f64) -> f64 {
    440.0 * math::exp2((key - 69.0) / 12.0)
}

/// The largest magnitude in `planes`.
pub(super) fn peak(planes: &[Vec<f32>]) -> f32 {
    planes.iter().flatten().fold(0.0, |peak, sample| peak.max(sample.abs()))
}
