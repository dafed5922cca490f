//! What only one may have.

use std::{collections::BTreeMap, sync::Arc};

use policies::reading::Place;

use crate::{
    finding::Finding,
    in_force::{ApplicationId, InForce},
    limits::is_namespace_wide,
    resource::Kind,
};

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

    /// True if an application has it in force. Of two documents of one application neither is known to be in force.
    fn is_in_force(&self, application: &ApplicationId, in_force: &InForce) -> bool {
        let mut objects = in_force.of(&application.0, &application.1).iter();
        match self {
            Self::Application { .. } => false,
            Self::Object { namespace, kind, name } => {
                objects.any(|object| object.order() == (namespace.as_str(), *kind, name.as_str()))
            }
            Self::Namespace { kind, .. } => {
                objects.any(|object| object.kind == *kind && is_namespace_wide(object))
            }
        }
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
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Use {
    pub(super) file: Arc<str>,
    pub(super) place: Place,
    pub(super) application: ApplicationId,
}

/// The claims that several make: each use of one that is at fault, and another use. Of a claim that one of them has in
/// force, the others are at fault; else all are, since nobody knows which was meant.
pub(super) fn shared(claims: Vec<(Claim, Use)>, in_force: &InForce) -> Vec<(Claim, Use, Use)> {
    let mut uses = BTreeMap::<Claim, Vec<Use>>::new();
    for (claim, used) in claims {
        uses.entry(claim).or_default().push(used);
    }
    let mut shared = Vec::new();
    for (claim, mut uses) in uses.into_iter().filter(|(_, uses)| uses.len() > 1) {
        uses.sort();
        let has_it = |used: &Use| claim.is_in_force(&used.application, in_force);
        let mut owners = uses.iter().enumerate().filter(|(_, used)| has_it(used)).map(|(at, _)| at);
        let owner = owners.next().filter(|_| owners.next().is_none());
        // Each names one other: to name all of them each time grows with the square of the uses.
        for (i, used) in uses.iter().enumerate().filter(|(i, _)| Some(*i) != owner) {
            if let Some(other) = uses.get(owner.unwrap_or(usize::from(i == 0))) {
                shared.push((claim.clone(), used.clone(), other.clone()));
            }
        }
    }
    shared
}
