//! The user of a container and what it may do.

use k8s_openapi::api::core::v1::{Container, Pod, SecurityContext};

use super::refusal::Refusal;
use crate::image::Program;

/// User, group and supplementary groups, as numbers.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct User {
    pub(crate) uid: u32,
    pub(crate) gid: u32,
    pub(crate) groups: Vec<u32>,
}

impl User {
    /// The options of `setpriv` for the groups.
    pub(crate) fn group_words(&self) -> [String; 4] {
        let groups: Vec<_> = self.groups.iter().map(u32::to_string).collect();
        ["--regid".to_owned(), self.gid.to_string(), "--groups".to_owned(), groups.join(",")]
    }
}

/// What container engines leave to root.
const USUAL: [&str; 14] = [
    "audit_write",
    "chown",
    "dac_override",
    "fowner",
    "fsetid",
    "kill",
    "mknod",
    "net_bind_service",
    "net_raw",
    "setfcap",
    "setgid",
    "setpcap",
    "setuid",
    "sys_chroot",
];

/// The user of a container: its own, the Pod's, or that of the image.
pub(crate) fn user(pod: &Pod, container: &Container, program: &Program) -> Result<User, Refusal> {
    let of_pod = pod.spec.as_ref().and_then(|spec| spec.security_context.clone()).unwrap_or_default();
    let own = container.security_context.clone().unwrap_or_default();
    let (image_user, image_group) = program.user;
    let uid = own.run_as_user.or(of_pod.run_as_user).map_or(Ok(image_user), number)?;
    // Another user than the image's has no group there.
    let usual = if uid == image_user { image_group } else { 0 };
    let gid = own.run_as_group.or(of_pod.run_as_group).map_or(Ok(usual), number)?;
    if uid == 0 && own.run_as_non_root.or(of_pod.run_as_non_root) == Some(true) {
        return Err(Refusal::of_spec("container has runAsNonRoot and image will run as root"));
    }
    let groups = of_pod.supplemental_groups.into_iter().flatten().chain(of_pod.fs_group);
    let mut groups = groups.map(number).collect::<Result<Vec<_>, _>>()?;
    groups.push(gid);
    groups.sort_unstable();
    groups.dedup();
    Ok(User { uid, gid, groups })
}

/// The group that owns the Pod's volumes.
pub(crate) fn volume_group(pod: &Pod) -> Option<u32> {
    number(pod.spec.as_ref()?.security_context.as_ref()?.fs_group?).ok()
}

/// The capabilities that root in a container has, by their names in lower case. None means all.
pub(crate) fn capabilities(container: &Container) -> Option<Vec<String>> {
    let context = container.security_context.clone().unwrap_or_default();
    let changes = context.capabilities.unwrap_or_default();
    let (added, dropped) = (names(changes.add), names(changes.drop));
    if context.privileged == Some(true) || added.iter().any(|name| name == "all") {
        return None;
    }
    let drops_all = dropped.iter().any(|name| name == "all");
    let kept = USUAL.into_iter().filter(|name| !drops_all && !dropped.iter().any(|dropped| dropped == name));
    let mut all: Vec<_> = kept.map(str::to_owned).chain(added).collect();
    all.sort();
    all.dedup();
    Some(all)
}

/// True if no program may give more rights than the container has.
pub(crate) fn is_confined(context: Option<&SecurityContext>) -> bool {
    context.is_some_and(|context| context.allow_privilege_escalation == Some(false))
}

fn names(names: Option<Vec<String>>) -> Vec<String> {
    let plain = |name: String| name.to_lowercase().trim_start_matches("cap_").to_owned();
    names.into_iter().flatten().map(plain).collect()
}

fn number(id: i64) -> Result<u32, Refusal> {
    u32::try_from(id).map_err(|_| Refusal::of_spec(format!("{id} is not a user or a group")))
}

#[cfg(test)]
mod tests {
    use k8s_openapi::api::core::v1::Pod;
    use serde_json::{Value, from_value, json};

    use super::{User, capabilities, user};
    use crate::image::Program;
    use crate::spec::refusal::Refusal;

    fn of(pod: &Value, container: &Value) -> Result<User, Refusal> {
        let containers = json!([{"name": "c", "securityContext": container}]);
        let pod: Pod =
            from_value(json!({"spec": {"securityContext": pod, "containers": containers}})).unwrap();
        user(&pod, &pod.spec.as_ref().unwrap().containers[0], &Program::at("/x", "/x").user(7, 8))
    }

    #[test]
    fn a_container_before_its_pod_before_the_image_says_the_user() {
        assert_eq!(of(&json!({}), &json!({})).unwrap(), User { uid: 7, gid: 8, groups: vec![8] });
        let pod = json!({"runAsUser": 1000, "runAsGroup": 1001, "fsGroup": 5, "supplementalGroups": [6]});
        assert_eq!(of(&pod, &json!({})).unwrap(), User { uid: 1000, gid: 1001, groups: vec![5, 6, 1001] });
        let own = json!({"runAsUser": 1337, "runAsGroup": 1337});
        assert_eq!(of(&pod, &own).unwrap(), User { uid: 1337, gid: 1337, groups: vec![5, 6, 1337] });
    }

    #[test]
    fn another_user_than_the_images_has_the_group_of_root() {
        assert_eq!(
            of(&json!({"runAsUser": 9}), &json!({})).unwrap(),
            User { uid: 9, gid: 0, groups: vec![0] }
        );
    }

    #[test]
    fn root_is_refused_where_the_spec_refuses_it() {
        let pod = json!({"runAsNonRoot": true, "runAsUser": 0});
        assert_eq!(of(&pod, &json!({})).unwrap_err().reason, "CreateContainerConfigError");
        of(&pod, &json!({"runAsUser": 1})).unwrap();
        of(&pod, &json!({"runAsNonRoot": false})).unwrap();
        of(&json!({"runAsUser": -1}), &json!({})).unwrap_err();
    }

    #[test]
    fn capabilities_are_added_and_dropped() {
        let of = |context: Value| {
            capabilities(&from_value(json!({"name": "c", "securityContext": context})).unwrap())
        };
        let istio_init = json!({"capabilities": {"drop": ["ALL"], "add": ["NET_ADMIN", "NET_RAW"]}});
        assert_eq!(of(istio_init), Some(vec!["net_admin".to_owned(), "net_raw".to_owned()]));
        assert_eq!(of(json!({"privileged": true})), None);
        let usual = of(json!({"capabilities": {"drop": ["CAP_NET_RAW"]}})).unwrap();
        assert!(usual.contains(&"chown".to_owned()) && !usual.contains(&"net_raw".to_owned()));
    }
}
