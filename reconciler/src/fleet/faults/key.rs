//! Names of proxies and of their lives, made short: they are long, and there are many.

use std::{fmt, ops::RangeInclusive};

use policies::{
    Digest,
    wire::{Epoch, poll::NodeId},
};

/// Half of a SHA-256, so that every replica has the same, and nobody finds two names with one key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct Key(u128);

/// One life of the Envoy of a proxy. Those of one proxy follow each other.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct LifeKey {
    /// The proxy.
    pub(super) node: Key,
    /// Unlike that of any other life of any proxy.
    pub(super) life: Key,
}

impl LifeKey {
    pub(super) const FIRST: Self = Self { node: Key(u128::MIN), life: Key(u128::MIN) };
    pub(super) const LAST: Self = Self { node: Key(u128::MAX), life: Key(u128::MAX) };

    pub(super) fn new(node: &NodeId, epoch: &Epoch) -> Self {
        Self { node: Key::of_node(node), life: Key::of([node.as_str(), epoch.as_str()]) }
    }

    /// From the first life of a proxy to the last.
    pub(super) fn all_of(node: Key) -> RangeInclusive<Self> {
        Self { node, ..Self::FIRST }..=Self { node, ..Self::LAST }
    }
}

impl Key {
    pub(super) fn of_node(node: &NodeId) -> Self {
        Self::of([node.as_str()])
    }

    /// Reads what `Display` writes.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let is_key = text.len() == 32 && text.bytes().all(|byte| byte.is_ascii_hexdigit());
        u128::from_str_radix(text, 16).ok().filter(|_| is_key).map(Self)
    }

    fn of<const N: usize>(parts: [&str; N]) -> Self {
        let digest = Digest::of_parts(parts.iter().map(|part| part.as_bytes())).into_bytes();
        Self(digest.first_chunk().map_or(0, |half| u128::from_be_bytes(*half)))
    }
}

impl fmt::Display for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:032x}", self.0)
    }
}

#[cfg(test)]
mod tests {
    use policies::wire::{Epoch, poll::NodeId};

    use super::{Key, LifeKey};

    #[test]
    fn a_key_is_told_and_read() {
        let node = NodeId::parse("sidecar~10.0.0.1~a-1.demo~x").unwrap();
        let [one, two] = ["e1", "e2"].map(|epoch| LifeKey::new(&node, &Epoch::parse(epoch).unwrap()).life);
        assert!(one != two && one != Key::of_node(&node));
        assert_eq!(Key::parse(&one.to_string()), Some(one));
        for bad in ["", "+1", &"0".repeat(31), &format!("+{}", "0".repeat(31)), &"g".repeat(32)] {
            assert_eq!(Key::parse(bad), None, "{bad}");
        }
    }
}
