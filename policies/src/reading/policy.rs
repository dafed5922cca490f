//! A policy as it is written.

use super::{
    fault,
    fields::{Cursor, Fields},
    matching,
    selector::{destination, selector},
    values::{instant, word},
};
use crate::language::{Flow, Mode, Policy, PolicyName, Rule, Selector};

/// Reads the `spec` of a policy.
pub(super) fn spec(mut fields: Fields<'_>, name: Option<PolicyName>) -> Option<Policy> {
    let selects = fields.take_optional("selector");
    let selector = selector(selects.clone());
    let flow = flow(&mut fields);
    if let (Some(Selector { target, .. }), Some(Flow::Outbound { .. }), Some(field)) =
        (&selector, &flow, selects)
        && target.is_host()
    {
        field.report(
            "has a `host`, and its waypoint only receives requests; for those that are sent to a host write `destination: {host: …}`",
        );
    }
    let mode = word(fields.take("mode"), &[("inject", Mode::Inject), ("shadow", Mode::Shadow)]);
    let priority = fields.take("priority").map_or(Some(0), |field| field.signed());
    let suspend = fields.take("suspend").map_or(Some(false), |field| field.boolean());
    let starts_at = instant(fields.take("startsAt"));
    let expires_at = fields.take("expiresAt");
    let expires = expires_at.clone();
    let expires_at = instant(expires_at);
    if let (Some(Some(start)), Some(Some(end)), Some(field)) = (starts_at, expires_at, expires)
        && end <= start
    {
        field.report("must be later than `startsAt`");
    }
    let rules = fields.require("rules").and_then(|list| {
        let rules: Vec<_> = list.items()?.map(|item| item.fields().and_then(rule)).collect();
        if rules.is_empty() {
            list.report("must hold at least one rule");
        }
        rules.into_iter().collect::<Option<Vec<_>>>()
    });
    fields.finish();
    Some(Policy {
        name: name?,
        selector: selector?,
        flow: flow?,
        mode: mode?,
        priority: priority?,
        suspend: suspend?,
        starts_at: starts_at?,
        expires_at: expires_at?,
        // An annotation, which is not a part of the `spec`.
        restarted_at: None,
        rules: rules?,
    })
}

fn flow(fields: &mut Fields<'_>) -> Option<Flow> {
    let direction = word(fields.take("direction"), &[("inbound", false), ("outbound", true)]);
    let destination = fields.take_optional("destination");
    if direction == Some(false)
        && let Some(destination) = &destination
    {
        destination
            .report("is only for `direction: outbound`; which workload receives is the selector's to say");
    }
    let destination = self::destination(destination);
    Some(if direction? { Flow::Outbound { destination: destination? } } else { Flow::Inbound })
}

fn rule(mut fields: Fields<'_>) -> Option<Rule> {
    let matches = match fields.take("match") {
        Some(field) => field.fields().and_then(matching::read),
        None => Some(Default::default()),
    };
    let fault = fields.require("fault").and_then(Cursor::fields).and_then(fault::read);
    fields.finish();
    Some(Rule { matches: matches?, fault: fault? })
}
