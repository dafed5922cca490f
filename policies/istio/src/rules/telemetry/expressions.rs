//! Expressions of CEL that say which requests are logged.
//!
//! Istio only parses them, so an attribute that does not exist logs nothing or everything.

use policies::reading::closest;

use crate::{
    field::Field,
    rules::subject::{Out, Rule, Subject},
};

pub(super) const RULES: &[Rule] = &[Rule::new("TM07", tm07), Rule::new("H14", h14)];

fn expressions<'a>(subject: &Subject<'a>) -> impl Iterator<Item = (&'a str, Field<'a>)> + use<'a> {
    let all = subject.each("accessLogging").map(|entry| entry.get("filter").get("expression"));
    all.filter_map(|at| Some((at.text()?, at)))
}

/// A piece of an expression, as far as these rules look.
#[derive(Clone, Debug, PartialEq)]
enum Piece<'a> {
    /// Names with dots between them: `response.code`.
    Path(&'a str),
    Other(char),
}

/// The pieces without texts and blanks; nothing if a text does not end.
fn pieces(expression: &str) -> Option<Vec<Piece<'_>>> {
    let mut found = Vec::new();
    let mut rest = expression;
    while let Some(first) = rest.chars().next() {
        let in_path = |letter: char| letter.is_ascii_alphanumeric() || letter == '_' || letter == '.';
        let length = match first {
            '"' | '\'' => {
                let inside = rest.get(1..)?;
                let mut escaped = false;
                let end = inside.find(|letter| {
                    let ends = letter == first && !escaped;
                    escaped = letter == '\\' && !escaped;
                    ends
                })?;
                found.push(Piece::Other('"'));
                end + 2
            }
            letter if letter.is_ascii_alphabetic() || letter == '_' => {
                let end = rest.find(|letter| !in_path(letter)).unwrap_or(rest.len());
                found.push(Piece::Path(rest.get(..end)?));
                end
            }
            letter if letter.is_ascii_digit() => {
                found.push(Piece::Other('0'));
                rest.find(|letter| !in_path(letter)).unwrap_or(rest.len())
            }
            letter => {
                if !letter.is_whitespace() {
                    found.push(Piece::Other(letter));
                }
                letter.len_utf8()
            }
        };
        rest = rest.get(length..)?;
    }
    Some(found)
}

/// True if brackets are closed in their order, and no operator stands at an end.
fn is_well_formed(expression: &str) -> bool {
    let Some(pieces) = pieces(expression) else { return false };
    let mut open = Vec::new();
    for piece in &pieces {
        let &Piece::Other(letter) = piece else { continue };
        match letter {
            '(' => open.push(')'),
            '[' => open.push(']'),
            '{' => open.push('}'),
            ')' | ']' | '}' if open.pop() != Some(letter) => return false,
            _ => {}
        }
    }
    let operator = |piece: Option<&Piece>, signs: &str| matches!(piece, Some(Piece::Other(sign)) if signs.contains(*sign));
    open.is_empty()
        && !pieces.is_empty()
        && !operator(pieces.first(), "&|=<>*/%?:,")
        && !operator(pieces.last(), "&|=<>!+-*/%?:,.")
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
