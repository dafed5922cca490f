//! The window of time in which a policy is in force.

use super::start::believed_from;
use crate::{language::Timestamp, wire::SnapshotEntry};

/// The state of a policy at some time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    Active,
    /// It has not started, or is dated in the future.
    Scheduled,
    /// It has ended.
    Expired,
    Suspended,
    /// A halt in its directory, or in one above, keeps it out of force.
    Halted,
}

/// The times of a policy, out of all its rules: all policies are asked for theirs at every change of one.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Window {
    suspended: bool,
    start: Option<Timestamp>,
    /// The instant from which its rules with a duration are in force, if it has any.
    timed_from: Option<Timestamp>,
    /// True if all its rules have a duration.
    is_all_timed: bool,
    end: Option<Timestamp>,
}

impl Window {
    pub(crate) fn of(entry: &SnapshotEntry) -> Self {
        let policy = &entry.policy;
        Self {
            suspended: policy.suspend,
            start: policy.starts_at,
            timed_from: entry.started_at.map(believed_from),
            is_all_timed: policy.rules.iter().all(|rule| rule.fault.duration_seconds > 0),
            end: entry.last_end(),
        }
    }

    /// The instant at which the policy comes into force.
    pub(crate) fn in_force_from(&self) -> Option<Timestamp> {
        self.start.max(self.timed_from.filter(|_| self.is_all_timed))
    }

    /// True if rules with a duration have to wait.
    pub(crate) fn is_dated_ahead(&self, now: Timestamp) -> bool {
        self.timed_from.is_some_and(|from| from > now)
    }

    /// The policy's state at `now`.
    pub(crate) fn state(&self, now: Timestamp) -> State {
        if self.suspended {
            State::Suspended
        } else if self.end.is_some_and(|end| end <= now) {
            State::Expired
        } else if self.in_force_from().is_some_and(|start| start > now) {
            State::Scheduled
        } else {
            State::Active
        }
    }

    /// The time at which the state, or that of a rule with a duration, changes next. The end of a single rule is
    /// left to filters.
    pub(crate) fn next_change(&self, now: Timestamp) -> Option<Timestamp> {
        match self.state(now) {
            State::Active | State::Scheduled => {
                let changes = [self.start, self.timed_from, self.end];
                changes.into_iter().flatten().filter(|change| *change > now).min()
            }
            State::Expired | State::Suspended | State::Halted => None,
        }
    }
}
