//! `journal.jsonl` on disk: one record a line, only ever appended to. What belongs to a document is a
//! prefix of known length and hash; a line cut short by a crash lies behind it and is dropped.

use crate::file::JournalHead;
use crate::journal::Record;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

/// The journal of an open session.
#[derive(Debug)]
pub(crate) struct Journal {
    path: PathBuf,
    pub(crate) records: Vec<Record>,
    hasher: blake3::Hasher,
    bytes: u64,
    damaged: bool,
}

impl Journal {
    /// A journal with nothing in it yet; one without a session that lies there is set aside.
    pub(crate) fn new(path: &Path) -> Self {
        Self { damaged: path.exists(), ..Self::empty(path) }
    }

    fn empty(path: &Path) -> Self {
        Self {
            path: path.to_owned(),
            records: Vec::new(),
            hasher: blake3::Hasher::new(),
            bytes: 0,
            damaged: false,
        }
    }

    /// Reads what belongs to `head`; all of it where there is no head. What cannot be read is said in
    /// `warnings`: the values are in `session.toml`, so a damaged journal loses no mix.
    pub(crate) fn read(
        path: &Path,
        head: Option<&JournalHead>,
        warnings: &mut Vec<String>,
    ) -> io::Result<Self> {
        let mut journal = Self::empty(path);
        let mut bytes = match fs::read(path) {
            Ok(bytes) => bytes,
            Err(error) if error.kind() == io::ErrorKind::NotFound => Vec::new(),
            Err(error) => return Err(error),
        };
        if let Some(head) = head {
            bytes.truncate(usize::try_from(head.bytes).unwrap_or(usize::MAX));
            let hash = blake3::hash(&bytes).to_hex();
            journal.damaged = bytes.len() as u64 != head.bytes || hash.as_str() != head.hash;
        } else {
            // A line that did not get its end was never finished.
            let end = bytes.iter().rposition(|byte| *byte == b'\n').map_or(0, |at| at + 1);
            journal.damaged = end != bytes.len();
        }
        for (index, line) in bytes.split(|byte| *byte == b'\n').enumerate() {
            match serde_json::from_slice(line) {
                Ok(record) => journal.records.push(record),
                Err(_) if line.is_empty() => {}
                Err(error) => {
                    journal.damaged = true;
                    warnings.push(format!("journal.jsonl, line {}: {error}", index + 1));
                }
            }
        }
        if journal.damaged {
            let text = "journal.jsonl is not what session.toml was saved with: what can be read of it is \
                        used; moves without a record stay in the mix, but cannot be steered";
            warnings.push(text.to_owned());
        }
        journal.hasher.update(&bytes);
        journal.bytes = bytes.len() as u64;
        Ok(journal)
    }

    /// Appends records and waits until they are on the disk. If that fails the journal is what it was: the
    /// next append starts over at the same place.
    pub(crate) fn append(&mut self, records: Vec<Record>) -> io::Result<()> {
        let mut text = Vec::new();
        if self.damaged {
            self.set_aside()?;
            lines(&self.records, &mut text)?;
        }
        lines(&records, &mut text)?;
        if !text.is_empty() || !self.path.exists() {
            let mut file =
                OpenOptions::new().create(true).truncate(false).write(true).open(&self.path)?;
            file.set_len(self.bytes)?;
            file.seek(SeekFrom::Start(self.bytes))?;
            file.write_all(&text)?;
            file.sync_all()?;
        }
        self.hasher.update(&text);
        self.bytes += text.len() as u64;
        self.records.extend(records);
        Ok(())
    }

    /// Keeps a damaged journal beside the new one, which starts with what could be read.
    fn set_aside(&mut self) -> io::Result<()> {
        match fs::rename(&self.path, self.path.with_file_name("journal-damaged.jsonl")) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
        self.hasher = blake3::Hasher::new();
        self.bytes = 0;
        self.damaged = false;
        Ok(())
    }

    /// Takes back an append that no document came to rely on.
    pub(crate) fn rewind(&mut self, mark: Mark) {
        self.records.truncate(mark.records);
        self.hasher = mark.hasher;
        self.bytes = mark.bytes;
    }

    pub(crate) fn mark(&self) -> Mark {
        let (records, bytes) = (self.records.len(), self.bytes);
        Mark { records, hasher: self.hasher.clone(), bytes }
    }

    pub(crate) fn head(&self, commit: u64) -> JournalHead {
        JournalHead { commit, bytes: self.bytes, hash: self.hasher.finalize().to_hex().to_string() }
    }
}

/// A place in the journal to come back to.
pub(crate) struct Mark {
    records: usize,
    hasher: blake3::Hasher,
    bytes: u64,
}

fn lines(records: &[Record], text: &mut Vec<u8>) -> io::Result<()> {
    records.iter().try_for_each(|record| {
        serde_json::to_writer(&mut *text, record)?;
        text.push(b'\n');
        Ok(())
    })
}

/// A file that is whole and on the disk, but not in its place yet; removed if it never gets there.
pub(crate) struct Staged {
    temporary: PathBuf,
    path: PathBuf,
}

impl Staged {
    pub(crate) fn write(path: &Path, text: &str) -> io::Result<Self> {
        let mut name = path.file_name().unwrap_or_default().to_owned();
        name.push(TEMPORARY);
        let staged = Self { temporary: path.with_file_name(name), path: path.to_owned() };
        let mut file = File::create(&staged.temporary)?;
        file.write_all(text.as_bytes())?;
        file.sync_all()?;
        Ok(staged)
    }

    /// Puts it in its place, and that onto the disk.
    pub(crate) fn finish(self) -> io::Result<()> {
        fs::rename(&self.temporary, &self.path)?;
        self.path.parent().map_or(Ok(()), sync_folder)
    }
}

impl Drop for Staged {
    fn drop(&mut self) {
        // Gone already after `finish`.
        let _ = fs::remove_file(&self.temporary);
    }
}

/// End of the name of a file that is not whole yet.
pub(crate) const TEMPORARY: &str = ".part";

/// Waits until what was renamed in a folder is on the disk. Windows has no such call and needs none.
pub(crate) fn sync_folder(folder: &Path) -> io::Result<()> {
    if cfg!(unix) { File::open(folder)?.sync_all() } else { Ok(()) }
}
