//! Conditions: `when`.

use crate::{
    field::Field,
    rules::subject::{Out, Rule, Subject},
    text::is_ip_or_block,
};

pub(super) const RULES: &[Rule] = &[Rule::new("AP13", ap13), Rule::new("AP14", ap14)];

const KEYS: [&str; 12] = [
    "source.ip",
    "remote.ip",
    "source.namespace",
    "source.principal",
    "source.serviceAccount",
    "source.trustDomain",
    "request.auth.principal",
    "request.auth.audiences",
    "request.auth.presenter",
    "destination.ip",
    "destination.port",
    "connection.sni",
];
/// Keys with a name in brackets.
const WITH_NAMES: [&str; 3] = ["request.headers", "request.auth.claims", "experimental.envoy.filters."];
const GONE: [&str; 4] =
    ["destination.namespace", "destination.labels", "destination.name", "destination.user"];

fn conditions<'a>(subject: &Subject<'a>) -> impl Iterator<Item = (&'a str, Field<'a>)> + use<'a> {
    let all = subject.each("rules").flat_map(|rule| rule.get("when").items());
    all.map(|condition| (condition.word("key"), condition))
}

fn is_gone(key: &str) -> bool {
    GONE.iter().any(|gone| key == *gone || key.strip_prefix(gone).is_some_and(|rest| rest.starts_with('[')))
}

fn ap13(subject: &Subject, out: &mut Out) {
    for (key, condition) in conditions(subject).filter(|(key, _)| !is_gone(key)) {
        let at = condition.get("key");
        if WITH_NAMES.iter().any(|known| key.starts_with(known)) {
            if !(key.ends_with(']') && key.contains('[') && !key.contains("[]")) {
                out.error(&at, format!("`{key}` names nothing"), "write `request.headers[NAME]`");
            }
        } else if !KEYS.contains(&key) {
            let right =
                format!("known are {}, request.headers[…] and request.auth.claims[…]", KEYS.join(", "));
            out.error(&at, format!("`{key}` is not known"), right);
        }
        let values = || condition.get("values").texts().chain(condition.get("notValues").texts());
        if values().next().is_none() {
            out.error(&condition, "compares with nothing", "write `values` or `notValues`");
        }
        for (value, at) in values() {
            let fits = match key {
                "source.ip" | "remote.ip" | "destination.ip" => is_ip_or_block(value),
                "destination.port" => value.parse::<u16>().is_ok_and(|port| port > 0),
                _ => true,
            };
            if !fits {
                out.error(
                    &at,
                    format!("`{value}` is not a value of `{key}`"),
                    "write an IP address or block, or the number of a port",
                );
            }
        }
    }
}

fn ap14(subject: &Subject, out: &mut Out) {
    for (key, condition) in conditions(subject).filter(|(key, _)| is_gone(key)) {
        out.error(&condition.get("key"), format!("`{key}` is gone"), "write `selector` for the workload");
    }
}
