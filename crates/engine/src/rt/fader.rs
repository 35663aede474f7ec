//! Gains: the level of a feed, and a strip's fader, pan and width as one small matrix.
//!
//! A constant gain of 1 leaves samples bit for bit as they are. Automation is evaluated at every sample.
//! What a hand sets glides along half a cosine (stairs and steps click; see `topdown_dsp::smooth`).

use super::curve::Curve;
use topdown_dsp::smooth::Ramp;
use topdown_dsp::{Buffer, pan};
use topdown_session::Value;
use topdown_units::{FADER_FLOOR_DB, db_to_gain};

/// Amplitude factor of a fader or send; at and below the floor it is closed.
fn level(db: f64) -> f64 {
    if db <= FADER_FLOOR_DB { 0.0 } else { db_to_gain(db) }
}

/// A plain value over time.
#[derive(Clone, Debug)]
enum Control {
    Constant(f64),
    Automated(Curve),
}

impl Control {
    fn new(value: &Value) -> Self {
        match value {
            Value::Constant(value) => Self::Constant(*value),
            Value::Automation(points) => Self::Automated(Curve::new(points, false)),
        }
    }

    fn at(&mut self, frame: i64) -> f64 {
        match self {
            Self::Constant(value) => *value,
            Self::Automated(curve) => curve.value(frame),
        }
    }

    const fn is_constant(&self) -> bool {
        matches!(self, Self::Constant(_))
    }
}

/// The level of a feed.
#[derive(Clone, Debug)]
pub(crate) struct Level {
    db: Control,
    settled: f64,
    open: Ramp,
    glide: Ramp,
    hand_frames: usize,
}

impl Level {
    pub(crate) fn new(level_db: &Value, open: bool, hand_frames: usize) -> Self {
        let settled = level(level_db.resting());
        let open = Ramp::new(if open { 1.0 } else { 0.0 });
        Self { db: Control::new(level_db), settled, open, glide: Ramp::new(settled), hand_frames }
    }

    pub(crate) fn set_db(&mut self, db: f64, frame: i64) {
        if let Control::Automated(curve) = &mut self.db {
            self.glide = Ramp::new(level(curve.value(frame)));
        }
        self.db = Control::Constant(db);
        self.settled = level(db);
        self.glide.go(self.settled, 0, self.hand_frames);
    }

    pub(crate) fn set_open(&mut self, open: bool) {
        self.open.go(if open { 1.0 } else { 0.0 }, 0, self.hand_frames);
    }

    /// The factor, if it is the same for whatever comes next.
    pub(crate) fn constant(&self) -> Option<f64> {
        if self.open.is_moving() || self.glide.is_moving() {
            None
        } else if self.open.target() == 0.0 {
            Some(0.0)
        } else {
            self.db.is_constant().then_some(self.settled)
        }
    }

    /// The factor at each of some frames.
    pub(crate) fn fill(&mut self, frame: i64, gains: &mut [f64]) {
        for (gain, frame) in gains.iter_mut().zip(frame..) {
            let level = match &mut self.db {
                Control::Constant(_) => self.glide.next_frame(),
                Control::Automated(curve) => level(curve.value(frame)),
            };
            *gain = level * self.open.next_frame();
        }
    }
}

/// What comes out left and right of what goes in left and right.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Matrix {
    left_from_left: f64,
    left_from_right: f64,
    right_from_left: f64,
    right_from_right: f64,
}

impl Matrix {
    fn mix(self, other: Self, share: f64) -> Self {
        let mix = |a: f64, b: f64| a + (b - a) * share;
        Self {
            left_from_left: mix(self.left_from_left, other.left_from_left),
            left_from_right: mix(self.left_from_right, other.left_from_right),
            right_from_left: mix(self.right_from_left, other.right_from_left),
            right_from_right: mix(self.right_from_right, other.right_from_right),
        }
    }
}

/// A strip's fader, pan and width.
#[derive(Clone, Debug)]
pub(crate) struct Fader {
    fader_db: Control,
    pan: Control,
    width: Control,
    stereo: bool,
    /// Whether one side reaches the other; decided by the settings and never by a value on its way, so
    /// that a block has the same arithmetic wherever it is cut.
    crosses: bool,
    settled: Matrix,
    /// A hand's change: from this matrix to the present one.
    from: Matrix,
    glide: Ramp,
    hand_frames: usize,
}

/// What a hand can set.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Knob {
    Fader,
    Pan,
    Width,
}

impl Fader {
    pub(crate) fn new(
        [fader_db, pan, width]: [&Value; 3],
        channels: usize,
        hand_frames: usize,
    ) -> Self {
        let zero = Matrix {
            left_from_left: 0.0,
            left_from_right: 0.0,
            right_from_left: 0.0,
            right_from_right: 0.0,
        };
        let mut fader = Self {
            fader_db: Control::new(fader_db),
            pan: Control::new(pan),
            width: Control::new(width),
            stereo: channels == 2,
            crosses: channels == 2 && *width != Value::Constant(1.0),
            settled: zero,
            from: zero,
            glide: Ramp::new(1.0),
            hand_frames,
        };
        fader.settled = fader.matrix(0);
        fader
    }

    fn matrix(&mut self, frame: i64) -> Matrix {
        let gain = level(self.fader_db.at(frame));
        let position = self.pan.at(frame);
        if !self.stereo {
            let (left, right) = pan::pan_gains(position);
            return Matrix {
                left_from_left: gain * left,
                left_from_right: 0.0,
                right_from_left: gain * right,
                right_from_right: 0.0,
            };
        }
        let (left, right) = pan::balance_gains(position);
        let (same, other) = pan::width_gains(self.width.at(frame));
        Matrix {
            left_from_left: gain * left * same,
            left_from_right: gain * left * other,
            right_from_left: gain * right * other,
            right_from_right: gain * right * same,
        }
    }

    /// Aims one of the three at a new value, coming from where everything is at `frame`.
    pub(crate) fn set(&mut self, knob: Knob, value: f64, frame: i64) {
        let present = self.matrix(frame);
        self.from = self.from.mix(present, self.glide.value());
        self.glide = Ramp::new(0.0);
        self.glide.go(1.0, 0, self.hand_frames);
        match knob {
            Knob::Fader => self.fader_db = Control::Constant(value),
            Knob::Pan => self.pan = Control::Constant(value),
            Knob::Width => {
                self.width = Control::Constant(value);
                self.crosses = self.stereo;
            }
        }
        self.settled = self.matrix(frame);
    }

    fn is_constant(&self) -> bool {
        let controls = [&self.fader_db, &self.pan, &self.width];
        !self.glide.is_moving() && controls.iter().all(|control| control.is_constant())
    }

    /// Passes frames that are silent.
    pub(crate) fn pass(&mut self, frames: usize) {
        self.glide.advance(frames);
    }

    /// Writes `frames` frames of `source` after fader, pan and width to `target`, from `frame` on.
    pub(crate) fn apply(
        &mut self,
        frame: i64,
        frames: usize,
        source: &Buffer,
        target: &mut Buffer,
    ) {
        let left_in = &source.channel(0)[..frames];
        let right_in = self.stereo.then(|| &source.channel(source.channels() - 1)[..frames]);
        let (left, right) = target.split_mut();
        let left = &mut left[..frames];
        let right = right.map(|right| &mut right[..frames]);
        if self.is_constant() {
            Self::constant(self.settled, self.crosses, (left_in, right_in), (left, right));
        } else {
            self.moving(frame, (left_in, right_in), (left, right));
        }
    }

    fn constant(
        m: Matrix,
        crosses: bool,
        (left_in, right_in): (&[f32], Option<&[f32]>),
        (left, right): (&mut [f32], Option<&mut [f32]>),
    ) {
        match (right_in, right) {
            (Some(right_in), Some(right)) if crosses => {
                let (ll, lr) = (m.left_from_left as f32, m.left_from_right as f32);
                let (rl, rr) = (m.right_from_left as f32, m.right_from_right as f32);
                for (((l, r), a), b) in left.iter_mut().zip(right).zip(left_in).zip(right_in) {
                    (*l, *r) = (a * ll + b * lr, a * rl + b * rr);
                }
            }
            (Some(right_in), Some(right)) => {
                scale(left_in, m.left_from_left as f32, left);
                scale(right_in, m.right_from_right as f32, right);
            }
            (None, Some(right)) => {
                scale(left_in, m.left_from_left as f32, left);
                scale(left_in, m.right_from_left as f32, right);
            }
            (_, None) => scale(left_in, m.left_from_left as f32, left),
        }
    }

    fn moving(
        &mut self,
        frame: i64,
        (left_in, right_in): (&[f32], Option<&[f32]>),
        (left, mut right): (&mut [f32], Option<&mut [f32]>),
    ) {
        for (at, frame) in (0..left_in.len()).zip(frame..) {
            let mut m = self.matrix(frame);
            if self.glide.is_moving() {
                m = self.from.mix(m, self.glide.next_frame());
            }
            let a = left_in[at];
            let b = right_in.map_or(0.0, |right_in| right_in[at]);
            let (ll, lr) = (m.left_from_left as f32, m.left_from_right as f32);
            let (rl, rr) = (m.right_from_left as f32, m.right_from_right as f32);
            left[at] = if self.crosses { a * ll + b * lr } else { a * ll };
            if let Some(right) = &mut right {
                right[at] = match (self.crosses, self.stereo) {
                    (true, _) => a * rl + b * rr,
                    (false, true) => b * rr,
                    (false, false) => a * rl,
                };
            }
        }
    }
}

fn scale(from: &[f32], gain: f32, to: &mut [f32]) {
    if gain == 1.0 {
        to.copy_from_slice(from);
        return;
    }
    for (to, from) in to.iter_mut().zip(from) {
        *to = from * gain;
    }
}
