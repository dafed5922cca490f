//! Hosts and gateways.

use crate::{
    field::Field,
    rules::{
        routes,
        subject::{Out, Rule, Subject},
    },
    text::{host_flaw, istio_label},
};

pub(super) const RULES: &[Rule] = &[
    Rule::new("VS01", vs01),
    Rule::new("VS02", vs02),
    Rule::new("VS03", vs03),
    Rule::new("VS04", vs04),
    Rule::new("VS05", vs05),
    Rule::new("VS06", vs06),
    Rule::new("VS07", vs07),
];

/// True if it holds for sidecars: without gateways, or with the one named `mesh`.
fn in_mesh(subject: &Subject) -> bool {
    let gateways = subject.get("gateways");
    gateways.is_empty() || gateways.texts().any(|(name, _)| name == "mesh")
}

fn vs01(subject: &Subject, out: &mut Out) {
    if ["http", "tls", "tcp"].iter().all(|name| subject.get(name).is_empty()) {
        out.error(&subject.spec, "has no routes", "write `http`, `tls` or `tcp`");
    }
}

fn vs02(subject: &Subject, out: &mut Out) {
    if let Some((_, at)) = subject.get("hosts").texts().find(|(name, _)| *name == "*")
        && in_mesh(subject)
    {
        out.error(
            &at,
            "is `*`, which catches every call in the mesh",
            "name the hosts, or name a gateway and not `mesh`",
        );
    }
}

fn vs03(subject: &Subject, out: &mut Out) {
    let hosts: Vec<_> = subject.get("hosts").texts().collect();
    for (number, (host, at)) in hosts.iter().enumerate() {
        let others = hosts.iter().enumerate().filter(|(other, _)| *other != number);
        for (other, (wider, _)) in others {
            let again = wider == host && other < number;
            let covered = wider != host && wider.strip_prefix('*').is_some_and(|end| host.ends_with(end));
            if again || covered {
                let reason =
                    format!("`{host}` is {} by `{wider}`", if again { "repeated" } else { "covered" });
                out.error(at, reason, "Envoy takes each host once; keep one of them");
                break;
            }
        }
    }
}

fn vs04(subject: &Subject, out: &mut Out) {
    if !subject.get("hosts").is_empty() {
        return;
    }
    for name in ["gateways", "tls", "tcp"] {
        if !subject.get(name).is_empty() {
            out.error(
                &subject.get(name),
                "stands in a VirtualService without hosts, which is a delegate",
                "write `hosts`, or leave it out",
            );
        }
    }
    for route in routes::http(subject) {
        if route.has("delegate") {
            out.error(
                &route.get("delegate"),
                "stands in a delegate itself",
                "only a VirtualService with hosts can delegate",
            );
        }
    }
}

/// The gateways of the whole, and of single matches.
fn gateways<'a>(subject: &Subject<'a>) -> Vec<(&'a str, Field<'a>)> {
    let in_matches = routes::all(subject).flat_map(|route| route.get("match").items());
    let in_matches = in_matches.flat_map(|wanted| wanted.get("gateways").texts());
    subject.get("gateways").texts().chain(in_matches).collect()
}

/// Istio looks at no gateway after the first one without a `/` (H11); here all are looked at.
fn vs05(subject: &Subject, out: &mut Out) {
    for (name, at) in gateways(subject) {
        let fits = match name.split_once('/') {
            Some((namespace, name)) => (namespace == "." || istio_label(namespace)) && istio_label(name),
            None => host_flaw(name).is_none() && !name.contains('*'),
        };
        if !fits {
            out.error(
                &at,
                format!("`{name}` is not a gateway"),
                "write `namespace/name`, or `mesh` for sidecars",
            );
        }
    }
}

fn vs06(subject: &Subject, out: &mut Out) {
    for (name, at) in gateways(subject) {
        if name.contains('.') && !name.contains('/') {
            out.warning(&at, format!("`{name}` is the old form"), "write `namespace/name`");
        }
    }
}

fn vs07(subject: &Subject, out: &mut Out) {
    if !subject.get("gateways").is_empty() {
        return;
    }
    for wanted in routes::http(subject).flat_map(|route| route.get("match").items()) {
        for (name, at) in wanted.get("headers").entries().chain(wanted.get("withoutHeaders").entries()) {
            if name.starts_with("@request.auth.claims") {
                out.error(&at, "is a claim, which only a gateway knows", "write `gateways`");
            }
        }
    }
}
