//! How the newest commit follows those that matter to namespaces.

use std::collections::{BTreeMap, BTreeSet};

use super::order::Order;
use crate::{
    istio::{consent::Agreed, plan::Namespaces},
    source::{
        SourceError,
        ancestry::CommitId,
        git::{self, Way},
    },
};

/// The ways to the newest commit, with the removals that the messages on them agree to in the namespaces that were judged by
/// the commit. Those in others would take much memory.
#[derive(Debug, Default)]
pub(super) struct Ways(git::Ways<Namespaces<usize>>);

impl Ways {
    /// The ways from all commits that an order names. Blocks.
    pub(super) fn of(Order { commits, commit, known, allowed, .. }: &Order) -> Result<Self, SourceError> {
        let in_force = known.values().filter_map(|known| known.as_ref().ok());
        let from = in_force.flat_map(|known| [&known.commit.id, &known.judged.id]);
        let from: BTreeSet<_> =
            from.chain(allowed.values()).filter_map(|id| CommitId::from_hex(id)).collect();
        let said = |message: &str| Agreed::of(message, |namespace| known.contains_key(namespace));
        let mut judged = BTreeMap::<_, Vec<&String>>::new();
        for (namespace, known) in known.iter().filter_map(|(name, known)| Some((name, known.as_ref().ok()?)))
        {
            judged.entry(CommitId::from_hex(&known.judged.id)).or_default().push(namespace);
        }
        let add = |from, said: &Agreed, sum: &mut Namespaces<usize>| {
            for namespace in judged.get(&Some(from)).into_iter().flatten() {
                let sum = sum.entry((*namespace).clone()).or_default();
                *sum = sum.saturating_add(said.removals(namespace));
            }
        };
        commits.ways(&from, *commit, said, add).map(Self)
    }

    /// The way from a commit.
    pub(super) fn from(&self, commit: &str) -> Result<&Way<Namespaces<usize>>, SourceError> {
        match CommitId::from_hex(commit).and_then(|commit| self.0.get(&commit)) {
            Some(Ok(way)) => Ok(way),
            Some(Err(error)) => Err(error.clone()),
            // Nobody has said which one it is.
            None => Ok(&Way::Apart),
        }
    }
}
