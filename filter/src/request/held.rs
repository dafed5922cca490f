//! Requests that wait for their delay.
//!
//! Proxy-Wasm has no timer per stream: a request is paused, and a tick of the root context releases it.

use std::{
    cmp::Reverse,
    collections::{BinaryHeap, HashMap},
    rc::Rc,
    time::Duration,
};

use policies::{Decision, language::Abort};

use crate::clock::Instant;

/// Shortest time between two searches for streams that have ended.
const SWEEP: Duration = Duration::from_millis(100);
/// Number of requests released in one call of the host. The host continues them after the call; if one
/// of them makes the host call this VM, the others continue inside that call, nested, and V8's stack
/// has room for some 250 levels.
const RELEASE_BATCH: usize = 128;

/// Action on a request whose time is up.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// The request continues to the workload.
    Resume,
    /// The filter answers the request in place of the workload.
    Abort(Rc<Abort>),
}

/// Request whose time is up.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DueRequest {
    pub context_id: u32,
    pub policy: Rc<str>,
    pub outcome: Outcome,
    /// Time for which it was held, if the rule has a delay.
    pub delayed: Option<Duration>,
}

/// Requests that are held, ordered by their due time.
#[derive(Debug, Default)]
pub struct HeldRequests {
    queue: BinaryHeap<Reverse<(Instant, u32)>>,
    requests: HashMap<u32, HeldRequest>,
    swept: Instant,
}

#[derive(Debug)]
struct HeldRequest {
    policy: Rc<str>,
    since: Instant,
    due: Instant,
    delayed: bool,
    outcome: Outcome,
}

impl HeldRequests {
    pub fn len(&self) -> usize {
        self.requests.len()
    }

    pub fn is_empty(&self) -> bool {
        self.requests.is_empty()
    }

    /// Holds the request of a stream for the time of the decision; `true` if it is due before all others.
    pub fn hold(&mut self, context_id: u32, decision: Decision, now: Instant) -> bool {
        let outcome = decision.abort.map_or(Outcome::Resume, Outcome::Abort);
        let due = now + decision.hold;
        let is_first = self.next_due().is_none_or(|first| due < first);
        self.queue.push(Reverse((due, context_id)));
        let request =
            HeldRequest { policy: decision.policy, since: now, due, delayed: decision.delayed, outcome };
        self.requests.insert(context_id, request);
        is_first
    }

    /// Forgets requests whose streams have ended; returns their number. The host does not report the
    /// end of a stream, so every stream is checked, but not more often than every `SWEEP`.
    pub fn forget_ended(&mut self, now: Instant, is_open: impl Fn(u32) -> bool) -> usize {
        if self.requests.is_empty() || now < self.swept + SWEEP {
            return 0;
        }
        self.swept = now;
        let held = self.requests.len();
        self.requests.retain(|context_id, _| is_open(*context_id));
        held - self.requests.len()
    }

    /// Removes requests whose time is up, at most `RELEASE_BATCH`. The others stay due.
    pub fn take_due(&mut self, now: Instant) -> Vec<DueRequest> {
        let mut due = Vec::new();
        while due.len() < RELEASE_BATCH
            && let Some(Reverse((at, context_id))) = self.queue.peek().copied()
        {
            let request = self.requests.get(&context_id).filter(|request| request.due == at);
            if request.is_some() && at > now {
                break;
            }
            self.queue.pop();
            if request.is_none() {
                // The stream has ended; only its entry in the queue was left.
                continue;
            }
            due.extend(self.requests.remove(&context_id).map(|request| DueRequest {
                context_id,
                policy: request.policy,
                delayed: request.delayed.then(|| now.since(request.since)),
                outcome: request.outcome,
            }));
        }
        due
    }

    /// Time at which the next request is due; `None` when none is held.
    pub fn next_due(&self) -> Option<Instant> {
        if self.requests.is_empty() { None } else { self.queue.peek().map(|Reverse((due, _))| *due) }
    }
}

#[cfg(test)]
mod tests {
    use std::{rc::Rc, time::Duration};

    use policies::{
        Decision,
        language::{Abort, Mode, Reply},
    };
    use proptest::prelude::*;

    use super::{HeldRequests, Outcome};
    use crate::clock::Instant;

    fn at(millis: u64) -> Instant {
        Instant::from_origin(Duration::from_millis(millis))
    }

    fn delay(millis: u64) -> Decision {
        Decision {
            policy: "a".into(),
            mode: Mode::Inject,
            hold: Duration::from_millis(millis),
            delayed: true,
            abort: None,
        }
    }

    #[test]
    fn requests_are_due_in_the_order_of_their_time_and_never_early() {
        let mut held = HeldRequests::default();
        assert!(held.hold(1, delay(100), at(1_000)));
        assert!(held.hold(2, delay(10), at(1_000)));
        assert!(!held.hold(3, delay(200), at(1_000)));
        assert_eq!(held.next_due(), Some(at(1_010)));
        assert!(held.take_due(at(1_009)).is_empty());
        let due = held.take_due(at(1_012));
        assert_eq!((due[0].context_id, due[0].delayed, due.len()), (2, Some(Duration::from_millis(12)), 1));
        assert_eq!(held.next_due(), Some(at(1_100)));
        assert_eq!(held.take_due(at(1_200)).len(), 2);
        assert_eq!(held.next_due(), None);
    }

    #[test]
    fn a_burst_is_released_in_batches_at_consecutive_ticks() {
        let mut held = HeldRequests::default();
        (0..300).for_each(|id| _ = held.hold(id, delay(100), at(0)));
        let batches = [100, 101, 102].map(|now| held.take_due(at(now)).len());
        assert_eq!((batches, held.next_due()), ([128, 128, 44], None));
    }

    #[test]
    fn a_stream_that_has_ended_is_forgotten_and_causes_no_tick() {
        let mut held = HeldRequests::default();
        held.hold(1, delay(1_000), at(0));
        held.hold(2, delay(1_000), at(0));
        assert_eq!(held.forget_ended(at(100), |id| id == 1), 1);
        assert_eq!(held.forget_ended(at(199), |_| false), 0, "too soon to search again");
        assert_eq!((held.len(), held.next_due()), (1, Some(at(1_000))));
        assert_eq!(held.forget_ended(at(200), |_| false), 1);
        assert_eq!(held.next_due(), None);
        assert!(held.take_due(at(1_000)).is_empty());
    }

    #[test]
    fn an_abort_after_a_start_delay_does_not_count_as_a_delay() {
        let mut held = HeldRequests::default();
        let abort = Rc::new(Abort {
            reply: Reply::Http { status: 503.try_into().unwrap(), body: String::new() },
            headers: Vec::new(),
        });
        let decision = Decision { delayed: false, abort: Some(Rc::clone(&abort)), ..delay(5) };
        held.hold(1, decision, at(0));
        let due = held.take_due(at(5));
        assert_eq!((&*due[0].policy, &due[0].outcome), ("a", &Outcome::Abort(abort)));
        assert_eq!(due[0].delayed, None);
    }

    proptest! {
        #[test]
        fn every_request_comes_out_once_unless_it_ended(
            holds in prop::collection::vec((0..1_000u64, 0..500u64, any::<bool>()), 0..50),
        ) {
            let mut held = HeldRequests::default();
            let mut waiting = Vec::new();
            for (id, (now, millis, ends)) in (0..).zip(&holds) {
                held.hold(id, delay(*millis), at(*now));
                if !ends { waiting.push(id); }
            }
            held.forget_ended(at(1_000), |id| waiting.contains(&id));
            let mut out = Vec::new();
            let mut now = at(0);
            while let Some(next) = held.next_due() {
                now = now.max(next);
                out.extend(held.take_due(now).into_iter().map(|due| due.context_id));
            }
            out.sort_unstable();
            prop_assert_eq!(out, waiting);
        }
    }
}
