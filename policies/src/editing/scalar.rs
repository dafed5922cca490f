//! The text of a scalar.

use super::syntax::Quote;
use crate::reading::{Value, read_yaml};

/// The text of a key or of a string, in these quotes where they will do.
pub(super) fn string(text: &str, quote: Quote) -> String {
    let is_printable = !text.chars().any(needs_escape);
    match quote {
        Quote::None if is_plain(text) => text.to_owned(),
        Quote::Single if is_printable => format!("'{}'", text.replace('\'', "''")),
        _ => double_quoted(text),
    }
}

/// The text of a scalar that is no string. JSON has no numbers without end.
pub(super) fn other(value: &Value) -> String {
    match value {
        Value::Bool(value) => value.to_string(),
        Value::Number(text) => match text.as_str() {
            "inf" => ".inf".to_owned(),
            "-inf" => "-.inf".to_owned(),
            "NaN" => ".nan".to_owned(),
            text => text.to_owned(),
        },
        _ => "null".to_owned(),
    }
}

/// True if the text means itself without quotes, anywhere and also for readers of YAML 1.1.
fn is_plain(text: &str) -> bool {
    let is_safe = |c: char| c.is_alphanumeric() || "_-./*+()@~ $%^=;".contains(c);
    let begins = text.starts_with(|c: char| c.is_alphanumeric() || "_./$^(".contains(c));
    let words = ["y", "n", "yes", "no", "on", "off", "true", "false", "null"];
    let is_word = words.iter().any(|word| text.eq_ignore_ascii_case(word));
    let is_number = text.starts_with(|c: char| c.is_ascii_digit() || c == '.') && !is_ordinary(text);
    if !begins
        || !text.chars().all(|c| is_safe(c) || c == ':')
        || text.ends_with([' ', ':'])
        || is_word
        || is_number
    {
        return false;
    }
    // Names, paths and durations, which are most of a document: to read each costs more than all else.
    let has_no_sign = |byte: u8| byte.is_ascii_alphanumeric() || b"_-./".contains(&byte);
    if text.starts_with(|c: char| c.is_ascii_alphanumeric()) && text.bytes().all(has_no_sign) {
        return true;
    }
    // Whether a `:` begins a value, and what else is special, is for the reader to say.
    let read = read_yaml(format!("[{text}]").as_bytes());
    let [Ok(document)] = read.as_slice() else { return false };
    let Value::List(items) = &document.value else { return false };
    matches!(items.as_slice(), [item] if item.value == Value::String(text.to_owned()))
}

/// True for a text that begins like a number and that no reader takes for one: a time, or one with a letter that
/// is in no number.
fn is_ordinary(text: &str) -> bool {
    let is_time = text.ends_with('Z') && text.contains('T') && text.contains(':');
    is_time || text.contains(|c: char| c.is_alphabetic() && !"abcdefox".contains(c.to_ascii_lowercase()))
}

/// True for a character that is not written as itself in quotes.
pub(super) fn needs_escape(c: char) -> bool {
    c.is_control() || matches!(c, '\u{2028}' | '\u{2029}' | '\u{feff}' | '\u{fffe}' | '\u{ffff}')
}

/// As both YAML and JSON write it.
fn double_quoted(text: &str) -> String {
    let mut quoted = String::from('"');
    for c in text.chars() {
        match c {
            '"' | '\\' => quoted.extend(['\\', c]),
            '\n' => quoted += "\\n",
            '\t' => quoted += "\\t",
            '\r' => quoted += "\\r",
            c if needs_escape(c) => quoted += &format!("\\u{:04x}", u32::from(c)),
            c => quoted.push(c),
        }
    }
    quoted.push('"');
    quoted
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::is_plain;
    use crate::reading::{Value, read_yaml};

    fn reads_as_itself(text: &str) -> bool {
        let read = read_yaml(format!("- {text}\n").as_bytes());
        let Some(Ok(document)) = read.first() else { return false };
        matches!(&document.value, Value::List(items) if items[0].value == Value::String(text.to_owned()))
    }

    #[test]
    fn a_text_without_quotes_is_no_other_value() {
        for text in ["reviews", "10s", "a.b/c-d", "/api/*", "v1", "type.googleapis.com/envoy.x.v3.Y"] {
            assert!(is_plain(text), "{text}");
        }
        for text in
            ["1", "1e5", "0x1f", "1.5", "1_000", "2026-11-29", ".inf", "on", "NO", "Null", "-a", "~", ""]
        {
            assert!(!is_plain(text), "{text}");
        }
        for text in ["inf", "nan", "NaN", "infinity", "Infinity", "e5", "x1f", "0z", "1f", "5z9", "TRUE1"] {
            assert!(!is_plain(text) || reads_as_itself(text), "{text}");
        }
    }

    proptest! {
        #[test]
        fn what_is_written_without_quotes_is_read_as_it_was(text in "[a-zA-Z0-9_./:-]{1,6}") {
            prop_assert!(!is_plain(&text) || reads_as_itself(&text));
        }
    }
}
