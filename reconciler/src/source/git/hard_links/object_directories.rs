//! The directories that a repository has its objects in, and what is there.

use std::{
    collections::BTreeSet,
    ffi::OsStr,
    fs, io,
    path::{Path, PathBuf},
};

/// The largest number of object directories, with alternates.
const MOST_DIRECTORIES: usize = 16;

/// An object directory and those that it borrows objects from.
pub(super) fn with_alternates(objects: &Path) -> io::Result<Vec<PathBuf>> {
    let mut found = vec![objects.to_owned()];
    let mut next = 0;
    while let Some(directory) = found.get(next).cloned() {
        next += 1;
        let text = match fs::read_to_string(directory.join("info/alternates")) {
            Ok(text) => text,
            Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
            Err(error) => return Err(error),
        };
        for line in text.lines().filter(|line| !line.is_empty() && !line.starts_with('#')) {
            let alternate = directory.join(line);
            if !found.contains(&alternate) {
                found.push(alternate);
            }
        }
        if found.len() > MOST_DIRECTORIES {
            return Err(io::Error::other("there are too many alternates"));
        }
    }
    Ok(found)
}

/// The packs that have an index, without extension.
pub(super) fn packs(directories: &[PathBuf]) -> io::Result<BTreeSet<PathBuf>> {
    let mut found = BTreeSet::new();
    for directory in directories {
        for path in entries(&directory.join("pack"))? {
            if path.extension() == Some(OsStr::new("idx")) {
                found.insert(path.with_extension(""));
            }
        }
    }
    Ok(found)
}

/// The paths in a directory; none if it does not exist.
pub(super) fn entries(directory: &Path) -> io::Result<Vec<PathBuf>> {
    match fs::read_dir(directory) {
        Ok(entries) => entries.map(|entry| Ok(entry?.path())).collect(),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Vec::new()),
        Err(error) => Err(error),
    }
}
