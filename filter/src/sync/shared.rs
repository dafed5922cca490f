//! State that the VMs of one proxy share, and the lease of the VM that leads.
//!
//! Every worker thread runs the filter in a VM of its own. One VM leads: it polls the control plane and
//! writes the result to Envoy's shared data. The other VMs read it there when a queue notifies them,
//! or at their next tick; a VM that starts later reads it at its start. Leadership is a lease, so that
//! another VM takes over when the leader is gone.

use std::time::Duration;

use policies::{Digest, wire::poll};
use serde::{Deserialize, Serialize};

use super::{
    answer::ActiveSnapshot,
    keys::Keys,
    queues::Queues,
    shared_data::SharedData,
    value::{decode, encode},
};
use crate::clock::Instant;

/// Time for which a lease is valid.
const LEASE: Duration = Duration::from_secs(2);
/// Remaining time at which the leader renews its lease.
const RENEWAL: Duration = Duration::from_secs(1);
/// Lease of a leader that compiles a snapshot. It cannot renew a lease during that time, and a
/// successor would only begin the same work again.
const WORK_LEASE: Duration = Duration::from_secs(30);
/// Record that every VM reads at every tick. It is small, since the host copies it each time.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct LeaseRecord {
    leader: u64,
    lease_ends: Instant,
    pub state: SharedState,
}

/// State of the leader's conversation with the control plane.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct SharedState {
    /// Time of the last good answer.
    pub last_contact: Instant,
    /// Snapshot that is verified and runs.
    pub active: Option<ActiveSnapshot>,
}

/// Part of a VM in its proxy.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    Follower,
    /// The leader since an earlier call.
    Leader,
    /// The leader since this call; `is_first` if no VM led before.
    NewLeader {
        is_first: bool,
    },
}

/// One VM's access to what all VMs with the same plugin configuration share.
#[derive(Debug)]
pub struct Shared<D> {
    data: D,
    lease_key: String,
    state_key: String,
    snapshot_key: String,
    queues: Queues,
    /// Id of this VM; never 0, which stands for no VM.
    id: u64,
}

impl<D: SharedData> Shared<D> {
    /// Joins the VMs with this plugin configuration, which get their snapshots from `source`; `id` is
    /// a random number.
    pub fn join(data: D, configuration: &[u8], source: &str, id: u64) -> Self {
        let Keys { lease, state, snapshot, queues } = Keys::new(configuration, source, poll::ACCEPT);
        let shared = Self {
            data,
            lease_key: lease,
            state_key: state,
            snapshot_key: snapshot,
            queues: Queues::new(queues),
            id: id.max(1),
        };
        // VMs can only compete for a lease where there is a value. The first VM to come here is the one
        // in which the host validates the configuration, before it starts any other.
        if shared.data.get(&shared.lease_key).is_none() {
            let state = shared.data.get(&shared.state_key).map(|(state, _)| decode(&state));
            let record = LeaseRecord { state: state.unwrap_or_default(), ..LeaseRecord::default() };
            shared.write(&record, None);
        }
        shared.queues.join(&shared.data);
        shared
    }

    /// Shared data of the host.
    pub fn data(&self) -> &D {
        &self.data
    }

    /// Reads the shared state. Renews this VM's lease, or takes the lease over if it has ended.
    pub fn refresh(&self, now: Instant) -> (SharedState, Role) {
        let Some((mut record, version)) = self.read() else {
            // It was there: something has cleared it.
            self.write(&LeaseRecord::default(), None);
            return (SharedState::default(), Role::Follower);
        };
        let before = record.leader;
        if before == self.id && now + RENEWAL < record.lease_ends {
            return (record.state, Role::Leader);
        }
        if before != self.id && now < record.lease_ends {
            return (record.state, Role::Follower);
        }
        (record.leader, record.lease_ends) = (self.id, now + LEASE);
        let role = match self.write(&record, Some(version)) {
            false => Role::Follower,
            true if before == self.id => Role::Leader,
            true => Role::NewLeader { is_first: before == 0 },
        };
        (record.state, role)
    }

    /// Extends this VM's lease while it compiles a snapshot, until it publishes.
    pub fn extend_lease(&self, now: Instant) {
        if let Some((mut record, version)) = self.read()
            && record.leader == self.id
        {
            record.lease_ends = now + WORK_LEASE;
            self.write(&record, Some(version));
        }
    }

    /// Shared state, for a VM that cannot lead yet.
    pub fn state(&self) -> SharedState {
        self.read().map(|(record, _)| record.state).unwrap_or_default()
    }

    /// Bytes of the snapshot with this digest.
    pub fn snapshot(&self, digest: Digest) -> Option<Vec<u8>> {
        let (mut value, _) = self.data.get(&self.snapshot_key)?;
        // The digest stands behind the bytes, so that removing it moves nothing.
        let bytes = value.len().checked_sub(digest.into_bytes().len())?;
        let matches = value.get(bytes..)? == digest.into_bytes();
        value.truncate(bytes);
        matches.then_some(value)
    }

    /// Publishes the leader's state and, with a new snapshot, its bytes.
    pub fn publish(&self, state: SharedState, bytes: Option<Vec<u8>>) {
        let Some((mut record, version)) = self.read() else { return };
        if record.leader != self.id {
            return;
        }
        if let (Some(mut bytes), Some(active)) = (bytes, &state.active) {
            bytes.extend_from_slice(&active.digest.into_bytes());
            self.data.set(&self.snapshot_key, &bytes, None);
        }
        if let Some(value) = encode(&state) {
            self.data.set(&self.state_key, &value, None);
        }
        let is_new = record.state.active != state.active;
        record.lease_ends = state.last_contact + LEASE;
        record.state = state;
        if self.write(&record, Some(version)) && is_new {
            self.queues.notify_all(&self.data);
        }
    }

    fn read(&self) -> Option<(LeaseRecord, u32)> {
        let (value, version) = self.data.get(&self.lease_key)?;
        Some((decode(&value), version))
    }

    fn write(&self, record: &LeaseRecord, expected: Option<u32>) -> bool {
        encode(record).is_some_and(|value| self.data.set(&self.lease_key, &value, expected))
    }
}
