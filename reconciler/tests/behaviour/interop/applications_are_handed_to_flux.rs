//! With `--istio-artifacts`, the Istio configuration of applications is in an archive and an `ExternalArtifact` for each
//! namespace. It goes on as the newest commit wants, and nothing goes that nobody wanted to go.

use serde_json::{Value, json};

use crate::support::{
    artifacts::{ARTIFACT, CONFIG_MAP, PATIENCE, World, pairs, ready},
    cluster::{start, until},
    process::text,
};

#[tokio::test]
async fn an_artifact_goes_on_with_its_namespace_and_nothing_goes_unwanted() {
    let world = World::start().await;
    world.write("reviews", "{host: reviews}");
    world.write("ratings", "{host: ratings}");
    let first = world.push("Add two applications").await;
    let hfi = world.serve().await;
    let status = world.artifact("an artifact", &hfi, |status| ready(status).0 == "True").await;
    assert_eq!(world.hosts(&status, &hfi).await, pairs(&[("ratings", "ratings"), ("reviews", "reviews")]));
    let artifact = &status["artifact"];
    assert_eq!(artifact["metadata"]["org.opencontainers.image.revision"], first);
    let seconds = world.repository.git(&["show", "-s", "--format=%ct", &first]).await.unwrap();
    let at = policies::Timestamp::from_millis(seconds.trim().parse::<u64>().unwrap() * 1_000);
    assert_eq!(artifact["lastUpdateTime"], at.to_rfc3339());

    // One becomes invalid, and the other goes on.
    world.write("reviews", "{host: reviews, wrong: 1}");
    world.write("ratings", "{host: scores}");
    world.push("Change both").await;
    let status = world.artifact("the freeze", &hfi, |status| ready(status).0 == "False").await;
    let second = world.repository.git(&["rev-parse", "--short=7", "HEAD"]).await.unwrap();
    let begin = format!("frozen: reviews at {} (reviews.yaml:5:", second.trim());
    let message = ready(&status).1;
    assert!(message.starts_with(&begin) && message.ends_with(", 1 others current"), "{message}");
    assert_eq!(world.hosts(&status, &hfi).await, pairs(&[("ratings", "scores"), ("reviews", "reviews")]));
    let told = until("Flux is told", PATIENCE, async || world.told.lock().unwrap().first().cloned()).await;
    assert_eq!(
        (&told["severity"], &told["reason"], &told["message"]),
        (&json!("error"), &json!("Frozen"), &json!(message))
    );
    assert_eq!(told["involvedObject"]["kind"], "ExternalArtifact");
    let events = world.api.get("/apis/events.k8s.io/v1/namespaces/hfi-istio/events").await.unwrap();
    assert_eq!(events["items"][0]["note"], message, "{events}");

    // All of them vanish, and a commit follows that has nothing to do with it; then hfi is killed.
    world.repository.remove("reviews.yaml").unwrap();
    world.repository.remove("ratings.yaml").unwrap();
    world.repository.write("other.yaml", "apiVersion: v1\nkind: ConfigMap\n").unwrap();
    world.push("Lose both").await;
    let is_of_removals =
        |status: &Value| ready(status).1.contains("2 of 2 objects of the namespace would be removed");
    let kept = world.artifact("the guard", &hfi, is_of_removals).await;
    assert_eq!(kept["artifact"], status["artifact"]);
    world.repository.write("other.yaml", "apiVersion: v1\nkind: Secret\n").unwrap();
    let next = world.push("Change something else").await;
    hfi.until_ready(|ready| ready["revision"].as_str().unwrap().ends_with(&next)).await;
    world.kill(hfi).await;
    let before = world.told.lock().unwrap().len();
    let hfi = world.serve().await;
    until("the next leader tells Flux too", PATIENCE, async || {
        let told = world.told.lock().unwrap();
        let last = told.get(before)?["message"].as_str()?.to_owned();
        last.contains("2 of 2 objects").then_some(())
    })
    .await;
    let kept = world.artifact("the guard", &hfi, is_of_removals).await;
    assert_eq!(kept["artifact"], status["artifact"]);
    assert_eq!(world.hosts(&kept, &hfi).await.len(), 2);

    // Somebody agrees, by a commit.
    world.repository.write("other.yaml", "apiVersion: v1\nkind: ConfigMap\n").unwrap();
    let agreed = world.push("Take shop away\n\nHfi-Removals: 2").await;
    let status = world.artifact("the consent", &hfi, |status| ready(status).0 == "True").await;
    assert_eq!(world.hosts(&status, &hfi).await, []);
    assert_eq!(status["artifact"]["metadata"]["org.opencontainers.image.revision"], agreed);

    // Or by an annotation, which names the commit.
    world.write("reviews", "{host: reviews}");
    world.push("Add one again").await;
    world.artifact("one again", &hfi, |status| ready(status).1.starts_with("1 objects")).await;
    world.repository.remove("reviews.yaml").unwrap();
    let last = world.push("Lose it again").await;
    world.artifact("the guard again", &hfi, |status| ready(status).0 == "False").await;
    let annotation = json!({"metadata": {"annotations": {"hfi.dev/allow-commit": last}}}).to_string();
    let merge = [("content-type", "application/merge-patch+json")];
    world.api.ask("PATCH", ARTIFACT, &merge, &annotation).await.unwrap();
    let status = world.artifact("the annotation", &hfi, |status| ready(status).0 == "True").await;
    assert_eq!(world.hosts(&status, &hfi).await, []);
    let config_map = world.api.get(CONFIG_MAP).await.unwrap();
    assert_eq!(config_map["metadata"]["annotations"]["hfi.dev/commit"], last);
    assert_eq!(config_map["metadata"]["ownerReferences"], Value::Null);
    // It agrees once.
    until("the annotation is used up", PATIENCE, async || {
        let annotations = world.api.get(ARTIFACT).await.ok()?["metadata"]["annotations"].clone();
        annotations["hfi.dev/allow-commit"].is_null().then_some(())
    })
    .await;
}

#[tokio::test]
async fn a_namespace_without_an_artifact_gets_what_was_valid_last() {
    let world = World::start().await;
    world.write("reviews", "{host: reviews}");
    world.push("Add one").await;
    world.write("reviews", "{host: scores}");
    world.push("Change it").await;
    world.write("reviews", "{host: reviews, wrong: 1}");
    world.write("ratings", "{host: ratings}");
    world.push("Break it").await;
    let hfi = world.serve().await;
    let status = world.artifact("an artifact", &hfi, |status| status["artifact"].is_object()).await;
    assert!(ready(&status).1.starts_with("frozen: reviews at "), "{status}");
    assert_eq!(world.hosts(&status, &hfi).await, pairs(&[("ratings", "ratings"), ("reviews", "scores")]));
}

#[tokio::test]
async fn without_the_option_there_is_none_of_it() {
    let world = World::start().await;
    world.write("reviews", "{host: reviews}");
    world.push("Add one").await;
    let repository = world.repository.bare();
    let hfi = start(&world.api, "hfi", &[("HFI_REPO", text(&repository)), ("HFI_BRANCH", "main")]).await;
    crate::support::cluster::peer(&hfi, "it leads", |peer| peer["leader"] == true).await;
    let asked = world.api.requests_of("system:serviceaccount:boifi:hfi-control-plane").unwrap();
    let is_of_it = |request: &&Value| request.to_string().contains("hfi-istio");
    assert!(!asked.is_empty() && asked.iter().filter(is_of_it).count() == 0, "{asked:?}");
    assert_eq!(hfi.get("/v1/istio/shop/x.tar.gz", &[]).await.status, 404);
}
