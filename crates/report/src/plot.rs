//! The report's plots as SVG. Colours come from the page's style, so light, dark and paper all work.

use crate::facts::{BandFact, Facts, GroupFact, LoudnessPoint, SectionFact, TimePoint};
use crate::text::minutes;
use std::fmt::Write;

const WIDTH: f64 = 720.0;
const LEFT: f64 = 46.0;
const RIGHT: f64 = 12.0;

/// A plot's frame: maps values to places.
struct Frame {
    height: f64,
    top: f64,
    bottom: f64,
    x: (f64, f64),
    y: (f64, f64),
    log_x: bool,
}

impl Frame {
    fn new(height: f64, x: (f64, f64), y: (f64, f64), log_x: bool) -> Self {
        Self { height, top: 14.0, bottom: 26.0, x, y, log_x }
    }

    fn px(&self, x: f64) -> f64 {
        let part = if self.log_x {
            octaves(x / self.x.0) / octaves(self.x.1 / self.x.0)
        } else {
            (x - self.x.0) / (self.x.1 - self.x.0).max(1e-9)
        };
        LEFT + part * (WIDTH - LEFT - RIGHT)
    }

    fn py(&self, y: f64) -> f64 {
        let part = (y.clamp(self.y.0, self.y.1) - self.y.0) / (self.y.1 - self.y.0);
        self.height - self.bottom - part * (self.height - self.top - self.bottom)
    }

    fn open(&self, label: &str) -> String {
        format!(
            "<svg viewBox=\"0 0 {WIDTH} {}\" role=\"img\" aria-label=\"{}\">",
            self.height,
            escape(label)
        )
    }

    /// Horizontal lines with their values.
    fn rules(&self, svg: &mut String, step: f64, unit: &str) {
        let mut value = (self.y.0 / step).ceil() * step;
        while value <= self.y.1 + 1e-9 {
            let y = self.py(value);
            let _ = write!(
                svg,
                "<line class=\"rule\" x1=\"{LEFT}\" x2=\"{:.1}\" y1=\"{y:.1}\" y2=\"{y:.1}\"/>\
                 <text class=\"tick\" x=\"{:.1}\" y=\"{:.1}\" text-anchor=\"end\">{value:.0}{unit}</text>",
                WIDTH - RIGHT,
                LEFT - 6.0,
                y + 3.5
            );
            value += step;
        }
    }

    /// A line through points; gaps where there is no value.
    fn line(
        &self,
        svg: &mut String,
        class: &str,
        points: impl Iterator<Item = (f64, Option<f64>)>,
    ) {
        let mut path = String::new();
        let mut pen_down = false;
        for (x, y) in points {
            let Some(y) = y.filter(|y| y.is_finite()) else {
                pen_down = false;
                continue;
            };
            let verb = if pen_down { 'L' } else { 'M' };
            let _ = write!(path, "{verb}{:.1} {:.1}", self.px(x), self.py(y));
            pen_down = true;
        }
        let _ = write!(svg, "<path class=\"{class}\" d=\"{path}\"/>");
    }

    fn x_label(&self, svg: &mut String, x: f64, text: &str) {
        let _ = write!(
            svg,
            "<text class=\"tick\" x=\"{:.1}\" y=\"{:.1}\" text-anchor=\"middle\">{text}</text>",
            self.px(x),
            self.height - 8.0
        );
    }
}

/// Spectrum before and after, in the corridor.
pub(crate) fn spectrum(bands: &[BandFact]) -> String {
    if bands.is_empty() {
        return String::new();
    }
    let frame = Frame::new(260.0, (20.0, 20_000.0), (-42.0, 0.0), true);
    let mut svg = frame.open("1/3-octave spectrum before and after, with the target corridor");
    corridor(&mut svg, &frame, bands);
    frame.rules(&mut svg, 6.0, "");
    for (hz, name) in [
        (31.5, "31"),
        (63.0, "63"),
        (125.0, "125"),
        (250.0, "250"),
        (500.0, "500"),
        (1000.0, "1k"),
        (2000.0, "2k"),
        (4000.0, "4k"),
        (8000.0, "8k"),
        (16_000.0, "16k"),
    ] {
        frame.x_label(&mut svg, hz, name);
    }
    frame.line(&mut svg, "before", bands.iter().map(|b| (b.hz, Some(b.before_db))));
    frame.line(&mut svg, "after", bands.iter().map(|b| (b.hz, Some(b.after_db))));
    svg.push_str("</svg>");
    svg
}

fn corridor(svg: &mut String, frame: &Frame, bands: &[BandFact]) {
    let upper = bands.iter().map(|b| (b.hz, b.high_db));
    let lower = bands.iter().rev().map(|b| (b.hz, b.low_db));
    let points: Vec<String> = upper
        .chain(lower)
        .map(|(hz, db)| format!("{:.1},{:.1}", frame.px(hz), frame.py(db)))
        .collect();
    let _ = write!(svg, "<polygon class=\"corridor\" points=\"{}\"/>", points.join(" "));
}

/// Short-term loudness over the song, with its sections.
pub(crate) fn loudness(points: &[LoudnessPoint], sections: &[SectionFact]) -> String {
    let Some(last) = points.last() else { return String::new() };
    let loudest = points.iter().filter_map(|p| p.after_lufs).fold(f64::NEG_INFINITY, f64::max);
    if !loudest.is_finite() {
        return String::new();
    }
    let top = (loudest / 3.0).ceil() * 3.0 + 3.0;
    let frame = Frame::new(200.0, (0.0, last.time_s.max(1.0)), (top - 24.0, top), false);
    let mut svg = frame.open("Short-term loudness over time, before and after");
    bands_of_sections(&mut svg, &frame, sections);
    frame.rules(&mut svg, 6.0, "");
    times(&mut svg, &frame, last.time_s);
    frame.line(&mut svg, "before", points.iter().map(|p| (p.time_s, p.before_lufs)));
    frame.line(&mut svg, "after", points.iter().map(|p| (p.time_s, p.after_lufs)));
    svg.push_str("</svg>");
    svg
}

fn bands_of_sections(svg: &mut String, frame: &Frame, sections: &[SectionFact]) {
    for (index, section) in sections.iter().enumerate() {
        let (from, to) = (frame.px(section.from_s), frame.px(section.to_s.min(frame.x.1)));
        let class = if index % 2 == 0 { "section" } else { "section odd" };
        let _ = write!(
            svg,
            "<rect class=\"{class}\" x=\"{from:.1}\" y=\"{:.1}\" width=\"{:.1}\" height=\"{:.1}\"/>\
             <text class=\"name\" x=\"{:.1}\" y=\"{:.1}\">{}</text>",
            frame.top,
            (to - from).max(0.0),
            frame.height - frame.top - frame.bottom,
            from + 4.0,
            frame.top + 11.0,
            escape(&section.name)
        );
    }
}

fn times(svg: &mut String, frame: &Frame, end_s: f64) {
    let step = [5.0, 10.0, 15.0, 30.0, 60.0, 120.0, 300.0, 600.0]
        .into_iter()
        .find(|step| end_s / step <= 10.0)
        .unwrap_or(1800.0);
    let mut time = 0.0;
    while time <= end_s {
        frame.x_label(svg, time, &minutes(time));
        time += step;
    }
}

/// Gain reduction of the mix bus over time.
pub(crate) fn gain_reduction(points: &[TimePoint]) -> String {
    let Some(last) = points.last() else { return String::new() };
    let deepest = points.iter().map(|p| p.value).fold(0.0, f64::min);
    let frame = Frame::new(
        130.0,
        (0.0, last.time_s.max(1.0)),
        ((deepest - 1.0).floor().min(-4.0), 0.0),
        false,
    );
    let mut svg = frame.open("Gain reduction of the mix bus over time");
    frame.rules(&mut svg, 2.0, "");
    times(&mut svg, &frame, last.time_s);
    frame.line(&mut svg, "after", points.iter().map(|p| (p.time_s, Some(p.value))));
    svg.push_str("</svg>");
    svg
}

/// How loud each group is in the whole: before, after, and where nobody minds.
pub(crate) fn balance(groups: &[GroupFact]) -> String {
    let shown: Vec<&GroupFact> = groups.iter().filter(|g| g.after_lu.is_some()).collect();
    if shown.is_empty() {
        return String::new();
    }
    let (low, high) = (-30.0, 0.0);
    let row = 26.0;
    let height = 30.0 + row * shown.len() as f64;
    let left = 130.0;
    let px = |lu: f64| left + (lu.clamp(low, high) - low) / (high - low) * (WIDTH - left - RIGHT);
    let mut svg = format!(
        "<svg viewBox=\"0 0 {WIDTH} {height}\" role=\"img\" aria-label=\"Loudness of each group relative to the whole\">"
    );
    for lu in [-30.0, -24.0, -18.0, -12.0, -6.0, 0.0] {
        let x = px(lu);
        let _ = write!(
            svg,
            "<line class=\"rule\" x1=\"{x:.1}\" x2=\"{x:.1}\" y1=\"4\" y2=\"{:.1}\"/>\
             <text class=\"tick\" x=\"{x:.1}\" y=\"{:.1}\" text-anchor=\"middle\">{lu:.0} LU</text>",
            height - 20.0,
            height - 6.0
        );
    }
    for (index, group) in shown.iter().enumerate() {
        one_group(&mut svg, group, 18.0 + row * index as f64, px);
    }
    svg.push_str("</svg>");
    svg
}

fn one_group(svg: &mut String, group: &GroupFact, y: f64, px: impl Fn(f64) -> f64) {
    let _ = write!(
        svg,
        "<text class=\"name\" x=\"118\" y=\"{:.1}\" text-anchor=\"end\">{}</text>",
        y + 4.0,
        escape(&group.name)
    );
    if let Some(target) = group.target_lu {
        let (from, to) = (px(target - group.tolerance_lu), px(target + group.tolerance_lu));
        let _ = write!(
            svg,
            "<rect class=\"corridor\" x=\"{from:.1}\" y=\"{:.1}\" width=\"{:.1}\" height=\"14\" rx=\"3\"/>",
            y - 7.0,
            (to - from).max(2.0)
        );
    }
    if let Some(before) = group.before_lu {
        let _ = write!(
            svg,
            "<circle class=\"dot-before\" cx=\"{:.1}\" cy=\"{y:.1}\" r=\"4\"/>",
            px(before)
        );
    }
    if let Some(after) = group.after_lu {
        let _ = write!(
            svg,
            "<circle class=\"dot-after\" cx=\"{:.1}\" cy=\"{y:.1}\" r=\"5\"/>",
            px(after)
        );
    }
}

/// A strip of numbers at a glance needs no plot; this says which plots have data.
pub(crate) fn has_curves(facts: &Facts) -> bool {
    !facts.spectrum.is_empty() || !facts.loudness.is_empty()
}

/// Text safe inside HTML and SVG.
pub(crate) fn escape(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '&' => safe.push_str("&amp;"),
            '<' => safe.push_str("&lt;"),
            '>' => safe.push_str("&gt;"),
            '"' => safe.push_str("&quot;"),
            '\'' => safe.push_str("&#39;"),
            other => safe.push(other),
        }
    }
    safe
}

/// Base-2 logarithm of a positive ratio, exact enough to place a tick.
fn octaves(ratio: f64) -> f64 {
    topdown_units::gain_to_db(ratio) / topdown_units::gain_to_db(2.0)
}
