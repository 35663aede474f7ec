//! Where a strip stands between left and right: factors only, the engine's strip applies them.
//!
//! - **Pan** (mono into stereo): sine and cosine, normalised to 0 dB at the centre,
//!   `(√2 cos θ, √2 sin θ)` with θ = (position + 1)·π/4. The power L² + R² is the same everywhere;
//!   the centre is exactly 1.0, so that a neutral strip changes no bit.
//! - **Balance** (stereo): the side that is turned away fades by a cosine, the other stays untouched.
//! - **Width** w scales the side signal S = (L−R)/2: `L' = (1+w)/2·L + (1−w)/2·R`. 0 is mono, 1 is unchanged.

use crate::math;

/// Left and right factor of a mono source at `position` from −1 (left) to 1 (right).
#[must_use]
pub fn pan_gains(position: f64) -> (f64, f64) {
    let position = position.clamp(-1.0, 1.0);
    if position == 0.0 {
        return (1.0, 1.0);
    }
    // From the near corner, so that hard left and hard right are exact mirror images.
    let near = math::SQRT_2 * math::cos((1.0 - position.abs()) * (math::PI / 4.0));
    let far = math::SQRT_2 * math::sin((1.0 - position.abs()) * (math::PI / 4.0));
    if position < 0.0 { (near, far) } else { (far, near) }
}

/// Left and right factor of a stereo source with its balance at `position` from −1 (left) to 1 (right).
#[must_use]
pub fn balance_gains(position: f64) -> (f64, f64) {
    let position = position.clamp(-1.0, 1.0);
    let far = math::sin((1.0 - position.abs()) * (math::PI / 2.0));
    match position {
        p if p < 0.0 => (1.0, far),
        p if p > 0.0 => (far, 1.0),
        _ => (1.0, 1.0),
    }
}

/// Factors (same side, other side) of width `width` (0 mono, 1 unchanged, 2 twice the side signal).
#[must_use]
pub fn width_gains(width: f64) -> (f64, f64) {
    (0.5 + 0.5 * width, 0.5 - 0.5 * width)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_power_is_the_same_over_the_whole_arc_and_the_angle_is_monotonic() {
        let mut last = -1.0;
        for step in -1000..=1000 {
            let (left, right) = pan_gains(f64::from(step) / 1000.0);
            let power_db = 10.0 * math::log10((left * left + right * right) / 2.0);
            assert!(power_db.abs() < 0.001, "{step}: {power_db}");
            let angle = math::atan2(right, left);
            assert!(angle > last, "{step}");
            last = angle;
        }
    }

    #[test]
    fn the_ends_are_silent_on_the_far_side_and_the_centre_changes_no_bit() {
        assert_eq!(pan_gains(0.0), (1.0, 1.0));
        assert_eq!(balance_gains(0.0), (1.0, 1.0));
        assert_eq!(width_gains(1.0), (1.0, 0.0));
        assert_eq!(width_gains(0.0), (0.5, 0.5));
        assert_eq!(pan_gains(-1.0), (math::SQRT_2, 0.0));
        assert_eq!(pan_gains(1.0), (0.0, math::SQRT_2));
        assert_eq!(balance_gains(-1.0), (1.0, 0.0));
        assert_eq!(balance_gains(1.0), (0.0, 1.0));
    }
}
