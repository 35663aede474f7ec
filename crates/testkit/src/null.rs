//! The null test: what is left when one signal is taken away from another.

/// Power of the difference relative to the power of `expected`, dB; minus infinity when they are equal.
///
/// # Panics
/// When the lengths differ: a comparison of less than everything proves nothing.
#[must_use]
pub fn residual_db(actual: &[f32], expected: &[f32]) -> f64 {
    assert_eq!(actual.len(), expected.len(), "signals to null have one length");
    let power = |x: f64| x * x;
    let pairs = actual.iter().zip(expected);
    let left: f64 = pairs.map(|(a, b)| power(f64::from(*a) - f64::from(*b))).sum();
    let whole: f64 = expected.iter().map(|x| power(f64::from(*x))).sum();
    if left == 0.0 { f64::NEG_INFINITY } else { 10.0 * libm::log10(left / whole) }
}

/// The largest difference of two samples.
///
/// # Panics
/// When the lengths differ.
#[must_use]
pub fn largest_difference(actual: &[f32], expected: &[f32]) -> f64 {
    assert_eq!(actual.len(), expected.len(), "signals to compare have one length");
    let pairs = actual.iter().zip(expected);
    pairs.map(|(a, b)| (f64::from(*a) - f64::from(*b)).abs()).fold(0.0, f64::max)
}

/// How many samples do not have the same bits.
///
/// # Panics
/// When the lengths differ.
#[must_use]
pub fn different_samples(actual: &[f32], expected: &[f32]) -> usize {
    assert_eq!(actual.len(), expected.len(), "signals to compare have one length");
    actual.iter().zip(expected).filter(|(a, b)| a.to_bits() != b.to_bits()).count()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hundredth_of_the_signal_is_40_db_down() {
        let expected = [1.0, -0.5, 0.25];
        let actual = expected.map(|x| x * 1.01);
        assert!((residual_db(&actual, &expected) + 40.0).abs() < 0.01);
        assert_eq!(residual_db(&expected, &expected), f64::NEG_INFINITY);
        assert_eq!(different_samples(&actual, &expected), 3);
        assert!((largest_difference(&actual, &expected) - 0.01).abs() < 1e-6);
    }
}
