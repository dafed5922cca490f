//! The filter of one root context: its identity, the program that it runs, and the requests it holds.

use std::{rc::Rc, time::Duration};

use policies::{Decision, Facts, Snapshot, Timestamp, evaluation::Outcome, wire::poll};

use crate::{
    clock::Instant,
    config::Config,
    dice::Random,
    event::Event,
    identity::{Identity, ProxyKind},
    programs::Programs,
    request::{
        counts::RequestCounts,
        fate::Fate,
        held::{DueRequest, HeldRequests},
    },
    sync::{
        answer::{Answer, PollOutcome},
        plugins::Plugins,
        poller::{Poll, PollContent, Poller},
        reporter::Reporter,
        shared::{Role, Shared, SharedState},
        shared_data::SharedData,
        totals::Totals,
    },
};

/// Longest time between two ticks. A VM that was not notified runs a new snapshot after this time at the
/// latest, and takes a lost leader's place.
const MAX_TICK: Duration = Duration::from_millis(200);
/// The same while requests are held: they go on at most 200 ms after the end of what holds them.
const MAX_TICK_HOLDING: Duration = Duration::from_millis(100);

/// State that outlives a request.
#[derive(Debug)]
pub struct Plugin<D> {
    config: Config,
    identity: Identity,
    /// Path of every poll.
    path: String,
    random: Random,
    shared: Shared<D>,
    plugins: Plugins,
    /// True if this VM polls for all VMs of the proxy.
    is_leader: bool,
    /// Time of the last refresh from the shared state.
    refreshed: Instant,
    poller: Poller,
    /// Reason why the last poll failed, if it did.
    failure: Option<String>,
    /// True once a snapshot came without an ETag.
    has_no_etag: bool,
    programs: Programs,
    is_stale: bool,
    held: HeldRequests,
    counts: RequestCounts,
    /// Time from which the counts are added to the proxy's totals again.
    next_addition: Instant,
    reporter: Reporter,
}

impl<D: SharedData> Plugin<D> {
    /// Plugin that starts with what the other VMs of its proxy run, if there are any.
    pub fn new(
        configuration: &[u8],
        config: Config,
        identity: Identity,
        data: D,
        seed: [u8; 32],
        now: Instant,
    ) -> Self {
        let mut random = Random::seeded(seed);
        let path = poll::target(&identity.scope);
        let source = format!("{} {}{path}", config.cluster, config.authority);
        let plugins = Plugins::new(identity.plugin.as_ref(), &data, now);
        Totals::begin(&data, &mut random);
        let mut plugin = Self {
            path,
            config,
            identity,
            shared: Shared::join(data, configuration, &source, random.id()),
            plugins,
            is_leader: false,
            refreshed: now,
            failure: None,
            has_no_etag: false,
            poller: Poller::new(now, &mut random),
            random,
            programs: Programs::default(),
            is_stale: false,
            held: HeldRequests::default(),
            counts: RequestCounts::default(),
            next_addition: now,
            reporter: Reporter::default(),
        };
        plugin.adopt(plugin.shared.state(), now);
        plugin.update_staleness(now);
        plugin
    }

    /// Envoy cluster of the control plane.
    pub fn cluster(&self) -> &str {
        &self.config.cluster
    }

    pub fn identity(&self) -> &Identity {
        &self.identity
    }

    /// True if this VM polls, and logs, for all VMs of the proxy.
    pub fn is_leader(&self) -> bool {
        self.is_leader
    }

    /// True if every request is inbound, whatever the listener's direction.
    pub fn is_always_inbound(&self) -> bool {
        matches!(self.identity.kind, ProxyKind::Waypoint | ProxyKind::WaypointOfOne)
    }

    /// True if requests come from outside the mesh, whose headers nobody vouches for.
    pub fn is_gateway(&self) -> bool {
        self.identity.kind == ProxyKind::Gateway
    }

    /// True if no request can get a fault, so that nothing about it need be read.
    pub fn is_idle(&self) -> bool {
        self.is_stale || self.programs.is_empty()
    }

    /// Number of policies in force.
    pub fn active_policies(&self, now: Timestamp) -> usize {
        if self.is_stale { 0 } else { self.programs.active_policies(now) }
    }

    /// Decides about a request that came through this filter chain.
    pub fn decide(
        &mut self,
        facts: &impl Facts,
        filter_chain: impl FnOnce() -> Option<Vec<u8>>,
    ) -> Option<Decision> {
        if self.is_stale {
            return None;
        }
        let outcome = self.programs.decide(facts, filter_chain, &mut self.random)?;
        let (policy, position) = match &outcome {
            Outcome::Spared { policy, position } => (policy, *position),
            Outcome::Chosen(decision) => (&decision.policy, decision.position),
        };
        self.counts.count_matched(policy, position);
        outcome.decision()
    }

    /// Fate of a request with this decision, which is counted.
    pub fn fate(&mut self, decision: &Decision) -> Fate {
        let is_full = self.held.len() >= self.config.max_active_faults;
        let fate = Fate::of(decision, is_full);
        fate.count(decision, &mut self.counts);
        fate
    }

    /// Counts the abort of a request that was held.
    pub fn count_late_abort(&mut self, policy: &Rc<str>) {
        self.counts.count_late_abort(policy);
    }

    /// Holds the request of a stream, which came at this time of day; `true` if it is due before all others.
    pub fn hold(&mut self, context_id: u32, decision: Decision, now: Instant, time: Timestamp) -> bool {
        self.held.hold(context_id, decision, now, time)
    }

    /// Number of requests that are held.
    pub fn held_requests(&self) -> usize {
        self.held.len()
    }

    /// Removes held requests that are due, as many as can be released in one call of the host.
    pub fn take_due(&mut self, now: Instant) -> Vec<DueRequest> {
        self.held.take_due(now)
    }

    /// Forgets held requests whose streams have ended; returns their number.
    pub fn forget_ended(&mut self, now: Instant, is_open: impl Fn(u32) -> bool) -> usize {
        self.held.forget_ended(now, is_open)
    }

    /// Adds what was counted to the totals of the proxy.
    pub fn add_counts(&mut self) {
        if !self.counts.has_news() {
            return;
        }
        let data = self.shared.data();
        if Totals::add(data, || self.counts.iter()) {
            self.counts.clear();
        } else {
            Totals::begin(data, &mut self.random);
        }
    }

    /// Runs what the other VMs have published, and renews or takes over the lease of the leader. Enters this
    /// plugin in the list of the proxy's plugins, and adds what it has counted to the totals of the proxy.
    pub fn refresh(&mut self, now: Instant) -> Vec<Event> {
        let (state, role) = self.shared.refresh(now);
        self.refreshed = now;
        self.plugins.refresh(self.shared.data(), now);
        if self.next_addition <= now {
            self.add_counts();
            self.next_addition = now + MAX_TICK;
        }
        self.adopt(state, now);
        self.is_leader = role != Role::Follower;
        let leadership = match role {
            Role::NewLeader { is_first } => {
                self.poller.abandon_poll(now);
                Some(Event::BecameLeader { is_first })
            }
            Role::Leader | Role::Follower => None,
        };
        leadership.into_iter().chain(self.update_staleness(now)).collect()
    }

    /// Poll to send now, if this VM leads and one is due.
    pub fn next_poll(&mut self, now: Instant) -> Option<Poll> {
        if !self.is_leader {
            return None;
        }
        let plugins = self.plugins.names();
        self.poller.tell_plugins(plugins.as_ref(), now);
        if now < self.poller.next_deadline() {
            return None;
        }
        let totals = Totals::read(self.shared.data());
        let has_news = totals.as_ref().is_some_and(|totals| self.reporter.has_news(totals));
        let is_short = has_news || !self.is_idle();
        let faults = totals.and_then(|totals| self.reporter.next_report(&totals));
        let content = PollContent {
            path: &self.path,
            wait: if is_short { self.config.report_interval } else { self.config.poll_wait },
            node: self.identity.node.as_ref(),
            plugins: plugins.as_ref(),
            faults: faults.as_ref(),
        };
        Some(self.poller.begin_poll(now, &self.config, content))
    }

    /// Handles the answer to a poll. A new snapshot is verified and compiled before it replaces the old one.
    pub fn handle_answer(&mut self, answer: Answer, now: Instant) -> Vec<Event> {
        let mut events = self.refresh(now);
        if !self.is_leader {
            // Another VM leads by now, and may have a newer answer.
            return events;
        }
        let lacks_etag = answer.lacks_etag();
        match self.apply(answer, now) {
            Ok(updated) => {
                self.failure = None;
                events.extend(updated);
                let is_news = lacks_etag && !std::mem::replace(&mut self.has_no_etag, lacks_etag);
                events.extend(is_news.then_some(Event::NoEtag));
            }
            Err(reason) => events.push(self.handle_failure(reason, now)),
        }
        events.extend(self.update_staleness(now));
        events
    }

    fn apply(&mut self, answer: Answer, now: Instant) -> Result<Option<Event>, String> {
        let (event, bytes) = match answer.outcome(self.poller.active())? {
            PollOutcome::Unchanged { revision } => {
                self.poller.record_unchanged(revision, now, &mut self.random);
                (None, None)
            }
            PollOutcome::Changed { snapshot, body } => {
                self.shared.extend_lease(now);
                self.activate(&body, now)?;
                let updated = Event::Updated { digest: snapshot.digest };
                self.poller.record_change(snapshot, now);
                (Some(updated), Some(body))
            }
        };
        self.reporter.record_answer();
        let active = self.poller.active().cloned();
        self.shared.publish(SharedState { last_contact: now, active }, bytes);
        Ok(event)
    }

    /// Handles a poll that could not be sent or brought nothing usable. The active snapshot stays.
    pub fn handle_failure(&mut self, reason: String, now: Instant) -> Event {
        self.poller.record_failure(now, &mut self.random);
        let is_new = self.failure.as_ref() != Some(&reason);
        self.failure = Some(reason.clone());
        Event::PollFailed { reason, is_new }
    }

    /// Time until the next refresh, poll or release of a request.
    pub fn next_tick(&self, now: Instant) -> Duration {
        let poll = self.is_leader.then(|| self.poller.next_deadline());
        let others = [poll, self.held.next_due()].into_iter().flatten();
        let longest = if self.held.is_empty() { MAX_TICK } else { MAX_TICK_HOLDING };
        let next = others.fold(self.refreshed + longest, Instant::min);
        // Rounded up, so that the work is due at the tick. Zero would switch the timer off.
        let millis = next.since(now).as_nanos().div_ceil(1_000_000).max(1);
        Duration::from_millis(u64::try_from(millis).unwrap_or(u64::MAX))
    }

    /// Compiles a snapshot, and runs it. Requests that are held by what is not in it are due now.
    fn activate(&mut self, bytes: &[u8], now: Instant) -> Result<(), String> {
        let snapshot = Snapshot::decode(bytes).map_err(|error| error.to_string())?;
        self.programs = Programs::compile(&snapshot, &self.identity, &self.config.cluster_domain);
        self.held.follow(&snapshot, now);
        self.counts.follow_snapshot();
        Ok(())
    }

    /// Runs the snapshot that another VM has verified.
    fn adopt(&mut self, SharedState { last_contact, active }: SharedState, now: Instant) {
        let Some(active) = active else { return };
        if self.poller.active().map(|known| known.digest) != Some(active.digest) {
            let Some(bytes) = self.shared.snapshot(active.digest) else { return };
            if self.activate(&bytes, now).is_err() {
                return;
            }
        }
        self.poller.adopt(active, last_contact);
    }

    /// Stops injecting after too long without contact with the control plane, and resumes after contact.
    fn update_staleness(&mut self, now: Instant) -> Option<Event> {
        let is_stale = self.poller.stale_at(&self.config).is_some_and(|at| at <= now);
        if is_stale && !self.is_stale {
            self.held.cancel_all(now);
        }
        let event = if is_stale { Event::Stale } else { Event::Fresh };
        (std::mem::replace(&mut self.is_stale, is_stale) != is_stale).then_some(event)
    }
}
