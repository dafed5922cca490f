//! The filter's metrics, as Envoy's `/stats` shows them below `wasmcustom.`.

use std::{
    cell::{Cell, RefCell},
    collections::HashMap,
    rc::Rc,
    time::Duration,
};

use proxy_wasm::{hostcalls, types::MetricType};

/// Of so many policies a VM counts the faults of each; those of further ones are counted together.
/// Envoy keeps a metric as long as it lives.
const MAX_POLICIES: usize = 100;
/// The name of the further ones: no policy can be called so.
const OTHERS: &str = "_other";

/// The host's ids of the metrics; `None` where it would not define one.
pub(super) struct Metrics {
    aborts: Option<u32>,
    delays: Option<u32>,
    shadow: Option<u32>,
    overflow: Option<u32>,
    delay_duration: Option<u32>,
    held: Option<u32>,
    policies: Option<u32>,
    policies_shown: Cell<Option<usize>>,
    updates: Option<u32>,
    failures: Option<u32>,
    by_policy: RefCell<HashMap<Rc<str>, ByPolicy>>,
}

/// The faults of one policy, each defined when it is first counted.
#[derive(Default)]
struct ByPolicy {
    aborts: Option<u32>,
    delays: Option<u32>,
    shadow: Option<u32>,
}

impl Metrics {
    pub(super) fn define() -> Self {
        let define = |kind, name| hostcalls::define_metric(kind, name).ok();
        Self {
            aborts: define(MetricType::Counter, "hfi.faults.aborts_total"),
            delays: define(MetricType::Counter, "hfi.faults.delays_total"),
            shadow: define(MetricType::Counter, "hfi.faults.shadow_total"),
            overflow: define(MetricType::Counter, "hfi.faults.overflow_total"),
            delay_duration: define(MetricType::Histogram, "hfi.faults.delay_duration_milliseconds"),
            held: define(MetricType::Gauge, "hfi.faults.active"),
            policies: define(MetricType::Gauge, "hfi.policies.active"),
            policies_shown: Cell::new(None),
            updates: define(MetricType::Counter, "hfi.sync.updates_total"),
            failures: define(MetricType::Counter, "hfi.sync.failures_total"),
            by_policy: RefCell::default(),
        }
    }

    pub(super) fn abort(&self, policy: &Rc<str>) {
        add(self.aborts, 1);
        self.count(policy, "aborts_total", |known| &mut known.aborts);
    }

    /// A policy in shadow mode decided on a fault that was not injected.
    pub(super) fn shadow(&self, policy: &Rc<str>) {
        add(self.shadow, 1);
        self.count(policy, "shadow_total", |known| &mut known.shadow);
    }

    /// A request is held in the name of a delay.
    pub(super) fn delay(&self, policy: &Rc<str>) {
        add(self.delays, 1);
        self.count(policy, "delays_total", |known| &mut known.delays);
    }

    /// A delay is over and was so long.
    pub(super) fn delayed(&self, held: Duration) {
        record(self.delay_duration, held.as_millis() as u64);
    }

    /// A request was let through because as many are held as may be.
    pub(super) fn overflow(&self) {
        add(self.overflow, 1);
    }

    /// So many requests more, or fewer, are held. Added rather than set: all workers share the gauge.
    pub(super) fn held(&self, change: i64) {
        if change != 0 {
            add(self.held, change);
        }
    }

    /// How many policies are in force. Only for the leader: workers would overwrite each other.
    pub(super) fn policies_active(&self, policies: usize) {
        if self.policies_shown.replace(Some(policies)) != Some(policies) {
            record(self.policies, policies as u64);
        }
    }

    /// Another VM may have shown another number since this one last did.
    pub(super) fn led(&self) {
        self.policies_shown.set(None);
    }

    pub(super) fn update(&self) {
        add(self.updates, 1);
    }

    pub(super) fn sync_failure(&self) {
        add(self.failures, 1);
    }

    fn count(&self, policy: &Rc<str>, what: &str, which: impl Fn(&mut ByPolicy) -> &mut Option<u32>) {
        let mut by_policy = self.by_policy.borrow_mut();
        let is_known = by_policy.contains_key(policy);
        let policy =
            if is_known || by_policy.len() < MAX_POLICIES { Rc::clone(policy) } else { OTHERS.into() };
        let id = which(by_policy.entry(Rc::clone(&policy)).or_default());
        if id.is_none() {
            // Istio makes a label of what stands between `tag.` and `;.`.
            let name = format!("hfi.policy.tag.{policy};.{what}");
            *id = hostcalls::define_metric(MetricType::Counter, &name).ok();
        }
        add(*id, 1);
    }
}

fn add(id: Option<u32>, change: i64) {
    if let Some(id) = id {
        let _ = hostcalls::increment_metric(id, change);
    }
}

fn record(id: Option<u32>, value: u64) {
    if let Some(id) = id {
        let _ = hostcalls::record_metric(id, value);
    }
}
