//! The public hosts of a resource.

use std::{collections::BTreeSet, rc::Rc};

use crate::{
    field::Field,
    resource::Kind,
    rules::{
        across::known::{
            Known,
            meetings::Names,
            scope::{COMBINATIONS, is_for_own_namespace},
        },
        subject::Subject,
    },
};

/// The Gateway of a resource, by its namespace and name.
pub(in crate::rules::across) type Gateway<'a> = (&'a str, &'a str);

/// A host as a Gateway of the Gateway API has it, or any of Istio.
pub(in crate::rules::across) type At<'a> = (Option<Gateway<'a>>, Rc<str>);

/// A host that a resource routes at Gateways.
#[derive(Debug)]
pub(in crate::rules::across) struct Public<'a> {
    pub(in crate::rules::across) at: At<'a>,
    /// Gateways of Istio, or listeners of the one of the Gateway API.
    pub(in crate::rules::across::known) names: Rc<Names<Gateway<'a>>>,
    pub(in crate::rules::across) field: Field<'a>,
}

impl<'a> Public<'a> {
    /// The names of the Gateways or listeners; none for all.
    pub(in crate::rules::across::known) fn names(&self) -> Vec<Option<Gateway<'a>>> {
        match &*self.names {
            Names::All => vec![None],
            Names::Some(names) => names.iter().copied().map(Some).collect(),
        }
    }
}

/// The Gateways of Istio that a VirtualService names.
fn gateways<'a>(subject: &Subject<'a>) -> BTreeSet<Gateway<'a>> {
    let own = &*subject.resource.namespace;
    let names = subject.get("gateways").texts().filter(|(name, _)| *name != "mesh");
    let named = names.map(|(text, _)| match text.split_once('/') {
        Some((".", name)) => (own, name),
        Some(named) => named,
        None => (own, text),
    });
    // Proxies of other namespaces do not see it.
    let is_hidden = is_for_own_namespace(subject);
    named.filter(|(namespace, _)| !is_hidden || *namespace == own).collect()
}

pub(super) fn of_virtual_service<'a>(known: &Known, subject: &Subject<'a>) -> Vec<Public<'a>> {
    let (gateways, hosts) = (gateways(subject), subject.get("hosts"));
    if subject.kind() != Kind::VirtualService || gateways.is_empty() {
        return Vec::new();
    }
    let too_many = gateways.len().saturating_mul(hosts.len()) > COMBINATIONS / 2;
    let names = Rc::new(if too_many { Names::All } else { Names::Some(gateways) });
    let public = |(host, field): (&str, Field<'a>)| Public {
        at: (None, known.full(host, &subject.resource.namespace).into()),
        names: Rc::clone(&names),
        field,
    };
    hosts.texts().map(public).collect()
}

/// The API takes 32 parents and 16 names of hosts at most.
fn of_route<'a>(subject: &Subject<'a>) -> Vec<Public<'a>> {
    let own = &*subject.resource.namespace;
    let parents = subject.each("parentRefs").take(32);
    let parents = parents.filter(|parent| parent.get("kind").text().is_none_or(|kind| kind == "Gateway"));
    let of_parent = |parent: Field<'a>| {
        let namespace = parent.get("namespace").text().unwrap_or(own);
        let (gateway, section) = ((namespace, parent.word("name")), parent.word("sectionName"));
        let names =
            if section.is_empty() { Names::All } else { Names::Some(BTreeSet::from([("", section)])) };
        let names = Rc::new(names);
        let hosts = subject.get("hostnames").texts().take(16);
        let public = hosts.map(|(host, field)| Public {
            at: (Some(gateway), host.to_ascii_lowercase().into()),
            names: Rc::clone(&names),
            field,
        });
        public.collect::<Vec<_>>()
    };
    parents.flat_map(of_parent).collect()
}

/// The public hosts of a resource.
pub(in crate::rules::across::known) fn public<'a>(known: &Known, subject: &Subject<'a>) -> Vec<Public<'a>> {
    match subject.kind() {
        Kind::VirtualService => of_virtual_service(known, subject),
        Kind::HttpRoute | Kind::GrpcRoute => of_route(subject),
        _ => Vec::new(),
    }
}
