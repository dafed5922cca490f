//! Selectors of workloads, and references to targets.

use crate::{
    field::Field,
    resource::{Kind, Resource},
    rules::subject::{Out, Rule, Subject},
};

pub(super) const RULES: &[Rule] = &[
    Rule::new("SEL01", sel01),
    Rule::new("SEL02", sel02),
    Rule::new("SEL03", sel03),
    Rule::new("SEL04", sel04),
    Rule::new("SEL05", sel05),
    Rule::new("SEL06", sel06),
    Rule::new("SEL07", sel07),
    Rule::new("X166", x166),
];

/// The selector of a resource, and its labels.
pub(in crate::rules) fn selector<'a>(subject: &Subject<'a>) -> (Field<'a>, Field<'a>) {
    let (selector, labels) = match subject.kind() {
        Kind::DestinationRule => ("workloadSelector", "matchLabels"),
        Kind::ServiceEntry | Kind::Sidecar | Kind::EnvoyFilter => ("workloadSelector", "labels"),
        Kind::Gateway => return (subject.get("selector"), subject.get("selector")),
        _ => ("selector", "matchLabels"),
    };
    let selector = subject.get(selector);
    let labels = selector.get(labels);
    (selector, labels)
}

fn references<'a>(subject: &Subject<'a>) -> Vec<Field<'a>> {
    subject.get("targetRef").set().into_iter().chain(subject.each("targetRefs")).collect()
}

fn sel01(subject: &Subject, out: &mut Out) {
    for (key, at) in selector(subject).1.entries() {
        if key.is_empty() {
            out.error(&at, "has an empty key", "write the name of a label");
        }
    }
}

fn sel02(subject: &Subject, out: &mut Out) {
    for (key, at) in selector(subject).1.entries() {
        if key.contains('*') || at.text().is_some_and(|value| value.contains('*')) {
            out.error(&at, "has a `*`, and a label is compared as it is", "write the whole value");
        }
    }
}

fn sel03(subject: &Subject, out: &mut Out) {
    let (selector, labels) = selector(subject);
    if selector.is_set() && labels.is_empty() && subject.kind() != Kind::Gateway {
        out.warning(
            &selector,
            "has no labels, and so selects everything in the namespace",
            "write labels, or leave it out",
        );
    }
}

fn sel04(subject: &Subject, out: &mut Out) {
    let names = ["selector", "workloadSelector", "targetRef", "targetRefs"];
    if let [first, others @ ..] = &*subject.spec.present(&names)
        && !others.is_empty()
    {
        out.error(
            &subject.spec,
            format!("has `{first}` beside `{}`", others.join("` and `")),
            "keep one of them",
        );
    }
}

fn sel05(subject: &Subject, out: &mut Out) {
    for reference in references(subject) {
        if reference.word("name").is_empty() {
            out.error(&reference.get("name"), "is missing", "name the target");
        }
    }
}

fn sel06(subject: &Subject, out: &mut Out) {
    for reference in references(subject) {
        let namespace = reference.get("namespace");
        if namespace.text().is_some_and(|name| !name.is_empty()) {
            out.error(&namespace, "is set, and a target is always in the own namespace", "leave it out");
        }
    }
}

fn sel07(subject: &Subject, out: &mut Out) {
    const TARGETS: [(&str, &str); 4] = [
        ("", "Service"),
        ("networking.istio.io", "ServiceEntry"),
        ("gateway.networking.k8s.io", "Gateway"),
        ("gateway.networking.k8s.io", "GatewayClass"),
    ];
    for reference in references(subject) {
        let (group, kind) = (reference.word("group"), reference.word("kind"));
        let group = if group == "core" { "" } else { group };
        if !TARGETS.contains(&(group, kind)) {
            let right = match TARGETS.iter().find(|(_, known)| *known == kind) {
                Some((group, _)) => format!("the group of a {kind} is `\"{group}\"`"),
                None => "a target is a Service, ServiceEntry, Gateway or GatewayClass".to_owned(),
            };
            out.error(&reference, format!("is of kind `{kind}` in the group `{group}`"), right);
        }
    }
}

/// The labels of Pods of Gateways of the Gateway API.
const OF_GATEWAYS: [&str; 2] = ["gateway.networking.k8s.io/gateway-name", "istio.io/gateway-name"];

/// True if a resource selects Pods of a gateway: one of the Gateway API, or one by Istio's own label.
pub(crate) fn selects_gateways(resource: &Resource) -> bool {
    let (_, labels) = selector(&Subject::new(resource));
    labels.entries().any(|(key, _)| key == "istio" || OF_GATEWAYS.contains(&key))
}

fn x166(subject: &Subject, out: &mut Out) {
    let (_, labels) = selector(subject);
    if let Some((key, at)) = labels.entries().find(|(key, _)| OF_GATEWAYS.contains(key)) {
        let right = "write `targetRefs` with the Gateway";
        out.warning(&at, format!("`{key}` selects Pods of a Gateway of the Gateway API"), right);
    }
}
