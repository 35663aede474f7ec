//! What must hold on real songs. Each song goes through the program as a person would use it.
//!
//! | promise | how it is seen |
//! |---|---|
//! | a finite print at the session's rate, at most -1 dBTP, -18 LUFS within 0.5 LU or the shortfall said | the facts of `mix`, and ffmpeg's `ebur128` where it is installed |
//! | a session renders again to the same bytes | `render` against the print |
//! | the journal goes prep, levels, bus, groups | order of the moves |
//! | after +6 and -6 dB on a group and a second run, the bus works as hard as before within 0.75 dB | gain reduction over the loudest 10 s |

use crate::run::{has, root, topdown};
use serde_json::Value;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Instant;

const CEILING_DBTP: f64 = -1.0;
/// What another meter's filter may read beyond ours.
const OTHER_METER_DB: f64 = 0.5;
const TARGET_LUFS: f64 = -18.0;
const TARGET_LU: f64 = 0.5;
const GLUE_DB: f64 = 0.75;
const STAGES: [&str; 4] = ["prep", "levels", "bus", "groups"];

pub(crate) fn run(
    dir: Option<&Path>,
    only: Option<&str>,
    binary: Option<PathBuf>,
) -> Result<(), String> {
    let songs = dir.map_or_else(|| root().join("../shared/songs"), Path::to_path_buf);
    if !songs.is_dir() {
        println!("SKIPPED: no songs at {}", songs.display());
        return Ok(());
    }
    let binary = match binary {
        Some(binary) => binary,
        None => topdown()?,
    };
    let out = root().join("target").join("songs");
    fs::create_dir_all(&out).map_err(|error| format!("{}: {error}", out.display()))?;
    let mut names: Vec<PathBuf> = fs::read_dir(&songs)
        .map_err(|e| e.to_string())?
        .flatten()
        .map(|entry| entry.path())
        .collect();
    names.retain(|path| path.join("stems").is_dir());
    names.retain(|path| only.is_none_or(|only| path.to_string_lossy().contains(only)));
    names.sort();
    println!(
        "| song | time, s | LUFS | dBTP | bus GR, dB | after +6 dB | after -6 dB | problems |"
    );
    println!("|---|---|---|---|---|---|---|---|");
    let mut failed = 0;
    for song in &names {
        let problems = one(&binary, song, &out);
        failed += usize::from(!problems.is_empty());
        for problem in problems {
            println!("  {}: {problem}", name(song));
        }
    }
    println!("\nsongs: {} passed, {failed} failed", names.len() - failed);
    if failed == 0 { Ok(()) } else { Err(format!("{failed} songs do not hold")) }
}

fn name(song: &Path) -> String {
    song.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default()
}

/// Everything that is wrong with one song; empty is good.
fn one(binary: &Path, song: &Path, out: &Path) -> Vec<String> {
    let name = name(song);
    let print = out.join(format!("{name}.wav"));
    let session = out.join(format!("{name}.topdown"));
    let _ = fs::remove_dir_all(&session);
    let stems = song.join("stems");
    let started = Instant::now();
    let facts = match mix(binary, &stems, &print) {
        Ok(facts) => facts,
        Err(error) => return vec![error],
    };
    let time_s = started.elapsed().as_secs_f64();
    let mut problems = print_problems(&facts, &print);
    problems.extend(journal_problems(&facts));
    problems.extend(again_problems(binary, &session, &print, out));
    let glue = glue(&facts);
    let louder = after_a_move(binary, &stems, &session, &print, 6.0);
    let quieter = after_a_move(binary, &stems, &session, &print, -12.0);
    for (moved, word) in [(&louder, "+6"), (&quieter, "-6")] {
        match (moved, glue) {
            (Err(error), _) => problems.push(format!("second run after {word} dB: {error}")),
            (Ok(Some(after)), Some(glue)) if (after - glue).abs() > GLUE_DB => {
                problems.push(format!(
                    "bus gain reduction {glue:.2} dB, {after:.2} dB after {word} dB on a group"
                ));
            }
            (Ok(None), Some(_)) => {
                problems.push(format!("no bus compressor after {word} dB on a group"));
            }
            _ => {}
        }
    }
    let show = |glue: Option<f64>| glue.map_or("-".to_owned(), |db| format!("{db:.2}"));
    println!(
        "| {name} | {time_s:.1} | {:.1} | {:.1} | {} | {} | {} | {} |",
        figure(&facts, "integrated_lufs"),
        figure(&facts, "true_peak_dbtp"),
        show(glue),
        show(louder.unwrap_or(None)),
        show(quieter.unwrap_or(None)),
        problems.len()
    );
    problems
}

fn mix(binary: &Path, stems: &Path, print: &Path) -> Result<Value, String> {
    let output = Command::new(binary)
        .args(["mix", "--json", "--quiet"])
        .arg(stems)
        .arg("-o")
        .arg(print)
        .output()
        .map_err(|error| error.to_string())?;
    if !output.status.success() {
        return Err(format!("mix: {}", String::from_utf8_lossy(&output.stderr).trim()));
    }
    serde_json::from_slice(&output.stdout).map_err(|error| format!("mix --json: {error}"))
}

fn figure(facts: &Value, key: &str) -> f64 {
    facts["print"][key].as_f64().unwrap_or(f64::NAN)
}

fn glue(facts: &Value) -> Option<f64> {
    facts["bus_glue_db"].as_f64()
}

fn print_problems(facts: &Value, print: &Path) -> Vec<String> {
    let mut problems = Vec::new();
    let (lufs, peak) = (figure(facts, "integrated_lufs"), figure(facts, "true_peak_dbtp"));
    if peak.is_nan() || peak > CEILING_DBTP {
        problems.push(format!("true peak {peak} dBTP"));
    }
    let said = facts["print"]["shortfall"].is_string();
    if !((lufs - TARGET_LUFS).abs() <= TARGET_LU || (said && lufs < TARGET_LUFS)) {
        problems.push(format!("{lufs} LUFS, and no shortfall is said"));
    }
    match ffmpeg(print) {
        Some((judge_lufs, judge_peak)) => {
            if (judge_lufs - lufs).abs() > 0.15 {
                problems.push(format!("we say {lufs:.2} LUFS, ffmpeg {judge_lufs:.2}"));
            }
            if judge_peak > CEILING_DBTP + OTHER_METER_DB {
                problems.push(format!("ffmpeg reads {judge_peak:.2} dBTP"));
            }
        }
        None if has("ffmpeg", &["-version"]) => {
            problems.push("ffmpeg cannot measure the print".into());
        }
        None => {}
    }
    problems
}

/// Integrated loudness and true peak by ffmpeg; `None` without ffmpeg, or if it cannot tell.
fn ffmpeg(print: &Path) -> Option<(f64, f64)> {
    let output = Command::new("ffmpeg")
        .args(["-hide_banner", "-nostats", "-i"])
        .arg(print)
        .args(["-af", "ebur128=peak=true", "-f", "null", "-"])
        .output()
        .ok()?;
    let text = String::from_utf8_lossy(&output.stderr).into_owned();
    let summary = &text[text.rfind("Summary:")?..];
    let after = |key: &str| {
        let rest = &summary[summary.find(key)? + key.len()..];
        rest.split_whitespace().next()?.parse::<f64>().ok()
    };
    Some((after("I:")?, after("Peak:")?))
}

fn journal_problems(facts: &Value) -> Vec<String> {
    let moves = facts["moves"].as_array().cloned().unwrap_or_default();
    let order: Vec<usize> = moves
        .iter()
        .filter_map(|m| STAGES.iter().position(|stage| m["stage"].as_str() == Some(stage)))
        .collect();
    let mut problems = Vec::new();
    if order.windows(2).any(|pair| pair[0] > pair[1]) {
        problems.push(format!("the journal is out of order: {order:?}"));
    }
    for (index, stage) in STAGES.iter().enumerate() {
        if !order.contains(&index) {
            problems.push(format!("no move of stage {stage}, not even a rejected one"));
        }
    }
    problems
}

fn again_problems(binary: &Path, session: &Path, print: &Path, out: &Path) -> Vec<String> {
    let again = out.join("again.wav");
    let output = Command::new(binary)
        .args(["render", "--quiet"])
        .arg(session)
        .arg("-o")
        .arg(&again)
        .output();
    match output {
        Ok(output) if output.status.success() => {}
        Ok(output) => {
            return vec![format!("render: {}", String::from_utf8_lossy(&output.stderr).trim())];
        }
        Err(error) => return vec![error.to_string()],
    }
    match (fs::read(print), fs::read(&again)) {
        (Ok(a), Ok(b)) if a == b => Vec::new(),
        (Ok(_), Ok(_)) => vec!["`render` gives other bytes than `mix` did".into()],
        _ => vec!["a print cannot be read".into()],
    }
}

/// Moves the fader of the first group by hand, runs again, and tells how hard the bus works then.
fn after_a_move(
    binary: &Path,
    stems: &Path,
    session: &Path,
    print: &Path,
    by_db: f64,
) -> Result<Option<f64>, String> {
    let file = session.join("session.toml");
    let text = fs::read_to_string(&file).map_err(|error| error.to_string())?;
    let Some(moved) = with_group_moved(&text, by_db) else { return Err("nothing to move".into()) };
    fs::write(&file, moved).map_err(|error| error.to_string())?;
    mix(binary, stems, print).map(|facts| glue(&facts))
}

/// The document with the fader of its first group moved; of its first track if it has no group.
fn with_group_moved(text: &str, by_db: f64) -> Option<String> {
    let mut blocks: Vec<String> = text.split("\n[[strip]]\n").map(str::to_owned).collect();
    let is_group = |block: &String| block.contains("kind = \"group\"");
    let plays =
        |block: &String| block.contains("kind = \"track\"") && !block.contains("excluded = ");
    let at = blocks.iter().position(is_group).or_else(|| blocks.iter().position(plays))?;
    let group = blocks.get_mut(at)?;
    let was = group.lines().find_map(|line| line.strip_prefix("fader_db = ")?.parse::<f64>().ok());
    let is = (was.unwrap_or(0.0) + by_db).clamp(-60.0, 12.0);
    *group = match was {
        Some(_) => {
            let line = group.lines().find(|line| line.starts_with("fader_db = "))?.to_owned();
            group.replacen(&line, &format!("fader_db = {is}"), 1)
        }
        None => {
            let line = group.lines().find(|line| line.starts_with("output = "))?.to_owned();
            group.replacen(&line, &format!("{line}\nfader_db = {is}"), 1)
        }
    };
    Some(blocks.join("\n[[strip]]\n"))
}

#[cfg(test)]
mod tests {
    use super::with_group_moved;

    #[test]
    fn the_first_groups_fader_moves_and_nothing_else() {
        let text = "a\n\n[[strip]]\nid = \"bus\"\nkind = \"bus\"\n\n[[strip]]\nid = \"drums\"\n\
            kind = \"group\"\noutput = \"bus\"\nfader_db = -3.5\n\n[[strip]]\nid = \"b\"\nkind = \"group\"\n";
        let moved = with_group_moved(text, 6.0).unwrap();
        assert_eq!(moved, text.replace("-3.5", "2.5"));
        let bare = text.replace("fader_db = -3.5\n", "");
        assert!(
            with_group_moved(&bare, -6.0).unwrap().contains("output = \"bus\"\nfader_db = -6\n")
        );
    }
}
