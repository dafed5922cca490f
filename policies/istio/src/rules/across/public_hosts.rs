//! Public hosts at shared Gateways.

use super::{
    Rule,
    duplicates::name,
    known::{Claim, Known, Shared},
};
use crate::{
    resource::Kind,
    rules::subject::{Out, Subject},
};

pub(super) const RULES: &[Rule] = &[Rule::new("H35", h35)];

/// Istio merges the routes of a host, and puts those without a match last, whoever has written them: a newcomer takes
/// the paths that it names.
fn h35(known: &Known, subject: &Subject, out: &mut Out) {
    for Shared { host: public, gateways, other } in known.shared_hosts(subject) {
        let at = &public.field;
        let has =
            |gateway| known.has_in_namespace(&Claim::Public { at: public.at.clone(), gateway }, subject);
        let is_in_force = gateways.iter().all(|gateway| has(*gateway) || has(None));
        let host = at.text().unwrap_or_default();
        let reason =
            format!("`{host}` is routed by {} at the same Gateway, and requests go to either", name(other));
        let mut right = "write its routes in one namespace".to_owned();
        if subject.kind() == Kind::VirtualService {
            right += &format!(", or name both in the Gateway: `{}/{host}`", subject.resource.namespace);
        }
        if is_in_force {
            out.warning(at, reason, right);
        } else {
            out.error(at, reason, right);
        }
    }
    for (at, other) in known.split_hosts(subject) {
        let host = at.text().unwrap_or_default();
        let reason = format!(
            "`{host}` is routed by {} at the same Gateway too, in an order that Istio does not define",
            name(other)
        );
        out.warning(
            &at,
            reason,
            "write all routes of a host in one VirtualService, or let no request match both",
        );
    }
}
