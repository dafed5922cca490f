//! Which workload this proxy stands for, by the metadata that Istio gives its node.

use policies::Scope;

use crate::config::Config;

/// The label that Istio calls a workload's canonical name.
const CANONICAL_NAME: &str = "service.istio.io/canonical-name";

/// The proxy, as the control plane and the policies know it.
#[derive(Debug)]
pub struct Identity {
    /// The workload that policies must select.
    pub workload: Scope,
    /// The Envoy node id, kept to the characters that a header of ours may carry.
    pub node: String,
    /// Whether it stands at the edge of the mesh, where every request is received.
    pub is_gateway: bool,
    /// What is amiss, for the log.
    pub warning: Option<String>,
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
        let namespace = config.namespace.clone().or_else(|| node(&["metadata", "NAMESPACE"]));
        let services = match &config.service {
            Some(service) => vec![service.clone()],
            None => [node(&["metadata", "WORKLOAD_NAME"]), node(&["metadata", "LABELS", CANONICAL_NAME])]
                .into_iter()
                .flatten()
                .collect(),
        };
        // `*` would make one workload every workload.
        let named = |name: &&str| *name != "*";
        let (workload, warning) = match Scope::new(
            namespace.as_deref().filter(named),
            services.iter().map(String::as_str).filter(named),
        ) {
            Ok(workload) if workload.is_named() => (workload, None),
            Ok(workload) => {
                (workload, Some("the node metadata has no WORKLOAD_NAME or no NAMESPACE".to_owned()))
            }
            Err(error) => (Scope::unknown(), Some(error.to_string())),
        };
        // Istio's node ids begin with the kind of proxy.
        let id = node(&["id"]).unwrap_or_default();
        let is_gateway = id.starts_with("router~");
        let fits = |c: &char| c.is_ascii_alphanumeric() || ".~_-".contains(*c);
        let node = id.chars().filter(fits).take(253).collect();
        Self { workload, node, is_gateway, warning }
    }
}

#[cfg(test)]
mod tests {
    use super::{CANONICAL_NAME, Identity};
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
}
