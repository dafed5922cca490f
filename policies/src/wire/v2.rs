//! Format 2: a match is a list of conditions, each with the number and the name of its subject. Not
//! released yet: it may still change.
//!
//! A new subject needs no new format: a filter that does not know its number leaves the policy out, see
//! [`entry`](super::entry).

use serde::{Deserialize, Serialize};

use super::{
    entry::{Unreadable, WireRule},
    list::List,
    parts::{Fault, Matcher, Source},
};
use crate::language::{self, Subject};

#[derive(Serialize, Deserialize)]
pub(super) struct Rule<'a> {
    #[serde(borrow)]
    conditions: List<'a, language::Condition, Condition<'a>>,
    #[serde(borrow)]
    source: Option<Source<'a>>,
    #[serde(borrow)]
    fault: Fault<'a>,
}

#[derive(Serialize, Deserialize)]
struct Condition<'a> {
    /// The number of the subject.
    code: u8,
    /// Its name; empty where it has none.
    name: &'a str,
    #[serde(borrow)]
    matcher: Matcher<'a>,
}

impl<'a> WireRule<'a> for Rule<'a> {
    fn can_say(_: &language::Rule) -> bool {
        true
    }

    fn write(language::Rule { matches, fault }: &'a language::Rule) -> Self {
        let language::Match { conditions, source } = matches;
        let condition = |language::Condition { subject, matcher }: &'a language::Condition| Condition {
            code: subject.kind().code,
            name: subject.name(),
            matcher: matcher.into(),
        };
        Self {
            conditions: List::Of(conditions, condition),
            source: source.as_ref().map(Source::from),
            fault: fault.into(),
        }
    }

    fn read(self) -> Result<language::Rule, Unreadable> {
        let Self { conditions, source, fault } = self;
        let conditions = conditions.into_items().into_iter().map(|Condition { code, name, matcher }| {
            let kind = Subject::KINDS.into_iter().find(|kind| kind.code == code);
            let subject = kind.ok_or(Unreadable::UnknownSubject)?.subject(name.to_owned());
            let subject = subject.map_err(|_| Unreadable::Damaged)?;
            Ok(language::Condition { subject, matcher: matcher.into() })
        });
        let conditions = conditions.collect::<Result<_, Unreadable>>()?;
        let source = source.map(language::Source::try_from).transpose()?;
        Ok(language::Rule { matches: language::Match { conditions, source }, fault: fault.try_into()? })
    }
}
