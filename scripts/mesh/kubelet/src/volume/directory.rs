//! A directory whose files change all at once.
//!
//! The files are in a directory with a name of its own, to which the symbolic link `..data` points; each name at
//! the top is a link through `..data`. A change is a new directory and one rename of `..data`, as with every
//! kubelet: programs that watch for it see the same events.

use std::collections::BTreeSet;
use std::fs::{self, Permissions};
use std::io::ErrorKind;
use std::os::unix::fs::{PermissionsExt, chown, symlink};
use std::path::Path;
use std::time::{SystemTime, UNIX_EPOCH};

use anyhow::{Context, Result};

use crate::spec::files::Files;

const DATA: &str = "..data";

/// Makes the directory have these files and no others.
pub(super) fn write(directory: &Path, files: &Files, group: Option<u32>) -> Result<()> {
    make(directory, 0o755, group)?;
    let fresh = format!("..{}", SystemTime::now().duration_since(UNIX_EPOCH)?.as_nanos());
    for (path, file) in files {
        let place = directory.join(&fresh).join(path);
        let parent = place.parent().context("a file without a directory")?;
        fs::create_dir_all(parent)?;
        fs::write(&place, &file.content)?;
        // The group of the volumes reads everything.
        let more = if group.is_some() { 0o440 } else { 0 };
        fs::set_permissions(&place, Permissions::from_mode(file.mode | more))?;
        chown(&place, None, group)?;
    }
    fs::create_dir_all(directory.join(&fresh))?;
    let next = directory.join("..data_tmp");
    absent(fs::remove_file(&next))?;
    symlink(&fresh, &next)?;
    fs::rename(&next, directory.join(DATA))?;
    let names: BTreeSet<&str> = files.keys().filter_map(|path| path.split('/').next()).collect();
    for name in &names {
        let link = directory.join(name);
        if fs::symlink_metadata(&link).is_err() {
            symlink(Path::new(DATA).join(name), &link)?;
        }
    }
    clear(directory, |name| name == DATA || name == fresh || names.contains(name))
}

/// Makes a directory that everybody writes to, and leaves what is in it.
pub(super) fn empty(directory: &Path, group: Option<u32>) -> Result<()> {
    if directory.exists() { Ok(()) } else { make(directory, 0o777, group) }
}

fn make(directory: &Path, mode: u32, group: Option<u32>) -> Result<()> {
    fs::create_dir_all(directory)?;
    chown(directory, None, group)?;
    // New files get the group of the directory.
    let inherited = if group.is_some() { 0o2000 } else { 0 };
    fs::set_permissions(directory, Permissions::from_mode(mode | inherited))?;
    Ok(())
}

/// Removes what was written at an earlier time. Other directories are places of mounts inside this one.
fn clear(directory: &Path, keep: impl Fn(&str) -> bool) -> Result<()> {
    for entry in fs::read_dir(directory)? {
        let entry = entry?;
        if keep(&entry.file_name().to_string_lossy()) {
            continue;
        }
        let path = entry.path();
        if entry.file_name().as_encoded_bytes().starts_with(b"..") {
            fs::remove_dir_all(path)?;
        } else if entry.file_type()?.is_symlink() {
            fs::remove_file(path)?;
        }
    }
    Ok(())
}

fn absent(removed: std::io::Result<()>) -> std::io::Result<()> {
    removed.or_else(|error| if error.kind() == ErrorKind::NotFound { Ok(()) } else { Err(error) })
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::PermissionsExt;
    use std::path::Path;

    use super::{empty, write};
    use crate::spec::files::{File, Files};

    fn files(list: &[(&str, &str)]) -> Files {
        let file = |text: &str| File { content: text.as_bytes().to_vec(), mode: 0o600 };
        list.iter().map(|(path, text)| ((*path).to_owned(), file(text))).collect()
    }

    fn names(directory: &Path) -> Vec<String> {
        let entries = fs::read_dir(directory).unwrap().map(|entry| entry.unwrap().file_name());
        let mut names: Vec<_> = entries.map(|name| name.to_string_lossy().into_owned()).collect();
        names.retain(|name| name == "..data" || !name.starts_with(".."));
        names.sort();
        names
    }

    #[test]
    fn a_change_is_seen_through_paths_that_stay() {
        let folder = tempfile::tempdir().unwrap();
        let volume = folder.path().join("v");
        write(&volume, &files(&[("a", "1"), ("deep/b", "2")]), None).unwrap();
        let before = fs::canonicalize(volume.join("a")).unwrap();
        assert_eq!(fs::read_to_string(volume.join("deep/b")).unwrap(), "2");
        write(&volume, &files(&[("a", "new"), ("c", "3")]), None).unwrap();
        assert_eq!(fs::read_to_string(volume.join("a")).unwrap(), "new");
        assert_ne!(fs::canonicalize(volume.join("a")).unwrap(), before);
        assert!(!before.exists(), "what was before is gone");
        assert_eq!(names(&volume), ["..data", "a", "c"]);
        write(&volume, &files(&[]), None).unwrap();
        assert_eq!(names(&volume), ["..data"]);
    }

    #[test]
    fn places_of_mounts_inside_of_a_volume_stay() {
        let folder = tempfile::tempdir().unwrap();
        write(folder.path(), &files(&[("a", "1")]), None).unwrap();
        fs::create_dir(folder.path().join("inner")).unwrap();
        write(folder.path(), &files(&[("b", "2")]), None).unwrap();
        assert_eq!(names(folder.path()), ["..data", "b", "inner"]);
    }

    #[test]
    fn permissions_are_those_of_the_files() {
        let folder = tempfile::tempdir().unwrap();
        write(folder.path(), &files(&[("a", "1")]), None).unwrap();
        let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o7777;
        assert_eq!(mode(&folder.path().join("a")), 0o600);
        let volume = folder.path().join("empty");
        empty(&volume, None).unwrap();
        assert_eq!(mode(&volume), 0o777);
    }
}
