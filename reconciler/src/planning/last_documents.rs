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

/// A file of a commit, and the applications that it speaks of.
type Spoken = (Arc<str>, Arc<Vec<ApplicationId>>);

fn found(
    wanted: &BTreeSet<ApplicationId>,
    guarded: &Guarded,
    files: &[Spoken],
) -> BTreeMap<ApplicationId, LastDocument> {
    let mut places = BTreeMap::new();
    let of_interest = files.iter().filter(|(_, ids)| ids.iter().any(|id| wanted.contains(id)));
    for (file, id) in of_interest.flat_map(|file| counted(file, guarded)) {
        if wanted.contains(id) {
            places.entry(id.clone()).or_insert_with(|| Arc::clone(file));
        }
    }
    let mut beside: BTreeMap<String, BTreeSet<String>> =
        places.keys().map(|(namespace, _)| (namespace.clone(), BTreeSet::new())).collect();
    let all = files.iter().filter(|_| !places.is_empty());
    for (_, (namespace, name)) in all.flat_map(|file| counted(file, guarded)) {
        if let Some(of_namespace) = beside.get_mut(namespace) {
            of_namespace.insert(name.clone());
        }
    }
    let beside: BTreeMap<_, _> =
        beside.into_iter().map(|(namespace, names)| (namespace, Arc::new(names))).collect();
    let found = places.into_iter().filter_map(|(id, file)| {
        let beside = Arc::clone(beside.get(&id.0)?);
        Some((id, LastDocument { file, beside }))
    });
    found.collect()
}

/// The applications of a file that count: those of a namespace that is not for it do not.
fn counted<'f>(
    (file, ids): &'f Spoken,
    guarded: &Guarded,
) -> impl Iterator<Item = (&'f Arc<str>, &'f ApplicationId)> + use<'f> {
    let limits = guarded.limits(file);
    ids.iter().filter(move |(namespace, _)| limits.allows_namespace(namespace)).map(move |id| (file, id))
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
        assert!(last.beside.contains("b") && !last.beside.contains("z"));
    }
}
