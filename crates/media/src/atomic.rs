//! Files that appear whole or not at all: a temporary file beside the target, fsync, rename, fsync of the folder.
//!
//! Without the fsync a power cut can leave a full-length file of zeros under the final name. The temporary file
//! is locked while it is written, so that the next run can tell what a killed run left behind and take it away.

use crate::error::MediaError;
use std::fs::{self, File};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};

const PREFIX: &str = ".topdown-";
const SUFFIX: &str = ".part";

/// A file on its way. Dropped without [`commit`](Self::commit), it leaves nothing behind.
#[derive(Debug)]
pub struct AtomicFile {
    file: File,
    temporary: PathBuf,
    target: PathBuf,
    done: bool,
}

impl AtomicFile {
    /// Starts a file that will replace `target`. A link is followed, so that its target is replaced.
    ///
    /// # Errors
    /// When the folder does not exist or cannot be written, or when there is something at `target` that is not
    /// a regular file.
    pub fn create(target: &Path) -> Result<Self, MediaError> {
        let refuse = |reason: &str| MediaError::CannotWrite {
            path: target.to_owned(),
            reason: reason.to_owned(),
        };
        let real = match fs::metadata(target) {
            Ok(meta) if meta.is_dir() => {
                return Err(refuse("this is a folder; give a file name inside it"));
            }
            Ok(meta) if !meta.is_file() => {
                return Err(refuse("this is a device or a pipe; give a file name"));
            }
            Ok(_) => fs::canonicalize(target).map_err(MediaError::io(target, "write it"))?,
            Err(_) => target.to_owned(),
        };
        if real.file_name().is_none() {
            return Err(refuse("this is not a file name"));
        }
        let folder = folder_of(&real);
        if !folder.is_dir() {
            return Err(refuse("its folder does not exist; make it first"));
        }
        sweep(folder);
        let (file, temporary) = fresh(folder).map_err(MediaError::io(target, "write it"))?;
        Ok(Self { file, temporary, target: real, done: false })
    }

    /// Puts the file in its place, safe against a power cut from here on.
    ///
    /// # Errors
    /// When the system cannot store the data or rename the file; the target is then as it was.
    pub fn commit(self) -> Result<(), MediaError> {
        self.file.sync_all().map_err(MediaError::io(&self.target, "write it"))?;
        let folder = folder_of(&self.target).to_owned();
        let target = self.target.clone();
        self.commit_unsynced()?;
        sync_folder(&folder).map_err(MediaError::io(&target, "write it"))
    }

    /// Puts the file in its place without waiting for the disk.
    pub(crate) fn commit_unsynced(mut self) -> Result<(), MediaError> {
        fs::rename(&self.temporary, &self.target)
            .map_err(MediaError::io(&self.target, "write it"))?;
        self.done = true;
        Ok(())
    }
}

impl Drop for AtomicFile {
    fn drop(&mut self) {
        if !self.done {
            // Nobody can be told any more; the next run sweeps what stays.
            let _ = fs::remove_file(&self.temporary);
        }
    }
}

impl Write for AtomicFile {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.file.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}

impl Read for AtomicFile {
    fn read(&mut self, bytes: &mut [u8]) -> io::Result<usize> {
        self.file.read(bytes)
    }
}

impl Seek for AtomicFile {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        self.file.seek(to)
    }
}

/// Writes `bytes` to `target`, whole or not at all.
///
/// # Errors
/// As [`AtomicFile::create`] and [`AtomicFile::commit`].
pub fn write(target: &Path, bytes: &[u8]) -> Result<(), MediaError> {
    let mut file = AtomicFile::create(target)?;
    file.write_all(bytes).map_err(MediaError::io(target, "write it"))?;
    file.commit()
}

fn folder_of(path: &Path) -> &Path {
    path.parent().filter(|p| !p.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

/// A new, locked file of a name nobody else has.
fn fresh(folder: &Path) -> io::Result<(File, PathBuf)> {
    static COUNT: AtomicU32 = AtomicU32::new(0);
    loop {
        let number = COUNT.fetch_add(1, Ordering::Relaxed);
        let path = folder.join(format!("{PREFIX}{}-{number}{SUFFIX}", std::process::id()));
        match File::options().read(true).write(true).create_new(true).open(&path) {
            Ok(file) => {
                // Some network file systems have no locks; then nothing is swept there either.
                let _ = file.try_lock();
                return Ok((file, path));
            }
            Err(e) if e.kind() == io::ErrorKind::AlreadyExists => {}
            Err(e) => return Err(e),
        }
    }
}

/// Removes temporary files whose writer is gone: their lock is free.
fn sweep(folder: &Path) {
    let Ok(entries) = fs::read_dir(folder) else { return };
    for path in entries.flatten().map(|e| e.path()) {
        let ours = path
            .file_name()
            .and_then(|n| n.to_str())
            .is_some_and(|n| n.starts_with(PREFIX) && n.ends_with(SUFFIX));
        if ours && File::open(&path).is_ok_and(|file| file.try_lock().is_ok()) {
            let _ = fs::remove_file(&path);
        }
    }
}

/// Makes a rename durable.
fn sync_folder(folder: &Path) -> io::Result<()> {
    if cfg!(unix) { File::open(folder)?.sync_all() } else { Ok(()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_that_is_not_finished_leaves_the_old_one_and_nothing_else() {
        let dir = tempfile::tempdir().unwrap();
        let target = dir.path().join("out.wav");
        write(&target, b"old").unwrap();
        let mut file = AtomicFile::create(&target).unwrap();
        file.write_all(b"half of the ne").unwrap();
        drop(file);
        assert_eq!(fs::read(&target).unwrap(), b"old");
        assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 1);
    }

    #[test]
    fn what_a_killed_run_left_is_swept_and_what_a_running_one_writes_is_not() {
        let dir = tempfile::tempdir().unwrap();
        let stale = dir.path().join(".topdown-1-1.part");
        fs::write(&stale, b"left").unwrap();
        let running = AtomicFile::create(&dir.path().join("a")).unwrap();
        let other = AtomicFile::create(&dir.path().join("b")).unwrap();
        assert!(!stale.exists());
        running.commit().unwrap();
        other.commit().unwrap();
        assert!(dir.path().join("a").exists() && dir.path().join("b").exists());
    }

    #[test]
    fn folders_devices_and_missing_folders_are_refused() {
        let dir = tempfile::tempdir().unwrap();
        assert!(AtomicFile::create(dir.path()).is_err());
        assert!(AtomicFile::create(&dir.path().join("no/out.wav")).is_err());
        if cfg!(unix) {
            assert!(AtomicFile::create(Path::new("/dev/null")).is_err());
        }
    }

    #[cfg(unix)]
    #[test]
    fn a_link_is_followed_and_stays_a_link() {
        let dir = tempfile::tempdir().unwrap();
        let (real, link) = (dir.path().join("real"), dir.path().join("link"));
        fs::write(&real, b"old").unwrap();
        std::os::unix::fs::symlink(&real, &link).unwrap();
        write(&link, b"new").unwrap();
        assert_eq!(fs::read(&real).unwrap(), b"new");
        assert!(fs::symlink_metadata(&link).unwrap().is_symlink());
    }
}
