//! What applications last had, where no artifact says what is in force.

use std::collections::BTreeSet;

use super::lookback::{Lookback, Looked};
use crate::{
    istio::{
        applications::{Applications, File},
        guarded::Guarded,
        had::{Had, had},
        plan::{ApplicationId, Setting},
    },
    source::{ancestry::CommitId, git::CommitLog},
};

/// What each application has at the newest commit at which it was valid.
pub(super) type Earlier = Lookback<Had>;

impl Earlier {
    /// Looks for these applications before `head`. Blocks.
    pub(super) fn valid(
        &mut self,
        head: CommitId,
        guarded: &Guarded,
        wanted: &BTreeSet<ApplicationId>,
        commits: &CommitLog,
        setting: &Setting,
    ) -> Looked<Had> {
        self.look(head, guarded, wanted, commits, File::read, |wanted, files| {
            had(wanted, &Applications { files, guarded: guarded.clone() }, setting)
        })
    }
}
