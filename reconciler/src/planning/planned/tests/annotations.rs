//! The annotation by which somebody agrees to a commit: what it recovers, and when it ends.

use std::sync::Arc;

use istio_config::{File, Kind};

use super::{Head, INVALID, RULE, World, gone};
use crate::istio::{
    foreign::{Foreign, Named},
    plan::{Commit, InForce},
};

#[test]
fn recovery_by_an_annotation_keeps_what_invalid_applications_had_last() {
    let mut world = World::new();
    world.commit(&[("a", RULE)]);
    let head = world.commit(&[("a", INVALID), ("b", "{host: ratings}")]);
    let plan = world.plan(&head, gone(), false);
    assert_eq!(plan.next, None);
    let advice = plan.advice.unwrap();
    assert!(
        advice.contains(&format!("hfi.dev/allow-commit={}: then 2 objects stay", head.commit)),
        "{advice}"
    );
    assert!(advice.ends_with("or go: a"), "{advice}");
    let next = world.plan(&head, gone(), true).next.unwrap();
    let objects = next.artifact.objects().unwrap();
    assert_eq!(objects.applications().map(|(name, _)| name.as_str()).collect::<Vec<_>>(), ["a", "b"]);
}

#[test]
fn recovery_by_an_annotation_works_without_any_application_left() {
    let mut world = World::new();
    world.commit(&[("a", RULE)]);
    let mut head = world.commit(&[]);
    head.applications
        .files
        .push(("other.yaml".into(), Arc::new(File::read(b"apiVersion: v1\nkind: Secret\n"))));
    let next = world.plan(&head, gone(), true).next.unwrap();
    assert_eq!((next.objects, next.commit.id), (0, head.commit.to_string()));
}

#[test]
fn recovery_by_an_annotation_waits_for_files_that_cannot_be_read() {
    let mut world = World::new();
    let mut head = world.commit(&[("a", RULE)]);
    head.applications.files.push(("b.yaml".into(), Arc::new(File::unreadable("too long".to_owned()))));
    let plan = world.plan(&head, gone(), true);
    assert_eq!(plan.next, None);
    assert!(plan.advice.unwrap().contains("mend b.yaml first"));
}

#[test]
fn an_annotation_is_advised_only_where_it_would_do_something() {
    let mut world = World::new();
    let invalid = world.commit(&[("a", INVALID)]);
    let empty = world.commit(&[]);
    for (head, words) in [(&invalid, "has nothing valid: a (a.yaml:"), (&empty, "the newest commit has none")]
    {
        for allowed in [false, true] {
            let plan = world.plan(head, gone(), allowed);
            assert!(plan.next.is_none() && plan.ends_annotation.is_none(), "{plan:?}");
            assert!(plan.frozen["all applications"].contains("is gone"), "{:?}", plan.frozen);
            let advice = plan.advice.unwrap();
            assert!(advice.contains(words) && !advice.contains("allow-commit"), "{advice}");
        }
    }
}

#[test]
fn recovery_by_an_annotation_waits_for_a_commit_that_is_good() {
    let mut world = World::new();
    let head = world.commit(&[("a", RULE)]);
    world.withdrawn = Some("nobody who may sign has signed it".to_owned());
    let plan = world.plan(&head, gone(), true);
    assert_eq!(plan.next, None);
    let advice = plan.advice.unwrap();
    assert_eq!(
        advice,
        "restore it; nothing of the newest commit can replace it: nobody who may sign has signed it"
    );
}

#[test]
fn an_annotation_agrees_once() {
    let mut world = World::new();
    let first = world.commit(&[("a", RULE)]);
    let in_force = world.plan(&first, None, false).next.unwrap();
    let head = world.commit(&[]);
    let mut head = Head { applications: first.applications.clone(), ..head };
    head.applications.files =
        vec![("other.yaml".into(), Arc::new(File::read(b"apiVersion: v1\nkind: Secret\n")))];
    let plan = world.plan(&head, Some(Ok(in_force.clone())), false);
    assert!(plan.next.is_none() && plan.ends_annotation.is_none(), "nobody agrees");
    let plan_of_head = world.plan(&head, Some(Ok(in_force.clone())), true);
    assert_eq!(plan_of_head.ends_annotation.as_deref(), Some("it has had its effect"));
    let mut unread = Head { applications: first.applications.clone(), ..head };
    unread.applications.files.push(("b.yaml".into(), Arc::new(File::unreadable("too long".to_owned()))));
    let plan = world.plan(&unread, Some(Ok(in_force.clone())), true);
    assert_eq!(plan.ends_annotation, None, "it waits for the file: {plan:?}");
    let later = world.commit(&[("a", RULE)]);
    let ends = |head: &Head, allowed: &Head, known: &InForce| {
        world.plan_where(head, Some(Ok(known.clone())), Some(allowed.commit.to_string())).ends_annotation
    };
    let (short, agreed) = (&head.commit.to_string()[..7], plan_of_head.next.unwrap());
    let past = format!("commit {short} is not the newest one any more");
    assert_eq!(ends(&later, &head, &agreed), Some(past.clone()), "the branch may come to that commit again");
    assert_eq!(ends(&later, &head, &in_force), Some(format!("{past}, and it did nothing")));
    assert_eq!(ends(&head, &later, &agreed), None, "it may be fetched soon");
}

#[test]
fn an_annotation_stays_until_it_is_known_what_others_have_made() {
    let mut world = World::new();
    let first = world.commit(&[("a", RULE), ("b", RULE)]);
    let in_force = world.plan(&first, None, false).next.unwrap();
    // One application loses its object and gets another, and the other one changes.
    let head = world.commit(&[("a", "{host: reviews, resourceName: x}"), ("b", "{host: ratings}")]);
    let object = Named((Kind::DestinationRule, "x".to_owned()));
    let late = [(object, Some("no answer within 5 s".to_owned()))].into();
    world.foreign = Foreign([("shop".to_owned(), late)].into());
    let plan = world.plan(&head, Some(Ok(in_force)), true);
    assert_eq!(plan.frozen.keys().collect::<Vec<_>>(), ["a"]);
    assert_eq!(plan.ends_annotation, None);
    let other = plan.next.unwrap();
    let plan = world.plan(&head, Some(Ok(other.clone())), true);
    assert_eq!((plan.next, plan.ends_annotation), (None, None));
    world.foreign = Foreign::default();
    let plan = world.plan(&head, Some(Ok(other)), true);
    assert!(plan.next.is_some() && plan.frozen.is_empty() && plan.ends_annotation.is_some(), "{plan:?}");
}

#[test]
fn an_annotation_stays_where_the_history_cannot_be_read() {
    let mut world = World::new();
    let first = world.commit(&[("a", RULE), ("b", RULE)]);
    let in_force = world.plan(&first, None, false).next.unwrap();
    let lost = world.commit(&[("a", RULE)]);
    let head = world.commit(&[("a", INVALID)]);
    let commit = Commit { id: head.commit.to_string(), ..in_force.commit.clone() };
    let in_force = InForce { commit, ..in_force };
    world.lose(&lost.commit.to_string());
    let plan = world.plan(&head, Some(Ok(in_force)), true);
    assert!(plan.failure.is_some() && plan.ends_annotation.is_none(), "{plan:?}");
}

#[test]
fn an_annotation_ends_though_the_leader_ended_before_it_took_it_away() {
    let mut world = World::new();
    let first = world.commit(&[("a", RULE), ("b", RULE)]);
    let in_force = world.plan(&first, None, false).next.unwrap();
    let head = world.commit(&[("a", INVALID)]);
    let plan = world.plan(&head, Some(Ok(in_force)), true);
    assert!(plan.frozen.contains_key("a") && plan.ends_annotation.is_some(), "{plan:?}");
    let plan = world.plan(&head, plan.next.map(Ok), true);
    assert_eq!((plan.next, plan.ends_annotation.as_deref()), (None, Some("it has had its effect")));
}
