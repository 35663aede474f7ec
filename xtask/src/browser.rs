//! Pages, looked at in a real Chromium.

use crate::run::{has, root, run, topdown};
use std::path::{Path, PathBuf};
use std::process::Command;

const NAMES: &[&str] = &["chromium", "chromium-browser", "google-chrome"];

/// A Chromium: on PATH, else installed from Debian's packages when we may.
fn chromium() -> Result<&'static str, String> {
    if let Some(name) = NAMES.iter().find(|name| has(name, &["--version"])) {
        return Ok(name);
    }
    if has("sh", &["-c", "command -v apt-get && test \"$(id -u)\" = 0"]) {
        println!("no Chromium on PATH: installing Debian's");
        run("apt-get", &["update", "-qq"])?;
        run("apt-get", &["install", "-y", "-qq", "chromium"])?;
        return Ok("chromium");
    }
    Err("no Chromium on PATH, and no right to install one: install it, or pass --no-browser".into())
}

/// Makes the demo's report and holds it against what a reader's browser would show.
pub(crate) fn pages(skip: bool) -> Result<(), String> {
    if skip {
        println!("SKIPPED: everything that needs a Chromium (--no-browser)");
        return Ok(());
    }
    let chromium = chromium()?;
    let binary = topdown()?;
    let folder = root().join("target").join("pages");
    std::fs::create_dir_all(&folder).map_err(|error| format!("{}: {error}", folder.display()))?;
    let binary = binary.to_string_lossy().into_owned();
    run(&binary, &["demo", "-o", &folder.to_string_lossy()])?;
    let report = find_report(&folder)
        .ok_or_else(|| format!("the demo wrote no report.html under {}", folder.display()))?;
    look_at(chromium, &report)
}

fn find_report(folder: &Path) -> Option<PathBuf> {
    let mut entries: Vec<_> = std::fs::read_dir(folder).ok()?.flatten().map(|e| e.path()).collect();
    entries.sort();
    let here = entries.iter().find(|path| path.file_name().is_some_and(|n| n == "report.html"));
    here.cloned().or_else(|| entries.iter().filter(|p| p.is_dir()).find_map(|p| find_report(p)))
}

fn look_at(chromium: &str, page: &Path) -> Result<(), String> {
    let profile = root().join("target").join("pages").join("profile");
    let output = Command::new(chromium)
        .args(["--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"])
        .args(["--disable-background-networking", "--disable-component-update", "--disable-sync"])
        .arg(format!("--user-data-dir={}", profile.display()))
        .args(["--virtual-time-budget=3000", "--dump-dom"])
        .arg(format!("file://{}", page.display()))
        .output()
        .map_err(|error| format!("{chromium} did not start: {error}"))?;
    let shown = String::from_utf8_lossy(&output.stdout);
    for needed in ["<svg", "Mix bus", "LUFS", "dBTP"] {
        if !shown.contains(needed) {
            return Err(format!("{}: Chromium shows no {needed}", page.display()));
        }
    }
    for forbidden in ["http://", "https://"] {
        let elsewhere = shown.replace("http://www.w3.org/2000/svg", "");
        if elsewhere.contains(forbidden) {
            return Err(format!("{}: the report points outside itself", page.display()));
        }
    }
    println!("Chromium shows the demo's report: {}", page.display());
    Ok(())
}
