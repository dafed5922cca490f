//! The filters that all replicas hear together. Each replica hears only the polls that reach it, and a filter moves
//! from one to another.

use std::{
    collections::{BTreeSet, HashMap},
    time::Duration,
};

use policies::{
    Scope, Timestamp,
    wire::poll::{self, NodeId},
};

use crate::api::filters::{Filter, FilterState, Filters};

/// The time after which filters have found a replica that listens: that of their longest pause between two polls,
/// and of a connection that fails.
pub const SETTLED: Duration = poll::MAX_BACKOFF.saturating_add(Duration::from_secs(10));

/// The time for which replicas count as listening, where polls are held for so long: a filter whose replica has vanished
/// with its host notices no earlier than at the end of its poll.
pub fn counted(listening: Duration, longest_wait: Duration) -> Duration {
    listening.saturating_sub(longest_wait.saturating_sub(poll::MAX_BACKOFF))
}

/// The answers of all replicas to `GET /v1/filters`, as one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Gathered {
    /// By `POD.NAMESPACE`, and then with the address, both as the id of a node has them.
    proxies: HashMap<String, Vec<(String, Heard)>>,
    /// The number of replicas that answered: of all, since nothing is known without one of them.
    pub replicas: usize,
    /// The scopes that filters ask for.
    pub scopes: Vec<Scope>,
    /// The time since which all of these replicas listen, by their clocks.
    pub since: Timestamp,
    /// How long they have been known to listen, by the clock of this replica that nobody sets.
    pub listening: Duration,
    /// The longest that one of these filters lets its poll be held.
    pub longest_wait: Duration,
    /// The digests of the modules that each replica hands out, in hex.
    pub modules: BTreeSet<String>,
    /// The number of requests for modules that a replica did not have.
    pub unknown_modules: u64,
}

/// A proxy that has polled.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Heard {
    /// Its next poll is not overdue.
    pub polls: bool,
    /// The start of its last poll.
    pub contact: Timestamp,
    /// The plugins that run in it, as `namespace/name`, if it polls and says so.
    plugins: Option<BTreeSet<String>>,
}

impl Gathered {
    /// `None` if there is no answer, or one of an older version, which does not say since when it listens. They have
    /// listened for no time yet.
    pub fn of(answers: &[Filters]) -> Option<Self> {
        let since = answers.iter().map(|answer| answer.since).collect::<Option<Vec<_>>>()?;
        let modules = answers.iter().map(|answer| answer.modules.digests.iter().cloned());
        let modules = modules.map(|digests| digests.collect::<BTreeSet<_>>());
        let (mut proxies, mut scopes) = (HashMap::<_, Vec<_>>::new(), BTreeSet::new());
        for filter in answers.iter().flat_map(|answer| &answer.filters) {
            scopes.extend(scope(filter));
            let mut parts = filter.node.split('~').skip(1);
            if let (Some(address), Some(pod)) = (parts.next(), parts.next()) {
                let of_pod = proxies.entry(pod.to_owned()).or_default();
                of_pod.push((address.to_owned(), Heard::of(filter)));
            }
        }
        Some(Self {
            proxies,
            replicas: answers.len(),
            scopes: scopes.into_iter().collect(),
            since: since.into_iter().max()?.0,
            listening: Duration::ZERO,
            longest_wait: Duration::from_secs(
                answers.iter().map(|answer| answer.longest_wait_seconds).max()?,
            ),
            modules: modules.reduce(|all, own| &all & &own)?,
            unknown_modules: answers.iter().map(|answer| answer.modules.unknown_requests).sum(),
        })
    }

    /// The proxy of a pod that has these addresses, if a replica remembers it. Anybody can poll in the name of a pod:
    /// what has another address says nothing, nor does a former pod of the same name. Without addresses any one counts.
    pub fn proxy(&self, namespace: &str, pod: &str, addresses: &[String]) -> Option<Heard> {
        let of_name = self.proxies.get(&format!("{pod}.{namespace}"))?.iter();
        let heard = of_name.filter(|(address, _)| is_one_of(address, addresses));
        heard.map(|(_, heard)| heard.clone()).reduce(Heard::merged)
    }
}

/// Tells whether the id of a node, `sidecar~ADDRESS~POD.NAMESPACE~DOMAIN`, is that of a pod with these addresses, as
/// [`Gathered::proxy`] judges it.
pub fn is_node_of(node: &str, namespace: &str, pod: &str, addresses: &[String]) -> bool {
    let mut parts = node.split('~').skip(1);
    let (address, name) = (parts.next(), parts.next());
    let is_name = name.and_then(|name| name.strip_prefix(pod)?.strip_prefix('.')) == Some(namespace);
    is_name && address.is_some_and(|address| is_one_of(address, addresses))
}

/// True for any address if none are known.
fn is_one_of(address: &str, addresses: &[String]) -> bool {
    // The id has no colons.
    let mut own = addresses.iter().filter_map(|address| NodeId::from_envoy(address));
    addresses.is_empty() || own.any(|own| own.as_str() == address)
}

impl Heard {
    pub fn of(filter: &Filter) -> Self {
        let polls = filter.state != FilterState::Gone;
        let plugins = filter.plugins.iter().filter(|_| polls);
        let plugins = plugins.map(|plugins| plugins.iter().cloned().collect()).next();
        Self { polls, contact: filter.last_contact.0, plugins }
    }

    /// With what another replica says of the same proxy.
    #[must_use]
    pub fn merged(mut self, other: Self) -> Self {
        self.plugins = match (self.polls, other.polls) {
            // Their clocks may differ, and so a plugin that one of them knows may run.
            (true, true) => self.plugins.take().zip(other.plugins).map(|(known, more)| &known | &more),
            (true, false) => self.plugins.take(),
            (false, _) => other.plugins,
        };
        self.polls |= other.polls;
        self.contact = self.contact.max(other.contact);
        self
    }

    /// Tells whether a plugin, as `namespace/name`, may run in it. A filter of an older release does not say.
    pub fn may_run(&self, plugin: &str) -> bool {
        self.polls && self.plugins.as_ref().is_none_or(|plugins| plugins.contains(plugin))
    }
}

fn scope(filter: &Filter) -> Option<Scope> {
    fn names(names: &str) -> impl Iterator<Item = &str> {
        names.split(',').filter(|name| !name.is_empty())
    }
    Scope::new(names(&filter.namespace), names(&filter.service)).ok()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::Gathered;
    use crate::api::filters::Filters;

    fn answer(since: &str, filters: &[(&str, &str, &str)]) -> Filters {
        let filter = |(pod, state, contact): &(&str, &str, &str)| {
            json!({
                "node": format!("sidecar~10.0.0.1~{pod}~x"), "namespace": "demo", "service": "a,b",
                "state": state, "lastContact": format!("2026-11-21T00:{contact}:00Z"), "digest": null,
            })
        };
        let filters: Vec<_> = filters.iter().map(filter).collect();
        let modules = json!({"digests": ["aa", since], "unknownRequests": 2});
        let since = format!("2026-11-21T00:{since}:00Z");
        serde_json::from_value(json!({"filters": filters, "since": since, "modules": modules})).unwrap()
    }

    #[test]
    fn a_proxy_polls_if_any_replica_hears_it() {
        let one = answer("01", &[("a-1.demo", "gone", "07"), ("b-1.demo", "gone", "03")]);
        let two = answer("02", &[("a-1.demo", "in_step", "05"), ("c-1.demo", "lagging", "06")]);
        let gathered = Gathered::of(&[one, two]).unwrap();
        let heard =
            |pod| gathered.proxy("demo", pod, &[]).map(|heard| (heard.polls, heard.contact.to_rfc3339()));
        let at = |minute: &str| format!("2026-11-21T00:{minute}:00Z");
        assert_eq!(heard("a-1"), Some((true, at("07"))));
        assert_eq!(heard("b-1"), Some((false, at("03"))));
        assert_eq!(heard("c-1"), Some((true, at("06"))));
        assert_eq!(heard("d-1"), None);
        assert_eq!(gathered.since.to_rfc3339(), at("02"), "the newest replica has heard the least");
        assert_eq!(gathered.modules.into_iter().collect::<Vec<_>>(), ["aa"], "every replica hands it out");
        assert_eq!(gathered.unknown_modules, 4);
        assert_eq!(gathered.scopes.len(), 1);
    }

    #[test]
    fn a_plugin_may_run_unless_every_replica_that_hears_its_proxy_says_otherwise() {
        let says = |state: &str, plugins: Option<&[&str]>| {
            let node = "sidecar~10.0.0.1~a-1.demo~x";
            let at = "2026-11-21T00:00:00Z";
            let filter = json!({
                "node": node, "state": state, "lastContact": at, "digest": null, "plugins": plugins,
            });
            serde_json::from_value::<Filters>(json!({"filters": [filter], "since": at})).unwrap()
        };
        let (inbound, outbound) = (says("in_step", Some(&["demo/in"])), says("lagging", Some(&["demo/out"])));
        let silent = says("in_step", None);
        for (answers, run) in [
            (vec![&inbound], "demo/in"),
            (vec![&inbound, &inbound], "demo/in"),
            (vec![&inbound, &outbound], "demo/in demo/out"),
            (vec![&inbound, &silent], "demo/in demo/out"),
            (vec![&silent, &inbound], "demo/in demo/out"),
            (vec![&inbound, &says("gone", Some(&["demo/out"]))], "demo/in"),
            (vec![&says("gone", None), &inbound], "demo/in"),
            (vec![&says("gone", Some(&["demo/out"]))], ""),
        ] {
            let answers: Vec<_> = answers.into_iter().cloned().collect();
            let gathered = Gathered::of(&answers).unwrap();
            let heard = gathered.proxy("demo", "a-1", &[]).unwrap();
            let may_run = ["demo/in", "demo/out"].into_iter().filter(|plugin| heard.may_run(plugin));
            assert_eq!(may_run.collect::<Vec<_>>().join(" "), run, "{answers:?}");
        }
    }

    #[test]
    fn only_a_poll_with_an_address_of_the_pod_is_its() {
        let filter = |address: &str, state: &str| {
            let node = format!("sidecar~{address}~a-1.demo~x");
            json!({"node": node, "state": state, "lastContact": "2026-11-21T00:00:00Z", "digest": null})
        };
        let filters = [filter("10.0.0.9", "in_step"), filter("10.0.0.1", "gone"), filter("fd001", "lagging")];
        let answer = json!({"filters": filters, "since": "2026-11-21T00:00:00Z"});
        let gathered = Gathered::of(&[serde_json::from_value(answer).unwrap()]).unwrap();
        for (addresses, polls) in [
            (&["10.0.0.1"][..], Some(false)),
            (&["10.0.0.2"], None),
            (&["10.0.0.1", "fd00::1"], Some(true)),
            (&[], Some(true)),
        ] {
            let addresses: Vec<_> = addresses.iter().map(|address| (*address).to_owned()).collect();
            let heard = gathered.proxy("demo", "a-1", &addresses);
            assert_eq!(heard.map(|heard| heard.polls), polls, "{addresses:?}");
        }
    }

    #[test]
    fn nothing_is_known_without_every_answer() {
        assert_eq!(Gathered::of(&[]), None);
        assert_eq!(
            Gathered::of(&[answer("01", &[]), Filters::default()]),
            None,
            "an older version says less"
        );
    }
}
