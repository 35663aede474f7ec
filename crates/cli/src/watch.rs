//! Progress on a terminal: one bar that names the phase. Silent when piped, with `--quiet` and `--json`.

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use std::io::IsTerminal;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use topdown_app::Progress;

/// Shows what the use cases tell, and passes Ctrl-C on to them.
pub(crate) struct Watch {
    bar: ProgressBar,
    stop: Arc<AtomicBool>,
}

impl Watch {
    pub(crate) fn new(silent: bool) -> Self {
        let bar = ProgressBar::new(1);
        if silent || !std::io::stderr().is_terminal() {
            bar.set_draw_target(ProgressDrawTarget::hidden());
        }
        let stop = Arc::new(AtomicBool::new(false));
        let flag = Arc::clone(&stop);
        // A second signal ends the program at once; what is on disk is whole either way.
        let handler = move || {
            if flag.swap(true, Ordering::SeqCst) {
                std::process::exit(130);
            }
        };
        if let Err(error) = ctrlc::set_handler(handler) {
            tracing::debug!("no signal handler: {error}");
        }
        Self { bar, stop }
    }

    pub(crate) fn done(&self) {
        self.bar.finish_and_clear();
    }
}

impl Progress for Watch {
    fn phase(&self, name: &str, total: Option<u64>) {
        let template = if total.is_some() {
            "{msg:<24} {bar:32} {percent:>3} %"
        } else {
            "{msg:<24} {spinner}"
        };
        if let Ok(style) = ProgressStyle::with_template(template) {
            self.bar.set_style(style.progress_chars("=> "));
        }
        self.bar.set_length(total.unwrap_or(1));
        self.bar.set_position(0);
        self.bar.set_message(name.to_owned());
    }

    fn advance(&self, done: u64) {
        self.bar.set_position(done);
    }

    fn say(&self, text: &str) {
        self.bar.println(text);
    }

    fn cancelled(&self) -> bool {
        self.stop.load(Ordering::SeqCst)
    }
}
