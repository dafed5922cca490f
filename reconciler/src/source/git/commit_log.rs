//! What commits say of themselves: their times and messages.

use std::{
    collections::{HashMap, HashSet},
    ops::ControlFlow,
    path::PathBuf,
    sync::Arc,
};

use git2::{Oid, Repository as BareClone};
use policies::Timestamp;

use super::{
    GitSource,
    budget::{Cost, ReadError},
    document_times::committed_at,
    objects,
    reason::failure,
    tree::policy_directory,
};
use crate::source::{ancestry::CommitId, error::SourceError};

/// The most commits whose messages are read.
const MOST: usize = 10_000;

/// The commits in a clone. It opens the clone by itself, so any thread may use it.
#[derive(Clone, Debug)]
pub struct CommitLog {
    clone: PathBuf,
    /// The policy directory.
    path: PathBuf,
}

/// The files of a commit, by their paths.
type Files<T> = Vec<(Arc<str>, Arc<T>)>;

impl GitSource {
    /// The commits in the clone.
    pub(in crate::source) fn commit_log(&self) -> CommitLog {
        CommitLog { clone: self.clone.path().to_owned(), path: self.path.clone() }
    }
}

impl CommitLog {
    /// The time of the committer. Blocks.
    pub fn committed_at(&self, commit: CommitId) -> Result<Timestamp, SourceError> {
        self.read(|clone| Ok(committed_at(&objects::commit(clone, Oid::from_bytes(&commit.0)?)?)))
    }

    /// The messages of the commits that `tip` leads to and `before` does not. None if `tip` does not lead to `before`, as after
    /// a push that was forced: the messages of a history that was written anew count no second time. Blocks.
    pub fn messages(&self, before: CommitId, tip: CommitId) -> Result<Vec<String>, SourceError> {
        self.read(|clone| {
            let (before, tip) = (Oid::from_bytes(&before.0)?, Oid::from_bytes(&tip.0)?);
            if before != tip && !clone.graph_descendant_of(tip, before)? {
                return Ok(Vec::new());
            }
            let mut walk = clone.revwalk()?;
            walk.push(tip)?;
            walk.hide(before)?;
            let message = |id: Result<Oid, git2::Error>| {
                let commit = objects::commit(clone, id?)?;
                Ok(String::from_utf8_lossy(commit.message_bytes()).into_owned())
            };
            walk.take(MOST).map(message).collect()
        })
    }

    /// Visits so many commits before `tip`, by the first parent, with their files as `read` reads them, until told to
    /// stop. Blocks.
    pub fn back<T>(
        &self,
        tip: CommitId,
        most: usize,
        read: impl Fn(&[u8]) -> T,
        mut visit: impl FnMut(Files<T>) -> ControlFlow<()>,
    ) -> Result<(), SourceError> {
        self.read(|clone| {
            let mut commit = objects::commit(clone, Oid::from_bytes(&tip.0)?)?;
            let (mut directory, mut known, mut visited) = (None, HashMap::new(), HashSet::new());
            for _ in 0..most {
                let Some(parent) = commit.parent_ids().next() else { break };
                commit = objects::commit(clone, parent)?;
                let root = objects::root(clone, &commit)?;
                directory =
                    policy_directory(clone, &root, &self.path, directory.as_ref(), &mut Cost::default())?;
                let Some(directory) = &directory else { continue };
                let listed: Vec<_> = directory.all_files().collect();
                // Most commits leave most files as they are.
                if !visited.insert(listed.iter().map(|(_, blob)| *blob).collect::<Vec<_>>()) {
                    continue;
                }
                let mut files = Vec::new();
                for (path, blob) in listed {
                    let file = match known.get(&blob) {
                        Some(file) => Arc::clone(file),
                        None => Arc::new(read(&objects::content(clone, blob)?)),
                    };
                    known.insert(blob, Arc::clone(&file));
                    files.push((Arc::from(path), file));
                }
                if visit(files).is_break() {
                    break;
                }
            }
            Ok(())
        })
    }

    fn read<T>(&self, read: impl FnOnce(&BareClone) -> Result<T, ReadError>) -> Result<T, SourceError> {
        let read = || read(&BareClone::open_bare(&self.clone)?);
        read().map_err(|error| match error {
            ReadError::Git(error) => failure("cannot read the history", &error),
            ReadError::Over(excess) => SourceError(format!("cannot read the history: {excess}")),
        })
    }
}

#[cfg(test)]
mod tests {
    use std::{ops::ControlFlow, path::PathBuf};

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
        let log = CommitLog { clone: directory.path().to_owned(), path: PathBuf::new() };
        let messages = |before, tip| {
            let mut messages = log.messages(id(before), id(tip)).unwrap();
            messages.sort();
            messages
        };
        assert_eq!(messages(first, merged), ["left", "merged", "right"]);
        assert_eq!(messages(left, merged), ["merged", "right"]);
        assert!(messages(left, right).is_empty(), "the branch was forced");
        assert!(messages(merged, first).is_empty());
        log.messages(CommitId([1; 20]), id(merged)).unwrap_err();
        assert_eq!(log.committed_at(id(merged)).unwrap().to_rfc3339(), "1970-01-01T00:00:04Z");
    }

    #[test]
    fn earlier_commits_are_visited_from_the_newest_on_and_each_content_once() {
        let directory = tempfile::tempdir().unwrap();
        let clone = BareClone::init_bare(directory.path()).unwrap();
        let author = Signature::new("A", "a@b", &Time::new(1, 0)).unwrap();
        let mut tip: Option<Oid> = None;
        for text in ["1", "2", "2", "1", "3"] {
            let mut tree = clone.treebuilder(None).unwrap();
            tree.insert("a.yaml", clone.blob(text.as_bytes()).unwrap(), 0o100_644).unwrap();
            let tree = clone.find_tree(tree.write().unwrap()).unwrap();
            let parents: Vec<_> = tip.iter().map(|id| clone.find_commit(*id).unwrap()).collect();
            let parents: Vec<_> = parents.iter().collect();
            tip = Some(clone.commit(None, &author, &author, text, &tree, &parents).unwrap());
        }
        let tip = CommitId(tip.unwrap().as_bytes().try_into().unwrap());
        let log = CommitLog { clone: directory.path().to_owned(), path: PathBuf::new() };
        let visited = |most, last: &str| {
            let mut visited = Vec::new();
            let read = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
            log.back(tip, most, read, |files| {
                let (path, text) = &files[0];
                visited.push(format!("{path} {text}"));
                if **text == last { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
            })
            .unwrap();
            visited
        };
        assert_eq!(visited(200, ""), ["a.yaml 1", "a.yaml 2"]);
        assert_eq!(visited(200, "1"), ["a.yaml 1"]);
        assert_eq!(visited(1, ""), ["a.yaml 1"]);
    }
}
