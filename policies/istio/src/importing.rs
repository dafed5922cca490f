//! Resources that exist, to the documents that render them.
//!
//! `object` reads resources, `grouping` says which application each belongs to, `common` what those of an
//! application have in common. `fitting` makes an entry of a resource: everything under `spec` at first, and then
//! attributes, tried one by one (`pieces`). An attribute is kept only where rendering it proves it (`trial`); so a
//! guess may be poor, but never wrong. At the end the whole document is rendered, and what differs is told.

mod common;
mod document;
mod fitting;
mod grouping;
mod header;
mod note;
mod object;
mod pieces;
mod trial;
mod verdict;

use std::collections::{BTreeMap, BTreeSet};

use policies::language::ClusterDomain;
use serde_json::Value;

use self::{document::Draft, object::Object, trial::Trial};
pub use self::{note::Note, object::read};
use crate::{resource::Kind, written::Dataplane};

/// The surroundings that resources are imported for.
#[derive(Clone, Debug, Default)]
pub struct Origin {
    /// The namespace of objects that name none.
    pub namespace: Option<String>,
    pub cluster_domain: ClusterDomain,
    /// Absent: attributes must render the same for both.
    pub dataplane: Option<Dataplane>,
}

/// What became of resources.
#[derive(Clone, Debug, Default)]
pub struct Import {
    /// Sorted by namespace and name.
    pub applications: Vec<Imported>,
    pub notes: Vec<Note>,
    /// Objects of other kinds, which are left out, by their kinds.
    pub others: BTreeMap<String, usize>,
}

/// A document.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Imported {
    pub namespace: String,
    pub name: String,
    pub text: String,
}

/// Makes documents of objects, and says what they do not keep.
pub fn import(objects: &[Value], origin: &Origin) -> Import {
    let trial = Trial::new(origin);
    let mut import = Import::default();
    let mut seen = BTreeSet::new();
    let mut groups: BTreeMap<(String, String), Vec<Object>> = BTreeMap::new();
    for object in objects {
        match object::object(object, origin.namespace.as_deref()) {
            object::Read::Resource(object) => {
                let (namespace, kind, name) = object.resource.order();
                if !seen.insert((namespace.to_owned(), kind, name.to_owned())) {
                    import.notes.push(Note::left_out(&object.resource, "was read before".to_owned()));
                    continue;
                }
                let application = grouping::application(&object.resource, &origin.cluster_domain);
                groups.entry((namespace.to_owned(), application)).or_default().push(object);
            }
            object::Read::Unusable(note) => import.notes.push(note),
            object::Read::Other(kind) => *import.others.entry(kind).or_default() += 1,
        }
    }
    for ((namespace, name), mut objects) in groups {
        objects.sort_by(|a, b| a.resource.order().cmp(&b.resource.order()));
        let resources: Vec<_> = objects.iter().map(|object| &object.resource).collect();
        let header = common::header(name.clone(), namespace.clone(), &resources, origin, &trial);
        let mut draft = Draft::new(&header);
        for object in &objects {
            import.notes.extend(object.owner_note());
            match fitting::entry(&object.resource, &header, &trial) {
                Ok(entry) => draft.add(&object.resource, entry),
                Err(reason) => import.notes.push(Note::left_out(&object.resource, reason)),
            }
        }
        if draft.is_empty() {
            continue;
        }
        import.notes.extend(verdict::settle(&mut draft, &trial));
        import.applications.push(Imported { namespace, name, text: draft.text() });
    }
    import
}

/// The path of the file of a document in a directory.
impl Imported {
    pub fn path(&self) -> String {
        format!("{}/{}.yaml", self.namespace, self.name)
    }
}

/// The label that says which application an object belongs to.
const NAME_LABEL: &str = "app.kubernetes.io/name";

/// The label of the revision of Istio that an object is for.
const REVISION: &str = "istio.io/rev";

/// The kinds whose selector is of the pods of an application. A Gateway's is of pods that serve many, a
/// DestinationRule's of callers.
const fn selects_own_pods(kind: Kind) -> bool {
    !matches!(kind, Kind::Gateway | Kind::DestinationRule)
}
