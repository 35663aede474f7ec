//! Plucked strings: bass, electric and acoustic guitar.
//!
//! A string is a Karplus-Strong loop (Karplus & Strong 1983; tuning and pick position after Jaffe &
//! Smith 1983): a delay line of one period with a two-tap loss filter and a first-order allpass for the
//! fraction of a frame. A pluck throws a noise burst into the loop that runs through the song, so a new
//! note on a ringing string ends the old one as a finger does.

use super::score::{LENGTH_S, Note, Pluck};
use super::synth::{Biquad, Rng, Shape, decay, filter, key_hz, saturate};
use topdown_dsp::math;

/// How an instrument's strings are made and struck.
#[derive(Debug, Clone, Copy)]
struct Material {
    /// Ring time of a low open string, in seconds; higher ones ring less.
    t60_s: f64,
    /// Loss of treble in a turn, 0 (none) to 0.5 (most).
    loss: f64,
    /// Treble of a hard pluck, in Hz.
    pick_hz: f64,
    /// Where it is plucked, as a fraction of the string.
    pick_at: f64,
}

const LINE: usize = 2048;

struct LoopedString {
    line: Vec<f32>,
    place: usize,
    whole: usize,
    allpass: f32,
    ap_in: f32,
    ap_out: f32,
    loss: f32,
    last: f32,
    feedback: f32,
}

impl LoopedString {
    fn new() -> Self {
        Self {
            line: vec![0.0; LINE],
            place: 0,
            whole: LINE / 2,
            allpass: 0.0,
            ap_in: 0.0,
            ap_out: 0.0,
            loss: 0.5,
            last: 0.0,
            feedback: 0.0,
        }
    }

    fn tune(&mut self, hz: f64, loss: f64, rate: f64) {
        let period = (rate / hz).min(LINE as f64 - 4.0);
        // The loss filter delays by `loss` frames at low frequencies, the allpass by 0.3 to 1.3.
        let rest = period - loss;
        let whole = (rest - 0.3).floor();
        let fraction = rest - whole;
        self.whole = whole.max(2.0) as usize;
        self.allpass = ((1.0 - fraction) / (1.0 + fraction)) as f32;
        self.loss = loss as f32;
    }

    fn ring_for(&mut self, t60_s: f64, hz: f64) {
        self.feedback = math::exp(-6.907_755 / (t60_s * hz)) as f32;
    }

    #[inline]
    fn tick(&mut self, input: f32) -> f32 {
        let out = self.line[(self.place + LINE - self.whole) % LINE];
        let lossy = out + self.loss * (self.last - out);
        self.last = out;
        self.ap_out = self.allpass * (lossy - self.ap_out) + self.ap_in;
        self.ap_in = lossy;
        let next = self.feedback * self.ap_out + input;
        self.line[self.place] = next;
        self.place = (self.place + 1) % LINE;
        next
    }
}

/// A burst of one period of noise, darker when soft, with the comb of the place it is plucked at.
fn pluck_burst(
    material: &Material,
    note: &Note,
    muted: bool,
    rng: &mut Rng,
    rate: f64,
) -> Vec<f32> {
    let period = rate / key_hz(f64::from(note.key));
    let frames = period as usize;
    let mut burst: Vec<f32> = (0..frames).map(|_| rng.white() as f32).collect();
    let mean = burst.iter().sum::<f32>() / frames.max(1) as f32;
    for sample in &mut burst {
        *sample -= mean;
    }
    burst.resize(2 * frames + 8, 0.0);
    let comb = (period * material.pick_at) as usize;
    for i in (comb..burst.len()).rev() {
        burst[i] -= 0.9 * burst[i - comb];
    }
    let treble = material.pick_hz * (0.35 + 0.65 * note.velocity) * if muted { 0.6 } else { 1.0 };
    filter(&mut burst, &[Shape::LowPass { hz: treble, q: 0.6 }], rate);
    let energy = burst.iter().map(|x| x * x).sum::<f32>() / frames.max(1) as f32;
    let scale = note.velocity as f32 / energy.sqrt().max(1e-6);
    for sample in &mut burst {
        *sample *= scale;
    }
    burst
}

/// Adds one string's part to `out`; `plucks` in order of time.
fn play(out: &mut [f32], plucks: &[Pluck], material: &Material, rng: &mut Rng, rate: f64) {
    let mut string = LoopedString::new();
    let frame = |seconds: f64| (seconds.max(0.0) * rate) as usize;
    for (i, pluck) in plucks.iter().enumerate() {
        let start = frame(pluck.note.at_s).min(out.len());
        let end = plucks.get(i + 1).map_or(out.len(), |next| frame(next.note.at_s)).min(out.len());
        let stop = frame(pluck.note.at_s + pluck.note.len_s);
        let detune = 1.0 + 0.0008 * rng.bell();
        let hz = key_hz(f64::from(pluck.note.key)) * detune;
        let t60_s = material.t60_s * (110.0 / hz).sqrt().min(1.6);
        let loss = material.loss + if pluck.muted { 0.12 } else { 0.0 };
        string.tune(hz, loss.min(0.5), rate);
        string.ring_for(if pluck.muted { t60_s.min(0.4) } else { t60_s }, hz);
        let burst = pluck_burst(material, &pluck.note, pluck.muted, rng, rate);
        // The finger that lands takes most of what still rang.
        for sample in &mut string.line {
            *sample *= 0.15;
        }
        for (n, sample) in out.iter_mut().enumerate().take(end).skip(start) {
            if n == stop {
                string.ring_for(0.07, hz);
            }
            *sample += string.tick(burst.get(n - start).copied().unwrap_or(0.0));
        }
    }
}

fn play_all(plucks: &[Pluck], material: &Material, seed: u64, rate: f64) -> Vec<f32> {
    let mut out = vec![0.0f32; (LENGTH_S * rate) as usize];
    for number in 0..6 {
        let mut part: Vec<Pluck> =
            plucks.iter().copied().filter(|pluck| pluck.string == number).collect();
        part.sort_by(|a, b| a.note.at_s.total_cmp(&b.note.at_s));
        play(&mut out, &part, material, &mut Rng::new(seed + number as u64), rate);
    }
    out
}

/// The bass straight from its pickup.
pub(super) fn bass_di(notes: &[Note], rate: f64) -> Vec<f32> {
    let material = Material { t60_s: 4.5, loss: 0.32, pick_hz: 620.0, pick_at: 0.22 };
    let plucks: Vec<Pluck> =
        notes.iter().map(|&note| Pluck { note, string: 0, muted: false }).collect();
    let mut out = vec![0.0f32; (LENGTH_S * rate) as usize];
    play(&mut out, &plucks, &material, &mut Rng::new(31), rate);
    let tone = [
        Shape::HighPass { hz: 28.0, q: 0.7 },
        Shape::LowShelf { hz: 110.0, db: 10.0 },
        Shape::LowPass { hz: 4_500.0, q: 0.6 },
    ];
    filter(&mut out, &tone, rate);
    out
}

/// The distance of the microphone from the bass cabinet, as a delay.
pub(super) const BASS_AMP_DELAY_S: f64 = 0.0012;

/// The same performance through amplifier, cabinet and a microphone 40 cm away.
pub(super) fn bass_amp(notes: &[Note], rate: f64) -> Vec<f32> {
    let di = bass_di(notes, rate);
    let top = super::synth::peak(std::slice::from_ref(&di)).max(1e-9);
    let delay = (BASS_AMP_DELAY_S * rate) as usize;
    let mut out = vec![0.0f32; delay];
    out.extend(di.iter().take(di.len() - delay.min(di.len())).map(|x| x / top));
    filter(&mut out, &[Shape::Peak { hz: 700.0, q: 0.8, db: 4.0 }], rate);
    saturate(&mut out, 13.0, 0.25);
    let cabinet = [
        Shape::HighPass { hz: 48.0, q: 0.9 },
        Shape::Peak { hz: 110.0, q: 1.0, db: 3.0 },
        Shape::Peak { hz: 1_700.0, q: 1.2, db: 4.0 },
        Shape::LowPass { hz: 3_600.0, q: 0.9 },
        Shape::LowPass { hz: 4_800.0, q: 0.7 },
    ];
    filter(&mut out, &cabinet, rate);
    out
}

/// One take of the electric guitar, through a driven amplifier and a closed cabinet.
pub(super) fn electric(plucks: &[Pluck], take: u64, rate: f64) -> Vec<f32> {
    let material = Material { t60_s: 6.0, loss: 0.2, pick_hz: 2_600.0, pick_at: 0.13 };
    let mut out = play_all(plucks, &material, 50 + 10 * take, rate);
    let scale = 1.0 / super::synth::peak(std::slice::from_ref(&out)).max(1e-9);
    for sample in &mut out {
        *sample *= scale;
    }
    // The two takes went through two amplifiers: one tighter, one darker.
    let (drive_db, voice_hz) = if take == 0 { (22.0, 800.0) } else { (20.0, 620.0) };
    let front = [
        Shape::HighPass { hz: 95.0, q: 0.7 },
        Shape::Peak { hz: voice_hz, q: 0.7, db: 3.0 },
        Shape::LowPass { hz: 5_500.0, q: 0.7 },
    ];
    filter(&mut out, &front, rate);
    saturate(&mut out, drive_db, 0.15);
    filter(&mut out, &[Shape::HighPass { hz: 60.0, q: 0.7 }], rate);
    saturate(&mut out, 5.0, 0.0);
    let cabinet = [
        Shape::HighPass { hz: 85.0, q: 1.0 },
        Shape::LowShelf { hz: 260.0, db: 5.0 },
        Shape::Peak { hz: 420.0, q: 1.0, db: -3.5 },
        Shape::Peak { hz: if take == 0 { 2_700.0 } else { 2_300.0 }, q: 1.1, db: 2.5 },
        Shape::LowPass { hz: 4_700.0, q: 1.0 },
        Shape::LowPass { hz: 5_600.0, q: 0.7 },
    ];
    filter(&mut out, &cabinet, rate);
    out
}

/// The acoustic guitar in front of one microphone: strings, the air in the body, the top plate.
pub(super) fn acoustic(plucks: &[Pluck], rate: f64) -> Vec<f32> {
    let material = Material { t60_s: 3.0, loss: 0.07, pick_hz: 5_500.0, pick_at: 0.17 };
    let mut out = play_all(plucks, &material, 80, rate);
    let mut rng = Rng::new(90);
    let mut scrape = Biquad::new(Shape::BandPass { hz: 5_200.0, q: 0.8 }, rate);
    let fall = decay(0.02, rate);
    let mut strikes: Vec<(usize, f64)> = plucks
        .iter()
        .map(|pluck| ((pluck.note.at_s.max(0.0) * rate) as usize, pluck.note.velocity))
        .collect();
    strikes.sort_by_key(|strike| strike.0);
    let mut strikes = strikes.into_iter().peekable();
    let mut level = 0.0f64;
    for (n, sample) in out.iter_mut().enumerate() {
        while let Some((_, velocity)) = strikes.next_if(|strike| strike.0 <= n) {
            level = level.max(0.5 * velocity);
        }
        level *= fall;
        *sample += scrape.tick(rng.white() * level) as f32;
    }
    let body = [
        Shape::HighPass { hz: 75.0, q: 0.7 },
        Shape::LowShelf { hz: 280.0, db: 6.0 },
        Shape::Peak { hz: 104.0, q: 2.5, db: 3.0 },
        Shape::Peak { hz: 205.0, q: 2.0, db: 2.0 },
        Shape::Peak { hz: 420.0, q: 2.0, db: -3.0 },
        Shape::Peak { hz: 3_200.0, q: 0.8, db: 3.0 },
        Shape::HighShelf { hz: 8_000.0, db: 3.0 },
    ];
    filter(&mut out, &body, rate);
    out
}
