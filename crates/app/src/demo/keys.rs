//! Electric piano and pad.
//!
//! The piano is two-operator frequency modulation (J. Chowning 1973): a 1:1 pair for the reed, whose index
//! falls as the note fades, and a quiet high pair for the tine's strike; a stereo tremolo follows. The pad
//! is three detuned sawtooths a voice, smoothed at their steps by a polynomial (polyBLEP), behind a
//! low-pass filter that opens with the swell.

use super::score::{LENGTH_S, Note};
use super::synth::{Biquad, Rng, Shape, SineTable, decay, filter, key_hz, saturate};

const TREMOLO_HZ: f64 = 3.73;

/// The electric piano, left and right.
pub(super) fn electric_piano(notes: &[Note], rate: f64) -> Vec<Vec<f32>> {
    let table = SineTable::shared();
    let mut mono = vec![0.0f32; (LENGTH_S * rate) as usize];
    for note in notes {
        let hz = key_hz(f64::from(note.key));
        let start = (note.at_s * rate) as usize;
        let held = (note.len_s * rate) as usize;
        let frames = held + (0.25 * rate) as usize;
        let turn = hz / rate;
        // 14 times the pitch, as a short tine rings, held below the top of hearing.
        let tine_turn = (14.0 * hz).min(9_000.0) / rate;
        let (mut level, mut index) = (note.velocity, 0.06 + 0.45 * note.velocity * note.velocity);
        let mut tine = 0.10 * note.velocity;
        let falls = [decay(5.5, rate), decay(3.2, rate), decay(0.35, rate), decay(0.18, rate)];
        let (mut phase, mut tine_phase) = (0.0f64, 0.0f64);
        let attack = 0.002 * rate;
        for (i, sample) in mono.iter_mut().skip(start).take(frames).enumerate() {
            let modulator = f64::from(table.at(phase));
            let strike = tine * f64::from(table.at(tine_phase));
            let reed = f64::from(table.at(phase + index * modulator + 0.1 * strike));
            *sample += (level * (i as f64 / attack).min(1.0) * (reed + strike)) as f32;
            phase += turn;
            tine_phase += tine_turn;
            level *= if i < held { falls[0] } else { falls[3] };
            index *= falls[1];
            tine *= falls[2];
        }
    }
    filter(
        &mut mono,
        &[Shape::HighPass { hz: 70.0, q: 0.7 }, Shape::Peak { hz: 1_800.0, q: 0.8, db: 4.0 }],
        rate,
    );
    let scale = 1.0 / super::synth::peak(std::slice::from_ref(&mono)).max(1e-9);
    for sample in &mut mono {
        *sample *= scale;
    }
    saturate(&mut mono, 3.0, 0.2);
    let sway = |side: f64| {
        let turn = TREMOLO_HZ / rate;
        mono.iter()
            .enumerate()
            .map(|(n, x)| x * (1.0 + side as f32 * 0.3 * table.at(n as f64 * turn)))
            .collect()
    };
    vec![sway(1.0), sway(-1.0)]
}

/// The step of a sawtooth, rounded over two frames (V. Välimäki & A. Huovilainen 2007).
#[inline]
fn poly_blep(phase: f64, turn: f64) -> f64 {
    if phase < turn {
        let t = phase / turn;
        2.0 * t - t * t - 1.0
    } else if phase > 1.0 - turn {
        let t = (phase - 1.0) / turn;
        t * t + 2.0 * t + 1.0
    } else {
        0.0
    }
}

/// The pad, left and right.
pub(super) fn pad(notes: &[Note], rate: f64) -> Vec<Vec<f32>> {
    let frames = (LENGTH_S * rate) as usize;
    let (mut left, mut right) = (vec![0.0f32; frames], vec![0.0f32; frames]);
    let mut rng = Rng::new(61);
    let (attack_s, release_s) = (0.45, 0.8);
    for note in notes {
        let start = (note.at_s * rate) as usize;
        let length = ((note.len_s + release_s) * rate) as usize;
        let held_s = note.len_s;
        for (cents, pan) in [(-7.0, 0.2), (0.5, 0.5), (8.0, 0.8)] {
            let turn = key_hz(f64::from(note.key) + cents / 100.0) / rate;
            let mut phase = rng.unit();
            let (to_right, to_left) = (pan * note.velocity, (1.0 - pan) * note.velocity);
            let sides = left.iter_mut().zip(&mut right).skip(start).take(length);
            for (n, (left, right)) in sides.enumerate() {
                let at_s = n as f64 / rate;
                let swell = (at_s / attack_s).min(1.0)
                    * (1.0 - (at_s - held_s) / release_s).clamp(0.0, 1.0);
                let saw = 2.0 * phase - 1.0 - poly_blep(phase, turn);
                let out = saw * swell * swell;
                *left += (to_left * out) as f32;
                *right += (to_right * out) as f32;
                phase += turn;
                phase -= phase.floor();
            }
        }
    }
    let table = SineTable::shared();
    let mut planes = vec![left, right];
    for (plane, offset) in planes.iter_mut().zip([0.0, 0.25]) {
        open_and_close(plane, offset, table, rate);
        filter(plane, &[Shape::HighPass { hz: 150.0, q: 0.7 }], rate);
    }
    planes
}

/// A low-pass filter that breathes once in eleven seconds.
fn open_and_close(plane: &mut [f32], offset: f64, table: &SineTable, rate: f64) {
    const TICK: usize = 64;
    let mut section = Biquad::default();
    for (tick, block) in plane.chunks_mut(TICK).enumerate() {
        let at_s = (tick * TICK) as f64 / rate;
        let hz = 1_700.0 + 700.0 * f64::from(table.at(at_s / 11.0 + offset));
        section.retune(Shape::LowPass { hz, q: 0.8 }, rate);
        for sample in block {
            *sample = section.tick(f64::from(*sample)) as f32;
        }
    }
}
