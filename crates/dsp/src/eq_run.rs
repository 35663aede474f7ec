//! The running equaliser: which sections are in the cascade, and when they may sleep.
//!
//! While nothing moves, the sections that do something lie in a row and run in lanes. While something moves
//! they run frame by frame, each with coefficients on their way (`eq_band`); the arithmetic of a section is
//! the same in both, so the bytes do not depend on where one form takes over. What may sleep is decided every
//! [`REST_GRID`] frames counted from the start, for the same reason.

use crate::clean::{clean, is_silent};
use crate::eq::{BANDS, EqSettings, GAIN, PER_BAND, SLOTS};
use crate::eq_band::{BandState, GRID, add};
use crate::eq_design::Section;
use crate::lanes::{Stage, run_mono, run_stereo};
use crate::math;
use crate::process::{Io, ProcessSpec, Processor, Status};
use crate::smooth::{GainRamp, hand_frames};
use topdown_units::SampleRate;

/// Frames between two looks at what may sleep.
const REST_GRID: usize = 256;
/// Memory below this (−240 dBFS) is forgotten once the input is silent.
const FLOOR: f64 = 1e-12;

/// The running equaliser.
pub(crate) struct Eq {
    rate: SampleRate,
    channels: usize,
    hand_frames: usize,
    bands: [BandState; BANDS],
    gain: GainRamp,
    /// The active sections in a row while nothing moves.
    cascade: Vec<Stage>,
    /// Whether the memory of the sections is in `cascade` (or else in `bands`).
    gathered: bool,
    /// Product of the gains of all sections.
    scale: f64,
    scale_step: f64,
    /// Frames until the next design; 0 when nothing moves.
    segment: usize,
    /// Frames since the last look at what may sleep, and whether all input since then was silent.
    rest_position: usize,
    input_silent: bool,
    /// Room for a piece of sound, mono or stereo.
    mono: Vec<f64>,
    stereo: Vec<[f64; 2]>,
    fresh: bool,
    cleaned: u64,
}

impl Eq {
    pub(crate) fn new(settings: &EqSettings, spec: &ProcessSpec) -> Self {
        let bands = settings.bands.map(|band| BandState::new(&band, spec.sample_rate));
        let mut eq = Self {
            rate: spec.sample_rate,
            channels: spec.channels,
            hand_frames: hand_frames(spec.sample_rate),
            bands,
            gain: GainRamp::new(settings.gain_db),
            cascade: Vec::with_capacity(BANDS * SLOTS),
            gathered: false,
            scale: 1.0,
            scale_step: 0.0,
            segment: 0,
            rest_position: 0,
            input_silent: true,
            mono: vec![0.0; REST_GRID],
            stereo: vec![[0.0; 2]; REST_GRID],
            fresh: true,
            cleaned: 0,
        };
        eq.gather();
        eq
    }

    /// Puts the active sections into the cascade.
    fn gather(&mut self) {
        self.cascade.clear();
        for band in &self.bands {
            let active = band.stages.iter().zip(&band.active).filter(|(_, active)| **active);
            self.cascade.extend(active.map(|(stage, _)| *stage));
        }
        self.scale = self.bands.iter().map(BandState::gain).product();
        self.gathered = true;
    }

    /// Takes the memory of the cascade back into the bands.
    fn scatter(&mut self) {
        if !std::mem::replace(&mut self.gathered, false) {
            return;
        }
        let mut cascade = self.cascade.iter();
        for band in &mut self.bands {
            let stages = band.stages.iter_mut().zip(&band.active).filter(|(_, active)| **active);
            for ((stage, _), run) in stages.zip(cascade.by_ref()) {
                *stage = *run;
            }
        }
    }

    fn is_moving(&self) -> bool {
        self.bands.iter().any(|band| band.moving)
    }

    /// Aims every moving section at its design one grid ahead.
    fn start_segment(&mut self) {
        let scale: f64 = self.bands.iter_mut().map(|band| band.aim(self.rate)).product();
        self.scale_step = (scale - self.scale) / GRID as f64;
        self.segment = GRID;
    }

    /// Runs `frames` of at most one segment, coefficients moving with every frame.
    fn run_moving(&mut self, frames: &mut [[f64; 2]]) {
        for frame in frames.iter_mut() {
            self.scale += self.scale_step;
            let mut y = frame.map(|x| x * self.scale);
            for band in &mut self.bands {
                for slot in (0..SLOTS).filter(|&slot| band.active[slot]) {
                    let stage = &mut band.stages[slot];
                    add(&mut stage.section, &band.step[slot]);
                    y[0] = stage.step(0, y[0]);
                    if self.channels == 2 {
                        y[1] = stage.step(1, y[1]);
                    }
                }
            }
            *frame = y;
        }
        self.bands.iter_mut().for_each(|band| band.advance(frames.len()));
        self.segment -= frames.len();
        if self.segment == 0 {
            self.end_segment();
        }
    }

    /// Puts exact designs where the lines ended, and everything to rest when nothing moves any more.
    fn end_segment(&mut self) {
        self.bands.iter_mut().for_each(|band| band.arrive(self.rate));
        self.scale = self.bands.iter().map(BandState::gain).product();
        if !self.is_moving() {
            self.gather();
        }
    }

    /// Runs a piece in which something moves, at least in the beginning.
    fn run_through_moves(&mut self, frames: &mut [[f64; 2]]) {
        let mut done = 0;
        while done < frames.len() {
            if self.segment == 0 && self.is_moving() {
                self.start_segment();
            }
            if self.segment == 0 {
                let (scale, rest) = (self.scale, &mut frames[done..]);
                rest.iter_mut().for_each(|frame| *frame = frame.map(|x| x * scale));
                return self.run_resting(rest);
            }
            let end = frames.len().min(done + self.segment);
            self.run_moving(&mut frames[done..end]);
            done = end;
        }
    }

    /// Frames that have their gain already.
    fn run_resting(&mut self, frames: &mut [[f64; 2]]) {
        if self.channels == 2 {
            return run_stereo(&mut self.cascade, frames);
        }
        let mono = &mut self.mono[..frames.len()];
        mono.iter_mut().zip(frames.iter()).for_each(|(x, frame)| *x = frame[0]);
        run_mono(&mut self.cascade, mono);
        frames.iter_mut().zip(mono).for_each(|(frame, x)| frame[0] = *x);
    }

    /// At a border of the rest grid: lets sections sleep that change nothing, and forgets faint memory
    /// after silence.
    fn look_for_rest(&mut self) {
        let silent = std::mem::replace(&mut self.input_silent, true);
        self.rest_position = 0;
        if self.segment > 0 || self.is_moving() {
            return;
        }
        self.scatter();
        for band in &mut self.bands {
            for (stage, active) in band.stages.iter_mut().zip(&mut band.active) {
                let faint = stage.loudest() < FLOOR;
                *active &= !(faint && stage.section.is_neutral());
                if !*active || (faint && silent) {
                    stage.clear();
                }
            }
        }
        self.gather();
    }

    fn is_empty(&self) -> bool {
        let moving = self.segment > 0 || self.is_moving() || self.gain.is_moving();
        !moving && self.cascade.iter().all(|stage| stage.loudest() == 0.0)
    }

    fn process_piece(&mut self, left: &mut [f32], right: Option<&mut [f32]>) {
        let silent = is_silent(left) && right.as_deref().is_none_or(is_silent);
        self.input_silent &= silent;
        let moving = self.segment > 0 || self.is_moving();
        let at_unity = !self.gain.is_moving() && self.gain.value() == 1.0;
        let neutral = !moving && self.cascade.is_empty() && at_unity;
        if neutral || (silent && self.is_empty()) {
            return;
        }
        match right {
            Some(right) => self.process_stereo(left, right, moving),
            None if moving || self.gain.is_moving() => {
                let mut unheard = [0.0; REST_GRID];
                self.process_stereo(left, &mut unheard[..left.len()], moving);
            }
            None => self.process_mono(left),
        }
    }

    /// One channel at rest, without the detour over pairs.
    fn process_mono(&mut self, samples: &mut [f32]) {
        let (scale, gain) = (self.scale, self.gain.value());
        let mono = &mut self.mono[..samples.len()];
        mono.iter_mut().zip(samples.iter()).for_each(|(to, x)| *to = f64::from(*x) * scale);
        run_mono(&mut self.cascade, mono);
        samples.iter_mut().zip(mono.iter()).for_each(|(to, x)| *to = (*x * gain) as f32);
    }

    fn process_stereo(&mut self, left: &mut [f32], right: &mut [f32], moving: bool) {
        let mut stereo = std::mem::take(&mut self.stereo);
        let frames = &mut stereo[..left.len()];
        let scale = if moving { 1.0 } else { self.scale };
        for (frame, (left, right)) in frames.iter_mut().zip(left.iter().zip(right.iter())) {
            *frame = [f64::from(*left) * scale, f64::from(*right) * scale];
        }
        if moving {
            self.run_through_moves(frames);
        } else {
            self.run_resting(frames);
        }
        let rest = self.gain.value();
        let ramp = self.gain.is_moving();
        for (frame, (left, right)) in frames.iter().zip(left.iter_mut().zip(right.iter_mut())) {
            let gain = if ramp { self.gain.next_frame() } else { rest };
            (*left, *right) = ((frame[0] * gain) as f32, (frame[1] * gain) as f32);
        }
        self.stereo = stereo;
    }
}

impl Processor for Eq {
    fn latency_frames(&self) -> usize {
        0
    }

    fn tail_frames(&self) -> usize {
        // Every section in turn from +60 dBFS down to the floor, and the rest grid twice.
        let stages = self.bands.iter().flat_map(|band| band.stages.iter().zip(&band.active));
        let active = stages.filter(|(_, active)| **active).map(|(stage, _)| stage.section);
        let decay =
            |section: Section| -math::ln(FLOOR * 1e-3) / -math::ln(section.pole_radius().max(1e-9));
        2 * REST_GRID + active.map(|section| decay(section).ceil() as usize).sum::<usize>()
    }

    fn set(&mut self, param: usize, value: f64, ramp_frames: usize) {
        let hand_frames = if self.fresh { 0 } else { self.hand_frames };
        if param == GAIN {
            return self.gain.go(value, ramp_frames, hand_frames);
        }
        let Some(band) = self.bands.get_mut(param / PER_BAND) else { return };
        band.set(param % PER_BAND, value, ramp_frames, hand_frames);
        if self.fresh && !band.has_ramps() {
            band.rest(self.rate);
            self.scale = self.bands.iter().map(BandState::gain).product();
        }
        if self.is_moving() {
            // From the coefficients as they are now, whatever line they were on.
            self.scatter();
            self.segment = 0;
        } else if self.fresh {
            self.gather();
        }
    }

    fn process(&mut self, io: &mut Io<'_>) -> Status {
        let frames = io.frames();
        self.fresh &= frames == 0;
        let silent = io.input == Status::Silent && self.is_empty();
        let (left, mut right) = io.split_mut();
        self.cleaned += clean(left) + right.as_deref_mut().map_or(0, clean);
        let mut start = 0;
        while start < frames {
            let end = frames.min(start + REST_GRID - self.rest_position);
            let piece = right.as_deref_mut().map(|right| &mut right[start..end]);
            self.process_piece(&mut left[start..end], piece);
            self.rest_position += end - start;
            if self.rest_position == REST_GRID {
                self.look_for_rest();
            }
            start = end;
        }
        if silent { Status::Silent } else { Status::Filled }
    }

    fn reset(&mut self) {
        self.bands.iter_mut().for_each(|band| band.rest(self.rate));
        self.gather();
        self.gain.settle();
        (self.segment, self.scale_step, self.rest_position) = (0, 0.0, 0);
        (self.input_silent, self.fresh, self.cleaned) = (true, true, 0);
    }

    fn cleaned_samples(&self) -> u64 {
        self.cleaned
    }
}
