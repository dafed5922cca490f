//! Names and annotations; spellings that are gone; ports.

use crate::{
    field::Field,
    resource::Kind,
    rules::subject::{Out, Rule, Subject},
    text::dns_label,
};

pub(super) const RULES: &[Rule] = &[
    Rule::new("META06", meta06),
    Rule::new("META07", meta07),
    Rule::new("META08", meta08),
    Rule::new("META09", meta09),
    Rule::new("META10", meta10),
    Rule::new("META11", meta11),
    Rule::new("PORT01", port01),
];

const DRY_RUN: &str = "istio.io/dry-run";

fn dry_run<'a>(subject: &Subject<'a>) -> Option<(&'a str, Field<'a>)> {
    let value = subject.resource.annotations.get(DRY_RUN)?;
    Some((value, subject.place(&format!("metadata.annotations.{DRY_RUN}"))))
}

fn meta06(subject: &Subject, out: &mut Out) {
    if let Some((_, at)) = dry_run(subject)
        && subject.kind() != Kind::AuthorizationPolicy
    {
        out.error(
            &at,
            format!("stands on a {}", subject.kind().name()),
            "only an AuthorizationPolicy can have it",
        );
    }
}

fn meta07(subject: &Subject, out: &mut Out) {
    const BOOLEANS: [&str; 12] =
        ["1", "t", "T", "TRUE", "true", "True", "0", "f", "F", "FALSE", "false", "False"];
    if let Some((value, at)) = dry_run(subject)
        && !BOOLEANS.contains(&value)
        && !matches!(subject.spec.word("action"), "CUSTOM" | "AUDIT")
    {
        out.error(&at, format!("is `{value}`"), "write `\"true\"` or `\"false\"`");
    }
}

fn meta08(subject: &Subject, out: &mut Out) {
    let action = subject.spec.word("action");
    if let Some((_, at)) = dry_run(subject)
        && matches!(action, "CUSTOM" | "AUDIT")
    {
        out.error(
            &at,
            format!("stands on a policy with the action {action}"),
            "only ALLOW and DENY can be tried out",
        );
    }
}

fn meta09(subject: &Subject, out: &mut Out) {
    const INTERNAL: [&str; 3] = ["webhook-always-reject", "parents", "parent-namespace"];
    for name in INTERNAL {
        let key = format!("internal.istio.io/{name}");
        if subject.resource.annotations.contains_key(&key) {
            let at = subject.place(&format!("metadata.annotations.{key}"));
            out.error(&at, "is Istio's own, and Istio refuses it from others", "remove it");
        }
    }
}

fn meta10(subject: &Subject, out: &mut Out) {
    let name = &subject.resource.name;
    if name.len() > 253 || !name.split('.').all(dns_label) {
        let right = "a name has lower-case letters, digits, `-` and `.`";
        out.error(
            &subject.place("metadata.name"),
            format!("`{name}` is not a name that Kubernetes takes"),
            right,
        );
    }
    let namespace = &subject.resource.namespace;
    if !dns_label(namespace) {
        let right = "a namespace has lower-case letters, digits and `-`";
        out.error(&subject.place("metadata.namespace"), format!("`{namespace}` is not a namespace"), right);
    }
}

/// Spellings that the CRDs still list.
const OLD_NAMES: [(&str, &str); 3] =
    [("mirror_percent", "mirrorPercentage"), ("jwks_uri", "jwksUri"), ("targetRef", "targetRefs")];

fn meta11(subject: &Subject, out: &mut Out) {
    let mut all = vec![subject.spec.clone()];
    all.extend(subject.each("http"));
    all.extend(subject.each("jwtRules"));
    for map in all {
        for (old, new) in OLD_NAMES {
            if map.has(old) {
                out.warning(&map.get(old), "is an old spelling", format!("write `{new}`"));
            }
        }
    }
}

/// `number` and `port`, wherever they are. The kinds with sockets have rules of their own for 0.
fn port01(subject: &Subject, out: &mut Out) {
    if subject.kind() != Kind::EnvoyFilter {
        ports(&subject.spec, matches!(subject.kind(), Kind::Gateway | Kind::Sidecar), out);
    }
}

fn ports(field: &Field, or_none: bool, out: &mut Out) {
    for (name, value) in field.entries() {
        if let Some(port) = value.integer()
            && (name == "number" || name == "port")
            && !(1..=65535).contains(&port)
            && !(or_none && port == 0)
        {
            out.error(&value, format!("is {port}"), "a port is from 1 to 65535");
        }
        ports(&value, or_none, out);
    }
    for item in field.items() {
        ports(&item, or_none, out);
    }
}
