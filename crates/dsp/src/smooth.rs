//! Ramps: the way of a parameter from one value to the next.
//!
//! A step in a gain is a click; stairs are no better (64-sample stairs over 20 ms leave −50 dB above
//! 3 kHz on a 1 kHz sine, the same as a step). A hand on a knob therefore moves along half a cosine,
//! `v = a + (b − a)·(1 − cos πt)/2`, which over 20 ms leaves less than −120 dB. Automation moves in a
//! straight line and arrives exactly: its points are the musician's, not ours to round off.
//!
//! A ramp is a function of its frame count, so its values do not depend on how frames are cut into calls.

use crate::math;
use topdown_units::{SampleRate, db_to_gain, gain_to_db};

/// How long a move by hand takes.
pub const HAND_SECONDS: f64 = 0.02;

/// Frames of a move by hand.
#[must_use]
pub fn hand_frames(rate: SampleRate) -> usize {
    (HAND_SECONDS * rate.hz()) as usize
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Shape {
    Line,
    Cosine,
}

/// One number on its way.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Ramp {
    from: f64,
    to: f64,
    at: usize,
    length: usize,
    shape: Shape,
}

impl Ramp {
    /// At rest at `value`.
    #[must_use]
    pub const fn new(value: f64) -> Self {
        Self { from: value, to: value, at: 0, length: 0, shape: Shape::Line }
    }

    /// Goes to `target`: in a straight line over `ramp_frames`, or by half a cosine over `hand_frames`
    /// where `ramp_frames` is zero.
    pub fn go(&mut self, target: f64, ramp_frames: usize, hand_frames: usize) {
        let (length, shape) = match ramp_frames {
            0 => (hand_frames, Shape::Cosine),
            frames => (frames, Shape::Line),
        };
        *self = Self { from: self.value(), to: target, at: 0, length, shape };
    }

    /// The value at the present frame.
    #[must_use]
    pub fn value(&self) -> f64 {
        self.peek(0)
    }

    /// Where it goes.
    #[must_use]
    pub const fn target(&self) -> f64 {
        self.to
    }

    /// The lower end of the way; the same on the way and after it.
    #[must_use]
    pub const fn lowest(&self) -> f64 {
        self.from.min(self.to)
    }

    /// Whether it is on its way.
    #[must_use]
    pub const fn is_moving(&self) -> bool {
        self.at < self.length
    }

    /// The value `frames` from now.
    #[must_use]
    pub fn peek(&self, frames: usize) -> f64 {
        let at = self.at.saturating_add(frames);
        if at >= self.length {
            return self.to;
        }
        let t = at as f64 / self.length as f64;
        let share = match self.shape {
            Shape::Line => t,
            Shape::Cosine => 0.5 - 0.5 * math::cos(math::PI * t),
        };
        self.from + (self.to - self.from) * share
    }

    /// Passes `frames` frames.
    pub fn advance(&mut self, frames: usize) {
        self.at = self.at.saturating_add(frames).min(self.length);
    }

    /// The value of the next frame: the first one after `go` is already on its way, the last one there.
    pub fn next_frame(&mut self) -> f64 {
        self.advance(1);
        self.value()
    }

    /// At rest where it was going.
    pub fn settle(&mut self) {
        *self = Self::new(self.to);
    }
}

/// A gain on its way: by hand along half a cosine in amplitude, by automation along a line in dB.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct GainRamp {
    ramp: Ramp,
    in_db: bool,
    target: f64,
}

impl GainRamp {
    /// At rest at `db`.
    #[must_use]
    pub fn new(db: f64) -> Self {
        let target = db_to_gain(db);
        Self { ramp: Ramp::new(target), in_db: false, target }
    }

    /// Goes to `db`, see [`Ramp::go`].
    pub fn go(&mut self, db: f64, ramp_frames: usize, hand_frames: usize) {
        let now = self.value();
        self.target = db_to_gain(db);
        self.in_db = ramp_frames > 0 && now > 0.0;
        if self.in_db {
            self.ramp = Ramp::new(gain_to_db(now));
            self.ramp.go(db, ramp_frames, hand_frames);
        } else {
            self.ramp = Ramp::new(now);
            self.ramp.go(self.target, ramp_frames, hand_frames);
        }
    }

    /// Amplitude factor at the present frame.
    #[must_use]
    pub fn value(&self) -> f64 {
        if !self.ramp.is_moving() {
            self.target
        } else if self.in_db {
            math::exp2(self.ramp.value() * (std::f64::consts::LOG2_10 / 20.0))
        } else {
            self.ramp.value()
        }
    }

    /// Whether it is on its way.
    #[must_use]
    pub const fn is_moving(&self) -> bool {
        self.ramp.is_moving()
    }

    /// Amplitude factor of the next frame, see [`Ramp::next_frame`].
    pub fn next_frame(&mut self) -> f64 {
        self.ramp.advance(1);
        self.value()
    }

    /// At rest where it was going.
    pub fn settle(&mut self) {
        self.ramp.settle();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_ramp_arrives_exactly_at_its_last_frame() {
        for ramp_frames in [0, 7] {
            let mut ramp = Ramp::new(0.3);
            ramp.go(0.7, ramp_frames, 5);
            let frames = if ramp_frames == 0 { 5 } else { ramp_frames };
            let last = (0..frames).map(|_| ramp.next_frame()).last();
            assert_eq!(last, Some(0.7));
            assert!(!ramp.is_moving());
        }
    }

    #[test]
    fn peeking_tells_what_walking_finds() {
        let mut walked = Ramp::new(-1.0);
        walked.go(2.0, 0, 64);
        let start = walked;
        for frame in 1..=70 {
            let value = walked.next_frame();
            assert_eq!(value, start.peek(frame));
        }
    }

    #[test]
    fn an_automated_gain_is_linear_in_decibels_and_ends_at_exactly_unity() {
        let mut gain = GainRamp::new(-12.0);
        gain.go(0.0, 100, 10);
        let half = (0..50).map(|_| gain.next_frame()).last().unwrap();
        assert!((gain_to_db(half) + 6.0).abs() < 1e-9);
        let end = (0..50).map(|_| gain.next_frame()).last().unwrap();
        assert_eq!(end, 1.0);
    }
}
