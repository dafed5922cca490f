//! Balancing by locality: shares and failover.

use std::collections::BTreeMap;

use crate::{
    field::Field,
    rules::{
        destination_rule::{blocks, policies, port_settings},
        subject::{Out, Subject},
    },
};

fn settings<'a>(subject: &Subject<'a>) -> Vec<Field<'a>> {
    blocks(subject, "loadBalancer")
        .into_iter()
        .filter_map(|balancer| balancer.get("localityLbSetting").set())
        .collect()
}

pub(super) fn dr15(subject: &Subject, out: &mut Out) {
    for setting in settings(subject) {
        let [distribute, failover] = ["distribute", "failover"].map(|name| setting.get(name));
        if failover.is_empty() {
            continue;
        }
        if !distribute.is_empty() {
            out.error(&failover, "stands beside `distribute`", "keep one of them");
        }
        let mut priorities = setting.get("failoverPriority").texts();
        if let Some((label, at)) = priorities.find(|(label, _)| label.starts_with("topology.")) {
            out.error(&at, format!("`{label}` orders what `failover` orders too"), "keep one of them");
        }
    }
}

pub(super) fn dr16(subject: &Subject, out: &mut Out) {
    for setting in settings(subject) {
        let shares: Vec<_> = setting.get("distribute").items().collect();
        separate(shares.iter().map(|share| (share.word("from"), share.get("from"))).collect(), out);
        for share in shares {
            let to = share.get("to");
            separate(to.entries().collect(), out);
            for (_, at) in to.entries() {
                if let Some(weight) = at.integer().filter(|weight| !(1..=100).contains(weight)) {
                    out.error(&at, format!("is {weight}"), "a weight is from 1 to 100");
                }
            }
            let sum = to.entries().filter_map(|(_, at)| at.integer()).fold(0, i64::saturating_add);
            if sum != 100 {
                out.error(&to, format!("has weights whose sum is {sum}"), "the sum is 100");
            }
        }
    }
}

/// No locality has a `*` but at its end, and none covers another one.
fn separate(localities: Vec<(&str, Field)>, out: &mut Out) {
    // The localities before, and what they are in.
    let (mut before, mut around) = (BTreeMap::new(), BTreeMap::new());
    for (locality, at) in localities {
        let plain = locality.strip_suffix('*').unwrap_or(locality);
        if plain.contains('*') || locality.is_empty() {
            out.error(
                &at,
                format!("`{locality}` is not a locality"),
                "write `region/zone/*`, with a `*` at the end only",
            );
            continue;
        }
        let own = locality.strip_suffix("/*").unwrap_or(if locality == "*" { "" } else { locality });
        let wider = || outer(own).find_map(|outer| before.get(outer));
        match around.get(own).copied().or_else(|| wider().copied()) {
            Some(other) => {
                out.error(&at, format!("`{locality}` overlaps `{other}`"), "each locality is in one entry");
            }
            None => {
                before.insert(own, locality);
                around.extend(outer(own).map(|outer| (outer, locality)));
            }
        }
    }
}

/// What a locality is in, itself among it: everywhere, its region, its zone.
fn outer(locality: &str) -> impl Iterator<Item = &str> {
    let ends = locality.match_indices('/').map(|(end, _)| end).take(3);
    let parts = ends.filter_map(|end| locality.get(..end));
    [""].into_iter().chain(parts).chain((!locality.is_empty()).then_some(locality))
}

pub(super) fn dr17(subject: &Subject, out: &mut Out) {
    for setting in settings(subject) {
        for failover in setting.get("failover").items() {
            let (from, to) = (failover.word("from"), failover.word("to"));
            if from == to {
                out.error(&failover.get("to"), format!("is `{to}`, as `from` is"), "name another region");
            }
            for (region, name) in [(from, "from"), (to, "to")] {
                if region.contains(['*', '/']) {
                    out.error(
                        &failover.get(name),
                        format!("`{region}` is not a region"),
                        "name the region alone",
                    );
                }
            }
        }
    }
}

/// Istio loses this warning for subsets and ports (H04).
pub(super) fn dr18(subject: &Subject, out: &mut Out) {
    for holder in policies(subject).into_iter().chain(port_settings(subject)) {
        let setting = holder.get("loadBalancer").get("localityLbSetting");
        if let Some(name) = setting.present(&["failover", "failoverPriority"]).first()
            && !holder.has("outlierDetection")
        {
            out.warning(
                &setting.get(name),
                "never happens without `outlierDetection`",
                "write that beside `loadBalancer`",
            );
        }
    }
}
