//! The rules of the house as code: formatting, lints, the direction of dependencies, licences.

use crate::run::{root, run};
use cargo_metadata::{DependencyKind, Metadata, MetadataCommand, Package};
use std::collections::BTreeMap;

/// Examples that write generated files, as (package, example).
pub(crate) const GENERATORS: &[(&str, &str)] = &[];

/// Who may use whom, without the prefix. Everyone may use `units`; `testkit` is for tests alone.
const EDGES: &[(&str, &[&str])] = &[
    ("units", &[]),
    ("testkit", &[]),
    ("dsp", &[]),
    ("analysis", &["dsp"]),
    ("session", &["dsp"]),
    ("media", &["dsp"]),
    ("engine", &["dsp", "session"]),
    ("decide", &["dsp", "session", "analysis"]),
    ("interchange", &["session", "analysis"]),
    ("report", &["session"]),
    ("app", &["dsp", "analysis", "session", "engine", "decide", "media", "interchange", "report"]),
    ("console", &["app"]),
    ("cli", &["app", "console"]),
];

/// Licences that may come into the binary.
const LICENCES: &[&str] = &[
    "MIT",
    "Apache-2.0",
    "BSD-1-Clause",
    "BSD-2-Clause",
    "BSD-3-Clause",
    "ISC",
    "Zlib",
    "0BSD",
    "Unicode-3.0",
    "MPL-2.0",
    "CC0-1.0",
    "Unlicense",
    "BSL-1.0",
    "MIT-0",
];

pub(crate) fn check() -> Result<(), String> {
    run("cargo", &["fmt", "--all", "--check"])?;
    let metadata = MetadataCommand::new()
        .manifest_path(root().join("Cargo.toml"))
        .exec()
        .map_err(|error| format!("cargo metadata: {error}"))?;
    let mut problems = wrong_edges(&metadata);
    problems.extend(wrong_licences(&metadata));
    if !problems.is_empty() {
        return Err(problems.join("\n"));
    }
    println!("directions and licences are right ({} packages)", metadata.packages.len());
    run("cargo", &["clippy", "--workspace", "--all-targets", "--quiet", "--", "-D", "warnings"])
}

/// One line for every dependency that points the wrong way.
fn wrong_edges(metadata: &Metadata) -> Vec<String> {
    let allowed: BTreeMap<&str, &[&str]> = EDGES.iter().copied().collect();
    let ours = metadata.workspace_packages();
    ours.iter().flat_map(|package| wrong_edges_of(package, &allowed)).collect()
}

fn wrong_edges_of(package: &Package, allowed: &BTreeMap<&str, &[&str]>) -> Vec<String> {
    let Some(name) = package.name.strip_prefix("topdown-") else { return Vec::new() };
    let Some(may_use) = allowed.get(name) else {
        return vec![format!("{name}: a new crate needs its line in xtask/src/house.rs")];
    };
    let used = package.dependencies.iter().filter_map(|dependency| {
        dependency.name.strip_prefix("topdown-").map(|used| (used, dependency.kind))
    });
    used.filter(|(used, kind)| {
        let for_tests = *kind == DependencyKind::Development && *used == "testkit";
        !(*used == "units" || for_tests || may_use.contains(used))
    })
    .map(|(used, _)| format!("forbidden direction: {name} -> {used}"))
    .collect()
}

/// One line for every package whose licence is not on the list.
fn wrong_licences(metadata: &Metadata) -> Vec<String> {
    let packages = metadata.packages.iter().filter(|package| package.source.is_some());
    packages
        .filter(|package| !package.license.as_deref().is_some_and(permitted))
        .map(|package| {
            let licence = package.license.as_deref().unwrap_or("none declared");
            format!("licence of {} {}: {licence}", package.name, package.version)
        })
        .collect()
}

/// Whether an SPDX expression leaves a way through with permitted licences alone.
fn permitted(expression: &str) -> bool {
    let flat = expression.replace(['(', ')'], " ").replace('/', " OR ");
    flat.split(" AND ").all(|part| {
        part.split(" OR ").any(|licence| {
            let base = licence.split(" WITH ").next().unwrap_or(licence);
            LICENCES.contains(&base.trim())
        })
    })
}

#[cfg(test)]
mod tests {
    use super::permitted;

    #[test]
    fn an_expression_needs_one_permitted_way_through() {
        assert!(permitted("MIT OR Apache-2.0"));
        assert!(permitted("GPL-3.0 OR MIT"));
        assert!(permitted("(MIT OR Apache-2.0) AND Unicode-3.0"));
        assert!(permitted("Apache-2.0 WITH LLVM-exception"));
        assert!(permitted("MIT/Apache-2.0"));
        assert!(!permitted("GPL-3.0"));
        assert!(!permitted("MIT AND GPL-3.0"));
        assert!(!permitted("LGPL-2.1-or-later"));
    }
}
