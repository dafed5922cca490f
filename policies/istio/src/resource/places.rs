//! The places of a document's fields.

use policies::reading::{Node, Place, Value};

/// The places of fields, by a hash of their paths: a repository has many fields, and few are ever asked for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Places(Box<[(u64, Place)]>);

impl Places {
    pub(crate) fn of(document: &Node) -> Self {
        let mut places = Vec::new();
        note(document, Hash::default(), &mut places);
        places.sort_unstable();
        Self(places.into())
    }

    /// The place of a field such as `spec.servers[0].port`; of one that is not written, that of what it would be in.
    pub fn at(&self, field: &str) -> Option<Place> {
        let (mut hash, mut found) = (Hash::default(), None);
        let mut rest = field;
        while !rest.is_empty() {
            let end = rest.char_indices().skip(1).find(|(_, c)| matches!(c, '.' | '[')).map(|(at, _)| at);
            let (segment, after) = rest.split_at(end.unwrap_or(rest.len()));
            (hash, rest) = (hash.and(segment), after);
            // A key may have a dot in it, so what is not known may be the beginning of one.
            found = self.get(hash).or(found);
        }
        found
    }

    fn get(&self, Hash(hash): Hash) -> Option<Place> {
        let at = self.0.binary_search_by_key(&hash, |(known, _)| *known).ok()?;
        self.0.get(at).map(|(_, place)| *place)
    }
}

/// The hash of a path, which grows with it: FNV-1a. Two paths with one hash cost a wrong line.
#[derive(Clone, Copy)]
struct Hash(u64);

impl Default for Hash {
    fn default() -> Self {
        Self(0xcbf2_9ce4_8422_2325)
    }
}

impl Hash {
    fn and(self, more: &str) -> Self {
        Self(more.bytes().fold(self.0, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x100_0000_01b3)))
    }
}

fn note(node: &Node, path: Hash, places: &mut Vec<(u64, Place)>) {
    match &node.value {
        Value::Map(fields) => {
            let dot = if path.0 == Hash::default().0 { "" } else { "." };
            for field in fields {
                let path = path.and(dot).and(&field.key);
                places.push((path.0, field.place));
                note(&field.value, path, places);
            }
        }
        Value::List(items) => {
            for (at, item) in items.iter().enumerate() {
                let path = path.and(&format!("[{at}]"));
                places.push((path.0, item.place));
                note(item, path, places);
            }
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

#[cfg(test)]
mod tests {
    use policies::reading::read_yaml;

    use super::Places;

    #[test]
    fn a_field_is_found_at_its_place_and_what_is_not_written_at_its_parents() {
        let text = b"metadata: {labels: {a.b/c: x}}\nspec:\n  servers:\n  - port: {number: 80}\n";
        let places = Places::of(read_yaml(text).remove(0).as_ref().unwrap());
        let line = |field: &str| places.at(field).map(|place| (place.line, place.column));
        assert_eq!(line("metadata.labels.a.b/c"), Some((1, 21)));
        assert_eq!(line("spec.servers[0].port.number"), Some((4, 12)));
        assert_eq!(line("spec.servers[0].port.name"), Some((4, 5)));
        assert_eq!(line("spec.servers[1].port"), Some((3, 3)));
        assert_eq!(line("status"), None);
    }
}
