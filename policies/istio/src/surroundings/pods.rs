//! Pods, as far as the objects that make them say.

use policies::reading::{Node, Value};

use crate::{node, values::LabelPairs};

/// The setting of istiod that keeps it from fetching keys of tokens from some addresses.
const BLOCKS: &str = "BLOCKED_CIDRS_IN_JWKS_URIS";

/// The Pods of a Deployment, a StatefulSet or the like.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PodTemplate {
    pub namespace: String,
    pub labels: LabelPairs,
    /// True for the Deployment of istiod, if it fetches keys of tokens from any address.
    pub fetches_from_anywhere: bool,
    /// True where Guardrails limit the namespaces of the file: its team may give its Pods the labels of a gateway that is
    /// not its own.
    pub is_of_team: bool,
}

impl PodTemplate {
    /// The Pods with this metadata and this spec, of an object.
    pub(super) fn of(object: &Node, namespace: String, template: Option<&Node>) -> Self {
        let at = |path: &[&str]| template.and_then(|template| node::at(template, path));
        let is_istiod = node::text(object, &["kind"]) == Some("Deployment")
            && node::text(object, &["metadata", "labels", "app"]) == Some("istiod");
        let containers = node::items(at(&["spec", "containers"]));
        Self {
            namespace,
            labels: node::texts(at(&["metadata", "labels"])),
            fetches_from_anywhere: is_istiod
                && !containers.is_empty()
                && !containers.iter().any(may_block_addresses),
            is_of_team: false,
        }
    }

    /// True if the Pods have all these labels.
    pub fn has<'l>(&self, labels: impl IntoIterator<Item = (&'l str, &'l str)>) -> bool {
        labels.into_iter().all(|(key, value)| self.labels.get(key).is_some_and(|own| own == value))
    }
}

/// True if a container has the setting, or takes some from where nobody sees them.
fn may_block_addresses(container: &Node) -> bool {
    let blocks = |variable: &Node| {
        let value = node::get(variable, "value").map(|value| &value.value);
        let is_empty = matches!(value, Some(Value::Null)) || node::text(variable, &["value"]) == Some("");
        node::text(variable, &["name"]) == Some(BLOCKS) && !is_empty
    };
    node::get(container, "envFrom").is_some() || node::items(node::get(container, "env")).iter().any(blocks)
}
