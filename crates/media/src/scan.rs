//! Finding the tracks: folders and files in, audio files out, in the order a person would list them.
//!
//! A file that claims to be audio by its name or its content and cannot be opened is refused, and every refused
//! file is named; what does not claim to be audio is ignored.

use crate::error::{MediaError, Shown};
use crate::file::{AudioFile, open};
use std::cmp::Ordering;
use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

/// What lies in a few folders.
#[derive(Debug, Default)]
pub struct Scan {
    /// The audio files, in natural order of their paths ("Tom 2" before "Tom 10").
    pub files: Vec<Found>,
    /// What does not claim to be audio: pictures, texts, a program's droppings.
    pub ignored: Vec<PathBuf>,
    /// What claims to be audio and cannot be used, each with its error.
    pub refused: Vec<MediaError>,
}

/// An audio file and where it was found.
#[derive(Debug)]
pub struct Found {
    /// The file, its header read.
    pub file: AudioFile,
    /// Names of the folders between the scanned folder and the file, outermost first: often its group.
    pub folders: Vec<String>,
}

/// Folders deeper than this are not entered.
const MAX_DEPTH: usize = 32;
/// More files than this in one song are refused before they are opened.
const MAX_FILES: usize = 100_000;

/// Scans folders (with all folders inside) and files. A file that is named directly claims to be audio.
///
/// # Errors
/// When a path does not exist or a folder given directly cannot be listed. Files that cannot be used are in
/// [`Scan::refused`].
pub fn scan<P: AsRef<Path>>(paths: &[P]) -> Result<Scan, MediaError> {
    let mut walk = Walk { scan: Scan::default(), seen: BTreeSet::new(), entries: 0, root: None };
    for path in paths {
        let path = path.as_ref();
        let meta = fs::metadata(path).map_err(MediaError::io(path, "open it"))?;
        if meta.is_dir() {
            walk.root = None;
            walk.folder(path, &mut Vec::new())?;
        } else {
            walk.file(path, &[], true);
        }
    }
    let Scan { mut files, mut ignored, mut refused } = walk.scan;
    files.sort_by(|a, b| natural(a.file.path(), b.file.path()));
    ignored.sort_by(|a, b| natural(a, b));
    refused.sort_by(|a, b| natural(a.path(), b.path()));
    Ok(Scan { files, ignored, refused })
}

impl Scan {
    /// One message for everything that was refused, naming every file; `None` when nothing was.
    #[must_use]
    pub fn refusal(&self) -> Option<String> {
        if self.refused.is_empty() {
            return None;
        }
        let lines: Vec<String> = self.refused.iter().map(ToString::to_string).collect();
        Some(lines.join("\n"))
    }
}

struct Walk {
    scan: Scan,
    /// Folders entered, by their real path: links that go round in circles end here.
    seen: BTreeSet<PathBuf>,
    entries: usize,
    /// The real path of the folder that was given.
    root: Option<PathBuf>,
}

impl Walk {
    fn folder(&mut self, path: &Path, folders: &mut Vec<String>) -> Result<(), MediaError> {
        let real = fs::canonicalize(path).map_err(MediaError::io(path, "open the folder"))?;
        // A link back to a folder that holds the scanned one would bring in its neighbours.
        let above = self.root.as_ref().is_some_and(|root| *root != real && root.starts_with(&real));
        if above || !self.seen.insert(real.clone()) {
            return Ok(());
        }
        if folders.len() > MAX_DEPTH {
            let what = "a folder inside more than 32 others";
            return Err(MediaError::NotAFile { path: path.to_owned(), what });
        }
        self.root.get_or_insert(real);
        let list = fs::read_dir(path).map_err(MediaError::io(path, "list the folder"))?;
        let mut entries: Vec<PathBuf> = list.filter_map(|e| e.ok().map(|e| e.path())).collect();
        entries.sort();
        for entry in entries {
            self.entries += 1;
            if self.entries > MAX_FILES {
                return Err(MediaError::NotAFile {
                    path: path.to_owned(),
                    what: "a folder of more than 100,000 files",
                });
            }
            if is_dropping(&entry) {
                self.scan.ignored.push(entry);
            } else if entry.is_dir() {
                folders.push(
                    entry.file_name().map(|n| Shown(Path::new(n)).to_string()).unwrap_or_default(),
                );
                if let Err(error) = self.folder(&entry, folders) {
                    self.scan.refused.push(error);
                }
                folders.pop();
            } else {
                self.file(&entry, folders, false);
            }
        }
        Ok(())
    }

    fn file(&mut self, path: &Path, folders: &[String], named: bool) {
        let claims = named || claims_audio(path);
        let archive = has_extension(path, ARCHIVES);
        if !claims && !archive && has_extension(path, NEVER_AUDIO) {
            self.scan.ignored.push(path.to_owned());
            return;
        }
        match open(path) {
            Ok(file) => self.scan.files.push(Found { file, folders: folders.to_vec() }),
            Err(_) if archive && !named => self.scan.refused.push(MediaError::NotAudio {
                path: path.to_owned(),
                what: "an archive; unpack it first, then give the folder".to_owned(),
            }),
            Err(error) if claims => self.scan.refused.push(error),
            // Content that is audio without a doubt (a FLAC called .bin) claims to be audio too.
            Err(error @ (MediaError::Damaged { .. } | MediaError::Unsupported { .. }))
                if !has_extension(path, NEVER_AUDIO) =>
            {
                self.scan.refused.push(error);
            }
            Err(_) => self.scan.ignored.push(path.to_owned()),
        }
    }
}

const AUDIO: &[&str] = &[
    "wav", "wave", "bwf", "rf64", "bw64", "w64", "rifx", "aif", "aiff", "aifc", "flac", "mp3",
    "mp2", "ogg", "oga", "opus", "m4a", "m4b", "aac", "alac", "caf", "au", "snd", "wma", "wv",
    "ape", "mka", "dsf", "dff",
];
const ARCHIVES: &[&str] = &["zip", "rar", "7z", "tar", "gz", "tgz"];
/// Names that say "no audio" without a look inside.
const NEVER_AUDIO: &[&str] = &[
    "txt",
    "md",
    "rtf",
    "pdf",
    "doc",
    "docx",
    "csv",
    "json",
    "xml",
    "toml",
    "jsonl",
    "html",
    "ini",
    "log",
    "url",
    "nfo",
    "jpg",
    "jpeg",
    "png",
    "gif",
    "webp",
    "bmp",
    "mid",
    "midi",
    "als",
    "rpp",
    "logicx",
    "cpr",
    "ptx",
    "flp",
    "ardour",
    "dawproject",
    "song",
    "band",
    "mp4",
    "mov",
    "mkv",
    "avi",
    "webm",
    "m3u",
    "m3u8",
    "pls",
    "cue",
    "sfv",
    "md5",
];

fn has_extension(path: &Path, list: &[&str]) -> bool {
    path.extension()
        .and_then(|e| e.to_str())
        .is_some_and(|e| list.iter().any(|known| e.eq_ignore_ascii_case(known)))
}

/// True when the name says audio.
#[must_use]
pub fn claims_audio(path: &Path) -> bool {
    has_extension(path, AUDIO)
}

/// Hidden files, and what programs leave beside audio: peaks, analyses, resource forks, thumbnails.
fn is_dropping(path: &Path) -> bool {
    const ENDS: &[&str] = &[
        "asd",
        "reapeaks",
        "reapindex",
        "pkf",
        "pk",
        "peak",
        "peaks",
        "ovw",
        "sfk",
        "sfl",
        "gpk",
        "wfm",
        "mrk",
        "wavpk",
        "overview",
        "bak",
        "tmp",
        "part",
    ];
    const NAMES: &[&str] = &[
        "thumbs.db",
        "desktop.ini",
        "__macosx",
        "icon\r",
        "system volume information",
        "$recycle.bin",
    ];
    let Some(name) = path.file_name() else { return false };
    let name = name.to_string_lossy();
    let session = path.is_dir() && name.ends_with(".topdown");
    session
        || name.starts_with('.') && name != "..." && !name.starts_with("...")
        || has_extension(path, ENDS)
        || NAMES.contains(&name.to_lowercase().as_str())
}

/// The order in which a person lists names: runs of digits by their value, letters without regard to case; ties
/// by the bytes, so that the order is always the same.
#[must_use]
pub fn natural(a: &Path, b: &Path) -> Ordering {
    let parts = |p: &Path| {
        p.components().map(|c| c.as_os_str().to_string_lossy().into_owned()).collect::<Vec<_>>()
    };
    let (a_parts, b_parts) = (parts(a), parts(b));
    let pairs = a_parts.iter().zip(&b_parts).map(|(x, y)| natural_text(x, y));
    pairs
        .fold(Ordering::Equal, Ordering::then)
        .then(a_parts.len().cmp(&b_parts.len()))
        .then(a.cmp(b))
}

fn natural_text(a: &str, b: &str) -> Ordering {
    let (mut a, mut b) = (a.chars().peekable(), b.chars().peekable());
    loop {
        match (a.peek().copied(), b.peek().copied()) {
            (None, None) => return Ordering::Equal,
            (None, _) => return Ordering::Less,
            (_, None) => return Ordering::Greater,
            (Some(x), Some(y)) if x.is_ascii_digit() && y.is_ascii_digit() => {
                let number = |chars: &mut std::iter::Peekable<std::str::Chars<'_>>| {
                    let digits: String =
                        std::iter::from_fn(|| chars.next_if(char::is_ascii_digit)).collect();
                    let digits = digits.trim_start_matches('0').to_owned();
                    (digits.len(), digits)
                };
                let order = number(&mut a).cmp(&number(&mut b));
                if order != Ordering::Equal {
                    return order;
                }
            }
            (Some(x), Some(y)) => {
                let order = x.to_lowercase().cmp(y.to_lowercase());
                if order != Ordering::Equal {
                    return order;
                }
                a.next();
                b.next();
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_sorted_as_a_person_would() {
        let mut names =
            ["Tom 10.wav", "tom 2.wav", "Kick.wav", "kick.wav", "Tom 02b.wav", "a/z.wav", "a.wav"]
                .map(PathBuf::from);
        names.sort_by(|a, b| natural(a, b));
        assert_eq!(
            names.map(|n| n.to_string_lossy().into_owned()),
            ["a/z.wav", "a.wav", "Kick.wav", "kick.wav", "tom 2.wav", "Tom 02b.wav", "Tom 10.wav"]
        );
    }

    #[test]
    fn droppings_are_told_from_tracks() {
        for name in [
            ".DS_Store",
            "._kick.wav",
            "kick.wav.asd",
            "kick.wav.reapeaks",
            "kick.pkf",
            "Thumbs.db",
            "desktop.ini",
            ".hidden.wav",
        ] {
            assert!(is_dropping(Path::new(name)), "{name}");
        }
        for name in ["kick.wav", "...wav", "peak.wav", "-o.wav"] {
            assert!(!is_dropping(Path::new(name)), "{name}");
        }
    }
}
