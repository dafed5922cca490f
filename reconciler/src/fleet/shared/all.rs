//! The filters of all replicas.

use std::{collections::HashMap, time::Duration};

use policies::{Digest, Scope, Timestamp};

use super::Others;
use crate::{
    api::filters::FilterState,
    clock::now,
    fleet::{
        filters::{Filter, Filters, judged_by},
        gathered::{SETTLED, counted},
        sighting::{Sighting, merged},
    },
    serving::{published::Variant, publisher::Publisher},
};

/// The filters that this replica knows, with those of the others if it asks them.
#[derive(Clone, Debug)]
pub struct AllFilters {
    pub(crate) sightings: Vec<Sighting>,
    /// False if more filters may poll: a replica does not answer, or does not remember all.
    pub is_complete: bool,
    /// The time for which all replicas have listened, and none has gone.
    pub(crate) listened: Duration,
    /// The longest that one of them lets its poll be held.
    pub(crate) longest_wait: Duration,
    /// The start of that time.
    pub since: Timestamp,
    /// The others were asked.
    pub(crate) is_of_all: bool,
}

impl AllFilters {
    pub fn new(own: &Filters, others: Option<&Others>) -> Self {
        let all = Self {
            sightings: own.sightings(),
            is_complete: own.is_complete(),
            listened: own.listening(),
            longest_wait: own.longest_wait(),
            since: own.since(),
            is_of_all: false,
        };
        others.into_iter().fold(all, Self::with)
    }

    /// Those of which this replica has heard last. Of all replicas together, each filter is one of those of one replica.
    pub fn heard_here(own: &Filters, others: Option<&Others>) -> Self {
        let own = Self::new(own, None);
        let contact = |sighting: &Sighting| (sighting.node.clone(), sighting.contact);
        let heard: HashMap<_, _> = own.sightings.iter().map(contact).collect();
        let mut all = others.into_iter().fold(own, Self::with);
        all.sightings.retain(|sighting| heard.get(&sighting.node) == Some(&sighting.contact));
        all
    }

    /// With what the others know.
    #[must_use]
    pub fn with(self, others: &Others) -> Self {
        let sightings = self.sightings.into_iter().chain(others.sightings.iter().cloned());
        Self {
            sightings: merged(sightings, usize::MAX).0,
            is_complete: self.is_complete && others.is_complete,
            listened: self.listened.min(others.listening),
            longest_wait: self.longest_wait.max(others.longest_wait),
            since: self.since.max(others.since(now())),
            is_of_all: true,
        }
    }

    /// True if no filter polls that is not known here: each had the time to find a replica.
    pub fn has_all(&self) -> bool {
        self.is_complete && self.listening() >= SETTLED
    }

    /// The time that counts for [`SETTLED`].
    pub fn listening(&self) -> Duration {
        counted(self.listened, self.longest_wait)
    }

    /// The scopes that they ask for.
    pub fn scopes(&self) -> impl Iterator<Item = Scope> {
        self.sightings.iter().map(|sighting| sighting.variant.scope.clone())
    }

    /// The number of filters that run one of these snapshots and were given no other since, and that of the others.
    pub fn running(&self, digests: &[Digest]) -> (usize, usize) {
        let runs = |sighting: &&Sighting| {
            sighting.digest.is_some_and(|digest| digests.contains(&digest))
                && sighting.given.is_none_or(|given| digests.contains(&given.digest))
        };
        let running = self.sightings.iter().filter(runs).count();
        (running, self.sightings.len() - running)
    }

    /// The filters compared with what this replica serves, sorted by node. It may take time.
    pub fn judged(self, publisher: &Publisher) -> Vec<Filter> {
        let mut known = HashMap::new();
        self.judged_by(|variant| match known.get(variant) {
            Some(digest) => *digest,
            None => *known.entry(variant.clone()).or_insert_with(|| publisher.digest(variant)),
        })
    }

    /// The same where `newest` says what is served.
    pub fn judged_by(self, newest: impl FnMut(&Variant) -> Option<Digest>) -> Vec<Filter> {
        let may_poll_another = self.is_of_all && !self.has_all();
        let mut filters = judged_by(self.sightings, newest);
        for filter in
            filters.iter_mut().filter(|filter| may_poll_another && filter.state == FilterState::Gone)
        {
            filter.state = FilterState::Unknown;
        }
        filters
    }
}
