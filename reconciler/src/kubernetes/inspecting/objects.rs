//! Reads objects as they are.

use kube::{
    Api, Client,
    api::{ApiResource, DynamicObject, GroupVersionKind, ListParams},
};
use serde_json::{Value, json};

use super::{
    defaults::Defaults,
    fetch::{InspectError, READ_TIMEOUT, SILENCE},
};
use crate::kubernetes::client::{call::with_timeout, kubeconfig::connect};

/// A cluster whose objects are read.
pub(crate) struct Objects {
    client: Client,
}

impl Objects {
    /// Those of the cluster of a context of the kubeconfig, or of its current one.
    pub(crate) async fn of_context(context: Option<String>) -> Result<Self, InspectError> {
        Ok(Self { client: connect(context, SILENCE).await? })
    }

    /// The objects of these kinds, each named by its `apiVersion` and its kind. A kind that the cluster does not know
    /// has none.
    pub(crate) async fn read(
        &self,
        namespace: &str,
        kinds: impl IntoIterator<Item = (&'static str, &'static str)>,
    ) -> Result<Vec<Value>, InspectError> {
        self.list(Some(namespace), &ListParams::default(), kinds).await
    }

    /// The objects of these kinds that carry a label, of all namespaces.
    pub(crate) async fn labelled(
        &self,
        (key, value): (&str, &str),
        kinds: impl IntoIterator<Item = (&'static str, &'static str)>,
    ) -> Result<Vec<Value>, InspectError> {
        self.list(None, &ListParams::default().labels(&format!("{key}={value}")), kinds).await
    }

    async fn list(
        &self,
        namespace: Option<&str>,
        parameters: &ListParams,
        kinds: impl IntoIterator<Item = (&'static str, &'static str)>,
    ) -> Result<Vec<Value>, InspectError> {
        let mut found = Vec::new();
        for (api_version, kind) in kinds {
            let (group, version) = api_version.split_once('/').unwrap_or(("", api_version));
            let resource = ApiResource::from_gvk(&GroupVersionKind::gvk(group, version, kind));
            let api: Api<DynamicObject> = match namespace {
                Some(namespace) => Api::namespaced_with(self.client.clone(), namespace, &resource),
                None => Api::all_with(self.client.clone(), &resource),
            };
            match with_timeout(READ_TIMEOUT, api.list(parameters)).await {
                Ok(objects) => found.extend(objects.into_iter().map(|object| {
                    // In a list an object need not say what it is.
                    let DynamicObject { metadata, data, .. } = object;
                    let spec = data.get("spec").unwrap_or(&Value::Null);
                    json!({"apiVersion": api_version, "kind": kind, "metadata": metadata, "spec": spec})
                })),
                Err(error) if error.is(404) => {}
                Err(error) => return Err(InspectError::Unreadable { what: kind, error }),
            }
        }
        Ok(found)
    }

    /// The defaults of the fields of a kind. One that the cluster does not know has none.
    pub(crate) async fn defaults(
        &self,
        api_version: &str,
        kind: &'static str,
    ) -> Result<Defaults, InspectError> {
        let request = http::Request::get(format!("/openapi/v3/apis/{api_version}")).body(Vec::new());
        let call = async { self.client.request::<Value>(request.map_err(kube::Error::HttpError)?).await };
        match with_timeout(READ_TIMEOUT, call).await {
            Ok(document) => Ok(Defaults::of(&document, kind)),
            Err(error) if error.is(404) => Ok(Defaults::default()),
            Err(error) => Err(InspectError::Unreadable { what: "the schemas of the API server", error }),
        }
    }
}
