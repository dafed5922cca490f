//! What a file says of a namespace that its guardrails do not allow counts for nothing there.

use std::collections::BTreeMap;

use super::{RULE, World, application, world};
use crate::istio::consent::Consent;

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
