//! What a value in the document may be: the parameters of strips and sends beside those of processors,
//! the check that every value passes on its way in, and the digits that mean something.

use crate::edit::{EditError, ParamPath};
use crate::model::{Point, ProcessorNode, Session, Strip, Value};
use std::collections::BTreeSet;
use topdown_dsp::{Curve, Kind, ParamKind, ParamSpec, Unit, math};

/// Level at which a fader or send counts as closed.
pub const CLOSED_DB: f64 = -144.0;

/// A strip's fader.
pub const FADER: ParamSpec = ParamSpec::number(
    "fader_db",
    "Fader",
    Unit::Db,
    (CLOSED_DB, 12.0),
    0.0,
    "Level of the strip; -144 dB is closed.",
)
.scaled();

/// A strip's pan, or balance on a stereo strip.
pub const PAN: ParamSpec = ParamSpec::number(
    "pan",
    "Pan",
    Unit::None,
    (-1.0, 1.0),
    0.0,
    "-1 is left, 0 the centre, 1 right; balance on a stereo strip.",
)
.scaled();

/// A strip's width.
pub const WIDTH: ParamSpec = ParamSpec::number(
    "width",
    "Width",
    Unit::None,
    (0.0, 2.0),
    1.0,
    "Side level as a factor: 0 is mono, 1 unchanged. Stereo strips only.",
)
.scaled();

/// The level of a send.
pub const SEND_LEVEL: ParamSpec = ParamSpec::number(
    "level_db",
    "Send level",
    Unit::Db,
    (CLOSED_DB, 12.0),
    0.0,
    "Level of the feed to the return; -144 dB is closed.",
)
.scaled();

/// The gain of a clip.
pub const CLIP_GAIN: ParamSpec = ParamSpec::number(
    "gain_db",
    "Clip gain",
    Unit::Db,
    (CLOSED_DB, 60.0),
    0.0,
    "Level of the clip before the chain.",
);

/// Most points that one automation may have.
pub const MAX_POINTS: usize = 1_000_000;

/// Why a value cannot be what it is said to be.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum ValueFault {
    /// Outside the range, not finite, or not whole.
    #[error("{value} is not allowed: {allowed}")]
    NotAllowed {
        /// The value.
        value: f64,
        /// What is.
        allowed: String,
    },
    /// A choice or switch cannot move.
    #[error("automation is not allowed: {allowed}")]
    NoAutomation {
        /// What is.
        allowed: String,
    },
    /// No points, or too many.
    #[error("automation has {0} points; from 1 to 1000000 are allowed")]
    PointCount(usize),
    /// Points that do not ascend.
    #[error("automation points must ascend: frame {0} does not come after the one before it")]
    Order(u64),
}

/// What values a parameter takes, in words: `a number from -24 to 24 (dB)`.
#[must_use]
pub fn allowed(spec: &ParamSpec) -> String {
    let unit = match spec.unit {
        Unit::Db => " (dB)",
        Unit::Hz => " (Hz)",
        Unit::Ms => " (ms)",
        Unit::Seconds => " (s)",
        Unit::Percent => " (%)",
        Unit::Ratio => " (n:1)",
        Unit::Lufs => " (LUFS)",
        Unit::Frames => " (frames)",
        Unit::None => "",
    };
    match spec.kind {
        ParamKind::Number { min, max } => format!("a number from {min} to {max}{unit}"),
        ParamKind::Choice(names) => format!("one of \"{}\"", names.join("\", \"")),
        ParamKind::Switch => "true or false".to_owned(),
    }
}

/// Whether a parameter may hold this value.
///
/// # Errors
/// What is wrong, and what is allowed.
pub fn check_value(spec: &ParamSpec, value: &Value) -> Result<(), ValueFault> {
    let check = |value: f64| {
        let fault = || ValueFault::NotAllowed { value, allowed: allowed(spec) };
        if spec.accepts(value) { Ok(()) } else { Err(fault()) }
    };
    let points = match value {
        Value::Constant(value) => return check(*value),
        Value::Automation(points) => points,
    };
    if !matches!(spec.kind, ParamKind::Number { .. }) {
        return Err(ValueFault::NoAutomation { allowed: allowed(spec) });
    }
    if points.is_empty() || points.len() > MAX_POINTS {
        return Err(ValueFault::PointCount(points.len()));
    }
    if let Some(pair) = points.windows(2).find(|pair| pair[0].frame >= pair[1].frame) {
        return Err(ValueFault::Order(pair[1].frame));
    }
    points.iter().try_for_each(|point| check(point.value))
}

/// The nearest value with digits that mean something: 0.01 dB, 0.1 Hz, 0.001 frames, six significant
/// digits for everything else, whole numbers for choices; inside the range. What the mixer decides is
/// rounded so before it is heard, so the value saved is the value rendered.
#[must_use]
pub fn round_number(spec: &ParamSpec, value: f64) -> f64 {
    let steps = |per_unit: f64| (value * per_unit).round() / per_unit;
    let rounded = match (spec.kind, spec.unit) {
        (ParamKind::Choice(_) | ParamKind::Switch, _) => value.round(),
        (_, Unit::Db | Unit::Lufs) => steps(100.0),
        (_, Unit::Hz) => steps(10.0),
        (_, Unit::Frames) => steps(1000.0),
        _ => significant(value),
    };
    let (min, max) = spec.range();
    // A value that was outside stays outside: it is for the check to say so.
    let held = if (min..=max).contains(&value) { rounded.clamp(min, max) } else { rounded };
    held + 0.0 // -0.0 becomes 0.0
}

fn significant(value: f64) -> f64 {
    format!("{value:.5e}").parse().unwrap_or(value)
}

/// [`round_number`] for a whole value.
#[must_use]
pub fn round_value(spec: &ParamSpec, value: &Value) -> Value {
    match value {
        Value::Constant(value) => Value::Constant(round_number(spec, *value)),
        Value::Automation(points) => {
            let round = |p: &Point| Point { frame: p.frame, value: round_number(spec, p.value) };
            Value::Automation(points.iter().map(round).collect())
        }
    }
}

impl Value {
    /// The value at a frame: before the first point the first, after the last the last, between two
    /// points on a straight line on the parameter's own scale.
    #[must_use]
    pub fn at(&self, frame: u64, curve: Curve) -> f64 {
        let points = match self {
            Self::Constant(value) => return *value,
            Self::Automation(points) => points,
        };
        let next = points.partition_point(|point| point.frame <= frame);
        let Some(before) = next.checked_sub(1).and_then(|index| points.get(index)) else {
            return self.resting();
        };
        let Some(after) = points.get(next) else { return before.value };
        let along = (frame - before.frame) as f64 / (after.frame - before.frame) as f64;
        let (from, to) = (on_scale(curve, before.value), on_scale(curve, after.value));
        off_scale(curve, from + along * (to - from))
    }

    /// Frames of the points; none for a constant.
    pub fn frames(&self) -> impl Iterator<Item = u64> + '_ {
        let points = match self {
            Self::Constant(_) => &[][..],
            Self::Automation(points) => points,
        };
        points.iter().map(|point| point.frame)
    }
}

fn on_scale(curve: Curve, value: f64) -> f64 {
    match curve {
        Curve::Linear => value,
        Curve::Log => math::ln(value.max(f64::MIN_POSITIVE)),
    }
}

fn off_scale(curve: Curve, value: f64) -> f64 {
    match curve {
        Curve::Linear => value,
        Curve::Log => math::exp(value),
    }
}

/// A value after a change from `old` to `new` at `amount` (0 to 1) on top of `current`, on the
/// parameter's own scale, automation point by point: `current + amount * (new - old)`; and whether it had
/// to be held at the end of the parameter's range.
#[must_use]
pub fn moved(
    spec: &ParamSpec,
    current: &Value,
    (old, new): (&Value, &Value),
    amount: f64,
) -> (Value, bool) {
    if amount == 1.0 && current == old {
        return (new.clone(), false);
    }
    let (min, max) = spec.range();
    let mut held = false;
    let mut at = |frame: u64| {
        let on = |value: &Value| on_scale(spec.curve, value.at(frame, spec.curve));
        let plain = off_scale(spec.curve, on(current) + amount * (on(new) - on(old)));
        let rounded = round_number(spec, plain);
        held |= !(min..=max).contains(&rounded);
        rounded.clamp(min, max)
    };
    let values = [current, old, new];
    let frames: BTreeSet<u64> = values.iter().flat_map(|value| value.frames()).collect();
    let value = if frames.is_empty() {
        Value::Constant(at(0))
    } else {
        Value::Automation(
            frames.into_iter().map(|frame| Point { frame, value: at(frame) }).collect(),
        )
    };
    (value, held)
}

impl ProcessorNode {
    /// The spec of one of this processor's parameters; `None` for what this build does not know.
    #[must_use]
    pub fn spec(&self, param: &str) -> Option<&'static ParamSpec> {
        Kind::by_id(&self.kind)?.param(param).map(|(_, spec)| spec)
    }

    /// A parameter's value, written or default; `None` for what this build does not know.
    #[must_use]
    pub fn value(&self, param: &str) -> Option<Value> {
        let spec = self.spec(param)?;
        Some(self.values.get(param).cloned().unwrap_or(Value::Constant(spec.default)))
    }

    /// The same processor as documents hold it: no value that says the default, and what this build does
    /// not know among `unknown`.
    #[must_use]
    pub fn canonical(mut self) -> Self {
        let kind = Kind::by_id(&self.kind);
        for (param, value) in std::mem::take(&mut self.values) {
            match kind.and_then(|kind| kind.param(&param)) {
                Some((_, spec)) if value == Value::Constant(spec.default) => {}
                Some(_) => drop(self.values.insert(param, value)),
                None => drop(self.unknown.insert(param, crate::format::value(&value))),
            }
        }
        self
    }

    /// Checks every value against its spec.
    ///
    /// # Errors
    /// The first parameter that does not fit, with its path in `strip`.
    pub(crate) fn check(&self, strip: &Strip) -> Result<(), EditError> {
        self.values.iter().try_for_each(|(param, value)| {
            let Some(spec) = self.spec(param) else { return Ok(()) };
            let at = ParamPath::Processor(strip.id.clone(), self.id.clone(), param.clone());
            check_value(spec, value).map_err(|fault| EditError::Value { at, fault })
        })
    }
}

impl Session {
    /// The spec of the value at a path; `None` where there is none.
    #[must_use]
    pub fn spec(&self, at: &ParamPath) -> Option<&'static ParamSpec> {
        match at {
            ParamPath::Fader(strip) => self.strip(strip).map(|_| &FADER),
            ParamPath::Pan(strip) => self.strip(strip).map(|_| &PAN),
            ParamPath::Width(strip) => self.strip(strip).map(|_| &WIDTH),
            ParamPath::Send(strip, to) => {
                self.strip(strip)?.sends.iter().find(|send| send.to == *to).map(|_| &SEND_LEVEL)
            }
            ParamPath::Processor(strip, processor, param) => {
                self.strip(strip)?.processor(processor)?.spec(param)
            }
        }
    }

    /// The value at a path, written or default; `None` where there is none.
    #[must_use]
    pub fn get(&self, at: &ParamPath) -> Option<Value> {
        let strip = self.strip(at.strip())?;
        match at {
            ParamPath::Fader(_) => Some(strip.fader_db.clone()),
            ParamPath::Pan(_) => Some(strip.pan.clone()),
            ParamPath::Width(_) => Some(strip.width.clone()),
            ParamPath::Send(_, to) => {
                strip.sends.iter().find(|send| send.to == *to).map(|send| send.level_db.clone())
            }
            ParamPath::Processor(_, processor, param) => strip.processor(processor)?.value(param),
        }
    }
}
