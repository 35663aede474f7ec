//! The report as one self-contained page: no script, no network, prints well, light and dark.

use crate::facts::{Facts, MoveFact};
use crate::plot::{self, escape};
use crate::text::{STAGES, minutes};
use std::fmt::Write;
use topdown_session::{Author, MoveState};

const STYLE: &str = include_str!("report.css");

/// The whole page.
#[must_use]
pub fn page(facts: &Facts) -> String {
    let mut out = String::with_capacity(64 * 1024);
    let title = escape(&facts.song);
    let _ = write!(
        out,
        "<!doctype html><html lang=\"en\"><head><meta charset=\"utf-8\">\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\
         <meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\">\
         <title>{title}: mix report</title><style>{STYLE}</style></head><body><main>"
    );
    glance(&mut out, facts);
    curves(&mut out, facts);
    groups(&mut out, facts);
    moves(&mut out, facts);
    tracks(&mut out, facts);
    delivery(&mut out, facts);
    out.push_str(
        "<footer>Every figure was measured on the print or on excerpts heard through the mix bus. \
         The cost is a distance to targets, not a listening result.</footer></main></body></html>\n",
    );
    out
}

fn glance(out: &mut String, facts: &Facts) {
    let print = &facts.print;
    let playing = facts.tracks.iter().filter(|t| t.left_out.is_none()).count();
    let touched = facts.tracks.iter().filter(|t| t.touched).count();
    let _ = write!(
        out,
        "<header><p class=\"kicker\">Topdown mix report</p><h1>{}</h1>\
         <p class=\"sub\">{playing} tracks, {}, {} Hz. {} {}</p></header><dl class=\"glance\">",
        escape(&facts.song),
        minutes(facts.duration_s),
        facts.sample_rate_hz,
        escape(&facts.levels),
        escape(&facts.profile)
    );
    tile(out, "Loudness", &format!("{:.1}", print.integrated_lufs), "LUFS");
    tile(out, "True peak", &format!("{:.1}", print.true_peak_dbtp), "dBTP");
    tile(out, "Peak to loudness", &format!("{:.1}", print.plr_lu), "LU");
    tile(out, "Mono fold", &format!("{:.1}", -print.mono_loss_db), "dB");
    tile(out, "Tracks touched", &format!("{touched}"), &format!("of {playing}"));
    out.push_str("</dl>");
    if !facts.warnings.is_empty() {
        out.push_str("<section class=\"warnings\"><h2>Please look at</h2><ul>");
        for warning in &facts.warnings {
            let _ = write!(out, "<li>{}</li>", escape(warning));
        }
        out.push_str("</ul></section>");
    }
}

fn tile(out: &mut String, name: &str, value: &str, unit: &str) {
    let _ = write!(out, "<div><dt>{name}</dt><dd>{value} <span>{unit}</span></dd></div>");
}

fn curves(out: &mut String, facts: &Facts) {
    if !plot::has_curves(facts) {
        return;
    }
    out.push_str(
        "<section><h2>Before and after</h2>\
         <p class=\"key\"><i class=\"k-before\"></i>plain sum at the same loudness \
         <i class=\"k-after\"></i>mix <i class=\"k-corridor\"></i>target corridor</p>",
    );
    figure(out, &plot::spectrum(&facts.spectrum), "1/3-octave spectrum, dB relative to the whole");
    figure(out, &plot::loudness(&facts.loudness, &facts.sections), "Short-term loudness, LUFS");
    figure(out, &plot::gain_reduction(&facts.bus_gain_reduction), "Mix bus gain reduction, dB");
    out.push_str("</section>");
}

fn figure(out: &mut String, svg: &str, caption: &str) {
    if !svg.is_empty() {
        let _ = write!(out, "<figure>{svg}<figcaption>{caption}</figcaption></figure>");
    }
}

fn groups(out: &mut String, facts: &Facts) {
    let svg = plot::balance(&facts.groups);
    if svg.is_empty() {
        return;
    }
    out.push_str(
        "<section><h2>How the groups sit</h2>\
         <p class=\"key\"><i class=\"k-dot-before\"></i>plain sum <i class=\"k-dot-after\"></i>mix \
         <i class=\"k-corridor\"></i>where nobody minds</p>",
    );
    figure(out, &svg, "Loudness of each group relative to the whole, LU");
    out.push_str("</section>");
}

fn moves(out: &mut String, facts: &Facts) {
    out.push_str("<section><h2>What was done, from the top down</h2>");
    for (stage, name) in STAGES {
        let kept: Vec<_> = facts.kept(*stage).collect();
        if kept.is_empty() {
            continue;
        }
        let _ = write!(out, "<h3>{name}</h3><ol class=\"moves\">");
        for fact in kept {
            one_move(out, fact);
        }
        out.push_str("</ol>");
    }
    let others: Vec<_> = facts.moves.iter().filter(|m| m.state != MoveState::Kept).collect();
    if !others.is_empty() {
        let _ = write!(
            out,
            "<details><summary>{} moves tried and not kept</summary><ol class=\"moves\">",
            others.len()
        );
        for fact in others {
            one_move(out, fact);
        }
        out.push_str("</ol></details>");
    }
    out.push_str("</section>");
}

fn one_move(out: &mut String, fact: &MoveFact) {
    let _ = write!(
        out,
        "<li><p class=\"title\"><code>{}</code> {}",
        escape(&fact.id),
        escape(&fact.title)
    );
    for (is, mark) in [
        (!fact.on, "off"),
        (fact.locked, "locked"),
        (fact.stale, "stale"),
        (fact.author == Author::Person, "by hand"),
    ] {
        if is {
            let _ = write!(out, " <b class=\"mark\">{mark}</b>");
        }
    }
    if fact.amount_percent < 100.0 {
        let _ = write!(out, " <b class=\"mark\">{:.0} %</b>", fact.amount_percent);
    }
    let _ = write!(out, "</p><p>{}</p>", escape(&fact.reason));
    if let Some(change) = fact.cost_change {
        let class = if change < 0.0 { "better" } else { "worse" };
        let _ = write!(out, "<p class=\"effect\"><b class=\"{class}\">cost {change:+.3}</b>");
        for (name, by) in fact.terms.iter().take(4) {
            let _ = write!(out, " <span>{} {by:+.3}</span>", escape(name));
        }
        if !fact.leverage.is_empty() {
            let named: Vec<_> = fact
                .leverage
                .iter()
                .take(6)
                .map(|(name, by)| format!("{} {by:+.1} LU", escape(name)))
                .collect();
            let _ = write!(out, " <span>clearer: {}</span>", named.join(", "));
        }
        out.push_str("</p>");
    }
    out.push_str("</li>");
}

fn tracks(out: &mut String, facts: &Facts) {
    out.push_str(
        "<section><h2>Tracks</h2><div class=\"scroll\"><table><thead><tr><th>Track</th><th>Taken for</th>\
         <th>Group</th><th class=\"n\">Recorded, LUFS</th><th class=\"n\">Fader, dB</th>\
         <th class=\"n\">Pan</th></tr></thead><tbody>",
    );
    for track in &facts.tracks {
        let loudness =
            track.loudness_lufs.map_or_else(|| "silent".to_owned(), |l| format!("{l:.1}"));
        let out_class = if track.left_out.is_some() { " class=\"out\"" } else { "" };
        let role = match &track.left_out {
            Some(why) => format!("left out: {}", escape(why)),
            None => format!(
                "{} <span class=\"sure\">{:.0} %</span>",
                escape(&track.role),
                track.confidence * 100.0
            ),
        };
        let _ = write!(
            out,
            "<tr{out_class}><td>{}</td><td>{role}</td><td>{}</td><td class=\"n\">{loudness}</td>\
             <td class=\"n\">{:+.1}</td><td class=\"n\">{}</td></tr>",
            escape(&track.name),
            escape(&track.group),
            track.fader_db,
            pan(track.pan)
        );
    }
    out.push_str("</tbody></table></div></section>");
}

/// `C`, `L40`, `R100`.
fn pan(pan: f64) -> String {
    let percent = (pan * 100.0).round();
    match percent {
        p if p < 0.0 => format!("L{:.0}", -p),
        p if p > 0.0 => format!("R{p:.0}"),
        _ => "C".to_owned(),
    }
}

fn delivery(out: &mut String, facts: &Facts) {
    let print = &facts.print;
    out.push_str("<section><h2>The print</h2><table><tbody>");
    let mut row = |name: &str, value: String| {
        let _ = write!(out, "<tr><th>{name}</th><td>{}</td></tr>", escape(&value));
    };
    row("Target", print.target.clone());
    row(
        "Integrated loudness",
        format!("{:.1} LUFS (asked {:.1})", print.integrated_lufs, print.target_lufs),
    );
    row(
        "True peak",
        format!("{:.1} dBTP (ceiling {:.1})", print.true_peak_dbtp, print.ceiling_dbtp),
    );
    if let Some(range) = print.range_lu {
        row("Loudness range", format!("{range:.1} LU"));
    }
    if let Some(psr) = print.psr_min_lu {
        row("Lowest peak to short-term loudness", format!("{psr:.1} LU"));
    }
    row("Correlation", format!("{:.2}", print.correlation));
    row("Lost when folded to mono", format!("{:.1} dB", print.mono_loss_db));
    row("Gain from mix bus to print", format!("{:+.1} dB", print.gain_db));
    if let Some(limiting) = print.limiting_db {
        row("Most limiting", format!("{limiting:.1} dB"));
    }
    if let Some(shortfall) = &print.shortfall {
        row("Not reached", shortfall.clone());
    }
    row("File", facts.places.print.clone());
    row("Session", facts.places.session.clone());
    out.push_str("</tbody></table></section>");
}
