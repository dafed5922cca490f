//! The `ExternalArtifact` of a namespace, by which Flux learns of its archive.

use k8s_openapi::{
    apimachinery::pkg::apis::meta::v1::{Condition, Time},
    jiff::Timestamp as Moment,
};
use kube::{
    Api, Client, ResourceExt as _,
    api::{ApiResource, DynamicObject, GroupVersionKind},
};
use serde_json::{Value, json};

use super::{ALLOW_COMMIT, MANAGED_BY, NAMESPACE_LABEL, Settings, name, state::State};
use crate::{
    istio::{artifact::Artifact, plan::InForce},
    kubernetes::{NAME, reporting::truncate::truncate},
};

pub(super) const API_VERSION: &str = "source.toolkit.fluxcd.io/v1";
pub(super) const KIND: &str = "ExternalArtifact";
const READY: &str = "Ready";
/// The longest message of a condition, in bytes.
pub(super) const LONGEST_MESSAGE: usize = 2_000;

/// An object as it is in the cluster.
#[derive(Clone, Debug, Default)]
pub(super) struct Seen {
    pub(super) uid: Option<String>,
    pub(super) version: Option<String>,
    /// The commit whose removals somebody has agreed to.
    pub(super) allowed: Option<String>,
    status: Value,
    generation: Option<i64>,
}

/// The objects of a namespace, or of all.
pub(super) fn api(client: &Client, place: Option<&str>) -> Api<DynamicObject> {
    let kind = ApiResource::from_gvk(&GroupVersionKind::gvk("source.toolkit.fluxcd.io", "v1", KIND));
    match place {
        Some(place) => Api::namespaced_with(client.clone(), place, &kind),
        None => Api::all_with(client.clone(), &kind),
    }
}

impl Seen {
    /// The namespace that an object is for, and how it is. Whoever may make such objects elsewhere speaks for nobody.
    pub(super) fn of(object: &DynamicObject, settings: &Settings) -> Option<(String, Self)> {
        let namespace = object.labels().get(NAMESPACE_LABEL)?.clone();
        let is_there = object.namespace().as_deref() == Some(settings.place(&namespace));
        if !is_there || object.name_any() != name(&namespace) {
            return None;
        }
        let seen = Self {
            uid: object.uid(),
            version: object.resource_version(),
            allowed: object.annotations().get(ALLOW_COMMIT).cloned(),
            status: object.data.get("status").cloned().unwrap_or_default(),
            generation: object.metadata.generation,
        };
        Some((namespace, seen))
    }

    /// True if it announces an archive.
    pub(super) fn has_artifact(&self) -> bool {
        self.status.get("artifact").is_some()
    }

    /// The status to write, if it is not there.
    pub(super) fn status(
        &self,
        url: &str,
        branch: &str,
        in_force: Option<(&str, &InForce)>,
        state: &State,
    ) -> Option<Value> {
        let conditions = self.status.get("conditions").and_then(Value::as_array);
        let is_ready = |condition: &&Value| condition.get("type").is_some_and(|kind| kind == READY);
        let known = conditions.into_iter().flatten().find(is_ready);
        let known = known.and_then(|known| serde_json::from_value::<Condition>(known.clone()).ok());
        let status = if state.is_ready() { "True" } else { "False" };
        let since = known.as_ref().filter(|known| known.status == status);
        let condition = Condition {
            type_: READY.to_owned(),
            status: status.to_owned(),
            reason: if state.is_ready() { "Current" } else { "Frozen" }.to_owned(),
            message: truncate(&state.message, LONGEST_MESSAGE),
            last_transition_time: since.map_or_else(this_second, |known| known.last_transition_time.clone()),
            observed_generation: self.generation,
        };
        // While it is not known what is in force, what is announced stays: that it was is remembered nowhere else.
        let announced = || self.status.get("artifact").cloned();
        let artifact = in_force
            .map(|(namespace, in_force)| artifact(url, branch, namespace, in_force))
            .or_else(announced);
        let is_same = known.as_ref() == Some(&condition) && self.status.get("artifact") == artifact.as_ref();
        let mut status = json!({"conditions": [condition]});
        if let (Some(artifact), Some(status)) = (artifact, status.as_object_mut()) {
            status.insert("artifact".to_owned(), artifact);
        }
        (!is_same).then_some(status)
    }
}

/// The object itself.
pub(super) fn object(namespace: &str, place: &str, own_namespace: &str) -> Value {
    json!({
        "apiVersion": API_VERSION,
        "kind": KIND,
        "metadata": {
            "name": name(namespace),
            "namespace": place,
            "labels": {MANAGED_BY.0: MANAGED_BY.1, NAMESPACE_LABEL: namespace},
        },
        "spec": {"sourceRef": {
            "apiVersion": "hfi.dev/v1alpha1", "kind": "PolicySource", "name": NAME, "namespace": own_namespace,
        }},
    })
}

/// The object with only this status. `replaced`: the version that it replaces, so that one of a former leader that comes
/// late is refused.
pub(super) fn with_status(namespace: &str, place: &str, replaced: Option<&str>, status: &Value) -> Value {
    json!({
        "apiVersion": API_VERSION,
        "kind": KIND,
        "metadata": {"name": name(namespace), "namespace": place, "resourceVersion": replaced},
        "status": status,
    })
}

/// The change that takes the annotation by which somebody agreed to a commit from this version of the object.
pub(super) fn without_annotation(version: Option<&str>) -> Value {
    json!({"metadata": {"resourceVersion": version, "annotations": {ALLOW_COMMIT: null}}})
}

fn artifact(url: &str, branch: &str, namespace: &str, in_force: &InForce) -> Value {
    let InForce { artifact, commit, .. } = in_force;
    let path = format!("v1/istio/{namespace}/{}", Artifact::file(&artifact.digest));
    json!({
        "path": path,
        "url": format!("{url}/{path}"),
        "revision": format!("{branch}@{}", artifact.digest),
        "digest": artifact.digest.to_string(),
        "lastUpdateTime": commit.at,
        "size": artifact.bytes.len(),
        "metadata": {"org.opencontainers.image.revision": commit.id},
    })
}

/// Now, in whole seconds, as the API server stores it.
fn this_second() -> Time {
    Time(Moment::from_second(Moment::now().as_second()).unwrap_or(Moment::UNIX_EPOCH))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::{Seen, Settings, State};

    #[test]
    fn what_is_announced_stays_while_nobody_knows_what_is_in_force() {
        let artifact = json!({"digest": "sha256:1", "path": "v1/istio/shop/1.tar.gz"});
        let seen = Seen { status: json!({"artifact": artifact}), ..Seen::default() };
        let frozen = [("reviews".to_owned(), "wrong".to_owned())].into();
        let state = State { frozen, message: "frozen".to_owned() };
        let status = seen.status("http://hfi", "main", None, &state).unwrap();
        assert_eq!(status["artifact"], artifact, "server-side apply removes what it says no more");
    }

    #[test]
    fn an_object_speaks_for_its_own_namespace_alone() {
        let settings = |in_tenants| Settings {
            namespace: "hfi-istio".to_owned(),
            in_tenants,
            url: None,
            events: None,
            cluster_domain: "cluster.local".to_owned().try_into().unwrap(),
        };
        let found = |in_tenants, place: &str, name: &str, namespace: &str| {
            let metadata = json!({
                "name": name,
                "namespace": place,
                "labels": {"hfi.dev/namespace": namespace},
                "annotations": {"hfi.dev/allow-commit": "1a2b"},
            });
            let object = json!({
                "apiVersion": "source.toolkit.fluxcd.io/v1", "kind": "ExternalArtifact", "metadata": metadata,
            });
            Seen::of(&serde_json::from_value(object).unwrap(), &settings(in_tenants))
        };
        let of_shop = found(false, "hfi-istio", "hfi-istio-shop", "shop").unwrap();
        assert_eq!((of_shop.0.as_str(), of_shop.1.allowed.as_deref()), ("shop", Some("1a2b")));
        assert!(found(true, "shop", "hfi-istio-shop", "shop").is_some());
        for (in_tenants, place, name, namespace) in [
            (true, "bank", "hfi-istio-shop", "shop"),
            (true, "bank", "hfi-istio-bank", "shop"),
            (true, "hfi-istio", "hfi-istio-shop", "shop"),
            (false, "shop", "hfi-istio-shop", "shop"),
            (false, "hfi-istio", "hfi-istio-bank", "shop"),
        ] {
            assert!(found(in_tenants, place, name, namespace).is_none(), "{place}/{name} for {namespace}");
        }
    }
}
