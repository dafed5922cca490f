//! One VM of a proxy polls, the others run what it gets, and another VM takes over when it is gone.

use std::{cell::RefCell, rc::Rc, time::Duration};

use filter::{clock::Instant, event::Event, identity::Identity, sync::shared_data::SharedData};
use policies::{Digest, Scope};

use crate::world::{Data, World, checkout, good, header, not_modified, snapshot};

const LEASE: Duration = Duration::from_secs(2);

fn at(seconds: u64) -> Instant {
    Instant::from_origin(Duration::from_secs(1_000 + seconds))
}

/// VMs with the same shared data. The first leads and has an active policy.
fn proxy(vms: u8) -> (Data, Vec<World>) {
    let data = Data::default();
    let mut vms: Vec<_> = (1..=vms).map(|seed| World::joining(&data, "", seed, at(0))).collect();
    vms[0].until_poll();
    vms[0].answer(good(snapshot("checkout")));
    let now = vms[0].now;
    vms.iter_mut().for_each(|vm| vm.now = now);
    (data, vms)
}

#[test]
fn only_one_polls() {
    let data = Data::default();
    let mut vms: Vec<_> = (1..=5).map(|seed| World::joining(&data, "", seed, at(0))).collect();
    let mut polls = [0; 5];
    for tick in 0..600 {
        let now = at(0) + Duration::from_millis(100 * tick);
        for (vm, polls) in vms.iter_mut().zip(&mut polls) {
            vm.now = now;
            vm.refresh();
            if vm.plugin.next_poll(now).is_some() {
                *polls += 1;
                vm.answer(not_modified());
            }
        }
        assert!(vms.iter().filter(|vm| vm.plugin.is_leader()).count() <= 1);
    }
    assert_eq!(polls.iter().filter(|polls| **polls > 0).count(), 1, "{polls:?}");
}

#[test]
fn the_others_run_what_it_gets() {
    let (_, mut vms) = proxy(3);
    for vm in &mut vms {
        assert!(vm.refresh().is_empty());
        assert!(vm.injects());
    }
    vms[0].until_poll();
    vms[0].answer(good(snapshot("cart")));
    for vm in &mut vms {
        vm.refresh();
        assert!(!vm.injects());
    }
}

#[test]
fn each_is_notified_of_a_new_snapshot_and_of_nothing_else() {
    let (data, mut vms) = proxy(3);
    assert_eq!(data.listening().len(), 3);
    assert_eq!(data.notified(), data.listening());
    vms[0].until_poll();
    vms[0].answer(not_modified());
    assert!(data.notified().is_empty());
    vms[0].until_poll();
    vms[0].answer(good(snapshot("cart")));
    assert_eq!(data.notified(), data.listening());
}

#[test]
fn two_that_join_at_the_same_moment_are_both_notified() {
    let (data, _) = proxy(1);
    let then = data.clone();
    data.before_set(move || drop(World::joining(&then, "", 8, at(1))));
    World::joining(&data, "", 9, at(1));
    assert_eq!(data.listening().len(), 3);
}

#[test]
fn a_new_vm_runs_it_before_its_first_refresh() {
    let (data, vms) = proxy(1);
    let mut new = World::joining(&data, "", 9, vms[0].now);
    assert!(new.injects() && !new.plugin.is_leader());
}

#[test]
fn a_changed_configuration_starts_with_the_active_snapshot_and_polls_for_itself() {
    let (data, vms) = proxy(1);
    let mut changed = World::joining(&data, r#", "poll_wait_seconds": 5"#, 9, vms[0].now);
    assert!(changed.injects());
    changed.until_poll();
    assert!(changed.plugin.is_leader() && vms[0].plugin.is_leader());
}

#[test]
fn another_control_plane_or_workload_shares_nothing() {
    for other in [r#", "cluster": "other""#, r#", "service": "cart""#] {
        let (data, vms) = proxy(1);
        let mut other = if other.contains("cart") {
            let scope = Scope::new(["demo"], ["cart"]).unwrap();
            World::of(Identity { scope, ..checkout() }, &data, other, 9, vms[0].now)
        } else {
            World::joining(&data, other, 9, vms[0].now)
        };
        assert!(!other.injects());
        other.until_poll();
        assert!(other.plugin.is_leader() && vms[0].plugin.is_leader());
    }
}

#[test]
fn another_vm_leads_when_the_lease_of_a_lost_leader_ends() {
    let (_, mut vms) = proxy(2);
    vms[1].pass(LEASE / 2);
    assert!(vms[1].refresh().is_empty(), "at least half of it is left");
    vms[1].pass(LEASE / 2);
    assert_eq!(vms[1].refresh(), [Event::BecameLeader { is_first: false }]);
    let (poll, after) = vms[1].until_poll();
    assert_eq!(after, Duration::ZERO);
    let etag = Digest::of(&snapshot("checkout")).etag();
    assert_eq!(header(&poll, "if-none-match"), Some(etag.as_str()), "it continues where the other stopped");
    assert_eq!(header(&poll, "x-hfi-revision"), Some("main@sha1:1"));
}

#[test]
fn a_former_leader_ignores_its_answer() {
    let (_, mut vms) = proxy(2);
    vms[0].until_poll();
    vms[1].pass(2 * LEASE);
    vms[1].until_poll();
    vms[1].answer(good(snapshot("cart")));
    vms[0].now = vms[1].now;
    let late = good(snapshot("checkout"));
    assert!(vms[0].answer(late).is_empty());
    assert!(!vms[0].plugin.is_leader() && !vms[0].injects(), "it runs what the new leader got");
    assert!(!vms[1].injects());
}

#[test]
fn one_of_two_that_take_the_lease_at_once_gets_it() {
    let data = Data::default();
    let mut first = World::joining(&data, "", 1, at(0));
    let second = Rc::new(RefCell::new(World::joining(&data, "", 2, at(0))));
    let quicker = Rc::clone(&second);
    data.before_set(move || {
        assert_eq!(quicker.borrow_mut().refresh(), [Event::BecameLeader { is_first: true }])
    });
    assert!(first.refresh().is_empty());
    assert!(!first.plugin.is_leader() && second.borrow().plugin.is_leader());
}

#[test]
fn no_other_vm_begins_the_work_on_a_large_snapshot() {
    let (data, mut vms) = proxy(2);
    let mut second = vms.remove(1);
    vms[0].until_poll();
    second.now = vms[0].now + Duration::from_secs(20);
    // The lease is extended first; the bytes are set after the work.
    let data_then = data.clone();
    data.before_set(move || data_then.before_set(move || assert!(second.refresh().is_empty())));
    assert!(matches!(vms[0].answer(good(snapshot("cart")))[..], [Event::Updated { .. }]));
    assert!(vms[0].plugin.is_leader() && !vms[0].injects());
}

#[test]
fn a_leader_that_loses_its_lease_during_an_answer_publishes_nothing() {
    let (data, mut vms) = proxy(2);
    vms[0].until_poll();
    let mut second = vms.remove(1);
    second.now = vms[0].now + Duration::from_secs(60);
    let published = Rc::new(RefCell::new(second));
    let successor = Rc::clone(&published);
    let (then, last) = (data.clone(), data.clone());
    // Set in turn: the extended lease, the bytes, the state, the lease record.
    data.before_set(move || {
        let last = last.clone();
        then.before_set(move || {
            last.before_set(move || {
                let mut second = successor.borrow_mut();
                second.until_poll();
                second.answer(good(snapshot("checkout")));
            });
        });
    });
    vms[0].answer(good(snapshot("cart")));
    vms[0].now = published.borrow().now;
    vms[0].refresh();
    assert!(vms[0].injects() && !vms[0].plugin.is_leader(), "what the successor has heard stands");
}

#[test]
fn one_that_starts_when_the_news_is_old_injects_nothing() {
    let (data, vms) = proxy(1);
    let mut new = World::joining(&data, "", 9, vms[0].now + Duration::from_secs(900));
    assert!(!new.injects());
    new.until_poll();
    new.answer(not_modified());
    assert!(new.injects());
}

#[test]
fn bytes_with_another_digest_are_not_run() {
    let (data, mut vms) = proxy(2);
    vms[0].until_poll();
    let key = data.keys().into_iter().find(|key| key.contains("snapshot")).unwrap();
    vms[0].answer(good(snapshot("cart")));
    let mut other = snapshot("checkout");
    other.extend_from_slice(&Digest::of(&other.clone()).into_bytes());
    data.set(&key, &other, None);
    let mut new = World::joining(&data, "", 9, vms[0].now);
    assert!(!new.injects());
}

#[test]
fn a_vm_that_leads_again_polls_at_once() {
    let (_, mut vms) = proxy(2);
    vms[0].until_poll();
    vms[1].pass(2 * LEASE);
    vms[1].until_poll();
    vms[0].now = vms[1].now + 2 * LEASE;
    assert_eq!(vms[0].refresh(), [Event::BecameLeader { is_first: false }]);
    assert_eq!(vms[0].until_poll().1, Duration::ZERO);
}

#[test]
fn all_go_stale_together_and_all_are_fresh_together() {
    let (_, mut vms) = proxy(3);
    for vm in &mut vms {
        vm.pass(Duration::from_secs(900));
        assert!(vm.refresh().contains(&Event::Stale));
        assert!(!vm.injects());
    }
    let leader = vms.iter().position(|vm| vm.plugin.is_leader()).unwrap();
    vms[leader].until_poll();
    vms[leader].answer(not_modified());
    let now = vms[leader].now;
    for vm in &mut vms {
        vm.now = now;
        vm.refresh();
        assert!(vm.injects());
    }
}

#[test]
fn the_first_polls_of_many_proxies_are_spread() {
    let first = |seed| World::joining(&Data::default(), "", seed, at(0)).until_poll().1;
    let mut times: Vec<_> = (1..=100).map(first).collect();
    times.sort_unstable();
    assert!(times[10] < Duration::from_millis(300) && times[90] > Duration::from_millis(700), "{times:?}");
}

#[test]
fn garbage_in_shared_data_is_ignored() {
    let (data, _) = proxy(1);
    for key in data.keys() {
        assert!(data.set(&key, b"\xff\xff\xff", None));
    }
    let mut new = World::joining(&data, "", 9, at(10));
    assert!(!new.injects());
    new.until_poll();
    new.answer(good(snapshot("checkout")));
    assert!(new.injects());
}
