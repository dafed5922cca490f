//! Tokens of ServiceAccounts that the API server has reviewed, and limits on how often it is asked.

use std::{
    collections::HashMap,
    sync::{Mutex, PoisonError},
    time::{Duration, Instant},
};

use sha2::{Digest as _, Sha256};

use super::buckets::Buckets;
use crate::clients::Client;

/// The reviews for an address at once, and a second after that.
const BURST: u32 = 20;
const PER_SECOND: f64 = 1.0;
/// The same for all addresses together.
const BURST_OF_ALL: u32 = 50;
const PER_SECOND_OF_ALL: f64 = 20.0;
/// The longest time for which a valid token is remembered, as the API server itself does.
const KEPT: Duration = Duration::from_secs(10);
/// The most tokens that are remembered.
const MAX_KEPT: usize = 1_000;

/// The users of valid tokens, by the digest of the token, and how often more may be reviewed.
#[derive(Debug)]
pub struct Reviews {
    of_address: Buckets<Client>,
    of_all: Buckets<()>,
    valid: Mutex<HashMap<[u8; 32], (String, Instant)>>,
}

impl Default for Reviews {
    fn default() -> Self {
        Self {
            of_address: Buckets::new(BURST, PER_SECOND),
            of_all: Buckets::new(BURST_OF_ALL, PER_SECOND_OF_ALL),
            valid: Mutex::default(),
        }
    }
}

impl Reviews {
    /// The user of a token that was found valid a moment ago.
    pub fn user(&self, token: &str, now: Instant) -> Option<String> {
        let valid = self.valid.lock().unwrap_or_else(PoisonError::into_inner);
        let (user, until) = valid.get(&digest(token))?;
        (now < *until).then(|| user.clone())
    }

    /// Counts a review, before it is asked for. The error is the time to wait.
    pub fn begin(&self, client: Client, now: Instant) -> Result<(), Duration> {
        self.of_address.take(client, now)?;
        self.of_all.take((), now)
    }

    /// Remembers a token that is valid, for no longer than it has left.
    pub fn keep(&self, token: &str, user: String, left: Duration, now: Instant) {
        let mut valid = self.valid.lock().unwrap_or_else(PoisonError::into_inner);
        if valid.len() >= MAX_KEPT {
            valid.retain(|_, (_, until)| now < *until);
        }
        if valid.len() < MAX_KEPT {
            valid.insert(digest(token), (user, now + left.min(KEPT)));
        }
    }
}

fn digest(token: &str) -> [u8; 32] {
    Sha256::digest(token).into()
}

#[cfg(test)]
mod tests {
    use std::{
        net::Ipv4Addr,
        time::{Duration, Instant},
    };

    use super::{BURST, BURST_OF_ALL, KEPT, MAX_KEPT, Reviews};
    use crate::clients::{Client, Prefixes};

    fn client(number: u32) -> Client {
        Prefixes::default().client(Ipv4Addr::from_bits(number).into())
    }

    #[test]
    fn a_valid_token_is_remembered_for_a_moment_and_never_longer_than_it_lives() {
        let (reviews, now) = (Reviews::default(), Instant::now());
        assert_eq!(reviews.user("a", now), None);
        reviews.keep("a", "alice".to_owned(), Duration::from_secs(3_600), now);
        reviews.keep("b", "bob".to_owned(), Duration::from_secs(2), now);
        let at = |token, seconds| reviews.user(token, now + Duration::from_secs_f64(seconds));
        assert_eq!((at("a", 9.9).as_deref(), at("b", 1.9).as_deref()), (Some("alice"), Some("bob")));
        assert_eq!((at("a", KEPT.as_secs_f64()), at("b", 2.0), at("c", 0.0)), (None, None, None));
    }

    #[test]
    fn no_address_and_no_number_of_addresses_has_the_api_server_asked_without_end() {
        let (reviews, now) = (Reviews::default(), Instant::now());
        let begun = |addresses: &[u32], tries: u32| {
            let tries = addresses.iter().flat_map(|address| (0..tries).map(|_| *address));
            tries.filter(|address| reviews.begin(client(*address), now).is_ok()).count()
        };
        assert_eq!(begun(&[1], 100), BURST as usize);
        let others: Vec<_> = (2..1_000).collect();
        assert_eq!(begun(&others, 10), (BURST_OF_ALL - BURST) as usize);
        assert!(reviews.begin(client(1), now + Duration::from_secs(1)).is_ok(), "it goes on later");
    }

    #[test]
    fn no_number_of_tokens_takes_more_memory() {
        let (reviews, now) = (Reviews::default(), Instant::now());
        for number in 0..5_000 {
            reviews.keep(&number.to_string(), "alice".to_owned(), KEPT, now);
        }
        assert_eq!(reviews.valid.lock().unwrap().len(), MAX_KEPT);
        reviews.keep("later", "alice".to_owned(), KEPT, now + KEPT);
        assert_eq!(reviews.valid.lock().unwrap().len(), 1);
    }
}
