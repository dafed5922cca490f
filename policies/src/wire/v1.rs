//! Format 1, as it was released. It never changes: `tests/wire/v1` holds bytes of the last build that knew
//! no other.
//!
//! It has room for one condition on the method, one on the path, and any number on headers and query
//! parameters. A policy that has others is left out, see [`entry`](super::entry).

use serde::{Deserialize, Serialize};

use super::{
    entry::{Unreadable, WireRule},
    list::List,
    parts::{Fault, Matcher, Source, checked},
};
use crate::language::{self, Condition, Subject};

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
    headers: List<'a, Condition, (&'a str, Matcher<'a>)>,
    #[serde(borrow)]
    query: List<'a, Condition, (&'a str, Matcher<'a>)>,
    #[serde(borrow)]
    source: Option<Source<'a>>,
}

impl<'a> WireRule<'a> for Rule<'a> {
    fn can_say(language::Rule { matches, fault: _ }: &language::Rule) -> bool {
        let language::Match { conditions, source: _ } = matches;
        let is_known = |subject: &Subject| {
            matches!(subject, Subject::Method | Subject::Path | Subject::Header(_) | Subject::Query(_))
        };
        let count = |wanted: Subject| conditions.iter().filter(|one| one.subject == wanted).count();
        conditions.iter().all(|condition| is_known(&condition.subject))
            && count(Subject::Method) <= 1
            && count(Subject::Path) <= 1
    }

    fn write(language::Rule { matches, fault }: &'a language::Rule) -> Self {
        let language::Match { conditions, source } = matches;
        let one = |wanted: Subject| {
            let found = conditions.iter().find(|condition| condition.subject == wanted);
            found.map(|condition| (&condition.matcher).into())
        };
        let header = |Condition { subject, matcher }: &'a Condition| match subject {
            Subject::Header(name) => Some((name.as_str(), matcher.into())),
            _ => None,
        };
        let parameter = |Condition { subject, matcher }: &'a Condition| match subject {
            Subject::Query(name) => Some((name.as_str(), matcher.into())),
            _ => None,
        };
        let matches = Match {
            method: one(Subject::Method),
            path: one(Subject::Path),
            headers: List::OfSome(conditions, header),
            query: List::OfSome(conditions, parameter),
            source: source.as_ref().map(Source::from),
        };
        Self { matches, fault: fault.into() }
    }

    fn read(self) -> Result<language::Rule, Unreadable> {
        let Self { matches: Match { method, path, headers, query, source }, fault } = self;
        let condition = |subject, matcher: Matcher<'_>| Condition { subject, matcher: matcher.into() };
        let mut conditions = Vec::new();
        conditions.extend(method.map(|matcher| condition(Subject::Method, matcher)));
        conditions.extend(path.map(|matcher| condition(Subject::Path, matcher)));
        for (name, matcher) in headers.into_items() {
            conditions.push(condition(Subject::Header(checked(name.to_owned())?), matcher));
        }
        let parameters = query.into_items().into_iter();
        conditions
            .extend(parameters.map(|(name, matcher)| condition(Subject::Query(name.to_owned()), matcher)));
        let source = source.map(language::Source::try_from).transpose()?;
        Ok(language::Rule { matches: language::Match { conditions, source }, fault: fault.try_into()? })
    }
}
