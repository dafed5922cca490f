//! Callers, by their SPIFFE identity.

/// The namespace and service account of a SPIFFE identity: `spiffe://<trust domain>/ns/<namespace>/
/// sa/<service account>`, as Istio writes it.
pub(crate) fn identify(identity: &[u8]) -> Option<(String, String)> {
    let path = std::str::from_utf8(identity).ok()?.strip_prefix("spiffe://")?.split_once('/')?.1;
    let (namespace, account) = path.strip_prefix("ns/")?.split_once('/')?;
    Some((namespace.to_owned(), account.strip_prefix("sa/")?.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::identify;

    #[test]
    fn a_caller_is_known_by_its_certificate() {
        let web = Some(("demo".to_owned(), "web-1".to_owned()));
        assert_eq!(identify(b"spiffe://cluster.local/ns/demo/sa/web-1"), web);
        for other in [
            "spiffe://cluster.local/sa/web-1",
            "spiffe://a/ns/demo/b/sa/web-1",
            "demo/web-1",
            "spiffe://a",
            "",
        ] {
            assert_eq!(identify(other.as_bytes()), None, "{other}");
        }
    }
}
