//! An amount that clients share and that cannot be taken back from them.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::{
    client::Client,
    shares::{Admission, Shares},
};

/// An amount, such as bytes, and the parts of it that clients hold.
#[derive(Debug)]
pub(crate) struct Budget(Mutex<Shares>);

/// A part of it, until it is dropped.
#[derive(Debug)]
pub(crate) struct Portion {
    budget: Arc<Budget>,
    client: Client,
    amount: u32,
}

impl Budget {
    pub(crate) fn new(limit: usize) -> Arc<Self> {
        Arc::new(Self(Mutex::new(Shares::with_reserve(limit))))
    }

    /// So much for a client, if there is some left that it may have.
    pub(crate) fn take(self: &Arc<Self>, client: Client, amount: u32) -> Option<Portion> {
        let mut shares = self.lock();
        if shares.admit(client, amount) != Admission::Free {
            return None;
        }
        shares.add(client, amount);
        Some(Portion { budget: Arc::clone(self), client, amount })
    }

    fn lock(&self) -> MutexGuard<'_, Shares> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Portion {
    fn drop(&mut self) {
        self.budget.lock().remove(self.client, self.amount);
    }
}

#[cfg(test)]
mod tests {
    use std::net::Ipv4Addr;

    use super::Budget;
    use crate::client::Prefixes;

    #[test]
    fn what_is_dropped_can_be_had_again_and_one_client_leaves_some_to_others() {
        let [one, other] = [1, 2].map(|end| Prefixes::default().client(Ipv4Addr::new(10, 0, 0, end).into()));
        let budget = Budget::new(100);
        let mut portions: Vec<_> = std::iter::from_fn(|| budget.take(one, 10)).collect();
        assert_eq!(portions.len(), 7);
        assert!(budget.take(other, 20).is_some());
        portions.pop();
        assert!(budget.take(one, 10).is_some());
    }
}
