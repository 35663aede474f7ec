//! Keeps NaN and infinity out: one such sample would stay in a recursive filter for good.

/// Replaces every sample that is not finite by silence; returns how many.
pub fn clean(samples: &mut [f32]) -> u64 {
    // Whole-block test first, on integers and without an early exit, so that it vectorises.
    const EXPONENT: i32 = 0x7f80_0000;
    let bad = samples
        .iter()
        .fold(0, |bad, x| bad | i32::from((x.to_bits() & 0x7fff_ffff) as i32 >= EXPONENT));
    if bad == 0 {
        return 0;
    }
    let mut replaced = 0;
    for sample in samples.iter_mut().filter(|sample| !sample.is_finite()) {
        *sample = 0.0;
        replaced += 1;
    }
    replaced
}

/// Whether every sample is exactly zero.
#[must_use]
pub fn is_silent(samples: &[f32]) -> bool {
    samples
        .chunks(64)
        .all(|chunk| chunk.iter().fold(0, |bits, x| bits | (x.to_bits() & 0x7fff_ffff)) == 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_is_not_finite_is_replaced_and_counted() {
        let mut samples = [1.0, f32::NAN, -f32::MAX, f32::INFINITY, f32::NEG_INFINITY, 1e-40];
        assert_eq!(clean(&mut samples), 3);
        assert_eq!(samples, [1.0, 0.0, -f32::MAX, 0.0, 0.0, 1e-40]);
        assert_eq!(clean(&mut samples), 0);
    }

    #[test]
    fn minus_zero_is_silent_and_the_smallest_number_is_not() {
        assert!(is_silent(&[0.0, -0.0]));
        assert!(!is_silent(&[0.0, f32::from_bits(1)]));
    }
}
