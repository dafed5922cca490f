//! Counts and records the filter's stats in Envoy.

use std::{
    cell::{Cell, RefCell},
    collections::HashMap,
    rc::Rc,
    time::Duration,
};

use policies::wire::OTHER;
use proxy_wasm::types::MetricType;

use super::host;
use crate::stats::{Kind, POLICY_STATS, PolicyStats, STATS, Stats, policy_stat};

/// Number of policies whose faults a VM counts separately. Faults of further policies are counted
/// together, since Envoy never removes a metric.
const MAX_POLICIES: usize = 100;

/// Ids of the metrics; `None` if the host did not define one.
pub(super) struct Metrics {
    ids: Stats<Option<u32>>,
    /// Last value of the gauge `policies` that this VM set.
    last_policies: Cell<Option<usize>>,
    /// Each id is defined when it is first counted.
    by_policy: RefCell<HashMap<Rc<str>, PolicyStats<Option<u32>>>>,
}

impl Metrics {
    pub(super) fn define() -> Self {
        let define = |(kind, name)| {
            let kind = match kind {
                Kind::Counter => MetricType::Counter,
                Kind::Gauge => MetricType::Gauge,
                Kind::Histogram => MetricType::Histogram,
            };
            host::define_metric(kind, name)
        };
        Self { ids: STATS.map(define), last_policies: Cell::new(None), by_policy: RefCell::default() }
    }

    pub(super) fn count_abort(&self, policy: &Rc<str>) {
        add(self.ids.aborts, 1);
        self.count(policy, POLICY_STATS.aborts, |known| &mut known.aborts);
    }

    /// Counts a fault of a policy in shadow mode, which was not injected.
    pub(super) fn count_shadow(&self, policy: &Rc<str>) {
        add(self.ids.shadow, 1);
        self.count(policy, POLICY_STATS.shadow, |known| &mut known.shadow);
    }

    /// Counts a delay that begins.
    pub(super) fn count_delay(&self, policy: &Rc<str>) {
        add(self.ids.delays, 1);
        self.count(policy, POLICY_STATS.delays, |known| &mut known.delays);
    }

    /// Counts a request that continues without its fault.
    pub(super) fn count_cancelled(&self, policy: &Rc<str>) {
        add(self.ids.cancelled, 1);
        self.count(policy, POLICY_STATS.cancelled, |known| &mut known.cancelled);
    }

    /// Records the duration of a delay that has ended.
    pub(super) fn record_delay(&self, duration: Duration) {
        record(self.ids.delay_duration, duration.as_millis() as u64);
    }

    /// Counts a request that continued because the limit of held requests was reached.
    pub(super) fn count_overflow(&self) {
        add(self.ids.overflow, 1);
    }

    /// Counts a request that continued because matching it took too much work.
    pub(super) fn count_undecided(&self) {
        add(self.ids.undecided, 1);
    }

    /// Adds to the number of held requests. All workers share the gauge, so none can set it.
    pub(super) fn add_held(&self, change: i64) {
        if change != 0 {
            add(self.ids.held, change);
        }
    }

    /// Sets the number of policies in force. Only the leader does: workers would overwrite each other.
    pub(super) fn set_active_policies(&self, policies: usize) {
        if self.last_policies.replace(Some(policies)) != Some(policies) {
            record(self.ids.policies, policies as u64);
        }
    }

    /// Forgets the gauge's last value: another VM may have set it since.
    pub(super) fn became_leader(&self) {
        self.last_policies.set(None);
    }

    pub(super) fn count_update(&self) {
        add(self.ids.updates, 1);
    }

    pub(super) fn count_sync_failure(&self) {
        add(self.ids.failures, 1);
    }

    fn count(
        &self,
        policy: &Rc<str>,
        counter: &str,
        which: impl Fn(&mut PolicyStats<Option<u32>>) -> &mut Option<u32>,
    ) {
        let mut by_policy = self.by_policy.borrow_mut();
        let is_known = by_policy.contains_key(policy);
        let policy =
            if is_known || by_policy.len() < MAX_POLICIES { Rc::clone(policy) } else { OTHER.into() };
        let id = which(by_policy.entry(Rc::clone(&policy)).or_default());
        if id.is_none() {
            *id = host::define_metric(MetricType::Counter, &policy_stat(&policy, counter));
        }
        add(*id, 1);
    }
}

fn add(id: Option<u32>, change: i64) {
    if let Some(id) = id {
        host::increment_metric(id, change);
    }
}

fn record(id: Option<u32>, value: u64) {
    if let Some(id) = id {
        host::record_metric(id, value);
    }
}
