//! The status of a Pod, from the states of its containers.

mod conditions;
mod containers;

use k8s_openapi::api::core::v1::{Pod, PodIP, PodStatus};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;
use k8s_openapi::jiff::Timestamp;

use crate::container::state::{All, Phase, State};
use crate::spec::facts::Facts;
use crate::spec::lifetime::{Role, containers as containers_of};

/// The status now. Without facts the Pod has no network yet. Times of conditions that have not changed are those
/// of the previous status.
pub(crate) fn status(
    pod: &Pod,
    all: &All,
    facts: Option<&Facts>,
    previous: Option<&PodStatus>,
    now: Timestamp,
) -> PodStatus {
    let parts = containers_of(pod);
    let state = |name: &str| all.get(name);
    let is_done = |role: Role, state: &State| match role {
        Role::Init => matches!(&state.phase, Phase::Ended(ended) if ended.code == 0),
        _ => state.started,
    };
    let before_main = parts.iter().filter(|(role, _)| *role != Role::Main);
    let mut before_main = before_main.map(|(role, container)| (*role, state(&container.name)));
    let was_initialized = conditions::is_true(previous, conditions::INITIALIZED);
    let initialized =
        was_initialized || before_main.all(|(role, state)| state.is_some_and(|s| is_done(role, s)));
    let phase = phase(pod, all, initialized);
    let address = facts.map(|facts| facts.pod_ip.to_string());
    let statuses = |wanted: fn(Role) -> bool| {
        let wanted = parts.iter().filter(|(role, _)| wanted(*role));
        let statuses = wanted.filter_map(|(role, container)| {
            Some(containers::status(pod, *role, container, state(&container.name)?))
        });
        Some(statuses.collect::<Vec<_>>()).filter(|statuses| !statuses.is_empty())
    };
    let (of_init, of_main) = (statuses(|role| role != Role::Main), statuses(|role| role == Role::Main));
    let sidecars = parts.iter().filter(|(role, _)| *role != Role::Init);
    let unready = sidecars.filter(|(_, container)| !state(&container.name).is_some_and(|state| state.ready));
    let unready: Vec<_> = unready.map(|(_, container)| container.name.as_str()).collect();
    PodStatus {
        phase: Some(phase.to_owned()),
        conditions: Some(conditions::conditions(
            pod,
            phase,
            initialized,
            facts.is_some(),
            &unready,
            previous,
            now,
        )),
        host_ip: facts.map(|facts| facts.host_ip.to_string()),
        pod_ip: address.clone(),
        pod_ips: address.map(|ip| vec![PodIP { ip }]),
        start_time: previous.and_then(|status| status.start_time.clone()).or(Some(Time(now))),
        init_container_statuses: of_init,
        container_statuses: of_main,
        ..PodStatus::default()
    }
}

/// The phase, by the rules of the kubelet of Kubernetes.
fn phase(pod: &Pod, all: &All, initialized: bool) -> &'static str {
    let policy = pod.spec.as_ref().and_then(|spec| spec.restart_policy.as_deref()).unwrap_or("Always");
    let (mut waiting, mut running, mut succeeded, mut failed, mut init_failed) = (0, 0, 0, 0, false);
    for (role, container) in containers_of(pod) {
        let Some(state) = all.get(&container.name) else { continue };
        let ended = match &state.phase {
            Phase::Ended(ended) => Some(ended),
            Phase::Waiting { .. } => state.last.as_ref(),
            Phase::Running { .. } => None,
        };
        match (role, ended, &state.phase) {
            (Role::Sidecar, ..) => {}
            (Role::Init, Some(ended), _) => init_failed |= ended.code != 0,
            (Role::Init, None, _) => {}
            (Role::Main, _, Phase::Running { .. }) => running += 1,
            (Role::Main, None, _) => waiting += 1,
            (Role::Main, Some(ended), _) if ended.code == 0 => succeeded += 1,
            (Role::Main, Some(_), _) => failed += 1,
        }
    }
    let is_ending = pod.metadata.deletion_timestamp.is_some();
    if !initialized && init_failed && policy == "Never" {
        "Failed"
    } else if !initialized || waiting > 0 || running + succeeded + failed == 0 {
        "Pending"
    } else if running > 0 || (policy == "Always" && !is_ending) {
        "Running"
    } else if failed == 0 {
        "Succeeded"
    } else if policy == "Never" || is_ending {
        "Failed"
    } else {
        "Running"
    }
}

#[cfg(test)]
mod tests;
