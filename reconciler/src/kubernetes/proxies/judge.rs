//! Finds the proxies that a plugin is for and that do not run it: they poll no replica, or their polls do not name it.

use std::sync::Arc;

use policies::Timestamp;
use tokio::time::Instant;

use super::{
    coverage::{Coverage, Missing},
    pods::Proxy,
};
use crate::{
    doctor::{
        inventory::{Inventory, Name},
        is_for,
    },
    fleet::gathered::Gathered,
};

/// A proxy that should run the filter, and does not, or not for all of its plugins.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Silent {
    pub(super) uid: String,
    pub(super) pod: Name,
    /// The start of the proxy.
    pub(super) started: Timestamp,
    /// Else it needs something else now, and what was tried for it is not forgotten.
    pub(super) is_ready: bool,
    /// The plugins that are for it and that it does not run: one at least.
    pub(super) missing: Vec<Missing>,
}

impl Silent {
    /// What it lacks of a plugin, if it does.
    pub(super) fn lacks(&self, plugin: &Name) -> Option<&Missing> {
        self.missing.iter().find(|missing| missing.plugin == *plugin)
    }
}

/// The number of proxies that should run the filter, and those of them that lack it, sorted by name.
pub(super) fn judge(
    proxies: &[Arc<Proxy>],
    inventory: &Inventory,
    gathered: &Gathered,
    coverage: &mut Coverage,
    now: Instant,
) -> (usize, Vec<Silent>) {
    let plugins = |proxy: &Arc<Proxy>| {
        let plugins = inventory.plugins.iter().filter(|plugin| is_for(plugin, &proxy.pod, inventory));
        let plugins: Vec<_> = plugins.map(|plugin| plugin.metadata.clone()).collect();
        (!plugins.is_empty()).then(|| (Arc::clone(proxy), plugins))
    };
    let covered: Vec<_> = proxies.iter().filter_map(plugins).collect();
    let number = covered.len();
    let lacking = coverage.look(covered, gathered, now).into_iter().map(|(proxy, missing)| {
        let (uid, pod, started) = (proxy.uid.clone(), proxy.pod.name.clone(), proxy.started);
        Silent { uid, pod, started, is_ready: proxy.is_ready, missing }
    });
    let mut silent: Vec<_> = lacking.collect();
    silent.sort_by(|a, b| (&a.pod.namespace, &a.pod.name).cmp(&(&b.pod.namespace, &b.pod.name)));
    (number, silent)
}

#[cfg(test)]
mod tests {
    use std::{sync::Arc, time::Duration};

    use policies::Timestamp;
    use serde_json::{Value, json};

    use tokio::time::Instant;

    use super::{Coverage, Proxy, Silent, judge};
    use crate::{
        doctor::inventory::{Inventory, Istio, Name, Pod, ProxyKind},
        fleet::gathered::Gathered,
        kubernetes::proxies::{healing::MOST, need::need, plugins::OurPlugin},
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
        let (uid, started) = (pod.name.name.clone(), at(started));
        Arc::new(Proxy { uid, started, is_ready: true, pod })
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

    /// A leader, which looks at seconds of its clock. All replicas listen since the second 100.
    struct Leader {
        origin: Instant,
        coverage: Coverage,
    }

    impl Leader {
        fn new() -> Self {
            Self { origin: Instant::now(), coverage: Coverage::default() }
        }

        fn looks(
            &mut self,
            second: u64,
            proxies: &[Arc<Proxy>],
            inventory: &Inventory,
            polls: &[(&str, &str, u64)],
        ) -> (usize, Vec<Silent>) {
            self.hears(second, proxies, inventory, gathered(polls))
        }

        fn hears(
            &mut self,
            second: u64,
            proxies: &[Arc<Proxy>],
            inventory: &Inventory,
            mut gathered: Gathered,
        ) -> (usize, Vec<Silent>) {
            gathered.listening = Duration::from_secs(second.saturating_sub(100));
            let now = self.origin + Duration::from_secs(second);
            judge(proxies, inventory, &gathered, &mut self.coverage, now)
        }
    }

    /// At a second of a leader, which has seen each proxy start.
    fn judged(
        proxies: &[Arc<Proxy>],
        inventory: &Inventory,
        polls: &[(&str, &str, u64)],
        now: u64,
    ) -> (usize, Vec<Silent>) {
        let mut leader = Leader::new();
        let started = |proxy: &Arc<Proxy>| proxy.started.as_millis() / 1_000;
        let mut seconds: Vec<_> = proxies.iter().map(started).filter(|second| *second < now).collect();
        seconds.sort_unstable();
        for second in seconds {
            let there: Vec<_> = proxies.iter().filter(|proxy| started(proxy) <= second).cloned().collect();
            leader.looks(second, &there, inventory, polls);
        }
        leader.looks(now, proxies, inventory, polls)
    }

    /// The time since which it lacks any of the plugins.
    fn since(silent: &Silent) -> Timestamp {
        silent.missing.iter().map(|missing| missing.since).min().unwrap()
    }

    /// The silent pods, and since when.
    fn silent(proxies: &[Arc<Proxy>], polls: &[(&str, &str, u64)], now: u64) -> Vec<(String, Timestamp)> {
        let inventory = inventory(&json!([{"metadata": {"namespace": "demo", "name": "hfi"}, "spec": {}}]));
        let (covered, silent) = judged(proxies, &inventory, polls, now);
        assert_eq!(covered, proxies.len());
        silent.into_iter().map(|silent| (silent.pod.name.clone(), since(&silent))).collect()
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
        let again = Arc::new(Proxy { started: at(501), ..Proxy::clone(&proxy("a", 0)) });
        let judged = |was_silent: bool, proxy: Arc<Proxy>, polls: &[_]| {
            let mut leader = Leader::new();
            leader.looks(0, &[self::proxy("a", 0)], &inventory, &[]);
            if was_silent {
                let (_, silent) = leader.looks(499, &[self::proxy("a", 0)], &inventory, &[("a", "gone", 7)]);
                assert_eq!(silent.first().map(since), Some(at(7)));
            }
            // These replicas have listened for no time.
            let now = leader.origin + Duration::from_secs(501);
            let (_, silent) = judge(&[proxy], &inventory, &gathered(polls), &mut leader.coverage, now);
            silent.first().map(since)
        };
        assert_eq!(judged(false, proxy("a", 0), &[]), None);
        assert_eq!(judged(true, proxy("a", 0), &[]), Some(at(7)));
        assert_eq!(judged(true, proxy("a", 0), &[("a", "in_step", 101)]), None, "it polls one of them");
        assert_eq!(judged(true, again, &[]), None, "it started again");
    }

    /// Two plugins that are for every sidecar.
    fn both() -> Inventory {
        let plugin = |name: &str| json!({"metadata": {"namespace": "demo", "name": name}, "spec": {}});
        inventory(&json!([plugin("in"), plugin("out")]))
    }

    /// The last poll of the proxy `a` began at that second and named these plugins, or named none.
    fn named(second: u64, plugins: Option<&[&str]>) -> Gathered {
        let node = "sidecar~10.0.0.1~a.demo~x";
        let contact = at(second).to_rfc3339();
        let filter = json!({
            "node": node, "state": "in_step", "lastContact": contact, "digest": null, "plugins": plugins,
        });
        let answer = json!({"filters": [filter], "since": at(100).to_rfc3339()});
        Gathered::of(&[serde_json::from_value(answer).unwrap()]).unwrap()
    }

    /// The plugins that the proxy `a` lacks, each with the second since which it does.
    fn lacks((covered, silent): (usize, Vec<Silent>)) -> Option<String> {
        assert_eq!(covered, 1);
        let [silent] = &silent[..] else { return None };
        let missing = silent.missing.iter();
        let missing = missing.map(|lost| format!("{} {}", lost.plugin, lost.since.as_millis() / 1_000));
        Some(missing.collect::<Vec<_>>().join(", "))
    }

    #[test]
    fn a_proxy_that_lost_one_of_its_plugins_lacks_that_one() {
        let (proxies, inventory, mut leader) = ([proxy("a", 0)], both(), Leader::new());
        let mut at = |second, gathered| lacks(leader.hears(second, &proxies, &inventory, gathered));
        let outbound = |since: u64| Some(format!("demo/out {since}"));
        assert_eq!(at(0, named(0, Some(&["demo/in", "demo/out"]))), None);
        assert_eq!(at(500, named(490, Some(&["demo/in", "demo/out"]))), None);
        assert_eq!(at(530, named(521, Some(&["demo/in"]))), outbound(521), "at once: it had time to run");
        assert_eq!(at(560, named(551, Some(&["demo/in"]))), outbound(521));
        // It polls no more, and then only a filter of an older release does.
        let both_since = Some("demo/in 551, demo/out 521".to_owned());
        assert_eq!(
            at(900, gathered(&[("a", "gone", 551)])),
            both_since,
            "each was lost at a time of its own"
        );
        assert_eq!(at(910, named(905, None)), None);
        assert_eq!(at(940, named(935, Some(&["demo/in"]))), outbound(935));
        assert_eq!(at(970, named(965, Some(&["demo/in", "demo/out"]))), None);
    }

    #[test]
    fn the_next_leader_takes_a_plugin_that_was_lost_alone_for_the_same_loss() {
        let (proxies, inventory, only_in) = ([proxy("a", 0)], both(), Some(&["demo/in"][..]));
        // The former leader sent it at 600.
        let tried = |leader: &mut Leader, second| {
            let (_, silent) = leader.hears(second, &proxies, &inventory, named(second, only_in));
            let [silent] = &silent[..] else { panic!("{silent:?}") };
            let out = inventory.plugins.iter().find(|plugin| plugin.metadata.name == "out").unwrap();
            let tried = |sent| {
                let known = OurPlugin { plugin: out.clone(), sent: Some(at(sent)), count: MOST };
                let need = need(&known, std::slice::from_ref(silent), &gathered(&[]), at(2_000));
                need.silent.iter().map(|pod| pod.tried).collect::<Vec<_>>()
            };
            (tried(600), tried(900))
        };
        let (mut next, mut saw_it) = (Leader::new(), Leader::new());
        next.hears(700, &proxies, &inventory, named(700, only_in));
        next.hears(750, &proxies, &inventory, named(745, only_in));
        assert_eq!(tried(&mut next, 800), (vec![MOST - 1], vec![MOST]), "it was lost before, as it seems");
        saw_it.hears(700, &proxies, &inventory, named(700, Some(&["demo/in", "demo/out"])));
        saw_it.hears(750, &proxies, &inventory, named(745, Some(&["demo/in", "demo/out"])));
        assert_eq!(tried(&mut saw_it, 800), (vec![0], vec![MOST]), "it is lost anew");
    }

    #[test]
    fn a_plugin_that_is_new_has_time_until_a_poll_that_begins_later() {
        let (proxies, mut leader) = ([proxy("a", 0)], Leader::new());
        let one = inventory(&json!([{"metadata": {"namespace": "demo", "name": "in"}, "spec": {}}]));
        assert_eq!(lacks(leader.hears(0, &proxies, &one, named(0, Some(&["demo/in"])))), None);
        // The second plugin is there from 500 on. The poll is held for five minutes.
        let mut at =
            |second, began| lacks(leader.hears(second, &proxies, &both(), named(began, Some(&["demo/in"]))));
        for second in [500, 539, 540, 600, 780] {
            assert_eq!(at(second, 490), None, "{second}");
        }
        assert_eq!(at(795, 790).as_deref(), Some("demo/out 790"));
    }

    #[test]
    fn a_plugin_that_is_no_longer_for_a_proxy_is_not_missing() {
        let (proxies, mut leader) = ([proxy("a", 0)], Leader::new());
        let one = inventory(&json!([{"metadata": {"namespace": "demo", "name": "in"}, "spec": {}}]));
        let both = both();
        leader.hears(0, &proxies, &both, named(0, Some(&["demo/in"])));
        leader.hears(500, &proxies, &both, named(490, Some(&["demo/in"])));
        let mut at = |second, inventory| {
            lacks(leader.hears(second, &proxies, inventory, named(second, Some(&["demo/in"]))))
        };
        assert!(at(530, &both).is_some());
        assert_eq!(at(560, &one), None);
        assert_eq!(at(570, &both), None, "it is for it again, and has time again");
    }

    #[test]
    fn a_proxy_that_is_not_ready_is_not_accused() {
        let mut starting = Proxy::clone(&proxy("a", 0));
        starting.is_ready = false;
        assert_eq!(silent(&[Arc::new(starting), proxy("b", 0)], &[], 500), [("b".to_owned(), at(100))]);
    }

    #[test]
    fn a_proxy_that_is_not_ready_any_more_is_known_to_lack_what_it_lacked() {
        let inventory = inventory(&json!([{"metadata": {"namespace": "demo", "name": "hfi"}, "spec": {}}]));
        let (ready, mut leader) = (proxy("a", 0), Leader::new());
        let unready = Arc::new(Proxy { is_ready: false, ..Proxy::clone(&ready) });
        leader.looks(0, std::slice::from_ref(&ready), &inventory, &[]);
        for (second, proxy, polls, lacking) in [
            (500, &ready, &[][..], Some(true)),
            (510, &unready, &[], Some(false)),
            (520, &ready, &[], Some(true)),
            (530, &unready, &[("a", "in_step", 525)], None),
        ] {
            let (_, silent) = leader.looks(second, std::slice::from_ref(proxy), &inventory, polls);
            assert_eq!(silent.first().map(|silent| silent.is_ready), lacking, "{second}");
        }
    }

    #[test]
    fn a_proxy_that_no_plugin_is_for_may_be_silent() {
        let pod = |namespace: &str, app: &str, gateway: Option<&str>, kind| {
            let gateway = gateway
                .map(|gateway| ("gateway.networking.k8s.io/gateway-name".to_owned(), gateway.to_owned()));
            let labels = [("app".to_owned(), app.to_owned())].into_iter().chain(gateway).collect();
            let name = Name { namespace: namespace.into(), name: app.into() };
            let pod = Pod { name, labels, kind, has_proxy: true, ..Pod::default() };
            let (uid, started) = (format!("{namespace}/{app}"), at(0));
            Arc::new(Proxy { uid, started, is_ready: true, pod })
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
