//! `compare`: two sessions or files side by side, at matched loudness.

use crate::error::AppError;
use crate::hear;
use crate::library::Library;
use crate::progress::Context;
use crate::project::Project;
use crate::render::sound_of;
use serde::Serialize;
use std::fmt::Write;
use std::path::Path;
use topdown_analysis::{MixMeasurements, third_centre_hz};
use topdown_session::{MoveState, Session, Stage};

/// Two mixes, term by term. Spectra are relative to the whole, so loudness plays no part in them.
#[derive(Clone, Debug, Serialize)]
pub struct Compared {
    /// The first.
    pub a: Side,
    /// The second.
    pub b: Side,
    /// Level of each third of an octave relative to the whole: centre in Hz, second less first in dB.
    pub spectrum_difference_db: Vec<(f64, f64)>,
    /// Gain that brings the second to the loudness of the first.
    pub match_db: Option<f64>,
}

/// One mix.
#[derive(Clone, Debug, Serialize)]
pub struct Side {
    /// As it was named.
    pub path: String,
    /// Integrated loudness at the bus output, or of the file.
    pub integrated_lufs: Option<f64>,
    /// True peak.
    pub true_peak_dbtp: Option<f64>,
    /// Peak to loudness.
    pub plr_lu: Option<f64>,
    /// Stereo correlation.
    pub correlation: Option<f64>,
    /// What is lost in mono.
    pub mono_loss_db: Option<f64>,
    /// For sessions: what was decided.
    pub session: Option<Decided>,
}

/// What a session decided.
#[derive(Clone, Debug, Serialize)]
pub struct Decided {
    /// Cost by term when the last move was decided, with `total`.
    pub cost: std::collections::BTreeMap<String, f64>,
    /// Processors in all chains.
    pub processors: usize,
    /// Strips with a processor.
    pub strips_with_processors: usize,
    /// Kept moves by stage.
    pub moves: Vec<(Stage, usize)>,
}

/// Compares two sessions, or files, or one of each.
///
/// # Errors
/// What cannot be read or rendered, by name.
pub fn compare(a: &Path, b: &Path, context: &Context<'_>) -> Result<Compared, AppError> {
    let (side_a, sound_a) = side(a, context)?;
    let (side_b, sound_b) = side(b, context)?;
    let relative = |sound: &MixMeasurements| -> Vec<f64> {
        let total = topdown_units::power_to_db(sound.spectrum.total_power());
        sound.spectrum.thirds_db().iter().map(|db| db - total).collect()
    };
    let pairs = relative(&sound_a).into_iter().zip(relative(&sound_b)).enumerate();
    let spectrum_difference_db = pairs
        .filter(|(_, (a, b))| a.is_finite() && b.is_finite())
        .map(|(third, (a, b))| (third_centre_hz(third), b - a))
        .collect();
    let match_db = side_a.integrated_lufs.zip(side_b.integrated_lufs).map(|(a, b)| a - b);
    Ok(Compared { a: side_a, b: side_b, spectrum_difference_db, match_db })
}

fn side(path: &Path, context: &Context<'_>) -> Result<(Side, MixMeasurements), AppError> {
    let (sound, session) = if Project::is_session(path) {
        let project = Project::open(path)?;
        let (sound, _) = sound_of(&project.session, path, context)?;
        let cost = project.journal().iter().rev().map(|record| &record.evidence.cost_after);
        let cost = cost.into_iter().find(|cost| !cost.is_empty()).cloned().unwrap_or_default();
        (sound, Some(decided(&project.session, cost)))
    } else {
        (sound_of_file(path, context)?, None)
    };
    let whole = sound.stereo.as_ref().and_then(|stereo| stereo.whole.as_ref());
    let finite = |value: f64| value.is_finite().then_some(value);
    let side = Side {
        path: path.display().to_string(),
        integrated_lufs: finite(sound.summary.integrated_lufs),
        true_peak_dbtp: finite(sound.true_peak.dbtp),
        plr_lu: sound.dynamics.plr_lu,
        correlation: whole.map(|band| band.correlation),
        mono_loss_db: whole.map(|band| band.mono_loss_db),
        session,
    };
    Ok((side, sound))
}

fn sound_of_file(path: &Path, context: &Context<'_>) -> Result<MixMeasurements, AppError> {
    let nowhere = std::env::temp_dir().join(format!("topdown-compare-{}", std::process::id()));
    let heard = Library::scan(&[path.to_owned()], &nowhere, None, context)
        .and_then(|library| hear::hear(&library, context));
    let _ = std::fs::remove_dir_all(&nowhere);
    let first = heard?.into_iter().next();
    first.map(|track| track.sound).ok_or_else(|| AppError::NoAudio(path.to_owned()))
}

fn decided(session: &Session, cost: std::collections::BTreeMap<String, f64>) -> Decided {
    let stages = [
        Stage::Prep,
        Stage::Levels,
        Stage::Bus,
        Stage::Groups,
        Stage::Tracks,
        Stage::Recheck,
        Stage::Person,
    ];
    let kept = |stage| {
        session
            .moves
            .iter()
            .filter(|m| m.stage == stage && m.state == MoveState::Kept && m.on)
            .count()
    };
    Decided {
        cost,
        processors: session.strips.iter().map(|strip| strip.chain.len()).sum(),
        strips_with_processors: session
            .strips
            .iter()
            .filter(|strip| !strip.chain.is_empty())
            .count(),
        moves: stages.into_iter().map(|stage| (stage, kept(stage))).collect(),
    }
}

impl Compared {
    /// What a person reads.
    #[must_use]
    pub fn text(&self) -> String {
        let mut out = String::new();
        let _ = writeln!(out, "A: {}\nB: {}\n", self.a.path, self.b.path);
        let _ = writeln!(out, "{:<26}{:>10}{:>10}{:>10}", "", "A", "B", "B - A");
        let mut row = |name: &str, a: Option<f64>, b: Option<f64>, digits: usize| {
            let show = |v: Option<f64>| v.map_or("-".to_owned(), |v| format!("{v:.digits$}"));
            let difference = a.zip(b).map(|(a, b)| b - a);
            let _ =
                writeln!(out, "{name:<26}{:>10}{:>10}{:>10}", show(a), show(b), show(difference));
        };
        let (a, b) = (&self.a, &self.b);
        row("loudness, LUFS", a.integrated_lufs, b.integrated_lufs, 1);
        row("true peak, dBTP", a.true_peak_dbtp, b.true_peak_dbtp, 1);
        row("peak to loudness, LU", a.plr_lu, b.plr_lu, 1);
        row("correlation", a.correlation, b.correlation, 2);
        row("lost in mono, dB", a.mono_loss_db, b.mono_loss_db, 1);
        if let (Some(a), Some(b)) = (&a.session, &b.session) {
            for (name, cost) in &a.cost {
                row(&format!("cost: {name}"), Some(*cost), b.cost.get(name).copied(), 3);
            }
            row("processors", Some(a.processors as f64), Some(b.processors as f64), 0);
            let strips = (a.strips_with_processors as f64, b.strips_with_processors as f64);
            row("strips with processors", Some(strips.0), Some(strips.1), 0);
            for ((stage, a), (_, b)) in a.moves.iter().zip(&b.moves) {
                let name = format!("moves: {}", topdown_session::moves::stage_name(*stage));
                row(&name, Some(*a as f64), Some(*b as f64), 0);
            }
        }
        let _ = writeln!(out, "\nspectrum, B - A at the same loudness:");
        for (hz, db) in self.spectrum_difference_db.iter().filter(|(_, db)| db.abs() >= 0.5) {
            let _ = writeln!(out, "  {hz:>7.0} Hz {db:+6.1} dB");
        }
        if let Some(db) = self.match_db {
            let _ = writeln!(out, "\nto hear them at the same loudness, turn B by {db:+.1} dB");
        }
        out
    }
}
