//! A document is taken out of its file.

use super::{
    cannot_edit::CannotEdit,
    stream::{Found, Stream},
    syntax::Syntax,
    text::{comment_column, is_blank, line_end, next_line},
};
use crate::{language::PolicyName, reading::read_yaml_document};

/// The file without the policy of this name; `None` if it holds nothing else. Comments that may be about another
/// document stay, and so does every other document.
pub fn remove(file: &[u8], name: &PolicyName) -> Result<Option<Vec<u8>>, CannotEdit> {
    let stream = Stream::of(file)?;
    let absent = || CannotEdit { line: 1, reason: format!("the file has no policy `{name}`") };
    let found = stream.find(name)?.ok_or_else(absent)?;
    let others = others(&stream, found.index);
    if others.is_empty() {
        return Ok(None);
    }
    for left in [left_of(&found), Some(String::new()), Some(marker_of(&found))] {
        let (before, after) = stream.around(found.index);
        let bytes = format!("{before}{}{after}", left.unwrap_or_default()).into_bytes();
        let new = Stream::of(&bytes)?;
        if self::others(&new, usize::MAX) == others {
            return Ok(Some(bytes));
        }
    }
    let reason = "without it another document of the file would be read as something else".to_owned();
    Err(CannotEdit { line: found.node.place.line, reason })
}

/// The documents but one, without the comments around them, which belong to nobody for sure.
fn others<'t>(stream: &Stream<'t>, index: usize) -> Vec<&'t str> {
    let documents = stream.documents.iter().enumerate().filter(|(i, _)| *i != index);
    let has_content = |text: &&str| !matches!(read_yaml_document(text, 0), Ok(None));
    documents.map(|(_, (text, _))| *text).filter(has_content).map(core).collect()
}

/// A document from its first line of content to its last, without its markers.
fn core(text: &str) -> &str {
    let (mut start, mut at) = (0, 0);
    while at < text.len() {
        let line = text.get(at..line_end(text, at)).unwrap_or_default().trim_start_matches('\u{feff}');
        let is_marker =
            line == "---" || line.strip_prefix("---").is_some_and(|rest| rest.trim_start().starts_with('#'));
        if !is_blank(line) && comment_column(line, 0).is_none() && !is_marker {
            start = at;
            break;
        }
        at = next_line(text, at);
    }
    let end = match Syntax::of(text) {
        Ok(syntax) => line_end(text, syntax.range.end),
        Err(_) => text.len(),
    };
    text.get(start..end).unwrap_or_default()
}

/// What stays of a document that goes: the comments above it, up to an empty line or the `---`, and those below it.
fn left_of(found: &Found<'_>) -> Option<String> {
    let text = found.text;
    let (mut head, mut at) = (0, 0);
    loop {
        let line = text.get(at..line_end(text, at))?.trim_start_matches('\u{feff}');
        if is_blank(line) && at < text.len() {
            at = next_line(text, at);
            head = at;
        } else if comment_column(line, 0).is_some() {
            at = next_line(text, at);
        } else {
            if line.starts_with("---") {
                head = at;
            }
            break;
        }
    }
    let syntax = Syntax::of(text).ok()?;
    let mut tail = next_line(text, syntax.range.end);
    // A `...` goes with it.
    let ending = text.get(tail..)?.lines().any(|line| line.starts_with("..."));
    if ending {
        tail = text.len();
    }
    // Comments that are indented are part of it.
    while tail < text.len() && comment_column(text, tail).is_some_and(|column| column > 0) {
        tail = next_line(text, tail);
    }
    let below = text.get(tail..)?;
    let below = if below.trim().is_empty() { "" } else { below };
    Some(format!("{}{below}", text.get(..head)?))
}

/// The `...` at the end of a document, without which the next one would be a part of the one before.
fn marker_of(found: &Found<'_>) -> String {
    let markers = found.text.split_inclusive('\n').filter(|line| line.starts_with("..."));
    markers.collect()
}
