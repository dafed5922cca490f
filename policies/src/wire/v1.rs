//! Format 1, as it was released. It never changes: `tests/wire/v1` holds bytes of the last build that knew
//! no other.
//!
//! Its match has room for one condition on the method, one on the path, and any number on headers and query
//! parameters. A policy that has others is left out, see [`encoding`](super::encoding).
//!
//! Its regexes are text, which the filters of that release compile. This build compiles none where requests
//! are: it leaves out what it reads with a regex, as if it did not know it.

use std::borrow::Cow;

use serde::{Deserialize, Serialize};

use super::{
    bytes::{Damaged, Reader, Writer},
    parts::{Source, checked},
};
use crate::language::{self, Condition, Match, Pattern, Subject};

/// The most bytes that the regexes of a snapshot take in a filter that compiles them.
const MAX_REGEX_BYTES: usize = 16 * 1024 * 1024;

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
    Regex {
        #[serde(borrow)]
        expanded: Cow<'a, str>,
        prefix: &'a str,
    },
    Present(bool),
}

/// The room that is left in a snapshot.
pub(super) struct Room {
    regex_bytes: usize,
}

impl Default for Room {
    fn default() -> Self {
        Self { regex_bytes: MAX_REGEX_BYTES }
    }
}

impl Room {
    /// True if the format has room for all conditions of the match, which then take it.
    pub(super) fn takes(&mut self, matches: &Match) -> bool {
        let Match { conditions, source: _ } = matches;
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
        conditions.iter().all(has_room) && matches.patterns().all(|pattern| self.takes_regex(pattern))
    }

    fn takes_regex(&mut self, pattern: &Pattern) -> bool {
        let left = pattern.size_in_format_1().and_then(|size| self.regex_bytes.checked_sub(size));
        self.regex_bytes = left.unwrap_or(self.regex_bytes);
        left.is_some()
    }
}

/// Writes a match that the format has room for: method, path, headers, query parameters, source.
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
        Subject::Header(name) => Some((name.as_str(), &condition.matcher)),
        _ => None,
    });
    to.list(headers, |to, (name, matcher)| to.put(&(name, Matcher::from(matcher))));
    let parameters = conditions.iter().filter_map(|condition| match &condition.subject {
        Subject::Query(name) => Some((name.as_str(), &condition.matcher)),
        _ => None,
    });
    to.list(parameters, |to, (name, matcher)| to.put(&(name, Matcher::from(matcher))));
    to.put(&source.as_ref().map(Source::from));
}

/// Reads a match; `None` if one of its conditions is a regex.
pub(super) fn read(from: &mut Reader<'_>) -> Result<Option<Match>, Damaged> {
    // Most rules have one.
    let (mut conditions, mut is_known) = (Vec::with_capacity(1), true);
    let mut add = |subject, matcher: Matcher<'_>| match matcher.read() {
        Some(matcher) => conditions.push(Condition { subject, matcher }),
        None => is_known = false,
    };
    for subject in [Subject::Method, Subject::Path] {
        if let Some(matcher) = from.take::<Option<_>>()? {
            add(subject, matcher);
        }
    }
    from.list(|from| {
        let (name, matcher): (&str, _) = from.take()?;
        add(Subject::Header(checked(name.to_owned())?), matcher);
        Ok(())
    })?;
    from.list(|from| {
        let (name, matcher): (&str, _) = from.take()?;
        add(Subject::Query(name.to_owned()), matcher);
        Ok(())
    })?;
    let source = from.take::<Option<Source<'_>>>()?.map(language::Source::try_from).transpose()?;
    Ok(is_known.then_some(Match { conditions, source }))
}

impl<'a> From<&'a language::Matcher> for Matcher<'a> {
    fn from(language::Matcher { negated, test }: &'a language::Matcher) -> Self {
        let test = match test {
            language::Test::Exact(text) => Test::Exact(text),
            language::Test::Prefix(text) => Test::Prefix(text),
            language::Test::Regex(pattern) => {
                Test::Regex { expanded: pattern.text_in_format_1().into(), prefix: pattern.prefix() }
            }
            language::Test::Present(present) => Test::Present(*present),
        };
        Self { negated: *negated, test }
    }
}

impl Matcher<'_> {
    fn read(self) -> Option<language::Matcher> {
        let test = match self.test {
            Test::Exact(text) => language::Test::Exact(text.to_owned()),
            Test::Prefix(text) => language::Test::Prefix(text.to_owned()),
            Test::Regex { .. } => return None,
            Test::Present(present) => language::Test::Present(present),
        };
        Some(language::Matcher { negated: self.negated, test })
    }
}
