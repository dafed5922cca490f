//! A document written anew: in a file of its own, or in the place of another.

use super::{
    cannot_edit::CannotEdit,
    document::Document,
    json::is_json,
    same::same,
    stream::Stream,
    style::Style,
    syntax::Syntax,
    text::{comment_column, first_line_break, is_blank, line_end, next_line},
};
use crate::reading::{Node, read_yaml_document};

/// The bytes of a file that holds this one document. The file is read back: what is returned holds the document, or
/// nothing is returned.
pub fn new_file(document: &Document) -> Result<Vec<u8>, CannotEdit> {
    let want = &document.node().value;
    let bytes = (Style::new(false).document(want) + "\n").into_bytes();
    let is_right = match Stream::of(&bytes)?.documents.as_slice() {
        [(text, 0)] => matches!(read_yaml_document(text, 0), Ok(Some(node)) if same(&node.value, want)),
        _ => false,
    };
    let unlike =
        || CannotEdit { line: 1, reason: "the new file would not be read as what was sent".to_owned() };
    if is_right { Ok(bytes) } else { Err(unlike()) }
}

/// The text of a document with other content: its marker, and the comments above and below it, stay.
pub(super) fn rewritten(file: &str, text: &str, want: &Node) -> Option<String> {
    let mut style = Style::new(is_json(text));
    if let Some(found) = first_line_break(file) {
        style.line_break = found.to_owned();
    }
    let (mut head, mut at) = (String::new(), 0);
    // Comments and blank lines, the `---`, and comments and blank lines again; no directives.
    while at < text.len() {
        let (line, next) = (text.get(at..line_end(text, at))?, next_line(text, at));
        let content = line.trim_start_matches('\u{feff}');
        if let Some(rest) =
            content.strip_prefix("---").filter(|rest| rest.is_empty() || rest.starts_with([' ', '\t']))
        {
            let comment = if rest.trim_start().starts_with('#') { rest } else { "" };
            head += &format!("{}---{comment}{}", line.strip_suffix(content)?, style.line_break);
            at = next;
            if !rest.trim().is_empty() && comment.is_empty() {
                break;
            }
        } else if is_blank(line) || comment_column(content, 0).is_some() {
            head += text.get(at..next)?;
            at = next;
        } else if content.starts_with('%') {
            at = next;
        } else {
            break;
        }
    }
    if head.is_empty() && text.starts_with('\u{feff}') {
        head.push('\u{feff}');
    }
    let tail = match Syntax::of(text) {
        Ok(syntax) => text.get(next_line(text, syntax.range.end)..)?,
        // What is oddly written has comments nobody knows where.
        Err(_) => ending(text),
    };
    let ends = if tail.is_empty() && !text.ends_with(['\n', '\r']) { "" } else { &style.line_break };
    Some(format!("{head}{}{ends}{tail}", style.document(&want.value)))
}

/// The `...` at the end of a document.
fn ending(text: &str) -> &str {
    let line = text.trim_end_matches(['\n', '\r']);
    let start = super::text::line_start(line, line.len());
    text.get(start..).filter(|line| line.starts_with("...")).unwrap_or_default()
}
