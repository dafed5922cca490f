//! The lives that are remembered, and the places for them: shared out by client.

use std::{
    cmp::Reverse,
    collections::{BTreeMap, BTreeSet},
};

use policies::wire::{CountedName, FaultCounts};

use super::{
    Millis,
    key::{Key, LifeKey},
    life::Life,
    silent::Silent,
};
use crate::clients::{Admission, Client, Shares};

/// The most lives of a client that are compared to find an old one.
const MOST_COMPARED: usize = 16;

#[derive(Debug)]
pub(super) struct Lives {
    /// Those of one proxy lie beside each other.
    lives: BTreeMap<LifeKey, Life>,
    /// Those that poll this replica, by client. One that is taken out for a moment stays here.
    by_client: BTreeSet<(Client, LifeKey)>,
    /// Their places.
    own: Shares,
    /// The number of places of those that only other replicas tell of.
    others: usize,
    /// As many as there are for each of both.
    places: usize,
    silent_own: Silent,
    silent_others: Silent,
}

/// What a replica tells of a life.
#[derive(Debug)]
pub(super) struct Copied {
    pub(super) key: LifeKey,
    pub(super) polled: Millis,
    pub(super) rows: Vec<(CountedName, FaultCounts<u64>)>,
}

impl Lives {
    pub(super) fn new(places: usize) -> Self {
        Self {
            lives: BTreeMap::new(),
            by_client: BTreeSet::new(),
            own: Shares::new(places),
            others: 0,
            places,
            silent_own: Silent::default(),
            silent_others: Silent::default(),
        }
    }

    /// All lives, by proxy.
    pub(super) fn iter(&self) -> impl Iterator<Item = (&LifeKey, &Life)> {
        self.lives.iter()
    }

    /// The lives of a proxy.
    pub(super) fn of_node(&self, node: Key) -> impl Iterator<Item = (&LifeKey, &Life)> {
        self.lives.range(LifeKey::all_of(node))
    }

    /// One of the lives of a proxy.
    pub(super) fn one_of_node(&mut self, node: Key) -> Option<&mut Life> {
        self.lives.range_mut(LifeKey::all_of(node)).next().map(|(_, life)| life)
    }

    /// Takes out a life, with its places. It is put back, or is removed.
    pub(super) fn take(&mut self, key: &LifeKey) -> Option<Life> {
        let life = self.lives.remove(key)?;
        self.release(life.client, life.places());
        Some(life)
    }

    pub(super) fn put(&mut self, key: LifeKey, life: Life) {
        match life.client {
            Some(client) => {
                self.own.add(client, life.places());
                self.by_client.insert((client, key));
            }
            None => self.others += life.places() as usize,
        }
        self.lives.insert(key, life);
    }

    pub(super) fn remove(&mut self, key: &LifeKey) -> Option<Life> {
        let life = self.take(key)?;
        self.forget_client(*key, life.client);
        Some(life)
    }

    /// A life that was taken out polls for this client no more.
    pub(super) fn forget_client(&mut self, key: LifeKey, client: Option<Client>) {
        if let Some(client) = client {
            self.by_client.remove(&(client, key));
        }
    }

    /// Removes the rows of all policies but those to keep.
    pub(super) fn keep_rows(&mut self, keep: impl Fn(&CountedName) -> bool) {
        let mut released = Vec::new();
        for life in self.lives.values_mut() {
            let before = life.places();
            life.rows.retain(|row| keep(&row.name));
            if life.places() < before {
                life.followed = None;
                released.push((life.client, before - life.places()));
            }
        }
        released.into_iter().for_each(|(client, places)| self.release(client, places));
    }

    /// Tells whether there are so many places more for a client, or for other replicas.
    pub(super) fn admit(&self, client: Option<Client>, places: u32) -> Admission {
        match client {
            Some(client) => self.own.admit(client, places),
            None if self.others.saturating_add(places as usize) <= self.places => Admission::Free,
            None => Admission::Refused,
        }
    }

    /// One that has been silent for long, the oldest first: of those that poll here, or of the others.
    pub(super) fn silent(&mut self, is_own: bool, now: Millis) -> Option<LifeKey> {
        let silent = if is_own { &mut self.silent_own } else { &mut self.silent_others };
        let of_kind = self.lives.iter().filter(|(_, life)| life.client.is_some() == is_own);
        silent.look(now, || of_kind.filter(|(_, life)| life.is_over(now)).map(|(key, life)| (life.at, *key)));
        // Some may have reported, or gone, since they were found.
        let is_silent = |life: &Life| life.client.is_some() == is_own && life.is_over(now);
        std::iter::from_fn(|| silent.oldest()).find(|key| self.lives.get(key).is_some_and(is_silent))
    }

    /// One of a client, of some of its lives that which was heard of longest ago: it may have very many.
    pub(super) fn old_one_of(&self, client: Client) -> Option<LifeKey> {
        let of_client = self.by_client.range((client, LifeKey::FIRST)..=(client, LifeKey::LAST));
        let known = of_client.filter_map(|(_, key)| Some((self.lives.get(key)?.at, *key)));
        known.take(MOST_COMPARED).min().map(|(_, key)| key)
    }

    /// The newest of those that poll this replica, and the last poll of those that are left out.
    pub(super) fn newest(&self, most: usize) -> (Vec<Copied>, Option<Millis>) {
        let own = self.lives.iter().filter(|(_, life)| life.client.is_some());
        let mut own: Vec<_> = own.map(|(key, life)| (Reverse(life.polled), key, life)).collect();
        let further = if own.len() > most {
            let (_, (Reverse(polled), ..), _) = own.select_nth_unstable_by_key(most, |(polled, ..)| *polled);
            Some(*polled)
        } else {
            None
        };
        own.truncate(most);
        let copied = |(Reverse(polled), key, life): (_, &LifeKey, &Life)| Copied {
            key: *key,
            polled,
            rows: life.rows.iter().map(|row| (row.name.clone(), row.totals)).collect(),
        };
        (own.into_iter().map(copied).collect(), further)
    }

    fn release(&mut self, client: Option<Client>, places: u32) {
        match client {
            Some(client) => self.own.remove(client, places),
            None => self.others = self.others.saturating_sub(places as usize),
        }
    }

    /// How often all lives were looked through.
    #[cfg(test)]
    pub(super) fn searches(&self) -> usize {
        self.silent_own.searches + self.silent_others.searches
    }

    #[cfg(test)]
    pub(super) fn check_places(&self) {
        let of = |is_own: bool| {
            let of_kind = self.lives.values().filter(|life| life.client.is_some() == is_own);
            of_kind.map(|life| life.places() as usize).sum::<usize>()
        };
        assert_eq!((of(true), of(false)), (self.own.taken(), self.others));
        let own = self.lives.iter().filter_map(|(key, life)| Some((life.client?, *key)));
        assert_eq!(own.collect::<BTreeSet<_>>(), self.by_client);
        assert!(self.own.taken() <= self.places && self.others <= self.places);
    }
}
