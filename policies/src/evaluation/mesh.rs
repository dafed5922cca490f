//! The mesh as a workload sees it: which service or host a name means there.

use super::callee::Callee;
use crate::language::{ClusterDomain, is_label};

/// The longest name of a host (RFC 1035, section 2.3.4), in bytes and without its final dot.
const MAX_HOST: usize = 253;

/// The namespace and the domain in which names are resolved.
#[derive(Clone, Debug, Default)]
pub(crate) struct Mesh {
    /// The workload's own, to which short names belong.
    pub(crate) namespace: Option<String>,
    pub(crate) domain: ClusterDomain,
}

impl Mesh {
    /// The callee that an authority names.
    pub(crate) fn of_authority(&self, authority: &[u8]) -> Option<Callee> {
        let authority = str::from_utf8(authority).ok()?;
        let host = match authority.rsplit_once(':') {
            Some((host, port)) if port.bytes().all(|b| b.is_ascii_digit()) => host,
            // An IPv6 address without a port.
            Some(_) if authority.ends_with(']') => authority,
            Some(_) => return None,
            None => authority,
        };
        let host = normalized(host)?;
        let service = self.domain.service(&host).or_else(|| self.short_name(&host)).map(owned);
        Some(Callee { host, service })
    }

    /// The callee that a cluster leads to: `outbound|PORT|SUBSET|HOST`. Istio writes the names of services in full
    /// there, so that a shorter one is a host outside the mesh.
    pub(crate) fn of_cluster(&self, cluster: &[u8]) -> Option<Callee> {
        let mut parts = str::from_utf8(cluster).ok()?.strip_prefix("outbound|")?.splitn(3, '|');
        let (_port, _subset, host) = (parts.next()?, parts.next()?, parts.next()?);
        let host = normalized(host)?;
        let service = self.domain.service(&host).map(owned);
        Some(Callee { host, service })
    }

    /// The service and namespace of `SERVICE`, `SERVICE.NAMESPACE` or `SERVICE.NAMESPACE.svc`.
    fn short_name<'h>(&'h self, host: &'h str) -> Option<(&'h str, &'h str)> {
        let (service, namespace) = match host.split_once('.') {
            None => (host, self.namespace.as_deref()?),
            Some((service, namespace)) => (service, namespace.strip_suffix(".svc").unwrap_or(namespace)),
        };
        (is_label(service) && is_label(namespace)).then_some((service, namespace))
    }
}

/// The name of a host in lower case, without its final dot. What is longer than a name in DNS can be is none: the
/// sender of a request chooses it, and every pattern of hosts is held against it.
fn normalized(host: &str) -> Option<String> {
    let host = host.strip_suffix('.').unwrap_or(host);
    (1..=MAX_HOST).contains(&host.len()).then(|| host.to_ascii_lowercase())
}

fn owned((service, namespace): (&str, &str)) -> (String, String) {
    (service.to_owned(), namespace.to_owned())
}

#[cfg(test)]
mod tests {
    use super::Mesh;
    use crate::language::ClusterDomain;

    fn mesh() -> Mesh {
        Mesh { namespace: Some("demo".to_owned()), domain: ClusterDomain::default() }
    }

    #[test]
    fn an_authority_names_a_service() {
        for authority in [
            "payments",
            "payments:8080",
            "payments.demo",
            "PAYMENTS.demo:80",
            "payments.demo.svc",
            "payments.demo.svc.cluster.local:80",
            "payments.demo.svc.cluster.local.",
        ] {
            let callee = mesh().of_authority(authority.as_bytes()).unwrap();
            assert_eq!(callee.service(), Some(("payments", "demo")), "{authority}");
        }
    }

    #[test]
    fn what_is_no_service_of_the_mesh_is_a_host() {
        for (authority, host) in [
            ("API.example.com:443", "api.example.com"),
            ("api.example.com.", "api.example.com"),
            ("10.0.0.1:80", "10.0.0.1"),
            ("a_b", "a_b"),
            ("[2001:db8::1]", "[2001:db8::1]"),
            ("[2001:DB8::1]:443", "[2001:db8::1]"),
            ("payments.demo.svc.evil.example", "payments.demo.svc.evil.example"),
            ("payments.demo.svc.cluster.local.evil.example", "payments.demo.svc.cluster.local.evil.example"),
        ] {
            let callee = mesh().of_authority(authority.as_bytes()).unwrap();
            assert_eq!((callee.service(), callee.host()), (None, host), "{authority}");
        }
        let long = "a".repeat(254);
        for none in ["", ":80", "payments:http", "\u{e9}:a", "2001:db8::x", &long] {
            assert!(mesh().of_authority(none.as_bytes()).is_none(), "{none}");
        }
        let nowhere = Mesh { namespace: None, ..mesh() };
        let callee = nowhere.of_authority(b"payments").unwrap();
        assert_eq!(callee.service(), None, "a short name needs the caller's namespace");
    }

    #[test]
    fn a_cluster_leads_to_a_service_or_a_host() {
        for (cluster, service, host) in [
            (
                "outbound|80||payments.demo.svc.cluster.local",
                Some(("payments", "demo")),
                "payments.demo.svc.cluster.local",
            ),
            (
                "outbound|80|v2|payments.demo.svc.cluster.local",
                Some(("payments", "demo")),
                "payments.demo.svc.cluster.local",
            ),
            ("outbound|443||api.partner.example", None, "api.partner.example"),
            ("outbound|443||partner.example", None, "partner.example"),
            ("outbound|443||payments.demo.svc.evil.example", None, "payments.demo.svc.evil.example"),
            ("outbound|443||*.partner.example", None, "*.partner.example"),
        ] {
            let callee = mesh().of_cluster(cluster.as_bytes()).unwrap();
            assert_eq!((callee.service(), callee.host()), (service, host), "{cluster}");
        }
        for other in [
            "PassthroughCluster",
            "inbound|8080||",
            "outbound|80||",
            "outbound|80|payments.demo.svc.cluster.local",
            "",
        ] {
            assert!(mesh().of_cluster(other.as_bytes()).is_none(), "{other}");
        }
    }
}
