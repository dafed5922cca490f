//! Counts of what the policies did to the requests of one root, until they are in the proxy's totals.

use std::{collections::HashMap, rc::Rc};

use policies::{Decision, wire::FaultCounts};

/// Counts of one root.
#[derive(Debug, Default)]
pub struct RequestCounts {
    counts: Vec<PolicyCounts>,
    by_name: HashMap<Rc<str>, usize>,
    /// Index by the position of a policy in the snapshot that runs, so that no name is looked up for a request.
    /// It is entered at the policy's first request.
    by_position: Vec<Option<usize>>,
    has_news: bool,
}

#[derive(Debug)]
struct PolicyCounts {
    policy: Rc<str>,
    counts: FaultCounts<u64>,
}

/// Choice of one count.
type Which = fn(&mut FaultCounts<u64>) -> &mut u64;

impl RequestCounts {
    /// Counts a request that a rule of the policy at this position of the snapshot applies to.
    pub fn count_matched(&mut self, policy: &Rc<str>, position: usize) {
        self.count_at(policy, position, |counts| &mut counts.matched);
    }

    /// Counts something about a request that was just decided about.
    pub fn count_decided(&mut self, decision: &Decision, which: Which) {
        self.count_at(&decision.policy, decision.position, which);
    }

    /// Counts an abort after a hold. The snapshot can be another one than when the request came.
    pub fn count_late_abort(&mut self, policy: &Rc<str>) {
        let index = self.index(policy);
        self.count(index, |counts| &mut counts.aborts);
    }

    /// Follows a new snapshot: positions are those of another list.
    pub fn follow_snapshot(&mut self) {
        self.by_position.clear();
        self.counts.retain(|policy| policy.counts != FaultCounts::default());
        let names = self.counts.iter().enumerate();
        self.by_name = names.map(|(index, known)| (Rc::clone(&known.policy), index)).collect();
    }

    /// True if anything was counted since the last call of [`RequestCounts::clear`].
    pub fn has_news(&self) -> bool {
        self.has_news
    }

    /// Counts of each policy since then.
    pub fn iter(&self) -> impl Iterator<Item = (&str, FaultCounts<u64>)> {
        let counted = self.counts.iter().filter(|known| known.counts != FaultCounts::default());
        counted.map(|known| (&*known.policy, known.counts))
    }

    /// Sets all counts to zero.
    pub fn clear(&mut self) {
        self.counts.iter_mut().for_each(|known| known.counts = FaultCounts::default());
        self.has_news = false;
    }

    fn count_at(&mut self, policy: &Rc<str>, position: usize, which: Which) {
        let known = self.by_position.get(position).copied().flatten();
        let index = known.unwrap_or_else(|| self.enter(policy, position));
        self.count(index, which);
    }

    fn enter(&mut self, policy: &Rc<str>, position: usize) -> usize {
        let index = self.index(policy);
        self.by_position.resize(self.by_position.len().max(position + 1), None);
        if let Some(entry) = self.by_position.get_mut(position) {
            *entry = Some(index);
        }
        index
    }

    fn index(&mut self, policy: &Rc<str>) -> usize {
        let Self { counts, by_name, .. } = self;
        *by_name.entry(Rc::clone(policy)).or_insert_with(|| {
            counts.push(PolicyCounts { policy: Rc::clone(policy), counts: FaultCounts::default() });
            counts.len() - 1
        })
    }

    fn count(&mut self, index: usize, which: Which) {
        if let Some(known) = self.counts.get_mut(index) {
            *which(&mut known.counts) += 1;
            self.has_news = true;
        }
    }
}
