//! The RequestAuthentications that read tokens at Gateways.

use std::{
    cell::RefCell,
    collections::{BTreeMap, BTreeSet},
};

use super::{Known, selected::labels, workloads::Workload};
use crate::{rules::subject::Subject, surroundings::PodTemplate};

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

/// RequestAuthentications by namespace.
#[derive(Debug, Default)]
pub(super) struct Readers<'a> {
    /// With a number for each namespace. Of each those that are looked at, and one more.
    by_namespace: BTreeMap<&'a str, (usize, Vec<Reader<'a>>)>,
    /// By a namespace and a selector of Gateways of a namespace, true where one may read tokens: many VirtualServices name one
    /// Gateway.
    read_in: Found<(usize, usize), bool>,
    /// Where tokens are read for a selector of Gateways of a namespace.
    readings: Found<usize, Reading>,
}

/// The answers that were found.
type Found<K, T> = RefCell<BTreeMap<K, T>>;

/// A RequestAuthentication, as far as it is for some Pods alone.
#[derive(Debug)]
struct Reader<'a> {
    namespace: &'a str,
    /// Those of its selector, in the order of their keys.
    labels: Vec<(&'a str, &'a str)>,
    /// The Pods that it selects: those that are looked at, and one more.
    pods: Vec<&'a PodTemplate>,
}

impl<'a> Readers<'a> {
    pub(super) fn new<'s>(known: &Known<'a>, readers: impl Iterator<Item = &'s Subject<'a>>) -> Self
    where
        'a: 's,
    {
        let mut found = Self::default();
        for subject in readers {
            let namespace = &*subject.resource.namespace;
            let next = found.by_namespace.len();
            let (_, of_namespace) = found.by_namespace.entry(namespace).or_insert((next, Vec::new()));
            if of_namespace.len() > MOST_READERS {
                continue;
            }
            let labels = labels(subject);
            let home = (namespace != known.around.root_namespace).then_some(namespace);
            let pods = known.pods.with(home, &labels).take(MOST_READERS + 1).collect();
            of_namespace.push(Reader { namespace, labels, pods });
        }
        found
    }

    pub(super) fn has(&self, namespace: &str) -> bool {
        self.by_namespace.contains_key(namespace)
    }

    /// True if one of a namespace may read tokens at a Gateway.
    pub(super) fn are_in(&self, namespace: &str, gateway: &Subject, known: &Known) -> bool {
        let Some((number, readers)) = self.by_namespace.get(namespace) else { return false };
        let Some((selector, workload)) = known.numbered_workload(gateway) else { return true };
        once(&self.read_in, (*number, selector), || are_some(readers.iter(), gateway, workload, known))
    }

    fn reading(&self, gateway: &Subject, known: &Known) -> Reading {
        let Some((selector, workload)) = known.numbered_workload(gateway) else { return Reading::There };
        once(&self.readings, selector, || {
            let own = [&*gateway.resource.namespace, &known.around.root_namespace];
            let homes: BTreeSet<_> = workload.homes.iter().copied().chain(own).collect();
            if homes.iter().any(|home| self.are_in(home, gateway, known)) {
                return Reading::There;
            }
            let others = self.by_namespace.iter().filter(|(namespace, _)| !homes.contains(*namespace));
            let others = others.flat_map(|(_, (_, readers))| readers);
            if are_some(others, gateway, workload, known) { Reading::Elsewhere } else { Reading::Nowhere }
        })
    }
}

/// An answer, found once.
fn once<K: Ord + Copy, T: Copy>(answers: &Found<K, T>, key: K, find: impl FnOnce() -> T) -> T {
    let known = answers.borrow().get(&key).copied();
    known.unwrap_or_else(|| {
        let found = find();
        answers.borrow_mut().insert(key, found);
        found
    })
}

/// True if one of these may read tokens at a Gateway.
fn are_some<'r, 'a: 'r>(
    readers: impl Iterator<Item = &'r Reader<'a>>,
    gateway: &Subject,
    workload: &Workload,
    known: &Known,
) -> bool {
    let mut readers = readers.enumerate();
    readers.any(|(number, reader)| number == MOST_READERS || reader.is_at(gateway, workload, known))
}

impl Reader<'_> {
    /// False if it is known to be for other Pods than those of a Gateway.
    fn is_at(&self, gateway: &Subject, workload: &Workload, known: &Known) -> bool {
        if self.labels.is_empty() {
            return true;
        }
        // A label has one value.
        let differs = |(key, value): &(&str, &str)| {
            let own = self.labels.binary_search_by_key(key, |(key, _)| *key).ok();
            own.and_then(|at| self.labels.get(at)).is_some_and(|(_, own)| own != value)
        };
        if workload.labels.iter().any(differs) {
            return false;
        }
        let is_root = self.namespace == known.around.root_namespace;
        let mut are_known = false;
        for (number, pod) in self.pods.iter().enumerate() {
            if number == MOST_READERS || pod.has(workload.labels.iter().copied()) {
                return true;
            }
            // Nobody says by Pods of his own for which Pods one of the root namespace is.
            are_known |= !is_root || known.is_own(&pod.namespace, &gateway.resource.namespace);
        }
        !are_known
    }
}

impl Known<'_> {
    pub(in crate::rules::across) fn reading(&self, gateway: &Subject) -> Reading {
        self.readers.reading(gateway, self)
    }

    /// True if a RequestAuthentication of a namespace may read tokens at a Gateway.
    pub(in crate::rules::across) fn is_read_in(&self, namespace: &str, gateway: &Subject) -> bool {
        self.readers.are_in(namespace, gateway, self)
    }
}
