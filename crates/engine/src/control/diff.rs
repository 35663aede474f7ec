//! What changed between two plans, so that the cheapest safe change is applied.

use super::plan::{Feed, Key, Plan, StripPlan};
use topdown_session::Value;

/// How one plan becomes another.
#[derive(Clone, Debug, PartialEq)]
pub enum Change {
    /// Nothing to do.
    None,
    /// The same structure with other values: one message each.
    Values(Vec<SetValue>),
    /// Anything else: run the new plan and crossfade.
    Structure,
}

/// A value of a running plan, aimed at something new.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct SetValue {
    /// Index of the strip in the plan.
    pub strip: usize,
    /// Which of its values.
    pub target: Target,
    /// The new plain value.
    pub value: f64,
}

/// A value of a strip that can be set while it runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Target {
    /// Fader in dB.
    Fader,
    /// Pan or balance.
    Pan,
    /// Side level as a factor.
    Width,
    /// Level in dB of feed number so-and-so.
    Feed(usize),
    /// Whether feed number so-and-so is open: 1 or 0.
    FeedOpen(usize),
    /// Whether the key of processor number so-and-so is open: 1 or 0.
    KeyOpen(usize),
    /// A parameter of a processor, both by number.
    Param {
        /// Place in the chain.
        processor: usize,
        /// Place in the kind's table.
        param: usize,
    },
}

/// Classifies the way from `old` to `new`.
#[must_use]
pub fn diff(old: &Plan, new: &Plan) -> Change {
    if old == new {
        return Change::None;
    }
    let same_frame = old.sample_rate == new.sample_rate
        && old.strips.len() == new.strips.len()
        && (old.output, &old.taps, old.end_frame) == (new.output, &new.taps, new.end_frame);
    if !same_frame {
        return Change::Structure;
    }
    let mut sets = Vec::new();
    for (at, (old, new)) in old.strips.iter().zip(&new.strips).enumerate() {
        let mut found = Found { strip: at, sets: &mut sets };
        if found.strip(old, new).is_none() {
            return Change::Structure;
        }
    }
    if sets.is_empty() { Change::None } else { Change::Values(sets) }
}

/// Collects what can be set; `None` says that the structure differs.
struct Found<'a> {
    strip: usize,
    sets: &'a mut Vec<SetValue>,
}

impl Found<'_> {
    fn set(&mut self, target: Target, value: f64) {
        self.sets.push(SetValue { strip: self.strip, target, value });
    }

    fn strip(&mut self, old: &StripPlan, new: &StripPlan) -> Option<()> {
        // Everything but values and feeds must be equal; taken over into a copy, they leave the rest.
        let mut rest = StripPlan { fader_db: old.fader_db.clone(), ..new.clone() };
        rest.pan.clone_from(&old.pan);
        rest.width.clone_from(&old.width);
        rest.feeds.clone_from(&old.feeds);
        rest.chain.clone_from(&old.chain);
        let same_counts = old.feeds.len() == new.feeds.len() && old.chain.len() == new.chain.len();
        (rest == *old && same_counts).then_some(())?;
        self.value(Target::Fader, &old.fader_db, &new.fader_db)?;
        self.value(Target::Pan, &old.pan, &new.pan)?;
        self.value(Target::Width, &old.width, &new.width)?;
        for (at, (old, new)) in old.feeds.iter().zip(&new.feeds).enumerate() {
            self.value(Target::Feed(at), &old.level_db, &new.level_db)?;
            self.open(Target::FeedOpen(at), old, new)?;
        }
        self.chain(old, new)
    }

    fn chain(&mut self, old: &StripPlan, new: &StripPlan) -> Option<()> {
        for (at, (old, new)) in old.chain.iter().zip(&new.chain).enumerate() {
            let same = old.id == new.id
                && old.kind == new.kind
                && old.bypass == new.bypass
                && old.latency_frames == new.latency_frames
                && old.values.len() == new.values.len();
            same.then_some(())?;
            match (&old.key, &new.key) {
                (Key::From(old), Key::From(new)) => self.open(Target::KeyOpen(at), old, new)?,
                (old, new) => (old == new).then_some(())?,
            }
            for (param, (old, value)) in old.values.iter().zip(&new.values).enumerate() {
                let rebuilds = new.kind.0.params.get(param).is_none_or(|spec| spec.rebuilds);
                (old == value || !rebuilds).then_some(())?;
                self.value(Target::Param { processor: at, param }, old, value)?;
            }
        }
        Some(())
    }

    fn value(&mut self, target: Target, old: &Value, new: &Value) -> Option<()> {
        match (old, new) {
            (old, new) if old == new => {}
            (Value::Constant(_), Value::Constant(value)) => self.set(target, *value),
            _ => return None,
        }
        Some(())
    }

    fn open(&mut self, target: Target, old: &Feed, new: &Feed) -> Option<()> {
        let same = (old.from, old.tap, old.delay_frames) == (new.from, new.tap, new.delay_frames);
        same.then_some(())?;
        if old.open != new.open {
            self.set(target, if new.open { 1.0 } else { 0.0 });
        }
        Some(())
    }
}
