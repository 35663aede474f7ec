//! What a scan finds, ignores and refuses.
#![allow(clippy::unwrap_used, clippy::print_stderr, reason = "a test stops at the first surprise")]

use std::fs;
use std::path::Path;
use topdown_media::scan::scan;
use topdown_media::write::{Format, Spec, Writer};
use topdown_units::SampleRate;

fn tone(path: &Path) {
    let mut writer = Writer::create(path, &Spec::new(Format::Wav, SampleRate::STUDIO, 1)).unwrap();
    writer.write(&[&[0.25; 480]]).unwrap();
    writer.finish().unwrap();
}

fn names(paths: impl Iterator<Item = impl AsRef<Path>>) -> Vec<String> {
    paths.map(|p| p.as_ref().file_name().unwrap().to_string_lossy().into_owned()).collect()
}

#[test]
fn folders_are_groups_droppings_are_ignored_and_the_order_is_natural() {
    let dir = tempfile::tempdir().unwrap();
    fs::create_dir_all(dir.path().join("Drums/Close")).unwrap();
    for name in ["Bass.wav", "Drums/Tom 10.wav", "Drums/Tom 2.wav", "Drums/Close/kick.bin"] {
        tone(&dir.path().join(name));
    }
    for name in
        [".DS_Store", "._Bass.wav", "Bass.wav.asd", "notes.txt", "cover.jpg", "list.m3u8", "data"]
    {
        fs::write(dir.path().join(name), b"no sound").unwrap();
    }
    let found = scan(&[dir.path()]).unwrap();
    assert_eq!(
        names(found.files.iter().map(|f| f.file.path())),
        ["Bass.wav", "kick.bin", "Tom 2.wav", "Tom 10.wav"]
    );
    assert_eq!(found.files[1].folders, ["Drums", "Close"]);
    assert_eq!(found.ignored.len(), 7);
    assert!(found.refusal().is_none());
}

#[test]
fn every_file_that_claims_to_be_audio_and_is_not_is_named() {
    let dir = tempfile::tempdir().unwrap();
    tone(&dir.path().join("good.wav"));
    for (name, content) in [
        ("empty.wav", &b""[..]),
        ("text.aif", b"hello"),
        ("cut.flac", b"fLaC"),
        ("stems.zip", b"PK\x03\x04...."),
    ] {
        fs::write(dir.path().join(name), content).unwrap();
    }
    let found = scan(&[dir.path()]).unwrap();
    assert_eq!(names(found.files.iter().map(|f| f.file.path())), ["good.wav"]);
    let refusal = found.refusal().unwrap();
    for name in ["empty.wav", "text.aif", "cut.flac", "stems.zip", "unpack it"] {
        assert!(refusal.contains(name), "{name} is not in: {refusal}");
    }
}

#[cfg(unix)]
#[test]
fn links_that_go_round_end_and_names_that_are_no_text_are_found() {
    use std::os::unix::ffi::OsStrExt as _;
    let dir = tempfile::tempdir().unwrap();
    let song = dir.path().join("song");
    fs::create_dir(&song).unwrap();
    tone(&dir.path().join("neighbour.wav"));
    tone(&song.join(std::ffi::OsStr::from_bytes(b"latin\xe9.wav")));
    std::os::unix::fs::symlink("..", song.join("up")).unwrap();
    std::os::unix::fs::symlink(".", song.join("here")).unwrap();
    std::os::unix::fs::symlink("gone.wav", song.join("lost.wav")).unwrap();
    let found = scan(&[&song]).unwrap();
    assert_eq!(found.files.len(), 1);
    assert_eq!(names(found.refused.iter().map(topdown_media::MediaError::path)), ["lost.wav"]);
}
