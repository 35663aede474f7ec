//! Automation: points in session frames, straight lines between them on the parameter's own scale.
//!
//! The value at a frame depends on the frame alone, so it does not matter how frames are cut into blocks.
//! Where two points share a frame the value jumps, and the later one holds from that frame on.

use topdown_dsp::math;
use topdown_session::Point;

/// Where on the curve the last question was, because the next one is mostly there too.
#[derive(Clone, Copy, Debug)]
struct Piece {
    /// First frame for which the piece holds.
    from: i64,
    /// First frame for which it does not.
    until: i64,
    start: f64,
    slope: f64,
}

#[derive(Clone, Debug)]
pub(crate) struct Curve {
    points: Vec<(i64, f64)>,
    log: bool,
    piece: Piece,
}

impl Curve {
    /// A curve through `points` (ascending), on a logarithmic scale if `log`. Allocates.
    pub(crate) fn new(points: &[Point], log: bool) -> Self {
        let scale = |value: f64| if log { math::ln(value.max(f64::MIN_POSITIVE)) } else { value };
        let frame = |frame: u64| i64::try_from(frame).unwrap_or(i64::MAX);
        let points = points.iter().map(|p| (frame(p.frame), scale(p.value))).collect();
        let piece = Piece { from: 0, until: 0, start: 0.0, slope: 0.0 };
        Self { points, log, piece }
    }

    /// The value at a session frame.
    pub(crate) fn value(&mut self, frame: i64) -> f64 {
        self.seek(frame);
        self.read(frame)
    }

    /// The value that the curve comes to at `frame` from the left, whether or not it jumps there.
    pub(crate) fn value_before(&mut self, frame: i64) -> f64 {
        self.seek(frame - 1);
        self.read(frame)
    }

    /// Whether the value changes right after `frame`.
    pub(crate) fn moves(&mut self, frame: i64) -> bool {
        self.seek(frame);
        self.piece.slope != 0.0
    }

    /// The first point after `frame`; `i64::MAX` after the last.
    pub(crate) fn next_point(&mut self, frame: i64) -> i64 {
        self.seek(frame);
        self.piece.until
    }

    fn read(&self, frame: i64) -> f64 {
        let Piece { from, start, slope, .. } = self.piece;
        // A flat piece may begin at minus infinity.
        let value = if slope == 0.0 { start } else { start + slope * (frame - from) as f64 };
        if self.log { math::exp(value) } else { value }
    }

    fn seek(&mut self, frame: i64) {
        if (self.piece.from..self.piece.until).contains(&frame) {
            return;
        }
        let after = self.points.partition_point(|(at, _)| *at <= frame);
        let before = after.checked_sub(1).and_then(|at| self.points.get(at));
        self.piece = match (before, self.points.get(after)) {
            (Some(&(from, start)), Some(&(until, end))) => {
                Piece { from, until, start, slope: (end - start) / (until - from) as f64 }
            }
            (Some(&(from, start)), None) => Piece { from, until: i64::MAX, start, slope: 0.0 },
            (None, Some(&(until, start))) => Piece { from: i64::MIN, until, start, slope: 0.0 },
            (None, None) => Piece { from: i64::MIN, until: i64::MAX, start: 0.0, slope: 0.0 },
        };
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn curve(points: &[(u64, f64)], log: bool) -> Curve {
        let points: Vec<_> = points.iter().map(|&(frame, value)| Point { frame, value }).collect();
        Curve::new(&points, log)
    }

    #[test]
    fn values_are_on_the_line_between_points_and_hold_outside_them() {
        let mut curve = curve(&[(10, 0.0), (20, -10.0), (20, 3.0), (30, 3.0)], false);
        let at = [-5, 10, 15, 19, 20, 25, 30, 99].map(|frame| curve.value(frame));
        assert_eq!(at, [0.0, 0.0, -5.0, -9.0, 3.0, 3.0, 3.0, 3.0]);
        assert_eq!(curve.value_before(20), -10.0);
        assert!(curve.moves(10) && !curve.moves(20));
        assert_eq!([9, 10, 20, 30].map(|f| curve.next_point(f)), [10, 20, 30, i64::MAX]);
    }

    #[test]
    fn a_logarithmic_scale_passes_the_geometric_mean_halfway() {
        let mut curve = curve(&[(0, 100.0), (100, 10_000.0)], true);
        assert!((curve.value(50) - 1000.0).abs() < 1e-9);
    }
}
