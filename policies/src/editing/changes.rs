//! Changes of a text, each of some bytes, made together.

use std::ops::Range;

use super::text::{first_line_break, line_start};

/// The changes of a text. Those at the same place stay in the order in which they were noted.
#[derive(Debug, Default)]
pub(super) struct Changes(Vec<(Range<usize>, String)>);

impl Changes {
    pub(super) fn replace(&mut self, range: Range<usize>, text: String) {
        self.0.push((range, text));
    }

    pub(super) fn insert(&mut self, at: usize, text: String) {
        self.replace(at..at, text);
    }

    pub(super) fn delete(&mut self, range: Range<usize>) {
        self.replace(range, String::new());
    }

    /// The text with all changes; `None` if two of them are of the same bytes.
    pub(super) fn apply(mut self, text: &str) -> Option<String> {
        // What is inserted where something goes stands before it.
        self.0.sort_by_key(|(range, _)| (range.start, !range.is_empty()));
        let (mut changed, mut at) = (String::with_capacity(text.len()), 0);
        for (range, new) in self.0 {
            if range.start < at {
                // Two that only take away may take away the same.
                if !new.is_empty() {
                    return None;
                }
                at = at.max(range.end);
                continue;
            }
            changed += text.get(at..range.start)?;
            changed += &new;
            at = range.end;
        }
        changed += text.get(at..)?;
        Some(with_end_of(text, changed))
    }
}

/// The text with a line break at its end, or without, as another has it.
fn with_end_of(text: &str, mut changed: String) -> String {
    let ends = |text: &str| text.is_empty() || line_start(text, text.len()) == text.len();
    match (ends(text), ends(&changed)) {
        (true, false) => changed += first_line_break(text).unwrap_or_default(),
        (false, true) => {
            let kept = changed.strip_suffix('\n').unwrap_or(&changed);
            changed.truncate(kept.strip_suffix('\r').unwrap_or(kept).len());
        }
        (true, true) | (false, false) => {}
    }
    changed
}
