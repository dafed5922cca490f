//! What is refused, deleted, damaged or not heard is noticed, told and mended while hfi runs, and hurts no other namespace.

use std::{fs, sync::atomic::Ordering};

use harness::paths;
use serde_json::{Value, json};

use crate::support::{
    artifacts::{ARTIFACT, CONFIG_MAP, PATIENCE, World, ready},
    cluster::{peer, until},
    flux::MERGE,
    process::text,
};

fn artifact_in(namespace: &str) -> String {
    format!(
        "/apis/source.toolkit.fluxcd.io/v1/namespaces/{namespace}/externalartifacts/hfi-istio-{namespace}"
    )
}

/// True if the duty `artifacts` fails for a reason with these words.
fn fails(peer: &Value, words: &str) -> bool {
    let failing = peer["failing"].as_array().unwrap();
    failing.iter().any(|task| {
        task["duty"] == "artifacts" && task["reason"].as_str().is_some_and(|reason| reason.contains(words))
    })
}

#[tokio::test]
async fn one_namespace_that_is_refused_holds_up_no_other() {
    let world = World::start().await;
    for manifest in [
        "istio-artifacts/rbac.yaml",
        "istio-artifacts-in-tenants/rbac.yaml",
        "istio-artifacts-in-tenants/admission.yaml",
    ] {
        let manifest = fs::read_to_string(paths::workspace().join("k8s/components").join(manifest)).unwrap();
        let objects: Vec<Value> = serde_yaml::from_multiple(&manifest).unwrap();
        assert_eq!(world.api.apply(&objects).await.unwrap(), Vec::<&Value>::new());
    }
    world.api.create_namespace("shop").await.unwrap();
    let forged = json!({
        "apiVersion": "source.toolkit.fluxcd.io/v1", "kind": "ExternalArtifact",
        "metadata": {"name": "hfi-istio-shop", "namespace": "shop"}, "spec": {},
    });
    until("nobody else may make an artifact", PATIENCE, async || {
        world
            .api
            .would_create(&forged)
            .await
            .unwrap()
            .err()
            .filter(|reason| reason.contains("only hfi writes"))
    })
    .await;

    world.write("reviews", "{host: reviews}");
    world.write_in("aaa", "ratings", "{host: ratings}");
    world.write_in("aaa", "wrong", "{host: wrong, wrong: 1}");
    world.push("Add two namespaces, one of which is not there").await;
    let domain = ("HFI_CLUSTER_DOMAIN", "corp.example");
    let hfi = world.serve_as("hfi", &[("HFI_ISTIO_ARTIFACTS_IN_TENANTS", "true"), domain]).await;
    let artifact = async |namespace: &str| {
        until(&format!("an artifact of {namespace}: {}", hfi.log()), PATIENCE, async || {
            let object = world.api.get(&artifact_in(namespace)).await.ok()?;
            Some(object["status"]["artifact"]["url"].as_str()?.to_owned())
        })
        .await
    };
    let url = artifact("shop").await;
    assert!(url.starts_with("http://hfi-control-plane.boifi.svc.corp.example.:8080/v1/istio/shop/"), "{url}");
    peer(&hfi, "it is told", |peer| fails(peer, "the artifact of namespace aaa cannot be kept")).await;
    until("its freeze is told all the same", PATIENCE, async || {
        let told = world.told.lock().unwrap();
        told.iter().any(|event| event["message"].as_str().unwrap().contains("frozen: wrong")).then_some(())
    })
    .await;
    world.api.create_namespace("aaa").await.unwrap();
    artifact("aaa").await;
    peer(&hfi, "all is well", |peer| !fails(peer, "")).await;
}

#[tokio::test]
async fn an_archive_that_others_delete_or_change_is_noticed_without_a_restart() {
    let world = World::start().await;
    world.write("reviews", "{host: reviews}");
    world.push("Add one").await;
    let hfi = world.serve_as("admin", &[]).await;
    let status = world.artifact("an artifact", &hfi, |status| status["artifact"].is_object()).await;
    let stored = world.api.get(CONFIG_MAP).await.unwrap();

    world.api.ask("DELETE", CONFIG_MAP, &[], "").await.unwrap();
    let again = until("it is put back", PATIENCE, async || world.api.get(CONFIG_MAP).await.ok()).await;
    assert_eq!(again["binaryData"], stored["binaryData"]);
    assert_eq!(again["metadata"]["annotations"], stored["metadata"]["annotations"]);

    let annotate = async |at: &Value| {
        let change = json!({"metadata": {"annotations": {"hfi.dev/committed-at": at}}}).to_string();
        world.api.ask("PATCH", CONFIG_MAP, &MERGE, &change).await.unwrap();
    };
    annotate(&Value::Null).await;
    let is_noticed = |status: &Value| ready(status).1.contains("it has no annotation hfi.dev/committed-at");
    let frozen = world.artifact("it is noticed", &hfi, is_noticed).await;
    assert_eq!(frozen["artifact"], status["artifact"]);
    annotate(&stored["metadata"]["annotations"]["hfi.dev/committed-at"]).await;
    world.artifact("it is mended", &hfi, |status| ready(status).0 == "True").await;
}

#[tokio::test]
async fn a_plan_that_fails_is_told() {
    let world = World::start().await;
    world.write("reviews", "{host: reviews}");
    world.push("Add one").await;
    let state = tempfile::tempdir().unwrap();
    let hfi = world.serve_as("admin", &[("HFI_STATE_DIR", text(state.path()))]).await;
    let status = world.artifact("an artifact", &hfi, |status| ready(status).0 == "True").await;
    let (clone, away) = (state.path().join("clone.git"), state.path().join("away"));
    fs::rename(&clone, &away).unwrap();
    // It asks for another plan.
    let annotation = json!({"metadata": {"annotations": {"hfi.dev/allow-commit": "1a2b3c4"}}}).to_string();
    world.api.ask("PATCH", ARTIFACT, &MERGE, &annotation).await.unwrap();
    let is_told = |status: &Value| ready(status).1.contains("the newest commit cannot be planned");
    let frozen = world.artifact("it is told", &hfi, is_told).await;
    assert_eq!(frozen["artifact"], status["artifact"]);
    peer(&hfi, "it is a duty that fails", |peer| fails(peer, "the artifacts stay as they are")).await;
    until("there is an Event", PATIENCE, async || world.told.lock().unwrap().first().cloned()).await;
    fs::rename(&away, &clone).unwrap();
    world.artifact("it is mended", &hfi, |status| ready(status).0 == "True").await;
}

#[tokio::test]
async fn an_alert_is_sent_until_it_is_heard_and_not_again_for_commits_of_others() {
    let world = World::start().await;
    world.write("reviews", "{host: reviews, wrong: 1}");
    world.write("ratings", "{host: ratings}");
    world.push("Add two, one of which is wrong").await;
    world.refusals.store(2, Ordering::Relaxed);
    let hfi = world.serve_as("admin", &[]).await;
    let told = async |number: usize| {
        until(&format!("Flux is told: {}", hfi.log()), PATIENCE, async || {
            world.told.lock().unwrap().get(number).map(|event| event["reason"].clone())
        })
        .await
    };
    assert_eq!(told(0).await, "Frozen");
    world.write("details", "{host: details}");
    world.push("Add one more").await;
    world.artifact("the commit", &hfi, |status| ready(status).1.ends_with("2 others current")).await;
    world.write("reviews", "{host: reviews}");
    world.push("Mend it").await;
    assert_eq!(told(1).await, "Current");
}
