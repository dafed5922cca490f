//! The last poll of a filter, as the replica that it reached knows it. All replicas together know the last one of all.

use std::{
    collections::{HashMap, hash_map::Entry},
    hash::RandomState,
    mem,
    sync::Arc,
    time::Instant,
};

use policies::{
    Digest,
    wire::{PluginNames, poll::NodeId},
};

use crate::serving::published::Variant;

/// What is known of a filter by its last poll.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sighting {
    pub node: NodeId,
    /// The snapshot that it asked for.
    pub variant: Arc<Variant>,
    /// The plugins that run in its proxy, if it says so.
    pub plugins: Option<PluginNames>,
    /// The digest of the snapshot that it runs, if any.
    pub digest: Option<Digest>,
    /// What it was given since the poll, if that is another snapshot: it may run it, and has not said so.
    pub given: Option<Given>,
    /// The start of the poll.
    pub contact: Instant,
    /// Its next poll is overdue.
    pub is_gone: bool,
    /// It came from the address that is in its name.
    pub is_own: bool,
}

/// A snapshot that a filter was given.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Given {
    pub digest: Digest,
    pub at: Instant,
}

impl Sighting {
    /// True if this one says where the filter is now. Anybody can poll in its name, so what comes from its address is
    /// believed first.
    fn wins_over(&self, other: &Self) -> bool {
        let rank = |of: &Self| (of.is_own && !of.is_gone, of.contact);
        rank(self) > rank(other)
    }

    /// Keeps what another replica gave to the filter after this poll: no poll has confirmed it.
    fn add_given(&mut self, other: &Self) {
        if self.given.is_none() && other.is_own >= self.is_own {
            let is_open = |given: &Given| given.at > self.contact && Some(given.digest) != self.digest;
            self.given = other.given.filter(is_open);
        }
    }
}

/// The sightings of several replicas as one of each filter. At most this many are kept, and it is said whether all
/// were.
pub fn merged(all: impl IntoIterator<Item = Sighting>, most: usize) -> (Vec<Sighting>, bool) {
    let (mut by_node, mut is_complete) = (HashMap::<NodeId, Sighting, RandomState>::default(), true);
    for sighting in all {
        let is_full = by_node.len() >= most;
        match by_node.entry(sighting.node.clone()) {
            Entry::Occupied(mut known) => {
                let known = known.get_mut();
                let wins = sighting.wins_over(known);
                let other = if wins { mem::replace(known, sighting) } else { sighting };
                known.add_given(&other);
            }
            Entry::Vacant(_) if is_full => is_complete = false,
            Entry::Vacant(place) => {
                place.insert(sighting);
            }
        }
    }
    (by_node.into_values().collect(), is_complete)
}

#[cfg(test)]
mod tests {
    use std::{
        sync::{Arc, LazyLock},
        time::{Duration, Instant},
    };

    use policies::{Digest, Scope, wire::poll::NodeId};

    use super::{Given, Sighting, merged};

    static BEGIN: LazyLock<Instant> = LazyLock::new(Instant::now);

    fn instant(second: u64) -> Instant {
        *BEGIN + Duration::from_secs(second)
    }

    fn sighting(node: &str, second: u64) -> Sighting {
        Sighting {
            node: NodeId::parse(node).unwrap(),
            variant: Arc::new(Scope::unknown().into()),
            plugins: None,
            digest: None,
            given: None,
            contact: instant(second),
            is_gone: false,
            is_own: false,
        }
    }

    #[test]
    fn of_each_filter_the_newest_sighting_counts() {
        let all = [sighting("a", 1), sighting("b", 2), sighting("a", 3), sighting("a", 2)];
        let (mut known, is_complete) = merged(all, 9);
        known.sort_by(|one, other| one.node.as_str().cmp(other.node.as_str()));
        assert_eq!((known, is_complete), (vec![sighting("a", 3), sighting("b", 2)], true));
    }

    #[test]
    fn what_comes_from_the_address_of_a_filter_counts_until_it_is_gone() {
        let own = Sighting { is_own: true, ..sighting("a", 1) };
        let gone = Sighting { is_gone: true, ..own.clone() };
        let other = sighting("a", 5);
        assert_eq!(merged([other.clone(), own.clone()], 9).0, [own]);
        assert_eq!(merged([gone, other.clone()], 9).0, [other]);
    }

    #[test]
    fn what_a_replica_gave_counts_until_a_later_poll_of_any_replica() {
        let given = |second: u64| Some(Given { digest: Digest::of(b"given"), at: instant(second) });
        let gave = Sighting { given: given(5), ..sighting("a", 1) };
        for (poll, expected) in [
            (sighting("a", 4), given(5)),
            (sighting("a", 6), None),
            (Sighting { digest: Some(Digest::of(b"given")), ..sighting("a", 4) }, None),
            (Sighting { given: given(7), ..sighting("a", 4) }, given(7)),
            // It comes from the address of the filter, and the other does not.
            (Sighting { is_own: true, ..sighting("a", 4) }, None),
        ] {
            for all in [[gave.clone(), poll.clone()], [poll.clone(), gave.clone()]] {
                let expected = Sighting { given: expected, ..poll.clone() };
                assert_eq!(merged(all, 9).0, [expected]);
            }
        }
    }

    #[test]
    fn more_filters_than_there_is_room_for_are_left_out_and_that_is_told() {
        let (known, is_complete) = merged([sighting("a", 1), sighting("b", 1), sighting("a", 2)], 1);
        assert_eq!((known, is_complete), (vec![sighting("a", 2)], false));
    }
}
