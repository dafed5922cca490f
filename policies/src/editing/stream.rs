//! The documents of a file, one of which is meant.

use std::collections::{BTreeMap, BTreeSet};

use super::cannot_edit::CannotEdit;
use crate::{
    language::PolicyName,
    reading::{
        Context, MAX_FILE_BYTES, Node, Outcome, POLICY, Value, read_document, read_yaml_document, split_yaml,
    },
};

/// A file, divided into documents.
pub(super) struct Stream<'t> {
    pub(super) text: &'t str,
    /// Each document and the number of lines before it. Together they are the text.
    pub(super) documents: Vec<(&'t str, u32)>,
}

/// A document of a file.
pub(super) struct Found<'t> {
    /// Which document of the file it is.
    pub(super) index: usize,
    pub(super) text: &'t str,
    pub(super) lines_before: u32,
    pub(super) node: Node,
}

impl<'t> Stream<'t> {
    pub(super) fn of(file: &'t [u8]) -> Result<Self, CannotEdit> {
        let cannot = |reason: &str| CannotEdit { line: 1, reason: reason.to_owned() };
        if file.len() > MAX_FILE_BYTES {
            return Err(cannot("the file is too long"));
        }
        let text = std::str::from_utf8(file).map_err(|_| cannot("the file is not UTF-8"))?;
        Ok(Self { text, documents: split_yaml(text) })
    }

    /// The policy of this name, if there is one; it need not be valid.
    pub(super) fn find(&self, name: &PolicyName) -> Result<Option<Found<'t>>, CannotEdit> {
        let mut found = None;
        // A name is written as it is, but for escapes and tags.
        let may_have_it = |text: &str| text.contains(name.as_str()) || text.contains(['\\', '!']);
        for (index, (text, lines_before)) in self.documents.iter().copied().enumerate() {
            if !may_have_it(text) {
                continue;
            }
            let Ok(Some(node)) = read_yaml_document(text, lines_before) else { continue };
            if !is_policy(&node, name) {
                continue;
            }
            if found.is_some() {
                let reason = format!("the file has `{name}` twice");
                return Err(CannotEdit { line: node.place.line, reason });
            }
            found = Some(Found { index, text, lines_before, node });
        }
        Ok(found)
    }

    /// The policies of these names; those that are there twice are left out. They need not be valid.
    pub(super) fn find_all(&self, names: &BTreeSet<&PolicyName>) -> BTreeMap<PolicyName, Found<'t>> {
        let (mut found, mut twice) = (BTreeMap::new(), BTreeSet::new());
        for (index, (text, lines_before)) in self.documents.iter().copied().enumerate() {
            let Ok(Some(node)) = read_yaml_document(text, lines_before) else { continue };
            let Some(name) = name(&node).filter(|name| names.contains(name)) else { continue };
            if !is_policy(&node, &name) {
                continue;
            }
            if found.insert(name.clone(), Found { index, text, lines_before, node }).is_some() {
                twice.insert(name);
            }
        }
        found.retain(|name, _| !twice.contains(name));
        found
    }

    /// The text before a document, and that after it.
    pub(super) fn around(&self, index: usize) -> (&'t str, &'t str) {
        let before: usize = self.documents.iter().take(index).map(|(text, _)| text.len()).sum();
        let document = self.documents.get(index).map_or(0, |(text, _)| text.len());
        let part = |range| self.text.get(range).unwrap_or_default();
        (part(0..before), part(before + document..self.text.len()))
    }
}

fn name(node: &Node) -> Option<PolicyName> {
    match &field(field(node, "metadata")?, "name")?.value {
        Value::String(name) => PolicyName::try_from(name.clone()).ok(),
        _ => None,
    }
}

fn is_policy(node: &Node, name: &PolicyName) -> bool {
    let said = field(node, "metadata").and_then(|metadata| field(metadata, "name"));
    if !said.is_some_and(|said| said.value == Value::String(name.to_string())) {
        return false;
    }
    let kind = match read_document(node, &Context::default()) {
        Outcome::Valid { kind, .. } => kind,
        Outcome::Invalid(invalid) => invalid.kind,
        Outcome::Foreign | Outcome::Elsewhere(_) => return false,
    };
    kind.name == POLICY
}

/// The value of a field.
pub(super) fn field<'n>(node: &'n Node, key: &str) -> Option<&'n Node> {
    let Value::Map(entries) = &node.value else { return None };
    entries.iter().find(|entry| entry.key == key).map(|entry| &entry.value)
}
