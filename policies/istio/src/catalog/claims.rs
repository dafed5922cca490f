//! What only one may have.
//!
//! Of those that claim one thing, the one that has it in force stays. Where nobody has, the only one that nothing else is
//! wrong with gets it: a document that is refused anyway keeps nothing from others. Of several that are left an object is of
//! the only one after whose application it is named: what only rules over several resources refuse, found later, keeps
//! nothing from it either. Otherwise all are at fault, since nobody knows which was meant.

use std::{collections::BTreeMap, sync::Arc};

use policies::reading::Place;

use crate::{
    finding::Finding,
    in_force::{ApplicationId, InForce},
    limits::is_namespace_wide,
    resource::{Kind, ObjectId},
};

/// Something that only one document, or one entry, may have.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Claim {
    /// The name of an application.
    Application(ApplicationId),
    /// The name of an object.
    Object(ObjectId),
    /// All pods of a namespace.
    Namespace { namespace: String, kind: Kind },
}

impl Claim {
    /// True if an application has it in force. Of two documents of one application neither is known to be in force.
    fn is_in_force(&self, application: &ApplicationId, in_force: &InForce) -> bool {
        let mut objects = in_force.of(&application.0, &application.1).iter();
        match self {
            Self::Application(_) => false,
            Self::Object((namespace, kind, name)) => {
                objects.any(|object| object.order() == (namespace.as_str(), *kind, name.as_str()))
            }
            Self::Namespace { kind, .. } => {
                objects.any(|object| object.kind == *kind && is_namespace_wide(object))
            }
        }
    }

    /// The uses that are at fault, each with another use. To name all others of each grows with the square of the uses.
    pub(super) fn at_fault<'u>(&self, uses: &'u [Use], in_force: &InForce) -> Vec<(&'u Use, &'u Use)> {
        let owner = self.owner(uses, in_force);
        let at_fault = uses.iter().enumerate().filter(|(number, _)| Some(*number) != owner);
        let other = |number: usize| uses.get(owner.unwrap_or(usize::from(number == 0)));
        at_fault.filter_map(|(number, used)| Some((used, other(number)?))).collect()
    }

    /// The number of the use that is at no fault. Of two documents of one application there is none.
    fn owner(&self, uses: &[Use], in_force: &InForce) -> Option<usize> {
        if matches!(self, Self::Application(_)) {
            return None;
        }
        let having = numbers(uses, |used| self.is_in_force(&used.application, in_force));
        let left = if having.is_empty() { numbers(uses, |used| !used.is_refused) } else { having.clone() };
        let named = numbers(uses, |used| used.is_named_after_it && !used.is_refused);
        match (&*left, &*named) {
            ([owner], _) => Some(*owner),
            (_, [owner]) if having.is_empty() => Some(*owner),
            _ => None,
        }
    }

    /// The error of the one that has it, too.
    pub(super) fn finding(&self, file: &str, place: Place) -> Finding {
        let line = place.line;
        match self {
            Self::Application((namespace, name)) => {
                let reason = format!("`{name}` in {namespace} is also the application of {file}:{line}");
                Finding::error("APP05", "metadata.name", reason).right("rename one, or take one out")
            }
            Self::Object((_, kind, name)) => {
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
    /// True if something else is wrong with the document.
    pub(super) is_refused: bool,
    /// True for an object that has the name of its application, its entry and its kind, and no `resourceName`.
    pub(super) is_named_after_it: bool,
}

/// The claims that several make, each with its uses in order.
pub(super) fn contested(claims: Vec<(Claim, Use)>) -> BTreeMap<Claim, Vec<Use>> {
    let mut uses = BTreeMap::<Claim, Vec<Use>>::new();
    for (claim, used) in claims {
        uses.entry(claim).or_default().push(used);
    }
    uses.retain(|_, uses| uses.len() > 1);
    uses.values_mut().for_each(|uses| uses.sort());
    uses
}

fn numbers(uses: &[Use], is_meant: impl Fn(&Use) -> bool) -> Vec<usize> {
    (0..).zip(uses).filter(|(_, used)| is_meant(used)).map(|(number, _)| number).collect()
}
