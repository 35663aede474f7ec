//! The demo song: a small production of 49 s, synthesised track by track, with the faults of real life.
//!
//! It is what a band hands over: 23 dry files with numbers, drums with bleed and true delays between the
//! microphones, a click that nobody removed, and the faults listed in [`FAULTS`]. Everything follows from
//! seeds and [`topdown_dsp::math`], so every machine renders the same bits. [`Song`] holds the score and
//! the drum strokes that all tracks share; [`Song::render`] makes one track at a time, so that memory
//! stays at one track whatever their number.
//!
//! The way of a track: instrument, then the faults that colour it, then the recording level (a peak that
//! makes a good balance with all faders at 0 dB, plus its [`FaultKind::LevelOff`]), then the faults of the
//! recording chain.

mod drums;
mod faults;
mod keys;
mod room;
mod score;
mod strings;
mod synth;
mod voice;

pub use faults::{FAULTS, Fault, FaultKind, faults_of, section_s};
pub use score::{BEATS_PER_BAR, LEAD_IN_S, LENGTH_S, SECTIONS, Section, TEMPO_BPM, bar_s, beat_s};

use drums::KitMic;
use topdown_units::db_to_gain;

/// The sample rate of the session, in Hz; one file differs ([`FaultKind::OtherRate`]).
pub const RATE_HZ: u32 = 48_000;

/// The files of the song, in the order of their numbers.
pub const FILE_NAMES: [&str; 23] = [
    "01 Kick In.wav",
    "02 Kick Out.wav",
    "03 Snare Top.wav",
    "04 Snare Btm.wav",
    "05 Hi-Hat.wav",
    "06 Rack Tom.wav",
    "07 Floor Tom.wav",
    "08 OH.wav",
    "09 Room.wav",
    "10 Bass DI.wav",
    "11 Bass Amp.wav",
    "12 Elec Gtr L.wav",
    "13 Elec Gtr R.wav",
    "14 Acoustic Gtr.wav",
    "15 E Piano.wav",
    "16 Pad.wav",
    "17 Shaker.wav",
    "18 Tamb.wav",
    "19 Lead Vox.wav",
    "20 BV 1.wav",
    "21 BV 2.wav",
    "22 Lead Vox Dbl.wav",
    "23 Click.wav",
];

/// The peak of each file in a good balance with all faders at 0 dB, in dBFS: before
/// [`FaultKind::LevelOff`] and [`FaultKind::Clipped`]. Tuned by measuring the sum.
const BALANCED_PEAK_DBFS: [f64; 23] = [
    -9.0, -11.0, -7.0, -13.0, -18.0, -12.0, -12.0, -9.0, -13.0, -12.0, -14.0, -18.0, -18.0, -13.0,
    -22.0, -16.0, -20.0, -19.0, -10.0, -16.0, -16.0, -20.0, -12.0,
];

/// One rendered track.
#[derive(Debug, Clone, PartialEq)]
pub struct DemoTrack {
    /// Its name in [`FILE_NAMES`].
    pub file_name: &'static str,
    /// Its sample rate, in Hz.
    pub rate_hz: u32,
    /// The word length it is to be stored with, in bits.
    pub bits: u16,
    /// One or two channels of [`LENGTH_S`] seconds, full scale = 1.
    pub planes: Vec<Vec<f32>>,
}

/// What all tracks share: the score as played, and the recorded strokes of the drums.
pub struct Song {
    score: score::Score,
    bank: drums::Bank,
}

/// The song, ready to render.
#[must_use]
pub fn song() -> Song {
    Song { score: score::Score::new(), bank: drums::Bank::new() }
}

/// By how much the fader of `file_name` must move for a good balance, in dB: what
/// [`FaultKind::LevelOff`] took. 0 for an unknown name.
#[must_use]
pub fn balance_db(file_name: &str) -> f64 {
    let off = faults_of(file_name).map(|fault| match fault.kind {
        FaultKind::LevelOff { db } => db,
        _ => 0.0,
    });
    -off.sum::<f64>()
}

impl Song {
    /// Renders the track `index` of [`FILE_NAMES`]; `None` past its end.
    #[must_use]
    pub fn render(&self, index: usize) -> Option<DemoTrack> {
        let file_name = *FILE_NAMES.get(index)?;
        let peak_dbfs = *BALANCED_PEAK_DBFS.get(index)?;
        let kinds: Vec<FaultKind> = faults_of(file_name).map(|fault| fault.kind).collect();
        let other_rate = kinds.iter().find_map(|kind| match kind {
            FaultKind::OtherRate { rate_hz } => Some(*rate_hz),
            _ => None,
        });
        let rate_hz = other_rate.unwrap_or(RATE_HZ);
        let rate = f64::from(rate_hz);
        let mut planes = self.play(index, rate);
        colour(&mut planes, &kinds, rate);
        set_level(&mut planes, peak_dbfs - balance_db(file_name));
        record(&mut planes, &kinds, rate);
        let bits = if other_rate.is_some() { 16 } else { 24 };
        Some(DemoTrack { file_name, rate_hz, bits, planes })
    }

    /// The dry, faultless sound of a track, at any level.
    fn play(&self, index: usize, rate: f64) -> Vec<Vec<f32>> {
        let score = &self.score;
        let kit = |mic| drums::kit(&self.bank, &score.drums, mic);
        match index {
            0 => kit(KitMic::KickIn),
            1 => kit(KitMic::KickOut),
            2 => kit(KitMic::SnareTop),
            3 => kit(KitMic::SnareBottom),
            4 => kit(KitMic::Hat),
            5 => kit(KitMic::RackTom),
            6 => kit(KitMic::FloorTom),
            7 => kit(KitMic::Overheads),
            8 => kit(KitMic::Room),
            9 => vec![strings::bass_di(&score.bass, rate)],
            10 => vec![strings::bass_amp(&score.bass, rate)],
            11 => vec![strings::electric(&score.electric[0], 0, rate)],
            12 => vec![strings::electric(&score.electric[1], 1, rate)],
            13 => vec![strings::acoustic(&score.acoustic, rate)],
            14 => keys::electric_piano(&score.piano, rate),
            15 => keys::pad(&score.pad, rate),
            16 => vec![drums::shaker(&score.shaker, rate)],
            17 => vec![drums::tambourine(&score.tambourine, rate)],
            18 => vec![voice::voice(&voice::LEAD, rate)],
            19 => vec![voice::voice(&voice::LOW, rate)],
            20 => vec![voice::voice(&voice::HIGH, rate)],
            22 => vec![drums::click(score::BARS, rate)],
            _ => vec![vec![0.0; (LENGTH_S * rate) as usize]],
        }
    }
}

/// The faults before the recorder's level: what the microphone heard.
fn colour(planes: &mut [Vec<f32>], kinds: &[FaultKind], rate: f64) {
    for kind in kinds {
        let shape = match *kind {
            FaultKind::Resonance { hz, db } => synth::Shape::Peak { hz, q: 5.0, db },
            FaultKind::Harsh { hz, db } => synth::Shape::Peak { hz, q: 1.2, db },
            _ => continue,
        };
        for plane in planes.iter_mut() {
            synth::filter(plane, &[shape], rate);
        }
    }
}

fn set_level(planes: &mut [Vec<f32>], peak_dbfs: f64) {
    let peak = f64::from(synth::peak(planes));
    if peak > 0.0 {
        let gain = (db_to_gain(peak_dbfs) / peak) as f32;
        planes.iter_mut().flatten().for_each(|sample| *sample *= gain);
    }
}

/// The largest sample of a 24-bit file.
const FULL_SCALE: f32 = 1.0 - 1.0 / 8_388_608.0;

/// The faults of preamplifier, converter and export.
fn record(planes: &mut Vec<Vec<f32>>, kinds: &[FaultKind], rate: f64) {
    for kind in kinds {
        match *kind {
            FaultKind::PolarityFlipped => {
                planes.iter_mut().flatten().for_each(|sample| *sample = -*sample);
            }
            FaultKind::Clipped { over_db } => {
                set_level(planes, over_db);
                for sample in planes.iter_mut().flatten() {
                    *sample = sample.clamp(-FULL_SCALE, FULL_SCALE);
                }
            }
            FaultKind::DcOffset { value } => {
                planes.iter_mut().flatten().for_each(|sample| *sample += value as f32);
            }
            FaultKind::Hum { hz, level_dbfs } => {
                planes.iter_mut().for_each(|plane| hum(plane, hz, level_dbfs, rate));
            }
            FaultKind::DualMono => {
                planes.truncate(1);
                planes.extend(planes.first().cloned());
            }
            FaultKind::Silent => planes.iter_mut().flatten().for_each(|sample| *sample = 0.0),
            FaultKind::Resonance { .. }
            | FaultKind::Harsh { .. }
            | FaultKind::OtherRate { .. }
            | FaultKind::LevelOff { .. }
            | FaultKind::Guide => {}
        }
    }
}

/// The mains and what rectifiers make of them, at a root mean square of `level_dbfs`.
fn hum(plane: &mut [f32], hz: f64, level_dbfs: f64, rate: f64) {
    const HARMONICS: [(f64, f64); 4] = [(1.0, 1.0), (2.0, 0.35), (3.0, 0.5), (5.0, 0.2)];
    let table = synth::SineTable::shared();
    let power: f64 = HARMONICS.iter().map(|(_, amp)| amp * amp / 2.0).sum();
    let gain = db_to_gain(level_dbfs) / power.sqrt();
    for (n, sample) in plane.iter_mut().enumerate() {
        let turns = n as f64 * hz / rate;
        let sum: f64 =
            HARMONICS.iter().map(|(times, amp)| amp * f64::from(table.at(turns * times))).sum();
        *sample += (gain * sum) as f32;
    }
}

#[cfg(test)]
mod tests;
