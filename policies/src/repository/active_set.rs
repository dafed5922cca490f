//! The policies in force at one time, told apart by the workloads that they select.
//!
//! A repository has many policies and a mesh many workloads, and most of the ones have nothing to do with
//! most of the others: what a workload gets is found without a look at all policies, and what a change
//! changes without a look at all workloads' snapshots.

use std::{
    borrow::Borrow,
    cmp::Ordering,
    collections::HashMap,
    hash::{Hash, Hasher},
    sync::{
        Arc, OnceLock,
        atomic::{AtomicUsize, Ordering::Relaxed},
    },
};

use super::catalog::Catalog;
use crate::{
    language::{Policy, Timestamp},
    wire::{Scope, Snapshot, SnapshotEntry},
};

/// The policies of a catalog that are in force, in the order in which they decide.
#[derive(Debug, Default)]
pub struct ActiveSet(Selection);

/// The difference between two active sets.
#[derive(Debug)]
pub struct Changes {
    /// The policies that are new or changed.
    pub arrived: Vec<Arc<Policy>>,
    /// The policies that are gone, and the changed ones as they were.
    pub gone: Vec<Arc<Policy>>,
    /// These, and those that are gone.
    all: Selection,
}

/// Policies, of which those are found that select a workload.
#[derive(Debug, Default)]
struct Selection {
    entries: Vec<SnapshotEntry>,
    /// The number of workloads that were looked up.
    lookups: AtomicUsize,
    index: OnceLock<Index>,
}

/// Lookups that read all policies before an index is built, which takes about as long as ten of them.
const LOOKUPS_BEFORE_INDEX: usize = 10;

/// Positions of policies, by the workloads that they select.
#[derive(Debug, Default)]
struct Index {
    /// Of those that select one service by its name.
    of_service: HashMap<Service, Vec<usize>>,
    /// Of the others.
    of_many: Vec<usize>,
}

/// The service that a policy selects by its name, without a copy of it.
#[derive(Debug)]
struct Service(Arc<Policy>);

impl ActiveSet {
    /// The policies of a catalog that are in force at `now`.
    pub fn new(catalog: &Catalog, now: Timestamp) -> Self {
        Self(Selection::of(catalog.in_force(now).map(|located| located.entry_at(now)).collect()))
    }

    /// The snapshot of this scope.
    pub fn snapshot(&self, scope: &Scope) -> Snapshot {
        let mut policies = Vec::new();
        self.0.for_each_selecting(scope, |entry| policies.push(entry.clone()));
        Snapshot { policies }
    }

    /// The policies that are in force here and were not `before`, and the other way round.
    pub fn changes(&self, before: &Self) -> Changes {
        let mut ours = self.0.entries.iter().peekable();
        let mut theirs = before.0.entries.iter().peekable();
        let (mut arrived, mut gone, mut all) = (Vec::new(), Vec::new(), Vec::new());
        loop {
            let order = match (ours.peek(), theirs.peek()) {
                (Some(one), Some(other)) if Arc::ptr_eq(&one.policy, &other.policy) => Ordering::Equal,
                (Some(one), Some(other)) => one.policy.order().cmp(&other.policy.order()),
                (Some(_), None) => Ordering::Less,
                (None, Some(_)) => Ordering::Greater,
                (None, None) => break,
            };
            let (one, other) = (ours.next_if(|_| order.is_le()), theirs.next_if(|_| order.is_ge()));
            if one != other {
                arrived.extend(one.map(|entry| Arc::clone(&entry.policy)));
                gone.extend(other.map(|entry| Arc::clone(&entry.policy)));
                all.extend(one.into_iter().chain(other).cloned());
            }
        }
        Changes { arrived, gone, all: Selection::of(all) }
    }
}

impl Changes {
    /// True if the snapshot of this scope can have changed.
    pub fn touch(&self, scope: &Scope) -> bool {
        let mut is_touched = false;
        self.all.for_each_selecting(scope, |_| is_touched = true);
        is_touched
    }
}

impl Selection {
    fn of(entries: Vec<SnapshotEntry>) -> Self {
        Self { entries, ..Self::default() }
    }

    /// Calls `found` for each policy that selects the scope, in order.
    fn for_each_selecting<'a>(&'a self, scope: &Scope, mut found: impl FnMut(&'a SnapshotEntry)) {
        let mut look_at = |entry: &'a SnapshotEntry| {
            if scope.is_selected_by(&entry.policy.selector) {
                found(entry);
            }
        };
        let is_asked_often = self.lookups.fetch_add(1, Relaxed) >= LOOKUPS_BEFORE_INDEX;
        match scope.services() {
            Some(names) if is_asked_often => {
                let positions = self.index.get_or_init(|| Index::of(&self.entries)).positions(names);
                positions.into_iter().filter_map(|position| self.entries.get(position)).for_each(look_at);
            }
            Some(_) | None => self.entries.iter().for_each(&mut look_at),
        }
    }
}

impl Index {
    fn of(entries: &[SnapshotEntry]) -> Self {
        let mut index = Self::default();
        for (position, SnapshotEntry { policy, .. }) in entries.iter().enumerate() {
            match policy.selector.one_service() {
                Some(_) => index.of_service.entry(Service(Arc::clone(policy))).or_default().push(position),
                None => index.of_many.push(position),
            }
        }
        index
    }

    /// The positions of all policies that may select one of these services, in order.
    fn positions<'a>(&self, services: impl Iterator<Item = &'a str>) -> Vec<usize> {
        let of_names = services.filter_map(|name| self.of_service.get(name)).flatten();
        let mut positions: Vec<_> = of_names.chain(&self.of_many).copied().collect();
        positions.sort_unstable();
        positions
    }
}

impl Service {
    fn name(&self) -> &str {
        self.0.selector.target.as_str()
    }
}

impl Borrow<str> for Service {
    fn borrow(&self) -> &str {
        self.name()
    }
}

impl Hash for Service {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.name().hash(state);
    }
}

impl PartialEq for Service {
    fn eq(&self, other: &Self) -> bool {
        self.name() == other.name()
    }
}

impl Eq for Service {}

#[cfg(test)]
mod tests {
    use proptest::{prelude::*, sample::select};

    use super::{ActiveSet, LOOKUPS_BEFORE_INDEX};
    use crate::{Catalog, File, Scope, Timestamp, repository::Sources};

    const NAMES: [&str; 5] = ["a", "b", "ab", "a*", "*"];
    const NOW: Timestamp = Timestamp::from_millis(1_000_000);

    /// Policies of some services and namespaces, some of which are over.
    fn catalog() -> impl Strategy<Value = Catalog> {
        let policy = (select(&NAMES[..]), select(&NAMES[..]), -1..2i32, 0..4u8);
        prop::collection::vec(policy, 0..12).prop_map(|policies| {
            let one = |(i, (service, namespace, priority, luck)): (usize, &(&str, &str, i32, u8))| {
                let over = if *luck == 0 { "expiresAt: 1970-01-01T00:00:01Z, " } else { "" };
                format!("metadata: {{name: p{i}}}\nspec: {{{over}priority: {priority}, selector: {{service: '{service}', namespace: '{namespace}'}}, rules: [{{fault: {{percentage: {luck}, delay_ms: 1}}}}]}}\n---\n")
            };
            let file = File::read(policies.iter().enumerate().map(one).collect::<String>().as_bytes());
            let path = "a.yaml".into();
            let sources = Sources { files: vec![(&path, &file)], ..Sources::default() };
            let catalog = Catalog::new(&sources, |_, _| None);
            assert!(catalog.problems().is_empty(), "{:?}", catalog.problems());
            catalog
        })
    }

    fn scopes() -> Vec<Scope> {
        let all: [&[&str]; 5] = [&[], &["a"], &["c"], &["b", "ab"], &["*"]];
        let scope = |namespaces: &[&str], services: &[&str]| {
            Scope::new(namespaces.iter().copied(), services.iter().copied()).unwrap()
        };
        all.iter().flat_map(|one| all.iter().map(|other| scope(one, other))).collect()
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn the_index_and_the_changes_say_what_a_plain_look_says(before in catalog(), after in catalog()) {
            let (old, new) = (ActiveSet::new(&before, NOW), ActiveSet::new(&after, NOW));
            let changes = new.changes(&old);
            for scope in scopes() {
                let (was, is) = (before.snapshot(&scope, NOW), after.snapshot(&scope, NOW));
                for _ in 0..=LOOKUPS_BEFORE_INDEX {
                    prop_assert_eq!(&new.snapshot(&scope), &is);
                    prop_assert!(changes.touch(&scope) || was == is, "{}", scope);
                }
            }
            let names = |policies: &[std::sync::Arc<crate::Policy>]| {
                policies.iter().map(|policy| policy.name.clone()).collect::<Vec<_>>()
            };
            let back = old.changes(&new);
            prop_assert_eq!(names(&changes.gone), names(&back.arrived), "what goes is what comes on the way back");
            prop_assert!(!new.changes(&new).touch(&Scope::new(["*"], ["*"]).unwrap()));
        }
    }
}
