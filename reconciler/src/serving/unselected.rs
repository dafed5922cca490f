//! A lint: policies that select none of the workloads whose proxies wait here. Most likely a mistyped name.

use std::sync::Arc;

use policies::{Policy, repository::ActiveSet};

use super::publisher::Publisher;

/// The product of policies and workloads above which nothing is compared.
const MAX_COMPARISONS: usize = 1_000_000;

/// Looks at each policy once, when it becomes active.
#[derive(Debug, Default)]
pub(crate) struct UnselectedPolicies {
    /// The active policies at the last check.
    seen: Arc<ActiveSet>,
}

impl UnselectedPolicies {
    /// The policies that became active since the last check and select no workload. Empty while no proxy waits.
    pub(crate) fn new_ones(&mut self, publisher: &Publisher) -> Vec<Arc<Policy>> {
        let (active, workloads) = publisher.waited_for();
        if workloads.is_empty() {
            return Vec::new();
        }
        let mut arrived = active.changes(&self.seen).arrived;
        self.seen = active;
        if workloads.len().saturating_mul(arrived.len()) > MAX_COMPARISONS {
            return Vec::new();
        }
        arrived.retain(|policy| {
            !workloads.iter().any(|workload| workload.scope.is_selected_by(&policy.selector))
        });
        arrived
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use policies::{Catalog, File, Scope, Timestamp, repository::Sources};

    use super::UnselectedPolicies;
    use crate::{
        serving::{gate::Gate, published::Whole},
        source::{Revision, ancestry::Ancestry},
    };

    fn publish(gate: &Gate, services: &[&str]) {
        let one = |service: &&str| {
            format!(
                "metadata: {{name: {service}}}\nspec: {{selector: {{service: {service}}}, rules: [{{fault: {{percentage: 1, delay_ms: 1}}}}]}}\n---\n"
            )
        };
        let file = File::read(services.iter().map(one).collect::<String>().as_bytes());
        let path = "a.yaml".into();
        let sources = Sources { files: vec![(&path, &file)], ..Sources::default() };
        let catalog = Catalog::new(&sources, |_, _| None).into();
        let at = Timestamp::from_millis(0);
        let (revision, ancestry) = (Revision::new("main@sha1:1".into()), Ancestry::default());
        gate.publish(Whole { revision, ancestry, signed: None, catalog, at }, None);
    }

    #[test]
    fn a_policy_for_a_workload_that_never_polled_is_found_once() {
        let gate = Gate::default();
        let publisher = Arc::clone(gate.publisher());
        let mut unselected = UnselectedPolicies::default();
        publish(&gate, &["checkout", "chekout"]);
        assert!(unselected.new_ones(&publisher).is_empty(), "no proxy has asked yet");
        let waiting = publisher.subscribe(Arc::new(Scope::new(["demo"], ["checkout"]).unwrap().into()));
        let found: Vec<_> =
            unselected.new_ones(&publisher).iter().map(|policy| policy.name.to_string()).collect();
        assert_eq!(found, ["chekout"]);
        assert!(unselected.new_ones(&publisher).is_empty(), "it was found before");
        drop(waiting);
    }
}
