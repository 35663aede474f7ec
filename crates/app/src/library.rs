//! The recordings of a song: found, opened, put on the timeline, and handed to the engine.

use crate::error::AppError;
use crate::progress::Context;
use crate::threads;
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Component, Path, PathBuf};
use topdown_engine::{ClipSource, FeedError, Sources};
use topdown_media::{Cache, Part, Reader, Severity, Shown, Source, common_rate, scan};
use topdown_session::validate::MAX_ID;
use topdown_session::{FileId, Record, Rerun, Session, SourceFile, rerun};
use topdown_units::SampleRate;

/// Decoded and resampled sound kept beside a session.
const CACHE_BYTES: u64 = 32 << 30;

/// One recording: a file, or one channel of it.
#[derive(Debug)]
pub(crate) struct Recording {
    pub(crate) file: FileId,
    pub(crate) source: Source,
    /// What a person reads: the file's name without its ending, with the channel if it is one of many.
    pub(crate) name: String,
    /// Folders below the scanned one, then the name: what roles are read from.
    pub(crate) components: Vec<String>,
    /// Where it starts, in session frames.
    pub(crate) at_frame: u64,
}

impl Recording {
    /// As clips name it.
    pub(crate) fn channel(&self) -> Option<u16> {
        match self.source.part() {
            Part::Channel(channel) => Some(channel),
            Part::All | Part::Fold => None,
        }
    }
}

/// All recordings of a song at the session's rate.
#[derive(Debug)]
pub(crate) struct Library {
    pub(crate) rate: SampleRate,
    pub(crate) recordings: Vec<Recording>,
    /// The files as the session writes them.
    pub(crate) files: BTreeMap<FileId, SourceFile>,
    /// What became of the files of the session so far.
    pub(crate) rerun: Rerun,
    /// What a person should know, naming each file.
    pub(crate) warnings: Vec<String>,
    opened: BTreeMap<(FileId, Option<u16>), usize>,
}

impl Library {
    /// Finds and opens what `inputs` name. `known` is the session so far with its journal: it gives the rate,
    /// and the ids of the files that it knows.
    pub(crate) fn scan(
        inputs: &[PathBuf],
        session_dir: &Path,
        known: Option<(&Session, &[Record])>,
        context: &Context<'_>,
    ) -> Result<Self, AppError> {
        let found = scan::scan(inputs)?;
        if let Some(refused) = found.refusal() {
            return Err(AppError::Files(refused.lines().map(str::to_owned).collect()));
        }
        // The song's own session and prints are no tracks of it.
        let files: Vec<_> =
            found.files.into_iter().filter(|f| !inside_session(f.file.path())).collect();
        let rate = match known {
            Some((session, _)) => session.sample_rate,
            None => common_rate(files.iter().map(|f| f.file.info()))
                .ok_or_else(|| AppError::NoAudio(inputs.first().cloned().unwrap_or_default()))?,
        };
        if files.is_empty() {
            return Err(AppError::NoAudio(inputs.first().cloned().unwrap_or_default()));
        }
        let cache = Cache::new(session_dir.join("cache"), CACHE_BYTES);
        context.progress.phase("Opening", Some(files.len() as u64));
        let opened = threads::map(context.threads, files.len(), |index| {
            if context.progress.cancelled() {
                return Err(AppError::Cancelled);
            }
            let sources = Source::open_all(files[index].file.path(), rate, &cache)?;
            context.progress.advance(index as u64 + 1);
            Ok(sources)
        })?;
        let mut library = Self::empty(rate);
        let (mut folders, mut opened_files) = (Vec::new(), Vec::new());
        for (found, sources) in files.iter().zip(opened) {
            let Some(first) = sources.first() else { continue };
            if first.frames() == 0 {
                let name = shown_name(first.path());
                library.warnings.push(format!("{name}: holds no sound, not one frame"));
                continue;
            }
            folders.push(&found.folders);
            opened_files.push((listed(session_dir, first), sources));
        }
        let all: Vec<SourceFile> = opened_files.iter().map(|(file, _)| file.clone()).collect();
        if let Some((session, journal)) = known {
            library.rerun = rerun(session, journal, &all);
        }
        let ids = library.ids(&all, known.map(|(session, _)| session));
        for ((folders, (file, sources)), id) in folders.into_iter().zip(opened_files).zip(ids) {
            library.files.insert(id.clone(), file);
            library.add(folders, sources, &id);
        }
        if library.recordings.is_empty() {
            return Err(AppError::Files(library.warnings));
        }
        library.line_up();
        Ok(library)
    }

    /// Opens the files that a session names.
    pub(crate) fn of_session(
        session: &Session,
        session_dir: &Path,
        context: &Context<'_>,
    ) -> Result<Self, AppError> {
        let cache = Cache::new(session_dir.join("cache"), CACHE_BYTES);
        let wanted: Vec<(FileId, Option<u16>)> = {
            let playing = session.strips.iter().filter(|strip| strip.excluded.is_none());
            let clips = playing.flat_map(|strip| &strip.clips);
            let mut wanted: Vec<_> = clips.map(|clip| (clip.file.clone(), clip.channel)).collect();
            wanted.sort();
            wanted.dedup();
            wanted
        };
        context.progress.phase("Opening", Some(wanted.len() as u64));
        let sources = threads::map(context.threads, wanted.len(), |index| {
            if context.progress.cancelled() {
                return Err(AppError::Cancelled);
            }
            let (id, channel) = &wanted[index];
            let file = session.files.get(id).ok_or_else(|| {
                AppError::Session(format!(
                    "a clip plays file `{id}`, which the session does not list"
                ))
            })?;
            let path = resolve(session_dir, &file.path);
            let part = match channel {
                Some(channel) => Part::Channel(*channel),
                None if file.channels > 2 => Part::Fold,
                None => Part::All,
            };
            let source = Source::open_part(&path, part, session.sample_rate, &cache)?;
            context.progress.advance(index as u64 + 1);
            Ok::<_, AppError>(source)
        })?;
        let mut library = Self::empty(session.sample_rate);
        for ((id, channel), source) in wanted.into_iter().zip(sources) {
            let listed = session.files.get(&id);
            if listed.is_some_and(|listed| listed.hash != source.hash().to_string()) {
                library.warnings.push(format!(
                    "{}: is not the recording that this session was made with; run `topdown mix` again",
                    source.path().display()
                ));
            }
            library.opened.insert((id.clone(), channel), library.recordings.len());
            let name = stem(source.path());
            let components = vec![name.clone()];
            library.recordings.push(Recording { file: id, source, name, components, at_frame: 0 });
        }
        Ok(library)
    }

    fn empty(rate: SampleRate) -> Self {
        Self {
            rate,
            recordings: Vec::new(),
            files: BTreeMap::new(),
            rerun: Rerun::default(),
            warnings: Vec::new(),
            opened: BTreeMap::new(),
        }
    }

    /// Takes in the tracks that one file makes.
    fn add(&mut self, folders: &[String], sources: Vec<Source>, id: &FileId) {
        let many = sources.len() > 1;
        for source in sources {
            let mut name = stem(source.path());
            if let (true, Part::Channel(channel)) = (many, source.part()) {
                let tagged = source.info().tags.track_names.get(usize::from(channel)).cloned();
                name = tagged.unwrap_or_else(|| format!("{name} {}", channel + 1));
            }
            for note in source.notes().iter().filter(|note| note.severity == Severity::Warning) {
                self.warnings.push(format!("{}: {}", shown_name(source.path()), note.text));
            }
            let mut components = folders.to_vec();
            components.push(name.clone());
            let recording = Recording { file: id.clone(), source, name, components, at_frame: 0 };
            self.opened.insert((id.clone(), recording.channel()), self.recordings.len());
            self.recordings.push(recording);
        }
    }

    /// The ids that the session already has for these files, else new ones made of the files' names.
    fn ids(&self, found: &[SourceFile], known: Option<&Session>) -> Vec<FileId> {
        let matched: BTreeMap<usize, &FileId> =
            self.rerun.matched.iter().map(|(id, index)| (*index, id)).collect();
        let mut taken: BTreeSet<FileId> =
            known.into_iter().flat_map(|session| session.files.keys().cloned()).collect();
        let mut id_of = |(index, file): (usize, &SourceFile)| {
            if let Some(id) = matched.get(&index) {
                return (*id).clone();
            }
            let base = slug(&stem(Path::new(&file.path)));
            let mut id = FileId(base.clone());
            let mut number = 2;
            while !taken.insert(id.clone()) {
                id = FileId(format!("{base}-{number}"));
                number += 1;
            }
            id
        };
        found.iter().enumerate().map(&mut id_of).collect()
    }

    /// Recorders that stamp their files tell when each began. Honoured when all tracks carry a stamp and the
    /// stamps lie within a session's length; a stamp that only some have says nothing about the others.
    fn line_up(&mut self) {
        const LONGEST_S: u64 = 12 * 3600;
        let stamps: Vec<Option<u64>> =
            self.recordings.iter().map(|r| r.source.time_reference()).collect();
        let known: Vec<u64> = stamps.iter().flatten().copied().collect();
        let (Some(first), Some(last)) = (known.iter().copied().min(), known.iter().copied().max())
        else {
            return;
        };
        if first == last {
            return;
        }
        let complete = known.len() == stamps.len();
        if !complete || last - first > LONGEST_S * u64::from(self.rate.get()) {
            self.warnings.push(
                "time stamps of the recorder are there for some tracks only or too far apart: all tracks \
                 start together"
                    .to_owned(),
            );
            return;
        }
        for (recording, stamp) in self.recordings.iter_mut().zip(known) {
            recording.at_frame = stamp - first;
        }
    }

    /// The recording that a clip plays.
    fn find(&self, file: &FileId, channel: Option<u16>) -> Option<&Recording> {
        self.opened.get(&(file.clone(), channel)).and_then(|at| self.recordings.get(*at))
    }
}

impl Sources for Library {
    fn open(&self, file: &FileId, channel: Option<u16>) -> Result<Box<dyn ClipSource>, FeedError> {
        let recording = self.find(file, channel).ok_or_else(|| FeedError {
            file: file.to_string(),
            reason: "is in the session, but not among the recordings that were opened".to_owned(),
        })?;
        Ok(Box::new(Feed {
            name: shown_name(recording.source.path()),
            reader: recording.source.reader(),
        }))
    }
}

/// A reader, as the engine wants it.
struct Feed {
    name: String,
    reader: Box<dyn Reader>,
}

impl ClipSource for Feed {
    fn read(&mut self, at_frame: u64, out: &mut [&mut [f32]]) -> Result<usize, FeedError> {
        self.reader
            .read(at_frame, out)
            .map_err(|error| FeedError { file: self.name.clone(), reason: error.to_string() })
    }
}

/// A file as the session writes it.
fn listed(session_dir: &Path, source: &Source) -> SourceFile {
    let info = source.info();
    SourceFile {
        path: relative(session_dir, source.path()),
        hash: source.hash().to_string(),
        sample_rate_hz: info.rate.get(),
        channels: info.channels,
        frames: info.frames.unwrap_or_else(|| own_frames(source)),
    }
}

fn own_frames(source: &Source) -> u64 {
    let (own, session) = (u128::from(source.info().rate.get()), u128::from(source.rate().get()));
    u64::try_from(u128::from(source.frames()) * own / session).unwrap_or(u64::MAX)
}

fn inside_session(path: &Path) -> bool {
    path.components().any(|part| match part {
        Component::Normal(name) => name.to_string_lossy().ends_with(".topdown"),
        _ => false,
    })
}

/// A file's name without its ending, readable and harmless to a terminal whatever its bytes are.
pub(crate) fn stem(path: &Path) -> String {
    path.file_stem().map(|name| Shown(Path::new(name)).to_string()).unwrap_or_default()
}

/// A file's name, readable and harmless to a terminal whatever its bytes are.
pub(crate) fn shown_name(path: &Path) -> String {
    path.file_name().map(|name| Shown(Path::new(name)).to_string()).unwrap_or_default()
}

/// A short id: small letters, digits and dashes, with room for a number behind it.
pub(crate) fn slug(text: &str) -> String {
    let mut slug = String::new();
    for character in text.chars().flat_map(char::to_lowercase) {
        if character.is_alphanumeric() {
            slug.push(character);
        } else if !slug.is_empty() && !slug.ends_with('-') {
            slug.push('-');
        }
    }
    let slug: String = slug.chars().take(MAX_ID - 6).collect();
    let slug = slug.trim_end_matches('-').to_owned();
    if slug.is_empty() { "track".to_owned() } else { slug }
}

/// `path` as seen from the folder `from`, with `/` between names.
pub(crate) fn relative(from: &Path, path: &Path) -> String {
    let absolute = |p: &Path| std::path::absolute(p).unwrap_or_else(|_| p.to_owned());
    let (from, path) = (absolute(from), absolute(path));
    let (from, parts): (Vec<_>, Vec<_>) =
        (from.components().collect(), path.components().collect());
    let shared = from.iter().zip(&parts).take_while(|(a, b)| a == b).count();
    if shared == 0 {
        return path.to_string_lossy().into_owned();
    }
    let up = std::iter::repeat_n("..".to_owned(), from.len() - shared);
    let down = parts[shared..].iter().map(|part| part.as_os_str().to_string_lossy().into_owned());
    up.chain(down).collect::<Vec<_>>().join("/")
}

/// Where a session's relative path leads. A name that is not Unicode was written with its strange bytes
/// replaced: then the one file in its folder that reads the same is meant.
pub(crate) fn resolve(session_dir: &Path, path: &str) -> PathBuf {
    let plain = session_dir.join(path);
    if plain.exists() || !path.contains(char::REPLACEMENT_CHARACTER) {
        return plain;
    }
    let (Some(folder), Some(name)) = (plain.parent(), plain.file_name()) else { return plain };
    let wanted = name.to_string_lossy();
    let mut entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
    let same = entries.find(|entry| entry.file_name().to_string_lossy() == wanted);
    same.map_or(plain, |entry| entry.path())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_short_and_plain() {
        assert_eq!(slug("01 Kick In"), "01-kick-in");
        assert_eq!(slug("  --  "), "track");
        assert_eq!(slug(&"é".repeat(255)).chars().count(), MAX_ID - 6);
        assert_eq!(slug("Gitarre (Übersteuert)"), "gitarre-übersteuert");
    }

    #[test]
    fn a_path_is_relative_to_the_sessions_folder() {
        let from = Path::new("/a/b/song.topdown");
        assert_eq!(relative(from, Path::new("/a/b/tracks/kick.wav")), "../tracks/kick.wav");
        assert_eq!(relative(from, Path::new("/a/b/song.topdown/x.wav")), "x.wav");
    }
}
