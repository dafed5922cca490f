//! Limits on tokens that fail, by the address that they come from.

use std::{
    collections::HashSet,
    sync::{Mutex, PoisonError},
    time::{Duration, Instant},
};

use super::{buckets::Buckets, rights::UserName};
use crate::clients::Client;

/// The failed tokens of an address before it has to wait.
const BURST: u32 = 20;
/// The failed tokens of an address a second after that.
const PER_SECOND: f64 = 1.0;
/// The most users that are remembered.
const MAX_REMEMBERED: usize = 1_000;

/// The failures of each address. A user whose token was good at an address does not have to wait for others there,
/// such as those behind the same gateway.
#[derive(Debug)]
pub struct Failures {
    failed: Buckets<Client>,
    good: Mutex<HashSet<(Client, UserName)>>,
}

impl Default for Failures {
    fn default() -> Self {
        Self { failed: Buckets::new(BURST, PER_SECOND), good: Mutex::default() }
    }
}

impl Failures {
    /// Judges a token, given its owner if it has one. The error is the time that the address has to wait.
    pub fn note(&self, client: Client, owner: Option<&UserName>, now: Instant) -> Result<(), Duration> {
        let Some(owner) = owner else { return self.failed.take(client, now) };
        let mut good = self.good.lock().unwrap_or_else(PoisonError::into_inner);
        let pair = (client, owner.clone());
        if good.contains(&pair) {
            return Ok(());
        }
        match self.failed.until_free(client, now) {
            Some(wait) => Err(wait),
            None => {
                if good.len() >= MAX_REMEMBERED {
                    good.clear();
                }
                good.insert(pair);
                Ok(())
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::{net::Ipv4Addr, time::Instant};

    use super::{BURST, Failures};
    use crate::{access::rights::UserName, clients::Prefixes};

    #[test]
    fn an_address_that_guesses_has_to_wait_and_who_was_known_there_has_not() {
        let client = |end| Prefixes::default().client(Ipv4Addr::new(10, 0, 0, end).into());
        let user = |name| UserName::parse(name).unwrap();
        let (failures, now) = (Failures::default(), Instant::now());
        assert!(failures.note(client(1), Some(&user("known")), now).is_ok());
        assert!((0..BURST).all(|_| failures.note(client(1), None, now).is_ok()));
        assert!(failures.note(client(1), None, now).is_err());
        assert!(
            failures.note(client(1), Some(&user("other")), now).is_err(),
            "a guess that is right tells nothing"
        );
        assert!(failures.note(client(1), Some(&user("known")), now).is_ok());
        assert!(failures.note(client(2), Some(&user("other")), now).is_ok(), "another address");
    }
}
