//! What only one may have.

use std::collections::BTreeMap;

use policies::reading::Place;

use crate::{finding::Finding, in_force::ApplicationId, resource::Kind};

/// Something that only one document, or one entry, may have.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Claim {
    /// The name of an application.
    Application { namespace: String, name: String },
    /// The name of an object.
    Object { namespace: String, kind: Kind, name: String },
    /// All pods of a namespace.
    Namespace { namespace: String, kind: Kind },
}

impl Claim {
    pub(super) fn application((namespace, name): &ApplicationId) -> Self {
        Self::Application { namespace: namespace.clone(), name: name.clone() }
    }

    /// The error of the one that has it, too.
    pub(super) fn finding(&self, file: &str, place: Place) -> Finding {
        let line = place.line;
        match self {
            Self::Application { namespace, name } => {
                let reason = format!("`{name}` in {namespace} is also the application of {file}:{line}");
                Finding::error("APP05", "metadata.name", reason).right("rename one, or take one out")
            }
            Self::Object { kind, name, .. } => {
                let reason =
                    format!("renders to the {} `{name}`, as the entry of {file}:{line} does", kind.name());
                Finding::error("APP04", "", reason).right("rename one")
            }
            Self::Namespace { namespace, kind } => {
                let kind = kind.name();
                let reason = format!(
                    "is for all of {namespace}, as the {kind} of {file}:{line}, and only one of a kind may be"
                );
                Finding::error("APP11", "applyTo", reason).right("take one out")
            }
        }
    }
}

/// A use of what only one may have.
type Use<F> = (F, Place);

/// The claims that several make: each, with its use and one other.
pub(super) fn shared<F: Clone + Ord>(claims: Vec<(Claim, Use<F>)>) -> Vec<(Claim, Use<F>, Use<F>)> {
    let mut uses = BTreeMap::<Claim, Vec<Use<F>>>::new();
    for (claim, used) in claims {
        uses.entry(claim).or_default().push(used);
    }
    let mut shared = Vec::new();
    for (claim, mut uses) in uses {
        uses.sort();
        // Each names one other: to name all of them each time grows with the square of the uses.
        for (i, used) in uses.iter().enumerate().filter(|_| uses.len() > 1) {
            if let Some(other) = uses.get(usize::from(i == 0)) {
                shared.push((claim.clone(), used.clone(), other.clone()));
            }
        }
    }
    shared
}
