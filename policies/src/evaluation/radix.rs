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

impl RadixTree {
    /// A tree of these keys; a key may come more than once.
    pub(crate) fn new(mut keys: Vec<(&[u8], u32)>) -> Self {
        let mut tree = Self::default();
        if !keys.is_empty() {
            keys.sort_unstable();
            tree.grow(&keys, 0);
        }
        tree
    }

    /// Adds the node for sorted keys that have their first `depth` bytes in common; its number.
    fn grow(&mut self, keys: &[(&[u8], u32)], depth: usize) -> u32 {
        // Sorted, the first and the last key have in common what all have.
        let (first, last) =
            (keys.first().map_or(&[][..], |(key, _)| key), keys.last().map_or(&[][..], |(key, _)| key));
        let common = first.iter().zip(last).take_while(|(a, b)| a == b).count();
        let number = self.nodes.len() as u32;
        let label = first.get(depth..common).unwrap_or_default().into();
        let ends = keys.iter().take_while(|(key, _)| key.len() == common).count();
        let numbers = keys.iter().take(ends).map(|(_, number)| *number).collect();
        self.nodes.push(Node { label, numbers, children: Vec::new() });
        let longer = keys.get(ends..).unwrap_or_default();
        let byte = |(key, _): &(&[u8], u32)| key.get(common).copied();
        let mut children = Vec::new();
        for siblings in longer.chunk_by(|a, b| byte(a) == byte(b)) {
            if let Some(byte) = siblings.first().and_then(byte) {
                children.push((byte, self.grow(siblings, common)));
            }
        }
        if let Some(node) = self.nodes.get_mut(number as usize) {
            node.children = children;
        }
        number
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
