//! Levels in JSON, which knows no infinity: silence (minus infinity) is `null`, there and back.

use serde::{Deserialize, Deserializer, Serialize, Serializer};

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde asks for this signature")]
pub(crate) fn serialize<S: Serializer>(db: &f64, serializer: S) -> Result<S::Ok, S::Error> {
    db.is_finite().then_some(*db).serialize(serializer)
}

pub(crate) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<f64, D::Error> {
    Ok(Option::<f64>::deserialize(deserializer)?.unwrap_or(f64::NEG_INFINITY))
}
