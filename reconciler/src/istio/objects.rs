//! The objects of a namespace, by application.

use std::collections::{BTreeMap, BTreeSet};

use istio_config::{Kind, Resource};

/// The label of what hfi renders and writes.
pub const MANAGED_BY: (&str, &str) = ("app.kubernetes.io/managed-by", "hfi");
/// The label of an object that names its application. No document can set it.
const APPLICATION: &str = "app.kubernetes.io/name";

/// The objects of a namespace, by application. No two have one kind and name.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Objects(BTreeMap<String, Vec<Resource>>);

/// An object of a namespace: its kind and name.
pub type Key = (Kind, String);

impl Objects {
    /// The applications, and the objects of each.
    pub fn applications(&self) -> impl Iterator<Item = (&String, &[Resource])> + Clone {
        self.0.iter().map(|(name, objects)| (name, objects.as_slice()))
    }

    /// The objects of an application; none if it has none.
    pub fn of(&self, application: &str) -> &[Resource] {
        self.0.get(application).map(Vec::as_slice).unwrap_or_default()
    }

    /// Gives an application its objects.
    pub fn set(&mut self, application: &str, mut objects: Vec<Resource>) {
        objects.sort_by(|a, b| a.order().cmp(&b.order()));
        if objects.is_empty() {
            self.0.remove(application);
        } else {
            self.0.insert(application.to_owned(), objects);
        }
    }

    /// All objects, sorted by kind and name.
    pub fn sorted(&self) -> Vec<&Resource> {
        let mut all: Vec<_> = self.0.values().flatten().collect();
        all.sort_by(|a, b| a.order().cmp(&b.order()));
        all
    }

    /// True if these are the same, as text.
    pub fn are_written_as(&self, other: &Self) -> bool {
        let text = |objects: &Self| objects.sorted().into_iter().map(Resource::to_yaml).collect::<Vec<_>>();
        self == other || text(self) == text(other)
    }

    /// The kinds and names of all objects.
    pub fn keys(&self) -> BTreeSet<Key> {
        self.0.values().flatten().map(key).collect()
    }
}

impl FromIterator<Resource> for Objects {
    fn from_iter<T: IntoIterator<Item = Resource>>(resources: T) -> Self {
        let mut objects = BTreeMap::<_, Vec<_>>::new();
        for resource in resources {
            let application = resource.labels.get(APPLICATION).cloned().unwrap_or_default();
            objects.entry(application).or_default().push(resource);
        }
        let mut sorted = Self::default();
        objects.into_iter().for_each(|(application, objects)| sorted.set(&application, objects));
        sorted
    }
}

/// The kind and name of an object.
pub fn key(object: &Resource) -> Key {
    (object.kind, object.name.clone())
}
