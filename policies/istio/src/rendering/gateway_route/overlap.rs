//! Two matches that no request fits both.

use crate::written::{NameMatch, RequestMatch, TextMatch};

/// False if it is certain that no request fits both.
pub(super) fn may_fit_one_request(one: &RequestMatch, other: &RequestMatch) -> bool {
    let paths = match (&one.path, &other.path) {
        (Some(one), Some(other)) => may_be_one_path(one, other),
        _ => true,
    };
    let methods = match (&one.method, &other.method) {
        (Some(TextMatch::Exact(one)), Some(TextMatch::Exact(other))) => one == other,
        _ => true,
    };
    paths
        && methods
        && agree(&one.headers, &other.headers, str::eq_ignore_ascii_case)
        && agree(&one.query, &other.query, |one, other| one == other)
}

fn may_be_one_path(one: &TextMatch, other: &TextMatch) -> bool {
    match (one, other) {
        (TextMatch::Exact(one), TextMatch::Exact(other)) => one == other,
        (TextMatch::Exact(path), TextMatch::Prefix(prefix))
        | (TextMatch::Prefix(prefix), TextMatch::Exact(path)) => is_below(path, prefix),
        (TextMatch::Prefix(one), TextMatch::Prefix(other)) => is_below(one, other) || is_below(other, one),
        _ => true,
    }
}

/// True for a path that begins with all elements of the prefix.
fn is_below(path: &str, prefix: &str) -> bool {
    let rest = path.strip_prefix(prefix.trim_end_matches('/'));
    rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

/// False if both name a header, or a query parameter, that has one value, and these differ.
fn agree(one: &[NameMatch], other: &[NameMatch], is_same: impl Fn(&str, &str) -> bool) -> bool {
    let differs = |one: &NameMatch, other: &NameMatch| match (&one.value, &other.value) {
        (TextMatch::Exact(value), TextMatch::Exact(another)) => {
            is_same(&one.name, &other.name) && value != another
        }
        _ => false,
    };
    !one.iter().any(|one| other.iter().any(|other| differs(one, other)))
}

#[cfg(test)]
mod tests {
    use super::may_fit_one_request;
    use crate::written::{NameMatch, RequestMatch, TextMatch};

    fn at(path: TextMatch) -> RequestMatch {
        RequestMatch { path: Some(path), ..RequestMatch::default() }
    }

    #[test]
    fn paths_of_which_none_begins_the_other_fit_no_request_together() {
        let exact = |path: &str| at(TextMatch::Exact(path.to_owned()));
        let prefix = |path: &str| at(TextMatch::Prefix(path.to_owned()));
        for (one, other) in [
            (exact("/a"), exact("/b")),
            (exact("/ab"), prefix("/a")),
            (prefix("/a"), prefix("/ab")),
            (prefix("/a"), prefix("/bb")),
        ] {
            assert!(!may_fit_one_request(&one, &other), "{one:?} {other:?}");
            assert!(!may_fit_one_request(&other, &one), "{one:?} {other:?}");
        }
        for (one, other) in [
            (exact("/a"), exact("/a")),
            (exact("/a/b"), prefix("/a/")),
            (prefix("/"), prefix("/bb")),
            (prefix("/a/b"), prefix("/a")),
            (exact("/a"), at(TextMatch::Present)),
            (exact("/a"), RequestMatch::default()),
        ] {
            assert!(may_fit_one_request(&one, &other), "{one:?} {other:?}");
            assert!(may_fit_one_request(&other, &one), "{one:?} {other:?}");
        }
    }

    #[test]
    fn a_header_or_a_method_has_one_value() {
        let with = |name: &str, value: &str| {
            let value = TextMatch::Exact(value.to_owned());
            RequestMatch {
                headers: vec![NameMatch { name: name.to_owned(), value }],
                ..RequestMatch::default()
            }
        };
        assert!(!may_fit_one_request(&with("x-a", "1"), &with("X-A", "2")));
        assert!(may_fit_one_request(&with("x-a", "1"), &with("x-a", "1")));
        assert!(may_fit_one_request(&with("x-a", "1"), &with("x-b", "2")));
        let of = |method: &str| RequestMatch {
            method: Some(TextMatch::Exact(method.to_owned())),
            ..RequestMatch::default()
        };
        assert!(!may_fit_one_request(&of("GET"), &of("POST")));
        assert!(may_fit_one_request(&of("GET"), &of("GET")));
    }
}
