//! The making of a commit, without a work tree and without an index.

use std::collections::{BTreeMap, BTreeSet};

use git2::{ErrorCode, FileMode, ObjectType, Oid, Repository as BareClone, Tree, build::TreeUpdateBuilder};

use super::{
    author::Author,
    new_paths::NewPaths,
    place::{self, Place},
    unstored::Unstored,
};
use crate::source::{
    SourceError,
    ancestry::CommitId,
    git::{budget::ReadError, objects, reason::failure},
    signers::SigningKey,
};

/// The longest message, in bytes.
const LONGEST_MESSAGE: usize = 64 << 10;

/// The content of a commit.
#[derive(Clone, Debug)]
pub struct NewCommit {
    /// The files to write, or to remove (`None`), by their paths in the repository.
    pub changes: Vec<(String, Option<Vec<u8>>)>,
    pub author: Author,
    /// The whole message, trailers included.
    pub message: String,
}

/// The reason why there is no new commit.
#[derive(Debug, thiserror::Error)]
pub enum CommitError {
    /// The commit below is not signed by one who may sign, at this moment.
    #[error("{reason}")]
    Unverified { commit: CommitId, reason: String },
    /// Something else is where a file is to be, or its name is not usable.
    #[error("{path} {reason}")]
    Obstacle { path: String, reason: String },
    /// Everything is there already.
    #[error("the commit would change nothing")]
    Nothing,
    #[error(transparent)]
    Failed(#[from] SourceError),
}

impl From<ReadError> for CommitError {
    fn from(error: ReadError) -> Self {
        Self::Failed(SourceError(format!("cannot make a commit: {error}")))
    }
}

impl From<git2::Error> for CommitError {
    fn from(error: git2::Error) -> Self {
        Self::Failed(failure("cannot make a commit", &error))
    }
}

/// Makes a commit. It is not stored yet.
pub(super) fn make(
    unstored: &mut Unstored,
    parent: Oid,
    new: &NewCommit,
    key: Option<&SigningKey>,
) -> Result<Oid, CommitError> {
    if new.message.len() > LONGEST_MESSAGE || new.message.contains('\0') {
        let reason = format!("a message has at most {LONGEST_MESSAGE} bytes, none of them NUL");
        return Err(SourceError(format!("cannot make a commit: {reason}")).into());
    }
    let repository = unstored.repository();
    let parent = objects::commit(repository, parent)?;
    let root = objects::root(repository, &parent)?;
    let updates = updates(repository, &root, &new.changes)?;
    let tree = repository.find_tree(write_tree(repository, &root, &updates)?)?;
    if tree.id() == root.id() {
        return Err(CommitError::Nothing);
    }
    let author = new.author.now()?;
    let commit = repository.commit_create_buffer(&author, &author, &new.message, &tree, &[&parent])?;
    let id = match key {
        None => repository.odb()?.write(ObjectType::Commit, &commit)?,
        Some(key) => {
            let signature = key.sign(&commit).map_err(SourceError)?;
            let text = str::from_utf8(&commit).map_err(|_| SourceError("a message is UTF-8".to_owned()))?;
            repository.commit_signed(text, &signature, None)?
        }
    };
    let mut made = made(repository, &tree, &updates)?;
    made.insert(id);
    drop((tree, root, parent));
    unstored.add(made)?;
    Ok(id)
}

/// The new content of the files that change: a blob and its mode, or nothing.
type Updates<'a> = BTreeMap<&'a str, Option<(Oid, FileMode)>>;

fn updates<'a>(
    repository: &BareClone,
    root: &Tree<'_>,
    changes: &'a [(String, Option<Vec<u8>>)],
) -> Result<Updates<'a>, CommitError> {
    let mut updates = Updates::new();
    let mut new = NewPaths::default();
    for (path, content) in changes {
        let obstacle = |reason| CommitError::Obstacle { path: path.clone(), reason };
        let (present, mode) = match place::at(repository, root, path)? {
            Place::File { mode, .. } => (true, mode),
            Place::Free => (false, FileMode::Blob),
            Place::Blocked(reason) => return Err(obstacle(reason)),
        };
        let update = match content {
            Some(bytes) => {
                if !present {
                    new.add(path).map_err(obstacle)?;
                }
                Some((repository.blob(bytes)?, mode))
            }
            None if present => None,
            None => continue,
        };
        if updates.insert(path.as_str(), update).is_some() {
            return Err(obstacle("is changed twice in one commit".to_owned()));
        }
    }
    Ok(updates)
}

fn write_tree(repository: &BareClone, root: &Tree<'_>, updates: &Updates<'_>) -> Result<Oid, git2::Error> {
    let mut builder = TreeUpdateBuilder::new();
    for (path, update) in updates {
        match update {
            Some((blob, mode)) => builder.upsert(*path, *blob, *mode),
            None => builder.remove(*path),
        };
    }
    builder.create_updated(repository, root)
}

/// The new blobs, and the trees on the way to them.
fn made(
    repository: &BareClone,
    tree: &Tree<'_>,
    updates: &Updates<'_>,
) -> Result<BTreeSet<Oid>, git2::Error> {
    let mut made = BTreeSet::from([tree.id()]);
    for (path, update) in updates {
        made.extend(update.map(|(blob, _)| blob));
        let mut directory = tree.clone();
        let names: Vec<_> = path.split('/').collect();
        for name in names.split_last().map_or(&[][..], |(_, above)| above) {
            // A directory whose last file is removed is gone.
            let Some(id) = directory.get_name(name).map(|entry| entry.id()) else { break };
            directory = match repository.find_tree(id) {
                Ok(found) => found,
                Err(error) if error.code() == ErrorCode::NotFound => break,
                Err(error) => return Err(error),
            };
            made.insert(id);
        }
    }
    Ok(made)
}

#[cfg(test)]
mod tests {
    use std::fs;

    use git2::{Oid, Repository as BareClone, Signature};

    use super::{Author, NewCommit, Unstored, make};

    fn clone() -> (tempfile::TempDir, BareClone, Oid) {
        let folder = tempfile::tempdir().unwrap();
        let clone = BareClone::init_bare(folder.path()).unwrap();
        let tree = clone.treebuilder(None).unwrap().write().unwrap();
        let author = Signature::now("a", "a@example.org").unwrap();
        let tree = clone.find_tree(tree).unwrap();
        let first = clone.commit(None, &author, &author, "Begin", &tree, &[]).unwrap();
        drop(tree);
        (folder, clone, first)
    }

    fn new(path: &str) -> NewCommit {
        NewCommit {
            changes: vec![(path.to_owned(), Some(b"content".to_vec()))],
            author: Author::new("a", "a@hfi").unwrap(),
            message: "Apply a\n".to_owned(),
        }
    }

    fn files(folder: &std::path::Path) -> Vec<String> {
        let mut files = Vec::new();
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            match path.is_dir() {
                true => files.extend(super::tests::files(&path)),
                false => files.push(path.display().to_string()),
            }
        }
        files.sort();
        files
    }

    #[test]
    fn what_cannot_be_stored_leaves_nothing_behind() {
        let (folder, clone, first) = clone();
        let objects = folder.path().join("objects");
        let pack = objects.join("pack");
        let before = files(&objects);
        let mut unstored = Unstored::above(&clone).unwrap();
        let commit = make(&mut unstored, first, &new("a/b.yaml"), None).unwrap();
        let second = make(&mut unstored, commit, &new("a/c.yaml"), None).unwrap();
        assert_eq!(files(&objects), before, "nothing is stored yet");
        fs::remove_dir(&pack).unwrap();
        // As a full disk does, this keeps every file from being made there.
        fs::write(&pack, "").unwrap();
        unstored.store(&clone).unwrap_err();
        fs::remove_file(&pack).unwrap();
        fs::create_dir(&pack).unwrap();
        assert_eq!(files(&objects), before);
        unstored.store(&clone).unwrap();
        assert_eq!(files(&pack).len(), 2, "a pack and its index, for both");
        assert_eq!(files(&objects).len(), before.len() + 2);
        let again = BareClone::open_bare(folder.path()).unwrap();
        for (commit, path) in [(commit, "a/b.yaml"), (second, "a/b.yaml"), (second, "a/c.yaml")] {
            let tree = again.find_commit(commit).unwrap().tree().unwrap();
            let blob = tree.get_path(path.as_ref()).unwrap().id();
            assert_eq!(again.find_blob(blob).unwrap().content(), b"content");
        }
    }

    #[test]
    fn a_message_that_git_could_not_keep_is_refused() {
        let (_folder, clone, first) = clone();
        for message in ["a\0b".to_owned(), "a".repeat(100_000)] {
            let new = NewCommit { message, ..new("a.yaml") };
            let mut unstored = Unstored::above(&clone).unwrap();
            assert!(
                make(&mut unstored, first, &new, None).unwrap_err().to_string().contains("a message has")
            );
        }
    }
}
