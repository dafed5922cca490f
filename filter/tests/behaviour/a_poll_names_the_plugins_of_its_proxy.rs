//! The VM that polls tells which plugins of hfi run in its proxy, so that the server notices one that is lost.

use std::{collections::BTreeSet, time::Duration};

use filter::{clock::Instant, identity::Identity, sync::shared_data::SharedData};
use policies::wire::{PluginName, PluginNames, poll};
use proptest::prelude::*;

use crate::world::{Data, World, checkout, good, header, not_modified, snapshot};

const TICK: Duration = Duration::from_millis(200);
const SECOND: Duration = Duration::from_secs(1);

/// Roots of a proxy, each with its plugin. All are in one list, be they of one worker thread or of several.
struct Proxy {
    data: Data,
    now: Instant,
    roots: Vec<(String, World)>,
    started: u8,
}

impl Proxy {
    fn new(workers: usize, plugins: &[&str]) -> Self {
        let (data, now) = (Data::default(), Instant::from_origin(1_000 * SECOND));
        let mut proxy = Self { data, now, roots: Vec::new(), started: 0 };
        for plugin in plugins {
            (0..workers).for_each(|_| proxy.start(plugin, ""));
        }
        proxy
    }

    /// Starts a root of a plugin, with more of a configuration.
    fn start(&mut self, plugin: &str, config: &str) {
        self.started += 1;
        let identity = Identity { plugin: PluginName::from_envoy(plugin), ..checkout() };
        let world = World::of(identity, &self.data, config, self.started, self.now);
        self.roots.push((plugin.to_owned(), world));
    }

    /// Ends every root of a plugin, as the host does: without a word.
    fn end(&mut self, plugin: &str) {
        self.roots.retain(|(known, _)| known != plugin);
    }

    /// Lets time pass; each poll is answered at once. Returns what the polls named.
    fn pass(&mut self, time: Duration) -> Vec<Option<String>> {
        self.run(time, true)
    }

    /// The same, but the server holds each poll of a proxy that has its snapshot.
    fn pass_held(&mut self, time: Duration) -> Vec<Option<String>> {
        self.run(time, false)
    }

    fn run(&mut self, time: Duration, is_answered: bool) -> Vec<Option<String>> {
        let (end, mut named) = (self.now + time, Vec::new());
        while self.now < end {
            self.now = self.now + TICK;
            for (_, root) in &mut self.roots {
                root.now = self.now;
                root.refresh();
                if let Some(poll) = root.plugin.next_poll(self.now) {
                    named.push(header(&poll, poll::PLUGINS).map(str::to_owned));
                    let is_first = header(&poll, "if-none-match").is_none();
                    if is_first {
                        root.answer(good(snapshot("checkout")));
                    } else if is_answered {
                        root.answer(not_modified());
                    }
                }
            }
        }
        named
    }

    /// What the last poll of this time named.
    fn last(&mut self, time: Duration) -> Option<String> {
        self.pass(time).pop().expect("no poll")
    }
}

#[test]
fn of_all_its_workers() {
    for workers in [1, 2, 4] {
        let mut proxy = Proxy::new(workers, &["demo.hfi-outbound", "demo.hfi-inbound"]);
        assert_eq!(
            proxy.last(10 * SECOND).as_deref(),
            Some("demo/hfi-inbound,demo/hfi-outbound"),
            "{workers}"
        );
    }
}

#[test]
fn one_that_is_lost_drops_out_soon() {
    for workers in [1, 2, 4] {
        // Whichever of them polls.
        for lost in ["demo.hfi-inbound", "demo.hfi-outbound"] {
            let mut proxy = Proxy::new(workers, &["demo.hfi-inbound", "demo.hfi-outbound"]);
            proxy.pass(60 * SECOND);
            proxy.end(lost);
            let left = ["demo/hfi-inbound", "demo/hfi-outbound"];
            let left = left.into_iter().find(|name| name.replace('/', ".") != lost);
            assert_eq!(proxy.last(12 * SECOND).as_deref(), left);
            proxy.start(lost, "");
            assert_eq!(proxy.last(6 * SECOND).as_deref(), Some("demo/hfi-inbound,demo/hfi-outbound"));
        }
    }
}

/// Configuration of polls that are held for five minutes, also while a policy is in force.
const HELD: &str = r#", "poll_wait_seconds": 300, "report_interval_seconds": 300"#;

/// Two plugins whose polls are held.
fn held(workers: usize, plugins: &[&str]) -> Proxy {
    let mut proxy = Proxy::new(0, &[]);
    for plugin in plugins {
        (0..workers).for_each(|_| proxy.start(plugin, HELD));
    }
    proxy
}

#[test]
fn all_of_them_or_none_from_the_first_poll_on() {
    for workers in [1, 2, 4] {
        let named = held(workers, &["demo.hfi-outbound", "demo.hfi-inbound"]).pass_held(60 * SECOND);
        let [early @ .., last] = &named[..] else { panic!("no poll") };
        assert!(early.iter().all(Option::is_none), "{workers}: {named:?}");
        assert_eq!(last.as_deref(), Some("demo/hfi-inbound,demo/hfi-outbound"), "{workers}");
        assert!(named.len() <= 3, "{workers}: {named:?}");
    }
}

#[test]
fn those_that_change_are_told_while_a_poll_is_held() {
    let mut proxy = held(2, &["demo.hfi-inbound"]);
    proxy.pass_held(60 * SECOND);
    assert_eq!(proxy.pass_held(60 * SECOND), [], "nothing changes");
    for _ in 0..3 {
        proxy.start("demo.hfi-outbound", HELD);
        assert_eq!(proxy.pass_held(20 * SECOND), [Some("demo/hfi-inbound,demo/hfi-outbound".to_owned())]);
        proxy.end("demo.hfi-outbound");
        assert_eq!(proxy.pass_held(20 * SECOND), [Some("demo/hfi-inbound".to_owned())]);
    }
}

#[test]
fn one_that_comes_and_goes_causes_few_polls() {
    let mut proxy = held(1, &["demo.hfi-inbound"]);
    proxy.pass_held(60 * SECOND);
    let mut polls = 0;
    for _ in 0..10 {
        proxy.start("demo.hfi-outbound", HELD);
        polls += proxy.pass_held(2 * SECOND).len();
        proxy.end("demo.hfi-outbound");
        polls += proxy.pass_held(7 * SECOND).len();
    }
    assert!((1..=10).contains(&polls), "{polls}");
}

#[test]
fn one_that_comes_later_is_in_the_next_poll() {
    let mut proxy = Proxy::new(2, &["demo.hfi-inbound"]);
    assert_eq!(proxy.last(10 * SECOND).as_deref(), Some("demo/hfi-inbound"));
    proxy.start("demo.hfi-outbound", "");
    assert_eq!(proxy.last(6 * SECOND).as_deref(), Some("demo/hfi-inbound,demo/hfi-outbound"));
}

#[test]
fn those_of_another_configuration_too() {
    let mut proxy = Proxy::new(2, &["demo.hfi-inbound"]);
    proxy.start("demo.hfi-outbound", r#", "poll_wait_seconds": 5"#);
    let named = proxy.pass(20 * SECOND);
    let [.., one, other] = &named[..] else { panic!("{named:?}") };
    assert_eq!((one.as_deref(), one), (Some("demo/hfi-inbound,demo/hfi-outbound"), other));
}

#[test]
fn a_proxy_that_was_stopped_has_lost_none() {
    let mut proxy = Proxy::new(2, &["demo.hfi-inbound", "demo.hfi-outbound"]);
    proxy.pass(60 * SECOND);
    proxy.now = proxy.now + 600 * SECOND;
    for named in proxy.pass(10 * SECOND) {
        assert_eq!(named.as_deref(), Some("demo/hfi-inbound,demo/hfi-outbound"));
    }
}

#[test]
fn nothing_is_said_while_one_has_no_name_or_they_are_too_many() {
    let mut proxy = Proxy::new(2, &["demo.hfi-inbound", "not Istio's"]);
    assert_eq!(proxy.last(10 * SECOND), None);
    proxy.end("not Istio's");
    assert_eq!(proxy.last(10 * SECOND).as_deref(), Some("demo/hfi-inbound"));
    let many: Vec<_> = (0..40).map(|number| format!("demo.p{number}")).collect();
    let mut proxy = Proxy::new(1, &many.iter().map(String::as_str).collect::<Vec<_>>());
    assert_eq!(proxy.last(10 * SECOND), None);
    many[16..].iter().for_each(|plugin| proxy.end(plugin));
    let named = proxy.last(20 * SECOND).unwrap();
    assert_eq!(named.split(',').count(), 16, "{named}");
}

#[test]
fn a_list_that_is_not_one_is_made_anew() {
    let mut proxy = Proxy::new(2, &["demo.hfi-inbound", "demo.hfi-outbound"]);
    proxy.pass(10 * SECOND);
    let key = proxy.data.keys().into_iter().find(|key| key.contains("plugins")).unwrap();
    for garbage in [&b"\xff\xff\xff"[..], b"", &[0; 1_000]] {
        assert!(proxy.data.set(&key, garbage, None));
        assert_eq!(proxy.last(10 * SECOND).as_deref(), Some("demo/hfi-inbound,demo/hfi-outbound"));
    }
}

const PLUGINS: [&str; 3] = ["demo.a", "demo.b", "istio-system.c"];

/// Change of a proxy: a root of a plugin starts, all of them end, or time passes.
#[derive(Clone, Debug)]
enum Change {
    Start(usize),
    End(usize),
    Pass(u64),
    Stop(u64),
}

fn change() -> impl Strategy<Value = Change> {
    prop_oneof![
        (0..PLUGINS.len()).prop_map(Change::Start),
        (0..PLUGINS.len()).prop_map(Change::End),
        (1..8_000_u64).prop_map(Change::Pass),
        (1..100_u64).prop_map(Change::Stop),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(200) })]

    #[test]
    fn whatever_happens_they_are_known_some_seconds_later(
        workers in 1..=4_usize,
        changes in proptest::collection::vec(change(), 0..20)
    ) {
        let mut proxy = Proxy::new(workers, &PLUGINS[..1]);
        for change in changes {
            match change {
                Change::Start(plugin) => proxy.start(PLUGINS[plugin], ""),
                Change::End(plugin) => proxy.end(PLUGINS[plugin]),
                Change::Pass(millis) => drop(proxy.pass(Duration::from_millis(millis))),
                Change::Stop(seconds) => proxy.now = proxy.now + seconds as u32 * SECOND,
            }
        }
        proxy.start(PLUGINS[0], "");
        let running: BTreeSet<_> = proxy.roots.iter().map(|(plugin, _)| plugin.replacen('.', "/", 1)).collect();
        let named = PluginNames::parse(&proxy.last(15 * SECOND).unwrap()).unwrap();
        prop_assert_eq!(named.iter().map(str::to_owned).collect::<BTreeSet<_>>(), running);
    }
}
