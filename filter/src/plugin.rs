//! The filter as one root context knows it: who it is, what it runs, and whom it holds.

use std::time::Duration;

use policies::{Decision, Facts, Timestamp};

use crate::{
    clock::Instant,
    config::Config,
    dice::Random,
    event::Event,
    identity::{Identity, StandsFor},
    programs::Programs,
    request::held::Held,
    sync::{
        poller::{Answer, Poll, Poller, Said},
        shared::{News, Role, Shared, SharedData},
    },
};

/// The longest that the timer sleeps: so much later at most does a VM that was not told run what
/// another one has taken over, or follow a leader that is lost.
const MAX_TICK: Duration = Duration::from_millis(200);

/// Everything that outlives a request.
#[derive(Debug)]
pub struct Plugin<D> {
    config: Config,
    identity: Identity,
    /// The path of a poll: it never changes.
    path: String,
    random: Random,
    shared: Shared<D>,
    /// Whether this VM polls for all of the proxy.
    leads: bool,
    /// When it last looked at what the others have left.
    looked: Instant,
    poller: Poller,
    /// Why the last poll failed, if it did.
    failure: Option<String>,
    programs: Programs,
    is_stale: bool,
    pub held: Held,
}

impl<D: SharedData> Plugin<D> {
    /// A filter that runs what the other VMs of its proxy run, if there are any.
    pub fn new(
        configuration: &[u8],
        config: Config,
        identity: Identity,
        data: D,
        seed: [u8; 32],
        now: Instant,
    ) -> Self {
        let mut random = Random::seeded(seed);
        let path = format!("/v1/snapshot?{}", identity.workload);
        let source = format!("{} {}{path}", config.cluster, config.authority);
        let mut plugin = Self {
            path,
            config,
            identity,
            shared: Shared::join(data, configuration, &source, random.tag()),
            leads: false,
            looked: now,
            failure: None,
            poller: Poller::new(now, &mut random),
            random,
            programs: Programs::default(),
            is_stale: false,
            held: Held::default(),
        };
        plugin.follow(plugin.shared.peek());
        plugin.judge_age(now);
        plugin
    }

    /// The Envoy cluster of the control plane.
    pub fn cluster(&self) -> &str {
        &self.config.cluster
    }

    /// Who this is.
    pub fn identity(&self) -> &Identity {
        &self.identity
    }

    /// Whether this VM polls, and tells, for all of the proxy.
    pub fn leads(&self) -> bool {
        self.leads
    }

    /// Whether every request is one that is received, whichever way the listener takes it.
    pub fn only_receives(&self) -> bool {
        self.identity.stands_for != StandsFor::Workload
    }

    /// Whether no request can get a fault, so that nothing need be known of it.
    pub fn is_idle(&self) -> bool {
        self.is_stale || self.programs.is_empty()
    }

    /// How many policies are in force.
    pub fn policies(&self, now: Timestamp) -> usize {
        if self.is_stale { 0 } else { self.programs.policies(now) }
    }

    /// What is to happen to a request that came through this filter chain.
    pub fn decide(
        &mut self,
        facts: &impl Facts,
        filter_chain: impl FnOnce() -> Option<Vec<u8>>,
    ) -> Option<Decision> {
        if self.is_stale {
            return None;
        }
        self.programs.decide(facts, filter_chain, &mut self.random)
    }

    /// Whether as many requests are held as may be.
    pub fn is_full(&self) -> bool {
        self.held.len() >= self.config.max_active_faults
    }

    /// Looks at what the other VMs have left, and sees to it that one VM leads.
    pub fn look(&mut self, now: Instant) -> Vec<Event> {
        let (news, role) = self.shared.look(now);
        self.looked = now;
        self.follow(news);
        self.leads = role != Role::Follows;
        let led = match role {
            Role::Led { is_first } => {
                self.poller.give_up(now);
                Some(Event::Led { is_first })
            }
            Role::Leads | Role::Follows => None,
        };
        led.into_iter().chain(self.judge_age(now)).collect()
    }

    /// The poll to send now, if it is time for one and this VM's to send.
    pub fn poll(&mut self, now: Instant) -> Option<Poll> {
        if !self.leads {
            return None;
        }
        self.poller.poll(now, &self.config, &self.path, &self.identity.node)
    }

    /// Takes the answer of a poll in: a new snapshot is verified, compiled aside and swapped whole.
    pub fn answered(&mut self, answer: Answer, now: Instant) -> Vec<Event> {
        let mut events = self.look(now);
        if !self.leads {
            // Another VM leads since, and may have heard newer things.
            return events;
        }
        match self.activate(answer, now) {
            Ok(updated) => {
                self.failure = None;
                events.extend(updated);
            }
            Err(reason) => events.push(self.failed(reason, now)),
        }
        events.extend(self.judge_age(now));
        events
    }

    fn activate(&mut self, answer: Answer, now: Instant) -> Result<Option<Event>, String> {
        let (event, bytes) = match self.poller.answered(answer)? {
            Said::Unchanged { revision } => {
                self.poller.unchanged(revision, now, &self.config, &mut self.random);
                (None, None)
            }
            Said::Changed { in_force, body } => {
                self.shared.keep(now);
                self.programs = Programs::compile(&body, &self.identity)?;
                let updated = Event::Updated { digest: in_force.digest };
                self.poller.activated(in_force, now);
                (Some(updated), Some(body))
            }
        };
        let in_force = self.poller.in_force().cloned();
        self.shared.publish(News { contact: now, in_force }, bytes);
        Ok(event)
    }

    /// A poll could not be sent, or brought nothing usable. What is in force stays so.
    pub fn failed(&mut self, reason: String, now: Instant) -> Event {
        self.poller.failed(now, &mut self.random);
        let is_new = self.failure.as_ref() != Some(&reason);
        self.failure = Some(reason.clone());
        Event::Failed { reason, is_new }
    }

    /// How long nothing need be done: until the next look at the others, the next poll, or the next
    /// request that is due.
    pub fn next_tick(&self, now: Instant) -> Duration {
        let poll = self.leads.then(|| self.poller.next_step(&self.config));
        let others = [poll, self.held.next_due()].into_iter().flatten();
        let next = others.fold(self.looked + MAX_TICK, Instant::min);
        // Rounded up, so that what is due then is due. Zero would switch the timer off.
        let millis = next.since(now).as_nanos().div_ceil(1_000_000).max(1);
        Duration::from_millis(u64::try_from(millis).unwrap_or(u64::MAX))
    }

    /// Runs what another VM has verified and runs.
    fn follow(&mut self, News { contact, in_force }: News) {
        let Some(in_force) = in_force else { return };
        if self.poller.in_force().map(|known| known.digest) != Some(in_force.digest) {
            let Some(bytes) = self.shared.snapshot(in_force.digest) else { return };
            let Ok(programs) = Programs::compile(&bytes, &self.identity) else { return };
            self.programs = programs;
        }
        self.poller.heard(in_force, contact);
    }

    /// Stops injecting when the control plane has not been heard of for too long, and goes on when it
    /// has.
    fn judge_age(&mut self, now: Instant) -> Option<Event> {
        let is_stale = self.poller.stale_at(&self.config).is_some_and(|at| at <= now);
        let event = if is_stale { Event::Stale } else { Event::Fresh };
        (std::mem::replace(&mut self.is_stale, is_stale) != is_stale).then_some(event)
    }
}
