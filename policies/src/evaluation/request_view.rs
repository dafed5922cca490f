//! One request while a program decides on it: what is worked out once and asked for by many rules.

use std::cell::OnceCell;

use super::{work::Work, workload_ref};
use crate::language::{Facts, Subject};

/// A request, and who is at its ends.
pub(crate) struct RequestView<'f, F> {
    pub(crate) facts: &'f F,
    /// The workload's own namespace, to which a callee's short name belongs.
    namespace: Option<&'f str>,
    callee: OnceCell<Option<(String, String)>>,
    caller: OnceCell<Option<(String, String)>>,
    pub(crate) work: Work,
}

impl<'f, F: Facts> RequestView<'f, F> {
    pub(crate) fn new(facts: &'f F, namespace: Option<&'f str>) -> Self {
        Self { facts, namespace, callee: OnceCell::new(), caller: OnceCell::new(), work: Work::new() }
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

    /// The service and namespace that the request is for.
    pub(crate) fn callee(&self) -> Option<(&str, &str)> {
        let resolve = || workload_ref::resolve(&self.facts.authority()?, self.namespace);
        pair(self.callee.get_or_init(resolve))
    }

    /// The namespace and service account that the request comes from.
    pub(crate) fn caller(&self) -> Option<(&str, &str)> {
        let identify = || workload_ref::identify(&self.facts.spiffe_id()?);
        pair(self.caller.get_or_init(identify))
    }
}

fn pair(known: &Option<(String, String)>) -> Option<(&str, &str)> {
    known.as_ref().map(|(first, second)| (first.as_str(), second.as_str()))
}
