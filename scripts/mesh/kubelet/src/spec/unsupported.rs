//! What a spec may ask for and this kubelet does not have.

use k8s_openapi::api::core::v1::{Pod, Volume};

use super::refusal::Refusal;

/// The first thing that keeps a Pod from running here. What merely makes no difference is no reason.
pub(crate) fn unsupported(pod: &Pod) -> Option<Refusal> {
    let spec = pod.spec.as_ref()?;
    let flags = [
        (spec.host_network, "hostNetwork"),
        (spec.host_pid, "hostPID"),
        (spec.host_ipc, "hostIPC"),
        (spec.share_process_namespace, "shareProcessNamespace"),
    ];
    let flag =
        flags.into_iter().find(|(flag, _)| *flag == Some(true)).map(|(_, name)| format!("{name} is true"));
    let volume = || spec.volumes.iter().flatten().find(|volume| !is_known(volume));
    let volume = || volume().map(|volume| format!("the volume {:?} is of another kind", volume.name));
    let containers = || spec.init_containers.iter().flatten().chain(&spec.containers);
    let device = || containers().find(|container| container.volume_devices.is_some());
    let device = || device().map(|container| format!("the container {:?} has volumeDevices", container.name));
    let found = flag.or_else(volume).or_else(device)?;
    Some(Refusal::of_spec(format!("this kubelet does not support it: {found}")))
}

fn is_known(volume: &Volume) -> bool {
    let of_trust =
        |source: &k8s_openapi::api::core::v1::VolumeProjection| source.cluster_trust_bundle.is_some();
    let projected =
        volume.projected.as_ref().map(|projected| projected.sources.as_deref().unwrap_or_default());
    volume.config_map.is_some()
        || volume.secret.is_some()
        || volume.empty_dir.is_some()
        || volume.downward_api.is_some()
        || projected.is_some_and(|sources| !sources.iter().any(of_trust))
}

#[cfg(test)]
mod tests {
    use k8s_openapi::api::core::v1::Pod;
    use serde_json::{Value, from_value, json};

    use super::unsupported;

    #[test]
    fn what_would_silently_be_something_else_is_refused() {
        let of = |spec: Value| unsupported(&from_value::<Pod>(json!({"spec": spec})).unwrap());
        for spec in [
            json!({"containers": [], "hostNetwork": true}),
            json!({"containers": [], "volumes": [{"name": "v", "hostPath": {"path": "/"}}]}),
            json!({"containers": [], "volumes": [{"name": "v", "persistentVolumeClaim": {"claimName": "c"}}]}),
            json!({"containers": [{"name": "c", "volumeDevices": [{"name": "v", "devicePath": "/dev/x"}]}]}),
        ] {
            assert!(of(spec.clone()).is_some(), "{spec}");
        }
        let volumes = json!([{"name": "v", "emptyDir": {}}, {"name": "w", "projected": {"sources": []}}]);
        assert_eq!(
            of(json!({"containers": [{"name": "c"}], "hostNetwork": false, "volumes": volumes})),
            None
        );
    }
}
