//! Format 1, as it was released. It never changes: `tests/wire/v1` holds bytes of the first build that
//! wrote it.

use serde::{Deserialize, Serialize};

use super::{
    list::List,
    parts::{Fault, Matcher, Source, checked},
    snapshot::SnapshotError,
};
use crate::language::{self, HeaderName};

#[derive(Serialize, Deserialize)]
pub(super) struct Rule<'a> {
    #[serde(borrow)]
    matches: Match<'a>,
    #[serde(borrow)]
    fault: Fault<'a>,
}

#[derive(Serialize, Deserialize)]
struct Match<'a> {
    #[serde(borrow)]
    method: Option<Matcher<'a>>,
    #[serde(borrow)]
    path: Option<Matcher<'a>>,
    #[serde(borrow)]
    headers: List<'a, (HeaderName, language::Matcher), (&'a str, Matcher<'a>)>,
    #[serde(borrow)]
    query: List<'a, (String, language::Matcher), (&'a str, Matcher<'a>)>,
    #[serde(borrow)]
    source: Option<Source<'a>>,
}

impl<'a> From<&'a language::Rule> for Rule<'a> {
    fn from(language::Rule { matches, fault }: &'a language::Rule) -> Self {
        Self { matches: matches.into(), fault: fault.into() }
    }
}

impl TryFrom<Rule<'_>> for language::Rule {
    type Error = SnapshotError;

    fn try_from(Rule { matches, fault }: Rule<'_>) -> Result<Self, SnapshotError> {
        Ok(Self { matches: matches.try_into()?, fault: fault.try_into()? })
    }
}

impl<'a> From<&'a language::Match> for Match<'a> {
    fn from(language::Match { method, path, headers, query, source }: &'a language::Match) -> Self {
        Self {
            method: method.as_ref().map(Matcher::from),
            path: path.as_ref().map(Matcher::from),
            headers: List::Of(headers, |(name, matcher)| (name.as_str(), matcher.into())),
            query: List::Of(query, |(name, matcher)| (name, matcher.into())),
            source: source.as_ref().map(Source::from),
        }
    }
}

impl TryFrom<Match<'_>> for language::Match {
    type Error = SnapshotError;

    fn try_from(Match { method, path, headers, query, source }: Match<'_>) -> Result<Self, SnapshotError> {
        let header = |(name, matcher): (&str, Matcher<'_>)| Ok((checked(name.to_owned())?, matcher.into()));
        let parameter = |(name, matcher): (&str, Matcher<'_>)| Ok((name.to_owned(), matcher.into()));
        Ok(Self {
            method: method.map(language::Matcher::from),
            path: path.map(language::Matcher::from),
            headers: headers.try_into_values(header)?,
            query: query.try_into_values(parameter)?,
            source: source.map(language::Source::try_from).transpose()?,
        })
    }
}
