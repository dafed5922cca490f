//! The window of time in which a policy is in force.

use crate::{language::Timestamp, wire::SnapshotEntry};

/// The state of a policy at some time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    Active,
    /// It has not started.
    Scheduled,
    /// It has ended.
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

    /// The policy's state at `now`.
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

    /// The time at which the state changes next.
    pub(crate) fn next_change(&self, now: Timestamp) -> Option<Timestamp> {
        match self.state(now) {
            State::Active => self.end,
            State::Scheduled => self.start,
            State::Expired | State::Suspended => None,
        }
    }
}
