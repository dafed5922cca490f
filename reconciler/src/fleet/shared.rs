//! The filters that the other replicas know. They are asked only while somebody looks, and what they answered holds for a
//! second, so that many who look cost them no more than one.

mod told;

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use policies::Timestamp;
use tokio::sync::Mutex;

pub use self::told::told;
use super::sighting::{Sighting, merged};
use crate::{
    api::peers::{MissingReplica, PeerState},
    peers::{
        Peers,
        replies::{Replies, Reply},
    },
};

/// The time for which the answers of the others hold.
const FRESH: Duration = Duration::from_secs(1);
/// The most filters of all others together.
const MAX_FILTERS: usize = 50_000;
/// The resource that they are asked for.
const STATE: &str = "state";

/// What the other replicas know.
#[derive(Debug)]
pub struct Shared {
    pub peers: Arc<Peers>,
    last: Mutex<Option<(Instant, Arc<Others>)>>,
}

/// The filters that other replicas know.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Others {
    pub sightings: Vec<Sighting>,
    /// False if more filters poll than are known, or a replica did not answer.
    pub is_complete: bool,
    /// The time for which each of those that answered has listened; `None` if there is no other.
    pub listening: Option<Duration>,
    /// The replicas that answered and this one, of all: `1 of 2`.
    pub count: String,
    /// The number of all replicas.
    pub total: usize,
    pub missing: Vec<MissingReplica>,
}

impl Shared {
    pub fn new(peers: Arc<Peers>) -> Self {
        Self { peers, last: Mutex::default() }
    }

    /// What the others know now, or knew a moment ago.
    pub async fn others(&self) -> Arc<Others> {
        // Locked meanwhile: all who look wait for the same answers.
        let mut last = self.last.lock().await;
        match &*last {
            Some((at, others)) if at.elapsed() < FRESH => Arc::clone(others),
            _ => {
                let others = Arc::new(Others::of(self.peers.ask(STATE).await));
                *last = Some((Instant::now(), Arc::clone(&others)));
                others
            }
        }
    }
}

impl Others {
    /// The time since which all of them have listened.
    pub fn since(&self, now: Timestamp) -> Option<Timestamp> {
        let millis = u64::try_from(self.listening?.as_millis()).unwrap_or(u64::MAX);
        Some(Timestamp::from_millis(now.as_millis().saturating_sub(millis)))
    }

    fn of(replies: Replies<PeerState>) -> Self {
        let (count, total, missing) = (replies.count(), replies.0.len() + 1, replies.missing());
        let states: Vec<_> = replies.0.into_iter().filter_map(|Reply { answer, .. }| answer.ok()).collect();
        let listening = states.iter().map(|state| Duration::from_millis(state.listening_millis)).min();
        let all_told = missing.is_empty() && states.iter().all(|state| state.complete);
        let filters = states.into_iter().flat_map(|state| state.filters);
        let (sightings, all_kept) = merged(told::heard(filters), MAX_FILTERS);
        Self { sightings, is_complete: all_told && all_kept, listening, count, total, missing }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::{Others, PeerState, Replies, Reply};
    use crate::api::peers::PeerFilter;

    fn reply(name: &str, answer: Result<PeerState, &str>) -> Reply<PeerState> {
        Reply { name: name.to_owned(), answer: answer.map_err(str::to_owned) }
    }

    fn state(nodes: &[(&str, u64)], listening_millis: u64) -> PeerState {
        let filter = |(node, silent_millis): &(&str, u64)| PeerFilter {
            format: 2,
            node: (*node).to_owned(),
            silent_millis: *silent_millis,
            ..PeerFilter::default()
        };
        PeerState { complete: true, filters: nodes.iter().map(filter).collect(), listening_millis }
    }

    #[test]
    fn what_others_know_is_complete_if_all_of_them_answer() {
        let (one, two) = (state(&[("a", 5_000), ("b", 0)], 9_000), state(&[("a", 1_000)], 7_000));
        let others = Others::of(Replies(vec![reply("x", Ok(one.clone())), reply("y", Ok(two))]));
        assert_eq!((others.sightings.len(), others.is_complete), (2, true));
        assert_eq!((others.count.as_str(), others.listening), ("3 of 3", Some(Duration::from_secs(7))));
        let others = Others::of(Replies(vec![reply("x", Ok(one.clone())), reply("y", Err("refused"))]));
        assert_eq!((others.sightings.len(), others.is_complete), (2, false));
        assert_eq!((others.count.as_str(), others.missing[0].name.as_str()), ("2 of 3", "y"));
        let forgetful = PeerState { complete: false, ..one };
        assert!(!Others::of(Replies(vec![reply("x", Ok(forgetful))])).is_complete);
        let nobody = Others::of(Replies(Vec::new()));
        assert_eq!((nobody.count.as_str(), nobody.is_complete, nobody.listening), ("1 of 1", true, None));
    }
}
