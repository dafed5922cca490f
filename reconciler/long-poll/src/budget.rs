//! An amount that clients share and that cannot be taken back from them.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use crate::client::Client;

/// A client may hold this many times what is free. So each client leaves something to the next one, however many
/// there are, and gets less as others come.
const TIMES_FREE: u32 = 3;

/// An amount, such as bytes, and the parts of it that clients hold.
#[derive(Debug)]
pub(crate) struct Budget(Mutex<State>);

#[derive(Debug)]
struct State {
    free: u32,
    held: HashMap<Client, u32>,
}

/// A part of it, until it is dropped.
#[derive(Debug)]
pub(crate) struct Portion {
    budget: Arc<Budget>,
    client: Client,
    amount: u32,
}

impl Budget {
    pub(crate) fn new(limit: u32) -> Arc<Self> {
        Arc::new(Self(Mutex::new(State { free: limit, held: HashMap::new() })))
    }

    /// So much for a client, if there is some left that it may have.
    pub(crate) fn take(self: &Arc<Self>, client: Client, amount: u32) -> Option<Portion> {
        let mut state = self.lock();
        let held = state.held.get(&client).copied().unwrap_or_default().saturating_add(amount);
        let free = state.free.checked_sub(amount)?;
        if held > free.saturating_mul(TIMES_FREE) {
            return None;
        }
        state.free = free;
        state.held.insert(client, held);
        Some(Portion { budget: Arc::clone(self), client, amount })
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Portion {
    fn drop(&mut self) {
        let mut state = self.budget.lock();
        state.free = state.free.saturating_add(self.amount);
        let held = state.held.get(&self.client).copied().unwrap_or_default().saturating_sub(self.amount);
        if held > 0 {
            state.held.insert(self.client, held);
        } else {
            state.held.remove(&self.client);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::{net::Ipv4Addr, sync::Arc};

    use proptest::{prelude::*, sample::Index};

    use super::{Budget, Portion, TIMES_FREE};
    use crate::client::{Client, Prefixes};

    fn client(end: u8) -> Client {
        Prefixes::default().client(Ipv4Addr::new(10, 0, 0, end).into())
    }

    /// All that a client gets, in such amounts.
    fn all(budget: &Arc<Budget>, end: u8, amount: u32) -> Vec<Portion> {
        std::iter::from_fn(|| budget.take(client(end), amount)).collect()
    }

    #[test]
    fn each_client_leaves_something_to_the_next() {
        let budget = Budget::new(4_096);
        let held: Vec<_> = (1..6).map(|end| all(&budget, end, 1)).collect();
        assert_eq!(held.iter().map(Vec::len).collect::<Vec<_>>(), [3_072, 768, 192, 48, 12]);
    }

    #[test]
    fn what_is_given_back_goes_to_those_who_have_less() {
        let budget = Budget::new(100);
        let mut one = all(&budget, 1, 10);
        let other = all(&budget, 2, 10);
        assert_eq!((one.len(), other.len()), (7, 2));
        one.truncate(6);
        assert!(budget.take(client(1), 10).is_none());
        assert!(budget.take(client(2), 10).is_some());
    }

    proptest! {
        #[test]
        fn no_amount_is_lost_or_given_twice(
            limit in 1..200u32,
            steps in prop::collection::vec((0..6u8, 1..20u32, any::<Option<Index>>()), 0..200),
        ) {
            let budget = Budget::new(limit);
            let mut portions: Vec<Portion> = Vec::new();
            for (end, amount, returned) in steps {
                match returned {
                    Some(at) if !portions.is_empty() => drop(portions.swap_remove(at.index(portions.len()))),
                    _ => {
                        let its = portions.iter().filter(|portion| portion.client == client(end));
                        let held = its.map(|portion| portion.amount).sum::<u32>() + amount;
                        let free = budget.lock().free.checked_sub(amount);
                        let portion = budget.take(client(end), amount);
                        prop_assert_eq!(portion.is_some(), free.is_some_and(|free| held <= TIMES_FREE * free));
                        portions.extend(portion);
                    }
                }
                let held: u32 = portions.iter().map(|portion| portion.amount).sum();
                prop_assert_eq!(budget.lock().free, limit - held);
            }
            drop(portions);
            let state = budget.lock();
            prop_assert!(state.free == limit && state.held.is_empty());
        }
    }
}
