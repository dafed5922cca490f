//! What the VMs of one proxy know together.
//!
//! Every worker thread runs the filter in a VM of its own. One of them leads: it alone polls the
//! control plane, and leaves what it learns in Envoy's shared data, where the others find it when a
//! queue tells them to look, or a little later without; one that starts anew finds it there too. Leading is a lease, so that a leader that dies is followed by
//! another one.

use std::time::Duration;

use policies::{Digest, wire::MEDIA_TYPE};
use serde::{Deserialize, Serialize};

use super::poller::InForce;
use crate::clock::Instant;

/// How long nobody else can lead after the leader was last seen.
const LEASE: Duration = Duration::from_secs(2);
/// A lease is renewed when no more than this is left of it.
const RENEWAL: Duration = Duration::from_secs(1);
/// How long a leader may be at work on a snapshot. It cannot renew its lease meanwhile, and a
/// successor would begin the same work anew.
const WORK: Duration = Duration::from_secs(30);
/// How many VMs are told to look at once; one more would only look a little later.
const QUEUES: u32 = 64;
/// How often a VM tries to take a queue of its own.
const TRIES: usize = 16;
/// Of how [`Head`] is written: plugins of different builds can meet in one proxy.
const FORMAT: &str = "hfi.1";

/// The host's shared data.
pub trait SharedData {
    /// A value, and the number of its version, which is never 0.
    fn get(&self, key: &str) -> Option<(Vec<u8>, u32)>;

    /// Sets a value, unless it has another version than the one expected; whether it did. The host
    /// looks at the version only where there is a value already.
    fn set(&self, key: &str, value: &[u8], expected: Option<u32>) -> bool;

    /// Has this VM told whenever somebody notifies that queue. A queue tells only the last who listens.
    fn listen(&self, queue: &str);

    /// Has whoever listens to that queue look at once.
    fn notify(&self, queue: &str);
}

/// What all VMs look at again and again: small, since the host copies it each time.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Head {
    leader: u64,
    lease_ends: Instant,
    pub news: News,
}

/// What the leader knows of the control plane.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct News {
    /// When it was last heard of.
    pub contact: Instant,
    /// The snapshot that is verified and runs.
    pub in_force: Option<InForce>,
}

/// Whether a VM leads.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    Follows,
    /// It did before.
    Leads,
    /// From now on; `is_first` of all VMs that ever did.
    Led {
        is_first: bool,
    },
}

/// One VM's view of what is shared by all VMs that have the same plugin configuration.
#[derive(Debug)]
pub struct Shared<D> {
    data: D,
    head: String,
    /// The last news, and the snapshot, from the same control plane for the same workload. A proxy
    /// whose plugin is configured anew begins with these.
    news: String,
    snapshot: String,
    /// How many VMs have joined, and with a number behind it the queue of each.
    queues: String,
    /// Tells this VM from the others; never 0, which is nobody.
    me: u64,
}

impl<D: SharedData> Shared<D> {
    /// Joins the VMs with this plugin configuration, which have their snapshots from `source`; `me` is
    /// a random number.
    pub fn join(data: D, configuration: &[u8], source: &str, me: u64) -> Self {
        // Shared data is one space for all plugins of a proxy.
        let key = |name, of: &[u8]| {
            let digest = Digest::of_parts([of, MEDIA_TYPE.as_bytes()]);
            format!("{FORMAT}.{name}.{digest}")
        };
        let shared = Self {
            data,
            head: key("head", configuration),
            news: key("news", source.as_bytes()),
            snapshot: key("snapshot", source.as_bytes()),
            queues: key("queues", configuration),
            me: me.max(1),
        };
        // A lease can be competed for only where there is a value. The first to come here is the VM
        // in which the host tries the configuration out, before it starts any other.
        if shared.data.get(&shared.head).is_none() {
            let news = shared.data.get(&shared.news).map(|(news, _)| decode(&news)).unwrap_or_default();
            shared.write(&Head { news, ..Head::default() }, None);
        }
        shared.listen();
        shared
    }

    /// Takes the next queue; after some tries the one that another VM takes at the same moment.
    fn listen(&self) {
        let mut taken = 0;
        for _ in 0..TRIES {
            let version = self.data.get(&self.queues).map(|(_, version)| version);
            taken = self.joined();
            if self.data.set(&self.queues, &taken.wrapping_add(1).to_le_bytes(), version) {
                break;
            }
        }
        self.data.listen(&self.queue(taken % QUEUES));
    }

    fn joined(&self) -> u32 {
        let joined = self.data.get(&self.queues).and_then(|(joined, _)| joined.try_into().ok());
        joined.map_or(0, u32::from_le_bytes)
    }

    fn queue(&self, number: u32) -> String {
        format!("{}.{number}", self.queues)
    }

    /// What is known, and whether this VM leads now, because it does already or because nobody else
    /// does any more.
    pub fn look(&self, now: Instant) -> (News, Role) {
        let Some((mut head, version)) = self.read() else {
            // It was there: somebody has cleared it.
            self.write(&Head::default(), None);
            return (News::default(), Role::Follows);
        };
        let before = head.leader;
        if before == self.me && now + RENEWAL < head.lease_ends {
            return (head.news, Role::Leads);
        }
        if before != self.me && now < head.lease_ends {
            return (head.news, Role::Follows);
        }
        (head.leader, head.lease_ends) = (self.me, now + LEASE);
        let role = match self.write(&head, Some(version)) {
            false => Role::Follows,
            true if before == self.me => Role::Leads,
            true => Role::Led { is_first: before == 0 },
        };
        (head.news, role)
    }

    /// Keeps the lead while this VM is at work on a snapshot, until it publishes.
    pub fn keep(&self, now: Instant) {
        if let Some((mut head, version)) = self.read()
            && head.leader == self.me
        {
            head.lease_ends = now + WORK;
            self.write(&head, Some(version));
        }
    }

    /// What is known, for a VM that cannot lead yet.
    pub fn peek(&self) -> News {
        self.read().map(|(head, _)| head.news).unwrap_or_default()
    }

    /// The bytes of the snapshot with this digest.
    pub fn snapshot(&self, digest: Digest) -> Option<Vec<u8>> {
        let (mut value, _) = self.data.get(&self.snapshot)?;
        // The digest stands behind the bytes, where it is taken off without moving them.
        let bytes = value.len().checked_sub(digest.into_bytes().len())?;
        let is_meant = value.get(bytes..)? == digest.into_bytes();
        value.truncate(bytes);
        is_meant.then_some(value)
    }

    /// Lets the others know what the leader has heard and, if a new snapshot is in force, its bytes.
    pub fn publish(&self, news: News, bytes: Option<Vec<u8>>) {
        let Some((mut head, version)) = self.read() else { return };
        if head.leader != self.me {
            return;
        }
        if let (Some(mut bytes), Some(in_force)) = (bytes, &news.in_force) {
            bytes.extend_from_slice(&in_force.digest.into_bytes());
            self.data.set(&self.snapshot, &bytes, None);
        }
        if let Ok(value) = postcard::to_allocvec(&news) {
            self.data.set(&self.news, &value, None);
        }
        let is_new = head.news.in_force != news.in_force;
        head.lease_ends = news.contact + LEASE;
        head.news = news;
        if self.write(&head, Some(version)) && is_new {
            (0..self.joined().min(QUEUES)).for_each(|number| self.data.notify(&self.queue(number)));
        }
    }

    fn read(&self) -> Option<(Head, u32)> {
        let (value, version) = self.data.get(&self.head)?;
        Some((decode(&value), version))
    }

    fn write(&self, head: &Head, expected: Option<u32>) -> bool {
        postcard::to_allocvec(head).is_ok_and(|value| self.data.set(&self.head, &value, expected))
    }
}

/// What cannot be read is nothing.
fn decode<T: Default + for<'de> Deserialize<'de>>(value: &[u8]) -> T {
    postcard::from_bytes(value).unwrap_or_default()
}
