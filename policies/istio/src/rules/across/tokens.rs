//! Tokens whose claims VirtualServices route by.

use std::collections::BTreeSet;

use super::{
    Rule,
    gateways::named,
    known::{Known, Reading},
};
use crate::{
    field::Field,
    resource::Kind,
    rules::subject::{Out, Subject},
};

pub(super) const RULES: &[Rule] = &[Rule::new("X149", x149)];

/// The first claim that a VirtualService routes by.
fn claim<'a>(subject: &Subject<'a>) -> Option<Field<'a>> {
    let matches = subject.each("http").flat_map(|route| route.get("match").items());
    let mut headers = matches
        .flat_map(|wanted| wanted.get("headers").entries().chain(wanted.get("withoutHeaders").entries()));
    let claim = headers.find(|(name, _)| name.starts_with("@request.auth.claims"));
    claim.filter(|_| subject.kind() == Kind::VirtualService).map(|(_, at)| at)
}

/// The most Gateways of a VirtualService that are looked at.
const MOST_GATEWAYS: usize = 16;

/// The Gateways of a VirtualService, each once. None if one of them is not here, or if they are too many: they may have
/// any labels.
fn gateways<'k, 'a>(known: &'k Known<'a>, subject: &Subject) -> Vec<&'k Subject<'a>> {
    let names: BTreeSet<_> = named(subject).into_iter().map(|(name, _)| name).collect();
    let names = names.iter().filter(|_| names.len() <= MOST_GATEWAYS);
    let all = names.map(|name| known.named(Kind::Gateway, &name.namespace, &name.name));
    all.collect::<Option<_>>().unwrap_or_default()
}

/// The namespaces that have to do with the tokens of a VirtualService for sure: its own, those that its Gateways are
/// named by, and the root namespace.
fn near(known: &Known, subject: &Subject) -> BTreeSet<String> {
    let mut near: BTreeSet<_> = named(subject).into_iter().map(|(name, _)| name.namespace).collect();
    near.extend([&subject.resource.namespace, &known.around.root_namespace].map(Clone::clone));
    near
}

/// True if an application has routes by tokens at all of these Gateways in force, and nobody near takes away what reads
/// them.
fn is_in_force(known: &Known, subject: &Subject, gateways: &[&Subject]) -> bool {
    let names = |subject: &Subject| {
        let names = named(subject).into_iter().map(|(name, _)| Some(name));
        names.chain([None]).collect::<Vec<_>>()
    };
    let with_tokens = |before: &Subject| claim(before).map(|_| names(before)).unwrap_or_default();
    let is_before = |name| known.before.refers(subject, name, |own| &own.with_tokens, with_tokens);
    names(subject).iter().all(is_before)
        && !near(known, subject).iter().any(|namespace| known.had_reader(namespace, gateways))
}

fn x149(known: &Known, subject: &Subject, out: &mut Out) {
    let Some(at) = claim(subject) else { return };
    let gateways = gateways(known, subject);
    match gateways.iter().map(|gateway| known.reading(gateway)).max() {
        Some(Reading::There) => return,
        Some(Reading::Elsewhere) => {
            let mut workloads = gateways.iter().filter_map(|gateway| known.workload(gateway));
            if workloads.any(|workload| !workload.homes.is_empty()) {
                let reason =
                    "is a claim, and no RequestAuthentication is where Pods of the gateway are known";
                out.warning(&at, reason, "write one for the gateway");
            }
            return;
        }
        None if known.all(Kind::RequestAuthentication).next().is_some() => return,
        Some(Reading::Nowhere) | None => {}
    }
    let reason = "is a claim, and no RequestAuthentication reads tokens there";
    out.error_if_new(is_in_force(known, subject, &gateways), &at, reason, "write one for the gateway");
}

/// The namespaces whose RequestAuthentications keep a VirtualService from being wrong.
pub(super) fn readers(known: &Known, subject: &Subject) -> BTreeSet<String> {
    if claim(subject).is_none() {
        return BTreeSet::new();
    }
    let (mut readers, gateways) = (near(known, subject), gateways(known, subject));
    let is_read = |namespace: &String| match &*gateways {
        [] => known.in_namespace(Kind::RequestAuthentication, namespace).next().is_some(),
        gateways => gateways.iter().any(|gateway| known.is_read_in(namespace, gateway)),
    };
    if !readers.iter().any(is_read) && !is_in_force(known, subject, &gateways) {
        let others = known.namespaces_with(Kind::RequestAuthentication);
        let mut others = others.filter(|namespace| !readers.contains(*namespace)).take(2);
        // Of two namespaces each may go.
        if let (Some(other), None) = (others.next(), others.next()) {
            readers.insert(other.to_owned());
        }
    }
    readers
}
