//! A second run on a folder whose files have changed: which recording is which.
//!
//! A file is the same recording if its content is (hash), wherever it lies now. What lies at the same path
//! with other content, or has the same name in another folder, is the same recording in a new take. In this
//! order: path and hash, hash, path, name. Decisions stay with the recording; moves that were solved for
//! what has changed are marked stale.

use crate::byhand::strip_of;
use crate::edit::{Edit, Facts};
use crate::journal::Record;
use crate::model::{Clip, FileId, MoveId, Session, SourceFile, Stage, StripId};
use std::collections::{BTreeMap, BTreeSet};

/// What became of the files of a session.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Rerun {
    /// Where they were, as they were.
    pub kept: Vec<FileId>,
    /// The same content at another path.
    pub moved: Vec<FileId>,
    /// Other content.
    pub replaced: Vec<FileId>,
    /// No longer there.
    pub removed: Vec<FileId>,
    /// Which of the files that were found is which of the session's, as indices into the list.
    pub matched: BTreeMap<FileId, usize>,
    /// Not in the session yet, as indices into the list that was found. For prep to bring in.
    pub added: Vec<usize>,
    /// What follows for the session: paths, lengths, clips, tracks without their file left out.
    pub edits: Vec<Edit>,
    /// Strips whose input has changed.
    pub stale_strips: BTreeSet<StripId>,
    /// Moves that were solved for what has changed.
    pub stale_moves: Vec<MoveId>,
}

/// Matches a session's files with those found now. New files change the sound of the bus; which group they
/// change, prep finds out.
#[must_use]
pub fn rerun(session: &Session, records: &[Record], found: &[SourceFile]) -> Rerun {
    let matched = match_files(session, found);
    let mut result = Rerun::default();
    for (id, old) in &session.files {
        let new = matched.get(id).and_then(|index| found.get(*index));
        let list = match new {
            None => &mut result.removed,
            Some(new) if new.hash != old.hash => &mut result.replaced,
            Some(new) if new.path != old.path => &mut result.moved,
            Some(_) => &mut result.kept,
        };
        list.push(id.clone());
        if new != Some(old) {
            let (file, old, new) = (id.clone(), Some(old.clone()), new.cloned());
            result.edits.push(Edit::SetFile { file, old, new });
        }
    }
    let taken: BTreeSet<usize> = matched.values().copied().collect();
    result.added = (0..found.len()).filter(|index| !taken.contains(index)).collect();
    let mut changed = change_clips(session, found, &matched, &mut result);
    if !result.added.is_empty() {
        changed.extend(session.bus().map(|bus| bus.id.clone()));
    }
    result.stale_strips = downstream(session, changed);
    result.stale_moves = stale_moves(session, records, &result.stale_strips);
    result.matched = matched;
    result
}

/// Marks strips and moves stale.
pub fn mark_stale(session: &mut Session, rerun: &Rerun) {
    for strip in &mut session.strips {
        strip.stale |= rerun.stale_strips.contains(&strip.id);
    }
    for the_move in &mut session.moves {
        the_move.stale |= rerun.stale_moves.contains(&the_move.id);
    }
}

type SameFile = fn(&SourceFile, &SourceFile) -> bool;

fn match_files(session: &Session, found: &[SourceFile]) -> BTreeMap<FileId, usize> {
    let rules: [SameFile; 4] = [
        |a, b| a.path == b.path && a.hash == b.hash,
        |a, b| a.hash == b.hash,
        |a, b| a.path == b.path,
        |a, b| file_name(a) == file_name(b),
    ];
    let mut matched: BTreeMap<FileId, usize> = BTreeMap::new();
    let mut taken = BTreeSet::new();
    for same in rules {
        for (id, old) in &session.files {
            if matched.contains_key(id) {
                continue;
            }
            let free =
                |(index, new): &(usize, &SourceFile)| !taken.contains(index) && same(old, new);
            if let Some((index, _)) = found.iter().enumerate().find(free) {
                matched.insert(id.clone(), index);
                taken.insert(index);
            }
        }
    }
    matched
}

fn file_name(file: &SourceFile) -> String {
    file.path.rsplit('/').next().unwrap_or_default().to_lowercase()
}

/// Fits clips to the lengths of replaced files, takes out those of removed ones, and leaves out tracks that
/// have nothing left to play. Gives the tracks that sound different.
fn change_clips(
    session: &Session,
    found: &[SourceFile],
    matched: &BTreeMap<FileId, usize>,
    result: &mut Rerun,
) -> BTreeSet<StripId> {
    let other: BTreeSet<&FileId> = result.replaced.iter().chain(&result.removed).collect();
    let mut edits = Vec::new();
    let mut changed = BTreeSet::new();
    for strip in &session.strips {
        if !strip.clips.iter().any(|clip| other.contains(&clip.file)) {
            continue;
        }
        changed.insert(strip.id.clone());
        let fit = |clip: &Clip| {
            let new = found.get(*matched.get(&clip.file)?)?;
            fitted(clip, session.files.get(&clip.file)?, new, session.sample_rate.get())
        };
        let clips: Vec<Clip> = strip.clips.iter().filter_map(fit).collect();
        let id = || strip.id.clone();
        if clips.is_empty() && strip.excluded.is_none() {
            let old = Facts::of(strip);
            let excluded = Some("its file is no longer there".to_owned());
            let new = Facts { excluded, ..old.clone() };
            edits.push(Edit::SetFacts { strip: id(), old, new });
        }
        if clips != strip.clips {
            edits.push(Edit::SetClips { strip: id(), old: strip.clips.clone(), new: clips });
        }
    }
    result.edits.extend(edits);
    changed
}

/// A clip on the new take: to its end if it went to the end of the old one, else as long as there is sound.
/// `None` if nothing of it is left.
fn fitted(clip: &Clip, old: &SourceFile, new: &SourceFile, rate: u32) -> Option<Clip> {
    if clip.channel.is_some_and(|channel| channel >= new.channels)
        || (clip.channel.is_none() && new.channels > 2)
    {
        return None;
    }
    let left = new.frames_at(rate).checked_sub(clip.from_frame).filter(|frames| *frames > 0)?;
    let to_the_end = clip.from_frame.saturating_add(clip.frames) >= old.frames_at(rate);
    let mut clip = clip.clone();
    clip.frames = if to_the_end { left } else { clip.frames.min(left) };
    clip.fades.in_frames = clip.fades.in_frames.min(clip.frames);
    clip.fades.out_frames = clip.fades.out_frames.min(clip.frames - clip.fades.in_frames);
    Some(clip)
}

/// Strips that hear one of these, and these.
fn downstream(session: &Session, mut changed: BTreeSet<StripId>) -> BTreeSet<StripId> {
    let mut waiting: Vec<StripId> = changed.iter().cloned().collect();
    while let Some(id) = waiting.pop() {
        let Some(strip) = session.strip(&id) else { continue };
        let keyed = session
            .strips
            .iter()
            .filter(|other| other.chain.iter().any(|node| node.key.as_ref() == Some(&id)));
        let fed = strip.output.iter().chain(strip.sends.iter().map(|send| &send.to));
        for next in fed.chain(keyed.map(|strip| &strip.id)) {
            if changed.insert(next.clone()) {
                waiting.push(next.clone());
            }
        }
    }
    changed
}

/// Moves in the mix that change a strip whose input has changed. Prep does not depend on the sound of
/// other files, and what a person did is theirs.
fn stale_moves(session: &Session, records: &[Record], strips: &BTreeSet<StripId>) -> Vec<MoveId> {
    let solved = |id: &MoveId| {
        let record = records.iter().rfind(|record| record.id == *id);
        record.is_some_and(|record| {
            record.edits.iter().filter_map(strip_of).any(|strip| strips.contains(strip))
        })
    };
    let moves = session.moves.iter().filter(|m| !matches!(m.stage, Stage::Prep | Stage::Person));
    moves.filter(|m| m.counts() && solved(&m.id)).map(|m| m.id.clone()).collect()
}
