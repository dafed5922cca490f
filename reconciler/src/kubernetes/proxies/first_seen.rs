//! The moment when each proxy was first seen to run.

use std::{collections::HashMap, sync::Arc};

use policies::Timestamp;
use tokio::time::Instant;

use super::judge::{Known, Proxy};

/// By the uid of the pod: the start of the proxy as the kubelet says, and when it was first seen.
#[derive(Debug, Default)]
pub(super) struct FirstSeen(HashMap<String, (Timestamp, Instant)>);

impl FirstSeen {
    /// Adds to each proxy how long it has been seen, and the start of its silence by its uid; forgets those that are
    /// not there. A proxy that started again is a new one.
    pub(super) fn of(
        &mut self,
        proxies: Vec<Arc<Proxy>>,
        silent: &HashMap<String, Timestamp>,
        now: Instant,
    ) -> Vec<Known> {
        let before = std::mem::take(&mut self.0);
        let known = proxies.into_iter().map(|proxy| {
            let seen = before.get(&proxy.uid).copied().filter(|(started, _)| *started == proxy.started);
            let (started, first) = seen.unwrap_or((proxy.started, now));
            self.0.insert(proxy.uid.clone(), (started, first));
            let silent_since = silent.get(&proxy.uid).copied();
            Known { proxy, age: now.saturating_duration_since(first), silent_since }
        });
        known.collect()
    }
}

#[cfg(test)]
mod tests {
    use std::{collections::HashMap, sync::Arc, time::Duration};

    use policies::Timestamp;
    use tokio::time::Instant;

    use super::{FirstSeen, Proxy};
    use crate::doctor::inventory::Pod;

    fn proxy(uid: &str, started: u64) -> Arc<Proxy> {
        let started = Timestamp::from_millis(started);
        Arc::new(Proxy { uid: uid.to_owned(), started, is_ready: true, pod: Pod::default() })
    }

    #[test]
    fn a_proxy_is_as_old_as_it_has_been_seen() {
        let (begin, mut seen) = (Instant::now(), FirstSeen::default());
        let mut ages = |second: u64, proxies: &[Arc<Proxy>]| -> Vec<u64> {
            let now = begin + Duration::from_secs(second);
            seen.of(proxies.to_vec(), &HashMap::new(), now).iter().map(|known| known.age.as_secs()).collect()
        };
        // Whatever the clock of its node says.
        assert_eq!(ages(0, &[proxy("a", 0), proxy("b", u64::MAX)]), [0, 0]);
        assert_eq!(ages(5, &[proxy("a", 0), proxy("b", 7)]), [5, 0], "the second one has started again");
        assert_eq!(ages(9, &[proxy("b", 7)]), [4]);
        assert_eq!(ages(10, &[proxy("a", 0)]), [0], "it was away");
    }
}
