//! Invalid bytes from outside neither stop the filter nor change what it runs.

use std::time::Duration;

use filter::{
    clock::Instant,
    config::Config,
    event::Event,
    identity::Identity,
    sync::{answer::Answer, shared_data::SharedData},
};
use policies::wire::poll::NodeId;
use proptest::prelude::*;

use crate::world::{Data, World, good, snapshot};

fn bytes() -> impl Strategy<Value = Vec<u8>> {
    prop::collection::vec(any::<u8>(), 0..200)
}

/// Bytes that resemble good ones: some are replaced, and some are missing at the end.
fn damaged(good: Vec<u8>) -> impl Strategy<Value = Vec<u8>> {
    let length = good.len();
    let changes = prop::collection::vec((0..length, any::<u8>()), 0..4);
    (changes, 0..=length).prop_map(move |(changes, length)| {
        let mut bytes = good.clone();
        changes.into_iter().for_each(|(at, byte)| bytes[at] = byte);
        bytes.truncate(length);
        bytes
    })
}

/// Values of a VM's shared data, in the order of their keys.
fn values(data: &Data) -> Vec<(String, Vec<u8>)> {
    let mut keys = data.keys();
    keys.sort_unstable();
    keys.into_iter().filter_map(|key| data.get(&key).map(|(value, _)| (key, value))).collect()
}

fn start() -> Instant {
    Instant::from_origin(Duration::from_secs(1_000))
}

proptest! {
    #[test]
    fn a_random_configuration_is_refused(json in bytes()) {
        prop_assert!(Config::parse(&json).is_err());
    }

    #[test]
    fn an_accepted_option_is_in_its_range(value in r#"[-0-9a-z:".*\[\]{}]{0,12}"#, option in 0..7_usize) {
        let options = ["cluster", "poll_wait_seconds", "max_staleness_seconds", "service", "namespace", "namespaces", "max_active_faults"];
        let json = format!(r#"{{"control_plane_address": "a:1", "{}": {value}}}"#, options[option]);
        if let Ok(config) = Config::parse(json.as_bytes()) {
            prop_assert!(config.poll_wait >= Duration::from_secs(1) && config.poll_wait <= Duration::from_secs(300));
            prop_assert!(config.max_active_faults > 0);
        }
    }

    #[test]
    fn a_random_node_gives_a_valid_node_id(values in prop::collection::vec(prop::option::of(bytes()), 8)) {
        let config = Config::parse(br#"{"control_plane_address": "a:1"}"#).unwrap();
        let next = std::cell::Cell::new(0);
        let identity = Identity::discover(&config, |_| {
            next.set(next.get() + 1);
            values[(next.get() - 1) % values.len()].clone()
        });
        prop_assert!(identity.node.is_none_or(|node| NodeId::parse(node.as_str()).is_some()));
    }

    #[test]
    fn a_random_answer_changes_nothing(
        status in prop::option::of("200|304|[0-9]{3}|.{0,9}"),
        etag in prop::option::of(".{0,80}"),
        revision in prop::option::of(".{0,80}"),
        content_type in prop::option::of(".{0,20}"),
        is_too_large in any::<bool>(),
        body in bytes(),
    ) {
        let mut world = World::active();
        world.until_poll();
        world.answer(Answer { status, etag, revision, content_type, is_too_large, body });
        prop_assert!(world.injects());
        world.until_poll();
    }

    #[test]
    fn a_damaged_snapshot_is_refused_or_compiled(body in damaged(snapshot("cart"))) {
        let mut world = World::active();
        world.until_poll();
        // The ETag is right, so only the decoder can tell.
        let is_whole = body == snapshot("cart");
        let events = world.answer(good(body));
        let is_updated = matches!(events[..], [Event::Updated { .. }]);
        prop_assert!(is_updated || world.injects(), "{events:?}");
        prop_assert!(is_updated || !is_whole);
    }

    #[test]
    fn random_shared_data_is_ignored(at in 0..4_usize, value in bytes()) {
        let data = Data::default();
        World::joining(&data, "", 7, start());
        let (key, _) = values(&data).swap_remove(at % values(&data).len());
        data.set(&key, &value, None);
        let mut world = World::joining(&data, "", 9, start());
        prop_assert!(!world.injects());
        world.refresh();
        prop_assert!(!world.injects());
    }

    #[test]
    fn damaged_shared_data_does_not_stop_the_timer(at in 0..4_usize, changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..4)) {
        let data = Data::default();
        let mut leader = World::joining(&data, "", 7, start());
        leader.until_poll();
        leader.answer(good(snapshot("cart")));
        let (key, mut value) = values(&data).swap_remove(at);
        for (index, byte) in changes {
            let place = index.index(value.len());
            value[place] = byte;
        }
        data.set(&key, &value, None);
        let mut world = World::joining(&data, "", 9, leader.now);
        world.refresh();
        world.injects();
        let tick = world.plugin.next_tick(world.now);
        prop_assert!(tick > Duration::ZERO && tick <= Duration::from_millis(200), "{tick:?}");
    }
}
