//! The meaning of the policies, in the plainest way: a loop over all of them, as they are written.

use std::cmp::Reverse;

use policies::{
    Policy,
    language::{Condition, Destination, Direction, Flow, Matcher, Rule, Subject, Test},
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

/// The name of the host before its port, if there is one.
fn host(authority: &str) -> Option<String> {
    let port = regex::Regex::new("^(.*?)[.]?(:[0-9]*)?$").unwrap();
    let host = port.captures(authority).unwrap()[1].to_lowercase();
    let has_port_by_name = host.contains(':');
    (!host.is_empty() && !has_port_by_name).then_some(host)
}

/// The service and namespace that a name means in the namespace `demo`.
fn service(host: &str, is_full: bool) -> Option<(String, String)> {
    const LABEL: &str = "[a-z0-9]([a-z0-9-]*[a-z0-9])?";
    let full = format!("^(?<s>{LABEL})[.](?<n>{LABEL})[.]svc[.]cluster[.]local$");
    let short = format!("^(?<s>{LABEL})([.](?<n>{LABEL})([.]svc)?)?$");
    let forms = if is_full { vec![full] } else { vec![full, short] };
    let found = forms.iter().find_map(|form| regex::Regex::new(form).unwrap().captures(host))?;
    let namespace = found.name("n").map_or("demo", |namespace| namespace.as_str());
    Some((found["s"].to_owned(), namespace.to_owned()))
}

/// True if a glob, in which `*` is anything, fits a name.
fn fits(glob: &str, name: &str) -> bool {
    let regex = glob.split('*').map(regex::escape).collect::<Vec<_>>().join(".*");
    regex::Regex::new(&format!("^{regex}$")).unwrap().is_match(name)
}

/// True if a policy is about the request, by its direction and destination.
fn concerns(policy: &Policy, request: &Request) -> bool {
    let Flow::Outbound { destination } = &policy.flow else {
        return request.direction != Some(Direction::Outbound);
    };
    let called = request.authority.and_then(host).map(|host| (service(&host, false), host));
    let routed = request.cluster.and_then(|cluster| {
        let parts: Vec<_> = cluster.split('|').collect();
        let host = if parts.len() == 4 && parts[0] == "outbound" { host(parts[3])? } else { return None };
        Some((service(&host, true), host))
    });
    let mut callees = called.into_iter().chain(routed);
    request.direction != Some(Direction::Inbound)
        && match destination {
            Destination::Host(pattern) => callees.any(|(_, host)| fits(pattern.as_str(), &host)),
            Destination::Service { service, namespace } if service.is_any() && namespace.is_any() => true,
            Destination::Service { service, namespace } => callees.any(|(callee, _)| {
                callee.is_some_and(|(name, its)| {
                    fits(service.as_str(), &name) && fits(namespace.as_str(), &its)
                })
            }),
        }
}

/// Every rule for requests of this direction, by policy and position, in the order in which they
/// decide, and whether it applies.
pub(crate) fn naive<'p>(policies: &'p [Policy], request: &Request) -> Vec<(&'p str, usize, &'p Rule, bool)> {
    let mut policies: Vec<_> = policies.iter().collect();
    policies.sort_by_key(|policy| (Reverse(policy.priority), policy.name.as_str()));
    let goes = |policy: &&Policy| {
        !policy.suspend && request.direction.is_none_or(|direction| direction == policy.flow.direction())
    };
    let met = policies.into_iter().filter(goes);
    met.flat_map(|policy| {
        let rules = policy.rules.iter().enumerate();
        rules.map(move |(position, rule)| {
            let applies = concerns(policy, request) && applies(rule, request);
            (policy.name.as_str(), position, rule, applies)
        })
    })
    .collect()
}
