//! The containers that run now, for those who want to enter them.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::Entry;

/// Namespace, Pod and container.
type Name = (String, String, String);

/// Shared by all containers of a kubelet.
#[derive(Clone, Debug, Default)]
pub(crate) struct Running(Arc<Mutex<BTreeMap<Name, Entry>>>);

/// A container among those that run, until it is dropped.
#[derive(Debug)]
pub(crate) struct Registered {
    running: Running,
    name: Name,
}

impl Running {
    pub(crate) fn register(&self, namespace: &str, pod: &str, container: &str, entry: Entry) -> Registered {
        let name = (namespace.to_owned(), pod.to_owned(), container.to_owned());
        self.entries().insert(name.clone(), entry);
        Registered { running: self.clone(), name }
    }

    pub(crate) fn entry(&self, namespace: &str, pod: &str, container: &str) -> Option<Entry> {
        let name = (namespace.to_owned(), pod.to_owned(), container.to_owned());
        self.entries().get(&name).cloned()
    }

    /// The network namespace of a Pod of which a container runs.
    pub(crate) fn network(&self, namespace: &str, pod: &str) -> Option<PathBuf> {
        let entries = self.entries();
        let of_pod = |name: &Name| name.0 == namespace && name.1 == pod;
        entries.iter().find(|(name, _)| of_pod(name)).map(|(_, entry)| entry.network.clone())
    }

    fn entries(&self) -> MutexGuard<'_, BTreeMap<Name, Entry>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Registered {
    fn drop(&mut self) {
        self.running.entries().remove(&self.name);
    }
}
