//! A VM runs what another one has published within a tick, however many requests it holds.

use std::time::Duration;

use policies::{Timestamp, evaluation::StaticRequest};

use crate::world::{World, good, snapshot_of};

#[test]
fn long_holds_do_not_delay_the_next_refresh() {
    let mut world = World::new("");
    world.until_poll();
    let slow = "metadata: {name: a}\nspec: {rules: [{fault: {percentage: 100, delay_ms: 10000}}]}";
    world.answer(good(snapshot_of(slow)));
    world.refresh();
    let begun = world.now;
    for context_id in 1..=3 {
        world.pass(Duration::from_millis(30));
        let decision = world.plugin.decide(&StaticRequest::default(), || None).unwrap();
        world.plugin.hold(context_id, decision, world.now, Timestamp::from_millis(0));
        let next = world.now + world.plugin.next_tick(world.now);
        assert!(next.since(begun) <= Duration::from_millis(101), "{:?}", next.since(begun));
    }
}
