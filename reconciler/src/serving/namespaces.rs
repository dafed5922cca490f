//! The namespaces of the cluster, and the policies that are for none of them.
//!
//! The existence of a namespace changes nothing that is served: the same commit has the same bytes on every
//! replica, whatever each has heard from its cluster. A policy for a namespace that is gone selects no
//! workload anyway; that it does so is told in the status, the metrics and the events.

use std::collections::BTreeSet;

use policies::{Policy, language::Glob, reading::closest};

/// The names of all namespaces.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Namespaces(BTreeSet<String>);

impl Namespaces {
    /// The number of namespaces.
    pub fn count(&self) -> usize {
        self.0.len()
    }

    /// True if a policy is for one of them.
    pub fn have(&self, policy: &Policy) -> bool {
        self.fit(&policy.selector.namespace)
    }

    /// The warning for a policy that is for none of them.
    pub fn lack(&self, policy: &Policy) -> String {
        let wanted = &policy.selector.namespace;
        let hint = self.nearest(wanted).map(|name| format!("; did you mean `{name}`?")).unwrap_or_default();
        let what = if wanted.exact().is_some() { "is not a namespace" } else { "fits no namespace" };
        format!("`{}` {what} of the cluster{hint}", wanted.as_str())
    }

    /// Removes a namespace.
    pub fn remove(&mut self, name: &str) {
        self.0.remove(name);
    }

    fn fit(&self, wanted: &Glob) -> bool {
        match wanted.exact() {
            Some(name) => self.0.contains(name),
            None => wanted.is_any() || self.0.iter().any(|name| wanted.matches(name)),
        }
    }

    /// The namespace that a mistyped name most likely means.
    fn nearest(&self, wanted: &Glob) -> Option<&str> {
        let wanted = wanted.exact()?;
        let names: Vec<_> = self.0.iter().map(String::as_str).collect();
        closest(wanted, &names)
    }
}

impl FromIterator<String> for Namespaces {
    fn from_iter<I: IntoIterator<Item = String>>(names: I) -> Self {
        Self(names.into_iter().collect())
    }
}

impl Extend<String> for Namespaces {
    fn extend<I: IntoIterator<Item = String>>(&mut self, names: I) {
        self.0.extend(names);
    }
}

#[cfg(test)]
mod tests {
    use policies::language::Glob;

    use super::Namespaces;

    fn known() -> Namespaces {
        ["demo", "payments-eu", "kube-system"].map(str::to_owned).into_iter().collect()
    }

    fn glob(text: &str) -> Glob {
        Glob::try_from(text.to_owned()).unwrap()
    }

    #[test]
    fn a_name_fits_itself_and_a_pattern_whatever_it_matches() {
        for (wanted, fits) in [
            ("demo", true),
            ("dem", false),
            ("payments-*", true),
            ("payments-us*", false),
            ("*", true),
            ("*-system", true),
        ] {
            assert_eq!(known().fit(&glob(wanted)), fits, "{wanted}");
        }
        assert!(Namespaces::default().fit(&glob("*")), "everything is never gone");
    }

    #[test]
    fn a_mistyped_name_is_near_to_what_is_meant() {
        for (wanted, meant) in
            [("dmeo", Some("demo")), ("payment-eu", Some("payments-eu")), ("orders", None), ("dem*x", None)]
        {
            assert_eq!(known().nearest(&glob(wanted)), meant, "{wanted}");
        }
    }
}
