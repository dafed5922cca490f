//! Tokens whose claims VirtualServices route by.

use super::{
    Rule,
    gateways::named,
    known::{Known, is_wide, labels},
};
use crate::{
    field::Field,
    resource::Kind,
    rules::subject::{Out, Subject},
};

pub(super) const RULES: &[Rule] = &[Rule::new("X149", x149)];

/// The first claim that a VirtualService routes by.
pub(super) fn claim<'a>(subject: &Subject<'a>) -> Option<Field<'a>> {
    let matches = subject.each("http").flat_map(|route| route.get("match").items());
    let mut headers = matches
        .flat_map(|wanted| wanted.get("headers").entries().chain(wanted.get("withoutHeaders").entries()));
    let claim = headers.find(|(name, _)| name.starts_with("@request.auth.claims"));
    claim.filter(|_| subject.kind() == Kind::VirtualService).map(|(_, at)| at)
}

fn x149(known: &Known, subject: &Subject, out: &mut Out) {
    let Some(at) = claim(subject) else { return };
    let gateways = named(subject).into_iter();
    let gateways: Option<Vec<&Subject>> =
        gateways.map(|(name, _)| known.named(Kind::Gateway, &name.namespace, &name.name)).collect();
    let may_read = |reader: &Subject| {
        // A gateway of another repository may have any labels.
        gateways.as_ref().is_none_or(|found| {
            found.is_empty() || found.iter().any(|gateway| reads_at(known, reader, gateway))
        })
    };
    if !known.all(Kind::RequestAuthentication).any(may_read) {
        out.error(
            &at,
            "is a claim, and no RequestAuthentication reads tokens there",
            "write one for the gateway",
        );
    }
}

/// False if a RequestAuthentication is known to be for other Pods than those of a gateway.
fn reads_at(known: &Known, reader: &Subject, gateway: &Subject) -> bool {
    let wanted = labels(reader);
    if is_wide(reader) || wanted.is_empty() {
        return true;
    }
    let namespace = &*reader.resource.namespace;
    let namespace = (namespace != known.around.root_namespace).then_some(namespace);
    let of_gateway = labels(gateway);
    let mut pods = known.pods.with(namespace, &wanted).peekable();
    if pods.peek().is_some() {
        return pods.any(|pod| pod.has(of_gateway.iter().copied()));
    }
    // A label has one value.
    !of_gateway
        .iter()
        .any(|(key, value)| wanted.iter().any(|(other, theirs)| key == other && value != theirs))
}
