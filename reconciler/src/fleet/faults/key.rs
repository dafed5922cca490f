//! Names of proxies and of their lives, made short: they are long, and there are many.

use std::fmt;

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

    use super::Key;

    #[test]
    fn a_key_is_told_and_read() {
        let node = NodeId::parse("sidecar~10.0.0.1~a-1.demo~x").unwrap();
        let [one, two] = ["e1", "e2"].map(|epoch| Key::of_life(&node, &Epoch::parse(epoch).unwrap()));
        assert!(one != two && one != Key::of_node(&node));
        assert_eq!(Key::parse(&one.to_string()), Some(one));
        for bad in ["", "+1", &"0".repeat(31), &format!("+{}", "0".repeat(31)), &"g".repeat(32)] {
            assert_eq!(Key::parse(bad), None, "{bad}");
        }
    }
}
