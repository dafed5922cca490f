//! One filter, as its polls describe it. No step of the wall clock makes it gone, or forgotten.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use policies::{
    Digest,
    wire::{
        PluginNames,
        poll::{self, NodeId},
    },
};

use crate::{
    clients::Client,
    fleet::sighting::{Given, Sighting},
    serving::published::Variant,
};

/// The time for which a silent filter is remembered: for longer than it injects without the control plane, 15 minutes
/// unless its configuration says more (`max_staleness_seconds`).
pub const MEMORY: Duration = Duration::from_secs(16 * 60);
/// Time beyond its poll after which a silent filter counts as gone: that of two retries at the longest
/// back-off.
const GRACE: Duration = poll::MAX_BACKOFF.saturating_mul(2);

/// The sender of a poll.
#[derive(Clone, Copy, Debug)]
pub struct Origin {
    pub client: Client,
    /// The name of the node has the address of this client.
    pub is_own: bool,
}

/// A poll, as far as it describes its filter.
#[derive(Clone, Debug)]
pub struct Poll<'v> {
    pub node: NodeId,
    pub variant: &'v Arc<Variant>,
    /// The digest of the snapshot that it runs.
    pub digest: Option<Digest>,
    /// The plugins that run in its proxy, if it names them.
    pub plugins: Option<PluginNames>,
    /// The time for which the server may hold the poll.
    pub wait: Duration,
}

/// A filter that has polled.
#[derive(Debug)]
pub(super) struct Seen {
    pub(super) origin: Origin,
    pub(super) node: NodeId,
    /// That of all filters of the workload, which may be many.
    pub(super) variant: Arc<Variant>,
    pub(super) digest: Option<Digest>,
    /// What it was given and has not confirmed.
    pub(super) given: Option<Given>,
    /// The start of its last poll.
    pub(super) contact: Instant,
    plugins: Option<PluginNames>,
    /// The time from which the last poll that named no plugins counts as gone.
    unnamed_due: Option<Instant>,
    /// The time from which it counts as gone.
    due: Instant,
}

impl Seen {
    pub(super) fn new(contact: Instant, origin: Origin, poll: Poll<'_>) -> Self {
        let (node, variant) = (poll.node.clone(), Arc::clone(poll.variant));
        let mut seen = Self {
            origin,
            node,
            variant,
            digest: None,
            given: None,
            contact,
            plugins: None,
            unnamed_due: None,
            due: contact,
        };
        seen.update(contact, origin, poll);
        seen
    }

    /// Takes over what another poll of the node says.
    pub(super) fn update(&mut self, contact: Instant, origin: Origin, poll: Poll<'_>) {
        let Poll { node: _, variant, digest, plugins, wait } = poll;
        let due = contact + wait + GRACE;
        (self.origin, self.digest, self.contact) = (origin, digest, contact);
        // It says what it runs by now. One that says nothing may have taken what it was given, too.
        if digest.is_some() {
            self.given = None;
        }
        // Two filters of one proxy can wait for different times.
        self.due = self.due.max(due);
        // A filter that replaced another one can ask for another scope and format.
        self.variant = Arc::clone(variant);
        match plugins {
            Some(plugins) => self.plugins = Some(plugins),
            None => self.unnamed_due = self.unnamed_due.max(Some(due)),
        }
    }

    /// Notes the snapshot in an answer. The filter may run it, even if its client has left before it came.
    pub(super) fn was_given(&mut self, digest: Digest, at: Instant) {
        self.given = (self.digest != Some(digest)).then_some(Given { digest, at });
    }

    /// Notes that it has said to another replica what it runs, in a poll that began at most so long before the sighting
    /// says. What comes from its address is believed first.
    pub(super) fn said_elsewhere(&mut self, sighting: &Sighting, late: Duration) {
        let is_believed = sighting.is_own || !self.origin.is_own;
        let is_later = self.given.as_ref().is_some_and(|given| sighting.contact > given.at + late);
        if is_believed && is_later {
            self.given = None;
            // The other replica may forget it first.
            self.digest = sighting.digest;
        }
    }

    /// The plugins that run in its proxy. Nothing is known of them while an older release also polls for the proxy:
    /// the newer one does not see it.
    pub(super) fn plugins(&self, now: Instant) -> Option<&PluginNames> {
        self.plugins.as_ref().filter(|_| self.unnamed_due.is_none_or(|due| due < now))
    }

    /// The time for which its polls may be held.
    pub(super) fn wait(&self) -> Duration {
        self.due.saturating_duration_since(self.contact).saturating_sub(GRACE)
    }

    /// Its next poll is overdue.
    pub(super) fn is_gone(&self, now: Instant) -> bool {
        self.due < now
    }

    /// It has been silent for so long that it is forgotten.
    pub(super) fn is_over(&self, now: Instant) -> bool {
        let last = self.given.map_or(self.contact, |given| given.at.max(self.contact));
        now.duration_since(last) > MEMORY
    }

    /// Tells whether the report of another may replace this one. A name is believed from one client at a time: from that
    /// whose address is in the name, else from that which came first, until it is gone.
    pub(super) fn gives_way_to(&self, other: Origin, now: Instant) -> bool {
        let is_same = self.origin.client == other.client;
        is_same || other.is_own && !self.origin.is_own || self.is_gone(now)
    }
}
