//! What applications last had, where no artifact says what is in force.

use std::collections::BTreeSet;

use super::lookback::{Lookback, Looked};
use crate::{
    istio::{
        applications::{Applications, File},
        guarded::Guarded,
        plan::{ApplicationId, Resource, Setting, valid},
    },
    source::{ancestry::CommitId, git::CommitLog},
};

/// The objects of each application at the newest commit at which it was valid.
pub(super) type Earlier = Lookback<Vec<Resource>>;

impl Earlier {
    /// Looks for these applications before `head`. Blocks.
    pub(super) fn valid(
        &mut self,
        head: CommitId,
        guarded: &Guarded,
        wanted: &BTreeSet<ApplicationId>,
        commits: &CommitLog,
        setting: &Setting,
    ) -> Looked<Vec<Resource>> {
        self.look(head, guarded, wanted, commits, File::read, |wanted, files| {
            valid(wanted, &Applications { files, guarded: guarded.clone() }, setting)
        })
    }
}
