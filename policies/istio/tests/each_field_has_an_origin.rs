//! Each rendered field comes from written fields, or is an opinion about them.
#![cfg(test)]

use std::{fs, path::Path, time::Instant};

use istio_config::{Catalog, File, InForce, Origin, Setting, origins};

/// The origins of all resources of a file, by kind and field.
fn all(text: &str) -> Vec<(String, Origin)> {
    let file = File::read(text.as_bytes());
    let files = [("a.yaml".into(), &file)];
    let catalog = Catalog::new(&files, &InForce::default(), &Setting::default(), |_, setting| setting);
    let applications = catalog.applications().iter().filter(|application| application.is_valid);
    let found = applications.flat_map(|application| {
        let kinds = application.resources.iter().map(|rendered| rendered.resource.kind.name().to_owned());
        let origins = origins(application, text.as_bytes());
        assert_eq!(origins.len(), application.resources.len());
        kinds
            .zip(origins)
            .flat_map(|(kind, origins)| origins.into_iter().map(move |origin| (kind.clone(), origin)))
            .collect::<Vec<_>>()
    });
    found.collect()
}

/// The written fields that a field comes from, and its opinion.
fn origin(text: &str, kind: &str, field: &str) -> (Vec<String>, Option<&'static str>) {
    let all = all(text);
    let found = all.iter().find(|(of, origin)| of == kind && origin.field == field);
    let (_, Origin { written, opinion, .. }) = found.unwrap_or_else(|| panic!("{kind} {field}: {all:#?}"));
    (written.iter().map(|written| written.field.clone()).collect(), *opinion)
}

const REVIEWS: &str = "apiVersion: hfi.dev/v1
kind: AppConfiguration
metadata: {name: reviews, namespace: shop, labels: {team: web}}
spec:
  destinationRule:
    host: reviews
    subsets: [{name: v1, labels: {version: v1}}, {name: v2, labels: {version: v2}}]
    trafficPolicy: {loadBalancerSettings: {strategy: RANDOM}, ejectionSettings: {interval: 20s}}
  virtualService:
    timeout: 10s
    routes:
      - {name: beta, match: {path: {prefix: /beta}}, retries: 3, split: {v2: 100}}
      - {name: main, split: {v1: 90, v2: 10}}
  serviceEntry: [{name: stripe, hosts: [api.stripe.example], ports: [443]}]
  peerAuthentication: {mtls: strict, ports: {9102: permissive}}
";

#[test]
fn a_written_value_is_told_wherever_it_is_rendered() {
    for (kind, field, written) in [
        ("DestinationRule", "metadata.name", &["metadata.name"][..]),
        ("DestinationRule", "metadata.labels.team", &["metadata.labels.team"]),
        ("DestinationRule", "spec.host", &["spec.destinationRule.host"]),
        ("DestinationRule", "spec.subsets[1].name", &["spec.destinationRule.subsets[1].name"]),
        (
            "DestinationRule",
            "spec.trafficPolicy.loadBalancer.simple",
            &["spec.destinationRule.trafficPolicy.loadBalancerSettings.strategy"],
        ),
        ("VirtualService", "spec.http[0].timeout", &["spec.virtualService.timeout"]),
        ("VirtualService", "spec.http[0].retries.attempts", &["spec.virtualService.routes[0].retries"]),
        (
            "VirtualService",
            "spec.http[0].match[0].uri.prefix",
            &["spec.virtualService.routes[0].match.path.prefix"],
        ),
        ("VirtualService", "spec.hosts[0]", &["metadata.name", "metadata.namespace"]),
        ("ServiceEntry", "spec.hosts[0]", &["spec.serviceEntry[0].hosts[0]"]),
        ("ServiceEntry", "spec.ports[0].number", &["spec.serviceEntry[0].ports[0]"]),
        ("PeerAuthentication", "spec.mtls.mode", &["spec.peerAuthentication.mtls"]),
        ("PeerAuthentication", "spec.portLevelMtls.9102.mode", &["spec.peerAuthentication.ports.9102"]),
    ] {
        let (found, opinion) = origin(REVIEWS, kind, field);
        assert_eq!(
            (found.as_slice(), opinion),
            (&*written.iter().map(|w| (*w).to_owned()).collect::<Vec<_>>(), None),
            "{field}"
        );
    }
}

#[test]
fn shares_that_must_add_up_are_told_by_their_values() {
    let (found, opinion) = origin(REVIEWS, "VirtualService", "spec.http[1].route[1].weight");
    assert_eq!(
        (found.as_slice(), opinion),
        (&["spec.virtualService.routes[1].split.v2".to_owned()][..], None)
    );
}

#[test]
fn what_nobody_has_written_is_an_opinion_with_its_reason() {
    let (about, reason) =
        origin(REVIEWS, "DestinationRule", "spec.trafficPolicy.outlierDetection.baseEjectionTime");
    assert_eq!(about, ["spec.destinationRule.trafficPolicy.ejectionSettings"]);
    assert!(reason.unwrap().contains("Istio's own default"), "{reason:?}");
    let (about, reason) = origin(REVIEWS, "ServiceEntry", "spec.exportTo[0]");
    assert_eq!(about, ["spec.serviceEntry[0]"]);
    assert!(reason.unwrap().contains("every namespace"), "{reason:?}");
    let plain = REVIEWS.replace("mtls: strict, ", "");
    let (about, reason) = origin(&plain, "PeerAuthentication", "spec.mtls.mode");
    assert_eq!(about, ["spec.peerAuthentication"]);
    assert!(reason.unwrap().contains("plain text"), "{reason:?}");
}

#[test]
fn no_field_of_any_golden_case_is_without_one() {
    let golden = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden");
    let (mut fields, mut unexplained) = (0, 0);
    for section in fs::read_dir(golden).unwrap() {
        for case in fs::read_dir(section.unwrap().path()).unwrap() {
            let path = case.unwrap().path();
            if !path.to_str().unwrap().ends_with(".in.yaml") {
                continue;
            }
            for (kind, origin) in all(&fs::read_to_string(&path).unwrap()) {
                assert!(!origin.written.is_empty(), "{}: {kind} {}", path.display(), origin.field);
                assert!(origin.written.iter().all(|written| written.place.line > 0), "{origin:?}");
                fields += 1;
                if origin.opinion == Some("follows from what is written there") {
                    unexplained += 1;
                }
            }
        }
    }
    assert!(fields > 500 && unexplained * 5 < fields, "{unexplained} of {fields}");
}

#[test]
fn a_large_document_is_explained_in_the_time_of_its_entries() {
    let subsets: Vec<_> = (3..=600).map(|n| format!("{{name: v{n}, labels: {{version: v{n}}}}}")).collect();
    let text = REVIEWS.replace("subsets: [", &format!("subsets: [{}, ", subsets.join(", ")));
    let begun = Instant::now();
    let all = all(&text);
    assert!(!all.is_empty() && begun.elapsed().as_secs() < 5, "{:?}", begun.elapsed());
    assert!(all.iter().all(|(_, origin)| origin.written.len() == 1 && origin.opinion.is_none()));
}

#[test]
fn also_in_a_list_of_kubernetes() {
    let items = "apiVersion: v1
kind: List
items:
  - apiVersion: hfi.dev/v1
    kind: AppConfiguration
    metadata: {name: reviews, namespace: shop}
    spec: {virtualService: {timeout: 10s}}
";
    let (written, _) = origin(items, "VirtualService", "spec.http[0].timeout");
    assert_eq!(written, ["spec.virtualService.timeout"]);
}
