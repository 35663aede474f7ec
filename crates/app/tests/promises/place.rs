//! A folder with the song and its mix, made once and copied for each test.

use crate::song;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;
use tempfile::TempDir;
use topdown_app::mix::{MixRequest, mix};
use topdown_app::render::{RenderRequest, Stems, render};
use topdown_app::{AppError, Context, Progress};
use topdown_session::{Move, Record, Session, Strip, store};

/// A song's folder, and beside it its session once there is one.
pub(crate) struct Place {
    dir: TempDir,
}

impl Place {
    /// The song, not mixed yet.
    pub(crate) fn new() -> Self {
        let place = Self { dir: tempfile::tempdir().unwrap() };
        song::write(&place.song());
        place
    }

    /// The song, mixed with two threads.
    pub(crate) fn mixed() -> Self {
        static MIXED: OnceLock<Place> = OnceLock::new();
        let first = MIXED.get_or_init(|| {
            let place = Self::new();
            place.mix(2, &()).unwrap();
            place
        });
        let place = Self { dir: tempfile::tempdir().unwrap() };
        copy(first.dir.path(), place.dir.path());
        place
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    pub(crate) fn song(&self) -> PathBuf {
        self.path("Song")
    }

    pub(crate) fn session(&self) -> PathBuf {
        self.path("mix.topdown")
    }

    pub(crate) fn print(&self) -> PathBuf {
        self.path("mix.wav")
    }

    pub(crate) fn track_file(&self, name: &str) -> PathBuf {
        self.song().join(format!("{name}.wav"))
    }

    /// Mixes, or continues the mix.
    pub(crate) fn mix(
        &self,
        threads: usize,
        progress: &dyn Progress,
    ) -> Result<topdown_app::report::facts::Facts, AppError> {
        let output = Some(self.print());
        let request = MixRequest { output, ..MixRequest::new(vec![self.song()]) };
        mix(&request, &Context { progress, threads })
    }

    pub(crate) fn again(&self) -> topdown_app::report::facts::Facts {
        self.mix(2, &()).unwrap()
    }

    /// The document as it is on disk, hand edits told as moves.
    pub(crate) fn opened(&self) -> Session {
        store::read(&self.session()).unwrap().session
    }

    pub(crate) fn journal(&self) -> Vec<Record> {
        store::read(&self.session()).unwrap().records
    }

    pub(crate) fn strip(&self, name: &str) -> Strip {
        strip(&self.opened(), name).clone()
    }

    /// What a person does with an editor: the text of `session.toml` from one state to another.
    pub(crate) fn edit(&self, change: impl FnOnce(String) -> String) {
        let path = self.session().join("session.toml");
        let before = fs::read_to_string(&path).unwrap();
        let after = change(before.clone());
        assert_ne!(before, after, "the edit found its place");
        fs::write(&path, after).unwrap();
    }

    pub(crate) fn document(&self) -> String {
        fs::read_to_string(self.session().join("session.toml")).unwrap()
    }

    /// The session printed as it stands: the file's bytes.
    pub(crate) fn rendered(&self) -> Vec<u8> {
        let output = self.path("rendered.wav");
        render(&self.request(output.clone(), None), &Context::new(&())).unwrap();
        fs::read(output).unwrap()
    }

    /// What a track gives to its group: post fader, 32-bit float, one vector a channel.
    pub(crate) fn stem(&self, name: &str) -> Vec<Vec<f32>> {
        let dir = tempfile::tempdir_in(self.dir.path()).unwrap();
        let request = self.request(dir.path().join("stem.wav"), Some(Stems::Tracks));
        let done = render(&request, &Context::new(&())).unwrap();
        let id = self.strip(name).id.to_string();
        let file = done
            .files
            .iter()
            .find(|file| Path::new(file).file_stem().unwrap().to_str().unwrap().ends_with(&id));
        samples(Path::new(file.unwrap()))
    }

    fn request(&self, output: PathBuf, stems: Option<Stems>) -> RenderRequest {
        let bits = stems.map(|_| 32);
        let (format, without, range_s) = (None, Vec::new(), None);
        RenderRequest { session: self.session(), output, format, bits, stems, without, range_s }
    }
}

pub(crate) fn strip<'a>(session: &'a Session, name: &str) -> &'a Strip {
    session.strips.iter().find(|strip| strip.name == name).unwrap()
}

pub(crate) fn the_move<'a>(session: &'a Session, id: &str) -> &'a Move {
    session.moves.iter().find(|m| m.id.as_str() == id).unwrap()
}

/// All files below a folder, as paths relative to it, sorted.
pub(crate) fn files(folder: &Path) -> Vec<String> {
    let mut all = Vec::new();
    for entry in walkdir::WalkDir::new(folder).sort_by_file_name() {
        let entry = entry.unwrap();
        if entry.file_type().is_file() {
            all.push(entry.path().strip_prefix(folder).unwrap().display().to_string());
        }
    }
    all
}

/// A WAV file's samples by an outside reader, one vector a channel.
pub(crate) fn samples(path: &Path) -> Vec<Vec<f32>> {
    let mut reader = hound::WavReader::open(path).unwrap();
    let spec = reader.spec();
    let all: Vec<f32> = match spec.sample_format {
        hound::SampleFormat::Float => reader.samples::<f32>().map(Result::unwrap).collect(),
        hound::SampleFormat::Int => {
            let scale = 1.0 / (1u64 << (spec.bits_per_sample - 1)) as f32;
            reader.samples::<i32>().map(|x| x.unwrap() as f32 * scale).collect()
        }
    };
    let channels = usize::from(spec.channels);
    (0..channels).map(|c| all.iter().skip(c).step_by(channels).copied().collect()).collect()
}

fn copy(from: &Path, to: &Path) {
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let target = to.join(entry.file_name());
        if entry.file_type().unwrap().is_dir() {
            fs::create_dir_all(&target).unwrap();
            copy(&entry.path(), &target);
        } else {
            fs::copy(entry.path(), target).unwrap();
        }
    }
}
