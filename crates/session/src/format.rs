//! The one way in which `session.toml` is written.

use crate::model::Value;

/// A number in its shortest form that reads back as the same number; always with a decimal point or an
/// exponent where TOML needs one to be a float is not required: whole numbers are written as integers.
#[must_use]
pub(crate) fn number(value: f64) -> String {
    let value = value + 0.0; // -0.0 reads as a slip of the pen
    let exponent = value != 0.0 && !(1e-6..1e15).contains(&value.abs());
    if exponent { format!("{value:e}") } else { format!("{value}") }
}

/// A value: the number, or `[[frame, value], ...]`.
#[must_use]
pub(crate) fn value(value: &Value) -> String {
    match value {
        Value::Constant(value) => number(*value),
        Value::Automation(points) => {
            let points: Vec<String> =
                points.iter().map(|p| format!("[{}, {}]", p.frame, number(p.value))).collect();
            format!("[{}]", points.join(", "))
        }
    }
}
