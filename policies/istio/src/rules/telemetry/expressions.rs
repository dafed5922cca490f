//! Expressions of CEL that say which requests are logged.
//!
//! Istio only parses them, so an attribute that does not exist logs nothing or everything.

use policies::reading::closest;

use super::cel::{Piece, is_well_formed, pieces};
use crate::{
    field::Field,
    rules::subject::{Out, Rule, Subject},
};

pub(super) const RULES: &[Rule] = &[Rule::new("TM07", tm07), Rule::new("H14", h14)];

fn expressions<'a>(subject: &Subject<'a>) -> impl Iterator<Item = (&'a str, Field<'a>)> + use<'a> {
    let all = subject.each("accessLogging").map(|entry| entry.get("filter").get("expression"));
    all.filter_map(|at| Some((at.text()?, at)))
}

fn tm07(subject: &Subject, out: &mut Out) {
    for (expression, at) in expressions(subject) {
        if !is_well_formed(expression) {
            out.error(
                &at,
                format!("`{expression}` is not an expression of CEL"),
                "write one, such as `response.code >= 400`",
            );
        }
    }
}

/// The attributes of Envoy, and those parts of them that are known in full.
const ATTRIBUTES: [(&str, &[&str]); 10] = [
    (
        "request",
        &[
            "path",
            "url_path",
            "host",
            "scheme",
            "method",
            "headers",
            "referer",
            "useragent",
            "time",
            "id",
            "protocol",
            "query",
            "duration",
            "size",
            "total_size",
        ],
    ),
    (
        "response",
        &[
            "code",
            "code_details",
            "flags",
            "grpc_status",
            "headers",
            "trailers",
            "size",
            "total_size",
            "backend_latency",
        ],
    ),
    ("source", &[]),
    ("destination", &[]),
    ("connection", &[]),
    ("upstream", &[]),
    ("metadata", &[]),
    ("filter_state", &[]),
    ("upstream_filter_state", &[]),
    ("xds", &[]),
];
/// Words of CEL itself.
const WORDS: [&str; 22] = [
    "true",
    "false",
    "null",
    "in",
    "has",
    "size",
    "int",
    "uint",
    "double",
    "string",
    "bytes",
    "bool",
    "duration",
    "timestamp",
    "type",
    "matches",
    "startsWith",
    "endsWith",
    "contains",
    "math",
    "dyn",
    "re",
];

fn h14(subject: &Subject, out: &mut Out) {
    for (expression, at) in expressions(subject) {
        let pieces = pieces(expression).unwrap_or_default();
        for (number, piece) in pieces.iter().enumerate() {
            let &Piece::Path(path) = piece else { continue };
            let after_dot = number > 0 && pieces.get(number - 1) == Some(&Piece::Other('.'));
            if let Some(reason) = unknown(path).filter(|_| !after_dot) {
                out.warning(&at, format!("has `{path}`, which Envoy does not know"), reason);
            }
        }
    }
}

/// What is right instead of a path that Envoy does not know.
fn unknown(path: &str) -> Option<String> {
    let mut names = path.split('.');
    let (first, second) = (names.next()?, names.next());
    if WORDS.contains(&first) {
        return None;
    }
    let meant = |word: &str, known: &[&str]| match closest(word, known) {
        Some(word) => format!("did you mean `{word}`?"),
        None => format!("known are {}", known.join(", ")),
    };
    let Some((_, parts)) = ATTRIBUTES.iter().find(|(name, _)| *name == first) else {
        return Some(meant(first, &ATTRIBUTES.map(|(name, _)| name)));
    };
    let second = second?;
    (!parts.is_empty() && !parts.contains(&second)).then(|| meant(second, parts))
}
