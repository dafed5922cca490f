//! Names as they may be shown.

use std::borrow::Cow;

/// The longest part of a name that is shown, in characters.
const LONGEST: usize = 300;

/// A name of a file, directory, branch or tag for a log or a terminal: escaped, and cut if it is very long.
pub(crate) fn printable(name: &str) -> Cow<'_, str> {
    match name.char_indices().nth(LONGEST) {
        Some((end, _)) => Cow::Owned(format!("{}…", escaped(name.get(..end).unwrap_or_default()))),
        None => escaped(name),
    }
}

/// A text in which names stand, for a log or a terminal. Characters that would change how the text around them is
/// shown are escaped.
pub(crate) fn escaped(text: &str) -> Cow<'_, str> {
    if !text.chars().any(is_unprintable) {
        return Cow::Borrowed(text);
    }
    let mut shown = String::new();
    for c in text.chars() {
        match is_unprintable(c) {
            true => shown.extend(c.escape_unicode()),
            false => shown.push(c),
        }
    }
    Cow::Owned(shown)
}

/// True for control characters, line separators, and invisible characters that set the direction of writing.
fn is_unprintable(c: char) -> bool {
    let is_invisible =
        matches!(c, '\u{61c}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}');
    c.is_control()
        || is_invisible
        || matches!(c, '\u{feff}' | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e007f}')
}

#[cfg(test)]
mod tests {
    use std::borrow::Cow;

    use proptest::prelude::*;

    use super::{LONGEST, is_unprintable, printable};

    #[test]
    fn a_plain_name_is_shown_as_it_is() {
        for name in ["", "team/a b.yaml", "équipe/ポリシー.yaml"] {
            assert!(matches!(printable(name), Cow::Borrowed(shown) if shown == name));
        }
    }

    #[test]
    fn what_a_terminal_would_obey_is_escaped() {
        assert_eq!(printable("a\u{1b}[2J\n\u{9b}\u{202e}b"), "a\\u{1b}[2J\\u{a}\\u{9b}\\u{202e}b");
    }

    proptest! {
        #[test]
        fn nothing_unprintable_is_shown(name in any::<String>()) {
            let shown = printable(&name);
            prop_assert!(!shown.chars().any(is_unprintable));
            prop_assert!(shown.chars().count() <= 10 * LONGEST + 1);
        }
    }
}
