//! The names that a Pod knows: `/etc/hosts` and `/etc/resolv.conf`.

use std::net::IpAddr;

use k8s_openapi::api::core::v1::{Pod, Service};

use super::facts::Facts;
use super::service::cluster_ip;

/// The host name of a Pod.
pub(crate) fn hostname(pod: &Pod) -> String {
    let named =
        pod.spec.as_ref().and_then(|spec| spec.hostname.clone()).or_else(|| pod.metadata.name.clone());
    // Linux takes 64 bytes; Kubernetes cuts at 63.
    let name = named.unwrap_or_default();
    name.get(..63).unwrap_or(&name).trim_end_matches(['-', '.']).to_owned()
}

/// `/etc/hosts`: the Pod itself, its `hostAliases`, the Services that have an address, and `others`.
pub(crate) fn hosts(pod: &Pod, facts: &Facts, services: &[Service], others: &[(IpAddr, String)]) -> String {
    let mut lines = vec!["127.0.0.1 localhost".to_owned(), format!("{} {}", facts.pod_ip, hostname(pod))];
    for alias in pod.spec.iter().flat_map(|spec| spec.host_aliases.iter().flatten()) {
        lines.push(format!(
            "{} {}",
            alias.ip,
            alias.hostnames.iter().flatten().cloned().collect::<Vec<_>>().join(" ")
        ));
    }
    lines.extend(others.iter().map(|(address, name)| format!("{address} {name}")));
    let own = pod.metadata.namespace.as_deref();
    for service in services {
        let (Some(address), Some(name)) = (cluster_ip(service), service.metadata.name.as_deref()) else {
            continue;
        };
        let namespace = service.metadata.namespace.as_deref().unwrap_or_default();
        let full = format!("{name}.{namespace}");
        let short = if own == Some(namespace) { format!(" {name}") } else { String::new() };
        lines.push(format!("{address} {full}.svc.cluster.local {full}.svc {full}{short}"));
    }
    lines.join("\n") + "\n"
}

/// `/etc/resolv.conf`. Without a server, names that `/etc/hosts` does not know are not found.
pub(crate) fn resolver(pod: &Pod, server: Option<IpAddr>) -> String {
    let Some(server) = server else { return "# Names are those of /etc/hosts.\n".to_owned() };
    let namespace = pod.metadata.namespace.as_deref().unwrap_or_default();
    let search = format!("{namespace}.svc.cluster.local svc.cluster.local cluster.local");
    format!("search {search}\nnameserver {server}\noptions ndots:5\n")
}

#[cfg(test)]
mod tests {
    use k8s_openapi::api::core::v1::{Pod, Service};
    use serde_json::{from_value, json};

    use super::hosts;
    use crate::spec::facts::Facts;

    #[test]
    fn the_short_name_of_a_service_is_known_in_its_own_namespace_alone() {
        let pod: Pod = from_value(json!({
            "metadata": {"name": "web-1", "namespace": "shop"},
            "spec": {"containers": [], "hostAliases": [{"ip": "1.2.3.4", "hostnames": ["a", "b"]}]},
        }))
        .unwrap();
        let service = |namespace: &str, address: &str| -> Service {
            let metadata = json!({"name": "db", "namespace": namespace});
            from_value(json!({"metadata": metadata, "spec": {"clusterIP": address}})).unwrap()
        };
        let services =
            [service("shop", "10.96.0.2"), service("other", "10.96.0.3"), service("headless", "None")];
        let others = [([5, 6, 7, 8].into(), "git.example".to_owned())];
        let expected = "\
127.0.0.1 localhost
10.1.0.7 web-1
1.2.3.4 a b
5.6.7.8 git.example
10.96.0.2 db.shop.svc.cluster.local db.shop.svc db.shop db
10.96.0.3 db.other.svc.cluster.local db.other.svc db.other
";
        assert_eq!(hosts(&pod, &Facts::for_tests(), &services, &others), expected);
    }
}
