//! Magnitudes of the analogue filters that digital ones are judged against, in dB.
//!
//! `x` is frequency over centre or corner frequency. Written from s-plane prototypes with complex numbers,
//! not from the power formulas that designs use.

type Complex = (f64, f64);

fn polynomial([c0, c1, c2]: [f64; 3], x: f64) -> Complex {
    // s = jx
    (c0 - c2 * x * x, c1 * x)
}

fn ratio_db(top: [f64; 3], bottom: [f64; 3], x: f64) -> f64 {
    let size = |(re, im): Complex| libm::hypot(re, im);
    20.0 * libm::log10(size(polynomial(top, x)) / size(polynomial(bottom, x)))
}

fn root_amplitude(gain_db: f64) -> f64 {
    libm::pow(10.0, gain_db / 40.0)
}

/// Bell: (s² + sA/Q + 1)/(s² + s/(AQ) + 1), A = 10^(dB/40).
#[must_use]
pub fn bell_db(x: f64, q: f64, gain_db: f64) -> f64 {
    let a = root_amplitude(gain_db);
    ratio_db([1.0, a / q, 1.0], [1.0, 1.0 / (a * q), 1.0], x)
}

/// High shelf: A(As² + s√A/Q + 1)/(s² + s√A/Q + A).
#[must_use]
pub fn high_shelf_db(x: f64, q: f64, gain_db: f64) -> f64 {
    let a = root_amplitude(gain_db);
    ratio_db([a, a * a.sqrt() / q, a * a], [a, a.sqrt() / q, 1.0], x)
}

/// Low shelf: A(s² + s√A/Q + A)/(As² + s√A/Q + 1).
#[must_use]
pub fn low_shelf_db(x: f64, q: f64, gain_db: f64) -> f64 {
    let a = root_amplitude(gain_db);
    ratio_db([a * a, a * a.sqrt() / q, a], [1.0, a.sqrt() / q, a], x)
}

/// Second-order low-pass: 1/(s² + s/Q + 1).
#[must_use]
pub fn low_pass_db(x: f64, q: f64) -> f64 {
    ratio_db([1.0, 0.0, 0.0], [1.0, 1.0 / q, 1.0], x)
}

/// Second-order high-pass: s²/(s² + s/Q + 1).
#[must_use]
pub fn high_pass_db(x: f64, q: f64) -> f64 {
    ratio_db([0.0, 0.0, 1.0], [1.0, 1.0 / q, 1.0], x)
}

/// Butterworth low-pass of any order: −10 log10(1 + x^2n).
#[must_use]
pub fn butterworth_low_pass_db(x: f64, order: u32) -> f64 {
    -10.0 * libm::log10(1.0 + libm::pow(x, 2.0 * f64::from(order)))
}

/// Butterworth high-pass of any order.
#[must_use]
pub fn butterworth_high_pass_db(x: f64, order: u32) -> f64 {
    butterworth_low_pass_db(1.0 / x, order)
}

/// First-order tilt: (1 + s√V)/(√V + s) with V = 10^(gain_db/10): `gain_db` far above, −`gain_db` far below.
#[must_use]
pub fn tilt_db(x: f64, gain_db: f64) -> f64 {
    let root = libm::pow(10.0, gain_db / 20.0);
    ratio_db([1.0, root, 0.0], [root, 1.0, 0.0], x)
}

/// Notch: (s² + 1)/(s² + s/Q + 1).
#[must_use]
pub fn notch_db(x: f64, q: f64) -> f64 {
    ratio_db([1.0, 0.0, 1.0], [1.0, 1.0 / q, 1.0], x)
}
