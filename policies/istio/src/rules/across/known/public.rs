//! Public hosts at Gateways, and the namespaces that route them.

mod hosts;

use std::collections::BTreeSet;

pub(in crate::rules::across) use self::hosts::At;
use self::hosts::of_virtual_service;
pub(super) use self::hosts::{Gateway, Public, public};
use super::{
    Known,
    meetings::{Meetings, Names},
};
use crate::{field::Field, resource::Kind, rules::subject::Subject};

/// The public hosts of a repository.
#[derive(Debug, Default)]
pub(super) struct PublicHosts<'a> {
    by_namespace: Meetings<At<'a>, Gateway<'a>, &'a str>,
    /// VirtualServices by their namespace.
    by_number: Meetings<(&'a str, At<'a>), Gateway<'a>, usize>,
    /// The hosts that Gateways of Istio take from a namespace that they name.
    admitted: BTreeSet<(Gateway<'a>, &'a str, &'a str)>,
}

/// A public host that another namespace has too.
pub(in crate::rules::across) struct Shared<'k, 'a> {
    pub(in crate::rules::across) host: Public<'a>,
    /// The Gateways where they may meet; none for all.
    pub(in crate::rules::across) gateways: Vec<Option<Gateway<'a>>>,
    pub(in crate::rules::across) other: &'k Subject<'a>,
}

impl<'a> PublicHosts<'a> {
    pub(super) fn new(known: &Known<'a>) -> Self {
        let mut found = Self::default();
        for subject in known.subjects() {
            let namespace = &*subject.resource.namespace;
            let hosts = public(known, subject);
            let is_compared = subject.kind() == Kind::VirtualService && is_small(&hosts);
            for Public { at, names, .. } in hosts {
                found.by_namespace.add(&at, &names, namespace, subject.rank);
                if is_compared {
                    found.by_number.add(&(namespace, at), &names, subject.rank, subject.rank);
                }
            }
        }
        for gateway in known.all(Kind::Gateway) {
            let own = (&*gateway.resource.namespace, &*gateway.resource.name);
            let entries = gateway.each("servers").flat_map(|server| server.get("hosts").texts());
            let entries = entries.filter_map(|(entry, _)| entry.split_once('/'));
            let admitted = entries.map(|(from, host)| (own, if from == "." { own.0 } else { from }, host));
            found.admitted.extend(admitted);
        }
        found
    }
}

impl<'a> Known<'a> {
    /// The public hosts that another namespace has at the same Gateway, but for those that the Gateway takes from
    /// both by name.
    pub(in crate::rules::across) fn shared_hosts<'k>(&'k self, subject: &Subject<'a>) -> Vec<Shared<'k, 'a>> {
        let own = &*subject.resource.namespace;
        let shared = public(self, subject).into_iter().filter_map(|host| {
            let (number, gateway) = self.public.by_namespace.other(&host.at, &host.names, own)?;
            let is_admitted = host.at.0.is_none()
                && gateway.is_some_and(|gateway| self.public.admitted.contains(&(gateway, own, &host.at.1)));
            let other = self.subject(number).filter(|_| !is_admitted)?;
            let gateways = if gateway.is_some() { vec![gateway] } else { host.names() };
            Some(Shared { host, gateways, other })
        });
        shared.collect()
    }

    /// The public hosts of a VirtualService that an earlier one of its namespace has at the same Gateway.
    pub(in crate::rules::across) fn split_hosts<'k>(
        &'k self,
        subject: &Subject<'a>,
    ) -> Vec<(Field<'a>, &'k Subject<'a>)> {
        let own = &*subject.resource.namespace;
        let hosts = of_virtual_service(self, subject);
        let hosts = if is_small(&hosts) { hosts } else { Vec::new() };
        let split = hosts.into_iter().filter_map(|public| {
            let (number, _) = self.public.by_number.other(&(own, public.at), &public.names, subject.rank)?;
            let other = self.subject(number).filter(|other| other.rank < subject.rank)?;
            Some((public.field, other))
        });
        split.collect()
    }
}

/// True for hosts at Gateways that are few enough to be compared for a warning alone.
fn is_small(hosts: &[Public]) -> bool {
    hosts.first().is_none_or(|host| match &*host.names {
        Names::All => false,
        Names::Some(names) => names.len().saturating_mul(hosts.len()) <= 64,
    })
}
