//! An opening that a level opens and closes: the decision of gate and ducker.
//!
//! It opens when the level reaches the threshold, and closes when the level has stayed below the threshold less
//! the hysteresis for the hold time. Between open and closed its width p goes in a straight line, all the way in
//! the attack time one way and in the release time the other; what is made of it follows `p²(3 − 2p)`, so that
//! no move begins or ends with a corner. At both ends the width is exactly 0 or 1.

use crate::fast_math::{DB_PER_OCTAVE, exp2};
use crate::smooth::Ramp;

/// Opens and closes.
#[derive(Clone, Debug)]
pub struct Opening {
    rate_hz: f64,
    threshold_db: Ramp,
    hysteresis_db: Ramp,
    hold_frames: usize,
    up: f64,
    down: f64,
    held: usize,
    open: bool,
    width: f64,
}

impl Opening {
    /// Closed. Times in ms, threshold in dBFS.
    #[must_use]
    pub fn new(rate_hz: f64, threshold_db: f64, hysteresis_db: f64) -> Self {
        Self {
            rate_hz,
            threshold_db: Ramp::new(threshold_db),
            hysteresis_db: Ramp::new(hysteresis_db),
            hold_frames: 0,
            up: 1.0,
            down: 1.0,
            held: 0,
            open: false,
            width: 0.0,
        }
    }

    /// The times to open, to stay open and to close, ms.
    pub fn set_times(&mut self, attack_ms: f64, hold_ms: f64, release_ms: f64) {
        let step = |ms: f64| 1.0 / (ms * self.rate_hz / 1e3).max(1.0);
        (self.up, self.down) = (step(attack_ms), step(release_ms));
        self.hold_frames = (hold_ms * self.rate_hz / 1e3) as usize;
    }

    /// Moves the threshold.
    pub fn set_threshold(&mut self, db: f64, ramp_frames: usize, hand_frames: usize) {
        self.threshold_db.go(db, ramp_frames, hand_frames);
    }

    /// Moves the hysteresis.
    pub fn set_hysteresis(&mut self, db: f64, ramp_frames: usize, hand_frames: usize) {
        self.hysteresis_db.go(db, ramp_frames, hand_frames);
    }

    /// Levels (amplitudes) to widths from 0 to 1, in place. Whether all of them are one and the same as
    /// `rest`.
    pub fn widths(&mut self, levels: &mut [f32], rest: f32) -> bool {
        let moving = self.threshold_db.is_moving() || self.hysteresis_db.is_moving();
        let mut thresholds = self.thresholds();
        let mut resting = true;
        for level in levels {
            if moving {
                self.threshold_db.advance(1);
                self.hysteresis_db.advance(1);
                thresholds = self.thresholds();
            }
            let (opens, stays) = thresholds;
            if *level >= opens || (self.open && *level >= stays) {
                (self.open, self.held) = (true, self.hold_frames);
            } else if self.held > 0 {
                self.held -= 1;
            } else {
                self.open = false;
            }
            let width = if self.open { self.width + self.up } else { self.width - self.down };
            self.width = width.clamp(0.0, 1.0);
            let p = self.width as f32;
            *level = p * p * (3.0 - 2.0 * p);
            resting &= *level == rest;
        }
        resting
    }

    /// Amplitudes that open it and that keep it open.
    fn thresholds(&self) -> (f32, f32) {
        let amplitude = |db: f64| exp2(db as f32 / DB_PER_OCTAVE);
        let opens = self.threshold_db.value();
        (amplitude(opens), amplitude(opens - self.hysteresis_db.value()))
    }

    /// Closed, at rest where it was going.
    pub fn reset(&mut self) {
        self.threshold_db.settle();
        self.hysteresis_db.settle();
        (self.held, self.open, self.width) = (0, false, 0.0);
    }
}
