//! Text from others, such as names of files, made safe for a terminal and a log.

use std::borrow::Cow;

/// The text with what a terminal would obey instead of show as `\u001b`, which JSON reads as the same text.
pub(crate) fn printable(text: &str) -> Cow<'_, str> {
    if !text.contains(is_unprintable) {
        return Cow::Borrowed(text);
    }
    let mut safe = String::with_capacity(text.len() + 16);
    for c in text.chars() {
        if is_unprintable(c) {
            c.encode_utf16(&mut [0; 2]).iter().for_each(|unit| safe += &format!("\\u{unit:04x}"));
        } else {
            safe.push(c);
        }
    }
    Cow::Owned(safe)
}

/// The first characters of a text, at most this many, [`printable`]. It costs no more, however long the text is.
pub(crate) fn printable_start(text: &str, most: usize) -> String {
    let start: String = text.chars().take(most).collect();
    printable(&start).chars().take(most).collect()
}

/// The lines of a text, each of them [`printable`].
pub(crate) fn printable_lines(text: &str) -> String {
    let mut lines = text.split('\n');
    let first = lines.next().map(printable).unwrap_or_default().into_owned();
    lines.fold(first, |text, line| text + "\n" + &printable(line))
}

/// True for control characters, line separators, and invisible characters, such as those that set the direction of
/// writing.
pub(crate) fn is_unprintable(c: char) -> bool {
    let is_invisible =
        matches!(c, '\u{61c}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}');
    c.is_control()
        || is_invisible
        || matches!(c, '\u{feff}' | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e007f}')
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::{is_unprintable, printable, printable_lines};

    #[test]
    fn what_a_terminal_would_obey_is_shown() {
        assert_eq!(
            printable("a\u{1b}[31m\r\n\u{9b}2J\u{202e}\u{7f}"),
            "a\\u001b[31m\\u000d\\u000a\\u009b2J\\u202e\\u007f"
        );
        assert_eq!(printable("straße/ein é 文.yaml"), "straße/ein é 文.yaml");
        assert_eq!(printable_lines("a\tb\n\u{1b}\n"), "a\\u0009b\n\\u001b\n");
    }

    proptest! {
        #[test]
        fn no_text_gets_through(text in any::<String>()) {
            prop_assert!(!printable(&text).contains(is_unprintable));
            prop_assert_eq!(printable_lines(&text).split('\n').count(), text.split('\n').count());
            // JSON means the same text.
            let json = serde_json::to_string(&text).unwrap();
            prop_assert_eq!(serde_json::from_str::<String>(&printable(&json)).unwrap(), text);
        }
    }
}
