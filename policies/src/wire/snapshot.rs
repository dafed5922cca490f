//! The snapshot: the policies in force for one scope.

use std::sync::Arc;

use super::scope::Scope;
use crate::language::{Fault, Policy, Timestamp};

/// The policies that can apply to one scope, in the order in which they decide.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Snapshot {
    pub policies: Vec<SnapshotEntry>,
}

/// A policy in force.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SnapshotEntry {
    pub policy: Arc<Policy>,
    /// The start of its rules' durations; absent when none has one.
    pub started_at: Option<Timestamp>,
}

impl Snapshot {
    /// The times in which the policies that select the workload are in force.
    pub fn schedule(&self, workload: &Scope) -> Schedule {
        let mut schedule = Schedule::default();
        for entry in self.policies.iter().filter(|entry| workload.is_selected_by(&entry.policy.selector)) {
            match (entry.policy.starts_at, entry.last_end()) {
                (None, None) => schedule.always += 1,
                window => schedule.windows.push(window),
            }
        }
        schedule
    }
}

/// The times in which some policies are in force.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Schedule {
    always: usize,
    /// Start and end.
    windows: Vec<(Option<Timestamp>, Option<Timestamp>)>,
}

impl Schedule {
    /// The number of them that are in force at that time.
    pub fn in_force(&self, now: Timestamp) -> usize {
        let is_open = |(start, end): &&(Option<Timestamp>, Option<Timestamp>)| {
            start.is_none_or(|start| start <= now) && end.is_none_or(|end| now < end)
        };
        self.always + self.windows.iter().filter(is_open).count()
    }
}

impl SnapshotEntry {
    /// The end of its last rule; `None` is without end.
    pub fn last_end(&self) -> Option<Timestamp> {
        let mut ends = self.policy.rules.iter().map(|rule| self.end_of(&rule.fault));
        ends.try_fold(Timestamp::from_millis(0), |last, end| Some(last.max(end?)))
    }

    /// The end of the rule with this fault: that of its duration or of its policy, whichever is
    /// first; `None` is without end. A duration without a start is over: in doubt nothing is
    /// injected.
    pub fn end_of(&self, fault: &Fault) -> Option<Timestamp> {
        let end_from = |start: Timestamp| start.plus_seconds(fault.duration_seconds);
        let end =
            (fault.duration_seconds > 0).then(|| self.started_at.map_or(Timestamp::from_millis(0), end_from));
        end.into_iter().chain(self.policy.expires_at).min()
    }
}
