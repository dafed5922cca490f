//! The newest commits of a branch, by which a filter's revision is recognised.

use std::collections::{BinaryHeap, HashSet};

use git2::{Oid, Repository as BareClone};

use super::{budget::ReadError, objects};
use crate::source::ancestry::{Ancestry, CommitId};

/// The number of commits that are remembered at first. A filter that runs an older one is answered after a fetch.
pub(super) const FIRST: usize = 10_000;
/// The bytes of commits that are read for that. They are few unless somebody means harm.
const MAX_BYTES: usize = 32 << 20;
/// The number of parents of a commit that are followed.
const MAX_PARENTS: usize = 100;

/// The ancestry of `tip`, given the ancestry of the earlier tip.
pub(super) fn of(
    clone: &BareClone,
    tip: Oid,
    before: Option<(Oid, &Ancestry)>,
) -> Result<Ancestry, ReadError> {
    if let Some((same, ancestry)) = before
        && same == tip
    {
        return Ok(ancestry.clone());
    }
    if let Some((old, ancestry)) = before
        && let Some(known) = ancestry.commits().filter(|known| known.len() < 2 * FIRST)
    {
        let mut follows = false;
        let is_known = |id: &CommitId| {
            follows |= id.0 == old.as_bytes();
            known.contains(id)
        };
        let mut commits = newest(clone, [tip], is_known)?;
        // What was forced off the branch is no longer known: it may come back.
        if follows {
            commits.extend(known);
            return Ok(Ancestry::of(commits));
        }
    }
    newest(clone, [tip], |_| false).map(Ancestry::of)
}

/// Reads the commits for which [`of`] will ask, in the child process.
pub(super) fn read(clone: &BareClone, tip: Oid, before: Option<Oid>) -> Result<(), ReadError> {
    if let Some(before) = before {
        let mut new = clone.revwalk()?;
        new.push(tip)?;
        new.hide(before)?;
        for id in new.take(FIRST) {
            match objects::commit(clone, id?) {
                Ok(_) | Err(ReadError::Over(_)) => {}
                Err(error) => return Err(error),
            }
        }
        if clone.graph_descendant_of(tip, before)? {
            return Ok(());
        }
    }
    newest(clone, [tip], |_| false).map(drop)
}

/// The newest commits that `tips` lead to, without those that are known and what lies behind them. A commit over a
/// limit is the last of its line.
pub(super) fn newest(
    clone: &BareClone,
    tips: impl IntoIterator<Item = Oid>,
    mut is_known: impl FnMut(&CommitId) -> bool,
) -> Result<HashSet<CommitId>, ReadError> {
    let (mut found, mut bytes) = (HashSet::new(), 0);
    let mut lines = BinaryHeap::new();
    let mut next: Vec<_> = tips.into_iter().collect();
    loop {
        for id in next {
            let commit = CommitId(id.as_bytes().try_into().unwrap_or_default());
            if found.len() == FIRST || bytes > MAX_BYTES {
                return Ok(found);
            }
            if is_known(&commit) || !found.insert(commit) {
                continue;
            }
            match objects::commit(clone, id) {
                Ok(read) => {
                    let parents: Vec<_> = read.parent_ids().take(MAX_PARENTS).collect();
                    bytes += read.raw_header_bytes().len() + read.message_raw_bytes().len();
                    lines.push((read.time().seconds(), parents));
                }
                Err(ReadError::Over(_)) => {}
                Err(error) => return Err(error),
            }
        }
        match lines.pop() {
            Some((_, parents)) => next = parents,
            None => return Ok(found),
        }
    }
}

#[cfg(test)]
mod tests {
    use git2::{Oid, Repository as BareClone, Signature, Time};

    use super::{newest, of, read};
    use crate::source::ancestry::{Ancestry, CommitId};

    fn commit(clone: &BareClone, at: i64, message: &str, parents: &[Oid]) -> Oid {
        let author = Signature::new("A", "a@b", &Time::new(at, 0)).unwrap();
        let tree = clone.find_tree(clone.treebuilder(None).unwrap().write().unwrap()).unwrap();
        let parents: Vec<_> = parents.iter().map(|id| clone.find_commit(*id).unwrap()).collect();
        clone.commit(None, &author, &author, message, &tree, &parents.iter().collect::<Vec<_>>()).unwrap()
    }

    fn knows(ancestry: &Ancestry, id: Oid) -> bool {
        ancestry.commits().unwrap().contains(&CommitId(id.as_bytes().try_into().unwrap()))
    }

    #[test]
    fn what_follows_adds_to_what_is_known_and_what_is_forced_begins_again() {
        let folder = tempfile::tempdir().unwrap();
        let clone = BareClone::init_bare(folder.path()).unwrap();
        let root = commit(&clone, 1, "root", &[]);
        let (left, right) = (commit(&clone, 2, "left", &[root]), commit(&clone, 3, "right", &[root]));
        let merge = commit(&clone, 4, "merge", &[left, right]);
        let at_left = of(&clone, left, None).unwrap();
        assert!(knows(&at_left, root) && !knows(&at_left, right));
        let at_merge = of(&clone, merge, Some((left, &at_left))).unwrap();
        assert!([root, left, right, merge].into_iter().all(|id| knows(&at_merge, id)));
        let forced = of(&clone, right, Some((merge, &at_merge))).unwrap();
        assert!(knows(&forced, root) && knows(&forced, right) && !knows(&forced, left));
    }

    #[test]
    fn a_huge_commit_is_the_last_of_its_line() {
        let folder = tempfile::tempdir().unwrap();
        let clone = BareClone::init_bare(folder.path()).unwrap();
        let mut tip = commit(&clone, 0, "root", &[]);
        let root = tip;
        for at in 1..=10 {
            tip = commit(&clone, at, "more", &[tip]);
        }
        assert_eq!(newest(&clone, [tip], |_| false).unwrap().len(), 11);
        let huge = commit(&clone, 11, &"m".repeat(2 << 20), &[tip]);
        let next = of(&clone, commit(&clone, 12, "next", &[huge]), None).unwrap();
        assert!(knows(&next, huge) && !knows(&next, root));
    }

    #[test]
    fn large_commits_are_read_up_to_a_limit() {
        let folder = tempfile::tempdir().unwrap();
        let clone = BareClone::init_bare(folder.path()).unwrap();
        let message = "m".repeat(1_000_000);
        let mut tip = commit(&clone, 0, "root", &[]);
        for at in 1..=40 {
            tip = commit(&clone, at, &message, &[tip]);
        }
        assert_eq!(newest(&clone, [tip], |_| false).unwrap().len(), (32 << 20) / 1_000_000 + 1);
    }

    #[test]
    fn what_will_be_asked_for_is_read_before() {
        let folder = tempfile::tempdir().unwrap();
        let clone = BareClone::init_bare(folder.path()).unwrap();
        let root = commit(&clone, 1, "root", &[]);
        let (left, right) = (commit(&clone, 2, "left", &[root]), commit(&clone, 3, "right", &[root]));
        let merge = commit(&clone, 4, "merge", &[left, right]);
        let without = |id: Oid, look: &dyn Fn() -> bool| {
            let (folder, file) = (id.to_string()[..2].to_owned(), id.to_string()[2..].to_owned());
            let path = clone.path().join("objects").join(folder).join(file);
            let bytes = std::fs::read(&path).unwrap();
            std::fs::remove_file(&path).unwrap();
            let looked = look();
            std::fs::write(path, bytes).unwrap();
            looked
        };
        assert!(read(&clone, merge, Some(left)).is_ok() && read(&clone, right, Some(left)).is_ok());
        assert!(without(right, &|| read(&clone, merge, Some(left)).is_err()), "it is new");
        assert!(without(root, &|| read(&clone, right, Some(left)).is_err()), "the line begins again");
        assert!(without(root, &|| read(&clone, merge, None).is_err()), "everything is new");
    }
}
