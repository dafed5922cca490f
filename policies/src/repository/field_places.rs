//! The places of a document's fields.

use crate::reading::{Node, Place, Value};

/// The places of the fields that problems can be found in once the document is known to be valid.
///
/// A repository has many documents, and few of them are ever asked. So they are kept as bytes: for each field, in the
/// order of the document, its depth, its key with the length before it (of an item of a list, no key), and its line and
/// column.
#[derive(Clone, Debug)]
pub(crate) struct FieldPlaces(Box<[u8]>);

/// A field, as it is kept.
struct Entry<'b> {
    depth: usize,
    key: &'b str,
    place: Place,
}

impl FieldPlaces {
    pub(crate) fn of(document: &Node) -> Self {
        let mut bytes = Vec::new();
        note(document, 0, &mut bytes);
        Self(bytes.into())
    }

    /// The place of a field; of one that is not kept, the place of its parent; `None` where that is the
    /// document.
    pub(crate) fn at(&self, field: &str) -> Option<Place> {
        let within = |known: &str| {
            field.strip_prefix(known).is_some_and(|rest| rest.is_empty() || rest.starts_with(['.', '[']))
        };
        let (mut bytes, mut path, mut best) = (&*self.0, String::new(), (0, None));
        // Of each level: the length of the path above it, and the number of its items so far.
        let mut levels: Vec<(usize, usize)> = Vec::new();
        while let Some(Entry { depth, key, place }) = Entry::take(&mut bytes) {
            levels.truncate(depth + 1);
            if levels.len() == depth {
                levels.push((path.len(), 0));
            }
            let (above, items) = levels.last_mut()?;
            path.truncate(*above);
            match key {
                "" => path += &format!("[{items}]"),
                key if path.is_empty() => path += key,
                key => path += &format!(".{key}"),
            }
            *items += 1;
            if within(&path) && path.len() > best.0 {
                best = (path.len(), Some(place));
            }
        }
        best.1
    }
}

impl<'b> Entry<'b> {
    fn put(&self, bytes: &mut Vec<u8>) {
        // The language has no key that is so long, so no valid document has one.
        let Some((depth, length)) = u8::try_from(self.depth).ok().zip(u8::try_from(self.key.len()).ok())
        else {
            return;
        };
        bytes.extend([depth, length]);
        bytes.extend(self.key.bytes());
        for mut number in [self.place.line, self.place.column] {
            while number >= 0x80 {
                bytes.push(number as u8 | 0x80);
                number >>= 7;
            }
            bytes.push(number as u8);
        }
    }

    /// Takes the first one off.
    fn take(bytes: &mut &'b [u8]) -> Option<Self> {
        let [depth, length, rest @ ..] = bytes else { return None };
        let (key, rest) = rest.split_at_checked(usize::from(*length))?;
        *bytes = rest;
        let mut number = || {
            let (mut number, mut shift) = (0, 0);
            loop {
                let (byte, rest) = bytes.split_first()?;
                *bytes = rest;
                number |= u32::from(byte & 0x7f).checked_shl(shift)?;
                shift += 7;
                if *byte < 0x80 {
                    return Some(number);
                }
            }
        };
        let place = Place { line: number()?, column: number()? };
        Some(Self { depth: usize::from(*depth), key: std::str::from_utf8(key).ok()?, place })
    }
}

/// Notes the places of a document's fields, as deep as problems are found in them.
fn note(node: &Node, depth: usize, bytes: &mut Vec<u8>) {
    match &node.value {
        Value::Map(fields) => {
            for field in fields {
                Entry { depth, key: &field.key, place: field.value.place }.put(bytes);
                if !["labels", "annotations", "headers"].contains(&field.key.as_str()) {
                    note(&field.value, depth + 1, bytes);
                }
            }
        }
        Value::List(items) => {
            for item in items {
                Entry { depth, key: "", place: item.place }.put(bytes);
                note(item, depth + 1, bytes);
            }
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::FieldPlaces;
    use crate::reading::{MapEntry, Node, Place, Value};

    /// Documents of known shapes at any places, and the path and place of each of their fields.
    fn node() -> impl Strategy<Value = Node> {
        let place = || (any::<u32>(), any::<u32>()).prop_map(|(line, column)| Place { line, column });
        let leaf = place().prop_map(|place| Node { place, value: Value::Null });
        leaf.prop_recursive(4, 40, 5, move |inner| {
            let map = prop::collection::btree_map("[a-c]{1,2}", inner.clone(), 0..5).prop_map(|fields| {
                let entry = |(key, value)| MapEntry { place: Place::default(), key, value };
                Value::Map(fields.into_iter().map(entry).collect())
            });
            let list = prop::collection::vec(inner, 0..5).prop_map(Value::List);
            (place(), prop_oneof![map, list]).prop_map(|(place, value)| Node { place, value })
        })
    }

    fn all(node: &Node, path: &str, found: &mut Vec<(String, Place)>) {
        let mut below = |path: String, node: &Node| {
            found.push((path.clone(), node.place));
            all(node, &path, found);
        };
        match &node.value {
            Value::Map(fields) => fields.iter().for_each(|field| {
                let dot = if path.is_empty() { "" } else { "." };
                below(format!("{path}{dot}{}", field.key), &field.value);
            }),
            Value::List(items) => {
                items.iter().enumerate().for_each(|(i, item)| below(format!("{path}[{i}]"), item));
            }
            _ => {}
        }
    }

    proptest! {
        #[test]
        fn every_field_is_found_at_its_place_and_what_is_not_written_at_its_parents(document in node()) {
            let places = FieldPlaces::of(&document);
            let mut found = Vec::new();
            all(&document, "", &mut found);
            for (path, place) in found {
                prop_assert_eq!(places.at(&path), Some(place), "{}", path);
                prop_assert_eq!(places.at(&format!("{path}.zzz[7]")), Some(place), "{}", path);
            }
            prop_assert_eq!(places.at("zzz"), None);
        }
    }
}
