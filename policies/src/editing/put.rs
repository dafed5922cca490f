//! A document of a file is put in the place of another of the same name.

use super::{
    alignment::MAX_COMPARED,
    cannot_edit::CannotEdit,
    changes::Changes,
    comments::keeps_comments,
    document::Document,
    editor::Editor,
    json::is_json,
    rewriting::rewritten,
    same::same,
    spelling::spell_as,
    stream::{Found, Stream},
    style::Style,
    syntax::{Form, Syntax, directive},
};
use crate::{
    language::PolicyName,
    reading::{API_VERSION, MapEntry, Node, POLICY, Value, read_yaml_document},
};

/// The way in which a document is put into its file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum How {
    /// Only values that differ are replaced.
    InPlace,
    /// The document is written anew; comments above and below it stay.
    Rewrite,
}

/// A file as it is after an edit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Edited {
    pub bytes: Vec<u8>,
    /// The line on which the document begins.
    pub line: u32,
    /// False if the document was in the file already, whatever its style: then no byte differs.
    pub changed: bool,
}

/// Puts a document in the place of the policy of this name. Every other document keeps its bytes.
///
/// An `apiVersion` and a `kind` that the file has and the document does not say are kept if they are right. A
/// field that has two spellings keeps that of the file.
/// The file is read back: what is returned holds what was put, or nothing is returned.
pub fn put(file: &[u8], name: &PolicyName, document: &Document, how: How) -> Result<Edited, CannotEdit> {
    let stream = Stream::of(file)?;
    let absent = || CannotEdit { line: 1, reason: format!("the file has no policy `{name}`") };
    let found = stream.find(name)?.ok_or_else(absent)?;
    let want = wanted(document, &found.node);
    if same(&found.node.value, &want.value) {
        return Ok(Edited { bytes: file.to_vec(), line: found.node.place.line, changed: false });
    }
    edited(&stream, &found, &want, how, |text| checked(&stream, &found, &want, text))
}

/// Edits a document. A text is the result if the caller takes it.
pub(super) fn edited<T>(
    stream: &Stream<'_>,
    found: &Found<'_>,
    want: &Node,
    how: How,
    checked: impl Fn(Option<String>) -> Option<T>,
) -> Result<T, CannotEdit> {
    let candidate = match how {
        How::InPlace => {
            in_place(stream, found, want, checked).map_err(|error| error.moved(found.lines_before))?
        }
        How::Rewrite => checked(rewritten(stream.text, found.text, want)),
    };
    candidate.ok_or_else(|| CannotEdit {
        line: found.node.place.line,
        reason: "the edited file would not be read as what was sent".to_owned(),
    })
}

/// The document as it is to stand in the file, with what it leaves out and means all the same.
pub(super) fn wanted(document: &Document, written: &Node) -> Node {
    let mut document = document.node().clone();
    if let (Value::Map(entries), Value::Map(written)) = (&mut document.value, &written.value) {
        let constants: Vec<MapEntry> = written
            .iter()
            .filter(|entry| says_nothing_else(entry))
            .filter(|entry| !entries.iter().any(|known| known.key == entry.key))
            .cloned()
            .collect();
        entries.splice(0..0, constants);
    }
    spell_as(&mut document, written);
    document
}

/// True for an `apiVersion` or a `kind` that is as good as none: that of policies.
fn says_nothing_else(entry: &MapEntry) -> bool {
    let right = match entry.key.as_str() {
        "apiVersion" => API_VERSION,
        "kind" => POLICY,
        _ => return false,
    };
    matches!(&entry.value.value, Value::String(text) if text == right)
}

/// Edits as little as can be: first only what differs, then, while that is not read as what was wanted, values that
/// are less deep, down to all of `spec`. Those take no comments with them.
fn in_place<T>(
    stream: &Stream<'_>,
    found: &Found<'_>,
    want: &Node,
    checked: impl Fn(Option<String>) -> Option<T>,
) -> Result<Option<T>, CannotEdit> {
    if let Some(at) = directive(found.text) {
        return Err(CannotEdit::at(found.text, at, "it has a directive (`%`)"));
    }
    let syntax = Syntax::of(found.text)?;
    let Form::Collection(collection) = &syntax.form else { return Ok(None) };
    if syntax.is_marked {
        return Err(CannotEdit::at(found.text, syntax.range.start, "it has an anchor or a tag"));
    }
    let style = Style::of(stream.text, found.text, &syntax);
    let (mut deepest, mut loses) = (usize::MAX, false);
    while deepest > 0 {
        let (style, changes) = (style.clone(), Changes::default());
        let (reached, comparisons) = (0, MAX_COMPARED);
        let mut editor = Editor { text: found.text, style, deepest, reached, comparisons, changes };
        if !editor.collection(collection, (&found.node.value, &want.value), 0)? {
            return Ok(None);
        }
        let edited = editor.changes.apply(found.text);
        if deepest < usize::MAX
            && let Some(text) = edited.as_deref()
            && !keeps_comments(found.text, text)
        {
            loses = true;
        } else if let Some(edited) = checked(edited) {
            return Ok(Some(edited));
        }
        // Anything deeper would make the same edit.
        deepest = editor.reached;
    }
    let lost =
        || CannotEdit::at(found.text, syntax.range.start, "comments beside what differs would be lost");
    if loses { Err(lost()) } else { Ok(None) }
}

/// The file with this text in the place of a document, if it is read back as what is wanted there, and as what it
/// was everywhere else.
fn checked(stream: &Stream<'_>, found: &Found<'_>, want: &Node, edited: Option<String>) -> Option<Edited> {
    let (edited, (before, after)) = (edited?, stream.around(found.index));
    let bytes = format!("{before}{edited}{after}").into_bytes();
    let new = Stream::of(&bytes).ok()?;
    let others_stay = new.documents.len() == stream.documents.len()
        && new
            .documents
            .iter()
            .zip(&stream.documents)
            .enumerate()
            .all(|(i, (new, old))| i == found.index || new.0 == old.0);
    let (text, lines_before) = new.documents.get(found.index)?;
    let line = line_of(text, *lines_before, found, want).filter(|_| others_stay)?;
    Some(Edited { line, bytes, changed: true })
}

/// The line on which an edited document begins, if it is read as what is wanted.
pub(super) fn line_of(text: &str, lines_before: u32, found: &Found<'_>, want: &Node) -> Option<u32> {
    let node = read_yaml_document(text, lines_before).ok()??;
    let stays_json = !is_json(found.text) || is_json(text);
    (same(&node.value, &want.value) && stays_json).then_some(node.place.line)
}
