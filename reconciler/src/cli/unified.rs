//! The difference of two texts in the unified format, as `diff -u` prints it.

use similar::TextDiff;

use super::terminal::{Colour, Terminal};
use crate::printable::printable;

/// The lines around a difference.
const CONTEXT: usize = 3;

/// The difference; empty if there is none. A text that is absent is `/dev/null`. Each text comes with its name.
pub(super) fn unified(
    (old_name, old): (&str, Option<&str>),
    (new_name, new): (&str, Option<&str>),
    terminal: Terminal,
) -> String {
    let diff = TextDiff::from_lines(old.unwrap_or_default(), new.unwrap_or_default());
    let header = |name, text: Option<&str>| if text.is_some() { name } else { "/dev/null" };
    let (old_name, new_name) = (header(old_name, old), header(new_name, new));
    let text = diff.unified_diff().context_radius(CONTEXT).header(old_name, new_name).to_string();
    text.lines().map(|line| painted(line, terminal)).collect()
}

fn painted(line: &str, terminal: Terminal) -> String {
    let colour = match line.as_bytes() {
        [b'+', ..] => Some(Colour::Good),
        [b'-', ..] => Some(Colour::Bad),
        [b'@', ..] => Some(Colour::Attention),
        _ => None,
    };
    terminal.paint(&printable(line), colour) + "\n"
}
