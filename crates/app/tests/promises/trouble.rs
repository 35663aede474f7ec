//! A run that ends early leaves what was there before, and nothing where nothing was.

use crate::place::{Place, files};
use std::fs;
use std::path::Path;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};
use topdown_app::mix::{MixRequest, mix};
use topdown_app::render::{RenderRequest, render};
use topdown_app::{AppError, Context, Progress};

/// Somebody who stops the work when a phase begins.
struct StopAt {
    phase: &'static str,
    stopped: AtomicBool,
    seen: Mutex<Vec<String>>,
}

impl StopAt {
    fn new(phase: &'static str) -> Self {
        Self { phase, stopped: AtomicBool::new(false), seen: Mutex::default() }
    }
}

impl Progress for StopAt {
    fn phase(&self, name: &str, _total: Option<u64>) {
        self.seen.lock().unwrap().push(name.to_owned());
        if name == self.phase {
            self.stopped.store(true, Ordering::SeqCst);
        }
    }

    fn cancelled(&self) -> bool {
        self.stopped.load(Ordering::SeqCst)
    }
}

fn contents(folder: &Path) -> Vec<(String, Vec<u8>)> {
    files(folder)
        .into_iter()
        .map(|file| (file.clone(), fs::read(folder.join(file)).unwrap()))
        .collect()
}

#[test]
fn a_mix_that_is_stopped_leaves_nothing_where_nothing_was() {
    let place = Place::new();
    for phase in ["Opening", "Finding levels", "Rendering", "Printing"] {
        let watch = StopAt::new(phase);
        let error = place.mix(2, &watch).unwrap_err();
        assert!(error.is_cancelled(), "{phase}: {error}; {:?}", watch.seen);
        assert!(!place.session().exists(), "{phase}: {:?}", files(&place.session()));
        let beside: Vec<_> = files(place.path("").as_path());
        assert!(beside.iter().all(|file| file.starts_with("Song/")), "{phase}: {beside:?}");
    }
}

#[test]
fn a_second_mix_that_is_stopped_leaves_session_and_print_as_they_were() {
    let place = Place::mixed();
    place.edit(|text| text.replacen("name = \"Kick\"", "name = \"Kick\"\nmute = true", 1));
    // Opening it commits what was done by hand; from there on nothing may change.
    place.mix(2, &StopAt::new("Opening")).unwrap_err();
    let ours = |place: &Place| -> Vec<_> {
        let all = contents(place.path("").as_path()).into_iter();
        all.filter(|(file, _)| !file.ends_with(".lock")).collect()
    };
    let before = ours(&place);
    for phase in ["Finding levels", "Rendering", "Printing"] {
        let error = place.mix(2, &StopAt::new(phase)).unwrap_err();
        assert!(error.is_cancelled(), "{phase}: {error}");
        for ((file, bytes), (was, old)) in ours(&place).iter().zip(&before) {
            assert_eq!(file, was, "{phase}");
            assert!(bytes == old, "{phase}: {file}");
        }
        assert_eq!(ours(&place).len(), before.len(), "{phase}");
    }
}

#[test]
fn a_render_that_is_stopped_leaves_the_print_that_was_there() {
    let place = Place::mixed();
    let output = place.path("again.wav");
    fs::write(&output, b"precious").unwrap();
    let request = RenderRequest {
        session: place.session(),
        output: output.clone(),
        format: None,
        bits: None,
        stems: None,
        without: Vec::new(),
        range_s: None,
    };
    let watch = StopAt::new("Printing");
    let error = render(&request, &Context { progress: &watch, threads: 2 }).unwrap_err();
    assert!(error.is_cancelled());
    assert_eq!(fs::read(&output).unwrap(), b"precious");
    assert!(
        !files(place.path("").as_path())
            .iter()
            .any(|file| file.contains(".tmp") || file.contains("topdown-"))
    );
}

fn refused(place: &Place, inputs: &Path, output: Option<&Path>) -> AppError {
    let request = MixRequest {
        output: output.map(Path::to_owned),
        ..MixRequest::new(vec![inputs.to_owned()])
    };
    let before = contents(place.path("").as_path());
    let error = mix(&request, &Context { progress: &(), threads: 2 }).unwrap_err();
    assert!(contents(place.path("").as_path()) == before, "nothing was written");
    error
}

#[test]
fn folders_without_a_song_are_refused_by_name_and_leave_nothing() {
    let place = Place::new();
    let (empty, notes, nowhere) = (place.path("empty"), place.path("notes"), place.path("nowhere"));
    fs::create_dir(&empty).unwrap();
    fs::create_dir(&notes).unwrap();
    fs::write(notes.join("lyrics.txt"), "la la").unwrap();
    for folder in [empty, notes, nowhere] {
        let error = refused(&place, &folder, Some(&place.print()));
        assert!(error.to_string().contains(folder.to_str().unwrap()), "{error}");
        assert!(!place.session().exists());
        let error = refused(&place, &folder, None);
        assert!(error.to_string().contains(folder.to_str().unwrap()), "{error}");
        assert!(!place.path(&format!("{}.topdown", folder.display())).exists());
    }
}

#[test]
fn a_broken_track_is_refused_by_name_before_anything_is_written() {
    let place = Place::new();
    fs::write(place.track_file("Broken"), b"RIFF....WAVEfmt ").unwrap();
    let error = refused(&place, &place.song(), Some(&place.print()));
    assert!(error.to_string().contains("Broken.wav"), "{error}");
}

#[test]
fn a_print_into_a_folder_that_is_not_there_is_refused_and_the_folder_not_made() {
    let place = Place::new();
    let output = place.path("no/such/folder/out.wav");
    let error = refused(&place, &place.song(), Some(&output));
    assert!(error.to_string().contains("no/such/folder"), "{error}");
    assert!(!place.path("no").exists());
}

#[test]
fn a_track_is_never_written_over_by_the_print() {
    let place = Place::new();
    let error = refused(&place, &place.song(), Some(&place.track_file("Kick")));
    assert!(matches!(error, AppError::OutputIsInput(_)), "{error}");
}
