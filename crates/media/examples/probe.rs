//! A mixer of nothing but this crate: opens every track of a folder, sums them, and writes the sum.
//!
//! `probe mix FOLDER -o OUT.wav` has the manners of the real program (messages on standard error, exit code, an
//! output that is whole or untouched), so that sets of bad inputs can be held against the crate alone.
//! `probe info FILES...` says what each file is. `probe speed FILES...` measures reading.
#![allow(clippy::print_stdout, clippy::print_stderr, reason = "its output is its purpose")]

use std::ffi::{OsStr, OsString};
use std::path::Path;
use std::process::ExitCode;
use std::time::Instant;
use topdown_media::write::{Depth, Format, Spec, Writer};
use topdown_media::{Cache, MediaError, Note, Reader, Shown, Source, common_rate, open, scan};
use topdown_units::SampleRate;

type Outcome = Result<(), Box<dyn std::error::Error>>;

fn main() -> ExitCode {
    let args: Vec<OsString> = std::env::args_os().skip(1).collect();
    let words: Vec<&OsStr> = args.iter().map(OsString::as_os_str).collect();
    let result = match words.split_first() {
        Some((verb, [input, flag, output])) if *verb == "mix" && *flag == "-o" => {
            mix(Path::new(input), Path::new(output))
        }
        Some((verb, files)) if *verb == "info" => files.iter().try_for_each(|f| info(Path::new(f))),
        Some((verb, files)) if *verb == "speed" => {
            files.iter().try_for_each(|f| speed(Path::new(f)))
        }
        _ => Err("probe mix FOLDER -o OUT.wav | probe info FILES... | probe speed FILES...".into()),
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}

fn note(path: &Path, note: &Note) {
    eprintln!("{}: {note}", Shown(path));
}

/// Frames summed at a time.
const BLOCK: usize = 1 << 14;

fn mix(input: &Path, output: &Path) -> Outcome {
    let found = scan::scan(&[input])?;
    if let Some(refusal) = found.refusal() {
        return Err(refusal.into());
    }
    let rate = common_rate(found.files.iter().map(|f| f.file.info()))
        .ok_or_else(|| format!("{}: no audio in there", Shown(input)))?;
    let folder = std::env::temp_dir().join(format!("topdown-probe-{}", std::process::id()));
    let cache = Cache::new(&folder, 1 << 32);
    let result = sum(&found, rate, &cache, output);
    let _ = std::fs::remove_dir_all(&folder);
    result
}

fn sum(found: &scan::Scan, rate: SampleRate, cache: &Cache, output: &Path) -> Outcome {
    let (mut sources, mut errors) = (Vec::new(), Vec::new());
    for file in &found.files {
        if std::fs::canonicalize(file.file.path()).ok() == std::fs::canonicalize(output).ok() {
            return Err(format!(
                "{}: the output is one of the tracks; choose another name",
                Shown(output)
            )
            .into());
        }
        match Source::open_all(file.file.path(), rate, cache) {
            Ok(parts) => sources.extend(parts),
            Err(error) => errors.push(error.to_string()),
        }
    }
    if !errors.is_empty() {
        return Err(errors.join("\n").into());
    }
    let mut warned = Vec::new();
    for source in &sources {
        let text = source.notes().iter().map(ToString::to_string).collect::<Vec<_>>();
        if !warned.contains(&(source.path(), text.clone())) {
            source.notes().iter().for_each(|n| note(source.path(), n));
            warned.push((source.path(), text));
        }
    }
    let frames = sources.iter().map(Source::frames).max().unwrap_or(0);
    if frames == 0 {
        let names: Vec<String> = sources.iter().map(|s| Shown(s.path()).to_string()).collect();
        return Err(format!("no sound in any of them: {}", names.join(", ")).into());
    }
    let (peak, _) = pass(&sources, frames, |_| Ok(()))?;
    let gain = if peak > 1.0 { 0.99 / peak } else { 1.0 };
    let mut spec = Spec::new(Format::Wav, rate, 2);
    spec.depth = Depth::Float32;
    let mut writer = Writer::create(output, &spec)?;
    let (_, cleaned) = pass(&sources, frames.max(u64::from(rate.get()) / 10), |planes| {
        let scaled: Vec<Vec<f32>> =
            planes.iter().map(|p| p.iter().map(|x| (x * gain) as f32).collect()).collect();
        writer.write(&[&scaled[0], &scaled[1]])
    })?;
    for (source, count) in sources.iter().zip(cleaned) {
        if count > 0 {
            eprintln!(
                "{}: {count} samples were no sound and are silence now",
                Shown(source.path())
            );
        }
    }
    writer.finish()?;
    Ok(())
}

/// Sums all sources block by block; returns the peak and the cleaned samples of each.
fn pass(
    sources: &[Source],
    frames: u64,
    mut sink: impl FnMut(&[Vec<f64>]) -> Result<(), MediaError>,
) -> Result<(f64, Vec<u64>), MediaError> {
    let mut readers: Vec<Box<dyn Reader>> = sources.iter().map(Source::reader).collect();
    let (mut left, mut right) = (vec![0f32; BLOCK], vec![0f32; BLOCK]);
    let (mut at, mut peak) = (0u64, 0f64);
    while at < frames {
        let block = BLOCK.min((frames - at) as usize);
        let mut sum = vec![vec![0f64; block]; 2];
        for reader in &mut readers {
            let stereo = reader.channels() == 2;
            let n = if stereo {
                reader.read(at, &mut [&mut left[..block], &mut right[..block]])?
            } else {
                reader.read(at, &mut [&mut left[..block]])?
            };
            let sides = [&left, if stereo { &right } else { &left }];
            for (plane, side) in sum.iter_mut().zip(sides) {
                plane.iter_mut().zip(&side[..n]).for_each(|(o, x)| *o += f64::from(*x));
            }
        }
        peak = sum.iter().flatten().fold(peak, |p, x| p.max(x.abs()));
        sink(&sum)?;
        at += block as u64;
    }
    Ok((peak, readers.iter().map(|r| r.cleaned()).collect()))
}

fn info(path: &Path) -> Outcome {
    let file = open(path)?;
    println!("{}: {:?}", Shown(path), file.info());
    file.notes().iter().for_each(|n| note(path, n));
    Ok(())
}

fn speed(path: &Path) -> Outcome {
    let folder = std::env::temp_dir().join(format!("topdown-probe-{}", std::process::id()));
    let cache = Cache::new(&folder, 1 << 34);
    let started = Instant::now();
    let file = open(path)?;
    let mut reader = file.reader(&cache)?;
    let prepared = started.elapsed();
    let mut planes = vec![vec![0f32; 1 << 13]; reader.channels()];
    let mut at = 0;
    let started = Instant::now();
    while at < reader.frames() {
        let mut views: Vec<&mut [f32]> = planes.iter_mut().map(|p| &mut p[..]).collect();
        at += reader.read(at, &mut views)? as u64;
    }
    let took = started.elapsed();
    let seconds = reader.frames() as f64 / file.info().rate.hz();
    let samples = at as f64 * reader.channels() as f64;
    println!(
        "{}: {seconds:.1} s of sound; prepared in {:.3} s ({:.0} x), read in {:.3} s ({:.0} x, {:.0} million samples a second)",
        Shown(path),
        prepared.as_secs_f64(),
        seconds / prepared.as_secs_f64(),
        took.as_secs_f64(),
        seconds / took.as_secs_f64(),
        samples / took.as_secs_f64() / 1e6
    );
    std::fs::remove_dir_all(&folder)
        .or_else(|e| if e.kind() == std::io::ErrorKind::NotFound { Ok(()) } else { Err(e) })?;
    Ok(())
}
