//! The policy files of a commit of the repository that a directory belongs to, as `hfi serve --repo` reads them.

use std::path::Path;

use git2::{Branch, Commit, ErrorCode, Repository};

use super::{budget::ReadError, reason::failure, tree::Files};
use crate::source::{checkout::CheckoutFile, error::SourceError, printable::printable};

/// A commit and its files.
#[derive(Debug)]
pub(crate) struct Committed {
    /// The name that leads to the commit, such as `origin/main`, and the beginning of its id.
    pub(crate) name: String,
    /// The files below the directory, by their paths in the repository.
    pub(crate) files: Vec<CheckoutFile>,
    /// Those directly in the directories above it.
    pub(crate) above: Vec<CheckoutFile>,
    pub(crate) warnings: Vec<String>,
}

/// The files of `directory` at the commit that `revision` leads to. `root` is the work tree that the directory is in;
/// neither path has symbolic links. Without a revision it is the upstream of the branch that is checked out, or else
/// the commit that is.
pub(in crate::source) fn committed(
    root: &Path,
    directory: &Path,
    revision: Option<&str>,
) -> Result<Committed, SourceError> {
    let opened = Repository::open(root);
    let repository =
        opened.map_err(|error| failure(&format!("cannot read the repository {}", root.display()), &error))?;
    let (name, commit) = match revision {
        Some(revision) => (revision.to_owned(), named(&repository, revision)?),
        None => checked_out(&repository)?,
    };
    let path = directory.strip_prefix(root).unwrap_or(Path::new(""));
    let unread = |error| match error {
        ReadError::Over(excess) => SourceError(format!("commit {} is refused: {excess}", commit.id())),
        ReadError::Git(error) => failure(&format!("cannot read commit {}", commit.id()), &error),
    };
    let mut warnings = Vec::new();
    let mut files = Files::of(&repository, commit.id(), path, None).map_err(unread)?;
    let (files, above) = files.read(&repository, path, None, |_| false, &mut warnings).map_err(unread)?;
    let id = commit.id().to_string();
    let name = format!("{} ({})", printable(&name), id.get(..7).unwrap_or(&id));
    Ok(Committed { name, files, above, warnings })
}

/// The commit of a branch, also of one that only the remote `origin` has, of a tag, or of an id.
fn named<'r>(repository: &'r Repository, revision: &str) -> Result<Commit<'r>, SourceError> {
    let found = repository.revparse_single(revision);
    let found = found.or_else(|error| {
        repository.revparse_single(&format!("refs/remotes/origin/{revision}")).map_err(|_| error)
    });
    let found = found.and_then(|object| object.peel_to_commit());
    found.map_err(|error| match error.code() {
        ErrorCode::NotFound => SourceError(format!(
            "the repository has no branch, tag or commit `{}`; `git fetch` brings those of its remote",
            printable(revision)
        )),
        _ => failure(&format!("cannot read `{}`", printable(revision)), &error),
    })
}

/// The upstream of the branch that is checked out, or, without one, the commit that is.
fn checked_out(repository: &Repository) -> Result<(String, Commit<'_>), SourceError> {
    let head = repository.head().map_err(|error| match error.code() {
        ErrorCode::UnbornBranch | ErrorCode::NotFound => {
            SourceError("the repository has no commit yet: there is nothing to compare with".to_owned())
        }
        _ => failure("cannot read HEAD", &error),
    })?;
    let upstream = if head.is_branch() { Branch::wrap(head).upstream().ok() } else { None };
    let read = |error| failure("cannot read the commit to compare with", &error);
    match upstream {
        Some(upstream) => {
            let name = upstream.name().ok().flatten().unwrap_or("the upstream").to_owned();
            Ok((name, upstream.get().peel_to_commit().map_err(read)?))
        }
        None => {
            let head = repository.head().and_then(|head| head.peel_to_commit()).map_err(read)?;
            Ok(("HEAD".to_owned(), head))
        }
    }
}
