//! What aliases make of the text of a document, and how much of it is too much.

use super::{MAX_NODES, MapEntry, Node, Value};

/// The nodes and the bytes of scalars for each byte of a document's text. Without aliases there is about one node at most
/// (`{a,b}`); a file may hold thousands of documents, and aliases of aliases make 168,000 nodes of 276 bytes.
const OF_TEXT: Size = Size { nodes: 2, scalar_bytes: 16 };
/// What aliases may add to that in all documents of a file.
const OF_ALIASES: Size = Size { nodes: 100_000, scalar_bytes: 2 * 1024 * 1024 };

/// The size of documents with aliases written out.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Size {
    pub(super) nodes: usize,
    pub(super) scalar_bytes: usize,
}

/// What is left for the aliases of a file.
#[derive(Clone, Debug)]
pub struct Aliases(Size);

impl Default for Aliases {
    fn default() -> Self {
        Self(OF_ALIASES)
    }
}

impl Aliases {
    /// The largest size of a document.
    pub(super) fn largest(&self, text: &str) -> Size {
        let of_text = |each: usize, left: usize| each.saturating_mul(text.len()).saturating_add(left);
        Size {
            nodes: of_text(OF_TEXT.nodes, self.0.nodes).min(MAX_NODES),
            scalar_bytes: of_text(OF_TEXT.scalar_bytes, self.0.scalar_bytes),
        }
    }

    /// Takes off what a document has more than its text gives it; all, if it could not be read.
    pub(super) fn spend(&mut self, text: &str, read: Option<&Node>) {
        // Most documents have none.
        if !text.contains('*') {
            return;
        }
        let Some(read) = read else {
            self.0 = Size { nodes: 0, scalar_bytes: 0 };
            return;
        };
        let size = read.size();
        let more = |size: usize, each: usize| size.saturating_sub(each.saturating_mul(text.len()));
        self.0.nodes = self.0.nodes.saturating_sub(more(size.nodes, OF_TEXT.nodes));
        self.0.scalar_bytes =
            self.0.scalar_bytes.saturating_sub(more(size.scalar_bytes, OF_TEXT.scalar_bytes));
    }
}

impl Node {
    fn size(&self) -> Size {
        let of = |nodes: usize, scalar_bytes: usize| Size { nodes, scalar_bytes };
        let add = |sum: Size, size: Size| of(sum.nodes + size.nodes, sum.scalar_bytes + size.scalar_bytes);
        match &self.value {
            Value::Null | Value::Bool(_) => of(1, 0),
            Value::Number(text) | Value::String(text) => of(1, text.len()),
            Value::List(items) => items.iter().map(Self::size).fold(of(1, 0), add),
            Value::Map(fields) => {
                let entry = |field: &MapEntry| add(of(1, field.key.len()), field.value.size());
                fields.iter().map(entry).fold(of(1, 0), add)
            }
        }
    }
}
