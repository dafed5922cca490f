//! The halts that have ended.

use std::{collections::BTreeMap, time::Duration};

use policies::Timestamp;
use serde::{Deserialize, Serialize};

use crate::{api::time::Time, halts::halt::HaltId, source::ancestry::CommitId};

/// The time for which the id of a halt that has ended is remembered, so that nobody who was away brings it back.
pub(super) const REMEMBERED: Duration = Duration::from_secs(7 * 24 * 60 * 60);
/// The most by which the clock of another replica can be ahead.
const A_YEAR: Duration = Duration::from_secs(365 * 24 * 60 * 60);
/// The most that are remembered.
pub(super) const MAX_ENDED: usize = 2_000;

/// The ids of halts that have ended.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub(super) struct Ends {
    ended: BTreeMap<HaltId, Time>,
    /// Those that another replica has told. The other ends this replica has made itself, or read in Git.
    told: BTreeMap<HaltId, Told>,
    /// For those that were in Git: a commit of the branch that no longer has them.
    removed: BTreeMap<HaltId, Removal>,
}

/// What this replica knew of a halt when it was told that it has ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Told {
    /// Nothing.
    Unknown,
    /// It held here.
    Held,
}

/// The commit without which a replica goes on holding. The latest is what counts: an earlier one may have been forced off.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
struct Removal {
    at: Time,
    commit: CommitId,
}

impl Ends {
    /// True if a halt has ended.
    pub(super) fn has(&self, id: &HaltId) -> bool {
        self.ended.contains_key(id)
    }

    /// The ids, each with the time of its end.
    pub(super) fn all(&self) -> impl Iterator<Item = (&HaltId, Time)> {
        self.ended.iter().map(|(id, at)| (id, *at))
    }

    /// A commit of the branch that no longer has a halt, and when that was read; `None` if that was never in Git.
    pub(super) fn removal(&self, id: &HaltId) -> Option<(Time, CommitId)> {
        self.removed.get(id).map(|removal| (removal.at, removal.commit))
    }

    /// A halt that has ended is not in this commit of the branch. That counts more than all that is known, whatever the
    /// clocks of others say.
    pub(super) fn remove(&mut self, id: HaltId, at: Timestamp, commit: CommitId) {
        let known = self.removed.get(&id).filter(|known| known.commit != commit);
        let at = known.map_or(at, |Removal { at: Time(known), .. }| at.max(known.plus_millis(1)));
        self.removed.insert(id, Removal { at: Time(at), commit });
    }

    /// A halt has ended: this replica has done so, or read it in Git.
    pub(super) fn end(&mut self, id: HaltId, at: Timestamp) {
        self.told.remove(&id);
        let at = Time(at);
        let known = self.ended.entry(id).or_insert(at);
        *known = at.max(*known);
    }

    /// This replica has read in Git that a halt has ended.
    pub(super) fn confirm(&mut self, id: &HaltId) {
        self.told.remove(id);
    }

    /// Takes over what another replica has told, whose clock may be wrong. `held` are the halts that end here by that.
    pub(super) fn hear(&mut self, other: &Self, held: impl Fn(&HaltId) -> bool, now: Timestamp) {
        for (id, Time(at)) in other.ended.iter().filter(|(id, _)| !self.has(id)).collect::<Vec<_>>() {
            let (at, told) = if held(id) { (now, Told::Held) } else { ((*at).min(now), Told::Unknown) };
            if !is_old(at, now) {
                self.ended.insert(id.clone(), Time(at));
                self.told.insert(id.clone(), told);
            }
        }
        let latest = Time(now.plus_millis(A_YEAR.as_millis() as u64));
        for (id, told) in &other.removed {
            let is_known =
                self.removed.get(id).is_some_and(|known| known.commit == told.commit || known > told);
            let is_news = self.has(id) && !is_known;
            if is_news && told.at <= latest {
                self.removed.insert(id.clone(), *told);
            } else if is_news {
                // Nobody could tell of a later one.
                self.remove(id.clone(), now, told.commit);
            }
        }
    }

    /// Forgets those that ended long before `now`.
    pub(super) fn forget(&mut self, now: Timestamp) {
        self.ended.retain(|_, Time(at)| !is_old(*at, now));
        self.tidy();
    }

    /// Forgets those for which there is no room: first those of halts that nobody here knew, then others that were told,
    /// and of these the oldest first. Nobody else can make this replica forget an end of its own.
    pub(super) fn bound(&mut self) {
        let Some(more) = self.ended.len().checked_sub(MAX_ENDED).filter(|more| *more > 0) else { return };
        let mut ids: Vec<_> = self.ended.keys().cloned().collect();
        ids.sort_by_key(|id| {
            (!self.told.contains_key(id), self.told.get(id).copied(), self.ended.get(id).copied())
        });
        for id in ids.into_iter().take(more) {
            self.ended.remove(&id);
        }
        self.tidy();
    }

    fn tidy(&mut self) {
        self.told.retain(|id, _| self.ended.contains_key(id));
        self.removed.retain(|id, _| self.ended.contains_key(id));
    }
}

fn is_old(at: Timestamp, now: Timestamp) -> bool {
    now.millis_since(at) > REMEMBERED.as_millis() as u64
}
