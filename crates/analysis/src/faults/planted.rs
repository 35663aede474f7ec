// Clean tracks from formulas, and faults to plant in them; for the tests and the table of precision.

use topdown_dsp::math::{PI, TAU, cos, exp, pow, sin, tanh};

pub(crate) const RATE: f64 = 44_100.0;
pub(crate) const SECONDS: f64 = 12.0;

pub(crate) struct Random(u64);

impl Random {
    pub(crate) fn new(seed: u64) -> Self {
        Self((seed + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15))
    }

    /// Uniform, 0 to 1.
    pub(crate) fn next(&mut self) -> f64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 >> 11) as f64 / (1u64 << 53) as f64
    }

    fn between(&mut self, low: f64, high: f64) -> f64 {
        low + (high - low) * self.next()
    }

    fn noise(&mut self) -> f64 {
        2.0 * self.next() - 1.0
    }
}

struct Biquad([f64; 5], [f64; 4]);

impl Biquad {
    fn high_pass(hz: f64) -> Self {
        let w = TAU * hz / RATE;
        let alpha = sin(w) / (2.0 * 0.707);
        let (a0, b) = (1.0 + alpha, (1.0 + cos(w)) / 2.0);
        Self([b / a0, -2.0 * b / a0, b / a0, -2.0 * cos(w) / a0, (1.0 - alpha) / a0], [0.0; 4])
    }

    fn run(&mut self, x: f64) -> f64 {
        let ([b0, b1, b2, a1, a2], s) = (self.0, &mut self.1);
        let y = b0 * x + b1 * s[0] + b2 * s[1] - a1 * s[2] - a2 * s[3];
        *s = [x, s[0], y, s[2]];
        y
    }
}

fn filtered(x: &[f64], filters: Vec<Biquad>) -> Vec<f64> {
    let mut filters = filters;
    x.iter().map(|&v| filters.iter_mut().fold(v, |v, f| f.run(v))).collect()
}

fn frames() -> usize {
    (SECONDS * RATE) as usize
}

fn hz(note: f64) -> f64 {
    440.0 * pow(2.0, (note - 69.0) / 12.0)
}

/// Adds a decaying or held tone with harmonics falling by `tilt`.
fn add_note(out: &mut [f64], at_s: f64, length_s: f64, f: f64, tilt: f64, decay_s: f64, gain: f64) {
    let start = (at_s * RATE) as usize;
    let count = ((9000.0 / f) as usize).clamp(1, 24);
    for i in 0..(length_s * RATE) as usize {
        let Some(slot) = out.get_mut(start + i) else { break };
        let t = i as f64 / RATE;
        let ends = ((length_s - t) / 0.02).min(1.0) * (t / 0.004).min(1.0);
        let mut x = 0.0;
        for k in 1..=count {
            let k = k as f64;
            x += sin(TAU * f * k * t) * pow(k, -tilt) * exp(-t * (1.0 + 0.3 * k) / decay_s);
        }
        *slot += gain * ends * x;
    }
}

/// One of the clean tracks, peak 0.5.
pub(crate) fn clean(role: &str, seed: u64) -> Vec<f32> {
    let mut r = Random::new(seed);
    let mut out = vec![0.0; frames()];
    let beat = r.between(0.38, 0.62);
    let mut at = 0.1;
    while at < SECONDS - 1.0 {
        match role {
            "lead vocal" => voice_note(&mut out, at, beat * r.between(0.5, 0.9), &mut r),
            "drum kit" => drums(&mut out, at, beat, &mut r),
            "bass" => add_note(
                &mut out,
                at,
                beat * 0.9,
                hz(28.0 + (r.next() * 14.0).floor()),
                1.5,
                1.5,
                1.0,
            ),
            "piano" => {
                let root = 45.0 + (r.next() * 24.0).floor();
                for step in [0.0, 4.0, 7.0] {
                    add_note(&mut out, at, beat * 1.8, hz(root + step), 1.3, 1.0, 0.5);
                }
            }
            _ => {
                let note = 43.0 + (r.next() * 26.0).floor();
                add_note(&mut out, at, beat * 1.2, hz(note), 1.0, 0.9, 0.6);
            }
        }
        at += if role == "lead vocal" && r.next() < 0.25 { 2.0 * beat } else { beat };
    }
    let peak = out.iter().fold(1e-9f64, |m, x| m.max(x.abs()));
    out.iter().map(|x| (0.5 * x / peak + 1e-5 * r.noise()) as f32).collect()
}

fn voice_note(out: &mut [f64], at: f64, length: f64, r: &mut Random) {
    let f = hz(48.0 + (r.next() * 14.0).floor());
    let vowel = [[700.0, 1200.0], [350.0, 2000.0], [450.0, 900.0], [600.0, 1700.0]]
        [(r.next() * 4.0) as usize % 4];
    let start = (at * RATE) as usize;
    let mut phase = 0.0;
    for i in 0..(length * RATE) as usize {
        let Some(slot) = out.get_mut(start + i) else { break };
        let t = i as f64 / RATE;
        phase += f * pow(2.0, 0.03 * sin(TAU * 5.5 * t)) / RATE;
        let mut x = 0.0;
        for k in 1..(7000.0 / f) as usize {
            let h = k as f64 * f;
            let near = |c: f64, w: f64| 1.0 / (1.0 + ((h - c) / w) * ((h - c) / w));
            let gain = near(vowel[0], 90.0)
                + 0.5 * near(vowel[1], 120.0)
                + 0.2 * near(2800.0, 200.0)
                + 0.03;
            x += gain * sin(TAU * phase * k as f64) / (k as f64).sqrt();
        }
        *slot += x * (t / 0.04).min(1.0) * ((length - t) / 0.06).clamp(0.0, 1.0);
    }
    if r.next() < 0.6 {
        hiss(out, (at - 0.09).max(0.0), 0.08, 0.08, r);
    }
}

fn hiss(out: &mut [f64], at: f64, length: f64, gain: f64, r: &mut Random) {
    let start = (at * RATE) as usize;
    let mut high = [Biquad::high_pass(5500.0), Biquad::high_pass(5500.0)];
    let n = (length * RATE) as usize;
    for i in 0..n {
        let Some(slot) = out.get_mut(start + i) else { break };
        let noise = r.noise();
        let x = high.iter_mut().fold(noise, |v, f| f.run(v));
        *slot += gain * x * sin(PI * i as f64 / n as f64);
    }
}

fn drums(out: &mut [f64], at: f64, beat: f64, r: &mut Random) {
    let hits = [(at, 0), (at + beat / 2.0, 1)];
    for (at, kind) in hits {
        let start = (at * RATE) as usize;
        let mut high = Biquad::high_pass(6000.0);
        for i in 0..(0.25 * RATE) as usize {
            let Some(slot) = out.get_mut(start + i) else { break };
            let t = i as f64 / RATE;
            let hat = 0.15 * high.run(r.noise()) * exp(-t / 0.03);
            let sweep = TAU * (50.0 * t + 4.0 * (1.0 - exp(-t / 0.02)));
            let kick = sin(sweep) * exp(-t / 0.09);
            let snare = (0.6 * sin(TAU * 190.0 * t) + 0.7 * r.noise()) * exp(-t / 0.06);
            *slot += hat + if kind == 0 { kick } else { snare };
        }
    }
}

/// The kinds that can be planted in a track of this role, by their ids.
pub(crate) fn plantable(role: &str) -> Vec<&'static str> {
    let mut kinds = vec!["clipping", "clicks", "dc-offset", "dead-channel"];
    match role {
        "lead vocal" => {
            kinds.extend(["hum", "noise-floor", "sibilance", "plosives", "over-compression"]);
        }
        "drum kit" => kinds.extend(["over-compression", "missing-lows"]),
        "bass" => kinds.push("missing-lows"),
        _ => kinds.push("hum"),
    }
    kinds
}

/// The planes of a track with a fault planted.
pub(crate) fn plant(kind: &str, track: &[f32], seed: u64) -> Vec<Vec<f32>> {
    let mut r = Random::new(seed + 7_000);
    let x: Vec<f64> = track.iter().map(|&v| f64::from(v)).collect();
    let rms = (x.iter().map(|v| v * v).sum::<f64>() / x.len() as f64).sqrt();
    let t = |i: usize| i as f64 / RATE;
    let mut y = match kind {
        "clipping" => x.iter().map(|v| v.clamp(-0.25, 0.25)).collect(),
        "hum" => x
            .iter()
            .enumerate()
            .map(|(i, v)| {
                let hum: f64 = (1..=6).map(|k| sin(TAU * 50.0 * k as f64 * t(i)) / k as f64).sum();
                v + rms * 0.05 * hum
            })
            .collect(),
        "noise-floor" => x.iter().map(|v| v + rms * 0.04 * r.noise()).collect(),
        "dc-offset" => x.iter().map(|v| v + 0.02).collect(),
        "over-compression" => x.iter().map(|v| tanh(40.0 * v)).collect(),
        "missing-lows" => filtered(&x, (0..4).map(|_| Biquad::high_pass(260.0)).collect()),
        _ => x.clone(),
    };
    match kind {
        "clicks" => {
            for k in 0..6 {
                let at = ((1.0 + 1.7 * k as f64 + 0.3 * r.next()) * RATE) as usize;
                y[at] += 0.4;
            }
        }
        "sibilance" => {
            for k in 0..10 {
                hiss(&mut y, 0.9 + 1.05 * k as f64, 0.12, 12.0 * rms, &mut r);
            }
        }
        "plosives" => {
            for k in 0..5 {
                let start = ((1.0 + 2.1 * k as f64) * RATE) as usize;
                for i in 0..(0.08 * RATE) as usize {
                    y[start + i] += 8.0 * rms * sin(TAU * 38.0 * t(i)) * exp(-t(i) / 0.03);
                }
            }
        }
        _ => {}
    }
    let peak = y.iter().fold(1.0f64, |m, v| m.max(v.abs()));
    let plane: Vec<f32> = y.iter().map(|v| (v / peak) as f32).collect();
    if kind == "dead-channel" {
        let silent = vec![0.0; plane.len()];
        return vec![plane, silent];
    }
    vec![plane]
}
