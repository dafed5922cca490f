//! However many requests are held, a VM soon runs what another one has taken over.

use std::time::Duration;

use policies::{Decision, language::Mode};

use crate::world::World;

#[test]
fn holds_that_never_end_do_not_put_off_the_next_look() {
    let mut world = World::active();
    world.look();
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
        world.plugin.held.hold(context_id, decision, world.now);
        let next = world.now + world.plugin.next_tick(world.now);
        assert!(next.since(begun) <= Duration::from_millis(201), "{:?}", next.since(begun));
    }
}
