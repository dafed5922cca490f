//! The workloads whose proxies poll, and the policies that none of them runs.

use std::collections::{BTreeSet, HashSet};

use policies::{
    Scope,
    language::{Glob, Selector, Target},
    reading::closest,
};

use crate::api::policy_status::NoProxy;

/// The most names that are suggested for a policy.
const MOST_NEAREST: usize = 3;
/// The most policies that get suggestions, and the most names that each is compared with: that takes time.
const MOST_SUGGESTED: usize = 10;
const MOST_COMPARED: usize = 500;
/// The most comparisons of patterns with workloads; beyond, it is not told which policies no proxy runs.
const MAX_COMPARISONS: usize = 1_000_000;

/// The scopes that proxies ask for.
#[derive(Debug, Default)]
pub struct Workloads {
    scopes: Vec<Scope>,
    /// Namespace and service of the scopes that name both.
    names: BTreeSet<(String, String)>,
    /// The scopes of more than named workloads, such as those of waypoints.
    wide: Vec<Scope>,
}

impl FromIterator<Scope> for Workloads {
    fn from_iter<I: IntoIterator<Item = Scope>>(scopes: I) -> Self {
        let distinct: HashSet<_> = scopes.into_iter().collect();
        let mut workloads = Self::default();
        for scope in distinct {
            let of = |key: &'static str| {
                scope.names().filter(move |(known, _)| *known == key).map(|(_, name)| name)
            };
            let names =
                of("namespace").flat_map(|namespace| of("service").map(move |name| (namespace, name)));
            let names: Vec<_> = names.collect();
            if names.is_empty() || names.iter().any(|(namespace, name)| *namespace == "*" || *name == "*") {
                workloads.wide.push(scope.clone());
            } else {
                let owned =
                    names.iter().map(|(namespace, name)| ((*namespace).to_owned(), (*name).to_owned()));
                workloads.names.extend(owned);
            }
            workloads.scopes.push(scope);
        }
        workloads
    }
}

impl Workloads {
    /// For each selector, tells whether no proxy polls for it. `None` as long as nobody polls at all, or if there is
    /// too much to compare.
    pub fn without_proxy<'a>(
        &self,
        selectors: impl Iterator<Item = &'a Selector> + Clone,
    ) -> Option<Vec<Option<NoProxy>>> {
        let patterns = selectors.clone().filter(|selector| exact(selector).is_none()).count();
        let exact = selectors.clone().count() - patterns;
        let comparisons = patterns.saturating_mul(self.scopes.len()) + exact.saturating_mul(self.wide.len());
        if self.scopes.is_empty() || comparisons > MAX_COMPARISONS {
            return None;
        }
        let mut suggested = 0;
        let judge = |selector: &Selector| {
            (!self.run(selector)).then(|| {
                suggested += 1;
                let nearest = if suggested <= MOST_SUGGESTED { self.nearest(selector) } else { Vec::new() };
                NoProxy { nearest }
            })
        };
        Some(selectors.map(judge).collect())
    }

    fn run(&self, selector: &Selector) -> bool {
        let among = |scopes: &[Scope]| scopes.iter().any(|scope| scope.is_selected_by(selector));
        match exact(selector) {
            Some(name) => self.names.contains(&name) || among(&self.wide),
            None => among(&self.scopes),
        }
    }

    /// The names that most resemble a selector, as `service.namespace`.
    fn nearest(&self, selector: &Selector) -> Vec<String> {
        let Some(service) = service(selector).and_then(Glob::exact) else { return Vec::new() };
        let wanted = format!("{service}.{}", selector.namespace.as_str());
        let in_namespace = |(namespace, _): &&(String, String)| selector.namespace.matches(namespace);
        let of_name = |(_, known): &&(String, String)| known == service;
        let shown = |(namespace, service): &(String, String)| format!("{service}.{namespace}");
        let is_known = self.names.iter().any(|name| in_namespace(&name));
        let (near, far): (Vec<_>, Vec<_>) =
            self.names.iter().partition(|name| in_namespace(name) || !is_known && of_name(name));
        let names: Vec<_> = near.iter().chain(&far).take(MOST_COMPARED).map(|name| shown(name)).collect();
        let mut known: Vec<_> = names.iter().map(String::as_str).collect();
        let mut nearest = Vec::new();
        while nearest.len() < MOST_NEAREST
            && let Some(best) = closest(&wanted, &known)
        {
            known.retain(|name| *name != best);
            nearest.push(best.to_owned());
        }
        if nearest.is_empty() {
            nearest.extend(self.names.iter().filter(in_namespace).map(shown).take(MOST_NEAREST));
        }
        nearest
    }
}

/// Namespace and service, if the selector names one of each.
fn exact(selector: &Selector) -> Option<(String, String)> {
    Some((selector.namespace.exact()?.to_owned(), service(selector)?.exact()?.to_owned()))
}

/// The pattern for services, unless the selector is for hosts outside the mesh.
fn service(selector: &Selector) -> Option<&Glob> {
    match &selector.target {
        Target::Service(service) => Some(service),
        Target::Host(_) => None,
    }
}

#[cfg(test)]
mod tests {
    use policies::{
        Scope,
        language::{Glob, Selector, Target},
    };

    use super::Workloads;

    fn selector(service: &str, namespace: &str) -> Selector {
        let glob = |text: &str| Glob::try_from(text.to_owned()).unwrap();
        Selector { target: Target::Service(glob(service)), namespace: glob(namespace) }
    }

    fn workloads() -> Workloads {
        let scopes =
            [(&["demo"][..], &["checkout", "checkout-v2"][..]), (&["demo"], &["cart"]), (&["edge"], &["*"])];
        scopes.into_iter().map(|(n, s)| Scope::new(n.to_vec(), s.to_vec()).unwrap()).collect()
    }

    fn nearest(service: &str, namespace: &str) -> Option<Vec<String>> {
        let selector = selector(service, namespace);
        let mut told = workloads().without_proxy([&selector].into_iter()).unwrap();
        told.remove(0).map(|told| told.nearest)
    }

    #[test]
    fn a_policy_that_a_proxy_polls_for_is_not_accused() {
        for (service, namespace) in [
            ("checkout", "demo"),
            ("checkout-v2", "demo"),
            ("*", "demo"),
            ("che*", "d*"),
            ("any", "edge"),
            ("*", "*"),
        ] {
            assert_eq!(nearest(service, namespace), None, "{service} {namespace}");
        }
    }

    #[test]
    fn a_policy_that_nobody_polls_for_is_told_with_the_nearest_names() {
        for (service, namespace, names) in [
            ("chekout", "demo", &["checkout.demo", "checkout-v2.demo"][..]),
            ("cart", "demoo", &["cart.demo"]),
            ("something", "demo", &["cart.demo", "checkout.demo", "checkout-v2.demo"]),
            ("something", "nowhere", &[]),
            ("x*", "demo", &[]),
        ] {
            assert_eq!(nearest(service, namespace).unwrap(), names, "{service} {namespace}");
        }
    }

    #[test]
    fn nothing_is_told_while_nobody_polls() {
        let (nobody, wanted) = (Workloads::default(), selector("a", "demo"));
        assert_eq!(nobody.without_proxy([&wanted].into_iter()), None);
    }
}
