//! Where the documents of applications were that no document speaks of any more.

use std::{
    collections::{BTreeMap, BTreeSet},
    ops::ControlFlow,
    sync::Arc,
};

use crate::{
    istio::{
        applications::File,
        missed::{LastDocument, Missed},
        plan::ApplicationId,
    },
    source::{ancestry::CommitId, git::CommitLog},
};

/// The commits among which the last document of an application is looked for. One that is in force without a document for
/// longer stayed for some reason.
const MOST: usize = 200;

/// Looks for the last documents of these applications before `head`. Where the history cannot be read, they are unknown.
/// Blocks.
pub(super) fn last_documents(head: CommitId, missed: BTreeSet<ApplicationId>, commits: &CommitLog) -> Missed {
    let mut wanted = missed;
    let mut found = BTreeMap::new();
    if !wanted.is_empty() {
        // The files themselves would take much memory.
        let ids = |bytes: &[u8]| -> Vec<ApplicationId> {
            let file = File::read(bytes);
            let ids = file.applications().map(|(namespace, name)| (namespace.to_owned(), name.to_owned()));
            ids.collect()
        };
        let visit = |files: Vec<(Arc<str>, Arc<Vec<ApplicationId>>)>| {
            let paths: Arc<BTreeSet<_>> = Arc::new(files.iter().map(|(path, _)| Arc::clone(path)).collect());
            for (file, ids) in &files {
                for id in ids.iter().filter_map(|id| wanted.take(id)) {
                    let (file, files) = (Arc::clone(file), Arc::clone(&paths));
                    found.insert(id, Some(LastDocument { file, files }));
                }
            }
            if wanted.is_empty() { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
        };
        // Nothing goes by what cannot be read.
        let _ = commits.back(head, MOST, None, ids, visit);
    }
    found.into_iter().chain(wanted.into_iter().map(|id| (id, None))).collect()
}
