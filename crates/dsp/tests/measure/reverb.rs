//! What the reverb's impulse response is like.

use realfft::RealFftPlanner;
use topdown_dsp::reverb::{ReverbSettings, Space};
use topdown_dsp::{Buffer, Io, ProcessSpec, Settings, Status, math};
use topdown_testkit::acceptance::Row;
use topdown_testkit::{meters, null, signals};
use topdown_units::SampleRate;

const RATE: SampleRate = SampleRate::STUDIO;
const SPACES: [Space; 3] = [Space::Plate, Space::Room, Space::Hall];

/// A reverb whose return is open from 20 Hz to 20 kHz.
pub(crate) fn open(space: Space, decay_s: f64, low_decay: f64, high_decay: f64) -> ReverbSettings {
    ReverbSettings {
        space,
        decay_s,
        low_decay,
        high_decay,
        low_cut_hz: 20.0,
        high_cut_hz: 20_000.0,
        ..ReverbSettings::default()
    }
}

/// What the reverb makes of two channels, in blocks.
pub(crate) fn process(settings: &ReverbSettings, planes: &[&[f32]]) -> Vec<Vec<f32>> {
    let frames = planes[0].len();
    let spec = ProcessSpec { sample_rate: RATE, channels: planes.len(), max_frames: 4096 };
    let mut sound = Buffer::from_planes(planes);
    let mut reverb = settings.build(&spec);
    for start in (0..frames).step_by(4096) {
        let range = start..frames.min(start + 4096);
        reverb.process(&mut Io::new(&mut sound, None, range, Status::Filled));
    }
    sound.planes().map(<[f32]>::to_vec).collect()
}

/// The response to an impulse on the left, on the right, or on both.
pub(crate) fn impulse_response(
    settings: &ReverbSettings,
    seconds: f64,
    (left, right): (f32, f32),
) -> Vec<Vec<f32>> {
    let frames = (seconds * RATE.hz()) as usize;
    let (mut l, mut r) = (vec![0.0; frames], vec![0.0; frames]);
    (l[0], r[0]) = (left, right);
    process(settings, &[&l, &r])
}

/// The part of `signal` between two frequencies, by its whole spectrum with edges of a sixth octave.
pub(crate) fn band(signal: &[f32], low_hz: f64, high_hz: f64) -> Vec<f64> {
    let length = (2 * signal.len()).next_power_of_two();
    let mut planner = RealFftPlanner::<f64>::new();
    let (forward, back) = (planner.plan_fft_forward(length), planner.plan_fft_inverse(length));
    let mut time: Vec<f64> = signal.iter().map(|x| f64::from(*x)).collect();
    time.resize(length, 0.0);
    let mut spectrum = forward.make_output_vec();
    forward.process(&mut time, &mut spectrum).expect("lengths fit");
    let edge = |octaves: f64| {
        let t = (3.0 * octaves + 0.5).clamp(0.0, 1.0);
        0.5 - 0.5 * math::cos(math::PI * t)
    };
    for (bin, value) in spectrum.iter_mut().enumerate() {
        let hz = (bin as f64 * RATE.hz() / length as f64).max(1e-3);
        *value *= edge(math::log2(hz / low_hz)) * edge(math::log2(high_hz / hz)) / length as f64;
    }
    spectrum[0].im = 0.0;
    spectrum[length / 2].im = 0.0;
    back.process(&mut spectrum, &mut time).expect("lengths fit");
    time.truncate(signal.len());
    time
}

/// Energy still to come in all of `signals`, dB re all (M. Schroeder, 1965).
pub(crate) fn energy_decay_db(signals: &[Vec<f64>]) -> Vec<f64> {
    let mut left = 0.0;
    let mut curve: Vec<f64> = (0..signals[0].len())
        .rev()
        .map(|n| {
            left += signals.iter().map(|signal| signal[n] * signal[n]).sum::<f64>();
            left
        })
        .collect();
    curve.reverse();
    let whole = curve[0];
    curve.iter().map(|energy| 10.0 * math::log10((energy / whole).max(1e-30))).collect()
}

/// Time to −60 dB from the slope between −5 and −35 dB.
fn decay_seconds(signals: &[Vec<f64>]) -> f64 {
    let curve = energy_decay_db(signals);
    let at = |db: f64| curve.iter().position(|level| *level <= db).unwrap_or(curve.len());
    let (start, end) = (at(-5.0), at(-35.0));
    let n = (end - start) as f64;
    let mean_x = (n - 1.0) / 2.0;
    let mean_y = curve[start..end].iter().sum::<f64>() / n;
    let (mut up, mut down) = (0.0, 0.0);
    for (x, y) in curve[start..end].iter().enumerate() {
        up += (x as f64 - mean_x) * (y - mean_y);
        down += (x as f64 - mean_x) * (x as f64 - mean_x);
    }
    -60.0 / (up / down) / RATE.hz()
}

/// The decay of a third octave at `hz`, over all of `responses`.
pub(crate) fn band_decay_seconds(responses: &[Vec<f32>], hz: f64) -> f64 {
    let side = math::exp2(1.0 / 6.0);
    let bands = responses.iter().map(|response| band(response, hz / side, hz * side));
    decay_seconds(&bands.collect::<Vec<_>>())
}

/// From each side to each side, as ISO 3382 averages over places.
pub(crate) fn responses(settings: &ReverbSettings, seconds: f64) -> Vec<Vec<f32>> {
    let mut all = impulse_response(settings, seconds, (1.0, 0.0));
    all.extend(impulse_response(settings, seconds, (0.0, 1.0)));
    all
}

fn decays() -> Vec<Row> {
    let mut worst = [0.0f64; 3];
    for space in SPACES {
        for (decay, low, high) in
            [(0.6, 1.0, 0.6), (1.8, 1.1, 0.5), (1.8, 2.0, 0.3), (4.0, 0.7, 0.5)]
        {
            let settings = open(space, decay, low, high);
            let responses = responses(&settings, 1.3 * decay * low.max(1.0));
            let asked = [(100.0, low), (1000.0, 1.0), (10_000.0, high)];
            for (worst, (hz, share)) in worst.iter_mut().zip(asked) {
                // A third octave at 100 Hz is 23 Hz wide: in a second too little for a slope within a tenth.
                if decay * share * hz < 100.0 {
                    continue;
                }
                let error = band_decay_seconds(&responses, hz) / (decay * share) - 1.0;
                *worst = worst.max(100.0 * error.abs());
            }
        }
    }
    let names = [
        "100 Hz against low_decay (1 s and more)",
        "1 kHz against decay_s",
        "10 kHz against high_decay",
    ];
    let row = |(name, worst)| {
        Row::new("reverb", format!("decay at {name}, 3 spaces × 4 decays"), 10.0, worst, "%")
    };
    names.into_iter().zip(worst).map(row).collect()
}

/// Share of samples beyond the deviation in a window of 20 ms, over that of a normal distribution
/// (J. Abel, P. Huang, AES 121, 2006), every 5 ms.
pub(crate) fn echo_density(response: &[f32]) -> Vec<(f64, f64)> {
    let window = (0.02 * RATE.hz()) as usize;
    let hop = window / 4;
    let density = |start: usize| {
        let part = &response[start..start + window];
        let deviation = meters::rms(part);
        let outside = part.iter().filter(|x| f64::from(x.abs()) > deviation).count();
        let share = outside as f64 / window as f64 / 0.317_310_5;
        ((start + window / 2) as f64 / RATE.hz(), if deviation > 0.0 { share } else { 0.0 })
    };
    (0..response.len() - window).step_by(hop).map(density).collect()
}

/// When the echo density is first that of noise, within a tenth.
pub(crate) fn mixing_ms(space: Space) -> f64 {
    let response = impulse_response(&open(space, 1.8, 1.0, 1.0), 1.0, (1.0, 0.0));
    let dense = |plane: &Vec<f32>| {
        let found = echo_density(plane).into_iter().find(|(_, density)| *density >= 0.9);
        found.map_or(f64::INFINITY, |(seconds, _)| 1000.0 * seconds)
    };
    response.iter().map(dense).fold(0.0, f64::max)
}

/// Power spectrum of `signal`.
fn power_spectrum(signal: &[f32], length: usize) -> Vec<f64> {
    let plan = RealFftPlanner::<f64>::new().plan_fft_forward(length);
    let mut time: Vec<f64> = signal.iter().map(|x| f64::from(*x)).collect();
    time.resize(length, 0.0);
    let mut spectrum = plan.make_output_vec();
    plan.process(&mut time, &mut spectrum).expect("lengths fit");
    spectrum.iter().map(realfft::num_complex::Complex::norm_sqr).collect()
}

/// Peaks of the response's fine structure for each hertz, between 500 and 600 Hz, with hardly any loss.
fn modes_per_hz(space: Space) -> f64 {
    let response = impulse_response(&open(space, 10.0, 1.0, 1.0), 12.0, (1.0, 0.0));
    // A window without side lobes near a mode: what is counted is modes.
    let mut part = response[0].clone();
    let frames = part.len();
    signals::fade(&mut part, frames / 2);
    let length = 1 << 21;
    let power = power_spectrum(&part, length);
    let bin = |hz: f64| (hz / RATE.hz() * length as f64) as usize;
    let (low, high) = (bin(500.0), bin(600.0));
    let peaks = (low..high).filter(|n| power[*n] > power[n - 1] && power[*n] > power[n + 1]);
    peaks.count() as f64 / 100.0
}

/// Flatness (geometric over mean power) and the loudest bin over the mean, in dB, of every third octave from
/// 250 Hz to 8 kHz in the late part of a decay, which is undone first.
fn late_spectrum(response: &[f32], decay: f64) -> Vec<(f64, f64)> {
    let length = ((0.6 * decay * RATE.hz()) as usize).next_power_of_two();
    let start = (0.4 * decay * RATE.hz()) as usize;
    let third = |third: i32| {
        let hz = 250.0 * math::exp2(f64::from(third) / 3.0);
        let side = math::exp2(1.0 / 6.0);
        let filtered = band(response, 0.5 * hz / side, 2.0 * hz * side);
        let lost = 3.0 * std::f64::consts::LN_10
            / (decay_seconds(std::slice::from_ref(&filtered)) * RATE.hz());
        let undone = |n: usize| {
            let window = math::sin(math::PI * n as f64 / length as f64);
            (filtered[start + n] * math::exp(lost * n as f64) * window) as f32
        };
        let power = power_spectrum(&(0..length).map(undone).collect::<Vec<f32>>(), length);
        let bin = |hz: f64| (hz / RATE.hz() * length as f64) as usize;
        let bins = &power[bin(hz / side)..bin(hz * side)];
        let count = bins.len() as f64;
        let mean = bins.iter().sum::<f64>() / count;
        let geometric = math::exp(bins.iter().map(|p| math::ln(*p)).sum::<f64>() / count);
        let peak = bins.iter().fold(0.0, |a: f64, b| a.max(*b));
        (10.0 * math::log10(geometric / mean), 10.0 * math::log10(peak / mean))
    };
    (0..16).map(third).collect()
}

/// How far the late tail is from normal noise that decays alike: mean flatness below that of noise, and the
/// loudest bin of any third octave above the loudest one of noise, both in dB.
pub(crate) fn late_tail(space: Space, decay: f64) -> (f64, f64) {
    let response = impulse_response(&open(space, decay, 1.0, 0.6), 2.0 * decay, (1.0, 1.0));
    let mut random = signals::Random::new(8);
    let normal = |n: usize| {
        let sum: f64 = (0..12).map(|_| random.bipolar()).sum();
        let lost = 3.0 * std::f64::consts::LN_10 / (decay * RATE.hz());
        (sum * math::exp(-lost * n as f64)) as f32
    };
    let noise: Vec<f32> = (0..response[0].len()).map(normal).collect();
    let (tail, noise) = (late_spectrum(&response[0], decay), late_spectrum(&noise, decay));
    let mean = |bands: &[(f64, f64)]| bands.iter().map(|b| b.0).sum::<f64>() / bands.len() as f64;
    let loudest = |bands: &[(f64, f64)]| bands.iter().fold(0.0, |a: f64, b| a.max(b.1));
    (mean(&noise) - mean(&tail), loudest(&tail) - loudest(&noise))
}

/// Loss of the fold to mono, the worst octave from 125 Hz to 8 kHz, in dB.
fn fold_loss_db(space: Space, input: (f32, f32)) -> f64 {
    let response = impulse_response(&open(space, 1.8, 1.0, 0.6), 2.2, input);
    let energy = |x: &[f64]| x.iter().map(|x| x * x).sum::<f64>();
    let loss = |octave: i32| {
        let hz = 125.0 * math::exp2(f64::from(octave));
        let part = |plane: &[f32]| band(plane, hz / math::SQRT_2, hz * math::SQRT_2);
        let (left, right) = (part(&response[0]), part(&response[1]));
        let sum: Vec<f64> = left.iter().zip(&right).map(|(l, r)| l + r).collect();
        10.0 * math::log10(2.0 * (energy(&left) + energy(&right)) / energy(&sum))
    };
    (0..7).map(loss).fold(0.0, f64::max)
}

fn spread_of_levels_db() -> f64 {
    let (left, right) = (signals::white(1, 48_000 * 8, 0.3), signals::white(2, 48_000 * 8, 0.3));
    let mut worst = 0.0f64;
    for space in SPACES {
        for decay in [0.5, 1.8, 5.0] {
            let out = process(&open(space, decay, 1.0, 1.0), &[&left, &right]);
            let levels = out.iter().map(|plane| meters::rms(&plane[48_000 * 5..]));
            let level = meters::db(levels.sum::<f64>() / 2.0 / meters::rms(&left));
            worst = worst.max(level.abs());
        }
    }
    worst
}

fn exact() -> Vec<Row> {
    let noise = signals::white(3, 48_000, 0.9);
    let dry = ReverbSettings { mix_percent: 0.0, ..ReverbSettings::default() };
    let out = process(&dry, &[&noise]).remove(0);
    let rows = Row::exact("reverb", "mix 0 changes nothing", null::different_samples(&out, &noise));
    let settings = ReverbSettings::default();
    let spec = ProcessSpec { sample_rate: RATE, channels: 1, max_frames: 4096 };
    let tail = settings.build(&spec).tail_frames();
    let mut sound = noise;
    sound.resize(48_000 + tail + 48_000, 0.0);
    let out = process(&settings, &[&sound]).remove(0);
    let after = out[48_000 + tail..].iter().filter(|x| **x != 0.0).count();
    vec![rows, Row::exact("reverb", "after the tail exact silence", after)]
}

/// Every promise of the reverb, measured.
pub(crate) fn rows() -> Vec<Row> {
    let mut rows = decays();
    for (space, name, limit) in
        [(Space::Plate, "plate", 100.0), (Space::Room, "room", 100.0), (Space::Hall, "hall", 200.0)]
    {
        let test = format!("{name}: echoes as dense as noise (0.9 of normal) after");
        rows.push(Row::new("reverb", test, limit, mixing_ms(space), "ms"));
        let test = format!("{name}: hertz from mode to mode");
        let limit = if space == Space::Room { 3.0 } else { 1.2 };
        rows.push(Row::new("reverb", test, limit, 1.0 / modes_per_hz(space), "Hz"));
        let (flatness, peak) = late_tail(space, if space == Space::Room { 0.8 } else { 2.0 });
        let test = format!("{name}: late tail's flatness below that of noise, 250 Hz to 8 kHz");
        rows.push(Row::new("reverb", test, 1.0, flatness, "dB"));
        let test = format!("{name}: loudest ring of the late tail above the one of noise");
        rows.push(Row::new("reverb", test, 4.0, peak, "dB"));
        let inputs = [(1.0, 1.0), (1.0, 0.0)];
        let loss = inputs.map(|input| fold_loss_db(space, input)).into_iter().fold(0.0, f64::max);
        let test = format!("{name}: loss when folded to mono, worst octave, source mono or left");
        rows.push(Row::new("reverb", test, 3.0, loss, "dB"));
    }
    let test = "return against send on steady noise, 3 spaces × 3 decays";
    rows.push(Row::new("reverb", test, 1.5, spread_of_levels_db(), "dB"));
    rows.extend(exact());
    rows
}
