//! One band of the equaliser in motion.
//!
//! Frequency, gain and Q travel on ramps. While anything travels the sections are designed anew every
//! [`GRID`] frames counted from the `set`, and the coefficients go from one design to the next in a straight
//! line, frame by frame: the region of stable coefficients is convex, so all between are stable. Shape, slope
//! and switch fade from the old coefficients to the new ones the same way. A band that is off has the poles
//! it would have and a numerator equal to them, so switching is a fade too. A slot that is no longer needed
//! keeps its poles until its memory is faint.

use crate::eq::{Band, SLOTS, Shape, slope_from_index};
use crate::eq_design::Section;
use crate::lanes::Stage;
use crate::math;
use crate::smooth::Ramp;
use topdown_units::SampleRate;

/// Frames from one design to the next while something moves.
pub(crate) const GRID: usize = 4;
/// Another shape is a longer way than another value: its fade takes this many moves by hand.
const FADE_HANDS: usize = 2;

/// One band in motion.
pub(crate) struct BandState {
    on: bool,
    shape: Shape,
    slope_db_oct: usize,
    log_freq: Ramp,
    gain_db: Ramp,
    log_q: Ramp,
    /// From `old` (0) to what the parameters say (1), after shape, slope or switch changed.
    fade: Ramp,
    old: [Section; SLOTS],
    pub(crate) stages: [Stage; SLOTS],
    pub(crate) step: [Section; SLOTS],
    pub(crate) active: [bool; SLOTS],
    /// From a `set` until the coefficients are exactly where it aimed.
    pub(crate) moving: bool,
}

impl BandState {
    pub(crate) fn new(band: &Band, rate: SampleRate) -> Self {
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

    pub(crate) fn has_ramps(&self) -> bool {
        let ramps = [&self.log_freq, &self.gain_db, &self.log_q, &self.fade];
        ramps.iter().any(|ramp| ramp.is_moving())
    }

    pub(crate) fn advance(&mut self, frames: usize) {
        for ramp in [&mut self.log_freq, &mut self.gain_db, &mut self.log_q, &mut self.fade] {
            ramp.advance(frames);
        }
    }

    /// At rest where the parameters say, with nothing in memory.
    pub(crate) fn rest(&mut self, rate: SampleRate) {
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

    pub(crate) fn set(&mut self, param: usize, value: f64, ramp_frames: usize, hand_frames: usize) {
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
    pub(crate) fn aim(&mut self, rate: SampleRate) -> f64 {
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
    pub(crate) fn arrive(&mut self, rate: SampleRate) {
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
    pub(crate) fn gain(&self) -> f64 {
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

/// One frame on.
pub(crate) fn add(section: &mut Section, step: &Section) {
    section.b1 += step.b1;
    section.b2 += step.b2;
    section.a1 += step.a1;
    section.a2 += step.a2;
}
