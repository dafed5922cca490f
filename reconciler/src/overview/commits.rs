//! The commits that changed policies. Each is looked for once, and then followed from commit to commit.

use std::{
    collections::{BTreeMap, BTreeSet, HashMap, HashSet},
    sync::{Mutex, MutexGuard, PoisonError, TryLockError},
};

use policies::language::PolicyName;
use tracing::debug;

use crate::{
    api::{
        overview::{Listed, recent::Recent},
        writes::HistoryCommit,
    },
    serving::{published::Whole, turnover::Turn},
    source::{Revision, SourceError, ancestry::CommitId, git::DocumentHistory},
};

/// The most entries of what came and went, and the most policies that one of them names.
const MAX_RECENT: usize = 30;
const MAX_NAMED: usize = 10;

/// The commits that are known.
#[derive(Debug, Default)]
pub struct Commits {
    known: Mutex<Known>,
    /// Held while commits are looked for.
    searching: Mutex<()>,
}

#[derive(Debug, Default)]
struct Known {
    tip: Option<CommitId>,
    /// The last commit that changed a policy of the repository, up to the tip; `None` if it is too long ago.
    last: BTreeMap<PolicyName, Option<HistoryCommit>>,
    /// The commits of turns, by their numbers.
    of_turns: HashMap<u64, BTreeMap<PolicyName, HistoryCommit>>,
}

impl Commits {
    /// Looks for the commits that changed these policies, and for those of these turns, as far as they are not known.
    /// Blocks; nothing is done if somebody else does the same.
    pub fn find(
        &self,
        documents: &DocumentHistory,
        whole: &Whole,
        names: &BTreeSet<PolicyName>,
        turns: &[Turn],
    ) {
        let _searching = match self.searching.try_lock() {
            Ok(searching) => searching,
            Err(TryLockError::Poisoned(error)) => error.into_inner(),
            Err(TryLockError::WouldBlock) => return,
        };
        let Some(tip) = CommitId::of_revision(whole.revision.as_str()) else { return };
        self.find_turns(documents, turns);
        if let Err(error) = self.find_last(documents, tip, whole, names) {
            debug!(%error, "cannot tell by which commits policies came");
        }
    }

    /// The last commit that changed a policy, if it is known.
    pub fn last(&self, name: &PolicyName) -> Option<HistoryCommit> {
        self.lock().last.get(name)?.clone()
    }

    /// What came and went, each with its commit, if that is known.
    pub fn recent(&self, turns: &[Turn]) -> Vec<Recent> {
        let known = self.lock();
        let nothing = BTreeMap::new();
        let of_turn = |turn: &Turn| entries(turn, known.of_turns.get(&turn.number).unwrap_or(&nothing));
        turns.iter().flat_map(of_turn).take(MAX_RECENT).collect()
    }

    fn find_last(
        &self,
        documents: &DocumentHistory,
        tip: CommitId,
        whole: &Whole,
        names: &BTreeSet<PolicyName>,
    ) -> Result<(), SourceError> {
        let (before, mut last) = {
            let known = self.lock();
            if known.tip == Some(tip) && names.iter().all(|name| known.last.contains_key(name)) {
                return Ok(());
            }
            let is_before =
                |tip: &CommitId| whole.ancestry.commits().is_some_and(|commits| commits.contains(tip));
            // After a push that was forced nothing that is known holds.
            let before = known.tip.filter(is_before);
            (before, before.map(|_| known.last.clone()).unwrap_or_default())
        };
        // Those that are listed change with each report of a proxy: who comes back is not looked for again.
        let all = whole.catalog.policies().iter();
        let all: HashSet<_> = all.map(|located| &located.entry.policy.name).collect();
        last.retain(|name, _| all.contains(name));
        if let Some(before) = before {
            let followed = last.keys().cloned().collect();
            let changed = documents.last_changes(tip, Some(before), &followed)?;
            last.extend(changed.into_iter().map(|(name, commit)| (name, Some(commit.into()))));
        }
        let new: BTreeSet<_> = names.iter().filter(|name| !last.contains_key(*name)).cloned().collect();
        let mut changed = documents.last_changes(tip, None, &new)?;
        last.extend(new.into_iter().map(|name| {
            let commit = changed.remove(&name).map(Into::into);
            (name, commit)
        }));
        let mut known = self.lock();
        (known.tip, known.last) = (Some(tip), last);
        Ok(())
    }

    fn find_turns(&self, documents: &DocumentHistory, turns: &[Turn]) {
        self.lock().of_turns.retain(|number, _| turns.iter().any(|turn| turn.number == *number));
        for turn in turns {
            let commit = |revision: &Revision| CommitId::of_revision(revision.as_str());
            let Some((before, after)) = &turn.between else { continue };
            let (Some(before), Some(after)) = (commit(before), commit(after)) else { continue };
            if self.lock().of_turns.contains_key(&turn.number) {
                continue;
            }
            let found = documents.last_changes(after, Some(before), &turn.names).unwrap_or_else(|error| {
                // After a push that was forced it may be gone from the clone. It does not come back: this is not tried
                // again each second, and the other turns get theirs.
                debug!(%error, turn = turn.number, "cannot tell by which commits a turn came");
                BTreeMap::new()
            });
            let found = found.into_iter().map(|(name, commit)| (name, commit.into())).collect();
            self.lock().of_turns.insert(turn.number, found);
        }
    }

    fn lock(&self) -> MutexGuard<'_, Known> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The entries of a turn: one for each commit.
fn entries(turn: &Turn, commits: &BTreeMap<PolicyName, HistoryCommit>) -> Vec<Recent> {
    let mut by_commit = Vec::<(Option<&HistoryCommit>, Vec<&PolicyName>)>::new();
    for name in &turn.names {
        let commit = commits.get(name);
        match by_commit.iter_mut().find(|(known, _)| *known == commit) {
            Some((_, names)) => names.push(name),
            None => by_commit.push((commit, vec![name])),
        }
    }
    // What is not named is counted with the first.
    let mut unnamed = turn.total - turn.names.len();
    let entry = |(commit, names): (Option<&HistoryCommit>, Vec<&PolicyName>)| {
        let policies = Listed::first_of(MAX_NAMED, names.into_iter(), ToString::to_string);
        Recent {
            at: turn.at.into(),
            because: turn.because.clone(),
            commit: commit.cloned(),
            policies: Listed { total: policies.total + std::mem::take(&mut unnamed), ..policies },
            what: turn.what,
            why: turn.why,
        }
    };
    by_commit.into_iter().map(entry).collect()
}

#[cfg(test)]
mod tests {
    use std::{
        collections::{BTreeSet, HashSet},
        path::Path,
    };

    use git2::{Oid, Repository, Signature};
    use policies::{Catalog, File, Timestamp, language::PolicyName, repository::Sources};

    use super::{CommitId, Commits, DocumentHistory, Revision, Turn, Whole};
    use crate::{
        api::overview::recent::{What, Why},
        source::ancestry::Ancestry,
    };

    fn turn(number: u64) -> Turn {
        let revision = |digit: &str| Revision::new(format!("main@sha1:{}", digit.repeat(40)));
        Turn {
            number,
            at: Timestamp::from_millis(0),
            because: None,
            between: Some((revision("1"), revision("2"))),
            names: BTreeSet::new(),
            total: 0,
            what: What::Came,
            why: Why::Commit,
        }
    }

    fn policy(status: u16) -> String {
        format!(
            "metadata: {{name: a}}\nspec: {{rules: [{{fault: {{percentage: 1, abort: {{httpStatus: {status}}}}}}}]}}\n"
        )
    }

    /// Commits this text as the one file.
    fn commit(clone: &Repository, parent: Option<Oid>, text: &str) -> Oid {
        let mut tree = clone.treebuilder(None).unwrap();
        tree.insert("a.yaml", clone.blob(text.as_bytes()).unwrap(), 0o100_644).unwrap();
        let tree = clone.find_tree(tree.write().unwrap()).unwrap();
        let parent = parent.map(|parent| clone.find_commit(parent).unwrap());
        let author = Signature::now("alice", "alice@example.org").unwrap();
        clone.commit(None, &author, &author, "Change a", &tree, &parent.iter().collect::<Vec<_>>()).unwrap()
    }

    /// The last of these commits, which has this text.
    fn whole(commits: &[Oid], text: &str) -> Whole {
        let ids = commits.iter().map(|id| CommitId(id.as_bytes().try_into().unwrap()));
        let (path, file) = ("a.yaml".into(), File::read(text.as_bytes()));
        let sources = Sources { files: vec![(&path, &file)], ..Sources::default() };
        Whole {
            revision: Revision::new(format!("main@sha1:{}", commits.last().unwrap())),
            ancestry: Ancestry::of(ids.collect::<HashSet<_>>()),
            signed: None,
            catalog: Catalog::new(&sources, |_, _| None).into(),
            at: Timestamp::from_millis(0),
        }
    }

    #[test]
    fn a_policy_is_followed_while_it_is_not_listed_until_it_is_gone() {
        let folder = tempfile::tempdir().unwrap();
        let clone = Repository::init_bare(folder.path()).unwrap();
        let one = commit(&clone, None, &policy(501));
        let two = commit(&clone, Some(one), &policy(502));
        let three = commit(&clone, Some(two), "");
        let name = PolicyName::try_from("a".to_owned()).unwrap();
        let (commits, listed) = (Commits::default(), BTreeSet::from([name.clone()]));
        let documents = DocumentHistory::new(folder.path(), Path::new(""));
        let last = || commits.last(&name).map(|commit| commit.id);
        let (first, second, third) =
            (whole(&[one], &policy(501)), whole(&[one, two], &policy(502)), whole(&[one, two, three], ""));
        commits.find(&documents, &first, &listed, &[]);
        assert_eq!(last(), Some(one.to_string()));
        commits.find(&documents, &second, &BTreeSet::new(), &[]);
        assert_eq!(last(), Some(two.to_string()));
        // Where there is nothing to look for it in.
        let gone = DocumentHistory::new(Path::new("/nowhere"), Path::new(""));
        commits.find(&gone, &second, &listed, &[]);
        assert_eq!(last(), Some(two.to_string()));
        commits.find(&documents, &third, &BTreeSet::new(), &[]);
        assert_eq!(last(), None);
    }

    #[test]
    fn a_turn_whose_commits_are_gone_keeps_no_other_from_its_own_and_is_looked_for_once() {
        let (commits, gone) =
            (Commits::default(), DocumentHistory::new(Path::new("/nowhere"), Path::new("")));
        commits.find_turns(&gone, &[turn(2), turn(1)]);
        let known = commits.lock().of_turns.keys().copied().collect::<BTreeSet<_>>();
        assert_eq!(known, BTreeSet::from([1, 2]));
    }
}
