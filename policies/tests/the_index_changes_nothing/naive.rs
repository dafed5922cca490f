//! The meaning of the policies, in the plainest way: a loop over all of them, as they are written.

use std::cmp::Reverse;

use policies::{
    Policy,
    language::{Condition, Flow, Matcher, Rule, Subject, Test},
};

use super::requests::Request;

/// True if a condition holds for some values, by its definition.
fn holds(matcher: &Matcher, values: &[&str]) -> bool {
    let holds = match &matcher.test {
        Test::Exact(text) => values.contains(&text.as_str()),
        Test::Prefix(text) => values.iter().any(|value| value.starts_with(text)),
        Test::Regex(pattern) => {
            let regex = regex::Regex::new(pattern.written()).unwrap();
            values.iter().any(|value| regex.is_match(value))
        }
        Test::Present(present) => values.is_empty() != *present,
    };
    if matcher.negated { !holds } else { holds }
}

fn applies(rule: &Rule, request: &Request) -> bool {
    let rule = &rule.matches;
    let header = |name| request.headers.get(name).copied();
    let parameter = |name: &str| {
        let named = request.query.iter().filter(|(known, _)| *known == name);
        named.map(|(_, value)| *value).collect::<Vec<_>>()
    };
    rule.conditions.iter().all(|Condition { subject, matcher }| match subject {
        Subject::Method => holds(matcher, &[request.method]),
        Subject::Path => holds(matcher, &[&request.path]),
        Subject::Header(name) => holds(matcher, header(name.as_str()).as_slice()),
        Subject::Query(name) => holds(matcher, &parameter(name)),
    })
}

/// Every rule for requests of this direction, by policy and position, in the order in which they
/// decide, and whether it applies.
pub(crate) fn naive<'p>(policies: &'p [Policy], request: &Request) -> Vec<(&'p str, usize, &'p Rule, bool)> {
    let mut policies: Vec<_> = policies.iter().collect();
    policies.sort_by_key(|policy| (Reverse(policy.priority), policy.name.as_str()));
    let met = policies
        .into_iter()
        .filter(|policy| !policy.suspend && request.outbound == matches!(policy.flow, Flow::Outbound { .. }));
    met.flat_map(|policy| {
        let rules = policy.rules.iter().enumerate();
        rules.map(move |(position, rule)| (policy.name.as_str(), position, rule, applies(rule, request)))
    })
    .collect()
}
