//! A plain directory.

use std::{
    fs, io,
    path::{Path, PathBuf},
    sync::Arc,
    time::UNIX_EPOCH,
};

use policies::{Digest, Timestamp};

use super::{
    ancestry::Ancestry,
    bounded_read::read_bounded,
    checkout::{BlobId, Checkout, CheckoutFile, Content, Revision},
    error::SourceError,
    names::{MAX_DEPTH, is_hidden, is_miscased, is_policy_file},
};

/// A directory and everything below it.
#[derive(Debug)]
pub struct DirSource {
    root: PathBuf,
}

/// A file as it was read.
type Read = (fs::Metadata, Vec<u8>);

/// A walk through the directory.
struct Walk {
    /// The directory without symbolic links in its path. Links that point out of it are not followed.
    root: PathBuf,
    files: Vec<(String, io::Result<Read>)>,
    warnings: Vec<String>,
}

impl DirSource {
    pub fn new(root: PathBuf) -> Self {
        Self { root }
    }

    pub fn checkout(&mut self, is_known: impl Fn(&BlobId) -> bool) -> Result<Checkout, SourceError> {
        let failed = |error| SourceError(format!("cannot read directory {}: {error}", self.root.display()));
        let root = self.root.canonicalize().map_err(failed)?;
        let mut walk = Walk { root, files: Vec::new(), warnings: Vec::new() };
        walk.folder(&self.root, "", 0).map_err(failed)?;
        walk.files.sort_by(|(a, ..), (b, ..)| a.cmp(b));

        let mut parts = Vec::with_capacity(walk.files.len());
        let mut files = Vec::with_capacity(walk.files.len());
        for (path, read) in walk.files {
            let file = match read {
                Ok((metadata, bytes)) => {
                    let blob = BlobId::of(&bytes);
                    let content = if is_known(&blob) { Content::Known } else { Content::Bytes(bytes) };
                    CheckoutFile { path: path.into(), blob, content, modified: modified(&metadata) }
                }
                Err(error) => CheckoutFile::unreadable(path, format!("cannot be read: {error}")),
            };
            // Durations count from the modification, so it decides what is served.
            let at = file.modified.map_or(0, Timestamp::as_millis).to_le_bytes();
            parts.push((Arc::clone(&file.path), file.blob, at));
            files.push(file);
        }
        let parts = parts.iter().flat_map(|(path, blob, at)| [path.as_bytes(), blob.as_bytes(), at]);
        let revision = Revision::new(format!("dir@{}", Digest::of_parts(parts)));
        let (ancestry, above) = (Ancestry::default(), Vec::new());
        Ok(Checkout { revision, ancestry, signed: None, files, above, warnings: walk.warnings })
    }
}

impl Walk {
    fn folder(&mut self, folder: &Path, prefix: &str, depth: usize) -> io::Result<()> {
        if depth > MAX_DEPTH {
            self.warnings.push(format!("{prefix} is more than {MAX_DEPTH} directories deep and is ignored"));
            return Ok(());
        }
        for entry in fs::read_dir(folder)? {
            let entry = entry?;
            let Ok(name) = entry.file_name().into_string() else {
                self.warnings.push(format!("{prefix}{:?} is not UTF-8 and is ignored", entry.file_name()));
                continue;
            };
            let path = format!("{prefix}{name}");
            if entry.file_type()?.is_dir() {
                if !is_hidden(&name)
                    && let Err(error) = self.folder(&entry.path(), &format!("{path}/"), depth + 1)
                {
                    self.warnings.push(format!("{path} is ignored: {error}"));
                }
            } else if is_policy_file(&name) {
                match self.file(&entry.path()) {
                    // Between the listing and the reading it was moved away: the next look tells.
                    Err(error) if error.kind() == io::ErrorKind::NotFound => {}
                    read => self.files.push((path, read)),
                }
            } else if is_miscased(&name) {
                self.warnings
                    .push(format!("{path} is ignored: policy files end in .yaml or .yml, in lower case"));
            }
        }
        Ok(())
    }

    fn file(&self, path: &Path) -> io::Result<Read> {
        if !path.canonicalize()?.starts_with(&self.root) {
            return Err(io::Error::other("it is a symbolic link that leads out of the directory"));
        }
        let metadata = fs::metadata(path)?;
        if !metadata.is_file() {
            return Err(io::Error::other("it is not a regular file"));
        }
        Ok((metadata, read_bounded(path)?))
    }
}

fn modified(metadata: &fs::Metadata) -> Option<Timestamp> {
    let since = metadata.modified().ok()?.duration_since(UNIX_EPOCH).ok()?;
    Some(Timestamp::from_millis(since.as_millis().try_into().ok()?))
}
