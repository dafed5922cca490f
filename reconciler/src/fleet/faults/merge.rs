//! What a report changes.

use policies::wire::{Count, CountedName, FaultCounts, FaultReport, poll::NodeId};

use super::{
    Millis,
    folded::GivenUp,
    key::LifeKey,
    life::{ALWAYS_TOLD, Life},
    row::Row,
    table::Table,
};
use crate::clients::Client;

/// The time by which a report may seem to be later, as another replica tells it.
const LATE: Millis = 5_000;

/// The rows of reports that are left out, for each reason.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct LeftOut {
    pub implausible: u64,
    pub unknown: u64,
    pub full: u64,
}

/// Totals of one life of an Envoy, as they are told at a time.
#[derive(Debug)]
pub(super) struct Told<'a> {
    pub(super) key: LifeKey,
    pub(super) at: Millis,
    /// The client that polls for it; none if another replica tells it, which has judged it.
    pub(super) client: Option<Client>,
    pub(super) rows: Vec<(&'a CountedName, FaultCounts<u64>)>,
}

impl Table {
    /// Takes over a report that came to this replica.
    pub(super) fn reported(
        &mut self,
        now: Millis,
        client: Client,
        node: &NodeId,
        report: &FaultReport,
        is_known: &dyn Fn(&str) -> bool,
    ) -> LeftOut {
        let rows = report.rows().iter().map(|row| (&row.name, row.counts.map(Count::get)));
        let (key, rows) = (LifeKey::new(node, report.epoch()), rows.collect());
        self.merge(&Told { key, at: now, client: Some(client), rows }, now, is_known)
    }

    /// Takes over totals as far as they are greater than those that are known.
    pub(super) fn merge(&mut self, told: &Told<'_>, now: Millis, is_known: &dyn Fn(&str) -> bool) -> LeftOut {
        let Told { key, at, client, ref rows } = *told;
        if let Some(life) = self.folded.get(&key) {
            // Another replica may still tell what is in the sums.
            let is_news = client.is_some() || at > life.until.saturating_add(LATE);
            return if is_news { self.leave_out_of(life, told, now, is_known) } else { LeftOut::default() };
        }
        let known = self.lives.take(&key);
        let (is_new, before) = (known.is_none(), known.as_ref().and_then(|life| life.client));
        let mut life = known.unwrap_or_else(|| Life::new(client, at));
        // What polls here takes places of its client from then on.
        life.client = client.or(before);
        let is_one_more = client.is_some() && before.is_none();
        let is_one_too_many = is_one_more && !self.make_room_of_node(key.node, &mut life, now);
        if is_one_too_many || !self.make_room(key.node, &mut life, 0, now) {
            life.client = before;
            if !is_new {
                self.lives.put(key, life);
            }
            return self.leave_out(rows, is_known);
        }
        if life.client != before {
            self.lives.forget_client(key, before);
        }
        let left_out = self.merge_rows(told, &mut life, now, is_known);
        life.at = life.at.max(at);
        if client.is_some() {
            life.polled = at;
            // It then has all policies that the proxy counts.
            if rows.len() < ALWAYS_TOLD && left_out == LeftOut::default() {
                life.followed = Some(at);
            }
        }
        self.lives.put(key, life);
        left_out
    }

    fn merge_rows(
        &mut self,
        told: &Told<'_>,
        life: &mut Life,
        now: Millis,
        is_known: &dyn Fn(&str) -> bool,
    ) -> LeftOut {
        let Told { key, at, client, ref rows } = *told;
        let (is_judged, mut left_out) = (client.is_none(), LeftOut::default());
        for (name, counts) in rows.iter().copied() {
            if let Some(row) = life.row(name) {
                match self.policies.get_mut(name).filter(|_| is_judged || row.can_become(counts, at)) {
                    Some(policy) => row.merge(counts, at, policy),
                    None => left_out.implausible += 1,
                }
            } else if !self.counts(name, is_known) {
                left_out.unknown += 1;
            } else if !is_judged && !Row::can_begin_with(counts) {
                left_out.implausible += 1;
            } else if !self.make_room(key.node, life, 1, now) {
                self.lack(name, is_known);
                left_out.full += 1;
            } else {
                let entry = self.policies.entry(name.clone());
                // All rows of a policy share its name.
                let name = entry.key().clone();
                life.begin(name, counts, at).merge(counts, at, entry.or_default());
            }
        }
        left_out
    }

    /// Leaves out a report of a life that was given up.
    fn leave_out_of(
        &mut self,
        life: GivenUp,
        told: &Told<'_>,
        now: Millis,
        is_known: &dyn Fn(&str) -> bool,
    ) -> LeftOut {
        if life.was_alive {
            self.crowd(now);
        }
        self.lack_of_node(told.key.node);
        self.leave_out(&told.rows, is_known)
    }

    /// Leaves out rows for want of room, and notes that.
    fn leave_out(
        &mut self,
        rows: &[(&CountedName, FaultCounts<u64>)],
        is_known: &dyn Fn(&str) -> bool,
    ) -> LeftOut {
        rows.iter().for_each(|(name, _)| self.lack(name, is_known));
        LeftOut { full: rows.len() as u64, ..LeftOut::default() }
    }
}
