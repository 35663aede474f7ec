//! What a person touched is theirs: the values that the mixer may not write.

use std::collections::BTreeSet;
use topdown_session::{Author, Edit, MoveId, ParamPath, ProcessorId, Record, Session, StripId};

/// Values, processors and strips that belong to a person.
#[derive(Clone, Debug, Default)]
pub(crate) struct Guard {
    strips: BTreeSet<StripId>,
    processors: BTreeSet<(StripId, ProcessorId)>,
    values: BTreeSet<ParamPath>,
    facts: BTreeSet<StripId>,
}

impl Guard {
    pub(crate) fn of(session: &Session, journal: &[Record]) -> Self {
        let counts = |author: Author, locked: bool| author == Author::Person || locked;
        let theirs: BTreeSet<&MoveId> = session
            .moves
            .iter()
            .filter(|m| m.counts() && counts(m.author, m.locked))
            .map(|m| &m.id)
            .collect();
        let mut guard = Self {
            strips: session.strips.iter().filter(|s| s.locked).map(|s| s.id.clone()).collect(),
            ..Self::default()
        };
        for record in journal.iter().filter(|record| theirs.contains(&record.id)) {
            record.edits.iter().for_each(|edit| guard.protect(edit));
        }
        guard
    }

    fn protect(&mut self, edit: &Edit) {
        match edit {
            Edit::Set { at, .. } => drop(self.values.insert(at.clone())),
            Edit::InsertProcessor { strip, processor, .. } => {
                self.processors.insert((strip.clone(), processor.id.clone()));
            }
            Edit::SetProcessor { strip, processor, .. } => {
                self.processors.insert((strip.clone(), processor.clone()));
            }
            Edit::SetFacts { strip, .. } | Edit::SetClips { strip, .. } => {
                self.facts.insert(strip.clone());
            }
            _ => {}
        }
    }

    /// Whether the mixer may make this edit.
    pub(crate) fn allows(&self, edit: &Edit) -> bool {
        match edit {
            Edit::Set { at, .. } => self.allows_value(at),
            Edit::InsertProcessor { strip, .. } => !self.strips.contains(strip),
            Edit::RemoveProcessor { strip, processor, .. } => {
                self.allows_processor(strip, &processor.id)
            }
            Edit::SetProcessor { strip, processor, .. } => self.allows_processor(strip, processor),
            Edit::SetFacts { strip, .. } | Edit::SetClips { strip, .. } => {
                !self.strips.contains(strip) && !self.facts.contains(strip)
            }
            Edit::SetSends { strip, .. } => !self.strips.contains(strip),
            Edit::RemoveStrip { strip, .. } => !self.strips.contains(&strip.id),
            Edit::InsertStrip { .. } | Edit::SetFile { .. } | Edit::SetMarkers { .. } => true,
        }
    }

    /// Whether the mixer may write this value.
    pub(crate) fn allows_value(&self, at: &ParamPath) -> bool {
        let processor = match at {
            ParamPath::Processor(strip, id, _) => {
                self.processors.contains(&(strip.clone(), id.clone()))
            }
            _ => false,
        };
        !processor && !self.strips.contains(at.strip()) && !self.values.contains(at)
    }

    fn allows_processor(&self, strip: &StripId, id: &ProcessorId) -> bool {
        let key = (strip.clone(), id.clone());
        let touched =
            |at: &ParamPath| matches!(at, ParamPath::Processor(s, p, _) if s == strip && p == id);
        !self.strips.contains(strip)
            && !self.processors.contains(&key)
            && !self.values.iter().any(touched)
    }
}
