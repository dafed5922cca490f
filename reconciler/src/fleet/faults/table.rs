//! All lives that are remembered, and the places for them: shared out by client.

use std::{collections::HashMap, num::NonZeroUsize, time::Duration};

use lru::LruCache;
use policies::wire::{Count, CountedName, FaultCounts, FaultReport, poll::NodeId};

use super::{
    Millis,
    key::Key,
    life::{ALWAYS_TOLD, Life},
    row::{Policy, Row},
};
use crate::clients::{Admission, Client, Shares};

/// The places for lives that poll this replica, and as many for those that others tell of. Each takes one, and one for
/// each of its policies.
pub(super) const MAX_PLACES: usize = 100_000;
/// The most lives that are remembered only to leave their reports out: their counts are in the sums already.
const MAX_FOLDED: NonZeroUsize = NonZeroUsize::MIN.saturating_add(65_535);

/// The most policies.
const MAX_POLICIES: usize = 20_000;

#[derive(Debug)]
pub(super) struct Table {
    /// The lives that poll this replica, and their places.
    pub(super) own: LruCache<Key, Life>,
    pub(super) shares: Shares,
    /// The lives that only other replicas tell of, and the number of their places.
    pub(super) others: LruCache<Key, Life>,
    pub(super) places_of_others: usize,
    pub(super) policies: HashMap<CountedName, Policy>,
    folded: LruCache<Key, ()>,
    pub(super) places: usize,
    /// Some lives or rows had no room.
    pub(super) is_partial: bool,
}

/// The rows of reports that are left out, for each reason.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct LeftOut {
    pub implausible: u64,
    pub unknown: u64,
    pub full: u64,
}

/// Totals of one life of an Envoy, as they are told at a time.
#[derive(Debug)]
pub(super) struct Told<'a> {
    pub(super) key: Key,
    pub(super) node: Key,
    pub(super) at: Millis,
    /// The client that polls for it; none if another replica tells it.
    pub(super) client: Option<Client>,
    pub(super) rows: Vec<(&'a CountedName, FaultCounts<u64>)>,
}

impl Default for Table {
    fn default() -> Self {
        Self::new(MAX_PLACES)
    }
}

impl Table {
    pub(super) fn new(places: usize) -> Self {
        Self {
            own: LruCache::unbounded(),
            shares: Shares::new(places),
            others: LruCache::unbounded(),
            places_of_others: 0,
            policies: HashMap::new(),
            folded: LruCache::unbounded(),
            places,
            is_partial: false,
        }
    }

    /// Takes over a report that came to this replica.
    pub(super) fn reported(
        &mut self,
        now: Millis,
        client: Client,
        node: &NodeId,
        report: &FaultReport,
        is_known: &dyn Fn(&str) -> bool,
    ) -> LeftOut {
        let key = Key::of_life(node, report.epoch());
        let rows = report.rows().iter().map(|row| (&row.name, row.counts.map(Count::get)));
        let rows: Vec<_> = rows.collect();
        self.merge(Told { key, node: Key::of_node(node), at: now, client: Some(client), rows }, now, is_known)
    }

    /// Takes over totals as far as they are greater than those that are known.
    pub(super) fn merge(&mut self, told: Told<'_>, now: Millis, is_known: &dyn Fn(&str) -> bool) -> LeftOut {
        let Told { key, node, at, client, rows } = told;
        let full = LeftOut { full: rows.len() as u64, ..LeftOut::default() };
        // It has all policies that the proxy counts.
        let is_whole = client.is_some() && rows.len() < ALWAYS_TOLD;
        if self.folded.get(&key).is_some() {
            return full;
        }
        let known = self.take(&key);
        let is_new = known.is_none();
        let mut life = known.unwrap_or_else(|| Life::new(node, client, at));
        // What polls here takes places of its client from then on.
        let before = life.client;
        life.client = client.or(before);
        if !self.make_room(life.client, life.places(), now) {
            rows.iter().for_each(|(name, _)| self.lack(name));
            if !is_new {
                self.put(key, Life { client: before, ..life });
            }
            return full;
        }
        let mut left_out = LeftOut::default();
        for (name, counts) in rows {
            // What replicas tell each other has been judged by that which heard it.
            let is_judged = client.is_none();
            if !is_judged && !Row::is_countable(counts) {
                left_out.implausible += 1;
            } else if let Some(row) = life.row(name) {
                match self.policies.get_mut(name).filter(|_| is_judged || row.can_become(counts, at)) {
                    Some(policy) => row.merge(counts, at, policy),
                    None => left_out.implausible += 1,
                }
            } else if !self.policies.contains_key(name)
                && (self.policies.len() >= MAX_POLICIES || !knows(name, is_known))
            {
                left_out.unknown += 1;
            } else if !is_judged && !Row::can_begin_with(counts) {
                left_out.implausible += 1;
            } else if !self.make_room(life.client, life.places().saturating_add(1), now) {
                self.lack(name);
                left_out.full += 1;
            } else {
                let is_partial = self.is_partial;
                let policy = self.policies.entry(name.clone());
                let policy = policy.or_insert_with(|| Policy { is_partial, ..Policy::default() });
                life.begin(name.clone(), counts, at).merge(counts, at, policy);
            }
        }
        life.at = life.at.max(at);
        if is_whole && left_out == LeftOut::default() {
            life.followed = Some(at);
        }
        self.put(key, life);
        left_out
    }

    pub(super) fn lives(&self) -> impl Iterator<Item = &Life> {
        self.own.iter().chain(self.others.iter()).map(|(_, life)| life)
    }

    /// Forgets the policies that are not known, and of which nothing was counted for so long.
    pub(super) fn forget_policies(&mut self, now: Millis, after: Duration, is_known: &dyn Fn(&str) -> bool) {
        let is_old = |policy: &Policy| u128::from(now.saturating_sub(policy.changed)) > after.as_millis();
        let before = self.policies.len();
        self.policies.retain(|name, policy| knows(name, is_known) || !is_old(policy));
        if self.policies.len() == before {
            return;
        }
        let (policies, mut forgotten) = (&self.policies, Vec::new());
        for (_, life) in self.own.iter_mut().chain(self.others.iter_mut()) {
            let before = life.places();
            life.rows.retain(|row| policies.contains_key(&row.name));
            if life.places() < before {
                life.followed = None;
            }
            forgotten.push((life.client, before - life.places()));
        }
        forgotten.into_iter().for_each(|(client, places)| self.release(client, places));
    }

    /// Makes room for so many places among those of a client, or of other replicas; false if there is none.
    fn make_room(&mut self, client: Option<Client>, places: u32, now: Millis) -> bool {
        loop {
            let admission = match client {
                Some(client) => self.shares.admit(client, places),
                None if self.places_of_others.saturating_add(places as usize) <= self.places => {
                    Admission::Free
                }
                None => Admission::Refused,
            };
            let greediest = match admission {
                Admission::Free => return true,
                Admission::Instead(greediest) => Some(greediest),
                Admission::Refused => None,
            };
            let lives = if client.is_some() { &self.own } else { &self.others };
            // The order is that of reports and tellings, and replicas tell of lives that are long over, too.
            let mut oldest_first = lives.iter().rev();
            let silent = oldest_first.find(|(_, life)| life.is_over(now));
            let of_greediest = || {
                let of_it =
                    lives.iter().rev().filter(|(_, life)| greediest.is_some() && life.client == greediest);
                of_it.min_by_key(|(_, life)| life.at)
            };
            match silent.or_else(of_greediest).map(|(key, _)| *key) {
                Some(key) => self.fold(key),
                None => return false,
            }
        }
    }

    /// Gives up what is known of a life. Its counts stay in the sums, and so its later reports are left out.
    fn fold(&mut self, key: Key) {
        let Some(life) = self.take(&key) else { return };
        life.rows.iter().for_each(|row| self.lack(&row.name));
        if self.folded.len() >= MAX_FOLDED.get() {
            self.folded.pop_lru();
        }
        self.folded.put(key, ());
    }

    /// Notes that reports of a policy are left out.
    fn lack(&mut self, name: &CountedName) {
        self.is_partial = true;
        if let Some(policy) = self.policies.get_mut(name) {
            policy.is_partial = true;
        }
    }

    /// Takes out a life, with its places.
    fn take(&mut self, key: &Key) -> Option<Life> {
        let life = self.own.pop(key).or_else(|| self.others.pop(key))?;
        self.release(life.client, life.places());
        Some(life)
    }

    fn put(&mut self, key: Key, life: Life) {
        match life.client {
            Some(client) => {
                self.shares.add(client, life.places());
                self.own.put(key, life);
            }
            None => {
                self.places_of_others += life.places() as usize;
                self.others.put(key, life);
            }
        }
    }

    fn release(&mut self, client: Option<Client>, places: u32) {
        match client {
            Some(client) => self.shares.remove(client, places),
            None => self.places_of_others = self.places_of_others.saturating_sub(places as usize),
        }
    }
}

/// Any filter may count under the name for the policies that are too many for it.
fn knows(name: &CountedName, is_known: &dyn Fn(&str) -> bool) -> bool {
    *name == CountedName::Other || is_known(name.as_str())
}
