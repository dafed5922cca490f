//! The end of an annotation by which people agree to a commit.

use super::{order::Order, ways::Ways};
use crate::{
    istio::plan::{Commit, Plan},
    source::git::Way,
};

/// The reason why the annotation of a namespace that names the commit `allowed` is to be taken away; `None` while it may
/// have an effect. `is_whole`: all files of the newest commit can be read.
pub(super) fn end(
    namespace: &str,
    allowed: &str,
    plan: &Plan,
    order: &Order,
    ways: &Ways,
    is_whole: bool,
) -> Option<String> {
    let Order { commit, withdrawn, known, foreign, .. } = order;
    if withdrawn.is_some() {
        return None;
    }
    let known = known.get(namespace).and_then(|known| known.as_ref().ok());
    // A leader may have ended between the change and this.
    let has_changed = plan.next.is_some() || known.is_some_and(|known| known.commit.id == allowed);
    if allowed == commit.to_string() {
        // What others have made is asked again, and may be known in a moment.
        let others = foreign.0.get(namespace);
        let is_known = others.is_none_or(|others| others.values().all(Option::is_none));
        let is_planned = plan.failure.is_none() && !plan.is_frozen();
        let is_effective = is_planned && is_whole && is_known && (has_changed || plan.frozen.is_empty());
        return is_effective.then(|| "it has had its effect".to_owned());
    }
    // If the branch came to that commit again, people would have to agree to that.
    let is_past = matches!(ways.from(allowed), Ok(Way::On(_)));
    is_past.then(|| {
        let name = Commit { id: allowed.to_owned(), at: String::new() };
        let effect =
            if known.is_some_and(|known| known.commit.id == allowed) { "" } else { ", and it did nothing" };
        format!("commit {} is not the newest one any more{effect}", name.short())
    })
}
