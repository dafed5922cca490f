//! The pods of a cluster, as the replica knows them that looks for their proxies.

use std::collections::{HashMap, HashSet};

use policies::{Timestamp, wire::poll::NodeId};

use crate::{
    api::filters::FilterState,
    fleet::{filters::Filter, shared::Others},
    kubernetes::ClusterHealth,
};

/// Each as `POD.NAMESPACE`.
#[derive(Debug, Default)]
pub(super) struct Pods {
    /// Their proxy should run the filter, and does not.
    silent: HashSet<String>,
    /// Their proxy has ended, and since when that is known.
    ended: HashMap<String, Timestamp>,
}

impl Pods {
    /// As this replica knows them, or one of the others.
    pub(super) fn of(cluster: Option<&ClusterHealth>, others: Option<&Others>) -> Self {
        let told = others.iter().flat_map(|others| &others.silent_pods).cloned();
        let own = cluster.iter().flat_map(|cluster| cluster.silent_pods());
        let silent = own.chain(told).collect();
        let told = others.iter().flat_map(|others| &others.ended_pods);
        let ended = cluster.iter().flat_map(|cluster| cluster.ended.iter()).chain(told).cloned().collect();
        Self { silent, ended }
    }

    /// True if the proxy of a filter is known to have ended since it polled: it injects nothing.
    pub(super) fn has_ended(&self, filter: &Filter) -> bool {
        let ended = pod(&filter.node).and_then(|pod| self.ended.get(pod));
        ended.is_some_and(|ended| filter.contact < *ended)
    }

    /// The number of proxies that should run the filter, and of which no replica hears.
    pub(super) fn not_heard(&self, filters: &[Filter]) -> usize {
        let polling = filters.iter().filter(|filter| filter.state != FilterState::Gone);
        let polling: HashSet<_> = polling.filter_map(|filter| pod(&filter.node)).collect();
        self.silent.iter().filter(|silent| !polling.contains(silent.as_str())).count()
    }
}

/// The pod in the id of a node as Istio makes it: `sidecar~ADDRESS~POD.NAMESPACE~DOMAIN`.
fn pod(node: &NodeId) -> Option<&str> {
    node.as_str().split('~').nth(2)
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use policies::{Scope, Timestamp};

    use super::{ClusterHealth, Filter, FilterState, NodeId, Others, Pods};
    use crate::api::kubernetes::{Proxies, SilentProxy};

    fn filter(pod: &str, state: FilterState) -> Filter {
        Filter {
            node: NodeId::parse(&format!("sidecar~10.0.0.1~{pod}~demo.svc")).unwrap(),
            variant: Arc::new(Scope::unknown().into()),
            plugins: None,
            digest: None,
            given: None,
            is_newest: false,
            contact: Timestamp::from_millis(0),
            state,
        }
    }

    /// A cluster whose leader misses the proxies of these pods of the namespace `demo`.
    fn missing(pods: &[&str]) -> ClusterHealth {
        let silent = pods.iter().map(|pod| SilentProxy {
            namespace: "demo".to_owned(),
            plugins: Vec::new(),
            pod: (*pod).to_owned(),
            since: Timestamp::from_millis(0).into(),
            since_by_plugin: std::collections::BTreeMap::new(),
        });
        let proxies = Proxies { silent: silent.collect(), ..Proxies::default() };
        ClusterHealth { proxies: Some(Arc::new(proxies)), ..ClusterHealth::default() }
    }

    #[test]
    fn a_filter_has_ended_with_its_pod_and_not_one_that_polls_later_by_the_same_name() {
        let at = |second: u64| Timestamp::from_millis(second * 1_000);
        let polled = |second| Filter { contact: at(second), ..filter("a.demo", FilterState::Gone) };
        let ended = || vec![("a.demo".to_owned(), at(10))];
        let cluster = ClusterHealth { ended: ended().into(), ..ClusterHealth::default() };
        let others = Others { ended_pods: ended(), ..Others::default() };
        for pods in [Pods::of(Some(&cluster), None), Pods::of(None, Some(&others))] {
            assert!(pods.has_ended(&polled(9)) && !pods.has_ended(&polled(10)));
            assert!(!pods.has_ended(&filter("b.demo", FilterState::Gone)));
        }
        assert!(!Pods::of(None, None).has_ended(&polled(9)));
    }

    #[test]
    fn a_proxy_that_lacks_a_plugin_and_polls_by_another_one_is_heard() {
        let cluster = missing(&["in-only", "cut-off", "lost"]);
        let filters =
            [filter("in-only.demo", FilterState::InStep), filter("cut-off.demo", FilterState::Gone)];
        assert_eq!(Pods::of(Some(&cluster), None).not_heard(&filters), 2);
        assert_eq!(Pods::of(None, None).not_heard(&filters), 0);
        // The replica that looks for them is another one, or both do.
        let others = Others { silent_pods: vec!["lost.demo".to_owned()], ..Others::default() };
        assert_eq!(Pods::of(None, Some(&others)).not_heard(&filters), 1);
        assert_eq!(Pods::of(Some(&cluster), Some(&others)).not_heard(&filters), 2);
    }
}
