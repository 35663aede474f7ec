//! Text on its two ways out: results to standard output, everything else to standard error.

use miette::{Diagnostic, GraphicalReportHandler, GraphicalTheme};
use std::fmt;
use std::io::{IsTerminal, Write};
use topdown_app::AppError;

/// Why a command failed, for the terminal.
#[derive(Debug)]
pub(crate) enum Failure {
    /// From a use case.
    App(AppError),
    /// From here: what was typed, or standard output.
    Here {
        /// What is wrong.
        text: String,
        /// What to do.
        help: Option<String>,
    },
}

impl Failure {
    pub(crate) fn here(text: impl Into<String>, help: impl Into<String>) -> Self {
        Self::Here { text: text.into(), help: Some(help.into()) }
    }

    pub(crate) fn is_stop(&self) -> bool {
        matches!(self, Self::App(error) if error.is_cancelled())
    }
}

impl From<AppError> for Failure {
    fn from(error: AppError) -> Self {
        Self::App(error)
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::App(error) => error.fmt(f),
            Self::Here { text, .. } => f.write_str(text),
        }
    }
}

impl std::error::Error for Failure {}

impl Diagnostic for Failure {
    fn help<'a>(&'a self) -> Option<Box<dyn fmt::Display + 'a>> {
        match self {
            Self::App(error) => error.help().map(|help| Box::new(help) as Box<dyn fmt::Display>),
            Self::Here { help, .. } => {
                help.as_ref().map(|help| Box::new(help) as Box<dyn fmt::Display>)
            }
        }
    }
}

/// One line on standard error.
pub(crate) fn complain(text: &str) {
    let _ = writeln!(std::io::stderr(), "topdown: {text}");
}

/// An error with its help on standard error; never wrapped, so that names of files stay whole.
#[expect(clippy::needless_pass_by_value, reason = "an error ends here")]
pub(crate) fn report(error: Failure) {
    let theme = if std::io::stderr().is_terminal() {
        GraphicalTheme::unicode()
    } else {
        GraphicalTheme::none()
    };
    let handler = GraphicalReportHandler::new_themed(theme).with_width(100_000);
    let mut text = String::new();
    if handler.render_report(&mut text, &error).is_err() {
        text = error.to_string();
    }
    let _ = writeln!(std::io::stderr(), "{}", text.trim_end());
}

/// A result on standard output. A closed pipe (`| head`) is no failure of ours.
pub(crate) fn result(text: &str) -> Result<(), Failure> {
    let mut out = std::io::stdout().lock();
    let written = out.write_all(text.as_bytes()).and_then(|()| out.flush());
    match written {
        Err(error) if error.kind() != std::io::ErrorKind::BrokenPipe => {
            Err(Failure::Here { text: format!("standard output: {error}"), help: None })
        }
        _ => Ok(()),
    }
}

/// A result as JSON on standard output.
pub(crate) fn json<T: serde::Serialize>(value: &T) -> Result<(), Failure> {
    let text = serde_json::to_string_pretty(value)
        .map_err(|error| Failure::Here { text: format!("JSON: {error}"), help: None })?;
    result(&format!("{text}\n"))
}
