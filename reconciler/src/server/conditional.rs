//! Conditional requests: `If-None-Match` (RFC 9110, section 13.1.2).

use axum::http::{HeaderMap, header::IF_NONE_MATCH};

/// Whether the client has this representation already, by weak comparison over all the entity tags
/// that it names. `etag` is a strong tag with its quotes.
pub fn is_current(headers: &HeaderMap, etag: &str) -> bool {
    let mut values = headers.get_all(IF_NONE_MATCH).iter().filter_map(|value| value.to_str().ok());
    values.any(|value| value.trim() == "*" || tags(value).any(|tag| tag == etag))
}

/// The first entity tag that the client names.
pub(super) fn first(headers: &HeaderMap) -> Option<&str> {
    tags(headers.get(IF_NONE_MATCH)?.to_str().ok()?).next()
}

/// The opaque tags of a list, quotes included, `W/` left off. Stops at what is no tag.
fn tags(list: &str) -> impl Iterator<Item = &str> {
    let mut rest = list;
    std::iter::from_fn(move || {
        // Commas may stand between quotes, so the list cannot simply be split at them.
        let start = rest.trim_start_matches([' ', '\t', ',']);
        let start = start.strip_prefix("W/").unwrap_or(start);
        let length = start.strip_prefix('"')?.find('"')? + 2;
        let (tag, after) = start.split_at(length);
        rest = after;
        Some(tag)
    })
}

#[cfg(test)]
mod tests {
    use axum::http::{HeaderMap, header::IF_NONE_MATCH};
    use proptest::prelude::*;

    use super::is_current;

    fn headers(values: &[&str]) -> HeaderMap {
        values.iter().map(|value| (IF_NONE_MATCH, value.parse().unwrap())).collect()
    }

    #[test]
    fn a_tag_is_found_in_lists_weak_or_strong() {
        for current in [
            &["\"a\""][..],
            &["W/\"a\""],
            &["\"b\", \"a\""],
            &["\"b,\",W/\"a\""],
            &["*"],
            &["\"b\"", "\"a\""],
        ] {
            assert!(is_current(&headers(current), "\"a\""), "{current:?}");
        }
        for other in [&[][..], &["\"b\""], &["a"], &["\"a"], &["\"b,\"a\""], &["\"*\""], &[""]] {
            assert!(!is_current(&headers(other), "\"a\""), "{other:?}");
        }
    }

    proptest! {
        #[test]
        fn no_value_makes_it_panic(value in "[ -~]{0,40}") {
            is_current(&headers(&[&value]), "\"a\"");
        }
    }
}
