//! The objects of one kind, kept by a list and a watch.

use std::{
    collections::BTreeMap,
    fmt::Debug,
    pin::pin,
    sync::{Mutex, PoisonError},
};

use futures_util::StreamExt as _;
use kube::{
    Api, Resource, ResourceExt as _,
    runtime::watcher::{self, Event, watcher},
};
use serde::de::DeserializeOwned;

use super::{call::Backoff, connection::WATCH_SECONDS, error_text};

/// What is kept of each object, by namespace and name.
#[derive(Debug)]
pub(crate) struct Followed<V>(Mutex<State<V>>);

type Key = (String, String);

/// The objects of a kind that can be done without.
#[derive(Debug)]
pub(crate) enum Listed<V> {
    /// The first list has not ended.
    NotYet,
    Known(Vec<V>),
    /// The server does not know the kind.
    Absent,
    /// They may not be read, or cannot be read now.
    Unknown,
}

#[derive(Debug)]
enum State<V> {
    /// The first list has not ended.
    Listing,
    Known(BTreeMap<Key, V>),
    /// The server does not know the kind.
    Absent,
    /// The watch broke, and the next one has not begun; or this replica has no right to list them.
    Broken(String),
}

impl<V> Default for Followed<V> {
    fn default() -> Self {
        Self(Mutex::new(State::Listing))
    }
}

impl<V: Clone> Followed<V> {
    /// All of them, sorted by namespace and name; `None` before the first list has ended, and an error while they are
    /// not known.
    pub(crate) fn current(&self) -> Result<Option<Vec<V>>, String> {
        self.with(|state| match state {
            State::Listing => Ok(None),
            State::Known(known) => Ok(Some(known.values().cloned().collect())),
            State::Absent => Ok(Some(Vec::new())),
            State::Broken(error) => Err(error.clone()),
        })
    }

    /// The same, for a kind that can be done without.
    pub(crate) fn listed(&self) -> Listed<V> {
        self.with(|state| match state {
            State::Listing => Listed::NotYet,
            State::Known(known) => Listed::Known(known.values().cloned().collect()),
            State::Absent => Listed::Absent,
            State::Broken(_) => Listed::Unknown,
        })
    }

    /// Runs for ever. Objects of which `read` makes nothing are left out. A kind that the server does not know has
    /// no objects.
    pub(crate) async fn follow<K>(&self, api: Api<K>, config: watcher::Config, read: impl Fn(K) -> Option<V>)
    where
        K: Resource + Clone + Debug + DeserializeOwned + Send + 'static,
    {
        let config = config.timeout(WATCH_SECONDS);
        let mut backoff = Backoff::default();
        loop {
            let state = self.until_it_breaks(api.clone(), config.clone(), &read, &mut backoff).await;
            self.with(|known| *known = state);
            tokio::time::sleep(backoff.next()).await;
        }
    }

    /// Lists and watches until the first error. The next call lists again, so that no deletion is missed.
    async fn until_it_breaks<K>(
        &self,
        api: Api<K>,
        config: watcher::Config,
        read: &impl Fn(K) -> Option<V>,
        backoff: &mut Backoff,
    ) -> State<V>
    where
        K: Resource + Clone + Debug + DeserializeOwned + Send + 'static,
    {
        let mut events = pin!(watcher(api, config));
        // Of a list that has not ended.
        let mut listed = BTreeMap::new();
        while let Some(event) = events.next().await {
            match event {
                Ok(Event::Init) => listed = BTreeMap::new(),
                Ok(Event::InitApply(object)) => apply(&mut listed, key(&object), read(object)),
                Ok(Event::InitDone) => {
                    backoff.reset();
                    let listed = std::mem::take(&mut listed);
                    self.with(|state| *state = State::Known(listed));
                }
                Ok(Event::Apply(object)) => self.change(key(&object), read(object)),
                Ok(Event::Delete(object)) => self.change(key(&object), None),
                Err(watcher::Error::InitialListFailed(kube::Error::Api(status))) if status.code == 404 => {
                    return State::Absent;
                }
                Err(error) => return State::Broken(error_text::of_watch(&error)),
            }
        }
        State::Broken("the watch has ended".to_owned())
    }

    fn change(&self, key: Key, value: Option<V>) {
        self.with(|state| {
            if let State::Known(known) = state {
                apply(known, key, value);
            }
        });
    }

    fn with<T>(&self, use_it: impl FnOnce(&mut State<V>) -> T) -> T {
        use_it(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

fn key(object: &impl Resource) -> Key {
    (object.namespace().unwrap_or_default(), object.name_any())
}

fn apply<V>(known: &mut BTreeMap<Key, V>, key: Key, value: Option<V>) {
    match value {
        Some(value) => known.insert(key, value),
        None => known.remove(&key),
    };
}
