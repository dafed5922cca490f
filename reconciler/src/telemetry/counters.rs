//! Counters: totals since the process started. A new one is a field of [`Counters`] and a line in `expose`.

use std::time::Duration;

use prometheus_client::{
    metrics::{
        counter::Counter,
        family::Family,
        histogram::{Histogram, exponential_buckets},
    },
    registry::Unit,
};

use super::exposition::Exposition;

type Labels<const N: usize> = [(&'static str, &'static str); N];

/// All counters. A clone counts into the same totals.
#[derive(Clone, Debug, Default)]
pub struct Counters {
    pub reconciles: Reconciles,
    pub notifications: Notifications,
    /// Requests for a module that this replica does not have.
    pub unknown_modules: Counter,
    pub refusals: Refusals,
    pub writes: Writes,
    pub reports: Reports,
}

/// The result of something that is counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    Success,
    Failure,
}

/// Reads of the source, by result.
#[derive(Clone, Debug)]
pub struct Reconciles {
    total: Family<Labels<1>, Counter>,
    duration: Histogram,
}

/// Push notifications, by forge and result.
#[derive(Clone, Debug, Default)]
pub struct Notifications {
    total: Family<Labels<2>, Counter>,
}

/// Requests whose sender may not send them, by result.
#[derive(Clone, Debug, Default)]
pub struct Refusals {
    total: Family<Labels<1>, Counter>,
}

/// Reports of faults that are left out, by reason.
#[derive(Clone, Debug, Default)]
pub struct Reports {
    left_out: Family<Labels<1>, Counter>,
}

/// Changes of policies, by result, and their pushes.
#[derive(Clone, Debug)]
pub struct Writes {
    total: Family<Labels<1>, Counter>,
    pub push_duration: Histogram,
    /// Pushes that were tried again, because somebody else had pushed first.
    pub retries: Counter,
    /// Pushes without an answer that were taken for lost.
    pub lost: Counter,
}

impl Default for Writes {
    fn default() -> Self {
        Self {
            total: Family::default(),
            push_duration: Histogram::new(exponential_buckets(0.001, 2.0, 16)),
            retries: Counter::default(),
            lost: Counter::default(),
        }
    }
}

impl Writes {
    pub fn note(&self, result: &'static str) {
        self.total.get_or_create(&[("result", result)]).inc();
    }
}

impl Refusals {
    pub fn note(&self, result: &'static str) {
        self.total.get_or_create(&[("result", result)]).inc();
    }
}

impl Reports {
    pub fn left_out(&self, reason: &'static str, rows: u64) {
        if rows > 0 {
            self.left_out.get_or_create(&[("reason", reason)]).inc_by(rows);
        }
    }
}

impl Default for Reconciles {
    fn default() -> Self {
        // From 1 ms to 33 s: from a read that finds nothing new to a fetch that ends at its deadline.
        Self { total: Family::default(), duration: Histogram::new(exponential_buckets(0.001, 2.0, 16)) }
    }
}

impl Counters {
    /// Adds all counters to a scrape.
    pub fn expose(&self, exposition: &mut Exposition) {
        let Self {
            reconciles: Reconciles { total, duration },
            notifications,
            unknown_modules,
            refusals,
            writes,
            reports,
        } = self.clone();
        let registry = &mut exposition.registry;
        registry.register("reconciles", "Reads of the source, by result", total);
        let help = "The time of a read of the source, until its policies are served";
        registry.register_with_unit("reconcile_duration", help, Unit::Seconds, duration);
        registry.register("notifications", "Push notifications, by forge and result", notifications.total);
        let help = "Requests for a filter module that this replica does not have";
        registry.register("unknown_module_requests", help, unknown_modules);
        let help = "Reads, halts and requests of browsers whose sender may not send them, by result";
        registry.register("requests_refused", help, refusals.total);
        registry.register("writes", "Requests to change policies, by result", writes.total);
        let help = "The time of a push";
        registry.register_with_unit("push_duration", help, Unit::Seconds, writes.push_duration);
        let help = "Pushes that were tried again, because somebody else had pushed first";
        registry.register("push_retries", help, writes.retries);
        let help = "Pushes without an answer that had not arrived after 10 minutes";
        registry.register("pushes_lost", help, writes.lost);
        let help = "Reports of faults, and rows of them, that are left out, by reason";
        registry.register("reports_left_out", help, reports.left_out);
    }
}

impl Reconciles {
    pub fn note(&self, outcome: Outcome, took: Duration) {
        self.total.get_or_create(&[("result", outcome.label())]).inc();
        self.duration.observe(took.as_secs_f64());
    }
}

impl Notifications {
    pub fn note(&self, forge: &'static str, outcome: Outcome) {
        self.total.get_or_create(&[("forge", forge), ("result", outcome.label())]).inc();
    }
}

impl Outcome {
    fn label(self) -> &'static str {
        match self {
            Self::Success => "success",
            Self::Failure => "failure",
        }
    }
}
