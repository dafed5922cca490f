//! Limits of what a repository may cost. `REFERENCE.md` has them.
//!
//! A few kilobytes of Git can unfold to any number of paths and bytes: trees are shared, and objects are compressed
//! and stored as differences. So each limit is checked before the work is done.

use crate::source::names::MAX_DEPTH;

/// The policy files of a commit, and the entries that are told of instead of read.
pub(in crate::source) const MAX_FILES: usize = 100_000;
/// The directories of a commit.
pub(in crate::source) const MAX_DIRECTORIES: usize = 100_000;
/// The entries of those directories.
pub(super) const MAX_ENTRIES: usize = 1_000_000;
/// The bytes of those directories, as Git stores them.
pub(super) const MAX_TREE_BYTES: usize = 128 << 20;
/// The bytes of the paths of all policy files and directories.
pub(super) const MAX_PATH_BYTES: usize = 16 << 20;
/// The bytes of one path.
pub(super) const MAX_PATH: usize = 4 << 10;
/// The bytes of all policy files.
pub(in crate::source) const MAX_CONTENT: usize = 64 << 20;
/// The bytes of a single directory, as Git stores it.
pub(super) const MAX_TREE: usize = 8 << 20;
/// The bytes of a single commit, with its message.
pub(super) const MAX_COMMIT: usize = 1 << 20;
/// The bytes that one fetch receives.
pub(super) const MAX_RECEIVED: usize = 2 << 30;
/// The objects that one fetch receives.
pub(super) const MAX_OBJECTS: usize = 10_000_000;

const _: () = assert!(MAX_DEPTH * 2 < MAX_PATH, "a path of the largest depth is not too long");

#[cfg(test)]
mod tests {
    use policies::{reading::MAX_FILE_BYTES, repository::RegexCost};

    use super::*;
    use crate::{
        reference,
        source::git::memory::{OF_CHECK, OF_FETCH, OF_PLAN},
    };

    /// A number as the reference writes it, with commas.
    fn count(number: usize) -> String {
        let digits = number.to_string();
        let groups = digits.as_bytes().rchunks(3).rev();
        groups.map(|group| str::from_utf8(group).unwrap()).collect::<Vec<_>>().join(",")
    }

    fn size(bytes: usize) -> String {
        if bytes >= 1 << 30 {
            format!("{} GiB", bytes >> 30)
        } else if bytes >= 1 << 20 {
            format!("{} MiB", bytes >> 20)
        } else {
            format!("{} KiB", bytes >> 10)
        }
    }

    /// The limits of the code and of the reference are the same, in the same order.
    #[test]
    fn the_reference_has_every_limit_of_a_commit_with_its_value() {
        let code = [
            count(MAX_FILES),
            size(MAX_CONTENT),
            count(MAX_DIRECTORIES),
            count(MAX_ENTRIES),
            size(MAX_TREE_BYTES),
            size(MAX_PATH_BYTES),
            size(MAX_PATH),
            size(MAX_TREE),
            size(MAX_COMMIT),
            size(MAX_FILE_BYTES),
            count(MAX_DEPTH),
            size(RegexCost::MAX_BYTES),
            count(RegexCost::MAX_STEPS),
            size(MAX_RECEIVED),
            count(MAX_OBJECTS),
            format!(
                "half of what there is, {} to {}",
                size(OF_FETCH[0] as usize),
                size(OF_FETCH[1] as usize)
            ),
            size(OF_CHECK as usize),
            format!(
                "three eighths of what there is, {} to {}",
                size(OF_PLAN[0] as usize),
                size(OF_PLAN[1] as usize)
            ),
        ];
        let rows = reference::rows("Limits of a repository");
        let table: Vec<_> = rows.iter().map(|row| row[1].as_str()).collect();
        assert_eq!(table, code);
    }
}
