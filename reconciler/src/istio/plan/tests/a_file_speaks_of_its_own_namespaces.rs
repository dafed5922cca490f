//! What a file says of a namespace that its guardrails do not allow counts for nothing there.

use std::{collections::BTreeMap, sync::Arc};

use super::{RULE, World, application, world};
use crate::istio::{consent::Consent, successors::LastDocument};

/// `shop` with two applications, beside a file of `evil/` that speaks of `shop` too.
fn beside(text: String) -> World {
    let mut world = world();
    let guardrail = "kind: Guardrail\nspec: {istio: {namespaces: [evil]}}\n".to_owned();
    world.files.insert("evil/guardrail.yaml", guardrail);
    world.files.insert("evil/x.yaml", text);
    world
}

#[test]
fn it_freezes_nothing_that_is_not_in_force() {
    for spec in [RULE, "{remove: true}", "{wrong: 1}"] {
        let mut world = beside(application("other", spec) + "---\n" + &application("b", spec));
        let plan = world.commit(Consent::default());
        assert_eq!((plan.frozen, plan.current), (BTreeMap::new(), 2), "{spec}");
    }
}

#[test]
fn it_limits_no_removals() {
    let strict = "kind: Guardrail\nspec: {istio: {maxRemovals: 0}}\n---\n".to_owned();
    let mut world = beside(strict + &application("other", "{remove: true}"));
    world.files.remove("a.yaml");
    let plan = world.commit(Consent::default());
    assert_eq!((plan.frozen, plan.max_removals), (BTreeMap::new(), None));
    assert_eq!(world.objects(), ["b-destination-rule"]);
}

#[test]
fn it_keeps_an_application_only_if_the_guardrails_may_have_become_stricter_for_it() {
    let last = |outside: &[&str]| {
        let beside = Arc::new(["a".to_owned(), "b".to_owned()].into());
        let outside = outside.iter().map(|file| Arc::from(*file)).collect();
        let document = LastDocument { file: "a.yaml".into(), beside, outside };
        BTreeMap::from([(("shop".to_owned(), "a".to_owned()), document)])
    };
    for (last, is_kept) in [
        // It spoke of it beside the owner.
        (last(&["evil/x.yaml", "evil/y.yaml"]), false),
        // It came when the last document of another file went.
        (last(&[]), true),
        (last(&["evil/y.yaml"]), true),
        // No other file had it for long.
        (BTreeMap::new(), true),
    ] {
        for spec in [RULE, "{remove: true}", "{wrong: 1}"] {
            let mut world = World { last: Some(last.clone()), ..beside(application("a", spec)) };
            world.files.remove("a.yaml");
            let plan = world.commit(Consent::default());
            assert_eq!(world.in_force["shop"].of("a").len(), usize::from(is_kept), "{spec} {last:?}");
            let reason = plan.frozen.get("a").map(String::as_str).unwrap_or_default();
            assert_eq!(reason.contains("[LIM02]"), is_kept, "{reason}");
        }
    }
}
