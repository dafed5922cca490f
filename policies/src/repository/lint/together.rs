//! Parts of a rule that exclude each other, so that it never decides.

use super::unmatchable::Unmatchable;
use crate::language::{Condition, Flow, Match, Matcher, Subject, Test};

/// The method and the content type of each gRPC call.
const GRPC: (&str, &str) = ("POST", "application/grpc");

/// The number of conditions of a rule that the others are held against: to compare all of them grows with the
/// square of their number.
const MAX_COMPARED: usize = 32;

/// The first two conditions that no request meets both.
pub(super) fn contradiction(Match { conditions, source: _ }: &Match) -> Option<Unmatchable> {
    conditions.iter().enumerate().find_map(|(at, later)| {
        let earlier = conditions.iter().take(at.min(MAX_COMPARED));
        let earlier = earlier.filter(|earlier| earlier.subject == later.subject);
        let excluded = earlier.map(|earlier| &earlier.matcher).find(|earlier| {
            // Of a parameter that is repeated each value counts, of a header the first.
            let is_one_value = matches!(later.subject, Subject::Header(_));
            opposite(earlier, &later.matcher) || is_one_value && differ(earlier, &later.matcher)
        })?;
        let (one, other) = (shown(excluded), shown(&later.matcher));
        let why = format!("is never met: {} cannot fit both `{one}` and `{other}`", later.subject);
        Some((format!(".match.{}", later.subject.kind().key), why))
    })
}

/// The condition that no gRPC call meets, for a rule whose fault is only for those.
pub(super) fn not_of_grpc(Condition { subject, matcher }: &Condition) -> Option<Unmatchable> {
    let (method, content_type) = GRPC;
    let why = match subject {
        Subject::Method if !holds(matcher, method) => {
            "`grpcStatus` is for gRPC calls, whose method is `POST`"
        }
        Subject::Header(name)
            if name.as_str() == "content-type"
                && (opposite(matcher, &Test::Present(true).into())
                    || differ(matcher, &Test::Prefix(content_type.to_owned()).into())) =>
        {
            "`grpcStatus` is for gRPC calls, whose content type begins with `application/grpc`"
        }
        Subject::Method | Subject::Path | Subject::Header(_) | Subject::Query(_) => return None,
    };
    Some((format!(".match.{}", subject.kind().key), format!("is never met: {why}")))
}

/// The reason why a caller is known at few proxies. A gateway knows it, which receives each request and makes it.
pub(super) fn caller(flow: &Flow, Match { conditions: _, source }: &Match) -> Option<Unmatchable> {
    let is_known = source.is_none() || matches!(flow, Flow::Inbound);
    let why = "is met only at a gateway: in a sidecar its own application makes the request; name that in `selector`";
    (!is_known).then(|| (".match.source".to_owned(), why.to_owned()))
}

/// True if one holds just where the other does not.
fn opposite(one: &Matcher, other: &Matcher) -> bool {
    let (absent, present) = (|matcher: &Matcher| is_presence(matcher, false), is_value);
    one.negated != other.negated && one.test == other.test
        || absent(one) && present(other)
        || absent(other) && present(one)
}

fn is_presence(matcher: &Matcher, wanted: bool) -> bool {
    matches!(matcher.test, Test::Present(present) if (present != matcher.negated) == wanted)
}

/// True if it holds only where there is a value.
fn is_value(matcher: &Matcher) -> bool {
    is_presence(matcher, true) || !matcher.negated && !matches!(matcher.test, Test::Present(_))
}

/// True if no single value fits both.
fn differ(one: &Matcher, other: &Matcher) -> bool {
    match (&one.test, &other.test) {
        _ if !is_value(one) || !is_value(other) => false,
        (Test::Exact(text), _) => !holds(other, text),
        (_, Test::Exact(text)) => !holds(one, text),
        _ => {
            let (one, other) = (one.prefix(), other.prefix());
            !one.starts_with(other) && !other.starts_with(one)
        }
    }
}

/// True if the value meets the matcher.
fn holds(matcher: &Matcher, value: &str) -> bool {
    let meets = match &matcher.test {
        Test::Exact(text) => text == value,
        Test::Prefix(prefix) => value.starts_with(prefix.as_str()),
        Test::Regex(pattern) => pattern.is_match(value.as_bytes()),
        Test::Present(present) => *present,
    };
    meets != matcher.negated
}

/// A matcher as it is written.
fn shown(Matcher { negated, test }: &Matcher) -> String {
    let test = match test {
        Test::Exact(text) => format!("exact: {text}"),
        Test::Prefix(text) => format!("prefix: {text}"),
        Test::Regex(pattern) => format!("regex: {}", pattern.written()),
        Test::Present(present) => format!("present: {present}"),
    };
    if *negated { format!("not: {{{test}}}") } else { test }
}
