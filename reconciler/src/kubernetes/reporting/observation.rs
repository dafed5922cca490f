//! The state to report to the cluster, as one value.

use std::sync::Arc;

use policies::{Timestamp, repository::LocatedPolicy};

use super::policy_source::MOST_LISTED;
use crate::{
    api::{counts::Counts, kubernetes::Proxies, policy_status::PolicyState},
    serving::{
        namespaces::Namespaces,
        published::{Publication, Published},
        publisher::Publisher,
        status::{self, Version},
    },
    sync::requests::Syncs,
};

/// The state of this replica: what it serves, and its source.
#[derive(Clone, Debug, Default)]
pub(crate) struct Observation {
    /// The version that is served, if any.
    pub(crate) served: Option<Version>,
    /// The reason why nothing is served.
    pub(crate) reason: String,
    pub(crate) halted: bool,
    /// The reason why nothing is in force, if the signer is no longer trusted.
    pub(crate) withdrawn: Option<String>,
    pub(crate) counts: Counts,
    /// The first rejected files with their errors; unknown while nothing is in force.
    pub(crate) rejected: Option<Vec<(String, Vec<String>)>>,
    /// The first policies whose namespace does not exist, with the reason; unknown before the namespaces are.
    pub(crate) inactive: Option<Vec<(String, String)>>,
    /// The proxies that should run the filter; unknown if nobody looks.
    pub(crate) proxies: Option<Arc<Proxies>>,
    /// The time of the last read of the source.
    pub(crate) read_at: Option<Timestamp>,
    /// The error since then.
    pub(crate) failure: Option<String>,
}

impl Observation {
    /// Reads everything. It blocks: call it on a blocking thread.
    pub(crate) fn of(publisher: &Publisher, syncs: &Syncs, namespaces: Option<&Namespaces>) -> Self {
        let attempts = syncs.attempts();
        let published = match publisher.publication() {
            Publication::Serving(published) => Some(published),
            Publication::Starting { .. } => None,
        };
        let halted = published.as_ref().is_some_and(|published| published.is_halted());
        let version = Version::of(publisher);
        let mut observation = Self {
            reason: version.as_ref().err().cloned().unwrap_or_default(),
            served: version.ok(),
            halted,
            read_at: attempts.read_at,
            failure: attempts.failure.map(|failure| failure.reason),
            ..Self::default()
        };
        if let Some(published) = &published {
            observation.counts = status::counts(published, namespaces);
            observation.withdrawn.clone_from(&published.holds.withdrawn);
            // A withdrawn catalog is empty; the lists of before are kept, since it may come back.
            if published.holds.withdrawn.is_none() {
                observation.rejected = Some(rejected(published));
                observation.inactive = namespaces.map(|namespaces| inactive(published, namespaces));
            }
        }
        observation
    }

    /// The first read of the source has ended. Before that there is nothing to report: another replica may have
    /// served for long.
    pub(crate) fn is_settled(&self) -> bool {
        self.served.is_some() || self.read_at.is_some() || self.failure.is_some()
    }
}

fn rejected(published: &Published) -> Vec<(String, Vec<String>)> {
    let files = published.whole.catalog.problems().chunk_by(|a, b| a.file == b.file);
    let file = |errors: &[policies::reading::Problem]| {
        let file = errors.first().map(|error| error.file.to_string()).unwrap_or_default();
        (file, errors.iter().map(ToString::to_string).collect())
    };
    files.take(MOST_LISTED).map(file).collect()
}

fn inactive(published: &Published, namespaces: &Namespaces) -> Vec<(String, String)> {
    let state = |placed: &LocatedPolicy| status::state(placed, published, Some(namespaces));
    let policies = published.whole.catalog.policies().iter();
    let inactive = policies.filter(|placed| state(placed) == PolicyState::Inactive).take(MOST_LISTED);
    let policies = inactive.map(|placed| &placed.entry.policy);
    policies.map(|policy| (policy.name.to_string(), namespaces.lack(policy))).collect()
}
