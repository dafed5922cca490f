//! `hfi validate`: AppConfigurations beside policies, and by request the objects of Istio beside them.

use std::{fs, path::Path};

use serde_json::Value;
use tempfile::TempDir;

use crate::support::{Server, hfi, policy};

pub(super) const REVIEWS: &str = "apiVersion: hfi.dev/v1
kind: AppConfiguration
metadata: {name: reviews, namespace: shop}
spec:
  destinationRule:
    host: reviews
    subsets: [{name: v1, labels: {version: v1}}]
    trafficPolicy:
      ejectionSettings: {interval: 20s}
";

const BY_HAND: &str = "apiVersion: networking.istio.io/v1
kind: DestinationRule
metadata: {name: ratings, namespace: shop}
spec:
  host: ratings
  trafficPolicy:
    tls: {mode: MUTUAL}
";

/// A directory with these files.
pub(super) fn directory(files: &[(&str, &str)]) -> TempDir {
    let directory = tempfile::tempdir().unwrap();
    write(directory.path(), files);
    directory
}

pub(super) fn write(directory: &Path, files: &[(&str, &str)]) {
    for (file, text) in files {
        let path = directory.join(file);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }
}

fn report(directory: &TempDir, arguments: &[&str]) -> (i32, Value) {
    let (code, text) = hfi(directory.path(), &[&["validate", ".", "-o", "json"], arguments].concat());
    (code, serde_json::from_str(&text).unwrap())
}

#[test]
fn a_mistake_is_told_at_its_place_with_the_id_of_its_rule_in_every_format() {
    let wrong = REVIEWS.replace("interval: 20s", "interval: 20");
    let directory = directory(&[("p/a.yaml", &policy("a", "reviews", 503)), ("shop/reviews.yaml", &wrong)]);
    let (code, report) = report(&directory, &[]);
    let error = &report["errors"][0];
    assert_eq!((code, report["errors"].as_array().unwrap().len()), (1, 1), "{report}");
    let place = (&error["file"], &error["line"], &error["column"], &error["field"]);
    let field = "spec.destinationRule.trafficPolicy.ejectionSettings.interval";
    assert_eq!(place, (&"./shop/reviews.yaml".into(), &9.into(), &36.into(), &field.into()));
    assert!(error["message"].as_str().unwrap().ends_with(" [APP01]"), "{error}");
    let (code, text) = hfi(directory.path(), &["validate", "."]);
    assert!(code == 1 && text.contains("[APP01]\n --> ./shop/reviews.yaml:9:36"), "{text}");
    assert!(text.ends_with("1 policy and 0 applications are valid; 1 error, 0 warnings\n"), "{text}");
    let (_, text) = hfi(directory.path(), &["validate", ".", "-o", "github"]);
    assert!(
        text.starts_with("::error file=./shop/reviews.yaml,line=9,col=36::spec.destinationRule"),
        "{text}"
    );
}

#[test]
fn a_rule_for_rendered_resources_and_one_across_files_are_told() {
    let twice = REVIEWS.replace(
        "name: v1, labels: {version: v1}}",
        "name: v1, labels: {version: v1}}, {name: v1, labels: {version: v2}}",
    );
    let routed = REVIEWS.replace("name: reviews,", "name: ratings,").replace(
        "  destinationRule:\n    host: reviews\n    subsets: [{name: v1, labels: {version: v1}}]\n    trafficPolicy:\n      ejectionSettings: {interval: 20s}\n",
        "  virtualService: {routes: [{split: {v9: 100}}]}\n",
    );
    for (text, id) in [(&twice, "[APP01]"), (&routed, "[X101d]")] {
        let directory = directory(&[("a.yaml", text)]);
        let (code, report) = report(&directory, &[]);
        let messages: Vec<_> =
            report["errors"].as_array().unwrap().iter().map(|e| e["message"].to_string()).collect();
        assert!(code == 1 && messages.iter().any(|message| message.contains(id)), "{id}: {messages:?}");
    }
}

#[tokio::test]
async fn a_server_serves_the_policies_beside_a_wrong_application() {
    let wrong = REVIEWS.replace("host: reviews", "hst: reviews");
    let files = [
        ("a.yaml", policy("a", "reviews", 503)),
        ("both.yaml", format!("{}---\n{wrong}", policy("b", "cart", 503))),
        ("by-hand.yaml", BY_HAND.to_owned()),
    ];
    let files: Vec<_> = files.iter().map(|(file, text)| (*file, text.as_str())).collect();
    let directory = directory(&files);
    let server = Server::of_folder(directory.path()).await;
    assert_eq!(server.names().await, ["a", "b"]);
    let status = server.json("/v1/policies/status").await;
    assert_eq!(status["rejected"], Value::Array(Vec::new()), "{status}");
}

#[test]
fn objects_of_istio_are_checked_by_request_alone() {
    let directory = directory(&[("reviews.yaml", REVIEWS), ("by-hand.yaml", BY_HAND)]);
    let (code, without) = report(&directory, &[]);
    assert_eq!((code, &without["errors"]), (0, &Value::Array(Vec::new())));
    let (code, with) = report(&directory, &["--istio"]);
    let error = &with["errors"][0];
    assert_eq!((code, &error["file"], &error["line"]), (1, &"./by-hand.yaml".into(), &7.into()), "{with}");
    assert!(error["message"].as_str().unwrap().ends_with(" [DR21]"), "{with}");
}

#[test]
fn what_neither_reader_can_read_is_told_once() {
    let directory = directory(&[("a.yaml", "kind: AppConfiguration\nspec: {a: [\n")]);
    let (code, report) = report(&directory, &["--istio"]);
    assert_eq!((code, report["errors"].as_array().unwrap().len()), (1, 1), "{report}");
}

#[tokio::test]
async fn an_application_in_a_file_whose_ending_is_in_upper_case_is_told_and_hurts_no_policy() {
    let a = policy("a", "reviews", 503);
    let directory = directory(&[("reviews.YAML", REVIEWS), ("notes.YAML", "a: b"), ("a.yaml", &a)]);
    let (code, report) = report(&directory, &[]);
    let errors = report["errors"].as_array().unwrap();
    assert_eq!((code, errors.len()), (1, 1), "{report}");
    assert_eq!(errors[0]["file"], "./reviews.YAML");
    let message = errors[0]["message"].as_str().unwrap();
    assert!(message.contains("speaks of an AppConfiguration") && message.contains("rename it"), "{message}");
    let server = Server::of_folder(directory.path()).await;
    assert_eq!(server.names().await, ["a"]);
    assert_eq!(server.json("/v1/policies/status").await["rejected"], Value::Array(Vec::new()));
}

#[test]
fn services_are_named_in_the_domain_of_the_mesh() {
    let routed = REVIEWS.replace(
        "  destinationRule:\n    host: reviews\n",
        "  virtualService: {timeout: 5s}\n  destinationRule:\n    host: reviews.shop.svc.mesh.example\n",
    );
    let directory = directory(&[("a.yaml", &routed)]);
    let (code, _) = hfi(directory.path(), &["validate", ".", "--cluster-domain", "mesh.example"]);
    assert_eq!(code, 0);
    assert_eq!(hfi(directory.path(), &["validate", ".", "--cluster-domain", "Not A Domain"]).0, 2);
}
