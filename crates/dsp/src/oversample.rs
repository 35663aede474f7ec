//! Oversampler: 2, 4 or 8 times, linear phase, whole frames of latency.
//!
//! **Promise** (at 44.1 kHz, the hardest rate): flat within 0.01 dB up to 20 kHz; images on the way up and aliases
//! on the way down that fall below 20 kHz are at least 100 dB down; up and down again is the input, later,
//! with less than −90 dB left.
//!
//! **Form.** A cascade of half-band filters `h[d] = sin(πd/2)/(πd)·w(d)`, d the distance from the centre in
//! frames of the doubled rate, w a Kaiser window (F. Harris, *Multirate Signal Processing*, 2004). Every even
//! tap but the centre is zero and the filter is symmetric: a stage costs K products per frame of its lower
//! rate in each direction, with K = 40 where the transition is steep (20 to 24.1 kHz), 8 and 6 above. What
//! lies between 20 and 22.05 kHz is partly mirrored into that same range, where nobody hears it.
//!
//! **Latency.** Up and down delay by 4K − 2 frames of a stage's doubled rate. The sum is padded at the highest
//! rate to whole frames of the lowest: 79, 87 and 90 frames for 2, 4 and 8 times.
//!
//! Sums run over lanes of frames in a fixed order, so the bytes do not depend on how frames are cut.

use crate::fir::bessel_i0;
use crate::math;

/// Base-rate frames worked on at once.
const PIECE: usize = 64;
const MOST: usize = 8;
/// Taps on each side of the centre that are not zero, stage by stage from the lowest rate.
const PAIRS: [usize; 3] = [40, 8, 6];
const BETAS: [f64; 3] = [11.2, 12.0, 12.0];
/// Inputs below this are silence (−300 dBFS): products with taps never become denormal.
const FAINT: f32 = 1e-15;
/// Inputs are held to this (+120 dBFS), so that no sum overflows.
const LOUDEST: f32 = 1e6;

/// How many times the rate.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Factor {
    /// Twice.
    X2,
    /// Four times.
    X4,
    /// Eight times.
    X8,
}

impl Factor {
    const fn stages(self) -> usize {
        match self {
            Self::X2 => 1,
            Self::X4 => 2,
            Self::X8 => 3,
        }
    }

    /// 2, 4 or 8.
    #[must_use]
    pub const fn times(self) -> usize {
        1 << self.stages()
    }
}

/// Runs something at a multiple of the rate, on one channel.
#[derive(Clone, Debug)]
pub struct Oversampler {
    factor: Factor,
    stages: Vec<Stage>,
    latency: usize,
    /// The last samples of the highest rate, on their way to a whole frame.
    held: Vec<f32>,
    work: Vec<f32>,
    other: Vec<f32>,
}

impl Oversampler {
    /// Designs the filters. Allocates all it will ever need.
    #[must_use]
    pub fn new(factor: Factor) -> Self {
        let (count, times) = (factor.stages(), factor.times());
        let stages: Vec<Stage> = (0..count).map(|n| Stage::new(n, PIECE << n)).collect();
        let delay: usize = (0..count).map(|n| (4 * PAIRS[n] - 2) << (count - 1 - n)).sum();
        let latency = delay.div_ceil(times);
        Self {
            factor,
            stages,
            latency,
            held: vec![0.0; latency * times - delay],
            work: vec![0.0; MOST * PIECE],
            other: vec![0.0; MOST * PIECE],
        }
    }

    /// How many times the rate.
    #[must_use]
    pub const fn factor(&self) -> Factor {
        self.factor
    }

    /// Delay of up and down together, in frames of the lower rate.
    #[must_use]
    pub const fn latency_frames(&self) -> usize {
        self.latency
    }

    /// Frames after the last input that is not silent until only zeros are inside.
    #[must_use]
    pub const fn memory_frames(&self) -> usize {
        2 * self.latency + 2
    }

    /// Processes `samples` in place: up, `shape`, down. `shape` gets consecutive pieces of the sound at the
    /// higher rate, [`Factor::times`] samples for each frame.
    pub fn process(&mut self, samples: &mut [f32], mut shape: impl FnMut(&mut [f32])) {
        for piece in samples.chunks_mut(PIECE) {
            let mut frames = piece.len();
            for (to, x) in self.work.iter_mut().zip(piece.iter()) {
                let loud = x.clamp(-LOUDEST, LOUDEST);
                *to = if x.abs() < FAINT { 0.0 } else { loud };
            }
            for stage in &mut self.stages {
                stage.up(&self.work[..frames], &mut self.other[..2 * frames]);
                std::mem::swap(&mut self.work, &mut self.other);
                frames *= 2;
            }
            shape(&mut self.work[..frames]);
            let held = self.held.len();
            self.work[..frames].rotate_right(held);
            self.work[..held].swap_with_slice(&mut self.held);
            for stage in self.stages.iter_mut().rev() {
                frames /= 2;
                stage.down(&self.work[..2 * frames], &mut self.other[..frames]);
                std::mem::swap(&mut self.work, &mut self.other);
            }
            piece.copy_from_slice(&self.work[..frames]);
        }
    }

    /// As newly built.
    pub fn reset(&mut self) {
        self.held.fill(0.0);
        self.stages.iter_mut().for_each(Stage::reset);
    }
}

/// One doubling of the rate, and the way back.
#[derive(Clone, Debug)]
struct Stage {
    /// Taps 1, 3, 5, ... from the centre; both sides sum to one.
    pairs: Vec<f32>,
    /// Each begins with the frames of the past that the filter still sees.
    up: Vec<f32>,
    even: Vec<f32>,
    odd: Vec<f32>,
}

impl Stage {
    /// Stage `index` from the lowest rate, for at most `frames` of its lower rate at once.
    fn new(index: usize, frames: usize) -> Self {
        let count = PAIRS[index];
        let taps: Vec<f64> =
            (0..count).map(|pair| tap(2 * pair + 1, count, BETAS[index])).collect();
        let sum = 2.0 * taps.iter().sum::<f64>();
        Self {
            pairs: taps.iter().map(|tap| (tap / sum) as f32).collect(),
            up: vec![0.0; 2 * count - 1 + frames],
            even: vec![0.0; 2 * count - 1 + frames],
            odd: vec![0.0; count + frames],
        }
    }

    fn up(&mut self, input: &[f32], output: &mut [f32]) {
        let (frames, count) = (input.len(), self.pairs.len());
        let past = 2 * count - 1;
        self.up[past..past + frames].copy_from_slice(input);
        for (start, out) in output.chunks_mut(2 * LANES).enumerate() {
            let x = &self.up[start * LANES..];
            let between = lanes(&self.pairs, x, out.len() / 2);
            for (lane, pair) in out.chunks_exact_mut(2).enumerate() {
                (pair[0], pair[1]) = (between[lane], x[lane + count]);
            }
        }
        self.up.copy_within(frames..frames + past, 0);
    }

    fn down(&mut self, input: &[f32], output: &mut [f32]) {
        let (frames, count) = (output.len(), self.pairs.len());
        let past = 2 * count - 1;
        for (n, pair) in input.chunks_exact(2).enumerate() {
            (self.even[past + n], self.odd[count + n]) = (pair[0], pair[1]);
        }
        for (start, out) in output.chunks_mut(LANES).enumerate() {
            let first = start * LANES;
            let filtered = lanes(&self.pairs, &self.even[first..], out.len());
            for (lane, y) in out.iter_mut().enumerate() {
                *y = 0.5 * (filtered[lane] + self.odd[first + lane]);
            }
        }
        self.even.copy_within(frames..frames + past, 0);
        self.odd.copy_within(frames..frames + count, 0);
    }

    fn reset(&mut self) {
        for memory in [&mut self.up, &mut self.even, &mut self.odd] {
            memory.fill(0.0);
        }
    }
}

/// The half-band filter `distance` (odd) from its centre, with `count` such taps on each side.
fn tap(distance: usize, count: usize, beta: f64) -> f64 {
    let d = distance as f64;
    let inside = d / (2 * count) as f64;
    let window = bessel_i0(beta * (1.0 - inside * inside).sqrt());
    math::sin(0.5 * math::PI * d) / d * window
}

/// Frames summed side by side.
const LANES: usize = 16;

/// `Σ pairs[p]·(x[n + K − 1 − p] + x[n + K + p])` for the first `frames` (at most [`LANES`]) n.
fn lanes(pairs: &[f32], x: &[f32], frames: usize) -> [f32; LANES] {
    let mut sums = [0.0f32; LANES];
    for (p, tap) in pairs.iter().enumerate() {
        let (before, after) = (&x[pairs.len() - 1 - p..], &x[pairs.len() + p..]);
        if let (LANES, Some(before), Some(after)) =
            (frames, before.first_chunk::<LANES>(), after.first_chunk::<LANES>())
        {
            for lane in 0..LANES {
                sums[lane] += tap * (before[lane] + after[lane]);
            }
        } else {
            for (lane, sum) in sums.iter_mut().enumerate().take(frames) {
                *sum += tap * (before[lane] + after[lane]);
            }
        }
    }
    sums
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_latency_is_whole_and_an_impulse_comes_back_there() {
        for (factor, expected) in [(Factor::X2, 79), (Factor::X4, 87), (Factor::X8, 90)] {
            let mut oversampler = Oversampler::new(factor);
            let mut sound = vec![0.0; 300];
            sound[0] = 1.0;
            oversampler.process(&mut sound, |_| {});
            let loudest = (0..300).max_by(|a, b| sound[*a].abs().total_cmp(&sound[*b].abs()));
            assert_eq!(oversampler.latency_frames(), expected);
            assert_eq!(loudest, Some(expected));
            assert!(sound[oversampler.memory_frames()..].iter().all(|x| *x == 0.0));
        }
    }

    #[test]
    fn the_loudest_finite_numbers_stay_finite() {
        let mut oversampler = Oversampler::new(Factor::X8);
        let mut sound: Vec<f32> =
            (0..500).map(|n| if n % 3 == 0 { f32::MAX } else { -f32::MAX }).collect();
        oversampler.process(&mut sound, |_| {});
        assert!(sound.iter().all(|x| x.is_finite()));
    }
}
