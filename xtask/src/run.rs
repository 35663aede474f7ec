//! Running other programs, the tests among them.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Instant;

/// The workspace's root.
pub(crate) fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().map_or_else(PathBuf::new, Path::to_path_buf)
}

/// Runs a program in the root, showing what it prints; an error says which one failed.
pub(crate) fn run(program: &str, args: &[&str]) -> Result<(), String> {
    let line = format!("{program} {}", args.join(" "));
    println!("$ {line}");
    let started = Instant::now();
    let status = Command::new(program)
        .args(args)
        .current_dir(root())
        .status()
        .map_err(|error| format!("`{line}` did not start: {error}"))?;
    println!("  {:.1} s", started.elapsed().as_secs_f64());
    if status.success() { Ok(()) } else { Err(format!("`{line}` failed ({status})")) }
}

/// Whether a program answers to `--version`.
pub(crate) fn has(program: &str, args: &[&str]) -> bool {
    Command::new(program)
        .args(args)
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status()
        .is_ok_and(|status| status.success())
}

/// All tests of the workspace: nextest where it is installed, else cargo's own runner.
pub(crate) fn tests() -> Result<(), String> {
    if has("cargo", &["nextest", "--version"]) {
        run("cargo", &["nextest", "run", "--workspace", "--no-fail-fast"])?;
        run("cargo", &["test", "--workspace", "--doc", "--quiet"])
    } else {
        run("cargo", &["test", "--workspace"])
    }
}

/// Writes the generated files anew.
pub(crate) fn generate() -> Result<(), String> {
    for (package, example) in crate::house::GENERATORS {
        run("cargo", &["run", "--quiet", "--release", "-p", package, "--example", example])?;
    }
    Ok(())
}

/// Where built things lie.
pub(crate) fn target() -> PathBuf {
    std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| root().join("target"), PathBuf::from)
}

/// The release binary, built if needed.
pub(crate) fn topdown() -> Result<PathBuf, String> {
    run("cargo", &["build", "--release", "--bin", "topdown"])?;
    Ok(target().join("release").join(if cfg!(windows) { "topdown.exe" } else { "topdown" }))
}
