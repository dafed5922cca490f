//! All that is known, as one value.

use std::time::Duration;

use policies::{
    Policy, Timestamp,
    language::{Mode, PolicyName},
    repository::LocatedPolicy,
};

use super::doing::{Doing, injects};
use crate::{
    api::{
        counts::Counts,
        halts::Durable,
        overview::{in_force::Shares, recent::Recent},
        peers::MissingReplica,
        policy_status::{PolicyStatus, RejectedFile},
        writes::HistoryCommit,
    },
    fleet::filters::Filter,
};

/// What is known of policies, filters and replicas.
#[derive(Clone, Debug, Default)]
pub struct Facts {
    pub source: Source,
    /// The halt of everything, if there is one.
    pub halt: Option<Halt>,
    /// The reason why the revision is withdrawn, if it is.
    pub withdrawn: Option<String>,
    pub replicas: Replicas,
    pub revision: Option<String>,
    pub summary: Counts,
    pub policies: Vec<KnownPolicy>,
    pub rejected: Vec<RejectedFile>,
    /// Sorted by node.
    pub filters: Vec<KnownFilter>,
    /// The proxies that should run the filter, and of which no replica hears.
    pub silent_proxies: usize,
    /// The last poll of a client that does not say what it runs.
    pub unreported: Option<Timestamp>,
    /// The newest first.
    pub recent: Vec<Recent>,
}

/// How the source was read.
#[derive(Clone, Debug, Default)]
pub struct Source {
    /// It is a Git repository.
    pub is_git: bool,
    /// The last time that it was read.
    pub read_at: Option<Timestamp>,
    /// The time from one read to the next while all is well.
    pub interval: Duration,
    /// The last error since then, if there was one.
    pub failure: Option<String>,
    /// Present while there is nothing to serve: the reason.
    pub starting: Option<String>,
}

/// The oldest halt of everything.
#[derive(Clone, Debug, Default)]
pub struct Halt {
    pub by: Option<String>,
    pub reason: Option<String>,
    pub since: Option<Timestamp>,
    /// The number of others beside it.
    pub more: usize,
    /// The place where they are kept.
    pub durable: Option<Durable>,
    /// True if every replica is halted; `None` without peers.
    pub is_complete: Option<bool>,
    /// The last reason why they are not kept, or were not ended.
    pub trouble: Option<String>,
}

/// The replicas whose filters are known.
#[derive(Clone, Debug, Default)]
pub struct Replicas {
    /// Those that answered, of all: `1 of 2`; `None` without peers.
    pub count: Option<String>,
    /// All of them, this one among them.
    pub total: usize,
    pub missing: Vec<MissingReplica>,
    /// There may be others, and they are not asked.
    pub has_unasked: bool,
    /// False if one of them does not remember all filters that poll.
    pub remember_all: bool,
    /// The time after which every filter has polled one of them; zero if that has passed.
    pub settled_in: Duration,
}

/// A policy, and what is known beside its status.
#[derive(Clone, Debug)]
pub struct KnownPolicy {
    pub name: PolicyName,
    pub status: PolicyStatus,
    pub configured: Shares,
    pub is_shadow: bool,
    /// It injects something into some requests.
    pub injects: bool,
    /// The instant at which it comes into force; `None` if it always was.
    pub in_force_from: Option<Timestamp>,
    pub committed: Option<HistoryCommit>,
    pub spark: Vec<f64>,
}

/// A filter, and what it does.
#[derive(Clone, Debug)]
pub struct KnownFilter {
    pub filter: Filter,
    pub doing: Doing,
    /// The faults a second that it reports, if it reports any.
    pub per_second: Option<f64>,
}

impl Facts {
    /// True if no policy is in force, whatever its own state says.
    pub fn are_held(&self) -> bool {
        self.halt.is_some() || self.withdrawn.is_some()
    }
}

impl Replicas {
    /// True if every replica told of every filter that it heard.
    pub fn told_all(&self) -> bool {
        self.missing.is_empty() && self.remember_all && !self.has_unasked
    }

    /// True if no filter polls that is not known.
    pub fn know_all_filters(&self) -> bool {
        self.told_all() && self.settled_in.is_zero()
    }
}

impl KnownPolicy {
    pub fn new(status: PolicyStatus, located: &LocatedPolicy) -> Self {
        let policy = &located.entry.policy;
        Self {
            name: policy.name.clone(),
            status,
            configured: shares(policy),
            is_shadow: policy.mode == Mode::Shadow,
            injects: injects(policy),
            in_force_from: located.in_force_from(),
            committed: None,
            spark: Vec::new(),
        }
    }
}

fn shares(policy: &Policy) -> Shares {
    let parts = || policy.rules.iter().map(|rule| rule.fault.percentage.parts_per_million());
    let share = |parts: Option<u32>| f64::from(parts.unwrap_or_default()) / 1_000_000.0;
    Shares { highest: share(parts().max()), lowest: share(parts().min()) }
}
