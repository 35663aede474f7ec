//! One render of a mix, measured: the mix at the bus output, and how loud each strip is that feeds the bus.

use crate::error::AppError;
use crate::library::Library;
use crate::progress::Context;
use crate::render::{plan, render_warnings, run};
use topdown_analysis::loudness::LoudnessMeter;
use topdown_analysis::{MixListener, MixMeasurements};
use topdown_session::{Session, StripId, StripKind, Value};

/// What a mix sounds like as a whole and in its parts.
pub(crate) struct Heard {
    /// At the bus output.
    pub(crate) mix: MixMeasurements,
    /// Loudness of each strip that feeds the bus, relative to their sum, in LU. Silent ones are left out.
    pub(crate) parts_lu: Vec<(StripId, f64)>,
    /// What a person should know.
    pub(crate) warnings: Vec<String>,
}

/// Renders a session once, hands the mix to `sink`, and measures it.
pub(crate) fn hear(
    session: &Session,
    library: &Library,
    context: &Context<'_>,
    phase: &str,
    mut sink: impl FnMut(&[&[f32]]) -> Result<(), AppError> + Send,
) -> Result<Heard, AppError> {
    let plan = plan(session, &feeding_the_bus(session))?;
    let mix_channels = plan.bus().post_channels;
    let parts: Vec<(StripId, usize)> = plan
        .taps
        .iter()
        .map(|at| (plan.strips[*at].id.clone(), plan.strips[*at].post_channels))
        .collect();
    let mut listener = MixListener::new(library.rate, mix_channels);
    let mut meters: Vec<LoudnessMeter> = parts.iter().map(|_| stereo_meter(library)).collect();
    let mut whole = stereo_meter(library);
    let mut sums = [Vec::new(), Vec::new()];
    let report = run(&plan, library, None, context, phase, |planes| {
        let (mix, taps) = planes.split_at(mix_channels);
        listener.push(mix);
        let length = mix.first().map_or(0, |plane| plane.len());
        for sum in &mut sums {
            sum.clear();
            sum.resize(length, 0.0);
        }
        let mut at = 0;
        for ((_, channels), meter) in parts.iter().zip(&mut meters) {
            // A mono strip in the centre plays on both sides.
            let (left, right) = (taps[at], taps[at + channels - 1]);
            at += channels;
            meter.push(&[left, right]);
            for (sum, plane) in sums.iter_mut().zip([left, right]) {
                sum.iter_mut().zip(plane).for_each(|(sum, x)| *sum += x);
            }
        }
        let [left, right] = &sums;
        whole.push(&[left, right]);
        sink(mix)
    })?;
    let whole_lufs = whole.finish().whole().integrated_lufs();
    let parts_lu = parts
        .into_iter()
        .zip(meters)
        .map(|((id, _), meter)| (id, meter.finish().whole().integrated_lufs() - whole_lufs))
        .filter(|(_, lu)| lu.is_finite())
        .collect();
    let warnings = render_warnings(session, &plan, &report);
    Ok(Heard { mix: listener.finish(), parts_lu, warnings })
}

fn stereo_meter(library: &Library) -> LoudnessMeter {
    LoudnessMeter::new(library.rate, 2)
}

fn feeding_the_bus(session: &Session) -> Vec<StripId> {
    let bus = session.bus().map(|bus| &bus.id);
    let feeds = |strip: &&topdown_session::Strip| {
        strip.kind != StripKind::Bus && strip.output.as_ref() == bus && strip.excluded.is_none()
    };
    session.strips.iter().filter(feeds).map(|strip| strip.id.clone()).collect()
}

/// The plain sum: the same tracks and groups, all faders at 0 dB, no chain, no send.
pub(crate) fn plain_sum(session: &Session) -> Session {
    let mut plain = session.clone();
    for strip in &mut plain.strips {
        strip.chain.clear();
        strip.sends.clear();
        strip.fader_db = Value::Constant(0.0);
        strip.pan = Value::Constant(0.0);
        strip.width = Value::Constant(1.0);
        strip.mute = false;
        strip.solo = false;
    }
    plain
}
