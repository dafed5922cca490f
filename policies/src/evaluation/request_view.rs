//! One request while a program decides on it: what is worked out once and asked for by many rules.

use std::cell::OnceCell;

use super::{callee::Callee, caller, mesh::Mesh, work::Work};
use crate::language::{Facts, Subject};

/// A request, and who is at its ends.
pub(crate) struct RequestView<'f, F> {
    pub(crate) facts: &'f F,
    mesh: &'f Mesh,
    called: OnceCell<Option<Callee>>,
    routed: OnceCell<Option<Callee>>,
    caller: OnceCell<Option<(String, String)>>,
    pub(crate) work: Work,
}

impl<'f, F: Facts> RequestView<'f, F> {
    pub(crate) fn new(facts: &'f F, mesh: &'f Mesh) -> Self {
        Self {
            facts,
            mesh,
            called: OnceCell::new(),
            routed: OnceCell::new(),
            caller: OnceCell::new(),
            work: Work::new(),
        }
    }

    /// True if `does` is true of any value of the subject, as long as there is work left.
    #[inline]
    pub(crate) fn any(&self, subject: &Subject, mut does: impl FnMut(&[u8]) -> bool) -> bool {
        if self.work.is_spent() {
            return false;
        }
        self.work.count_condition();
        self.work.count_bytes(subject.searched(self.facts));
        subject.any(self.facts, |value| !self.work.is_spent() && does(value))
    }

    /// The callee that the authority names, and the one that the route has chosen. Each is read when it is its
    /// turn: the second is not where the first is enough.
    pub(crate) fn callees(&self) -> impl Iterator<Item = &Callee> {
        [Self::called, Self::routed].into_iter().filter_map(move |callee| callee(self))
    }

    fn called(&self) -> Option<&Callee> {
        self.called.get_or_init(|| self.mesh.of_authority(&self.facts.authority()?)).as_ref()
    }

    fn routed(&self) -> Option<&Callee> {
        self.routed.get_or_init(|| self.mesh.of_cluster(&self.facts.cluster()?)).as_ref()
    }

    /// The namespace and service account that the request comes from.
    pub(crate) fn caller(&self) -> Option<(&str, &str)> {
        let identify = || caller::identify(&self.facts.spiffe_id()?);
        let known = self.caller.get_or_init(identify).as_ref();
        known.map(|(namespace, account)| (namespace.as_str(), account.as_str()))
    }
}
