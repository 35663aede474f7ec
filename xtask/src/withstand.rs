//! What must hold against bad input, beyond what the crates' own tests can try: synthetic bad inputs through the
//! release binary, one case a process; all of a file of 4.3 GB; the fuzz targets for longer than elsewhere.

use crate::run::{root, run, target, topdown};
use serde_json::Value;
use std::path::{Path, PathBuf};
use std::process::Command;

/// Groups in which every case has to hold.
const MUST_HOLD: &[&str] = &["content", "format", "header", "names", "filesystem", "other", "load"];
/// Groups whose cases say something only when a sound input of their kind is taken.
const CONTROLLED: &[(&str, &str)] = &[("archive", "zip_control")];
/// How long each fuzz target runs.
const FUZZ_S: u32 = 60;

/// Runs all of it; an error names what does not hold.
pub(crate) fn withstand(script: Option<&Path>) -> Result<(), String> {
    let script = script.map_or_else(default_script, Path::to_path_buf);
    let inputs = if script.is_file() {
        bad_inputs(&script)
    } else {
        println!("SKIPPED: {} is missing, so no bad inputs were tried", script.display());
        Ok(())
    };
    let large = run(
        "cargo",
        &["test", "--release", "-p", "topdown-media", "--test", "large", "--", "--include-ignored"],
    );
    let fuzz = crate::fuzz::fuzz(FUZZ_S);
    let failed: Vec<String> = [inputs, large, fuzz].into_iter().filter_map(Result::err).collect();
    if failed.is_empty() { Ok(()) } else { Err(failed.join("\n")) }
}

fn default_script() -> PathBuf {
    root().join("../shared/tools/make_bad_inputs.py")
}

/// Makes the inputs, the large ones too, and holds the release binary against them.
fn bad_inputs(script: &Path) -> Result<(), String> {
    let binary = topdown()?;
    let text = |path: &Path| path.to_string_lossy().into_owned();
    let home = target().join("withstand");
    let report = home.join("report.json");
    let (script, inputs) = (text(script), text(&home.join("inputs")));
    run("python3", &[&script, &inputs, "--big"])?;
    if let Err(error) = std::fs::remove_file(&report)
        && error.kind() != std::io::ErrorKind::NotFound
    {
        return Err(format!("{}: {error}", report.display()));
    }
    println!("$ python3 {script} {inputs} --check {}", binary.display());
    // It fails when any case fails; which of them count is decided here.
    Command::new("python3")
        .args([&script, &inputs, "--check", &text(&binary), "--report", &text(&report)])
        .status()
        .map_err(|error| format!("python3: {error}"))?;
    let bytes = std::fs::read(&report).map_err(|e| format!("{}: {e}", report.display()))?;
    let cases = serde_json::from_slice(&bytes).map_err(|e| format!("{}: {e}", report.display()))?;
    let tally = Tally::of(&cases);
    println!(
        "bad inputs: {} passed, {} failed, {} skipped",
        tally.passed,
        tally.failed.len(),
        tally.skipped
    );
    if tally.failed.is_empty() {
        Ok(())
    } else {
        Err(format!("bad inputs that do not hold: {}", tally.failed.join(", ")))
    }
}

/// What the cases of a report come to.
#[derive(Debug, Default, PartialEq, Eq)]
struct Tally {
    passed: usize,
    failed: Vec<String>,
    skipped: usize,
}

impl Tally {
    fn of(cases: &Value) -> Self {
        let cases: Vec<Case<'_>> = cases.as_array().into_iter().flatten().map(Case::of).collect();
        let counts = |case: &Case<'_>| {
            let control = CONTROLLED.iter().find(|(group, _)| *group == case.group);
            let taken = |name: &str| cases.iter().any(|case| case.name == name && case.ok);
            MUST_HOLD.contains(&case.group) || control.is_some_and(|(_, name)| taken(name))
        };
        let mut tally = Self::default();
        for case in &cases {
            match (counts(case), case.ok) {
                (false, _) => tally.skipped += 1,
                (true, true) => tally.passed += 1,
                (true, false) => tally.failed.push(case.name.to_owned()),
            }
        }
        // A report of nothing is no proof of anything.
        if tally.passed == 0 {
            tally.failed.push("all: the report holds no case that counts".to_owned());
        }
        tally
    }
}

struct Case<'a> {
    name: &'a str,
    group: &'a str,
    ok: bool,
}

impl<'a> Case<'a> {
    fn of(case: &'a Value) -> Self {
        let text = |key: &str| case.get(key).and_then(Value::as_str).unwrap_or_default();
        let ok = case.get("ok").and_then(Value::as_bool) == Some(true);
        Self { name: text("name"), group: text("group"), ok }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tally(cases: &[(&str, &str, bool)]) -> Tally {
        let cases = cases.iter();
        let cases = cases
            .map(|(name, group, ok)| serde_json::json!({ "name": name, "group": group, "ok": ok }));
        Tally::of(&Value::Array(cases.collect()))
    }

    #[test]
    fn a_failed_case_counts_unless_its_kind_of_input_is_refused_as_a_whole() {
        let refused = tally(&[
            ("a", "header", true),
            ("zip_control", "archive", false),
            ("zip_bomb", "archive", false),
            ("s", "session", true),
        ]);
        assert_eq!(refused, Tally { passed: 1, failed: Vec::new(), skipped: 3 });
        let taken = tally(&[
            ("zip_control", "archive", true),
            ("zip_bomb", "archive", false),
            ("b", "load", false),
        ]);
        assert_eq!(taken.failed, ["zip_bomb", "b"]);
        assert_eq!(tally(&[]).failed.len(), 1);
    }
}
