//! Reads the objects of a namespace as they are.

use kube::{
    Api,
    api::{ApiResource, DynamicObject, GroupVersionKind, ListParams},
};
use serde_json::{Value, json};

use super::fetch::{InspectError, READ_TIMEOUT, SILENCE};
use crate::kubernetes::client::{call::with_timeout, kubeconfig::connect};

/// The objects of these kinds, each named by its `apiVersion` and its kind. A kind that the cluster does not know has
/// none.
pub async fn objects_of(
    context: Option<String>,
    namespace: &str,
    kinds: impl IntoIterator<Item = (&'static str, &'static str)>,
) -> Result<Vec<Value>, InspectError> {
    let client = connect(context, SILENCE).await?;
    let mut found = Vec::new();
    for (api_version, kind) in kinds {
        let (group, version) = api_version.split_once('/').unwrap_or(("", api_version));
        let resource = ApiResource::from_gvk(&GroupVersionKind::gvk(group, version, kind));
        let api = Api::<DynamicObject>::namespaced_with(client.clone(), namespace, &resource);
        match with_timeout(READ_TIMEOUT, api.list(&ListParams::default())).await {
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
