//! MP3: decoded by symphonia, texts read by our own ID3 reader (which knows the year of ID3v2.3).

use super::foreign::MP3;
use super::{Decoder, Opened, Sink};
use crate::error::MediaError;
use crate::info::{Info, Note};
use std::fs::File;
use std::io::Read as _;
use std::path::Path;

/// A bare MPEG layer III stream.
pub(super) struct Mp3;

/// Texts stand at the start of a tag; pictures behind them are not needed.
const MAX_TAG: u64 = 1 << 18;

impl Decoder for Mp3 {
    fn open(&self, path: &Path) -> Result<Opened, MediaError> {
        let mut opened = MP3.open(path)?;
        let mut head = Vec::new();
        let file = File::open(path).map_err(MediaError::io(path, "open it"))?;
        file.take(MAX_TAG).read_to_end(&mut head).map_err(MediaError::io(path, "read it"))?;
        let mut tags = crate::tags::id3(&head);
        tags.fill_from(std::mem::take(&mut opened.info.tags));
        opened.info.tags = tags;
        Ok(opened)
    }

    fn decode(
        &self,
        path: &Path,
        info: &Info,
        sink: &mut Sink<'_>,
    ) -> Result<Vec<Note>, MediaError> {
        MP3.decode(path, info, sink)
    }
}
