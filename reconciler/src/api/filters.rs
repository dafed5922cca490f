//! `GET /v1/filters`.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{measured::Measured, peers::MissingReplica, time::Time};

/// The filters that polled within the last 16 minutes: this replica, and with `--peers` any replica.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Filters {
    /// The time of this answer, by the clock of the replica.
    pub at: Option<Time>,
    /// False if more filters may poll: a replica does not remember all, does not answer, or tells what cannot be read.
    #[serde(default = "complete")]
    pub complete: bool,
    /// Sorted by node.
    pub filters: Vec<Filter>,
    /// The replica that answers serves nothing now, so that the filters which run nothing are those in step.
    #[serde(default)]
    pub held: bool,
    /// The seconds for which all of these replicas have listened, and none has gone; fewer by what `longestWaitSeconds`
    /// has above 30. A filter finds another replica within 40.
    #[serde(default)]
    pub listening_seconds: u64,
    /// The longest that one of these filters lets its poll be held.
    #[serde(default)]
    pub longest_wait_seconds: u64,
    /// The replicas that did not answer. Their filters may be missing here.
    #[serde(default)]
    pub missing: Vec<MissingReplica>,
    /// The filter modules that this replica hands out.
    #[serde(default)]
    pub modules: Modules,
    /// The `cursor` of the next page; null on the last one.
    pub next: Option<String>,
    /// The replicas whose filters these are, of all: `1 of 2`; null without `--peers`.
    pub replicas: Option<String>,
    /// The start of this replica; of all, the start of the newest or the end of the last one that has gone.
    pub since: Option<Time>,
    /// The filters of the namespace and service that were asked for, of every state and page.
    #[serde(default)]
    pub summary: FilterCounts,
}

fn complete() -> bool {
    true
}

/// The filter modules that a replica hands out, and how often it was asked for another one.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct Modules {
    /// Their SHA-256, in hex.
    pub digests: Vec<String>,
    /// Requests since the start for a module that this replica does not have.
    pub unknown_requests: u64,
}

/// The number of filters in each state.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct FilterCounts {
    pub gone: usize,
    pub in_step: usize,
    pub lagging: usize,
    /// Those that may poll a replica that has not told; left out if there are none.
    #[serde(skip_serializing_if = "is_zero")]
    pub unknown: usize,
}

fn is_zero(count: &usize) -> bool {
    *count == 0
}

/// A filter, as it describes itself.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Filter {
    /// The digest of the snapshot that it runs; null if it runs none.
    pub digest: Option<String>,
    /// The start of its last poll.
    pub last_contact: Time,
    /// The requests that it counts, of all policies together; null if it has reported none.
    pub measured: Option<Measured>,
    /// The namespaces of its workload, separated by commas.
    #[serde(default)]
    pub namespace: String,
    /// `digest` is the newest one of its scope, and the filter was given no other since.
    #[serde(default)]
    pub newest: bool,
    /// The id of its Envoy node: at most 253 bytes of `[A-Za-z0-9._~-]`.
    pub node: String,
    /// The plugins of hfi that run in its proxy, as `namespace/name`; null if it does not say. It comes from the filter
    /// that polls, which knows the others of its proxy.
    pub plugins: Option<Vec<String>>,
    /// The names of its workload, separated by commas.
    #[serde(default)]
    pub service: String,
    pub state: FilterState,
}

/// The state of a filter, compared with what is served.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum FilterState {
    /// It runs the newest snapshot.
    InStep,
    /// It does not run the newest snapshot yet, or was given another one since and has not confirmed that.
    Lagging,
    /// Its next poll is overdue by more than a minute.
    Gone,
    /// It is overdue, and may poll a replica that has not told: one is missing, or began or ended within 40 s. Or a state
    /// of a newer server.
    #[serde(other)]
    Unknown,
}

impl FilterState {
    pub const ALL: [Self; 3] = [Self::InStep, Self::Lagging, Self::Gone];

    pub fn as_str(self) -> &'static str {
        match self {
            Self::InStep => "in_step",
            Self::Lagging => "lagging",
            Self::Gone => "gone",
            Self::Unknown => "unknown",
        }
    }
}

impl FromIterator<FilterState> for FilterCounts {
    fn from_iter<I: IntoIterator<Item = FilterState>>(states: I) -> Self {
        let mut counts = Self::default();
        for state in states {
            match state {
                FilterState::InStep => counts.in_step += 1,
                FilterState::Lagging => counts.lagging += 1,
                FilterState::Gone => counts.gone += 1,
                FilterState::Unknown => counts.unknown += 1,
            }
        }
        counts
    }
}

impl FilterCounts {
    /// The number of filters in each state that a replica alone can judge.
    pub fn states(&self) -> [(&'static str, usize); 3] {
        FilterState::ALL.map(|state| (state.as_str(), self.of(state)))
    }

    /// All of them in words: `2 in step, 1 lagging, 0 gone`.
    pub fn in_words(&self) -> String {
        let states = FilterState::ALL.into_iter().chain((self.unknown > 0).then_some(FilterState::Unknown));
        let words = states.map(|state| format!("{} {}", self.of(state), state.as_str().replace('_', " ")));
        words.collect::<Vec<_>>().join(", ")
    }

    fn of(&self, state: FilterState) -> usize {
        match state {
            FilterState::InStep => self.in_step,
            FilterState::Lagging => self.lagging,
            FilterState::Gone => self.gone,
            FilterState::Unknown => self.unknown,
        }
    }
}
