//! The score: tempo, form, chords and who plays what, as data and as humanised notes.
//!
//! 112 BPM in A major: intro (4 bars), verse (8), chorus (8), outro (2). Rhythms are strings of
//! sixteenths, one character a step; chords move by the shortest way from voicing to voicing. Timing and
//! dynamics wander as those of players do, from seeded generators.

use super::synth::Rng;

/// Beats a minute.
pub const TEMPO_BPM: f64 = 112.0;
/// Where bar 1 begins, in seconds: the recorder ran a little before the first beat.
pub const LEAD_IN_S: f64 = 0.25;
/// Length of every track, in seconds.
pub const LENGTH_S: f64 = 49.0;
/// Beats in a bar.
pub const BEATS_PER_BAR: f64 = 4.0;

pub(super) const BARS: usize = 22;
const STEPS: usize = 16;

/// A part of the song's form.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Section {
    /// Its name.
    pub name: &'static str,
    /// Its first bar, counted from 0.
    pub first_bar: usize,
    /// Its length in bars.
    pub bars: usize,
}

/// The form of the song, in order, without gaps.
pub const SECTIONS: [Section; 4] = [
    Section { name: "intro", first_bar: 0, bars: 4 },
    Section { name: "verse", first_bar: 4, bars: 8 },
    Section { name: "chorus", first_bar: 12, bars: 8 },
    Section { name: "outro", first_bar: 20, bars: 2 },
];

/// The time of a beat counted from bar 1, in seconds.
#[must_use]
pub fn beat_s(beat: f64) -> f64 {
    LEAD_IN_S + beat * 60.0 / TEMPO_BPM
}

/// The time of a bar counted from 0, in seconds.
#[must_use]
pub fn bar_s(bar: usize) -> f64 {
    beat_s(bar as f64 * BEATS_PER_BAR)
}

/// A note of one part.
#[derive(Debug, Clone, Copy)]
pub(super) struct Note {
    pub(super) at_s: f64,
    pub(super) len_s: f64,
    pub(super) key: u8,
    /// 0 to 1.
    pub(super) velocity: f64,
}

/// A chord: its bass note, its pitch classes, and how a guitar in standard tuning holds it.
#[derive(Debug, PartialEq)]
pub(super) struct Chord {
    pub(super) bass: u8,
    classes: &'static [u8],
    /// Keys from the lowest string up; 0 is a string not played.
    pub(super) frets: [u8; 6],
}

const FSM7: Chord = Chord { bass: 30, classes: &[6, 9, 1, 4], frets: [42, 49, 52, 57, 61, 66] };
const DMAJ7: Chord = Chord { bass: 38, classes: &[2, 6, 9, 1], frets: [0, 0, 50, 57, 61, 66] };
const D: Chord = Chord { bass: 38, classes: &[2, 6, 9], frets: [0, 45, 50, 57, 62, 66] };
const A: Chord = Chord { bass: 33, classes: &[9, 1, 4], frets: [0, 45, 52, 57, 61, 64] };
const A_CS: Chord = Chord { bass: 37, classes: &[9, 1, 4], frets: [0, 49, 52, 57, 61, 64] };
const E: Chord = Chord { bass: 28, classes: &[4, 8, 11], frets: [40, 47, 52, 56, 59, 64] };
const E_GS: Chord = Chord { bass: 32, classes: &[4, 8, 11], frets: [44, 0, 52, 56, 59, 64] };
const ESUS4: Chord = Chord { bass: 28, classes: &[4, 9, 11], frets: [40, 47, 52, 57, 59, 64] };
const BM7: Chord = Chord { bass: 35, classes: &[11, 2, 6, 9], frets: [0, 47, 54, 57, 62, 66] };

/// The chord that sounds in the given half of a bar.
pub(super) fn chord(bar: usize, half: usize) -> &'static Chord {
    const VERSE: [&Chord; 4] = [&FSM7, &DMAJ7, &A, &E_GS];
    const CHORUS: [&Chord; 8] = [&D, &A_CS, &E, &FSM7, &D, &A_CS, &BM7, &ESUS4];
    match bar {
        0..12 => VERSE[bar % 4],
        19 if half == 1 => &E,
        12..20 => CHORUS[bar - 12],
        20 => &D,
        _ => &A,
    }
}

/// The key of `chord` nearest to `from` that is at least `gap` semitones above (or below) it.
pub(super) fn chord_tone(chord: &Chord, from: u8, gap: u8, above: bool) -> u8 {
    (gap..gap + 12)
        .map(|step| if above { from + step } else { from.saturating_sub(step) })
        .find(|key| chord.classes.contains(&(key % 12)))
        .unwrap_or(from)
}

/// Four keys around the middle for every half bar, each chord as near as it can be to the one before.
fn voicings() -> Vec<[u8; 4]> {
    let mut voicings: Vec<[u8; 4]> = Vec::with_capacity(2 * BARS);
    let mut before = [57, 61, 64, 68];
    for half in 0..2 * BARS {
        let chord = chord(half / 2, half % 2);
        let candidates = (52u8..=64).filter(|low| chord.classes.contains(&(low % 12))).map(|low| {
            let mut keys = [low; 4];
            for voice in 1..4 {
                keys[voice] = chord_tone(chord, keys[voice - 1], 3, true);
            }
            keys
        });
        let distance = |keys: &[u8; 4]| {
            keys.iter().zip(&before).map(|(a, b)| u32::from(a.abs_diff(*b))).sum::<u32>()
        };
        before = candidates.min_by_key(distance).unwrap_or(before);
        voicings.push(before);
    }
    voicings
}

/// How far a player strays.
#[derive(Clone)]
struct Feel {
    rng: Rng,
    /// Standard deviation of the timing, in seconds.
    loose_s: f64,
    /// Mean lateness, in seconds: behind the beat is positive.
    behind_s: f64,
}

impl Feel {
    fn new(seed: u64, loose_ms: f64, behind_ms: f64) -> Self {
        Self { rng: Rng::new(seed), loose_s: loose_ms / 1e3, behind_s: behind_ms / 1e3 }
    }

    fn time(&mut self, bar: usize, step: f64) -> f64 {
        bar_s(bar)
            + step * 15.0 / TEMPO_BPM
            + self.behind_s
            + self.loose_s * self.rng.bell().clamp(-2.5, 2.5)
    }

    fn velocity(&mut self, written: f64) -> f64 {
        (written * (1.0 + 0.07 * self.rng.bell())).clamp(0.05, 1.0)
    }
}

/// The steps of a pattern that sound, with their characters.
fn steps(pattern: &str) -> impl Iterator<Item = (usize, char)> + '_ {
    pattern.chars().take(STEPS).enumerate().filter(|(_, mark)| *mark != '.')
}

/// What a drummer strikes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Piece {
    Kick,
    Snare,
    /// The wires under the snare: struck with it, and rattling along with kick and toms.
    Wires,
    HatClosed,
    HatOpen,
    RackTom,
    FloorTom,
    Crash,
    Ride,
}

/// One stroke.
#[derive(Debug, Clone, Copy)]
pub(super) struct Hit {
    pub(super) piece: Piece,
    pub(super) at_s: f64,
    /// How long it may ring; an open hat ends where the foot closes it.
    pub(super) len_s: f64,
    /// 0 to 1.
    pub(super) velocity: f64,
    /// Which of the recorded variants of this loudness.
    pub(super) variant: usize,
}

/// One bar of drums: `X` loud, `x` normal, `o` soft, `g` ghost, in sixteenths.
struct Groove {
    kick: &'static str,
    snare: &'static str,
    hat: &'static str,
    open: &'static str,
    rack: &'static str,
    floor: &'static str,
    crash: &'static str,
    ride: &'static str,
}

const REST: &str = "";
const SILENT: Groove = Groove {
    kick: REST,
    snare: REST,
    hat: REST,
    open: REST,
    rack: REST,
    floor: REST,
    crash: REST,
    ride: REST,
};

fn groove(bar: usize) -> Groove {
    let verse = Groove {
        kick: "X.....x.x.o.....",
        snare: "....X..g.g..X...",
        hat: "x.o.x.o.x.o.x.o.",
        ..SILENT
    };
    let chorus = Groove {
        kick: "X.x...x.X.x..x..",
        snare: "....X.......X...",
        ride: "X.x.X.x.X.x.X.x.",
        ..SILENT
    };
    match bar {
        0 => Groove { hat: "x.o.x.o.x.o.x.o.", ..SILENT },
        1 => Groove { hat: "x.o.x.o.x.o.x.oo", kick: "..............x.", ..SILENT },
        2 => Groove { kick: "X.......x.......", hat: "x.o.x.o.x.o.x.o.", ..SILENT },
        3 => Groove {
            kick: "X.......x.......",
            snare: "........x.xxX...",
            hat: "x.o.x.o.........",
            rack: "............X.x.",
            floor: "..............xX",
            ..SILENT
        },
        4 => Groove { crash: "X...............", ..verse },
        7 => Groove { open: "..............x.", hat: "x.o.x.o.x.o.x...", ..verse },
        11 => Groove {
            kick: "X.....x.X.......",
            snare: "....X...xxxx....",
            hat: "x.o.x.o.........",
            rack: "............Xx..",
            floor: "..............XX",
            ..SILENT
        },
        12 | 16 => Groove { crash: "X...............", ride: "....X.x.X.x.X.x.", ..chorus },
        15 => Groove { snare: "....X.....g.X.xX", kick: "X.x...x.X.......", ..chorus },
        19 => Groove {
            kick: "X.x...x.X...X...",
            snare: "....X...X.xx....",
            rack: "............XX..",
            floor: "..............XX",
            ride: "X.x.X.x.........",
            ..SILENT
        },
        20 => Groove { crash: "X...............", open: "....x...x.......", ..verse },
        21 => Groove { kick: "X...............", crash: "X...............", ..SILENT },
        13.. => chorus,
        _ => verse,
    }
}

fn drum_hits() -> Vec<Hit> {
    let mut feel = Feel::new(1, 3.5, 0.0);
    let mut hits = Vec::new();
    for bar in 0..BARS {
        let groove = groove(bar);
        let lines = [
            (Piece::Kick, groove.kick, 0.5),
            (Piece::Snare, groove.snare, 0.5),
            (Piece::HatClosed, groove.hat, 0.3),
            (Piece::HatOpen, groove.open, 0.26),
            (Piece::RackTom, groove.rack, 0.9),
            (Piece::FloorTom, groove.floor, 1.2),
            (Piece::Crash, groove.crash, 3.4),
            (Piece::Ride, groove.ride, 1.6),
        ];
        for (piece, pattern, len_s) in lines {
            for (step, mark) in steps(pattern) {
                let written = match mark {
                    'X' => 0.95,
                    'x' => 0.75,
                    'o' => 0.5,
                    _ => 0.24,
                };
                let at_s = feel.time(bar, step as f64);
                let velocity = feel.velocity(written);
                let variant = usize::from(feel.rng.unit() < 0.5);
                hits.push(Hit { piece, at_s, len_s, velocity, variant });
            }
        }
    }
    // The wires answer every stroke near them.
    let rattle = |hit: &Hit| {
        let share = match hit.piece {
            Piece::Snare => 1.0,
            Piece::RackTom => 0.09,
            Piece::FloorTom => 0.07,
            Piece::Kick => 0.05,
            _ => return None,
        };
        Some(Hit { piece: Piece::Wires, velocity: hit.velocity * share, ..*hit })
    };
    let wires: Vec<Hit> = hits.iter().filter_map(rattle).collect();
    hits.extend(wires);
    hits.sort_by(|a, b| a.at_s.total_cmp(&b.at_s));
    hits
}

/// `R` root, `r` root soft, `5` fifth, `8` octave, `n` a step towards the next chord; lengths in steps.
fn bass_notes() -> Vec<Note> {
    let mut feel = Feel::new(2, 4.0, 3.0);
    let mut notes = Vec::new();
    for bar in 2..BARS {
        let pattern = match bar {
            2 => "R...............",
            3 => "R.......R...n...",
            11 => "R..r..R.R.R.R.n.",
            4..12 if bar % 2 == 0 => "R.....R.R.....5.",
            4..12 => "R.....R.R...8.n.",
            15 | 19 => "R.r.R.r.R.r.8.n.",
            12..20 if bar % 2 == 0 => "R.r.R.r.R.r.R.5.",
            12..20 => "R.r.R.r.R.8.R.n.",
            20 => "R.....R.R.....5.",
            _ => "R...............",
        };
        let marks: Vec<_> = steps(pattern).collect();
        for (i, &(step, mark)) in marks.iter().enumerate() {
            let end = marks.get(i + 1).map_or(STEPS, |next| next.0);
            let root = chord(bar, step / 8).bass;
            let next = chord((bar + 1).min(BARS - 1), 0).bass;
            let key = match mark {
                '5' if root > 34 => root - 5,
                '5' => root + 7,
                '8' => root + 12,
                'n' if next > root => next - 2,
                'n' => next + 2,
                _ => root,
            };
            let written = if mark == 'r' { 0.66 } else { 0.85 };
            let at_s = feel.time(bar, step as f64);
            let held = (end - step) as f64 * 15.0 / TEMPO_BPM;
            let len_s = if bar == BARS - 1 { 2.6 } else { held * 0.93 };
            notes.push(Note { at_s, len_s, key, velocity: feel.velocity(written) });
        }
    }
    notes
}

/// A pluck on one of six strings.
#[derive(Debug, Clone, Copy)]
pub(super) struct Pluck {
    pub(super) note: Note,
    /// 0 is the lowest string.
    pub(super) string: usize,
    /// The hand lies on the string.
    pub(super) muted: bool,
}

/// `D` loud down, `d` down, `u` up (four high strings), `m` palm-muted on two low strings, `P` a power chord
/// of three, in sixteenths; the pick takes `spread_s` from string to string.
fn strum(feel: &mut Feel, bar: usize, pattern: &str, spread_s: f64, plucks: &mut Vec<Pluck>) {
    let marks: Vec<_> = steps(pattern).collect();
    for (i, &(step, mark)) in marks.iter().enumerate() {
        let end = marks.get(i + 1).map_or(STEPS as f64, |next| next.0 as f64);
        let frets = chord(bar, step / 8).frets;
        let at_s = feel.time(bar, step as f64);
        let held = (end - step as f64) * 15.0 / TEMPO_BPM;
        let len_s = if bar == BARS - 1 { 3.0 } else { held };
        let mut strings: Vec<usize> = (0..6).filter(|&s| frets[s] != 0).collect();
        let written = match mark {
            'D' => 0.9,
            'd' => 0.7,
            'u' => 0.55,
            _ => 0.75,
        };
        match mark {
            'u' => {
                strings.reverse();
                strings.truncate(4);
            }
            'm' => strings.truncate(2),
            'P' => strings.truncate(3),
            _ => {}
        }
        for (nth, string) in strings.into_iter().enumerate() {
            let note = Note {
                at_s: at_s + nth as f64 * spread_s,
                len_s: if mark == 'm' { 0.14 } else { len_s },
                key: frets[string],
                velocity: feel.velocity(written),
            };
            plucks.push(Pluck { note, string, muted: mark == 'm' });
        }
    }
}

/// The electric guitar, played twice: a take is another seed and another feel, not another part.
fn electric_plucks(seed: u64, behind_ms: f64) -> Vec<Pluck> {
    let mut feel = Feel::new(seed, 6.0, behind_ms);
    let mut plucks = Vec::new();
    for bar in 0..BARS {
        let pattern = match bar {
            0..2 => "",
            2..4 => "m.m.m.m.m.m.m.m.",
            4..12 if bar % 4 == 3 => "m.m.m.m.P.....m.",
            4..12 => "m.m.m.m.m.m.m.m.",
            19 => "P.......P...P...",
            12..20 if bar % 2 == 0 => "P.....P.....P...",
            12..20 => "P.....P...P...m.",
            _ => "P...............",
        };
        strum(&mut feel, bar, pattern, 0.005, &mut plucks);
    }
    plucks
}

fn acoustic_plucks() -> Vec<Pluck> {
    let mut feel = Feel::new(5, 5.0, -2.0);
    let mut plucks = Vec::new();
    for bar in 0..BARS {
        let pattern = match bar {
            0..4 => "D.......d...u...",
            4..12 => "D...d.u...u.d.u.",
            12..20 => "D.d.D.du..uud.du",
            20 => "D...d.u...u.d.u.",
            _ => "D...............",
        };
        strum(&mut feel, bar, pattern, 0.009, &mut plucks);
    }
    plucks
}

fn piano_notes(voicings: &[[u8; 4]]) -> Vec<Note> {
    let mut feel = Feel::new(6, 5.0, 4.0);
    let mut notes = Vec::new();
    for bar in 0..BARS {
        let pattern = match bar {
            0..2 => "x...............",
            19 => "x.......x.......",
            2..12 if bar % 2 == 0 => "x.....x.........",
            2..12 => "x.....x...o...o.",
            12..20 => "x.....o.....x...",
            _ => "x...............",
        };
        let marks: Vec<_> = steps(pattern).collect();
        for (i, &(step, mark)) in marks.iter().enumerate() {
            let end = marks.get(i + 1).map_or(STEPS, |next| next.0);
            let len_s = if bar == BARS - 1 { 3.0 } else { (end - step) as f64 * 15.0 / TEMPO_BPM };
            let at_s = feel.time(bar, step as f64);
            for &key in voicings.get(2 * bar + step / 8).into_iter().flatten() {
                let velocity = feel.velocity(if mark == 'x' { 0.72 } else { 0.5 });
                let at_s = at_s + 0.002 * feel.rng.unit();
                notes.push(Note { at_s, len_s: len_s * 0.97, key, velocity });
            }
        }
    }
    notes
}

/// Whole bars (half bars where the chord changes) from the intro and from the chorus on.
fn pad_notes(voicings: &[[u8; 4]]) -> Vec<Note> {
    let half_s = 120.0 / TEMPO_BPM;
    let mut notes = Vec::new();
    for half in (0..2 * BARS).filter(|half| half / 2 < 4 || half / 2 >= 12) {
        let (bar, second) = (half / 2, half % 2 == 1);
        let splits = chord(bar, 0) != chord(bar, 1);
        if second && !splits {
            continue;
        }
        let len_s = if splits { half_s } else { 2.0 * half_s };
        let at_s = bar_s(bar) + if second { half_s } else { 0.0 };
        for &key in voicings.get(half).into_iter().flatten() {
            notes.push(Note { at_s, len_s, key, velocity: 0.7 });
        }
    }
    notes
}

/// Strokes of a hand percussion part: time and loudness.
pub(super) type Stroke = (f64, f64);

fn strokes(seed: u64, pattern_of: impl Fn(usize) -> &'static str) -> Vec<Stroke> {
    let mut feel = Feel::new(seed, 5.0, 0.0);
    let mut strokes = Vec::new();
    for bar in 0..BARS {
        for (step, mark) in steps(pattern_of(bar)) {
            let written = match mark {
                'X' => 0.95,
                'x' => 0.7,
                _ => 0.45,
            };
            strokes.push((feel.time(bar, step as f64), feel.velocity(written)));
        }
    }
    strokes
}

/// Everything that is played, once for all tracks.
pub(super) struct Score {
    pub(super) drums: Vec<Hit>,
    pub(super) bass: Vec<Note>,
    pub(super) electric: [Vec<Pluck>; 2],
    pub(super) acoustic: Vec<Pluck>,
    pub(super) piano: Vec<Note>,
    pub(super) pad: Vec<Note>,
    pub(super) shaker: Vec<Stroke>,
    pub(super) tambourine: Vec<Stroke>,
}

impl Score {
    pub(super) fn new() -> Self {
        let voicings = voicings();
        Self {
            drums: drum_hits(),
            bass: bass_notes(),
            electric: [electric_plucks(3, -3.0), electric_plucks(4, 6.0)],
            acoustic: acoustic_plucks(),
            piano: piano_notes(&voicings),
            pad: pad_notes(&voicings),
            shaker: strokes(7, |bar| if (4..20).contains(&bar) { "XoxoXoxoXoxoXoxo" } else { "" }),
            tambourine: strokes(
                8,
                |bar| {
                    if (12..21).contains(&bar) { "..o.X.o...o.X.o." } else { "" }
                },
            ),
        }
    }
}
