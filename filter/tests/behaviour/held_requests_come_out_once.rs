//! Each held request is released exactly once, in its time, or forgotten with its stream.

use std::{cell::OnceCell, collections::BTreeMap, time::Duration};

use filter::{
    clock::Instant,
    request::held::{HeldRequests, Outcome},
};
use policies::{
    Decision, Program, Scope, Snapshot, Timestamp,
    evaluation::{AlwaysHit, StaticRequest},
};
use proptest::prelude::*;

use crate::world::snapshot_of;

fn at(millis: u64) -> Instant {
    Instant::from_origin(Duration::from_millis(millis))
}

/// Time of day at an instant of these tests.
fn time(millis: u64) -> Timestamp {
    Timestamp::from_millis(1_000_000 + millis)
}

/// Snapshot with these of the policies 0 to 3, which hold requests with and without an abort.
fn snapshot(policies: impl IntoIterator<Item = usize>) -> Snapshot {
    let policy = |number: usize| {
        let abort = if number.is_multiple_of(2) { ", abort: {httpStatus: 503}" } else { "" };
        format!(
            "metadata: {{name: p{number}}}\nspec: {{rules: [{{match: {{path: {{exact: /p{number}}}}}, fault: {{percentage: 100, delay_ms: 1{abort}}}}}]}}\n---\n"
        )
    };
    Snapshot::decode(&snapshot_of(&policies.into_iter().map(policy).collect::<String>())).unwrap()
}

/// Decision of this policy, with this delay.
fn decision(policy: usize, millis: u64) -> Decision {
    thread_local! {
        static PROGRAM: OnceCell<Program> = const { OnceCell::new() };
    }
    let request = StaticRequest { target: Some(format!("/p{policy}")), ..StaticRequest::default() };
    let decision = PROGRAM.with(|program| {
        let program = program.get_or_init(|| Program::compile(&snapshot(0..4), &Scope::unknown()));
        program.decide(&request, &mut AlwaysHit).unwrap()
    });
    Decision { hold: Duration::from_millis(millis), ..decision }
}

/// Delay without an abort.
fn delay(millis: u64) -> Decision {
    decision(1, millis)
}

#[test]
fn in_the_order_of_their_time_and_never_early() {
    let mut held = HeldRequests::default();
    assert!(held.hold(1, delay(100), at(1_000), time(0)));
    assert!(held.hold(2, delay(10), at(1_000), time(0)));
    assert!(!held.hold(3, delay(200), at(1_000), time(0)));
    assert_eq!(held.next_due(), Some(at(1_010)));
    assert!(held.take_due(at(1_009)).is_empty());
    let due = held.take_due(at(1_012));
    assert_eq!((due[0].context_id, due[0].delayed, due.len()), (2, Some(Duration::from_millis(12)), 1));
    assert_eq!(held.next_due(), Some(at(1_100)));
    assert_eq!(held.take_due(at(1_200)).len(), 2);
    assert_eq!(held.next_due(), None);
}

#[test]
fn in_batches_at_consecutive_ticks() {
    let mut held = HeldRequests::default();
    (0..300).for_each(|id| _ = held.hold(id, delay(100), at(0), time(0)));
    let batches = [100, 101, 102].map(|now| held.take_due(at(now)).len());
    assert_eq!((batches, held.next_due()), ([128, 128, 44], None));
}

#[test]
fn unless_their_stream_has_ended() {
    let mut held = HeldRequests::default();
    held.hold(1, delay(1_000), at(0), time(0));
    held.hold(2, delay(900), at(0), time(0));
    assert_eq!(held.forget_ended(at(100), |id| id == 1), 1);
    assert_eq!(held.forget_ended(at(199), |_| false), 0, "too soon to search again");
    assert_eq!((held.len(), held.next_due()), (1, Some(at(1_000))), "nothing is left of the other");
    assert_eq!(held.forget_ended(at(200), |_| false), 1);
    assert_eq!(held.next_due(), None);
    assert!(held.take_due(at(1_000)).is_empty());
}

#[test]
fn without_a_delay_if_they_were_only_started_late() {
    let mut held = HeldRequests::default();
    held.hold(1, Decision { delayed: false, ..decision(0, 5) }, at(0), time(0));
    let due = held.take_due(at(5));
    assert_eq!((&*due[0].policy, due[0].delayed), ("p0", None));
    assert!(matches!(due[0].outcome, Outcome::Abort(_)));
}

#[test]
fn at_once_if_their_rule_is_gone() {
    let mut held = HeldRequests::default();
    (0..4).for_each(|id| _ = held.hold(id, decision(id as usize, 1_000), at(0), time(0)));
    held.follow(&snapshot([1, 2]), at(100));
    assert_eq!(held.next_due(), Some(at(100)));
    let due = held.take_due(at(100));
    assert_eq!(due.iter().map(|due| due.context_id).collect::<Vec<_>>(), [0, 3]);
    assert!(due.iter().all(|due| due.outcome == Outcome::Cancel), "{due:?}");
    assert_eq!(due[0].delayed, Some(Duration::from_millis(100)));
    assert_eq!(held.next_due(), Some(at(1_000)), "what is in force goes on holding");
    let due = held.take_due(at(1_000));
    assert!(matches!(due[0].outcome, Outcome::Resume) && matches!(due[1].outcome, Outcome::Abort(_)));
}

#[test]
fn at_the_end_of_their_rule() {
    let mut held = HeldRequests::default();
    let ending = |policy, ends| Decision { ends_at: Some(time(ends)), ..decision(policy, 1_000) };
    held.hold(1, ending(0, 300), at(0), time(0));
    held.hold(2, ending(1, 400), at(0), time(0));
    held.hold(3, ending(0, 1_001), at(0), time(0));
    assert_eq!(held.next_due(), Some(at(300)));
    assert!(held.take_due(at(299)).is_empty());
    assert_eq!(held.take_due(at(300))[0].outcome, Outcome::Cancel);
    assert_eq!(held.take_due(at(400))[0].outcome, Outcome::Cancel);
    assert!(matches!(held.take_due(at(1_000))[0].outcome, Outcome::Abort(_)));

    // A tick that comes late finds a rule that has ended since its requests were due.
    held.hold(4, ending(0, 1_001), at(0), time(0));
    held.hold(5, ending(1, 1_001), at(0), time(0));
    let outcomes: Vec<_> = held.take_due(at(1_002)).into_iter().map(|due| due.outcome).collect();
    assert_eq!(outcomes, [Outcome::Cancel, Outcome::Resume]);
}

/// Step of a history.
#[derive(Clone, Debug)]
enum Step {
    Hold {
        policy: usize,
        millis: u64,
        ends_in: Option<u64>,
    },
    /// The client of one of the streams so far leaves.
    Leave(usize),
    Follow(Vec<usize>),
    BecomeStale,
    Pass(u64),
    Tick,
}

fn step() -> impl Strategy<Value = Step> {
    let ends_in = prop::option::weighted(0.3, 0..600u64);
    prop_oneof![
        6 => (0..4usize, 0..500u64, ends_in)
            .prop_map(|(policy, millis, ends_in)| Step::Hold { policy, millis, ends_in }),
        2 => any::<prop::sample::Index>().prop_map(|index| Step::Leave(index.index(1_000))),
        2 => prop::sample::subsequence(vec![0, 1, 2, 3], 0..=4).prop_map(Step::Follow),
        1 => Just(Step::BecomeStale),
        4 => (0..200u64).prop_map(Step::Pass),
        6 => Just(Step::Tick),
    ]
}

/// What a request is expected to get.
#[derive(Debug)]
struct Expected {
    policy: usize,
    due: u64,
    ends: u64,
}

/// Lets a tick release what is due, and compares it with what is expected of the streams that are open.
/// `gauge` is the number of requests that are held, as Envoy has it.
fn tick(
    held: &mut HeldRequests,
    open: &mut BTreeMap<u32, Expected>,
    gauge: &mut usize,
    now: u64,
) -> Result<(), TestCaseError> {
    let due = held.take_due(at(now));
    *gauge -= due.len();
    for due in due {
        // One whose stream has ended may still come out: it is not open, and left alone.
        let Some(expected) = open.remove(&due.context_id) else { continue };
        let Expected { policy, due: end_of_delay, ends } = expected;
        prop_assert!(end_of_delay.min(ends) <= now, "early: {:?} at {}", expected, now);
        let is_in_force = now < ends;
        let is_right = match due.outcome {
            Outcome::Abort(_) => policy % 2 == 0 && is_in_force && end_of_delay <= now,
            Outcome::Resume => policy % 2 == 1 && end_of_delay <= now,
            Outcome::Cancel => !is_in_force,
        };
        prop_assert!(is_right, "{:?} at {}: {:?}", expected, now, due.outcome);
    }
    *gauge -= held.forget_ended(at(now), |id| open.contains_key(&id));
    prop_assert_eq!(held.len(), *gauge);
    // Here a batch has room for all that is due.
    prop_assert!(open.values().all(|open| open.due.min(open.ends) > now));
    Ok(())
}

proptest! {
    #[test]
    fn whatever_happens(steps in prop::collection::vec(step(), 0..60)) {
        let (mut held, mut now) = (HeldRequests::default(), 0);
        let mut open = BTreeMap::<u32, Expected>::new();
        let (mut gauge, mut next) = (0, 0);
        for step in steps {
            match step {
                Step::Hold { policy, millis, ends_in } => {
                    let ends_at = ends_in.map(|ends_in| time(now + ends_in));
                    held.hold(next, Decision { ends_at, ..decision(policy, millis) }, at(now), time(now));
                    let ends = ends_in.map_or(u64::MAX, |ends_in| now + ends_in);
                    open.insert(next, Expected { policy, due: now + millis, ends });
                    (gauge, next) = (gauge + 1, next + 1);
                }
                Step::Leave(index) => _ = open.remove(&(index as u32 % next.max(1))),
                Step::Follow(policies) => {
                    held.follow(&snapshot(policies.iter().copied()), at(now));
                    for open in open.values_mut() {
                        open.ends = if policies.contains(&open.policy) { u64::MAX } else { now };
                    }
                }
                Step::BecomeStale => {
                    held.cancel_all(at(now));
                    open.values_mut().for_each(|open| open.ends = now);
                }
                Step::Pass(millis) => now += millis,
                Step::Tick => tick(&mut held, &mut open, &mut gauge, now)?,
            }
        }
        // What is left comes out at the ticks that it asks for.
        while let Some(next) = held.next_due() {
            now = now.max(next.since(at(0)).as_millis() as u64);
            tick(&mut held, &mut open, &mut gauge, now)?;
        }
        prop_assert!(open.is_empty() && held.is_empty() && gauge == 0, "{open:?}");
    }
}
