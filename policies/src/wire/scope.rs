//! The scope of a snapshot: the workloads that it is for.

use std::fmt;

use super::short_set;
use crate::language::{Glob, Selector, Target};

/// A workload, or a set of workloads, as far as it is known.
///
/// Nothing is guessed: of what is unknown, only a selector that selects everything can be meant.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Scope {
    namespace: Names,
    workloads: Workloads,
}

/// The workloads of a scope.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
enum Workloads {
    Services(Names),
    /// No service: a host outside the mesh.
    Host(String),
}

/// The names that are known. A workload can have several: its own and its canonical one.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
enum Names {
    Unknown,
    /// In order, each once.
    OneOf(Vec<String>),
    All,
}

/// The error of a text that names no workload or namespace.
#[derive(Debug, thiserror::Error)]
#[error("`{parameter}` must be `*` or a name of 1 to 253 letters, digits, `-`, `_` and `.`, not `{value}`")]
pub struct ScopeError {
    parameter: &'static str,
    value: String,
}

impl Scope {
    /// The scope that these names describe; `*` is every namespace or service.
    pub fn new<'a>(
        namespaces: impl IntoIterator<Item = &'a str>,
        services: impl IntoIterator<Item = &'a str>,
    ) -> Result<Self, ScopeError> {
        Ok(Self {
            namespace: Names::new("namespace", namespaces)?,
            workloads: Workloads::Services(Names::new("service", services)?),
        })
    }

    /// A workload of which nothing is known.
    pub const fn unknown() -> Self {
        Self { namespace: Names::Unknown, workloads: Workloads::Services(Names::Unknown) }
    }

    /// Requests for a host outside the mesh, by its name in lower case, at a waypoint of this scope.
    pub fn of_host(self, host: String) -> Self {
        Self { workloads: Workloads::Host(host), ..self }
    }

    /// True if both its namespace and its service are known.
    pub fn is_named(&self) -> bool {
        self.namespace != Names::Unknown && self.workloads != Workloads::Services(Names::Unknown)
    }

    /// The one namespace that is named, if it is one.
    pub fn namespace(&self) -> Option<&str> {
        match &self.namespace {
            Names::OneOf(names) if names.len() == 1 => names.first().map(String::as_str),
            _ => None,
        }
    }

    /// True if a workload of that namespace can be meant.
    pub fn has_namespace(&self, namespace: &str) -> bool {
        match &self.namespace {
            Names::Unknown => false,
            Names::OneOf(names) => names.iter().any(|name| name == namespace),
            Names::All => true,
        }
    }

    /// The names of its services; `None` if it is of every service.
    #[cfg(feature = "authoring")]
    pub(crate) fn services(&self) -> Option<impl Iterator<Item = &str>> {
        (self.workloads != Workloads::Services(Names::All)).then(|| self.workloads.names())
    }

    /// True if a policy with this selector can apply here.
    pub fn is_selected_by(&self, selector: &Selector) -> bool {
        let Selector { target, namespace } = selector;
        let selects = match (target, &self.workloads) {
            (Target::Service(service), Workloads::Services(names)) => names.fits(service),
            // Its namespace is not known: that of its waypoint may be another.
            (Target::Service(_), Workloads::Host(_)) => *selector == Selector::any(),
            // Every service: a waypoint, which may serve any host.
            (Target::Host(_), Workloads::Services(names)) => *names == Names::All,
            (Target::Host(host), Workloads::Host(name)) => host.matches(name),
        };
        selects && self.namespace.fits(namespace)
    }

    /// The names of the namespaces and of the services, as a query string gives them.
    pub fn names(&self) -> impl Iterator<Item = (&'static str, &str)> {
        let namespaces = self.namespace.names().map(|name| ("namespace", name));
        namespaces.chain(self.workloads.names().map(|name| ("service", name)))
    }
}

impl Workloads {
    fn names(&self) -> impl Iterator<Item = &str> {
        let (services, host) = match self {
            Self::Services(names) => (Some(names.names()), None),
            Self::Host(name) => (None, Some(name.as_str())),
        };
        services.into_iter().flatten().chain(host)
    }
}

impl Names {
    fn new<'a>(
        parameter: &'static str,
        names: impl IntoIterator<Item = &'a str>,
    ) -> Result<Self, ScopeError> {
        let mut known = Vec::new();
        let mut everything = false;
        for name in names {
            let fits = |b: u8| b.is_ascii_alphanumeric() || b"-_.".contains(&b);
            if name == "*" {
                everything = true;
            } else if (1..=253).contains(&name.len()) && name.bytes().all(fits) {
                short_set::insert(&mut known, name.to_owned());
            } else {
                return Err(ScopeError { parameter, value: name.chars().take(64).collect() });
            }
        }
        Ok(match (everything, known.is_empty()) {
            (true, _) => Self::All,
            (false, true) => Self::Unknown,
            (false, false) => Self::OneOf(known),
        })
    }

    fn fits(&self, glob: &Glob) -> bool {
        match self {
            Self::Unknown => glob.is_any(),
            Self::OneOf(names) => names.iter().any(|name| glob.matches(name)),
            Self::All => true,
        }
    }

    fn names(&self) -> impl Iterator<Item = &str> {
        let (everything, names) = match self {
            Self::Unknown => (None, None),
            Self::OneOf(names) => (None, Some(names)),
            Self::All => (Some("*"), None),
        };
        everything.into_iter().chain(names.into_iter().flatten().map(String::as_str))
    }
}

impl fmt::Display for Scope {
    /// A query string, in one canonical order; nothing in it needs escaping.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (i, (key, name)) in self.names().enumerate() {
            let separator = if i == 0 { "" } else { "&" };
            write!(f, "{separator}{key}={name}")?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::Scope;
    use crate::language::{Glob, Host, Selector, Target};

    fn selector(service: &str, namespace: &str) -> Selector {
        let glob = |text: &str| Glob::try_from(text.to_owned()).unwrap();
        Selector { target: Target::Service(glob(service)), namespace: glob(namespace) }
    }

    fn scope(namespaces: &[&str], services: &[&str]) -> Scope {
        Scope::new(namespaces.iter().copied(), services.iter().copied()).unwrap()
    }

    #[test]
    fn a_workload_is_selected_by_either_of_its_names() {
        let workload = scope(&["demo"], &["checkout-v2", "checkout"]);
        assert!(workload.is_selected_by(&selector("checkout", "demo")));
        assert!(workload.is_selected_by(&selector("checkout-v2", "*")));
        assert!(!workload.is_selected_by(&selector("cart", "demo")));
        assert!(!workload.is_selected_by(&selector("checkout", "shop")));
    }

    #[test]
    fn what_is_unknown_is_selected_only_by_what_selects_everything() {
        assert!(Scope::unknown().is_selected_by(&selector("*", "*")));
        assert!(!Scope::unknown().is_selected_by(&selector("*", "demo")));
        assert!(!scope(&["demo"], &[]).is_selected_by(&selector("c*", "demo")));
        assert!(scope(&["demo"], &[]).is_selected_by(&selector("*", "demo")));
    }

    #[test]
    fn a_star_stands_for_every_workload() {
        assert!(scope(&["demo"], &["*"]).is_selected_by(&selector("cart", "demo")));
        assert!(!scope(&["demo"], &["*"]).is_selected_by(&selector("cart", "shop")));
        assert!(scope(&["*"], &["*"]).is_selected_by(&selector("cart", "shop")));
    }

    #[test]
    fn a_host_is_selected_by_its_name_at_a_waypoint_of_the_namespace() {
        let of_host = |host: &str, namespace: &str| {
            let host = Target::Host(Host::try_from(host.to_owned()).unwrap());
            Selector { target: host, ..selector("*", namespace) }
        };
        let waypoint = scope(&["demo"], &["*"]);
        let partner = waypoint.clone().of_host("api.partner.example".to_owned());
        for host in ["api.partner.example", "*.partner.example"] {
            assert!(
                partner.is_selected_by(&of_host(host, "*")) && partner.is_selected_by(&of_host(host, "d*"))
            );
            assert!(waypoint.is_selected_by(&of_host(host, "demo")), "it is served to the waypoint");
        }
        assert!(!partner.is_selected_by(&of_host("partner.example", "*")));
        assert!(!partner.is_selected_by(&of_host("*.partner.example", "shop")));
        assert!(
            partner.is_selected_by(&selector("*", "*")) && !partner.is_selected_by(&selector("*", "demo"))
        );
        assert!(!partner.is_selected_by(&selector("api.partner.example", "demo")));
        assert!(!scope(&["demo"], &["checkout"]).is_selected_by(&of_host("*", "demo")));
        assert!(!Scope::unknown().is_selected_by(&of_host("*", "*")));
    }

    #[test]
    fn a_namespace_is_had_by_name_or_by_a_star() {
        assert!(
            scope(&["demo", "shop"], &[]).has_namespace("shop") && scope(&["*"], &[]).has_namespace("shop")
        );
        assert!(!scope(&["demo"], &[]).has_namespace("shop") && !Scope::unknown().has_namespace("shop"));
    }

    #[test]
    fn equal_scopes_show_alike_whatever_the_order() {
        assert_eq!(scope(&["demo"], &["b", "a", "b"]).to_string(), "namespace=demo&service=a&service=b");
        assert_eq!(scope(&["demo"], &["b", "a"]), scope(&["demo"], &["a", "b"]));
    }

    #[test]
    fn what_is_no_name_is_refused() {
        for bad in ["", "a b", "a&b", "ä", &"x".repeat(254)] {
            assert!(Scope::new([bad], []).is_err(), "{bad}");
        }
    }
}
