//! The conditions of a Pod.

use k8s_openapi::api::core::v1::{Pod, PodCondition, PodStatus};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;
use k8s_openapi::jiff::Timestamp;

pub(super) const INITIALIZED: &str = "Initialized";

/// All conditions that a kubelet sets; that it is scheduled says the API server.
pub(super) fn conditions(
    pod: &Pod,
    phase: &str,
    initialized: bool,
    has_network: bool,
    unready: &[&str],
    previous: Option<&PodStatus>,
    now: Timestamp,
) -> Vec<PodCondition> {
    let is_over = phase == "Succeeded" || phase == "Failed";
    let not_ready = || {
        let reason = if is_over { "PodCompleted" } else { "ContainersNotReady" };
        (reason, format!("containers with unready status: [{}]", unready.join(" ")))
    };
    let containers = if initialized && unready.is_empty() && !is_over { None } else { Some(not_ready()) };
    let ready = containers.clone().or_else(|| closed_gate(pod));
    let initialized =
        (!initialized).then(|| ("ContainersNotInitialized", "init containers have not ended".to_owned()));
    let network = (!has_network).then(|| ("NoNetwork", "the Pod has no network namespace".to_owned()));
    let all = [
        ("PodReadyToStartContainers", network),
        (INITIALIZED, initialized),
        ("ContainersReady", containers),
        ("Ready", ready),
    ];
    all.into_iter().map(|(kind, obstacle)| condition(kind, obstacle, previous, now)).collect()
}

/// True if the condition was true.
pub(super) fn is_true(previous: Option<&PodStatus>, kind: &str) -> bool {
    find(previous, kind).is_some_and(|condition| condition.status == "True")
}

fn condition(
    kind: &str,
    obstacle: Option<(&str, String)>,
    previous: Option<&PodStatus>,
    now: Timestamp,
) -> PodCondition {
    let status = if obstacle.is_none() { "True" } else { "False" };
    let unchanged = find(previous, kind).filter(|previous| previous.status == status);
    // Said even if empty: in a patch, what is not said stays.
    let (reason, message) = obstacle.unwrap_or_default();
    PodCondition {
        type_: kind.to_owned(),
        status: status.to_owned(),
        reason: Some(reason.to_owned()),
        message: Some(message),
        last_transition_time: unchanged
            .and_then(|previous| previous.last_transition_time.clone())
            .or(Some(Time(now))),
        ..PodCondition::default()
    }
}

/// A condition that somebody else has to set first.
fn closed_gate(pod: &Pod) -> Option<(&'static str, String)> {
    let gates = pod.spec.as_ref()?.readiness_gates.as_ref()?;
    let gate = gates.iter().find(|gate| !is_true(pod.status.as_ref(), &gate.condition_type))?;
    Some(("ReadinessGatesNotReady", format!("the readiness gate {:?} is not open", gate.condition_type)))
}

fn find<'s>(status: Option<&'s PodStatus>, kind: &str) -> Option<&'s PodCondition> {
    status?.conditions.as_ref()?.iter().find(|condition| condition.type_ == kind)
}
