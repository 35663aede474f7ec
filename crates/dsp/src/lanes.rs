//! A cascade of second-order sections, many at once.
//!
//! A recursive filter cannot be vectorised along time, but the sections of a cascade can run side by side
//! when each works one frame behind the one before it: at step n section k takes what section k − 1 gave
//! at step n − 1, which is frame n − k. A block starts with the first sections alone and ends with the last
//! ones alone, so that no frame stays inside: no latency, and the same operations on every sample as in a
//! plain cascade, so the same bytes however the frames are cut into calls.
//!
//! One register holds two `f64`. Stereo: left and right of one section. Mono: section j and section j + H,
//! where H is half the cascade; then only one value a step changes its place in a register.
//!
//! Transposed direct form II with the gains taken out in front: `y = x + s1`, `s1 = (b1 x + s2) − a1 y`,
//! `s2 = b2 x − a2 y`; four products a section.

use crate::eq_design::Section;

/// One section of a cascade and its memory, one place for each channel.
#[derive(Clone, Copy, Debug)]
pub struct Stage {
    /// Coefficients; the gain is not applied here.
    pub section: Section,
    /// First memory by channel.
    pub s1: [f64; 2],
    /// Second memory by channel.
    pub s2: [f64; 2],
}

impl Stage {
    /// A section that has heard nothing yet.
    #[must_use]
    pub const fn new(section: Section) -> Self {
        Self { section, s1: [0.0; 2], s2: [0.0; 2] }
    }

    /// One frame of one channel, with coefficients as they are.
    #[inline(always)]
    pub fn step(&mut self, channel: usize, x: f64) -> f64 {
        let Section { b1, b2, a1, a2, .. } = self.section;
        let y = x + self.s1[channel];
        self.s1[channel] = (b1 * x + self.s2[channel]) - a1 * y;
        self.s2[channel] = b2 * x - a2 * y;
        y
    }

    /// Forgets everything.
    pub fn clear(&mut self) {
        (self.s1, self.s2) = ([0.0; 2], [0.0; 2]);
    }

    /// The largest number in memory.
    #[must_use]
    pub fn loudest(&self) -> f64 {
        self.s1.iter().chain(&self.s2).fold(0.0, |loudest: f64, s| loudest.max(s.abs()))
    }
}

/// H registers of two lanes.
struct Lanes<const H: usize> {
    b1: [[f64; 2]; H],
    b2: [[f64; 2]; H],
    a1: [[f64; 2]; H],
    a2: [[f64; 2]; H],
    s1: [[f64; 2]; H],
    s2: [[f64; 2]; H],
    y: [[f64; 2]; H],
}

impl<const H: usize> Lanes<H> {
    /// Lane (j, l) is stage `place(j, l).0`, channel `place(j, l).1`.
    fn load(stages: &[Stage], place: impl Fn(usize, usize) -> (usize, usize)) -> Self {
        let zero = [[0.0; 2]; H];
        let mut lanes =
            Self { b1: zero, b2: zero, a1: zero, a2: zero, s1: zero, s2: zero, y: zero };
        for j in 0..H {
            for l in 0..2 {
                let (index, channel) = place(j, l);
                let Some(stage) = stages.get(index) else { continue };
                let Section { b1, b2, a1, a2, .. } = stage.section;
                (lanes.b1[j][l], lanes.b2[j][l]) = (b1, b2);
                (lanes.a1[j][l], lanes.a2[j][l]) = (a1, a2);
                (lanes.s1[j][l], lanes.s2[j][l]) = (stage.s1[channel], stage.s2[channel]);
            }
        }
        lanes
    }

    fn store(&self, stages: &mut [Stage], place: impl Fn(usize, usize) -> (usize, usize)) {
        for j in 0..H {
            for l in 0..2 {
                let (index, channel) = place(j, l);
                let Some(stage) = stages.get_mut(index) else { continue };
                (stage.s1[channel], stage.s2[channel]) = (self.s1[j][l], self.s2[j][l]);
            }
        }
    }

    /// Every lane one step on; `x` enters the first register. Later registers go first, because each
    /// takes what the one before it gave in the step before.
    #[inline(always)]
    #[expect(clippy::needless_range_loop, reason = "lane l of eight arrays at once")]
    fn step(&mut self, x: [f64; 2]) {
        for j in (0..H).rev() {
            let x = if j == 0 { x } else { self.y[j - 1] };
            for l in 0..2 {
                let y = x[l] + self.s1[j][l];
                self.s1[j][l] = (self.b1[j][l] * x[l] + self.s2[j][l]) - self.a1[j][l] * y;
                self.s2[j][l] = self.b2[j][l] * x[l] - self.a2[j][l] * y;
                self.y[j][l] = y;
            }
        }
    }

    /// The same, but only lanes that have a frame to work on keep what they did.
    fn step_some(&mut self, x: [f64; 2], has_frame: impl Fn(usize, usize) -> bool) {
        let (s1, s2) = (self.s1, self.s2);
        self.step(x);
        for j in 0..H {
            for l in (0..2).filter(|&l| !has_frame(j, l)) {
                (self.s1[j][l], self.s2[j][l]) = (s1[j][l], s2[j][l]);
            }
        }
    }

    fn stereo(stages: &mut [Stage], frames: &mut [[f64; 2]]) {
        let place = |j, l| (j, l);
        let mut lanes = Self::load(stages, place);
        let (count, behind) = (frames.len(), H - 1);
        // Frame of register j at step n is n − j.
        let edge = |lanes: &mut Self, frames: &mut [[f64; 2]], steps: std::ops::Range<usize>| {
            for n in steps {
                let x = frames.get(n).copied().unwrap_or([0.0; 2]);
                lanes.step_some(x, |j, _| n >= j && n - j < count);
                if n >= behind && n - behind < count {
                    frames[n - behind] = lanes.y[behind];
                }
            }
        };
        edge(&mut lanes, frames, 0..behind.min(count));
        for n in behind..count {
            lanes.step(frames[n]);
            frames[n - behind] = lanes.y[behind];
        }
        edge(&mut lanes, frames, count..count + behind);
        lanes.store(stages, place);
    }

    fn mono(stages: &mut [Stage], frames: &mut [f64]) {
        let place = |j, l| (j + l * H, 0);
        let mut lanes = Self::load(stages, place);
        let (count, behind) = (frames.len(), 2 * H - 1);
        // Frame of lane (j, l) at step n is n − j − l·H.
        let edge = |lanes: &mut Self, frames: &mut [f64], steps: std::ops::Range<usize>| {
            for n in steps {
                let x = [frames.get(n).copied().unwrap_or(0.0), lanes.y[H - 1][0]];
                lanes.step_some(x, |j, l| n >= j + l * H && n - j - l * H < count);
                if n >= behind && n - behind < count {
                    frames[n - behind] = lanes.y[H - 1][1];
                }
            }
        };
        edge(&mut lanes, frames, 0..behind.min(count));
        for n in behind..count {
            lanes.step([frames[n], lanes.y[H - 1][0]]);
            frames[n - behind] = lanes.y[H - 1][1];
        }
        edge(&mut lanes, frames, count..count + behind);
        lanes.store(stages, place);
    }
}

/// The most registers that run at once; longer cascades go in several passes.
const MAX_REGISTERS: usize = 8;

/// Runs a stereo cascade over `frames` in place.
pub fn run_stereo(stages: &mut [Stage], frames: &mut [[f64; 2]]) {
    for stages in stages.chunks_mut(MAX_REGISTERS) {
        match stages.len() {
            1 => Lanes::<1>::stereo(stages, frames),
            2 => Lanes::<2>::stereo(stages, frames),
            3 => Lanes::<3>::stereo(stages, frames),
            4 => Lanes::<4>::stereo(stages, frames),
            5 => Lanes::<5>::stereo(stages, frames),
            6 => Lanes::<6>::stereo(stages, frames),
            7 => Lanes::<7>::stereo(stages, frames),
            _ => Lanes::<8>::stereo(stages, frames),
        }
    }
}

/// Runs a mono cascade over `frames` in place. An odd one out keeps an idle lane that passes its input.
pub fn run_mono(stages: &mut [Stage], frames: &mut [f64]) {
    for stages in stages.chunks_mut(2 * MAX_REGISTERS) {
        match stages.len().div_ceil(2) {
            1 => Lanes::<1>::mono(stages, frames),
            2 => Lanes::<2>::mono(stages, frames),
            3 => Lanes::<3>::mono(stages, frames),
            4 => Lanes::<4>::mono(stages, frames),
            5 => Lanes::<5>::mono(stages, frames),
            6 => Lanes::<6>::mono(stages, frames),
            7 => Lanes::<7>::mono(stages, frames),
            _ => Lanes::<8>::mono(stages, frames),
        }
    }
}

/// The same cascade, frame by frame: the form that the lanes are measured and tested against.
pub fn run_plain(stages: &mut [Stage], channel: usize, frames: &mut [f64]) {
    for x in frames {
        *x = stages.iter_mut().fold(*x, |x, stage| stage.step(channel, x));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::eq_design::bell;

    fn stages(count: usize) -> Vec<Stage> {
        (0..count).map(|k| Stage::new(bell(0.05 + 0.13 * k as f64, 1.3, 5.0 - k as f64))).collect()
    }

    fn noise(frames: usize) -> Vec<f64> {
        let mut state = 7u64;
        (0..frames)
            .map(|_| {
                state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
                (state >> 40) as f64 / f64::from(1 << 23) - 1.0
            })
            .collect()
    }

    #[test]
    fn lanes_give_the_bytes_of_the_plain_cascade_for_every_length_and_cut() {
        let (left, right) = (noise(400), noise(900).split_off(500));
        for count in 1..=19 {
            let (mut plain_left, mut plain_right) = (left.clone(), right.clone());
            run_plain(&mut stages(count), 0, &mut plain_left);
            run_plain(&mut stages(count), 1, &mut plain_right);
            for block in [1, 2, 3, 7, 64, 400] {
                let (mut mono, mut cascade) = (left.clone(), stages(count));
                mono.chunks_mut(block).for_each(|frames| run_mono(&mut cascade, frames));
                assert_eq!(mono, plain_left, "{count} mono sections in blocks of {block}");
                let mut stereo: Vec<_> = left.iter().zip(&right).map(|(&l, &r)| [l, r]).collect();
                let mut cascade = stages(count);
                stereo.chunks_mut(block).for_each(|frames| run_stereo(&mut cascade, frames));
                assert!(stereo.iter().zip(&plain_left).all(|(frame, x)| frame[0] == *x));
                assert!(stereo.iter().zip(&plain_right).all(|(frame, x)| frame[1] == *x));
            }
        }
    }
}
