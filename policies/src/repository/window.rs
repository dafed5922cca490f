//! From when and until when a policy is in force.

use crate::{language::Timestamp, wire::SnapshotEntry};

/// Whether a policy is in force.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    Active,
    /// Its time has not come.
    Scheduled,
    /// Its time is over.
    Expired,
    Suspended,
}

/// The times of a policy, out of all its rules: all policies are asked for theirs at every change of one.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Window {
    suspended: bool,
    start: Option<Timestamp>,
    end: Option<Timestamp>,
}

impl Window {
    pub(crate) fn of(entry: &SnapshotEntry) -> Self {
        let policy = &entry.policy;
        Self { suspended: policy.suspend, start: policy.starts_at, end: entry.last_end() }
    }

    /// Whether the policy is in force at `now`.
    pub(crate) fn state(&self, now: Timestamp) -> State {
        if self.suspended {
            State::Suspended
        } else if self.end.is_some_and(|end| end <= now) {
            State::Expired
        } else if self.start.is_some_and(|start| start > now) {
            State::Scheduled
        } else {
            State::Active
        }
    }

    /// When that is so no more.
    pub(crate) fn next_change(&self, now: Timestamp) -> Option<Timestamp> {
        match self.state(now) {
            State::Active => self.end,
            State::Scheduled => self.start,
            State::Expired | State::Suspended => None,
        }
    }
}
