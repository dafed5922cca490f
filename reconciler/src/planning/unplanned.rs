//! Plans of namespaces where the newest commit is not to be in force, or nothing is known.

use super::order::Order;
use crate::{
    istio::{
        applications::Applications,
        artifact::Artifact,
        objects::Objects,
        plan::{Commit, InForce, Plan},
    },
    source::SourceError,
    version,
};

/// An artifact without objects, of the newest commit.
pub(super) fn empty(commit: Commit) -> Result<InForce, SourceError> {
    Ok(InForce {
        artifact: Artifact::of(&Objects::default()).map_err(|error| SourceError(error.to_string()))?,
        objects: 0,
        renderer: version::text().to_owned(),
        max_removals: None,
        judged: commit.clone(),
        commit,
    })
}

/// The reason why a namespace stays where the newest commit is older than one by which it was judged.
pub(super) fn too_old(newer: &Commit) -> String {
    format!(
        "commit {}, by which the namespace was judged, is newer: the branch went back, or a mirror of the repository is \
         behind",
        newer.short()
    )
}

/// The next step then.
pub(super) fn going_back(commit: &Commit) -> String {
    format!("to go back, annotate the artifact with hfi.dev/allow-commit={}", commit.id)
}

/// The plan where it is not known what is in force. `plan` is that by which people agree to the newest commit.
pub(super) fn unknown(reason: &str, plan: &Plan, order: &Order, applications: &Applications) -> Plan {
    let advice = if let Some(withdrawn) = &order.withdrawn {
        format!("restore it; nothing of the newest commit can replace it: {withdrawn}")
    } else if let Some(file) = applications.unreadable() {
        format!("restore it, or mend {file} first: its applications would go")
    } else if applications.files.is_empty() {
        "restore it, or the files: the newest commit has none, and everything would go".to_owned()
    } else if let Some(failure) = &plan.failure {
        format!("restore it; {failure}")
    } else if plan.next.is_none() && !plan.frozen.is_empty() {
        let frozen = plan.frozen.iter().map(|(name, reason)| format!("{name} ({reason})"));
        let frozen = frozen.collect::<Vec<_>>().join(", ");
        format!("restore it, or mend the newest commit first, which has nothing valid: {frozen}")
    } else {
        let objects = plan.next.as_ref().map_or(0, |next| next.objects);
        let invalid: Vec<_> = plan.frozen.keys().map(String::as_str).collect();
        let invalid = if invalid.is_empty() {
            String::new()
        } else {
            format!("; invalid ones stay as they were valid last, or go: {}", invalid.join(", "))
        };
        format!(
            "restore it, or annotate the artifact with hfi.dev/allow-commit={}: then {objects} objects stay, and Flux \
             removes all others{invalid}",
            order.commit
        )
    };
    let reason = format!("{reason}, so nobody knows what is in force");
    Plan { advice: Some(advice), failure: plan.failure.clone(), ..Plan::frozen(reason) }
}
