//! Random histories of replicas that come, go and start anew, of filters that move between them, and of looks in between:
//! no look ever says too early that all filters run what was applied, and none says of a filter that polls that it is gone.

mod world;

use std::{sync::Arc, time::Instant};

use policies::{
    Digest, Scope,
    wire::{Format, poll::NodeId},
};
use serde_json::json;
use tokio::time::Duration;

use self::world::{Heard, History, Replica, SLOTS, STEP};
use super::{Filters, Hold, PolicyStatus, Progressing, now, progressing};
use crate::{
    api::{
        filters::{Filter, FilterState},
        peers::{PeerFilter, PeerState},
    },
    fleet::{
        shared::{AllFilters, Others},
        sighting::Sighting,
    },
    peers::replies::{Replies, Reply},
    serving::published::Variant,
};

/// The length of a history, and of the quiet after it, in milliseconds.
const LENGTH: u64 = 400_000;
const QUIET: u64 = 300_000;
/// The time for which an answer of all holds.
const FRESH: u64 = 1_000;

impl History {
    /// What the other replicas know, as one of them hears it.
    fn others(&mut self, slot: usize) -> Others {
        if let Some((at, others)) = &self.replicas[slot].as_ref().unwrap().asked
            && self.now - at < FRESH
        {
            return others.clone();
        }
        let answers = self.exchange(slot);
        let reply = |(address, other): (usize, Option<usize>)| {
            let state = other.and_then(|other| self.replicas[other].as_ref()).map(|other| self.state(other));
            Reply { name: address.to_string(), answer: state.ok_or_else(|| "refused".to_owned()) }
        };
        let replies = Replies(answers.into_iter().map(reply).collect());
        let steady = self.replicas[slot].as_ref().unwrap().roster.steady(self.at(self.now));
        let others = Others::of(replies, steady, Instant::now());
        self.replicas[slot].as_mut().unwrap().asked = Some((self.now, others.clone()));
        others
    }

    fn state(&self, replica: &Replica) -> PeerState {
        let mut digests = Vec::new();
        let filter = |(name, heard): (&usize, &Heard)| PeerFilter {
            digest: digest(heard.version).map(|digest| {
                digests.push(digest.to_string());
                digests.len() - 1
            }),
            format: Format::V2.number(),
            given: None,
            gone: self.now - heard.at > self.overdue(),
            node: format!("cart-{name}"),
            own: false,
            plugins: None,
            scope: scope().to_string(),
            silent_millis: self.now - heard.at,
        };
        let filters = replica.heard.iter().map(filter).collect();
        PeerState {
            complete: true,
            digests,
            filters,
            listening_millis: self.now - replica.began,
            longest_wait_millis: self.held,
            ..PeerState::default()
        }
    }

    /// An answer of this replica to `GET /v1/filters`.
    fn filters(&mut self, slot: usize) -> Filters {
        let (others, overdue) = (self.others(slot), self.overdue());
        let replica = self.replicas[slot].as_mut().unwrap();
        // The request names the commit that was applied.
        replica.version = self.newest;
        let (now, heard_by, version) = (now(), Instant::now(), digest(self.newest));
        let sighting = |(name, heard): (&usize, &Heard)| Sighting {
            node: NodeId::parse(&format!("cart-{name}")).unwrap(),
            variant: variant(),
            plugins: None,
            digest: digest(heard.version),
            given: None,
            contact: heard_by.checked_sub(Duration::from_millis(self.now - heard.at)).unwrap(),
            is_gone: self.now - heard.at > overdue,
            is_own: false,
        };
        let own = AllFilters {
            sightings: replica.heard.iter().map(sighting).collect(),
            is_complete: true,
            listened: Duration::from_millis(self.now - replica.began),
            longest_wait: Duration::from_millis(self.held),
            since: now,
            is_of_all: false,
        };
        let all = own.with(&others);
        let (complete, listening) = (all.is_complete, all.listening().as_secs());
        let filter = |filter: crate::fleet::filters::Filter| Filter {
            digest: filter.digest.map(|digest| digest.to_string()),
            last_contact: filter.contact.into(),
            measured: None,
            namespace: "shop".to_owned(),
            newest: filter.is_newest,
            node: filter.node.as_str().to_owned(),
            plugins: None,
            service: "cart".to_owned(),
            state: filter.state,
        };
        Filters {
            at: Some(now.into()),
            complete,
            filters: all.judged_by(|_| version).into_iter().map(filter).collect(),
            listening_seconds: listening,
            missing: others.missing,
            ..Filters::default()
        }
    }

    /// Looks at one of the replicas, as a Service leads to any. True if all filters are said to run what was applied.
    fn look(&mut self, policy: &PolicyStatus) -> bool {
        let alive = self.alive();
        let Some(slot) = alive.get(self.below(SLOTS as u64) as usize % alive.len().max(1)).copied() else {
            return false;
        };
        let filters = self.filters(slot);
        let found = progressing(policy, Hold::None, &filters, filters.at.unwrap().0);
        let is_done = matches!(found, Progressing::Done { .. });
        self.found = format!("{found:?}");
        for (name, proxy) in &self.proxies {
            // What was answered holds for a second.
            let is_known = proxy.began <= self.now - FRESH;
            let is_behind = is_known && proxy.version < self.newest;
            let told = format_args!("at {}, as {slot} says:\n{}", self.now, self.told);
            assert!(!(is_done && is_behind), "{name} lags and all is done {told}");
        }
        for (name, proxy) in &self.proxies {
            let polls = self.now - proxy.polled <= self.overdue();
            let shown = filters.filters.iter().find(|filter| filter.node == format!("cart-{name}"));
            let is_gone = shown.is_some_and(|filter| filter.state == FilterState::Gone);
            assert!(
                !(polls && is_gone),
                "{name} polls and is gone at {}, as {slot} says:\n{}",
                self.now,
                self.told
            );
        }
        self.done += usize::from(is_done);
        is_done
    }
}

fn scope() -> Scope {
    Scope::new(["shop"], ["cart"]).unwrap()
}

fn variant() -> Arc<Variant> {
    Arc::new(Variant { scope: scope(), format: Format::V2 })
}

fn digest(version: u64) -> Option<Digest> {
    (version > 0).then(|| Digest::of(&version.to_le_bytes()))
}

fn policy() -> PolicyStatus {
    let policy = json!({
        "endsAt": null, "name": "a", "noProxy": null, "startsAt": null, "state": "active", "fault_types": ["abort"],
        "rules_count": 1,
        "targets": {"selector": {"service": "cart", "namespace": "*"}, "direction": "inbound", "destination": null},
    });
    serde_json::from_value(policy).unwrap()
}

#[test]
fn no_history_makes_an_apply_end_too_early_or_a_filter_that_polls_gone() {
    let (policy, mut early) = (policy(), 0);
    for seed in 0..60 {
        let mut history = History::new(seed);
        let end = history.now + LENGTH;
        // Some are wild, and in others little happens.
        let rate = [3_000, 15_000, 60_000][history.below(3) as usize];
        while history.now < end {
            history.step();
            if history.below(rate) < STEP {
                history.disturb();
            }
            if history.below(2_000) < STEP {
                history.look(&policy);
            }
        }
        early += history.done;
        // In the end all is as it should be, and that is said.
        for slot in 0..SLOTS {
            if history.replicas[slot].is_some() {
                history.list(slot, true);
            } else {
                history.start(slot);
            }
        }
        history.later.clear();
        let newest = history.newest;
        history.replicas.iter_mut().flatten().for_each(|replica| replica.version = newest);
        history.bear();
        let end = history.now + QUIET;
        while history.now < end {
            history.step();
        }
        assert!(history.look(&policy), "{} at {}:\n{}", history.found, history.now, history.told);
    }
    assert!(early > 300, "{early}: hardly ever was it said");
}
