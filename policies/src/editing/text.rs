//! Places in a text, in bytes. A line ends with `\n`, `\r\n` or `\r`, as in YAML.

/// The start of the line that `at` is in.
pub(super) fn line_start(text: &str, at: usize) -> usize {
    let before = text.get(..at).unwrap_or_default();
    before.rfind(['\n', '\r']).map_or(0, |found| found + 1)
}

/// The end of the line that `at` is in, before its line break.
pub(super) fn line_end(text: &str, at: usize) -> usize {
    let after = text.get(at..).unwrap_or_default();
    at + after.find(['\n', '\r']).unwrap_or(after.len())
}

/// The start of the next line; the end of the text if there is none.
pub(super) fn next_line(text: &str, at: usize) -> usize {
    let end = line_end(text, at);
    end + line_break(text.get(end..).unwrap_or_default()).len()
}

/// The start of the line break that ends before `at`, where a line starts; `at` if there is none.
pub(super) fn line_break_before(text: &str, at: usize) -> usize {
    let before = text.get(..at).unwrap_or_default();
    let line = before.strip_suffix("\r\n").or_else(|| before.strip_suffix(['\n', '\r'])).unwrap_or(before);
    line.len()
}

/// The line break at the start of a text.
fn line_break(text: &str) -> &str {
    let length = if text.starts_with("\r\n") { 2 } else { usize::from(text.starts_with(['\n', '\r'])) };
    text.get(..length).unwrap_or_default()
}

/// The first line break of a text.
pub(super) fn first_line_break(text: &str) -> Option<&str> {
    let found = line_break(text.get(line_end(text, 0)..)?);
    (!found.is_empty()).then_some(found)
}

/// The number of columns before `at`. A byte order mark has no width.
pub(super) fn column(text: &str, at: usize) -> usize {
    let line = text.get(line_start(text, at)..at).unwrap_or_default();
    line.trim_start_matches('\u{feff}').chars().count()
}

/// The line of a place, from 1, as the reader counts: by `\n`.
pub(super) fn line_number(text: &str, at: usize) -> u32 {
    text.bytes().take(at).filter(|byte| *byte == b'\n').count() as u32 + 1
}

/// The next place that is neither blank, a line break nor within a comment.
pub(super) fn skip_trivia(text: &str, mut at: usize) -> usize {
    loop {
        let rest = text.get(at..).unwrap_or_default();
        let content = rest.trim_start_matches([' ', '\t', '\n', '\r', '\u{feff}']);
        at += rest.len() - content.len();
        if !content.starts_with('#') {
            return at;
        }
        at = line_end(text, at);
    }
}

/// True if only blanks stand between the start of the line and `at`. A line may be as long as the file, and is not
/// gone through.
pub(super) fn begins_line(text: &str, at: usize) -> bool {
    let before = text.get(..at).unwrap_or_default().trim_end_matches([' ', '\t', '\u{feff}']);
    before.is_empty() || before.ends_with(['\n', '\r'])
}

/// The blanks at the start of the line that `at` is in.
pub(super) fn indentation(text: &str, at: usize) -> &str {
    let start = line_start(text, at);
    let line = text.get(start..line_end(text, start)).unwrap_or_default().trim_start_matches('\u{feff}');
    line.get(..line.len() - line.trim_start_matches([' ', '\t']).len()).unwrap_or_default()
}

pub(super) fn is_blank(text: &str) -> bool {
    text.trim_matches([' ', '\t', '\u{feff}']).is_empty()
}

/// True if nothing, or only a comment, stands between `at` and the end of the line.
pub(super) fn ends_line(text: &str, at: usize) -> bool {
    let rest = text.get(at..).unwrap_or_default().trim_start_matches([' ', '\t']);
    rest.is_empty() || rest.starts_with(['\n', '\r', '#'])
}

/// The column of the comment that the line at `start` consists of.
pub(super) fn comment_column(text: &str, start: usize) -> Option<usize> {
    let line = text.get(start..line_end(text, start))?;
    let content = line.trim_start_matches([' ', '\t']);
    content.starts_with('#').then_some(line.len() - content.len())
}
