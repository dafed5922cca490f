//! Names and kinds of the filter's stats. Envoy's `/stats` shows them with the prefix `wasmcustom.`.

/// Kind of a stat, as Envoy has them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    Counter,
    Gauge,
    Histogram,
}

/// One value for each stat: its definition, or its id in the host.
#[derive(Clone, Copy, Debug)]
pub struct Stats<T> {
    pub aborts: T,
    pub delays: T,
    pub cancelled: T,
    pub shadow: T,
    pub overflow: T,
    pub undecided: T,
    pub delay_duration: T,
    pub held: T,
    pub policies: T,
    pub updates: T,
    pub failures: T,
}

/// Kind and name of each stat.
pub const STATS: Stats<(Kind, &str)> = Stats {
    aborts: (Kind::Counter, "hfi.faults.aborts_total"),
    delays: (Kind::Counter, "hfi.faults.delays_total"),
    cancelled: (Kind::Counter, "hfi.faults.cancelled_total"),
    shadow: (Kind::Counter, "hfi.faults.shadow_total"),
    overflow: (Kind::Counter, "hfi.faults.overflow_total"),
    undecided: (Kind::Counter, "hfi.faults.undecided_total"),
    delay_duration: (Kind::Histogram, "hfi.faults.delay_duration_milliseconds"),
    held: (Kind::Gauge, "hfi.faults.active"),
    policies: (Kind::Gauge, "hfi.policies.active"),
    updates: (Kind::Counter, "hfi.sync.updates_total"),
    failures: (Kind::Counter, "hfi.sync.failures_total"),
};

/// One value for each counter of a policy.
#[derive(Clone, Copy, Debug, Default)]
pub struct PolicyStats<T> {
    pub aborts: T,
    pub delays: T,
    pub cancelled: T,
    pub shadow: T,
}

/// Last part of the name of each counter of a policy.
pub const POLICY_STATS: PolicyStats<&str> = PolicyStats {
    aborts: "aborts_total",
    delays: "delays_total",
    cancelled: "cancelled_total",
    shadow: "shadow_total",
};

/// Name of a counter of a policy. Istio turns the text between `tag.` and `;.` into a label.
pub fn policy_stat(policy: &str, counter: &str) -> String {
    format!("hfi.policy.tag.{policy};.{counter}")
}

impl<T> Stats<T> {
    /// Each value, replaced by the result of `f`.
    pub fn map<U>(self, mut f: impl FnMut(T) -> U) -> Stats<U> {
        let Self {
            aborts,
            delays,
            cancelled,
            shadow,
            overflow,
            undecided,
            delay_duration,
            held,
            policies,
            updates,
            failures,
        } = self;
        Stats {
            aborts: f(aborts),
            delays: f(delays),
            cancelled: f(cancelled),
            shadow: f(shadow),
            overflow: f(overflow),
            undecided: f(undecided),
            delay_duration: f(delay_duration),
            held: f(held),
            policies: f(policies),
            updates: f(updates),
            failures: f(failures),
        }
    }
}
