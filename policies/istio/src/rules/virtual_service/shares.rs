//! Shares in percent, of faults and of mirrors.

use super::faults::parts;
use crate::rules::{
    routes,
    subject::{Out, Rule, Subject},
};

pub(super) const RULES: &[Rule] =
    &[Rule::new("VS26", vs26), Rule::new("VS27", vs27), Rule::new("VS28", vs28), Rule::new("H25", h25)];

fn vs26(subject: &Subject, out: &mut Out) {
    for holder in parts(subject, "abort").chain(parts(subject, "delay")) {
        let at = holder.get("percentage").get("value");
        if let Some(percent) =
            at.number().filter(|&percent| percent != 0.0 && !(0.0001..=100.0).contains(&percent))
        {
            out.error(&at, format!("is {percent}"), "a percentage is 0, or from 0.0001 to 100");
        }
    }
}

fn vs27(subject: &Subject, out: &mut Out) {
    for route in routes::http(subject) {
        let shares = route.get("mirrors").items().map(|mirror| mirror.get("percentage"));
        for share in shares.chain([route.get("mirrorPercentage")]) {
            let value = share.get("value");
            if let Some(percent) = value.number().filter(|percent| !(0.0..=100.0).contains(percent)) {
                out.error(&value, format!("is {percent}"), "a percentage is from 0 to 100");
            }
        }
        for mirror in route.get("mirrors").items().filter(|mirror| !mirror.has("destination")) {
            out.error(&mirror.get("destination"), "is missing", "name the service that gets the copies");
        }
    }
}

fn vs28(subject: &Subject, out: &mut Out) {
    for route in routes::http(subject).filter(|route| route.has("mirrorPercent")) {
        out.warning(
            &route.get("mirrorPercent"),
            "is an old spelling",
            "write `mirrorPercentage: {value: …}`",
        );
    }
}

/// Istio truncates the product where it should round it.
fn h25(subject: &Subject, out: &mut Out) {
    let in_faults = parts(subject, "abort").chain(parts(subject, "delay")).map(|part| part.get("percentage"));
    let mirrors = routes::http(subject).flat_map(|route| {
        route
            .get("mirrors")
            .items()
            .map(|mirror| mirror.get("percentage"))
            .chain([route.get("mirrorPercentage")])
    });
    for at in in_faults.chain(mirrors).map(|share| share.get("value")) {
        let Some(percent) = at.number() else { continue };
        let millionths = percent * 10_000.0;
        if millionths.trunc() != (millionths * 1_000.0).round() / 1_000.0 {
            let taken = millionths.trunc() / 10_000.0;
            out.warning(
                &at,
                format!("is {percent}, and Istio takes {taken} for it"),
                "write fewer decimals, or a neighbouring number",
            );
        }
    }
}
