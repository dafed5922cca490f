//! Names as they may be shown.

use std::borrow::Cow;

use crate::printable::printable as text;

/// The longest part of a name that is shown, in characters.
const LONGEST: usize = 300;

/// A name of a file, directory, branch or tag for a log or a terminal: escaped, and cut if it is very long.
pub(crate) fn printable(name: &str) -> Cow<'_, str> {
    match name.char_indices().nth(LONGEST) {
        Some((end, _)) => Cow::Owned(format!("{}…", text(name.get(..end).unwrap_or_default()))),
        None => text(name),
    }
}

#[cfg(test)]
mod tests {
    use std::borrow::Cow;

    use proptest::prelude::*;

    use super::{LONGEST, printable};
    use crate::printable::is_unprintable;

    #[test]
    fn a_plain_name_is_shown_as_it_is() {
        for name in ["", "team/a b.yaml", "équipe/ポリシー.yaml"] {
            assert!(matches!(printable(name), Cow::Borrowed(shown) if shown == name));
        }
    }

    #[test]
    fn what_a_terminal_would_obey_is_escaped() {
        assert_eq!(printable("a\u{1b}[2J\n\u{9b}\u{202e}b"), "a\\u001b[2J\\u000a\\u009b\\u202eb");
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
