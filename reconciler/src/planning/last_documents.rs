//! Where the documents of applications were that no document speaks of any more.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use super::lookback::{Lookback, Looked};
use crate::{
    istio::{applications::File, guarded::Guarded, plan::ApplicationId, successors::LastDocument},
    source::{ancestry::CommitId, git::CommitLog},
};

/// The last document of each application.
pub(super) type LastDocuments = Lookback<LastDocument>;

impl LastDocuments {
    /// Looks for these applications before `head`. A document of a namespace that is not for its file counts for nothing.
    /// Blocks.
    pub(super) fn of(
        &mut self,
        head: CommitId,
        guarded: &Guarded,
        wanted: &BTreeSet<ApplicationId>,
        commits: &CommitLog,
    ) -> Looked<LastDocument> {
        self.look(head, guarded, wanted, commits, ids, |wanted, files| found(wanted, guarded, &files))
    }
}

/// The applications that a file speaks of. The file itself would take much memory.
fn ids(bytes: &[u8]) -> Vec<ApplicationId> {
    let file = File::read(bytes);
    file.mentions().map(|mention| (mention.namespace.to_owned(), mention.name.to_owned())).collect()
}

fn found(
    wanted: &BTreeSet<ApplicationId>,
    guarded: &Guarded,
    files: &[(Arc<str>, Arc<Vec<ApplicationId>>)],
) -> BTreeMap<ApplicationId, LastDocument> {
    let (mut places, mut outside) = (BTreeMap::new(), BTreeMap::<_, BTreeSet<_>>::new());
    for (file, ids) in files.iter().filter(|(_, ids)| ids.iter().any(|id| wanted.contains(id))) {
        let limits = guarded.limits(file);
        for id in ids.iter().filter(|id| wanted.contains(*id)) {
            if limits.allows_namespace(&id.0) {
                places.entry(id.clone()).or_insert_with(|| Arc::clone(file));
            } else {
                outside.entry(id).or_default().insert(Arc::clone(file));
            }
        }
    }
    let mut beside: BTreeMap<String, BTreeSet<String>> =
        places.keys().map(|(namespace, _)| (namespace.clone(), BTreeSet::new())).collect();
    for (file, ids) in files.iter().filter(|_| !places.is_empty()) {
        let limits = guarded.limits(file);
        for (namespace, name) in ids.iter().filter(|(namespace, _)| limits.allows_namespace(namespace)) {
            if let Some(of_namespace) = beside.get_mut(namespace) {
                of_namespace.insert(name.clone());
            }
        }
    }
    let beside: BTreeMap<_, _> =
        beside.into_iter().map(|(namespace, names)| (namespace, Arc::new(names))).collect();
    let found = places.into_iter().filter_map(|(id, file)| {
        let beside = Arc::clone(beside.get(&id.0)?);
        let outside = outside.remove(&id).unwrap_or_default();
        Some((id, LastDocument { file, beside, outside }))
    });
    found.collect()
}

#[cfg(test)]
mod tests {
    use std::{collections::BTreeSet, sync::Arc};

    use policies::File as Policies;

    use super::found;
    use crate::istio::guarded::Guarded;

    #[test]
    fn a_document_of_a_namespace_that_is_not_for_its_file_is_nobodys_last_one() {
        let id = |name: &str| ("shop".to_owned(), name.to_owned());
        let files = [("evil/x.yaml", vec![id("a"), id("z")]), ("shop/a.yaml", vec![id("a"), id("b")])];
        let files: Vec<_> = files.map(|(path, ids)| (Arc::from(path), Arc::new(ids))).into();
        let guardrail = Policies::read(b"kind: Guardrail\nspec: {istio: {namespaces: [evil]}}\n");
        let guarded = Guarded::of([("evil/", &guardrail)].into_iter());
        let found = found(&BTreeSet::from([id("a"), id("z")]), &guarded, &files);
        assert_eq!(found.keys().collect::<Vec<_>>(), [&id("a")]);
        let last = &found[&id("a")];
        assert_eq!(&*last.file, "shop/a.yaml");
        assert_eq!(last.outside, BTreeSet::from([Arc::from("evil/x.yaml")]));
        assert!(last.beside.contains("b") && !last.beside.contains("z"));
    }
}
