//! Limiting a whole print: twice, then a trim by what is left.
//!
//! A second pass removes most of what the first one left between the samples, where its gain moved; the
//! trim is the rest, at most a few hundredths of a dB, over the whole print. Nothing is trimmed when nothing
//! is over. Latency is taken out: the print starts and ends where it did.

use crate::buffer::Buffer;
use crate::limiter::LimiterSettings;
use crate::process::{Io, ProcessSpec, Processor, Settings, Status};
use crate::true_peak::{HALF, MARGIN, PeakReader};
use topdown_units::{SampleRate, db_to_gain, gain_to_db};

/// What limiting did to a print.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct PrintReport {
    /// Deepest gain reduction of both passes together, dB at or below 0.
    pub deepest_db: f64,
    /// Gain of the final trim, dB at or below 0.
    pub trim_db: f64,
    /// True peak of the result, dBTP.
    pub true_peak_dbtp: f64,
}

const BLOCK: usize = 4096;

/// Limits all of `print` in place. Allocates.
pub fn limit_print(
    print: &mut Buffer,
    settings: &LimiterSettings,
    rate: SampleRate,
) -> PrintReport {
    let spec = ProcessSpec { sample_rate: rate, channels: print.channels(), max_frames: BLOCK };
    let second = LimiterSettings { input_gain_db: 0.0, ..settings.clone() };
    let mut deepest_db = 0.0;
    for settings in [settings, &second] {
        let mut limiter = settings.build(&spec);
        pass(print, limiter.as_mut());
        deepest_db += limiter.take_gain_reduction_db().map_or(0.0, f64::from);
    }
    let peak = true_peak(print);
    let ceiling = db_to_gain(settings.ceiling_dbtp);
    let trim = if peak > ceiling { ceiling / peak } else { 1.0 };
    if trim < 1.0 {
        let trim = trim as f32;
        print.planes_mut().flatten().for_each(|x| *x *= trim);
    }
    PrintReport { deepest_db, trim_db: gain_to_db(trim), true_peak_dbtp: gain_to_db(peak * trim) }
}

/// Runs `limiter` over all of `print` and takes its latency out.
fn pass(print: &mut Buffer, limiter: &mut dyn Processor) {
    let (frames, latency) = (print.capacity(), limiter.latency_frames());
    let mut work = Buffer::new(print.channels(), BLOCK);
    let mut start = 0;
    while start < frames + latency {
        let length = BLOCK.min(frames + latency - start);
        work.clear();
        let taken = start.min(frames)..(start + length).min(frames);
        for (to, from) in work.planes_mut().zip(print.planes()) {
            to[..taken.len()].copy_from_slice(&from[taken.clone()]);
        }
        limiter.process(&mut Io::new(&mut work, None, 0..length, Status::Filled));
        // What comes out belongs `latency` frames earlier; that place has been read already.
        let skip = latency.saturating_sub(start).min(length);
        let begin = (start + skip) - latency.min(start + skip);
        for (to, from) in print.planes_mut().zip(work.planes()) {
            to[begin..begin + length - skip].copy_from_slice(&from[skip..length]);
        }
        start += length;
    }
}

/// The true peak of all channels, as an amplitude: by the long filter wherever the short one comes near the
/// highest peak so far. Allocates.
#[must_use]
pub fn true_peak(sound: &Buffer) -> f64 {
    let reader = PeakReader::new();
    let highest = |peak: f32, x: &f32| peak.max(x.abs());
    let mut peak = sound.planes().flatten().fold(0.0, highest);
    for plane in sound.planes() {
        let mut padded = vec![0.0; plane.len() + 2 * HALF];
        padded[HALF..HALF + plane.len()].copy_from_slice(plane);
        let mut short = [0.0f32; 256];
        for start in (0..=plane.len()).step_by(short.len()) {
            let short = &mut short[..(plane.len() + 1 - start).min(256)];
            short.fill(0.0);
            reader.read_short(&padded[start..], short);
            for (n, reading) in short.iter().enumerate() {
                if *reading >= MARGIN * peak && peak > 0.0 {
                    peak = peak.max(reader.read_long(&padded[start + n..start + n + 2 * HALF]));
                }
            }
        }
    }
    f64::from(peak)
}
