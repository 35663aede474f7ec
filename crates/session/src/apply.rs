//! Edits applied to a session: every one is checked before anything changes, and nothing is clamped.

use crate::edit::{Edit, EditError, Facts, ParamPath, Transaction};
use crate::model::{
    Clip, ProcessorId, ProcessorNode, Send, Session, Strip, StripId, StripKind, Value,
};
use crate::spec::{self, CLIP_GAIN, FADER, PAN, SEND_LEVEL, WIDTH, check_value};

/// A transaction that could not be applied; the session is as it was before.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[error("edit {} of {count}: {source}", .index + 1)]
pub struct TransactionError {
    /// Which edit, counted from 0.
    pub index: usize,
    /// Of how many.
    pub count: usize,
    /// What was wrong with it.
    pub source: EditError,
}

impl Session {
    /// Applies one edit.
    ///
    /// What the edit starts from must be what is there, and what it says must be allowed in itself. What
    /// strips say about each other (outputs, sends, keys, files) is for [`crate::validate`], since a
    /// transaction may go through states that do not hold together.
    ///
    /// # Errors
    /// Whatever does not fit; the session is then unchanged.
    pub fn apply(&mut self, edit: &Edit) -> Result<(), EditError> {
        match edit {
            Edit::Set { at, old, new } => self.set(at, old.as_ref(), new.as_ref()),
            Edit::InsertProcessor { strip, index, processor } => {
                self.insert_processor(strip, *index, processor)
            }
            Edit::RemoveProcessor { strip, index, processor } => {
                self.remove_processor(strip, *index, processor)
            }
            Edit::SetProcessor { strip, processor, old, new } => {
                self.set_processor(strip, processor, old, new)
            }
            Edit::InsertStrip { index, strip } => self.insert_strip(*index, strip),
            Edit::RemoveStrip { index, strip } => self.remove_strip(*index, strip),
            Edit::SetFacts { strip, old, new } => self.set_facts(strip, old, new),
            Edit::SetSends { strip, old, new } => self.set_sends(strip, old, new),
            Edit::SetClips { strip, old, new } => self.set_clips(strip, old, new),
            Edit::SetFile { file, old, new } => {
                expect(self.files.get(file) == old.as_ref(), || format!("file `{file}`"))?;
                match new {
                    Some(new) => drop(self.files.insert(file.clone(), new.clone())),
                    None => drop(self.files.remove(file)),
                }
                Ok(())
            }
            Edit::SetMarkers { old, new } => {
                expect(self.markers == *old, || "the list of markers".to_owned())?;
                self.markers.clone_from(new);
                Ok(())
            }
        }
    }

    /// Applies all edits of a transaction, or none.
    ///
    /// # Errors
    /// The first edit that does not fit; the session is then unchanged.
    pub fn commit(&mut self, transaction: &Transaction) -> Result<(), TransactionError> {
        let edits = &transaction.edits;
        let before = self.clone();
        for (index, edit) in edits.iter().enumerate() {
            if let Err(source) = self.apply(edit) {
                *self = before;
                return Err(TransactionError { index, count: edits.len(), source });
            }
        }
        Ok(())
    }

    /// The edit that sets a value, rounded to digits that mean something; `None` sets the default.
    ///
    /// # Errors
    /// Where there is no such value, or it may not be that.
    pub fn set_to(&self, at: ParamPath, new: Option<Value>) -> Result<Edit, EditError> {
        let missing = || EditError::NoValue(at.clone());
        let (spec, old) = self.spec(&at).zip(self.get(&at)).ok_or_else(missing)?;
        let new = new.map(|value| spec::round_value(spec, &value));
        if let Some(value) = &new {
            check_value(spec, value).map_err(|fault| EditError::Value { at: at.clone(), fault })?;
        }
        Ok(Edit::Set { at, old: Some(old), new })
    }

    fn set(
        &mut self,
        at: &ParamPath,
        old: Option<&Value>,
        new: Option<&Value>,
    ) -> Result<(), EditError> {
        let missing = || EditError::NoValue(at.clone());
        let spec = self.spec(at).ok_or_else(missing)?;
        let default = Value::Constant(spec.default);
        expect(self.get(at).as_ref() == Some(old.unwrap_or(&default)), || format!("`{at}`"))?;
        let new = new.unwrap_or(&default);
        check_value(spec, new).map_err(|fault| EditError::Value { at: at.clone(), fault })?;
        let strip = self.strip_mut(at.strip()).ok_or_else(missing)?;
        match at {
            ParamPath::Fader(_) => strip.fader_db = new.clone(),
            ParamPath::Pan(_) => strip.pan = new.clone(),
            ParamPath::Width(_) => strip.width = new.clone(),
            ParamPath::Send(_, to) => {
                let send = strip.sends.iter_mut().find(|send| send.to == *to);
                send.ok_or_else(missing)?.level_db = new.clone();
            }
            ParamPath::Processor(_, id, param) => {
                let node = strip.chain.iter_mut().find(|node| node.id == *id);
                let values = &mut node.ok_or_else(missing)?.values;
                if *new == default {
                    values.remove(param);
                } else {
                    values.insert(param.clone(), new.clone());
                }
            }
        }
        Ok(())
    }

    fn insert_processor(
        &mut self,
        id: &StripId,
        index: usize,
        node: &ProcessorNode,
    ) -> Result<(), EditError> {
        let strip = self.strip_mut(id).ok_or_else(|| EditError::NoStrip(id.clone()))?;
        if strip.processor(&node.id).is_some() {
            return Err(EditError::ProcessorExists(id.clone(), node.id.clone()));
        }
        check_place(index, strip.chain.len())?;
        node.check(strip)?;
        strip.chain.insert(index, node.clone().canonical());
        Ok(())
    }

    fn remove_processor(
        &mut self,
        id: &StripId,
        index: usize,
        node: &ProcessorNode,
    ) -> Result<(), EditError> {
        let strip = self.strip_mut(id).ok_or_else(|| EditError::NoStrip(id.clone()))?;
        let missing = || EditError::NoProcessor(id.clone(), node.id.clone());
        let place = strip.chain.iter().position(|there| there.id == node.id);
        let there = place.and_then(|place| strip.chain.get(place)).ok_or_else(missing)?;
        let same = place == Some(index) && *there == node.clone().canonical();
        expect(same, || format!("processor `{}` of `{id}`", node.id))?;
        strip.chain.remove(index);
        Ok(())
    }

    fn set_processor(
        &mut self,
        id: &StripId,
        processor: &ProcessorId,
        old: &(bool, Option<StripId>),
        new: &(bool, Option<StripId>),
    ) -> Result<(), EditError> {
        let strip = self.strip_mut(id).ok_or_else(|| EditError::NoStrip(id.clone()))?;
        let node = strip.chain.iter_mut().find(|node| node.id == *processor);
        let missing = || EditError::NoProcessor(id.clone(), processor.clone());
        let node = node.ok_or_else(missing)?;
        expect(node.bypass == old.0 && node.key == old.1, || {
            format!("processor `{processor}` of `{id}`")
        })?;
        (node.bypass, node.key) = new.clone();
        Ok(())
    }

    fn insert_strip(&mut self, index: usize, strip: &Strip) -> Result<(), EditError> {
        if self.strip(&strip.id).is_some() {
            return Err(EditError::StripExists(strip.id.clone()));
        }
        check_place(index, self.strips.len())?;
        check_strip(strip)?;
        self.strips.insert(index, strip.clone().canonical());
        Ok(())
    }

    fn remove_strip(&mut self, index: usize, strip: &Strip) -> Result<(), EditError> {
        let place = self.strips.iter().position(|there| there.id == strip.id);
        let there = place.and_then(|place| self.strips.get(place));
        let there = there.ok_or_else(|| EditError::NoStrip(strip.id.clone()))?;
        let mut expected = strip.clone().canonical();
        expected.take_work_state(there);
        expect(place == Some(index) && *there == expected, || format!("strip `{}`", strip.id))?;
        self.strips.remove(index);
        Ok(())
    }

    fn set_facts(&mut self, id: &StripId, old: &Facts, new: &Facts) -> Result<(), EditError> {
        check_facts(id, new)?;
        let strip = self.strip_mut(id).ok_or_else(|| EditError::NoStrip(id.clone()))?;
        expect(Facts::of(strip) == *old, || format!("strip `{id}`"))?;
        strip.put_facts(new);
        Ok(())
    }

    fn set_sends(&mut self, id: &StripId, old: &[Send], new: &[Send]) -> Result<(), EditError> {
        check_sends(id, new)?;
        let strip = self.strip_mut(id).ok_or_else(|| EditError::NoStrip(id.clone()))?;
        expect(strip.sends == old, || format!("the list of sends of `{id}`"))?;
        strip.sends = new.to_vec();
        Ok(())
    }

    fn set_clips(&mut self, id: &StripId, old: &[Clip], new: &[Clip]) -> Result<(), EditError> {
        check_clips(id, new)?;
        let strip = self.strip_mut(id).ok_or_else(|| EditError::NoStrip(id.clone()))?;
        if strip.kind != StripKind::Track {
            return Err(EditError::NotATrack(id.clone()));
        }
        expect(strip.clips == old, || format!("the list of clips of `{id}`"))?;
        strip.clips = new.to_vec();
        Ok(())
    }
}

impl Strip {
    /// The same strip as documents hold it; see [`ProcessorNode::canonical`].
    #[must_use]
    pub fn canonical(mut self) -> Self {
        self.chain = self.chain.into_iter().map(ProcessorNode::canonical).collect();
        self
    }

    /// Takes over from `other` what is no part of the mix and therefore of no move: solo, lock, stale.
    pub(crate) fn take_work_state(&mut self, other: &Self) {
        self.solo = other.solo;
        self.solo_safe = other.solo_safe;
        self.locked = other.locked;
        self.stale = other.stale;
    }

    pub(crate) fn put_facts(&mut self, facts: &Facts) {
        let Facts { name, role, role_confidence, output, mute, excluded } = facts.clone();
        self.name = name;
        self.role = role;
        self.role_confidence = role_confidence;
        self.output = output;
        self.mute = mute;
        self.excluded = excluded;
    }
}

fn expect(as_before: bool, what: impl FnOnce() -> String) -> Result<(), EditError> {
    if as_before { Ok(()) } else { Err(EditError::Changed(what())) }
}

fn check_place(index: usize, len: usize) -> Result<(), EditError> {
    if index <= len { Ok(()) } else { Err(EditError::Place { index, len }) }
}

fn check_facts(strip: &StripId, facts: &Facts) -> Result<(), EditError> {
    let value = facts.role_confidence;
    let fault = || EditError::Confidence { strip: strip.clone(), value };
    if (0.0..=1.0).contains(&value) { Ok(()) } else { Err(fault()) }
}

fn check_sends(strip: &StripId, sends: &[Send]) -> Result<(), EditError> {
    sends.iter().try_for_each(|send| {
        let at = || ParamPath::Send(strip.clone(), send.to.clone());
        check_value(&SEND_LEVEL, &send.level_db)
            .map_err(|fault| EditError::Value { at: at(), fault })
    })
}

fn check_clips(strip: &StripId, clips: &[Clip]) -> Result<(), EditError> {
    clips.iter().enumerate().try_for_each(|(index, clip)| {
        let part = format!("clip {}", index + 1);
        let at = || ParamPath::Processor(strip.clone(), part.as_str().into(), "gain_db".to_owned());
        check_value(&CLIP_GAIN, &Value::Constant(clip.gain_db))
            .map_err(|fault| EditError::Value { at: at(), fault })
    })
}

fn check_strip(strip: &Strip) -> Result<(), EditError> {
    let id = || strip.id.clone();
    if !(1..=2).contains(&strip.channels) {
        return Err(EditError::Channels(id(), strip.channels));
    }
    if strip.kind != StripKind::Track && !strip.clips.is_empty() {
        return Err(EditError::NotATrack(id()));
    }
    for (spec, value, at) in [
        (&FADER, &strip.fader_db, ParamPath::Fader(id())),
        (&PAN, &strip.pan, ParamPath::Pan(id())),
        (&WIDTH, &strip.width, ParamPath::Width(id())),
    ] {
        check_value(spec, value).map_err(|fault| EditError::Value { at, fault })?;
    }
    check_facts(&strip.id, &Facts::of(strip))?;
    check_sends(&strip.id, &strip.sends)?;
    check_clips(&strip.id, &strip.clips)?;
    for (index, node) in strip.chain.iter().enumerate() {
        node.check(strip)?;
        if strip.chain.iter().take(index).any(|before| before.id == node.id) {
            return Err(EditError::ProcessorExists(id(), node.id.clone()));
        }
    }
    Ok(())
}
