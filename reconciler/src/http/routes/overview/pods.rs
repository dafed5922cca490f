//! The pods of a cluster, as the replica knows them that looks for their proxies.

use std::collections::HashSet;

use policies::wire::poll::NodeId;

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
}

impl Pods {
    /// As this replica knows them, or one of the others.
    pub(super) fn of(cluster: Option<&ClusterHealth>, others: Option<&Others>) -> Self {
        let told = others.iter().flat_map(|others| &others.silent_pods).cloned();
        let own = cluster.iter().flat_map(|cluster| cluster.silent_pods());
        Self { silent: own.chain(told).collect() }
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
            scope: Scope::unknown(),
            plugins: None,
            digest: None,
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
    fn a_proxy_that_lacks_a_plugin_and_polls_by_another_one_is_heard() {
        let cluster = missing(&["in-only", "cut-off", "lost"]);
        let filters = [filter("in-only.demo", FilterState::InStep), filter("cut-off.demo", FilterState::Gone)];
        assert_eq!(Pods::of(Some(&cluster), None).not_heard(&filters), 2);
        assert_eq!(Pods::of(None, None).not_heard(&filters), 0);
        // The replica that looks for them is another one, or both do.
        let others = Others { silent_pods: vec!["lost.demo".to_owned()], ..Others::default() };
        assert_eq!(Pods::of(None, Some(&others)).not_heard(&filters), 1);
        assert_eq!(Pods::of(Some(&cluster), Some(&others)).not_heard(&filters), 2);
    }
}
