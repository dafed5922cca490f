//! What the policies say, in the plainest way: a loop over all of them, as they are written.

use std::cmp::Reverse;

use policies::{
    Policy,
    language::{Condition, Flow, Matcher, Rule},
};

use super::requests::Request;

/// Whether a condition holds for some values, by what its words say.
fn holds(matcher: &Matcher, values: &[&str]) -> bool {
    let holds = match &matcher.condition {
        Condition::Exact(text) => values.contains(&text.as_str()),
        Condition::Prefix(text) => values.iter().any(|value| value.starts_with(text)),
        Condition::Regex(pattern) => {
            let regex = regex::Regex::new(pattern.written()).unwrap();
            values.iter().any(|value| regex.is_match(value))
        }
        Condition::Present(present) => values.is_empty() != *present,
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
    rule.method.iter().all(|method| holds(method, &[request.method]))
        && rule.path.iter().all(|path| holds(path, &[&request.path]))
        && rule.headers.iter().all(|(name, value)| holds(value, header(name.as_str()).as_slice()))
        && rule.query.iter().all(|(name, value)| holds(value, &parameter(name)))
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
