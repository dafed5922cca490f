//! Documents that are sent, and the files that they are written to.
//!
//! A file is edited in place: only the values that differ change, and comments, the order of keys, quotes,
//! indentation and every other document stay. An edit goes through these steps:
//!
//! - `stream` finds the document in its file.
//! - `syntax` has the bytes in which each of its nodes stands.
//! - `editor` compares what is written with what is wanted, `alignment` the items of lists.
//! - `block`, `flow` and `replacement` say which bytes become which; `style` and `rendering` write what is new.
//! - `put` reads the result back, and `rewriting` a new file. What is not read as what was wanted is never returned.
//!   `put_all` does so for many documents at once.
//! - `spelling` keeps the names of fields that may be written in two ways.

mod alignment;
mod block;
mod body;
mod cannot_edit;
mod changes;
mod comments;
mod document;
mod editor;
mod flow;
mod folders;
mod json;
mod put;
mod put_all;
mod removal;
mod rendering;
mod replacement;
mod rewriting;
mod same;
mod scalar;
mod spelling;
mod stream;
mod style;
mod syntax;
mod text;

use std::collections::{BTreeMap, BTreeSet};

use crate::{
    language::PolicyName,
    reading::{Context, Value},
};

pub use crate::reading::RESTARTED_AT;
pub use body::{Body, Format, read_body, read_placed_body};
pub use cannot_edit::CannotEdit;
pub use document::{Document, Mistake};
pub use folders::Folder;
pub use put::{Edited, How, put};
pub use put_all::{AllEdited, put_all};
pub use removal::remove;
pub use rewriting::new_file;

/// A document of YAML with this content, in the style of new files.
pub fn new_document(value: &Value) -> String {
    style::Style::new(false).document(value) + "\n"
}

/// The valid policies of these names in a file; one that is there twice is left out.
pub fn find_all(file: &[u8], names: &BTreeSet<&PolicyName>) -> BTreeMap<PolicyName, Document> {
    let found = stream::Stream::of(file).map(|stream| stream.find_all(names)).unwrap_or_default();
    let read = |(name, found): (_, stream::Found<'_>)| {
        Some((name, Document::read(0, found.node, &Context::default()).ok()?))
    };
    found.into_iter().filter_map(read).collect()
}

/// The documents of a file, each with what stands before it. Together they are the file.
pub fn split(file: &[u8]) -> Result<Vec<&str>, CannotEdit> {
    Ok(stream::Stream::of(file)?.documents.into_iter().map(|(text, _)| text).collect())
}

/// The policy of this name in a file, with all that is written in it; `None` if it is not there or not valid.
pub fn find(file: &[u8], name: &PolicyName) -> Option<Document> {
    let found = stream::Stream::of(file).ok()?.find(name).ok()??;
    Document::read(0, found.node, &Context::default()).ok()
}
