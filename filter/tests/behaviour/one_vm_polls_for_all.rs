//! Of all VMs of a proxy one polls, the others run what it has heard, and one that is lost is followed.

use std::{cell::RefCell, rc::Rc, time::Duration};

use filter::{clock::Instant, event::Event, identity::Identity, sync::shared::SharedData};
use policies::{Digest, Scope};

use crate::world::{Data, World, checkout, good, header, not_modified, snapshot};

const LEASE: Duration = Duration::from_secs(2);

fn at(seconds: u64) -> Instant {
    Instant::from_origin(Duration::from_secs(1_000 + seconds))
}

/// VMs with the same shared data, of which the first leads and has a policy in force.
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
            vm.look();
            if vm.plugin.poll(now).is_some() {
                *polls += 1;
                vm.answer(not_modified());
            }
        }
        assert!(vms.iter().filter(|vm| vm.plugin.leads()).count() <= 1);
    }
    assert_eq!(polls.iter().filter(|polls| **polls > 0).count(), 1, "{polls:?}");
}

#[test]
fn the_others_run_what_it_has_heard() {
    let (_, mut vms) = proxy(3);
    for vm in &mut vms {
        assert!(vm.look().is_empty());
        assert!(vm.injects());
    }
    vms[0].until_poll();
    vms[0].answer(good(snapshot("cart")));
    for vm in &mut vms {
        vm.look();
        assert!(!vm.injects());
    }
}

#[test]
fn each_is_told_of_a_new_snapshot_and_of_nothing_else() {
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
fn two_that_join_at_the_same_moment_are_both_told() {
    let (data, _) = proxy(1);
    let then = data.clone();
    data.before_set(move || drop(World::joining(&then, "", 8, at(1))));
    World::joining(&data, "", 9, at(1));
    assert_eq!(data.listening().len(), 3);
}

#[test]
fn one_that_starts_anew_runs_it_before_its_first_look() {
    let (data, vms) = proxy(1);
    let mut anew = World::joining(&data, "", 9, vms[0].now);
    assert!(anew.injects() && !anew.plugin.leads());
}

#[test]
fn a_changed_configuration_begins_with_what_is_in_force_and_polls_for_itself() {
    let (data, vms) = proxy(1);
    let mut changed = World::joining(&data, r#", "poll_wait_seconds": 5"#, 9, vms[0].now);
    assert!(changed.injects());
    changed.until_poll();
    assert!(changed.plugin.leads() && vms[0].plugin.leads());
}

#[test]
fn one_of_another_control_plane_or_workload_has_nothing_to_do_with_it() {
    for other in [r#", "cluster": "other""#, r#", "service": "cart""#] {
        let (data, vms) = proxy(1);
        let mut other = if other.contains("cart") {
            let workload = Scope::new(["demo"], ["cart"]).unwrap();
            World::of(Identity { workload, ..checkout() }, &data, other, 9, vms[0].now)
        } else {
            World::joining(&data, other, 9, vms[0].now)
        };
        assert!(!other.injects());
        other.until_poll();
        assert!(other.plugin.leads() && vms[0].plugin.leads());
    }
}

#[test]
fn a_leader_that_is_lost_is_followed_when_its_lease_is_over() {
    let (_, mut vms) = proxy(2);
    vms[1].pass(LEASE / 2);
    assert!(vms[1].look().is_empty(), "half of it is always left");
    vms[1].pass(LEASE / 2);
    assert_eq!(vms[1].look(), [Event::Led { is_first: false }]);
    let (poll, after) = vms[1].until_poll();
    assert_eq!(after, Duration::ZERO);
    let etag = Digest::of(&snapshot("checkout")).etag();
    assert_eq!(header(&poll, "if-none-match"), Some(etag.as_str()), "it goes on where the other was");
    assert_eq!(header(&poll, "x-hfi-revision"), Some("main@sha1:1"));
}

#[test]
fn a_leader_that_was_followed_is_heard_no_more() {
    let (_, mut vms) = proxy(2);
    vms[0].until_poll();
    vms[1].pass(2 * LEASE);
    vms[1].until_poll();
    vms[1].answer(good(snapshot("cart")));
    vms[0].now = vms[1].now;
    let late = good(snapshot("checkout"));
    assert!(vms[0].answer(late).is_empty());
    assert!(!vms[0].plugin.leads() && !vms[0].injects(), "it runs what the new leader has heard");
    assert!(!vms[1].injects());
}

#[test]
fn of_two_that_reach_for_the_lead_at_once_one_gets_it() {
    let data = Data::default();
    let mut first = World::joining(&data, "", 1, at(0));
    let second = Rc::new(RefCell::new(World::joining(&data, "", 2, at(0))));
    let quicker = Rc::clone(&second);
    data.before_set(move || assert_eq!(quicker.borrow_mut().look(), [Event::Led { is_first: true }]));
    assert!(first.look().is_empty());
    assert!(!first.plugin.leads() && second.borrow().plugin.leads());
}

#[test]
fn work_on_a_snapshot_that_takes_long_is_not_begun_by_another_one() {
    let (data, mut vms) = proxy(2);
    let mut second = vms.remove(1);
    vms[0].until_poll();
    second.now = vms[0].now + Duration::from_secs(20);
    // The lead is kept first; when the bytes are set, the work is done.
    let data_then = data.clone();
    data.before_set(move || data_then.before_set(move || assert!(second.look().is_empty())));
    assert!(matches!(vms[0].answer(good(snapshot("cart")))[..], [Event::Updated { .. }]));
    assert!(vms[0].plugin.leads() && !vms[0].injects());
}

#[test]
fn a_leader_that_was_followed_while_it_heard_publishes_nothing() {
    let (data, mut vms) = proxy(2);
    vms[0].until_poll();
    let mut second = vms.remove(1);
    second.now = vms[0].now + Duration::from_secs(60);
    let published = Rc::new(RefCell::new(second));
    let successor = Rc::clone(&published);
    let (then, last) = (data.clone(), data.clone());
    // Set in turn: the lead kept, the bytes, the news for a changed configuration, the head.
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
    vms[0].look();
    assert!(vms[0].injects() && !vms[0].plugin.leads(), "what the successor has heard stands");
}

#[test]
fn one_that_starts_when_the_news_is_old_injects_nothing() {
    let (data, vms) = proxy(1);
    let mut anew = World::joining(&data, "", 9, vms[0].now + Duration::from_secs(900));
    assert!(!anew.injects());
    anew.until_poll();
    anew.answer(not_modified());
    assert!(anew.injects());
}

#[test]
fn bytes_that_are_not_those_of_the_news_are_not_run() {
    let (data, mut vms) = proxy(2);
    vms[0].until_poll();
    let key = data.keys().into_iter().find(|key| key.contains("snapshot")).unwrap();
    vms[0].answer(good(snapshot("cart")));
    let mut other = snapshot("checkout");
    other.extend_from_slice(&Digest::of(&other.clone()).into_bytes());
    data.set(&key, &other, None);
    let mut anew = World::joining(&data, "", 9, vms[0].now);
    assert!(!anew.injects());
}

#[test]
fn one_that_leads_again_polls_at_once() {
    let (_, mut vms) = proxy(2);
    vms[0].until_poll();
    vms[1].pass(2 * LEASE);
    vms[1].until_poll();
    vms[0].now = vms[1].now + 2 * LEASE;
    assert_eq!(vms[0].look(), [Event::Led { is_first: false }]);
    assert_eq!(vms[0].until_poll().1, Duration::ZERO);
}

#[test]
fn all_go_stale_together_and_all_are_fresh_together() {
    let (_, mut vms) = proxy(3);
    for vm in &mut vms {
        vm.pass(Duration::from_secs(900));
        assert!(vm.look().contains(&Event::Stale));
        assert!(!vm.injects());
    }
    let leader = vms.iter().position(|vm| vm.plugin.leads()).unwrap();
    vms[leader].until_poll();
    vms[leader].answer(not_modified());
    let now = vms[leader].now;
    for vm in &mut vms {
        vm.now = now;
        vm.look();
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
fn garbage_in_shared_data_is_nothing_that_is_in_force() {
    let (data, _) = proxy(1);
    for key in data.keys() {
        assert!(data.set(&key, b"\xff\xff\xff", None));
    }
    let mut anew = World::joining(&data, "", 9, at(10));
    assert!(!anew.injects());
    anew.until_poll();
    anew.answer(good(snapshot("checkout")));
    assert!(anew.injects());
}
