//! A policy, and how far it is in force.

use std::fmt;

use policies::{
    language::{self, Destination, Flow, Glob, Host, Target},
    repository::State,
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{finding::Finding, first_generation::PolicyFields, measured::Measured, time::Time};

/// A valid policy, and how far it is in force.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct PolicyStatus {
    /// The end of its last rule; null if one of them has no end.
    pub ends_at: Option<Time>,
    /// The path of its file in the repository.
    #[serde(default)]
    pub file: String,
    /// The documents of kind `Halt` in its directory, or in one above it, that keep it out of force, each as `FILE:LINE`.
    /// Those that halt everything are not among them.
    #[serde(default)]
    pub halted_by: Vec<String>,
    /// The line that it begins in, from 1.
    #[serde(default)]
    pub line: u32,
    /// The requests that proxies count for it; null if none has reported any.
    pub measured: Option<Measured>,
    pub name: String,
    /// Present if no proxy polls for an active policy: nobody runs it. Null as long as that is not known.
    pub no_proxy: Option<NoProxy>,
    /// `spec.startsAt`; null if it has none.
    pub starts_at: Option<Time>,
    pub state: PolicyState,
    pub targets: Targets,
    #[serde(default)]
    pub warnings: Vec<Finding>,
    #[serde(flatten)]
    pub first_generation: PolicyFields,
}

/// A policy that no proxy polls for.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct NoProxy {
    /// The workloads that poll and whose names are nearest, as `service.namespace`.
    pub nearest: Vec<String>,
}

/// The state of a policy: in force or not.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum PolicyState {
    /// In force.
    Active,
    /// Its start is yet to come.
    Scheduled,
    /// Its last rule has ended.
    Expired,
    /// It has `suspend: true`.
    Suspended,
    /// Its namespace is not in the cluster.
    Inactive,
    /// A document of kind `Halt` keeps it out of force.
    Halted,
    /// A state of a newer server.
    #[serde(other)]
    #[schemars(skip)]
    Unknown,
}

/// The requests that a policy is about.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Targets {
    /// The service or host that outbound requests are for; null for inbound ones.
    pub destination: Option<Selector>,
    pub direction: Direction,
    /// The workloads whose proxies run the policy.
    pub selector: Selector,
}

/// The side of a request that a policy is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Direction {
    /// Requests that the workload receives.
    Inbound,
    /// Requests that the workload makes.
    Outbound,
    /// A direction of a newer server.
    #[serde(other)]
    #[schemars(skip)]
    Unknown,
}

/// Names of a service and its namespace, or of a host outside the mesh; all may have `*` in them.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct Selector {
    /// Absent for a service.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub host: Option<String>,
    pub namespace: String,
    /// Absent for a host.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub service: Option<String>,
}

/// A file with errors; nothing of it is served.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct RejectedFile {
    #[serde(default)]
    pub errors: Vec<Finding>,
    /// The path of the file in the repository.
    pub file: String,
}

impl Selector {
    /// The selector that it was made of; none if it is of a newer server.
    pub fn parsed(&self) -> Option<language::Selector> {
        let Self { host, namespace, service } = self;
        let namespace = Glob::try_from(namespace.clone()).ok()?;
        let target = match host {
            Some(host) => Target::Host(Host::try_from(host.clone()).ok()?),
            None => Target::Service(Glob::try_from(service.clone().unwrap_or_else(|| "*".to_owned())).ok()?),
        };
        Some(language::Selector { target, namespace })
    }
}

impl PolicyState {
    pub const ALL: [Self; 6] =
        [Self::Active, Self::Scheduled, Self::Expired, Self::Suspended, Self::Inactive, Self::Halted];

    pub fn as_str(self) -> &'static str {
        match self {
            Self::Active => "active",
            Self::Scheduled => "scheduled",
            Self::Expired => "expired",
            Self::Suspended => "suspended",
            Self::Inactive => "inactive",
            Self::Halted => "halted",
            Self::Unknown => "unknown",
        }
    }
}

impl From<State> for PolicyState {
    fn from(state: State) -> Self {
        match state {
            State::Active => Self::Active,
            State::Scheduled => Self::Scheduled,
            State::Expired => Self::Expired,
            State::Suspended => Self::Suspended,
            State::Halted => Self::Halted,
        }
    }
}

/// The workloads of a policy: `checkout.shop`, or `frontend.shop -> orders.shop`.
impl fmt::Display for Targets {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.destination {
            Some(destination) => write!(f, "{} -> {destination}", self.selector),
            None => self.selector.fmt(f),
        }
    }
}

impl fmt::Display for Selector {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { host, namespace, service } = self;
        match (host, service) {
            (Some(host), _) if namespace == "*" => f.write_str(host),
            (Some(host), _) => write!(f, "{host} in {namespace}"),
            (None, service) => write!(f, "{}.{namespace}", service.as_deref().unwrap_or("*")),
        }
    }
}

impl Targets {
    pub(crate) fn of(policy: &policies::Policy) -> Self {
        let (direction, destination) = match &policy.flow {
            Flow::Inbound => (Direction::Inbound, None),
            Flow::Outbound { destination } => (Direction::Outbound, Some(destination.into())),
        };
        Self { destination, direction, selector: (&policy.selector).into() }
    }
}

impl From<&language::Selector> for Selector {
    fn from(language::Selector { target, namespace }: &language::Selector) -> Self {
        let (namespace, name) = (namespace.to_string(), target.to_string());
        match target {
            Target::Service(_) => Self { host: None, namespace, service: Some(name) },
            Target::Host(_) => Self { host: Some(name), namespace, service: None },
        }
    }
}

impl From<&Destination> for Selector {
    fn from(destination: &Destination) -> Self {
        match destination {
            Destination::Service { service, namespace } => {
                Self { host: None, namespace: namespace.to_string(), service: Some(service.to_string()) }
            }
            Destination::Host(host) => {
                Self { host: Some(host.to_string()), namespace: "*".to_owned(), service: None }
            }
        }
    }
}
