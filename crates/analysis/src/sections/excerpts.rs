//! Which parts of a song stand for the whole of it.
//!
//! Trials cannot listen to everything, so they listen to at most four parts of 7 to 10 s: where the song is
//! loudest (the bus works hardest), a typical part with the lead, where most tracks play at once (masking is
//! worst) and the quietest part with the lead (where it lies most open).
//!
//! Everything is judged on slots of half a second, from the K-weighted energies of the tracks as they are;
//! tracks are added as energies. A track plays in a slot if it is within [`ACTIVE_RANGE_DB`] of its own loud
//! slots (95th percentile) and above the absolute gate. Windows slide slot by slot; of equals the earliest wins.

use super::{Slots, TrackEnergies, percentile};
use crate::TimeSpan;
use serde::{Deserialize, Serialize};
use topdown_units::power_to_db;

/// What an excerpt stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ExcerptKind {
    /// Where the song is loudest.
    Loudest,
    /// A part like most of the song, with the lead if there is one.
    Typical,
    /// Where most tracks play at once.
    Densest,
    /// The quietest part in which the lead plays.
    QuietLead,
}

impl ExcerptKind {
    /// All kinds, in the order of excerpts.
    pub const ALL: [ExcerptKind; 4] =
        [Self::Loudest, Self::Typical, Self::Densest, Self::QuietLead];
}

/// A part of the song and what it stands for.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Excerpt {
    /// Everything it stands for; never empty.
    pub kinds: Vec<ExcerptKind>,
    /// Where it is, in seconds of the song.
    pub span: TimeSpan,
}

/// Length of the loudest excerpt; a song no longer than this is heard whole.
pub const LOUDEST_S: f64 = 10.0;
/// Length of the others.
pub const OTHERS_S: f64 = 8.0;
/// How far below its own loud parts a track still plays.
pub const ACTIVE_RANGE_DB: f64 = 30.0;
/// The song begins and ends where it is no more than this below its loudest slot.
const SONG_RANGE_DB: f64 = 50.0;
/// Two excerpts that share more than this part of the shorter one are one excerpt.
const SAME_OVERLAP: f64 = 0.5;
/// The lead plays in a window if it plays in this share of its slots.
const LEAD_SHARE: f64 = 0.6;
/// What a window without the lead would have to be quieter to be preferred; between, in proportion.
const LEAD_GAPS_DB: f64 = 10.0;
/// One unit of distance between a window and the typical level.
const TYPICAL_LEVEL_DB: f64 = 3.0;
/// Without a lead, a part further than this below the loudest is a break, not a quiet part.
const QUIET_RANGE_DB: f64 = 20.0;

/// Picks the excerpts of a song, sorted by the first thing they stand for. Empty if the song is silent.
#[must_use]
pub fn pick(tracks: &[TrackEnergies<'_>], hop_s: f64) -> Vec<Excerpt> {
    let slots = Slots::new(tracks, hop_s);
    let Some((first, last)) = slots.song_range(SONG_RANGE_DB) else { return Vec::new() };
    let length_s = (last - first) as f64 * slots.slot_s;
    if length_s <= LOUDEST_S {
        let span = slots.span(first, last);
        return vec![Excerpt { kinds: ExcerptKind::ALL.to_vec(), span }];
    }
    let song = Windows { slots: &slots, first, last, active: slots.active(ACTIVE_RANGE_DB) };
    let mut excerpts: Vec<Excerpt> = Vec::new();
    for kind in ExcerptKind::ALL {
        let (start, end) = song.best(kind);
        add(&mut excerpts, kind, slots.span(start, end));
    }
    excerpts
}

/// Adds a part, or lets one that is nearly the same stand for this too.
fn add(excerpts: &mut Vec<Excerpt>, kind: ExcerptKind, span: TimeSpan) {
    for known in excerpts.iter_mut() {
        let shared = span.end_s.min(known.span.end_s) - span.start_s.max(known.span.start_s);
        if shared > SAME_OVERLAP * span.length_s().min(known.span.length_s()) {
            known.kinds.push(kind);
            return;
        }
    }
    excerpts.push(Excerpt { kinds: vec![kind], span });
}

/// The windows of a song that excerpts are chosen from.
struct Windows<'a> {
    slots: &'a Slots,
    first: usize,
    last: usize,
    /// For each track, whether it plays in each slot.
    active: Vec<Vec<bool>>,
}

/// What is heard in one window.
struct Window {
    start: usize,
    level_db: f64,
    /// For each track, the share of slots in which it plays.
    playing: Vec<f64>,
    lead: f64,
}

impl Windows<'_> {
    fn of_length(&self, seconds: f64) -> (usize, Vec<Window>) {
        let len = ((seconds / self.slots.slot_s).round() as usize).clamp(1, self.last - self.first);
        let windows = (self.first..=self.last - len).map(|start| self.window(start, len)).collect();
        (len, windows)
    }

    fn window(&self, start: usize, len: usize) -> Window {
        let range = start..start + len;
        let share = |plays: &Vec<bool>| {
            plays[range.clone()].iter().filter(|&&p| p).count() as f64 / len as f64
        };
        let energy: f64 = self.slots.total[range.clone()].iter().sum::<f64>() / len as f64;
        let lead_slots = range
            .clone()
            .filter(|&s| self.active.iter().zip(&self.slots.is_lead).any(|(a, &l)| l && a[s]))
            .count();
        Window {
            start,
            level_db: power_to_db(energy),
            playing: self.active.iter().map(share).collect(),
            lead: lead_slots as f64 / len as f64,
        }
    }

    fn best(&self, kind: ExcerptKind) -> (usize, usize) {
        let loudest = kind == ExcerptKind::Loudest;
        let (len, all) = self.of_length(if loudest { LOUDEST_S } else { OTHERS_S });
        let cost: Vec<f64> = match kind {
            ExcerptKind::Loudest => all.iter().map(|w| -w.level_db).collect(),
            ExcerptKind::Typical => typical_cost(&all),
            ExcerptKind::Densest => {
                // of equally dense parts the loudest: a dB counts a hundredth of a track
                all.iter().map(|w| -w.playing.iter().sum::<f64>() - 0.01 * w.level_db).collect()
            }
            ExcerptKind::QuietLead => quiet_cost(&all),
        };
        let best = cost
            .iter()
            .enumerate()
            .min_by(|a, b| a.1.total_cmp(b.1).then(a.0.cmp(&b.0)))
            .map_or(0, |(i, _)| i);
        let start = all.get(best).map_or(self.first, |w| w.start);
        (start, start + len)
    }
}

/// Distance from what is usual: the median level and the tracks that usually play, where the lead sings.
fn typical_cost(all: &[Window]) -> Vec<f64> {
    let sung = all.iter().any(|w| w.lead >= LEAD_SHARE);
    let usual: Vec<&Window> = all.iter().filter(|w| !sung || w.lead >= LEAD_SHARE).collect();
    let median = |values: Vec<f64>| percentile(values, 0.5);
    let level_db = median(usual.iter().map(|w| w.level_db).collect());
    let tracks = all.first().map_or(0, |w| w.playing.len());
    let playing: Vec<f64> =
        (0..tracks).map(|t| median(usual.iter().map(|w| w.playing[t]).collect())).collect();
    all.iter()
        .map(|w| {
            let others: f64 = w.playing.iter().zip(&playing).map(|(a, b)| (a - b).abs()).sum();
            let silent_lead = if sung && w.lead < LEAD_SHARE { 100.0 } else { 0.0 };
            (w.level_db - level_db).abs() / TYPICAL_LEVEL_DB
                + others / tracks.max(1) as f64
                + silent_lead
        })
        .collect()
}

fn quiet_cost(all: &[Window]) -> Vec<f64> {
    let loudest_db = all.iter().map(|w| w.level_db).fold(f64::NEG_INFINITY, f64::max);
    let sung = all.iter().any(|w| w.lead >= LEAD_SHARE);
    all.iter()
        .map(|w| {
            let counts =
                if sung { w.lead >= LEAD_SHARE } else { w.level_db > loudest_db - QUIET_RANGE_DB };
            let gaps_db = if sung { LEAD_GAPS_DB * (1.0 - w.lead) } else { 0.0 };
            if counts { w.level_db + gaps_db } else { w.level_db.max(-200.0) + 1000.0 }
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOP_S: f64 = 0.01;

    /// A track of the given levels (dB) for stretches of so many seconds.
    fn track(parts: &[(f64, f64)]) -> Vec<f32> {
        let hops = |(seconds, db): &(f64, f64)| {
            vec![topdown_units::db_to_power(*db) as f32; (seconds / HOP_S).round() as usize]
        };
        parts.iter().flat_map(hops).collect()
    }

    fn energies<'a>(hop_energy: &'a [f32], is_lead: bool) -> TrackEnergies<'a> {
        TrackEnergies { hop_energy, start_hop: 0, is_lead }
    }

    fn find(excerpts: &[Excerpt], kind: ExcerptKind) -> TimeSpan {
        excerpts.iter().find(|e| e.kinds.contains(&kind)).unwrap().span
    }

    /// 80 s: intro, verse with lead, loud chorus with everything, quiet bridge with the lead, outro.
    fn song() -> [Vec<f32>; 3] {
        [
            track(&[(10.0, -30.0), (30.0, -24.0), (20.0, -14.0), (10.0, -45.0), (10.0, -30.0)]),
            track(&[(10.0, -90.0), (30.0, -22.0), (20.0, -18.0), (10.0, -26.0), (10.0, -90.0)]),
            track(&[(40.0, -90.0), (15.0, -16.0), (25.0, -90.0)]),
        ]
    }

    #[test]
    fn each_excerpt_is_where_it_should_be() {
        let [band, lead, extra] = song();
        let tracks = [energies(&band, false), energies(&lead, true), energies(&extra, false)];
        let excerpts = pick(&tracks, HOP_S);
        let loudest = find(&excerpts, ExcerptKind::Loudest);
        assert!(loudest.start_s >= 40.0 && loudest.end_s <= 55.0, "{loudest:?}");
        assert_eq!(loudest.length_s(), LOUDEST_S);
        let densest = find(&excerpts, ExcerptKind::Densest);
        assert!(densest.start_s >= 40.0 && densest.end_s <= 55.0, "{densest:?}");
        let typical = find(&excerpts, ExcerptKind::Typical);
        assert!(typical.start_s >= 10.0 && typical.end_s <= 40.0, "{typical:?}");
        let quiet = find(&excerpts, ExcerptKind::QuietLead);
        assert!(quiet.start_s >= 60.0 && quiet.end_s <= 70.0, "{quiet:?}");
    }

    #[test]
    fn a_short_song_is_heard_whole_and_silence_not_at_all() {
        let nine = track(&[(0.5, -120.0), (8.0, -20.0), (0.5, -120.0)]);
        let excerpts = pick(&[energies(&nine, false)], HOP_S);
        assert_eq!(excerpts.len(), 1);
        assert_eq!(excerpts[0].kinds, ExcerptKind::ALL);
        assert_eq!(excerpts[0].span, TimeSpan { start_s: 0.5, end_s: 8.5 });
        assert!(pick(&[energies(&[0.0; 5000], false)], HOP_S).is_empty());
        assert!(pick(&[], HOP_S).is_empty());
        assert!(pick(&[energies(&[], true)], HOP_S).is_empty());
    }

    #[test]
    fn there_are_never_more_than_four_and_all_lie_inside_the_song() {
        for seconds in [10.5, 12.0, 17.3, 31.0, 64.2] {
            let part = seconds / 3.0;
            let a = track(&[(part, -30.0), (part, -20.0), (part, -26.0)]);
            let b = track(&[(part, -90.0), (part, -24.0), (part, -22.0)]);
            let excerpts = pick(&[energies(&a, false), energies(&b, true)], HOP_S);
            let kinds: Vec<_> = excerpts.iter().flat_map(|e| e.kinds.clone()).collect();
            assert_eq!(kinds.len(), 4, "each kind once");
            for excerpt in &excerpts {
                let length = excerpt.span.length_s();
                assert!((7.0..=10.0).contains(&length), "{length} of {seconds}");
                assert!(excerpt.span.end_s <= seconds + 0.5, "{excerpt:?} of {seconds}");
            }
        }
    }

    #[test]
    fn a_track_that_starts_later_is_heard_where_it_plays() {
        let band = track(&[(60.0, -30.0)]);
        let loud = track(&[(12.0, -10.0)]);
        let late = TrackEnergies { hop_energy: &loud, start_hop: 4000, is_lead: false };
        let excerpts = pick(&[energies(&band, false), late], HOP_S);
        let loudest = find(&excerpts, ExcerptKind::Loudest);
        assert!(loudest.start_s >= 40.0 && loudest.end_s <= 52.0, "{loudest:?}");
    }

    #[test]
    fn broken_energies_do_not_break_the_choice() {
        let mut a = track(&[(30.0, -20.0)]);
        a[100] = f32::NAN;
        a[200] = f32::INFINITY;
        a[300] = -1.0;
        assert!(!pick(&[energies(&a, false)], HOP_S).is_empty());
        assert!(pick(&[energies(&a, false)], 0.0).is_empty());
        assert!(pick(&[energies(&a, false)], f64::NAN).is_empty());
    }
}
