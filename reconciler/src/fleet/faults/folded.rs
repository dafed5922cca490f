//! The lives that were given up. Their counts stay in the sums, and so their later reports are left out.

use std::num::NonZeroUsize;

use lru::LruCache;

use super::{Millis, key::LifeKey};
use crate::clients::{Admission, Client, Shares};

/// The most of them that polled this replica, and the most of the others.
pub(super) const MAX_FOLDED: NonZeroUsize = NonZeroUsize::MIN.saturating_add(65_535);

/// A life that was given up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct GivenUp {
    /// The time of its last report that is in the sums.
    pub(super) until: Millis,
    /// It had not been silent for long.
    pub(super) was_alive: bool,
}

/// A life that is dropped from here counts a second time if it reports again. So a client that has many lives given up
/// loses only its own: it can make up what it reports anyway.
#[derive(Debug)]
pub(super) struct Folded {
    own: LruCache<LifeKey, (Client, GivenUp)>,
    shares: Shares,
    others: LruCache<LifeKey, GivenUp>,
}

impl Folded {
    /// `most`: the most lives that polled this replica.
    pub(super) fn new(most: usize) -> Self {
        Self { own: LruCache::unbounded(), shares: Shares::new(most), others: LruCache::new(MAX_FOLDED) }
    }

    /// A life, if it was given up. It is then dropped last.
    pub(super) fn get(&mut self, key: &LifeKey) -> Option<GivenUp> {
        self.own.get(key).map(|(_, life)| *life).or_else(|| self.others.get(key).copied())
    }

    pub(super) fn put(&mut self, key: LifeKey, client: Option<Client>, life: GivenUp) {
        let Some(client) = client else {
            self.others.put(key, life);
            return;
        };
        match self.shares.admit(client, 1) {
            Admission::Free => {}
            Admission::Instead(greediest) => self.drop_oldest_of(greediest),
            Admission::Refused => self.drop_oldest_of(client),
        }
        self.shares.add(client, 1);
        self.own.put(key, (client, life));
    }

    fn drop_oldest_of(&mut self, client: Client) {
        let of_client = self.own.iter().rev().find(|(_, (of, _))| *of == client).map(|(key, _)| *key);
        // If each client has one, the oldest of all.
        let dropped = of_client.or_else(|| self.own.peek_lru().map(|(key, _)| *key));
        if let Some((client, _)) = dropped.and_then(|key| self.own.pop(&key)) {
            self.shares.remove(client, 1);
        }
    }
}

#[cfg(test)]
mod tests {
    use policies::wire::{Epoch, poll::NodeId};

    use super::{Client, Folded, GivenUp, LifeKey};
    use crate::clients::Prefixes;

    const LIFE: GivenUp = GivenUp { until: 7, was_alive: false };

    fn client(number: u8) -> Option<Client> {
        Some(Prefixes::default().client(std::net::Ipv4Addr::new(10, 0, 0, number).into()))
    }

    fn key(number: usize) -> LifeKey {
        LifeKey::new(&NodeId::parse(&format!("n{number}")).unwrap(), &Epoch::parse("e").unwrap())
    }

    #[test]
    fn a_client_that_has_many_lives_given_up_drops_only_its_own() {
        let mut folded = Folded::new(8);
        for number in 0..2 {
            folded.put(key(number), client(1), LIFE);
        }
        for number in 2..50 {
            folded.put(key(number), client(2), LIFE);
        }
        for number in 50..52 {
            folded.put(key(number), client(3), LIFE);
        }
        let known = (0..52).filter(|number| folded.get(&key(*number)).is_some()).collect::<Vec<_>>();
        assert_eq!(known, [0, 1, 46, 47, 48, 49, 50, 51]);
    }
}
