//! What commits say of themselves: their times and messages.

use std::path::PathBuf;

use git2::{Oid, Repository as BareClone};
use policies::Timestamp;

use super::{GitSource, budget::ReadError, document_times::committed_at, objects, reason::failure};
use crate::source::{ancestry::CommitId, error::SourceError};

/// The most commits whose messages are read.
const MOST: usize = 10_000;

/// The commits in a clone. It opens the clone by itself, so any thread may use it.
#[derive(Clone, Debug)]
pub struct CommitLog(PathBuf);

impl GitSource {
    /// The commits in the clone.
    pub(in crate::source) fn commit_log(&self) -> CommitLog {
        CommitLog(self.clone.path().to_owned())
    }
}

impl CommitLog {
    /// The time of the committer. Blocks.
    pub fn committed_at(&self, commit: CommitId) -> Result<Timestamp, SourceError> {
        self.read(|clone| Ok(committed_at(&objects::commit(clone, Oid::from_bytes(&commit.0)?)?)))
    }

    /// The messages of the commits that `tip` leads to and `before` does not. Blocks.
    pub fn messages(&self, before: CommitId, tip: CommitId) -> Result<Vec<String>, SourceError> {
        self.read(|clone| {
            let mut walk = clone.revwalk()?;
            walk.push(Oid::from_bytes(&tip.0)?)?;
            walk.hide(Oid::from_bytes(&before.0)?)?;
            let message = |id: Result<Oid, git2::Error>| {
                let commit = objects::commit(clone, id?)?;
                Ok(String::from_utf8_lossy(commit.message_bytes()).into_owned())
            };
            walk.take(MOST).map(message).collect()
        })
    }

    fn read<T>(&self, read: impl FnOnce(&BareClone) -> Result<T, ReadError>) -> Result<T, SourceError> {
        let read = || read(&BareClone::open_bare(&self.0)?);
        read().map_err(|error| match error {
            ReadError::Git(error) => failure("cannot read the history", &error),
            ReadError::Over(excess) => SourceError(format!("cannot read the history: {excess}")),
        })
    }
}

#[cfg(test)]
mod tests {
    use git2::{Oid, Repository as BareClone, Signature, Time};

    use super::CommitLog;
    use crate::source::ancestry::CommitId;

    #[test]
    fn messages_are_those_of_all_commits_in_between() {
        let directory = tempfile::tempdir().unwrap();
        let clone = BareClone::init_bare(directory.path()).unwrap();
        let commit = |at: i64, message: &str, parents: &[Oid]| {
            let author = Signature::new("A", "a@b", &Time::new(at, 0)).unwrap();
            let tree = clone.find_tree(clone.treebuilder(None).unwrap().write().unwrap()).unwrap();
            let parents: Vec<_> = parents.iter().map(|id| clone.find_commit(*id).unwrap()).collect();
            clone.commit(None, &author, &author, message, &tree, &parents.iter().collect::<Vec<_>>()).unwrap()
        };
        let first = commit(1, "first", &[]);
        let (left, right) = (commit(2, "left", &[first]), commit(3, "right", &[first]));
        let merged = commit(4, "merged", &[left, right]);
        let id = |oid: Oid| CommitId(oid.as_bytes().try_into().unwrap());
        let log = CommitLog(directory.path().to_owned());
        let messages = |before, tip| {
            let mut messages = log.messages(id(before), id(tip)).unwrap();
            messages.sort();
            messages
        };
        assert_eq!(messages(first, merged), ["left", "merged", "right"]);
        assert_eq!(messages(left, merged), ["merged", "right"]);
        assert_eq!(messages(left, right), ["right"], "the branch was forced");
        assert!(messages(merged, first).is_empty());
        log.messages(CommitId([1; 20]), id(merged)).unwrap_err();
        assert_eq!(log.committed_at(id(merged)).unwrap().to_rfc3339(), "1970-01-01T00:00:04Z");
    }
}
