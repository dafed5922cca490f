//! Applications in force that no document speaks of any more, and new ones that may be these under another name.
//!
//! A rename is a new application where the last document of another one was: in the same file, or in the same directory if
//! that file has gone. No document spoke of the new one while there was the last one. Otherwise a document that is refused
//! would keep what others take away.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use istio_config::ApplicationId;
use policies::reading::Place;

use super::{applications::Applications, guarded::directory, objects::Objects};

/// What may have been renamed, by the documents of a commit alone.
#[derive(Clone, Debug, Default)]
pub struct Doubtful {
    missed: BTreeSet<ApplicationId>,
    new: BTreeMap<String, New>,
}

/// The documents of a namespace whose applications are not in force, by their files: the name and the place of each.
type New = BTreeMap<Arc<str>, Vec<(String, Place)>>;

/// The last document of an application.
#[derive(Clone, Debug)]
pub struct LastDocument {
    pub file: Arc<str>,
    /// The applications of its namespace that documents spoke of then.
    pub beside: Arc<BTreeSet<String>>,
}

/// The same, where the last documents are known.
#[derive(Clone, Debug, Default)]
pub struct Successors(BTreeMap<String, (Missed, New)>);

/// The applications of a namespace that no document speaks of, by their names.
type Missed = BTreeMap<String, Last>;

#[derive(Clone, Debug)]
enum Last {
    Unknown,
    In {
        /// The file, or its directory if the file has gone.
        within: String,
        beside: Arc<BTreeSet<String>>,
    },
}

impl Doubtful {
    pub fn of(in_force: &BTreeMap<String, Objects>, now: &Applications) -> Self {
        let mut new = BTreeMap::<String, New>::new();
        let is_known =
            |namespace: &str, name: &str| in_force.get(namespace).map(|objects| !objects.of(name).is_empty());
        let mut spoken_of = BTreeSet::new();
        for (file, mention) in now.mentions() {
            match is_known(mention.namespace, mention.name) {
                Some(true) => drop(spoken_of.insert((mention.namespace, mention.name))),
                Some(false) if !mention.is_removal => {
                    let of_namespace = new.entry(mention.namespace.to_owned()).or_default();
                    let of_file = of_namespace.entry(Arc::clone(file)).or_default();
                    of_file.push((mention.name.to_owned(), mention.place));
                }
                _ => {}
            }
        }
        let with_new = in_force.iter().filter(|(namespace, _)| new.contains_key(*namespace));
        let all = with_new.flat_map(|(namespace, objects)| {
            objects.applications().map(move |(name, _)| (namespace.as_str(), name.as_str()))
        });
        let missed = all.filter(|id| !spoken_of.contains(id));
        let missed: BTreeSet<_> =
            missed.map(|(namespace, name)| (namespace.to_owned(), name.to_owned())).collect();
        new.retain(|namespace, _| {
            missed
                .range((namespace.clone(), String::new())..)
                .next()
                .is_some_and(|(found, _)| found == namespace)
        });
        Self { missed, new }
    }

    /// The applications whose last documents are to be found.
    pub fn missed(&self) -> &BTreeSet<ApplicationId> {
        &self.missed
    }

    /// The same with these last documents. What has none was long ago, or cannot be read.
    pub fn successors(
        mut self,
        mut last: BTreeMap<ApplicationId, LastDocument>,
        now: &Applications,
    ) -> Successors {
        if self.missed.is_empty() {
            return Successors::default();
        }
        let files: BTreeSet<_> = now.files.iter().map(|(path, _)| &**path).collect();
        let mut all = BTreeMap::<String, (Missed, New)>::new();
        for id in self.missed {
            let last = match last.remove(&id) {
                Some(LastDocument { file, beside }) => {
                    let within = if files.contains(&*file) { &*file } else { directory(&file) };
                    Last::In { within: within.to_owned(), beside }
                }
                None => Last::Unknown,
            };
            let (namespace, name) = id;
            let new = &mut self.new;
            let of_namespace = all
                .entry(namespace)
                .or_insert_with_key(|namespace| (Missed::new(), new.remove(namespace).unwrap_or_default()));
            of_namespace.0.insert(name, last);
        }
        Successors(all)
    }
}

impl Successors {
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The applications of a namespace that may be there under another name, each with the place of that one, which is
    /// refused. `is_valid` tells which documents are not, by their files and places.
    pub fn refused(
        &self,
        namespace: &str,
        is_valid: impl Fn(&str, Place) -> bool,
    ) -> BTreeMap<String, String> {
        let Some((missed, new)) = self.0.get(namespace) else { return BTreeMap::new() };
        let all = new.iter().flat_map(|(file, documents)| documents.iter().map(|found| (&**file, found)));
        let refused: Vec<_> = all.filter(|(file, (_, place))| !is_valid(file, *place)).collect();
        // A directory has a slash at its end, and a file has none.
        let mut within = BTreeMap::<&str, Vec<_>>::new();
        for (file, document) in &refused {
            within.entry(file).or_default().push((*file, *document));
            within.entry(directory(file)).or_default().push((*file, *document));
        }
        // Thousands of applications may have gone beside thousands of documents, but few commits took them away.
        let mut first = BTreeMap::new();
        let found = missed.iter().filter_map(|(name, last)| {
            let (file, (new, place)) = match last {
                Last::Unknown => refused.first().copied(),
                Last::In { within: last, beside } => {
                    *first.entry((last, Arc::as_ptr(beside))).or_insert_with(|| {
                        let mut all = within.get(&**last)?.iter();
                        all.find(|(_, (name, _))| !beside.contains(name)).copied()
                    })
                }
            }?;
            Some((name.clone(), format!("`{new}` of {file}:{}", place.line)))
        });
        found.collect()
    }
}
