//! The requests that wait.
//!
//! Proxy-Wasm has no timer per stream: a request is paused, and the root context's tick lets it go.

use std::{
    cmp::Reverse,
    collections::{BinaryHeap, HashMap},
    rc::Rc,
    time::Duration,
};

use policies::{Decision, language::Abort};

use crate::clock::Instant;

/// How often at most it is asked which streams are still there.
const SWEEP: Duration = Duration::from_millis(100);
/// How many requests are let go in one call of the host. It lets them go when the call has ended; if
/// that makes it call this VM, the rest follow from within that call, one inside the other, and V8's
/// stack bears some 250 of these.
const AT_ONCE: usize = 128;

/// What becomes of a request when its time is up.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// It goes on to the workload.
    Resume,
    /// It is answered in the workload's place.
    Abort(Rc<Abort>),
}

/// A request whose time is up.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Due {
    /// The stream context that waits.
    pub context_id: u32,
    /// In whose name it was held.
    pub policy: Rc<str>,
    pub outcome: Outcome,
    /// How long it was held, if the rule has a delay.
    pub delayed: Option<Duration>,
}

/// All requests that are held, by when they are due.
#[derive(Debug, Default)]
pub struct Held {
    queue: BinaryHeap<Reverse<(Instant, u32)>>,
    streams: HashMap<u32, Stream>,
    swept: Instant,
}

#[derive(Debug)]
struct Stream {
    policy: Rc<str>,
    since: Instant,
    due: Instant,
    delayed: bool,
    outcome: Outcome,
}

impl Held {
    /// How many requests are held.
    pub fn len(&self) -> usize {
        self.streams.len()
    }

    /// Whether none is held.
    pub fn is_empty(&self) -> bool {
        self.streams.is_empty()
    }

    /// Holds the request of a stream as the decision says; whether it is the one that is due first.
    pub fn hold(&mut self, context_id: u32, decision: Decision, now: Instant) -> bool {
        let outcome = decision.abort.map_or(Outcome::Resume, Outcome::Abort);
        let due = now + decision.hold;
        let is_first = self.next_due().is_none_or(|first| due < first);
        self.queue.push(Reverse((due, context_id)));
        let stream = Stream { policy: decision.policy, since: now, due, delayed: decision.delayed, outcome };
        self.streams.insert(context_id, stream);
        is_first
    }

    /// Forgets the streams that have ended, as `is_there` tells; how many. The host does not tell of
    /// an end, so all are asked after, though not more often than is worth while.
    pub fn forget_gone(&mut self, now: Instant, is_there: impl Fn(u32) -> bool) -> usize {
        if self.streams.is_empty() || now < self.swept + SWEEP {
            return 0;
        }
        self.swept = now;
        let held = self.streams.len();
        self.streams.retain(|context_id, _| is_there(*context_id));
        held - self.streams.len()
    }

    /// Takes out requests whose time is up: so many that it can be borne. The others stay due.
    pub fn take_due(&mut self, now: Instant) -> Vec<Due> {
        let mut due = Vec::new();
        while due.len() < AT_ONCE
            && let Some(Reverse((at, context_id))) = self.queue.peek().copied()
        {
            let stream = self.streams.get(&context_id).filter(|stream| stream.due == at);
            if stream.is_some() && at > now {
                break;
            }
            self.queue.pop();
            if stream.is_none() {
                // It has ended; only its place in the queue was left.
                continue;
            }
            due.extend(self.streams.remove(&context_id).map(|stream| Due {
                context_id,
                policy: stream.policy,
                delayed: stream.delayed.then(|| now.since(stream.since)),
                outcome: stream.outcome,
            }));
        }
        due
    }

    /// When the next request is due; `None` when none is held.
    pub fn next_due(&self) -> Option<Instant> {
        if self.streams.is_empty() { None } else { self.queue.peek().map(|Reverse((due, _))| *due) }
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

    use super::{Held, Outcome};
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
        let mut held = Held::default();
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
    fn a_burst_is_let_go_in_parts_one_right_after_the_other() {
        let mut held = Held::default();
        (0..300).for_each(|id| _ = held.hold(id, delay(100), at(0)));
        let parts = [100, 101, 102].map(|now| held.take_due(at(now)).len());
        assert_eq!((parts, held.next_due()), ([128, 128, 44], None));
    }

    #[test]
    fn a_stream_that_has_ended_is_forgotten_and_costs_no_tick() {
        let mut held = Held::default();
        held.hold(1, delay(1_000), at(0));
        held.hold(2, delay(1_000), at(0));
        assert_eq!(held.forget_gone(at(100), |id| id == 1), 1);
        assert_eq!(held.forget_gone(at(199), |_| false), 0, "too soon to ask again");
        assert_eq!((held.len(), held.next_due()), (1, Some(at(1_000))));
        assert_eq!(held.forget_gone(at(200), |_| false), 1);
        assert_eq!(held.next_due(), None);
        assert!(held.take_due(at(1_000)).is_empty());
    }

    #[test]
    fn an_abort_after_a_start_delay_is_no_delay() {
        let mut held = Held::default();
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
            let mut held = Held::default();
            let mut waiting = Vec::new();
            for (id, (now, millis, ends)) in (0..).zip(&holds) {
                held.hold(id, delay(*millis), at(*now));
                if !ends { waiting.push(id); }
            }
            held.forget_gone(at(1_000), |id| waiting.contains(&id));
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
