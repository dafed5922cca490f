//! Schedule of the polls: when to send the next one, and when to give one up.
//!
//! A poll sends the digest of the active snapshot, and the server holds it until that digest changes.
//! The digest changes only after a new program runs, so a body that cannot be used is requested again
//! and never answered with 304.

use std::time::Duration;

use policies::wire::{
    FaultReport, PluginNames,
    poll::{self, NodeId},
};

use super::answer::ActiveSnapshot;
use crate::{clock::Instant, config::Config, dice::Random};

/// Time that a poll may take in addition to its wait.
const GRACE: Duration = Duration::from_secs(10);
/// Time over which first polls are spread, so that the proxies of a restarted mesh do not poll together.
const START_SPREAD: Duration = Duration::from_secs(1);
/// Pause after each of the first failures. Then it doubles up to [`poll::MAX_BACKOFF`].
const FIRST_BACKOFF: Duration = Duration::from_millis(500);
/// Failures before the pause doubles. Envoy sends each request to any endpoint of the cluster: while one of two
/// replicas is gone and still an endpoint, half of the polls fail, and the next one may reach the other replica.
const SOON: u32 = 4;
/// Least time for which a poll is under way before another one tells of other plugins. The server holds both.
const RENEWAL_SPACING: Duration = Duration::from_secs(10);

/// Polls of one VM, and what they have brought so far.
#[derive(Debug)]
pub struct Poller {
    phase: Phase,
    active: Option<ActiveSnapshot>,
    /// Failed polls since the last good answer.
    failures: u32,
    last_contact: Option<Instant>,
    /// Plugins that the last poll named.
    named: Option<PluginNames>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Phase {
    Waiting { until: Instant },
    Polling { since: Instant, wait: Duration },
}

/// What a poll asks for and tells.
#[derive(Clone, Copy, Debug)]
pub struct PollContent<'c> {
    pub path: &'c str,
    /// Time for which the server may hold it.
    pub wait: Duration,
    pub node: Option<&'c NodeId>,
    pub plugins: Option<&'c PluginNames>,
    pub faults: Option<&'c FaultReport>,
}

/// Request to send to the control plane.
#[derive(Debug, PartialEq, Eq)]
pub struct Poll {
    pub headers: Vec<(&'static str, String)>,
    pub timeout: Duration,
}

impl Poller {
    /// Poller of a proxy that starts now.
    pub fn new(now: Instant, random: &mut Random) -> Self {
        let until = now + random.up_to(START_SPREAD);
        let phase = Phase::Waiting { until };
        Self { phase, active: None, failures: 0, last_contact: None, named: None }
    }

    /// Snapshot from which the running program was compiled.
    pub fn active(&self) -> Option<&ActiveSnapshot> {
        self.active.as_ref()
    }

    /// Records what the leading VM has activated, and when it last reached the control plane.
    pub fn adopt(&mut self, active: ActiveSnapshot, contact: Instant) {
        self.active = Some(active);
        self.last_contact = self.last_contact.max(Some(contact));
    }

    /// Gives up the poll under way, if there is one. The next one is due now.
    pub fn abandon_poll(&mut self, now: Instant) {
        if matches!(self.phase, Phase::Polling { .. }) {
            self.phase = Phase::Waiting { until: now };
        }
    }

    /// Gives up the poll under way if it named other plugins than these, so that the server need not wait for
    /// its end to know them.
    pub fn tell_plugins(&mut self, plugins: Option<&PluginNames>, now: Instant) {
        match self.phase {
            Phase::Polling { since, .. }
                if self.named.as_ref() != plugins && since + RENEWAL_SPACING <= now =>
            {
                self.abandon_poll(now);
            }
            Phase::Polling { .. } | Phase::Waiting { .. } => {}
        }
    }

    /// Begins a poll, and returns it.
    pub fn begin_poll(&mut self, now: Instant, config: &Config, content: PollContent<'_>) -> Poll {
        let PollContent { path, wait, node, plugins, faults } = content;
        self.phase = Phase::Polling { since: now, wait };
        self.named = plugins.cloned();
        let mut headers = vec![
            (":method", "GET".to_owned()),
            (":path", path.to_owned()),
            (":authority", config.authority.clone()),
            ("accept", poll::ACCEPT.to_owned()),
            (poll::PREFER, poll::prefer(wait.as_secs())),
        ];
        headers.extend(node.map(|node| (poll::NODE, node.as_str().to_owned())));
        headers.extend(plugins.map(|plugins| (poll::PLUGINS, plugins.as_str().to_owned())));
        headers.extend(faults.map(|faults| (poll::FAULTS, faults.to_string())));
        if let Some(active) = &self.active {
            headers.push(("if-none-match", active.digest.etag()));
            headers.push((poll::REVISION, active.revision.clone()));
        }
        Poll { headers, timeout: wait + GRACE }
    }

    /// Time at which the next poll is due. A poll under way is given up a while
    /// after its timeout: the host has dropped it by then and does not report that.
    pub fn next_deadline(&self) -> Instant {
        match self.phase {
            Phase::Waiting { until } => until,
            Phase::Polling { since, wait } => since + wait + 2 * GRACE,
        }
    }

    /// Records that the program of a new snapshot runs.
    pub fn record_change(&mut self, active: ActiveSnapshot, now: Instant) {
        self.active = Some(active);
        // A poll that began long ago is followed by the next one at once.
        let (since, _) = self.poll_under_way(now);
        let until = (since + poll::MIN_SPACING).max(now);
        self.record_contact(now, until);
    }

    /// Records that the active snapshot is current, at this revision.
    pub fn record_unchanged(&mut self, revision: String, now: Instant, random: &mut Random) {
        if let Some(active) = &mut self.active {
            active.revision = revision;
        }
        let (since, wait) = self.poll_under_way(now);
        let is_early = now.since(since) + poll::MIN_SPACING < wait;
        let until = if is_early { now + random.jitter(poll::EARLY_SPACING) } else { now };
        self.record_contact(now, until);
    }

    /// Records that a poll brought nothing usable. The next one backs off.
    pub fn record_failure(&mut self, now: Instant, random: &mut Random) {
        self.failures = self.failures.saturating_add(1);
        let doublings = self.failures.saturating_sub(SOON).min(16);
        let backoff = FIRST_BACKOFF.saturating_mul(1 << doublings).min(poll::MAX_BACKOFF);
        self.phase = Phase::Waiting { until: now + random.jitter(backoff) };
    }

    /// Time from which the active snapshot is too old to be used; `None` for never.
    pub fn stale_at(&self, config: &Config) -> Option<Instant> {
        self.active.as_ref()?;
        Some(self.last_contact? + config.max_staleness?)
    }

    fn record_contact(&mut self, now: Instant, until: Instant) {
        self.failures = 0;
        self.last_contact = Some(now);
        self.phase = Phase::Waiting { until };
    }

    /// Begin of the poll that is answered now, and the time for which the server could hold it.
    fn poll_under_way(&self, now: Instant) -> (Instant, Duration) {
        match self.phase {
            Phase::Polling { since, wait } => (since, wait),
            // It was given up: when it began is not known.
            Phase::Waiting { .. } => (now, poll::EARLY_SPACING),
        }
    }
}
