//! What is wrong with the recordings, as data: [`super::render`] builds these faults in from this list,
//! and nothing else does, so the list is the truth.

use super::score::{LENGTH_S, Section, bar_s};

/// What is wrong, with its size.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum FaultKind {
    /// Recorded upside down against the other microphone of its pair.
    PolarityFlipped,
    /// A resonance at `hz` (Q 5) that is `db` too loud.
    Resonance {
        /// Its centre, in Hz.
        hz: f64,
        /// Its height, in dB.
        db: f64,
    },
    /// A broad excess (Q 1.2) around `hz`.
    Harsh {
        /// Its centre, in Hz.
        hz: f64,
        /// Its height, in dB.
        db: f64,
    },
    /// Peaks that would have been `over_db` above full scale, cut off there.
    Clipped {
        /// How far over, in dB.
        over_db: f64,
    },
    /// The file has another sample rate than the rest.
    OtherRate {
        /// Its rate, in Hz.
        rate_hz: u32,
    },
    /// Nothing but zeros.
    Silent,
    /// Recorded louder or softer than a good balance has it.
    LevelOff {
        /// How far off, in dB.
        db: f64,
    },
    /// A constant added to every sample, full scale = 1.
    DcOffset {
        /// The constant.
        value: f64,
    },
    /// Mains hum: `hz` and its harmonics.
    Hum {
        /// The mains, in Hz.
        hz: f64,
        /// Root mean square, in dB of a full-scale sine's peak.
        level_dbfs: f64,
    },
    /// One channel stored twice.
    DualMono,
    /// No part of the song: it was there for the players.
    Guide,
}

/// A fault that was built in.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Fault {
    /// The file, as in [`super::FILE_NAMES`].
    pub file: &'static str,
    /// What it is.
    pub kind: FaultKind,
    /// What it is, in words.
    pub what: &'static str,
    /// From and to, in seconds: where it can be heard.
    pub span_s: (f64, f64),
    /// How it should be noticed.
    pub noticed: &'static str,
}

const THROUGHOUT: (f64, f64) = (0.0, LENGTH_S);

const fn level(file: &'static str, db: f64, what: &'static str) -> Fault {
    Fault {
        file,
        kind: FaultKind::LevelOff { db },
        what,
        span_s: THROUGHOUT,
        noticed: "its share of the loudness where it plays is off its role's",
    }
}

/// Every fault of the demo song.
pub const FAULTS: &[Fault] = &[
    Fault {
        file: "04 Snare Btm.wav",
        kind: FaultKind::PolarityFlipped,
        what: "the polarity switch was forgotten under the snare",
        span_s: THROUGHOUT,
        noticed: "correlates negatively with 03 Snare Top.wav; their sum is thin",
    },
    Fault {
        file: "08 OH.wav",
        kind: FaultKind::Harsh { hz: 3_900.0, db: 8.0 },
        what: "harsh cymbals between 3 and 5 kHz",
        span_s: THROUGHOUT,
        noticed: "the bands around 4 kHz stand out of the kit's spectrum, most in the chorus",
    },
    Fault {
        file: "10 Bass DI.wav",
        kind: FaultKind::Hum { hz: 50.0, level_dbfs: -46.0 },
        what: "a ground loop hums at 50 Hz",
        span_s: THROUGHOUT,
        noticed: "steady lines at 50, 100 and 150 Hz, alone before the bass enters in bar 3",
    },
    Fault {
        file: "13 Elec Gtr R.wav",
        kind: FaultKind::DcOffset { value: 0.02 },
        what: "the converter adds a constant",
        span_s: THROUGHOUT,
        noticed: "the mean of the file is 0.02, not 0",
    },
    Fault {
        file: "14 Acoustic Gtr.wav",
        kind: FaultKind::Resonance { hz: 180.0, db: 13.0 },
        what: "boomy: the microphone looked into the sound hole",
        span_s: THROUGHOUT,
        noticed: "a narrow resonance near 180 Hz",
    },
    Fault {
        file: "15 E Piano.wav",
        kind: FaultKind::OtherRate { rate_hz: 44_100 },
        what: "recorded elsewhere at 44.1 kHz and 16 bit",
        span_s: THROUGHOUT,
        noticed: "the header's rate differs; played as 48 kHz it would be sharp and early",
    },
    Fault {
        file: "17 Shaker.wav",
        kind: FaultKind::DualMono,
        what: "one microphone, stored as stereo",
        span_s: THROUGHOUT,
        noticed: "both channels are the same",
    },
    Fault {
        file: "21 BV 2.wav",
        kind: FaultKind::Clipped { over_db: 5.0 },
        what: "the preamp was set on the verse's whisper: the chorus clips",
        span_s: CHORUS_S,
        noticed: "runs of samples at full scale",
    },
    Fault {
        file: "22 Lead Vox Dbl.wav",
        kind: FaultKind::Silent,
        what: "the double was never sung",
        span_s: THROUGHOUT,
        noticed: "only zeros",
    },
    Fault {
        file: "23 Click.wav",
        kind: FaultKind::Guide,
        what: "the players' metronome was exported too",
        span_s: THROUGHOUT,
        noticed: "its name, and strokes on every beat; leave it out",
    },
    level("19 Lead Vox.wav", -11.0, "buried: the lead is far behind the band"),
    level("01 Kick In.wav", 3.0, "a little hot"),
    level("02 Kick Out.wav", -6.0, "low"),
    level("05 Hi-Hat.wav", 10.0, "far too loud"),
    level("07 Floor Tom.wav", -8.0, "low"),
    level("09 Room.wav", 6.0, "too much room"),
    level("11 Bass Amp.wav", -9.0, "low"),
    level("12 Elec Gtr L.wav", 4.0, "louder than its double"),
    level("13 Elec Gtr R.wav", -4.0, "softer than its double"),
    level("15 E Piano.wav", 7.0, "too loud"),
    level("16 Pad.wav", -7.0, "low"),
    level("18 Tamb.wav", 12.0, "far too loud"),
];

/// The chorus, where the backing vocals sing.
const CHORUS_S: (f64, f64) = (25.964_285, 43.107_143);

/// From and to of a section, in seconds.
#[must_use]
pub fn section_s(section: &Section) -> (f64, f64) {
    (bar_s(section.first_bar), bar_s(section.first_bar + section.bars))
}

/// The faults of one file.
pub fn faults_of(file: &str) -> impl Iterator<Item = &'static Fault> + '_ {
    FAULTS.iter().filter(move |fault| fault.file == file)
}
