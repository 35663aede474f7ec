//! What arrives at the bus output, by its feeds.
//!
//! The bus works on the sum, so what it does to each moment and band is shared by all feeds: feed k arrives
//! as E_k · E_out / E_in (the *common-gain split*). The split is linear: feeds stay in their proportions.

use crate::bands::{self, blocks, frame_powers};
use crate::trial::{Heard, HeardExcerpt};
use topdown_analysis::{masking, spectrum::ErbEnergies};
use topdown_session::{Session, StripId};

/// All excerpts of one candidate as they arrive at the bus output.
pub(crate) struct Picture {
    pub(crate) views: Vec<View>,
}

/// One excerpt.
pub(crate) struct View {
    /// What feeds the bus, in session order, and its energies at the bus output.
    pub(crate) feeds: Vec<(StripId, ErbEnergies)>,
    /// All feeds together.
    pub(crate) total: ErbEnergies,
}

/// What feeds the bus: groups, lone tracks, returns, in session order.
pub(crate) fn feeds(session: &Session) -> Vec<StripId> {
    let Some(bus) = session.bus() else { return Vec::new() };
    let plays = |strip: &&topdown_session::Strip| strip.excluded.is_none() && !strip.mute;
    session.members(&bus.id).filter(plays).map(|strip| strip.id.clone()).collect()
}

impl Picture {
    pub(crate) fn of(session: &Session, heard: &Heard) -> Self {
        let feeds = feeds(session);
        let bus = session.bus().map(|bus| bus.id.clone());
        let view = |excerpt: &HeardExcerpt| {
            let passed = bus.as_ref().map(|bus| transfer(excerpt, bus)).unwrap_or_default();
            let of = |id: &StripId| {
                let strip = excerpt.strips.get(id)?;
                Some((id.clone(), through(&strip.output, &passed)))
            };
            let feeds: Vec<(StripId, ErbEnergies)> = feeds.iter().filter_map(of).collect();
            let total = total_of(feeds.iter().map(|(_, energies)| energies));
            View { feeds, total }
        };
        Self { views: heard.excerpts.iter().map(view).collect() }
    }

    /// Gated loudness of a feed over all excerpts, at the bus output.
    pub(crate) fn feed_lufs(&self, id: &StripId) -> f64 {
        bands::integrated_lufs(self.views.iter().filter_map(|view| view.feed(id)))
    }

    /// Gated loudness of everything together.
    pub(crate) fn total_lufs(&self) -> f64 {
        bands::integrated_lufs(self.views.iter().map(|view| &view.total))
    }

    /// Audibility index of a feed over all excerpts, weighted by how much it plays; `None` if it never does.
    pub(crate) fn audibility(&self, id: &StripId) -> Option<f64> {
        let (mut sum, mut weight) = (0.0, 0.0);
        for view in &self.views {
            let Some(feed) = view.feed(id) else { continue };
            let Some(index) = masking::audibility(feed, &view.total) else { continue };
            let powers = frame_powers(feed);
            let playing = powers.iter().sum::<f64>().sqrt();
            sum += index * playing;
            weight += playing;
        }
        (weight > 0.0).then(|| sum / weight)
    }

    /// Standard deviation in LU of a feed's short-term level against everything together, where it plays.
    pub(crate) fn wander_lu(&self, id: &StripId) -> Option<f64> {
        let levels: Vec<f64> = self
            .views
            .iter()
            .filter_map(|view| Some(levels_where_playing(view.feed(id)?, &view.total)))
            .flatten()
            .collect();
        deviation(&levels)
    }
}

impl View {
    pub(crate) fn feed(&self, id: &StripId) -> Option<&ErbEnergies> {
        self.feeds.iter().find(|(feed, _)| feed == id).map(|(_, energies)| energies)
    }
}

/// Blocks this far below the gated mean are rests.
const REST_LU: f64 = 20.0;

fn levels_where_playing(feed: &ErbEnergies, total: &ErbEnergies) -> Vec<f64> {
    let (feed, total) = (blocks(&frame_powers(feed)), blocks(&frame_powers(total)));
    let level = bands::lufs(bands::gated(&feed));
    if !level.is_finite() {
        return Vec::new();
    }
    let floor = level - REST_LU;
    feed.iter()
        .zip(&total)
        .filter(|(feed, _)| bands::lufs(**feed) > floor)
        .map(|(feed, total)| bands::lufs(*feed) - bands::lufs(*total))
        .collect()
}

fn deviation(levels: &[f64]) -> Option<f64> {
    if levels.len() < 2 {
        return None;
    }
    let n = levels.len() as f64;
    let mean = levels.iter().sum::<f64>() / n;
    Some((levels.iter().map(|l| (l - mean) * (l - mean)).sum::<f64>() / n).sqrt())
}

/// Energies of all parts together, frame by frame.
pub(crate) fn total_of<'a>(parts: impl IntoIterator<Item = &'a ErbEnergies>) -> ErbEnergies {
    let mut total = ErbEnergies { frame_s: 0.0, energy: Vec::new() };
    for part in parts {
        total.frame_s = part.frame_s;
        if total.energy.len() < part.energy.len() {
            total.energy.resize(part.energy.len(), 0.0);
        }
        total.energy.iter_mut().zip(&part.energy).for_each(|(sum, e)| *sum += e);
    }
    total
}

/// Gain in power of a strip from the input of its chain to its output, cell by cell; 1 where nothing plays.
pub(crate) fn transfer(excerpt: &HeardExcerpt, strip: &StripId) -> Vec<f32> {
    let Some(heard) = excerpt.strips.get(strip) else { return Vec::new() };
    ratio(&heard.output, &heard.input)
}

/// Cells quieter than this (power) carry no information about a gain.
const SILENT: f32 = 1e-14;
/// No gain that is read off energies goes beyond +-48 dB: windows smear, and what is nearly silent lies.
const WIDEST: f32 = 63_096.0;

/// a/b cell by cell; 1 where b is silent or a is missing.
pub(crate) fn ratio(a: &ErbEnergies, b: &ErbEnergies) -> Vec<f32> {
    let cell = |(index, &b): (usize, &f32)| match a.energy.get(index) {
        Some(&a) if b > SILENT => (a / b).clamp(1.0 / WIDEST, WIDEST),
        _ => 1.0,
    };
    b.energy.iter().enumerate().map(cell).collect()
}

/// Energies with a gain applied cell by cell; cells beyond the gain's end pass.
pub(crate) fn through(energies: &ErbEnergies, gain: &[f32]) -> ErbEnergies {
    let mut out = energies.clone();
    out.energy.iter_mut().zip(gain).for_each(|(e, g)| *e *= g);
    out
}
