//! What is served, in figures and policy by policy.

use std::{collections::HashMap, sync::Arc};

use policies::{
    Digest, Policy, Scope,
    language::{Direction, Flow, Selector},
    reading::{Finding, Problem},
    repository::{LocatedPolicy, State, lint},
    wire::Format,
};
use serde_json::{Value, json};

use super::{namespaces::Namespaces, published::Published, publisher::Publisher};
use crate::source::Revision;

/// The revision that is served, and the digest of the snapshot of everything: of the scope that
/// [`everything`] is, which two replicas share only if they share all others.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Version {
    pub revision: Revision,
    pub digest: Digest,
}

/// How many there are.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    pub active: usize,
    pub scheduled: usize,
    pub expired: usize,
    pub suspended: usize,
    /// Of a namespace that is gone.
    pub inactive: usize,
    pub rejected_files: usize,
    pub errors: usize,
    /// Documents of somebody else.
    pub ignored: usize,
}

/// The scope of all workloads.
pub fn everything() -> Scope {
    Scope::new(["*"], ["*"]).unwrap_or(Scope::unknown())
}

impl Version {
    /// What is served now; `Err` is why there is nothing.
    pub fn of(publisher: &Publisher) -> Result<Self, String> {
        let body = publisher.subscribe(everything())?.borrow().clone();
        Ok(Self { revision: body.revision, digest: body.digest })
    }

    /// What is in force, served or not.
    pub fn in_force(published: &Published) -> Self {
        let bytes = published.catalog.snapshot(&everything(), published.at).encode(Format::V1);
        Self { revision: published.revision.clone(), digest: Digest::of(&bytes) }
    }
}

impl Counts {
    /// Of what namespace a policy is matters once it is known which there are.
    pub fn of(published: &Published, namespaces: Option<&Namespaces>) -> Self {
        let catalog = &published.catalog;
        let errors = catalog.problems().len();
        let mut counts = Self { errors, ignored: catalog.ignored(), ..Self::default() };
        counts.rejected_files = catalog.problems().chunk_by(|a, b| a.file == b.file).count();
        for placed in catalog.policies() {
            let count = match placed.state(published.at) {
                State::Active | State::Scheduled if is_gone(placed, namespaces) => &mut counts.inactive,
                State::Active => &mut counts.active,
                State::Scheduled => &mut counts.scheduled,
                State::Expired => &mut counts.expired,
                State::Suspended => &mut counts.suspended,
            };
            *count += 1;
        }
        counts
    }

    /// The number of policies in each state.
    pub fn states(&self) -> [(&'static str, usize); 5] {
        let Self { active, scheduled, expired, suspended, inactive, .. } = *self;
        [
            ("active", active),
            ("scheduled", scheduled),
            ("expired", expired),
            ("suspended", suspended),
            ("inactive", inactive),
        ]
    }

    pub fn json(&self) -> Value {
        let policies: usize = self.states().iter().map(|(_, count)| count).sum();
        let Self { active, scheduled, expired, suspended, inactive, rejected_files, errors, ignored } = self;
        json!({
            "policies": policies,
            "active": active,
            "scheduled": scheduled,
            "expired": expired,
            "suspended": suspended,
            "inactive": inactive,
            "rejectedFiles": rejected_files,
            "errors": errors,
            "passedOver": ignored,
        })
    }
}

/// Every policy with its state, its place and its warnings, and every rejected file with its errors.
/// To find the warnings holds all rules against each other: not for each request anew.
pub fn report(published: &Published, namespaces: Option<&Namespaces>) -> Value {
    let mut warnings = HashMap::<(&Arc<str>, usize), Vec<&Problem>>::new();
    let found = lint::warnings(&published.catalog, published.at);
    let policies = published.catalog.policies();
    // A warning belongs to the last policy of its file that begins before it.
    let mut starts: Vec<_> =
        policies.iter().enumerate().map(|(i, placed)| (&placed.file, placed.parsed.place, i)).collect();
    starts.sort();
    for warning in &found {
        let before = starts
            .partition_point(|(file, place, _)| (*file, *place) <= (&warning.file, warning.finding.place));
        if let Some((_, _, i)) = before.checked_sub(1).and_then(|i| starts.get(i)) {
            warnings.entry((&warning.file, *i)).or_default().push(warning);
        }
    }
    let policies = policies.iter().enumerate().map(|(i, placed)| {
        let warnings = warnings.remove(&(&placed.file, i)).unwrap_or_default();
        policy(placed, published, namespaces, &warnings)
    });
    let policies: Vec<_> = policies.collect();
    let rejected = published.catalog.problems().chunk_by(|a, b| a.file == b.file);
    let rejected =
        rejected.map(|errors| json!({"file": errors.first().map(|error| &error.file), "errors": errors}));
    json!({"policies": policies, "rejected": rejected.collect::<Vec<_>>()})
}

/// Whether the namespace of a policy is known to be gone.
fn is_gone(placed: &LocatedPolicy, namespaces: Option<&Namespaces>) -> bool {
    namespaces.is_some_and(|namespaces| !namespaces.have(&placed.entry.policy))
}

fn policy(
    placed: &LocatedPolicy,
    published: &Published,
    namespaces: Option<&Namespaces>,
    warnings: &[&Problem],
) -> Value {
    let LocatedPolicy { file, parsed, entry, .. } = placed;
    let policy: &Policy = &entry.policy;
    let is_gone = is_gone(placed, namespaces);
    let lack = namespaces.filter(|_| is_gone).map(|namespaces| Problem {
        file: Arc::clone(file),
        finding: Finding {
            place: parsed.place,
            field: "spec.selector.namespace".to_owned(),
            message: namespaces.lack(policy),
        },
    });
    let warnings: Vec<_> = warnings.iter().copied().chain(&lack).collect();
    let state = match placed.state(published.at) {
        State::Active | State::Scheduled if is_gone => "inactive",
        State::Active => "active",
        State::Scheduled => "scheduled",
        State::Expired => "expired",
        State::Suspended => "suspended",
    };
    let (direction, destination) = match &policy.flow {
        flow @ Flow::Inbound => (flow.direction(), None),
        flow @ Flow::Outbound { destination } => (flow.direction(), Some(destination)),
    };
    json!({
        "name": policy.name.as_str(),
        "file": file,
        "line": parsed.place.line,
        "state": state,
        "targets": {
            "selector": selector(&policy.selector),
            "direction": match direction {
                Direction::Inbound => "inbound",
                Direction::Outbound => "outbound",
            },
            "destination": destination.map(selector),
        },
        "startsAt": policy.starts_at.map(|start| start.to_rfc3339()),
        "endsAt": entry.last_end().map(|end| end.to_rfc3339()),
        "warnings": warnings,
    })
}

fn selector(Selector { service, namespace }: &Selector) -> Value {
    json!({"service": service.as_str(), "namespace": namespace.as_str()})
}
