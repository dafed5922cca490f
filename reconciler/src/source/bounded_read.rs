//! Reads local files that may be larger than any policy file.

use std::{fs, io, io::Read as _, path::Path};

use policies::reading::MAX_FILE_BYTES;

/// The content of a file. A file that is too long for a policy file is read only far enough to prove that.
pub(crate) fn read_bounded(path: &Path) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    fs::File::open(path)?.take(MAX_FILE_BYTES as u64 + 1).read_to_end(&mut bytes)?;
    Ok(bytes)
}
