//! Sample-rate conversion: a polyphase Kaiser-windowed sinc with exact rational phase.
//!
//! **Promise.** Output frame `n` is the band-limited input at time `n * from / to`, exactly: no delay, no
//! fractional offset, whatever the rates, so that tracks of different rates stay in phase. `len` input
//! frames give `ceil(len * to / from)` output frames: every output whose time lies inside the input.
//!
//! **Formula.** With `up / down = to / from` in lowest terms, output `n` stands at input position
//! `n * down / up`; its whole part chooses the samples, its fraction one of `up` rows of coefficients
//! `h(t) = c sinc(c t) w(t / half)`. `c` puts the -6 dB point midway between the pass edge, 0.907 of the lower
//! Nyquist frequency (20 kHz at 44.1 kHz), and the stop edge, that Nyquist frequency itself. `w` is a Kaiser
//! window for 130 dB (beta = 0.1102 (A - 8.7)), its length from Kaiser's `(A - 7.95) / (14.36 df)`. Each row is
//! scaled to a sum of 1, so DC passes unchanged in every phase. When the rates have next to no common divisor
//! the rows would not fit a cache: then a dense table is read by linear interpolation, at an error below
//! -140 dB.
//!
//! **Source.** A. V. Oppenheim, R. W. Schafer, *Discrete-Time Signal Processing*, chapters 4.6 and 7.5 (Kaiser
//! 1974 for the window and its length).
//!
//! **Latency.** None in the result; the streaming form holds back half the filter, 96 input frames when
//! the rate rises. Rates: 8 to 384 kHz. Coefficients and samples are `f32`, sums are taken in 16 fixed lanes, so
//! results do not depend on block sizes or on the machine.

use crate::math;
use std::sync::Arc;
use topdown_units::SampleRate;

/// Stop-band attenuation the window is designed for, in dB.
const ATTENUATION_DB: f64 = 130.0;
/// End of the pass band, as a part of the lower Nyquist frequency.
const PASS_EDGE: f64 = 20_000.0 / 22_050.0;
/// A table of more coefficients than this is replaced by the dense one.
const MAX_TABLE: usize = 1 << 21;
/// Rows of the dense table per sample of the lower rate.
const DENSE_ROWS: usize = 4096;
/// Sums are taken in so many lanes; rows are padded to a multiple.
const LANES: usize = 16;

/// The coefficients for one pair of rates. Build it once and share it between channels.
#[derive(Debug)]
pub struct Design {
    up: u64,
    down: u64,
    /// Input samples on each side of an output.
    half: usize,
    /// Coefficients of one row, a multiple of [`LANES`].
    taps: usize,
    /// `rows * taps` coefficients.
    table: Vec<f32>,
    /// Rows of the dense table, or `None` when there is a row for each phase.
    dense: Option<usize>,
}

impl Design {
    /// The filter from one rate to another.
    #[must_use]
    pub fn new(from: SampleRate, to: SampleRate) -> Arc<Self> {
        let g = gcd(u64::from(from.get()), u64::from(to.get()));
        let (up, down) = (u64::from(to.get()) / g, u64::from(from.get()) / g);
        // Everything is counted in input samples; when the rate falls the filter is that much longer.
        let stretch = (from.hz() / to.hz()).max(1.0);
        let transition = (1.0 - PASS_EDGE) / 2.0 / stretch;
        let order = (ATTENUATION_DB - 7.95) / (14.36 * transition);
        let half = ((order / 2.0).ceil() as usize).next_multiple_of(LANES / 2);
        let taps = 2 * half;
        let exact = (up as usize).saturating_mul(taps) <= MAX_TABLE;
        let dense = (!exact).then(|| ((DENSE_ROWS as f64 / stretch).ceil() as usize).max(64));
        let rows = dense.map_or(up as usize, |rows| rows + 1);
        let phases = dense.map_or(up as f64, |rows| rows as f64);
        let cut = (1.0 + PASS_EDGE) / 2.0 / stretch;
        let mut table = Vec::with_capacity(rows * taps);
        for row in 0..rows {
            let fraction = row as f64 / phases;
            let h: Vec<f64> = (0..taps)
                .map(|k| windowed_sinc(k as f64 - (half as f64 - 1.0) - fraction, cut, half as f64))
                .collect();
            let sum: f64 = h.iter().sum();
            table.extend(h.iter().map(|x| (x / sum) as f32));
        }
        Arc::new(Self { up, down, half, taps, table, dense })
    }

    /// Output frames for `input` frames: `ceil(input * to / from)`.
    #[must_use]
    pub fn output_len(&self, input: u64) -> u64 {
        let len = (u128::from(input) * u128::from(self.up)).div_ceil(u128::from(self.down));
        u64::try_from(len).unwrap_or(u64::MAX)
    }

    /// The output at the middle of `window` (`taps` input samples), `phase / up` of a sample after its centre.
    fn output(&self, phase: u64, window: &[f32]) -> f32 {
        let row = |r: usize| self.table.get(r * self.taps..(r + 1) * self.taps).unwrap_or_default();
        match self.dense {
            None => dot(row(phase as usize), window),
            Some(rows) => {
                let at = phase as f64 / self.up as f64 * rows as f64;
                let low = at as usize;
                let (a, b) =
                    (f64::from(dot(row(low), window)), f64::from(dot(row(low + 1), window)));
                (a + (b - a) * (at - low as f64)) as f32
            }
        }
    }
}

/// Sum of products in fixed lanes.
fn dot(row: &[f32], window: &[f32]) -> f32 {
    let mut lanes = [0f32; LANES];
    for (h, x) in row.as_chunks::<LANES>().0.iter().zip(window.as_chunks::<LANES>().0) {
        for ((sum, h), x) in lanes.iter_mut().zip(h).zip(x) {
            *sum += h * x;
        }
    }
    lanes.iter().map(|x| f64::from(*x)).sum::<f64>() as f32
}

fn windowed_sinc(t: f64, cut: f64, half: f64) -> f64 {
    let edge = t / half;
    if edge.abs() >= 1.0 {
        return 0.0;
    }
    let beta = 0.1102 * (ATTENUATION_DB - 8.7);
    let x = math::PI * cut * t;
    let sinc = if x.abs() < 1e-9 { 1.0 } else { math::sin(x) / x };
    cut * sinc * bessel_i0(beta * (1.0 - edge * edge).sqrt()) / bessel_i0(beta)
}

/// The modified Bessel function of order 0, by its power series.
fn bessel_i0(x: f64) -> f64 {
    let (mut sum, mut term, mut k) = (1.0, 1.0, 1.0);
    while term > sum * 1e-17 {
        term *= (x / (2.0 * k)) * (x / (2.0 * k));
        sum += term;
        k += 1.0;
    }
    sum
}

fn gcd(a: u64, b: u64) -> u64 {
    if b == 0 { a } else { gcd(b, a % b) }
}

/// The running state for one channel.
#[derive(Debug)]
pub struct Resampler {
    design: Arc<Design>,
    /// Input samples that are still needed; the first one belongs to the next output's window.
    held: Vec<f32>,
    /// Input samples taken in.
    taken: u64,
    /// Output samples given out.
    given: u64,
    /// The next output's place between two input samples, in units of `1 / up`.
    phase: u64,
    /// Input samples to be let go before the next window starts (only when the rate falls far).
    skip: usize,
}

impl Resampler {
    /// A channel at its start: silence comes before the first sample.
    #[must_use]
    pub fn new(design: &Arc<Design>) -> Self {
        let held = vec![0.0; design.half.saturating_sub(1)];
        Self { design: Arc::clone(design), held, taken: 0, given: 0, phase: 0, skip: 0 }
    }

    /// Takes `input` in and appends to `output` every sample that is now settled.
    pub fn process(&mut self, input: &[f32], output: &mut Vec<f32>) {
        self.taken += input.len() as u64;
        self.push(input, output, u64::MAX);
    }

    /// Appends what is left, so that `output` has had [`Design::output_len`] samples in total. Silence comes
    /// behind the last sample.
    pub fn finish(&mut self, output: &mut Vec<f32>) {
        let total = self.design.output_len(self.taken);
        let silence = vec![0.0; self.design.taps];
        while self.given < total {
            self.push(&silence, output, total);
        }
    }

    fn push(&mut self, input: &[f32], output: &mut Vec<f32>, until: u64) {
        self.held.extend_from_slice(input);
        let (up, down) = (self.design.up, self.design.down);
        let mut first = 0;
        loop {
            let ready = self.held.len().saturating_sub(first);
            let skip = self.skip.min(ready);
            first += skip;
            self.skip -= skip;
            if self.given >= until || self.skip > 0 {
                break;
            }
            let Some(window) = self.held.get(first..first + self.design.taps) else { break };
            output.push(self.design.output(self.phase, window));
            self.given += 1;
            self.phase += down;
            self.skip = (self.phase / up) as usize;
            self.phase %= up;
        }
        self.held.drain(..first);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::math::{TAU, sin};

    fn rate(hz: u32) -> SampleRate {
        SampleRate::new(hz).unwrap()
    }

    fn convert(x: &[f32], from: u32, to: u32, block: usize) -> Vec<f32> {
        let mut resampler = Resampler::new(&Design::new(rate(from), rate(to)));
        let mut out = Vec::new();
        for part in x.chunks(block) {
            resampler.process(part, &mut out);
        }
        resampler.finish(&mut out);
        out
    }

    fn sine(hz: f64, rate: u32, len: usize) -> Vec<f32> {
        (0..len).map(|i| (0.5 * sin(TAU * hz * i as f64 / f64::from(rate))) as f32).collect()
    }

    /// Error against the ideal sine in dB below it, and its gain in dB and delay in output samples, away from
    /// the ends; by projection on sine and cosine.
    fn against_ideal(y: &[f32], hz: f64, rate: u32) -> (f64, f64, f64) {
        let edge = y.len() / 4;
        let (mut s, mut c, mut n, mut total) = (0.0, 0.0, 0.0, 0.0);
        // A Hann window keeps the projection from leaking at the edges.
        let span = (y.len() - 2 * edge) as f64;
        let body = || y.iter().enumerate().skip(edge).take(y.len() - 2 * edge);
        let weight = |i: usize| 0.5 - 0.5 * crate::math::cos(TAU * (i - edge) as f64 / span);
        for (i, v) in body() {
            let p = TAU * hz * i as f64 / f64::from(rate);
            s += weight(i) * f64::from(*v) * sin(p);
            c += weight(i) * f64::from(*v) * crate::math::cos(p);
            n += weight(i);
        }
        let (s, c) = (2.0 * s / n, 2.0 * c / n);
        let mut power = 0.0;
        for (i, v) in body() {
            let ideal = 0.5 * sin(TAU * hz * i as f64 / f64::from(rate));
            total += (f64::from(*v) - ideal).powi(2);
            power += ideal * ideal;
        }
        let delay = crate::math::atan2(-c, s) / TAU / hz * f64::from(rate);
        (
            topdown_units::power_to_db(total / power),
            topdown_units::gain_to_db((s * s + c * c).sqrt() / 0.5),
            delay,
        )
    }

    #[test]
    fn tones_come_out_exact_in_level_and_time_between_all_common_rates() {
        for (from, to) in [
            (44_100, 48_000),
            (48_000, 44_100),
            (96_000, 48_000),
            (48_000, 96_000),
            (44_056, 48_000),
            (192_000, 44_100),
            (8_000, 48_000),
        ] {
            for hz in [100.0, 1_000.0, 10_000.0, 19_000.0, 20_000.0] {
                if hz > 0.5 * PASS_EDGE * f64::from(from.min(to)) {
                    continue;
                }
                let y = convert(&sine(hz, from, from as usize / 4), from, to, 4096);
                let (error_db, gain_db, delay) = against_ideal(&y, hz, to);
                assert!(error_db < -115.0, "{from} to {to}, {hz} Hz: error {error_db:.1} dB");
                assert!(gain_db.abs() < 0.001, "{from} to {to}, {hz} Hz: {gain_db:.5} dB");
                assert!(delay.abs() < 0.0005, "{from} to {to}, {hz} Hz: {delay:.6} samples late");
            }
        }
    }

    #[test]
    fn what_lies_above_the_lower_nyquist_is_gone() {
        for (from, to, hz) in [
            (96_000, 44_100, 22_100.0),
            (96_000, 44_100, 30_000.0),
            (48_000, 44_100, 22_500.0),
            (192_000, 48_000, 24_100.0),
        ] {
            let y = convert(&sine(hz, from, from as usize / 4), from, to, 1000);
            let body = &y[y.len() / 4..y.len() * 3 / 4];
            let rms = (body.iter().map(|v| f64::from(*v).powi(2)).sum::<f64>() / body.len() as f64)
                .sqrt();
            let db = topdown_units::gain_to_db(rms / (0.5 / 2f64.sqrt()));
            assert!(db < -120.0, "{hz} Hz from {from} to {to}: {db:.1} dB");
        }
    }

    #[test]
    fn direct_current_passes_unchanged() {
        for (from, to) in [(44_100, 48_000), (48_000, 44_100), (44_101, 48_000)] {
            let y = convert(&vec![0.5; 20_000], from, to, 512);
            for v in &y[2_000..y.len() - 2_000] {
                let db = topdown_units::gain_to_db(f64::from(*v) / 0.5);
                assert!(db.abs() < 1e-5, "{from} to {to}: {db} dB");
            }
        }
    }

    #[test]
    fn lengths_are_exact_and_blocks_make_no_difference() {
        for (from, to) in [
            (44_100, 48_000),
            (48_000, 44_100),
            (384_000, 8_000),
            (8_000, 384_000),
            (47_952, 44_100),
        ] {
            for len in [0usize, 1, 2, 441, 1_000, 4_801] {
                let x = sine(997.0, from, len);
                let whole = convert(&x, from, to, len.max(1));
                let expected = (len as u64 * u64::from(to)).div_ceil(u64::from(from));
                assert_eq!(whole.len() as u64, expected, "{len} frames from {from} to {to}");
                assert_eq!(
                    whole,
                    convert(&x, from, to, 7),
                    "{len} frames from {from} to {to} in blocks of 7"
                );
            }
        }
    }

    #[test]
    fn odd_pairs_of_rates_use_the_dense_table_as_well_as_the_exact_one() {
        let design = Design::new(rate(44_101), rate(48_000));
        assert!(design.dense.is_some());
        let y = convert(&sine(10_000.0, 44_101, 20_000), 44_101, 48_000, 4096);
        let (error_db, ..) = against_ideal(&y, 10_000.0, 48_000);
        assert!(error_db < -115.0, "{error_db:.1} dB");
    }
}
