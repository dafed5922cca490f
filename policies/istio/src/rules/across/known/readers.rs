//! The RequestAuthentications that read tokens at Gateways.

use std::{
    cell::RefCell,
    collections::{BTreeMap, BTreeSet},
};

use super::{
    Known,
    selected::{is_wide, labels},
};
use crate::{resource::Kind, rules::subject::Subject};

/// The most RequestAuthentications that are looked at for a Gateway, of each of its namespaces and of all others, and the most
/// Pods for each of them. Of more nobody knows that none is for it.
const MOST_READERS: usize = 16;

/// Where tokens are read for a Gateway.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(in crate::rules::across) enum Reading {
    Nowhere,
    /// Where no Pods of it are known. There may be some.
    Elsewhere,
    /// In the root namespace, in that of the Gateway, or where some of its Pods are.
    There,
}

/// Where tokens are read for each Gateway: many VirtualServices name one.
pub(super) type Readings = RefCell<BTreeMap<usize, Reading>>;

impl<'a> Known<'a> {
    pub(in crate::rules::across) fn reading(&self, gateway: &Subject) -> Reading {
        let known = self.readings.borrow().get(&gateway.rank).copied();
        known.unwrap_or_else(|| {
            let found = self.find_reading(gateway);
            self.readings.borrow_mut().insert(gateway.rank, found);
            found
        })
    }

    /// The namespaces where Pods of a Gateway are most likely.
    fn homes<'k>(&'k self, gateway: &'k Subject) -> BTreeSet<&'k str> {
        let workload = self.workload(gateway);
        let homes = workload.into_iter().flat_map(|workload| &workload.homes).copied();
        homes.chain([&*gateway.resource.namespace, &self.around.root_namespace]).collect()
    }

    fn find_reading(&self, gateway: &Subject) -> Reading {
        let homes = self.homes(gateway);
        if homes.iter().any(|home| self.is_read_in(home, gateway)) {
            return Reading::There;
        }
        let others = self.namespaces_with(Kind::RequestAuthentication);
        let others = others.filter(|namespace| !homes.contains(namespace));
        let readers = others.flat_map(|other| self.in_namespace(Kind::RequestAuthentication, other));
        if self.are_read(readers, gateway) { Reading::Elsewhere } else { Reading::Nowhere }
    }

    /// True if a RequestAuthentication of a namespace may read tokens at a Gateway.
    pub(in crate::rules::across) fn is_read_in(&self, namespace: &str, gateway: &Subject) -> bool {
        self.are_read(self.in_namespace(Kind::RequestAuthentication, namespace), gateway)
    }

    /// True if one of these may read tokens at a Gateway.
    pub(super) fn are_read<'k>(
        &self,
        readers: impl Iterator<Item = &'k Subject<'a>>,
        gateway: &Subject,
    ) -> bool
    where
        'a: 'k,
    {
        let mut readers = readers.enumerate();
        readers.any(|(number, reader)| number == MOST_READERS || self.reads_at(reader, gateway))
    }

    /// False if a RequestAuthentication is known to be for other Pods than those of a Gateway.
    fn reads_at(&self, reader: &Subject, gateway: &Subject) -> bool {
        let (wanted, of_gateway) = (labels(reader), labels(gateway));
        if is_wide(reader) || wanted.is_empty() {
            return true;
        }
        // A label has one value.
        let differs = |(key, value): &(&str, &str)| {
            wanted.iter().any(|(other, theirs)| key == other && value != theirs)
        };
        if of_gateway.iter().any(differs) {
            return false;
        }
        let own = &*reader.resource.namespace;
        let is_root = own == self.around.root_namespace;
        let mut are_known = false;
        for (number, pod) in self.pods.with((!is_root).then_some(own), &wanted).enumerate() {
            if number == MOST_READERS || pod.has(of_gateway.iter().copied()) {
                return true;
            }
            // Nobody says by Pods of his own for which Pods one of the root namespace is.
            are_known |= !is_root || self.is_own(&pod.namespace, &gateway.resource.namespace);
        }
        !are_known
    }
}
