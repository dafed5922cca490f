//! Labels of Kubernetes: keys with values.

use std::collections::BTreeMap;

use super::ObjectName;

/// Labels, by their keys.
pub type LabelPairs = BTreeMap<String, String>;

/// The reason why a text is no key of a label or of an annotation.
pub fn key_error(key: &str) -> Option<String> {
    let (prefix, name) = match key.split_once('/') {
        Some((prefix, name)) => (Some(prefix), name),
        None => (None, key),
    };
    let is_right = is_name(name) && prefix.is_none_or(|prefix| ObjectName::try_from(prefix).is_ok());
    (!is_right).then(|| {
        format!(
            "`{key}` is not a key: at most 63 letters, digits, `-`, `_` and `.`, after a domain and `/` if it has one"
        )
    })
}

/// The reason why a text is no value of a label.
pub fn value_error(value: &str) -> Option<String> {
    (!value.is_empty() && !is_name(value)).then(|| {
        format!(
            "`{value}` is not a value: at most 63 letters, digits, `-`, `_` and `.`, beginning and ending with a letter or digit"
        )
    })
}

fn is_name(text: &str) -> bool {
    let is_end = |byte: Option<u8>| byte.is_some_and(|byte| byte.is_ascii_alphanumeric());
    text.len() <= 63
        && is_end(text.bytes().next())
        && is_end(text.bytes().next_back())
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte))
}

#[cfg(test)]
mod tests {
    use super::{key_error, value_error};

    #[test]
    fn keys_and_values_are_those_of_kubernetes() {
        for good in ["app", "app.kubernetes.io/name", "A_b.c-d"] {
            assert_eq!(key_error(good), None, "{good}");
        }
        for bad in ["", "a/b/c", "/a", "a/", "web-*", "-a", &"x".repeat(64)] {
            assert!(key_error(bad).is_some(), "{bad}");
        }
        for good in ["", "v1", "A.b_c-d"] {
            assert_eq!(value_error(good), None, "{good}");
        }
        for bad in ["web-*", "-a", "a b", &"x".repeat(64)] {
            assert!(value_error(bad).is_some(), "{bad}");
        }
    }
}
