//! The order in which the Gateway API tries matches.

use std::cmp::Reverse;

use super::draft::Draft;
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

/// Notes routes that would not be tried in the order in which they are written. What is not written is the fallback.
pub(super) fn check(routes: &[&Route], written: usize, draft: &mut Draft) {
    let mut last: Option<(Reverse<Rank>, usize)> = None;
    for (number, route) in routes.iter().enumerate() {
        let every = [RequestMatch::default()];
        let matches = if route.matches.is_empty() { &every[..] } else { &route.matches };
        for matched in matches {
            let rank = Reverse(rank(matched, draft.is_grpc()));
            if let Some((_, earlier)) = last.filter(|(before, _)| *before > rank) {
                let attribute =
                    if number < written { format!("routes[{number}].match") } else { "fallback".to_owned() };
                let reason = format!("is tried before `routes[{earlier}]`, since it is more precise");
                draft.misfit(&attribute, &reason);
                return;
            }
            last = Some((rank, number));
        }
    }
}
