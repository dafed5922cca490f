//! The fields of `metadata` that nothing acts on.

use std::sync::Arc;

use crate::reading::{MapEntry, Node, Value};

/// `version`, `labels` and `annotations`, as they are written.
#[derive(Clone, Debug, Default)]
pub struct InertMetadata(Option<Arc<[MapEntry]>>);

impl InertMetadata {
    /// Of a valid document.
    pub(crate) fn of(document: &Node) -> Self {
        let Value::Map(fields) = &document.value else { return Self::default() };
        let metadata = fields.iter().find(|field| field.key == "metadata").map(|field| &field.value.value);
        let Some(Value::Map(fields)) = metadata else { return Self::default() };
        let inert: Vec<_> = fields.iter().filter(|field| field.key != "name").cloned().collect();
        // Most policies have none, and there may be many policies.
        Self((!inert.is_empty()).then(|| inert.into()))
    }

    /// Each field and its value.
    pub fn fields(&self) -> impl Iterator<Item = (&str, &Value)> {
        self.0.iter().flat_map(|fields| fields.iter()).map(|field| (field.key.as_str(), &field.value.value))
    }
}
