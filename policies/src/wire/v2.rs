//! Format 2: a match is a list of conditions, each with the number and the name of its subject; a regex is an
//! automaton. Not released yet: it may still change.
//!
//! A new subject needs no new format: a filter that does not know its number leaves the policy out, see
//! [`encoding`](super::encoding).

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::{
    automata::Automata,
    bytes::{Damaged, Reader, Writer},
    parts::Source,
};
use crate::{
    automaton::Automaton,
    language::{self, Condition, Match, Pattern, Subject},
};

#[derive(Serialize, Deserialize)]
struct Matcher<'a> {
    negated: bool,
    #[serde(borrow)]
    test: Test<'a>,
}

#[derive(Serialize, Deserialize)]
enum Test<'a> {
    Exact(&'a str),
    Prefix(&'a str),
    Regex { automaton: u32, prefix: &'a str },
    Present(bool),
}

/// Writes a match: its conditions, and its source.
pub(super) fn write(Match { conditions, source }: &Match, automata: &Automata<'_>, to: &mut Writer) {
    to.list(conditions.iter(), |to, Condition { subject, matcher }| {
        to.put(&(subject.kind().code, subject.name(), Matcher::new(matcher, automata)));
    });
    to.put(&source.as_ref().map(Source::from));
}

/// Reads a match; `None` if this build does not know the subject of one of its conditions.
pub(super) fn read(from: &mut Reader<'_>, automata: &[Arc<Automaton>]) -> Result<Option<Match>, Damaged> {
    // Most rules have one.
    let (mut conditions, mut is_known) = (Vec::with_capacity(1), true);
    from.list(|from| {
        let (code, name, matcher): (u8, &str, Matcher<'_>) = from.take()?;
        match Subject::KINDS.into_iter().find(|kind| kind.code == code) {
            Some(kind) => {
                let subject = kind.subject(name.to_owned()).map_err(|_| Damaged)?;
                conditions.push(Condition { subject, matcher: matcher.read(automata)? });
            }
            None => is_known = false,
        }
        Ok(())
    })?;
    let source = from.take::<Option<Source<'_>>>()?.map(language::Source::try_from).transpose()?;
    Ok(is_known.then_some(Match { conditions, source }))
}

impl<'a> Matcher<'a> {
    fn new(language::Matcher { negated, test }: &'a language::Matcher, automata: &Automata<'_>) -> Self {
        let test = match test {
            language::Test::Exact(text) => Test::Exact(text),
            language::Test::Prefix(text) => Test::Prefix(text),
            language::Test::Regex(pattern) => {
                Test::Regex { automaton: automata.number(pattern.automaton()), prefix: pattern.prefix() }
            }
            language::Test::Present(present) => Test::Present(*present),
        };
        Self { negated: *negated, test }
    }

    fn read(self, automata: &[Arc<Automaton>]) -> Result<language::Matcher, Damaged> {
        let test = match self.test {
            Test::Exact(text) => language::Test::Exact(text.to_owned()),
            Test::Prefix(text) => language::Test::Prefix(text.to_owned()),
            Test::Regex { automaton, prefix } => {
                let automaton = automata.get(automaton as usize).ok_or(Damaged)?;
                language::Test::Regex(Pattern::compiled(Arc::clone(automaton), prefix))
            }
            Test::Present(present) => language::Test::Present(present),
        };
        Ok(language::Matcher { negated: self.negated, test })
    }
}
