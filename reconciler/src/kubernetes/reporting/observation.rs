//! What there is to tell the cluster, as one value.

use policies::{Timestamp, repository::LocatedPolicy};

use super::policy_source::MOST_LISTED;
use crate::{
    api::{counts::Counts, policy_status::PolicyState},
    serving::{
        namespaces::Namespaces,
        published::{Publication, Published},
        publisher::Publisher,
        status::{self, Version},
    },
    sync::requests::Refresh,
};

/// What is served, and how it came about.
#[derive(Clone, Debug, Default)]
pub(crate) struct Observation {
    /// What is served, if anything is.
    pub(crate) served: Option<Version>,
    /// Why nothing is.
    pub(crate) reason: String,
    pub(crate) halted: bool,
    /// Why nothing is in force, if who signed it may sign no longer.
    pub(crate) withdrawn: Option<String>,
    pub(crate) counts: Counts,
    /// The first rejected files, each with its errors; not known while nothing is in force.
    pub(crate) rejected: Option<Vec<(String, Vec<String>)>>,
    /// The first policies whose namespace is gone, and why they count as such; not known before the namespaces are.
    pub(crate) inactive: Option<Vec<(String, String)>>,
    /// When the source was last read.
    pub(crate) read_at: Option<Timestamp>,
    /// Why it could not be read since.
    pub(crate) failure: Option<String>,
}

impl Observation {
    /// Looks at everything; to be called where blocking is no harm.
    pub(crate) fn of(publisher: &Publisher, refresh: &Refresh, namespaces: Option<&Namespaces>) -> Self {
        let looks = refresh.looks();
        let published = match publisher.publication() {
            Publication::Serving(published) => Some(published),
            Publication::Starting { .. } => None,
        };
        let halted = published.as_ref().is_some_and(|published| published.holds.halted);
        let version = Version::of(publisher);
        let mut observation = Self {
            reason: version.as_ref().err().cloned().unwrap_or_default(),
            served: version.ok(),
            halted,
            read_at: looks.read_at,
            failure: looks.failure.map(|failure| failure.reason),
            ..Self::default()
        };
        if let Some(published) = &published {
            observation.counts = status::counts(published, namespaces);
            observation.withdrawn.clone_from(&published.holds.withdrawn);
            // What is withdrawn has nothing in it, and may come back as it was.
            if published.holds.withdrawn.is_none() {
                observation.rejected = Some(rejected(published));
                observation.inactive = namespaces.map(|namespaces| inactive(published, namespaces));
            }
        }
        observation
    }

    /// Whether it is known how this process fares: one that has just started may have nothing to serve yet
    /// where another one has served for long.
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
