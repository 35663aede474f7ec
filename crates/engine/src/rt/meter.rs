//! Meters: what a strip measures of itself while it runs, for whoever has subscribed to it.
//!
//! The slots are made once. The renderer only stores numbers into them, a reader only takes numbers out;
//! neither waits for the other. A strip without a subscriber costs one load.

use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};

/// Highest number of processors of a strip whose gain reduction is shown.
pub const GAIN_REDUCTIONS: usize = 16;

/// What a meter reads.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Reading {
    /// Highest absolute sample of left and right since the last reading.
    pub peak: [f32; 2],
    /// Mean square of left and right over the last window.
    pub mean_square: [f32; 2],
    /// Deepest gain reduction of each processor since the last reading, in dB at or below 0.
    pub gain_reduction_db: [f32; GAIN_REDUCTIONS],
}

/// The slots of one strip, shared by the renderer and the readers.
#[derive(Debug, Default)]
pub struct MeterSlot {
    subscribed: AtomicBool,
    peak: [AtomicU32; 2],
    mean_square: [AtomicU32; 2],
    depth_db: [AtomicU32; GAIN_REDUCTIONS],
}

impl MeterSlot {
    /// Starts or ends the measuring.
    pub fn subscribe(&self, on: bool) {
        self.subscribed.store(on, Ordering::Relaxed);
    }

    /// Whether anybody looks.
    #[must_use]
    pub fn is_subscribed(&self) -> bool {
        self.subscribed.load(Ordering::Relaxed)
    }

    /// Takes what has been measured since the last time.
    pub fn take(&self) -> Reading {
        let take = |slot: &AtomicU32| f32::from_bits(slot.swap(0, Ordering::Relaxed));
        let depth = |slot: &AtomicU32| -take(slot);
        Reading {
            peak: self.peak.each_ref().map(take),
            mean_square: self
                .mean_square
                .each_ref()
                .map(|slot| f32::from_bits(slot.load(Ordering::Relaxed))),
            gain_reduction_db: self.depth_db.each_ref().map(depth),
        }
    }

    /// Bit patterns of floats that are not negative are in the order of the floats.
    fn raise(slot: &AtomicU32, value: f32) {
        slot.fetch_max(value.abs().to_bits(), Ordering::Relaxed);
    }

    pub(crate) fn gain_reduction(&self, processor: usize, db: f32) {
        if let Some(slot) = self.depth_db.get(processor) {
            Self::raise(slot, db);
        }
    }
}

/// The renderer's side of a slot: collects a window's energy.
#[derive(Debug)]
pub(crate) struct Meter {
    energy: [f64; 2],
    frames: usize,
    window_frames: usize,
}

impl Meter {
    pub(crate) const fn new(window_frames: usize) -> Self {
        Self { energy: [0.0; 2], frames: 0, window_frames }
    }

    /// Measures a block; mono counts on both sides.
    pub(crate) fn measure(&mut self, slot: &MeterSlot, left: &[f32], right: &[f32]) {
        for (side, samples) in [left, right].into_iter().enumerate() {
            let peak = samples.iter().fold(0.0_f32, |peak, x| peak.max(x.abs()));
            MeterSlot::raise(&slot.peak[side], peak);
            self.energy[side] += samples.iter().map(|x| f64::from(x * x)).sum::<f64>();
        }
        self.frames += left.len();
        if self.frames >= self.window_frames {
            for (side, energy) in self.energy.iter_mut().enumerate() {
                let mean = (*energy / self.frames as f64) as f32;
                slot.mean_square[side].store(mean.to_bits(), Ordering::Relaxed);
                *energy = 0.0;
            }
            self.frames = 0;
        }
    }
}
