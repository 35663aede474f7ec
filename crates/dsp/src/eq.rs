//! Equaliser: eight bands of bell, shelves, passes, tilt and notch.
//!
//! **Promise.** Follows the analogue prototypes up to 20 kHz at 44.1 kHz: bells within 1.0 dB (0.1 dB up to
//! 1 kHz), shelves within 0.8 dB, low-passes within 1.8 dB (measured: docs/dsp/eq.md). A boost and the same
//! cut cancel below −140 dB. A band at 0 dB, and an equaliser with all bands off, change no bit. No latency.
//!
//! **Form.** Sections of second order with the matched coefficients of [`crate::eq_design`], memory in
//! `f64`, run side by side by [`crate::lanes`]. Passes of 6 to 48 dB per octave are Butterworth cascades;
//! `q` scales the section with the highest Q and 0.7071 is Butterworth itself.
//!
//! **Movement.** Frequency, gain and Q travel on ramps. While anything travels the sections are designed
//! anew every [`GRID`] frames counted from the `set`, and the coefficients go from one design to the next
//! in a straight line, frame by frame (the region of stable coefficients is convex, so all between are
//! stable). Shape, slope and switch fade from the old coefficients to the new ones the same way; a band that
//! is off has the poles it would have and a numerator equal to them, so switching is a fade too. A band
//! leaves the cascade when it changes nothing and its memory is below −240 dB.

use crate::clean::{clean, is_silent};
use crate::eq_design::{self as design, Section};
use crate::lanes::{Stage, run_mono, run_stereo};
use crate::math;
use crate::param::{ParamSpec, Unit};
use crate::process::{Io, ProcessSpec, Processor, Settings, Status};
use crate::smooth::{GainRamp, Ramp, hand_frames};
use topdown_units::SampleRate;

/// Bands of one equaliser.
pub const BANDS: usize = 8;
/// Sections of one band at the steepest slope.
const SLOTS: usize = 4;
/// Frames from one design to the next while something moves.
const GRID: usize = 4;
/// Another shape is a longer way than another value: its fade takes this many moves by hand.
const FADE_HANDS: usize = 2;
/// Frames between two looks at what may sleep, counted from the start.
const REST_GRID: usize = 256;
/// Memory below this (−240 dBFS) is forgotten once the input is silent.
const FLOOR: f64 = 1e-12;
/// The highest frequency of a band as a share of the sample rate.
const MAX_SHARE: f64 = 0.49;

/// What a band does.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Shape {
    /// Boost or cut around a frequency.
    #[default]
    Bell,
    /// Boost or cut below a frequency.
    LowShelf,
    /// Boost or cut above a frequency.
    HighShelf,
    /// Takes away what is below a frequency.
    HighPass,
    /// Takes away what is above a frequency.
    LowPass,
    /// Brighter or darker around a frequency.
    Tilt,
    /// Takes one frequency out.
    Notch,
}

impl Shape {
    /// Every shape, in the order of the parameter's names.
    pub const ALL: [Self; 7] = [
        Self::Bell,
        Self::LowShelf,
        Self::HighShelf,
        Self::HighPass,
        Self::LowPass,
        Self::Tilt,
        Self::Notch,
    ];
    const NAMES: &'static [&'static str] =
        &["bell", "low_shelf", "high_shelf", "high_pass", "low_pass", "tilt", "notch"];

    fn from_index(value: f64) -> Self {
        Self::ALL.get(value as usize).copied().unwrap_or_default()
    }

    const fn has_gain(self) -> bool {
        matches!(self, Self::Bell | Self::LowShelf | Self::HighShelf | Self::Tilt)
    }
}

/// Slopes of the passes in dB per octave.
pub const SLOPES_DB_OCT: [usize; 6] = [6, 12, 18, 24, 36, 48];
const SLOPE_NAMES: &[&str] = &["6", "12", "18", "24", "36", "48"];

/// One band.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Band {
    /// Whether it does anything.
    pub on: bool,
    /// What it does.
    pub shape: Shape,
    /// Centre or corner in Hz.
    pub freq_hz: f64,
    /// Boost or cut in dB, of bell, shelves and tilt.
    pub gain_db: f64,
    /// Quality of bell, shelves, notch and passes from 12 dB per octave on.
    pub q: f64,
    /// Slope of the passes in dB per octave, one of [`SLOPES_DB_OCT`].
    pub slope_db_oct: usize,
}

/// Eight bands and an output gain.
#[derive(Clone, Debug, PartialEq)]
pub struct EqSettings {
    /// The bands, first to last.
    pub bands: [Band; BANDS],
    /// Gain of the output in dB.
    pub gain_db: f64,
}

const BUTTERWORTH_Q: f64 = std::f64::consts::FRAC_1_SQRT_2;
const DEFAULT_HZ: [f64; BANDS] = [40.0, 100.0, 250.0, 630.0, 1600.0, 4000.0, 8000.0, 12_000.0];

impl Default for EqSettings {
    fn default() -> Self {
        let band = |freq_hz| Band {
            on: false,
            shape: Shape::Bell,
            freq_hz,
            gain_db: 0.0,
            q: BUTTERWORTH_Q,
            slope_db_oct: 12,
        };
        Self { bands: DEFAULT_HZ.map(band), gain_db: 0.0 }
    }
}

const PER_BAND: usize = 6;
const GAIN: usize = BANDS * PER_BAND;

macro_rules! eq_params {
    ($($n:literal),*) => { &[
        $(
            ParamSpec::switch(concat!("band_", $n, ".on"), concat!("Band ", $n),
                false, "Whether the band does anything"),
            ParamSpec::choice(concat!("band_", $n, ".shape"), concat!("Band ", $n, " shape"),
                Shape::NAMES, 0, "What the band does"),
            ParamSpec::number(concat!("band_", $n, ".freq_hz"), concat!("Band ", $n, " frequency"),
                Unit::Hz, (10.0, 24_000.0), DEFAULT_HZ[$n - 1], "Centre or corner").log(),
            ParamSpec::number(concat!("band_", $n, ".gain_db"), concat!("Band ", $n, " gain"),
                Unit::Db, (-24.0, 24.0), 0.0, "Boost or cut of bell, shelf and tilt").scaled(),
            ParamSpec::number(concat!("band_", $n, ".q"), concat!("Band ", $n, " Q"),
                Unit::None, (0.1, 24.0), BUTTERWORTH_Q, "Higher is narrower").log(),
            ParamSpec::choice(concat!("band_", $n, ".slope_db_oct"), concat!("Band ", $n, " slope"),
                SLOPE_NAMES, 1, "Slope of high-pass and low-pass in dB per octave"),
        )*
        ParamSpec::number("gain_db", "Gain", Unit::Db, (-24.0, 24.0), 0.0, "Gain of the output")
            .scaled(),
    ] };
}

impl Settings for EqSettings {
    const ID: &'static str = "eq";
    const LABEL: &'static str = "Equaliser";
    const PARAMS: &'static [ParamSpec] = eq_params!(1, 2, 3, 4, 5, 6, 7, 8);

    fn from_plain(values: &[f64]) -> Self {
        let at = |index: usize| values.get(index).copied().unwrap_or(Self::PARAMS[index].default);
        let band = |first: usize| Band {
            on: at(first) != 0.0,
            shape: Shape::from_index(at(first + 1)),
            freq_hz: at(first + 2),
            gain_db: at(first + 3),
            q: at(first + 4),
            slope_db_oct: slope_from_index(at(first + 5)),
        };
        Self { bands: std::array::from_fn(|n| band(n * PER_BAND)), gain_db: at(GAIN) }
    }

    fn to_plain(&self) -> Vec<f64> {
        let band = |band: &Band| {
            let slope = SLOPES_DB_OCT.iter().position(|slope| *slope == band.slope_db_oct);
            [
                f64::from(u8::from(band.on)),
                band.shape as usize as f64,
                band.freq_hz,
                band.gain_db,
                band.q,
                slope.unwrap_or(1) as f64,
            ]
        };
        self.bands.iter().flat_map(band).chain([self.gain_db]).collect()
    }

    fn build(&self, spec: &ProcessSpec) -> Box<dyn Processor> {
        Box::new(Eq::new(self, spec))
    }
}

fn slope_from_index(value: f64) -> usize {
    SLOPES_DB_OCT.get(value as usize).copied().unwrap_or(12)
}

impl Band {
    /// The band's sections at `rate`; slots beyond its order change nothing.
    fn design(&self, rate: SampleRate) -> [Section; SLOTS] {
        let w = math::TAU * (self.freq_hz / rate.hz()).min(MAX_SHARE);
        let one = match self.shape {
            Shape::Bell => design::bell(w, self.q, self.gain_db),
            Shape::LowShelf => design::low_shelf(w, self.q, self.gain_db),
            Shape::HighShelf => design::high_shelf(w, self.q, self.gain_db),
            Shape::Tilt => design::tilt(w, self.gain_db),
            Shape::Notch => design::notch(w, self.q),
            Shape::HighPass => {
                return self.pass(w, design::high_pass_first_order, design::high_pass);
            }
            Shape::LowPass => return self.pass(w, design::low_pass_first_order, design::low_pass),
        };
        [one, Section::IDENTITY, Section::IDENTITY, Section::IDENTITY]
    }

    fn pass(
        &self,
        w: f64,
        first: impl Fn(f64) -> Section,
        second: impl Fn(f64, f64) -> Section,
    ) -> [Section; SLOTS] {
        let order = self.slope_db_oct / 6;
        let mut sections = [Section::IDENTITY; SLOTS];
        for (index, section) in sections.iter_mut().take(order / 2).enumerate() {
            // Index 0 is the pole pair nearest to the imaginary axis, the one that rings.
            let q = design::butterworth_q(order, index);
            let scale = if index == 0 { self.q / BUTTERWORTH_Q } else { 1.0 };
            *section = second(w, q * scale);
        }
        if order % 2 == 1 {
            sections[order / 2] = first(w);
        }
        sections
    }

    fn changes_something(&self) -> bool {
        self.on && (!self.shape.has_gain() || self.gain_db != 0.0)
    }
}

/// The response of `settings` at `hz` in dB, as the processor has it at `rate`.
#[must_use]
pub fn response_db(settings: &EqSettings, rate: SampleRate, hz: f64) -> f64 {
    let w = math::TAU * hz / rate.hz();
    let bands = settings.bands.iter().filter(|band| band.changes_something());
    let power = |band: &Band| band.design(rate).iter().map(|section| section.power(w)).product();
    bands.map(|band| 10.0 * math::log10(power(band))).sum::<f64>() + settings.gain_db
}

/// One band in motion.
struct BandState {
    on: bool,
    shape: Shape,
    slope_db_oct: usize,
    log_freq: Ramp,
    gain_db: Ramp,
    log_q: Ramp,
    /// From `old` (0) to what the parameters say (1), after shape, slope or switch changed.
    fade: Ramp,
    old: [Section; SLOTS],
    stages: [Stage; SLOTS],
    step: [Section; SLOTS],
    active: [bool; SLOTS],
    /// From a `set` until the coefficients are exactly where it aimed.
    moving: bool,
}

impl BandState {
    fn new(band: &Band, rate: SampleRate) -> Self {
        let mut state = Self {
            on: band.on,
            shape: band.shape,
            slope_db_oct: band.slope_db_oct,
            log_freq: Ramp::new(math::ln(band.freq_hz)),
            gain_db: Ramp::new(band.gain_db),
            log_q: Ramp::new(math::ln(band.q)),
            fade: Ramp::new(1.0),
            old: [Section::IDENTITY; SLOTS],
            stages: [Stage::new(Section::IDENTITY); SLOTS],
            step: [STILL; SLOTS],
            active: [false; SLOTS],
            moving: false,
        };
        state.rest(rate);
        state
    }

    fn band_at(&self, ahead: usize) -> Band {
        Band {
            on: self.on,
            shape: self.shape,
            freq_hz: math::exp(self.log_freq.peek(ahead)),
            gain_db: self.gain_db.peek(ahead),
            q: math::exp(self.log_q.peek(ahead)),
            slope_db_oct: self.slope_db_oct,
        }
    }

    /// The sections `ahead` frames from now.
    fn sections_at(&self, ahead: usize, rate: SampleRate) -> [Section; SLOTS] {
        let band = self.band_at(ahead);
        let mut sections = band.design(rate);
        if !band.on {
            sections = sections.map(|section| section.neutral());
        }
        let share = self.fade.peek(ahead);
        for (section, old) in sections.iter_mut().zip(&self.old) {
            // A slot that is not needed any more keeps its poles until its memory is faint.
            if *section == Section::IDENTITY {
                *section = old.neutral();
            }
            if share < 1.0 {
                let from = if *old == Section::IDENTITY { section.neutral() } else { *old };
                *section = between(&from, section, share);
            }
        }
        sections
    }

    fn has_ramps(&self) -> bool {
        let ramps = [&self.log_freq, &self.gain_db, &self.log_q, &self.fade];
        ramps.iter().any(|ramp| ramp.is_moving())
    }

    fn advance(&mut self, frames: usize) {
        for ramp in [&mut self.log_freq, &mut self.gain_db, &mut self.log_q, &mut self.fade] {
            ramp.advance(frames);
        }
    }

    /// At rest where the parameters say, with nothing in memory.
    fn rest(&mut self, rate: SampleRate) {
        self.advance(usize::MAX);
        self.moving = false;
        self.old = [Section::IDENTITY; SLOTS];
        let sections = self.sections_at(0, rate);
        self.stages = sections.map(Stage::new);
        self.active = sections.map(|section| !section.is_neutral());
    }

    fn fade_from_here(&mut self, hand_frames: usize) {
        for slot in (0..SLOTS).filter(|&slot| self.active[slot]) {
            self.old[slot] = self.stages[slot].section;
        }
        self.fade = Ramp::new(0.0);
        self.fade.go(1.0, 0, FADE_HANDS * hand_frames);
    }

    fn set(&mut self, param: usize, value: f64, ramp_frames: usize, hand_frames: usize) {
        match param {
            0 if self.on != (value != 0.0) => {
                self.on = value != 0.0;
                self.fade_from_here(hand_frames);
            }
            1 if self.shape != Shape::from_index(value) => {
                self.shape = Shape::from_index(value);
                self.fade_from_here(hand_frames);
            }
            2 => self.log_freq.go(math::ln(value), ramp_frames, hand_frames),
            3 => self.gain_db.go(value, ramp_frames, hand_frames),
            4 => self.log_q.go(math::ln(value), ramp_frames, hand_frames),
            5 if self.slope_db_oct != slope_from_index(value) => {
                self.slope_db_oct = slope_from_index(value);
                self.fade_from_here(hand_frames);
            }
            _ => return,
        }
        self.moving = true;
    }

    /// The lines to the design one grid ahead; the gain that the active sections then have.
    fn aim(&mut self, rate: SampleRate) -> f64 {
        if !self.moving {
            return self.gain();
        }
        let next = self.sections_at(GRID, rate);
        for (slot, next) in next.iter().enumerate() {
            let now = &mut self.stages[slot].section;
            if !self.active[slot] && !next.is_neutral() {
                self.active[slot] = true;
                *now = next.neutral();
            }
            self.step[slot] = slope(now, next);
        }
        active_gain(&next, &self.active)
    }

    /// The exact design where the lines ended.
    fn arrive(&mut self, rate: SampleRate) {
        if !self.moving {
            return;
        }
        let sections = self.sections_at(0, rate);
        for (stage, section) in self.stages.iter_mut().zip(sections) {
            stage.section = section;
        }
        self.step = [STILL; SLOTS];
        self.moving = self.has_ramps();
    }

    /// Product of the gains of the active sections.
    fn gain(&self) -> f64 {
        active_gain(&self.stages.map(|stage| stage.section), &self.active)
    }
}

/// What a frame adds to coefficients that do not move.
const STILL: Section = Section { gain: 0.0, ..Section::IDENTITY };

/// `from + share·(to − from)`, coefficient by coefficient.
fn between(from: &Section, to: &Section, share: f64) -> Section {
    // The numerator with its gain inside is what fades; a product of two lines would not be a line.
    let mix = |from: f64, to: f64| from + share * (to - from);
    let gain = mix(from.gain, to.gain);
    Section {
        gain,
        b1: mix(from.gain * from.b1, to.gain * to.b1) / gain,
        b2: mix(from.gain * from.b2, to.gain * to.b2) / gain,
        a1: mix(from.a1, to.a1),
        a2: mix(from.a2, to.a2),
    }
}

struct Eq {
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
    fresh: bool,
    cleaned: u64,
}

impl Eq {
    fn new(settings: &EqSettings, spec: &ProcessSpec) -> Self {
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

    fn run(&mut self, frames: &mut [[f64; 2]], mono: &mut [f64]) {
        let mut done = 0;
        while done < frames.len() {
            if self.segment == 0 && self.is_moving() {
                self.start_segment();
            }
            if self.segment > 0 {
                let end = frames.len().min(done + self.segment);
                self.run_moving(&mut frames[done..end]);
                done = end;
                continue;
            }
            self.run_resting(&mut frames[done..], mono);
            break;
        }
    }

    fn run_resting(&mut self, frames: &mut [[f64; 2]], mono: &mut [f64]) {
        if self.channels == 2 {
            for frame in frames.iter_mut() {
                *frame = frame.map(|x| x * self.scale);
            }
            return run_stereo(&mut self.cascade, frames);
        }
        let mono = &mut mono[..frames.len()];
        for (x, frame) in mono.iter_mut().zip(frames.iter()) {
            *x = frame[0] * self.scale;
        }
        run_mono(&mut self.cascade, mono);
        for (x, frame) in mono.iter().zip(frames) {
            frame[0] = *x;
        }
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
        let neutral = self.cascade.is_empty() && self.segment == 0 && !self.is_moving();
        let at_unity = !self.gain.is_moving() && self.gain.value() == 1.0;
        if (neutral && at_unity) || (silent && self.is_empty()) {
            return;
        }
        let mut frames = [[0.0; 2]; REST_GRID];
        let frames = &mut frames[..left.len()];
        for (frame, x) in frames.iter_mut().zip(left.iter()) {
            frame[0] = f64::from(*x);
        }
        for (frame, x) in frames.iter_mut().zip(right.as_deref().unwrap_or_default()) {
            frame[1] = f64::from(*x);
        }
        self.run(frames, &mut [0.0; REST_GRID]);
        if self.gain.is_moving() {
            for frame in frames.iter_mut() {
                let gain = self.gain.next_frame();
                *frame = frame.map(|x| x * gain);
            }
        } else if !at_unity {
            let gain = self.gain.value();
            frames.iter_mut().for_each(|frame| *frame = frame.map(|x| x * gain));
        }
        for (x, frame) in left.iter_mut().zip(frames.iter()) {
            *x = frame[0] as f32;
        }
        for (x, frame) in right.into_iter().flatten().zip(frames.iter()) {
            *x = frame[1] as f32;
        }
    }
}

fn active_gain(sections: &[Section; SLOTS], active: &[bool; SLOTS]) -> f64 {
    let active = sections.iter().zip(active).filter(|(_, active)| **active);
    active.map(|(section, _)| section.gain).product()
}

/// What one frame adds on the way from `now` to `next` over one grid.
fn slope(now: &Section, next: &Section) -> Section {
    let part = |now: f64, next: f64| (next - now) / GRID as f64;
    Section {
        gain: 0.0,
        b1: part(now.b1, next.b1),
        b2: part(now.b2, next.b2),
        a1: part(now.a1, next.a1),
        a2: part(now.a2, next.a2),
    }
}

fn add(section: &mut Section, step: &Section) {
    section.b1 += step.b1;
    section.b2 += step.b2;
    section.a1 += step.a1;
    section.a2 += step.a2;
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
