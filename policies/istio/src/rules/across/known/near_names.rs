//! Names of callers' namespaces that are nearly those of the repository.

use std::{
    cell::OnceCell,
    collections::{BTreeMap, BTreeSet},
};

use policies::reading::closest;

use super::Known;
use crate::{field::Field, resource::Kind, rules::subject::Subject};

/// The most comparisons of names for the policies of a namespace. Where there would be more, nothing is said of them.
const MOST_COMPARISONS: usize = 100_000;

/// By the namespace of policies, the names that they have and no namespace has, each with a name that is nearly the same.
pub(super) type NearNames = OnceCell<BTreeMap<String, BTreeMap<String, String>>>;

/// The namespaces of the callers that an AuthorizationPolicy names; none of another kind.
pub(in crate::rules::across) fn callers<'a>(
    subject: &Subject<'a>,
) -> impl Iterator<Item = (&'a str, Field<'a>)> + use<'a> {
    let rules = (subject.kind() == Kind::AuthorizationPolicy).then(|| subject.each("rules"));
    let from = rules.into_iter().flatten().flat_map(|rule| rule.get("from").items());
    from.flat_map(|from| from.get("source").get("namespaces").texts())
}

impl Known<'_> {
    /// The namespace of the repository that is nearly the one that a policy names, and that is not there.
    pub(in crate::rules::across) fn near_namespace(&self, policy: &Subject, name: &str) -> Option<&str> {
        let near = self.near_names.get_or_init(|| self.find_near_names());
        Some(near.get(&policy.resource.namespace)?.get(name)?.as_str())
    }

    fn find_near_names(&self) -> BTreeMap<String, BTreeMap<String, String>> {
        let here: Vec<_> = self.namespaces.keys().copied().collect();
        // Policies of many namespaces may have one name.
        let mut known = BTreeMap::new();
        let mut of_namespace = |namespace| {
            let named = self.in_namespace(Kind::AuthorizationPolicy, namespace).flat_map(callers);
            let is_missing = |name: &&str| !name.contains('*') && !self.is_namespace(name);
            let missing: BTreeSet<_> = named.map(|(name, _)| name).filter(is_missing).collect();
            let compared = missing.iter().filter(|_| missing.len() * here.len() <= MOST_COMPARISONS);
            let near = compared.filter_map(|name| {
                let near = known.entry(*name).or_insert_with(|| closest(name, &here));
                near.map(|near| ((*name).to_owned(), near.to_owned()))
            });
            (namespace.to_owned(), near.collect())
        };
        self.namespaces_with(Kind::AuthorizationPolicy).map(&mut of_namespace).collect()
    }
}
