//! The requests that policies faulted, as filters report them.
//!
//! A report has totals of one life of an Envoy, which only grow. So the greater total is the newer one: it does not matter
//! which reports are lost, come twice, or come to another replica. What a policy has counted is the sum over all lives.
//! Reports are bounded, shown, and decide nothing.
//!
//! - `key`: names of proxies and of their lives, made short.
//! - `row`: the totals of one policy in one life; `recent`: the last minute of a policy.
//! - `life`, `lives`: all lives, and the places for them, shared out by client; `silent`, `folded`: those that may be, or
//!   were, given up.
//! - `table`: all that is known, and the room for it; `merge`: what a report changes.
//! - [`sum`]: what is shown; `told`: what replicas tell each other.

mod folded;
mod key;
mod life;
mod lives;
mod merge;
mod recent;
mod row;
mod silent;
pub mod sum;
mod table;
mod told;

#[cfg(test)]
mod tests;

use std::{
    collections::HashMap,
    sync::{Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use policies::wire::{CountedName, FaultReport, poll::NodeId};

use self::{
    key::Key,
    sum::{FilterSum, PolicySum},
    table::Table,
};
pub use self::{merge::LeftOut, recent::SECONDS, told::Reported};
use crate::clients::Client;

/// Milliseconds since this replica began to listen, by a clock that nobody sets.
type Millis = u64;

/// The time for which a policy that is no longer there is remembered after its last request.
const KEPT: Duration = Duration::from_hours(1);

/// The reports of all proxies.
#[derive(Debug)]
pub struct Faults {
    table: Mutex<Table>,
    started: Instant,
}

impl Default for Faults {
    fn default() -> Self {
        Self { table: Mutex::default(), started: Instant::now() }
    }
}

impl Faults {
    /// Takes over a report that a proxy sent. A name counts only if `is_known`, or if it was once. Returns what is left
    /// out.
    pub fn reported(
        &self,
        client: Client,
        node: &NodeId,
        report: &FaultReport,
        is_known: impl Fn(&str) -> bool,
    ) -> LeftOut {
        self.lock().reported(self.now(), client, node, report, &is_known)
    }

    /// The sums of each policy. Policies that are not `is_known` any more are forgotten after an hour.
    pub fn policies(&self, is_known: impl Fn(&str) -> bool) -> HashMap<CountedName, PolicySum> {
        let (now, mut table) = (self.now(), self.lock());
        table.forget_policies(now, KEPT, &is_known);
        sum::policies(&table, now)
    }

    /// The sums of each proxy.
    pub fn filters(&self) -> FilterSums {
        let (now, table) = (self.now(), self.lock());
        FilterSums(sum::filters(&table, now))
    }

    fn now(&self) -> Millis {
        u64::try_from(self.started.elapsed().as_millis()).unwrap_or(u64::MAX)
    }

    fn lock(&self) -> MutexGuard<'_, Table> {
        self.table.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What each proxy counts, in the order of their keys.
#[derive(Debug, Default)]
pub struct FilterSums(Vec<(Key, FilterSum)>);

impl FilterSums {
    /// The sums of one proxy, if it has reported any.
    pub fn of(&self, node: &NodeId) -> Option<&FilterSum> {
        let at = self.0.binary_search_by_key(&Key::of_node(node), |(known, _)| *known).ok()?;
        self.0.get(at).map(|(_, sum)| sum)
    }
}
