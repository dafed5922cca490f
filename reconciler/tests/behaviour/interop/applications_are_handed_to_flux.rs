//! With `--istio-artifacts`, the Istio configuration of applications is in an archive and an `ExternalArtifact` for each
//! namespace. It goes on as the newest commit wants, and nothing goes that nobody wanted to go.

use std::{
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use axum::{Json, Router, routing::post};
use harness::{KubeApi, Repository, paths};
use policies::Digest;
use reconciler::istio::artifact::Artifact;
use serde_json::{Value, json};
use tokio::net::TcpListener;

use crate::support::{
    cluster::{start, until},
    process::{Process, text},
};

pub(crate) const PATIENCE: Duration = Duration::from_secs(40);
pub(crate) const ARTIFACT: &str =
    "/apis/source.toolkit.fluxcd.io/v1/namespaces/hfi-istio/externalartifacts/hfi-istio-shop";
pub(crate) const CONFIG_MAP: &str = "/api/v1/namespaces/hfi-istio/configmaps/hfi-istio-shop";

/// A cluster, a repository, and a stand-in for Flux's notification-controller.
pub(crate) struct World {
    pub(crate) api: KubeApi,
    pub(crate) repository: Repository,
    pub(crate) told: Arc<Mutex<Vec<Value>>>,
    /// So many events are refused before one is taken.
    pub(crate) refusals: Arc<AtomicUsize>,
    events_url: String,
}

impl World {
    pub(crate) async fn start() -> Self {
        let api = KubeApi::start().await.unwrap();
        api.create_namespace("hfi-istio").await.unwrap();
        let crds =
            std::fs::read_to_string(paths::world_program("flux-source", "crds.yaml").unwrap()).unwrap();
        let crds: Vec<Value> = serde_yaml::from_multiple(&crds).unwrap();
        let is_wanted = |crd: &Value| crd["spec"]["names"]["kind"] == "ExternalArtifact";
        let wanted: Vec<_> = crds.into_iter().filter(is_wanted).collect();
        assert_eq!(wanted.len(), 1);
        api.apply(&wanted).await.unwrap();
        let told = Arc::<Mutex<Vec<Value>>>::default();
        let refusals = Arc::<AtomicUsize>::default();
        let router = Router::new().route(
            "/",
            post({
                let (told, refusals) = (Arc::clone(&told), Arc::clone(&refusals));
                async move |Json(event): Json<Value>| {
                    let refuse = |left: usize| left.checked_sub(1);
                    if refusals.fetch_update(Ordering::Relaxed, Ordering::Relaxed, refuse).is_ok() {
                        return reqwest::StatusCode::SERVICE_UNAVAILABLE;
                    }
                    told.lock().unwrap().push(event);
                    reqwest::StatusCode::ACCEPTED
                }
            }),
        );
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let events_url = format!("http://{}/", listener.local_addr().unwrap());
        tokio::spawn(async move { axum::serve(listener, router).await });
        Self { api, repository: Repository::new().await.unwrap(), told, refusals, events_url }
    }

    async fn serve(&self) -> Process {
        self.serve_as("admin", &[]).await
    }

    /// hfi with the rights of `token` and with more settings.
    pub(crate) async fn serve_as(&self, token: &str, more: &[(&str, &str)]) -> Process {
        let repository = self.repository.bare();
        let environment = [
            ("HFI_REPO", text(&repository)),
            ("HFI_BRANCH", "main"),
            ("HFI_ISTIO_ARTIFACTS", "true"),
            ("HFI_FLUX_EVENTS_URL", &self.events_url),
        ];
        start(&self.api, token, &[&environment, more].concat()).await
    }

    /// Writes the application of this name, whose destination is this one.
    pub(crate) fn write(&self, name: &str, rule: &str) {
        self.write_in("shop", name, rule);
    }

    pub(crate) fn write_in(&self, namespace: &str, name: &str, rule: &str) {
        let document = format!(
            "apiVersion: hfi.dev/v1\nkind: AppConfiguration\nmetadata: {{name: {name}, namespace: {namespace}}}\nspec:\n  destinationRule: {rule}\n"
        );
        self.repository.write(&format!("{name}.yaml"), &document).unwrap();
    }

    /// Commits and pushes. Returns the commit.
    pub(crate) async fn push(&self, message: &str) -> String {
        self.repository.push(message).await.unwrap();
        self.repository.git(&["rev-parse", "HEAD"]).await.unwrap().trim().to_owned()
    }

    /// The status of the artifact, once it is such.
    pub(crate) async fn artifact(
        &self,
        what: &str,
        hfi: &Process,
        is_such: impl Fn(&Value) -> bool,
    ) -> Value {
        until(&format!("{what}: {}", hfi.log()), PATIENCE, async || {
            let status = self.api.get(ARTIFACT).await.ok()?["status"].clone();
            is_such(&status).then_some(status)
        })
        .await
    }

    /// The hosts of the DestinationRules in the archive that an artifact announces, by application, as hfi serves it.
    async fn hosts(&self, status: &Value, hfi: &Process) -> Vec<(String, String)> {
        let artifact = &status["artifact"];
        let path = artifact["path"].as_str().unwrap();
        assert_eq!(artifact["url"], format!("http://hfi-control-plane.boifi.svc.cluster.local.:8080/{path}"));
        let answer = hfi.get(&format!("/{path}"), &[]).await;
        assert_eq!(answer.status, 200);
        let digest = Digest::of(&answer.body).to_string();
        assert_eq!(artifact["digest"], digest);
        assert_eq!(artifact["revision"], format!("main@{digest}"));
        assert_eq!(artifact["size"], answer.body.len());
        let objects = Artifact::of_bytes(answer.body.into()).objects().unwrap();
        let host = |(name, objects): (&String, &[istio_config::Resource])| {
            (name.clone(), objects[0].spec["host"].as_str().unwrap().to_owned())
        };
        objects.applications().map(host).collect()
    }
}

pub(crate) fn ready(status: &Value) -> (&str, &str) {
    let condition = &status["conditions"][0];
    (condition["status"].as_str().unwrap_or_default(), condition["message"].as_str().unwrap_or_default())
}

fn pairs(pairs: &[(&str, &str)]) -> Vec<(String, String)> {
    pairs.iter().map(|(name, host)| ((*name).to_owned(), (*host).to_owned())).collect()
}

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
    drop(hfi);
    let lease = "/apis/coordination.k8s.io/v1/namespaces/boifi/leases/hfi-control-plane";
    world.api.ask("DELETE", lease, &[], "").await.unwrap();
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
