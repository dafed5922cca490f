//! The policies that a request meets, of a directory or of a server.

use std::path::PathBuf;

use policies::{
    Scope, Snapshot, Timestamp,
    reading::Problem,
    repository::{LocatedPolicy, State},
    wire::Format,
};

use crate::{
    api::{
        policy_status::{Direction, PolicyState, PolicyStatus, Selector},
        status::{OWN, Status},
        time::Time,
    },
    cli::{console::warning, policy_files::PolicyFiles},
    client::{Client, Failure},
};

/// The snapshot of a workload, and every policy with the reason why none of its rules is asked.
pub(super) struct Known {
    pub(super) snapshot: Snapshot,
    pub(super) others: Vec<(String, String)>,
}

impl Known {
    /// The policies of a directory, as `hfi serve --dir` would serve them at that time.
    pub(super) fn of_dir(dir: PathBuf, workload: &Scope, now: Timestamp) -> Result<Self, String> {
        let files = PolicyFiles::read(&[dir]).map_err(|error| error.to_string())?;
        let catalog = files.catalog(false, None);
        for ignored in files.warnings() {
            warning(ignored);
        }
        for problem in catalog.problems() {
            let Problem { file, finding } = files.told(problem);
            warning(format_args!("not in force: {file}: {finding}"));
        }
        let served = catalog.snapshot(workload, now).encode(Format::V2);
        let snapshot = Snapshot::decode(&served).map_err(|error| error.to_string())?;
        let other = |placed: &LocatedPolicy| {
            (placed.entry.policy.name.as_str().to_owned(), why_not(placed, &files, workload, now))
        };
        Ok(Self { snapshot, others: catalog.policies().iter().map(other).collect() })
    }

    /// The snapshot that a server answers the filter of a workload with now, which polls for `scope`.
    pub(super) async fn of_server(client: &Client, scope: &Scope, workload: &Scope) -> Result<Self, Failure> {
        let status: Status = client.get(&["v1", "policies", "status"], &OWN).await?;
        if status.halted {
            warning("everything is halted: no policy is in force");
        }
        if let Some(reason) = &status.withdrawn {
            warning(format_args!("no policy is in force: {reason}"));
        }
        let is_held = status.halted || status.withdrawn.is_some();
        let other = |policy: &PolicyStatus| (policy.name.clone(), why_not_served(policy, workload, is_held));
        let others = status.policies.iter().map(other).collect();
        Ok(Self { snapshot: client.snapshot(scope).await?, others })
    }
}

/// The reason why no rule of a policy was checked.
fn why_not(placed: &LocatedPolicy, files: &PolicyFiles, workload: &Scope, now: Timestamp) -> String {
    let policy = &placed.entry.policy;
    let time = |time: Option<Timestamp>| time.map(Timestamp::to_rfc3339).unwrap_or_default();
    match placed.state(now) {
        State::Suspended => "is suspended".to_owned(),
        State::Halted => {
            let file = placed.held_by.as_ref().map(|file| files.shown(file));
            format!("is halted by {}", file.unwrap_or_default())
        }
        State::Scheduled => format!("is in force only from {}", time(placed.in_force_from())),
        State::Expired => format!("is over since {}", time(placed.entry.last_end())),
        State::Active if !workload.is_selected_by(&policy.selector) => {
            format!("selects {} in {}", policy.selector.target, policy.selector.namespace)
        }
        State::Active => format!("is for {:?} requests", policy.flow.direction()).to_lowercase(),
    }
}

/// The same of a policy of a server.
fn why_not_served(policy: &PolicyStatus, workload: &Scope, is_held: bool) -> String {
    let time = |time: Option<Time>| time.map(String::from).unwrap_or_default();
    let selector = &policy.targets.selector;
    let is_selected = selector.parsed().is_none_or(|selector| workload.is_selected_by(&selector));
    match policy.state {
        PolicyState::Suspended => "is suspended".to_owned(),
        PolicyState::Halted => "is halted".to_owned(),
        PolicyState::Scheduled => format!("is in force only from {}", time(policy.starts_at)),
        PolicyState::Expired => format!("is over since {}", time(policy.ends_at)),
        PolicyState::Active | PolicyState::Inactive | PolicyState::Unknown if !is_selected => {
            let Selector { host, namespace, service } = selector;
            format!("selects {} in {namespace}", host.as_ref().or(service.as_ref()).map_or("*", |name| name))
        }
        _ if is_held => "is not in force now".to_owned(),
        _ if policy.targets.direction == Direction::Outbound => "is for outbound requests".to_owned(),
        _ => "is for inbound requests".to_owned(),
    }
}
