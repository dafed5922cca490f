//! Format 2: a match is a list of conditions, each with the number and the name of its subject. Not
//! released yet: it may still change.
//!
//! A new subject needs no new format: a filter that does not know its number leaves the policy out, see
//! [`encoding`](super::encoding).

use super::{
    bytes::{Damaged, Reader, Writer},
    parts::{Matcher, Source},
};
use crate::language::{self, Condition, Match, Subject};

/// Writes a match: its conditions, and its source.
pub(super) fn write(Match { conditions, source }: &Match, to: &mut Writer) {
    to.list(conditions.iter(), |to, Condition { subject, matcher }| {
        to.put(&(subject.kind().code, subject.name(), Matcher::from(matcher)));
    });
    to.put(&source.as_ref().map(Source::from));
}

/// Reads a match; `None` if this build does not know the subject of one of its conditions.
pub(super) fn read(from: &mut Reader<'_>) -> Result<Option<Match>, Damaged> {
    // Most rules have one.
    let (mut conditions, mut is_known) = (Vec::with_capacity(1), true);
    from.list(|from| {
        let (code, name, matcher): (u8, &str, Matcher<'_>) = from.take()?;
        match Subject::KINDS.into_iter().find(|kind| kind.code == code) {
            Some(kind) => {
                let subject = kind.subject(name.to_owned()).map_err(|_| Damaged)?;
                conditions.push(Condition { subject, matcher: matcher.into() });
            }
            None => is_known = false,
        }
        Ok(())
    })?;
    let source = from.take::<Option<Source<'_>>>()?.map(language::Source::try_from).transpose()?;
    Ok(is_known.then_some(Match { conditions, source }))
}
