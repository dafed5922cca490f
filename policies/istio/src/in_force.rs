//! The objects that are in force: what was rendered last, and applied.

mod foreign;

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use policies::reading::{Place, read_yaml};

pub use self::foreign::Foreign;
use crate::{
    node,
    resource::{ObjectId, Raw, Resource, application},
};

/// An application: its namespace and its name.
pub type ApplicationId = (String, String);

/// The objects in force, by application, beside those of the cluster that others may have made. Of some applications they
/// stay, whatever documents say.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct InForce {
    applications: BTreeMap<ApplicationId, Arc<[Resource]>>,
    foreign: BTreeMap<ObjectId, Foreign>,
    held: BTreeSet<ApplicationId>,
    holds_along: bool,
}

/// An artifact that cannot be read as a whole. What is in force then is unknown.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{file}:{line}: {reason}")]
pub struct InForceError {
    pub file: String,
    pub line: u32,
    pub reason: String,
}

impl InForce {
    /// Reads the files of an artifact, by their paths. Their labels say whose they are; what hfi has not rendered is
    /// passed over.
    pub fn read<'f>(files: impl IntoIterator<Item = (&'f str, &'f [u8])>) -> Result<Self, InForceError> {
        let mut applications = BTreeMap::<_, Vec<_>>::new();
        for (file, bytes) in files {
            let error =
                |place: Place, reason| InForceError { file: file.to_owned(), line: place.line, reason };
            for document in read_yaml(bytes) {
                let document = document.map_err(|found| error(found.place, found.message))?;
                for object in node::flattened(&document) {
                    let labels = node::texts(node::at(object, &["metadata", "labels"]));
                    let Some(name) = application(&labels) else { continue };
                    let Some(resource) = Raw::of(object).map(|raw| raw.resource) else {
                        // Without it the artifact that comes next would lack the object, and it would be pruned.
                        let reason = "is of hfi, and of a kind that this version does not know".to_owned();
                        return Err(error(object.place, reason));
                    };
                    let id = (resource.namespace.clone(), name.to_owned());
                    applications.entry(id).or_default().push(resource);
                }
            }
        }
        Ok(applications.into_iter().collect())
    }

    /// The same beside objects that others may have made.
    pub fn beside(self, foreign: impl IntoIterator<Item = (ObjectId, Foreign)>) -> Self {
        Self { foreign: foreign.into_iter().collect(), ..self }
    }

    /// The same, where these applications stay as they are, be it without objects.
    pub fn holding(self, held: impl IntoIterator<Item = ApplicationId>) -> Self {
        Self { held: held.into_iter().collect(), ..self }
    }

    /// The same, where what may depend on these stays too, and with it all of its namespace if that loses an object.
    pub fn holding_along(self, held: impl IntoIterator<Item = ApplicationId>) -> Self {
        Self { holds_along: true, ..self.holding(held) }
    }

    /// True if what may depend on the held applications stays too.
    pub(crate) fn holds_along(&self) -> bool {
        self.holds_along
    }

    /// The applications that stay as they are.
    pub(crate) fn held(&self) -> &BTreeSet<ApplicationId> {
        &self.held
    }

    /// What keeps hfi from making this object, if others may have made one of its name.
    pub(crate) fn foreign(&self, id: &ObjectId) -> Option<&Foreign> {
        self.foreign.get(id)
    }

    /// The objects of an application; none of one that is not in force.
    pub fn of(&self, namespace: &str, name: &str) -> &[Resource] {
        self.applications.get(&(namespace.to_owned(), name.to_owned())).map_or(&[], |resources| resources)
    }

    /// The applications with their objects, by namespace and name.
    pub fn applications(&self) -> impl Iterator<Item = (&ApplicationId, &[Resource])> {
        self.applications.iter().map(|(id, resources)| (id, &**resources))
    }

    /// All objects.
    pub fn resources(&self) -> impl Iterator<Item = &Resource> {
        self.applications.values().flat_map(|resources| resources.iter())
    }

    pub fn is_empty(&self) -> bool {
        self.applications.is_empty()
    }
}

impl FromIterator<(ApplicationId, Vec<Resource>)> for InForce {
    fn from_iter<I: IntoIterator<Item = (ApplicationId, Vec<Resource>)>>(applications: I) -> Self {
        let sorted = |(id, mut resources): (_, Vec<Resource>)| {
            resources.sort_by(|a, b| a.order().cmp(&b.order()));
            (id, resources.into())
        };
        let applications = applications.into_iter().filter(|(_, resources)| !resources.is_empty());
        Self { applications: applications.map(sorted).collect(), ..Self::default() }
    }
}
