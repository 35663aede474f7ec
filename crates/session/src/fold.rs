//! One fold of moves over a session, edit by edit. The rules are in [`crate::moves`].

use crate::edit::{Edit, Facts, ParamPath};
use crate::journal::Record;
use crate::model::{
    Author, Move, MoveState, ProcessorId, ProcessorNode, Send, Session, Strip, StripId, Value,
};
use crate::moves::{Note, Replay};
use crate::spec::{self, CLOSED_DB, SEND_LEVEL, moved};
use std::collections::BTreeSet;
use topdown_dsp::{AmountRule, Kind, ParamSpec};
use topdown_units::gain_to_db;

/// One fold under way.
pub(crate) struct Fold {
    session: Session,
    pub(crate) notes: Vec<Note>,
    /// Strips and processors of moves that do not count: they hold their places until the end.
    ghost_strips: BTreeSet<StripId>,
    ghost_processors: BTreeSet<(StripId, ProcessorId)>,
}

/// What an edit of one move is made with.
struct Hand {
    amount: f64,
    author: Author,
}

impl Fold {
    pub(crate) fn new(base: &Session) -> Self {
        Self {
            session: base.clone(),
            notes: Vec::new(),
            ghost_strips: BTreeSet::new(),
            ghost_processors: BTreeSet::new(),
        }
    }

    pub(crate) fn take(&mut self, the_move: &Move, record: &Record) {
        if !the_move.counts() {
            // What was never in the mix had no place in it either.
            if record.state == MoveState::Kept {
                record.edits.iter().for_each(|edit| self.haunt(edit));
            }
            return;
        }
        let amount = (the_move.amount_percent / 100.0).clamp(0.0, 1.0);
        let hand = Hand { amount, author: record.author };
        for edit in &record.edits {
            if let Err(text) = self.make(edit, &hand) {
                self.notes.push(Note { id: the_move.id.clone(), text });
            }
        }
    }

    /// Counts the places in a new record among the ghosts, edit by edit, and takes it.
    pub(crate) fn place(&mut self, the_move: &Move, record: &mut Record) {
        let no_ghosts = self.ghost_strips.is_empty() && self.ghost_processors.is_empty();
        if no_ghosts || !the_move.counts() {
            return self.take(the_move, record);
        }
        let whole = Hand { amount: 1.0, author: record.author };
        let start = self.session.clone();
        for edit in &mut record.edits {
            match edit {
                Edit::InsertStrip { index, .. } => {
                    let strips = self.session.strips.iter();
                    *index = among(strips.map(|s| self.ghost_strips.contains(&s.id)), *index);
                }
                Edit::InsertProcessor { strip: id, index, .. } => {
                    let chain = self.session.strip(id).map_or(&[][..], |strip| &strip.chain);
                    let ghost = |n: &ProcessorNode| {
                        self.ghost_processors.contains(&(id.clone(), n.id.clone()))
                    };
                    *index = among(chain.iter().map(ghost), *index);
                }
                _ => {}
            }
            drop(self.make(edit, &whole));
        }
        self.session = start;
        self.take(the_move, record);
    }

    fn haunt(&mut self, edit: &Edit) {
        match edit {
            Edit::InsertStrip { index, strip } if self.session.strip(&strip.id).is_none() => {
                let index = (*index).min(self.session.strips.len());
                self.session.strips.insert(index, strip.clone().canonical());
                self.ghost_strips.insert(strip.id.clone());
            }
            Edit::InsertProcessor { strip: id, index, processor } => {
                let Some(strip) = self.session.strip_mut(id) else { return };
                if strip.processor(&processor.id).is_none() {
                    let index = (*index).min(strip.chain.len());
                    strip.chain.insert(index, processor.clone());
                    self.ghost_processors.insert((id.clone(), processor.id.clone()));
                }
            }
            _ => {}
        }
    }

    pub(crate) fn finish(mut self, moves: &[Move]) -> Replay {
        self.session.strips.retain(|strip| !self.ghost_strips.contains(&strip.id));
        for strip in &mut self.session.strips {
            let id = strip.id.clone();
            let ghosts = &self.ghost_processors;
            strip.chain.retain(|node| !ghosts.contains(&(id.clone(), node.id.clone())));
        }
        self.session.moves = moves.to_vec();
        Replay { session: self.session, notes: self.notes }
    }

    /// Makes one edit; what cannot be made is said and left.
    fn make(&mut self, edit: &Edit, hand: &Hand) -> Result<(), String> {
        match edit {
            Edit::Set { at, old, new } => self.set(at, old.as_ref(), new.as_ref(), hand),
            Edit::InsertProcessor { strip, index, processor } => {
                self.insert_processor(strip, *index, processor, hand)
            }
            Edit::RemoveProcessor { strip: id, processor, .. } => {
                let strip = self.strip(id)?;
                let place = strip.chain.iter().position(|node| node.id == processor.id);
                let place = place.ok_or_else(|| gone(&format!("{id}/{}", processor.id)))?;
                strip.chain.remove(place);
                self.ghost_processors.remove(&(id.clone(), processor.id.clone()));
                Ok(())
            }
            Edit::SetProcessor { strip, processor, old, new } => {
                let node = self.node(strip, processor)?;
                if old.0 != new.0 {
                    node.bypass = new.0;
                }
                if old.1 != new.1 {
                    node.key.clone_from(&new.1);
                }
                Ok(())
            }
            Edit::InsertStrip { index, strip } => self.insert_strip(*index, strip),
            Edit::RemoveStrip { strip, .. } => {
                let place = self.session.strips.iter().position(|there| there.id == strip.id);
                let place = place.ok_or_else(|| gone(strip.id.as_str()))?;
                self.session.strips.remove(place);
                self.ghost_strips.remove(&strip.id);
                self.ghost_processors.retain(|(id, _)| *id != strip.id);
                Ok(())
            }
            Edit::SetFacts { strip, old, new } => {
                let strip = self.strip(strip)?;
                let facts = changed_facts(Facts::of(strip), old, new);
                strip.put_facts(&facts);
                Ok(())
            }
            Edit::SetSends { strip, old, new } => {
                let strip = self.strip(strip)?;
                strip.sends = changed_sends(&strip.sends, old, new, hand);
                Ok(())
            }
            Edit::SetClips { strip, new, .. } => {
                self.strip(strip)?.clips.clone_from(new);
                Ok(())
            }
            Edit::SetFile { file, new, .. } => {
                match new {
                    Some(new) => drop(self.session.files.insert(file.clone(), new.clone())),
                    None => drop(self.session.files.remove(file)),
                }
                Ok(())
            }
            Edit::SetMarkers { new, .. } => {
                self.session.markers.clone_from(new);
                Ok(())
            }
        }
    }

    /// A strip that is really there.
    fn strip(&mut self, id: &StripId) -> Result<&mut Strip, String> {
        let ghost = self.ghost_strips.contains(id);
        self.session.strip_mut(id).filter(|_| !ghost).ok_or_else(|| gone(id.as_str()))
    }

    /// A processor that is really there.
    fn node(&mut self, id: &StripId, node: &ProcessorId) -> Result<&mut ProcessorNode, String> {
        let path = format!("{id}/{node}");
        if self.ghost_processors.contains(&(id.clone(), node.clone())) {
            return Err(gone(&path));
        }
        let found = self.strip(id)?.chain.iter_mut().find(|there| there.id == *node);
        found.ok_or_else(|| gone(&path))
    }

    fn set(
        &mut self,
        at: &ParamPath,
        old: Option<&Value>,
        new: Option<&Value>,
        hand: &Hand,
    ) -> Result<(), String> {
        self.strip(at.strip())?;
        if let ParamPath::Processor(strip, processor, _) = at {
            self.node(strip, processor)?;
        }
        let known = self.session.spec(at).zip(self.session.get(at));
        let (spec, current) = known.ok_or_else(|| gone(&at.to_string()))?;
        let default = Value::Constant(spec.default);
        let old = match hand.author {
            Author::Topdown => old.unwrap_or(&default),
            Author::Person => &current,
        };
        let (value, held) = changed(spec, &current, (old, new.unwrap_or(&default)), hand.amount);
        let edit = Edit::Set { at: at.clone(), old: Some(current), new: Some(value) };
        self.session.apply(&edit).map_err(|error| error.to_string())?;
        if held { Err(format!("`{at}` was held at the end of its range")) } else { Ok(()) }
    }

    fn insert_processor(
        &mut self,
        id: &StripId,
        index: usize,
        processor: &ProcessorNode,
        hand: &Hand,
    ) -> Result<(), String> {
        self.strip(id)?;
        let node = fainter(processor, hand.amount);
        let ghost = self.ghost_processors.remove(&(id.clone(), node.id.clone()));
        let chain = &mut self.strip(id)?.chain;
        let place = chain.iter().position(|there| ghost && there.id == node.id);
        place.map(|place| chain.remove(place));
        let index = without(index, place).min(chain.len());
        let edit = Edit::InsertProcessor { strip: id.clone(), index, processor: node };
        self.session.apply(&edit).map_err(|error| error.to_string())
    }

    fn insert_strip(&mut self, index: usize, strip: &Strip) -> Result<(), String> {
        let ghost = self.ghost_strips.remove(&strip.id);
        let strips = &mut self.session.strips;
        let place = strips.iter().position(|there| ghost && there.id == strip.id);
        place.map(|place| strips.remove(place));
        self.ghost_processors.retain(|(id, _)| *id != strip.id);
        let index = without(index, place).min(self.session.strips.len());
        let edit = Edit::InsertStrip { index, strip: strip.clone() };
        self.session.apply(&edit).map_err(|error| error.to_string())
    }
}

/// A place after the one at `removed` has gone: a ghost makes room for a real one of its name.
fn without(index: usize, removed: Option<usize>) -> usize {
    if removed.is_some_and(|removed| removed < index) { index - 1 } else { index }
}

/// The place among real ones and ghosts that is `index` among the real ones.
fn among(ghosts: impl Iterator<Item = bool>, index: usize) -> usize {
    let real = ghosts.enumerate().filter(|(_, ghost)| !ghost).map(|(place, _)| place + 1);
    if index == 0 { 0 } else { real.take(index).last().unwrap_or(0) }
}

fn gone(what: &str) -> String {
    format!(
        "`{what}` is not there, so an edit on it was skipped (its move is off, or it was removed)"
    )
}

fn changed(
    spec: &ParamSpec,
    current: &Value,
    (old, new): (&Value, &Value),
    amount: f64,
) -> (Value, bool) {
    match spec.amount {
        AmountRule::Scale => moved(spec, current, (old, new), amount),
        AmountRule::Fixed => (new.clone(), false),
    }
}

fn changed_facts(mut facts: Facts, old: &Facts, new: &Facts) -> Facts {
    fn take<T: Clone + PartialEq>(field: &mut T, old: &T, new: &T) {
        if old != new {
            field.clone_from(new);
        }
    }
    take(&mut facts.name, &old.name, &new.name);
    take(&mut facts.role, &old.role, &new.role);
    take(&mut facts.role_confidence, &old.role_confidence, &new.role_confidence);
    take(&mut facts.output, &old.output, &new.output);
    take(&mut facts.mute, &old.mute, &new.mute);
    take(&mut facts.excluded, &old.excluded, &new.excluded);
    facts
}

fn changed_sends(current: &[Send], old: &[Send], new: &[Send], hand: &Hand) -> Vec<Send> {
    if hand.amount == 1.0 && (hand.author == Author::Person || current == old) {
        return new.to_vec();
    }
    let find = |list: &[Send], to: &StripId| list.iter().find(|send| send.to == *to).cloned();
    let dropped = |send: &Send| find(old, &send.to).is_some() && find(new, &send.to).is_none();
    let mut sends: Vec<Send> = current.iter().filter(|send| !dropped(send)).cloned().collect();
    for wanted in new {
        let before = find(old, &wanted.to);
        let there = sends.iter_mut().find(|send| send.to == wanted.to);
        match (there, before) {
            (Some(there), Some(before)) if before != *wanted => {
                let old = match hand.author {
                    Author::Topdown => before.level_db.clone(),
                    Author::Person => there.level_db.clone(),
                };
                let (now, new) = (there.level_db.clone(), &wanted.level_db);
                there.level_db = moved(&SEND_LEVEL, &now, (&old, new), hand.amount).0;
                there.tap = wanted.tap;
            }
            (Some(_), Some(_)) => {}
            (Some(there), None) => *there = quieter(wanted, hand.amount),
            // A send that was there before and is not now belongs to a move that is off.
            (None, Some(_)) => {}
            (None, None) => sends.push(quieter(wanted, hand.amount)),
        }
    }
    sends
}

/// A new processor at an amount. Its scaled parameters go from where they do nothing: gains from their
/// defaults; `amount_percent` from 0, or `mix_percent` if there is no such, since their defaults are all of
/// it. (Scaling both would take the amount twice.)
fn fainter(processor: &ProcessorNode, amount: f64) -> ProcessorNode {
    let mut node = processor.clone();
    let kind = Kind::by_id(&node.kind).filter(|_| amount != 1.0);
    let params = kind.map_or(&[][..], |kind| kind.params);
    let has_amount = params.iter().any(|spec| spec.id.ends_with("amount_percent"));
    for spec in params.iter().filter(|spec| spec.amount == AmountRule::Scale) {
        let Some(new) = processor.value(spec.id) else { continue };
        let mix = spec.id.ends_with("mix_percent");
        let neutral = match () {
            () if mix && has_amount => continue,
            () if mix || spec.id.ends_with("amount_percent") => Value::Constant(0.0),
            () => Value::Constant(spec.default),
        };
        let value = moved(spec, &neutral, (&neutral, &new), amount).0;
        node.values.insert(spec.id.to_owned(), value);
    }
    node
}

fn quieter(send: &Send, amount: f64) -> Send {
    let mut send = send.clone();
    if amount < 1.0 {
        let down = gain_to_db(amount).max(CLOSED_DB);
        let lower = |db: f64| spec::round_number(&SEND_LEVEL, (db + down).max(CLOSED_DB));
        match &mut send.level_db {
            Value::Constant(db) => *db = lower(*db),
            Value::Automation(points) => {
                points.iter_mut().for_each(|point| point.value = lower(point.value));
            }
        }
    }
    send
}
