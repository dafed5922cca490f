//! Actions, and what they need.

use super::{OF_OPERATIONS, of_callers, operations, present, sources};
use crate::rules::subject::{Out, Rule, Subject};

pub(super) const RULES: &[Rule] = &[
    Rule::new("AP01", ap01),
    Rule::new("AP02", ap02),
    Rule::new("AP03", ap03),
    Rule::new("AP04", ap04),
    Rule::new("AP05", ap05),
    Rule::new("AP15", ap15),
    Rule::new("H09", h09),
];

fn ap01(subject: &Subject, out: &mut Out) {
    if subject.spec.word("action") == "DENY" && subject.get("rules").is_empty() {
        out.error(
            &subject.get("rules"),
            "is missing, so nothing is denied",
            "write `rules: [{}]` to deny everything",
        );
    }
}

fn ap02(subject: &Subject, out: &mut Out) {
    if subject.spec.word("action") != "CUSTOM" {
        return;
    }
    if subject.get("rules").is_empty() {
        out.error(
            &subject.get("rules"),
            "is missing, so the provider is never asked",
            "write `rules: [{}]` to ask always",
        );
    }
    if subject.get("provider").get("name").is_empty() {
        out.error(
            &subject.get("provider"),
            "is missing, and CUSTOM needs it",
            "name an extension provider of the mesh",
        );
    }
}

fn ap03(subject: &Subject, out: &mut Out) {
    if subject.spec.has("provider") && subject.spec.word("action") != "CUSTOM" {
        out.error(
            &subject.get("provider"),
            "stands beside another action than CUSTOM",
            "write that action, or leave it out",
        );
    }
}

fn ap04(subject: &Subject, out: &mut Out) {
    const FIELDS: [&str; 10] = [
        "namespaces",
        "notNamespaces",
        "serviceAccounts",
        "notServiceAccounts",
        "trustDomains",
        "notTrustDomains",
        "principals",
        "notPrincipals",
        "requestPrincipals",
        "notRequestPrincipals",
    ];
    const KEYS: [&str; 6] = [
        "source.namespace",
        "source.principal",
        "source.serviceAccount",
        "request.auth.principal",
        "request.auth.audiences",
        "request.auth.presenter",
    ];
    if subject.spec.word("action") != "CUSTOM" {
        return;
    }
    for source in sources(subject) {
        for name in source.present(&FIELDS) {
            out.error(&source.get(name), "is not known yet when CUSTOM decides", "leave it to the provider");
        }
    }
    for condition in subject.each("rules").flat_map(|rule| rule.get("when").items()) {
        let key = condition.word("key");
        if KEYS.contains(&key) || key.starts_with("request.auth.claims") {
            out.error(
                &condition.get("key"),
                format!("`{key}` is not known yet when CUSTOM decides"),
                "leave it to the provider",
            );
        }
    }
}

fn ap05(subject: &Subject, out: &mut Out) {
    for (at, what) in
        sources(subject).map(|at| (at, "source")).chain(operations(subject).map(|at| (at, "operation")))
    {
        if at.is_empty() {
            out.error(
                &at,
                format!("is an empty {what}"),
                "write an attribute, or leave the whole list out for any",
            );
        }
    }
}

fn ap15(subject: &Subject, out: &mut Out) {
    if subject.spec.word("action") != "DENY" {
        return;
    }
    for rule in subject.each("rules") {
        let operations: Vec<_> = rule.get("to").items().map(|to| to.get("operation")).collect();
        let (with_ports, without): (Vec<_>, Vec<_>) = operations
            .into_iter()
            .partition(|operation| !operation.present(&["ports", "notPorts"]).is_empty());
        let names_port = rule.get("when").items().any(|when| when.word("key") == "destination.port");
        if names_port || !with_ports.is_empty() && without.is_empty() {
            continue;
        }
        let of_operations = without.iter().flat_map(|operation| present(operation, &OF_OPERATIONS));
        if let Some(at) = of_operations.chain(of_callers(&rule)).next() {
            let reason = "is only known for HTTP: at TCP ports this DENY refuses every connection";
            out.warning(&at, reason, "write `ports` too");
        }
    }
}

/// An empty list is the same as none to Istio.
fn h09(subject: &Subject, out: &mut Out) {
    let mut lists = vec![(subject.get("rules"), "no rule at all; leave it out to allow nobody")];
    for rule in subject.each("rules") {
        lists.push((rule.get("from"), "anybody; leave it out if that is meant"));
        lists.push((rule.get("to"), "any request; leave it out if that is meant"));
        lists.push((rule.get("when"), "no condition; leave it out if that is meant"));
    }
    for (list, meaning) in lists.iter().filter(|(list, _)| list.is_set() && list.is_empty()) {
        out.error(list, "is an empty list", format!("it means {meaning}"));
    }
}
