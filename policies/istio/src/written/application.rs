//! An application, as its team describes it.

use std::{collections::BTreeMap, sync::Arc};

use policies::{language::Dataplane, reading::Place};

use super::entry::Entry;
use crate::{
    in_force::ApplicationId,
    values::{Label, LabelPairs},
};

/// A document.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Document {
    /// It is shared with what is rendered from it.
    Application(Arc<Application>),
    /// The team takes the application away, with all that was rendered for it.
    Removal { place: Place, name: Label, namespace: Label },
}

impl Document {
    /// The application that it is about.
    pub fn id(&self) -> ApplicationId {
        match self {
            Self::Application(found) => found.id(),
            Self::Removal { name, namespace, .. } => (namespace.to_string(), name.to_string()),
        }
    }
}

/// An application's place in the mesh.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Application {
    /// The place of its document.
    pub place: Place,
    pub name: Label,
    /// Everything that is rendered is there and nowhere else.
    pub namespace: Label,
    pub labels: LabelPairs,
    pub annotations: BTreeMap<String, String>,
    /// The Service of Kubernetes that callers use.
    pub service: Label,
    /// The labels of its pods.
    pub workload: LabelPairs,
    /// Only for labels.
    pub environment: Option<Label>,
    /// Absent: that of its namespace.
    pub dataplane: Option<Dataplane>,
    /// The revision of Istio that it is for.
    pub revision: Option<Label>,
    /// Its entries, in the order of the sections.
    pub entries: Vec<Entry>,
}

impl Application {
    /// Its namespace and its name.
    pub fn id(&self) -> ApplicationId {
        (self.namespace.to_string(), self.name.to_string())
    }
}
