//! The commits that changed one document.

mod first_parents;
mod last_changes;
#[cfg(test)]
mod tests;

use std::{
    ops::ControlFlow::{self, Break, Continue},
    path::{Path, PathBuf},
    sync::Arc,
};

use git2::{Commit, Oid, Repository as BareClone};
use policies::{File, Timestamp, editing, language::PolicyName};

use self::first_parents::FirstParents;
use super::{
    GitSource,
    budget::{Cost, ReadError},
    directory::{Change, Directory},
    document_times::committed_at,
    limits::MAX_COMMIT,
    objects,
    reason::failure,
    tree::policy_directory,
    writing::Writer,
};
use crate::source::{ancestry::CommitId, error::SourceError, printable::printable};

/// The most commits that are looked at.
pub const MAX_COMMITS: usize = 1_000;
/// The longest subject that is told, in characters.
const MAX_SUBJECT: usize = 200;
/// The trailer that names the user of a change by HTTP.
pub const USER_TRAILER: &str = "Hfi-User";

/// The histories of the documents in a clone. It opens the clone by itself, so any thread may use it.
#[derive(Clone, Debug)]
pub struct DocumentHistory {
    clone: PathBuf,
    /// The policy directory.
    path: PathBuf,
}

/// The commits of the branch that changed a document, the newest first.
#[derive(Debug, Default)]
pub struct Changed {
    pub commits: Vec<ChangeCommit>,
    /// True if there are older ones, which were not looked at.
    pub is_partial: bool,
}

/// A commit that changed a document.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ChangeCommit {
    pub id: CommitId,
    pub at: Timestamp,
    pub author: String,
    /// The user for whom hfi made it; none of a commit by hand.
    pub user: Option<String>,
    pub subject: String,
}

/// A policy as it stood at a commit.
#[derive(Debug)]
pub struct Stood {
    /// The directory of its file, below the policy directory; empty for the policy directory itself.
    pub directory: String,
    /// What is written there, if it is valid.
    pub document: Option<editing::Document>,
}

impl GitSource {
    /// The histories of the documents in the clone.
    pub(in crate::source) fn document_history(&self) -> DocumentHistory {
        DocumentHistory::new(self.clone.path(), &self.path)
    }
}

impl Writer {
    /// Those of the last first-parent commits up to `tip`, so many, that changed the policy of this name; at most `most`
    /// of them. `tip` need not be stored yet.
    pub fn changes(
        &self,
        tip: CommitId,
        name: &PolicyName,
        among: usize,
        most: usize,
    ) -> Result<Changed, SourceError> {
        let history = self.source.document_history();
        let tip = Oid::from_bytes(&tip.0).map_err(ReadError::from);
        let changed = tip.and_then(|tip| history.walk(self.repository(), tip, name, (among, most)));
        changed.map_err(|error| told("cannot read the history", &error))
    }
}

impl DocumentHistory {
    /// `path`: the policy directory.
    pub fn new(clone: &Path, path: &Path) -> Self {
        Self { clone: clone.to_owned(), path: path.to_owned() }
    }

    /// Those of the last first-parent commits up to `tip`, so many, that changed the policy of this name; at most `most`
    /// of them. Blocks.
    pub fn of(
        &self,
        tip: CommitId,
        name: &PolicyName,
        among: usize,
        most: usize,
    ) -> Result<Changed, SourceError> {
        let read = || -> Result<Changed, ReadError> {
            let clone = BareClone::open_bare(&self.clone)?;
            self.walk(&clone, Oid::from_bytes(&tip.0)?, name, (among, most))
        };
        read().map_err(|error| told("cannot read the history", &error))
    }

    /// The policy of this name as it is written in a file of a commit. Blocks.
    pub fn written(
        &self,
        commit: CommitId,
        file: &str,
        name: &PolicyName,
    ) -> Result<Option<editing::Document>, SourceError> {
        let read = || -> Result<_, ReadError> {
            let clone = BareClone::open_bare(&self.clone)?;
            let tree = objects::commit(&clone, Oid::from_bytes(&commit.0)?)?.tree()?;
            let content = objects::content(&clone, tree.get_path(Path::new(file))?.id())?;
            Ok(editing::find(&content, name))
        };
        read().map_err(|error| told("cannot read the policy", &error))
    }

    /// The policies of this name at a commit; `None` if the commit is none of the first-parent commits up to `tip` that
    /// are looked at. Blocks.
    pub fn at(
        &self,
        tip: CommitId,
        commit: CommitId,
        name: &PolicyName,
    ) -> Result<Option<Vec<Stood>>, SourceError> {
        let read = || -> Result<_, ReadError> {
            let clone = BareClone::open_bare(&self.clone)?;
            let Some(commit) = first_parent(&clone, tip, commit)? else { return Ok(None) };
            let directory = self.directory(&clone, &commit, None)?;
            let mut found = Vec::new();
            for (path, blob) in directory.iter().flat_map(|directory| directory.all_files()) {
                let content = objects::content(&clone, blob)?;
                found.extend(stood(&content, name, || self.below(path)));
            }
            Ok(Some(found))
        };
        read().map_err(|error| told("cannot read the policy", &error))
    }

    /// The directory of a file, below the policy directory.
    fn below(&self, path: &str) -> String {
        let below = Path::new(path).strip_prefix(&self.path).ok().and_then(Path::parent);
        below.unwrap_or(Path::new("")).to_string_lossy().into_owned()
    }

    fn walk(
        &self,
        clone: &BareClone,
        tip: Oid,
        name: &PolicyName,
        (among, most): (usize, usize),
    ) -> Result<Changed, ReadError> {
        let mut commits = Vec::new();
        let is_partial = self.back_from(clone, tip, among, |commit, Change { before, after }| {
            if documents(clone, before, name)? != documents(clone, after, name)? {
                commits.push(ChangeCommit::of(commit));
            }
            Ok(if commits.len() == most { Break(()) } else { Continue(()) })
        })?;
        Ok(Changed { commits, is_partial })
    }

    /// Visits so many of the first-parent commits back from `tip`, each with what it changed, until told to stop.
    /// One over the limit of a commit is visited too: it was never served, but the next one served what it changed. True
    /// if there are older ones, which were not visited.
    fn back_from(
        &self,
        clone: &BareClone,
        tip: Oid,
        among: usize,
        mut visit: impl FnMut(&Commit<'_>, Change) -> Result<ControlFlow<()>, ReadError>,
    ) -> Result<bool, ReadError> {
        let mut commit = objects::commit(clone, tip)?;
        let mut after = self.directory(clone, &commit, None)?;
        let mut parents = FirstParents::new(clone);
        for _ in 0..among.min(MAX_COMMITS) {
            let parent = match parents.of(&commit) {
                // Its parents are not known, so it cannot be said what came after them.
                Err(ReadError::Over(_)) => return Ok(true),
                parent => parent?,
            };
            let before = match &parent {
                Some(parent) => self.directory(clone, parent, after.as_ref())?,
                None => None,
            };
            if visit(&commit, Change::between(before.as_deref(), after.as_deref()))?.is_break() {
                return Ok(false);
            }
            match parent {
                Some(parent) => (commit, after) = (parent, before),
                None => return Ok(false),
            }
        }
        Ok(true)
    }

    /// The policy directory of a commit; none of a commit over a limit, which was never served.
    fn directory(
        &self,
        clone: &BareClone,
        commit: &Commit<'_>,
        known: Option<&Arc<Directory>>,
    ) -> Result<Option<Arc<Directory>>, ReadError> {
        let root = objects::root(clone, commit);
        let read =
            root.and_then(|root| policy_directory(clone, &root, &self.path, known, &mut Cost::default()));
        match read {
            Err(ReadError::Over(_)) => Ok(None),
            read => read,
        }
    }
}

/// The commit of this id among the first-parent commits up to `tip`.
fn first_parent(clone: &BareClone, tip: CommitId, wanted: CommitId) -> Result<Option<Commit<'_>>, ReadError> {
    let wanted = Oid::from_bytes(&wanted.0)?;
    let mut commit = objects::commit(clone, Oid::from_bytes(&tip.0)?)?;
    let mut parents = FirstParents::new(clone);
    for _ in 0..MAX_COMMITS {
        if commit.id() == wanted {
            return Ok(Some(commit));
        }
        commit = match parents.of(&commit) {
            Ok(Some(parent)) => parent,
            Ok(None) | Err(ReadError::Over(_)) => return Ok(None),
            Err(error) => return Err(error),
        };
    }
    Ok(None)
}

fn told(what: &str, error: &ReadError) -> SourceError {
    match error {
        ReadError::Git(error) => failure(what, error),
        ReadError::Over(excess) => SourceError(format!("{what}: {excess}")),
    }
}

/// All that is written under a name in some files. What is not valid counts as the whole file.
fn documents(clone: &BareClone, mut blobs: Vec<Oid>, name: &PolicyName) -> Result<Vec<String>, ReadError> {
    blobs.sort_unstable();
    blobs.dedup();
    let mut documents = Vec::new();
    for id in blobs {
        let content = objects::content(clone, id)?;
        let written = stood(&content, name, String::new);
        documents.extend(
            written.map(|stood| stood.document.map_or_else(|| id.to_string(), |document| document.to_json())),
        );
    }
    documents.sort_unstable();
    Ok(documents)
}

/// The policy of a name in a file, if it stands there.
fn stood(content: &[u8], name: &PolicyName, directory: impl Fn() -> String) -> Option<Stood> {
    let text = name.as_str().as_bytes();
    if !content.windows(text.len()).any(|window| window == text) {
        return None;
    }
    let document = editing::find(content, name);
    let is_there = document.is_some() || File::read(content).policy_names().any(|(known, _)| known == name);
    is_there.then(|| Stood { directory: directory(), document })
}

impl ChangeCommit {
    fn of(commit: &Commit<'_>) -> Self {
        let author = commit.author();
        let author = String::from_utf8_lossy(author.name_bytes()).into_owned();
        let message = String::from_utf8_lossy(commit.message_bytes());
        // hfi writes no message that long, so its trailers are somebody else's.
        let user = (message.len() <= MAX_COMMIT).then(|| user(&message)).flatten();
        let subject: String = message.lines().next().unwrap_or_default().chars().take(MAX_SUBJECT).collect();
        Self {
            id: CommitId(commit.id().as_bytes().try_into().unwrap_or_default()),
            at: committed_at(commit),
            author: printable(&author).into_owned(),
            user: user.map(|user| printable(&user).into_owned()),
            subject: printable(&subject).into_owned(),
        }
    }
}

/// The user in the trailers of a message.
fn user(message: &str) -> Option<String> {
    let trailers = git2::message_trailers_strs(message).ok()?;
    let user = trailers.iter().find(|(key, _)| *key == USER_TRAILER);
    user.map(|(_, user)| user.to_owned())
}
