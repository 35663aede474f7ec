//! Planes of `f32` to interleaved samples of a depth.

use super::{Depth, Dithering, Spec};
use topdown_dsp::dither::{Dither, Shaping};

/// Turns blocks into samples of one depth, one dither per channel.
pub(super) struct Quantiser {
    depth: Depth,
    dithers: Vec<Dither>,
    pub clipped: u64,
}

impl Quantiser {
    pub(super) fn new(spec: &Spec) -> Self {
        let bits = u32::from(spec.depth.bits());
        let dithers = match spec.dithering {
            Dithering::Triangular { shaping, seed } if spec.depth != Depth::Float32 => {
                // The curve was made for these rates; elsewhere its dip would sit in the wrong place.
                let fits =
                    spec.depth == Depth::Int16 && (40_000..=50_000).contains(&spec.rate.get());
                let shaping = if fits { shaping } else { Shaping::Flat };
                (0..u64::from(spec.channels))
                    .map(|c| Dither::new(bits, shaping, seed.wrapping_mul(64).wrapping_add(c)))
                    .collect()
            }
            _ => Vec::new(),
        };
        Self { depth: spec.depth, dithers, clipped: 0 }
    }

    /// Interleaved integers.
    pub(super) fn integers(&mut self, planes: &[&[f32]], out: &mut Vec<i32>) {
        let len = planes.first().map_or(0, |p| p.len());
        let scale = f64::from(1u32 << (self.depth.bits().min(24) - 1));
        out.clear();
        out.resize(len * planes.len(), 0);
        for (c, plane) in planes.iter().enumerate() {
            let slots = out.iter_mut().skip(c).step_by(planes.len().max(1));
            self.clipped += plane.iter().filter(|x| !(-1.0..=1.0).contains(*x)).count() as u64;
            match self.dithers.get_mut(c) {
                Some(dither) => slots.zip(*plane).for_each(|(slot, x)| *slot = dither.quantise(*x)),
                None => slots.zip(*plane).for_each(|(slot, x)| {
                    *slot = (f64::from(*x) * scale).round().clamp(-scale, scale - 1.0) as i32;
                }),
            }
        }
    }

    /// Interleaved bytes, in the order of WAV or of AIFF.
    pub(super) fn bytes(
        &mut self,
        planes: &[&[f32]],
        big: bool,
        integers: &mut Vec<i32>,
        out: &mut Vec<u8>,
    ) {
        out.clear();
        if self.depth == Depth::Float32 {
            let len = planes.first().map_or(0, |p| p.len());
            out.resize(len * planes.len() * 4, 0);
            for (c, plane) in planes.iter().enumerate() {
                for (slot, x) in out
                    .as_chunks_mut::<4>()
                    .0
                    .iter_mut()
                    .skip(c)
                    .step_by(planes.len().max(1))
                    .zip(*plane)
                {
                    *slot = if big { x.to_be_bytes() } else { x.to_le_bytes() };
                }
            }
            return;
        }
        self.integers(planes, integers);
        for x in integers {
            let [a, b, c, _] = x.to_le_bytes();
            match (self.depth, big) {
                (Depth::Int16, false) => out.extend([a, b]),
                (Depth::Int16, true) => out.extend([b, a]),
                (_, false) => out.extend([a, b, c]),
                (_, true) => out.extend([c, b, a]),
            }
        }
    }
}
