//! An object that an entry renders to.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::{resource::Kind, written::ApplyTo};

/// An object without what all objects have in common.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Part {
    pub(super) kind: Kind,
    /// The last part of its name, where an entry renders to several objects.
    pub(super) suffix: Option<&'static str>,
    /// True if it only helps the object of the entry, which alone has the author's name and `spec`.
    pub(super) is_beside: bool,
    pub(super) spec: Value,
    /// What it binds to, if its kind binds to anything.
    pub(super) binding: Option<ApplyTo>,
    pub(super) annotations: BTreeMap<String, String>,
}

impl Part {
    /// The one object of an entry.
    pub(super) fn new(kind: Kind, spec: Value) -> Self {
        Self { kind, suffix: None, is_beside: false, spec, binding: None, annotations: BTreeMap::new() }
    }

    /// The same with what it binds to.
    pub(super) fn bound(self, binding: ApplyTo) -> Self {
        Self { binding: Some(binding), ..self }
    }

    /// The same with the last part of its name.
    pub(super) fn named(self, suffix: &'static str) -> Self {
        Self { suffix: Some(suffix), ..self }
    }

    /// The same as an object beside that of the entry.
    pub(super) fn beside(self, suffix: &'static str) -> Self {
        Self { suffix: Some(suffix), is_beside: true, ..self }
    }
}
