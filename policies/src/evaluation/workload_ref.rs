//! References to workloads: a callee by its authority, a caller by its SPIFFE identity.

use crate::language::is_label;

/// The service and namespace behind an authority: `name` in the caller's namespace,
/// `name.namespace`, or a full name with whatever cluster domain.
pub(crate) fn resolve(authority: &[u8], own_namespace: Option<&str>) -> Option<(String, String)> {
    let authority = std::str::from_utf8(authority).ok()?.to_ascii_lowercase();
    let host = match authority.rsplit_once(':') {
        Some((host, port)) if port.bytes().all(|b| b.is_ascii_digit()) => host,
        Some(_) => return None,
        None => &authority,
    };
    let host = host.strip_suffix('.').unwrap_or(host);
    let labels: Vec<_> = host.split('.').collect();
    let is_name = |label: &&str| is_label(label);
    if !labels.iter().all(is_name) {
        return None;
    }
    match labels.as_slice() {
        [service] => Some(((*service).to_owned(), own_namespace?.to_owned())),
        [service, namespace] | [service, namespace, "svc", ..] => {
            Some(((*service).to_owned(), (*namespace).to_owned()))
        }
        _ => None,
    }
}

/// The namespace and service account of a SPIFFE identity: `spiffe://<trust domain>/ns/<namespace>/
/// sa/<service account>`, as Istio writes it.
pub(crate) fn identify(identity: &[u8]) -> Option<(String, String)> {
    let path = std::str::from_utf8(identity).ok()?.strip_prefix("spiffe://")?.split_once('/')?.1;
    let (namespace, account) = path.strip_prefix("ns/")?.split_once("/sa/")?;
    Some((namespace.to_owned(), account.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::{identify, resolve};

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
            "payments.demo.svc.mesh.example",
        ] {
            let (service, namespace) = resolve(authority.as_bytes(), Some("demo")).unwrap();
            assert_eq!((service.as_str(), namespace.as_str()), ("payments", "demo"), "{authority}");
        }
    }

    #[test]
    fn what_is_no_service_resolves_to_none() {
        for authority in
            ["", ":80", "10.0.0.1", "10.0.0.1:80", "[::1]:80", "api.example.com", "a_b", "payments:http", "é"]
        {
            assert_eq!(resolve(authority.as_bytes(), Some("demo")), None, "{authority}");
        }
        assert_eq!(resolve(b"payments", None), None, "a short name needs the caller's namespace");
    }

    #[test]
    fn a_caller_is_known_by_its_certificate() {
        let web = Some(("demo".to_owned(), "web-1".to_owned()));
        assert_eq!(identify(b"spiffe://cluster.local/ns/demo/sa/web-1"), web);
        for other in ["spiffe://cluster.local/sa/web-1", "demo/web-1", "spiffe://a", ""] {
            assert_eq!(identify(other.as_bytes()), None, "{other}");
        }
    }
}
