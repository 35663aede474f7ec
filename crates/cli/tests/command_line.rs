//! Promises of the binary: what goes to which stream, how it ends, and what is on disk afterwards.
#![allow(clippy::unwrap_used, clippy::panic, missing_docs, reason = "tests")]

#[path = "../../app/tests/promises/song.rs"]
#[allow(dead_code, reason = "not all of the song is needed here")]
mod song;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::sync::OnceLock;
use tempfile::TempDir;

const COMMANDS: [&str; 11] = [
    "demo",
    "mix",
    "render",
    "check",
    "explain",
    "move",
    "lock",
    "undo",
    "compare",
    "completions",
    "man",
];

fn topdown() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_topdown"));
    command.env_remove("TOPDOWN_LOG").env("COLUMNS", "100").stdin(Stdio::null());
    command
}

fn run(args: &[&str]) -> Output {
    topdown().args(args).output().unwrap()
}

fn out(output: &Output) -> String {
    String::from_utf8(output.stdout.clone()).unwrap()
}

fn err(output: &Output) -> String {
    String::from_utf8(output.stderr.clone()).unwrap()
}

/// A song mixed by the binary, once.
struct Mixed {
    dir: TempDir,
    said: Output,
}

impl Mixed {
    fn get() -> &'static Self {
        static MIXED: OnceLock<Mixed> = OnceLock::new();
        MIXED.get_or_init(|| {
            let dir = tempfile::tempdir().unwrap();
            song::write(&dir.path().join("Song"));
            let said = topdown()
                .args(["mix", "Song", "-o", "out.wav"])
                .current_dir(dir.path())
                .output()
                .unwrap();
            Mixed { dir, said }
        })
    }

    fn session(&self) -> String {
        self.path("out.topdown")
    }

    fn path(&self, name: &str) -> String {
        self.dir.path().join(name).to_str().unwrap().to_owned()
    }
}

/// A refusal: exit 1, nothing on standard output, the words on standard error, no panic.
fn refused(output: &Output, words: &[&str]) {
    let text = err(output);
    assert_eq!(output.status.code(), Some(1), "{text}");
    assert_eq!(out(output), "");
    assert!(!text.contains("panicked"), "{text}");
    for word in words {
        assert!(text.contains(word), "{word:?} in {text}");
    }
}

#[test]
fn a_mix_says_its_results_on_standard_output_and_nothing_else() {
    let mixed = Mixed::get();
    assert_eq!(mixed.said.status.code(), Some(0), "{}", err(&mixed.said));
    let text = out(&mixed.said);
    for words in ["out.wav", "out.topdown", "LUFS", "dBTP", "bus-01"] {
        assert!(text.contains(words), "{words} in {text}");
    }
    assert_eq!(err(&mixed.said), "", "no progress where nobody watches");
    assert!(Path::new(&mixed.path("out.wav")).exists());
}

#[test]
fn json_is_one_value_on_standard_output() {
    let session = Mixed::get().session();
    let print = Mixed::get().path("out.wav");
    let song = Mixed::get().path("Song");
    let rendered = Mixed::get().path("json.wav");
    let asked: [&[&str]; 5] = [
        &["explain", &session, "--json"],
        &["check", &print, "--json"],
        &["check", &song, "--json"],
        &["compare", &print, &print, "--json"],
        &["render", &session, "-o", &rendered, "--json"],
    ];
    for args in asked {
        let output = run(args);
        assert_eq!(output.status.code(), Some(0), "{args:?}: {}", err(&output));
        let value: Result<serde_json::Value, _> = serde_json::from_slice(&output.stdout);
        assert!(value.is_ok_and(|value| !value.is_null()), "{args:?}: {}", out(&output));
    }
}

#[test]
fn a_closed_standard_output_is_no_failure() {
    let session = Mixed::get().session();
    for args in
        [vec!["explain", &session, "--all"], vec!["completions", "bash"], vec!["mix", "--help"]]
    {
        let (reader, writer) = std::io::pipe().unwrap();
        drop(reader);
        let output = topdown().args(&args).stdout(writer).stderr(Stdio::piped()).output().unwrap();
        assert!(!err(&output).contains("panicked"), "{args:?}: {}", err(&output));
        assert_eq!(output.status.code(), Some(0), "{args:?}: {}", err(&output));
    }
}

#[cfg(target_os = "linux")]
#[test]
fn results_that_cannot_be_written_are_a_failure_that_says_so() {
    let full = fs::File::options().write(true).open("/dev/full").unwrap();
    let session = Mixed::get().session();
    let output =
        topdown().args(["explain", &session]).stdout(full).stderr(Stdio::piped()).output().unwrap();
    refused(&output, &["standard output"]);
}

#[test]
fn what_is_not_there_is_named_with_what_there_is() {
    let session = Mixed::get().session();
    let nowhere = Mixed::get().path("nowhere.topdown");
    let output = Mixed::get().path("never.wav");
    refused(&run(&["explain", &nowhere]), &["nowhere.topdown"]);
    refused(&run(&["render", &nowhere, "-o", &output]), &["nowhere.topdown"]);
    refused(&run(&["undo", &nowhere]), &["nowhere.topdown"]);
    refused(&run(&["check", &nowhere]), &["nowhere.topdown"]);
    refused(&run(&["explain", &session, "bus-77"]), &["bus-77", "prep-01", "bus-01"]);
    refused(&run(&["move", &session, "bus-77", "--off"]), &["bus-77", "prep-01", "bus-01"]);
    refused(&run(&["lock", &session, "kazoo"]), &["kazoo", "drums", "vocals"]);
    refused(
        &run(&["render", &session, "-o", &output, "--without", "kazoo"]),
        &["kazoo", "drums", "vocals"],
    );
    let elsewhere = Mixed::get().path("no/such/place.wav");
    refused(&run(&["render", &session, "-o", &elsewhere]), &["no/such"]);
    assert!(!Path::new(&output).exists());
    assert!(!Path::new(&nowhere).exists(), "asking makes no session");
}

#[test]
fn what_cannot_be_meant_is_refused_with_an_example() {
    let session = Mixed::get().session();
    let output = Mixed::get().path("never.wav");
    refused(&run(&["render", &session, "-o", &output, "--range", "9-3"]), &["1:02-1:30"]);
    refused(&run(&["move", &session, "bus-01", "--amount", "130"]), &["0 to 100"]);
    refused(&run(&["mix", "anything", "--loudness", "loud"]), &["pre-master"]);
    for args in [
        vec!["mix"],
        vec!["mix", "x", "--threads", "0"],
        vec!["fix"],
        vec!["move", &session, "bus-01"],
    ] {
        let output = run(&args);
        assert_eq!(output.status.code(), Some(2), "{args:?}");
        assert_eq!(out(&output), "");
    }
}

#[test]
fn a_track_is_never_written_over() {
    let dir = tempfile::tempdir().unwrap();
    let song = dir.path().join("Song");
    song::write(&song);
    let kick = song.join("Kick.wav");
    let before = fs::read(&kick).unwrap();
    let refused_mix =
        topdown().args(["mix", "Song", "-o", "Song/Kick.wav"]).current_dir(dir.path()).output();
    refused(&refused_mix.unwrap(), &["Kick.wav", "one of the tracks"]);
    assert!(fs::read(&kick).unwrap() == before);
    assert!(!song.join("Kick.topdown").exists());
    let session = Mixed::get().session();
    let kick = Mixed::get().path("Song/Kick.wav");
    refused(&run(&["render", &session, "-o", &kick]), &["Kick.wav", "one of the tracks"]);
}

#[test]
fn folders_without_a_song_are_refused_and_nothing_is_left() {
    let dir = tempfile::tempdir().unwrap();
    fs::create_dir(dir.path().join("empty")).unwrap();
    fs::create_dir(dir.path().join("notes")).unwrap();
    fs::write(dir.path().join("notes/lyrics.txt"), "la la").unwrap();
    for name in ["empty", "notes", "nowhere"] {
        for args in [vec!["mix", name], vec!["mix", name, "-o", "out.wav"], vec!["check", name]] {
            let output = topdown().args(&args).current_dir(dir.path()).output().unwrap();
            refused(&output, &[name]);
        }
    }
    let mut left: Vec<PathBuf> =
        fs::read_dir(dir.path()).unwrap().map(|e| e.unwrap().path()).collect();
    left.sort();
    assert_eq!(left, [dir.path().join("empty"), dir.path().join("notes")]);
}

/// Files may grow to a few hundred kilobytes, as on a disk that is full.
#[cfg(unix)]
#[test]
fn a_full_disk_is_said_and_leaves_nothing() {
    let dir = tempfile::tempdir().unwrap();
    song::write(&dir.path().join("Song"));
    let script = "trap '' XFSZ; ulimit -f 800; exec \"$0\" mix Song -o out.wav";
    let output = Command::new("sh")
        .args(["-c", script, env!("CARGO_BIN_EXE_topdown")])
        .current_dir(dir.path())
        .output()
        .unwrap();
    refused(&output, &["out.topdown"]);
    let left: Vec<PathBuf> = fs::read_dir(dir.path()).unwrap().map(|e| e.unwrap().path()).collect();
    assert_eq!(left, [dir.path().join("Song")]);
}

#[cfg(unix)]
#[test]
fn a_run_that_is_told_to_end_ends_with_130_and_leaves_nothing() {
    let dir = tempfile::tempdir().unwrap();
    song::write(&dir.path().join("Song"));
    let mut child = topdown()
        .args(["mix", "Song", "-o", "out.wav"])
        .current_dir(dir.path())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    while !dir.path().join("out.topdown").exists() && child.try_wait().unwrap().is_none() {
        std::thread::sleep(std::time::Duration::from_millis(2));
    }
    Command::new("kill").args(["-INT", &child.id().to_string()]).status().unwrap();
    let output = child.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(130), "{}", err(&output));
    assert!(err(&output).contains("nothing was changed"));
    let left: Vec<PathBuf> = fs::read_dir(dir.path()).unwrap().map(|e| e.unwrap().path()).collect();
    assert_eq!(left, [dir.path().join("Song")]);
}

/// What a killed program cannot tidy up does not stand in the way of the next run.
#[cfg(unix)]
#[test]
fn a_run_that_was_killed_does_not_disturb_the_next_one() {
    let dir = tempfile::tempdir().unwrap();
    song::write(&dir.path().join("Song"));
    let mix = || {
        let mut command = topdown();
        command.args(["mix", "Song", "-o", "out.wav"]).current_dir(dir.path());
        command
    };
    let mut child = mix().stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
    while !dir.path().join("out.topdown").exists() && child.try_wait().unwrap().is_none() {
        std::thread::sleep(std::time::Duration::from_millis(2));
    }
    child.kill().unwrap();
    child.wait().unwrap();
    assert!(!dir.path().join("out.wav").exists());
    assert!(!dir.path().join("out.topdown/session.toml").exists());
    let output = mix().output().unwrap();
    assert_eq!(output.status.code(), Some(0), "{}", err(&output));
    let print = fs::read(dir.path().join("out.wav")).unwrap();
    assert!(print == fs::read(Mixed::get().path("out.wav")).unwrap());
}

#[test]
fn every_command_explains_itself() {
    for command in COMMANDS {
        let output = run(&[command, "--help"]);
        assert_eq!(output.status.code(), Some(0));
        insta::assert_snapshot!(format!("help_{command}"), out(&output));
    }
    insta::assert_snapshot!("help", out(&run(&["--help"])));
}

#[test]
fn the_help_of_every_command_that_takes_a_song_or_session_ends_with_an_example() {
    for command in &COMMANDS[..9] {
        let help = out(&run(&[command, "--help"]));
        let example = format!("  topdown {command} ");
        assert!(help.contains("Example") && help.contains(&example), "{command}: {help}");
    }
}

#[test]
fn every_command_has_a_manual_page() {
    let dir = tempfile::tempdir().unwrap();
    let output = run(&["man", dir.path().to_str().unwrap()]);
    assert_eq!(output.status.code(), Some(0), "{}", err(&output));
    for command in COMMANDS {
        let page = fs::read_to_string(dir.path().join(format!("topdown-{command}.1"))).unwrap();
        assert!(page.contains(".TH") && page.contains(command), "{command}");
    }
    assert!(dir.path().join("topdown.1").exists());
}

#[test]
fn every_shell_gets_completions_for_every_command() {
    for shell in ["bash", "zsh", "fish", "powershell", "elvish"] {
        let output = run(&["completions", shell]);
        assert_eq!(output.status.code(), Some(0), "{shell}");
        let text = out(&output);
        for command in COMMANDS {
            assert!(text.contains(command), "{shell}: {command}");
        }
    }
}
