//! Names of proxies and of their lives, made short: they are long, and there are many.

use policies::{
    Digest,
    wire::{Epoch, poll::NodeId},
};

/// Half of a SHA-256, so that every replica has the same, and nobody finds two names with one key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct Key(u128);

impl Key {
    pub(super) fn of_node(node: &NodeId) -> Self {
        Self::of([node.as_str()])
    }

    /// The key of one life of an Envoy.
    pub(super) fn of_life(node: &NodeId, epoch: &Epoch) -> Self {
        Self::of([node.as_str(), epoch.as_str()])
    }

    fn of<const N: usize>(parts: [&str; N]) -> Self {
        let digest = Digest::of_parts(parts.iter().map(|part| part.as_bytes())).into_bytes();
        Self(digest.first_chunk().map_or(0, |half| u128::from_be_bytes(*half)))
    }
}
