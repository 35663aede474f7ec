//! The summary in a terminal: what was heard, what was done from the top down and why, what came out.

use crate::facts::{Facts, MoveFact, TrackFact};
use std::fmt::Write;
use topdown_session::{Author, MoveState, Stage};

const WIDTH: usize = 96;

/// The stages in the order of a summary, with what a person calls them.
pub const STAGES: &[(Stage, &str)] = &[
    (Stage::Prep, "Preparation"),
    (Stage::Levels, "Levels"),
    (Stage::Bus, "Mix bus"),
    (Stage::Groups, "Groups"),
    (Stage::Tracks, "Tracks"),
    (Stage::Recheck, "Recheck"),
    (Stage::Person, "By hand"),
];

/// The summary of a run.
#[must_use]
pub fn summary(facts: &Facts) -> String {
    let mut out = String::new();
    heard(&mut out, facts);
    done(&mut out, facts);
    print(&mut out, facts);
    if !facts.warnings.is_empty() {
        line(&mut out, "\nPlease look at");
        for warning in &facts.warnings {
            wrapped(&mut out, "  ! ", "    ", warning);
        }
    }
    out
}

/// The moves with their reasons; rejected ones only when asked for.
#[must_use]
pub fn journal(moves: &[MoveFact], rejected_too: bool) -> String {
    let mut out = String::new();
    for (stage, name) in STAGES {
        let shown: Vec<_> = moves
            .iter()
            .filter(|m| m.stage == *stage && (rejected_too || m.state == MoveState::Kept))
            .collect();
        if shown.is_empty() {
            continue;
        }
        let gap = if out.is_empty() { "" } else { "\n" };
        line(&mut out, &format!("{gap}{name}"));
        for fact in shown {
            one_move(&mut out, fact);
        }
    }
    out
}

fn heard(out: &mut String, facts: &Facts) {
    let playing = facts.tracks.iter().filter(|track| track.left_out.is_none()).count();
    line(
        out,
        &format!(
            "{}: {playing} of {} tracks, {}, {} Hz",
            facts.song,
            facts.tracks.len(),
            minutes(facts.duration_s),
            facts.sample_rate_hz
        ),
    );
    line(out, "\nHeard");
    for (group, names) in by_group(&facts.tracks) {
        wrapped(out, &format!("  {group:<12} "), &" ".repeat(15), &names.join(", "));
    }
    for track in &facts.tracks {
        if let Some(why) = &track.left_out {
            wrapped(out, "  left out     ", &" ".repeat(15), &format!("{}: {why}", track.name));
        }
    }
}

/// Tracks by the group that sums them, in order of first appearance.
fn by_group(tracks: &[TrackFact]) -> Vec<(String, Vec<String>)> {
    let mut groups: Vec<(String, Vec<String>)> = Vec::new();
    for track in tracks.iter().filter(|track| track.left_out.is_none()) {
        let group = if track.group.is_empty() { "to the bus" } else { &track.group };
        let name = format!("{} ({})", track.name, track.role);
        match groups.iter_mut().find(|(known, _)| known == group) {
            Some((_, names)) => names.push(name),
            None => groups.push((group.to_owned(), vec![name])),
        }
    }
    groups
}

fn done(out: &mut String, facts: &Facts) {
    line(out, "\nDone, from the top down");
    for (stage, name) in STAGES {
        let moves: Vec<_> = facts.kept(*stage).collect();
        let decides = matches!(stage, Stage::Bus | Stage::Groups | Stage::Tracks);
        if moves.is_empty() && decides && !facts.cost_before.is_empty() {
            line(out, &format!("  {name}: nothing made the whole better"));
        }
        if moves.is_empty() {
            continue;
        }
        line(out, &format!("  {name}"));
        for fact in moves {
            one_move(out, fact);
        }
    }
    if facts.rejected() > 0 {
        line(
            out,
            &format!("  {} more tried and not kept (`topdown explain --all`)", facts.rejected()),
        );
    }
    cost(out, facts);
}

fn one_move(out: &mut String, fact: &MoveFact) {
    let mut marks = String::new();
    if fact.state == MoveState::Rejected {
        marks.push_str(" [rejected]");
    }
    if fact.state == MoveState::Superseded {
        marks.push_str(" [superseded]");
    }
    if !fact.on {
        marks.push_str(" [off]");
    }
    if fact.amount_percent < 100.0 {
        let _ = write!(marks, " [{:.0} %]", fact.amount_percent);
    }
    if fact.locked {
        marks.push_str(" [locked]");
    }
    if fact.stale {
        marks.push_str(" [stale]");
    }
    if fact.author == Author::Person && fact.stage != Stage::Person {
        marks.push_str(" [by hand]");
    }
    wrapped(
        out,
        &format!("    {:<11} ", fact.id),
        &" ".repeat(16),
        &format!("{}{marks}", fact.title),
    );
    if !fact.reason.is_empty() {
        wrapped(out, &" ".repeat(16), &" ".repeat(16), &fact.reason);
    }
    if let Some(effect) = effect(fact) {
        wrapped(out, &" ".repeat(16), &" ".repeat(16), &effect);
    }
}

/// What a move did to the whole, in one line.
fn effect(fact: &MoveFact) -> Option<String> {
    let change = fact.cost_change?;
    let mut text = format!("cost {change:+.3}");
    let terms: Vec<_> =
        fact.terms.iter().take(3).map(|(name, by)| format!("{name} {by:+.3}")).collect();
    if !terms.is_empty() {
        let _ = write!(text, " ({})", terms.join(", "));
    }
    if !fact.leverage.is_empty() {
        let named: Vec<_> =
            fact.leverage.iter().take(4).map(|(name, by)| format!("{name} {by:+.1} LU")).collect();
        let _ = write!(text, "; clearer: {}", named.join(", "));
    }
    Some(text)
}

fn cost(out: &mut String, facts: &Facts) {
    let (Some(before), Some(after)) =
        (facts.cost_before.get("total"), facts.cost_after.get("total"))
    else {
        return;
    };
    let terms: Vec<_> = facts
        .cost_after
        .iter()
        .filter(|(name, _)| *name != "total")
        .map(|(name, value)| {
            format!(
                "{name} {:.3} to {value:.3}",
                facts.cost_before.get(name).copied().unwrap_or(0.0)
            )
        })
        .collect();
    let text = format!(
        "Distance to the targets (lower is nearer; a figure, not a listening result): {before:.3} as \
         the plain sum, {after:.3} now: {}",
        terms.join(", ")
    );
    wrapped(out, "  ", "  ", &text);
}

fn print(out: &mut String, facts: &Facts) {
    let print = &facts.print;
    line(out, "\nPrint");
    let mut text = format!(
        "{:.1} LUFS (target {:.1}), true peak {:.1} dBTP (ceiling {:.1}), PLR {:.1} LU",
        print.integrated_lufs,
        print.target_lufs,
        print.true_peak_dbtp,
        print.ceiling_dbtp,
        print.plr_lu
    );
    if let Some(range) = print.range_lu {
        let _ = write!(text, ", range {range:.1} LU");
    }
    let _ = write!(
        text,
        ", correlation {:.2}, mono fold {:.1} dB",
        print.correlation, -print.mono_loss_db
    );
    wrapped(out, "  ", "  ", &text);
    if let Some(shortfall) = &print.shortfall {
        wrapped(out, "  ", "  ", shortfall);
    }
    for (name, place) in [
        ("print", &facts.places.print),
        ("session", &facts.places.session),
        ("report", &facts.places.report),
    ] {
        if !place.is_empty() {
            line(out, &format!("  {name:<8} {place}"));
        }
    }
}

/// `m:ss`.
#[must_use]
pub fn minutes(seconds: f64) -> String {
    let whole = seconds.max(0.0).round() as u64;
    format!("{}:{:02}", whole / 60, whole % 60)
}

fn line(out: &mut String, text: &str) {
    out.push_str(text);
    out.push('\n');
}

/// Words wrapped at the width, `first` before the first line and `rest` before the others.
fn wrapped(out: &mut String, first: &str, rest: &str, text: &str) {
    let mut current = first.to_owned();
    let mut empty = true;
    for word in text.split_whitespace() {
        if !empty && current.chars().count() + 1 + word.chars().count() > WIDTH {
            line(out, &current);
            current = rest.to_owned();
            empty = true;
        }
        if !empty {
            current.push(' ');
        }
        current.push_str(word);
        empty = false;
    }
    line(out, current.trim_end());
}
