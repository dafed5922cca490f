//! What commits say of themselves: their times and messages.

use std::{
    collections::{HashMap, HashSet},
    ops::ControlFlow,
    path::PathBuf,
    sync::Arc,
};

use git2::{Oid, Repository as BareClone};
use policies::Timestamp;
use serde::{Deserialize, Serialize};

use super::{
    GitSource,
    budget::{Cost, ReadError},
    document_times::committed_at,
    objects,
    reason::failure,
    tree::policy_directory,
};
use crate::source::{ancestry::CommitId, error::SourceError};

/// What is read, in errors.
pub(super) const HISTORY: &str = "the history";
/// The most bytes of files of earlier commits that are read at once. Tests have smaller ones.
const MOST_BYTES: usize = if cfg!(test) { 1 << 20 } else { 64 << 20 };

/// The commits in a clone. It opens the clone by itself, so any thread may use it.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct CommitLog {
    clone: PathBuf,
    /// The policy directory.
    pub(super) path: PathBuf,
}

/// The files of a commit, by their paths.
type Files<T> = Vec<(Arc<str>, Arc<T>)>;

impl GitSource {
    /// The commits in the clone.
    pub(in crate::source) fn commit_log(&self) -> CommitLog {
        CommitLog::of(self.clone.path().to_owned(), self.path.clone())
    }
}

impl CommitLog {
    /// The commits in the clone at `clone`, with the policy directory `path`.
    pub fn of(clone: PathBuf, path: PathBuf) -> Self {
        Self { clone, path }
    }

    /// The time of the committer. Blocks.
    pub fn committed_at(&self, commit: CommitId) -> Result<Timestamp, SourceError> {
        self.read(HISTORY, |clone| Ok(committed_at(&objects::commit(clone, Oid::from_bytes(&commit.0)?)?)))
    }

    /// Visits so many commits before `tip`, by the first parent, with their files as `read` reads them, until told to
    /// stop or all have too many bytes. True if `until` was met, which is not visited. Blocks.
    pub fn back<T>(
        &self,
        tip: CommitId,
        most: usize,
        until: Option<CommitId>,
        read: impl Fn(&[u8]) -> T,
        mut visit: impl FnMut(Files<T>) -> ControlFlow<()>,
    ) -> Result<bool, SourceError> {
        self.read(HISTORY, |clone| {
            let mut commit = objects::commit(clone, Oid::from_bytes(&tip.0)?)?;
            let (mut directory, mut known, mut visited) = (None, HashMap::new(), HashSet::new());
            let mut bytes = 0;
            for _ in 0..most {
                let Some(parent) = commit.parent_ids().next() else { break };
                if until.is_some_and(|until| until.0 == parent.as_bytes()) {
                    return Ok(true);
                }
                commit = match objects::commit(clone, parent) {
                    // Nobody reads its parents.
                    Err(ReadError::Over(_)) => break,
                    found => found?,
                };
                let found = objects::root(clone, &commit).and_then(|root| {
                    policy_directory(clone, &root, &self.path, directory.as_ref(), &mut Cost::default())
                });
                directory = match found {
                    // It was refused, and in force nowhere.
                    Err(ReadError::Over(_)) => None,
                    found => found?,
                };
                let Some(directory) = &directory else { continue };
                let listed: Vec<_> = directory.all_files().collect();
                // Most commits leave most files as they are.
                if !visited.insert(listed.iter().map(|(_, blob)| *blob).collect::<Vec<_>>()) {
                    continue;
                }
                let (mut files, mut here) = (Vec::new(), HashMap::new());
                for (path, blob) in listed {
                    let file = match known.get(&blob).or_else(|| here.get(&blob)) {
                        Some(file) => Arc::clone(file),
                        None => {
                            let content = objects::content(clone, blob)?;
                            bytes += content.len();
                            Arc::new(read(&content))
                        }
                    };
                    here.insert(blob, Arc::clone(&file));
                    files.push((Arc::from(path), file));
                }
                if bytes > MOST_BYTES {
                    break;
                }
                // Older ones take no memory.
                known = here;
                if visit(files).is_break() {
                    break;
                }
            }
            Ok(false)
        })
    }

    /// Reads something in the clone. `what` is its name in errors.
    pub(super) fn read<T>(
        &self,
        what: &str,
        read: impl FnOnce(&BareClone) -> Result<T, ReadError>,
    ) -> Result<T, SourceError> {
        let read = || read(&BareClone::open_bare(&self.clone)?);
        read().map_err(|error| unread(what, error))
    }
}

/// The reason why something in the clone cannot be read.
pub(super) fn unread(what: &str, error: ReadError) -> SourceError {
    match error {
        ReadError::Git(error) => failure(&format!("cannot read {what}"), &error),
        ReadError::Over(excess) => SourceError(format!("cannot read {what}: {excess}")),
    }
}

#[cfg(test)]
mod tests {
    use std::{ops::ControlFlow, path::PathBuf};

    use git2::{Oid, Repository as BareClone, Signature, Time};

    use super::CommitLog;
    use crate::source::{ancestry::CommitId, git::limits::MAX_COMMIT};

    #[test]
    fn a_commit_that_is_too_long_is_the_end_of_what_is_read() {
        let directory = tempfile::tempdir().unwrap();
        let clone = BareClone::init_bare(directory.path()).unwrap();
        let tree = clone.find_tree(clone.treebuilder(None).unwrap().write().unwrap()).unwrap();
        let mut tip: Option<Oid> = None;
        for (at, message) in [(1, "first"), (2, &*"m".repeat(MAX_COMMIT + 1)), (3, "last")] {
            let author = Signature::new("A", "a@b", &Time::new(at, 0)).unwrap();
            let parents: Vec<_> = tip.iter().map(|id| clone.find_commit(*id).unwrap()).collect();
            let parents: Vec<_> = parents.iter().collect();
            tip = Some(clone.commit(None, &author, &author, message, &tree, &parents).unwrap());
        }
        let tip = CommitId(tip.unwrap().as_bytes().try_into().unwrap());
        let log = CommitLog::of(directory.path().to_owned(), PathBuf::new());
        assert!(!log.back(tip, 200, None, |_| (), |_| ControlFlow::Continue(())).unwrap());
        assert_eq!(log.committed_at(tip).unwrap().to_rfc3339(), "1970-01-01T00:00:03Z");
    }

    #[test]
    fn an_earlier_commit_that_is_over_a_limit_is_passed_over() {
        let directory = tempfile::tempdir().unwrap();
        let clone = BareClone::init_bare(directory.path()).unwrap();
        let author = Signature::new("A", "a@b", &Time::new(1, 0)).unwrap();
        let mut tip: Option<Oid> = None;
        for path in ["a.yaml".to_owned(), format!("{}.yaml", "a".repeat(5_000)), "b.yaml".to_owned()] {
            let mut tree = clone.treebuilder(None).unwrap();
            tree.insert(path, clone.blob(b"text").unwrap(), 0o100_644).unwrap();
            let tree = clone.find_tree(tree.write().unwrap()).unwrap();
            let parents: Vec<_> = tip.iter().map(|id| clone.find_commit(*id).unwrap()).collect();
            let parents: Vec<_> = parents.iter().collect();
            tip = Some(clone.commit(None, &author, &author, "Change", &tree, &parents).unwrap());
        }
        let tip = CommitId(tip.unwrap().as_bytes().try_into().unwrap());
        let log = CommitLog::of(directory.path().to_owned(), PathBuf::new());
        let mut visited = Vec::new();
        let visit = |files: super::Files<()>| {
            visited.extend(files.into_iter().map(|(path, _)| path.to_string()));
            ControlFlow::Continue(())
        };
        log.back(tip, 200, None, |_| (), visit).unwrap();
        assert_eq!(visited, ["a.yaml"]);
    }

    #[test]
    fn earlier_commits_are_visited_from_the_newest_on_and_each_content_once() {
        let directory = tempfile::tempdir().unwrap();
        let clone = BareClone::init_bare(directory.path()).unwrap();
        let author = Signature::new("A", "a@b", &Time::new(1, 0)).unwrap();
        let (mut commits, mut tip) = (Vec::new(), None::<Oid>);
        for text in ["1", "2", "2", "1", "3"] {
            let mut tree = clone.treebuilder(None).unwrap();
            tree.insert("a.yaml", clone.blob(text.as_bytes()).unwrap(), 0o100_644).unwrap();
            let tree = clone.find_tree(tree.write().unwrap()).unwrap();
            let parents: Vec<_> = tip.iter().map(|id| clone.find_commit(*id).unwrap()).collect();
            let parents: Vec<_> = parents.iter().collect();
            let id = clone.commit(None, &author, &author, text, &tree, &parents).unwrap();
            commits.push(CommitId(id.as_bytes().try_into().unwrap()));
            tip = Some(id);
        }
        let [_, second, _, fourth, tip] = commits.try_into().unwrap();
        let log = CommitLog::of(directory.path().to_owned(), PathBuf::new());
        let visited = |most, until, last: &str| {
            let mut visited = Vec::new();
            let read = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
            let is_met = log.back(tip, most, until, read, |files| {
                let (path, text) = &files[0];
                visited.push(format!("{path} {text}"));
                if **text == last { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
            });
            assert_eq!(is_met.unwrap(), until.is_some());
            visited
        };
        assert_eq!(visited(200, None, ""), ["a.yaml 1", "a.yaml 2"]);
        assert_eq!(visited(200, None, "1"), ["a.yaml 1"]);
        assert_eq!(visited(1, None, ""), ["a.yaml 1"]);
        assert_eq!(visited(200, Some(second), ""), ["a.yaml 1", "a.yaml 2"]);
        assert_eq!(visited(200, Some(fourth), ""), [""; 0]);
    }
}
