//! Which workload this proxy stands for, by the metadata that Istio gives its node.

use policies::{Scope, wire::ScopeError};

use crate::config::Config;

/// The label that Istio calls a workload's canonical name.
const CANONICAL_NAME: &str = "service.istio.io/canonical-name";

/// The proxy, as the control plane and the policies know it.
#[derive(Debug)]
pub struct Identity {
    /// The workload that policies must select, or all those that they may.
    pub workload: Scope,
    pub stands_for: StandsFor,
    /// The Envoy node id, kept to the characters that a header of ours may carry.
    pub node: String,
    /// What is amiss, for the log.
    pub warning: Option<String>,
}

/// Whom a proxy takes requests for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StandsFor {
    /// A workload, which receives requests and makes them: a sidecar.
    Workload,
    /// A workload that receives every request, whichever way the listener takes it: a gateway.
    Edge,
    /// Services, each request for one of them, and received: a waypoint.
    Services,
}

impl Identity {
    /// Finds out who this is. `property` reads an attribute of the host by its path.
    pub fn discover(config: &Config, property: impl Fn(&[&str]) -> Option<Vec<u8>>) -> Self {
        // Envoy 1.40 has the node below `xds`; those of Istio up to about 1.27 at the top.
        let node = |path: &[&str]| {
            let text = |root: &[&str]| {
                let value = property(&[root, &["node"], path].concat())?;
                String::from_utf8(value).ok().filter(|text| !text.is_empty())
            };
            text(&["xds"]).or_else(|| text(&[]))
        };
        let id = node(&["id"]).unwrap_or_default();
        // Istio's node ids begin with the type of proxy.
        let stands_for = match id.split('~').next() {
            Some("router") => StandsFor::Edge,
            Some("waypoint") if config.service.is_some() => StandsFor::Edge,
            Some("waypoint") => StandsFor::Services,
            _ => StandsFor::Workload,
        };
        // `*` would make one workload every workload.
        let is_name = |name: &String| name != "*";
        let own = || config.namespace.clone().or_else(|| node(&["metadata", "NAMESPACE"])).filter(is_name);
        let namespaces = match stands_for {
            StandsFor::Edge | StandsFor::Services if !config.namespaces.is_empty() => {
                config.namespaces.clone()
            }
            _ => own().into_iter().collect(),
        };
        let names = || [node(&["metadata", "WORKLOAD_NAME"]), node(&["metadata", "LABELS", CANONICAL_NAME])];
        let services = match (&config.service, stands_for) {
            (Some(service), _) => vec![service.clone()],
            (None, StandsFor::Services) => vec!["*".to_owned()],
            (None, _) => names().into_iter().flatten().collect(),
        };
        let services = services.into_iter().filter(|name| stands_for == StandsFor::Services || is_name(name));
        let (workload, warning) = match scope(&namespaces, &services.collect::<Vec<_>>()) {
            Ok(workload) if workload.is_named() => (workload, None),
            Ok(workload) => {
                (workload, Some("the node metadata has no WORKLOAD_NAME or no NAMESPACE".to_owned()))
            }
            Err(error) => (Scope::unknown(), Some(error.to_string())),
        };
        let fits = |c: &char| c.is_ascii_alphanumeric() || ".~_-".contains(*c);
        let node = id.chars().filter(fits).take(253).collect();
        Self { workload, stands_for, node, warning }
    }
}

fn scope(namespaces: &[String], services: &[String]) -> Result<Scope, ScopeError> {
    Scope::new(namespaces.iter().map(String::as_str), services.iter().map(String::as_str))
}

#[cfg(test)]
mod tests {
    use super::{CANONICAL_NAME, Identity, StandsFor};
    use crate::config::Config;

    fn config(more: &str) -> Config {
        Config::parse(format!(r#"{{"control_plane_address": "a:1"{more}}}"#).as_bytes()).unwrap()
    }

    fn discover(config: &Config, properties: &[(&[&str], &str)]) -> Identity {
        Identity::discover(config, |path| {
            let (_, value) = properties.iter().find(|(known, _)| *known == path)?;
            Some(value.as_bytes().to_vec())
        })
    }

    #[test]
    fn a_sidecar_is_its_workload_and_its_canonical_name() {
        let identity = discover(
            &config(""),
            &[
                (&["xds", "node", "metadata", "WORKLOAD_NAME"], "checkout-v2"),
                (&["xds", "node", "metadata", "LABELS", CANONICAL_NAME], "checkout"),
                (&["xds", "node", "metadata", "NAMESPACE"], "demo"),
                (&["xds", "node", "id"], "sidecar~10.0.0.1~checkout-1.demo~demo.svc.cluster.local"),
            ],
        );
        assert_eq!(identity.workload.to_string(), "namespace=demo&service=checkout&service=checkout-v2");
        assert_eq!(identity.node, "sidecar~10.0.0.1~checkout-1.demo~demo.svc.cluster.local");
        assert_eq!(identity.warning, None);
    }

    #[test]
    fn an_older_envoy_has_its_node_at_the_top() {
        let identity = discover(
            &config(""),
            &[
                (&["node", "metadata", "WORKLOAD_NAME"], "checkout"),
                (&["node", "metadata", "NAMESPACE"], "demo"),
            ],
        );
        assert_eq!(identity.workload.to_string(), "namespace=demo&service=checkout");
    }

    #[test]
    fn the_configuration_goes_before_the_node() {
        let identity = discover(
            &config(r#", "service": "cart", "namespace": "shop""#),
            &[
                (&["xds", "node", "metadata", "WORKLOAD_NAME"], "checkout"),
                (&["xds", "node", "metadata", "NAMESPACE"], "demo"),
            ],
        );
        assert_eq!(identity.workload.to_string(), "namespace=shop&service=cart");
    }

    #[test]
    fn what_is_not_known_is_not_guessed() {
        let nobody = discover(&config(""), &[(&["xds", "node", "id"], "sidecar~1~checkout.demo~demo\n\"")]);
        assert_eq!(nobody.workload.to_string(), "");
        assert_eq!(nobody.node, "sidecar~1~checkout.demo~demo");
        assert!(nobody.warning.is_some());
        let star = discover(&config(""), &[(&["xds", "node", "metadata", "WORKLOAD_NAME"], "*")]);
        assert_eq!(star.workload.to_string(), "");
        let odd = discover(&config(""), &[(&["xds", "node", "metadata", "WORKLOAD_NAME"], "a b")]);
        assert!(odd.warning.unwrap().contains("a b"));
    }

    /// A proxy of that type, whose own workload is `edge` in `infra`.
    fn proxy(kind: &str, more: &str) -> Identity {
        discover(
            &config(more),
            &[
                (&["xds", "node", "metadata", "WORKLOAD_NAME"], "edge"),
                (&["xds", "node", "metadata", "NAMESPACE"], "infra"),
                (&["xds", "node", "id"], &format!("{kind}~10.0.0.1~edge-1.infra~infra.svc.cluster.local")),
            ],
        )
    }

    #[test]
    fn a_waypoint_stands_for_the_services_of_its_namespace_or_of_those_configured() {
        for (more, workload) in [
            ("", "namespace=infra&service=*"),
            (r#", "namespaces": ["shop", "demo"]"#, "namespace=demo&namespace=shop&service=*"),
            (r#", "namespaces": ["*"]"#, "namespace=*&service=*"),
            (r#", "namespace": "shop""#, "namespace=shop&service=*"),
        ] {
            let waypoint = proxy("waypoint", more);
            assert_eq!(waypoint.workload.to_string(), workload);
            assert_eq!((waypoint.stands_for, waypoint.warning), (StandsFor::Services, None));
        }
        let one = proxy("waypoint", r#", "service": "cart""#);
        assert_eq!(
            (one.workload.to_string().as_str(), one.stands_for),
            ("namespace=infra&service=cart", StandsFor::Edge)
        );
    }

    #[test]
    fn a_gateway_is_its_workload_in_its_namespace_or_in_those_configured() {
        let gateway = proxy("router", "");
        assert_eq!(gateway.workload.to_string(), "namespace=infra&service=edge");
        assert_eq!(gateway.stands_for, StandsFor::Edge);
        let configured = proxy("router", r#", "namespaces": ["shop", "demo"]"#);
        assert_eq!(configured.workload.to_string(), "namespace=demo&namespace=shop&service=edge");
        let sidecar = proxy("sidecar", r#", "namespaces": ["shop", "demo"]"#);
        assert_eq!(sidecar.workload.to_string(), "namespace=infra&service=edge");
        assert_eq!(sidecar.stands_for, StandsFor::Workload);
    }
}
