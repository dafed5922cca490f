//! The newest commits of a branch, by which a filter's revision is recognised.

use std::collections::HashSet;

use git2::{Error, Oid, Repository as BareClone};

use crate::source::ancestry::{Ancestry, CommitId};

/// The number of commits that are remembered at first. A filter that runs an older one is answered after a fetch.
pub(super) const FIRST: usize = 10_000;

/// The ancestry of `tip`, given the ancestry of the earlier tip.
pub(super) fn of(clone: &BareClone, tip: Oid, before: Option<(Oid, &Ancestry)>) -> Result<Ancestry, Error> {
    if let Some((same, ancestry)) = before
        && same == tip
    {
        return Ok(ancestry.clone());
    }
    let mut walk = clone.revwalk()?;
    walk.push(tip)?;
    let mut commits = HashSet::new();
    // What was forced off the branch is no longer known: it may come back.
    if let Some((old, ancestry)) = before
        && let Some(known) = ancestry.commits().filter(|known| known.len() < 2 * FIRST)
        && clone.graph_descendant_of(tip, old)?
    {
        walk.hide(old)?;
        commits.clone_from(known);
    }
    for id in walk.take(FIRST) {
        commits.extend(id?.as_bytes().try_into().ok().map(CommitId));
    }
    Ok(Ancestry::of(commits))
}
