//! Places, each for one thing of a client, that may be given to another client.

use std::{
    num::NonZeroU64,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use tokio::{sync::Notify, task::AbortHandle};

use crate::{
    client::Client,
    shares::{Admission, Shares},
};

/// Ends what has a place.
pub trait Close {
    fn close(&self);
}

impl Close for AbortHandle {
    fn close(&self) {
        self.abort();
    }
}

impl Close for Arc<Notify> {
    fn close(&self) {
        self.notify_one();
    }
}

/// A number of places, and who has them.
#[derive(Debug)]
pub struct Places<H> {
    state: Mutex<State<H>>,
    /// Notified when nothing is left in any place.
    free: Notify,
}

/// A place, until it is dropped.
#[derive(Debug)]
pub struct Place<H: Close> {
    places: Arc<Places<H>>,
    client: Client,
    key: Key,
}

/// The number of a place. It is not given again before the place is dropped.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Key(u32);

#[derive(Debug)]
struct State<H> {
    shares: Shares,
    /// None where the place is vacant, or where another client has got it.
    slots: Vec<Option<Slot<H>>>,
    vacant: Vec<Key>,
    newest: NonZeroU64,
}

/// Kept small: each connection has one.
#[derive(Debug)]
struct Slot<H> {
    client: Client,
    order: NonZeroU64,
    closer: Option<H>,
}

impl<H: Close> Places<H> {
    pub fn new(limit: usize) -> Arc<Self> {
        let shares = Shares::new(limit);
        let state = State { shares, slots: Vec::new(), vacant: Vec::new(), newest: NonZeroU64::MIN };
        Arc::new(Self { state: Mutex::new(state), free: Notify::new() })
    }

    /// A place for a client. If all are taken, the oldest of the client that has most is closed, unless this
    /// client has its share already.
    pub fn take(self: &Arc<Self>, client: Client) -> Option<Place<H>> {
        let mut state = self.lock();
        let closer = match state.shares.admit(client, 1) {
            Admission::Free => None,
            Admission::Instead(greediest) => Some(state.give_up_oldest(greediest)?),
            Admission::Refused => return None,
        };
        let key = state.occupy(client);
        drop(state);
        if let Some(closer) = closer {
            closer.close();
        }
        Some(Place { places: Arc::clone(self), client, key })
    }

    /// Sets what ends the thing in a place; until then nobody else gets it.
    pub fn close_by(&self, key: Key, closer: H) {
        if let Some(Some(slot)) = self.lock().slot(key) {
            slot.closer = Some(closer);
        }
    }

    /// The number of places that are taken.
    pub fn taken(&self) -> usize {
        self.lock().shares.taken()
    }

    /// Waits until all places are dropped.
    pub async fn all_free(&self) {
        loop {
            let freed = self.free.notified();
            if self.lock().is_free() {
                return;
            }
            freed.await;
        }
    }

    fn lock(&self) -> MutexGuard<'_, State<H>> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<H: Close> Place<H> {
    pub fn client(&self) -> Client {
        self.client
    }

    pub fn key(&self) -> Key {
        self.key
    }
}

impl<H: Close> Drop for Place<H> {
    fn drop(&mut self) {
        let mut state = self.places.lock();
        let slot = state.give_up(self.key);
        state.vacant.push(self.key);
        let is_free = state.is_free();
        drop(state);
        // What ends it is dropped without the lock.
        drop(slot);
        if is_free {
            self.places.free.notify_waiters();
        }
    }
}

impl<H> State<H> {
    fn occupy(&mut self, client: Client) -> Key {
        self.newest = self.newest.saturating_add(1);
        self.shares.add(client, 1);
        let slot = Some(Slot { client, order: self.newest, closer: None });
        let key = self.vacant.pop().unwrap_or(Key(u32::try_from(self.slots.len()).unwrap_or(u32::MAX)));
        match self.slot(key) {
            Some(vacant) => *vacant = slot,
            None => self.slots.push(slot),
        }
        key
    }

    /// All places are dropped, also those that others have got meanwhile.
    fn is_free(&self) -> bool {
        self.vacant.len() == self.slots.len()
    }

    fn slot(&mut self, Key(index): Key) -> Option<&mut Option<Slot<H>>> {
        self.slots.get_mut(index as usize)
    }

    /// Counts a place no longer.
    fn give_up(&mut self, key: Key) -> Option<Slot<H>> {
        let slot = self.slot(key)?.take()?;
        self.shares.remove(slot.client, 1);
        Some(slot)
    }

    /// Takes back the oldest place of a client; what ends the thing in it.
    fn give_up_oldest(&mut self, client: Client) -> Option<H> {
        let slots = (0..).zip(&self.slots);
        let its = slots.filter_map(|(index, slot)| {
            let slot = slot.as_ref().filter(|slot| slot.client == client && slot.closer.is_some())?;
            Some((slot.order, Key(index)))
        });
        let (_, oldest) = its.min_by_key(|(order, _)| *order)?;
        self.give_up(oldest)?.closer
    }
}

#[cfg(test)]
mod tests {
    use std::{
        collections::HashMap,
        net::Ipv4Addr,
        sync::{
            Arc,
            atomic::{AtomicBool, Ordering},
        },
        time::Duration,
    };

    use proptest::prelude::*;
    use tokio::time::{sleep, timeout};

    use super::{Close, Place, Places};
    use crate::client::{Client, Prefixes};

    #[derive(Clone, Debug, Default)]
    struct Flag(Arc<AtomicBool>);

    impl Close for Flag {
        fn close(&self) {
            self.0.store(true, Ordering::Relaxed);
        }
    }

    #[derive(Debug)]
    struct Held {
        number: u8,
        closed: Flag,
        _place: Place<Flag>,
    }

    impl Held {
        fn is_closed(&self) -> bool {
            self.closed.0.load(Ordering::Relaxed)
        }
    }

    fn client(number: u8) -> Client {
        Prefixes::default().client(Ipv4Addr::new(10, 0, 0, number).into())
    }

    fn take(places: &Arc<Places<Flag>>, number: u8) -> Option<Held> {
        let (place, closed) = (places.take(client(number))?, Flag::default());
        places.close_by(place.key(), closed.clone());
        Some(Held { number, closed, _place: place })
    }

    #[test]
    fn a_newcomer_gets_the_oldest_place_of_who_has_most() {
        let places = Places::new(4);
        let mut held: Vec<_> = [1, 1, 1, 2].map(|number| take(&places, number).unwrap()).into();
        assert!(take(&places, 1).is_none(), "it has more than its share");
        held.push(take(&places, 3).unwrap());
        let closed: Vec<_> = held.iter().map(Held::is_closed).collect();
        assert_eq!(closed, [true, false, false, false, false]);
        // What was closed gives back nothing that is not its own.
        assert_eq!(places.taken(), 4);
        drop(held.remove(0));
        assert_eq!(places.taken(), 4);
        drop(held);
        assert_eq!(places.taken(), 0);
    }

    #[test]
    fn what_nothing_can_close_keeps_its_place() {
        let places = Places::<Flag>::new(2);
        let held = [places.take(client(1)).unwrap(), places.take(client(1)).unwrap()];
        assert!(places.take(client(2)).is_none());
        places.close_by(held[1].key(), Flag::default());
        assert!(places.take(client(2)).is_some());
    }

    #[tokio::test(start_paused = true)]
    async fn all_are_free_once_the_last_is_dropped_even_of_those_that_were_closed() {
        let places = Places::new(2);
        let held = [1, 1, 2].map(|number| take(&places, number).unwrap());
        let waiting = tokio::spawn({
            let places = Arc::clone(&places);
            async move { places.all_free().await }
        });
        for held in held.into_iter().rev() {
            sleep(Duration::from_secs(1)).await;
            assert!(!waiting.is_finished());
            drop(held);
        }
        timeout(Duration::from_secs(1), waiting).await.unwrap().unwrap();
    }

    proptest! {
        /// Random connects and disconnects: what is taken is what is held and not closed, within the limit.
        #[test]
        fn no_place_is_lost_or_given_twice(
            limit in 1..20usize,
            steps in prop::collection::vec((0..30u8, any::<Option<prop::sample::Index>>()), 0..300),
        ) {
            let places = Places::new(limit);
            let mut held: Vec<Held> = Vec::new();
            for (number, leaving) in steps {
                if let Some(leaving) = leaving {
                    if !held.is_empty() {
                        held.swap_remove(leaving.index(held.len()));
                    }
                } else {
                    let mut shares: HashMap<u8, usize> = HashMap::new();
                    for place in held.iter().filter(|held| !held.is_closed()) {
                        *shares.entry(place.number).or_default() += 1;
                    }
                    let others = shares.keys().filter(|other| **other != number).count();
                    let share = (limit / (others + 1)).max(1);
                    let own = shares.get(&number).copied().unwrap_or_default();
                    let is_greedy = shares.iter().any(|(other, held)| *other != number && *held > share);
                    let taken = take(&places, number);
                    prop_assert!(taken.is_some() || places.taken() == limit, "there was a free place");
                    prop_assert!(taken.is_some() || own > 0 || !is_greedy, "a newcomer was kept out");
                    held.extend(taken);
                }
                let open = held.iter().filter(|held| !held.is_closed()).count();
                prop_assert_eq!(places.taken(), open);
                prop_assert!(open <= limit);
            }
            drop(held);
            prop_assert_eq!(places.taken(), 0);
            let mut state = places.lock();
            prop_assert!(state.is_free());
            state.vacant.sort_unstable_by_key(|key| key.0);
            prop_assert!((0..).zip(&state.vacant).all(|(at, key)| at == key.0));
        }
    }
}
