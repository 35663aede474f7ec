//! Held against other programs: ffmpeg, sox, flac, lame, oggenc, opusenc, opusdec.
//!
//! Where one is missing its tests say so on standard error and pass: nothing here needs them to build or run.
#![allow(clippy::unwrap_used, clippy::print_stderr, reason = "a test stops at the first surprise")]

use std::path::{Path, PathBuf};
use std::process::Command;
use topdown_media::write::{Bext, Depth, Format, Spec, Writer};
use topdown_media::{Cache, Tags, open};
use topdown_units::SampleRate;

const RATE: SampleRate = SampleRate::CD;
const FRAMES: usize = 50_021;

/// True when all programs are there; says loudly when not.
fn have(programs: &[&str]) -> bool {
    let missing: Vec<&&str> =
        programs.iter().filter(|p| Command::new(p).arg("--version").output().is_err()).collect();
    if !missing.is_empty() {
        eprintln!("SKIPPED: {missing:?} not found on PATH, so nothing was compared");
    }
    missing.is_empty()
}

fn run(program: &str, args: &[&str]) -> Vec<u8> {
    let out = Command::new(program).args(args).output().unwrap();
    assert!(out.status.success(), "{program} {args:?}: {}", String::from_utf8_lossy(&out.stderr));
    out.stdout
}

fn ffmpeg(args: &[&str]) -> Vec<u8> {
    run("ffmpeg", &[&["-nostdin", "-v", "error", "-y"], args].concat())
}

/// Frames by channels of what ffmpeg decodes, as 32-bit floats.
fn by_ffmpeg(path: &Path, channels: usize) -> Vec<Vec<f32>> {
    let bytes = ffmpeg(&["-i", path.to_str().unwrap(), "-f", "f32le", "-"]);
    let samples: Vec<f32> =
        bytes.as_chunks::<4>().0.iter().map(|b| f32::from_le_bytes(*b)).collect();
    (0..channels).map(|c| samples.iter().skip(c).step_by(channels).copied().collect()).collect()
}

fn by_us(path: &Path, cache: &Cache) -> Vec<Vec<f32>> {
    let file = open(path).unwrap();
    let mut reader = file.reader(cache).unwrap();
    let mut planes = vec![vec![0f32; reader.frames() as usize]; reader.channels()];
    let mut views: Vec<&mut [f32]> = planes.iter_mut().map(|p| &mut p[..]).collect();
    reader.read(0, &mut views).unwrap();
    planes
}

/// Broad-band sound with full-scale peaks, different on both sides.
fn sound(frames: usize, rate: SampleRate) -> Vec<Vec<f32>> {
    let mut seed = 9u32;
    let mut noise = || {
        seed = seed.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        f64::from(seed >> 8) / f64::from(1 << 24) * 2.0 - 1.0
    };
    let tone = |i: usize, hz: f64| {
        topdown_dsp::math::sin(std::f64::consts::TAU * hz * i as f64 / rate.hz())
    };
    let left = (0..frames).map(|i| (0.7 * tone(i, 440.0) + 0.2 * noise()) as f32).collect();
    let right = (0..frames)
        .map(|i| (0.5 * tone(i, 1_000.0) * tone(i, 2.0) + 0.1 * noise()) as f32)
        .collect();
    vec![left, right]
}

fn write(path: &Path, spec: &Spec, planes: &[Vec<f32>]) {
    let mut writer = Writer::create(path, spec).unwrap();
    let views: Vec<&[f32]> = planes.iter().map(Vec::as_slice).collect();
    writer.write(&views).unwrap();
    writer.finish().unwrap();
}

struct Bench {
    dir: tempfile::TempDir,
    cache: Cache,
    master: PathBuf,
}

/// A folder with a 32-bit float master of [`sound`].
fn bench() -> Bench {
    let dir = tempfile::tempdir().unwrap();
    let master = dir.path().join("master.wav");
    let mut spec = Spec::new(Format::Wav, RATE, 2);
    spec.depth = Depth::Float32;
    write(&master, &spec, &sound(FRAMES, RATE));
    let cache = Cache::new(dir.path().join("cache"), 1 << 30);
    Bench { dir, cache, master }
}

impl Bench {
    fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    fn master(&self) -> &str {
        self.master.to_str().unwrap()
    }
}

#[test]
fn every_lossless_file_decodes_to_the_samples_that_ffmpeg_gives() {
    if !have(&["ffmpeg"]) {
        return;
    }
    let bench = bench();
    let wav = [
        "pcm_u8",
        "pcm_s16le",
        "pcm_s24le",
        "pcm_s32le",
        "pcm_s64le",
        "pcm_f32le",
        "pcm_f64le",
        "pcm_alaw",
        "pcm_mulaw",
    ]
    .map(|c| ("wav", c, &[][..]));
    let rf64 =
        ["pcm_s16le", "pcm_s24le", "pcm_f32le"].map(|c| ("wav", c, &["-rf64", "always"][..]));
    let w64 = [
        "pcm_u8",
        "pcm_s16le",
        "pcm_s24le",
        "pcm_s32le",
        "pcm_f32le",
        "pcm_f64le",
        "pcm_alaw",
        "pcm_mulaw",
    ]
    .map(|c| ("w64", c, &[][..]));
    let aiff = [
        "pcm_s8",
        "pcm_s16be",
        "pcm_s24be",
        "pcm_s32be",
        "pcm_s16le",
        "pcm_f32be",
        "pcm_f64be",
        "pcm_alaw",
        "pcm_mulaw",
    ]
    .map(|c| ("aiff", c, &[][..]));
    let au = [
        "pcm_s8",
        "pcm_s16be",
        "pcm_s24be",
        "pcm_s32be",
        "pcm_f32be",
        "pcm_f64be",
        "pcm_alaw",
        "pcm_mulaw",
    ]
    .map(|c| ("au", c, &[][..]));
    let caf = [
        "pcm_s8",
        "pcm_s16be",
        "pcm_s16le",
        "pcm_s24be",
        "pcm_s24le",
        "pcm_s32le",
        "pcm_f32le",
        "pcm_f64be",
    ]
    .map(|c| ("caf", c, &[][..]));
    let coded: [(&str, &str, &[&str]); 9] = [
        ("flac", "flac", &["-sample_fmt", "s16"]),
        ("flac", "flac", &["-sample_fmt", "s32"]),
        ("flac", "flac", &["-sample_fmt", "s32", "-bits_per_raw_sample", "32", "-strict", "-2"]),
        ("oga", "flac", &["-sample_fmt", "s16"]),
        ("oga", "flac", &["-sample_fmt", "s32"]),
        ("m4a", "alac", &["-sample_fmt", "s16p"]),
        ("m4a", "alac", &["-sample_fmt", "s32p"]),
        ("caf", "alac", &["-sample_fmt", "s16p"]),
        ("caf", "alac", &["-sample_fmt", "s32p"]),
    ];
    let all = wav.into_iter().chain(rf64).chain(w64).chain(aiff).chain(au).chain(caf).chain(coded);
    let mut compared = 0;
    for (extension, codec, extra) in all {
        for channels in [1usize, 2] {
            let path = bench.path(&format!("{codec}{compared}.{extension}"));
            let (name, count) = (path.to_str().unwrap().to_owned(), channels.to_string());
            ffmpeg(
                &[&["-i", bench.master(), "-ac", &count, "-c:a", codec], extra, &[&name]].concat(),
            );
            let (ours, theirs) = (by_us(&path, &bench.cache), by_ffmpeg(&path, channels));
            assert_eq!(ours.len(), channels, "{name}");
            // ffmpeg counts the padding of its Wave64 files as sound, up to seven bytes of it.
            let slack = if extension == "w64" { 7 } else { 0 };
            assert!(theirs[0].len() - ours[0].len() <= slack, "{name} {extra:?}: frames");
            let same = ours.iter().zip(&theirs).all(|(a, b)| *a == b[..a.len()]);
            assert!(same, "{name} {extra:?}: samples differ");
            assert!((FRAMES..=FRAMES + slack).contains(&ours[0].len()), "{name}: whole length");
            compared += 1;
        }
    }
    assert_eq!(compared, 2 * 54);
}

#[test]
fn a_rifx_of_sox_holds_the_samples_that_ffmpeg_finds_in_its_riff_twin() {
    // ffmpeg 5.1 reads no RIFX itself, so sox writes each file twice: once for us, once for ffmpeg.
    if !have(&["ffmpeg", "sox"]) {
        return;
    }
    let bench = bench();
    let (riff, rifx) = (bench.path("riff.wav"), bench.path("rifx.wav"));
    let (little, big) = (riff.to_str().unwrap(), rifx.to_str().unwrap());
    for encoding in [
        "unsigned 8",
        "signed-integer 16",
        "signed-integer 24",
        "signed-integer 32",
        "floating-point 32",
        "floating-point 64",
        "a-law 8",
        "mu-law 8",
    ] {
        let (kind, bits) = encoding.split_once(' ').unwrap();
        for channels in [1usize, 2] {
            let count = channels.to_string();
            let coding = ["-e", kind, "-b", bits, "-c", &count];
            run("sox", &[&["-D", bench.master()], &coding[..], &[little]].concat());
            run("sox", &[&["-D", little], &coding[..], &["-t", "wav", "-B", big]].concat());
            assert_eq!(std::fs::read(&rifx).unwrap()[..4], *b"RIFX", "{encoding}");
            let (ours, theirs) = (by_us(&rifx, &bench.cache), by_ffmpeg(&riff, channels));
            assert_eq!(ours[0].len(), FRAMES, "{encoding}: frames");
            assert!(ours == theirs, "{encoding}, {channels} channels: samples differ");
        }
    }
}

/// The time in frames by which `y` is late against `x`, to a fraction, by the peak of their correlation.
fn lateness(x: &[f32], y: &[f32]) -> f64 {
    let at = |lag: i64| -> f64 {
        (4_000..x.len() as i64 - 4_000)
            .map(|i| {
                f64::from(x[i as usize]) * f64::from(*y.get((i + lag) as usize).unwrap_or(&0.0))
            })
            .sum()
    };
    let best = (-2_200..=2_200).max_by(|a, b| at(*a).total_cmp(&at(*b))).unwrap();
    let (a, b, c) = (at(best - 1), at(best), at(best + 1));
    best as f64 + 0.5 * (a - c) / (a - 2.0 * b + c)
}

#[test]
fn lossy_files_of_other_encoders_have_the_length_and_place_of_their_source() {
    if !have(&["ffmpeg", "lame", "oggenc", "opusenc"]) {
        return;
    }
    let bench = bench();
    let source = bench.path("s16.wav");
    ffmpeg(&["-i", bench.master(), "-c:a", "pcm_s16le", source.to_str().unwrap()]);
    let s = source.to_str().unwrap();
    let p = |name: &str| bench.path(name).to_str().unwrap().to_owned();
    run("lame", &["--quiet", "-b", "192", s, &p("lame.mp3")]);
    run("lame", &["--quiet", "-V2", s, &p("vbr.mp3")]);
    ffmpeg(&["-i", s, "-c:a", "libmp3lame", &p("ff.mp3")]);
    run("oggenc", &["-Q", "-q6", s, "-o", &p("oggenc.ogg")]);
    ffmpeg(&["-i", s, "-c:a", "libvorbis", &p("ff.ogg")]);
    ffmpeg(&["-i", s, "-c:a", "aac", "-b:a", "192k", &p("ff.m4a")]);
    ffmpeg(&["-i", s, "-ar", "48000", "-c:a", "pcm_s16le", &p("48.wav")]);
    run("opusenc", &["--quiet", "--bitrate", "160", &p("48.wav"), &p("opusenc.opus")]);
    ffmpeg(&["-i", &p("48.wav"), "-c:a", "libopus", &p("ff.opus")]);
    for name in [
        "lame.mp3",
        "vbr.mp3",
        "ff.mp3",
        "oggenc.ogg",
        "ff.ogg",
        "ff.m4a",
        "opusenc.opus",
        "ff.opus",
    ] {
        let original = by_us(
            &bench.path(if name.ends_with("opus") { "48.wav" } else { "s16.wav" }),
            &bench.cache,
        );
        let ours = by_us(&bench.path(name), &bench.cache);
        assert_eq!(ours[0].len(), original[0].len(), "{name}: frames");
        let late = lateness(&original[1], &ours[1]);
        eprintln!("{name}: {late:+.4} frames late");
        assert!(late.abs() < 0.1, "{name}: {late:.3} frames late");
    }
    // Two links in one file: as long as both together.
    let mut chained = std::fs::read(bench.path("oggenc.ogg")).unwrap();
    run("oggenc", &["-Q", "-q6", "-s", "77", s, "-o", &p("second.ogg")]);
    chained.extend(std::fs::read(bench.path("second.ogg")).unwrap());
    std::fs::write(bench.path("chained.ogg"), chained).unwrap();
    assert_eq!(by_us(&bench.path("chained.ogg"), &bench.cache)[0].len(), 2 * FRAMES);
    let mut chained = std::fs::read(bench.path("opusenc.opus")).unwrap();
    chained.extend(std::fs::read(bench.path("ff.opus")).unwrap());
    std::fs::write(bench.path("chained.opus"), chained).unwrap();
    let one = by_us(&bench.path("48.wav"), &bench.cache)[0].len();
    assert_eq!(by_us(&bench.path("chained.opus"), &bench.cache)[0].len(), 2 * one);
}

fn spec(format: Format, depth: Depth) -> Spec {
    let text = |s: &str| Some(s.to_owned());
    let mut spec = Spec::new(format, RATE, 2);
    spec.depth = depth;
    spec.tags = Tags {
        title: text("Prüfung"),
        artist: text("Die Ä & B"),
        album: text("Zweites Álbum"),
        date: text("2026"),
        genre: text("Dub"),
        comment: text("zu laut? 試"),
        ..Tags::default()
    };
    spec.bext = (format == Format::Wav).then(|| Bext {
        description: "A take".to_owned(),
        time_reference: 44_100,
        ..Bext::default()
    });
    spec
}

/// The texts that ffprobe finds, in small letters, one a line.
fn texts(path: &Path) -> String {
    let entries = ["-show_entries", "format_tags:stream_tags", "-of", "default=nw=1"];
    let path = path.to_str().unwrap();
    let found = run("ffprobe", &[&["-v", "error"], &entries[..], &[path]].concat());
    String::from_utf8_lossy(&found).to_lowercase()
}

#[test]
fn what_we_write_other_programs_read_sample_by_sample_with_its_texts() {
    if !have(&["ffmpeg", "ffprobe", "flac"]) {
        return;
    }
    let bench = bench();
    let planes = sound(FRAMES, RATE);
    for (name, format) in [
        ("a.wav", Format::Wav),
        ("a.aiff", Format::Aiff),
        ("a.flac", Format::Flac),
        ("a.mp3", Format::Mp3 { kbps: 320 }),
        ("a.opus", Format::Opus { kbps: 192 }),
    ] {
        for depth in [Depth::Int16, Depth::Int24, Depth::Float32] {
            if (format == Format::Flac && depth == Depth::Float32)
                || (matches!(format, Format::Mp3 { .. } | Format::Opus { .. })
                    && depth != Depth::Int24)
            {
                continue;
            }
            let path = bench.path(name);
            write(&path, &spec(format, depth), &planes);
            let (ours, theirs) = (by_us(&path, &bench.cache), by_ffmpeg(&path, 2));
            let lossless = matches!(format, Format::Wav | Format::Aiff | Format::Flac);
            assert_eq!(ours[0].len(), theirs[0].len(), "{name} {depth:?}: frames");
            if lossless {
                assert!(ours == theirs, "{name} {depth:?}: samples differ");
                assert_eq!(ours[0].len(), FRAMES);
            } else {
                let worst =
                    ours[0].iter().zip(&theirs[0]).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max);
                assert!(worst < 2e-4, "{name}: two decoders differ by {worst}");
            }
            let texts = texts(&path);
            for text in [
                "title=prüfung",
                "artist=die ä & b",
                "album=zweites álbum",
                "date=2026",
                "genre=dub",
                "comment=zu laut? 試",
            ] {
                assert!(texts.contains(text), "{name} {depth:?}: {text} is not in {texts}");
            }
            if format == Format::Flac {
                run("flac", &["--totally-silent", "-t", path.to_str().unwrap()]);
            }
            if format == Format::Wav {
                assert!(texts.contains("time_reference=44100"), "{texts}");
                // ffprobe shows one comment, the description only where no other is there.
                let mut described = spec(format, depth);
                described.tags.comment = None;
                write(&path, &described, &planes);
                assert!(self::texts(&path).contains("comment=a take"), "{name} {depth:?}");
            }
        }
    }
}

#[test]
fn our_opus_and_mp3_have_the_exact_length_for_their_own_tools() {
    if !have(&["opusdec", "lame"]) {
        return;
    }
    let bench = bench();
    let rate = SampleRate::STUDIO;
    let mut s = Spec::new(Format::Opus { kbps: 128 }, rate, 2);
    let planes = sound(FRAMES, rate);
    write(&bench.path("a.opus"), &s, &planes);
    let p = |name: &str| bench.path(name).to_str().unwrap().to_owned();
    run("opusdec", &["--quiet", "--force-wav", &p("a.opus"), &p("opus.wav")]);
    assert_eq!(by_us(&bench.path("opus.wav"), &bench.cache)[0].len(), FRAMES);
    s.format = Format::Mp3 { kbps: 256 };
    write(&bench.path("a.mp3"), &s, &planes);
    run("lame", &["--quiet", "--decode", &p("a.mp3"), &p("mp3.wav")]);
    assert_eq!(by_us(&bench.path("mp3.wav"), &bench.cache)[0].len(), FRAMES);
}

#[test]
fn he_aac_is_refused_by_its_name() {
    // No free encoder is at hand, so the announcement is put into the file of another: type 2 becomes 5.
    if !have(&["ffmpeg"]) {
        return;
    }
    let bench = bench();
    let path = bench.path("a.m4a");
    ffmpeg(&["-i", bench.master(), "-c:a", "aac", path.to_str().unwrap()]);
    let mut bytes = std::fs::read(&path).unwrap();
    let at = bytes.windows(4).position(|w| w == b"esds").unwrap();
    // Tag 5, four bytes of length, then the config.
    let config =
        at + bytes[at..].windows(5).position(|w| w[0] == 5 && w[1..4] == [0x80; 3]).unwrap() + 5;
    assert_eq!(bytes[config] >> 3, 2);
    bytes[config] = bytes[config] & 7 | 5 << 3;
    std::fs::write(&path, bytes).unwrap();
    let error = open(&path).unwrap_err().to_string();
    assert!(error.contains("HE-AAC") && error.contains("a.m4a"), "{error}");
}

#[test]
fn damaged_files_of_other_encoders_never_panic_and_never_hang() {
    if !have(&["ffmpeg"]) {
        return;
    }
    let bench = bench();
    let mut seed = 3u64;
    let mut random = move || {
        seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (seed >> 33) as usize
    };
    for (name, codec) in [
        ("a.m4a", "aac"),
        ("b.m4a", "alac"),
        ("a.ogg", "libvorbis"),
        ("a.caf", "alac"),
        ("a.oga", "flac"),
        ("a.aac", "aac"),
    ] {
        let path = bench.path(name);
        ffmpeg(&["-i", bench.master(), "-t", "0.3", "-c:a", codec, path.to_str().unwrap()]);
        let whole = std::fs::read(&path).unwrap();
        for round in 0..60 {
            let mut bytes = whole.clone();
            if round % 4 == 3 {
                bytes.truncate(random() % bytes.len());
            }
            for _ in 0..=round % 7 {
                if !bytes.is_empty() {
                    let reach = if round % 2 == 0 { bytes.len() } else { bytes.len().min(600) };
                    bytes[random() % reach] = [0, 255, 127, random() as u8][random() % 4];
                }
            }
            std::fs::write(&path, &bytes).unwrap();
            if let Ok(file) = open(&path) {
                match file.reader(&bench.cache) {
                    Ok(reader) => assert!(reader.frames() < 100 * FRAMES as u64, "{name} {round}"),
                    Err(error) => assert!(error.to_string().contains(name)),
                }
            }
        }
    }
}
