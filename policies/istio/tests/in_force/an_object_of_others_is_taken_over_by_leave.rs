//! An object that others have made is taken over only where the entry says so.

use crate::catalogs::{application, catalog, findings, in_force, names};
use istio_config::{Foreign, InForce, Kind};

const GATEWAY: &str = "{gateway: {resourceName: front, hosts: [shop.example.com], tls: passthrough}}";

/// A Gateway by hand, in a List, with this metadata.
fn by_hand(metadata: &str) -> String {
    format!(
        "apiVersion: v1\nkind: List\nitems:\n- apiVersion: networking.istio.io/v1beta1\n  kind: Gateway\n  metadata: {{{metadata}}}\n  spec: {{servers: []}}\n"
    )
}

#[test]
fn an_object_that_a_file_has_by_hand_is_refused_with_both_places() {
    let files = [
        ("a.yaml", application("shop/reviews", GATEWAY)),
        ("b.yaml", by_hand("name: front, namespace: shop")),
        ("c.yaml", by_hand("name: front, namespace: shop")),
    ];
    let catalog = catalog(&files, &InForce::default());
    assert_eq!(
        findings(&catalog),
        [
            "a.yaml:4:17: spec.gateway: renders to the Gateway `front`, which b.yaml:4 has by hand; take it out of b.yaml:4, or write `adopt: true` if hfi is to take it over [APP23]"
        ]
    );
    assert_eq!(names(&catalog.to_be_in_force()), [""; 0]);
}

#[test]
fn an_object_that_is_meant_to_be_taken_over_or_is_of_others_is_rendered() {
    let adopting = GATEWAY.replace("hosts", "adopt: true, hosts");
    for (application_spec, metadata) in [
        (&*adopting, "name: front, namespace: shop"),
        (GATEWAY, "name: front, namespace: bank"),
        (GATEWAY, "name: front"),
        (GATEWAY, "name: back, namespace: shop"),
        // What was rendered into the repository.
        (
            GATEWAY,
            "name: front, namespace: shop, labels: {app.kubernetes.io/managed-by: hfi, app.kubernetes.io/name: reviews}",
        ),
    ] {
        let files =
            [("a.yaml", application("shop/reviews", application_spec)), ("b.yaml", by_hand(metadata))];
        let catalog = catalog(&files, &InForce::default());
        assert_eq!(findings(&catalog), [""; 0], "{metadata}");
        assert_eq!(names(&catalog.to_be_in_force()), ["shop/front"]);
    }
}

#[test]
fn an_object_that_the_application_has_in_force_stays_and_an_application_keeps_what_it_has() {
    let before = in_force(&[("a.yaml", application("shop/reviews", GATEWAY))]);
    let by_hand = ("b.yaml", by_hand("name: front, namespace: shop"));
    let same = [("a.yaml", application("shop/reviews", GATEWAY)), by_hand.clone()];
    assert_eq!(findings(&catalog(&same, &before)), [""; 0]);
    // In force is an object of another name.
    let renamed = [("a.yaml", application("shop/reviews", &GATEWAY.replace("front", "other")))];
    let renamed = in_force(&renamed);
    let after = catalog(&same, &renamed);
    assert_eq!(findings(&after).len(), 1);
    assert_eq!(names(&after.to_be_in_force()), ["shop/other"]);
}

#[test]
fn an_object_that_the_cluster_has_or_may_have_is_refused_until_it_is_not_there() {
    let id = |name: &str| ("shop".to_owned(), Kind::Gateway, name.to_owned());
    let foreign = |name: &str, foreign| InForce::default().beside([(id(name), foreign)]);
    let late = Foreign::Unknown("no answer within 5 s".to_owned());
    for (before, reason) in [
        (
            foreign("front", Foreign::Made),
            "which is in the cluster and not from hfi; write `adopt: true` if hfi is to take it over, or give the entry another `resourceName` [APP23]",
        ),
        (
            foreign("front", late),
            "and hfi cannot see if others have made one of that name: no answer within 5 s; hfi looks again [APP23]",
        ),
    ] {
        let refused = catalog(&[("a.yaml", application("shop/reviews", GATEWAY))], &before);
        let told = format!("a.yaml:4:17: spec.gateway: renders to the Gateway `front`, {reason}");
        assert_eq!(findings(&refused), [told]);
        // It is asked for again.
        assert_eq!(refused.new_objects(), &[id("front")].into());
        let adopting = application("shop/reviews", &GATEWAY.replace("hosts", "adopt: true, hosts"));
        let taken = catalog(&[("a.yaml", adopting)], &before);
        assert_eq!(findings(&taken), [""; 0]);
        assert_eq!(taken.new_objects(), &[].into());
    }
    let other = catalog(&[("a.yaml", application("shop/reviews", GATEWAY))], &foreign("back", Foreign::Made));
    assert_eq!(findings(&other), [""; 0]);
}

#[test]
fn an_application_that_is_invalid_for_another_reason_asks_for_nothing() {
    let route = "{virtualService: {routes: [{split: {v1: 100}}]}}";
    let files =
        [("a.yaml", application("shop/reviews", route)), ("b.yaml", application("shop/ratings", GATEWAY))];
    let after = catalog(&files, &InForce::default());
    assert_eq!(after.frozen().len(), 1, "there is no subset v1");
    let front = ("shop".to_owned(), Kind::Gateway, "front".to_owned());
    assert_eq!(after.new_objects(), &[front].into());
}

#[test]
fn what_refers_to_an_object_that_is_not_taken_over_is_refused_with_it() {
    let rule = "{service: reviews, destinationRule: {resourceName: rule, host: reviews, subsets: [{name: v1, labels: {version: v1}}]}}";
    let route = "{virtualService: {routes: [{split: {v1: 100}}]}}";
    let files = [
        ("a.yaml", application("shop/rules", rule)),
        ("a.yaml", application("shop/reviews", route)),
        ("b.yaml", application("shop/ratings", "{peerAuthentication: {}}")),
    ];
    assert_eq!(findings(&catalog(&files, &InForce::default())), [""; 0]);
    let before = InForce::default()
        .beside([(("shop".to_owned(), Kind::DestinationRule, "rule".to_owned()), Foreign::Made)]);
    let after = catalog(&files, &before);
    let frozen: Vec<_> = after.frozen().keys().map(|(_, name)| name.as_str()).collect();
    assert_eq!(frozen, ["reviews", "rules"], "{:?}", findings(&after));
    assert_eq!(names(&after.to_be_in_force()), ["shop/ratings-peer-authentication"]);
}
