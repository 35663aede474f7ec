//! Singers: a source-filter model of the voice.
//!
//! The source is the derivative of a Rosenberg glottal pulse (rounded at closure), with vibrato, drift,
//! jitter and breath. The filter is a cascade of five formant resonators (D. Klatt 1980) whose targets come
//! from the words: vowels with glides, nasals and approximants between them, hiss and bursts for the
//! consonants, which come before the beat so that the vowel lands on it. Formants are those of G. Peterson
//! and H. Barney's speakers (1952), rounded; a singer's throat scales them. Controls move once a
//! millisecond through one-pole smoothing, so that everything glides.

use super::score::{LENGTH_S, bar_s, beat_s, chord, chord_tone};
use super::synth::{Biquad, Rng, Shape, SineTable, key_hz, smoothing};
use topdown_dsp::math;

/// A sung word: the sounds, the beat in its phrase, the length in beats, the key.
type Syllable = (&'static str, f64, f64, u8);

/// A phrase: the bar it starts in, and its words.
type Phrase = (usize, &'static [Syllable]);

const VERSE_AND_CHORUS: &[Phrase] = &[
    // Turn the faders to the floor, hear the room behind the door,
    (
        4,
        &[
            ("t er n", 0.5, 0.5, 61),
            ("dh uh", 1.0, 0.5, 61),
            ("f ei", 1.5, 1.0, 64),
            ("d er z", 2.5, 0.5, 61),
            ("t u", 3.0, 0.5, 59),
            ("dh uh", 3.5, 0.5, 57),
            ("f l o r", 4.0, 2.5, 57),
        ],
    ),
    (
        6,
        &[
            ("h i r", 0.5, 0.5, 61),
            ("dh uh", 1.0, 0.5, 61),
            ("r u m", 1.5, 1.0, 64),
            ("b i", 2.5, 0.5, 66),
            ("h ai n d", 3.0, 0.5, 64),
            ("dh uh", 3.5, 0.5, 61),
            ("d o r", 4.0, 2.5, 59),
        ],
    ),
    // every voice alone is small, but I only want them all.
    (
        8,
        &[
            ("e v", 0.5, 0.5, 61),
            ("r i", 1.0, 0.5, 61),
            ("v oi s", 1.5, 1.0, 66),
            ("uh", 2.5, 0.5, 64),
            ("l ou n", 3.0, 0.5, 61),
            ("i z", 3.5, 0.5, 59),
            ("s m o l", 4.0, 2.5, 57),
        ],
    ),
    (
        10,
        &[
            ("b uh t", 0.5, 0.5, 64),
            ("ai", 1.0, 0.5, 64),
            ("ou n", 1.5, 0.5, 66),
            ("l i", 2.0, 0.5, 64),
            ("w o n t", 2.5, 1.0, 61),
            ("dh e m", 3.5, 0.5, 59),
            ("o", 4.0, 1.5, 59),
            ("o l", 5.5, 1.5, 64),
        ],
    ),
    // From the top, from the top we go, let the whole song tell us so,
    (
        12,
        &[
            ("f r uh m", 0.0, 0.5, 66),
            ("dh uh", 0.5, 0.5, 64),
            ("t o p", 1.0, 1.5, 66),
            ("f r uh m", 3.0, 0.5, 66),
            ("dh uh", 3.5, 0.5, 66),
            ("t o p", 4.0, 1.0, 69),
            ("w i", 5.5, 0.5, 66),
            ("g ou", 6.0, 1.75, 64),
        ],
    ),
    (
        14,
        &[
            ("l e t", 0.0, 0.5, 64),
            ("dh uh", 0.5, 0.5, 64),
            ("h ou l", 1.0, 1.5, 68),
            ("s o n", 3.0, 1.0, 66),
            ("t e l", 4.0, 1.0, 66),
            ("uh s", 5.0, 0.75, 64),
            ("s ou", 6.0, 1.75, 61),
        ],
    ),
    // bring it up, bring it up and hold till the last note turns to gold.
    (
        16,
        &[
            ("b r i n", 0.0, 0.5, 66),
            ("i t", 0.5, 0.5, 64),
            ("uh p", 1.0, 1.5, 66),
            ("b r i n", 3.0, 0.5, 66),
            ("i t", 3.5, 0.5, 66),
            ("uh p", 4.0, 1.0, 69),
            ("ae n d", 5.25, 0.75, 66),
            ("h ou l d", 6.0, 1.75, 64),
        ],
    ),
    (
        18,
        &[
            ("t i l", 0.0, 0.5, 62),
            ("dh uh", 0.5, 0.5, 62),
            ("l ae s t", 1.0, 1.25, 66),
            ("n ou t", 2.5, 1.0, 66),
            ("t er n z", 4.0, 0.75, 64),
            ("t u", 5.0, 0.5, 66),
            ("g ou", 5.5, 1.0, 69),
            ("ou l d", 6.5, 1.5, 68),
        ],
    ),
    (20, &[("f r uh m", 0.0, 0.5, 66), ("dh uh", 0.5, 0.5, 64), ("t o p", 1.0, 4.5, 64)]),
];

/// Who sings.
#[derive(Debug, Clone, Copy)]
pub(super) struct Singer {
    seed: u64,
    /// Formants over those of the table: a shorter throat is above 1.
    throat: f64,
    /// Breath over voice, 0 to 1.
    air: f64,
    /// Lateness, in seconds.
    behind_s: f64,
    /// Sings at this distance from the lead: below (`Some(false)`), above (`Some(true)`), or the lead.
    harmony: Option<bool>,
}

/// The lead.
pub(super) const LEAD: Singer =
    Singer { seed: 71, throat: 1.04, air: 0.10, behind_s: 0.008, harmony: None };
/// The harmony below.
pub(super) const LOW: Singer =
    Singer { seed: 72, throat: 0.98, air: 0.16, behind_s: 0.014, harmony: Some(false) };
/// The harmony above.
pub(super) const HIGH: Singer =
    Singer { seed: 73, throat: 1.15, air: 0.14, behind_s: 0.002, harmony: Some(true) };

const FORMANTS: usize = 5;
const WIDTHS_HZ: [f64; FORMANTS] = [110.0, 110.0, 140.0, 180.0, 240.0];

/// What the throat does for a while.
#[derive(Debug, Clone, Copy)]
struct Posture {
    at_s: f64,
    key: f64,
    formants: [f64; FORMANTS],
    voice: f64,
    breath: f64,
    hiss: f64,
    hiss_hz: f64,
    hiss_q: f64,
    /// Where the note under it began, for the vibrato's bloom.
    note_s: f64,
}

/// F1 to F3 of a vowel, or the first and last of a glide.
fn vowel(sound: &str) -> Option<([f64; 3], [f64; 3])> {
    const A: [f64; 3] = [730.0, 1090.0, 2440.0];
    const E: [f64; 3] = [530.0, 1840.0, 2480.0];
    const I: [f64; 3] = [330.0, 2200.0, 2900.0];
    const O: [f64; 3] = [570.0, 840.0, 2410.0];
    const U: [f64; 3] = [330.0, 900.0, 2240.0];
    Some(match sound {
        "ae" => ([660.0, 1720.0, 2410.0], [620.0, 1720.0, 2410.0]),
        "e" => (E, E),
        "i" => (I, I),
        "o" => (O, [590.0, 880.0, 2400.0]),
        "u" => (U, U),
        "uh" => ([640.0, 1190.0, 2390.0], [600.0, 1200.0, 2390.0]),
        "er" => ([490.0, 1350.0, 1690.0], [490.0, 1330.0, 1650.0]),
        "ai" => (A, [420.0, 2000.0, 2600.0]),
        "ei" => (E, I),
        "oi" => (O, [400.0, 2000.0, 2600.0]),
        "ou" => ([540.0, 950.0, 2400.0], [380.0, 850.0, 2300.0]),
        _ => return None,
    })
}

/// How a consonant sounds.
#[derive(Debug, Clone, Copy)]
struct Consonant {
    len_s: f64,
    /// F1 to F3 of its place, or none where the vowel's stand.
    formants: Option<[f64; 3]>,
    voice: f64,
    breath: f64,
    hiss: f64,
    hiss_hz: f64,
    hiss_q: f64,
    /// Closed first for the given time, then a burst.
    closed_s: f64,
}

fn consonant(sound: &str) -> Option<Consonant> {
    let open = Consonant {
        len_s: 0.07,
        formants: None,
        voice: 0.0,
        breath: 0.0,
        hiss: 0.0,
        hiss_hz: 4_000.0,
        hiss_q: 0.8,
        closed_s: 0.0,
    };
    let stop = Consonant { len_s: 0.035, closed_s: 0.05, ..open };
    let murmur = Consonant { voice: 0.4, ..open };
    Some(match sound {
        "t" => Consonant { hiss: 1.0, hiss_hz: 5_200.0, breath: 0.5, ..stop },
        "p" => Consonant { hiss: 0.35, hiss_hz: 1_000.0, breath: 0.6, ..stop },
        "d" => Consonant { len_s: 0.02, hiss: 0.6, hiss_hz: 4_400.0, voice: 0.3, ..stop },
        "b" => Consonant { len_s: 0.015, hiss: 0.25, hiss_hz: 900.0, voice: 0.3, ..stop },
        "g" => Consonant { len_s: 0.02, hiss: 0.5, hiss_hz: 2_000.0, voice: 0.3, ..stop },
        "s" => Consonant { len_s: 0.11, hiss: 0.9, hiss_hz: 7_200.0, hiss_q: 1.1, ..open },
        "z" => {
            Consonant { len_s: 0.08, hiss: 0.5, hiss_hz: 6_800.0, hiss_q: 1.1, voice: 0.3, ..open }
        }
        "f" => Consonant { len_s: 0.09, hiss: 0.3, hiss_hz: 7_500.0, hiss_q: 0.4, ..open },
        "v" | "dh" => Consonant { len_s: 0.05, hiss: 0.1, hiss_hz: 5_000.0, ..murmur },
        "h" => Consonant { len_s: 0.07, breath: 1.0, ..open },
        "m" => Consonant { formants: Some([260.0, 1_000.0, 2_200.0]), ..murmur },
        "n" => Consonant { formants: Some([270.0, 1_450.0, 2_500.0]), ..murmur },
        "l" => Consonant { formants: Some([340.0, 1_050.0, 2_700.0]), voice: 0.55, ..murmur },
        "r" => Consonant { formants: Some([350.0, 1_150.0, 1_600.0]), voice: 0.55, ..murmur },
        "w" => Consonant { formants: Some([310.0, 650.0, 2_200.0]), voice: 0.5, ..murmur },
        _ => return None,
    })
}

fn throat(first: [f64; 3], singer: &Singer) -> [f64; FORMANTS] {
    [first[0], first[1], first[2], 3_350.0, 4_400.0].map(|hz| hz * singer.throat)
}

/// Turns the words into postures, in order of time.
fn postures(singer: &Singer) -> Vec<Posture> {
    let mut rng = Rng::new(singer.seed);
    let rest = Posture {
        at_s: 0.0,
        key: 60.0,
        formants: throat([600.0, 1_200.0, 2_400.0], singer),
        voice: 0.0,
        breath: 0.0,
        hiss: 0.0,
        hiss_hz: 4_000.0,
        hiss_q: 0.8,
        note_s: 0.0,
    };
    let mut postures = vec![rest];
    let phrases = VERSE_AND_CHORUS
        .iter()
        .filter(|(bar, _)| singer.harmony.is_none() || (12..20).contains(bar));
    for &(bar, words) in phrases {
        let first_s = bar_s(bar) + words.first().map_or(0.0, |word| beat_s(word.1) - beat_s(0.0));
        let inhale = Posture { at_s: first_s - 0.62, breath: 0.26, ..rest };
        postures.push(inhale);
        postures.push(Posture { at_s: first_s - 0.25, ..rest });
        for &(sounds, beat, beats, lead_key) in words {
            let half = (((beat % 4.0) / 2.0) as usize).min(1);
            let now = chord(bar + (beat / 4.0) as usize, half);
            let key = singer.harmony.map_or(lead_key, |above| chord_tone(now, lead_key, 3, above));
            let start_s = bar_s(bar) + beat_s(beat) - beat_s(0.0)
                + singer.behind_s
                + 0.008 * rng.bell().clamp(-2.0, 2.0);
            let end_s = start_s + beats * 60.0 / super::score::TEMPO_BPM;
            let effort =
                (0.85 + 0.02 * (f64::from(key) - 62.0) + 0.06 * rng.bell()).clamp(0.5, 1.0);
            let note = Posture { key: f64::from(key), note_s: start_s, ..rest };
            sing(sounds, note, (start_s, end_s), effort, singer, &mut postures);
        }
        let last_s = postures.last().map_or(first_s, |last| last.at_s);
        let end_s =
            words.last().map_or(last_s, |word| bar_s(bar) + beat_s(word.1 + word.2) - beat_s(0.0));
        let key = postures.last().map_or(60.0, |last| last.key);
        postures.push(Posture { at_s: end_s.max(last_s + 0.02), key: key - 1.0, ..rest });
    }
    postures.sort_by(|a, b| a.at_s.total_cmp(&b.at_s));
    postures
}

/// The postures of one syllable whose vowel begins at `start_s`.
fn sing(
    sounds: &str,
    note: Posture,
    (start_s, end_s): (f64, f64),
    effort: f64,
    singer: &Singer,
    postures: &mut Vec<Posture>,
) {
    let sounds: Vec<&str> = sounds.split(' ').collect();
    let Some(at) = sounds.iter().position(|sound| vowel(sound).is_some()) else { return };
    let Some((first, last)) = sounds.get(at).and_then(|sound| vowel(sound)) else { return };
    let onset: Vec<Consonant> = sounds[..at].iter().filter_map(|sound| consonant(sound)).collect();
    let coda: Vec<Consonant> =
        sounds[at + 1..].iter().filter_map(|sound| consonant(sound)).collect();
    let length = |all: &[Consonant]| all.iter().map(|c| c.len_s + c.closed_s).sum::<f64>();
    let articulate = |mut at_s: f64, all: &[Consonant], near: [f64; 3], out: &mut Vec<Posture>| {
        for c in all {
            let formants = throat(c.formants.unwrap_or(near), singer);
            if c.closed_s > 0.0 {
                out.push(Posture { at_s, formants, voice: 0.15 * c.voice, ..note });
                at_s += c.closed_s;
            }
            out.push(Posture {
                at_s,
                formants,
                voice: c.voice * effort,
                breath: c.breath,
                hiss: c.hiss,
                hiss_hz: c.hiss_hz,
                hiss_q: c.hiss_q,
                ..note
            });
            at_s += c.len_s;
        }
    };
    articulate(start_s - length(&onset), &onset, first, postures);
    let open = Posture { voice: effort, breath: singer.air, ..note };
    let coda_s = (end_s - length(&coda) - 0.01).max(start_s + 0.08);
    let glide_s = start_s + 0.45 * (coda_s - start_s);
    postures.push(Posture { at_s: start_s, formants: throat(first, singer), ..open });
    postures.push(Posture { at_s: glide_s, formants: throat(last, singer), ..open });
    articulate(coda_s, &coda, last, postures);
}

/// One formant: a two-pole resonator with unity gain at 0 Hz.
#[derive(Debug, Clone, Copy, Default)]
struct Formant {
    a: f64,
    b: f64,
    c: f64,
    y1: f64,
    y2: f64,
}

impl Formant {
    fn tune(&mut self, hz: f64, width_hz: f64, rate: f64) {
        let r = math::exp(-math::PI * width_hz / rate);
        self.c = -r * r;
        self.b = 2.0 * r * math::cos(math::TAU * hz / rate);
        self.a = 1.0 - self.b - self.c;
    }

    #[inline]
    fn tick(&mut self, x: f64) -> f64 {
        let y = self.a * x + self.b * self.y1 + self.c * self.y2;
        (self.y2, self.y1) = (self.y1, y);
        y
    }
}

/// The flow's derivative over one turn: it rises to a bow, falls, and is cut off when the folds close.
#[inline]
fn glottis(phase: f64, open: f64) -> f64 {
    if phase >= open {
        return 0.0;
    }
    let t = phase / open;
    // d/dt of t²(1-t), with the cut softened over the last 25th of the open phase.
    let shut = ((1.0 - t) * 25.0).min(1.0);
    (2.0 * t - 3.0 * t * t) * shut
}

const TICK_S: f64 = 0.001;

/// The track of one singer.
pub(super) fn voice(singer: &Singer, rate: f64) -> Vec<f32> {
    let frames = (LENGTH_S * rate) as usize;
    let mut out = vec![0.0f32; frames];
    let postures = postures(singer);
    let table = SineTable::shared();
    let mut rng = Rng::new(singer.seed ^ 0x5eed);
    let tick = (TICK_S * rate) as usize;
    let (glide, formant_glide) = (smoothing(0.028, 1.0 / TICK_S), smoothing(0.020, 1.0 / TICK_S));
    let (fast, slow) = (smoothing(0.006, 1.0 / TICK_S), smoothing(0.022, 1.0 / TICK_S));
    let Some(mut state) = postures.first().copied() else { return out };
    let mut next = 1;
    let mut formants = [Formant::default(); FORMANTS];
    let mut hiss = Biquad::default();
    let mut hiss_tone = (0.0, 0.0);
    let (mut phase, mut drift, mut jitter) = (0.0f64, 0.0f64, 0.0f64);
    let mut tilt = 0.0f64;
    for (n, block) in out.chunks_mut(tick).enumerate() {
        let at_s = (n * tick) as f64 / rate;
        while postures.get(next).is_some_and(|posture| posture.at_s <= at_s) {
            next += 1;
        }
        let Some(&target) = postures.get(next - 1) else { continue };
        state.key += glide * (target.key - state.key);
        for (now, to) in state.formants.iter_mut().zip(target.formants) {
            *now += formant_glide * (to - *now);
        }
        let breath_pace = if target.breath > 0.0 && target.voice == 0.0 { 0.004 } else { slow };
        state.voice += slow * (target.voice - state.voice);
        state.breath += breath_pace.max(slow * 0.3) * (target.breath - state.breath);
        state.hiss += fast * (target.hiss - state.hiss);
        if target.hiss > 0.0 && hiss_tone != (target.hiss_hz, target.hiss_q) {
            hiss_tone = (target.hiss_hz, target.hiss_q);
            hiss.retune(Shape::BandPass { hz: target.hiss_hz, q: target.hiss_q }, rate);
        }
        // Vibrato blooms after the note has stood for a while.
        let bloom = ((at_s - target.note_s - 0.25) / 0.5).clamp(0.0, 1.0);
        let sway = f64::from(table.at(at_s * (5.3 + 0.1 * drift) + singer.seed as f64 * 0.37));
        drift += 0.002 * (rng.bell() - drift);
        jitter += 0.2 * (rng.bell() - jitter);
        let scoop = -0.7 * math::exp(-(at_s - target.note_s).max(0.0) / 0.05);
        let key = state.key + 0.38 * bloom * sway + 2.0 * drift + 0.02 * jitter + scoop;
        let hz = key_hz(key);
        // A singer opens the jaw rather than let the pitch rise above the first formant.
        let first_hz = state.formants[0].max(1.06 * hz);
        for (i, formant) in formants.iter_mut().enumerate() {
            let centre = if i == 0 { first_hz } else { state.formants[i] };
            formant.tune(centre.max(hz), WIDTHS_HZ[i] * (1.0 + 0.6 * state.breath), rate);
        }
        let open = 0.62 - 0.12 * state.voice;
        // Louder is brighter: the source's own low-pass opens.
        let bright = 0.25 + 0.5 * state.voice;
        let swell = 1.0 + 0.1 * bloom * sway;
        let turn = hz / rate;
        for sample in block {
            phase += turn;
            phase -= phase.floor();
            let noise = rng.white();
            let pulse = glottis(phase, open) * state.voice * swell;
            let air = noise * state.breath * 0.05 * (0.4 + f64::from(u8::from(phase < open)));
            tilt += bright * (pulse + air - tilt);
            let mut sound = tilt;
            for formant in &mut formants {
                sound = formant.tick(sound);
            }
            let sharp = hiss.tick(noise) * state.hiss * 0.35;
            *sample = (sound + sharp) as f32;
        }
    }
    let microphone = [
        Shape::HighPass { hz: 85.0, q: 0.7 },
        Shape::Peak { hz: 3_000.0, q: 0.6, db: 9.0 },
        Shape::HighShelf { hz: 5_500.0, db: 5.0 },
    ];
    super::synth::filter(&mut out, &microphone, rate);
    out
}
