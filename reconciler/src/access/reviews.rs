//! Tokens of ServiceAccounts that the API server has reviewed, and limits on how often it is asked.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};

use sha2::{Digest as _, Sha256};

use super::buckets::Buckets;
use crate::clients::Client;

/// The reviews at once, and a second after that, for a ServiceAccount that a token names, at an address.
const OF_ONE: (u32, f64) = (20, 1.0);
/// The same for all ServiceAccounts that were valid a while ago, each at its address.
const OF_PROVEN: (u32, f64) = (25, 10.0);
/// The same for all others that have a line.
const OF_LISTED: (u32, f64) = (20, 8.0);
/// The same for all that have none.
const OF_UNLISTED: (u32, f64) = (5, 2.0);
/// The longest time for which a valid token is remembered, as the API server itself does.
const KEPT: Duration = Duration::from_secs(10);
/// The time for which a ServiceAccount counts as proven at an address.
const PROVEN: Duration = Duration::from_hours(1);
/// The most tokens, and the most proven ServiceAccounts, that are remembered.
const MAX_KEPT: usize = 1_000;

type Digest = [u8; 32];

/// A ServiceAccount at an address. Of fixed size: anybody may claim a name, however long.
type Claimant = (Client, Digest);

/// The users of valid tokens, by the digest of the token, and how often more may be reviewed.
#[derive(Debug)]
pub struct Reviews {
    of_one: Buckets<Claimant>,
    of_proven: Buckets<()>,
    of_listed: Buckets<()>,
    of_unlisted: Buckets<()>,
    valid: Mutex<HashMap<Digest, (String, Instant)>>,
    proven: Mutex<HashMap<Claimant, Instant>>,
    flights: Mutex<HashMap<Digest, Arc<Flight>>>,
}

/// The turn to have a token reviewed.
pub type Flight = tokio::sync::Mutex<()>;

impl Default for Reviews {
    fn default() -> Self {
        let all = |(burst, per_second)| Buckets::new(burst, per_second);
        Self {
            of_one: Buckets::new(OF_ONE.0, OF_ONE.1),
            of_proven: all(OF_PROVEN),
            of_listed: all(OF_LISTED),
            of_unlisted: all(OF_UNLISTED),
            valid: Mutex::default(),
            proven: Mutex::default(),
            flights: Mutex::default(),
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

    /// The turn to have this token reviewed, so that requests that come with it together cause one review.
    pub fn flight(&self, token: &str) -> Arc<Flight> {
        let mut flights = self.flights.lock().unwrap_or_else(PoisonError::into_inner);
        flights.retain(|_, flight| Arc::strong_count(flight) > 1);
        Arc::clone(flights.entry(digest(token)).or_default())
    }

    /// Counts a review, before it is asked for. `user` is what the token claims, and `has_line` says if the file names
    /// it. The error is the time to wait; then nothing is counted.
    pub fn begin(&self, client: Client, user: &str, has_line: bool, now: Instant) -> Result<(), Duration> {
        let claimant = (client, digest(user));
        let of_all = match (self.is_proven(&claimant, now), has_line) {
            (true, true) => &self.of_proven,
            (false, true) => &self.of_listed,
            (_, false) => &self.of_unlisted,
        };
        let wait = of_all.until_free((), now).or_else(|| self.of_one.until_free(claimant, now));
        wait.map_or(Ok(()), Err)?;
        of_all.take((), now)?;
        self.of_one.take(claimant, now)
    }

    fn is_proven(&self, claimant: &Claimant, now: Instant) -> bool {
        let proven = self.proven.lock().unwrap_or_else(PoisonError::into_inner);
        proven.get(claimant).is_some_and(|until| now < *until)
    }

    /// Notes that a ServiceAccount with a line is at this address.
    pub fn prove(&self, client: Client, user: &str, now: Instant) {
        let claimant = (client, digest(user));
        let mut proven = self.proven.lock().unwrap_or_else(PoisonError::into_inner);
        if proven.len() >= MAX_KEPT {
            proven.retain(|_, until| now < *until);
        }
        if proven.len() < MAX_KEPT || proven.contains_key(&claimant) {
            proven.insert(claimant, now + PROVEN);
        }
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

fn digest(text: &str) -> Digest {
    Sha256::digest(text).into()
}

#[cfg(test)]
mod tests {
    use std::{
        net::Ipv4Addr,
        time::{Duration, Instant},
    };

    use super::{KEPT, MAX_KEPT, OF_LISTED, OF_ONE, OF_PROVEN, OF_UNLISTED, PROVEN, Reviews};
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

    /// The reviews that are granted, of so many tries for each of these numbers, as an address and as a user.
    fn granted(reviews: &Reviews, addresses: &[u32], users: &[&str], has_line: bool, now: Instant) -> u32 {
        let pairs = addresses.iter().flat_map(|address| users.iter().map(move |user| (*address, *user)));
        let tries = pairs.flat_map(|pair| (0..100).map(move |_| pair));
        let begun = tries.map(|(address, user)| reviews.begin(client(address), user, has_line, now));
        begun.map(|begun| u32::from(begun.is_ok())).sum()
    }

    #[test]
    fn no_number_of_addresses_and_names_has_the_api_server_asked_without_end() {
        let (reviews, now) = (Reviews::default(), Instant::now());
        let addresses: Vec<_> = (1..100).collect();
        assert_eq!(granted(&reviews, &addresses, &["a", "b"], true, now), OF_LISTED.0);
        assert_eq!(granted(&reviews, &addresses, &["c", "d"], false, now), OF_UNLISTED.0);
        assert!(
            reviews.begin(client(1), "a", true, now + Duration::from_secs(2)).is_ok(),
            "it goes on later"
        );
    }

    #[test]
    fn strangers_take_nothing_from_those_who_were_valid_a_while_ago() {
        let (reviews, now) = (Reviews::default(), Instant::now());
        reviews.prove(client(1), "alice", now);
        // Those of one address, and those of all the others, with the names of others and with hers.
        granted(&reviews, &[1], &["bob", "carol"], true, now);
        granted(&reviews, &(2..100).collect::<Vec<_>>(), &["alice", "bob"], true, now);
        let alice = |address, now| reviews.begin(client(address), "alice", true, now);
        assert!(alice(1, now).is_ok());
        assert!(alice(2, now).is_err(), "she is not known there");
        let later = now + PROVEN;
        granted(&reviews, &[2], &["bob"], true, later);
        granted(&reviews, &[3], &["bob"], true, later);
        assert!(alice(1, later).is_err(), "she is known for a while");
    }

    #[test]
    fn who_is_known_has_a_limit_too() {
        let (reviews, now) = (Reviews::default(), Instant::now());
        for (address, user) in [(1, "a"), (1, "b"), (2, "a")] {
            reviews.prove(client(address), user, now);
        }
        assert_eq!(granted(&reviews, &[1], &["a"], true, now), OF_ONE.0);
        assert_eq!(granted(&reviews, &[1, 2], &["a", "b"], true, now), OF_PROVEN.0 - OF_ONE.0 + OF_LISTED.0);
    }

    #[test]
    fn who_has_to_wait_pays_nothing() {
        let (reviews, now) = (Reviews::default(), Instant::now());
        granted(&reviews, &(2..100).collect::<Vec<_>>(), &["bob"], true, now);
        assert_eq!(granted(&reviews, &[1], &["alice"], true, now), 0);
        let later = now + Duration::from_secs(60);
        assert_eq!(granted(&reviews, &[1], &["alice"], true, later), OF_ONE.0);
    }

    #[tokio::test]
    async fn requests_with_one_token_take_turns_and_others_do_not_wait() {
        let reviews = Reviews::default();
        let first = reviews.flight("a");
        let turn = first.lock().await;
        assert!(reviews.flight("a").try_lock().is_err());
        assert!(reviews.flight("b").try_lock().is_ok());
        drop(turn);
        assert!(reviews.flight("a").try_lock().is_ok());
        drop(first);
        for number in 0..100 {
            drop(reviews.flight(&number.to_string()));
        }
        assert!(reviews.flights.lock().unwrap().len() <= 1, "it keeps no token");
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
