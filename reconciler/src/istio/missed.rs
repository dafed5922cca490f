//! Applications in force that no document speaks of any more, and where their documents were.
//!
//! A new application that is refused may be one of these under another name. A team has files of its own, so it counts as
//! one only where the last document was. Otherwise a document that is refused would keep what others take away.

use std::{
    collections::{BTreeMap, BTreeSet},
    ops::Bound,
    sync::Arc,
};

use istio_config::ApplicationId;

use super::{applications::Applications, guarded::directory};

/// Applications in force that no document speaks of any more, each with its last document, if that is known.
#[derive(Clone, Debug, Default)]
pub struct Missed(BTreeMap<ApplicationId, Option<LastDocument>>);

/// Where an application had its last document.
#[derive(Clone, Debug)]
pub struct LastDocument {
    pub file: Arc<str>,
    /// All files of that commit.
    pub files: Arc<BTreeSet<Arc<str>>>,
}

impl FromIterator<(ApplicationId, Option<LastDocument>)> for Missed {
    fn from_iter<T: IntoIterator<Item = (ApplicationId, Option<LastDocument>)>>(missed: T) -> Self {
        Self(missed.into_iter().collect())
    }
}

impl Missed {
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The applications of a namespace that may be there under another name, each with the place of that one. `new` are the
    /// places of new applications that are refused, by their files.
    pub fn renamed(
        &self,
        namespace: &str,
        new: &BTreeMap<&str, String>,
        now: &Applications,
    ) -> BTreeMap<String, String> {
        let first = (namespace.to_owned(), String::new());
        let own = self.0.range(first..).take_while(|((found, _), _)| found == namespace);
        let now: BTreeSet<_> = now.files.iter().map(|(path, _)| &**path).collect();
        let renamed = own.filter_map(|((_, name), last)| {
            let (_, place) = match last {
                None => new.first_key_value(),
                Some(last) => new.get_key_value(&*last.file).or_else(|| last.moved(new, &now)),
            }?;
            Some((name.clone(), place.clone()))
        });
        renamed.collect()
    }
}

impl LastDocument {
    /// A new application in a file that may be this one under another name: of two in one directory, one has gone and the
    /// other was not there before.
    fn moved<'n>(
        &self,
        new: &'n BTreeMap<&str, String>,
        now: &BTreeSet<&str>,
    ) -> Option<(&'n &'n str, &'n String)> {
        if now.contains(&*self.file) {
            return None;
        }
        let place = directory(&self.file);
        let from: (Bound<&str>, Bound<&str>) = (Bound::Included(place), Bound::Unbounded);
        let beside = new.range::<str, _>(from).take_while(|(file, _)| file.starts_with(place));
        let mut beside = beside.filter(|(file, _)| directory(file) == place);
        beside.find(|(file, _)| !self.files.contains(**file))
    }
}

impl Applications {
    /// Of some applications, those that no document speaks of.
    pub fn missed(&self, of: impl IntoIterator<Item = ApplicationId>) -> BTreeSet<ApplicationId> {
        let mut missed: BTreeSet<_> = of.into_iter().collect();
        for (namespace, name) in self.files.iter().flat_map(|(_, file)| file.applications()) {
            missed.remove(&(namespace.to_owned(), name.to_owned()));
        }
        missed
    }
}
