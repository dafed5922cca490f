//! Reports of the proxy's totals to the control plane, as polls carry them.

use std::collections::HashMap;

use policies::wire::{Count, CountedName, Epoch, FaultCounts, FaultReport, FaultRow};

use super::totals::Totals;

/// Reports of one VM, and what the control plane has answered.
#[derive(Debug, Default)]
pub struct Reporter {
    /// Epoch of all that is told.
    epoch: Option<Epoch>,
    told: HashMap<CountedName, Told>,
    /// Report of the poll under way.
    under_way: Option<FaultReport>,
    /// Number of reports so far.
    reports: u64,
}

/// What was told of one policy.
#[derive(Debug, Default)]
struct Told {
    /// Totals in the last report of it that was answered.
    answered: Option<FaultCounts>,
    /// Number of the last report of it, answered or not.
    last_report: u64,
}

impl Reporter {
    /// True if a total differs from the last answered one.
    pub fn has_news(&self, totals: &Totals) -> bool {
        rows(totals).any(|row| self.is_news(totals, &row))
    }

    /// Report for the next poll: first policies with news, then those that were not in a report for longest. `None`
    /// if nothing was counted.
    pub fn next_report(&mut self, totals: &Totals) -> Option<FaultReport> {
        if self.epoch.as_ref() != Some(&totals.epoch) {
            self.epoch = Some(totals.epoch.clone());
            self.told.clear();
        }
        let ranked = |row: FaultRow| {
            let last_report = self.told.get(&row.name).map_or(0, |told| told.last_report);
            ((!self.is_news(totals, &row), last_report), row)
        };
        let mut rows: Vec<_> = rows(totals).map(ranked).collect();
        // There are few. A sort would add a fifteenth to the module.
        let in_order = std::iter::from_fn(|| {
            let (first, _) = rows.iter().enumerate().min_by_key(|(_, (rank, _))| *rank)?;
            Some(rows.swap_remove(first).1)
        });
        let report = FaultReport::fill(totals.epoch.clone(), in_order);
        let report = (!report.rows().is_empty()).then_some(report);
        self.reports += 1;
        for row in report.iter().flat_map(FaultReport::rows) {
            self.told.entry(row.name.clone()).or_default().last_report = self.reports;
        }
        self.under_way.clone_from(&report);
        report
    }

    /// Records that the poll under way was answered.
    pub fn record_answer(&mut self) {
        let Some(report) = self.under_way.take() else { return };
        for row in report.rows() {
            if let Some(told) = self.told.get_mut(&row.name) {
                told.answered = Some(row.counts);
            }
        }
    }

    fn is_news(&self, totals: &Totals, row: &FaultRow) -> bool {
        let is_known_epoch = self.epoch.as_ref() == Some(&totals.epoch);
        let answered = self.told.get(&row.name).filter(|_| is_known_epoch).and_then(|told| told.answered);
        answered != Some(row.counts)
    }
}

fn rows(totals: &Totals) -> impl Iterator<Item = FaultRow> {
    let row = |(name, counts): &(CountedName, FaultCounts<u64>)| FaultRow {
        name: name.clone(),
        counts: counts.map(Count::saturating),
    };
    totals.policies.iter().map(row)
}
