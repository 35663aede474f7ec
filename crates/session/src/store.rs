//! A session's folder: opened by one writer at a time, committed atomically, with its history.
//!
//! | in the folder | what it is |
//! |---|---|
//! | `session.toml` | the document; renaming it into place is the commit |
//! | `journal.jsonl` | the evidence of all moves; written and on the disk before the commit |
//! | `history/000007-000006-mix.toml` | document 7, made from document 6, and what made it |
//! | `history/snapshot-a.toml` | what a person put aside, A to D |
//! | `.lock` | held by the one who writes |
//!
//! A commit writes the history entry under a temporary name, appends to the journal, renames
//! `session.toml`, and gives the history entry its name. Whenever it stops before the renaming, the document
//! is the one before: later journal lines lie behind the length that `session.toml` names and are dropped,
//! the temporary is removed when the session is opened. When it stops after that, opening finishes it. Undo is a commit that puts a document's parent in its place, redo one that puts its youngest
//! child there; the journal is never shortened by either.

use crate::byhand::{explain_against, explain_by_hand, unexplained};
use crate::diff::diff;
use crate::edit::Edit;
use crate::file::{LoadError, Loaded, load, save};
use crate::journal::Record;
use crate::journal_file::{Journal, Staged, TEMPORARY, sync_folder};
use crate::model::{MoveId, Session};
use crate::moves::settle;
use crate::validate::{Problem, validate};
use std::collections::{BTreeMap, BTreeSet};
use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{self, Read as _, Write as _};
use std::path::{Path, PathBuf};

const DOCUMENT: &str = "session.toml";
const JOURNAL: &str = "journal.jsonl";
const HISTORY: &str = "history";
const LOCK: &str = ".lock";

/// Why a session's folder could not be read or written. What was on the disk before is untouched.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The system said no.
    #[error("{}: {source}", path.display())]
    Io {
        /// Of what.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// The document cannot be used.
    #[error("{}:\n{source}", path.display())]
    Load {
        /// Which file.
        path: PathBuf,
        /// All that is wrong with it.
        source: LoadError,
    },
    /// There is a session already.
    #[error("{}: there is already a session here", .0.display())]
    Exists(PathBuf),
    /// Someone else writes it.
    #[error("{}: {holder} has this session open for writing: close it first", path.display())]
    Locked {
        /// The folder.
        path: PathBuf,
        /// Who, as far as is known.
        holder: String,
    },
    /// Changed by someone else since it was read.
    #[error(
        "{}: changed on disk since it was opened ({} changes): not overwritten",
        path.display(), changes.edits.len()
    )]
    Changed {
        /// The file.
        path: PathBuf,
        /// What it holds now.
        changes: Box<DiskChange>,
    },
    /// What should be saved does not hold together.
    #[error("this session cannot be saved:\n{}", .0.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n"))]
    Invalid(Vec<Problem>),
    /// Ids of moves are never used twice.
    #[error("move `{0}` is in the journal already")]
    UsedId(MoveId),
    /// The history ends here.
    #[error("there is nothing to {0}")]
    NoHistory(&'static str),
    /// Nothing was put aside there.
    #[error("there is no snapshot {0}")]
    NoSnapshot(Slot),
}

/// What a `session.toml` says that was changed while it was open.
#[derive(Clone, Debug)]
pub struct DiskChange {
    /// The document on disk; `None` if it cannot be read.
    pub session: Option<Session>,
    /// What turns the document as it was read into the one on disk.
    pub edits: Vec<Edit>,
    /// Why it cannot be read.
    pub problems: Vec<Problem>,
}

/// The four places to put a mix aside.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[expect(missing_docs, reason = "they have no other name")]
pub enum Slot {
    A,
    B,
    C,
    D,
}

impl std::fmt::Display for Slot {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{self:?}")
    }
}

/// A document in the history.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// Its number.
    pub number: u64,
    /// Number of the document it was made from; 0 for the first.
    pub parent: u64,
    /// What made it.
    pub name: String,
    file: PathBuf,
}

/// What is in a session's folder.
#[derive(Clone, Debug, PartialEq)]
pub struct Opened {
    /// The document. What a person changed in the file is among its moves.
    pub session: Session,
    /// The records of all moves.
    pub records: Vec<Record>,
    /// The person's move that explains what was changed in the file, if something was.
    pub by_hand: Option<Record>,
    /// What was noticed: unknown processors, a damaged journal.
    pub warnings: Vec<String>,
}

/// Reads a session without locking or changing anything.
///
/// # Errors
/// [`StoreError::Io`] or [`StoreError::Load`].
pub fn read(folder: &Path) -> Result<Opened, StoreError> {
    Ok(read_all(folder)?.0)
}

/// A session's folder, open for writing until it is dropped.
#[derive(Debug)]
pub struct Store {
    folder: PathBuf,
    journal: Journal,
    /// The document as it is on disk, as text and as a session.
    text: String,
    session: Session,
    commit: u64,
    _lock: File,
}

impl Store {
    /// Makes the folder of a new session and commits its first document.
    ///
    /// # Errors
    /// [`StoreError::Exists`] where there is one; what [`Self::commit`] says.
    pub fn create(
        folder: &Path,
        session: &Session,
        records: Vec<Record>,
    ) -> Result<Self, StoreError> {
        fs::create_dir_all(folder).map_err(at(folder))?;
        let lock = lock(folder)?;
        let document = folder.join(DOCUMENT);
        if document.symlink_metadata().is_ok() {
            return Err(StoreError::Exists(folder.to_owned()));
        }
        let mut store = Self {
            journal: Journal::new(&folder.join(JOURNAL)),
            folder: folder.to_owned(),
            text: String::new(),
            session: session.base(),
            commit: 0,
            _lock: lock,
        };
        store.tidy()?;
        store.commit(session, records, "new")?;
        Ok(store)
    }

    /// Opens a session for writing. What a person changed in the file is committed as their move; what a
    /// crash left behind is removed.
    ///
    /// # Errors
    /// [`StoreError::Locked`], [`StoreError::Load`] or [`StoreError::Io`]; nothing is changed then.
    pub fn open(folder: &Path) -> Result<(Self, Opened), StoreError> {
        if !folder.join(DOCUMENT).exists() {
            let source = io::Error::new(io::ErrorKind::NotFound, "there is no session here");
            return Err(StoreError::Io { path: folder.to_owned(), source });
        }
        let lock = lock(folder)?;
        let (_, OnDisk { text, session, commit, journal }) = read_all(folder)?;
        let folder = folder.to_owned();
        let mut store = Self { folder, journal, text, session, commit, _lock: lock };
        store.tidy()?;
        let opened = store.reload()?;
        Ok((store, opened))
    }

    /// Takes in what was changed in `session.toml` while it was open, and commits it as the person's move.
    ///
    /// # Errors
    /// [`StoreError::Load`] or [`StoreError::Io`]; nothing is changed then.
    pub fn reload(&mut self) -> Result<Opened, StoreError> {
        let (opened, OnDisk { text, session, commit, journal }) = read_all(&self.folder)?;
        (self.text, self.session, self.commit, self.journal) = (text, session, commit, journal);
        if opened.session != self.session {
            let new = opened.by_hand.iter().cloned().collect();
            self.commit(&opened.session, new, "by hand")?;
        }
        Ok(opened)
    }

    /// The document as it was last read or committed.
    #[must_use]
    pub const fn session(&self) -> &Session {
        &self.session
    }

    /// The records of all moves, undone ones too.
    #[must_use]
    pub fn records(&self) -> &[Record] {
        &self.journal.records
    }

    /// The folder.
    #[must_use]
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// Commits a document with the records of its new moves; `name` says in a word or two what made it.
    ///
    /// # Errors
    /// What does not hold together, was changed on disk, or cannot be written. The document on disk is then
    /// the one before.
    pub fn commit(
        &mut self,
        session: &Session,
        records: Vec<Record>,
        name: &str,
    ) -> Result<(), StoreError> {
        let used: BTreeSet<&MoveId> =
            self.journal.records.iter().map(|record| &record.id).collect();
        if let Some(record) = records.iter().find(|record| used.contains(&record.id)) {
            return Err(StoreError::UsedId(record.id.clone()));
        }
        let records = self.placed(session, records);
        let history = self.folder.join(HISTORY);
        fs::create_dir_all(&history).map_err(at(&history))?;
        let number = entries(&self.folder)?.last_key_value().map_or(0, |(number, _)| *number) + 1;
        let name = slug(name);
        let entry = history.join(format!("{number:06}-{:06}-{name}.toml", self.commit));
        self.put(session, records, number, Some(&entry))
    }

    /// The records as the journal has them: if folding them does not give the document, their places were
    /// counted without the processors of moves that are off.
    fn placed(&self, session: &Session, records: Vec<Record>) -> Vec<Record> {
        let known = &self.journal.records;
        let all: Vec<Record> = known.iter().chain(&records).cloned().collect();
        if records.is_empty() || unexplained(session, &all).is_empty() {
            return records;
        }
        settle(&session.base(), &session.moves, known, records)
    }

    /// Puts the document from before the last commit in place, and gives it back.
    ///
    /// # Errors
    /// [`StoreError::NoHistory`]; what [`Self::commit`] says.
    pub fn undo(&mut self) -> Result<Session, StoreError> {
        let entries = entries(&self.folder)?;
        let parent = entries.get(&self.commit).and_then(|entry| entries.get(&entry.parent));
        let parent = parent.ok_or(StoreError::NoHistory("undo"))?;
        self.go_to(parent)
    }

    /// Puts the document in place that the last undo took away, and gives it back.
    ///
    /// # Errors
    /// [`StoreError::NoHistory`]; what [`Self::commit`] says.
    pub fn redo(&mut self) -> Result<Session, StoreError> {
        let entries = entries(&self.folder)?;
        let child = entries.values().rev().find(|entry| entry.parent == self.commit);
        self.go_to(child.ok_or(StoreError::NoHistory("redo"))?)
    }

    /// All documents of the history, oldest first.
    ///
    /// # Errors
    /// When the folder cannot be read.
    pub fn history(&self) -> Result<Vec<Entry>, StoreError> {
        Ok(entries(&self.folder)?.into_values().collect())
    }

    /// Puts the document aside.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn keep_snapshot(&self, slot: Slot) -> Result<(), StoreError> {
        let path = self.snapshot_path(slot);
        let staged = Staged::write(&path, &save(&self.session, None)).map_err(at(&path))?;
        staged.finish().map_err(at(&path))
    }

    /// Takes back what was put aside, as a new commit, and gives it back.
    ///
    /// # Errors
    /// [`StoreError::NoSnapshot`]; what [`Self::commit`] says.
    pub fn take_snapshot(&mut self, slot: Slot) -> Result<Session, StoreError> {
        let path = self.snapshot_path(slot);
        if !path.exists() {
            return Err(StoreError::NoSnapshot(slot));
        }
        let session = load_file(&path)?.1.session;
        self.commit(&session, Vec::new(), &format!("snapshot {slot}"))?;
        Ok(session)
    }

    /// What was changed in `session.toml` by someone else since it was read or committed.
    ///
    /// # Errors
    /// When it cannot be read at all.
    pub fn changed_on_disk(&self) -> Result<Option<DiskChange>, StoreError> {
        let path = self.folder.join(DOCUMENT);
        let bytes = match fs::read(&path) {
            Ok(bytes) => bytes,
            Err(error) if error.kind() == io::ErrorKind::NotFound && self.commit == 0 => {
                return Ok(None);
            }
            Err(error) => return Err(at(&path)(error)),
        };
        if bytes == self.text.as_bytes() {
            return Ok(None);
        }
        let change = match load(&String::from_utf8_lossy(&bytes)) {
            Ok(Loaded { session, .. }) => {
                let edits = diff(&self.session, &session);
                DiskChange { session: Some(session), edits, problems: Vec::new() }
            }
            Err(error) => DiskChange { session: None, edits: Vec::new(), problems: error.0 },
        };
        Ok(Some(change))
    }

    fn snapshot_path(&self, slot: Slot) -> PathBuf {
        self.folder.join(HISTORY).join(format!("snapshot-{}.toml", slot.to_string().to_lowercase()))
    }

    fn go_to(&mut self, entry: &Entry) -> Result<Session, StoreError> {
        let session = load_file(&entry.file)?.1.session;
        self.put(&session, Vec::new(), entry.number, None)?;
        Ok(session)
    }

    /// The commit itself, in the order that makes it atomic.
    fn put(
        &mut self,
        session: &Session,
        records: Vec<Record>,
        number: u64,
        entry: Option<&Path>,
    ) -> Result<(), StoreError> {
        let mut session = session.clone();
        session.strips = session.strips.drain(..).map(crate::Strip::canonical).collect();
        let problems = validate(&session);
        if !problems.is_empty() {
            return Err(StoreError::Invalid(problems));
        }
        let path = self.folder.join(DOCUMENT);
        if let Some(changes) = self.changed_on_disk()?.map(Box::new) {
            return Err(StoreError::Changed { path, changes });
        }
        let plain = save(&session, None);
        match load(&plain) {
            Ok(loaded) if loaded.session == session => {}
            Ok(_) => return Err(StoreError::Invalid(vec![not_the_same()])),
            Err(LoadError(problems)) => return Err(StoreError::Invalid(problems)),
        }
        let entry =
            entry.map(|entry| Staged::write(entry, &plain).map_err(at(entry))).transpose()?;
        let mark = self.journal.mark();
        let journal = self.folder.join(JOURNAL);
        let text = match self.journal.append(records) {
            Ok(()) => save(&session, Some(&self.journal.head(number))),
            Err(error) => return Err(at(&journal)(error)),
        };
        // The journal and the folder's entry for it are on the disk before the document that needs them.
        let written =
            sync_folder(&self.folder).and_then(|()| Staged::write(&path, &text)?.finish());
        if let Err(error) = written {
            self.journal.rewind(mark);
            return Err(at(&path)(error));
        }
        // Committed. If only this fails, opening the session makes up for it.
        let _ = entry.map(Staged::finish);
        (self.text, self.session, self.commit) = (text, session, number);
        Ok(())
    }

    /// Removes what a crash left behind, and finishes what it left undone after a commit.
    fn tidy(&self) -> Result<(), StoreError> {
        let (history, ours) = (self.folder.join(HISTORY), format!("{:06}-", self.commit));
        for folder in [&self.folder, &history] {
            for file in names(folder)? {
                let Some(name) = file.strip_suffix(TEMPORARY) else { continue };
                let path = folder.join(&file);
                let finished = if *folder == history && name.starts_with(&ours) {
                    fs::rename(&path, folder.join(name))
                } else {
                    fs::remove_file(&path)
                };
                finished.map_err(at(&path))?;
            }
        }
        Ok(())
    }
}

/// The document and journal exactly as they are on disk.
struct OnDisk {
    text: String,
    session: Session,
    commit: u64,
    journal: Journal,
}

fn read_all(folder: &Path) -> Result<(Opened, OnDisk), StoreError> {
    let (text, loaded) = load_file(&folder.join(DOCUMENT))?;
    let mut warnings: Vec<String> = loaded.warnings.iter().map(ToString::to_string).collect();
    let path = folder.join(JOURNAL);
    let head = loaded.journal_head.as_ref();
    let journal = Journal::read(&path, head, &mut warnings).map_err(at(&path))?;
    let commit = head.map_or(0, |head| head.commit);
    let mut session = loaded.session.clone();
    let known: BTreeSet<&MoveId> = journal.records.iter().map(|record| &record.id).collect();
    let lost = session.moves.iter().any(|m| m.counts() && !known.contains(&m.id));
    // Without all records nobody can tell what was done by hand.
    let by_hand = if lost {
        let text = "some moves have no record in the journal: what was changed by hand is kept, but cannot \
                    be told from what they did";
        warnings.push(text.to_owned());
        None
    } else {
        match entry_text(folder, commit).and_then(|text| load(&text).ok()) {
            Some(before) => explain_against(&mut session, &before.session, &journal.records),
            None => explain_by_hand(&mut session, &journal.records),
        }
    };
    let mut records = journal.records.clone();
    records.extend(by_hand.clone());
    let opened = Opened { session, records, by_hand, warnings };
    Ok((opened, OnDisk { text, session: loaded.session, commit, journal }))
}

fn entry_text(folder: &Path, number: u64) -> Option<String> {
    fs::read_to_string(&entries(folder).ok()?.get(&number)?.file).ok()
}

fn load_file(path: &Path) -> Result<(String, Loaded), StoreError> {
    let bytes = fs::read(path).map_err(at(path))?;
    let loaded = String::from_utf8(bytes).map_err(|error| {
        let before = &error.as_bytes()[..error.utf8_error().valid_up_to()];
        let line = Some(1 + before.iter().filter(|byte| **byte == b'\n').count());
        let message = "this is not text (UTF-8)".to_owned();
        LoadError(vec![Problem { line, path: String::new(), message }])
    });
    let loaded = loaded.and_then(|text| load(&text).map(|loaded| (text, loaded)));
    loaded.map_err(|source| StoreError::Load { path: path.to_owned(), source })
}

fn entries(folder: &Path) -> Result<BTreeMap<u64, Entry>, StoreError> {
    let folder = folder.join(HISTORY);
    let entry = |file: String| {
        let mut parts = file.strip_suffix(".toml")?.splitn(3, '-');
        let (number, parent) = (parts.next()?.parse().ok()?, parts.next()?.parse().ok()?);
        let name = parts.next()?.replace('-', " ");
        Some((number, Entry { number, parent, name, file: folder.join(&file) }))
    };
    Ok(names(&folder)?.into_iter().filter_map(entry).collect())
}

/// Names of the files in a folder, sorted; none if there is no such folder.
fn names(folder: &Path) -> Result<Vec<String>, StoreError> {
    let listed = match fs::read_dir(folder) {
        Ok(listed) => listed,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(at(folder)(error)),
    };
    let mut names = Vec::new();
    for entry in listed {
        names.extend(entry.map_err(at(folder))?.file_name().into_string().ok());
    }
    names.sort();
    Ok(names)
}

fn slug(name: &str) -> String {
    let words = name.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty());
    words.collect::<Vec<_>>().join("-").to_lowercase().chars().take(40).collect()
}

fn not_the_same() -> Problem {
    let message = "it does not read back as it is written".to_owned();
    Problem { line: None, path: String::new(), message }
}

/// Takes the writer's lock, and says in it who has it.
fn lock(folder: &Path) -> Result<File, StoreError> {
    let path = folder.join(LOCK);
    let mut options = OpenOptions::new();
    let file = options.create(true).truncate(false).read(true).write(true).open(&path);
    let mut file = file.map_err(at(&path))?;
    match file.try_lock() {
        Ok(()) => {}
        Err(TryLockError::WouldBlock) => {
            let mut holder = String::new();
            // Some systems let nobody else read a locked file.
            let _ = file.take(200).read_to_string(&mut holder);
            let holder = holder.trim();
            let holder = if holder.is_empty() { "another Topdown" } else { holder };
            return Err(StoreError::Locked { path: folder.to_owned(), holder: holder.to_owned() });
        }
        Err(TryLockError::Error(error)) => return Err(at(&path)(error)),
    }
    let who = format!("process {}\n", std::process::id());
    file.set_len(0).and_then(|()| file.write_all(who.as_bytes())).map_err(at(&path))?;
    Ok(file)
}

fn at(path: &Path) -> impl FnOnce(io::Error) -> StoreError {
    let path = path.to_owned();
    move |source| StoreError::Io { path, source }
}
