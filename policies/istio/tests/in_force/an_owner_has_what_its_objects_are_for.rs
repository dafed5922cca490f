//! An application has what its document says and uses, and what it has in force while that document is refused.

use crate::catalogs::{application, catalog, findings};
use istio_config::InForce;

/// The files that are refused because something belongs to another application.
fn refused(files: &[(&str, String)], before: &InForce) -> Vec<String> {
    let catalog = catalog(files, before);
    let errors = catalog.findings().iter().filter(|found| found.finding.rule == "APP22");
    errors.map(|found| found.file.to_string()).collect()
}

fn in_force(files: &[(&str, String)]) -> InForce {
    crate::catalogs::in_force(files)
}

fn opened(labels: &str) -> String {
    format!("{{authorizationPolicy: {{spec: {{selector: {{matchLabels: {{{labels}}}}}, rules: [{{}}]}}}}}}")
}

#[test]
fn pods_are_its_where_one_selector_is_within_the_other() {
    let owner = "{workload: {labels: {app: web, version: v1}}, peerAuthentication: {}}";
    let owner = ("o.yaml", application("shop/web", owner));
    for (labels, is_taken) in [
        ("app: web", true),
        ("version: v1", true),
        ("app: web, version: v1", true),
        ("app: web, version: v1, more: a", true),
        ("app: web, version: v2", false),
        ("app: web, track: stable", false),
        ("app: cart, version: v1", false),
        ("app: cart", false),
    ] {
        for before in [InForce::default(), in_force(std::slice::from_ref(&owner))] {
            let files = [owner.clone(), ("a.yaml", application("shop/evil", &opened(labels)))];
            assert_eq!(refused(&files, &before) == ["a.yaml"], is_taken, "{labels}");
        }
    }
}

#[test]
fn a_document_that_only_says_it_keeps_nobody_off_who_uses_it() {
    let says = |labels: &str| {
        let outside = "serviceEntry: {hosts: [a.example.com], ports: [443]}";
        ("a.yaml", application("shop/evil", &format!("{{workload: {{labels: {{{labels}}}}}, {outside}}}")))
    };
    let uses = |name: &str, labels: &str| {
        let spec = format!("{{service: svc, workload: {{labels: {{{labels}}}}}, peerAuthentication: {{}}}}");
        ("b.yaml", application(name, &spec))
    };
    for (said, used) in [
        ("track: stable", "app.kubernetes.io/name: reviews, track: stable"),
        ("track: stable", "app: cart, track: stable"),
        ("version: v1", "app: cart, version: v1"),
        ("app: reviews", "app: reviews"),
    ] {
        let files = [says(said), uses("shop/reviews", used)];
        for before in [InForce::default(), in_force(&files[..1])] {
            assert!(refused(&files, &before).is_empty(), "{said}, {used}");
        }
        // An application that does not even say it is kept off.
        let files = [says(said), ("b.yaml", application("shop/b", &opened(used)))];
        assert_eq!(refused(&files, &InForce::default()), ["b.yaml"], "{said}, {used}");
    }
}

#[test]
fn pods_of_its_name_are_not_of_an_owner_of_another_label() {
    let wide =
        ("a.yaml", application("shop/evil", "{workload: {labels: {track: stable}}, peerAuthentication: {}}"));
    let named =
        "{workload: {labels: {app.kubernetes.io/name: reviews, track: stable}}, peerAuthentication: {}}";
    let files = [wide, ("o.yaml", application("shop/reviews", named))];
    assert_eq!(refused(&files, &InForce::default()), ["a.yaml"]);
    let before = in_force(&files[..1]);
    assert!(refused(&files, &before).is_empty());
}

#[test]
fn a_refused_document_leaves_it_what_it_has_in_force() {
    let owner = "{service: reviews, workload: {labels: {app: web}}, virtualService: {timeout: 1s}, peerAuthentication: {}}";
    let before = in_force(&[("o.yaml", application("shop/web", owner))]);
    let taken = [
        opened("app: web"),
        "{workload: {labels: {app: web}}, authorizationPolicy: {allow: [{from: [\"*\"]}]}}".to_owned(),
        "{service: reviews, virtualService: {timeout: 2s}}".to_owned(),
    ];
    let moved = "service: moved, workload: {labels: {app: moved}}, peerAuthentication: {}";
    // What it says is read, and found to be wrong later.
    let wrong = "serviceEntry: {hosts: [pay.bank.svc.cluster.local], namespaces: [\"*\"], ports: [80], endpoints: [10.0.0.66]}";
    for (owner, is_refused) in [
        (application("shop/web", "{destinationRule: 1}"), true),
        ("kind: AppConfiguration\n\t".to_owned(), true),
        (application("shop/web", &format!("{{{moved}, {wrong}}}")), true),
        (application("shop/web", &format!("{{{moved}}}")), false),
    ] {
        for taken in &taken {
            let files = [("o.yaml", owner.clone()), ("a.yaml", application("shop/evil", taken))];
            let found = findings(&catalog(&files, &before));
            assert_eq!(refused(&files, &before) == ["a.yaml"], is_refused, "{owner}, {taken}: {found:?}");
        }
    }
}
