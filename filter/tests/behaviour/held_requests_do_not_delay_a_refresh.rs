//! A VM runs what another one has published within a tick, however many requests it holds.

use std::time::Duration;

use policies::{Decision, language::Mode};

use crate::world::World;

#[test]
fn long_holds_do_not_delay_the_next_refresh() {
    let mut world = World::active();
    world.refresh();
    let begun = world.now;
    for context_id in 1..=3 {
        world.pass(Duration::from_millis(60));
        let decision = Decision {
            policy: "a".into(),
            mode: Mode::Inject,
            hold: Duration::from_secs(10),
            delayed: true,
            abort: None,
        };
        world.plugin.hold(context_id, decision, world.now);
        let next = world.now + world.plugin.next_tick(world.now);
        assert!(next.since(begun) <= Duration::from_millis(201), "{:?}", next.since(begun));
    }
}
