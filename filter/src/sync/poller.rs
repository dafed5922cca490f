//! When to poll the control plane, and what its answers mean.
//!
//! A poll names the digest that is in force and is held by the server until that digest changes. The
//! digest moves on only when a new program has been activated, so that a body which cannot be used
//! is asked for again instead of being followed by 304s for ever.

use std::time::Duration;

use policies::{Digest, wire};
use serde::{Deserialize, Serialize};

use crate::{clock::Instant, config::Config, dice::Random};

/// The header by which an answer is known to be the control plane's and not the proxy's own.
pub const REVISION: &str = "x-hfi-revision";

/// The largest snapshot that is taken in. Every VM of a proxy compiles it, and no request passes
/// meanwhile: a larger one would be felt.
pub const MAX_SNAPSHOT_BYTES: usize = 4 * 1024 * 1024;

/// How much longer than its wait a poll may take.
const GRACE: Duration = Duration::from_secs(10);
/// Polls begin at least this far apart, whatever the server answers.
const SPACING: Duration = Duration::from_millis(200);
/// Between polls when the server answers before the wait is over although nothing changed.
const EARLY_SPACING: Duration = Duration::from_secs(2);
/// The first poll of a proxy comes within this time, so that a mesh that restarts comes one by one.
const START_SPREAD: Duration = Duration::from_secs(1);
const FIRST_BACKOFF: Duration = Duration::from_millis(500);
const MAX_BACKOFF: Duration = Duration::from_secs(30);

/// The state of the conversation with the control plane.
#[derive(Debug)]
pub struct Poller {
    phase: Phase,
    in_force: Option<InForce>,
    /// Failures since the last good answer.
    failures: u32,
    last_contact: Option<Instant>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Phase {
    Waiting { until: Instant },
    Polling { since: Instant },
}

/// The snapshot that the program in force was made of.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct InForce {
    pub digest: Digest,
    pub revision: String,
}

/// A request to send to the control plane.
#[derive(Debug, PartialEq, Eq)]
pub struct Poll {
    pub headers: Vec<(&'static str, String)>,
    pub timeout: Duration,
}

/// An answer as it came, of which nothing is believed yet.
#[derive(Debug, Default)]
pub struct Answer {
    pub status: Option<String>,
    pub etag: Option<String>,
    pub revision: Option<String>,
    /// It has more than [`MAX_SNAPSHOT_BYTES`]; then its body is not here.
    pub is_too_large: bool,
    pub body: Vec<u8>,
}

/// What an answer says.
#[derive(Debug, PartialEq, Eq)]
pub enum Said {
    /// A new snapshot, its digest verified.
    Changed { in_force: InForce, body: Vec<u8> },
    /// The snapshot in force is that of this revision too.
    Unchanged { revision: String },
}

impl Poller {
    /// A conversation of a proxy that starts now.
    pub fn new(now: Instant, random: &mut Random) -> Self {
        let until = now + random.up_to(START_SPREAD);
        Self { phase: Phase::Waiting { until }, in_force: None, failures: 0, last_contact: None }
    }

    /// The snapshot that the program in force was made of.
    pub fn in_force(&self) -> Option<&InForce> {
        self.in_force.as_ref()
    }

    /// Somebody else has the conversation, and has put that snapshot in force and heard of the control
    /// plane then.
    pub fn heard(&mut self, in_force: InForce, contact: Instant) {
        self.in_force = Some(in_force);
        self.last_contact = self.last_contact.max(Some(contact));
    }

    /// Whatever answer was waited for will not come, or is not wanted any more.
    pub fn give_up(&mut self, now: Instant) {
        if matches!(self.phase, Phase::Polling { .. }) {
            self.phase = Phase::Waiting { until: now };
        }
    }

    /// The poll to send now, if it is time for one.
    pub fn poll(&mut self, now: Instant, config: &Config, path: &str, node: &str) -> Option<Poll> {
        if now < self.next_step(config) {
            return None;
        }
        self.phase = Phase::Polling { since: now };
        let mut headers = vec![
            (":method", "GET".to_owned()),
            (":path", path.to_owned()),
            (":authority", config.authority.clone()),
            ("accept", wire::MEDIA_TYPE.to_owned()),
            ("prefer", format!("wait={}", config.poll_wait.as_secs())),
        ];
        if !node.is_empty() {
            headers.push(("x-hfi-node", node.to_owned()));
        }
        if let Some(in_force) = &self.in_force {
            headers.push(("if-none-match", in_force.digest.etag()));
            headers.push((REVISION, in_force.revision.clone()));
        }
        Some(Poll { headers, timeout: config.poll_wait + GRACE })
    }

    /// When [`Poller::poll`] is next to be called. A poll under way is given up some time after its
    /// time-out: by then the host has dropped it without telling.
    pub fn next_step(&self, config: &Config) -> Instant {
        match self.phase {
            Phase::Waiting { until } => until,
            Phase::Polling { since } => since + config.poll_wait + 2 * GRACE,
        }
    }

    /// Takes an answer in. The caller activates what is new and then says [`Poller::activated`], or
    /// says [`Poller::failed`].
    pub fn answered(&mut self, answer: Answer) -> Result<Said, String> {
        let Some(revision) = answer.revision else {
            let status = answer.status.as_deref().unwrap_or("no status");
            return Err(format!("the control plane was not reached ({status})"));
        };
        match answer.status.as_deref() {
            Some("304") if self.in_force.is_some() => Ok(Said::Unchanged { revision }),
            Some("200") if answer.is_too_large => {
                Err(format!("the snapshot has more than {MAX_SNAPSHOT_BYTES} bytes"))
            }
            Some("200") => {
                let digest = Digest::of(&answer.body);
                if answer.etag.as_deref().and_then(Digest::from_etag) != Some(digest) {
                    return Err("the body is not what its ETag says".to_owned());
                }
                if self.in_force.as_ref().is_some_and(|in_force| in_force.digest == digest) {
                    // Something between dropped the condition.
                    return Ok(Said::Unchanged { revision });
                }
                Ok(Said::Changed { in_force: InForce { digest, revision }, body: answer.body })
            }
            status => Err(format!("the control plane answered {}", status.unwrap_or("without a status"))),
        }
    }

    /// The program of this snapshot is in force.
    pub fn activated(&mut self, in_force: InForce, now: Instant) {
        self.in_force = Some(in_force);
        self.contact(now);
        // A poll that was held long ago is followed at once.
        let until = (self.polling_since(now) + SPACING).max(now);
        self.phase = Phase::Waiting { until };
    }

    /// The snapshot in force is still the newest, also at this revision.
    pub fn unchanged(&mut self, revision: String, now: Instant, config: &Config, random: &mut Random) {
        if let Some(in_force) = &mut self.in_force {
            in_force.revision = revision;
        }
        let since = self.polling_since(now);
        self.contact(now);
        let early = now.since(since) + SPACING < config.poll_wait;
        let until = if early { now + random.jitter(EARLY_SPACING) } else { now };
        self.phase = Phase::Waiting { until };
    }

    /// The poll brought nothing usable.
    pub fn failed(&mut self, now: Instant, random: &mut Random) {
        let backoff = FIRST_BACKOFF.saturating_mul(1 << self.failures.min(16)).min(MAX_BACKOFF);
        self.failures = self.failures.saturating_add(1);
        self.phase = Phase::Waiting { until: now + random.jitter(backoff) };
    }

    /// From when the snapshot in force is too old to be trusted; `None` when that never comes.
    pub fn stale_at(&self, config: &Config) -> Option<Instant> {
        self.in_force.as_ref()?;
        Some(self.last_contact? + config.max_staleness?)
    }

    fn contact(&mut self, now: Instant) {
        self.failures = 0;
        self.last_contact = Some(now);
    }

    fn polling_since(&self, now: Instant) -> Instant {
        match self.phase {
            Phase::Polling { since } => since,
            Phase::Waiting { .. } => now,
        }
    }
}
