//! No order of pushes, halts, withdrawals, restarts and losses of Git takes a filter back that moves between two
//! replicas: random histories, run by the code that decides, with a clock that nobody waits for.

mod branch;
mod proxy;
mod replica;
mod world;

use proptest::{
    prelude::*,
    sample::select,
    test_runner::{Config, TestRunner},
};
use tokio::runtime::{Builder, Runtime};

use self::world::World;

/// The number of histories; the environment variable `HFI_HISTORIES` has another one.
const HISTORIES: u32 = 1_000;

/// A step of a history.
#[derive(Clone, Debug)]
enum Step {
    Event(Event),
    /// The filter polls a replica. Meanwhile these happen, each so many seconds after the one before.
    Poll(usize, Vec<(u64, Event)>),
}

/// A replica is named by its number, 0 or 1.
#[derive(Clone, Debug)]
enum Event {
    /// A commit with this content, on top of the branch after so many commits were forced off it.
    Push {
        back: usize,
        content: u8,
    },
    /// So many commits are forced off the branch, and nothing comes instead.
    Reset {
        back: usize,
    },
    /// Git can be reached, or no longer.
    Git(usize, bool),
    /// The replica reads the branch, since its interval is over.
    Read(usize),
    /// The first read takes too long: what an earlier process left is served.
    Restore(usize),
    Halt(usize, bool),
    /// The signers of the commits are trusted, or no longer.
    Trust(usize, bool),
    /// The process ends, in good order or not, and another one starts.
    Restart {
        replica: usize,
        in_order: bool,
    },
    /// Another VM of the proxy goes on with what all of them share.
    AnotherVm,
    /// The proxy starts again and remembers nothing.
    AnotherProxy,
}

fn event() -> impl Strategy<Value = Event> {
    let replica = || 0..2_usize;
    // One commit follows another more often than not.
    let back = || select(vec![0, 0, 0, 0, 1, 2]);
    prop_oneof![
        4 => (back(), 0..4_u8).prop_map(|(back, content)| Event::Push { back, content }),
        1 => back().prop_map(|back| Event::Reset { back }),
        4 => (replica(), any::<bool>()).prop_map(|(replica, up)| Event::Git(replica, up)),
        2 => replica().prop_map(Event::Read),
        2 => replica().prop_map(Event::Restore),
        4 => (replica(), any::<bool>()).prop_map(|(replica, halted)| Event::Halt(replica, halted)),
        2 => (replica(), any::<bool>()).prop_map(|(replica, trusted)| Event::Trust(replica, trusted)),
        3 => (replica(), any::<bool>()).prop_map(|(replica, in_order)| Event::Restart { replica, in_order }),
        1 => Just(Event::AnotherVm),
        1 => select(vec![Event::AnotherVm, Event::AnotherProxy]),
    ]
}

fn history() -> impl Strategy<Value = Vec<Step>> {
    let meanwhile = prop::collection::vec((0..20_u64, event()), 0..4);
    let step = prop_oneof![
        event().prop_map(Step::Event),
        (0..2_usize, meanwhile).prop_map(|(replica, meanwhile)| Step::Poll(replica, meanwhile)),
    ];
    prop::collection::vec(step, 1..24)
}

/// A clock that goes on as soon as there is nothing else to do.
fn runtime() -> Runtime {
    Builder::new_current_thread().enable_time().start_paused(true).build().unwrap()
}

#[test]
fn no_history_takes_a_filter_back() {
    let histories = std::env::var("HFI_HISTORIES").map_or(HISTORIES, |number| number.parse().unwrap());
    let config = Config { cases: histories, failure_persistence: None, ..Config::default() };
    let runtime = runtime();
    let histories = (any::<[bool; 2]>(), history());
    let run = TestRunner::new(config).run(&histories, |(keeps_state, steps)| {
        runtime.block_on(async {
            let mut world = World::new(keeps_state);
            for step in steps {
                world.take(step).await;
            }
            world.heal().await;
        });
        Ok(())
    });
    run.unwrap_or_else(|failure| panic!("{failure}"));
}

#[test]
fn a_halt_on_a_replica_that_is_behind_hides_nothing() {
    let poll = |replica| Step::Poll(replica, Vec::new());
    let push = |content| Step::Event(Event::Push { back: 0, content });
    let halted = |halted| Step::Event(Event::Halt(1, halted));
    runtime().block_on(async {
        let mut world = World::new([false, false]);
        for step in [
            push(1),
            poll(1),
            Step::Event(Event::Git(1, false)),
            push(2),
            Step::Event(Event::Read(0)),
            poll(0),
        ] {
            world.take(step).await;
        }
        assert_eq!(world.runs(), Some(2));
        for (step, runs) in [
            (poll(1), Some(2)),
            (halted(true), Some(2)),
            (poll(1), None),
            (halted(false), None),
            (poll(1), None),
        ] {
            world.take(step).await;
            assert_eq!(world.runs(), runs);
        }
        world.heal().await;
    });
}
