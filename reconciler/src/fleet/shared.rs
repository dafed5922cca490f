//! The filters that the other replicas know. They are asked only while somebody looks, and what they answered holds for a
//! second, so that many who look cost them no more than one.

mod all;
mod digests;
mod told;

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use policies::{Timestamp, wire::poll};
use tokio::{sync::Mutex, task::JoinHandle};

pub use self::{all::AllFilters, told::told};
use super::{
    faults::Faults,
    filters::Filters,
    sighting::{Sighting, merged},
};
use crate::{
    api::peers::{MissingReplica, PeerState},
    clock::now,
    peers::{
        Peers,
        replies::{Replies, Reply},
    },
    serving::publisher::Publisher,
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
    asked: Mutex<Asked>,
}

/// What they were asked.
#[derive(Debug, Default)]
struct Asked {
    last: Option<Answered>,
    /// The question that is under way. Whoever looks waits for it, and ends nothing by leaving.
    asking: Option<JoinHandle<Answered>>,
}

/// What they answered, and when.
type Answered = (Instant, Arc<Others>);

/// The filters that other replicas know.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Others {
    pub sightings: Vec<Sighting>,
    /// False if more filters may poll than are known: a replica did not answer, or tells of filters that cannot be read.
    pub is_complete: bool,
    /// False if proxies may have reported more to them than is known.
    pub has_all_reports: bool,
    /// The time for which all of them have listened, and none has gone.
    pub listening: Duration,
    /// The longest that a filter of theirs lets its poll be held.
    pub longest_wait: Duration,
    /// The replicas that answered and this one, of all: `1 of 2`.
    pub count: String,
    /// The number of all replicas.
    pub total: usize,
    pub missing: Vec<MissingReplica>,
    /// The pods whose proxy has ended, as `POD.NAMESPACE`, with the time since which that is known.
    pub ended_pods: Vec<(String, Timestamp)>,
    /// The pods whose proxy should run the filter and does not, as `POD.NAMESPACE`.
    pub silent_pods: Vec<String>,
    /// The last poll of a client that does not say what it runs.
    pub unreported: Option<Timestamp>,
}

impl Shared {
    pub fn new(peers: Arc<Peers>) -> Self {
        Self { peers, asked: Mutex::default() }
    }

    /// What the others know now, or knew a moment ago. What filters said to them settles what `filters` remembers. What
    /// proxies reported to them is added to `faults`, unless `publisher` has no such policy: one that is gone does not
    /// come back from replica to replica.
    pub async fn others(
        &self,
        filters: &Arc<Filters>,
        faults: &Arc<Faults>,
        publisher: &Publisher,
    ) -> Arc<Others> {
        // Locked meanwhile: all who look wait for the same answers.
        let mut asked = self.asked.lock().await;
        let ask = || {
            let (peers, filters, faults) = (Arc::clone(&self.peers), Arc::clone(filters), Arc::clone(faults));
            ask(peers, filters, faults, publisher.reported_names())
        };
        asked.answer(|| tokio::spawn(ask())).await
    }
}

impl Asked {
    /// The last answer if it is fresh, or that to the question under way, or that to a new one.
    async fn answer(&mut self, ask: impl Fn() -> JoinHandle<Answered>) -> Arc<Others> {
        loop {
            if let Some((_, others)) = self.last.as_ref().filter(|last| is_fresh(last)) {
                return Arc::clone(others);
            }
            let is_own = self.asking.is_none();
            let answered = self.asking.get_or_insert_with(&ask).await;
            self.asking = None;
            match answered {
                // All who waited have left long ago. An own question is not asked again, however slow the answer is.
                Ok(answered) if !is_own && !is_fresh(&answered) => {}
                Ok(answered) => {
                    let others = Arc::clone(&answered.1);
                    self.last = Some(answered);
                    return others;
                }
                Err(_) => return Arc::default(),
            }
        }
    }
}

fn is_fresh((at, _): &Answered) -> bool {
    at.elapsed() < FRESH
}

/// Asks all others.
async fn ask(
    peers: Arc<Peers>,
    filters: Arc<Filters>,
    faults: Arc<Faults>,
    is_known: impl Fn(&str) -> bool + Send + 'static,
) -> Answered {
    let asked = Instant::now();
    let replies: Replies<PeerState> = peers.ask(STATE).await;
    let (steady, arrived) = (peers.steady(), Instant::now());
    // There may be many.
    let others = tokio::task::spawn_blocking(move || {
        let all_read = faults.heard(replies.answers().flat_map(|state| &state.reports), is_known);
        let others = Others::of(replies, steady, arrived);
        filters.said_elsewhere(&others.sightings, arrived.duration_since(asked));
        Others { has_all_reports: others.has_all_reports && all_read, ..others }
    });
    let others = Arc::new(others.await.unwrap_or_default());
    // Not before: there may be so much to read that it takes longer than answers hold.
    (Instant::now(), others)
}

impl Others {
    /// The start of the time for which all of them have listened, and none has gone.
    pub fn since(&self, now: Timestamp) -> Timestamp {
        before(now, u64::try_from(self.listening.as_millis()).unwrap_or(u64::MAX))
    }

    /// `steady`: the time for which no replica has gone. `arrived`: the time of the last reply.
    pub fn of(replies: Replies<PeerState>, steady: Duration, arrived: Instant) -> Self {
        let (count, total, missing) = (replies.count(), replies.0.len() + 1, replies.missing());
        let mut states: Vec<_> =
            replies.0.into_iter().filter_map(|Reply { answer, .. }| answer.ok()).collect();
        let listened = states.iter().map(|state| Duration::from_millis(state.listening_millis));
        let listening = listened.min().map_or(steady, |listened| listened.min(steady));
        let waits = states.iter().map(|state| Duration::from_millis(state.longest_wait_millis));
        let longest_wait = waits.max().unwrap_or_default().min(Duration::from_secs(poll::MAX_WAIT_SECONDS));
        let all_told = missing.is_empty() && states.iter().all(|state| state.complete);
        let has_all_reports = missing.is_empty() && states.iter().all(|state| state.reports_complete);
        let silent_pods =
            states.iter_mut().flat_map(|state| std::mem::take(&mut state.silent_pods)).collect();
        let ended = states.iter_mut().flat_map(|state| std::mem::take(&mut state.ended_pods));
        let ended_pods = ended.map(|ended| (ended.pod, before(now(), ended.past_millis))).collect();
        let unreported = states.iter().filter_map(|state| state.unreported_millis).min();
        let unreported = unreported.map(|millis| before(now(), millis));
        let (heard, all_read) = told::heard(states.into_iter(), arrived);
        let (sightings, all_kept) = merged(heard, MAX_FILTERS);
        let is_complete = all_told && all_read && all_kept;
        Self {
            sightings,
            is_complete,
            has_all_reports,
            listening,
            longest_wait,
            count,
            total,
            missing,
            ended_pods,
            silent_pods,
            unreported,
        }
    }
}

/// The time so many milliseconds before another.
fn before(time: Timestamp, millis: u64) -> Timestamp {
    Timestamp::from_millis(time.as_millis().saturating_sub(millis))
}

#[cfg(test)]
mod tests {
    use std::{
        cell::Cell,
        sync::Arc,
        time::{Duration, Instant},
    };

    use super::{Asked, FRESH, Others, PeerState, Replies, Reply};
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
        let filters = nodes.iter().map(filter).collect();
        PeerState {
            complete: true,
            filters,
            listening_millis,
            reports_complete: true,
            ..PeerState::default()
        }
    }

    fn of(replies: Vec<Reply<PeerState>>) -> Others {
        Others::of(Replies(replies), Duration::from_secs(8), Instant::now())
    }

    #[test]
    fn what_others_know_is_complete_if_all_of_them_answer() {
        let (one, two) = (state(&[("a", 5_000), ("b", 0)], 9_000), state(&[("a", 1_000)], 7_000));
        let others = of(vec![reply("x", Ok(one.clone())), reply("y", Ok(two))]);
        assert_eq!((others.sightings.len(), others.is_complete, others.count.as_str()), (2, true, "3 of 3"));
        let others = of(vec![reply("x", Ok(one.clone())), reply("y", Err("refused"))]);
        assert_eq!((others.sightings.len(), others.is_complete), (2, false));
        assert_eq!((others.count.as_str(), others.missing[0].name.as_str()), ("2 of 3", "y"));
        assert!(of(vec![reply("x", Ok(one.clone()))]).has_all_reports);
        let older = PeerState { reports_complete: false, ..one.clone() };
        let others = of(vec![reply("x", Ok(older))]);
        assert!(others.is_complete && !others.has_all_reports, "an older release tells of no reports");
        let forgetful = PeerState { complete: false, ..one };
        assert!(!of(vec![reply("x", Ok(forgetful))]).is_complete);
        let nobody = of(Vec::new());
        assert_eq!((nobody.count.as_str(), nobody.is_complete), ("1 of 1", true));
    }

    #[tokio::test]
    async fn an_answer_that_is_old_when_it_comes_ends_the_wait_of_the_one_who_asked() {
        let (mut asked, questions) = (Asked::default(), Cell::new(0));
        let ask = || {
            questions.set(questions.get() + 1);
            tokio::spawn(async { (Instant::now().checked_sub(FRESH).unwrap(), Arc::default()) })
        };
        let patience = Duration::from_secs(10);
        tokio::time::timeout(patience, asked.answer(ask)).await.expect("it is not asked for ever");
        assert_eq!(questions.get(), 1);
        asked.asking = Some(ask());
        tokio::time::timeout(patience, asked.answer(ask)).await.expect("it is not asked for ever");
        assert_eq!(questions.get(), 3, "the question was of one who left long ago");
    }

    #[test]
    fn they_have_listened_since_the_newest_began_and_the_last_one_went() {
        let listening = |each: &[u64]| {
            let replies = each.iter().map(|seconds| reply("x", Ok(state(&[], seconds * 1_000))));
            of(replies.collect()).listening.as_secs()
        };
        assert_eq!(listening(&[9, 7]), 7);
        assert_eq!(listening(&[9, 10]), 8, "one has gone 8 s ago");
        assert_eq!(listening(&[]), 8);
    }

    #[test]
    fn a_filter_that_cannot_be_read_makes_it_incomplete() {
        let mut newer = state(&[("a", 0), ("b", 0)], 9_000);
        newer.filters[1].format = 250;
        let others = of(vec![reply("x", Ok(newer))]);
        assert_eq!((others.sightings.len(), others.is_complete), (1, false));
    }
}
