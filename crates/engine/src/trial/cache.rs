//! What has been rendered, within a budget of bytes; what was used longest ago leaves first.

use super::key::AudioKey;
use crate::rt::strip::Tapped;
use std::collections::BTreeMap;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use topdown_dsp::Status;

/// What a strip's chain has made of an excerpt, from the window's start on.
#[derive(Debug)]
pub(super) struct Kept {
    /// A plane a channel; all of them empty when nothing was heard.
    planes: Vec<Vec<f32>>,
    frames: usize,
    silent: bool,
    /// A trace a processor; empty for those without gain reduction.
    reductions: Vec<Vec<f32>>,
}

impl Kept {
    pub(super) fn new(channels: usize, processors: usize) -> Self {
        let planes = vec![Vec::new(); channels];
        Self { planes, frames: 0, silent: true, reductions: vec![Vec::new(); processors] }
    }

    pub(super) fn push(&mut self, frames: usize, made: Tapped<'_>) {
        self.silent &= made.status == Status::Silent;
        self.frames += frames;
        if self.silent {
            return;
        }
        for (plane, samples) in self.planes.iter_mut().zip(made.buffer.planes()) {
            // Everything before the first sound was silent and has not been written yet.
            plane.resize(self.frames - frames, 0.0);
            match made.status {
                Status::Filled => plane.extend_from_slice(&samples[..frames]),
                Status::Silent => plane.resize(self.frames, 0.0),
            }
        }
    }

    pub(super) fn push_reduction(&mut self, processor: usize, db: Option<f32>) {
        if let (Some(trace), Some(db)) = (self.reductions.get_mut(processor), db) {
            trace.push(db);
        }
    }

    /// The planes; none when nothing was heard.
    pub(super) fn planes(&self) -> impl Iterator<Item = &[f32]> {
        self.planes.iter().map(|plane| &plane[..]).filter(|_| !self.silent)
    }

    pub(super) fn reductions(&self) -> &[Vec<f32>] {
        &self.reductions
    }

    fn bytes(&self) -> usize {
        let samples = self.planes.iter().chain(&self.reductions).map(Vec::capacity).sum::<usize>();
        samples * size_of::<f32>() + size_of::<Self>()
    }
}

enum Entry {
    /// Somebody is at it.
    Coming,
    Here {
        kept: Arc<Kept>,
        last_used: u64,
    },
}

#[derive(Default)]
struct State {
    entries: BTreeMap<AudioKey, Entry>,
    bytes: usize,
    uses: u64,
    made: u64,
}

pub(super) struct Cache {
    state: Mutex<State>,
    changed: Condvar,
    budget_bytes: usize,
}

impl Cache {
    pub(super) fn new(budget_bytes: usize) -> Self {
        Self { state: Mutex::default(), changed: Condvar::new(), budget_bytes }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn bytes(&self) -> usize {
        self.lock().bytes
    }

    pub(super) fn made(&self) -> u64 {
        self.lock().made
    }

    /// What is kept under `key`; made now if nobody has, waited for if somebody is at it.
    pub(super) fn get_or_make<E>(
        &self,
        key: AudioKey,
        make: impl FnOnce() -> Result<Kept, E>,
    ) -> Result<Arc<Kept>, E> {
        let mut state = self.lock();
        loop {
            state.uses += 1;
            let now = state.uses;
            match state.entries.get_mut(&key) {
                Some(Entry::Here { kept, last_used }) => {
                    *last_used = now;
                    return Ok(kept.clone());
                }
                Some(Entry::Coming) => {
                    state = self.changed.wait(state).unwrap_or_else(PoisonError::into_inner);
                }
                None => break,
            }
        }
        state.entries.insert(key, Entry::Coming);
        drop(state);
        let coming = Coming { cache: self, key };
        let mut kept = make()?;
        kept.planes.iter_mut().chain(&mut kept.reductions).for_each(Vec::shrink_to_fit);
        let kept = Arc::new(kept);
        let mut state = self.lock();
        state.uses += 1;
        state.made += 1;
        state.bytes += kept.bytes();
        let last_used = state.uses;
        state.entries.insert(key, Entry::Here { kept: kept.clone(), last_used });
        self.make_room(&mut state);
        drop(state);
        drop(coming);
        Ok(kept)
    }

    fn make_room(&self, state: &mut State) {
        while state.bytes > self.budget_bytes {
            let here = state.entries.iter().filter_map(|(key, entry)| match entry {
                Entry::Here { kept, last_used } => Some((*last_used, *key, kept.bytes())),
                Entry::Coming => None,
            });
            let Some((_, key, bytes)) = here.min() else { return };
            state.entries.remove(&key);
            state.bytes -= bytes;
        }
    }
}

/// Wakes those who wait, and takes the announcement back if nothing came of it.
struct Coming<'a> {
    cache: &'a Cache,
    key: AudioKey,
}

impl Drop for Coming<'_> {
    fn drop(&mut self) {
        let mut state = self.cache.lock();
        if matches!(state.entries.get(&self.key), Some(Entry::Coming)) {
            state.entries.remove(&self.key);
        }
        drop(state);
        self.cache.changed.notify_all();
    }
}
