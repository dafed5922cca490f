//! What the branch says of halts.

use super::{Book, State};
use crate::{
    halts::{
        document,
        in_git::{Branch, Read},
    },
    serving::published::Published,
    source::ancestry::CommitId,
};

impl Book {
    /// What is served is another: the branch may have halts that are new here, or no longer have some.
    pub fn read(&self, published: &Published) {
        let whole = &published.whole;
        // What is withdrawn says nothing, and neither does a directory.
        let commit =
            CommitId::of_revision(whole.revision.as_str()).filter(|_| published.holds.withdrawn.is_none());
        let Some((commit, commits)) = commit.zip(whole.ancestry.commits()) else { return };
        let of_file = whole.catalog.halts().iter().filter(|located| *located.file == *self.file);
        let halts: Vec<_> = of_file.filter_map(|located| document::halt(&located.halt)).collect();
        let halts = (!document::is_damaged(&self.file, whole.catalog.problems())).then_some(halts.as_slice());
        self.read_branch(Branch { commit, commits, halts });
    }

    pub(in crate::halts) fn read_branch(&self, branch: Branch<'_>) {
        let (mut state, commit) = (self.lock(), branch.commit);
        let before = (state.ledger.clone(), state.in_git.clone());
        // What an earlier process pushed, and is not there, is to be put again from now on.
        let mut is_first = false;
        if let Some(halts) = branch.halts {
            is_first = state.commits.set_read();
            halts.iter().cloned().for_each(|halt| state.ledger.add(halt));
        }
        let State { in_git, ledger, commits, ending, .. } = &mut *state;
        let read = in_git.read(branch, ledger, |id| commits.is_under_way(id));
        commits.read(in_git, ledger, &read);
        let Read { removed, forced } = read;
        // To be put again, whoever tried to end them where they no longer are.
        forced.iter().for_each(|id| ending.forget(id));
        let (removed, told): (Vec<_>, Vec<_>) = removed.into_iter().partition(|id| state.ledger.has(id));
        told.iter().for_each(|id| state.ledger.confirm_end(id));
        state.end(&removed, (self.clock)(), Some(commit), "it was removed from the branch");
        if is_first || before != (state.ledger.clone(), state.in_git.clone()) {
            self.update(state);
        }
    }
}
