//! The identity of a file: the BLAKE3 hash of its bytes.

use crate::error::MediaError;
use std::fmt;
use std::fs::File;
use std::io::Read as _;
use std::path::Path;
use std::str::FromStr;

/// The BLAKE3 hash of a file's bytes; written as 64 hexadecimal digits.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ContentHash(pub [u8; 32]);

impl fmt::Display for ContentHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for ContentHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ContentHash({self})")
    }
}

impl FromStr for ContentHash {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        blake3::Hash::from_hex(text)
            .map(|hash| Self(*hash.as_bytes()))
            .map_err(|_| "a content hash is 64 hexadecimal digits")
    }
}

/// Reads a file once and returns the hash of its bytes.
///
/// # Errors
/// When the file cannot be read.
pub fn content_hash(path: &Path) -> Result<ContentHash, MediaError> {
    let mut file = File::open(path).map_err(MediaError::io(path, "open it"))?;
    let mut hasher = blake3::Hasher::new();
    let mut block = vec![0u8; 1 << 18];
    loop {
        match file.read(&mut block) {
            Ok(0) => return Ok(ContentHash(*hasher.finalize().as_bytes())),
            Ok(n) => {
                hasher.update(block.get(..n).unwrap_or_default());
            }
            Err(e) if e.kind() == std::io::ErrorKind::Interrupted => {}
            Err(e) => return Err(MediaError::io(path, "read it")(e)),
        }
    }
}
