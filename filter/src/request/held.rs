//! Requests that wait for their delay.
//!
//! Proxy-Wasm has no timer per stream: a request is paused, and a tick of the root context releases it.

use std::{
    cmp::Reverse,
    collections::{BinaryHeap, HashMap, HashSet},
    rc::Rc,
    time::Duration,
};

use policies::{
    Decision, Snapshot, Timestamp,
    evaluation::{RuleId, rules_in_force},
    language::Abort,
};

use crate::clock::{Instant, WallClock};

/// Shortest time between two searches for streams that have ended.
const SWEEP: Duration = Duration::from_millis(100);
/// Number of requests released in one call of the host. The host continues them after the call; if one
/// of them makes the host call this VM, the others continue inside that call, nested, and V8's stack
/// has room for some 250 levels.
const RELEASE_BATCH: usize = 128;

/// Action on a request that is released.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// The delay is over: the request continues to the workload.
    Resume,
    /// The filter answers the request in place of the workload.
    Abort(Rc<Abort>),
    /// The rule is no longer in force: the request continues to the workload, before its time or without its
    /// abort.
    Cancel,
}

/// Request that is released.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DueRequest {
    pub context_id: u32,
    pub policy: Rc<str>,
    pub outcome: Outcome,
    /// Time for which it was held, if the rule has a delay.
    pub delayed: Option<Duration>,
}

/// Requests that are held, ordered by the time of their release.
#[derive(Debug, Default)]
pub struct HeldRequests {
    /// One entry for each of `requests`.
    queue: BinaryHeap<Reverse<(Instant, u32)>>,
    requests: HashMap<u32, HeldRequest>,
    /// As of the newest request, so of the last 30 s while any is held.
    wall_clock: WallClock,
    swept: Instant,
}

#[derive(Debug)]
struct HeldRequest {
    policy: Rc<str>,
    rule: Option<RuleId>,
    since: Instant,
    due: Instant,
    /// End of the rule.
    ends: Instant,
    delayed: bool,
    abort: Option<Rc<Abort>>,
}

impl HeldRequest {
    fn release(&self) -> Instant {
        self.due.min(self.ends)
    }

    fn outcome(self, now: Instant) -> Outcome {
        match self.abort {
            None if self.due <= now => Outcome::Resume,
            Some(abort) if now < self.ends => Outcome::Abort(abort),
            _ => Outcome::Cancel,
        }
    }
}

impl HeldRequests {
    pub fn len(&self) -> usize {
        self.requests.len()
    }

    pub fn is_empty(&self) -> bool {
        self.requests.is_empty()
    }

    /// Holds the request of a stream for the time of the decision; `true` if it is released before all others.
    pub fn hold(&mut self, context_id: u32, decision: Decision, now: Instant, time: Timestamp) -> bool {
        let Decision { policy, position: _, rule, ends_at, hold, delayed, abort, mode: _ } = decision;
        self.wall_clock = WallClock::read(now, time);
        let ends = self.wall_clock.end(ends_at);
        let request = HeldRequest { policy, rule, since: now, due: now + hold, ends, delayed, abort };
        let release = request.release();
        let is_first = self.next_due().is_none_or(|first| release < first);
        self.queue.push(Reverse((release, context_id)));
        self.requests.insert(context_id, request);
        is_first
    }

    /// Follows a new snapshot: what its rules no longer hold is due now, and what they hold, until their ends.
    pub fn follow(&mut self, snapshot: &Snapshot, now: Instant) {
        if self.requests.is_empty() {
            return;
        }
        let policies: HashSet<_> = self.requests.values().map(|request| &*request.policy).collect();
        let in_force =
            rules_in_force(snapshot, self.wall_clock.time(now), |policy| policies.contains(policy));
        let wall_clock = self.wall_clock;
        self.end_all(|rule| {
            rule.and_then(|rule| in_force.get(&rule)).map_or(now, |ends_at| wall_clock.end(*ends_at))
        });
    }

    /// Makes all requests due now, without their aborts.
    pub fn cancel_all(&mut self, now: Instant) {
        self.end_all(|_| now);
    }

    fn end_all(&mut self, end_of: impl Fn(Option<RuleId>) -> Instant) {
        let release = |(context_id, request): (&u32, &mut HeldRequest)| {
            request.ends = end_of(request.rule);
            Reverse((request.release(), *context_id))
        };
        self.queue = self.requests.iter_mut().map(release).collect();
    }

    /// Forgets requests whose streams have ended; returns their number. The host does not report the
    /// end of a stream, so every stream is checked, but not more often than every `SWEEP`.
    pub fn forget_ended(&mut self, now: Instant, is_open: impl Fn(u32) -> bool) -> usize {
        if self.requests.is_empty() || now < self.swept + SWEEP {
            return 0;
        }
        self.swept = now;
        let Self { queue, requests, .. } = self;
        let held = requests.len();
        requests.retain(|context_id, _| is_open(*context_id));
        let ended = held - requests.len();
        if ended > 0 {
            // Clients that leave at once must not fill the queue until the delay of each would be over.
            queue.retain(|Reverse((_, context_id))| requests.contains_key(context_id));
        }
        ended
    }

    /// Removes requests whose time is up, at most `RELEASE_BATCH`. The others stay due.
    pub fn take_due(&mut self, now: Instant) -> Vec<DueRequest> {
        let mut due = Vec::new();
        while due.len() < RELEASE_BATCH
            && self.next_due().is_some_and(|at| at <= now)
            && let Some(Reverse((_, context_id))) = self.queue.pop()
        {
            due.extend(self.requests.remove(&context_id).map(|request| DueRequest {
                context_id,
                policy: Rc::clone(&request.policy),
                delayed: request.delayed.then(|| now.since(request.since)),
                outcome: request.outcome(now),
            }));
        }
        due
    }

    /// Time at which the next request is due; `None` when none is held.
    pub fn next_due(&self) -> Option<Instant> {
        self.queue.peek().map(|Reverse((due, _))| *due)
    }
}
