//! The kinds of documents: those that are read, and those that nobody knows.

use policies::reading::{Node, closest};

use crate::{
    finding::{self, Finding},
    node,
    resource::Kind,
    surroundings, written,
};

/// True for a kind that is read.
pub(super) fn is_read(kind: &str) -> bool {
    kind.eq_ignore_ascii_case(written::KIND)
        || kind.ends_with("List")
        || Kind::of_rendered(kind).is_some()
        || surroundings::KINDS.contains(&kind)
}

/// The group of the documents of hfi.
const GROUP: &str = "hfi.dev/";
/// The kinds of documents that another crate reads.
const OF_POLICIES: [&str; 3] = ["FaultPolicy", "Guardrail", "Halt"];
/// The kind of the objects by which hfi says in a cluster how it is: a backup may have some.
const OF_CLUSTERS: &str = "PolicySource";

/// True for a text in block style that may be a document of hfi of a kind that nobody knows.
pub(super) fn may_be_ours(kind: &str, text: &str) -> bool {
    let mut versions = text.lines().filter_map(|line| line.strip_prefix("apiVersion:"));
    !is_of_policies(kind) && versions.any(|version| version.contains(GROUP) || version.trim().is_empty())
}

fn is_of_policies(kind: &str) -> bool {
    OF_POLICIES.iter().any(|known| known.eq_ignore_ascii_case(kind))
}

/// The mistake of a document of hfi whose kind nobody knows: it may have been meant as an application. One that is nearly
/// another kind is that crate's to tell.
pub(super) fn unknown_kind(document: &Node) -> Option<Finding> {
    let is_ours = node::text(document, &["apiVersion"]).is_some_and(|version| version.starts_with(GROUP));
    let kind = node::text(document, &["kind"]).filter(|kind| is_ours && !is_of_policies(kind))?;
    let known: Vec<_> = [written::KIND].into_iter().chain(OF_POLICIES).collect();
    let right = match closest(kind, &known) {
        _ if kind == OF_CLUSTERS => return None,
        Some(meant) if is_of_policies(meant) => return None,
        Some(meant) => format!("did you mean `{meant}`?"),
        None => format!("write one of {}", known.join(", ")),
    };
    let place = node::get(document, "kind").map_or(document.place, |kind| kind.place);
    let reason = format!("`{kind}` is no kind of hfi");
    Some(Finding::error(finding::FORM, "kind", reason).right(right).at(place))
}
