//! The limits of Guardrails, put together.

mod denial;
mod reach;

use std::collections::BTreeSet;

use policies::language::{AllowSpec, Dataplane, Glob, IstioLimits};

pub(crate) use self::reach::selected;
pub use self::{denial::denies_all, reach::is_namespace_wide};
use crate::resource::Kind;

/// Limits on applications: those of all Guardrails that bind them, and defaults for what none of these says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Limits {
    pub kinds: BTreeSet<Kind>,
    /// The lists of all Guardrails. A namespace has to be in each.
    namespaces: Vec<Vec<Glob>>,
    /// The same for hosts.
    hosts: Vec<Vec<Glob>>,
    pub allow_spec: AllowSpec,
    pub allows_namespace_wide: bool,
    pub allows_deny_all: bool,
    pub max_removals: Option<u32>,
    /// That of applications of which nothing else says it.
    pub dataplane: Option<Dataplane>,
    /// What every Sidecar calls, as `NAMESPACE/HOST`.
    pub sidecar_always: BTreeSet<String>,
}

impl Default for Limits {
    fn default() -> Self {
        Self::of(&[])
    }
}

impl Limits {
    /// The limits of Guardrails, from the outermost directory to the innermost: of each limit the strictest.
    pub fn of(guardrails: &[&IstioLimits]) -> Self {
        let kinds = guardrails.iter().filter_map(|limits| limits.kinds.as_ref());
        let kinds =
            kinds.map(|names| names.iter().filter_map(|name| Kind::of(name)).collect::<BTreeSet<_>>());
        let all_say = |flags: Vec<bool>| !flags.is_empty() && flags.into_iter().all(|flag| flag);
        let limits = || guardrails.iter();
        Self {
            // An EnvoyFilter changes what Istio generates, whatever that is: nobody writes one without leave.
            kinds: kinds
                .reduce(|some, others| &some & &others)
                .unwrap_or_else(|| Kind::ALL.into_iter().filter(|kind| *kind != Kind::EnvoyFilter).collect()),
            namespaces: limits().filter_map(|limits| limits.namespaces.clone()).collect(),
            hosts: limits().filter_map(|limits| limits.hosts.clone()).collect(),
            allow_spec: limits().filter_map(|limits| limits.allow_spec).min().unwrap_or(AllowSpec::All),
            allows_namespace_wide: all_say(
                limits().filter_map(|limits| limits.allow_namespace_wide).collect(),
            ),
            allows_deny_all: all_say(limits().filter_map(|limits| limits.allow_deny_all).collect()),
            max_removals: limits().filter_map(|limits| limits.max_removals).min(),
            // A default, of which the nearest counts.
            dataplane: limits().rev().find_map(|limits| limits.dataplane),
            sidecar_always: limits()
                .flat_map(|limits| limits.sidecar_always.clone().unwrap_or_default())
                .collect(),
        }
    }

    /// True if applications may be in a namespace.
    pub fn allows_namespace(&self, namespace: &str) -> bool {
        self.namespaces.iter().all(|globs| globs.iter().any(|glob| glob.matches(namespace)))
    }

    /// The number of Guardrails that limit the namespaces: the nearer ones add to those of the directories above.
    pub(crate) fn limits_of_namespaces(&self) -> usize {
        self.namespaces.iter().filter(|globs| !globs.iter().any(Glob::is_any)).count()
    }

    /// True if Guardrails limit the namespaces.
    pub(crate) fn limit_namespaces(&self) -> bool {
        self.limits_of_namespaces() > 0
    }

    /// True if a host may be claimed. A `*` of the host is only within a `*`.
    pub fn allows_host(&self, host: &str) -> bool {
        let host = host.to_ascii_lowercase();
        self.hosts.iter().all(|globs| globs.iter().any(|glob| glob.matches(&host)))
    }
}
