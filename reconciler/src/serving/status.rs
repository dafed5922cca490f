//! A report of everything that is served and everything that is not.

use std::{collections::HashMap, sync::Arc};

use policies::{
    Catalog, Digest, Policy, Scope,
    reading::{Finding, Problem},
    repository::{LocatedHalt, LocatedPolicy, lint},
    wire::Format,
};

use super::{namespaces::Namespaces, published::Published, publisher::Publisher};
use crate::{
    api::{
        counts::Counts,
        first_generation::{FaultType, PolicyFields},
        policy_status::{PolicyState, PolicyStatus, RejectedFile, Targets},
    },
    source::Revision,
};

/// The revision that is served, and the digest of the snapshot of everything: of the scope that
/// [`everything`] is, which two replicas share only if they share all others.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Version {
    pub revision: Revision,
    pub digest: Digest,
}

/// Every policy and every rejected file.
#[derive(Debug)]
pub struct Report {
    pub policies: Vec<PolicyStatus>,
    pub rejected: Vec<RejectedFile>,
}

/// The scope of all workloads.
pub fn everything() -> Scope {
    Scope::new(["*"], ["*"]).unwrap_or(Scope::unknown())
}

impl Version {
    /// The version that is served now; `Err` is the reason why there is none.
    pub fn of(publisher: &Publisher) -> Result<Self, String> {
        let body = publisher.subscribe(Arc::new(everything().into()))?.borrow().clone();
        Ok(Self { revision: body.revision().clone(), digest: body.digest })
    }

    /// The version of what reports describe, served or held.
    pub fn reported(published: &Published) -> Self {
        let bytes = published.reported().snapshot(&everything(), published.whole.at).encode(Format::V1);
        Self { revision: published.whole.revision.clone(), digest: Digest::of(&bytes) }
    }
}

/// Policies and problems in figures. Without `namespaces` no policy is inactive.
pub fn counts(published: &Published, namespaces: Option<&Namespaces>) -> Counts {
    let catalog = published.reported();
    let states = catalog.policies().iter().map(|placed| state(placed, published, namespaces));
    let states: Vec<_> = states.collect();
    let of = |state| states.iter().filter(|other| **other == state).count();
    Counts {
        active: of(PolicyState::Active),
        errors: catalog.problems().len(),
        expired: of(PolicyState::Expired),
        halted: of(PolicyState::Halted),
        inactive: of(PolicyState::Inactive),
        ignored: catalog.ignored(),
        policies: states.len(),
        rejected_files: catalog.problems().chunk_by(|a, b| a.file == b.file).count(),
        scheduled: of(PolicyState::Scheduled),
        suspended: of(PolicyState::Suspended),
    }
}

/// The state of a policy. A policy that its own dates or `suspend` keep out of force is not inactive.
pub fn state(placed: &LocatedPolicy, published: &Published, namespaces: Option<&Namespaces>) -> PolicyState {
    let is_gone = namespaces.is_some_and(|namespaces| !namespaces.have(&placed.entry.policy));
    match placed.state(published.whole.at).into() {
        PolicyState::Active | PolicyState::Scheduled | PolicyState::Halted if is_gone => {
            PolicyState::Inactive
        }
        state => state,
    }
}

/// Every policy with its state, its place and its warnings, and every rejected file with its errors.
/// To find the warnings compares all rules with each other: too slow to do it for each request.
pub fn report(published: &Published, namespaces: Option<&Namespaces>) -> Report {
    let catalog = published.reported();
    let found = lint::warnings(&catalog, published.whole.at);
    let mut warnings = warnings_of_policies(&catalog, &found);
    let halts = catalog.halts().iter().filter(|halt| !halt.holds_everything()).collect::<Vec<_>>();
    let policies = catalog.policies().iter().enumerate().map(|(i, placed)| PolicyStatus {
        halted_by: halted_by(placed, &halts),
        ..policy(placed, published, namespaces, &warnings.remove(&i).unwrap_or_default())
    });
    let rejected = catalog.problems().chunk_by(|a, b| a.file == b.file).map(|errors| RejectedFile {
        errors: errors.iter().map(Into::into).collect(),
        file: errors.first().map(|error| error.file.to_string()).unwrap_or_default(),
    });
    Report { policies: policies.collect(), rejected: rejected.collect() }
}

/// The places of the halts whose directory is that of a policy, or is above it.
fn halted_by(placed: &LocatedPolicy, halts: &[&LocatedHalt]) -> Vec<String> {
    let holds = |halt: &&&LocatedHalt| {
        let directory = halt.file.rfind('/').and_then(|slash| halt.file.get(..=slash));
        placed.file.starts_with(directory.unwrap_or_default())
    };
    halts.iter().filter(holds).map(|halt| format!("{}:{}", halt.file, halt.halt.place.line)).collect()
}

/// The warnings of each policy, by its position in the catalog. A warning belongs to the last policy of its
/// file that begins before it.
fn warnings_of_policies<'a>(catalog: &Catalog, found: &'a [Problem]) -> HashMap<usize, Vec<&'a Problem>> {
    let policies = catalog.policies().iter().enumerate();
    let starts = policies.map(|(i, placed)| (&placed.file, placed.parsed.place, i));
    let mut starts: Vec<_> = starts.collect();
    starts.sort();
    let mut warnings = HashMap::<_, Vec<_>>::new();
    for warning in found {
        let before = starts
            .partition_point(|(file, place, _)| (*file, *place) <= (&warning.file, warning.finding.place));
        if let Some((file, _, i)) = before.checked_sub(1).and_then(|last| starts.get(last))
            && **file == warning.file
        {
            warnings.entry(*i).or_default().push(warning);
        }
    }
    warnings
}

fn policy(
    placed: &LocatedPolicy,
    published: &Published,
    namespaces: Option<&Namespaces>,
    warnings: &[&Problem],
) -> PolicyStatus {
    let LocatedPolicy { file, parsed, entry, .. } = placed;
    let policy = &entry.policy;
    let lack = namespaces.filter(|namespaces| !namespaces.have(policy)).map(|namespaces| Problem {
        file: Arc::clone(file),
        finding: Finding {
            place: parsed.place,
            field: "spec.selector.namespace".to_owned(),
            message: namespaces.lack(policy),
        },
    });
    let state = state(placed, published, namespaces);
    PolicyStatus {
        ends_at: entry.last_end().map(Into::into),
        file: file.to_string(),
        halted_by: Vec::new(),
        line: parsed.place.line,
        // Filters say so, not the repository.
        measured: None,
        name: policy.name.to_string(),
        // A replica alone does not know.
        no_proxy: None,
        starts_at: policy.starts_at.map(Into::into),
        state,
        targets: Targets::of(policy),
        warnings: warnings.iter().copied().chain(&lack).map(Into::into).collect(),
        first_generation: first_generation(policy, state),
    }
}

fn first_generation(policy: &Policy, state: PolicyState) -> PolicyFields {
    let faults = || policy.rules.iter().map(|rule| &rule.fault);
    let aborts = faults().any(|fault| fault.abort.is_some()).then_some(FaultType::Abort);
    let delays = faults().any(|fault| fault.delay.is_some()).then_some(FaultType::Delay);
    PolicyFields {
        active: state == PolicyState::Active,
        fault_types: aborts.into_iter().chain(delays).collect(),
        namespace: policy.selector.namespace.to_string(),
        rules_count: policy.rules.len(),
        target_service: policy.selector.target.to_string(),
    }
}
