//! The K-weighting of ITU-R BS.1770-5: a shelf for the head, then a high-pass.
//!
//! Promise: within 0.05 dB of the 48 kHz curve of the Recommendation, 20 Hz to 20 kHz, at 44.1 to 384 kHz.
//!
//! The Recommendation prints coefficients for 48 kHz only. Both stages are bilinear transforms of analogue
//! prototypes, so other rates follow from the prototypes' parameters with K = tan(pi f0 / fs):
//!
//! - shelf: b = [Vh + Vb K/Q + K^2, 2(K^2 - Vh), Vh - Vb K/Q + K^2] / a0, a = [1, 2(K^2 - 1), 1 - K/Q + K^2] / a0,
//!   a0 = 1 + K/Q + K^2, Vh = 10^(G/20), Vb = Vh^0.4996667741545416;
//! - high-pass: the same a, b = [1, -2, 1].
//!
//! The parameters below reproduce the printed table to 1e-8 (a test holds them to that).
//!
//! Channels are lanes of one filter, the state is `f64`. Latency 0. Direct form II transposed.

use topdown_dsp::math;
use topdown_units::db_to_gain;

const SHELF_HZ: f64 = 1_681.974_450_955_533;
const SHELF_DB: f64 = 3.999_843_853_973_347;
const SHELF_Q: f64 = 0.707_175_236_955_419_6;
const SHELF_BAND_EXPONENT: f64 = 0.499_666_774_154_541_6;
const HIGH_PASS_HZ: f64 = 38.135_470_876_024_44;
const HIGH_PASS_Q: f64 = 0.500_327_037_323_877_3;

/// State below this is silence (-600 dB); clearing it keeps denormal numbers, which are slow, out.
const NEGLIGIBLE: f64 = 1e-30;

#[derive(Clone, Copy, Debug)]
struct Coefficients {
    b: [f64; 3],
    a: [f64; 2],
}

fn poles(f0_hz: f64, q: f64, rate_hz: f64) -> (f64, f64, [f64; 2]) {
    let k = math::tan(math::PI * f0_hz / rate_hz);
    let a0 = 1.0 + k / q + k * k;
    (k, a0, [2.0 * (k * k - 1.0) / a0, (1.0 - k / q + k * k) / a0])
}

fn shelf(rate_hz: f64) -> Coefficients {
    let (k, a0, a) = poles(SHELF_HZ, SHELF_Q, rate_hz);
    let vh = db_to_gain(SHELF_DB);
    let vb = math::pow(vh, SHELF_BAND_EXPONENT);
    let edge = vb * k / SHELF_Q;
    let b = [(vh + edge + k * k) / a0, 2.0 * (k * k - vh) / a0, (vh - edge + k * k) / a0];
    Coefficients { b, a }
}

fn high_pass(rate_hz: f64) -> Coefficients {
    let (_, _, a) = poles(HIGH_PASS_HZ, HIGH_PASS_Q, rate_hz);
    Coefficients { b: [1.0, -2.0, 1.0], a }
}

/// K-weighting of `L` channels at once.
#[derive(Clone, Debug)]
pub(crate) struct KWeighting<const L: usize> {
    shelf: Coefficients,
    high_pass: Coefficients,
    state: [[f64; L]; 4],
}

impl<const L: usize> KWeighting<L> {
    pub(crate) fn new(rate_hz: f64) -> Self {
        Self { shelf: shelf(rate_hz), high_pass: high_pass(rate_hz), state: [[0.0; L]; 4] }
    }

    /// Adds the weighted energy (sum of squares) of equally long planes to `energy`, sample by sample.
    pub(crate) fn add_energy(&mut self, planes: [&[f32]; L], energy: &mut [f64; L]) {
        if self.is_at_rest() && planes.iter().all(|plane| plane.iter().all(|&x| x == 0.0)) {
            return;
        }
        let frames = planes.iter().map(|plane| plane.len()).min().unwrap_or(0);
        let planes = planes.map(|plane| &plane[..frames]);
        let Coefficients { b: [c0, c1, c2], a: [d1, d2] } = self.shelf;
        let Coefficients { a: [e1, e2], .. } = self.high_pass;
        let [mut s1, mut s2, mut t1, mut t2] = self.state;
        let mut sum = *energy;
        #[expect(clippy::needless_range_loop, reason = "frame by frame, channels are the lanes")]
        for i in 0..frames {
            for l in 0..L {
                let x = f64::from(planes[l][i]);
                let y = c0 * x + s1[l];
                s1[l] = (c1 * x + s2[l]) - d1 * y;
                s2[l] = c2 * x - d2 * y;
                let z = y + t1[l];
                t1[l] = (t2[l] - 2.0 * y) - e1 * z;
                t2[l] = y - e2 * z;
                sum[l] += z * z;
            }
        }
        self.state = [s1, s2, t1, t2];
        *energy = sum;
    }

    fn is_at_rest(&self) -> bool {
        self.state.iter().flatten().all(|&s| s == 0.0)
    }

    /// To be called at fixed frames: drops state that is inaudible, and state that is not a number.
    pub(crate) fn settle(&mut self) {
        for s in self.state.iter_mut().flatten() {
            if !(s.abs() >= NEGLIGIBLE && s.is_finite()) {
                *s = 0.0;
            }
        }
    }
}

/// Gain of the weighting at `hz` in dB, from the transfer function.
#[cfg(test)]
pub(crate) fn gain_db(rate_hz: f64, hz: f64) -> f64 {
    let w = math::TAU * hz / rate_hz;
    let power = |c: [f64; 3]| {
        let re = c[0] + c[1] * math::cos(w) + c[2] * math::cos(2.0 * w);
        let im = c[1] * math::sin(w) + c[2] * math::sin(2.0 * w);
        re * re + im * im
    };
    let stage = |c: Coefficients| power(c.b) / power([1.0, c.a[0], c.a[1]]);
    topdown_units::power_to_db(stage(shelf(rate_hz)) * stage(high_pass(rate_hz)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_printed_coefficients_come_out_at_48_khz() {
        let shelf = shelf(48_000.0);
        let printed = [
            (shelf.b[0], 1.535_124_859_586_97),
            (shelf.b[1], -2.691_696_189_406_38),
            (shelf.b[2], 1.198_392_810_852_85),
            (shelf.a[0], -1.690_659_293_182_41),
            (shelf.a[1], 0.732_480_774_215_85),
            (high_pass(48_000.0).a[0], -1.990_047_454_833_98),
            (high_pass(48_000.0).a[1], 0.990_072_250_366_21),
        ];
        for (ours, theirs) in printed {
            assert!((ours - theirs).abs() < 1e-8, "{ours} is not {theirs}");
        }
    }

    #[test]
    fn other_rates_follow_the_48_khz_curve_within_0_05_db() {
        for rate in [44_100.0, 88_200.0, 96_000.0, 176_400.0, 192_000.0, 384_000.0] {
            for step in 0..=300 {
                let hz = 20.0 * math::pow(1_000.0, f64::from(step) / 300.0);
                let off = gain_db(rate, hz) - gain_db(48_000.0, hz);
                assert!(off.abs() <= 0.05, "{off} dB at {hz} Hz, rate {rate}");
            }
        }
    }

    #[test]
    fn a_tail_ends_in_exact_rest_and_a_nan_does_not_stay() {
        let mut filter = KWeighting::<1>::new(48_000.0);
        let mut energy = [0.0];
        filter.add_energy([&[1.0, f32::NAN, 1.0]], &mut energy);
        filter.settle();
        assert!(filter.is_at_rest());
        filter.add_energy([&[1.0; 480]], &mut energy);
        for _ in 0..3_000 {
            filter.add_energy([&[0.0; 480]], &mut energy);
            filter.settle();
        }
        assert!(filter.is_at_rest());
    }
}
