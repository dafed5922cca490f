//! The volumes that a container mounts.

use std::collections::BTreeMap;

use k8s_openapi::api::core::v1::{Container, Pod};

use super::expand::expand;
use super::refusal::Refusal;

/// A volume, or a path in it, at a path of the container.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct Mount {
    pub(crate) volume: String,
    /// Empty for all of it.
    pub(crate) sub_path: String,
    pub(crate) at: String,
    pub(crate) writable: bool,
}

/// The mounts of a container, those with shorter paths first, since the others may be inside them. Only an
/// `emptyDir` can be written to.
pub(crate) fn mounts(
    pod: &Pod,
    container: &Container,
    environment: &BTreeMap<String, String>,
) -> Result<Vec<Mount>, Refusal> {
    let volumes = pod.spec.as_ref().and_then(|spec| spec.volumes.as_deref()).unwrap_or_default();
    let mut mounts = Vec::new();
    for mount in container.volume_mounts.iter().flatten() {
        let unknown = || Refusal::of_spec(format!("there is no volume {:?}", mount.name));
        let volume = volumes.iter().find(|volume| volume.name == mount.name).ok_or_else(unknown)?;
        let expanded = mount.sub_path_expr.as_deref();
        let expanded = expanded.map(|path| expand(path, |name| environment.get(name).map(String::as_str)));
        let sub_path = expanded.or_else(|| mount.sub_path.clone()).unwrap_or_default();
        if sub_path.starts_with('/') || sub_path.split('/').any(|part| part == "..") {
            return Err(Refusal::of_spec(format!("the subPath {sub_path:?} is not below the volume")));
        }
        mounts.push(Mount {
            volume: mount.name.clone(),
            sub_path,
            at: format!("/{}", mount.mount_path.trim_matches('/')),
            writable: volume.empty_dir.is_some() && mount.read_only != Some(true),
        });
    }
    mounts.sort_by_key(|mount| mount.at.len());
    Ok(mounts)
}

#[cfg(test)]
mod tests {
    use k8s_openapi::api::core::v1::Pod;
    use serde_json::{Value, from_value, json};

    use super::{Mount, mounts};
    use crate::spec::refusal::Refusal;

    fn of(mount_list: Value) -> Result<Vec<Mount>, Refusal> {
        let volumes = json!([{"name": "map", "configMap": {"name": "m"}}, {"name": "empty", "emptyDir": {}}]);
        let containers = json!([{"name": "c", "volumeMounts": mount_list}]);
        let pod: Pod = from_value(json!({"spec": {"containers": containers, "volumes": volumes}})).unwrap();
        let environment = [("NAME".to_owned(), "web".to_owned())].into();
        mounts(&pod, &pod.spec.as_ref().unwrap().containers[0], &environment)
    }

    #[test]
    fn outer_mounts_come_first_and_only_an_empty_directory_is_writable() {
        let found = of(json!([
            {"name": "map", "mountPath": "/etc/app/map/"},
            {"name": "empty", "mountPath": "/etc/app"},
            {"name": "empty", "mountPath": "/read/only/empty", "readOnly": true, "subPathExpr": "$(NAME)/x"},
        ]))
        .unwrap();
        let found: Vec<_> = found.iter().map(|m| (&*m.at, &*m.sub_path, m.writable)).collect();
        let expected =
            [("/etc/app", "", true), ("/etc/app/map", "", false), ("/read/only/empty", "web/x", false)];
        assert_eq!(found, expected);
    }

    #[test]
    fn a_mount_of_nothing_or_of_what_is_outside_is_refused() {
        of(json!([{"name": "none", "mountPath": "/x"}])).unwrap_err();
        of(json!([{"name": "empty", "mountPath": "/x", "subPath": "../other"}])).unwrap_err();
    }
}
