//! One life of an Envoy process, as its reports describe it.

use std::time::Duration;

use policies::wire::{CountedName, FaultCounts};

use super::{Millis, key::Key, row::Row};
use crate::clients::Client;

/// The time for which a silent proxy counts as one that reports: as long as a silent filter is remembered.
const MEMORY: Duration = Duration::from_secs(16 * 60);
/// The most rows that surely fit into every report, however long their names are.
pub(super) const ALWAYS_TOLD: usize = 4;

#[derive(Debug)]
pub(super) struct Life {
    /// The proxy.
    pub(super) node: Key,
    /// The client that polls for it; none if it polls other replicas only.
    pub(super) client: Option<Client>,
    /// The time of its last report.
    pub(super) at: Millis,
    /// The time of the last report after which no count of it was missing here: a row that is new began later.
    pub(super) followed: Option<Millis>,
    pub(super) rows: Vec<Row>,
}

impl Life {
    pub(super) fn new(node: Key, client: Option<Client>, at: Millis) -> Self {
        Self { node, client, at, followed: None, rows: Vec::new() }
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
        u128::from(now.saturating_sub(self.at)) > MEMORY.as_millis()
    }
}
