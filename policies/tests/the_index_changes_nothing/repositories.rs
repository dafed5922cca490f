//! Policies as YAML, made of little, so that they collide with each other and with requests.

use proptest::{prelude::*, sample::select};

/// A path or another text that begins with `part`.
pub(crate) fn text(part: &'static str) -> impl Strategy<Value = String> {
    prop::collection::vec(select(vec!["/", "a", "b", "ab"]), 0..4)
        .prop_map(move |parts| format!("{part}{}", parts.concat()))
}

/// A matcher as YAML, of texts that begin with `part`. `optional`: of what can be absent.
fn matcher(part: &'static str, optional: bool) -> impl Strategy<Value = String> {
    let positive = prop_oneof![
        4 => text(part).prop_map(|text| format!("{{exact: '{text}'}}")),
        4 => text(part).prop_map(|text| format!("{{prefix: '{text}'}}")),
        2 => text(part).prop_map(|text| format!("{{regex: '^{text}'}}")),
        1 => text(part).prop_map(|text| format!("{{regex: '^{text}$'}}")),
        1 => text(part).prop_map(|text| format!("{{regex: '^{text}b?$'}}")),
        1 => text(part).prop_map(|text| format!("{{regex: '^{text}|b$'}}")),
        1 => text(part).prop_map(|text| format!("{{regex: '(?i)^{text}'}}")),
        1 => text("").prop_map(|text| format!("{{regex: '{text}'}}")),
        u32::from(optional) => any::<bool>().prop_map(|present| format!("{{present: {present}}}")),
    ];
    (positive, 0..6u8).prop_map(|(matcher, luck)| match luck {
        0 => format!("{{not: {matcher}}}"),
        1 if matcher.len() % 5 == 0 => format!("{{not: {{not: {matcher}}}}}"),
        _ => matcher,
    })
}

fn named(names: &'static [&'static str]) -> impl Strategy<Value = String> {
    let list = prop::collection::vec((select(names), matcher("", true)), 1..3);
    list.prop_map(|list| {
        let item = |(name, matcher): &(_, String)| format!("{{name: {name}, {}", &matcher[1..]);
        format!("[{}]", list.iter().map(item).collect::<Vec<_>>().join(", "))
    })
}

/// The conditions of a rule as YAML; none at all is every request.
fn conditions() -> impl Strategy<Value = String> {
    let method = select(vec!["{exact: GET}", "{exact: PUT}", "{prefix: P}", "{not: {exact: GET}}"]);
    let method =
        prop::option::weighted(0.3, method).prop_map(|text| text.map(|text| format!("method: {text}")));
    let of = |name, share, text: BoxedStrategy<String>| {
        prop::option::weighted(share, text).prop_map(move |text| text.map(|text| format!("{name}: {text}")))
    };
    (
        method,
        of("path", 0.6, matcher("/", false).boxed()),
        of("headers", 0.4, named(&["x-a", "X-B"]).boxed()),
        of("query", 0.2, named(&["q", "r"]).boxed()),
    )
        .prop_map(|(method, path, headers, query)| {
            let given: Vec<_> = [method, path, headers, query].into_iter().flatten().collect();
            if given.is_empty() { String::new() } else { format!("match: {{{}}}, ", given.join(", ")) }
        })
}

/// The destination of a policy as YAML.
fn destination() -> impl Strategy<Value = &'static str> {
    select(vec![
        "null",
        "{}",
        "{service: a}",
        "{service: a, namespace: demo}",
        "{service: ab}",
        "{service: 'a*', namespace: b}",
        "{namespace: b}",
        "{host: api.a.example}",
        "{host: '*.a.example'}",
        "{host: 'a*'}",
        "{host: a.b.svc.evil.example}",
        "{host: a.b}",
        "{host: 10.0.0.1}",
    ])
}

/// The selector of a policy as YAML; each selects the workload of the requests.
fn selector() -> impl Strategy<Value = &'static str> {
    select(vec![
        "{}",
        "{service: checkout}",
        "{service: checkout, namespace: demo}",
        "{service: 'check*'}",
        "{namespace: demo}",
    ])
}

/// Some policies as YAML. Each rule has a status of its own, so that it can be told by its answer.
pub(crate) fn repository() -> impl Strategy<Value = String> {
    let rules = prop::collection::vec((conditions(), any::<bool>()), 1..5);
    let outbound = prop::option::weighted(0.4, destination());
    let policy = (rules, -1..2i32, outbound, prop::bool::weighted(0.1), selector());
    prop::collection::vec(policy, 1..6).prop_map(|policies| {
        let (mut yaml, mut status) = (String::new(), 200);
        for (number, (rules, priority, outbound, suspend, selector)) in policies.iter().enumerate() {
            let direction = match outbound {
                Some(destination) => format!("outbound\n  destination: {destination}"),
                None => "inbound".to_owned(),
            };
            // The names are not in the order of the documents.
            let name = (number * 7) % 10;
            yaml += &format!(
                "---\nmetadata: {{name: p{name}}}\nspec:\n  selector: {selector}\n  direction: {direction}\n  priority: {priority}\n  suspend: {suspend}\n  rules:\n"
            );
            for (conditions, certain) in rules {
                let percentage = if *certain { 100 } else { 0 };
                yaml += &format!("    - {{{conditions}fault: {{percentage: {percentage}, abort: {{httpStatus: {status}}}}}}}\n");
                status += 1;
            }
        }
        yaml
    })
}
