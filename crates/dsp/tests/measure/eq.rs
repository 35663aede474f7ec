//! What the equaliser does, beside the analogue filters that it stands for.

use topdown_dsp::eq::{BANDS, Band, Shape, response_db};
use topdown_dsp::{
    Buffer, EqSettings, Io, ProcessSpec, Settings, Status, eq_design as design, math,
};
use topdown_testkit::acceptance::Row;
use topdown_testkit::{analogue, null, signals};
use topdown_units::SampleRate;

const CD: SampleRate = SampleRate::CD;

/// An equaliser with these bands on.
pub(crate) fn with(bands: &[Band]) -> EqSettings {
    let mut settings = EqSettings::default();
    settings.bands[..bands.len()].copy_from_slice(bands);
    settings
}

/// A band that is on.
pub(crate) fn band(shape: Shape, freq_hz: f64, gain_db: f64, q: f64) -> Band {
    Band { on: true, shape, freq_hz, gain_db, q, slope_db_oct: 12 }
}

/// What the equaliser makes of `input`.
pub(crate) fn process(settings: &EqSettings, rate: SampleRate, input: &[f32]) -> Vec<f32> {
    let spec = ProcessSpec { sample_rate: rate, channels: 1, max_frames: input.len() };
    let mut sound = Buffer::from_planes(&[input]);
    let mut eq = settings.build(&spec);
    eq.process(&mut Io::new(&mut sound, None, 0..input.len(), Status::Filled));
    sound.channel(0).to_vec()
}

fn log_steps(from: f64, to: f64, steps: usize) -> impl Iterator<Item = f64> + Clone {
    (0..=steps).map(move |n| from * math::pow(to / from, n as f64 / steps as f64))
}

/// The largest error of one band up to 20 kHz, where the prototype is above −40 dB.
fn error_db(band: &Band, prototype: impl Fn(f64) -> f64) -> f64 {
    error_above_db(-40.0, band, prototype)
}

fn error_above_db(floor_db: f64, band: &Band, prototype: impl Fn(f64) -> f64) -> f64 {
    let settings = with(std::slice::from_ref(band));
    log_steps(20.0, 20_000.0, 160)
        .chain([band.freq_hz])
        .map(|hz| (hz, prototype(hz / band.freq_hz)))
        .filter(|(_, analogue)| *analogue > floor_db)
        .map(|(hz, analogue)| (response_db(&settings, CD, hz) - analogue).abs())
        .fold(0.0, f64::max)
}

fn bells(from_hz: f64, to_hz: f64, limit: f64) -> Row {
    let mut worst = 0.0f64;
    for freq_hz in log_steps(from_hz, to_hz, 10) {
        for q in [0.4, 0.7, 1.0, 2.0, 4.0, 6.0] {
            for gain_db in [-12.0, -6.0, -1.0, 1.0, 6.0, 12.0] {
                let band = band(Shape::Bell, freq_hz, gain_db, q);
                worst = worst.max(error_db(&band, |x| analogue::bell_db(x, q, gain_db)));
            }
        }
    }
    let test = format!(
        "bell {from_hz:.0} to {to_hz:.0} Hz, Q 0.4 to 6, ±12 dB, error to 20 kHz at 44.1 kHz"
    );
    Row::new("eq", test, limit, worst, "dB")
}

fn passes() -> Vec<Row> {
    let qs = [0.5, std::f64::consts::FRAC_1_SQRT_2, 1.0, 2.0, 6.0];
    let (mut low, mut high, mut gentle) = (0.0f64, 0.0f64, 0.0f64);
    for freq_hz in log_steps(20.0, 16_000.0, 24) {
        for q in qs {
            let pass = band(Shape::LowPass, freq_hz, 0.0, q);
            low = low.max(error_db(&pass, |x| analogue::low_pass_db(x, q)));
            let pass = band(Shape::HighPass, freq_hz, 0.0, q);
            let error = error_db(&pass, |x| analogue::high_pass_db(x, q));
            high = high.max(error);
            if q <= 2.0 && freq_hz <= 12_000.0 {
                gentle = gentle.max(error);
            }
        }
    }
    let mut steep = [0.0f64; 2];
    for slope_db_oct in [6, 12, 18, 24, 36, 48] {
        for freq_hz in log_steps(20.0, 8000.0, 12) {
            let order = slope_db_oct as u32 / 6;
            let q = std::f64::consts::FRAC_1_SQRT_2;
            let pass = Band { slope_db_oct, ..band(Shape::LowPass, freq_hz, 0.0, q) };
            let error =
                error_above_db(-24.0, &pass, |x| analogue::butterworth_low_pass_db(x, order));
            steep[0] = steep[0].max(error);
            let pass = Band { shape: Shape::HighPass, ..pass };
            let error =
                error_above_db(-24.0, &pass, |x| analogue::butterworth_high_pass_db(x, order));
            steep[1] = steep[1].max(error);
        }
    }
    vec![
        Row::new("eq", "low-pass 20 Hz to 16 kHz, Q 0.5 to 6, error to 20 kHz", 1.8, low, "dB"),
        Row::new("eq", "high-pass 20 Hz to 12 kHz, Q 0.5 to 2, error to 20 kHz", 1.0, gentle, "dB"),
        Row::new("eq", "high-pass 20 Hz to 16 kHz, Q 0.5 to 6, error to 20 kHz", 1.8, high, "dB"),
        Row::new(
            "eq",
            "low-pass 6 to 48 dB/oct, 20 Hz to 8 kHz, above −24 dB",
            1.8,
            steep[0],
            "dB",
        ),
        Row::new(
            "eq",
            "high-pass 6 to 48 dB/oct, 20 Hz to 8 kHz, above −24 dB",
            1.0,
            steep[1],
            "dB",
        ),
    ]
}

fn shelves() -> Vec<Row> {
    let (mut high, mut low, mut tilt) = (0.0f64, 0.0f64, 0.0f64);
    for freq_hz in log_steps(20.0, 16_000.0, 24) {
        for gain_db in [-9.0, -6.0, -3.0, 3.0, 6.0, 9.0f64] {
            let root = math::pow(10.0, gain_db.abs() / 80.0);
            if freq_hz * root > 0.45 * CD.hz() {
                continue;
            }
            for q in [0.4, 0.5, std::f64::consts::FRAC_1_SQRT_2, 1.0] {
                let shelf = band(Shape::HighShelf, freq_hz, gain_db, q);
                high = high.max(error_db(&shelf, |x| analogue::high_shelf_db(x, q, gain_db)));
                let shelf = band(Shape::LowShelf, freq_hz, gain_db, q);
                low = low.max(error_db(&shelf, |x| analogue::low_shelf_db(x, q, gain_db)));
            }
        }
        for gain_db in [-6.0, -3.0, -1.0, 1.0, 3.0, 6.0] {
            if freq_hz <= 4000.0 {
                let band = band(Shape::Tilt, freq_hz, gain_db, 1.0);
                tilt = tilt.max(error_db(&band, |x| analogue::tilt_db(x, gain_db)));
            }
        }
    }
    vec![
        Row::new("eq", "high shelf 20 Hz to 16 kHz, ±9 dB, error to 20 kHz", 0.8, high, "dB"),
        Row::new("eq", "low shelf 20 Hz to 16 kHz, ±9 dB, error to 20 kHz", 0.8, low, "dB"),
        Row::new("eq", "tilt 20 Hz to 4 kHz, ±6 dB, error to 20 kHz", 0.8, tilt, "dB"),
    ]
}

/// Sections of all shapes over the whole range of every parameter whose poles or zeros leave the circle.
fn outside() -> Row {
    let mut outside = 0;
    let mut check = |section: design::Section, zeros_too: bool| {
        let finite = section.gain.is_finite() && section.gain > 0.0;
        let zeros = !zeros_too || section.inverse().pole_radius() <= 0.999_999_1;
        outside += usize::from(!(finite && section.pole_radius() <= 0.999_999_1 && zeros));
    };
    for w in log_steps(math::TAU * 10.0 / 384_000.0, math::TAU * 0.49, 60) {
        for q in log_steps(0.1, 34.0, 12) {
            for step in -12..=12 {
                let gain_db = 2.0 * f64::from(step);
                check(design::bell(w, q, gain_db), true);
                check(design::high_shelf(w, q, gain_db), true);
                check(design::low_shelf(w, q, gain_db), true);
                check(design::tilt(w, gain_db), true);
            }
            // Zeros on the circle are what makes these filters; nothing inverts them.
            check(design::low_pass(w, q), false);
            check(design::high_pass(w, q), false);
            check(design::notch(w, q), false);
        }
        check(design::low_pass_first_order(w), false);
        check(design::high_pass_first_order(w), false);
    }
    Row::new(
        "eq",
        "poles and zeros outside the circle, all shapes, whole ranges",
        0.0,
        f64::from(outside as u32),
        "sections",
    )
}

/// The sound itself against `response_db`, by tones through the processor.
fn sounds_as_said() -> Row {
    let settings = with(&[
        band(Shape::HighPass, 60.0, 0.0, 0.7),
        band(Shape::Bell, 400.0, -4.0, 1.4),
        band(Shape::Bell, 3500.0, 5.0, 2.5),
        band(Shape::HighShelf, 9000.0, 4.0, 0.7),
        Band { slope_db_oct: 24, ..band(Shape::LowPass, 17_000.0, 0.0, 0.707) },
    ]);
    let mut worst = 0.0f64;
    for hz in [40.0, 100.0, 390.0, 1000.0, 3500.0, 9000.0, 15_000.0, 19_000.0] {
        let tone = signals::sine(hz, CD.hz(), 44_100, 0.3, 0.2);
        let out = process(&settings, CD, &tone);
        let cycles = hz / CD.hz();
        let [from, to] =
            [&tone, &out].map(|s| topdown_testkit::meters::tone(&s[22_050..], cycles).0);
        let measured = topdown_testkit::meters::db(to / from);
        worst = worst.max((measured - response_db(&settings, CD, hz)).abs());
    }
    Row::new("eq", "tones through the processor against response_db", 0.001, worst, "dB")
}

fn nulls() -> Vec<Row> {
    let noise = signals::white(8, 44_100, 0.5);
    let shapes = [Shape::Bell, Shape::LowShelf, Shape::HighShelf, Shape::Tilt];
    let mut worst = f64::NEG_INFINITY;
    for shape in shapes {
        for freq_hz in [60.0, 1000.0, 12_000.0] {
            let both = [band(shape, freq_hz, 9.0, 1.3), band(shape, freq_hz, -9.0, 1.3)];
            let back = process(&with(&both), CD, &noise);
            worst = worst.max(null::residual_db(&back, &noise));
        }
    }
    let neutral = with(&[band(Shape::Bell, 1000.0, 0.0, 1.0); BANDS]);
    let bypassed = process(&neutral, CD, &noise);
    let off = process(&EqSettings::default(), CD, &noise);
    let differ = null::different_samples(&bypassed, &noise) + null::different_samples(&off, &noise);
    vec![
        Row::new("eq", "+9 dB and −9 dB in one equaliser null", -140.0, worst, "dB"),
        Row::exact("eq", "0 dB bells, and all bands off, change nothing", differ),
    ]
}

/// Every promise of the equaliser, measured.
pub(crate) fn rows() -> Vec<Row> {
    let mut rows = vec![
        bells(20.0, 1000.0, 0.1),
        bells(1000.0, 2000.0, 0.35),
        bells(2000.0, 3000.0, 0.6),
        bells(3000.0, 16_000.0, 1.0),
    ];
    rows.extend(passes());
    rows.extend(shelves());
    rows.extend([outside(), sounds_as_said()]);
    rows.extend(nulls());
    rows
}
