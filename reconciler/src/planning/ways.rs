//! How the newest commit follows those that matter to namespaces.

use std::collections::BTreeSet;

use super::order::Order;
use crate::{
    istio::consent::Agreed,
    source::{
        SourceError,
        ancestry::CommitId,
        git::{self, Way},
    },
};

/// The ways to the newest commit, with what the messages on them agree to.
#[derive(Debug, Default)]
pub(super) struct Ways(git::Ways<Agreed>);

impl Ways {
    /// The ways from all commits that an order names. Blocks.
    pub(super) fn of(Order { commits, commit, known, allowed, .. }: &Order) -> Result<Self, SourceError> {
        let in_force = known.values().filter_map(|known| known.as_ref().ok());
        let from = in_force.flat_map(|known| [&known.commit.id, &known.judged.id]);
        let from: BTreeSet<_> =
            from.chain(allowed.values()).filter_map(|id| CommitId::from_hex(id)).collect();
        let said = |message: &str| Agreed::of(message, |namespace| known.contains_key(namespace));
        commits.ways(&from, *commit, said).map(Self)
    }

    /// The way from a commit.
    pub(super) fn from(&self, commit: &str) -> Result<&Way<Agreed>, SourceError> {
        match CommitId::from_hex(commit).and_then(|commit| self.0.get(&commit)) {
            Some(Ok(way)) => Ok(way),
            Some(Err(error)) => Err(error.clone()),
            // Nobody has said which one it is.
            None => Ok(&Way::Apart),
        }
    }
}
