//! Whom a move helped: the tracks whose partial loudness in the whole rose.

use crate::cost::mix_lufs;
use crate::picture::{Picture, through, transfer};
use crate::trial::Heard;
use std::collections::BTreeMap;
use topdown_analysis::masking::partial_loudness;
use topdown_dsp::math;
use topdown_session::{Session, StripId, StripKind};

/// A rise of less is not told.
const TOLD_FROM_LU: f64 = 0.1;
/// The model's loudness grows with energy to this power, so a ratio of loudness is this many dB:
/// 10 log10(ratio) / 0.3.
const LOUDNESS_EXPONENT: f64 = 0.3;

/// Tracks whose partial loudness rose by at least [`TOLD_FROM_LU`] at equal loudness of the mix, and by
/// how much, most first.
pub(crate) fn leverage(
    before: (&Session, &Heard),
    after: (&Session, &Heard),
) -> Vec<(StripId, f64)> {
    let louder = mix_lufs(after.1) - mix_lufs(before.1);
    let (was, is) = (loudness_of_tracks(before), loudness_of_tracks(after));
    let mut rises: Vec<(StripId, f64)> = is
        .into_iter()
        .filter_map(|(id, is)| {
            let was = *was.get(&id)?;
            let ratio = if was > 0.0 && is > 0.0 { is / was } else { 1.0 };
            let rise = 10.0 * math::log10(ratio) / LOUDNESS_EXPONENT - louder;
            let rise = crate::bands::hundredths(rise);
            (was > 0.0 && rise >= TOLD_FROM_LU).then_some((id, rise))
        })
        .collect();
    rises.sort_by(|a, b| {
        b.1.partial_cmp(&a.1).unwrap_or(std::cmp::Ordering::Equal).then_with(|| a.0.cmp(&b.0))
    });
    rises
}

/// Partial loudness of every track at the bus output, summed over excerpts. A track arrives as its output
/// times the gain of every strip on its way, the bus among them.
fn loudness_of_tracks((session, heard): (&Session, &Heard)) -> BTreeMap<StripId, f64> {
    let picture = Picture::of(session, heard);
    let mut sums = BTreeMap::new();
    for (excerpt, view) in heard.excerpts.iter().zip(&picture.views) {
        let gains: BTreeMap<&StripId, Vec<f32>> = session
            .strips
            .iter()
            .filter(|strip| strip.kind != StripKind::Track)
            .map(|strip| (&strip.id, transfer(excerpt, &strip.id)))
            .collect();
        for track in session.of_kind(StripKind::Track) {
            let Some(heard) = excerpt.strips.get(&track.id) else { continue };
            let mut part = (*heard.output).clone();
            let mut next = track.output.as_ref();
            // Validation refuses cycles; the count is for a session that was not validated.
            for _ in 0..session.strips.len() {
                let Some(id) = next else { break };
                if let Some(gain) = gains.get(id) {
                    part = through(&part, gain);
                }
                next = session.strip(id).and_then(|strip| strip.output.as_ref());
            }
            let loudness: f64 = partial_loudness(&part, &view.total).iter().sum();
            *sums.entry(track.id.clone()).or_insert(0.0) += loudness;
        }
    }
    sums
}
