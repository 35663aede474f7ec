//! Compressed files. Every decoder is behind one small trait, [`Decoder`], and inside the same guards: foreign
//! code that panics ends in an error, rate and channels are checked before anything is computed from them, and
//! the decoded length is held against the declared one.

mod flac;
mod foreign;
mod mp3;
mod mp4;
mod ogg;
mod opus;

use crate::error::MediaError;
use crate::file::Coded;
use crate::info::{Info, Note, Tags};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;

/// What a decoder tells before it decodes.
pub(crate) struct Opened {
    pub info: Info,
    pub notes: Vec<Note>,
}

/// Where decoded blocks go: one plane per channel, all of one length.
pub(crate) type Sink<'a> = dyn FnMut(&[Vec<f32>]) -> Result<(), MediaError> + 'a;

/// One way to decode one kind of file.
pub(crate) trait Decoder {
    /// Looks at the header.
    fn open(&self, path: &Path) -> Result<Opened, MediaError>;
    /// Decodes everything into `sink`, trimmed to the true start and end, and returns what was found on the way.
    fn decode(
        &self,
        path: &Path,
        info: &Info,
        sink: &mut Sink<'_>,
    ) -> Result<Vec<Note>, MediaError>;
}

/// The decoder for a kind of compressed file.
fn decoder(kind: Coded) -> &'static dyn Decoder {
    match kind {
        Coded::Flac => &flac::Flac,
        Coded::Mpeg => &mp3::Mp3,
        Coded::Adts => &foreign::ADTS,
        Coded::Mp4 => &mp4::Mp4,
        Coded::Caf => &foreign::CAF,
        Coded::Vorbis => &ogg::Chained,
        Coded::OggFlac => &foreign::OGG_FLAC,
        Coded::Opus => &opus::Opus,
    }
}

/// Looks at the header of a compressed file.
pub(crate) fn open(path: &Path, kind: Coded) -> Result<Opened, MediaError> {
    guarded(path, kind, || decoder(kind).open(path))
}

/// Which codec an Ogg file holds.
pub(crate) fn ogg_kind(path: &Path) -> Result<Coded, MediaError> {
    ogg::kind(path)
}

/// Decodes a file from start to end, trimmed, blocks of finite samples into `sink`. Returns the notes, and the
/// frames it gave.
pub(crate) fn decode(
    path: &Path,
    kind: Coded,
    info: &Info,
    sink: &mut Sink<'_>,
) -> Result<(Vec<Note>, u64), MediaError> {
    let (mut frames, mut loud, mut failed) = (0u64, false, None);
    let mut counted = |planes: &[Vec<f32>]| {
        frames += planes.first().map_or(0, Vec::len) as u64;
        loud |= planes.iter().flatten().any(|x| x.abs() >= NONSENSE);
        let result = sink(planes);
        failed = result.as_ref().err().is_some().then_some(()).or(failed);
        result
    };
    let mut notes = guarded(path, kind, || decoder(kind).decode(path, info, &mut counted))?;
    if loud {
        return Err(MediaError::damaged(
            path,
            info.container.name(),
            "it decodes to levels no recording has",
        ));
    }
    if frames == 0 && info.frames.is_some_and(|declared| declared > 0) {
        let reason = "nothing in it can be decoded";
        return Err(MediaError::damaged(path, info.container.name(), reason));
    }
    if frames == 0 {
        notes.push(Note::warning("holds no sound: it is 0 frames long"));
    }
    length_note(info, frames, &mut notes);
    Ok((notes, frames))
}

/// No codec gives levels beyond this (+24 dB over full scale) unless it decodes what is not its format.
const NONSENSE: f32 = 16.0;

fn length_note(info: &Info, frames: u64, notes: &mut Vec<Note>) {
    let Some(declared) = info.frames.filter(|declared| *declared != frames) else { return };
    let seconds = |n: u64| n as f64 / info.rate.hz();
    let exact = info.encoding.is_lossless();
    // Lossy headers count in packets; a packet or two is no damage.
    if exact || declared.abs_diff(frames) > 2 * 1152 {
        let (there, said) = (seconds(frames), seconds(declared));
        let problem =
            if frames < declared { "cut short or damaged" } else { "longer than it says" };
        if !notes.iter().any(|n| n.severity == crate::info::Severity::Warning) {
            notes.push(Note::warning(format!(
                "{problem}: the header counts {said:.3} s, {there:.3} s were decoded and are used"
            )));
        }
    }
}

/// Runs foreign code; a panic inside ends in an error that names the file.
fn guarded<T>(
    path: &Path,
    kind: Coded,
    run: impl FnOnce() -> Result<T, MediaError>,
) -> Result<T, MediaError> {
    quiet::install();
    let _silence = quiet::Silence::new();
    catch_unwind(AssertUnwindSafe(run)).unwrap_or_else(|_| {
        Err(MediaError::damaged(path, kind.name(), "the decoder gave up on it"))
    })
}

/// Keeps the message of a caught panic off the terminal: it is reported as an error instead.
mod quiet {
    use std::cell::Cell;
    use std::sync::Once;

    thread_local! {
        static DEPTH: Cell<u32> = const { Cell::new(0) };
    }

    /// While it lives, panics of this thread print nothing.
    pub(super) struct Silence;

    impl Silence {
        pub(super) fn new() -> Self {
            DEPTH.with(|d| d.set(d.get() + 1));
            Self
        }
    }

    impl Drop for Silence {
        fn drop(&mut self) {
            DEPTH.with(|d| d.set(d.get() - 1));
        }
    }

    /// Wraps the panic hook once, leaving it as it is for everyone else.
    pub(super) fn install() {
        static ONCE: Once = Once::new();
        ONCE.call_once(|| {
            let before = std::panic::take_hook();
            std::panic::set_hook(Box::new(move |info| {
                if DEPTH.with(Cell::get) == 0 {
                    before(info);
                }
            }));
        });
    }
}

/// Tags from pairs of key and value as Vorbis comments have them.
pub(crate) fn comment_tags<'a>(pairs: impl Iterator<Item = (&'a str, &'a str)>) -> Tags {
    let mut tags = Tags::default();
    for (key, value) in pairs.take(1024) {
        let Some(value) = crate::tags::text(value.as_bytes()) else { continue };
        let field = match key.to_ascii_uppercase().as_str() {
            "TITLE" => &mut tags.title,
            "ARTIST" => &mut tags.artist,
            "ALBUM" => &mut tags.album,
            "DATE" | "YEAR" => &mut tags.date,
            "GENRE" => &mut tags.genre,
            "COMMENT" => &mut tags.comment,
            "DESCRIPTION" => &mut tags.description,
            "ENCODER" | "ENCODED-BY" => &mut tags.originator,
            _ => continue,
        };
        field.get_or_insert(value);
    }
    tags
}
