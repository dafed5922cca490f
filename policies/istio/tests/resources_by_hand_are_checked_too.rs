//! Resources that are written by hand are context for applications, and are checked by the same rules when asked for.
#![cfg(test)]

use std::sync::Arc;

use istio_config::{Catalog, File, InForce, Setting};

/// The findings of the catalog of these files, and those of what is written by hand.
fn findings(files: &[(&str, &str)]) -> (Vec<String>, Vec<String>) {
    let files: Vec<(Arc<str>, File)> =
        files.iter().map(|(path, text)| (Arc::from(*path), File::read(text.as_bytes()))).collect();
    let files: Vec<_> = files.iter().map(|(path, file)| (Arc::clone(path), file)).collect();
    let setting = Setting::default();
    let catalog = Catalog::new(&files, &InForce::default(), &setting, |_, setting| setting);
    let text = |found: &[istio_config::LocatedFinding]| found.iter().map(ToString::to_string).collect();
    (text(catalog.findings()), text(&catalog.check_by_hand(&files, &setting)))
}

const APPLICATION: &str = "apiVersion: hfi.dev/v1
kind: AppConfiguration
metadata: {name: reviews, namespace: shop}
spec: {virtualService: {routes: [{split: {v1: 100}}]}}
";

#[test]
fn an_application_refers_to_what_is_written_by_hand_in_whatever_version_or_list() {
    assert!(findings(&[("a.yaml", APPLICATION)]).0[0].ends_with("[X101d]"));
    for version in ["v1", "v1beta1", "v1alpha3"] {
        let rule = format!(
            "{{apiVersion: networking.istio.io/{version}, kind: DestinationRule, metadata: {{name: a, namespace: shop}}, spec: {{host: reviews, subsets: [{{name: v1, labels: {{version: v1}}}}]}}}}"
        );
        for text in [
            format!("{APPLICATION}---\n{rule}\n"),
            format!("{APPLICATION}---\napiVersion: v1\nkind: List\nitems: [{rule}]\n"),
        ] {
            assert_eq!(findings(&[("a.yaml", &text)]), (Vec::new(), Vec::new()), "{text}");
        }
    }
}

#[test]
fn a_mistake_by_hand_is_told_at_its_line_and_refuses_no_application() {
    let by_hand = "apiVersion: v1
kind: List
items:
- apiVersion: networking.istio.io/v1
  kind: DestinationRule
  metadata: {name: a, namespace: shop}
  spec:
    host: reviews
    subsets:
    - name: v1
      labels: {version: v1}
    trafficPolicy:
      outlierDetection:
        interval: 10
---
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {name: a, namespace: shop}
spec:
  hosts: [ratings]
  http:
  - route:
    - destination:
        host: reviews
        subset: v2
";
    let (told, by_hand) = findings(&[("a.yaml", APPLICATION), ("b.yaml", by_hand)]);
    assert_eq!(told, [""; 0]);
    assert_eq!(
        by_hand,
        [
            "b.yaml:14:9: spec.trafficPolicy.outlierDetection.interval: is not a text; write `\"10\"` [META02]",
            "b.yaml:25:9: spec.http[0].route[0].destination.subset: `v2` is in no DestinationRule for `reviews.shop.svc.cluster.local`, so requests get 503; write the subset there [X101d]",
        ]
    );
}

#[test]
fn what_hfi_has_rendered_into_the_repository_is_no_context() {
    let files = [(
        "a.yaml",
        "apiVersion: hfi.dev/v1\nkind: AppConfiguration\nmetadata: {name: reviews, namespace: shop}\nspec: {virtualService: {timeout: 1s}}\n",
    )];
    let file = File::read(files[0].1.as_bytes());
    let setting = Setting::default();
    let catalog =
        Catalog::new(&[("a.yaml".into(), &file)], &InForce::default(), &setting, |_, setting| setting);
    let rendered = istio_config::output::yaml(&catalog.resources());
    assert_eq!(findings(&[files[0], ("rendered.yaml", &rendered)]), (Vec::new(), Vec::new()));
    // Also where the document is of another name since.
    let renamed = files[0].1.replace("{timeout", "{name: own, timeout");
    assert_eq!(findings(&[("a.yaml", &renamed), ("rendered.yaml", &rendered)]).0, [""; 0]);
}

#[test]
fn labels_of_the_service_then_of_the_namespace_say_which_data_plane() {
    let sidecar = "apiVersion: hfi.dev/v1\nkind: AppConfiguration\nmetadata: {name: reviews, namespace: shop}\nspec: {sidecar: {calls: [ratings]}}\n";
    let namespace = |label: &str| {
        format!("apiVersion: v1\nkind: Namespace\nmetadata: {{name: shop, labels: {{{label}}}}}\n")
    };
    let service = |label: &str| {
        format!(
            "apiVersion: v1\nkind: Service\nmetadata: {{name: reviews, namespace: shop, labels: {{{label}}}}}\n"
        )
    };
    let ambient = "istio.io/dataplane-mode: ambient";
    for (around, is_ambient) in [
        (namespace(""), false),
        (namespace(ambient), true),
        (namespace("istio-injection: enabled"), false),
        (format!("{}---\n{}", namespace(ambient), service("")), true),
        (format!("{}---\n{}", namespace(ambient), service("istio.io/dataplane-mode: none")), false),
        (format!("{}---\n{}", namespace("istio.io/rev: canary"), service(ambient)), true),
    ] {
        let told = findings(&[("a.yaml", sidecar), ("b.yaml", &around)]).0;
        assert_eq!(
            told.iter().any(|found| found.contains("does nothing in ambient")),
            is_ambient,
            "{around} {told:?}"
        );
    }
}

#[test]
fn a_service_entry_does_not_differ_from_itself() {
    let entry = "{apiVersion: networking.istio.io/v1, kind: ServiceEntry, metadata: {name: a, namespace: shop}, spec: {hosts: [a.example.com], resolution: DNS, ports: [{number: 80, name: http, protocol: HTTP}, {number: 80, name: tls, protocol: TLS}]}}";
    let (_, found) = findings(&[("a.yaml", entry)]);
    assert!(found.iter().any(|found| found.ends_with("[SE05]")), "{found:?}");
    assert!(found.iter().all(|found| !found.ends_with("[X177]")), "{found:?}");
}

#[test]
fn of_two_objects_of_one_name_one_is_checked_beside_the_others_and_the_other_one_is_told() {
    let rule = |subset: &str| {
        format!(
            "apiVersion: networking.istio.io/v1\nkind: DestinationRule\nmetadata: {{name: a, namespace: shop}}\nspec: {{host: reviews, subsets: [{{name: {subset}, labels: {{version: v1}}}}]}}\n"
        )
    };
    let route = |subset: &str| {
        format!(
            "apiVersion: networking.istio.io/v1\nkind: VirtualService\nmetadata: {{name: a, namespace: shop}}\nspec: {{hosts: [reviews], http: [{{route: [{{destination: {{host: reviews, subset: {subset}}}}}]}}]}}\n"
        )
    };
    for (subset, is_defined) in [("v1", true), ("v2", false)] {
        let (applications, by_hand) =
            findings(&[("a.yaml", &rule("v1")), ("b.yaml", &rule("v2")), ("c.yaml", &route(subset))]);
        assert_eq!(applications, [""; 0]);
        let Some((first, others)) = by_hand.split_first() else { panic!("nothing is told") };
        assert!(first.starts_with("b.yaml:1:1: metadata.name: "), "{by_hand:?}");
        assert_eq!(others.is_empty(), is_defined, "{by_hand:?}");
        assert!(others.iter().all(|found| found.ends_with("[X101d]")), "{by_hand:?}");
    }
    // Beside an application it is told once.
    let application = APPLICATION.replace("name: reviews", "name: web");
    let (told, by_hand) =
        findings(&[("a.yaml", &rule("v1")), ("b.yaml", &rule("v2")), ("d.yaml", &application)]);
    assert!(told.iter().any(|found| found.ends_with("[APP25]")), "{told:?}");
    assert!(!by_hand.iter().any(|found| found.ends_with("[APP25]")), "{by_hand:?}");
}
