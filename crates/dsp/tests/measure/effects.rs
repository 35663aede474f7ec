//! What delay, gate, de-esser, transient shaper and ducker do.

use topdown_dsp::{
    Buffer, DeesserSettings, DelaySettings, DuckerSettings, GateSettings, Io, ProcessSpec,
    Processor, Settings, Status, TransientSettings, math,
};
use topdown_testkit::acceptance::Row;
use topdown_testkit::meters::{self, db};
use topdown_testkit::{null, signals};
use topdown_units::SampleRate;

const RATE: SampleRate = SampleRate::STUDIO;

fn build<S: Settings>(settings: &S, channels: usize, frames: usize) -> Box<dyn Processor> {
    settings.build(&ProcessSpec { sample_rate: RATE, channels, max_frames: frames })
}

/// What a processor makes of one or two channels.
pub(crate) fn process<S: Settings>(settings: &S, planes: &[&[f32]]) -> Vec<Vec<f32>> {
    keyed(settings, planes, None)
}

fn keyed<S: Settings>(settings: &S, planes: &[&[f32]], key: Option<&[f32]>) -> Vec<Vec<f32>> {
    let frames = planes[0].len();
    let mut sound = Buffer::from_planes(planes);
    let key = key.map(|key| Buffer::from_planes(&[key]));
    let io = &mut Io::new(&mut sound, key.as_ref(), 0..frames, Status::Filled);
    build(settings, planes.len(), frames).process(io);
    sound.planes().map(<[f32]>::to_vec).collect()
}

fn echoes() -> DelaySettings {
    DelaySettings {
        time_ms: 100.0,
        feedback_percent: 50.0,
        low_cut_hz: 20.0,
        high_cut_hz: 20_000.0,
        ..DelaySettings::default()
    }
}

/// Levels of the repeats of a 1 kHz burst on the left, in dB re the burst: (left, right) of each.
fn repeats(settings: &DelaySettings) -> Vec<(f64, f64)> {
    let mut burst = signals::sine(1000.0, RATE.hz(), 2400, 0.5, 0.0);
    signals::fade(&mut burst, 1200);
    let reference = meters::rms(&burst);
    burst.resize(48_000, 0.0);
    let out = process(settings, &[&burst, &vec![0.0; 48_000]]);
    let level = |plane: &[f32], n: usize| db(meters::rms(&plane[4800 * n..][..2600]) / reference);
    let scale = 10.0 * math::log10(2600.0 / 2400.0);
    (1..6).map(|n| (level(&out[0], n) + scale, level(&out[1], n) + scale)).collect()
}

fn delay_rows() -> Vec<Row> {
    let mut impulse = vec![0.0f32; 9600];
    impulse[0] = 1.0;
    let out = process(&echoes(), &[&impulse]).remove(0);
    // The cuts smear the impulse by some frames, never to before its time.
    let first = out.iter().position(|x| *x != 0.0).unwrap_or(0);
    let time_error = (first as f64 - 4800.0).abs();
    let step = db(0.5);
    let straight = repeats(&echoes()).into_iter().enumerate();
    let worst = straight.map(|(n, (l, _))| (l - step * n as f64).abs()).fold(0.0, f64::max);
    let sides = repeats(&DelaySettings { ping_pong: true, ..echoes() });
    let crossed = sides.into_iter().enumerate().map(|(n, (l, r))| {
        let (near, far) = if n % 2 == 0 { (l, r) } else { (r, l) };
        let expected = step * n as f64 - 10.0 * math::log10(2.0);
        (near - expected).abs() + if far > -120.0 { 1e3 } else { 0.0 }
    });
    let mut tone = signals::sine(1000.0, RATE.hz(), 96_000, 0.25, 0.0);
    signals::fade(&mut tone, 4800);
    let mut sound = Buffer::from_planes(&[&tone]);
    let mut delay = build(&echoes(), 1, 96_000);
    delay.process(&mut Io::new(&mut sound, None, 0..48_000, Status::Filled));
    delay.set(0, 237.0, 0);
    delay.process(&mut Io::new(&mut sound, None, 48_000..96_000, Status::Filled));
    let click =
        meters::energy_above_db(&sound.channel(0)[40_000..90_000], RATE.hz(), 1500.0, 3000.0);
    vec![
        Row::new("delay", "first echo against time_ms", 0.0, time_error, "frames"),
        Row::new("delay", "five repeats fall by the feedback, 1 kHz", 0.1, worst, "dB"),
        Row::new(
            "delay",
            "ping-pong: each repeat on its side alone",
            0.1,
            crossed.fold(0.0, f64::max),
            "dB",
        ),
        Row::new(
            "delay",
            "100 to 237 ms by hand on a 1 kHz sine, energy above 3 kHz",
            -90.0,
            click,
            "dB",
        ),
    ]
}

/// How often the gain turns from rising to falling or back; `gain` in dB.
fn turns(gain: &[f64]) -> usize {
    let (mut count, mut last) = (0, 0.0);
    for pair in gain.windows(2) {
        let move_db = pair[1] - pair[0];
        if move_db.abs() > 1e-4 {
            count += usize::from(move_db * last < 0.0);
            last = move_db;
        }
    }
    count
}

fn gate_rows() -> Vec<Row> {
    let gate = GateSettings { threshold_rel_db: -30.0, ..GateSettings::default() };
    let latency = build(&gate, 1, 64).latency_frames();
    let tone = signals::sine(100.0, RATE.hz(), 48_000, 0.5, 0.0);
    let out = process(&gate, &[&tone]).remove(0);
    // Open is what follows its attack.
    let changed = null::different_samples(&out[4800..], &tone[4800 - latency..48_000 - latency]);
    let mut worst = 0.0f64;
    for range_db in [6.0, 20.0, 60.0] {
        let bleed = signals::sine(1000.0, RATE.hz(), 48_000, 0.01, 0.0);
        let out = process(&GateSettings { range_db, ..gate.clone() }, &[&bleed]).remove(0);
        let gain = db(meters::rms(&out[24_000..]) / meters::rms(&bleed[24_000..]));
        worst = worst.max((gain + range_db).abs());
    }
    // A tail that falls by 30 dB a second under noise of 6 dB up and down every 5 ms.
    let mut random = signals::Random::new(6);
    let mut flutter = 0.0;
    let tail: Vec<f32> = (0..96_000)
        .map(|n| {
            if n % 240 == 0 {
                flutter = 3.0 * random.bipolar();
            }
            let level = -15.0 - 30.0 * n as f64 / RATE.hz() + flutter;
            let wave = math::sin(math::TAU * 220.0 * n as f64 / RATE.hz());
            (math::pow(10.0, level / 20.0) * wave) as f32
        })
        .collect();
    // What the gate does to a steady sound of its own with the tail for a key.
    let steady = vec![0.5f32; 96_000];
    let out = keyed(&gate, &[&steady], Some(&tail)).remove(0);
    let gain: Vec<f64> = out[latency..].iter().map(|y| db(f64::from(*y) / 0.5)).collect();
    // It opens, then closes: one turn.
    let chatter = turns(&gain) as f64;
    let mut hit = vec![0.0f32; 9600];
    hit[4800..].fill(0.5);
    let quick = GateSettings { attack_ms: 2.0, lookahead_ms: 2.0, ..gate };
    let out = process(&quick, &[&hit]).remove(0);
    let lost = null::different_samples(&out[4896..], &hit[4800..9504]);
    vec![
        Row::exact("gate", "open, it changes nothing", changed),
        Row::new("gate", "bleed at -40 dBFS falls by the range, 6 to 60 dB", 0.5, worst, "dB"),
        Row::new("gate", "toggles on a tail that flutters by 6 dB", 1.0, chatter, "toggles"),
        Row::exact("gate", "attack within the look-ahead: a hit is whole", lost.saturating_sub(1)),
    ]
}

fn ducker_rows() -> Vec<Row> {
    let ducker = DuckerSettings { range_db: 6.0, hold_ms: 100.0, ..DuckerSettings::default() };
    let steady = vec![0.5f32; 96_000];
    let mut key = signals::sine(300.0, RATE.hz(), 96_000, 0.3, 0.0);
    key[..4800].fill(0.0);
    key[48_000..].fill(0.0);
    let out = keyed(&ducker, &[&steady], Some(&key)).remove(0);
    let gain: Vec<f64> = out.iter().map(|y| db(f64::from(*y) / 0.5)).collect();
    let range_error = (gain[40_000] + 6.0).abs();
    let ms = |from: usize, reached: &dyn Fn(f64) -> bool| {
        let frames = gain[from..].iter().position(|g| reached(*g)).unwrap_or(gain.len());
        frames as f64 / RATE.hz() * 1e3
    };
    let attack = (ms(4800, &|g| g < -5.9999) - 40.0).abs();
    let back = (ms(48_000, &|g| g > -1e-4) - 500.0).abs();
    let noise = signals::white(4, 48_000, 0.9);
    let quiet = vec![0.001f32; 48_000];
    let unkeyed = null::different_samples(&process(&ducker, &[&noise])[0], &noise);
    let below = null::different_samples(&keyed(&ducker, &[&noise], Some(&quiet))[0], &noise);
    vec![
        Row::new("ducker", "turns down by the range", 0.01, range_error, "dB"),
        Row::new("ducker", "attack against attack_ms", 1.0, attack, "ms"),
        Row::new("ducker", "way back against hold_ms + release_ms", 5.0, back, "ms"),
        Row::exact(
            "ducker",
            "without a key, or with a quiet one, it changes nothing",
            unkeyed + below,
        ),
    ]
}

/// Reduction at `hz`, in dB, of a steady sum of a 500 Hz tone and one at 15 kHz.
fn deessed(settings: &DeesserSettings, low: f64, high: f64, hz: f64) -> f64 {
    let low = signals::sine(500.0, RATE.hz(), 48_000, low, 0.0);
    let high = signals::sine(15_000.0, RATE.hz(), 48_000, high, 0.0);
    let both: Vec<f32> = low.iter().zip(&high).map(|(l, h)| l + h).collect();
    let out = process(settings, &[&both]).remove(0);
    let level = |x: &[f32]| meters::tone(&x[24_000..], hz / RATE.hz()).0;
    -db(level(&out) / level(&both))
}

fn deesser_rows() -> Vec<Row> {
    let deesser = DeesserSettings { range_db: 6.0, ..DeesserSettings::default() };
    let mut voice = signals::sine(500.0, RATE.hz(), 48_000, 0.5, 0.0);
    signals::fade(&mut voice, 4800);
    let unchanged = null::different_samples(&process(&deesser, &[&voice])[0], &voice);
    let full = (deessed(&deesser, 0.1, 0.1, 15_000.0) - 6.0).abs();
    let below = deessed(&deesser, 0.1, 0.1, 500.0).abs();
    // 9.3 dB below the low tone is 9.8 dB below the whole.
    let level = |gain: f64| deessed(&deesser, 0.5 * gain, 0.18 * gain, 15_000.0);
    let levels = [1.0, 0.1, 0.01].map(level);
    let apart = (levels[0] - levels[1]).abs().max((levels[0] - levels[2]).abs());
    let curve = [0.17, 0.2, 0.25].map(|high: f64| {
        let ratio_db = 10.0 * math::log10(high * high / (high * high + 0.25));
        (deessed(&deesser, 0.5, high, 15_000.0) - (ratio_db + 10.0).clamp(0.0, 6.0)).abs()
    });
    let curve = curve.into_iter().fold(0.0, f64::max);
    vec![
        Row::exact("deesser", "without sibilance it changes nothing", unchanged),
        Row::new("deesser", "most reduction against range_db, at 15 kHz", 0.1, full, "dB"),
        Row::new("deesser", "change at 500 Hz meanwhile", 0.1, below, "dB"),
        Row::new("deesser", "steady reduction against ratio less threshold", 0.1, curve, "dB"),
        Row::new("deesser", "the same 20 and 40 dB lower", 0.1, apart, "dB"),
    ]
}

fn transient_rows() -> Vec<Row> {
    let shaper = TransientSettings { attack_db: 9.0, sustain_db: 9.0 };
    let mut worst = 0.0f64;
    for hz in [50.0, 110.0, 1000.0, 9876.0] {
        let tone = signals::sine(hz, RATE.hz(), 96_000, 0.3, 0.0);
        let out = process(&shaper, &[&tone]).remove(0);
        let pairs = out.iter().zip(&tone).skip(72_000).filter(|(_, x)| x.abs() > 0.01);
        let change = pairs.map(|(y, x)| db(f64::from(*y / *x)).abs()).fold(0.0, f64::max);
        worst = worst.max(change);
    }
    let drums = signals::drums(1, RATE.hz(), 96_000, 0.5);
    let same =
        null::different_samples(&process(&TransientSettings::default(), &[&drums])[0], &drums);
    // A hit that decays by 60 dB a second; gain over the first 10 ms and around 200 ms.
    let wave = signals::sine(1000.0, RATE.hz(), 48_000, 0.5, 0.0);
    let hit: Vec<f32> = (0..48_000)
        .map(|n| wave[n] * math::pow(10.0, -3.0 * n as f64 / RATE.hz()) as f32)
        .collect();
    let gain = |settings: &TransientSettings, from: usize| {
        let out = process(settings, &[&hit]).remove(0);
        db(meters::rms(&out[from..from + 480]) / meters::rms(&hit[from..from + 480]))
    };
    let attack = TransientSettings { attack_db: 6.0, sustain_db: 0.0 };
    let sustain = TransientSettings { attack_db: 0.0, sustain_db: -6.0 };
    let (begins, follows) = (gain(&attack, 96), gain(&sustain, 24_000));
    vec![
        Row::new("transient", "steady sine, 50 Hz to 9.9 kHz, both at +9 dB", 0.05, worst, "dB"),
        Row::exact("transient", "both at 0 change nothing", same),
        Row::new(
            "transient",
            "attack +6 dB: the first 10 ms rise, short of 6 dB by",
            1.0,
            6.0 - begins,
            "dB",
        ),
        Row::new(
            "transient",
            "attack +6 dB: half a second later, change",
            0.05,
            gain(&attack, 24_000).abs(),
            "dB",
        ),
        Row::new(
            "transient",
            "sustain -6 dB: half a second later falls, short of 6 dB by",
            1.0,
            6.0 + follows,
            "dB",
        ),
        Row::new(
            "transient",
            "sustain -6 dB: the first 10 ms, change",
            0.05,
            gain(&sustain, 0).abs(),
            "dB",
        ),
    ]
}

/// Every promise of the effects, measured.
pub(crate) fn rows() -> Vec<Row> {
    let mut rows = delay_rows();
    rows.extend(gate_rows());
    rows.extend(deesser_rows());
    rows.extend(transient_rows());
    rows.extend(ducker_rows());
    rows
}
