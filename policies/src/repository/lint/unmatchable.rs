//! Values that no request and no workload has: a policy that asks for them never matches.

use crate::language::{Condition, Destination, Flow, Glob, Pattern, Policy, Selector, Source, Subject, Test};

/// A field, from the top of the document or of the rule, and the sentence that says why nothing has its value.
pub(super) type Unmatchable = (String, String);

/// The selectors of a policy that select nothing.
pub(super) fn selectors(policy: &Policy) -> Vec<Unmatchable> {
    let mut found = Vec::new();
    let Selector { target: _, namespace } = &policy.selector;
    found.extend(dotted(namespace).map(|why| ("spec.selector.namespace".to_owned(), why)));
    if let Flow::Outbound { destination: Destination::Service { service: _, namespace } } = &policy.flow {
        found.extend(dotted(namespace).map(|why| ("spec.destination.namespace".to_owned(), why)));
    }
    found
}

/// The reason why no caller is meant.
pub(super) fn source(Source { namespace, service_account: _ }: &Source) -> Option<Unmatchable> {
    dotted(namespace).map(|why| (".match.source.namespace".to_owned(), why))
}

/// The reason why no request meets a condition, or why every one meets its opposite.
pub(super) fn condition(Condition { subject, matcher }: &Condition) -> Option<Unmatchable> {
    let field = format!(".match.{}", subject.kind().key);
    let text = match &matcher.test {
        Test::Exact(text) | Test::Prefix(text) => text.as_str(),
        Test::Regex(pattern) if pattern.prefix().is_empty() => {
            return regex(subject, pattern)
                .map(|why| (field, format!("regex `{}` {why}", pattern.written())));
        }
        Test::Regex(pattern) => pattern.prefix(),
        Test::Present(_) => return None,
    };
    let is_whole = matches!(matcher.test, Test::Exact(_));
    let why = match subject {
        _ if text.is_empty() => None,
        Subject::Path => path(text, is_whole),
        Subject::Method => method(text),
        Subject::Header(_) => header(text, is_whole),
        Subject::Query(_) => None,
    };
    why.map(|why| (field, format!("`{text}` {why}")))
}

/// The reason why nothing fits a regex whose beginning is not known.
fn regex(subject: &Subject, pattern: &Pattern) -> Option<&'static str> {
    let fits_some = match subject {
        _ if pattern.is_void() => return Some("fits nothing at all"),
        // `OPTIONS *` asks for a path that does not begin with `/`.
        Subject::Path => pattern.can_match(Some(b'/'), is_of_path) || pattern.is_match(b"*"),
        Subject::Method => pattern.can_match(None, is_of_method),
        Subject::Header(_) | Subject::Query(_) => true,
    };
    let why = match subject {
        Subject::Method => "fits no method: they are in upper case, such as `GET`",
        _ => "fits no path: each begins with `/`, and holds no `?`, no `#`, no blank and only ASCII",
    };
    (!fits_some).then_some(why)
}

fn is_of_path(byte: u8) -> bool {
    byte.is_ascii_graphic() && !b"?#".contains(&byte)
}

fn is_of_method(byte: u8) -> bool {
    byte.is_ascii_uppercase() || byte.is_ascii_digit() || byte == b'-' || byte == b'_'
}

/// The reason why no namespace has such a name.
fn dotted(namespace: &Glob) -> Option<String> {
    let name = namespace.as_str().split('.').next().unwrap_or_default();
    let is_dotted = namespace.as_str().contains('.');
    is_dotted.then(|| format!("`{namespace}` fits no namespace: their names hold no dots; write `{name}`"))
}

fn path(text: &str, is_whole: bool) -> Option<&'static str> {
    if is_whole && text == "*" {
        // The path of `OPTIONS *`.
        None
    } else if !text.starts_with('/') && text.contains("://") {
        Some("fits no path: it names a host; match the header `host`, and the path after it")
    } else if !text.starts_with('/') {
        Some("fits no path: each begins with `/`")
    } else if text.contains('?') {
        Some("fits no path: the query string is no part of it; match `query`")
    } else if text.contains('#') {
        Some("fits no path: a client sends nothing from `#` on")
    } else if text.contains(|c: char| !c.is_ascii_graphic()) {
        Some("fits no path: blanks and characters beyond ASCII are percent-encoded there, such as `%20`")
    } else {
        None
    }
}

fn method(text: &str) -> Option<&'static str> {
    if text.bytes().all(is_of_method) {
        None
    } else if text.contains(['|', ',']) {
        Some("fits no method; for more than one write `regex: ^(GET|POST)$`")
    } else if text.contains(char::is_lowercase) {
        Some("fits no method: they are in upper case, such as `GET`")
    } else {
        Some("fits no method")
    }
}

fn header(text: &str, is_whole: bool) -> Option<&'static str> {
    let is_blank = |c: char| c == ' ' || c == '\t';
    if text.starts_with(is_blank) || is_whole && text.ends_with(is_blank) {
        Some("fits no value: blanks at its ends are cut off")
    } else if text.contains(|c: char| c.is_control() && c != '\t') {
        Some("fits no value: control characters are not sent")
    } else {
        None
    }
}
