//! The mix at the bus output on disk, so that a long song never lies in memory: raw `f32` frames, interleaved,
//! in a file that goes away with its owner.

use crate::error::AppError;
use std::fs::File;
use std::io::{BufReader, BufWriter, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

/// Frames read at a time.
const BLOCK: usize = 1 << 14;
const CHANNELS: usize = 2;
const FRAME_BYTES: usize = CHANNELS * 4;

/// A file's name; the file goes away with it, also when the work stops halfway.
struct Temporary(PathBuf);

impl Drop for Temporary {
    fn drop(&mut self) {
        if let Err(error) = std::fs::remove_file(&self.0) {
            tracing::debug!("{}: {error}", self.0.display());
        }
    }
}

/// A mix on its way to the print.
pub(crate) struct Spool {
    path: Temporary,
    file: File,
    frames: u64,
}

/// Takes the mix in.
pub(crate) struct SpoolWriter {
    path: Temporary,
    out: BufWriter<File>,
    frames: u64,
    bytes: Vec<u8>,
}

impl SpoolWriter {
    /// A new file in `folder`, which is made if needed.
    pub(crate) fn create(folder: &Path) -> Result<Self, AppError> {
        std::fs::create_dir_all(folder).map_err(AppError::disk(folder))?;
        let path = folder.join(format!("spool-{}.f32", std::process::id()));
        let file = File::options()
            .read(true)
            .write(true)
            .create(true)
            .truncate(true)
            .open(&path)
            .map_err(AppError::disk(&path))?;
        Ok(Self {
            path: Temporary(path),
            out: BufWriter::with_capacity(1 << 20, file),
            frames: 0,
            bytes: Vec::new(),
        })
    }

    /// Takes equally long planes; a mono mix goes to both channels.
    pub(crate) fn push(&mut self, planes: &[&[f32]]) -> Result<(), AppError> {
        let Some(left) = planes.first() else { return Ok(()) };
        let right = planes.get(1).unwrap_or(left);
        self.bytes.clear();
        for (l, r) in left.iter().zip(right.iter()) {
            self.bytes.extend_from_slice(&l.to_le_bytes());
            self.bytes.extend_from_slice(&r.to_le_bytes());
        }
        self.frames += left.len() as u64;
        self.out.write_all(&self.bytes).map_err(AppError::disk(&self.path.0))
    }

    /// The whole of it, to be read.
    pub(crate) fn finish(self) -> Result<Spool, AppError> {
        let path = self.path;
        let file = self.out.into_inner().map_err(|e| AppError::disk(&path.0)(e.into_error()))?;
        Ok(Spool { path, file, frames: self.frames })
    }
}

impl Spool {
    /// Frames in it.
    pub(crate) fn frames(&self) -> u64 {
        self.frames
    }

    /// Reads all of it from the start, block by block.
    pub(crate) fn read(
        &mut self,
        mut sink: impl FnMut(&[&[f32]]) -> Result<(), AppError>,
    ) -> Result<(), AppError> {
        let Self { path: Temporary(path), file, .. } = self;
        file.seek(SeekFrom::Start(0)).map_err(AppError::disk(path))?;
        let mut reader = BufReader::with_capacity(1 << 20, file);
        let mut bytes = vec![0u8; BLOCK * FRAME_BYTES];
        let mut planes = [vec![0.0f32; BLOCK], vec![0.0f32; BLOCK]];
        let mut left = self.frames;
        while left > 0 {
            let frames = left.min(BLOCK as u64) as usize;
            let bytes = &mut bytes[..frames * FRAME_BYTES];
            reader.read_exact(bytes).map_err(AppError::disk(path))?;
            for (index, frame) in bytes.chunks_exact(FRAME_BYTES).enumerate() {
                planes[0][index] = f32::from_le_bytes([frame[0], frame[1], frame[2], frame[3]]);
                planes[1][index] = f32::from_le_bytes([frame[4], frame[5], frame[6], frame[7]]);
            }
            sink(&[&planes[0][..frames], &planes[1][..frames]])?;
            left -= frames as u64;
        }
        Ok(())
    }
}
