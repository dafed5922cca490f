//! One life of an Envoy process, as its reports describe it.

use std::time::Duration;

use policies::wire::{CountedName, FaultCounts};

use super::{Millis, row::Row};
use crate::clients::Client;

/// The time for which a silent proxy counts as one that reports: as long as a silent filter is remembered.
const MEMORY: Duration = Duration::from_secs(16 * 60);
/// The most rows that surely fit into every report, however long their names are.
pub(super) const ALWAYS_TOLD: usize = 4;

#[derive(Debug)]
pub(super) struct Life {
    /// The client that polls for it; none if it polls other replicas only.
    pub(super) client: Option<Client>,
    /// The time of its last report to any replica.
    pub(super) at: Millis,
    /// The time of the last one that came to this replica. Only this is told: what others say is later with each telling.
    pub(super) polled: Millis,
    /// The time of the last report after which no count of it was missing here: a row that is new began later.
    pub(super) followed: Option<Millis>,
    pub(super) rows: Vec<Row>,
    /// A report of another life of the same proxy is left out.
    pub(super) is_partial: bool,
    /// The counts of lives of the same proxy that were given up.
    earlier: Option<Box<FaultCounts<u64>>>,
}

impl Life {
    pub(super) fn new(client: Option<Client>, at: Millis) -> Self {
        Self { client, at, polled: at, followed: None, rows: Vec::new(), is_partial: false, earlier: None }
    }

    /// All that its proxy has counted until now, but in other lives that are remembered.
    pub(super) fn counts(&self) -> FaultCounts<u64> {
        let earlier = self.earlier.as_deref().copied().unwrap_or_default();
        self.rows.iter().fold(earlier, |sum, row| sum.zip(row.totals, u64::saturating_add))
    }

    /// Takes over the counts of another life of the same proxy, which is given up.
    pub(super) fn inherit(&mut self, other: &Self) {
        self.is_partial |= other.is_partial;
        let counts = other.counts();
        if counts != FaultCounts::default() {
            let earlier = self.earlier.get_or_insert_default();
            **earlier = earlier.zip(counts, u64::saturating_add);
        }
    }

    /// The places that it takes: one, and one for each row.
    pub(super) fn places(&self) -> u32 {
        u32::try_from(self.rows.len()).unwrap_or(u32::MAX).saturating_add(1)
    }

    pub(super) fn row(&mut self, name: &CountedName) -> Option<&mut Row> {
        self.rows.iter_mut().find(|row| row.name == *name)
    }

    /// Adds a row without counts.
    pub(super) fn begin(&mut self, name: CountedName, first: FaultCounts<u64>, at: Millis) -> &mut Row {
        self.rows.reserve_exact(1);
        self.rows.push_mut(Row::new(name, first, at, self.followed))
    }

    /// It has been silent for long.
    pub(super) fn is_over(&self, now: Millis) -> bool {
        is_over(self.at, now)
    }
}

/// It has been long since then: longer than a silent filter is remembered.
pub(super) fn is_over(at: Millis, now: Millis) -> bool {
    u128::from(now.saturating_sub(at)) > MEMORY.as_millis()
}
