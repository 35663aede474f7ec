//! Line plots as SVG, for the pages that show what processors do.

use std::fmt::Write;

const WIDTH: f64 = 760.0;
const HEIGHT: f64 = 380.0;
const LEFT: f64 = 62.0;
const RIGHT: f64 = 170.0;
const TOP: f64 = 34.0;
const BOTTOM: f64 = 46.0;
/// Colours that stay apart for colour-blind readers (Okabe and Ito).
const COLOURS: [&str; 7] =
    ["#0072b2", "#d55e00", "#009e73", "#cc79a7", "#56b4e9", "#e69f00", "#333333"];

/// How a line is drawn.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Style {
    /// A full line.
    Full,
    /// A thin dashed line: the reference.
    Dashed,
    /// A dot at each point.
    Dots,
}

/// One axis.
#[derive(Clone, Copy, Debug)]
pub struct Axis {
    /// What it shows, with its unit.
    pub label: &'static str,
    /// Lowest value.
    pub min: f64,
    /// Highest value.
    pub max: f64,
    /// Values with a line and a number.
    pub ticks: &'static [f64],
    /// Whether it is logarithmic.
    pub log: bool,
}

impl Axis {
    fn share(&self, value: f64) -> f64 {
        if self.log {
            libm::log(value / self.min) / libm::log(self.max / self.min)
        } else {
            (value - self.min) / (self.max - self.min)
        }
    }
}

/// A plot that lines are added to.
#[derive(Clone, Debug)]
pub struct Plot {
    x: Axis,
    y: Axis,
    body: String,
    legend: String,
    entries: usize,
}

impl Plot {
    /// An empty plot.
    #[must_use]
    pub fn new(title: &str, x: Axis, y: Axis) -> Self {
        let mut plot = Self { x, y, body: String::new(), legend: String::new(), entries: 0 };
        plot.text(LEFT, 20.0, "start", &format!("<tspan font-weight=\"bold\">{title}</tspan>"));
        plot.text((LEFT + WIDTH - RIGHT) / 2.0, HEIGHT - 8.0, "middle", x.label);
        let middle = (TOP + HEIGHT - BOTTOM) / 2.0;
        // Writing to a String cannot fail.
        let _ = writeln!(
            plot.body,
            "<text x=\"14\" y=\"{middle}\" text-anchor=\"middle\" transform=\"rotate(-90 14 {middle})\">{}</text>",
            y.label
        );
        for tick in x.ticks {
            let at = plot.at_x(*tick);
            plot.rule(at, TOP, at, HEIGHT - BOTTOM);
            plot.text(at, HEIGHT - BOTTOM + 16.0, "middle", &number(*tick));
        }
        for tick in y.ticks {
            let at = plot.at_y(*tick);
            plot.rule(LEFT, at, WIDTH - RIGHT, at);
            plot.text(LEFT - 6.0, at + 4.0, "end", &number(*tick));
        }
        plot
    }

    fn at_x(&self, value: f64) -> f64 {
        LEFT + self.x.share(value) * (WIDTH - LEFT - RIGHT)
    }

    fn at_y(&self, value: f64) -> f64 {
        HEIGHT - BOTTOM - self.y.share(value) * (HEIGHT - TOP - BOTTOM)
    }

    fn text(&mut self, x: f64, y: f64, anchor: &str, text: &str) {
        let _ = writeln!(
            self.body,
            "<text x=\"{x:.1}\" y=\"{y:.1}\" text-anchor=\"{anchor}\">{text}</text>"
        );
    }

    fn rule(&mut self, x1: f64, y1: f64, x2: f64, y2: f64) {
        let _ = writeln!(
            self.body,
            "<line x1=\"{x1:.1}\" y1=\"{y1:.1}\" x2=\"{x2:.1}\" y2=\"{y2:.1}\" stroke=\"#ddd\"/>"
        );
    }

    /// Adds a line in colour `colour` (any number); a name puts it into the legend.
    pub fn line(
        &mut self,
        name: Option<&str>,
        colour: usize,
        style: Style,
        points: impl IntoIterator<Item = (f64, f64)>,
    ) {
        let colour = COLOURS[colour % COLOURS.len()];
        let (mut path, mut pen_down) = (String::new(), false);
        for (x, y) in points {
            if !(x >= self.x.min && x <= self.x.max && y >= self.y.min && y <= self.y.max) {
                pen_down = false;
                continue;
            }
            let (x, y) = (self.at_x(x), self.at_y(y));
            if style == Style::Dots {
                let _ = write!(
                    self.body,
                    "<circle cx=\"{x:.1}\" cy=\"{y:.1}\" r=\"2.6\" fill=\"{colour}\"/>"
                );
            } else {
                let _ = write!(path, "{}{x:.1} {y:.1}", if pen_down { "L" } else { "M" });
                pen_down = true;
            }
        }
        let stroke = stroke(style, colour);
        let _ = writeln!(self.body, "<path d=\"{path}\" fill=\"none\" {stroke}/>");
        if let Some(name) = name {
            self.name(name, style, colour);
        }
    }

    fn name(&mut self, name: &str, style: Style, colour: &str) {
        let (x, y) = (WIDTH - RIGHT + 10.0, TOP + 8.0 + 18.0 * self.entries as f64);
        let (end, middle, stroke) = (x + 18.0, x + 9.0, stroke(style, colour));
        let _ = if style == Style::Dots {
            writeln!(
                self.legend,
                "<circle cx=\"{middle}\" cy=\"{y}\" r=\"2.6\" fill=\"{colour}\"/>"
            )
        } else {
            writeln!(self.legend, "<path d=\"M{x} {y}L{end} {y}\" {stroke}/>")
        };
        let _ = writeln!(self.legend, "<text x=\"{}\" y=\"{}\">{name}</text>", end + 6.0, y + 4.0);
        self.entries += 1;
    }

    /// The finished drawing.
    #[must_use]
    pub fn svg(&self) -> String {
        format!(
            "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH} {HEIGHT}\" \
             font-family=\"sans-serif\" font-size=\"12\">\n<rect width=\"{WIDTH}\" height=\"{HEIGHT}\" \
             fill=\"#fff\"/>\n{}{}</svg>\n",
            self.body, self.legend
        )
    }
}

fn stroke(style: Style, colour: &str) -> String {
    match style {
        Style::Full => format!("stroke=\"{colour}\" stroke-width=\"2\""),
        Style::Dashed => "stroke=\"#000\" stroke-width=\"1\" stroke-dasharray=\"4 3\"".to_owned(),
        Style::Dots => "stroke=\"none\"".to_owned(),
    }
}

fn number(value: f64) -> String {
    if value.abs() >= 1000.0 { format!("{}k", value / 1000.0) } else { format!("{value}") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_stays_inside_the_axes_and_breaks_where_it_leaves_them() {
        let axis = Axis { label: "x", min: 0.0, max: 10.0, ticks: &[0.0, 10.0], log: false };
        let mut plot = Plot::new("t", axis, axis);
        plot.line(Some("a"), 0, Style::Full, [(0.0, 0.0), (5.0, 20.0), (10.0, 10.0)]);
        let svg = plot.svg();
        assert!(svg.contains("M62.0 334.0M590.0 34.0"), "{svg}");
        assert!(svg.ends_with("</svg>\n"));
    }
}
