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
        let (mut methods, mut paths) = (0, 0);
        let has_room = |Condition { subject, matcher: _ }: &Condition| match subject {
            Subject::Method => {
                methods += 1;
                methods <= 1
            }
            Subject::Path => {
                paths += 1;
                paths <= 1
            }
            // Another subject is of a later build.
            subject => matches!(subject, Subject::Header(_) | Subject::Query(_)),
        };
        conditions.iter().all(has_room)
    }

    fn write(language::Rule { matches, fault }: &'a language::Rule) -> Self {
        let language::Match { conditions, source } = matches;
        let (mut method, mut path, mut headers, mut parameters) = (None, None, 0, 0);
        for Condition { subject, matcher } in conditions {
            match subject {
                Subject::Method => method = Some(matcher.into()),
                Subject::Path => path = Some(matcher.into()),
                Subject::Header(_) => headers += 1,
                subject => parameters += usize::from(matches!(subject, Subject::Query(_))),
            }
        }
        let header = |Condition { subject, matcher }: &'a Condition| match subject {
            Subject::Header(name) => Some((name.as_str(), matcher.into())),
            _ => None,
        };
        let parameter = |Condition { subject, matcher }: &'a Condition| match subject {
            Subject::Query(name) => Some((name.as_str(), matcher.into())),
            _ => None,
        };
        let matches = Match {
            method,
            path,
            headers: List::OfSome(headers, conditions, header),
            query: List::OfSome(parameters, conditions, parameter),
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
