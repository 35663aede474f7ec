//! The drum kit: struck pieces in a room, and the microphones around them.
//!
//! Each piece is recorded once per loudness and variant into a bank of strokes (decaying modes of its
//! body, noise for stick, wires and cymbal wash). A microphone's track is every stroke of the song by the
//! way the sound takes from that piece to that microphone ([`super::room`]), so bleed, delays and the
//! phase between close microphones, overheads and room are those of one performance.

use super::room::{Mic, Path, Point, Reverb};
use super::score::{Hit, LENGTH_S, Piece, Stroke};
use super::synth::{Mode, Rng, Shape, SineTable, decay, filter, noise_burst, ring, saturate};
use topdown_dsp::math;

const PIECES: [Piece; 9] = [
    Piece::Kick,
    Piece::Snare,
    Piece::Wires,
    Piece::HatClosed,
    Piece::HatOpen,
    Piece::RackTom,
    Piece::FloorTom,
    Piece::Crash,
    Piece::Ride,
];
const LAYERS: usize = 3;
const VARIANTS: usize = 2;
/// The bank and the drum microphones run at this rate.
pub(super) const RATE_HZ: f64 = 48_000.0;

/// Frequencies of an ideal drum head's modes over its lowest.
const HEAD: [f64; 9] = [1.0, 1.594, 2.136, 2.296, 2.653, 2.918, 3.156, 3.501, 3.6];

fn place(piece: Piece) -> Point {
    match piece {
        Piece::Kick => [0.0, 0.2, 0.3],
        Piece::Snare => [-0.3, -0.1, 0.65],
        Piece::Wires => [-0.3, -0.1, 0.52],
        Piece::HatClosed | Piece::HatOpen => [-0.68, 0.0, 0.85],
        Piece::RackTom => [-0.12, 0.35, 0.8],
        Piece::FloorTom => [0.5, -0.05, 0.6],
        Piece::Crash => [-0.5, 0.55, 1.25],
        Piece::Ride => [0.6, 0.35, 1.05],
    }
}

/// Peak level at the reference distance, struck hard.
fn loudness(piece: Piece) -> f64 {
    match piece {
        Piece::Kick => 1.3,
        Piece::Snare => 1.0,
        Piece::Wires => 0.65,
        Piece::HatClosed => 0.34,
        Piece::HatOpen => 0.4,
        Piece::RackTom => 0.9,
        Piece::FloorTom => 1.0,
        Piece::Crash => 0.85,
        Piece::Ride => 0.34,
    }
}

/// A pitch that falls to `hz`, with an exponential envelope.
fn thump(out: &mut [f32], hz: f64, drop: &[(f64, f64)], t60_s: f64, amp: f64) {
    let table = SineTable::shared();
    let falls: Vec<f64> =
        drop.iter().map(|&(_, tau_s)| math::exp(-1.0 / (tau_s * RATE_HZ))).collect();
    let mut bends: Vec<f64> = drop.iter().map(|&(bend_hz, _)| bend_hz).collect();
    let (mut phase, mut level, fall) = (0.0f64, amp, decay(t60_s, RATE_HZ));
    for sample in out {
        *sample += (level * f64::from(table.at(phase))) as f32;
        phase += (hz + bends.iter().sum::<f64>()) / RATE_HZ;
        level *= fall;
        for (bend, fall) in bends.iter_mut().zip(&falls) {
            *bend *= fall;
        }
    }
}

fn head(lowest_hz: f64, t60_s: f64, amp: f64, bright: f64, rng: &mut Rng) -> Vec<Mode> {
    HEAD.iter()
        .enumerate()
        .map(|(i, ratio)| Mode {
            hz: lowest_hz * ratio * (1.0 + 0.004 * rng.white()),
            t60_s: t60_s / (1.0 + 0.45 * i as f64),
            amp: amp * math::pow(bright, i as f64) * (1.0 + 0.2 * rng.white()),
        })
        .collect()
}

/// Inharmonic modes, dense above, and a wash of noise in three bands.
fn cymbal(out: &mut [f32], rng: &mut Rng, lowest_hz: f64, t60_s: f64, ping: f64) {
    let modes: Vec<Mode> = (0..72)
        .map(|i| {
            let octave = 5.2 * (f64::from(i) + rng.unit()) / 72.0;
            let hz = lowest_hz * math::exp2(octave);
            let amp =
                ping * 0.022 * (1.0 + 0.6 * rng.white()) * if octave < 1.2 { 0.35 } else { 1.0 };
            Mode { hz, t60_s: t60_s * (1.1 - 0.12 * octave) * (0.7 + 0.6 * rng.unit()), amp }
        })
        .collect();
    ring(out, &modes, RATE_HZ);
    let wash = [
        (0.10, t60_s * 0.55, Shape::BandPass { hz: 1_900.0, q: 0.6 }),
        (0.16, t60_s * 0.8, Shape::BandPass { hz: 5_200.0, q: 0.7 }),
        (0.13, t60_s * 0.6, Shape::HighPass { hz: 8_500.0, q: 0.7 }),
    ];
    for (amp, t60_s, shape) in wash {
        noise_burst(
            out,
            rng,
            (amp, t60_s),
            &[shape, Shape::HighPass { hz: 700.0, q: 0.7 }],
            RATE_HZ,
        );
    }
}

/// One stroke of `piece`, `hardness` 0 to 1.
fn stroke(piece: Piece, hardness: f64, rng: &mut Rng) -> Vec<f32> {
    let seconds = match piece {
        Piece::Kick => 0.5,
        Piece::Snare => 0.45,
        Piece::Wires => 0.4,
        Piece::HatClosed => 0.34,
        Piece::HatOpen => 0.9,
        Piece::RackTom => 0.9,
        Piece::FloorTom => 1.2,
        Piece::Crash => 3.4,
        Piece::Ride => 1.6,
    };
    let mut out = vec![0.0f32; (seconds * RATE_HZ) as usize];
    let stick_hz = 2_500.0 + 6_000.0 * hardness;
    let stick = |out: &mut [f32], rng: &mut Rng, amp: f64, t60_s: f64, from_hz: f64| {
        let band = [
            Shape::HighPass { hz: from_hz, q: 0.7 },
            Shape::LowPass { hz: stick_hz.max(from_hz * 1.5), q: 0.7 },
        ];
        noise_burst(out, rng, (amp, t60_s), &band, RATE_HZ);
    };
    match piece {
        Piece::Kick => {
            thump(&mut out, 54.0, &[(70.0, 0.022), (260.0, 0.004)], 0.42, 0.9);
            ring(&mut out, &head(148.0, 0.14, 0.12, 0.75, rng), RATE_HZ);
            stick(&mut out, rng, 0.9, 0.018, 2_200.0);
        }
        Piece::Snare => {
            let tuning = 192.0 * (1.0 + 0.006 * rng.white());
            thump(&mut out, tuning, &[(26.0, 0.018)], 0.26, 0.55);
            ring(&mut out, &head(tuning * 1.48, 0.2, 0.16, 0.84, rng), RATE_HZ);
            stick(&mut out, rng, 1.1, 0.035, 1_100.0);
        }
        Piece::Wires => {
            let buzz = [
                Shape::HighPass { hz: 900.0, q: 0.6 },
                Shape::Peak { hz: 4_200.0, q: 0.7, db: 5.0 },
                Shape::LowPass { hz: 9_000.0 + 3_000.0 * hardness, q: 0.7 },
            ];
            noise_burst(&mut out, rng, (0.5, 0.12 + 0.06 * hardness), &buzz, RATE_HZ);
            noise_burst(&mut out, rng, (0.2, 0.3), &buzz, RATE_HZ);
        }
        Piece::HatClosed => {
            cymbal(&mut out, rng, 420.0, 0.09 + 0.05 * hardness, 0.6);
            stick(&mut out, rng, 0.25, 0.012, 3_000.0);
            filter(&mut out, &[Shape::HighPass { hz: 1_500.0, q: 0.7 }], RATE_HZ);
        }
        Piece::HatOpen => {
            cymbal(&mut out, rng, 420.0, 0.9, 0.8);
            filter(&mut out, &[Shape::HighPass { hz: 1_200.0, q: 0.7 }], RATE_HZ);
        }
        Piece::RackTom => {
            thump(&mut out, 122.0, &[(22.0, 0.05)], 0.75, 0.75);
            ring(&mut out, &head(194.0, 0.35, 0.13, 0.7, rng), RATE_HZ);
            stick(&mut out, rng, 0.55, 0.022, 1_500.0);
        }
        Piece::FloorTom => {
            thump(&mut out, 81.0, &[(16.0, 0.06)], 1.0, 0.8);
            ring(&mut out, &head(129.0, 0.45, 0.13, 0.7, rng), RATE_HZ);
            stick(&mut out, rng, 0.55, 0.022, 1_300.0);
        }
        Piece::Crash => {
            cymbal(&mut out, rng, 310.0, 4.0, 0.8);
            stick(&mut out, rng, 0.3, 0.02, 2_000.0);
        }
        Piece::Ride => {
            cymbal(&mut out, rng, 380.0, 1.3, 1.1);
            stick(&mut out, rng, 1.0, 0.014, 3_500.0);
        }
    }
    let scale = 1.0 / super::synth::peak(std::slice::from_ref(&out)).max(1e-9);
    let fade = (0.02 * RATE_HZ) as usize;
    let frames = out.len();
    for (i, sample) in out.iter_mut().enumerate() {
        *sample *= scale * ((frames - i) as f32 / fade as f32).min(1.0);
    }
    out
}

/// Every piece, recorded at every loudness and variant.
pub(super) struct Bank(Vec<Vec<f32>>);

impl Bank {
    pub(super) fn new() -> Self {
        let mut strokes = Vec::with_capacity(PIECES.len() * LAYERS * VARIANTS);
        for (i, &piece) in PIECES.iter().enumerate() {
            for take in 0..LAYERS * VARIANTS {
                let hardness = (1 + take / VARIANTS) as f64 / LAYERS as f64;
                // A crash is always struck hard.
                let unused = piece == Piece::Crash && take < (LAYERS - 1) * VARIANTS;
                let mut rng = Rng::new(1_000 + (i * LAYERS * VARIANTS + take) as u64);
                strokes.push(if unused { Vec::new() } else { stroke(piece, hardness, &mut rng) });
            }
        }
        Self(strokes)
    }

    fn index(hit: &Hit) -> usize {
        let layer = match hit.piece {
            Piece::Crash => LAYERS - 1,
            _ => ((hit.velocity * LAYERS as f64) as usize).min(LAYERS - 1),
        };
        let piece = PIECES.iter().position(|&piece| piece == hit.piece).unwrap_or(0);
        (piece * LAYERS + layer) * VARIANTS + hit.variant.min(VARIANTS - 1)
    }
}

/// Adds all strokes as `mic` hears them to `out`; `isolation` is the gain of what is not `own`.
fn record(bank: &Bank, hits: &[Hit], mic: Mic, own: &[Piece], isolation: f64, out: &mut [f32]) {
    for &piece in &PIECES {
        let Path { gain, delay_s, treble_hz } = mic.path(place(piece));
        let shield = if own.is_empty() || own.contains(&piece) { 1.0 } else { isolation };
        // A head moves away from one side as it moves towards the other.
        let below = piece == Piece::Snare && mic.at[2] < place(piece)[2];
        let gain = gain * shield * loudness(piece) * if below { -1.0 } else { 1.0 };
        let mut images: Vec<Option<Vec<f32>>> = vec![None; bank.0.len()];
        for hit in hits.iter().filter(|hit| hit.piece == piece) {
            let index = Bank::index(hit);
            let image = images[index].get_or_insert_with(|| {
                let mut image = bank.0[index].clone();
                filter(&mut image, &[Shape::LowPass { hz: treble_hz, q: 0.6 }], RATE_HZ);
                image
            });
            let start = ((hit.at_s + delay_s) * RATE_HZ) as usize;
            let level = (gain * math::pow(hit.velocity, 1.4)) as f32;
            let ends = (hit.len_s * RATE_HZ) as usize;
            let fade = 0.03 * RATE_HZ as f32;
            let frames = out.iter_mut().skip(start).zip(image.iter().take(ends)).enumerate();
            for (i, (sample, stroke)) in frames {
                *sample += stroke * level * ((ends - i) as f32 / fade).min(1.0);
            }
        }
    }
}

/// The microphones on the kit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum KitMic {
    KickIn,
    KickOut,
    SnareTop,
    SnareBottom,
    Hat,
    RackTom,
    FloorTom,
    Overheads,
    Room,
}

/// The track of one microphone, or of a pair.
pub(super) fn kit(bank: &Bank, hits: &[Hit], mic: KitMic) -> Vec<Vec<f32>> {
    let (mics, own, isolation): (&[(Point, Point)], &[Piece], f64) = match mic {
        KitMic::KickIn => (&[([0.02, 0.38, 0.3], [0.0, 0.2, 0.3])], &[Piece::Kick], 0.16),
        KitMic::KickOut => (&[([0.0, 0.85, 0.28], [0.0, 0.2, 0.3])], &[Piece::Kick], 0.35),
        KitMic::SnareTop => {
            (&[([-0.33, 0.03, 0.71], [-0.3, -0.1, 0.65])], &[Piece::Snare, Piece::Wires], 0.7)
        }
        KitMic::SnareBottom => {
            (&[([-0.3, -0.02, 0.44], [-0.3, -0.1, 0.6])], &[Piece::Snare, Piece::Wires], 0.4)
        }
        KitMic::Hat => {
            (&[([-0.8, 0.06, 1.0], [-0.66, 0.0, 0.85])], &[Piece::HatClosed, Piece::HatOpen], 0.6)
        }
        KitMic::RackTom => (&[([-0.14, 0.48, 0.87], [-0.12, 0.35, 0.8])], &[Piece::RackTom], 0.6),
        KitMic::FloorTom => (&[([0.6, 0.08, 0.68], [0.5, -0.05, 0.6])], &[Piece::FloorTom], 0.6),
        KitMic::Overheads => (
            &[([-0.55, 0.1, 1.7], [-0.3, 0.1, 0.7]), ([0.6, 0.1, 1.7], [0.35, 0.1, 0.7])],
            &[],
            1.0,
        ),
        KitMic::Room => {
            (&[([-1.4, 3.2, 1.3], [0.0, 0.0, 0.7]), ([1.4, 3.2, 1.3], [0.0, 0.0, 0.7])], &[], 1.0)
        }
    };
    let frames = (LENGTH_S * RATE_HZ) as usize;
    let mut planes = vec![vec![0.0f32; frames]; mics.len()];
    for (plane, &(at, aim)) in planes.iter_mut().zip(mics) {
        record(bank, hits, Mic { at, aim }, own, isolation, plane);
    }
    if let [left, right] = planes.as_mut_slice() {
        let (t60_s, gain) = if mic == KitMic::Room { (0.62, 0.5) } else { (0.4, 0.07) };
        let input: Vec<f32> = left.iter().zip(right.iter()).map(|(l, r)| 0.5 * (l + r)).collect();
        Reverb::new(t60_s, 6_500.0, 1.0, RATE_HZ).add(&input, left, right, gain);
    }
    for plane in &mut planes {
        filter(plane, voicing(mic), RATE_HZ);
        match mic {
            KitMic::Room => saturate(plane, 12.0, 0.0),
            // The preamp's switch turns the far side of the head upright.
            KitMic::SnareBottom => plane.iter_mut().for_each(|sample| *sample = -*sample),
            _ => {}
        }
    }
    planes
}

/// What the model of microphone and the preamp's switches do to the sound.
fn voicing(mic: KitMic) -> &'static [Shape] {
    match mic {
        KitMic::KickIn => &[
            Shape::HighPass { hz: 35.0, q: 0.7 },
            Shape::Peak { hz: 320.0, q: 1.0, db: -6.0 },
            Shape::Peak { hz: 4_000.0, q: 0.9, db: 5.0 },
        ],
        KitMic::KickOut => &[
            Shape::HighPass { hz: 28.0, q: 0.7 },
            Shape::Peak { hz: 62.0, q: 0.9, db: 4.0 },
            Shape::LowPass { hz: 2_600.0, q: 0.6 },
        ],
        KitMic::SnareTop => {
            &[Shape::HighPass { hz: 70.0, q: 0.7 }, Shape::Peak { hz: 5_500.0, q: 0.8, db: 4.0 }]
        }
        KitMic::SnareBottom => &[Shape::HighPass { hz: 140.0, q: 0.7 }],
        KitMic::Hat => &[Shape::HighPass { hz: 180.0, q: 0.7 }],
        KitMic::RackTom | KitMic::FloorTom => {
            &[Shape::HighPass { hz: 45.0, q: 0.7 }, Shape::Peak { hz: 450.0, q: 0.9, db: -4.0 }]
        }
        KitMic::Overheads => &[Shape::HighPass { hz: 60.0, q: 0.7 }],
        KitMic::Room => {
            &[Shape::HighPass { hz: 50.0, q: 0.7 }, Shape::HighShelf { hz: 7_000.0, db: -3.0 }]
        }
    }
}

/// A shaker: two soft bursts of beads a stroke, forwards and stopped.
pub(super) fn shaker(strokes: &[Stroke], rate: f64) -> Vec<f32> {
    let mut out = vec![0.0f32; (LENGTH_S * rate) as usize];
    let mut rng = Rng::new(41);
    for &(at_s, velocity) in strokes {
        let start = (at_s * rate) as usize;
        let rise = (0.018 * rate) as usize;
        let fall = decay(0.075, rate);
        let mut level = 0.0;
        for (i, sample) in
            out.iter_mut().skip(start.saturating_sub(rise)).take(rise * 6).enumerate()
        {
            level = if i < rise { velocity * (i as f64 / rise as f64) } else { level * fall };
            *sample += (level * rng.white()) as f32;
        }
    }
    let beads = [
        Shape::HighPass { hz: 3_800.0, q: 0.8 },
        Shape::Peak { hz: 6_800.0, q: 1.2, db: 6.0 },
        Shape::LowPass { hz: 13_000.0, q: 0.7 },
    ];
    filter(&mut out, &beads, rate);
    out
}

/// A tambourine: a shower of small jingles for each stroke.
pub(super) fn tambourine(strokes: &[Stroke], rate: f64) -> Vec<f32> {
    let mut rng = Rng::new(43);
    let modes: Vec<Mode> = (0..40)
        .map(|_| Mode {
            hz: 4_500.0 + 9_000.0 * rng.unit(),
            t60_s: 0.15 + 0.2 * rng.unit(),
            amp: rng.white(),
        })
        .collect();
    let jingles: Vec<Vec<f32>> = (0..8)
        .map(|_| {
            let mut jingle = vec![0.0f32; (0.25 * rate) as usize];
            let some: Vec<Mode> = modes.iter().copied().filter(|_| rng.unit() < 0.3).collect();
            ring(&mut jingle, &some, rate);
            jingle
        })
        .collect();
    let mut out = vec![0.0f32; (LENGTH_S * rate) as usize];
    for &(at_s, velocity) in strokes {
        for grain in 0..14 {
            let after_s = if grain == 0 { 0.0 } else { 0.055 * rng.unit() * rng.unit() };
            let level = (velocity * velocity * 0.2 * (1.0 - 10.0 * after_s)) as f32;
            let jingle = &jingles[(rng.unit() * jingles.len() as f64) as usize % jingles.len()];
            let start = ((at_s + after_s) * rate) as usize;
            for (sample, ringing) in out.iter_mut().skip(start).zip(jingle) {
                *sample += level * ringing;
            }
        }
    }
    filter(&mut out, &[Shape::HighPass { hz: 2_500.0, q: 0.7 }], rate);
    out
}

/// A metronome, one beat to the next, higher on the first of a bar.
pub(super) fn click(bars: usize, rate: f64) -> Vec<f32> {
    let mut out = vec![0.0f32; (LENGTH_S * rate) as usize];
    for beat in 0..bars * 4 {
        let hz = if beat % 4 == 0 { 1_760.0 } else { 1_320.0 };
        let start = (super::score::beat_s(beat as f64) * rate) as usize;
        let frames = (0.04 * rate) as usize;
        if let Some(span) = out.get_mut(start..start + frames) {
            ring(span, &[Mode { hz, t60_s: 0.05, amp: 0.5 }], rate);
        }
    }
    out
}
