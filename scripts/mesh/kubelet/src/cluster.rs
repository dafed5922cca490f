//! Calls to the API server, as a kubelet and a scheduler make them.

pub(crate) mod changes;

use std::collections::BTreeSet;

use anyhow::{Context, Result};
use k8s_openapi::api::authentication::v1::{BoundObjectReference, TokenRequest, TokenRequestSpec};
use k8s_openapi::api::core::v1::{
    Binding, ConfigMap, ObjectReference, Pod, PodStatus, Secret, ServiceAccount,
};
use k8s_openapi::jiff::Timestamp;
use kube::api::{Api, DeleteParams, ObjectMeta, Patch, PatchParams, PostParams, Preconditions};
use kube::{Client, Error};
use serde_json::json;

use crate::spec::objects::{Objects, Reference};
use crate::spec::tokens::WantedToken;

/// The API server, on behalf of a Node.
#[derive(Clone)]
pub(crate) struct Cluster {
    pub(crate) client: Client,
    pub(crate) node: String,
}

impl Cluster {
    /// The objects that are there, without Services.
    pub(crate) async fn objects(
        &self,
        namespace: &str,
        wanted: &BTreeSet<Reference>,
    ) -> Result<Objects, Error> {
        let maps: Api<ConfigMap> = Api::namespaced(self.client.clone(), namespace);
        let secrets: Api<Secret> = Api::namespaced(self.client.clone(), namespace);
        let mut objects = Objects::default();
        for reference in wanted {
            match reference {
                Reference::ConfigMap(name) => {
                    let found = maps.get_opt(name).await?;
                    objects.config_maps.extend(found.map(|found| (name.clone(), found)));
                }
                Reference::Secret(name) => {
                    let found = secrets.get_opt(name).await?;
                    objects.secrets.extend(found.map(|found| (name.clone(), found)));
                }
            }
        }
        Ok(objects)
    }

    /// A token of the Pod's service account that is good as long as the Pod, and the time when it ends.
    pub(crate) async fn token(&self, pod: &Pod, wanted: &WantedToken) -> Result<(String, Timestamp)> {
        let namespace = pod.metadata.namespace.as_deref().unwrap_or_default();
        let named = pod.spec.as_ref().and_then(|spec| spec.service_account_name.as_deref());
        let account = named.filter(|name| !name.is_empty()).unwrap_or("default");
        let bound = BoundObjectReference {
            api_version: Some("v1".to_owned()),
            kind: Some("Pod".to_owned()),
            name: pod.metadata.name.clone(),
            uid: pod.metadata.uid.clone(),
        };
        let spec = TokenRequestSpec {
            audiences: wanted.audience.iter().cloned().collect(),
            bound_object_ref: Some(bound),
            expiration_seconds: Some(wanted.seconds),
        };
        let request = TokenRequest { spec, ..TokenRequest::default() };
        let accounts: Api<ServiceAccount> = Api::namespaced(self.client.clone(), namespace);
        let answer: TokenRequest =
            accounts.create_subresource("token", account, &PostParams::default(), &request).await?;
        let status = answer.status.context("the API server answered without a token")?;
        Ok((status.token, status.expiration_timestamp.0))
    }

    /// Binds a Pod to the Node, as a scheduler does.
    pub(crate) async fn bind(&self, pod: &Pod) -> Result<(), Error> {
        let name = pod.metadata.name.as_deref().unwrap_or_default();
        let metadata = ObjectMeta { name: pod.metadata.name.clone(), ..ObjectMeta::default() };
        let target = ObjectReference {
            api_version: Some("v1".to_owned()),
            kind: Some("Node".to_owned()),
            name: Some(self.node.clone()),
            ..ObjectReference::default()
        };
        let binding = Binding { metadata, target };
        let answer: Result<serde_json::Value, Error> =
            self.pods(pod).create_subresource("binding", name, &PostParams::default(), &binding).await;
        answer.map(drop)
    }

    /// Writes the status of a Pod, unless another one has its name by now.
    pub(crate) async fn publish(&self, pod: &Pod, status: &PodStatus) -> Result<(), Error> {
        let name = pod.metadata.name.as_deref().unwrap_or_default();
        let patch = Patch::Strategic(json!({"metadata": {"uid": pod.metadata.uid}, "status": status}));
        self.pods(pod).patch_status(name, &PatchParams::default(), &patch).await.map(drop)
    }

    /// Takes a Pod that has ended out of the API server.
    pub(crate) async fn remove(&self, pod: &Pod) -> Result<(), Error> {
        let name = pod.metadata.name.as_deref().unwrap_or_default();
        let preconditions = Preconditions { uid: pod.metadata.uid.clone(), resource_version: None };
        let now =
            DeleteParams { preconditions: Some(preconditions), ..DeleteParams::default() }.grace_period(0);
        self.pods(pod).delete(name, &now).await.map(drop)
    }

    fn pods(&self, pod: &Pod) -> Api<Pod> {
        Api::namespaced(self.client.clone(), pod.metadata.namespace.as_deref().unwrap_or_default())
    }
}

/// True if the Pod is gone, or another one has its name.
pub(crate) fn is_gone(error: &Error) -> bool {
    matches!(error, Error::Api(status) if status.code == 404 || status.code == 409)
}
