//! Fair shares of what there is not enough of for everybody, and what can be taken back from a client.
//!
//! While there is enough, a client may have all it wants. When there is not, a client that has less than its
//! share gets it from the one that has most.

use std::collections::{BTreeSet, HashMap};

use crate::client::Client;

/// The amounts of one resource that clients hold.
#[derive(Debug)]
pub struct Shares {
    limit: u32,
    taken: u32,
    held: HashMap<Client, u32>,
    /// The same, by amount.
    amounts: BTreeSet<(u32, Client)>,
}

/// The answer to a client that wants some more.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Admission {
    Free,
    /// There is some once this client, which has more than its share, gives some back.
    Instead(Client),
    Refused,
}

impl Shares {
    pub fn new(limit: usize) -> Self {
        let limit = u32::try_from(limit).unwrap_or(u32::MAX);
        Self { limit, taken: 0, held: HashMap::new(), amounts: BTreeSet::new() }
    }

    pub fn taken(&self) -> usize {
        self.taken as usize
    }

    /// Decides whether a client may have an amount more.
    pub fn admit(&self, client: Client, amount: u32) -> Admission {
        if self.limit.saturating_sub(self.taken) >= amount {
            return Admission::Free;
        }
        let (held, share) = (self.held(client), self.share(client));
        match self.greediest() {
            Some((greediest, most)) if held < share && most > share => Admission::Instead(greediest),
            _ => Admission::Refused,
        }
    }

    pub fn add(&mut self, client: Client, amount: u32) {
        let before = self.held(client);
        self.set(client, before, before.saturating_add(amount));
    }

    pub fn remove(&mut self, client: Client, amount: u32) {
        let before = self.held(client);
        self.set(client, before, before.saturating_sub(amount));
    }

    pub fn held(&self, client: Client) -> u32 {
        self.held.get(&client).copied().unwrap_or_default()
    }

    /// The fair share of a client.
    fn share(&self, client: Client) -> u32 {
        let others = self.held.len() - usize::from(self.held.contains_key(&client));
        let clients = u32::try_from(others).unwrap_or(u32::MAX).saturating_add(1);
        (self.limit / clients).max(1)
    }

    /// The client that holds most, and how much.
    fn greediest(&self) -> Option<(Client, u32)> {
        self.amounts.last().map(|(most, client)| (*client, *most))
    }

    fn set(&mut self, client: Client, before: u32, after: u32) {
        self.taken = self.taken.saturating_sub(before).saturating_add(after);
        self.amounts.remove(&(before, client));
        if after > 0 {
            self.amounts.insert((after, client));
            self.held.insert(client, after);
        } else {
            self.held.remove(&client);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::{collections::HashMap, net::Ipv4Addr};

    use proptest::prelude::*;

    use super::{Admission, Shares};
    use crate::client::{Client, Prefixes};

    fn client(number: u8) -> Client {
        Prefixes::default().client(Ipv4Addr::new(10, 0, 0, number).into())
    }

    /// Takes so much for a client, from others if need be; false if it is refused.
    fn take(shares: &mut Shares, taker: Client, amount: u32) -> bool {
        for _ in 0..amount {
            match shares.admit(taker, 1) {
                Admission::Free => {}
                Admission::Instead(other) => shares.remove(other, 1),
                Admission::Refused => return false,
            }
            shares.add(taker, 1);
        }
        true
    }

    #[test]
    fn one_client_may_have_all_until_another_comes() {
        let mut shares = Shares::new(100);
        assert!(take(&mut shares, client(1), 100) && !take(&mut shares, client(1), 1));
        assert!(take(&mut shares, client(2), 50) && !take(&mut shares, client(2), 1));
        assert!(!take(&mut shares, client(1), 1));
        assert!(take(&mut shares, client(3), 33) && !take(&mut shares, client(3), 1));
        let mut held = [1, 2, 3].map(|number| shares.held(client(number)));
        held.sort_unstable();
        assert_eq!(held, [33, 33, 34]);
    }

    proptest! {
        /// Against a model that knows only who holds how much.
        #[test]
        fn a_newcomer_gets_some_whenever_another_has_more_than_its_share(
            limit in 1..40usize,
            steps in prop::collection::vec((0..60u8, any::<bool>(), 1..4u32), 0..400),
        ) {
            let mut shares = Shares::new(limit);
            let mut model: HashMap<Client, u32> = HashMap::new();
            let whole = limit as u32;
            for (number, is_leaving, amount) in steps {
                let asking = client(number);
                if is_leaving {
                    let held = model.remove(&asking).unwrap_or_default();
                    shares.remove(asking, held);
                    continue;
                }
                let taken: u32 = model.values().sum();
                let held = model.get(&asking).copied().unwrap_or_default();
                let others = model.keys().filter(|known| **known != asking).count() as u32;
                let share = (whole / (others + 1)).max(1);
                match shares.admit(asking, amount) {
                    Admission::Free => prop_assert!(taken + amount <= whole),
                    Admission::Instead(other) => {
                        let most = *model.values().max().unwrap();
                        prop_assert!(other != asking && model[&other] == most && most > share && held < share);
                        // As much as is needed is taken back, and no more than the amount.
                        let mut given = 0;
                        while shares.admit(asking, amount) == Admission::Instead(other) && given < amount {
                            shares.remove(other, 1);
                            *model.get_mut(&other).unwrap() -= 1;
                            given += 1;
                        }
                        model.retain(|_, held| *held > 0);
                        if shares.admit(asking, amount) != Admission::Free {
                            continue;
                        }
                    }
                    Admission::Refused => {
                        let is_greedy = model.iter().any(|(other, held)| *other != asking && *held > share);
                        prop_assert!(held > 0 && held >= share || !is_greedy, "{model:?}");
                        if amount == 1 {
                            prop_assert!(taken == whole, "refused while there is some");
                        }
                        continue;
                    }
                }
                shares.add(asking, amount);
                *model.entry(asking).or_default() += amount;
                prop_assert_eq!(shares.taken(), model.values().sum::<u32>() as usize);
                prop_assert!(shares.taken() <= limit);
            }
            for (known, held) in model {
                prop_assert_eq!(shares.held(known), held);
                shares.remove(known, held);
            }
            prop_assert_eq!(shares.taken(), 0);
            prop_assert!(shares.held.is_empty() && shares.amounts.is_empty());
        }
    }
}
