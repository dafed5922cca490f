//! What replicas tell each other, in any order, and what somebody tells who means harm.

use policies::Timestamp;
use proptest::prelude::*;

use super::{
    Ledger, MAX_TOLD,
    ends::{MAX_ENDED, REMEMBERED},
};
use crate::{
    api::time::Time,
    halts::halt::{Halt, HaltId},
    source::ancestry::CommitId,
};

const WEEK: u64 = REMEMBERED.as_millis() as u64;
const NOW: Timestamp = Timestamp::from_millis(10 * WEEK);

fn id(number: usize) -> HaltId {
    HaltId::parse(&format!("h{number}")).unwrap()
}

fn at(millis: u64) -> Timestamp {
    Timestamp::from_millis(millis)
}

fn halt(number: usize, since: u64) -> Halt {
    Halt { since: Time(at(since)), id: id(number), by: "alice".to_owned(), reason: "r".to_owned() }
}

/// What is told by somebody for whom these halts hold, and these have ended at a time.
fn told(
    halts: impl IntoIterator<Item = usize>,
    ended: impl IntoIterator<Item = (usize, Timestamp)>,
) -> Ledger {
    let mut ledger = Ledger::with_ends(ended.into_iter().map(|(number, at)| (id(number), at, None)));
    halts.into_iter().for_each(|number| ledger.add(halt(number, 1)));
    ledger
}

/// What somebody did, in any order: begun a halt, or ended one.
fn ledger() -> impl Strategy<Value = Ledger> {
    let step = (0..5_usize, any::<bool>(), 0..3_u64);
    prop::collection::vec(step, 0..8).prop_map(|steps| {
        let mut ledger = Ledger::default();
        for (number, begins, time) in steps {
            if begins {
                ledger.begin(halt(number, time));
            } else {
                ledger.end(id(number), at(10 * WEEK - time));
                if number > 2 {
                    ledger.remove(id(number), at(time), CommitId([number as u8; 20]));
                }
            }
        }
        ledger
    })
}

fn heard(one: &Ledger, other: &Ledger) -> Ledger {
    let mut heard = one.clone();
    assert_eq!(heard.hear(other, NOW), 0);
    heard
}

/// What counts for others.
fn known(ledger: &Ledger) -> (Vec<HaltId>, Vec<(HaltId, Option<CommitId>)>) {
    let ended = ledger.ended().map(|id| (id.clone(), ledger.removed_by(id)));
    (ledger.halts().map(|halt| halt.id.clone()).collect(), ended.collect())
}

proptest! {
    #[test]
    fn the_order_of_what_is_told_does_not_matter(a in ledger(), b in ledger(), c in ledger()) {
        prop_assert_eq!(known(&heard(&a, &b)), known(&heard(&b, &a)));
        prop_assert_eq!(known(&heard(&a, &heard(&b, &c))), known(&heard(&heard(&a, &b), &c)));
        prop_assert_eq!(&heard(&a, &a), &a);
        prop_assert_eq!(heard(&heard(&a, &b), &b), heard(&a, &b), "nothing is news twice");
    }

    #[test]
    fn what_one_has_ended_holds_for_nobody_and_all_else_holds(a in ledger(), b in ledger()) {
        let both = heard(&a, &b);
        for number in 0..5 {
            let id = id(number);
            prop_assert_eq!(both.has_ended(&id), a.has_ended(&id) || b.has_ended(&id));
            prop_assert_eq!(both.has(&id), (a.has(&id) || b.has(&id)) && !both.has_ended(&id));
        }
    }

    #[test]
    fn it_is_read_back(ledger in ledger()) {
        let json = serde_json::to_string(&ledger).unwrap();
        prop_assert_eq!(serde_json::from_str::<Ledger>(&json).unwrap(), ledger);
    }
}

#[test]
fn an_id_that_has_ended_is_remembered_for_seven_days() {
    let mut ledger = Ledger::default();
    ledger.end(id(1), at(0));
    ledger.forget(at(WEEK));
    ledger.add(halt(1, 5));
    assert!(!ledger.has(&id(1)) && ledger.has_ended(&id(1)));
    ledger.forget(at(WEEK + 1));
    assert!(!ledger.has_ended(&id(1)));
    // A clock that is behind forgets nothing.
    ledger.end(id(2), at(WEEK * 2));
    ledger.forget(at(0));
    assert!(ledger.has_ended(&id(2)));
}

#[test]
fn no_clock_of_another_replica_makes_an_end_be_forgotten_or_remembered_for_ever() {
    for told_at in [0, 9 * WEEK - 1, 10 * WEEK, u64::MAX] {
        let mut ledger = told([1], []);
        ledger.hear(&told([], [(1, at(told_at))]), NOW);
        ledger.forget(NOW);
        assert!(ledger.has_ended(&id(1)), "{told_at}");
        assert_eq!(ledger.hear(&told([1], []), NOW), 0);
        assert!(!ledger.has(&id(1)), "{told_at}: nobody brings it back");
        ledger.forget(at(11 * WEEK + 1));
        assert!(!ledger.has_ended(&id(1)), "{told_at}");
    }
    let mut ledger = Ledger::default();
    ledger.hear(&told([], [(2, at(u64::MAX)), (3, at(0))]), NOW);
    assert!(ledger.has_ended(&id(2)) && !ledger.has_ended(&id(3)), "what nobody needs is not kept");
    ledger.forget(at(11 * WEEK + 1));
    assert_eq!(ledger, Ledger::default());
    let mut ahead = told([], []);
    ahead.add(halt(4, u64::MAX));
    ledger.hear(&ahead, NOW);
    assert_eq!(ledger.halts().next().unwrap().since, Time(NOW));
}

#[test]
fn what_is_told_takes_only_so_much_room_and_none_from_this_replica() {
    let mut ledger = Ledger::default();
    ledger.end(id(1), NOW);
    ledger.begin(halt(2, 1));
    ledger.add(halt(3, 1));
    ledger.hear(&told([], [(3, NOW)]), NOW);
    for flood in 0..3 {
        let ids = (1..=MAX_ENDED).map(|number| 10_000 * (flood + 1) + number);
        ledger.hear(&told([], ids.map(|id| (id, at(u64::MAX)))), NOW);
        assert_eq!(ledger.ended().count(), MAX_ENDED);
        let ids = (0..=MAX_TOLD).map(|number| 100_000 * (flood + 1) + number);
        assert!(ledger.hear(&told(ids, []), NOW) > 0);
        assert_eq!(ledger.halts().count(), MAX_TOLD);
    }
    assert!(ledger.has_ended(&id(1)), "what this replica has ended");
    assert!(ledger.has_ended(&id(3)), "and what held here");
    assert!(ledger.has(&id(2)));
    // Somebody tells and ends as many as he likes.
    for flood in 0..10 {
        let ids: Vec<_> = (0..MAX_TOLD).map(|number| 1_000_000 * (flood + 1) + number).collect();
        let held: Vec<_> = ledger.halts().filter(|halt| !ledger.is_own(&halt.id)).cloned().collect();
        let mut ends = Ledger::default();
        held.into_iter().for_each(|halt| ends.end(halt.id, NOW));
        ledger.hear(&ends, NOW);
        ledger.hear(&told(ids, []), NOW);
        assert!(ledger.ended().count() <= MAX_ENDED && ledger.halts().count() <= MAX_TOLD);
    }
    assert!(ledger.has_ended(&id(1)) && ledger.has(&id(2)));
    ledger.begin(halt(4, 1));
    assert!(ledger.has(&id(4)), "there is room for those of this replica");
}

#[test]
fn nobody_else_changes_a_halt() {
    let mut ledger = told([1], []);
    let mut other = Ledger::default();
    other.add(Halt { by: "mallory".to_owned(), ..halt(1, 0) });
    ledger.hear(&other, NOW);
    assert_eq!(ledger.halts().next(), Some(&halt(1, 1)));
}
