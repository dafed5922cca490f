//! Format 1, as it was released. It never changes: `tests/wire/v1` holds bytes of the last build that knew
//! no other.
//!
//! Its match has room for one condition on the method, one on the path, and any number on headers and query
//! parameters. A policy that has others is left out, see [`encoding`](super::encoding).

use super::{
    bytes::{Damaged, Reader, Writer},
    parts::{Matcher, Source, checked},
};
use crate::language::{self, Condition, Match, Subject};

/// True if the format has room for all conditions of the match.
pub(super) fn can_say(Match { conditions, source: _ }: &Match) -> bool {
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

/// Writes a match that the format can say: method, path, headers, query parameters, source.
pub(super) fn write(Match { conditions, source }: &Match, to: &mut Writer) {
    let (mut method, mut path) = (None, None);
    for Condition { subject, matcher } in conditions {
        match subject {
            Subject::Method => method = Some(Matcher::from(matcher)),
            Subject::Path => path = Some(Matcher::from(matcher)),
            _ => {}
        }
    }
    to.put(&(method, path));
    let headers = conditions.iter().filter_map(|condition| match &condition.subject {
        Subject::Header(name) => Some((name.as_str(), Matcher::from(&condition.matcher))),
        _ => None,
    });
    to.list(headers, |to, header| to.put(&header));
    let parameters = conditions.iter().filter_map(|condition| match &condition.subject {
        Subject::Query(name) => Some((name.as_str(), Matcher::from(&condition.matcher))),
        _ => None,
    });
    to.list(parameters, |to, parameter| to.put(&parameter));
    to.put(&source.as_ref().map(Source::from));
}

/// Reads a match.
pub(super) fn read(from: &mut Reader<'_>) -> Result<Match, Damaged> {
    let condition = |subject, matcher: Matcher<'_>| Condition { subject, matcher: matcher.into() };
    // Most rules have one.
    let mut conditions = Vec::with_capacity(1);
    for subject in [Subject::Method, Subject::Path] {
        let matcher: Option<Matcher<'_>> = from.take()?;
        conditions.extend(matcher.map(|matcher| condition(subject, matcher)));
    }
    from.list(|from| {
        let (name, matcher): (&str, _) = from.take()?;
        conditions.push(condition(Subject::Header(checked(name.to_owned())?), matcher));
        Ok(())
    })?;
    from.list(|from| {
        let (name, matcher): (&str, _) = from.take()?;
        conditions.push(condition(Subject::Query(name.to_owned()), matcher));
        Ok(())
    })?;
    let source = from.take::<Option<Source<'_>>>()?.map(language::Source::try_from).transpose()?;
    Ok(Match { conditions, source })
}
