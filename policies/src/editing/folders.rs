//! The directories of new policies: a body may begin with a document of kind `Folders`, which names them.

use std::collections::BTreeSet;

use super::document::{Document, Mistake};
use crate::{
    language::PolicyName,
    reading::{API_VERSION, Context, Cursor, Finding, Node, Place, Value},
};

const KIND: &str = "Folders";

/// A policy of a body, and the directory of its file if it is new.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Folder {
    pub name: PolicyName,
    pub directory: String,
    place: Place,
    field: String,
}

impl Folder {
    /// The same with its directory in other words.
    pub fn with_directory(self, directory: String) -> Self {
        Self { directory, ..self }
    }

    /// A mistake at the place where the directory is named.
    pub fn mistake(&self, message: impl Into<String>) -> Mistake {
        let (place, field) = (self.place, self.field.clone());
        Mistake { document: 0, finding: Finding { place, field, message: message.into() } }
    }
}

/// True if this is the document that names directories.
pub(super) fn is_folders(node: &Node) -> bool {
    let Value::Map(entries) = &node.value else { return false };
    let is_kind = |value: &Value| matches!(value, Value::String(kind) if kind == KIND);
    entries.iter().any(|entry| entry.key == "kind" && is_kind(&entry.value.value))
}

/// Reads the document that names directories.
pub(super) fn read(node: &Node) -> Result<Vec<Folder>, Vec<Mistake>> {
    let context = Context::default();
    let mut folders = Vec::new();
    if let Some(mut fields) = Cursor::new(node, &context).fields() {
        fields.take("kind");
        if let Some(version) = fields.take("apiVersion")
            && version.string().is_some_and(|text| text != API_VERSION)
        {
            version.report(format_args!("must be `{API_VERSION}`"));
        }
        if let Some(map) = fields.require("folders")
            && map.clone().fields().is_some()
        {
            for (directory, names) in map.entries() {
                folders.extend(names.items().into_iter().flatten().filter_map(|name| one(directory, &name)));
            }
        }
        fields.finish();
    }
    let findings = context.take_findings();
    if findings.is_empty() {
        return Ok(folders);
    }
    Err(findings.into_iter().map(|finding| Mistake { document: 0, finding }).collect())
}

fn one(directory: &str, name: &Cursor<'_>) -> Option<Folder> {
    let (place, field, text) = (name.place(), name.path().to_owned(), name.string()?);
    let name = name.accept(PolicyName::try_from(text.to_owned()))?;
    Some(Folder { name, directory: directory.to_owned(), place, field })
}

/// The mistakes of directories that are for no document of the body, or for one that has another already.
pub(super) fn check(folders: &[Folder], documents: &[Document]) -> Vec<Mistake> {
    let mut without: BTreeSet<_> = documents.iter().filter_map(Document::name).collect();
    let sent = without.clone();
    let mistake = |folder: &Folder| {
        let message = match (sent.contains(&folder.name), without.remove(&folder.name)) {
            (true, true) => return None,
            (true, false) => "has a directory already; name one for each policy",
            (false, _) => "is the name of no policy in this body",
        };
        Some(folder.mistake(format!("`{}` {message}", folder.name)))
    };
    folders.iter().filter_map(mistake).collect()
}
