//! The filter's metrics, as Envoy's `/stats` shows them below `wasmcustom.`.

use std::time::Duration;

use proxy_wasm::{hostcalls, types::MetricType};

/// The host's ids of the metrics; `None` where it would not define one.
pub(super) struct Metrics {
    aborts: Option<u32>,
    delays: Option<u32>,
    shadow: Option<u32>,
    delay_duration: Option<u32>,
    held: Option<u32>,
    policies: Option<u32>,
    updates: Option<u32>,
    failures: Option<u32>,
}

impl Metrics {
    pub(super) fn define() -> Self {
        let define = |kind, name| hostcalls::define_metric(kind, name).ok();
        Self {
            aborts: define(MetricType::Counter, "hfi.faults.aborts_total"),
            delays: define(MetricType::Counter, "hfi.faults.delays_total"),
            shadow: define(MetricType::Counter, "hfi.faults.shadow_total"),
            delay_duration: define(MetricType::Histogram, "hfi.faults.delay_duration_milliseconds"),
            held: define(MetricType::Gauge, "hfi.faults.active"),
            policies: define(MetricType::Gauge, "hfi.policies.active"),
            updates: define(MetricType::Counter, "hfi.sync.updates_total"),
            failures: define(MetricType::Counter, "hfi.sync.failures_total"),
        }
    }

    pub(super) fn abort(&self) {
        add(self.aborts, 1);
    }

    /// A policy in shadow mode decided on a fault that was not injected.
    pub(super) fn shadow(&self) {
        add(self.shadow, 1);
    }

    /// A request was held for this long in the name of a delay.
    pub(super) fn delay(&self, held: Duration) {
        add(self.delays, 1);
        record(self.delay_duration, held.as_millis() as u64);
    }

    /// So many requests more, or fewer, are held. Added rather than set: all workers share the gauge.
    pub(super) fn held(&self, change: i64) {
        add(self.held, change);
    }

    /// How many policies can apply, as of the last update that a worker took.
    pub(super) fn policies_active(&self, policies: u64) {
        record(self.policies, policies);
    }

    pub(super) fn update(&self) {
        add(self.updates, 1);
    }

    pub(super) fn sync_failure(&self) {
        add(self.failures, 1);
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
