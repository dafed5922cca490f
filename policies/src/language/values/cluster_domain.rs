//! The domain of the mesh.

use super::name::is_label;

/// The domain of the services of the mesh. It is `cluster.local` unless the cluster has another.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "authoring", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "authoring", serde(into = "String", try_from = "String"))]
pub struct ClusterDomain(String);

/// The error of a text that is not a domain.
#[derive(Debug, thiserror::Error)]
#[error("`{0}` is not a domain: labels of letters, digits and `-`, with dots between them")]
pub struct ClusterDomainError(String);

impl ClusterDomain {
    /// The service and namespace of a full name in this domain, `SERVICE.NAMESPACE.svc.DOMAIN`, in lower case.
    pub fn service<'h>(&self, host: &'h str) -> Option<(&'h str, &'h str)> {
        let name = host.strip_suffix(self.0.as_str())?.strip_suffix(".svc.")?;
        let (service, namespace) = name.split_once('.')?;
        (is_label(service) && is_label(namespace)).then_some((service, namespace))
    }
}

impl Default for ClusterDomain {
    fn default() -> Self {
        Self("cluster.local".to_owned())
    }
}

impl TryFrom<String> for ClusterDomain {
    type Error = ClusterDomainError;

    fn try_from(text: String) -> Result<Self, ClusterDomainError> {
        let domain = text.strip_suffix('.').unwrap_or(&text).to_ascii_lowercase();
        if domain.len() <= 253 && domain.split('.').all(is_label) {
            Ok(Self(domain))
        } else {
            Err(ClusterDomainError(text))
        }
    }
}

#[cfg(feature = "authoring")]
impl ClusterDomain {
    /// The full name of a service in this domain.
    pub fn host(&self, service: &str, namespace: &str) -> String {
        format!("{service}.{namespace}.svc.{}", self.0)
    }
}

#[cfg(feature = "authoring")]
impl From<ClusterDomain> for String {
    fn from(domain: ClusterDomain) -> Self {
        domain.0
    }
}

#[cfg(test)]
mod tests {
    use super::ClusterDomain;

    #[test]
    fn a_full_name_in_the_domain_names_a_service() {
        let domain = ClusterDomain::try_from("Mesh.example.".to_owned()).unwrap();
        assert_eq!(domain.service("cart.shop.svc.mesh.example"), Some(("cart", "shop")));
        let own = ClusterDomain::default();
        assert_eq!(own.service("cart.shop.svc.cluster.local"), Some(("cart", "shop")));
        assert_eq!(own.host("cart", "shop"), "cart.shop.svc.cluster.local");
        for foreign in [
            "cart.shop.svc.mesh.example",
            "cart.shop.svc.cluster.local.evil.example",
            "cart.shop.svc.evil.cluster.local",
            "cart.shop.svcXcluster.local",
            "cart.shop.cluster.local",
            "a.cart.shop.svc.cluster.local",
            ".shop.svc.cluster.local",
            "shop.svc.cluster.local",
            "*.shop.svc.cluster.local",
            "cluster.local",
            "",
        ] {
            assert_eq!(own.service(foreign), None, "{foreign}");
        }
    }

    #[test]
    fn what_is_no_domain_is_refused() {
        for bad in ["", ".", "a..b", "-a", "a b", "*.local", "cluster.local:53", &"a.".repeat(200)] {
            assert!(ClusterDomain::try_from(bad.to_owned()).is_err(), "{bad}");
        }
    }
}
