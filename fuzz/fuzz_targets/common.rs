//! Opens bytes as a file and reads its first and last frames.

use std::io::Write as _;
use topdown_media::{Cache, open};

/// Ends in an error or in finite sound, never in a panic.
pub fn read(bytes: &[u8]) {
    let Ok(mut file) = tempfile::NamedTempFile::new() else { return };
    if file.write_all(bytes).is_err() {
        return;
    }
    let Ok(audio) = open(file.path()) else { return };
    if !audio.is_pcm() {
        return;
    }
    let Ok(mut reader) = audio.reader(&Cache::new("unused", 0)) else { return };
    let mut planes = vec![vec![0f32; 64]; reader.channels()];
    for at in [0, reader.frames().saturating_sub(32)] {
        let mut views: Vec<&mut [f32]> = planes.iter_mut().map(Vec::as_mut_slice).collect();
        let frames = reader.read(at, &mut views).expect("an opened file can be read");
        assert!(frames as u64 <= reader.frames());
        assert!(planes.iter().flatten().all(|x| x.is_finite()));
    }
}
