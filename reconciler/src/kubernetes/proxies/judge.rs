//! Finds the proxies that a plugin is for and that poll no replica.

use std::{sync::Arc, time::Duration};

use policies::Timestamp;

use crate::{
    doctor::{
        inventory::{Inventory, Name, Pod},
        is_for,
    },
    fleet::gathered::{Gathered, SETTLED},
};

/// A pod whose proxy runs.
#[derive(Clone, Debug)]
pub(super) struct Proxy {
    pub(super) uid: String,
    /// The start of the container of the proxy.
    pub(super) started: Timestamp,
    /// Its agent has fetched the module or given up, and it has its configuration.
    pub(super) is_ready: bool,
    pub(super) pod: Pod,
}

/// A proxy, and what this replica knows of it.
#[derive(Clone, Debug)]
pub(super) struct Known {
    pub(super) proxy: Arc<Proxy>,
    /// The time for which it has been seen to run. Clocks of others may be wrong.
    pub(super) age: Duration,
    /// The start of its silence, if it was silent when it was judged the last time.
    pub(super) silent_since: Option<Timestamp>,
}

/// A proxy that should run the filter, and polls no replica.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Silent {
    pub(super) uid: String,
    pub(super) pod: Name,
    /// The plugins that are for it.
    pub(super) plugins: Vec<Name>,
    /// The start of its last poll, or else of its silence, as far as the replicas know.
    pub(super) since: Timestamp,
}

/// The number of proxies that should run the filter, and those of them that are silent, sorted by name.
pub(super) fn judge(known: &[Known], inventory: &Inventory, gathered: &Gathered) -> (usize, Vec<Silent>) {
    let mut covered = 0;
    let mut silent = Vec::new();
    for known in known {
        let proxy = &known.proxy;
        let plugins = inventory.plugins.iter().filter(|plugin| is_for(plugin, &proxy.pod, inventory));
        let plugins: Vec<_> = plugins.map(|plugin| plugin.metadata.clone()).collect();
        if plugins.is_empty() {
            continue;
        }
        covered += 1;
        if let Some(since) = silent_since(known, gathered) {
            let (uid, pod) = (proxy.uid.clone(), proxy.pod.name.clone());
            silent.push(Silent { uid, pod, plugins, since });
        }
    }
    silent.sort_by(|a, b| (&a.pod.namespace, &a.pod.name).cmp(&(&b.pod.namespace, &b.pod.name)));
    (covered, silent)
}

/// The start of the silence of a proxy; `None` while it polls, and as long as it may still be on its way to one of
/// these replicas. One that polled none of the former replicas is not. A proxy that is not ready needs something else.
fn silent_since(known: &Known, gathered: &Gathered) -> Option<Timestamp> {
    let Known { proxy, age, silent_since } = known;
    let Name { namespace, name } = &proxy.pod.name;
    let heard = gathered.proxy(namespace, name);
    if heard.is_some_and(|heard| heard.polls) {
        return None;
    }
    // A pod of a StatefulSet comes back with the same name.
    let contact = heard.map(|heard| heard.contact).filter(|contact| *contact > proxy.started);
    let had_time =
        proxy.is_ready && *age >= SETTLED && (gathered.listening >= SETTLED || silent_since.is_some());
    had_time.then(|| silent_since.or(contact).unwrap_or_else(|| proxy.started.max(gathered.since)))
}

#[cfg(test)]
mod tests {
    use std::{sync::Arc, time::Duration};

    use policies::Timestamp;
    use serde_json::{Value, json};

    use super::{Known, Proxy, judge};
    use crate::{
        doctor::inventory::{Inventory, Istio, Name, Pod, ProxyKind},
        fleet::gathered::Gathered,
    };

    fn at(second: u64) -> Timestamp {
        Timestamp::from_millis(second * 1_000)
    }

    fn inventory(plugins: &Value) -> Inventory {
        let istio = Istio { root_namespace: "istio-system".into(), ..Istio::default() };
        Inventory { plugins: serde_json::from_value(plugins.clone()).unwrap(), istio, ..Inventory::default() }
    }

    fn proxy(pod: &str, started: u64) -> Arc<Proxy> {
        let name = Name { namespace: "demo".into(), name: pod.into() };
        let pod = Pod { name, has_proxy: true, ..Pod::default() };
        Arc::new(Proxy { uid: pod.name.name.clone(), started: at(started), is_ready: true, pod })
    }

    /// All replicas listen since the second 100. Each poll is a pod, its state and its second.
    fn gathered(polls: &[(&str, &str, u64)]) -> Gathered {
        let filter = |(pod, state, second): &(&str, &str, u64)| {
            let node = format!("sidecar~10.0.0.1~{pod}.demo~x");
            json!({"node": node, "state": state, "lastContact": at(*second).to_rfc3339(), "digest": null})
        };
        let filters: Vec<_> = polls.iter().map(filter).collect();
        let answer = json!({"filters": filters, "since": at(100).to_rfc3339()});
        Gathered::of(&[serde_json::from_value(answer).unwrap()]).unwrap()
    }

    /// At a second of this replica, which has seen each proxy start, and all replicas.
    fn judged(
        proxies: &[Arc<Proxy>],
        inventory: &Inventory,
        polls: &[(&str, &str, u64)],
        now: u64,
    ) -> (usize, Vec<super::Silent>) {
        let age = |then: u64| Duration::from_secs(now.saturating_sub(then));
        let known = |proxy: &Arc<Proxy>| {
            let age = age(proxy.started.as_millis() / 1_000);
            Known { proxy: Arc::clone(proxy), age, silent_since: None }
        };
        let mut gathered = gathered(polls);
        gathered.listening = age(100);
        judge(&proxies.iter().map(known).collect::<Vec<_>>(), inventory, &gathered)
    }

    /// The silent pods, and since when.
    fn silent(proxies: &[Arc<Proxy>], polls: &[(&str, &str, u64)], now: u64) -> Vec<(String, Timestamp)> {
        let inventory = inventory(&json!([{"metadata": {"namespace": "demo", "name": "hfi"}, "spec": {}}]));
        let (covered, silent) = judged(proxies, &inventory, polls, now);
        assert_eq!(covered, proxies.len());
        silent.into_iter().map(|silent| (silent.pod.name, silent.since)).collect()
    }

    #[test]
    fn a_proxy_that_polls_no_replica_is_silent_once_it_had_time_to_find_one() {
        let proxies = [proxy("a", 0), proxy("b", 0), proxy("new", 500)];
        let polls = [("a", "lagging", 490)];
        assert_eq!(silent(&proxies, &polls, 139), [], "the replicas have just started");
        assert_eq!(silent(&proxies[..2], &polls, 140), [("b".to_owned(), at(100))]);
        assert_eq!(silent(&proxies, &polls, 539), [("b".to_owned(), at(100))], "one has just started");
        assert_eq!(silent(&proxies, &polls, 540), [("b".to_owned(), at(100)), ("new".to_owned(), at(500))]);
    }

    #[test]
    fn a_proxy_that_fell_silent_is_silent_since_its_last_poll() {
        let proxies = [proxy("a", 0), proxy("again", 450)];
        // The second one is another pod of the same name.
        let polls = [("a", "gone", 400), ("again", "gone", 440)];
        assert_eq!(silent(&proxies, &polls, 489), [("a".to_owned(), at(400))]);
        assert_eq!(silent(&proxies, &polls, 490), [("a".to_owned(), at(400)), ("again".to_owned(), at(450))]);
    }

    #[test]
    fn a_proxy_that_was_silent_stays_so_when_the_replicas_change() {
        let inventory = inventory(&json!([{"metadata": {"namespace": "demo", "name": "hfi"}, "spec": {}}]));
        let judged = |age, silent_since, polls: &[_]| {
            let known = Known { proxy: proxy("a", 0), age: Duration::from_secs(age), silent_since };
            let (_, silent) = judge(&[known], &inventory, &gathered(polls));
            silent.first().map(|silent| silent.since)
        };
        assert_eq!(judged(500, None, &[]), None, "these replicas have listened for no time");
        assert_eq!(judged(500, Some(at(7)), &[]), Some(at(7)));
        assert_eq!(judged(500, Some(at(7)), &[("a", "in_step", 101)]), None, "it polls one of them");
        assert_eq!(judged(39, Some(at(7)), &[]), None, "it started again");
    }

    #[test]
    fn a_proxy_that_is_not_ready_is_not_accused() {
        let mut starting = Proxy::clone(&proxy("a", 0));
        starting.is_ready = false;
        assert_eq!(silent(&[Arc::new(starting), proxy("b", 0)], &[], 500), [("b".to_owned(), at(100))]);
    }

    #[test]
    fn a_proxy_that_no_plugin_is_for_may_be_silent() {
        let pod = |namespace: &str, app: &str, gateway: Option<&str>, kind| {
            let gateway = gateway
                .map(|gateway| ("gateway.networking.k8s.io/gateway-name".to_owned(), gateway.to_owned()));
            let labels = [("app".to_owned(), app.to_owned())].into_iter().chain(gateway).collect();
            let name = Name { namespace: namespace.into(), name: app.into() };
            let pod = Pod { name, labels, kind, has_proxy: true, ..Pod::default() };
            Arc::new(Proxy { uid: app.into(), started: at(0), is_ready: true, pod })
        };
        let proxies = [
            pod("demo", "cart", None, ProxyKind::Sidecar),
            pod("demo", "ingress", None, ProxyKind::Gateway),
            pod("demo", "edge", Some("edge"), ProxyKind::Gateway),
            pod("demo", "waypoint", Some("waypoint"), ProxyKind::Waypoint),
            pod("other", "cart", None, ProxyKind::Sidecar),
        ];
        let of = |namespace: &str, spec: Value| {
            let inventory =
                inventory(&json!([{"metadata": {"namespace": namespace, "name": "hfi"}, "spec": spec}]));
            let (_, silent) = judged(&proxies, &inventory, &[], 1_000);
            silent.into_iter().map(|silent| silent.pod.to_string()).collect::<Vec<_>>().join(" ")
        };
        let target = |kind: &str, name: &str| json!({"targetRefs": [{"kind": kind, "name": name}]});
        for (namespace, spec, covered) in [
            ("demo", json!({"match": [{"mode": "SERVER"}]}), "demo/cart"),
            ("demo", json!({"match": [{"mode": "CLIENT"}]}), "demo/cart demo/edge demo/ingress"),
            ("demo", json!({"selector": {"matchLabels": {"app": "cart"}}}), "demo/cart"),
            ("istio-system", json!({"selector": {"matchLabels": {"app": "cart"}}}), "demo/cart other/cart"),
            ("demo", target("Gateway", "edge"), "demo/edge"),
            ("demo", target("Gateway", "waypoint"), "demo/waypoint"),
            ("other", target("Gateway", "waypoint"), ""),
            ("istio-system", target("GatewayClass", "istio-waypoint"), "demo/waypoint"),
        ] {
            assert_eq!(of(namespace, spec.clone()), covered, "{namespace} {spec}");
        }
    }
}
