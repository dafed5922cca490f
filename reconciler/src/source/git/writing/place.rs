//! The place of a file in a commit: what is there, and what stands in the way of a new one.

use git2::{FileMode, ObjectType, Oid, Repository as BareClone, Tree};

use super::file_name;
use crate::source::{
    git::{budget::ReadError, objects},
    printable::printable,
};

/// The place of a file.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Place {
    /// A regular file is there.
    File { blob: Oid, mode: FileMode },
    /// Nothing is there, and a file can be.
    Free,
    /// No file can be there, because of this. It completes a sentence whose subject is the path.
    Blocked(String),
}

/// Looks at the place of a file below the root of a commit.
pub(super) fn at(clone: &BareClone, root: &Tree<'_>, path: &str) -> Result<Place, ReadError> {
    let names: Vec<_> = path.split('/').collect();
    let mut directory = root.clone();
    let mut above = String::new();
    for (index, name) in names.iter().enumerate() {
        let is_last = index + 1 == names.len();
        let here = format!("{above}{name}");
        let Some(entry) = directory.get_name(name) else {
            let blocked = file_name::names(path).err().or_else(|| clash(&directory, name, &above));
            return Ok(blocked.map_or(Place::Free, Place::Blocked));
        };
        let (id, kind, mode) = (entry.id(), entry.kind(), entry.filemode());
        drop(entry);
        let mode = match mode {
            0o100_755 => FileMode::BlobExecutable,
            0o120_000 => FileMode::Link,
            _ => FileMode::Blob,
        };
        let blocked =
            |what| Ok(Place::Blocked(format!("cannot be a policy file: `{}` is {what}", printable(&here))));
        match (kind, mode, is_last) {
            (Some(ObjectType::Tree), _, false) => (directory, _) = objects::tree(clone, id, || here.clone())?,
            (Some(ObjectType::Tree), ..) => return blocked("a directory"),
            (Some(ObjectType::Blob), FileMode::Link, _) => return blocked("a symbolic link"),
            (Some(ObjectType::Blob), mode, true) => return Ok(Place::File { blob: id, mode }),
            (Some(ObjectType::Blob), ..) => return blocked("a file"),
            _ => return blocked("a submodule"),
        }
        above = here + "/";
    }
    Ok(Place::Blocked("is a directory".to_owned()))
}

/// The reason why a new name does not go beside those that are there: it differs from one in case only.
fn clash(directory: &Tree<'_>, name: &str, above: &str) -> Option<String> {
    let lower = name.to_lowercase();
    let other = directory.iter().find_map(|entry| {
        let other = String::from_utf8_lossy(entry.name_bytes()).into_owned();
        (other.to_lowercase() == lower).then_some(other)
    })?;
    let other = format!("{above}{other}");
    Some(format!("differs from `{}`, which is there, in upper and lower case only", printable(&other)))
}
