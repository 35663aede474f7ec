//! Thresholds by measurement: the threshold at which a compressor's mean gain reduction over an excerpt is
//! what was aimed at, found on the real signal through the real processor.
//!
//! Reduction falls as the threshold rises, so the root is bracketed and closed in on by the secant rule,
//! held inside the bracket. The drive is measured once: what a compressor does cannot change its own input.

use crate::bands::hundredths;
use crate::desk::Desk;
use crate::run::DecideError;
use crate::trial::Heard;
use topdown_session::{Edit, ProcessorId, Session, StripId};

/// Near enough.
pub(crate) const TOLERANCE_DB: f64 = 0.1;
const MOST_STEPS: usize = 7;
const LONGEST_STEP_DB: f64 = 12.0;
/// Mean reduction per dB of threshold, as a share of the static slope, before anything was heard.
const FIRST_SLOPE_SHARE: f64 = 0.6;
/// Drive assumed until it has been heard.
const UNHEARD_DRIVE_LUFS: f64 = -23.0;

/// One compressor to solve.
pub(crate) struct Aim {
    pub(crate) at: (StripId, ProcessorId),
    pub(crate) excerpt: usize,
    pub(crate) target_db: f64,
    pub(crate) ratio: f64,
    /// Effective threshold to start from, dBFS.
    pub(crate) start_db: f64,
    /// The edits that set (threshold relative to the drive, drive).
    pub(crate) edits: Box<dyn Fn(f64, f64) -> Vec<Edit>>,
}

/// A solved compressor.
pub(crate) struct Solved {
    pub(crate) edits: Vec<Edit>,
    pub(crate) session: Session,
    pub(crate) heard: Heard,
    pub(crate) reduction_db: f64,
}

struct Search {
    aim: Aim,
    drive_lufs: Option<f64>,
    threshold_db: f64,
    /// Thresholds known to reduce too much and too little, with their reductions.
    too_much: Option<(f64, f64)>,
    too_little: Option<(f64, f64)>,
    best: Option<Solved>,
    done: bool,
}

/// Solves all aims, each against the session as it stands. `None` where no threshold was found.
pub(crate) fn solve(
    desk: &mut Desk<'_>,
    aims: Vec<Aim>,
) -> Result<Vec<Option<Solved>>, DecideError> {
    let mut searches: Vec<Search> = aims.into_iter().map(Search::new).collect();
    for _ in 0..MOST_STEPS {
        let mut tries = Vec::new();
        for (index, search) in searches.iter_mut().enumerate().filter(|(_, s)| !s.done) {
            let mut edits = search.edits();
            match desk.with(&mut edits) {
                Some(session) => tries.push((index, edits, session)),
                None => search.done = true,
            }
        }
        if tries.is_empty() {
            break;
        }
        let sessions: Vec<&Session> = tries.iter().map(|(_, _, session)| session).collect();
        let heard = desk.hear(&sessions)?;
        for ((index, edits, session), heard) in tries.into_iter().zip(heard) {
            if let Some(search) = searches.get_mut(index) {
                search.learn(edits, session, heard);
            }
        }
    }
    let near =
        |solved: &Solved, target: f64| (solved.reduction_db - target).abs() <= 2.5 * TOLERANCE_DB;
    Ok(searches
        .into_iter()
        .map(|search| {
            let target = search.aim.target_db;
            search.best.filter(|solved| near(solved, target))
        })
        .collect())
}

impl Search {
    fn new(aim: Aim) -> Self {
        let threshold_db = aim.start_db;
        let (too_much, too_little) = (None, None);
        Self { aim, drive_lufs: None, threshold_db, too_much, too_little, best: None, done: false }
    }

    fn edits(&self) -> Vec<Edit> {
        let drive = hundredths(self.drive_lufs.unwrap_or(UNHEARD_DRIVE_LUFS));
        (self.aim.edits)(hundredths(self.threshold_db - drive), drive)
    }

    fn learn(&mut self, edits: Vec<Edit>, session: Session, heard: Heard) {
        let reduction = Desk::reduction(&heard, self.aim.excerpt, &self.aim.at);
        let drive = heard.drive_lufs.get(&self.aim.at).copied();
        let (Some(reduction_db), Some(drive)) = (reduction, drive) else {
            self.done = true;
            return;
        };
        let first = self.drive_lufs.replace(drive).is_none();
        let error = reduction_db - self.aim.target_db;
        // The first answer stands on a drive that was assumed: it is never the last.
        let better = |best: &Solved| error.abs() < (best.reduction_db - self.aim.target_db).abs();
        if !first && self.best.as_ref().is_none_or(better) {
            self.best = Some(Solved { edits, session, heard, reduction_db });
        }
        if error.abs() <= TOLERANCE_DB && !first {
            self.done = true;
            return;
        }
        if error.abs() > TOLERANCE_DB {
            self.step(reduction_db, error);
        }
    }

    fn step(&mut self, reduction_db: f64, error: f64) {
        let here = Some((self.threshold_db, reduction_db));
        if error > 0.0 {
            self.too_much = here;
        } else {
            self.too_little = here;
        }
        let slope = 1.0 - 1.0 / self.aim.ratio;
        let next = match (self.too_much, self.too_little) {
            (Some((low, much)), Some((high, little))) => {
                let share = (much - self.aim.target_db) / (much - little).max(1e-9);
                low + (high - low) * share.clamp(0.1, 0.9)
            }
            _ => {
                let step = error / (slope * FIRST_SLOPE_SHARE).max(0.05);
                self.threshold_db + step.clamp(-LONGEST_STEP_DB, LONGEST_STEP_DB)
            }
        };
        self.threshold_db = hundredths(next);
    }
}
