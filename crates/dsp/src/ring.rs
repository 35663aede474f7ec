//! A delay line that is written and read in pieces, and a tap that changes its delay without a click.
//!
//! What is fed back is written by [`Ring::feed`]: frames below 1e-18 (−360 dB) become zero, so that no feedback
//! decays into denormal numbers. A [`Tap`] goes to a new delay by a cross-fade along half a cosine between
//! both places; a move that comes during a fade waits for its end, the last one wins. Nothing changes pitch.

use crate::smooth::Ramp;

/// The most frames of one piece.
pub const PIECE: usize = 64;
/// Fainter frames are written as zero.
const FLOOR: f32 = 1e-18;

/// A delay line.
#[derive(Clone, Debug)]
pub struct Ring {
    data: Vec<f32>,
    /// Where the next frame is written.
    at: usize,
}

impl Ring {
    /// A silent line for delays up to `longest` frames. Allocates.
    #[must_use]
    pub fn new(longest: usize) -> Self {
        Self { data: vec![0.0; longest + PIECE], at: 0 }
    }

    /// Appends a piece of at most [`PIECE`] frames.
    pub fn write(&mut self, piece: &[f32]) {
        self.append(piece, |to, from| to.copy_from_slice(from));
    }

    /// Appends a piece that may come back: frames too faint to matter are written as zero.
    pub fn feed(&mut self, piece: &[f32]) {
        self.append(piece, |to, from| {
            for (to, from) in to.iter_mut().zip(from) {
                *to = if from.abs() < FLOOR { 0.0 } else { *from };
            }
        });
    }

    fn append(&mut self, piece: &[f32], store: impl Fn(&mut [f32], &[f32])) {
        let (first, second) = piece.split_at(piece.len().min(self.data.len() - self.at));
        store(&mut self.data[self.at..][..first.len()], first);
        store(&mut self.data[..second.len()], second);
        self.at = (self.at + piece.len()) % self.data.len();
    }

    /// The frames from `back` before the next one to be written on, in two parts.
    fn span(&self, back: usize, frames: usize) -> (&[f32], &[f32]) {
        let length = self.data.len();
        let back = back.min(length).max(frames);
        let start = if self.at >= back { self.at - back } else { self.at + length - back };
        let split = frames.min(length - start);
        (&self.data[start..start + split], &self.data[..frames - split])
    }

    /// Reads before writing: what lies `delay` frames before the piece that comes next. `delay` is at least
    /// the length of `out`.
    pub fn before(&self, delay: usize, out: &mut [f32]) {
        let (first, second) = self.span(delay, out.len());
        out[..first.len()].copy_from_slice(first);
        out[first.len()..].copy_from_slice(second);
    }

    /// Reads after writing: the piece just written, as it was `delay` frames ago.
    pub fn after(&self, delay: usize, out: &mut [f32]) {
        self.before(delay + out.len(), out);
    }

    /// Like [`Self::after`], adding `gain` times the piece; the gain goes on by `step` before every frame.
    pub fn add_after(&self, delay: usize, (mut gain, step): (f32, f32), out: &mut [f32]) {
        let (first, second) = self.span(delay + out.len(), out.len());
        let (out_first, out_second) = out.split_at_mut(first.len());
        for (part, from) in [(out_first, first), (out_second, second)] {
            if step == 0.0 {
                part.iter_mut().zip(from).for_each(|(out, x)| *out += gain * x);
                continue;
            }
            for (out, x) in part.iter_mut().zip(from) {
                gain += step;
                *out += gain * x;
            }
        }
    }

    /// Silence.
    pub fn clear(&mut self) {
        self.data.fill(0.0);
        self.at = 0;
    }
}

/// A place on a line, in frames of delay.
#[derive(Clone, Copy, Debug)]
pub struct Tap {
    from: usize,
    to: usize,
    wanted: usize,
    fade_frames: usize,
    /// From 0, all `from`, to 1, all `to`.
    share: Ramp,
}

impl Tap {
    /// At rest at `delay` frames.
    #[must_use]
    pub const fn new(delay: usize) -> Self {
        Self { from: delay, to: delay, wanted: delay, fade_frames: 0, share: Ramp::new(1.0) }
    }

    /// Fades to `delay` over `fade_frames` (at once for 0), after the fade that is under way.
    pub fn go(&mut self, delay: usize, fade_frames: usize) {
        (self.wanted, self.fade_frames) = (delay, fade_frames);
        if fade_frames == 0 {
            *self = Self::new(delay);
        }
        self.turn();
    }

    /// Starts the next fade where one is due.
    fn turn(&mut self) {
        if !self.share.is_moving() && self.to != self.wanted {
            (self.from, self.to) = (self.to, self.wanted);
            self.share = Ramp::new(0.0);
            self.share.go(1.0, 0, self.fade_frames);
        }
    }

    /// The longest delay that is heard or will be.
    #[must_use]
    pub fn longest(&self) -> usize {
        let from = if self.share.is_moving() { self.from } else { 0 };
        self.to.max(self.wanted).max(from)
    }

    /// Passes `frames` frames without reading.
    pub fn advance(&mut self, mut frames: usize) {
        while frames > 0 && (self.share.is_moving() || self.to != self.wanted) {
            self.share.advance(1);
            self.turn();
            frames -= 1;
        }
    }

    /// At rest where it was going.
    pub fn settle(&mut self) {
        *self = Self::new(self.wanted);
    }

    /// Reads several lines alike; `ahead` is 0 after writing and the length of the piece before.
    fn read(&mut self, lines: &[Ring], outs: &mut [[f32; PIECE]], frames: usize, ahead: usize) {
        let start = *self;
        let mut old = [0.0; PIECE];
        for (line, out) in lines.iter().zip(outs) {
            *self = start;
            let mut at = 0;
            // A fade that ends inside the piece may be followed by another: runs of one pair of places.
            while at < frames {
                let (from, to) = (self.from, self.to);
                line.before(to + frames - ahead - at, &mut out[at..frames]);
                if !self.share.is_moving() {
                    break;
                }
                line.before(from + frames - ahead - at, &mut old[at..frames]);
                while at < frames && self.share.is_moving() {
                    let share = self.share.next_frame() as f32;
                    out[at] = old[at] + share * (out[at] - old[at]);
                    at += 1;
                }
                self.turn();
            }
        }
    }

    /// Reads the same place of every line into `outs`, before the piece of `frames` is written.
    pub fn before(&mut self, lines: &[Ring], outs: &mut [[f32; PIECE]], frames: usize) {
        self.read(lines, outs, frames, frames);
    }

    /// Reads the same place of every line into `outs`, after the piece of `frames` was written.
    pub fn after(&mut self, lines: &[Ring], outs: &mut [[f32; PIECE]], frames: usize) {
        self.read(lines, outs, frames, 0);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_gives_back_what_was_written_however_it_is_cut() {
        let input: Vec<f32> = (1..2000).map(|n| n as f32).collect();
        for delay in [0, 1, 63, 64, 200] {
            let (mut ring, mut at) = (Ring::new(200), 0);
            for cut in [1, 64, 7, 33].into_iter().cycle() {
                let frames = cut.min(input.len() - at);
                let mut out = [0.0; PIECE];
                ring.write(&input[at..at + frames]);
                ring.after(delay, &mut out[..frames]);
                for (n, y) in out[..frames].iter().enumerate() {
                    let expected = (at + n).checked_sub(delay).map_or(0.0, |n| input[n]);
                    assert_eq!(*y, expected, "delay {delay} at {}", at + n);
                }
                at += frames;
                if at == input.len() {
                    break;
                }
            }
        }
    }

    #[test]
    fn a_tap_fades_to_the_last_place_asked_for() {
        let (mut lines, mut tap) = ([Ring::new(300)], Tap::new(10));
        let (mut position, mut outs) = (0.0f32, [[0.0; PIECE]]);
        let mut biggest_step = 0.0f32;
        let mut last = 0.0;
        for piece in 0..40 {
            if piece == 10 {
                tap.go(100, 200);
                tap.go(50, 200);
                tap.go(200, 200);
            }
            let ramp: Vec<f32> = (0..PIECE).map(|n| position + n as f32).collect();
            position += PIECE as f32;
            lines[0].write(&ramp);
            tap.after(&lines, &mut outs, PIECE);
            for y in outs[0] {
                biggest_step =
                    if piece > 5 { biggest_step.max((y - last - 1.0).abs()) } else { 0.0 };
                last = y;
            }
        }
        assert_eq!(last, position - 1.0 - 200.0);
        assert!(biggest_step < 2.0, "{biggest_step}");
    }
}
