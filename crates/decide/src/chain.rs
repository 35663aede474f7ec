//! Processors as deciding handles them: building nodes, reading their settings, how big a move is, and a
//! model of what a chain does to band energies, for the predictor.

use crate::bands;
use crate::cost::Spent;
use topdown_analysis::{ERB_BANDS, erb_centre_hz};
use topdown_dsp::compressor::{CompressorSettings, static_gain_db};
use topdown_dsp::eq::{EqSettings, response_db};
use topdown_dsp::{Kind, ParamKind, Settings};
use topdown_session::{Edit, ParamPath, ProcessorId, ProcessorNode, Strip, Value};
use topdown_units::{SampleRate, db_to_power, power_to_db};

/// One band of an equaliser, as proposers speak of it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Band {
    pub(crate) shape: &'static str,
    pub(crate) freq_hz: f64,
    pub(crate) gain_db: f64,
    pub(crate) q: f64,
}

/// Q of shelves and passes without a bump.
pub(crate) const FLAT_Q: f64 = std::f64::consts::FRAC_1_SQRT_2;

impl Band {
    pub(crate) fn bell(freq_hz: f64, gain_db: f64, q: f64) -> Self {
        Self { shape: "bell", freq_hz, gain_db, q }
    }

    pub(crate) fn low_shelf(freq_hz: f64, gain_db: f64) -> Self {
        Self { shape: "low_shelf", freq_hz, gain_db, q: FLAT_Q }
    }

    pub(crate) fn high_shelf(freq_hz: f64, gain_db: f64) -> Self {
        Self { shape: "high_shelf", freq_hz, gain_db, q: FLAT_Q }
    }

    pub(crate) fn high_pass(freq_hz: f64) -> Self {
        Self { shape: "high_pass", freq_hz, gain_db: 0.0, q: FLAT_Q }
    }

    pub(crate) fn words(&self) -> String {
        let hz = if self.freq_hz >= 1_000.0 {
            format!("{:.1} kHz", self.freq_hz / 1_000.0)
        } else {
            format!("{:.0} Hz", self.freq_hz)
        };
        match self.shape {
            "high_pass" => format!("high-pass at {hz}"),
            "low_shelf" => format!("{:+.1} dB below {hz}", self.gain_db),
            "high_shelf" => format!("{:+.1} dB above {hz}", self.gain_db),
            _ => format!("{:+.1} dB around {hz}", self.gain_db),
        }
    }
}

/// An equaliser with these bands.
pub(crate) fn eq_node(id: &str, bands: &[Band]) -> ProcessorNode {
    let kind = Kind::by_id(EqSettings::ID);
    let mut node = ProcessorNode::new(id, EqSettings::ID);
    for (index, band) in bands.iter().enumerate() {
        let param = |name: &str| format!("band_{}.{name}", index + 1);
        let shape = kind.and_then(|kind| match kind.param(&param("shape"))?.1.kind {
            ParamKind::Choice(names) => names.iter().position(|name| *name == band.shape),
            _ => None,
        });
        node = node
            .with(&param("on"), 1.0)
            .with(&param("shape"), shape.unwrap_or(0) as f64)
            .with(&param("freq_hz"), band.freq_hz)
            .with(&param("q"), band.q);
        if band.gain_db != 0.0 {
            node = node.with(&param("gain_db"), band.gain_db);
        }
    }
    node
}

/// An id for one more processor of a kind on a strip: `eq`, `eq-2`, ...
pub(crate) fn free_id(strip: &Strip, kind: &str) -> String {
    let taken = |id: &str| strip.processor(&ProcessorId::from(id)).is_some();
    if !taken(kind) {
        return kind.to_owned();
    }
    let mut number = 2;
    while taken(&format!("{kind}-{number}")) {
        number += 1;
    }
    format!("{kind}-{number}")
}

/// Whether a processor's threshold is relative to a drive.
pub(crate) fn is_driven(node: &ProcessorNode) -> bool {
    node.spec("threshold_rel_db").is_some() && node.spec("drive_lufs").is_some()
}

/// The resting value of a parameter of a known kind.
pub(crate) fn resting(node: &ProcessorNode, param: &str) -> f64 {
    node.value(param).map_or(0.0, |value| value.resting())
}

fn settings<S: Settings>(node: &ProcessorNode) -> S {
    let plain: Vec<f64> = S::PARAMS.iter().map(|spec| resting(node, spec.id)).collect();
    S::from_plain(&plain)
}

/// Passes count in the economy like this many dB.
const PASS_DB: f64 = 1.0;

/// What a move's edits spend. Compressors count by their makeup, which is the reduction they aim at.
pub(crate) fn spent(edits: &[Edit]) -> Spent {
    edits.iter().map(spent_by).fold(Spent::default(), |sum, one| sum + one)
}

fn spent_by(edit: &Edit) -> Spent {
    let resting = |value: &Option<Value>| value.as_ref().map_or(0.0, Value::resting);
    let squared = |db: f64| Spent { squared_db: db * db, processors: 0.0 };
    match edit {
        Edit::Set { at: ParamPath::Fader(_) | ParamPath::Send(..), old, new } => {
            squared(resting(new) - resting(old))
        }
        Edit::Set { at: ParamPath::Processor(_, _, param), old, new }
            if param.ends_with("gain_db") || param == "makeup_db" =>
        {
            squared(resting(new) - resting(old))
        }
        Edit::InsertProcessor { processor, .. } => node_spent(processor),
        Edit::RemoveProcessor { processor, .. } => {
            let Spent { squared_db, processors } = node_spent(processor);
            Spent { squared_db: -squared_db, processors: -processors }
        }
        _ => Spent::default(),
    }
}

fn node_spent(node: &ProcessorNode) -> Spent {
    let gains = node
        .values
        .iter()
        .filter(|(param, _)| param.ends_with("gain_db") || param.as_str() == "makeup_db");
    let mut squared_db: f64 = gains.map(|(_, value)| value.resting() * value.resting()).sum();
    if node.kind == EqSettings::ID {
        let passes = settings::<EqSettings>(node)
            .bands
            .iter()
            .filter(|band| {
                use topdown_dsp::eq::Shape::{HighPass, LowPass};
                band.on && matches!(band.shape, HighPass | LowPass)
            })
            .count();
        squared_db += passes as f64 * PASS_DB * PASS_DB;
    }
    Spent { squared_db, processors: 1.0 }
}

/// How far a frame's peaks stand above its mean power: a compressor's detector hears peaks.
const FRAME_CREST_DB: f64 = 9.0;

/// What a strip's chain and fader do to energies: a gain in power for each band and frame.
pub(crate) struct ChainModel {
    /// Gain by band of everything that stays the same over time.
    bands: [f64; ERB_BANDS],
    compressors: Vec<CompressorSettings>,
}

impl ChainModel {
    pub(crate) fn of(strip: &Strip, rate: SampleRate) -> Self {
        let fader = db_to_power(strip.fader_db.resting());
        let mut model = Self { bands: [fader; ERB_BANDS], compressors: Vec::new() };
        for node in strip.chain.iter().filter(|node| !node.bypass) {
            match node.kind.as_str() {
                EqSettings::ID => {
                    let eq: EqSettings = settings(node);
                    for (band, gain) in model.bands.iter_mut().enumerate() {
                        *gain *= db_to_power(response_db(&eq, rate, erb_centre_hz(band)));
                    }
                }
                CompressorSettings::ID => model.compressors.push(settings(node)),
                "trim" => {
                    let gain = db_to_power(resting(node, "gain_db"));
                    model.bands.iter_mut().for_each(|band| *band *= gain);
                }
                _ => {}
            }
        }
        model
    }

    pub(crate) fn gain(&self, band: usize) -> f64 {
        self.bands.get(band).copied().unwrap_or(1.0)
    }

    /// Gain in power of the compressors for a frame of this K-weighted power at the chain's input.
    pub(crate) fn dynamic_gain(&self, frame_power: f64) -> f64 {
        if self.compressors.is_empty() || frame_power <= 0.0 {
            return 1.0;
        }
        let level_db = power_to_db(frame_power) + FRAME_CREST_DB;
        let gain_db =
            |settings: &CompressorSettings| static_gain_db(settings, level_db) + settings.makeup_db;
        db_to_power(self.compressors.iter().map(gain_db).sum())
    }
}

/// Effective threshold in dB that makes the model's mean reduction over `frames` (K-weighted powers) come
/// out at `target_db`: where to start looking.
pub(crate) fn start_threshold_db(frames: &[f64], ratio: f64, knee_db: f64, target_db: f64) -> f64 {
    let levels: Vec<f64> = frames
        .iter()
        .filter(|power| **power > 0.0)
        .map(|power| power_to_db(*power) + FRAME_CREST_DB)
        .collect();
    let mean_reduction = |threshold_db: f64| {
        let settings = CompressorSettings {
            threshold_rel_db: threshold_db,
            drive_lufs: 0.0,
            ratio,
            knee_db,
            ..CompressorSettings::default()
        };
        let sum: f64 = levels.iter().map(|level| -static_gain_db(&settings, *level)).sum();
        sum / levels.len().max(1) as f64
    };
    let loudest = bands::lufs(bands::gated(frames)).max(-70.0);
    let (mut low, mut high) = (loudest - 40.0, loudest + 30.0);
    for _ in 0..40 {
        let middle = 0.5 * (low + high);
        if mean_reduction(middle) > target_db { low = middle } else { high = middle }
    }
    0.5 * (low + high)
}

#[cfg(test)]
mod tests {
    use super::*;
    use topdown_session::{StripId, StripKind};

    #[test]
    fn a_move_spends_its_decibels_and_its_processors() {
        let insert =
            |processor| Edit::InsertProcessor { strip: "drums".into(), index: 0, processor };
        let eq = eq_node("eq", &[Band::bell(300.0, -2.0, 0.7), Band::high_pass(80.0)]);
        assert_eq!(spent(&[insert(eq)]), Spent { squared_db: 5.0, processors: 1.0 });
        let fader = Edit::Set {
            at: ParamPath::Fader("drums".into()),
            old: Some(Value::Constant(-3.0)),
            new: Some(Value::Constant(-1.5)),
        };
        assert_eq!(spent(&[fader]), Spent { squared_db: 2.25, processors: 0.0 });
    }

    #[test]
    fn the_model_of_a_chain_has_the_response_of_its_equaliser() {
        let mut strip = Strip::new(StripId::from("keys"), StripKind::Group, "Keys", 2);
        strip.fader_db = Value::Constant(-6.0);
        strip.chain = vec![eq_node("eq", &[Band::low_shelf(100.0, -4.0)])];
        let model = ChainModel::of(&strip, SampleRate::STUDIO);
        assert!((power_to_db(model.gain(0)) + 9.8).abs() < 0.6, "{}", power_to_db(model.gain(0)));
        assert!((power_to_db(model.gain(30)) + 6.0).abs() < 0.1);
    }
}
