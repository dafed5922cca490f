//! An object that others have made freezes the application that would take it over, and no other.

use std::collections::BTreeMap;

use istio_config::Kind;

use super::{Consent, Foreign, RULE, World, application, world};
use crate::istio::foreign::Named;

fn rule(application: &str) -> Named {
    Named((Kind::DestinationRule, format!("{application}-destination-rule")))
}

/// Others have made the rules of these applications of `shop`; or it is not known, for a reason.
fn foreign(applications: &[&str], unknown: Option<&str>) -> Foreign {
    let objects = applications.iter().map(|name| (rule(name), unknown.map(str::to_owned)));
    Foreign([("shop".to_owned(), objects.collect::<BTreeMap<_, _>>())].into())
}

#[test]
fn only_what_is_new_and_not_meant_to_be_taken_over_is_looked_for() {
    let mut world = world();
    world.files.insert("c.yaml", application("c", RULE));
    world.files.insert("d.yaml", application("d", "{destinationRule: {host: reviews, adopt: true}}"));
    world.foreign = foreign(&["a", "c", "d"], None);
    for _ in 0..2 {
        let plan = world.commit(Consent::default());
        assert_eq!(plan.new, [rule("c")].into());
        assert_eq!(plan.frozen.keys().collect::<Vec<_>>(), ["c"]);
        assert!(plan.frozen["c"].contains("is in the cluster and not from hfi"), "{:?}", plan.frozen);
        assert_eq!(world.objects(), ["a-destination-rule", "b-destination-rule", "d-destination-rule"]);
    }
    world.foreign = foreign(&["c"], Some("no answer within 5 s"));
    let plan = world.commit(Consent::default());
    assert!(plan.frozen["c"].contains("no answer within 5 s; hfi looks again"), "{:?}", plan.frozen);
    world.foreign = Foreign::default();
    assert_eq!(world.commit(Consent::default()).frozen, BTreeMap::new());
    assert_eq!(world.commit(Consent::default()).new, [].into());
}

#[test]
fn what_an_invalid_application_last_had_is_looked_for_too() {
    let wrong = application("a", "{destinationRule: {host: reviews, wrong: 1}}");
    let earlier = world().in_force;
    for (foreign, left) in [(Foreign::default(), 2), (foreign(&["a"], None), 1)] {
        let files = [("a.yaml", wrong.clone()), ("c.yaml", application("c", "{destinationRule: {host: c}}"))];
        let earlier = [("shop".to_owned(), earlier["shop"].of("a").iter().cloned().collect())].into();
        let mut world = World { files: files.into(), earlier, foreign, ..World::default() };
        let plan = world.commit(Consent::default());
        assert_eq!(plan.new, [rule("a"), rule("c")].into());
        assert_eq!((world.objects().len(), plan.current), (left, 1), "{:?}", plan.frozen);
    }
}
