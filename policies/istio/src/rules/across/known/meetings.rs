//! Resources that meet at something, such as a host, each under some names, or under all of them.

use std::collections::{BTreeMap, BTreeSet};

use super::pair::Pair;

/// The names of a resource at something that others have too.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Names<N> {
    All,
    Some(BTreeSet<N>),
}

#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Place<N> {
    /// What has any name.
    Any,
    /// What has all names.
    All,
    Name(N),
}

/// The first resource of each place, and the first one of another party: never a comparison of each two of them.
#[derive(Debug)]
pub(super) struct Meetings<K, N, P>(BTreeMap<(K, Place<N>), Pair<P>>);

impl<K, N, P> Default for Meetings<K, N, P> {
    fn default() -> Self {
        Self(BTreeMap::new())
    }
}

impl<K: Ord + Clone, N: Ord + Clone, P: Copy + PartialEq> Meetings<K, N, P> {
    pub(super) fn add(&mut self, key: &K, names: &Names<N>, party: P, number: usize) {
        let places = match names {
            Names::All => vec![Place::All],
            Names::Some(names) => names.iter().cloned().map(Place::Name).collect(),
        };
        for place in places.into_iter().chain([Place::Any]) {
            self.0.entry((key.clone(), place)).or_default().add(party, number);
        }
    }

    /// The first resource of another party that shares a name, and the name; none where one of them has all.
    pub(super) fn other(&self, key: &K, names: &Names<N>, party: P) -> Option<(usize, Option<N>)> {
        let places = match names {
            Names::All => vec![Place::Any],
            Names::Some(names) => names.iter().cloned().map(Place::Name).chain([Place::All]).collect(),
        };
        let others = places.into_iter().filter_map(|place| {
            let at = (key.clone(), place);
            let number = self.0.get(&at)?.unlike(party)?;
            let Place::Name(name) = at.1 else { return Some((number, None)) };
            Some((number, Some(name)))
        });
        others.min_by_key(|(number, _)| *number)
    }
}
