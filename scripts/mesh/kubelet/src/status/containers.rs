//! The statuses of containers.

use k8s_openapi::api::core::v1::{
    Container, ContainerState, ContainerStateRunning, ContainerStateTerminated, ContainerStateWaiting,
    ContainerStatus, Pod,
};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;

use crate::container::state::{Ended, Phase, State};
use crate::spec::lifetime::Role;

/// The status of a container in this state.
pub(super) fn status(pod: &Pod, role: Role, container: &Container, state: &State) -> ContainerStatus {
    let current = match &state.phase {
        Phase::Waiting { reason, message } => ContainerState {
            waiting: Some(ContainerStateWaiting {
                reason: Some((*reason).to_owned()),
                message: message.clone(),
            }),
            ..ContainerState::default()
        },
        Phase::Running { since } => ContainerState {
            running: Some(ContainerStateRunning { started_at: Some(Time(*since)) }),
            ..ContainerState::default()
        },
        Phase::Ended(ended) => terminated(ended),
    };
    let has_run = !matches!(state.phase, Phase::Waiting { .. }) || state.last.is_some();
    let succeeded = matches!(&state.phase, Phase::Ended(ended) if ended.code == 0);
    let image = container.image.clone().unwrap_or_default();
    let id = format!(
        "process://{}/{}/{}",
        pod.metadata.uid.as_deref().unwrap_or_default(),
        container.name,
        state.restarts
    );
    ContainerStatus {
        name: container.name.clone(),
        image_id: if has_run { image.clone() } else { String::new() },
        image,
        container_id: has_run.then_some(id),
        ready: if role == Role::Init { succeeded } else { state.ready },
        started: Some(state.started),
        restart_count: state.restarts,
        state: Some(current),
        last_state: state.last.as_ref().map(terminated),
        ..ContainerStatus::default()
    }
}

fn terminated(ended: &Ended) -> ContainerState {
    let reason = if ended.code == 0 { "Completed" } else { "Error" };
    let terminated = ContainerStateTerminated {
        exit_code: ended.code,
        reason: Some(reason.to_owned()),
        message: ended.message.clone(),
        started_at: Some(Time(ended.since)),
        finished_at: Some(Time(ended.at)),
        ..ContainerStateTerminated::default()
    };
    ContainerState { terminated: Some(terminated), ..ContainerState::default() }
}
