//! Single histories, each for one behaviour.

use std::{
    collections::BTreeSet,
    time::{Duration, Instant},
};

use super::{
    steps::{Peers, Step},
    world::{World, open, open_with},
};
use crate::{
    api::halts::Durable,
    clock::now,
    halts::{
        book::{Book, Committing, View},
        document,
        halt::{Halt, HaltId},
        ledger::Ledger,
        store::Store,
    },
    writes::file_change::Edited,
};

/// A world in which one replica has halted, and has read that in Git.
fn halted(replica: usize) -> World {
    let mut world = World::new(Peers::Nobody);
    world.take(Step::Halt(replica));
    world.keep(replica, false);
    world
}

#[test]
fn one_that_is_removed_while_its_replica_is_down_has_ended() {
    let mut world = halted(1);
    world.take(Step::RemoveByHand);
    world.restart(1);
    assert!(world.replicas[1].gate.is_halted(), "until the branch is read");
    world.fetch(1);
    assert!(!world.replicas[1].gate.is_halted());
    assert!(!world.keep(1, false), "it is not committed again");
}

#[test]
fn one_whose_commit_is_forced_off_the_branch_is_committed_again() {
    let mut world = halted(1);
    world.take(Step::Force);
    world.fetch(1);
    assert!(world.replicas[1].gate.is_halted());
    assert!(world.keep(1, false) && world.head().file.is_some());
}

#[test]
fn what_arrives_in_git_after_its_end_is_removed_there() {
    let mut world = World::new(Peers::Nobody);
    world.take(Step::Halt(1));
    let late = world.replicas[1].book.begin_put(&[]);
    world.resume(1, false);
    let Ok(Edited::Changed(file)) = document::with(None, &late) else { panic!("nothing changed") };
    world.commit(file);
    world.fetch(1);
    assert!(!world.replicas[1].gate.is_halted());
    assert!(world.keep(1, false) && world.head().file.is_none());
}

#[test]
fn one_that_ended_elsewhere_and_is_put_back_is_not_undone_by_the_replica_whose_commit_was_forced_off() {
    let mut world = World::new(Peers::Replicas);
    world.take(Step::Halt(0));
    world.tell(0, 1);
    world.take(Step::Push(1));
    world.take(Step::Force);
    world.keep(0, false);
    world.take(Step::RemoveByHand);
    world.resume(0, false);
    world.fetch(1);
    world.tell(0, 1);
    world.take(Step::PutBack);
    for _ in 0..2 {
        world.fetch(1);
        assert!(!world.keep(1, false) && world.head().file.is_some());
    }
}

#[test]
fn a_replica_that_is_behind_holds_until_it_reads_the_commit_that_ended_the_halt() {
    let mut world = World::new(Peers::Replicas);
    world.fetch(1);
    world.take(Step::Halt(0));
    world.tell(0, 1);
    world.keep(0, false);
    // People remove a policy under the halt, and that is not read here.
    world.take(Step::Commit);
    world.resume(0, false);
    world.tell(0, 1);
    let is_told = |world: &World| {
        world.replicas[1].book.view().trouble.is_some_and(|told| told.contains("another replica has ended"))
    };
    assert!(!world.replicas[0].gate.is_halted() && world.replicas[1].gate.is_halted() && is_told(&world));
    world.restart(1);
    world.tell(0, 1);
    assert!(world.replicas[1].gate.is_halted(), "also after a restart");
    assert!(!world.keep(1, false), "it is not committed again");
    world.fetch(1);
    assert!(!world.replicas[1].gate.is_halted() && !is_told(&world));
}

#[test]
fn it_holds_until_then_also_where_the_next_process_names_the_repository_otherwise() {
    let mut world = halted(0);
    world.tell(0, 1);
    world.resume(0, false);
    world.tell(0, 1);
    let replica = &mut world.replicas[1];
    replica.book.save();
    let state = replica.state.as_ref().unwrap().path().to_owned();
    let store = Store::new(state, "main by another name".to_owned(), None);
    (replica.gate, replica.book) = open_with(Some(store), now, Committing::ToServed);
    assert!(replica.gate.is_halted() && replica.book.awaits());
    world.fetch(1);
    assert!(!world.replicas[1].gate.is_halted());
}

#[test]
fn where_halts_go_to_new_branches_each_gets_one() {
    let state = tempfile::tempdir().unwrap();
    let open = || {
        let store = Store::new(state.path().to_owned(), "main".to_owned(), None);
        open_with(Some(store), now, Committing::ToOthers).1
    };
    let (here, (_, there)) = (open(), open_with(None, now, Committing::ToOthers));
    let halt = here.halt("alice", "r").unwrap();
    there.hear(&here.ledger());
    let later = Instant::now() + Duration::from_secs(10);
    assert!(there.work_at(later).put.is_empty(), "that is for the replica at which it began");
    let View { durable, trouble, .. } = there.view();
    assert_eq!(durable, Some(Durable::Memory));
    assert!(trouble.is_some_and(|told| told.contains("at which the halt began")));
    assert_eq!(here.work_at(later).put, std::slice::from_ref(&halt));
    assert_eq!(here.view().durable, Some(Durable::Pending));
    here.proposed(std::slice::from_ref(&halt), "hfi/alice/hfi-halt-1");
    assert!(here.work_at(later).put.is_empty());
    here.save();
    let again = open();
    assert!(again.work_at(later).put.is_empty(), "also after a restart");
    let View { durable, trouble, .. } = again.view();
    assert_eq!(durable, Some(Durable::Disk));
    assert!(trouble.is_some_and(|told| told.contains("`hfi/alice/hfi-halt-1`")));
}

#[test]
fn the_end_of_a_halt_that_was_never_in_git_is_the_end_at_all_at_once() {
    let mut world = World::new(Peers::Replicas);
    world.take(Step::Halt(0));
    world.tell(0, 1);
    world.resume(0, false);
    world.tell(0, 1);
    assert!(!world.replicas[1].gate.is_halted());
}

#[test]
fn one_that_is_put_back_holds_until_somebody_resumes() {
    let mut world = halted(1);
    world.resume(1, false);
    assert!(!world.replicas[1].gate.is_halted() && world.head().file.is_none());
    world.take(Step::PutBack);
    world.fetch(1);
    assert!(
        !world.keep(1, false) && world.head().file.is_some(),
        "hfi does not remove what somebody put back"
    );
    world.resume(1, false);
    assert!(world.head().file.is_none());
}

#[test]
fn one_whose_commit_is_forced_off_before_it_is_read_is_committed_again() {
    let mut world = World::new(Peers::Nobody);
    world.take(Step::Halt(1));
    world.take(Step::Push(1));
    world.take(Step::Force);
    world.fetch(1);
    let later = Instant::now() + Duration::from_hours(1);
    assert!(world.push(1, false, later) && world.head().file.is_some());
}

#[test]
fn one_whose_end_is_unknown_goes_on_unless_it_is_in_git() {
    let mut world = World::new(Peers::Nobody);
    world.take(Step::Halt(1));
    let book = &world.replicas[1].book;
    let ids = book.begin_end();
    assert!(book.work().put.is_empty(), "somebody is ending it");
    book.end_is_unknown(&ids);
    assert_eq!(book.work().put.len(), 1, "it is committed after all");
}

#[test]
fn a_halt_beyond_the_most_is_none_of_its_own() {
    let book = Book::closed();
    let ids: BTreeSet<_> = (0..32).map(|_| book.halt("alice", "r").unwrap().id).collect();
    assert_eq!(ids.len(), 32, "each is another one");
    assert!(ids.contains(&book.halt("alice", "r").unwrap().id), "everything is halted already");
    book.begin_end();
    assert!(book.halt("alice", "r").unwrap_err().contains("ending all 32 halts"));
}

#[test]
fn stored_halts_that_cannot_be_read_halt_this_replica_alone() {
    let state = tempfile::tempdir().unwrap();
    let file = state.path().join("halts.json");
    std::fs::write(&file, "{").unwrap();
    let (gate, book) = open(Some(&state), now);
    assert!(gate.is_halted() && book.unreadable().is_some_and(|told| told.contains("halts.json")));
    assert!(book.work().put.is_empty() && book.ledger().halts().next().is_none());
    let halt = book.halt("alice", "r").unwrap();
    book.end(&[halt.id], None);
    assert!(gate.is_halted());
    assert_eq!(std::fs::read_to_string(&file).unwrap(), "{", "a restart does not let go");
}

#[test]
fn one_that_an_earlier_process_pushed_and_that_was_forced_off_is_committed_again() {
    let mut world = World::new(Peers::Nobody);
    world.take(Step::Halt(1));
    world.take(Step::Push(1));
    world.take(Step::Force);
    world.restart(1);
    world.fetch(1);
    assert!(world.keep(1, false) && world.head().file.is_some());
}

/// What somebody tells for whom these halts hold, and these have ended.
fn told(halts: impl Iterator<Item = u32>, ended: impl Iterator<Item = u32>) -> Ledger {
    let id = |number: u32| HaltId::parse(&format!("told-{number}")).unwrap();
    let mut told = Ledger::with_ends(ended.map(|number| (id(number), now(), None)));
    for number in halts {
        told.add(Halt { id: id(number), ..Halt::new("mallory", "x", now()) });
    }
    told
}

#[test]
fn what_there_is_no_room_for_holds_until_all_have_answered() {
    let (gate, book) = open(None, now);
    book.hear(&told(0..1_000, 0..0));
    let kept = book.ledger().halts().count() as u32;
    assert!(kept < 1_000 && gate.is_halted());
    let begun = Instant::now();
    book.hear(&told(0..1_000, 0..1_000));
    assert!(book.ledger().halts().next().is_none() && gate.is_halted(), "one of them may be of a replica");
    assert!(book.view().trouble.is_some_and(|trouble| trouble.contains("more halts than there is room for")));
    book.hear(&told(2_000..3_000, 0..0));
    book.hear(&told(0..0, 2_000..3_000));
    book.has_asked(begun, true);
    assert!(gate.is_halted(), "that was told after the question");
    book.has_asked(Instant::now(), false);
    assert!(gate.is_halted(), "one that does not answer may hold it");
    book.has_asked(Instant::now(), true);
    assert!(!gate.is_halted());
    book.hear(&told(3_000..4_000, 0..0));
    book.hear(&told(0..0, 3_000..4_000));
    book.has_asked(Instant::now() + Duration::from_secs(59), false);
    assert!(gate.is_halted());
    book.has_asked(Instant::now() + Duration::from_secs(61), false);
    assert!(!gate.is_halted(), "it would have told it again");
}

#[test]
fn halts_that_others_tell_take_no_room_from_those_of_this_replica() {
    let (_, book) = open(None, now);
    book.hear(&told(0..1_000, 0..0));
    let halt = book.halt("alice", "r").unwrap();
    book.hear(&told(0..0, 0..1_000));
    assert!(book.ledger().has(&halt.id));
}
