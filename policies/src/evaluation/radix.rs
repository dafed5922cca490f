//! A radix tree: which of many keys a text begins with, in one walk along the text.

/// Keys and the numbers filed under them.
#[derive(Debug, Default)]
pub(crate) struct RadixTree {
    nodes: Vec<Node>,
}

#[derive(Debug, Default)]
struct Node {
    /// The part of its key that its parent's key does not have.
    label: Box<[u8]>,
    numbers: Vec<u32>,
    /// Its children, by the first byte of their labels, ascending.
    children: Vec<(u8, u32)>,
}

/// Sorted keys that have their first `depth` bytes in common, and the node that they go on from.
struct Branch<'k> {
    parent: Option<u32>,
    keys: &'k [(&'k [u8], u32)],
    depth: usize,
}

impl RadixTree {
    /// A tree of these keys; a key may come more than once.
    pub(crate) fn new(mut keys: Vec<(&[u8], u32)>) -> Self {
        let mut tree = Self::default();
        keys.sort_unstable();
        // Without recursion: a node can be as many levels deep as the longest key has bytes.
        let mut left = Vec::new();
        if !keys.is_empty() {
            left.push(Branch { parent: None, keys: &keys, depth: 0 });
        }
        while let Some(branch) = left.pop() {
            tree.grow(branch, &mut left);
        }
        tree
    }

    /// Adds the node for the keys of a branch, and the branches that are left to grow from it.
    fn grow<'k>(&mut self, Branch { parent, keys, depth }: Branch<'k>, left: &mut Vec<Branch<'k>>) {
        // Sorted, the first and the last key have in common what all have.
        let (first, last) =
            (keys.first().map_or(&[][..], |(key, _)| key), keys.last().map_or(&[][..], |(key, _)| key));
        let common = first.iter().zip(last).take_while(|(a, b)| a == b).count();
        let label: Box<[u8]> = first.get(depth..common).unwrap_or_default().into();
        let ends = keys.iter().take_while(|(key, _)| key.len() == common).count();
        let numbers = keys.iter().take(ends).map(|(_, number)| *number).collect();
        let number = self.nodes.len() as u32;
        if let Some(parent) = parent.and_then(|parent: u32| self.nodes.get_mut(parent as usize)) {
            parent.children.extend(label.first().map(|byte| (*byte, number)));
        }
        self.nodes.push(Node { label, numbers, children: Vec::new() });
        let longer = keys.get(ends..).unwrap_or_default();
        let byte = |(key, _): &(&[u8], u32)| key.get(common).copied();
        // The last is grown first, so the first goes last: children ascend.
        for siblings in longer.chunk_by(|a, b| byte(a) == byte(b)).rev() {
            left.push(Branch { parent: Some(number), keys: siblings, depth: common });
        }
    }

    /// Hands over what is filed under each key that `text` begins with, shortest first.
    #[inline]
    pub(crate) fn prefixes_of<'t>(&'t self, text: &[u8], mut found: impl FnMut(&'t [u32])) {
        let (mut node, mut rest) = (self.nodes.first(), text);
        while let Some(Node { label, numbers, children }) = node {
            let Some(after) = rest.strip_prefix(&**label) else { return };
            if !numbers.is_empty() {
                found(numbers);
            }
            rest = after;
            let child =
                after.first().and_then(|byte| children.binary_search_by_key(byte, |(byte, _)| *byte).ok());
            node = child
                .and_then(|at| children.get(at))
                .and_then(|(_, number)| self.nodes.get(*number as usize));
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::RadixTree;

    #[test]
    fn as_deep_as_the_longest_key_is_long() {
        let text = "a".repeat(20_000);
        let tree =
            RadixTree::new((0..20_000).map(|length| (&text.as_bytes()[..length], length as u32)).collect());
        let mut found = Vec::new();
        tree.prefixes_of(&text.as_bytes()[..9_999], |numbers| found.extend_from_slice(numbers));
        assert!(found.into_iter().eq(0..=9_999));
    }

    proptest! {
        #[test]
        fn it_finds_what_a_look_at_every_key_finds(
            keys in prop::collection::vec("[ab/]{0,6}", 0..30),
            text in "[ab/]{0,8}",
        ) {
            let numbered = || keys.iter().map(|key| key.as_bytes()).zip(0u32..);
            let tree = RadixTree::new(numbered().collect());
            let mut found = Vec::new();
            tree.prefixes_of(text.as_bytes(), |numbers| found.extend_from_slice(numbers));
            found.sort_unstable();
            let wanted: Vec<_> = numbered().filter(|(key, _)| text.as_bytes().starts_with(key)).map(|(_, number)| number).collect();
            prop_assert_eq!(found, wanted);
        }
    }
}
