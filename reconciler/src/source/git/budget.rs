//! The cost of reading the directories of a commit, and its limits.

use std::ops::Sub;

use super::{
    limits::{MAX_DIRECTORIES, MAX_ENTRIES, MAX_FILES, MAX_PATH, MAX_PATH_BYTES, MAX_TREE_BYTES},
    reason::reason,
};
use crate::source::printable::printable;

/// The cost of the directories read so far. A directory that many paths lead to counts for each of them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(in crate::source) struct Cost {
    pub(in crate::source) directories: usize,
    pub(in crate::source) entries: usize,
    pub(in crate::source) tree_bytes: usize,
    pub(in crate::source) files: usize,
    pub(in crate::source) path_bytes: usize,
}

/// A limit that a commit is over.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub(in crate::source) struct Excess(String);

/// The error of reading a commit.
#[derive(Debug, thiserror::Error)]
pub(super) enum ReadError {
    #[error("{}", reason(.0))]
    Git(#[from] git2::Error),
    /// Nothing is damaged: the commit must not be read.
    #[error(transparent)]
    Over(#[from] Excess),
}

impl Excess {
    pub(super) fn new(reason: String) -> Self {
        Self(reason)
    }
}

impl Cost {
    /// Adds the cost of what is at `path`, unless that is over a limit.
    pub(in crate::source) fn add(&mut self, more: Self, path: &str) -> Result<(), Excess> {
        self.directories += more.directories;
        self.entries += more.entries;
        self.tree_bytes += more.tree_bytes;
        self.files += more.files;
        self.path_bytes += more.path_bytes;
        let limits = [
            (self.directories, MAX_DIRECTORIES, "directories"),
            (self.entries, MAX_ENTRIES, "entries of directories"),
            (self.tree_bytes, MAX_TREE_BYTES, "bytes of directories"),
            (self.files, MAX_FILES, "policy files"),
            (self.path_bytes, MAX_PATH_BYTES, "bytes of paths"),
        ];
        match limits.into_iter().find(|(cost, limit, _)| cost > limit) {
            None => Ok(()),
            Some((_, limit, what)) => Err(Excess(format!(
                "it has more than {limit} {what}, at the latest at `{}`: name a smaller directory by --path, \
                 or keep other files elsewhere",
                printable(path)
            ))),
        }
    }

    /// Adds the cost of a path that is kept.
    pub(in crate::source) fn add_path(&mut self, cost: Self, path: &str) -> Result<(), Excess> {
        if path.len() > MAX_PATH {
            return Err(Excess(format!(
                "the path `{}` is longer than {MAX_PATH} bytes: use shorter names",
                printable(path)
            )));
        }
        self.add(Self { path_bytes: path.len(), ..cost }, path)
    }
}

impl Sub for Cost {
    type Output = Self;

    fn sub(self, before: Self) -> Self {
        Self {
            directories: self.directories - before.directories,
            entries: self.entries - before.entries,
            tree_bytes: self.tree_bytes - before.tree_bytes,
            files: self.files - before.files,
            path_bytes: self.path_bytes - before.path_bytes,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Cost, MAX_DIRECTORIES, MAX_PATH};

    #[test]
    fn the_first_over_a_limit_is_refused_by_its_name_and_place() {
        let mut cost = Cost::default();
        let directory = Cost { directories: 1, ..Cost::default() };
        for _ in 0..MAX_DIRECTORIES {
            cost.add(directory, "a/").unwrap();
        }
        let error = cost.add(directory, "b\u{1b}/").unwrap_err().to_string();
        assert!(
            error.starts_with("it has more than 100000 directories, at the latest at `b\\u001b/`"),
            "{error}"
        );
    }

    #[test]
    fn a_path_is_refused_for_its_length_and_shown_in_part() {
        let error =
            Cost::default().add_path(Cost::default(), &"a".repeat(MAX_PATH + 1)).unwrap_err().to_string();
        assert!(
            error.ends_with("is longer than 4096 bytes: use shorter names") && error.len() < 500,
            "{error}"
        );
        Cost::default().add_path(Cost::default(), &"a".repeat(MAX_PATH)).unwrap();
    }
}
