//! Rows of the acceptance tables: what a test measured, beside what it may be.
//!
//! The same rows are asserted by tests and printed into the docs, so a figure in the docs was measured.

use std::fmt::Write;

/// One measured promise. It holds when the figure is at or below the limit.
#[derive(Clone, Debug, PartialEq)]
pub struct Row {
    /// What was measured: `eq`, `limiter`.
    pub block: &'static str,
    /// The promise.
    pub test: String,
    /// The highest figure allowed.
    pub limit: f64,
    /// The figure.
    pub measured: f64,
    /// Unit of both.
    pub unit: &'static str,
}

impl Row {
    /// A row; `limit` and `measured` in `unit`.
    #[must_use]
    pub fn new(
        block: &'static str,
        test: impl Into<String>,
        limit: f64,
        measured: f64,
        unit: &'static str,
    ) -> Self {
        Self { block, test: test.into(), limit, measured, unit }
    }

    /// A promise of exactly nothing: `count` differences, none allowed.
    #[must_use]
    pub fn exact(block: &'static str, test: impl Into<String>, differences: usize) -> Self {
        Self::new(block, test, 0.0, differences as f64, "samples that differ")
    }

    /// Whether the promise holds; a figure that is not a number never does.
    #[must_use]
    pub fn holds(&self) -> bool {
        self.measured <= self.limit
    }
}

/// Fails with every row that does not hold.
///
/// # Panics
/// When a row does not hold, or there is none.
#[expect(clippy::panic, reason = "this is how a test fails")]
pub fn assert_all(rows: &[Row]) {
    assert!(!rows.is_empty(), "no rows: nothing was measured");
    let broken: Vec<&Row> = rows.iter().filter(|row| !row.holds()).collect();
    if !broken.is_empty() {
        panic!("these promises do not hold:\n{}", table(broken));
    }
}

/// The rows as a Markdown table.
#[must_use]
pub fn table<'a>(rows: impl IntoIterator<Item = &'a Row>) -> String {
    let mut text =
        String::from("| block | test | tolerance | measured | |\n|---|---|---:|---:|---|\n");
    for row in rows {
        let verdict = if row.holds() { "holds" } else { "**fails**" };
        let (limit, measured) = (figure(row.limit), figure(row.measured));
        // Writing to a String cannot fail.
        let _ = writeln!(
            text,
            "| {} | {} | ≤ {limit} {} | {measured} {} | {verdict} |",
            row.block, row.test, row.unit, row.unit
        );
    }
    text
}

/// Three significant digits, plain where plain is readable.
fn figure(value: f64) -> String {
    let size = value.abs();
    if value == 0.0 || !value.is_finite() || value.fract() == 0.0 && size < 1e6 {
        format!("{value}")
    } else if size >= 100.0 {
        format!("{value:.0}")
    } else if size >= 10.0 {
        format!("{value:.1}")
    } else if size >= 1.0 {
        format!("{value:.2}")
    } else if size >= 0.001 {
        format!("{value:.4}")
    } else {
        format!("{value:.1e}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_figure_above_its_limit_or_no_number_fails() {
        assert!(Row::new("eq", "error", 0.1, 0.1, "dB").holds());
        assert!(!Row::new("eq", "error", 0.1, 0.11, "dB").holds());
        assert!(!Row::new("eq", "error", 0.1, f64::NAN, "dB").holds());
        assert!(!Row::exact("eq", "bypass", 1).holds());
    }

    #[test]
    #[should_panic(expected = "do not hold")]
    fn a_broken_promise_fails_the_test() {
        assert_all(&[Row::exact("eq", "bypass", 1)]);
    }
}
