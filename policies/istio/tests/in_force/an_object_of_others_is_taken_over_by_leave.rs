//! An object that others have made is taken over only where the entry says so.

use crate::catalogs::{application, catalog, findings, in_force, names};
use istio_config::InForce;

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
