//! A catalog is of all files: what only one may have is refused wherever it is used, and the rest is rendered.
#![cfg(test)]

use std::sync::Arc;

use istio_config::{Catalog, File, InForce, Setting, output};

/// The catalog of some files, each with the text below its `kind`.
fn catalog(files: &[(&str, &str)]) -> Catalog {
    let read = |(path, text): &(&str, &str)| {
        let text = format!("apiVersion: hfi.dev/v1\nkind: AppConfiguration\n{text}");
        (Arc::from(*path), File::read(text.as_bytes()))
    };
    let files: Vec<(Arc<str>, File)> = files.iter().map(read).collect();
    let files: Vec<_> = files.iter().map(|(path, file)| (Arc::clone(path), file)).collect();
    Catalog::new(&files, &InForce::default(), &Setting::default(), |_, setting| setting)
}

fn findings(catalog: &Catalog) -> Vec<String> {
    catalog.findings().iter().map(ToString::to_string).collect()
}

fn names(catalog: &Catalog) -> Vec<String> {
    catalog.resources().iter().map(|resource| resource.name.clone()).collect()
}

#[test]
fn two_documents_of_one_application_are_both_refused() {
    let reviews = "metadata: {name: reviews, namespace: shop}\nspec: {peerAuthentication: {}}\n";
    let removal = "metadata: {name: reviews, namespace: shop}\nspec: {remove: true}\n";
    let other = "metadata: {name: reviews, namespace: test}\nspec: {peerAuthentication: {}}\n";
    let catalog = catalog(&[("a.yaml", reviews), ("b.yaml", removal), ("c.yaml", other)]);
    assert_eq!(
        findings(&catalog),
        [
            "a.yaml:1:1: metadata.name: `reviews` in shop is also the application of b.yaml:1; rename one, or take one out [APP05]",
            "b.yaml:1:1: metadata.name: `reviews` in shop is also the application of a.yaml:1; rename one, or take one out [APP05]",
        ]
    );
    assert_eq!(names(&catalog), ["reviews-peer-authentication"]);
    assert!(catalog.resources().iter().all(|resource| resource.namespace == "test"));
}

#[test]
fn one_object_of_two_applications_names_both_places() {
    let one = "metadata: {name: a, namespace: shop}\nspec: {gateway: {resourceName: front, hosts: [a.example.com], tls: passthrough}}\n";
    let two = "metadata: {name: b, namespace: shop}\nspec:\n  gateway: {resourceName: front, hosts: [b.example.com], tls: passthrough}\n";
    let catalog = catalog(&[("a.yaml", one), ("b.yaml", two)]);
    assert_eq!(
        findings(&catalog),
        [
            "a.yaml:4:17: renders to the Gateway `front`, as the entry of b.yaml:5 does; rename one [APP04]",
            "b.yaml:5:12: renders to the Gateway `front`, as the entry of a.yaml:4 does; rename one [APP04]",
        ]
    );
    assert!(names(&catalog).is_empty());
}

#[test]
fn one_entry_of_a_kind_is_for_all_of_a_namespace() {
    let one = "metadata: {name: a, namespace: shop}\nspec: {telemetry: {applyTo: namespace, logs: all}}\n";
    let two = "metadata: {name: b, namespace: shop}\nspec: {telemetry: {applyTo: namespace, logs: errors}}\n";
    let other =
        "metadata: {name: c, namespace: shop}\nspec: {sidecar: {applyTo: namespace, calls: [ratings]}}\n";
    let catalog = catalog(&[("a.yaml", one), ("b.yaml", two), ("c.yaml", other)]);
    assert_eq!(
        findings(&catalog),
        [
            "a.yaml:4:19: applyTo: is for all of shop, as the Telemetry of b.yaml:4, and only one of a kind may be; take one out [APP11]",
            "b.yaml:4:19: applyTo: is for all of shop, as the Telemetry of a.yaml:4, and only one of a kind may be; take one out [APP11]",
        ]
    );
    assert_eq!(names(&catalog), ["c-sidecar"]);
}

#[test]
fn what_is_valid_is_rendered_beside_what_is_not() {
    let wrong = "metadata: {name: a, namespace: shop}\nspec: {virtualService: {hosts: [a.example.com], gateways: [none]}}\n";
    let unread = "metadata: {name: b, namespace: shop}\nspec: {virtualServices: {}}\n";
    let right =
        "metadata: {name: c, namespace: shop}\nspec: {peerAuthentication: {}, destinationRule: {host: c}}\n";
    let catalog = catalog(&[("a.yaml", wrong), ("b.yaml", unread), ("c.yaml", right)]);
    assert!(!catalog.is_valid());
    assert_eq!(findings(&catalog).len(), 2, "{:?}", findings(&catalog));
    assert_eq!(names(&catalog), ["c-destination-rule", "c-peer-authentication"]);
}

#[test]
fn the_order_of_files_changes_nothing() {
    let a = ("a.yaml", "metadata: {name: a, namespace: shop}\nspec: {peerAuthentication: {}}\n");
    let b = ("b.yaml", "metadata: {name: b, namespace: shop}\nspec: {destinationRule: {host: b}}\n");
    let texts = [[a, b], [b, a]].map(|files| output::yaml(&catalog(&files).resources()));
    assert_eq!(texts[0], texts[1]);
    assert!(texts[0].find("b-destination-rule") < texts[0].find("a-peer-authentication"));
}

#[test]
fn resources_are_checked_among_each_other() {
    // Nobody owns the service.
    let split = "metadata: {name: a, namespace: shop}\nspec: {virtualService: {spec: {hosts: [c], http: [{route: [{destination: {host: c, subset: v9}}]}]}}}\n";
    let alone = catalog(&[("a.yaml", split)]);
    let rules: Vec<_> = alone.findings().iter().map(|located| located.finding.rule).collect();
    assert_eq!(rules, ["X101d"]);
    assert!(names(&alone).is_empty());
    let subset = "metadata: {name: b, namespace: shop}\nspec: {destinationRule: {host: c.shop.svc.cluster.local, subsets: [{name: v9, labels: {version: v9}}]}}\n";
    let both = catalog(&[("a.yaml", split), ("b.yaml", subset)]);
    assert_eq!(names(&both), ["b-destination-rule", "a-virtual-service"], "{:?}", findings(&both));
}

#[test]
fn a_namespace_of_too_many_entries_is_refused_before_it_is_rendered() {
    let many = |name: &str, count: usize| {
        let entries: Vec<_> = (0..count).map(|number| format!("{{name: n{number}}}")).collect();
        format!(
            "metadata: {{name: {name}, namespace: shop}}\nspec: {{peerAuthentication: [{}]}}\n",
            entries.join(", ")
        )
    };
    let of = |last: usize| {
        let texts = (0..10).map(|number| many(&format!("a{number}"), 1_000)).chain([many("b", last)]);
        let other = "metadata: {name: cart, namespace: bank}\nspec: {destinationRule: {host: cart}}\n";
        let files: Vec<_> = (0..).zip(texts.chain([other.to_owned()])).collect();
        let files: Vec<_> = files.iter().map(|(number, text)| (format!("{number}.yaml"), text)).collect();
        catalog(&files.iter().map(|(path, text)| (path.as_str(), text.as_str())).collect::<Vec<_>>())
    };
    let told = findings(&of(1));
    let expected = "`shop` has 10001 entries in all documents, and 10000 are the most";
    assert!(told.len() == 11 && told.iter().all(|found| found.contains(expected)), "{told:?}");
    assert_eq!(names(&of(1)), ["cart-destination-rule"]);
    assert!(!findings(&of(0)).iter().any(|found| found.contains("APP24")));
}
