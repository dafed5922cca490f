//! The part that a container has in the life of its Pod.

use std::time::Duration;

use k8s_openapi::api::core::v1::{Container, Pod};

/// The part of a container.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Role {
    /// Runs to its end before the next one starts.
    Init,
    /// An init container that runs as long as the Pod.
    Sidecar,
    Main,
}

/// The init containers of a Pod, then the others, in the order of their start.
pub(crate) fn containers(pod: &Pod) -> Vec<(Role, Container)> {
    let Some(spec) = &pod.spec else { return Vec::new() };
    let init = spec.init_containers.iter().flatten().map(|container| {
        let stays = container.restart_policy.as_deref() == Some("Always");
        (if stays { Role::Sidecar } else { Role::Init }, container.clone())
    });
    init.chain(spec.containers.iter().map(|container| (Role::Main, container.clone()))).collect()
}

/// True if a container is started again after it has ended.
pub(crate) fn restarts(pod: &Pod, role: Role, succeeded: bool) -> bool {
    let policy = pod.spec.as_ref().and_then(|spec| spec.restart_policy.as_deref()).unwrap_or("Always");
    match (role, policy) {
        (Role::Sidecar, _) | (Role::Main, "Always") => true,
        (_, "Never") => false,
        (Role::Init | Role::Main, _) => !succeeded,
    }
}

/// The time that the containers of a Pod have to end: what its deletion says, or its spec.
pub(crate) fn grace_period(pod: &Pod) -> Duration {
    let of_deletion = pod.metadata.deletion_grace_period_seconds;
    let of_spec = pod.spec.as_ref().and_then(|spec| spec.termination_grace_period_seconds);
    let seconds = of_deletion.or(of_spec).unwrap_or(30);
    // Kubernetes gives 1 s where 0 is asked for.
    Duration::from_secs(seconds.max(1).unsigned_abs())
}

#[cfg(test)]
mod tests {
    use k8s_openapi::api::core::v1::Pod;
    use serde_json::{from_value, json};

    use super::{Role, containers, restarts};

    #[test]
    fn init_containers_come_before_the_others_and_some_stay() {
        let init = json!([{"name": "a"}, {"name": "b", "restartPolicy": "Always"}]);
        let pod: Pod =
            from_value(json!({"spec": {"initContainers": init, "containers": [{"name": "c"}]}})).unwrap();
        let order: Vec<_> =
            containers(&pod).into_iter().map(|(role, container)| (role, container.name)).collect();
        let expected = [(Role::Init, "a"), (Role::Sidecar, "b"), (Role::Main, "c")];
        assert_eq!(order, expected.map(|(role, name)| (role, name.to_owned())));
    }

    #[test]
    fn the_restart_policy_says_who_is_started_again() {
        use Role::{Init, Main, Sidecar};
        for (policy, after_success, after_failure) in [
            ("Always", vec![Sidecar, Main], vec![Init, Sidecar, Main]),
            ("OnFailure", vec![Sidecar], vec![Init, Sidecar, Main]),
            ("Never", vec![Sidecar], vec![Sidecar]),
        ] {
            let pod: Pod = from_value(json!({"spec": {"restartPolicy": policy, "containers": []}})).unwrap();
            for (succeeded, expected) in [(true, after_success), (false, after_failure)] {
                let again: Vec<_> = [Init, Sidecar, Main]
                    .into_iter()
                    .filter(|role| restarts(&pod, *role, succeeded))
                    .collect();
                assert_eq!(again, expected, "{policy}, {succeeded}");
            }
        }
    }
}
