//! What is known of all lives and policies, and the room for it.

use std::{collections::HashMap, time::Duration};

use policies::wire::CountedName;

use super::{
    Millis,
    folded::{Folded, GivenUp, MAX_FOLDED},
    key::{Key, LifeKey},
    life::{Life, is_over},
    lives::Lives,
    row::Policy,
};
use crate::clients::Admission;

/// The places for lives that poll this replica, and as many for those that others tell of. Each takes one, and one for
/// each of its policies.
const MAX_PLACES: usize = 100_000;
/// The most lives of one proxy that poll this replica. One has room if another has been silent for 16 minutes: Kubernetes
/// starts a container that crashes again and again 8 times in that time.
const MAX_OF_NODE: usize = 16;
/// The most policies.
const MAX_POLICIES: usize = 20_000;

#[derive(Debug)]
pub(super) struct Table {
    pub(super) lives: Lives,
    pub(super) policies: HashMap<CountedName, Policy>,
    pub(super) folded: Folded,
    /// The last time at which a life or a row had no room.
    crowded: Option<Millis>,
}

impl Default for Table {
    fn default() -> Self {
        Self::new(MAX_PLACES, MAX_FOLDED.get())
    }
}

impl Table {
    /// `folded`: the most lives that are remembered only to leave their reports out.
    pub(super) fn new(places: usize, folded: usize) -> Self {
        let (lives, folded) = (Lives::new(places), Folded::new(folded));
        Self { lives, policies: HashMap::new(), folded, crowded: None }
    }

    /// Some reports of the last 16 minutes had no room.
    pub(super) fn is_crowded(&self, now: Millis) -> bool {
        self.crowded.is_some_and(|crowded| !is_over(crowded, now))
    }

    /// Forgets the policies that are not known, and of which nothing was counted for so long.
    pub(super) fn forget_policies(&mut self, now: Millis, after: Duration, is_known: &dyn Fn(&str) -> bool) {
        let is_old = |policy: &Policy| u128::from(now.saturating_sub(policy.changed)) > after.as_millis();
        let (before, policies) = (self.policies.len(), &mut self.policies);
        policies.retain(|name, policy| knows(name, is_known) || !is_old(policy));
        if policies.len() < before {
            self.lives.keep_rows(|name| policies.contains_key(name));
        }
    }

    /// True if there is or was such a policy, and there are not too many.
    pub(super) fn counts(&self, name: &CountedName, is_known: &dyn Fn(&str) -> bool) -> bool {
        self.policies.contains_key(name) || self.policies.len() < MAX_POLICIES && knows(name, is_known)
    }

    /// Notes that there is no room.
    pub(super) fn crowd(&mut self, now: Millis) {
        self.crowded = Some(now);
    }

    /// Notes that a report of a policy is left out for want of room.
    pub(super) fn lack(&mut self, name: &CountedName, is_known: &dyn Fn(&str) -> bool) {
        if self.counts(name, is_known) {
            self.policies.entry(name.clone()).or_default().is_partial = true;
        }
    }

    /// Notes that a report of a proxy is left out, if it has a life that is remembered.
    pub(super) fn lack_of_node(&mut self, node: Key) {
        if let Some(life) = self.lives.one_of_node(node) {
            life.is_partial = true;
        }
    }

    /// Makes room for a life of a proxy that is not among those that poll here; false if too many of them began of late.
    pub(super) fn make_room_of_node(&mut self, node: Key, life: &mut Life, now: Millis) -> bool {
        let own = || self.lives.of_node(node).filter(|(_, life)| life.client.is_some());
        if own().count() < MAX_OF_NODE {
            return true;
        }
        let oldest = own().min_by_key(|(_, life)| life.at);
        let Some(silent) = oldest.filter(|(_, life)| life.is_over(now)).map(|(key, _)| *key) else {
            self.lack_of_node(node);
            return false;
        };
        self.fold(silent, (node, life), now);
        true
    }

    /// Makes room for a life of a proxy, with so many rows more; false if there is none.
    pub(super) fn make_room(&mut self, node: Key, life: &mut Life, more: u32, now: Millis) -> bool {
        let (client, places) = (life.client, life.places().saturating_add(more));
        loop {
            let greediest = match self.lives.admit(client, places) {
                Admission::Free => return true,
                Admission::Instead(greediest) => Some(greediest),
                Admission::Refused => None,
            };
            let silent = self.lives.silent(client.is_some(), now);
            match silent.or_else(|| self.lives.old_one_of(greediest?)) {
                Some(key) => self.fold(key, (node, &mut *life), now),
                None => {
                    self.crowd(now);
                    return false;
                }
            }
        }
    }

    /// Gives up what is known of a life. Its counts stay in the sums of its policies, and in those of its proxy if that has
    /// another life: perhaps the one that needs the room.
    fn fold(&mut self, key: LifeKey, (node, life): (Key, &mut Life), now: Millis) {
        let Some(folded) = self.lives.remove(&key) else { return };
        for row in &folded.rows {
            if let Some(policy) = self.policies.get_mut(&row.name) {
                policy.folded = Some(now);
            }
        }
        let heir = if key.node == node { Some(life) } else { self.lives.one_of_node(key.node) };
        if let Some(heir) = heir {
            heir.inherit(&folded);
        }
        let was_alive = !folded.is_over(now);
        if was_alive {
            self.crowd(now);
        }
        self.folded.put(key, folded.client, GivenUp { until: folded.at, was_alive });
    }
}

/// Any filter may count under the name for the policies that are too many for it.
fn knows(name: &CountedName, is_known: &dyn Fn(&str) -> bool) -> bool {
    *name == CountedName::Other || is_known(name.as_str())
}
