//! The totals of one policy in one life of an Envoy.

use policies::wire::{CountedName, FaultCounts};

use super::{
    Millis,
    recent::{Recent, Requests},
};

/// The most requests a second that are believed of one proxy.
const MOST_PER_SECOND: u64 = 1_000_000;
/// The time that a proxy can have run before its first report: a year.
const LONGEST_LIFE: Millis = 365 * 24 * 3_600 * 1_000;
/// The shortest time over which a rate is measured. Two plugins of a proxy may report at the same moment.
const SHORTEST: Millis = 2_000;
/// The time after which totals that have not grown are taken for those of now. Another replica tells the same report again
/// and again, each time as one that came a little later.
const IDLE: Millis = 8_000;
/// The time for which a rate holds at least: a proxy reports every 10 s.
const HOLDS: Millis = 15_000;
/// The same at most, however long ago the report before was: one and a half times the longest interval of reports.
const HOLDS_AT_MOST: Millis = 450_000;

/// The totals of a policy in one life, and the pace at which they grow.
#[derive(Clone, Debug)]
pub(super) struct Row {
    pub(super) name: CountedName,
    pub(super) totals: FaultCounts<u64>,
    /// The time that the rate was measured at, and the totals then: the greatest of all, and those of matched requests and
    /// of faults.
    at: Millis,
    greatest: u64,
    matched: u64,
    faults: u64,
    /// The matched requests and the faults in a second, and the milliseconds that they were measured over.
    matched_rate: f32,
    faults_rate: f32,
    span: f32,
}

/// The sums of a policy.
#[derive(Clone, Debug, Default)]
pub(super) struct Policy {
    pub(super) counts: FaultCounts<u64>,
    pub(super) recent: Recent,
    /// The time at which a count of it grew.
    pub(super) changed: Millis,
    /// Some reports had no room.
    pub(super) is_partial: bool,
    /// The last time that a life that counted it was given up.
    pub(super) folded: Option<Millis>,
}

impl Row {
    /// A row without counts. `followed` is the time of the last report that did not have it; without that, it is not
    /// known since when the first counts come.
    pub(super) fn new(
        name: CountedName,
        first: FaultCounts<u64>,
        at: Millis,
        followed: Option<Millis>,
    ) -> Self {
        let (at, first) = match followed {
            Some(followed) => (followed, FaultCounts::default()),
            None => (at, first),
        };
        Self {
            name,
            totals: FaultCounts::default(),
            at,
            greatest: greatest(first),
            matched: first.matched,
            faults: faults(first),
            matched_rate: 0.0,
            faults_rate: 0.0,
            span: 0.0,
        }
    }

    /// Tells whether a proxy can count so much until its first report.
    pub(super) fn can_begin_with(counts: FaultCounts<u64>) -> bool {
        greatest(counts) / (LONGEST_LIFE / 1_000) <= MOST_PER_SECOND
    }

    /// Tells whether a proxy can have counted so much since it was last heard.
    pub(super) fn can_become(&self, told: FaultCounts<u64>, now: Millis) -> bool {
        let millis = now.saturating_sub(self.at).max(1_000);
        let grown = greatest(told).saturating_sub(self.greatest);
        grown <= millis.saturating_mul(MOST_PER_SECOND / 1_000)
    }

    /// Takes over totals that were told at a time, as far as they are greater than those that are known.
    pub(super) fn merge(&mut self, told: FaultCounts<u64>, at: Millis, policy: &mut Policy) {
        let before = self.totals;
        self.totals = before.zip(told, u64::max);
        if self.totals != before {
            let grown = self.totals.zip(before, u64::saturating_sub);
            policy.counts = policy.counts.zip(grown, u64::saturating_add);
            policy.changed = policy.changed.max(at);
        }
        let span = at.saturating_sub(self.at);
        let has_grown = greatest(self.totals) > self.greatest;
        if span >= SHORTEST && (has_grown || span >= IDLE) {
            let grown = Requests {
                matched: self.totals.matched.saturating_sub(self.matched) as f64,
                faults: faults(self.totals).saturating_sub(self.faults) as f64,
            };
            policy.recent.add(grown, self.at, at);
            let in_a_second = |requests: f64| (requests * 1_000.0 / span as f64) as f32;
            (self.matched_rate, self.faults_rate) = (in_a_second(grown.matched), in_a_second(grown.faults));
            (self.at, self.span, self.greatest) = (at, span as f32, greatest(self.totals));
            (self.matched, self.faults) = (self.totals.matched, faults(self.totals));
        }
    }

    /// The requests in a second now, and the time since which they are not yet among those of the last minute.
    pub(super) fn rate(&self, now: Millis) -> Option<(Requests, Millis)> {
        let holds = ((f64::from(self.span) * 1.5) as Millis).clamp(HOLDS, HOLDS_AT_MOST);
        let rate = Requests { matched: self.matched_rate.into(), faults: self.faults_rate.into() };
        (rate != Requests::default() && now.saturating_sub(self.at) <= holds).then_some((rate, self.at))
    }
}

/// Requests that got a fault.
fn faults(counts: FaultCounts<u64>) -> u64 {
    counts.chosen.saturating_sub(counts.shadow).saturating_sub(counts.overflow)
}

fn greatest(counts: FaultCounts<u64>) -> u64 {
    counts.into_array().into_iter().max().unwrap_or_default()
}
