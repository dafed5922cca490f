//! Counters: totals since the process began.

use std::time::Duration;

use prometheus_client::metrics::{
    counter::Counter,
    family::Family,
    histogram::{Histogram, exponential_buckets},
};

pub(crate) type Labels<const N: usize> = [(&'static str, &'static str); N];

/// What became of something.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    Success,
    Failure,
}

/// Reconciles, by what became of them.
#[derive(Clone, Debug)]
pub struct Reconciles {
    pub(crate) total: Family<Labels<1>, Counter>,
    pub(crate) duration: Histogram,
}

/// Push notifications, by whence they came and what became of them.
#[derive(Clone, Debug, Default)]
pub struct Notifications {
    pub(crate) total: Family<Labels<2>, Counter>,
}

impl Default for Reconciles {
    fn default() -> Self {
        // From 1 ms to 33 s: a look that finds nothing, and a fetch at its deadline.
        Self { total: Family::default(), duration: Histogram::new(exponential_buckets(0.001, 2.0, 16)) }
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
