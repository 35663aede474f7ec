//! How long work tells what it is doing, and learns that it should stop.

/// Told by the use cases while they work, possibly from several threads. Everything has a default, so
/// `&()` is a progress that nobody watches.
pub trait Progress: Sync {
    /// A part of the work begins; `total` steps if that is known.
    fn phase(&self, name: &str, total: Option<u64>) {
        let _ = (name, total);
    }

    /// So many steps of the phase are done.
    fn advance(&self, done: u64) {
        let _ = done;
    }

    /// Something worth a line: a move was decided, a file needs care.
    fn say(&self, text: &str) {
        let _ = text;
    }

    /// Whether somebody asked to stop. Asked often.
    fn cancelled(&self) -> bool {
        false
    }
}

impl Progress for () {}

/// What every use case gets.
#[derive(Clone, Copy)]
pub struct Context<'a> {
    /// Who watches.
    pub progress: &'a dyn Progress,
    /// Worker threads, at least 1. No result depends on it.
    pub threads: usize,
}

impl std::fmt::Debug for Context<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Context").field("threads", &self.threads).finish_non_exhaustive()
    }
}

impl<'a> Context<'a> {
    /// All cores, watched by `progress`.
    #[must_use]
    pub fn new(progress: &'a dyn Progress) -> Self {
        let threads = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
        Self { progress, threads }
    }
}
