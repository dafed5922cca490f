//! Documents about Istio stand beside policies: those of kind `AppConfiguration`, which another crate reads, and the
//! objects of Istio and Kubernetes that they refer to. No policy depends on them.
#![cfg(test)]
#![cfg(feature = "authoring")]

use std::sync::Arc;

use policies::{
    Catalog, File, Scope, Timestamp,
    editing::{Format, How, put, read_body},
    repository::Sources,
};

const POLICY: &str = "metadata: {name: a}\nspec: {rules: [{fault: {percentage: 5, delay_ms: 1}}]}\n";

const APPLICATION: &str = "apiVersion: hfi.dev/v1
kind: AppConfiguration
metadata: {name: reviews, namespace: shop, labels: {team: web}}
spec:
  destinationRule: {host: reviews, trafficPolicy: {ejectionSettings: {}}}
";

const CONTEXT: &str = r#"apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {name: ratings, namespace: shop}
spec: {hosts: [ratings], http: [{fault: {abort: {httpStatus: 503, percentage: {value: 5}}}, route: [{destination: {host: ratings}}]}]}
---
apiVersion: v1
kind: Service
metadata: {name: reviews, namespace: shop}
spec: {ports: [{port: 80, name: http}], selector: {app: reviews}}
---
apiVersion: v1
kind: Namespace
metadata: {name: shop, labels: {istio.io/dataplane-mode: ambient}}
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: reviews, namespace: shop}
spec:
  selector: {matchLabels: {app: reviews}}
  template: {metadata: {labels: {app: reviews}}, spec: {containers: [{name: main, image: "reviews:1"}]}}
---
apiVersion: gateway.networking.k8s.io/v1
kind: Gateway
metadata: {name: waypoint, namespace: shop}
spec: {gatewayClassName: istio-waypoint, listeners: [{name: mesh, port: 15008, protocol: HBONE}]}
---
apiVersion: v1
kind: ConfigMap
metadata: {name: words, namespace: shop}
data:
  about.yaml: |
    kind: Guardrail
    spec: {maxPercentage: 5}
---
apiVersion: v1
kind: List
items: [{apiVersion: v1, kind: Secret, metadata: {name: a, namespace: shop}}]
---
apiVersion: kustomize.toolkit.fluxcd.io/v1
kind: Kustomization
metadata: {name: shop, namespace: flux-system}
spec: {interval: 10m, path: ./shop, prune: true}
---
apiVersion: kustomize.config.k8s.io/v1beta1
kind: Kustomization
resources: [a.yaml]
"#;

fn problems(text: &str) -> Vec<String> {
    File::read(text.as_bytes())
        .findings
        .iter()
        .map(|finding| format!("{}:{} {finding}", finding.place.line, finding.place.column))
        .collect()
}

fn snapshot(files: &[(&str, &str)]) -> (Vec<u8>, Vec<String>, usize) {
    let files: Vec<_> =
        files.iter().map(|(path, yaml)| (Arc::from(*path), File::read(yaml.as_bytes()))).collect();
    let files = files.iter().map(|(path, file)| (path, file)).collect();
    let catalog = Catalog::new(&Sources { files, ..Sources::default() }, |_, _| None);
    let snapshot = catalog.snapshot(&Scope::unknown(), Timestamp::from_millis(0));
    let bytes = snapshot.encode(policies::wire::Format::V2);
    (bytes, catalog.problems().iter().map(ToString::to_string).collect(), catalog.ignored())
}

#[test]
fn policies_are_the_same_with_and_without_what_stands_beside_them() {
    let alone = snapshot(&[("a.yaml", POLICY)]);
    let beside = format!("{APPLICATION}---\n{POLICY}---\n{APPLICATION}");
    let with = snapshot(&[("a.yaml", &beside), ("b.yaml", CONTEXT), ("c.yaml", APPLICATION)]);
    assert_eq!((&with.0, with.1), (&alone.0, Vec::<String>::new()));
    // Objects of others are counted, and what is hfi's is not among them.
    assert_eq!((alone.2, with.2), (0, 9));
}

#[test]
fn what_is_wrong_in_it_is_not_for_the_reader_of_policies_to_say() {
    for (was, is) in [
        ("name: reviews, namespace: shop", "name: Reviews_1"),
        ("destinationRule", "destinationRul"),
        ("hfi.dev/v1", "hfi.dev/v2"),
        ("AppConfiguration", "appconfiguration"),
    ] {
        assert_eq!(problems(&APPLICATION.replace(was, is)), Vec::<String>::new(), "{is}");
    }
    // One name may be that of a policy and of an application.
    let (_, problems, _) =
        snapshot(&[("a.yaml", &POLICY.replace("name: a", "name: reviews")), ("b.yaml", APPLICATION)]);
    assert_eq!(problems, Vec::<String>::new());
}

#[test]
fn a_misspelled_kind_is_told_with_the_right_one() {
    let misspelled = APPLICATION.replace("AppConfiguration", "AppConfigration");
    assert_eq!(
        problems(&misspelled),
        [
            "2:7 kind: must be `FaultPolicy`, `Guardrail`, `Halt` or `AppConfiguration`; did you mean `AppConfiguration`?"
        ]
    );
    // It was not meant to bind policies, as other kinds that are not known may be.
    let is_binding = |text: &str| File::read(text.as_bytes()).guardrails().is_none();
    assert!(!is_binding(&misspelled) && is_binding(&misspelled.replace("AppConfigration", "Something")));
    let listed = "kind: List\nitems: [{kind: AppConfiguration, metadata: {name: a}}]\n";
    assert!(problems(listed)[0].contains("write its items as documents") && !is_binding(listed));
}

#[test]
fn a_body_that_holds_one_is_refused() {
    let body = format!("{POLICY}---\n{APPLICATION}");
    let mistakes = read_body(body.as_bytes(), Format::Yaml).unwrap_err();
    let [mistake] = mistakes.as_slice() else { panic!("{mistakes:?}") };
    let wanted =
        "kind: `AppConfiguration` is not written through this API: leave it out, and commit it by Git";
    assert_eq!((mistake.document, mistake.finding.to_string().as_str()), (1, wanted));
}

#[test]
fn a_policy_beside_one_is_edited_and_all_else_keeps_its_bytes() {
    let name = "a".to_owned().try_into().unwrap();
    let sent = POLICY.replace("percentage: 5", "percentage: 7");
    let document = read_body(sent.as_bytes(), Format::Yaml).unwrap().remove(0);
    let file = APPLICATION.replace("reviews", "a") + "---\n" + POLICY + "---\n" + CONTEXT;
    let edited = put(file.as_bytes(), &name, &document, How::InPlace).unwrap();
    let expected = file.replacen("percentage: 5,", "percentage: 7,", 1);
    assert_eq!(String::from_utf8(edited.bytes).unwrap(), expected);
}
