//! The order in which the Gateway API tries matches.

use super::{draft::Draft, overlap::may_fit_one_request};
use crate::written::{RequestMatch, Route, TextMatch};

/// The more precise match is tried first: by kind of path, its length, a method, the number of headers, of query
/// parameters.
type Rank = (i8, usize, bool, usize, usize);

fn rank(matched: &RequestMatch, is_grpc: bool) -> Rank {
    let (kind, length) = match &matched.path {
        Some(TextMatch::Exact(path)) => (3, path.len()),
        Some(TextMatch::Prefix(prefix)) => (2, prefix.trim_end_matches('/').len().max(1)),
        Some(TextMatch::Regex(regex)) => (1, regex.as_str().len()),
        None if is_grpc => (-1, 0),
        // Of HTTP every path, which is the prefix `/`.
        None | Some(TextMatch::Present) => (2, 1),
    };
    (kind, length, matched.method.is_some(), matched.headers.len(), matched.query.len())
}

/// What of the higher rank comes first.
fn reason(first: Rank, second: Rank) -> &'static str {
    if first.0 != second.0 {
        "an exact path before a prefix, and a prefix before a regex"
    } else if first.1 != second.1 {
        "the longer path first"
    } else if first.2 != second.2 {
        "a match with a method before one without"
    } else if first.3 != second.3 {
        "the match with more headers first"
    } else {
        "the match with more query parameters first"
    }
}

fn is_regex(matched: &RequestMatch) -> bool {
    matches!(matched.path, Some(TextMatch::Regex(_)))
}

/// Notes routes that would take requests of one that is written before them. What is not written is the fallback.
pub(super) fn check(routes: &[&Route], written: usize, draft: &mut Draft) {
    let every = [RequestMatch::default()];
    let all: Vec<Vec<_>> = routes
        .iter()
        .map(|route| {
            let matches = if route.matches.is_empty() { &every[..] } else { &route.matches };
            matches.iter().map(|matched| (rank(matched, draft.is_grpc()), matched)).collect()
        })
        .collect();
    for (number, later) in all.iter().enumerate() {
        // The matches of one route have no order.
        let before = all.iter().take(number).enumerate();
        let mut pairs = before.flat_map(|(earlier, matches)| {
            matches.iter().flat_map(move |one| later.iter().map(move |other| (earlier, one, other)))
        });
        let taken = pairs.find(|(_, one, other)| one.0 < other.0 && may_fit_one_request(one.1, other.1));
        let Some((earlier, one, other)) = taken else { continue };
        let why = format!(
            "is tried before `routes[{earlier}]`, since the Gateway API tries {}",
            reason(other.0, one.0)
        );
        // Before a regex, a prefix would leave it nothing.
        let is_wider = is_regex(one.1) && !matches!(other.1.path, Some(TextMatch::Exact(_)));
        let right = if is_wider {
            format!("write no regex in `routes[{earlier}]`, or write `render: virtualService`")
        } else {
            format!("write it before `routes[{earlier}]`, or write `render: virtualService`")
        };
        let field = match routes.get(number) {
            _ if number >= written => "fallback".to_owned(),
            Some(route) if route.matches.is_empty() => format!("routes[{number}]"),
            _ => format!("routes[{number}].match"),
        };
        draft.misfit_so(&field, &why, right);
    }
}
