//! A session's folder, as the use cases see it: the document, its journal, and one commit at the end.

use crate::error::AppError;
use std::path::{Path, PathBuf};
use topdown_session::store::{self, Opened, Store};
use topdown_session::{Record, Session};

/// What Topdown itself puts into a session's folder.
const OURS: &[&str] =
    &["session.toml", "journal.jsonl", "history", "cache", "prints", "report.html", ".lock"];

/// A session on its way from folder to folder.
pub(crate) struct Project {
    folder: PathBuf,
    store: Option<Store>,
    /// The document as it was opened.
    pub(crate) session: Session,
    journal: Vec<Record>,
    /// Whether the run starts from the document.
    continues: bool,
    /// Whether the folder is this run's alone, so that it goes away with a run that failed.
    ours: bool,
    /// What was noticed when it was opened.
    pub(crate) warnings: Vec<String>,
}

impl Project {
    /// Whether there is a session at `path`.
    pub(crate) fn is_session(path: &Path) -> bool {
        path.join("session.toml").is_file() || path.extension().is_some_and(|e| e == "topdown")
    }

    /// Reads a session without locking or changing it.
    pub(crate) fn open(folder: &Path) -> Result<Self, AppError> {
        let opened = store::read(folder).map_err(session_error)?;
        Ok(Self::from_opened(folder, None, opened))
    }

    /// Opens a session for writing; hand edits are committed as the person's moves.
    pub(crate) fn open_to_write(folder: &Path) -> Result<Self, AppError> {
        let (store, opened) = Store::open(folder).map_err(session_error)?;
        Ok(Self::from_opened(folder, Some(store), opened))
    }

    /// Opens the session to be continued, or starts one. With `fresh` its document is not looked at, but
    /// stays in the history.
    pub(crate) fn open_or_create(folder: &Path, name: &str, fresh: bool) -> Result<Self, AppError> {
        if folder.join("session.toml").exists() {
            let mut project = Self::open_to_write(folder)?;
            project.continues = !fresh;
            return Ok(project);
        }
        if folder.exists() && !folder.is_dir() {
            let reason =
                "the session would be a folder of this name, and there is a file".to_owned();
            return Err(AppError::Disk { path: folder.to_owned(), reason });
        }
        // A folder of folders that nobody made is more likely a slip of the pen.
        if let Some(parent) = folder.parent().filter(|p| !p.as_os_str().is_empty() && !p.is_dir()) {
            let reason = "there is no such folder to write to".to_owned();
            return Err(AppError::Disk { path: parent.to_owned(), reason });
        }
        // Where the person wants it must be there: a slip of the pen makes no folders.
        if let Some(parent) = folder.parent().filter(|parent| !parent.as_os_str().is_empty()) {
            std::fs::metadata(parent).map_err(AppError::disk(parent))?;
        }
        let ours = holds_only_ours(folder);
        std::fs::create_dir_all(folder).map_err(AppError::disk(folder))?;
        Ok(Self {
            folder: folder.to_owned(),
            store: None,
            session: Session::empty(name, topdown_units::SampleRate::STUDIO),
            journal: Vec::new(),
            continues: false,
            ours,
            warnings: Vec::new(),
        })
    }

    fn from_opened(folder: &Path, store: Option<Store>, opened: Opened) -> Self {
        Self {
            folder: folder.to_owned(),
            store,
            session: opened.session,
            journal: opened.records,
            continues: true,
            ours: false,
            warnings: opened.warnings,
        }
    }

    /// The document to continue, if there is one.
    pub(crate) fn known(&self) -> Option<&Session> {
        self.continues.then_some(&self.session)
    }

    /// The records of all moves so far, those of a session that is started over too.
    pub(crate) fn journal(&self) -> &[Record] {
        &self.journal
    }

    /// Commits a document with the records of its new moves.
    pub(crate) fn commit(
        &mut self,
        session: Session,
        records: Vec<Record>,
        name: &str,
    ) -> Result<(), AppError> {
        self.journal.extend(records.iter().cloned());
        match &mut self.store {
            Some(store) => store.commit(&session, records, name).map_err(session_error)?,
            None => {
                self.store =
                    Some(Store::create(&self.folder, &session, records).map_err(session_error)?);
            }
        }
        self.session = session;
        self.ours = false;
        Ok(())
    }

    /// Puts the document from before the last commit in place.
    pub(crate) fn undo(&mut self) -> Result<(), AppError> {
        if let Some(store) = &mut self.store {
            self.session = store.undo().map_err(session_error)?;
        }
        Ok(())
    }

    /// Writes a file inside the session's folder, whole or not at all.
    pub(crate) fn write_beside(&self, path: &Path, bytes: &[u8]) -> Result<(), AppError> {
        let mut file = topdown_media::atomic::AtomicFile::create(path)?;
        std::io::Write::write_all(&mut file, bytes).map_err(AppError::disk(path))?;
        Ok(file.commit()?)
    }

    /// Takes away what a run that failed has made. Called instead of [`Self::commit`].
    pub(crate) fn abandon(&mut self) {
        self.store = None;
        if self.ours
            && let Err(error) = std::fs::remove_dir_all(&self.folder)
        {
            tracing::debug!("{}: {error}", self.folder.display());
        }
    }
}

/// Whether a folder is missing, or holds nothing but what an interrupted run of ours left there.
fn holds_only_ours(folder: &Path) -> bool {
    let Ok(entries) = std::fs::read_dir(folder) else { return !folder.exists() };
    entries.flatten().all(|entry| {
        let name = entry.file_name();
        let name = name.to_string_lossy();
        OURS.contains(&name.as_ref()) || name.starts_with(".topdown-")
    })
}

#[expect(clippy::needless_pass_by_value, reason = "for map_err, where an error ends")]
fn session_error(error: store::StoreError) -> AppError {
    AppError::Session(error.to_string())
}
