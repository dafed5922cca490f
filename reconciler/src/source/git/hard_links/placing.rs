//! Brings one file to another place: by a hard link, else by a copy. It must be a regular file, also at the end.

use std::{
    fs::{self, File, OpenOptions},
    io,
    os::unix::fs::MetadataExt as _,
    path::Path,
};

/// The most that is copied, in bytes: all branches of the repository are in its packs.
const MOST_COPIED: u64 = 1 << 30;

/// Links a file, or copies it if the system refuses that, unless it is there. Adds to the bytes that are copied.
pub(super) fn link_or_copy(from: &Path, to: &Path, copied: &mut u64) -> io::Result<()> {
    if fs::symlink_metadata(to).is_ok() || try_link(from, to)? {
        return Ok(());
    }
    let mut source = File::open(from)?;
    let metadata = source.metadata()?;
    let file = |metadata: &fs::Metadata| (metadata.dev(), metadata.ino());
    if file(&metadata) != file(&regular(from)?) {
        return Err(replaced(from));
    }
    *copied += metadata.len();
    if *copied > MOST_COPIED {
        return Err(io::Error::other("the packs are too large to be copied"));
    }
    // What a killed process leaves under this name is swept.
    let mut half = to.as_os_str().to_owned();
    half.push("_git2_copy");
    let _ = fs::remove_file(&half);
    let mut copy = OpenOptions::new().write(true).create_new(true).open(&half)?;
    io::copy(&mut source, &mut copy)?;
    copy.sync_all()?;
    fs::rename(half, to)
}

/// Makes a hard link to a regular file; false if the system refuses it.
pub(super) fn try_link(from: &Path, to: &Path) -> io::Result<bool> {
    regular(from)?;
    let link = || fs::hard_link(from, to);
    let linked = link().or_else(|error| match (error.kind(), to.parent()) {
        (io::ErrorKind::NotFound, Some(parent)) => fs::create_dir_all(parent).and_then(|()| link()),
        _ => Err(error),
    });
    match linked {
        Ok(()) => {}
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Err(error),
        Err(_) => return Ok(false),
    }
    // It may have been replaced since it was looked at.
    if regular(to).is_err() {
        fs::remove_file(to)?;
        return Err(replaced(from));
    }
    Ok(true)
}

/// The metadata of a regular file. A symbolic link could lead to any file of this machine.
fn regular(path: &Path) -> io::Result<fs::Metadata> {
    let metadata = fs::symlink_metadata(path)?;
    if metadata.is_file() { Ok(metadata) } else { Err(replaced(path)) }
}

fn replaced(path: &Path) -> io::Error {
    io::Error::other(format!("{} is not a regular file", path.display()))
}
