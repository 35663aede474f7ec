//! Decoded and resampled sound on disk, keyed by content: raw `f32`, bounded, safe to delete at any time.
//!
//! An entry is one file: 40 bytes of header, interleaved little-endian samples, then the notes that were found
//! while it was made (so a second run warns as the first did). Entries appear whole or not at all; one whose
//! size does not match its header is made again. When the budget is exceeded, the entries that were used
//! longest ago go first, but never one that this process uses.

use crate::atomic::AtomicFile;
use crate::codec::Sink;
use crate::error::MediaError;
use crate::hash::{ContentHash, content_hash};
use crate::info::{Note, Severity};
use crate::pcm::{Layout, PcmReader, Sample, Stamp};
use std::collections::{BTreeMap, BTreeSet};
use std::fs::{self, File};
use std::io::{BufWriter, Read as _, Seek as _, SeekFrom, Write as _};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::SystemTime;
use topdown_units::SampleRate;

/// The first bytes of an entry. The digit rises whenever a decoder or the resampler changes its output.
const MAGIC: &[u8; 8] = b"TDCACHE1";
const HEADER_BYTES: u64 = 40;

/// A folder of converted sound. Clones are the same cache; all methods may be called from several threads.
#[derive(Clone, Debug)]
pub struct Cache(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    dir: PathBuf,
    budget_bytes: u64,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    /// Names of the entries this process uses: never evicted.
    used: BTreeSet<String>,
    /// Hashes of files already read, by path and stamp.
    hashes: BTreeMap<PathBuf, (Stamp, ContentHash)>,
    /// One lock for each entry that is being made, so that two threads do not make the same.
    making: BTreeMap<String, Arc<Mutex<()>>>,
}

/// Receives blocks of planes.
type Fill<'a> = dyn FnMut(&mut Sink<'_>) -> Result<Vec<Note>, MediaError> + 'a;

impl Cache {
    /// A cache in `dir`, which is made when first needed, of at most `budget_bytes` (what is in use is never
    /// deleted, so one large song may exceed it).
    #[must_use]
    pub fn new(dir: impl Into<PathBuf>, budget_bytes: u64) -> Self {
        Self(Arc::new(Shared { dir: dir.into(), budget_bytes, state: Mutex::default() }))
    }

    /// The folder.
    #[must_use]
    pub fn dir(&self) -> &Path {
        &self.0.dir
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The content hash of a file, read once per process.
    pub(crate) fn hash(&self, path: &Path, stamp: Stamp) -> Result<ContentHash, MediaError> {
        if let Some((known, hash)) = self.state().hashes.get(path)
            && *known == stamp
        {
            return Ok(*hash);
        }
        let hash = content_hash(path)?;
        let after = File::open(path)
            .map_err(MediaError::io(path, "open it"))
            .and_then(|f| Stamp::of(&f, path))?;
        if after != stamp {
            return Err(MediaError::Changed { path: path.to_owned() });
        }
        self.state().hashes.insert(path.to_owned(), (stamp, hash));
        Ok(hash)
    }

    /// The entry `name`, made by `fill` when it is not there. `source` is the file that errors are about.
    pub(crate) fn get_or_make(
        &self,
        source: &Path,
        name: &str,
        rate: SampleRate,
        channels: usize,
        fill: &mut Fill<'_>,
    ) -> Result<Cached, MediaError> {
        let lock = {
            let mut state = self.state();
            state.used.insert(name.to_owned());
            state.making.entry(name.to_owned()).or_default().clone()
        };
        let _one_at_a_time = lock.lock().unwrap_or_else(PoisonError::into_inner);
        let path = self.0.dir.join(format!("{name}.f32"));
        if let Some(found) = Cached::load(&path) {
            // Only the order of eviction depends on the clock, never the sound.
            if let Ok(file) = File::options().append(true).open(&path) {
                let _ = file.set_modified(SystemTime::now());
            }
            return Ok(found);
        }
        fs::create_dir_all(&self.0.dir)
            .map_err(MediaError::io(&self.0.dir, "make the cache folder"))?;
        write_entry(&path, rate, channels, fill)?;
        self.evict();
        Cached::load(&path).ok_or_else(|| MediaError::Changed { path: source.to_owned() })
    }

    /// Deletes the entries used longest ago until the rest fits the budget. Failing to delete is no error.
    fn evict(&self) {
        let Ok(folder) = fs::read_dir(&self.0.dir) else { return };
        let mut entries: Vec<(SystemTime, PathBuf, u64)> = folder
            .flatten()
            .filter(|e| e.path().extension().is_some_and(|x| x == "f32"))
            .filter_map(|e| {
                e.metadata()
                    .ok()
                    .map(|m| (m.modified().unwrap_or(SystemTime::UNIX_EPOCH), e.path(), m.len()))
            })
            .collect();
        entries.sort();
        let mut total: u64 = entries.iter().map(|(_, _, len)| len).sum();
        let state = self.state();
        for (_, path, len) in entries {
            let in_use =
                path.file_stem().and_then(|s| s.to_str()).is_some_and(|s| state.used.contains(s));
            if total > self.0.budget_bytes && !in_use && fs::remove_file(&path).is_ok() {
                total -= len;
            }
        }
    }
}

/// Streams an entry to disk.
fn write_entry(
    path: &Path,
    rate: SampleRate,
    channels: usize,
    fill: &mut Fill<'_>,
) -> Result<(), MediaError> {
    let mut out = BufWriter::with_capacity(1 << 18, AtomicFile::create(path)?);
    let failed = MediaError::io(path, "write the cache");
    let (mut frames, mut bytes) = (0u64, Vec::new());
    let mut trouble = out.write_all(&[0; HEADER_BYTES as usize]).err();
    let notes = fill(&mut |planes| {
        let len = planes.first().map_or(0, Vec::len);
        interleave(planes, len, &mut bytes);
        frames += len as u64;
        out.write_all(&bytes).map_err(MediaError::io(path, "write the cache"))
    })?;
    let text: String = notes
        .iter()
        .map(|n| {
            format!(
                "{}{}\n",
                if n.severity == Severity::Warning { '!' } else { ' ' },
                n.text.replace('\n', " ")
            )
        })
        .collect();
    let mut header = MAGIC.to_vec();
    header.extend_from_slice(&rate.get().to_le_bytes());
    header.extend_from_slice(&(channels as u32).to_le_bytes());
    header.extend_from_slice(&frames.to_le_bytes());
    header.extend_from_slice(&(text.len() as u64).to_le_bytes());
    header.resize(HEADER_BYTES as usize, 0);
    let mut end = || {
        out.write_all(text.as_bytes())?;
        out.seek(SeekFrom::Start(0))?;
        out.write_all(&header)?;
        out.flush()
    };
    trouble = trouble.or_else(|| end().err());
    match trouble {
        Some(e) => Err(failed(e)),
        // The cache may be lost at any time, so it is not forced to the disk.
        None => out
            .into_inner()
            .map_err(|e| MediaError::io(path, "write the cache")(e.into_error()))?
            .commit_unsynced(),
    }
}

fn interleave(planes: &[Vec<f32>], len: usize, bytes: &mut Vec<u8>) {
    bytes.clear();
    bytes.resize(len * planes.len() * 4, 0);
    for (c, plane) in planes.iter().enumerate() {
        for (slot, x) in
            bytes.as_chunks_mut::<4>().0.iter_mut().skip(c).step_by(planes.len()).zip(plane)
        {
            *slot = x.to_le_bytes();
        }
    }
}

/// An entry that is there.
#[derive(Clone, Debug)]
pub(crate) struct Cached {
    path: PathBuf,
    layout: Layout,
    stamp: Stamp,
    pub notes: Vec<Note>,
}

impl Cached {
    /// Reads the header and notes of an entry; `None` when it is not there or not whole.
    fn load(path: &Path) -> Option<Self> {
        let mut file = File::open(path).ok()?;
        let mut header = [0u8; HEADER_BYTES as usize];
        file.read_exact(&mut header).ok()?;
        let word = |at: usize| {
            header.get(at..).and_then(|b| b.first_chunk::<8>()).map(|b| u64::from_le_bytes(*b))
        };
        let half = |at: usize| {
            header.get(at..).and_then(|b| b.first_chunk::<4>()).map(|b| u32::from_le_bytes(*b))
        };
        let (channels, frames, text_len) = (u16::try_from(half(12)?).ok()?, word(16)?, word(24)?);
        let sound = frames.checked_mul(u64::from(channels))?.checked_mul(4)?;
        let stamp = Stamp::of(&file, path).ok()?.len_only();
        if header.first_chunk::<8>() != Some(MAGIC)
            || text_len > 1 << 20
            || stamp.len != HEADER_BYTES.checked_add(sound)?.checked_add(text_len)?
        {
            return None;
        }
        file.seek(SeekFrom::Start(HEADER_BYTES + sound)).ok()?;
        let mut text = String::new();
        file.read_to_string(&mut text).ok()?;
        let notes = text.lines().map(|line| {
            if let Some(warning) = line.strip_prefix('!') {
                Note::warning(warning)
            } else {
                Note::info(line.trim_start())
            }
        });
        let layout =
            Layout { offset: HEADER_BYTES, frames, channels, sample: Sample::F32 { big: false } };
        Some(Self { path: path.to_owned(), layout, stamp, notes: notes.collect() })
    }

    /// Frames.
    pub(crate) fn frames(&self) -> u64 {
        self.layout.frames
    }

    /// The file on disk.
    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// A reader of its frames.
    pub(crate) fn reader(&self) -> PcmReader {
        PcmReader::new(&self.path, self.layout, self.stamp)
    }
}
