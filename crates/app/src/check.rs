//! `check`: measures a file, a folder or a session, and says in plain words what is wrong.

use crate::error::AppError;
use crate::hear;
use crate::library::Library;
use crate::progress::Context;
use crate::project::Project;
use crate::render::sound_of;
use serde::Serialize;
use std::fmt::Write;
use std::path::Path;
use topdown_analysis::{MixMeasurements, TimeSpan};
use topdown_report::text::minutes;

/// Louder than this between the samples, converters and encoders may clip.
const HOT_DBTP: f64 = -1.0;
/// A mean this far from zero costs headroom and thumps at edits.
const DC_MIN: f64 = 0.001;
/// Below this a mix loses its width, and part of itself, in mono.
const CORRELATION_MIN: f64 = 0.0;
/// More than this lost in mono is heard.
const MONO_LOSS_MAX_DB: f64 = 3.0;
/// Channels further apart than this lean to one side.
const IMBALANCE_MAX_DB: f64 = 2.0;
/// Less peak over loudness than this in the loudest part sounds flat.
const PSR_MIN_LU: f64 = 8.0;
/// Quieter than this, noise and rounding come near the music.
const QUIET_LUFS: f64 = -45.0;

/// What was found.
#[derive(Clone, Debug, Serialize)]
pub struct Checked {
    /// What was asked for.
    pub path: String,
    /// One entry a file, track, or the mix of a session.
    pub items: Vec<Item>,
    /// What concerns the whole.
    pub warnings: Vec<String>,
}

/// One thing measured.
#[derive(Clone, Debug, Serialize)]
pub struct Item {
    /// Its name.
    pub name: String,
    /// Length.
    pub duration_s: f64,
    /// Rate at which it was measured.
    pub sample_rate_hz: u32,
    /// 1 or 2.
    pub channels: usize,
    /// Integrated loudness; `None` if silent.
    pub integrated_lufs: Option<f64>,
    /// Loudness range; `None` under a minute.
    pub range_lu: Option<f64>,
    /// True peak; `None` if silent.
    pub true_peak_dbtp: Option<f64>,
    /// True peak by the filter printed in BS.1770.
    pub true_peak_itu_dbtp: Option<f64>,
    /// Highest sample.
    pub sample_peak_dbfs: Option<f64>,
    /// Peak to loudness.
    pub plr_lu: Option<f64>,
    /// Lowest peak to short-term loudness in the loud parts.
    pub psr_min_lu: Option<f64>,
    /// Stereo correlation.
    pub correlation: Option<f64>,
    /// What is lost in mono.
    pub mono_loss_db: Option<f64>,
    /// What is wrong, in plain words with times. Empty is good.
    pub faults: Vec<String>,
}

/// Checks a session, a folder of tracks, or a file.
///
/// # Errors
/// What cannot be read or decoded, by name.
pub fn check(path: &Path, context: &Context<'_>) -> Result<Checked, AppError> {
    let shown = path.display().to_string();
    if Project::is_session(path) {
        let project = Project::open(path)?;
        let (measured, warnings) = sound_of(&project.session, path, context)?;
        let name = format!("mix bus of {}", project.session.name);
        let item = item(name, &measured, true);
        return Ok(Checked { path: shown, items: vec![item], warnings });
    }
    let nowhere = std::env::temp_dir().join(format!("topdown-check-{}", std::process::id()));
    let result = check_files(path, &nowhere, context);
    let _ = std::fs::remove_dir_all(&nowhere);
    let (items, warnings) = result?;
    Ok(Checked { path: shown, items, warnings })
}

fn check_files(
    path: &Path,
    cache: &Path,
    context: &Context<'_>,
) -> Result<(Vec<Item>, Vec<String>), AppError> {
    let library = Library::scan(&[path.to_owned()], cache, None, context)?;
    let heard = hear::hear(&library, context)?;
    // A lone stereo file is taken for a mix, a folder for tracks: mono and bare peaks are no faults there.
    let is_mix = path.is_file();
    let items = library
        .recordings
        .iter()
        .zip(&heard)
        .map(|(recording, heard)| item(recording.name.clone(), &heard.sound, is_mix))
        .collect();
    Ok((items, library.warnings))
}

fn item(name: String, sound: &MixMeasurements, is_mix: bool) -> Item {
    let whole = sound.stereo.as_ref().and_then(|stereo| stereo.whole.as_ref());
    let finite = |value: f64| value.is_finite().then_some(value);
    Item {
        name,
        duration_s: sound.duration_s,
        sample_rate_hz: sound.rate_hz,
        channels: sound.channels,
        integrated_lufs: finite(sound.summary.integrated_lufs),
        range_lu: (sound.duration_s >= 60.0).then_some(sound.summary.range_lu),
        true_peak_dbtp: finite(sound.true_peak.dbtp),
        true_peak_itu_dbtp: finite(sound.itu_dbtp),
        sample_peak_dbfs: finite(sound.levels.sample_peak_dbfs),
        plr_lu: sound.dynamics.plr_lu,
        psr_min_lu: sound.dynamics.psr_min_lu,
        correlation: whole.map(|band| band.correlation),
        mono_loss_db: whole.map(|band| band.mono_loss_db),
        faults: faults(sound, is_mix),
    }
}

/// What is wrong, the worst first.
fn faults(sound: &MixMeasurements, is_mix: bool) -> Vec<String> {
    let mut faults = Vec::new();
    let levels = &sound.levels;
    if !levels.sample_peak_dbfs.is_finite() {
        return vec!["silent from start to end".to_owned()];
    }
    if sound.broken_samples > 0 {
        faults
            .push(format!("{} samples are no numbers; they play as silence", sound.broken_samples));
    }
    if levels.clipped_runs > 0 {
        let places = places(&levels.clipped_spans);
        faults.push(format!("clips {} times ({places})", levels.clipped_runs));
    }
    let dc = levels.dc.iter().copied().max_by(|a, b| a.abs().total_cmp(&b.abs()));
    if let Some(dc) = dc.filter(|dc| dc.abs() >= DC_MIN) {
        faults.push(format!("carries a constant offset of {:.1} % of full scale", dc * 100.0));
    }
    if sound.summary.integrated_lufs < QUIET_LUFS {
        faults.push(format!("very quiet ({:.1} LUFS)", sound.summary.integrated_lufs));
    }
    faults.extend(stereo_faults(sound));
    if is_mix {
        faults.extend(mix_faults(sound));
    }
    faults
}

fn stereo_faults(sound: &MixMeasurements) -> Vec<String> {
    let Some(whole) = sound.stereo.as_ref().and_then(|stereo| stereo.whole.as_ref()) else {
        return Vec::new();
    };
    let mut faults = Vec::new();
    if whole.correlation < CORRELATION_MIN {
        faults.push(format!(
            "the channels work against each other (correlation {:.2}): one may be inverted",
            whole.correlation
        ));
    } else if whole.mono_loss_db > MONO_LOSS_MAX_DB {
        faults.push(format!("loses {:.1} dB in mono", whole.mono_loss_db));
    }
    if whole.imbalance_db.abs() > IMBALANCE_MAX_DB {
        let side = if whole.imbalance_db > 0.0 { "left" } else { "right" };
        faults.push(format!("leans to the {side} by {:.1} dB", whole.imbalance_db.abs()));
    }
    faults
}

fn mix_faults(sound: &MixMeasurements) -> Vec<String> {
    let mut faults = Vec::new();
    let peak = sound.true_peak.dbtp;
    if peak > HOT_DBTP {
        faults.push(format!(
            "true peak {peak:+.1} dBTP: above {HOT_DBTP:.0} dBTP encoders may clip; turn it down by {:.1} dB",
            peak - HOT_DBTP
        ));
    }
    let lowest = sound.dynamics.psr_min_lu.zip(sound.dynamics.psr_min_at_s);
    if let Some((psr, at_s)) = lowest.filter(|(psr, _)| *psr < PSR_MIN_LU) {
        faults.push(format!(
            "limited hard: {psr:.1} LU from loudness to peak at {} (under {PSR_MIN_LU:.0} sounds flat)",
            minutes(at_s)
        ));
    }
    faults
}

/// The first few places, as times.
fn places(spans: &[TimeSpan]) -> String {
    const SHOWN: usize = 4;
    let mut text: Vec<String> =
        spans.iter().take(SHOWN).map(|span| format!("{:.2} s", span.start_s)).collect();
    if spans.len() > SHOWN {
        text.push("...".to_owned());
    }
    format!("at {}", text.join(", "))
}

impl Checked {
    /// What a person reads.
    #[must_use]
    pub fn text(&self) -> String {
        let mut out = String::new();
        for item in &self.items {
            one(&mut out, item);
        }
        for warning in &self.warnings {
            let _ = writeln!(out, "! {warning}");
        }
        out
    }
}

fn one(out: &mut String, item: &Item) {
    let kind = if item.channels == 1 { "mono" } else { "stereo" };
    let _ = writeln!(
        out,
        "{}: {}, {} Hz, {kind}",
        item.name,
        minutes(item.duration_s),
        item.sample_rate_hz
    );
    let mut figures = Vec::new();
    let mut add = |value: Option<f64>, name: &str, unit: &str| {
        if let Some(value) = value {
            figures.push(format!("{name} {value:.1}{unit}"));
        }
    };
    add(item.integrated_lufs, "loudness", " LUFS");
    add(item.range_lu, "range", " LU");
    add(item.true_peak_dbtp, "true peak", " dBTP");
    add(item.plr_lu, "PLR", " LU");
    add(item.psr_min_lu, "lowest PSR", " LU");
    add(item.mono_loss_db, "mono loss", " dB");
    if let Some(correlation) = item.correlation {
        figures.push(format!("correlation {correlation:.2}"));
    }
    if !figures.is_empty() {
        let _ = writeln!(out, "  {}", figures.join(", "));
    }
    if item.faults.is_empty() {
        let _ = writeln!(out, "  nothing wrong was found");
    }
    for fault in &item.faults {
        let _ = writeln!(out, "  ! {fault}");
    }
}
