//! Format 2: a match is a list of conditions. Not released yet: it may still change.

use serde::{Deserialize, Serialize};

use super::{
    list::List,
    parts::{Fault, Matcher, Source, checked},
    snapshot::SnapshotError,
};
use crate::language;

#[derive(Serialize, Deserialize)]
pub(super) struct Rule<'a> {
    #[serde(borrow)]
    conditions: List<'a, (), Condition<'a>>,
    #[serde(borrow)]
    source: Option<Source<'a>>,
    #[serde(borrow)]
    fault: Fault<'a>,
}

#[derive(Serialize, Deserialize)]
struct Condition<'a> {
    #[serde(borrow)]
    subject: Subject<'a>,
    #[serde(borrow)]
    matcher: Matcher<'a>,
}

/// What a condition looks at.
#[derive(Serialize, Deserialize)]
enum Subject<'a> {
    Method,
    Path,
    #[serde(borrow)]
    Header(&'a str),
    #[serde(borrow)]
    Query(&'a str),
}

impl<'a> From<&'a language::Rule> for Rule<'a> {
    fn from(language::Rule { matches, fault }: &'a language::Rule) -> Self {
        let language::Match { method, path, headers, query, source } = matches;
        let plain = [(Subject::Method, method), (Subject::Path, path)];
        let plain = plain.into_iter().filter_map(|(subject, matcher)| Some((subject, matcher.as_ref()?)));
        let headers = headers.iter().map(|(name, matcher)| (Subject::Header(name.as_str()), matcher));
        let query = query.iter().map(|(name, matcher)| (Subject::Query(name), matcher));
        let condition =
            |(subject, matcher): (_, &'a language::Matcher)| Condition { subject, matcher: matcher.into() };
        Self {
            conditions: List::Read(plain.chain(headers).chain(query).map(condition).collect()),
            source: source.as_ref().map(Source::from),
            fault: fault.into(),
        }
    }
}

impl TryFrom<Rule<'_>> for language::Rule {
    type Error = SnapshotError;

    fn try_from(Rule { conditions, source, fault }: Rule<'_>) -> Result<Self, SnapshotError> {
        let mut matches = language::Match::default();
        conditions.try_into_values(|Condition { subject, matcher }| {
            let matcher = matcher.into();
            match subject {
                Subject::Method => matches.method = Some(matcher),
                Subject::Path => matches.path = Some(matcher),
                Subject::Header(name) => matches.headers.push((checked(name.to_owned())?, matcher)),
                Subject::Query(name) => matches.query.push((name.to_owned(), matcher)),
            }
            Ok::<(), SnapshotError>(())
        })?;
        matches.source = source.map(language::Source::try_from).transpose()?;
        Ok(Self { matches, fault: fault.try_into()? })
    }
}
