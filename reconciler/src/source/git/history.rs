//! The newest commits of a branch, by which a filter's revision is recognised.

use std::collections::HashSet;

use git2::{Error, Oid, Repository as Clone};

use crate::source::ancestry::{CommitId, Lineage};

/// The number of commits that are remembered at first. A filter that runs an older one is answered after a fetch.
pub(super) const FIRST: usize = 10_000;

/// The ancestry of `tip`, given the ancestry of the earlier tip.
pub(super) fn of(clone: &Clone, tip: Oid, before: Option<&(Oid, Lineage)>) -> Result<Lineage, Error> {
    if let Some((same, lineage)) = before
        && *same == tip
    {
        return Ok(lineage.clone());
    }
    let mut walk = clone.revwalk()?;
    walk.push(tip)?;
    let mut commits = HashSet::new();
    // What was forced off the branch is no longer known: it may come back.
    if let Some((old, lineage)) = before
        && let Some(known) = lineage.commits().filter(|known| known.len() < 2 * FIRST)
        && clone.graph_descendant_of(tip, *old)?
    {
        walk.hide(*old)?;
        commits.clone_from(known);
    }
    for id in walk.take(FIRST) {
        commits.extend(id?.as_bytes().try_into().ok().map(CommitId));
    }
    Ok(Lineage::of(commits))
}
