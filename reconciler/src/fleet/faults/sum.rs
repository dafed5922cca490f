//! The counts that are shown.

use std::collections::HashMap;

use policies::{
    Timestamp,
    wire::{CountedName, FaultCounts},
};

use super::{
    Millis,
    key::Key,
    life::is_over,
    recent::{Recent, Requests, SECONDS},
    row::Policy,
    table::Table,
};
use crate::api::measured::Measured;

/// The counts of one policy, over all proxies.
#[derive(Clone, Debug)]
pub struct PolicySum {
    sum: Sum,
    /// The part of the matched requests that got a fault in the last 60 s, if there were any.
    recent_share: Option<f64>,
    /// The faults in each of the last 60 s, the oldest first.
    pub last_minute: [f64; SECONDS],
}

/// The counts of one proxy, over all policies.
#[derive(Clone, Debug, Default)]
pub struct FilterSum(Sum);

#[derive(Clone, Debug, Default)]
struct Sum {
    counts: FaultCounts<u64>,
    /// The faults a second.
    rate: f64,
    /// The proxies that reported within the last 16 minutes.
    filters: usize,
    is_partial: bool,
}

impl PolicySum {
    /// `since`: the time since which reports are taken; `is_complete`: those of all replicas are known.
    pub fn measured(&self, since: Timestamp, is_complete: bool) -> Measured {
        Measured { recent_share: self.recent_share, ..self.sum.measured(since, is_complete) }
    }

    fn of(sum: Sum, last_minute: &[Requests; SECONDS]) -> Self {
        let all = |of: fn(&Requests) -> f64| last_minute.iter().map(of).sum::<f64>();
        let (matched, faults) = (all(|second| second.matched), all(|second| second.faults));
        // To a millionth, as percentages are configured.
        let share = |of: f64| ((faults / of).min(1.0) * 1_000_000.0).round() / 1_000_000.0;
        Self {
            sum,
            recent_share: Some(matched).filter(|matched| *matched > 0.0).map(share),
            last_minute: last_minute.map(|second| second.faults),
        }
    }
}

impl FilterSum {
    /// As [`PolicySum::measured`].
    pub fn measured(&self, since: Timestamp, is_complete: bool) -> Measured {
        self.0.measured(since, is_complete)
    }
}

impl Sum {
    fn measured(&self, since: Timestamp, is_complete: bool) -> Measured {
        let FaultCounts { matched, chosen, aborts, delays, shadow, overflow } = self.counts;
        Measured {
            aborts,
            chosen,
            delays,
            filters: self.filters,
            matched,
            overflow,
            partial: self.is_partial || !is_complete,
            per_second: (self.rate * 1_000.0).round() / 1_000.0,
            recent_share: None,
            shadow,
            share: (matched > 0).then(|| (chosen as f64 / matched as f64).min(1.0)),
            since: since.into(),
        }
    }
}

pub(super) fn policies(table: &Table, now: Millis) -> HashMap<CountedName, PolicySum> {
    let begin = |(name, policy): (&CountedName, &Policy)| {
        let is_folded = policy.folded.is_some_and(|folded| !is_over(folded, now));
        let sum = Sum { counts: policy.counts, is_partial: policy.is_partial || is_folded, ..Sum::default() };
        (name.clone(), (sum, policy.recent.clone(), None))
    };
    let mut sums: HashMap<_, (Sum, Recent, Option<Key>)> = table.policies.iter().map(begin).collect();
    for (key, life) in table.lives.iter() {
        for row in &life.rows {
            let Some((sum, recent, counted)) = sums.get_mut(&row.name) else { continue };
            if let Some((rate, since)) = row.rate(now) {
                sum.rate += rate.faults;
                // It goes on like that until the next report says how it went.
                let until_now = |rate: f64| rate * now.saturating_sub(since) as f64 / 1_000.0;
                let requests = Requests { matched: until_now(rate.matched), faults: until_now(rate.faults) };
                recent.add(requests, since, now);
            }
            // The lives of one proxy follow each other.
            if !life.is_over(now) && counted.replace(key.node) != Some(key.node) {
                sum.filters += 1;
            }
        }
    }
    let end = |(name, (sum, recent, _)): (_, (Sum, Recent, _))| {
        (name, PolicySum::of(sum, &recent.last_minute(now)))
    };
    sums.into_iter().map(end).collect()
}

/// In order.
pub(super) fn filters(table: &Table, now: Millis) -> Vec<(Key, FilterSum)> {
    let mut sums = Vec::<(Key, FilterSum)>::new();
    for (key, life) in table.lives.iter() {
        if sums.last().is_none_or(|(node, _)| *node != key.node) {
            sums.push((key.node, FilterSum::default()));
        }
        let Some((_, FilterSum(sum))) = sums.last_mut() else { continue };
        sum.is_partial |= life.is_partial || table.is_crowded(now);
        sum.filters |= usize::from(!life.is_over(now));
        sum.counts = sum.counts.zip(life.counts(), u64::saturating_add);
        sum.rate +=
            life.rows.iter().filter_map(|row| row.rate(now)).map(|(rate, _)| rate.faults).sum::<f64>();
    }
    sums
}
