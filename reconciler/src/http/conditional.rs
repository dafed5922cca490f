//! Conditional requests: `If-None-Match` (RFC 9110, section 13.1.2).

use axum::http::{HeaderMap, HeaderValue, header::IF_NONE_MATCH};
use policies::Digest;

/// The most entity tags that are kept of one poll: a filter sends one.
const MAX_TAGS: usize = 16;
/// The longest entity tag that is kept although it is of nothing that is served.
const MAX_TAG: usize = 128;

/// The snapshots that a client says it has: small, since it is kept for as long as the client waits.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Known {
    Nothing,
    /// Tags, of which none is of anything that is served: the first.
    Unknown(Box<str>),
    One(Digest),
    Several(Box<[Digest]>),
    /// `*`: whichever there is.
    Anything,
}

impl Known {
    pub(crate) fn of(headers: &HeaderMap) -> Self {
        let values = || headers.get_all(IF_NONE_MATCH).iter().filter_map(|value| value.to_str().ok());
        if values().any(|value| value.trim() == "*") {
            return Self::Anything;
        }
        // A tag that is not a digest is not one of anything that is served.
        let mut digests = values().flat_map(tags).filter_map(Digest::from_etag).take(MAX_TAGS);
        match (digests.next(), digests.next()) {
            (None, _) => {
                let tag = values().flat_map(tags).next().filter(|tag| tag.len() <= MAX_TAG);
                tag.map_or(Self::Nothing, |tag| Self::Unknown(tag.into()))
            }
            (Some(one), None) => Self::One(one),
            (Some(first), Some(second)) => {
                Self::Several([first, second].into_iter().chain(digests).collect())
            }
        }
    }

    /// The entity tag of what the client has, if it says so; the first of several.
    pub(crate) fn first(&self) -> Option<String> {
        match self {
            Self::Nothing | Self::Anything => None,
            Self::Unknown(tag) => Some(tag.to_string()),
            Self::One(known) => Some(known.etag()),
            Self::Several(known) => known.first().map(Digest::etag),
        }
    }

    pub(crate) fn has(&self, digest: &Digest) -> bool {
        match self {
            Self::Nothing | Self::Unknown(_) => false,
            Self::One(known) => known == digest,
            Self::Several(known) => known.contains(digest),
            Self::Anything => true,
        }
    }
}

/// The condition of a request alone, which is kept while its answer is made; none if it is longer than any client
/// needs.
pub(crate) fn condition(headers: HeaderMap) -> HeaderMap {
    let value = headers.get(IF_NONE_MATCH).filter(|value| value.len() <= MAX_TAGS * MAX_TAG);
    // A copy: the value would keep all that it was sent with.
    let copy = value.and_then(|value| HeaderValue::from_bytes(value.as_bytes()).ok());
    copy.into_iter().map(|value| (IF_NONE_MATCH, value)).collect()
}

/// True if the client has this representation already, by weak comparison over all the entity tags
/// that it names. `etag` is a strong tag with its quotes.
pub fn is_current(headers: &HeaderMap, etag: &str) -> bool {
    let mut values = headers.get_all(IF_NONE_MATCH).iter().filter_map(|value| value.to_str().ok());
    values.any(|value| value.trim() == "*" || tags(value).any(|tag| tag == etag))
}

/// The first entity tag that the client names.
pub(crate) fn first(headers: &HeaderMap) -> Option<&str> {
    tags(headers.get(IF_NONE_MATCH)?.to_str().ok()?).next()
}

/// The entity tags of a list for `If-Match`, which compares strongly: weak ones are left out.
pub(crate) fn tags_of(list: &str) -> impl Iterator<Item = &str> {
    let is_strong = |tag: &&str| {
        let before = list.find(tag).and_then(|at| list.get(..at)).unwrap_or_default();
        !before.ends_with("W/")
    };
    tags(list).filter(is_strong)
}

/// The opaque tags of a list, quotes included, `W/` left off. Stops at a text that is not a tag.
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
    use policies::Digest;
    use proptest::prelude::*;

    use super::{Known, condition, is_current};

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

    #[test]
    fn of_a_request_only_a_condition_of_usual_length_is_kept() {
        let (usual, long) = (headers(&["\"a\""]), headers(&[&format!("\"{}\"", "x".repeat(5_000))]));
        let mut many = usual.clone();
        many.insert("x-more", "y".parse().unwrap());
        assert_eq!(condition(many), usual);
        assert!(condition(long.clone()).is_empty());
        assert_eq!(Known::of(&long), Known::Nothing);
    }

    #[test]
    fn what_is_known_is_what_is_current() {
        let (a, b) = (Digest::of(b"a"), Digest::of(b"b"));
        let (tag_a, tag_b) = (a.etag(), b.etag());
        for values in [
            &[][..],
            &[tag_a.as_str()],
            &[tag_b.as_str()],
            &["*"],
            &["\"x\"", &tag_a],
            &[&format!("W/{tag_b}, {tag_a}")],
            &[&format!("\"x\",{tag_b},\"y\"")],
            &[&tag_a.to_uppercase()],
            &[tag_b.as_str(), " * "],
        ] {
            let headers = headers(values);
            for (digest, tag) in [(a, &tag_a), (b, &tag_b)] {
                assert_eq!(Known::of(&headers).has(&digest), is_current(&headers, tag), "{values:?}");
            }
        }
    }

    proptest! {
        #[test]
        fn no_value_makes_it_panic(value in "[ -~]{0,40}") {
            is_current(&headers(&[&value]), "\"a\"");
        }
    }
}
