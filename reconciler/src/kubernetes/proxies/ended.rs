//! The pods whose proxy has ended: it ran while this replica led, and then the pod was gone or ran no more.

use std::{
    collections::{HashMap, HashSet},
    sync::Arc,
};

use policies::Timestamp;

use super::pods::Running;
use crate::fleet::filters::MEMORY;

/// The memory of one term as leader, by `POD.NAMESPACE`.
#[derive(Debug, Default)]
pub(super) struct Ended {
    running: HashSet<Arc<str>>,
    /// The time at which it was first missed. A pod of a StatefulSet comes back with the same name.
    ended: HashMap<Arc<str>, Timestamp>,
}

impl Ended {
    /// Looks at all pods that run.
    pub(super) fn look(&mut self, pods: &[Running], now: Timestamp) {
        let present: HashSet<_> = pods.iter().map(|pod| &pod.name).collect();
        let gone: Vec<_> = self.running.extract_if(|name| !present.contains(name)).collect();
        self.ended.extend(gone.into_iter().map(|name| (name, now)));
        // A clock that is set back makes times of the future: of these nothing is known.
        self.ended.retain(|_, at| *at <= now && u128::from(now.millis_since(*at)) <= MEMORY.as_millis());
        let with_proxy = pods.iter().filter(|pod| pod.proxy.is_some());
        self.running.extend(with_proxy.map(|pod| Arc::clone(&pod.name)));
    }

    /// The last ones first.
    pub(super) fn all(&self) -> Vec<(String, Timestamp)> {
        let mut all: Vec<_> = self.ended.iter().map(|(name, at)| (name.to_string(), *at)).collect();
        all.sort_by(|(one, at), (other, later)| (later, one).cmp(&(at, other)));
        all
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use policies::Timestamp;

    use super::{Ended, Running};
    use crate::{
        doctor::inventory::{Name, Pod},
        kubernetes::proxies::pods::Proxy,
    };

    fn at(second: u64) -> Timestamp {
        Timestamp::from_millis(second * 1_000)
    }

    fn pod(name: &str, has_proxy: bool) -> Running {
        let proxy = || {
            let name = Name { namespace: "demo".into(), name: name.into() };
            let pod = Pod { name, has_proxy: true, ..Pod::default() };
            Arc::new(Proxy { uid: String::new(), started: at(0), is_ready: true, pod })
        };
        Running { name: format!("{name}.demo").into(), proxy: has_proxy.then(proxy) }
    }

    #[test]
    fn a_pod_has_ended_if_its_proxy_ran_and_it_is_there_no_more() {
        let mut ended = Ended::default();
        ended.look(&[pod("a", true), pod("b", true), pod("job", false)], at(0));
        // It is about to end, and its proxy may inject until then.
        ended.look(&[pod("a", true), pod("b", false)], at(5));
        assert_eq!(ended.all(), []);
        ended.look(&[pod("a", true)], at(10));
        assert_eq!(ended.all(), [("b.demo".to_owned(), at(10))]);
        ended.look(&[pod("b", true)], at(15));
        let both = [("a.demo".to_owned(), at(15)), ("b.demo".to_owned(), at(10))];
        assert_eq!(ended.all(), both, "another pod of the same name");
        ended.look(&[], at(20));
        assert_eq!(ended.all(), [("b.demo".to_owned(), at(20)), ("a.demo".to_owned(), at(15))]);
        ended.look(&[], at(20 + 16 * 60));
        assert_eq!(ended.all(), [("b.demo".to_owned(), at(20))], "the filter of the other one is forgotten");
        ended.look(&[], at(19));
        assert_eq!(ended.all(), [], "the clock was set back");
    }
}
