//! Host names, with or without a wildcard.

use policies::language::ClusterDomain;

use super::istio_label;

/// The reason why a text is no host.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Flaw {
    pub(crate) rule: &'static str,
    pub(crate) reason: String,
    pub(crate) right: &'static str,
}

/// The longest host of DNS.
pub(crate) const LONGEST_HOST: usize = 255;

/// The flaw of a host that may begin with a wildcard. One dot at its end is taken.
pub(crate) fn host_flaw(host: &str) -> Option<Flaw> {
    let flaw = |rule, reason: String, right| Some(Flaw { rule, reason, right });
    if host.is_empty() {
        return flaw("HOST01", "is empty".to_owned(), "write the name of a host");
    }
    if host.len() > LONGEST_HOST {
        return flaw("HOST01", format!("has {} characters", host.len()), "a host has at most 255");
    }
    let name = host.strip_suffix('.').unwrap_or(host);
    for (at, label) in name.split('.').enumerate() {
        let plain = match label.strip_prefix('*') {
            Some(rest) if at == 0 => rest.trim_start_matches('-'),
            _ => label,
        };
        if plain.contains('*') {
            return flaw(
                "HOST03",
                format!("`{host}` has `*` where it means nothing"),
                "a `*` stands at the head: `*.example.com`",
            );
        }
        let wildcard = at == 0 && label.starts_with('*');
        if !(istio_label(plain) || wildcard && plain.is_empty()) {
            let right = "a label has letters, digits and `-`, at most 63, and no `-` at its ends";
            return flaw("HOST02", format!("`{host}` has `{label}`, which is not a label of DNS"), right);
        }
    }
    match name.rsplit('.').next() {
        Some(last) if last.bytes().all(|byte| byte.is_ascii_digit()) => flaw(
            "HOST04",
            format!("`{host}` ends in digits alone, like an IP address"),
            "write a name of DNS",
        ),
        _ => None,
    }
}

/// True for a host with a dot, and without a wildcard.
pub(crate) fn is_full_name(host: &str) -> bool {
    host.contains('.') && !host.contains('*')
}

/// The full name of a host as a resource of this namespace means it, in lower case and without a dot at its end.
/// `name.namespace` looks like a name outside, such as `example.com`: `is_service` says of its full name if there is such
/// a service.
pub(crate) fn full_name(
    host: &str,
    namespace: &str,
    domain: &ClusterDomain,
    is_service: impl FnOnce(&str) -> bool,
) -> String {
    let host = host.strip_suffix('.').unwrap_or(host).to_ascii_lowercase();
    match host.split_once('.') {
        _ if host.contains('*') || host.is_empty() => host,
        None => domain.host(&host, namespace),
        Some((name, rest)) => {
            let in_cluster = domain.host(name, rest.strip_suffix(".svc").unwrap_or(rest));
            if rest.ends_with(".svc") || is_service(&in_cluster) { in_cluster } else { host }
        }
    }
}

/// A host, or the name of a service, from its end, so that those of a wildcard stand together.
pub(crate) fn from_end(host: &str) -> String {
    host.chars().rev().collect()
}

/// The ends of a host from each of its dots on. A longer one than DNS has fits no wildcard.
pub(crate) fn ends(host: &str) -> impl Iterator<Item = &str> {
    let dots = host.match_indices('.').filter(|_| host.len() <= LONGEST_HOST);
    dots.filter_map(|(at, _)| host.get(at..))
}

#[cfg(test)]
mod tests {
    use super::host_flaw;

    #[test]
    fn a_wildcard_stands_at_the_head() {
        for host in ["reviews", "*", "*.example.com", "*-x.example.com", "reviews.shop.svc.cluster.local."] {
            assert_eq!(host_flaw(host), None, "{host}");
        }
        for (host, rule) in [
            ("", "HOST01"),
            ("my_service.shop", "HOST02"),
            ("a..b", "HOST02"),
            ("-a.b", "HOST02"),
            ("api.*.example.com", "HOST03"),
            ("**.example.com", "HOST03"),
            ("db.12", "HOST04"),
        ] {
            assert_eq!(host_flaw(host).map(|flaw| flaw.rule), Some(rule), "{host}");
        }
    }
}
