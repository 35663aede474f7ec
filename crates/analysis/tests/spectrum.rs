//! Band powers, the stereo picture and ERB energies against signals whose powers are known.

use topdown_analysis::spectrum::{ErbEnergies, Spectrum, SpectrumMeter, SpectrumReading};
use topdown_analysis::stereo::Stereo;
use topdown_analysis::{ERB_BANDS, THIRDS, erb_centre_hz, third_centre_hz};
use topdown_dsp::math;
use topdown_units::{SampleRate, power_to_db};

fn hear(rate: SampleRate, planes: &[&[f32]]) -> (Spectrum, ErbEnergies) {
    let mut meter = SpectrumMeter::new(rate, planes.len());
    meter.push(planes);
    let SpectrumReading { spectrum, erb, .. } = meter.finish();
    (spectrum, erb)
}

fn sine(rate: SampleRate, seconds: f64, hz: f64, amplitude: f64) -> Vec<f32> {
    let at = |i: usize| amplitude * math::sin(math::TAU * hz * i as f64 / rate.hz() + 0.3);
    (0..(seconds * rate.hz()) as usize).map(|i| at(i) as f32).collect()
}

fn noise(frames: usize, mut seed: u64) -> Vec<f32> {
    (0..frames)
        .map(|_| {
            seed = seed
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1_442_695_040_888_963_407);
            (seed >> 40) as f32 / 8_388_608.0 - 1.0
        })
        .collect()
}

/// Noise falling by 3 dB an octave: white noise through first-order shelves, a pole and a zero an octave apart
/// every two octaves from 4 Hz to 262 kHz.
fn pink(rate: SampleRate, frames: usize, seed: u64) -> Vec<f32> {
    let poles: Vec<f64> = (0..9)
        .map(|i| math::exp(-math::TAU * 4.0 * math::pow(4.0, f64::from(i)) / rate.hz()))
        .collect();
    let zeros: Vec<f64> = (0..9)
        .map(|i| math::exp(-math::TAU * 8.0 * math::pow(4.0, f64::from(i)) / rate.hz()))
        .collect();
    let mut sound: Vec<f64> = noise(frames, seed).into_iter().map(f64::from).collect();
    for (pole, zero) in poles.into_iter().zip(zeros) {
        let (mut x1, mut y1) = (0.0, 0.0);
        for x in &mut sound {
            let y = *x - zero * x1 + pole * y1;
            (x1, y1) = (*x, y);
            *x = y;
        }
    }
    sound.into_iter().map(|x| (x * 0.1) as f32).collect()
}

const RATES: [u32; 5] = [22_050, 44_100, 48_000, 96_000, 192_000];

#[test]
fn a_sine_reads_its_power_in_its_own_band_at_every_rate() {
    for rate in RATES.map(|hz| SampleRate::new(hz).unwrap()) {
        for third in 1..THIRDS {
            let hz = third_centre_hz(third);
            if hz * 1.13 > rate.hz() / 2.0 {
                continue;
            }
            let (spectrum, _) = hear(rate, &[&sine(rate, 4.0, hz, 0.5)]);
            let levels = spectrum.thirds_db();
            let off = levels[third] - power_to_db(0.125);
            assert!(off.abs() < 0.1, "{rate}, {hz:.0} Hz: {off:.2} dB");
            let around = levels.iter().enumerate().filter(|(other, _)| other.abs_diff(third) >= 2);
            let leak = around.map(|(_, level)| level - levels[third]).fold(f64::MIN, f64::max);
            assert!(leak < -25.0, "{rate}, {hz:.0} Hz leaks {leak:.1} dB");
        }
    }
}

#[test]
fn pink_noise_is_flat_by_thirds_and_falls_3_db_per_octave_per_hz() {
    for rate in [SampleRate::CD, SampleRate::STUDIO] {
        let (spectrum, _) = hear(rate, &[&pink(rate, rate.get() as usize * 60, 5)]);
        // statistics: a band of 5.8 Hz over 60 s varies by 0.25 dB (1 sigma)
        let levels = spectrum.thirds_db();
        let mean = levels[4..=26].iter().sum::<f64>() / 23.0;
        for (third, level) in levels.iter().enumerate().take(27).skip(2) {
            let tolerance = if third < 8 { 1.0 } else { 0.5 };
            assert!((level - mean).abs() < tolerance, "{rate}, band {third}: {}", level - mean);
        }
        let tilt = spectrum.tilt_db_per_octave().unwrap();
        assert!((tilt + 3.0).abs() < 0.1, "{tilt}");
    }
}

#[test]
fn white_noise_has_no_tilt_and_silence_has_none_to_tell() {
    let (spectrum, _) = hear(SampleRate::STUDIO, &[&noise(48_000 * 20, 9)]);
    assert!(spectrum.tilt_db_per_octave().unwrap().abs() < 0.1);
    let (silence, erb) = hear(SampleRate::STUDIO, &[&[0.0; 48_000]]);
    assert_eq!(silence.tilt_db_per_octave(), None);
    assert!(erb.energy.iter().all(|&e| e == 0.0));
}

#[test]
fn every_sample_counts_once_wherever_a_click_falls() {
    // all of a click's power lies between 18 Hz and 22.4 kHz but for a share known from its flat spectrum
    let expected = (22_387.2 - 17.8) / 24_000.0;
    for at in [0, 1_000, 2_048, 5_000, 47_999] {
        let mut sound = vec![0.0f32; 48_000];
        sound[at] = 1.0;
        let (spectrum, erb) = hear(SampleRate::STUDIO, &[&sound]);
        let energy = spectrum.total_power() * 48_000.0;
        assert!((energy - expected).abs() < 0.02, "at {at}: {energy} of {expected}");
        let bands: f64 = erb.energy.iter().map(|&e| f64::from(e)).sum();
        let erb_energy = bands * erb.frame_s * 48_000.0;
        let width = 13_521.0 * 1.06 - 40.0;
        assert!((erb_energy - width / 24_000.0).abs() < 0.03, "at {at}: {erb_energy}");
    }
}

#[test]
fn a_sine_lies_in_its_erb_band_at_its_time() {
    let rate = SampleRate::STUDIO;
    for band in 2..ERB_BANDS {
        let mut sound = vec![0.0f32; 48_000];
        sound.extend(sine(rate, 2.0, erb_centre_hz(band), 0.5));
        let (_, erb) = hear(rate, &[&sound]);
        let frames: Vec<&[f32]> = erb.frames().collect();
        assert!(frames[8].iter().all(|&e| e < 1e-6), "sound before it starts");
        let strongest = frames[24].iter().copied().enumerate().max_by(|a, b| a.1.total_cmp(&b.1));
        let (found, energy) = strongest.unwrap();
        assert_eq!(found, band);
        assert!((power_to_db(f64::from(energy)) - power_to_db(0.125)).abs() < 0.3, "{energy}");
    }
}

fn picture(left: &[f32], right: &[f32]) -> Stereo {
    let (spectrum, _) = hear(SampleRate::STUDIO, &[left, right]);
    Stereo::read(&spectrum, &[]).expect("two channels")
}

#[test]
fn the_stereo_picture_of_known_pairs_is_right() {
    let (one, two) = (noise(480_000, 1), noise(480_000, 2));
    let turned: Vec<f32> = one.iter().map(|x| -x).collect();
    let half: Vec<f32> = one.iter().map(|x| x * 0.5).collect();

    let centred = picture(&one, &one).whole.unwrap();
    assert!((centred.correlation - 1.0).abs() < 1e-6 && centred.mono_loss_db < 1e-6);
    assert!(centred.side_over_mid_db < -59.0);

    let unrelated = picture(&one, &two).whole.unwrap();
    assert!(unrelated.correlation.abs() < 0.02, "{unrelated:?}");
    assert!((unrelated.mono_loss_db - 3.01).abs() < 0.1, "{unrelated:?}");
    assert!(unrelated.side_over_mid_db.abs() < 0.2, "{unrelated:?}");

    let lost = picture(&one, &turned).whole.unwrap();
    assert!((lost.correlation + 1.0).abs() < 1e-6 && lost.mono_loss_db > 59.0);

    let leaning = picture(&one, &half).whole.unwrap();
    assert!((leaning.imbalance_db + 6.02).abs() < 0.01, "{leaning:?}");
}

#[test]
fn the_picture_of_one_octave_does_not_disturb_another() {
    let low = sine(SampleRate::STUDIO, 5.0, 63.0, 0.4);
    let high = sine(SampleRate::STUDIO, 5.0, 4_000.0, 0.4);
    let mix = |sign: f32| low.iter().zip(&high).map(|(l, h)| l + sign * h).collect::<Vec<f32>>();
    let picture = picture(&mix(1.0), &mix(-1.0));
    let correlation = |octave: usize| picture.by_octave[octave].unwrap().correlation;
    assert!(correlation(1) > 0.99 && correlation(7) < -0.99, "{picture:?}");
}

#[test]
fn however_the_blocks_are_cut_the_reading_is_the_same() {
    let (left, right) = (pink(SampleRate::CD, 150_000, 1), pink(SampleRate::CD, 150_000, 2));
    let whole = hear(SampleRate::CD, &[&left, &right]);
    for cut in [1, 7, 1_000, 4_096, 5_003, 149_999] {
        let mut meter = SpectrumMeter::new(SampleRate::CD, 2);
        for (l, r) in left.chunks(cut).zip(right.chunks(cut)) {
            meter.push(&[l, r]);
        }
        let SpectrumReading { spectrum, erb, .. } = meter.finish();
        assert!((spectrum, erb) == whole, "blocks of {cut}");
    }
}

fn octave_crest_db(planes: &[&[f32]]) -> [Option<f64>; 10] {
    let mut meter = SpectrumMeter::with_octave_crest(SampleRate::STUDIO, planes.len());
    meter.push(planes);
    meter.finish().octave_crest_db.unwrap_or_default()
}

#[test]
fn a_sine_has_a_crest_of_3_db_in_its_octave() {
    for octave in 0..10 {
        let hz = topdown_analysis::octave_centre_hz(octave);
        let mut sound = sine(SampleRate::STUDIO, 8.0, hz, 0.5);
        // faded, or its sudden start would ring above the sine
        let fade = |i: usize| (i.min(383_999 - i) as f32 / 48_000.0).min(1.0);
        sound.iter_mut().enumerate().for_each(|(i, x)| *x *= fade(i));
        let rms_loss_db = 0.79; // 6 s in full, 2 s with a third of the power
        let crest = octave_crest_db(&[&sound, &sound])[octave].expect("a sine is there");
        assert!((crest - 3.01 - rms_loss_db).abs() < 0.2, "{hz:.0} Hz: {crest}");
    }
}

#[test]
fn a_burst_in_one_octave_raises_the_crest_of_that_octave() {
    // 0.1 s of 2 kHz in 10 s: 20 dB above the crest of a steady tone; the steady 250 Hz keeps its own
    let mut sound = sine(SampleRate::STUDIO, 10.0, 250.0, 0.2);
    for (i, x) in sine(SampleRate::STUDIO, 0.1, 2_000.0, 0.4).iter().enumerate() {
        let hann = 0.5 - 0.5 * math::cos(math::TAU * i as f64 / 4_800.0);
        sound[200_000 + i] += x * hann as f32;
    }
    let crest = octave_crest_db(&[&sound]);
    let expected = 3.01 + 20.0 + 4.26; // a Hann burst has 3/8 of the power
    assert!((crest[6].expect("2 kHz") - expected).abs() < 0.3, "{crest:?}");
    // its sudden start rings a little
    assert!((crest[3].expect("250 Hz") - 3.01).abs() < 0.8, "{crest:?}");
    assert_eq!(crest[9], None, "nothing but leakage");
}
