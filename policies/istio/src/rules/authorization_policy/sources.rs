//! Sources: who calls.

use super::{both, operations, sources};
use crate::{
    rules::subject::{Out, Rule, Subject},
    text::{is_ip_or_block, istio_label},
};

pub(super) const RULES: &[Rule] = &[
    Rule::new("AP06", ap06),
    Rule::new("AP07", ap07),
    Rule::new("AP08", ap08),
    Rule::new("AP09", ap09),
    Rule::new("AP10", ap10),
    Rule::new("H10", h10),
];

fn ap06(subject: &Subject, out: &mut Out) {
    const OTHERS: [&str; 4] = ["principals", "notPrincipals", "namespaces", "notNamespaces"];
    for source in sources(subject) {
        let accounts = source.present(&["serviceAccounts", "notServiceAccounts"]);
        if let (Some(accounts), Some(other)) = (accounts.first(), source.present(&OTHERS).first()) {
            out.error(&source.get(accounts), format!("stands beside `{other}`"), "write two sources");
        }
    }
}

fn ap07(subject: &Subject, out: &mut Out) {
    let lists = sources(subject).chain(operations(subject)).flat_map(|holder| holder.entries());
    for (text, at) in lists.flat_map(|(_, list)| list.texts()) {
        if text.is_empty() {
            out.error(&at, "is an empty text", "write a value, or remove the item");
        }
    }
}

fn ap08(subject: &Subject, out: &mut Out) {
    for source in sources(subject) {
        for (account, at) in both(&source, "serviceAccounts") {
            let (namespace, name) = account.split_once('/').unwrap_or(("", account));
            let fits = (namespace.is_empty() && !account.starts_with('/') || istio_label(namespace))
                && name.split('.').all(istio_label);
            if account.contains('*') {
                out.error(
                    &at,
                    format!("`{account}` has a `*`"),
                    "name a ServiceAccount; for a whole namespace write `namespaces`",
                );
            } else if account.len() > 320 || !fits {
                out.error(
                    &at,
                    format!("`{account}` is not a ServiceAccount"),
                    "write `name` or `namespace/name`",
                );
            }
        }
    }
}

fn ap09(subject: &Subject, out: &mut Out) {
    for source in sources(subject) {
        for (domain, at) in both(&source, "trustDomains") {
            let inside = domain.strip_prefix('*').or_else(|| domain.strip_suffix('*')).unwrap_or(domain);
            if domain.contains('/') || inside.contains('*') {
                out.error(
                    &at,
                    format!("`{domain}` is not a trust domain"),
                    "write `cluster.local`, with a `*` at one end at most",
                );
            }
        }
    }
}

fn ap10(subject: &Subject, out: &mut Out) {
    for source in sources(subject) {
        for (block, at) in both(&source, "ipBlocks").into_iter().chain(both(&source, "remoteIpBlocks")) {
            if !block.is_empty() && !is_ip_or_block(block) {
                out.error(&at, format!("`{block}` is no IP address and no block"), "write `10.0.0.0/8`");
            }
        }
    }
}

fn h10(subject: &Subject, out: &mut Out) {
    for source in sources(subject) {
        for (principal, at) in both(&source, "principals") {
            if let Some(plain) = principal.strip_prefix("spiffe://") {
                out.error(
                    &at,
                    "never fits, since Istio puts `spiffe://` in front itself",
                    format!("write `{plain}`"),
                );
            }
        }
    }
}
