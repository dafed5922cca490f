//! Identity of the proxy, from the metadata that Istio gives its node.

use policies::{
    Scope,
    wire::{PluginName, ScopeError, poll::NodeId},
};

use crate::config::Config;

/// Label with a workload's canonical name.
const CANONICAL_NAME: &str = "service.istio.io/canonical-name";

/// Proxy as the control plane and the policies know it.
#[derive(Debug)]
pub struct Identity {
    /// Workload, or workloads, whose policies this proxy runs.
    pub scope: Scope,
    pub kind: ProxyKind,
    /// Envoy node id, as far as the header of a poll allows its characters.
    pub node: Option<NodeId>,
    /// `WasmPlugin` of this root; `None` if Envoy's name for it is not Istio's.
    pub plugin: Option<PluginName>,
    /// Reason why the scope is incomplete, for the log.
    pub warning: Option<String>,
}

/// Kind of proxy.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ProxyKind {
    /// Proxy of one workload, for the requests that it receives and makes.
    Sidecar,
    /// Proxy that is a workload itself. Every request is inbound, and outbound to what the route has chosen.
    Gateway,
    /// Proxy of many services. Every request is inbound, and for one of them.
    Waypoint,
    /// Waypoint that is configured for one service. Every request is inbound to it.
    WaypointOfOne,
}

impl Identity {
    /// Reads the identity from the node; `property` reads an attribute of the host by its path.
    pub fn discover(config: &Config, property: impl Fn(&[&str]) -> Option<Vec<u8>>) -> Self {
        // Envoy 1.40 has the node under `xds`; that of Istio up to about 1.27 at the top.
        let node = |path: &[&str]| {
            let text = |root: &[&str]| {
                let value = property(&[root, &["node"], path].concat())?;
                String::from_utf8(value).ok().filter(|text| !text.is_empty())
            };
            text(&["xds"]).or_else(|| text(&[]))
        };
        let id = node(&["id"]).unwrap_or_default();
        // Istio's node ids begin with the type of proxy.
        let kind = match id.split('~').next() {
            Some("router") => ProxyKind::Gateway,
            Some("waypoint") if config.service.is_some() => ProxyKind::WaypointOfOne,
            Some("waypoint") => ProxyKind::Waypoint,
            _ => ProxyKind::Sidecar,
        };
        // `*` would select every workload.
        let is_name = |name: &String| name != "*";
        let own = || config.namespace.clone().or_else(|| node(&["metadata", "NAMESPACE"])).filter(is_name);
        let namespaces = match kind {
            ProxyKind::Gateway | ProxyKind::Waypoint | ProxyKind::WaypointOfOne
                if !config.namespaces.is_empty() =>
            {
                config.namespaces.clone()
            }
            _ => own().into_iter().collect(),
        };
        let names = || [node(&["metadata", "WORKLOAD_NAME"]), node(&["metadata", "LABELS", CANONICAL_NAME])];
        let services = match (&config.service, kind) {
            (Some(service), _) => vec![service.clone()],
            (None, ProxyKind::Waypoint) => vec!["*".to_owned()],
            (None, _) => names().into_iter().flatten().collect(),
        };
        let services = services.into_iter().filter(|name| kind == ProxyKind::Waypoint || is_name(name));
        let (scope, warning) = match new_scope(&namespaces, &services.collect::<Vec<_>>()) {
            Ok(scope) if scope.is_named() => (scope, None),
            Ok(scope) => (scope, Some("the node metadata has no WORKLOAD_NAME or no NAMESPACE".to_owned())),
            Err(error) => (Scope::unknown(), Some(error.to_string())),
        };
        let plugin = property(&["plugin_name"]).and_then(|name| String::from_utf8(name).ok());
        let plugin = plugin.and_then(|name| PluginName::from_envoy(&name));
        Self { scope, kind, node: NodeId::from_envoy(&id), plugin, warning }
    }
}

fn new_scope(namespaces: &[String], services: &[String]) -> Result<Scope, ScopeError> {
    Scope::new(namespaces.iter().map(String::as_str), services.iter().map(String::as_str))
}

#[cfg(test)]
mod tests {
    use super::{CANONICAL_NAME, Identity, ProxyKind};
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
                (&["plugin_name"], "demo.hfi-inbound~istio-translated-wasmplugin"),
            ],
        );
        assert_eq!(identity.plugin.unwrap().as_str(), "demo/hfi-inbound");
        assert_eq!(identity.scope.to_string(), "namespace=demo&service=checkout&service=checkout-v2");
        assert_eq!(
            identity.node.unwrap().as_str(),
            "sidecar~10.0.0.1~checkout-1.demo~demo.svc.cluster.local"
        );
        assert_eq!(identity.warning, None);
    }

    #[test]
    fn an_older_envoy_has_the_node_at_the_top() {
        let identity = discover(
            &config(""),
            &[
                (&["node", "metadata", "WORKLOAD_NAME"], "checkout"),
                (&["node", "metadata", "NAMESPACE"], "demo"),
            ],
        );
        assert_eq!(identity.scope.to_string(), "namespace=demo&service=checkout");
    }

    #[test]
    fn the_configuration_overrides_the_node() {
        let identity = discover(
            &config(r#", "service": "cart", "namespace": "shop""#),
            &[
                (&["xds", "node", "metadata", "WORKLOAD_NAME"], "checkout"),
                (&["xds", "node", "metadata", "NAMESPACE"], "demo"),
            ],
        );
        assert_eq!(identity.scope.to_string(), "namespace=shop&service=cart");
    }

    #[test]
    fn what_is_not_known_is_not_guessed() {
        let nobody = discover(&config(""), &[(&["xds", "node", "id"], "sidecar~1~checkout.demo~demo\n\"")]);
        assert_eq!(nobody.scope.to_string(), "");
        assert_eq!(nobody.node.unwrap().as_str(), "sidecar~1~checkout.demo~demo");
        assert!(nobody.warning.is_some() && nobody.plugin.is_none());
        let star = discover(&config(""), &[(&["xds", "node", "metadata", "WORKLOAD_NAME"], "*")]);
        assert_eq!(star.scope.to_string(), "");
        let odd = discover(&config(""), &[(&["xds", "node", "metadata", "WORKLOAD_NAME"], "a b")]);
        assert!(odd.warning.unwrap().contains("a b"));
    }

    /// Proxy of that type, whose own workload is `edge` in `infra`.
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
    fn a_waypoint_has_the_services_of_its_namespace_or_of_those_configured() {
        for (more, workload) in [
            ("", "namespace=infra&service=*"),
            (r#", "namespaces": ["shop", "demo"]"#, "namespace=demo&namespace=shop&service=*"),
            (r#", "namespaces": ["*"]"#, "namespace=*&service=*"),
            (r#", "namespace": "shop""#, "namespace=shop&service=*"),
        ] {
            let waypoint = proxy("waypoint", more);
            assert_eq!(waypoint.scope.to_string(), workload);
            assert_eq!((waypoint.kind, waypoint.warning), (ProxyKind::Waypoint, None));
        }
        let one = proxy("waypoint", r#", "service": "cart""#);
        assert_eq!(
            (one.scope.to_string().as_str(), one.kind),
            ("namespace=infra&service=cart", ProxyKind::WaypointOfOne)
        );
    }

    #[test]
    fn a_gateway_is_its_workload_in_its_namespace_or_in_those_configured() {
        let gateway = proxy("router", "");
        assert_eq!(gateway.scope.to_string(), "namespace=infra&service=edge");
        assert_eq!(gateway.kind, ProxyKind::Gateway);
        let configured = proxy("router", r#", "namespaces": ["shop", "demo"]"#);
        assert_eq!(configured.scope.to_string(), "namespace=demo&namespace=shop&service=edge");
        let sidecar = proxy("sidecar", r#", "namespaces": ["shop", "demo"]"#);
        assert_eq!(sidecar.scope.to_string(), "namespace=infra&service=edge");
        assert_eq!(sidecar.kind, ProxyKind::Sidecar);
    }
}
