//! The decision of the first generation: it checks one rule after the other, in their order.

use anyhow::{Result, bail, ensure};
use policies::{
    Facts, Snapshot,
    language::{Condition, Match, Matcher, Subject, Test as Written},
};
use regex::bytes::Regex;

pub(crate) struct PlainLoop(Vec<Rule>);

struct Rule {
    method: Option<Test>,
    path: Option<Test>,
    headers: Vec<(String, Test)>,
}

enum Test {
    Exact(String),
    Prefix(String),
    Regex(Regex),
}

impl PlainLoop {
    pub(crate) fn new(snapshot: &Snapshot) -> Result<Self> {
        let rules = snapshot.policies.iter().flat_map(|entry| &entry.policy.rules);
        Ok(Self(rules.map(|rule| Rule::new(&rule.matches)).collect::<Result<_>>()?))
    }

    /// The position of the first rule that applies.
    pub(crate) fn decide(&self, facts: &impl Facts) -> Option<usize> {
        self.0.iter().position(|rule| rule.applies(facts))
    }
}

impl Rule {
    fn new(matches: &Match) -> Result<Self> {
        let mut rule = Self { method: None, path: None, headers: Vec::new() };
        ensure!(matches.source.is_none(), "the first generation knows no source");
        for Condition { subject, matcher } in &matches.conditions {
            let test = Test::new(matcher)?;
            match subject {
                Subject::Method => rule.method = Some(test),
                Subject::Path => rule.path = Some(test),
                Subject::Header(name) => rule.headers.push((name.to_string(), test)),
                Subject::Query(_) => bail!("the first generation knows no query"),
            }
        }
        Ok(rule)
    }

    fn applies(&self, facts: &impl Facts) -> bool {
        let holds = |test: &Test, value: Option<&[u8]>| value.is_some_and(|value| test.holds(value));
        self.method.as_ref().is_none_or(|test| holds(test, facts.method().as_deref()))
            && self.path.as_ref().is_none_or(|test| holds(test, facts.path().as_deref()))
            && self.headers.iter().all(|(name, test)| holds(test, facts.header(name).as_deref()))
    }
}

impl Test {
    fn new(matcher: &Matcher) -> Result<Self> {
        ensure!(!matcher.negated, "the first generation knows no {matcher:?}");
        Ok(match &matcher.test {
            Written::Exact(text) => Self::Exact(text.clone()),
            Written::Prefix(text) => Self::Prefix(text.clone()),
            Written::Regex(pattern) => Self::Regex(Regex::new(pattern.written())?),
            Written::Present(_) => bail!("the first generation knows no {matcher:?}"),
        })
    }

    fn holds(&self, value: &[u8]) -> bool {
        match self {
            Self::Exact(text) => text.as_bytes() == value,
            Self::Prefix(text) => value.starts_with(text.as_bytes()),
            Self::Regex(regex) => regex.is_match(value),
        }
    }
}
