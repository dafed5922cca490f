//! Policies that deny all calls.
//!
//! This is a guard against mistakes. Who means to deny nearly all calls finds other ways to write it.

use std::collections::BTreeSet;

use crate::{
    field::Field,
    resource::{Kind, Resource},
};

/// The lists of a rule, and the holder of conditions in their items.
const LISTS: [(&str, &str); 2] = [("from", "source"), ("to", "operation")];

/// Conditions with their exceptions, and the value that every call of the mesh has.
const CONDITIONS: [(&str, &str, &str); 9] = [
    ("principals", "notPrincipals", "*"),
    ("namespaces", "notNamespaces", "*"),
    ("serviceAccounts", "notServiceAccounts", ""),
    ("requestPrincipals", "notRequestPrincipals", ""),
    ("ipBlocks", "notIpBlocks", "0.0.0.0/0"),
    ("methods", "notMethods", "*"),
    ("paths", "notPaths", "/*"),
    ("hosts", "notHosts", "*"),
    ("ports", "notPorts", ""),
];

/// True for a policy that denies all calls: an ALLOW of no call, or a DENY of each.
pub fn denies_all(resource: &Resource) -> bool {
    let is_written_down_only =
        resource.annotations.get("istio.io/dry-run").is_some_and(|value| value == "true");
    if resource.kind != Kind::AuthorizationPolicy || is_written_down_only {
        return false;
    }
    let spec = Field::root("spec", &resource.spec);
    let mut rules = spec.get("rules").items();
    match spec.word("action") {
        "" | "ALLOW" => rules.all(|rule| fits_none(&rule)),
        "DENY" => rules.any(|rule| fits_each(&rule)),
        _ => false,
    }
}

/// True for a rule that fits every call.
fn fits_each(rule: &Field) -> bool {
    let has_each = |(name, condition): (&str, Field)| {
        condition.is_empty()
            || CONDITIONS.iter().any(|(is, _, each)| {
                *is == name
                    && condition.texts().any(|(value, _)| value == "*" && !each.is_empty() || value == *each)
            })
    };
    let fits = |(list, holder): &(&'static str, &'static str)| {
        let list = rule.get(list);
        list.is_empty() || list.items().any(|item| item.get(holder).entries().all(has_each))
    };
    rule.get("when").is_empty() && LISTS.iter().all(fits)
}

/// True for a rule that fits no call, since it excepts all that it names.
fn fits_none(rule: &Field) -> bool {
    let excepts_all = |holder: &Field| {
        CONDITIONS.iter().any(|(is, not, _)| {
            let (named, excepted) = (holder.get(is), holder.get(not));
            let excepted: BTreeSet<_> = excepted.texts().map(|(name, _)| name).collect();
            !named.is_empty()
                && (excepted.contains("*") || named.texts().all(|(name, _)| excepted.contains(name)))
        })
    };
    LISTS.iter().any(|(list, holder)| {
        let list = rule.get(list);
        !list.is_empty() && list.items().all(|item| excepts_all(&item.get(holder)))
    })
}
