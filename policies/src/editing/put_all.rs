//! Many documents are put into a file, which is divided once and not for each of them.

use std::{borrow::Cow, collections::BTreeSet};

use super::{
    cannot_edit::CannotEdit,
    document::Document,
    put::{How, edited, line_of, put, wanted},
    same::same,
    stream::Stream,
};
use crate::language::PolicyName;

/// A file as it is after several edits.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AllEdited {
    pub bytes: Vec<u8>,
    /// For each document in order: false if it was in the file already.
    pub changed: Vec<bool>,
}

/// Puts documents in the places of the policies of these names, as [`put`] does. Each name is there once. The error has
/// the position of the document that cannot be put.
pub fn put_all(
    file: &[u8],
    documents: &[(&PolicyName, &Document)],
    how: How,
) -> Result<AllEdited, (usize, CannotEdit)> {
    // What one document does to another is only seen in the whole file.
    at_once(file, documents, how).map_or_else(|| one_by_one(file, documents, how), Ok)
}

fn one_by_one(
    file: &[u8],
    documents: &[(&PolicyName, &Document)],
    how: How,
) -> Result<AllEdited, (usize, CannotEdit)> {
    let mut all = AllEdited { bytes: file.to_vec(), changed: Vec::new() };
    for (position, (name, document)) in documents.iter().enumerate() {
        let edited = put(&all.bytes, name, document, how).map_err(|cannot| (position, cannot))?;
        all.bytes = edited.bytes;
        all.changed.push(edited.changed);
    }
    Ok(all)
}

/// The edited file, if every document can be edited and every other keeps its bytes.
fn at_once(file: &[u8], documents: &[(&PolicyName, &Document)], how: How) -> Option<AllEdited> {
    let stream = Stream::of(file).ok()?;
    let names: BTreeSet<_> = documents.iter().map(|(name, _)| *name).collect();
    let found = stream.find_all(&names);
    let mut texts: Vec<_> = stream.documents.iter().map(|(text, _)| Cow::Borrowed(*text)).collect();
    let mut changed = Vec::with_capacity(documents.len());
    for (name, document) in documents {
        let found = found.get(*name)?;
        let want = wanted(document, &found.node);
        let is_new = !same(&found.node.value, &want.value);
        changed.push(is_new);
        if is_new {
            let checked = |text: Option<String>| text.filter(|text| line_of(text, 0, found, &want).is_some());
            *texts.get_mut(found.index)? = Cow::Owned(edited(&stream, found, &want, how, checked).ok()?);
        }
    }
    let bytes = texts.concat().into_bytes();
    let new = Stream::of(&bytes).ok()?;
    let is_right = new.documents.len() == texts.len()
        && new.documents.iter().zip(&texts).all(|((new, _), text)| *new == text.as_ref());
    is_right.then_some(AllEdited { bytes, changed })
}
