//! Second-order sections whose magnitude follows the analogue prototype up to half the sample rate.
//!
//! The bilinear transform squeezes everything towards fs/2: a +12 dB bell at 10 kHz comes out 3.8 dB wrong
//! below 20 kHz at 44.1 kHz. The matched design (M. Vicanek, "Matched Second Order Digital Filters", 2016)
//! maps the poles by `z = e^(s/fs)` and then solves the numerator from the analogue magnitude at points that
//! matter. With w = 2πf/fs, φ₁ = sin²(w/2), φ₀ = 1 − φ₁, φ₂ = 4φ₀φ₁ a section's power is
//!
//! `|H|² = (B₀φ₀ + B₁φ₁ + B₂φ₂) / (A₀φ₀ + A₁φ₁ + A₂φ₂)`,
//! A₀ = (1+a₁+a₂)², A₁ = (1−a₁+a₂)², A₂ = −4a₂ (B the same of b),
//!
//! so three points of the analogue power give three linear equations for B, and B gives the minimum-phase b.
//! - Low-pass, high-pass, bell: the closed forms of the paper (DC, f₀ and, for the bell, the slope there).
//! - Shelves: DC, f₀ (high shelf: 0.7 f₀) and fs/2. Tilt and first-order passes: DC and fs/2.
//! - Notch: zeros on the unit circle at f₀, unity at DC.
//! - A cut is the inverse of the boost (numerator and denominator change places), so that boost and cut of
//!   the same size cancel exactly.
//!
//! Poles and zeros stay inside the unit circle (held by `inside`); measured errors: docs/dsp/eq.md.

use crate::math;

/// One section with its first numerator coefficient taken out:
/// `H(z) = gain·(1 + b1 z⁻¹ + b2 z⁻²)/(1 + a1 z⁻¹ + a2 z⁻²)`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Section {
    /// Factor in front.
    pub gain: f64,
    /// Numerator.
    pub b1: f64,
    /// Numerator.
    pub b2: f64,
    /// Denominator.
    pub a1: f64,
    /// Denominator.
    pub a2: f64,
}

impl Section {
    /// Changes nothing.
    pub const IDENTITY: Self = Self { gain: 1.0, b1: 0.0, b2: 0.0, a1: 0.0, a2: 0.0 };

    fn new([b0, b1, b2]: [f64; 3], [a1, a2]: [f64; 2]) -> Self {
        Self { gain: b0, b1: b1 / b0, b2: b2 / b0, a1, a2 }
    }

    /// The section that undoes this one.
    #[must_use]
    pub fn inverse(&self) -> Self {
        Self { gain: 1.0 / self.gain, b1: self.a1, b2: self.a2, a1: self.b1, a2: self.b2 }
    }

    /// The section with these poles that changes nothing.
    #[must_use]
    pub const fn neutral(&self) -> Self {
        Self { gain: 1.0, b1: self.a1, b2: self.a2, ..*self }
    }

    /// Whether numerator and denominator cancel.
    #[must_use]
    pub fn is_neutral(&self) -> bool {
        self.gain == 1.0 && self.b1 == self.a1 && self.b2 == self.a2
    }

    /// Power gain at `w` radians per frame.
    #[must_use]
    pub fn power(&self, w: f64) -> f64 {
        let (cos1, cos2) = (math::cos(w), math::cos(2.0 * w));
        let of = |c1: f64, c2: f64| {
            1.0 + c1 * c1 + c2 * c2 + 2.0 * (c1 + c1 * c2) * cos1 + 2.0 * c2 * cos2
        };
        self.gain * self.gain * of(self.b1, self.b2) / of(self.a1, self.a2)
    }

    /// Radius of the outermost pole.
    #[must_use]
    pub fn pole_radius(&self) -> f64 {
        radius(self.a1, self.a2)
    }
}

/// Radius of the outermost root of z² + c1 z + c2.
fn radius(c1: f64, c2: f64) -> f64 {
    let discriminant = c1 * c1 / 4.0 - c2;
    if discriminant < 0.0 { c2.sqrt() } else { c1.abs() / 2.0 + discriminant.sqrt() }
}

/// The widest radius that poles, and zeros that may become poles, are allowed.
const MAX_RADIUS: f64 = 0.999_999;

/// The polynomial 1 + c1 z⁻¹ + c2 z⁻² with its roots drawn inside [`MAX_RADIUS`] where they are not.
fn inside([c1, c2]: [f64; 2]) -> [f64; 2] {
    let radius = radius(c1, c2);
    if radius <= MAX_RADIUS {
        return [c1, c2];
    }
    let shrink = MAX_RADIUS / radius;
    [c1 * shrink, c2 * shrink * shrink]
}

/// Poles of `w` radians per frame and damping `q` = 1/(2Q), mapped by z = e^s.
fn poles(w: f64, q: f64) -> [f64; 2] {
    let swing = if q <= 1.0 {
        math::cos((1.0 - q * q).sqrt() * w)
    } else {
        math::cosh((q * q - 1.0).sqrt() * w)
    };
    inside([-2.0 * math::exp(-q * w) * swing, math::exp(-2.0 * q * w)])
}

/// φ₀, φ₁, φ₂ at `w` radians per frame.
fn phi(w: f64) -> [f64; 3] {
    let sine = math::sin(w / 2.0);
    let phi1 = sine * sine;
    [1.0 - phi1, phi1, 4.0 * (1.0 - phi1) * phi1]
}

/// A₀, A₁, A₂ of 1 + c1 z⁻¹ + c2 z⁻².
fn squares([c1, c2]: [f64; 2]) -> [f64; 3] {
    let (plus, minus) = (1.0 + c1 + c2, 1.0 - c1 + c2);
    [plus * plus, minus * minus, -4.0 * c2]
}

fn weigh([x0, x1, x2]: [f64; 3], [phi0, phi1, phi2]: [f64; 3]) -> f64 {
    x0 * phi0 + x1 * phi1 + x2 * phi2
}

/// The minimum-phase numerator whose power is B₀φ₀ + B₁φ₁ + B₂φ₂.
fn numerator([big0, big1, big2]: [f64; 3]) -> [f64; 3] {
    let (root0, root1) = (big0.max(0.0).sqrt(), big1.max(0.0).sqrt());
    let w = 0.5 * (root0 + root1);
    let b0 = 0.5 * (w + (w * w + big2).max(0.0).sqrt());
    let b2 = -big2 / (4.0 * b0);
    let [b1, b2] = inside([0.5 * (root0 - root1) / b0, b2 / b0]);
    [b0, b1 * b0, b2 * b0]
}

/// The section with these poles and the given power at DC, at `w` and at half the sample rate.
fn through(poles: [f64; 2], w: f64, at_dc: f64, at_w: f64, at_half: f64) -> Section {
    let a = squares(poles);
    let [phi0, phi1, phi2] = phi(w);
    let (big0, big1) = (at_dc * a[0], at_half * a[1]);
    let big2 = (at_w * weigh(a, [phi0, phi1, phi2]) - big0 * phi0 - big1 * phi1) / phi2;
    Section::new(numerator([big0, big1, big2]), poles)
}

/// Second-order low-pass at `w` radians per frame.
#[must_use]
pub fn low_pass(w: f64, q: f64) -> Section {
    let poles = poles(w, 0.5 / q);
    let (a, phi) = (squares(poles), phi(w));
    let big1 = (weigh(a, phi) * q * q - a[0] * phi[0]) / phi[1];
    let (root0, root1) = (a[0].sqrt(), big1.max(0.0).sqrt());
    let b0 = 0.5 * (root0 + root1);
    Section::new([b0, root0 - b0, 0.0], poles)
}

/// Second-order high-pass at `w` radians per frame.
#[must_use]
pub fn high_pass(w: f64, q: f64) -> Section {
    let poles = poles(w, 0.5 / q);
    let phi = phi(w);
    let b0 = q * weigh(squares(poles), phi).sqrt() / (4.0 * phi[1]);
    Section::new([b0, -2.0 * b0, b0], poles)
}

/// First-order low-pass, −3 dB at `w` radians per frame.
#[must_use]
pub fn low_pass_first_order(w: f64) -> Section {
    let (pole, half) = (math::exp(-w), math::PI / w);
    first_order(pole, 1.0, 1.0 / (1.0 + half * half))
}

/// First-order high-pass, −3 dB at `w` radians per frame.
#[must_use]
pub fn high_pass_first_order(w: f64) -> Section {
    let (pole, half) = (math::exp(-w), math::PI / w);
    first_order(pole, 0.0, half * half / (1.0 + half * half))
}

/// One pole at `pole` and one zero, with the given power at DC and at half the sample rate.
fn first_order(pole: f64, at_dc: f64, at_half: f64) -> Section {
    let dc = at_dc.sqrt() * (1.0 - pole);
    let half = at_half.sqrt() * (1.0 + pole);
    Section::new([0.5 * (dc + half), 0.5 * (dc - half), 0.0], [-pole, 0.0])
}

/// Bell of `gain_db` at `w` radians per frame.
#[must_use]
pub fn bell(w: f64, q: f64, gain_db: f64) -> Section {
    or_inverse(gain_db, |boost_db| {
        let amplitude = math::exp2(boost_db * (std::f64::consts::LOG2_10 / 40.0));
        let power = amplitude * amplitude * amplitude * amplitude;
        let poles = poles(w, 0.5 / (q * amplitude));
        let (a, phi) = (squares(poles), phi(w));
        let r1 = weigh(a, phi) * power;
        let r2 = (-a[0] + a[1] + 4.0 * (phi[0] - phi[1]) * a[2]) * power;
        let big2 = (r1 - r2 * phi[1] - a[0]) / (4.0 * phi[1] * phi[1]);
        let big1 = r2 + a[0] + 4.0 * (phi[1] - phi[0]) * big2;
        Section::new(numerator([a[0], big1, big2]), poles)
    })
}

/// Second-order high shelf of `gain_db`, half of it (in dB) reached at `w` radians per frame.
#[must_use]
pub fn high_shelf(w: f64, q: f64, gain_db: f64) -> Section {
    or_inverse(gain_db, |boost_db| {
        let a = math::exp2(boost_db * (std::f64::consts::LOG2_10 / 40.0));
        let w = w.min(MAX_SHELF_W / a.sqrt());
        let power = |at: f64| shelf_power(a, q, at / w);
        let at = w * HIGH_SHELF_POINT;
        through(poles(w * a.sqrt(), 0.5 / q), at, 1.0, power(at), power(math::PI))
    })
}

/// Second-order low shelf of `gain_db`, half of it (in dB) reached at `w` radians per frame.
#[must_use]
pub fn low_shelf(w: f64, q: f64, gain_db: f64) -> Section {
    or_inverse(gain_db, |boost_db| {
        let a = math::exp2(boost_db * (std::f64::consts::LOG2_10 / 40.0));
        let power = |at: f64| shelf_power(a, q, w / at);
        let at = w.min(MAX_SHELF_W);
        let at_dc = a * a * a * a;
        through(poles(w / a.sqrt(), 0.5 / q), at, at_dc, power(at), power(math::PI))
    })
}

/// A shelf's outer pole may lie up to here, in radians per frame: beyond, the mapping folds it back.
const MAX_SHELF_W: f64 = 0.9 * math::PI;

/// Where a high shelf is matched besides DC and fs/2, as a share of its frequency. A point at the frequency
/// itself leaves 1.5 dB half an octave below a steep shelf at 14 kHz, this one 0.6 dB.
const HIGH_SHELF_POINT: f64 = 0.7;

/// Power of the analogue high shelf `A·(A s² + (√A/Q) s + 1)/(s² + (√A/Q) s + A)` at s = jω.
fn shelf_power(a: f64, q: f64, omega: f64) -> f64 {
    let (square, damping) = (omega * omega, a / (q * q) * omega * omega);
    let top = (1.0 - a * square) * (1.0 - a * square) + damping;
    let bottom = (a - square) * (a - square) + damping;
    a * a * top / bottom
}

/// Tilt around `w` radians per frame: `gain_db` far above, the opposite far below, first order.
/// Analogue `(ω₀ + √V s)/(√V ω₀ + s)` with V = 10^(gain_db/10).
#[must_use]
pub fn tilt(w: f64, gain_db: f64) -> Section {
    or_inverse(gain_db, |boost_db| {
        let slope = math::exp2(boost_db * (std::f64::consts::LOG2_10 / 20.0));
        let power = |at: f64| {
            let square = (at / w) * (at / w);
            (1.0 + slope * slope * square) / (slope * slope + square)
        };
        let pole = math::exp(-w * slope);
        first_order(pole, power(0.0), power(math::PI))
    })
}

/// Notch at `w` radians per frame.
#[must_use]
pub fn notch(w: f64, q: f64) -> Section {
    let poles = poles(w, 0.5 / q);
    let zeros = -2.0 * math::cos(w);
    let b0 = (1.0 + poles[0] + poles[1]) / (2.0 + zeros);
    Section::new([b0, b0 * zeros, b0], poles)
}

fn or_inverse(gain_db: f64, boost: impl Fn(f64) -> Section) -> Section {
    match gain_db {
        0.0 => boost(1e-3).neutral(),
        db if db > 0.0 => boost(db),
        db => boost(-db).inverse(),
    }
}

/// Q of section `index` of a Butterworth filter of even or odd `order` (its second-order sections).
#[must_use]
pub fn butterworth_q(order: usize, index: usize) -> f64 {
    // Poles at angle π(2i+1)/(2n) from the imaginary axis.
    let angle = math::PI * (2 * index + 1) as f64 / (2 * order) as f64;
    0.5 / math::sin(angle)
}
